"""Values of items as JSON text: dates, UUIDs and the like as LangGraph's stores write them, else an error."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime, time
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_text(value: Mapping[str, Any], place: str) -> str:
    """Return an item's value as JSON text; tuples become lists, dates, UUIDs, Enums and dataclasses plain data.

    Args:
        value: the item's value.
        place: how errors call the item.

    Raises:
        UnsupportedValue: it holds something else, a key that is no text, or a float that is no number.
    """
    try:
        plain = dict(value)
        _check_keys(plain)
        text = json.dumps(plain, default=_plain, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UnsupportedValue(
            f"{place}: its value cannot be stored as JSON: {error}. Put a dict of plain data there."
        ) from error
    return text


def _check_keys(value: Any) -> None:
    """`json` would make text of other keys without a word, and they would come back changed."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"Dict key must be str, not {key!r}")
            _check_keys(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_keys(item)


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"Type is not JSON serializable: {type(value).__name__}")
