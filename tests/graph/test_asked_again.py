"""A node that starts again after an answer asks all that it has asked before: each call gets its own answer."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

from nbhitl._context import CURRENT_TASK
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import QuestionChanged
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, RetryPolicy, interrupt

from .kept_outcomes import Forgetful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    items: list[Any]
    said: list[Any]


@pytest.fixture(params=["memory", "sqlite", "nothing kept"])
def saver(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    if request.param == "sqlite":
        with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as opened:
            yield opened
        return
    made = InMemorySaver()
    if request.param == "nothing kept":
        made._paused = Forgetful()
    yield made


def graph_of(saver: Any, ask: Callable[..., Any], **how: Any) -> Any:
    return StateGraph(State).add_node("ask", ask, **how).add_edge(START, "ask").compile(checkpointer=saver)


def answered(graph: Any, *answers: Any) -> Any:
    result = graph.invoke({"items": []}, CONFIG)
    for answer in answers:
        result = graph.invoke(Command(resume=answer), CONFIG)
    return result


@pytest.mark.parametrize(
    "asked",
    [
        ["a", "b", "a", "b"],
        [1, 2, "1", b"1"],
        [True, 1, False, 0, None],
        [0.0, -0.0, 1, 1.0],
        [{"q": 1}, "x", {"q": 2}, "y"],
        ["x", ["y"], "z", ("z",)],
    ],
    ids=str,
)
def test_each_question_gets_its_own_answer(saver, asked):
    def ask(state: State) -> State:
        return {"said": [interrupt(question) for question in asked]}

    answers = [f"answer {n}" for n in range(len(asked))]
    assert answered(graph_of(saver, ask), *answers)["said"] == answers


@pytest.mark.parametrize(
    "answers", [[[1], "b", [2], "d"], ["a", {"b": 1}, "c", "d"], [None, 0, "", []]], ids=str
)
def test_an_answer_that_a_node_changes_in_place_is_as_it_was_given_the_next_time(saver, answers):
    def ask(state: State) -> State:
        said = []
        for number in range(len(answers)):
            answer = interrupt(number)
            said.append(repr(answer))
            if isinstance(answer, list | dict):
                answer.clear()
        return {"said": said}

    said = answered(graph_of(saver, ask), *deepcopy(answers))["said"]
    assert said == [repr(answer) for answer in answers]


@pytest.mark.parametrize(
    ("first", "then"),
    [(0.0, -0.0), (1, 1.0), (1, True), (0, None), ("a", "b"), ("1", 1), ("a", {"a": 1})],
    ids=repr,
)
@pytest.mark.parametrize("place", [0, 1])
def test_another_question_in_a_place_is_refused(saver, first, then, place):
    asked = ["q", "q", "q"]
    asked[place] = first
    graph = graph_of(saver, lambda state: {"said": [interrupt(question) for question in asked]})
    answered(graph, "a", "b")
    asked[place] = then
    with pytest.raises(QuestionChanged) as refused:
        graph.invoke(Command(resume="c"), CONFIG)
    assert refused.value.asked is then


def test_questions_in_a_scope_are_counted_apart(saver):
    def ask(state: State) -> State:
        task: Any = CURRENT_TASK.get()
        said = [interrupt("out")]
        with task.scope("in"):
            said.append(interrupt("in"))
            said.append(interrupt("in"))
        said.append(interrupt("out"))
        with task.scope("in"):
            said.append(interrupt("in"))
        return {"said": [*said, interrupt("out")]}

    assert answered(graph_of(saver, ask), *range(6))["said"] == [*range(6)]


def test_the_same_question_in_a_scope_and_outside_of_it_are_two(saver):
    def ask(state: State) -> State:
        task: Any = CURRENT_TASK.get()
        with task.scope("in"):
            said = [interrupt("?")]
        said.append(interrupt("?"))
        with task.scope("in"):
            said.append(interrupt("?"))
        return {"said": [*said, interrupt("?")]}

    assert answered(graph_of(saver, ask), *range(4))["said"] == [*range(4)]


def test_a_schema_holds_for_an_answer_that_was_given_before_it_was_asked_for(saver):
    schema: list[Any] = [None]

    def ask(state: State) -> State:
        return {"said": [interrupt("a", response_schema=schema[0]), interrupt("b"), interrupt("c")]}

    graph = graph_of(saver, ask)
    answered(graph, "1", "2")
    schema[0] = {"type": "string"}
    assert graph.invoke(Command(resume="3"), CONFIG)["said"] == ["1", "2", "3"]
    graph = graph_of(saver, ask)
    schema[0] = None
    answered(graph, "1", "2")
    schema[0] = {"type": "integer"}
    with pytest.raises(ValueError, match="integer"):
        graph.invoke(Command(resume="3"), CONFIG)


def test_a_node_that_is_tried_again_asks_from_its_top(saver):
    tried = []

    def ask(state: State) -> State:
        said = [interrupt("a"), interrupt("b")]
        tried.append(said)
        if len(tried) == 1:
            raise ConnectionError("once")
        return {"said": [*said, interrupt("c")]}

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    graph = graph_of(saver, ask, retry_policy=policy)
    assert answered(graph, "x", "y", "z")["said"] == ["x", "y", "z"]
    assert tried == [["x", "y"]] * 3


def test_a_node_finds_the_state_as_it_was_saved_however_often_it_has_changed_it(saver):
    seen = []

    def ask(state: State) -> State:
        seen.append([*state["items"]])
        state["items"].append("changed")
        return {"said": [interrupt(number) for number in range(4)]}

    graph = graph_of(saver, ask)
    graph.invoke({"items": [1, "two"]}, CONFIG)
    for answer in range(4):
        graph.invoke(Command(resume=answer), CONFIG)["items"].append("by the caller")
    assert seen == [[1, "two"]] * 5
    assert graph.get_state(CONFIG).values == {"items": [1, "two"], "said": [0, 1, 2, 3]}


@pytest.mark.parametrize("state", [[[1]], [{"a": 1}], [*range(500)]], ids=["lists", "dicts", "long"])
def test_a_state_that_is_not_kept_is_read_however_often(saver, state):
    seen = []

    def ask(state: State) -> State:
        seen.append(repr(state["items"]))
        state["items"].append("changed")
        if not isinstance(state["items"][0], int):
            state["items"][0].clear()
        return {"said": [interrupt(number) for number in range(3)]}

    graph = graph_of(saver, ask)
    graph.invoke({"items": state}, CONFIG)
    for answer in range(3):
        graph.invoke(Command(resume=answer), CONFIG)
    assert seen == [seen[0]] * 4


def test_what_is_appended_to_a_list_after_many_questions_is_saved(saver):
    def ask(state: State) -> State:
        said = [interrupt(number) for number in range(3)]
        return {"items": [*state["items"], *said]}

    graph = graph_of(saver, ask)
    graph.invoke({"items": ["a"]}, CONFIG)
    for answer in "xyz":
        graph.invoke(Command(resume=answer), CONFIG)
    assert graph.get_state(CONFIG).values == {"items": ["a", "x", "y", "z"]}
