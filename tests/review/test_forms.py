"""Forms and schemas: what is typed becomes JSON values, or an error at its field."""

from __future__ import annotations

import doctest
import importlib
import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbhitl.errors import InvalidAnswer
from nbhitl.review.answering import prepare, preview
from nbhitl.review.decisions import edit
from nbhitl.review.diff import changes, same
from nbhitl.review.forms import fields_of_args, parse_json, read_fields
from nbhitl.review.plain import to_plain
from nbhitl.review.questions import Action
from nbhitl.review.reading import make_question
from nbhitl.review.schema import errors_of

ARGS = {"sql": "SELECT 1", "limit": 5, "ratio": 0.5, "dry": True, "tags": ["a"], "note": None}
ACTION = Action(name="run", args=ARGS, fields=fields_of_args(ARGS))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def question(args):
    return make_question(
        id="0" * 32, kind="interrupt", thread_id="t", node="n", payload={"action": "run", "args": args}
    )


@pytest.mark.parametrize(
    "module",
    ["diff", "decisions", "schema", "forms", "plain", "text", "ask", "settings", "attach_langgraph",
     "dialects.parts", "dialects.options"],
)  # fmt: skip
def test_examples_in_docstrings(module):
    failed, tried = doctest.testmod(importlib.import_module(f"nbhitl.review.{module}"))
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({**ARGS, "limit": "7", "ratio": "1e3", "dry": "false", "tags": '["b"]', "note": '"x"'}, set()),
        ({**ARGS, "limit": "seven"}, {"limit"}),
        ({**ARGS, "limit": ""}, {"limit"}),
        ({**ARGS, "limit": "1.5"}, {"limit"}),
        ({**ARGS, "limit": "true"}, {"limit"}),
        ({**ARGS, "ratio": "NaN"}, {"ratio"}),
        ({**ARGS, "ratio": float("inf")}, {"ratio"}),
        ({**ARGS, "dry": "maybe"}, {"dry"}),
        ({**ARGS, "tags": "[1,"}, {"tags"}),
        ({**ARGS, "tags": '{"a": 1}'}, {"tags"}),
        ({**ARGS, "extra": 1}, {"extra"}),
        ({k: v for k, v in ARGS.items() if k != "sql"}, {"sql"}),
        ({**ARGS, "limit": str(10**40)}, set()),
        ({**ARGS, "sql": "😀 \x00 \u202e"}, set()),
    ],
)
def test_what_is_typed(typed, errors):
    seen = preview(ACTION, typed)
    assert set(seen.errors) == errors


def test_a_preview_shows_the_difference():
    seen = preview(ACTION, {**ARGS, "limit": "6", "sql": "SELECT 2"})
    assert [(c.name, c.old, c.new) for c in seen.diff] == [("sql", "SELECT 1", "SELECT 2"), ("limit", 5, 6)]


def test_long_texts_differ_by_line():
    old = "\n".join(f"line {n}" for n in range(20))
    (change,) = changes({"body": old}, {"body": old.replace("line 7", "LINE 7")})
    assert "-line 7" in change.lines
    assert "+LINE 7" in change.lines
    assert len(change.lines) == 6


@settings(derandomize=True, max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(min_size=1), json_values, min_size=1, max_size=4), st.data())
def test_an_edit_is_whole_and_typed_or_refused(args, data):
    name = data.draw(st.sampled_from(sorted(args)))
    value = data.draw(json_values)
    asked = question(args)
    seen = preview(asked.actions[0], {**args, name: value}, typed=False)
    if seen.errors:
        with pytest.raises(InvalidAnswer) as caught:
            prepare(asked, edit({**args, name: value}))
        assert set(caught.value.fields) == {name}
        return
    prepared = prepare(asked, edit({**args, name: value}))
    assert prepared.args == {**args, name: value}
    assert prepared.answer == {"type": "edit", "args": {**args, name: value}}
    assert [change.name for change in prepared.diff] == ([] if same(args[name], value) else [name])
    for wrong in ({k: v for k, v in args.items() if k != name}, {**args, "x" + "".join(args): 1}):
        with pytest.raises(InvalidAnswer):
            prepare(asked, edit(wrong))


@settings(derandomize=True, max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values)
def test_json_text_round_trips(value):
    assert same(parse_json(json.dumps(value)), value)
    assert same(to_plain(value), value)


@pytest.mark.parametrize("text", ["", "{", "NaN", "Infinity", "-Infinity", "[1,]", "undefined", "'a'"])
def test_what_is_not_json_says_so(text):
    with pytest.raises(ValueError, match="JSON"):
        parse_json(text)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, [1, 0, -3], [True, "1", None, [1]]),
        ({"type": ["string", "null"]}, ["", None], [0, False]),
        ({"const": 1}, [1, 1.0], [True, "1"]),
        ({"enum": ["a", 1]}, ["a", 1], ["b", True]),
        ({"type": "string", "pattern": "^a+$", "maxLength": 3}, ["a", "aaa"], ["", "aaaa", "b"]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [[1]], [[], ["1"], {}]),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 10}, [0.1, 10], [0, 10.5, True]),
        ({"type": "object", "additionalProperties": False}, [{}], [{"a": 1}]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["", 1], [None, 1.5]),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, [1, 2], [0, 3]),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}, [None], [0]),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "null"}}},
         [{"a": None}], [{"a": 0}]),
        (True, [1, None], []),
        (False, [], [1]),
    ],
)  # fmt: skip
def test_json_schema(schema, good, bad):
    assert [list(errors_of(value, schema)) for value in good] == [[]] * len(good)
    assert all(list(errors_of(value, schema)) for value in bad)


def test_a_broken_reference_is_an_error():
    with pytest.raises(ValueError, match="does not hold"):
        list(errors_of(1, {"$ref": "#/$defs/none"}))
    with pytest.raises(ValueError, match="does not hold"):
        list(errors_of(1, {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}))


def test_fields_with_references_are_checked():
    schema = {
        "type": "object",
        "properties": {"pet": {"$ref": "#/$defs/pet"}},
        "required": ["pet"],
        "$defs": {"pet": {"type": "object", "properties": {"kind": {"$ref": "#/$defs/kind"}}},
                  "kind": {"enum": ["cat", "dog"]}},
    }  # fmt: skip
    fields = fields_of_args({"pet": {"kind": "cat"}}, schema)
    assert read_fields(fields, {"pet": '{"kind": "dog"}'}) == ({"pet": {"kind": "dog"}}, {})
    _, errors = read_fields(fields, {"pet": '{"kind": "cow"}'})
    assert "kind must be one of 'cat', 'dog'" in errors["pet"]


def test_any_payload_has_a_plain_form():
    from pydantic import BaseModel

    class Point(BaseModel):
        x: int

    holds_itself: list = []
    holds_itself.append(holds_itself)
    assert to_plain(
        {"d": date(2026, 1, 2), "n": Decimal("1.5"), "s": {2, 1}, "p": Point(x=1), 3: b"\x00",
         "f": float("nan"), "o": object(), "self": holds_itself}
    ) == {
        "d": "2026-01-02", "n": "1.5", "s": [1, 2], "p": {"x": 1}, "3": "AA==",
        "f": {"python_type": "float nan"}, "o": {"python_type": "builtins.object"},
        "self": [{"python_type": "a value that holds itself"}],
    }  # fmt: skip
