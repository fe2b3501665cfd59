"""Print a run's chunks while it runs, for `debug=True` and `print_mode=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from nbhitl.engine.events import Chunk


def printing(
    modes: Collection[str], put: Callable[[Any], None], shown: Collection[str]
) -> Callable[[Chunk], None]:
    """Return a sink that prints chunks of `modes` and passes on those of `shown`."""

    def sink(chunk: Chunk) -> None:
        ns, mode, payload = chunk
        if mode in modes:
            from pprint import pformat

            where = "/".join(ns)
            print(f"[{mode}]{' ' + where if where else ''} {pformat(payload, width=100, sort_dicts=False)}")
        if mode in shown:
            put(chunk)

    return sink
