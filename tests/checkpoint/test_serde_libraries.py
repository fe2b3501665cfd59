"""Values of NumPy, pandas, pydantic and LangChain."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from pydantic import SecretBytes, SecretStr

from nbhitl.checkpoint.serde import Serde, canonical_bytes, frames, libraries
from nbhitl.errors import StoreError, UnsupportedValue

serde = Serde()


def back(value):
    return serde.loads(serde.dumps({"value": [value]}))["value"][0]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6).reshape(2, 3),
        np.arange(6).reshape(2, 3).T,
        np.array([]),
        np.zeros((0, 3)),
        np.array(1.5),
        np.array(["a", "bcd"]),
        np.array([b"ab"]),
        np.array([1, None, "x"], object),
        np.array([[1, (2,)]], object),
        np.array(["2020-01-01", "NaT"], "M8[D]"),
        np.array([1], "m8[s]"),
        np.array([True]),
        np.array([1], ">i4"),
        np.array([(1, 2.5, [1, 2])], dtype=[("a", "i4"), ("b", "f8"), ("c", "i2", (2,))]),
        np.array([1j]),
    ],
    ids=repr,
)
def test_arrays(array):
    loaded = back(array)
    assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(loaded, array)
    assert loaded.flags.writeable
    assert canonical_bytes(loaded) == canonical_bytes(array)


@pytest.mark.parametrize(
    "scalar",
    [np.float64(1.5), np.int8(3), np.bool_(True), np.datetime64("2020-01-01"), np.str_("x"), np.float32(2)],
)
def test_scalars_and_dtypes(scalar):
    assert (back(scalar), type(back(scalar))) == (scalar, type(scalar))
    assert back(scalar.dtype) == scalar.dtype


def test_other_arrays_are_refused():
    with pytest.raises(UnsupportedValue, match="dtype"):
        serde.dumps(np.array([(1, None)], dtype=[("a", "i4"), ("b", object)]))
    with pytest.raises(UnsupportedValue, match="MaskedArray"):
        serde.dumps(np.ma.masked_array([1], [True]))


def table() -> pd.DataFrame:
    days = pd.to_datetime(["2020-01-01", "2021-01-01"])
    frame = pd.DataFrame(
        {
            "int": [1, 2],
            "float": [1.5, np.nan],
            "str": ["a", None],
            "object": [{"a": (1,)}, None],
            "bool": [True, False],
            "date": days,
            "zoned": days.tz_localize("Europe/Berlin"),
            "category": pd.Categorical(["x", "y"], ordered=True),
            "Int64": pd.array([1, None], dtype="Int64"),
            "boolean": pd.array([True, None], dtype="boolean"),
            "Float64": pd.array([1.5, None], dtype="Float64"),
            "string": pd.array(["a", None], dtype="string"),
            "delta": pd.to_timedelta([1, 2], unit="s"),
            "period": pd.period_range("2020-01", periods=2, freq="M"),
            "interval": pd.interval_range(0, 2),
            7: [0, 1],
        },
        index=pd.Index(["r1", "r2"], name="row"),
    )
    frame.attrs["source"] = "test"
    return frame


@pytest.mark.parametrize(
    "frame",
    [
        table(),
        pd.DataFrame(),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame(index=[1, 2]),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)], names=["p", None])),
        pd.DataFrame({"a": range(3)}, index=pd.date_range("2020-01-01", periods=3)),
        pd.DataFrame(columns=pd.MultiIndex.from_tuples([("x", 1)])),
        pd.DataFrame({"a": []}),
    ],
    ids=range(8),
)
def test_tables(frame):
    loaded = back(frame)
    pd.testing.assert_frame_equal(loaded, frame)
    assert type(loaded.index) is type(frame.index)
    assert loaded.attrs == frame.attrs
    assert canonical_bytes(loaded) == canonical_bytes(frame)


@pytest.mark.parametrize("series", [pd.Series([1, 2], name="n"), pd.Series(["a"]), pd.Series(dtype=float)])
def test_series(series):
    series.attrs["source"] = "test"
    pd.testing.assert_series_equal(back(series), series)
    assert back(series).attrs == {"source": "test"}


def test_other_columns_are_refused():
    with pytest.raises(UnsupportedValue, match=r"column of dtype Sparse.* is not stored; convert it first"):
        serde.dumps(pd.Series([1, 0], dtype="Sparse[int]"))


@pytest.mark.parametrize("there", [True, False])
def test_strings_that_are_not_held_in_arrow_here_are_the_same(monkeypatch, there):
    found = []
    monkeypatch.setattr(frames, "find_spec", lambda name: found.append(name) or (there or None))
    monkeypatch.setattr(frames.pd, "array", lambda values, dtype: (values, dtype))
    monkeypatch.setattr(frames.pd, "StringDtype", lambda storage, na_value: (storage, na_value))
    storage = "pyarrow" if there else "python"
    assert frames._strings("pyarrow", True, ["a", None]) == (["a", None], (storage, pd.NA))
    assert frames._strings("python", True, ["a"]) == (["a"], ("python", pd.NA))
    assert found == ["pyarrow"]


@pytest.mark.parametrize(
    "value",
    [
        pd.Timestamp("2020-01-01 12:00:00.123456789"),
        pd.Timestamp("2020-01-01", tz="Europe/Berlin"),
        pd.Timestamp("2020-10-25 01:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timedelta(1, "ns"),
        pd.NaT,
        pd.NA,
    ],
    ids=repr,
)
def test_pandas_scalars(value):
    loaded = back(value)
    assert type(loaded) is type(value)
    assert loaded is value or (loaded == value and loaded.unit == value.unit)
    assert getattr(loaded, "tzinfo", None) == getattr(value, "tzinfo", None)


@pytest.mark.parametrize(
    "value",
    [
        pd.Period("2026-11", "M"),
        pd.Interval(0, 1.5, closed="both"),
        pd.Interval(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-01")),
    ],
    ids=repr,
)
def test_pandas_spans(value):
    assert repr(back(value)) == repr(value)
    assert back(value) == value


@pytest.mark.parametrize(
    "message",
    [
        HumanMessage("hi", id="1", name="ann"),
        SystemMessage([{"type": "text", "text": "x"}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c1", "type": "tool_call"}]),
        ToolMessage("done", tool_call_id="c1", artifact={"rows": (1, 2)}),
        RemoveMessage("1"),
        Document("text", metadata={"a": (1,)}, id="d"),
        SecretStr("hush"),
        SecretBytes(b"hush"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_messages_documents_and_secrets(message):
    assert back(message) == message
    assert type(back(message)) is type(message)


@pytest.mark.parametrize("name", ["Document", "SecretStr"])
def test_a_class_that_only_has_the_name_of_theirs_is_the_programs_own(name):
    own = dataclasses.make_dataclass(name, ["text"], namespace={"__module__": __name__})
    serde.register(own)
    assert back(own("text")) == own("text")


def test_a_document_where_langchain_is_not_installed(monkeypatch):
    data = serde.dumps(Document("text"))
    monkeypatch.setattr(libraries._langchain, "langchain_module", lambda name: None)
    with pytest.raises(StoreError, match="pip install langchain-core"):
        serde.loads(data)
