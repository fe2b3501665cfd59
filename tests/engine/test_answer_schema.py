"""Whether an answer fits its question's schema, by value."""

from __future__ import annotations

import socket
from typing import Literal

import pytest
from pydantic import BaseModel, ValidationError

from nbhitl.engine import answer_schema
from nbhitl.engine.answer_schema import check_answers, schema_shown, validated_answer
from nbhitl.errors import InvalidAnswer, is_invalid_resume
from nbhitl.types import Interrupt, TypeSchema


class Choice(BaseModel):
    yes: bool


ORDER = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1},
        "to": {"enum": ["ann", "bob"]},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["n"],
    "additionalProperties": False,
}


def test_an_answer_becomes_an_instance_of_its_type():
    assert validated_answer({"yes": True}, Choice) == Choice(yes=True)
    assert validated_answer("3", int) == 3


def test_an_answer_that_does_not_fit_is_told_from_the_nodes_own_errors():
    with pytest.raises(ValidationError) as caught:
        validated_answer("three", int)
    assert is_invalid_resume(caught.value)
    assert not is_invalid_resume(ValueError("three"))


@pytest.mark.parametrize("answer", [None, False, 0, "", [], {}, "three"])
def test_without_a_schema_every_answer_passes_as_it_is(answer):
    assert validated_answer(answer, None) is answer
    assert validated_answer(answer, {}) is answer


@pytest.mark.parametrize("answer", [{"n": 1}, {"n": 10**30, "to": "bob"}, {"n": 2, "tags": ["ä", "\ud800"]}])
def test_an_answer_that_fits_a_json_schema_passes_as_it_is(answer):
    assert validated_answer(answer, ORDER) is answer


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        ("three", {"": "'three' is not of type 'object'"}),
        (None, {"": "None is not of type 'object'"}),
        ({}, {"": "'n' is a required property"}),
        ({"n": 0}, {"n": "0 is less than the minimum of 1"}),
        ({"n": True}, {"n": "True is not of type 'integer'"}),
        ({"n": 1.5}, {"n": "1.5 is not of type 'integer'"}),
        ({"n": float("nan")}, {"n": "nan is not of type 'integer'"}),
        ({"n": "1"}, {"n": "'1' is not of type 'integer'"}),
        (
            {"n": 0, "to": "eve", "tags": ["a", 2]},
            {
                "n": "0 is less than the minimum of 1",
                "to": "'eve' is not one of ['ann', 'bob']",
                "tags/1": "2 is not of type 'string'",
            },
        ),
        ({"n": 1, "x": 2}, {"": "Additional properties are not allowed ('x' was unexpected)"}),
    ],
)
def test_an_answer_that_does_not_fit_a_json_schema_says_which_fields(answer, fields):
    with pytest.raises(InvalidAnswer, match=r"does not fit its response_schema: .*still open") as caught:
        validated_answer(answer, ORDER)
    assert caught.value.fields == fields
    assert is_invalid_resume(caught.value)


@pytest.mark.parametrize(
    "schema", [{"type": "yes|no"}, {"required": "n"}, {"properties": {"n": {"minimum": "1"}}}]
)
def test_a_dict_that_is_no_json_schema_is_not_asked_with(schema):
    with pytest.raises(ValueError, match=r"response_schema=\.\.\.\) is no JSON Schema.*Nothing was asked"):
        schema_shown(schema, "a" * 32)


def test_references_inside_a_schema_are_followed_and_others_never_fetched(monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    inside = {"$ref": "#/$defs/small", "$defs": {"small": {"type": "integer", "maximum": 9}}}
    assert validated_answer(3, inside) == 3
    with pytest.raises(InvalidAnswer, match="12 is greater than the maximum of 9"):
        validated_answer(12, inside)
    with pytest.raises(
        ValueError, match=r"refers to 'https://example\.com/s\.json'.*nothing is fetched"
    ) as caught:
        validated_answer(3, {"$ref": "https://example.com/s.json"})
    assert not is_invalid_resume(caught.value)


def test_what_is_shown_of_a_schema():
    assert schema_shown(None, "a") is None
    assert schema_shown(ORDER, "a") is ORDER
    assert type(schema_shown(ORDER, "a")) is dict
    shown = schema_shown(Choice, "a")
    assert isinstance(shown, TypeSchema)
    assert shown == Choice.model_json_schema()
    assert schema_shown(Literal["a", "b"], "a") == {"enum": ["a", "b"], "type": "string"}


def test_all_answers_of_a_command_are_checked_together():
    number, text = (
        Interrupt("?", c * 32, response_schema={"type": t}) for c, t in (("a", "integer"), ("b", "string"))
    )
    check_answers([number, text], {number.id: 1, text.id: "x"}, "t")
    check_answers([number, text], {text.id: "x"}, "t")
    with pytest.raises(InvalidAnswer, match=f"question {text.id} of thread 't'"):
        check_answers([number, text], {number.id: 1, text.id: 2}, "t")


def test_a_type_judges_by_its_own_rules_and_not_by_its_json_schema():
    asked = Interrupt("?", "c" * 32, response_schema=schema_shown(Choice, "c" * 32))
    check_answers([asked], {asked.id: {"yes": "on"}}, "t")
    with pytest.raises(ValidationError) as caught:
        check_answers([asked], {asked.id: {"yes": "perhaps"}}, "t")
    assert is_invalid_resume(caught.value)


def test_a_type_that_another_process_asked_for_is_left_to_the_node():
    asked = Interrupt("?", "d" * 32, response_schema=TypeSchema(Choice.model_json_schema()))
    check_answers([asked], {asked.id: {"yes": "perhaps"}}, "t")


def test_so_many_types_are_remembered_and_the_oldest_is_forgotten_first(monkeypatch):
    remembered = {}
    monkeypatch.setattr(answer_schema, "_types_asked", remembered)
    monkeypatch.setattr(answer_schema, "_REMEMBERED", 2)
    for id in ("one", "two", "three"):
        schema_shown(int, id)
    assert remembered == {"two": int, "three": int}


def test_a_type_that_a_saver_gives_back_judges_nothing():
    check_answers([Interrupt("?", "q", response_schema=int)], {"q": "no number"}, "t")


def test_what_does_not_fit_is_told_with_its_field_if_it_has_one():
    with pytest.raises(InvalidAnswer, match="response_schema: 'a' is not of type 'integer'"):
        validated_answer("a", {"type": "integer"})
    with pytest.raises(InvalidAnswer, match="response_schema: at n: 'a' is not of"):
        validated_answer({"n": "a"}, {"properties": {"n": {"type": "integer"}}})
