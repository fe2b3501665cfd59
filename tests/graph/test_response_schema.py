"""Answers are held against the question's `response_schema` before anything is saved: all of a Command, or none."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsMemory
from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticUserError

from nbhitl.engine import answer_schema
from nbhitl.errors import AlreadyAnswered, InvalidAnswer, UnknownInterruptError, is_invalid_resume
from nbhitl.types import Command, TypeSchema, interrupt

from .asking import CONFIG, State, graph_of, ids, questions

SMALL = {"type": "integer", "maximum": 9}


class Count(BaseModel):
    n: int


def asks(name: str, schema: Any, ran: list[Any]) -> Any:
    def node(state: State) -> State:
        answer = interrupt(name, response_schema=schema)
        ran.append((name, answer))
        return {"log": [answer]}

    node.__name__ = name
    return node


@pytest.fixture
def ran():
    return []


@pytest.fixture(params=["own", "langgraph"])
def any_saver(request, saver):
    return saver if request.param == "own" else LangGraphsMemory()


@pytest.mark.parametrize("by_id", [False, True])
def test_a_bad_answer_is_refused_and_the_question_stays_open(run, any_saver, ran, by_id):
    graph = graph_of(asks("how many", SMALL, ran), saver=any_saver)
    run.invoke(graph, {})
    (id,) = ids(graph)
    before = graph.get_state(CONFIG)
    assert before.interrupts[0].response_schema == SMALL
    for bad in ("three", 12, None, {"n": 3}, 2.5):
        with pytest.raises(InvalidAnswer, match=f"question {id} of thread 't'") as caught:
            run.invoke(graph, Command(resume={id: bad} if by_id or type(bad) is dict else bad))
        assert is_invalid_resume(caught.value)
        assert graph.get_state(CONFIG) == before
    assert ran == []
    assert run.invoke(graph, Command(resume=3)) == {"log": [3]}
    assert ran == [("how many", 3)]


@pytest.mark.parametrize("schemas", [(SMALL, SMALL), (Count, SMALL), (SMALL, Count), (Count, Count)])
def test_of_several_answers_all_are_taken_or_none(run, any_saver, ran, schemas):
    good, bad = ({"n": 1}, {"n": "x"}), (1, "x")
    first, second = (good if schema is Count else bad for schema in schemas)
    graph = graph_of(asks("a", schemas[0], ran), asks("b", schemas[1], ran), saver=any_saver, parallel=True)
    run.invoke(graph, {})
    a, b = (next(i.id for i in graph.get_state(CONFIG).interrupts if i.value == name) for name in "ab")
    for answers in ({a: first[0], b: second[1]}, {a: first[1], b: second[0]}):
        with pytest.raises((InvalidAnswer, ValidationError)) as caught:
            run.invoke(graph, Command(resume=answers))
        assert is_invalid_resume(caught.value)
        assert ran == []
        assert sorted(questions(graph)) == ["a", "b"]
    run.invoke(graph, Command(resume={a: first[0], b: second[0]}))
    assert sorted(name for name, _ in ran) == ["a", "b"]


def test_nothing_is_claimed_by_an_answer_that_does_not_fit(run, saver, ran):
    graph = graph_of(asks("how many", SMALL, ran), saver=saver)
    run.invoke(graph, {})
    with pytest.raises(InvalidAnswer):
        run.invoke(graph, Command(resume="x"))
    assert [claim.state for claim in saver.claims("t")] == ["open"]


def test_a_type_that_another_process_asked_for_is_judged_by_the_node(run, any_saver, ran, monkeypatch):
    graph = graph_of(asks("how many", Count, ran), saver=any_saver)
    run.invoke(graph, {})
    monkeypatch.setattr(answer_schema, "_types_asked", {})
    assert isinstance(graph.get_state(CONFIG).interrupts[0].response_schema, TypeSchema)
    with pytest.raises(ValidationError) as caught:
        run.invoke(graph, Command(resume={"n": "x"}))
    assert is_invalid_resume(caught.value)
    assert questions(graph) == ["how many"]
    assert run.invoke(graph, Command(resume={"n": "3"})) == {"log": [Count(n=3)]}


@pytest.mark.parametrize(("schema", "remembered"), [(SMALL, True), (Count, True), (Count, False)])
def test_an_answer_recorded_without_the_graph_that_does_not_fit_opens_the_question_again(
    run, saver, ran, monkeypatch, schema, remembered
):
    graph = graph_of(asks("first", schema, ran), saver=saver)
    run.invoke(graph, {})
    (asked,) = saver.pending()
    saver.record_answer(*asked[:4], "much", "ann", "2026-01-01T00:00:00")
    if not remembered:
        monkeypatch.setattr(answer_schema, "_types_asked", {})
    with pytest.raises((InvalidAnswer, ValidationError, AlreadyAnswered)):
        run.invoke(graph, Command(resume="more"))  # another one, which does not fit either
    assert [claim.state for claim in saver.claims("t")] == ["recorded"]
    with pytest.raises((InvalidAnswer, ValidationError)) as refused:
        run.invoke(graph, Command(resume="much"))
    assert is_invalid_resume(refused.value)
    assert [claim.state for claim in saver.claims("t")] == ["open"]
    run.invoke(graph, Command(resume=5 if schema is SMALL else {"n": 5}))
    assert [name for name, _ in ran] == ["first"]


def test_a_dict_that_is_no_json_schema_fails_where_it_is_asked(run, ran):
    graph = graph_of(asks("q", {"type": "yes|no"}, ran))
    with pytest.raises(ValueError, match="is no JSON Schema"):
        run.invoke(graph, {})


@pytest.mark.parametrize("schema", [Count(n=1), "Nobody"])
def test_what_is_no_schema_fails_where_it_is_asked(run, ran, schema):
    with pytest.raises(PydanticUserError) as caught:
        run.invoke(graph_of(asks("q", schema, ran)), {})
    assert any("takes a type that pydantic can judge by" in note for note in caught.value.__notes__)


def test_an_answer_that_does_not_fit_a_type_names_its_question(run, saver, ran):
    graph = graph_of(asks("q", Count, ran), saver=saver)
    run.invoke(graph, {})
    with pytest.raises(ValidationError) as caught:
        run.invoke(graph, Command(resume="many"))
    assert caught.value.__notes__ == [
        f"The answer to question {ids(graph)[0]} of thread 't' does not fit its response_schema. The question is still "
        "open; answer it again."
    ]


def test_a_command_that_changes_the_state_too_is_held_against_what_is_asked_then(run, saver):
    def ask(state: State) -> State:
        schema = {"type": "string"} if state["log"] else SMALL
        return {"log": [interrupt("q", response_schema=schema)]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {"log": []})
    with pytest.raises(InvalidAnswer):
        run.invoke(graph, Command(resume="text"))
    assert run.invoke(graph, Command(resume="text", update={"log": ["more"]})) == {"log": ["more", "text"]}


# -- strict resumes ------------------------------------------------------------------------------------------
STRICT: Any = {"configurable": {"thread_id": "t", "__pregel_strict_resume": True}}
WRONG = "0" * 32


@pytest.mark.parametrize(
    ("count", "resume", "reason", "named"),
    [
        (2, "x", "ambiguous", ()),
        (2, {"a": 1}, "ambiguous", ()),
        (1, {}, "empty_map", ()),
        (2, {}, "empty_map", ()),
        (1, {WRONG: 1}, "not_pending", (WRONG,)),
        (2, {WRONG: 1}, "not_pending", (WRONG,)),
    ],
)
def test_a_strict_resume_says_why_it_was_refused(run, saver, ran, count, resume, reason, named):
    graph = graph_of(*(asks(name, None, ran) for name in "ab"[:count]), saver=saver, parallel=True)
    run.invoke(graph, {})
    with pytest.raises(UnknownInterruptError) as caught:
        run.invoke(graph, Command(resume=resume), STRICT)
    error = caught.value
    assert (error.reason, error.interrupt_ids, sorted(error.pending_ids)) == (
        reason,
        named,
        sorted(ids(graph)),
    )
    assert ran == []


def test_a_strict_resume_of_a_thread_that_never_asked(run, saver, ran):
    graph = graph_of(asks("a", None, ran), saver=saver)
    with pytest.raises(UnknownInterruptError) as caught:
        run.invoke(graph, Command(resume={WRONG: 1}), STRICT)
    assert (caught.value.reason, caught.value.interrupt_ids) == ("not_pending", (WRONG,))


@pytest.mark.parametrize("resume", ["x", {"a": 1}, None, 0])
def test_a_strict_resume_takes_a_plain_answer_to_the_one_question(run, saver, ran, resume):
    graph = graph_of(asks("a", None, ran), saver=saver)
    run.invoke(graph, {})
    assert run.invoke(graph, Command(resume=resume), STRICT) == {"log": [resume]}
