"""How values are shown: as text, code, tables or folds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.widgets.blocks import MOST_CHARS, MOST_ROWS, code_language, table_block, value_block

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True)
@given(JSON, st.text())
def test_every_value_has_a_block_that_can_be_sent(value: object, name: str) -> None:
    block = value_block(value, name)
    assert block["t"] in ("text", "code", "plain", "json", "table")
    json.dumps(block).encode("utf-8")


@pytest.mark.parametrize(
    ("name", "value", "language"),
    [
        ("statement", "DELETE FROM t", "sql"),
        ("anything", "select * from t", "sql"),
        ("code", "print(1)", ""),
        ("code", "DROP TABLE t", None),
        ("to", "ada", None),
        ("note", "update: nothing new", None),
        ("limit", 3, None),
    ],
)
def test_code_is_told_from_words(name: str, value: object, language: str | None) -> None:
    assert code_language(name, value) == ("" if name == "code" and language is None else language)


def test_rows_are_a_table() -> None:
    for value in (
        {"columns": ["id", "name"], "rows": [[1, "Ada"], [2, None]]},
        [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}],
    ):
        block = value_block(value)
        assert block["columns"] == ["id", "name"]
        assert block["numbers"] == [True, False]
        assert block["rows"] == [
            [{"text": "1", "n": True}, {"text": "Ada"}],
            [{"text": "2", "n": True}, {"text": "NULL", "dim": True}],
        ]


@pytest.mark.parametrize(
    "value", [{"columns": ["a"], "rows": [[1, 2]]}, [{"a": 1}, {"b": 1}], [{"a": []}] * 2]
)
def test_what_only_looks_like_rows_is_json(value: object) -> None:
    assert value_block(value)["t"] == "json"


def test_long_values_say_what_is_missing() -> None:
    block = value_block("x" * (MOST_CHARS + 1))
    assert len(block["text"]) == MOST_CHARS
    assert block["cut"] == "The first 100,000 of 100,001 characters."
    table = table_block(["n"], [[i] for i in range(MOST_ROWS + 1)])
    assert len(table["rows"]) == MOST_ROWS
    assert table["cut"] == "200 of 201 rows are here."


def test_half_a_surrogate_pair_can_be_sent() -> None:
    value_block("\ud800")["text"].encode("utf-8")
