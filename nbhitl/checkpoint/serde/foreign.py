"""The types of NumPy, pandas, pydantic, LangChain, the standard library and stores, each in a module of its own.

Such a module is imported when a value of theirs is at hand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.serde import tags
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from nbhitl.checkpoint.serde.plain import Codec

_NUMERIC, _FRAMES, _LIBRARIES, _STANDARD, _ITEMS = (
    f"{__package__}.{name}" for name in ("numeric", "frames", "libraries", "standard", "items")
)
_MODULES = {
    "numpy": _NUMERIC, "pandas": _FRAMES, "pydantic": _LIBRARIES, "langchain_core": _LIBRARIES,
    "decimal": _STANDARD, "fractions": _STANDARD, "uuid": _STANDARD, "zoneinfo": _STANDARD,
    "pathlib": _STANDARD, "ipaddress": _STANDARD, "nbhitl": _ITEMS,
}  # fmt: skip
_TAGGED = {
    tags.NUMPY: _NUMERIC, tags.PANDAS: _FRAMES, tags.OTHERS: _LIBRARIES, tags.STANDARD: _STANDARD,
    tags.ITEMS: _ITEMS,
}  # fmt: skip


def codec(cls: type) -> Codec | None:
    """Return the tag for instances of `cls` and the function that turns one into data; None for other classes."""
    module = _MODULES.get(cls.__module__.partition(".")[0])
    return None if module is None else cast("Codec | None", import_module(module).codec(cls))


def decode(tag: int, content: Any) -> Any:
    """Return the value of a tag of these types and its content.

    Raises:
        StoreError: the tag is unknown.
    """
    for tagged, module in _TAGGED.items():
        if tag in tagged:
            return import_module(module).DECODERS[tag](content)
    raise StoreError(f"a stored value has the unknown tag {tag}; a newer nbhitl may have written it.")
