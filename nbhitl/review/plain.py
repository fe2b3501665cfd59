"""Any payload as JSON values, for showing it and for its digest. Pure; knows types by what they offer."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID


def to_plain(value: Any) -> Any:
    """Return `value` as JSON values: dict with string keys, list, str, int, float, bool, None.

    Models and dataclasses become dicts, sets sorted lists, dates ISO 8601, bytes base64; what has no JSON
    form is named by its type, without its address: `{"python_type": "pkg.Name"}`.

    >>> to_plain({"when": date(2026, 1, 2), "tags": {"b", "a"}})
    {'when': '2026-01-02', 'tags': ['a', 'b']}
    """
    return _plain(value, ())


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) and type(value) is not str else value
    if isinstance(value, Enum):
        return _plain(value.value, above)
    if isinstance(value, (int, float)):
        return _number(value)
    if id(value) in above:
        return {"python_type": "a value that holds itself"}
    return _composite(value, (*above, id(value)))


def _number(value: float) -> Any:
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else {"python_type": f"float {value}"}


def _composite(value: Any, above: tuple[int, ...]) -> Any:  # noqa: PLR0911 - one line a type
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, above) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, above) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item, above) for item in value), key=repr)
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (Decimal, UUID, PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), above) for f in dataclasses.fields(value)}
    return _by_protocol(value, above)


def _key(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)


def _by_protocol(value: Any, above: tuple[int, ...]) -> Any:
    """Read pydantic models, DataFrames and NumPy values by the methods that they have."""
    if callable(dump := getattr(value, "model_dump", None)):
        return _plain(dump(), above)
    if hasattr(value, "columns") and callable(to_dict := getattr(value, "to_dict", None)):
        split = to_dict(orient="split")
        return {"columns": [str(c) for c in split["columns"]], "rows": _plain(split["data"], above)}
    if callable(tolist := getattr(value, "tolist", None)):
        return _plain(tolist(), above)
    kind = value if isinstance(value, type) else type(value)
    return {"python_type": f"{kind.__module__}.{kind.__qualname__}"}
