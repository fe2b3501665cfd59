"""Names of arguments that older programs still use."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def renamed(given: Mapping[str, Any], now: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments given by an old name under the name that they have now, with a DeprecationWarning.

    Raises:
        TypeError: an argument that never existed.
    """
    result = {}
    for old, value in given.items():
        if old not in now:
            raise TypeError(f"got an unexpected keyword argument {old!r}")
        warnings.warn(f"`{old}` is deprecated, use `{now[old]}`.", DeprecationWarning, stacklevel=3)
        result[now[old]] = value
    return result
