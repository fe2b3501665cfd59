"""Names of arguments that older programs still use."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def renamed(given: Mapping[str, Any], now: Mapping[str, str], method: Any) -> dict[str, Any]:
    """Return arguments that `method` got by an old name under the name that they have now, with a warning.

    An argument that it never had is left out, with a warning too: LangGraph's builders take any.
    """
    if not given:
        return {}
    from nbhitl.errors import did_you_mean
    from nbhitl.warnings import LangGraphDeprecatedSinceV05, LangGraphDeprecatedSinceV10

    result = {}
    for old, value in given.items():
        if old not in now:
            called = method.__qualname__.removesuffix(".__init__")
            hint = did_you_mean(old, method.__kwdefaults__)
            warnings.warn(f"{old}={value!r} is ignored: {called} has no such keyword.{hint}", stacklevel=3)
            continue
        text = f"`{old}` is deprecated and will be removed. Please use `{now[old]}` instead."
        since = LangGraphDeprecatedSinceV10 if old == "config_schema" else LangGraphDeprecatedSinceV05
        warnings.warn(since(text), stacklevel=3)
        result[now[old]] = value
    return result
