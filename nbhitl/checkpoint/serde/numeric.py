"""NumPy's arrays and scalars as data. Imported when a value of theirs is at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from nbhitl.checkpoint.serde import tags
from nbhitl.checkpoint.serde.plain import listed
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec

# As `dtype.str` spells it: NumPy would have Python's parser read lists of dtypes and of their lengths.
_SPELT = re.compile(r"[<>|=][a-zA-Z?][0-9]*(\[[0-9]*[a-zA-Z]+\])?")
_RAW_KINDS = frozenset("?bhilqpBHILQPefdgFDGSUVmM")


def codec(cls: type) -> Codec | None:
    """Return how to store instances of one of NumPy's classes, None if they are not stored."""
    if cls is np.ndarray:
        return tags.NDARRAY, _array_data
    if issubclass(cls, np.generic):
        return tags.NUMPY_SCALAR, _scalar_data
    if issubclass(cls, np.dtype):
        return tags.NUMPY_DTYPE, _dtype_data
    return None


def _array_data(value: np.ndarray[Any, Any]) -> list[Any]:
    dtype = value.dtype
    if dtype.char == "O":
        return ["O", list(value.shape), value.ravel().tolist()]
    return [_dtype_data(dtype), list(value.shape), value.tobytes()]


def _scalar_data(value: np.generic) -> list[Any]:
    return [_dtype_data(value.dtype), value.tobytes()]


def _dtype_data(dtype: np.dtype[Any]) -> Any:
    """The dtype's string, or for records a list of `[name, dtype, shape]`."""
    if dtype.names is not None:
        return [[name, *_field_data(dtype[name])] for name in dtype.names]
    if dtype.hasobject or dtype.char not in _RAW_KINDS:
        raise UnsupportedValue(
            f"a NumPy array of dtype {dtype} is not stored; make it one of numbers, strings, dates or objects"
        )
    return dtype.str


def _field_data(dtype: np.dtype[Any]) -> list[Any]:
    base, shape = dtype.subdtype or (dtype, ())
    return [_dtype_data(base), list(shape)]


def _dtype(data: Any) -> np.dtype[Any]:
    if isinstance(data, str):
        if _SPELT.fullmatch(data) is None:
            raise ValueError(f"{data!r} is no dtype as it is stored")
        return np.dtype(data)
    return np.dtype([(name, _dtype(inner), tuple(shape)) for name, inner, shape in data])


def _array(data: list[Any]) -> np.ndarray[Any, Any]:
    dtype, shape, content = data
    if dtype == "O":
        objects = np.empty(len(listed(content)), dtype=object)
        objects[:] = content
        return objects.reshape(shape)
    return np.frombuffer(content, dtype=_dtype(dtype)).reshape(shape).copy()


def _scalar(data: list[Any]) -> Any:
    dtype, content = data
    return np.frombuffer(content, dtype=_dtype(dtype))[0]


DECODERS: dict[int, Callable[[Any], Any]] = {
    tags.NDARRAY: _array,
    tags.NUMPY_SCALAR: _scalar,
    tags.NUMPY_DTYPE: _dtype,
}
