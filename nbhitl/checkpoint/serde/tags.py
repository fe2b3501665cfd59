"""Kinds of values that MessagePack lacks. The numbers are part of the stored format: add, never change."""

from __future__ import annotations

from typing import Final

TUPLE: Final = 1
SET: Final = 2
FROZENSET: Final = 3
MAP: Final = 4
INT: Final = 5
STR: Final = 6
DATETIME: Final = 7
DATE: Final = 8
TIME: Final = 9
TIMEDELTA: Final = 10
TIMEZONE: Final = 11
ZONEINFO: Final = 12
DECIMAL: Final = 13
UUID: Final = 14
PATH: Final = 15
COMPLEX: Final = 16
DEQUE: Final = 17
RANGE: Final = 18
ORDERED_DICT: Final = 19
DEFAULT_DICT: Final = 20
COUNTER: Final = 21
FRACTION: Final = 22
PATTERN: Final = 23
IP_ADDRESS: Final = 24
ELLIPSIS: Final = 25
SLICE: Final = 26
BYTEARRAY: Final = 27

ENUM: Final = 40
DATACLASS: Final = 41
NAMED_TUPLE: Final = 42
PYDANTIC: Final = 43
CLASS: Final = 44
PYDANTIC_V1: Final = 45

SEND: Final = 60
COMMAND: Final = 61
INTERRUPT: Final = 62
OVERWRITE: Final = 63
TIMEOUT: Final = 64
MESSAGE: Final = 65
DOCUMENT: Final = 66
SECRET: Final = 67
TYPE_SCHEMA: Final = 68
MISSING: Final = 69
ITEM: Final = 70
SEARCH_ITEM: Final = 71

NDARRAY: Final = 80
NUMPY_SCALAR: Final = 81
NUMPY_DTYPE: Final = 82
DATA_FRAME: Final = 90
SERIES: Final = 91
INDEX: Final = 92
TIMESTAMP: Final = 93
PANDAS_TIMEDELTA: Final = 94
PANDAS_NULL: Final = 95
PERIOD: Final = 96
INTERVAL: Final = 97

NAMES: Final[dict[int, str]] = {
    number: name.lower()
    for name, number in list(globals().items())
    if name.isupper() and isinstance(number, int)
}
"""`{1: "tuple", ...}`, for canonical JSON and for messages."""

USER_TYPES: Final = frozenset({ENUM, DATACLASS, NAMED_TUPLE, PYDANTIC, PYDANTIC_V1, CLASS})
"""Kinds whose data begins with the name of a class."""

NUMPY: Final = frozenset({NDARRAY, NUMPY_SCALAR, NUMPY_DTYPE})
PANDAS: Final = frozenset(
    {DATA_FRAME, SERIES, INDEX, TIMESTAMP, PANDAS_TIMEDELTA, PANDAS_NULL, PERIOD, INTERVAL}
)
OTHERS: Final = frozenset({DOCUMENT, SECRET})
ITEMS: Final = frozenset({ITEM, SEARCH_ITEM})
STANDARD: Final = frozenset({DECIMAL, FRACTION, UUID, ZONEINFO, PATH, IP_ADDRESS})
"""Kinds whose values belong to libraries that are loaded only if one is at hand."""
