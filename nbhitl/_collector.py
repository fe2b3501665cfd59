"""The garbage collector, kept from looking through everything while much is read that stays."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_paused() -> Iterator[None]:
    """Return a context in which nobody looks for garbage; afterwards it is as it was before.

    For reading thousands of rows at once: no garbage is made, but so many objects that the collector walks all
    that the process holds, in a notebook's kernel for longer than the reading takes. Of two threads the first to
    leave ends the pause for both, which only costs time.
    """
    was_on = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if was_on:
            gc.enable()
