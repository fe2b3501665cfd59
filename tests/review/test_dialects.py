"""Payload shapes: what is drawn for each, and the answer that each decision becomes."""

from __future__ import annotations

import pytest

from nbhitl.errors import InvalidAnswer
from nbhitl.review.answering import prepare
from nbhitl.review.decisions import answer, approve, batch, edit, option, reject, respond
from nbhitl.review.dialects import FOR_BREAKPOINTS, FOR_INTERRUPTS
from nbhitl.review.reading import make_question


def ask(payload, **how):
    kind = "breakpoint" if how.pop("breakpoint", False) else "interrupt"
    return make_question(id="0" * 32, kind=kind, thread_id="t", node="n", payload=payload, **how)


def sent(question, decision):
    return prepare(question, decision).answer


TOOL = {"action": "send", "args": {"to": "ada", "body": "hi"}}


@pytest.mark.parametrize(
    ("payload", "dialect", "text", "allowed"),
    [
        ("Go?", "text", "Go?", ("respond",)),
        ({"question": "Go?", "options": ["a", "b"]}, "options", "Go?", ("option",)),
        ({"message": "Go?", "choices": {"Yes": 1}}, "options", "Go?", ("option",)),
        (TOOL, "action", "", ("approve", "edit", "reject")),
        (
            {"tool": "send", "arguments": {"to": 1}, "prompt": "Go?"},
            "action",
            "Go?",
            ("approve", "edit", "reject"),
        ),
        (
            {"tool_call": {"name": "send", "args": {}, "id": "1"}, "question": "Go?"},
            "action",
            "Go?",
            ("approve", "edit", "reject"),
        ),
        ({"a": 1}, "json", "", ("respond",)),
        ([1, 2], "json", "", ("respond",)),
        (None, "json", "", ("respond",)),
        (7, "json", "", ("respond",)),
        ({"options": []}, "json", "", ("respond",)),
        ({"action": "send"}, "json", "", ("respond",)),
        ({"action": "send", "args": "not a mapping"}, "json", "", ("respond",)),
    ],
)
def test_which_dialect(payload, dialect, text, allowed):
    question = ask(payload)
    assert (question.dialect, question.text, question.allowed) == (dialect, text, allowed)


def test_a_free_answer_offers_values_to_start_from_and_no_button():
    question = ask({"instruction": "Review", "content": "draft"})
    assert question.text == "Review"
    assert question.details == {"content": "draft"}
    assert question.free_text
    assert question.ready[-1].value == {"instruction": "Review", "content": "draft"}
    assert {True, False} <= {ready.value for ready in question.ready if isinstance(ready.value, bool)}
    with pytest.raises(InvalidAnswer, match=r"answer\(value\)"):
        prepare(question, approve())


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        (approve(), {"type": "approve"}),
        (edit(body="ho"), {"type": "edit", "args": {"to": "ada", "body": "ho"}}),
        (edit({"to": "x", "body": "y"}), {"type": "edit", "args": {"to": "x", "body": "y"}}),
        (reject("no"), {"type": "reject", "message": "no"}),
        (reject(), {"type": "reject", "message": ""}),
        (answer(None), None),
    ],
)
def test_answers_to_an_action(decision, expected):
    assert sent(ask(TOOL), decision) == expected


def test_options_by_value_and_label():
    question = ask(
        {"question": "?", "options": [{"label": "Yes", "value": 1}, {"label": "No", "value": 0}, "later"]}
    )
    assert [sent(question, option(value)) for value in (1, "Yes", 0, "later")] == [1, 1, 0, "later"]
    for wrong in (True, False, "yes", None, 2):
        with pytest.raises(InvalidAnswer, match="'Yes', 'No', 'later'"):
            prepare(question, option(wrong))


def test_tables_are_found():
    question = ask({"question": "?", "rows_touched": {"columns": ["id"], "rows": [[1], [2]]}, "n": 2})
    assert question.tables[0].title == "rows_touched"
    assert question.tables[0].rows == ((1,), (2,))
    assert question.details == {"n": 2}


