"""Names of arguments that older programs still use."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def renamed(given: Mapping[str, Any], now: Mapping[str, str]) -> dict[str, Any]:
    """Return arguments given by an old name under the name that they have now, with a warning.

    Raises:
        TypeError: an argument that never existed.
    """
    if not given:
        return {}
    from nbhitl.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10

    result = {}
    for old, value in given.items():
        if old not in now:
            raise TypeError(f"got an unexpected keyword argument {old!r}")
        text = f"`{old}` is deprecated and will be removed. Please use `{now[old]}` instead."
        since = LangGraphDeprecatedSinceV10 if old == "config_schema" else LangGraphDeprecatedSinceV05
        warnings.warn(since(text), stacklevel=3)
        result[now[old]] = value
    return result
