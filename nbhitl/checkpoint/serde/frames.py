"""pandas' tables as data, column by column. Imported when a value of theirs is at hand."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nbhitl.checkpoint.serde import tags
from nbhitl.checkpoint.serde.plain import listed
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec


def codec(cls: type) -> Codec | None:
    """Return how to store instances of one of pandas' classes, None if they are not stored."""
    return (tags.INDEX, _index_data) if issubclass(cls, pd.Index) else _CODECS.get(cls)


def _frame_data(frame: pd.DataFrame) -> list[Any]:
    columns = [_values_data(frame.iloc[:, at]) for at in range(frame.shape[1])]
    return [frame.columns, frame.index, columns, frame.attrs]


def _frame(data: list[Any]) -> pd.DataFrame:
    labels, index, columns, attrs = data
    # By position, then labelled: labels may occur twice.
    parts = {at: pd.Series(_values(column), index=index, copy=False) for at, column in enumerate(columns)}
    frame = pd.DataFrame(parts, index=index)
    frame.columns = labels
    frame.attrs = attrs
    return frame


def _series_data(series: pd.Series[Any]) -> list[Any]:
    return [series.name, series.index, _values_data(series), series.attrs]


def _series(data: list[Any]) -> pd.Series[Any]:
    name, index, values, attrs = data
    series = pd.Series(_values(values), index=index, name=name)
    series.attrs = attrs
    return series


def _index_data(index: pd.Index[Any]) -> list[Any]:
    if isinstance(index, pd.RangeIndex):
        return ["range", index.start, index.stop, index.step, index.name]
    if isinstance(index, pd.MultiIndex):
        return ["multi", list(index.levels), [np.asarray(code) for code in index.codes], list(index.names)]
    freq = getattr(index, "freqstr", None)
    return ["values", _values_data(index), index.name, freq]


def _index(data: list[Any]) -> pd.Index[Any]:
    kind, *parts = data
    if kind == "range":
        start, stop, step, name = parts
        return pd.RangeIndex(start, stop, step, name=name)
    if kind == "multi":
        levels, codes, names = parts
        return pd.MultiIndex(levels=levels, codes=codes, names=names)
    values, name, freq = parts
    index: pd.Index[Any] = pd.Index(_values(values), name=name)
    if freq is not None and isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        return type(index)(index, freq=freq)
    return index


def _values_data(column: Any) -> list[Any]:
    """A column or an index: `[kind, ...]`, its values, and what makes them what they are."""
    dtype, array = column.dtype, column.array
    if isinstance(dtype, np.dtype):
        return ["numpy", column.to_numpy()]
    if hasattr(array, "_mask"):
        missing = np.asarray(array.isna())
        return ["masked", dtype.name, array.to_numpy(dtype=dtype.numpy_dtype, na_value=0), missing]
    for kind, take_apart in _EXTENSIONS.items():
        if isinstance(dtype, kind):
            return take_apart(array)
    raise UnsupportedValue(
        f"a pandas column of dtype {dtype} is not stored; convert it first, for example with astype(object)"
    )


def _strings_data(array: Any) -> list[Any]:
    dtype = array.dtype
    return ["string", dtype.storage, dtype.na_value is pd.NA, [None if pd.isna(v) else v for v in array]]


def _datetimes_data(array: Any) -> list[Any]:
    dtype = array.dtype
    return ["datetime", array.tz_convert("UTC").tz_localize(None).to_numpy(), dtype.unit, dtype.tz]


def _category_data(array: Any) -> list[Any]:
    return ["category", pd.Index(array.categories), np.asarray(array.codes), bool(array.ordered)]


_EXTENSIONS: dict[Any, Callable[[Any], list[Any]]] = {
    pd.StringDtype: _strings_data,
    pd.DatetimeTZDtype: _datetimes_data,
    pd.CategoricalDtype: _category_data,
    pd.PeriodDtype: lambda array: ["period", np.asarray(array.asi8), array.freqstr],
    pd.IntervalDtype: lambda array: ["interval", pd.Index(array.left), pd.Index(array.right), array.closed],
}


def _values(data: list[Any]) -> Any:
    kind, *parts = data
    return _VALUES[kind](*parts)


def _strings(storage: str, uses_na: bool, values: list[str | None]) -> Any:
    if storage == "pyarrow" and find_spec("pyarrow") is None:
        storage = "python"  # the same strings, held in another way
    dtype: Any = pd.StringDtype(storage, na_value=pd.NA if uses_na else np.nan)
    return pd.array(listed(values), dtype=dtype)


def _datetimes(values: Any, unit: str, zone: Any) -> Any:
    return pd.DatetimeIndex(values).as_unit(unit).tz_localize("UTC").tz_convert(zone).array  # type: ignore[arg-type]


def _masked(dtype: str, values: Any, missing: Any) -> Any:
    array: Any = pd.array(values, dtype=dtype)
    array[missing] = pd.NA
    return array


_VALUES: dict[str, Callable[..., Any]] = {
    "numpy": lambda values: values,
    "category": lambda categories, codes, ordered: pd.Categorical.from_codes(
        codes, categories=categories, ordered=ordered
    ),
    "datetime": _datetimes,
    "string": _strings,
    "period": lambda values, freq: pd.arrays.PeriodArray(values, dtype=pd.PeriodDtype(freq)),
    "interval": lambda left, right, closed: pd.arrays.IntervalArray.from_arrays(left, right, closed=closed),
    "masked": _masked,
}


def _timestamp(data: list[Any]) -> Any:
    instant, unit, zone = data
    stamp = pd.Timestamp(instant).as_unit(unit)
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


DECODERS: dict[int, Callable[[Any], Any]] = {
    tags.DATA_FRAME: _frame,
    tags.SERIES: _series,
    tags.INDEX: _index,
    tags.TIMESTAMP: _timestamp,
    tags.PANDAS_TIMEDELTA: lambda data: pd.Timedelta(data[0]).as_unit(data[1]),
    tags.PANDAS_NULL: lambda data: pd.NaT if data == "NaT" else pd.NA,
    tags.PERIOD: lambda data: pd.Period(ordinal=data[0], freq=data[1]),
    tags.INTERVAL: lambda data: pd.Interval(*listed(data)),
}

_CODECS: dict[Any, Codec] = {
    pd.DataFrame: (tags.DATA_FRAME, _frame_data),
    pd.Series: (tags.SERIES, _series_data),
    pd.Timestamp: (tags.TIMESTAMP, lambda v: [v.asm8, v.unit, v.tzinfo]),
    pd.Timedelta: (tags.PANDAS_TIMEDELTA, lambda v: [v.asm8, v.unit]),
    pd.Period: (tags.PERIOD, lambda v: [v.ordinal, v.freqstr]),
    pd.Interval: (tags.INTERVAL, lambda v: [v.left, v.right, v.closed]),
    type(pd.NaT): (tags.PANDAS_NULL, lambda _: "NaT"),
    type(pd.NA): (tags.PANDAS_NULL, lambda _: "NA"),
}