def test_replies_win_over_any_shape():
    replies = {
        "n": {
            "approve": True,
            "reject": lambda reason: {"ok": False, "why": reason},
            "edit": lambda args: args,
            "later": "LATER",
        }
    }
    question = ask(TOOL, replies=replies)
    assert question.allowed == ("approve", "edit", "reject", "option")
    assert sent(question, approve()) is True
    assert sent(question, reject("no")) == {"ok": False, "why": "no"}
    assert sent(question, edit(to="ben")) == {"to": "ben", "body": "hi"}
    assert sent(question, option("later")) == "LATER"
    assert ask("other node?", replies={"m": {}}).dialect == "text"


def test_replies_for_an_edit_must_say_how():
    with pytest.raises(InvalidAnswer, match="function of the edited arguments"):
        prepare(ask(TOOL, replies={"n": {"edit": True}}), edit(to="ben"))
    with pytest.raises(InvalidAnswer, match="no arguments to edit"):
        prepare(ask("text", replies={"n": {"edit": True}}), edit(to="ben"))


def test_a_boolean_schema_has_two_buttons():
    question = ask("Go?", response_schema={"type": "boolean"})
    assert [(choice.label, choice.value) for choice in question.options] == [("yes", True), ("no", False)]
    assert sent(question, option("yes")) is True


def test_an_object_schema_has_a_form():
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "age": {"type": "integer", "minimum": 0},
            "kind": {"enum": ["a", "b"]},
        },
        "required": ["name"],
    }
    question = ask({"question": "Who?"}, response_schema=schema)
    assert [(f.name, f.kind, f.required) for f in question.form] == [
        ("name", "text", True),
        ("age", "integer", False),
        ("kind", "choice", False),
    ]
    assert sent(question, respond({"name": "Ada", "age": 36})) == {"name": "Ada", "age": 36}
    for wrong, field in (({}, "name"), ({"name": "", "age": 1}, "name"), ({"name": "A", "age": -1}, "age")):
        with pytest.raises(InvalidAnswer) as caught:
            prepare(question, respond(wrong))
        assert field in caught.value.fields
    with pytest.raises(InvalidAnswer, match="does not fit"):
        prepare(question, answer({"name": 3}))


def test_a_schema_of_a_type():
    from pydantic import BaseModel

    class Person(BaseModel):
        name: str
        tags: list[str] = []

    question = ask("Who?", response_schema=Person)
    assert [(f.name, f.kind) for f in question.form] == [("name", "text"), ("tags", "json")]
    assert question.response_schema["type"] == "object"
    assert sent(question, respond({"name": "Ada", "tags": ["x"]})) == {"name": "Ada", "tags": ["x"]}


def test_a_schema_of_something_else_is_edited_as_json():
    question = ask("How many?", response_schema={"type": "array", "items": {"type": "integer"}})
    assert question.ready[0].value == []
    assert sent(question, answer([1, 2])) == [1, 2]
    with pytest.raises(InvalidAnswer, match=r"1 must be of type integer"):
        prepare(question, answer([1, "2"]))


def test_pending_tool_calls():
    calls = [{"name": "a", "args": {"x": 1}, "id": "1"}, {"name": "b", "args": {}, "id": "2"}]
    question = ask({"tool_calls": calls}, breakpoint=True)
    assert [action.name for action in question.actions] == ["a", "b"]
    assert [part.kind for part in prepare(question, approve()).actions] == ["approve", "approve"]
    decided = prepare(question, batch([edit(x=2), approve()]))
    assert (decided.kind, decided.actions[0].args) == ("edit", {"x": 2})


def test_every_dialect_says_what_it_is():
    names = [dialect.name for dialect in (*FOR_INTERRUPTS, *FOR_BREAKPOINTS)]
    assert len(set(names)) == len(names)
    assert all(dialect.__doc__ and dialect.parse.__doc__ for dialect in FOR_INTERRUPTS)


def test_the_digest_tells_questions_apart():
    def digest(payload, **how):
        return ask(payload, **how).digest

    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    different = [
        digest(payload)
        for payload in ({"a": 1}, {"a": True}, {"a": "1"}, {"a": 1.0}, {"a": [1]}, {"a": None}, "a")
    ]
    assert len(set(different)) == len(different)
    assert digest("a", response_schema={"type": "string"}) != digest("a")
