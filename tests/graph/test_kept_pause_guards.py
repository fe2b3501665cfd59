"""Each thing for which an answer reads the thread although a pause was kept: what comes of it is the same either way.

A case is a program and what is done to its thread; it is run with what runs keep, and with nothing kept. All that can
be seen of it afterwards has to be the same: results, errors, history, rows in the store.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest

from nbhitl.checkpoint.claims import is_in_doubt
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.stamps import utc_now
from nbhitl.errors import (
    AlreadyAnswered,
    InvalidAnswer,
    InvalidUpdateError,
    NodeInterrupt,
    QuestionChanged,
    UnknownInterruptError,
)
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

from .kept_outcomes import Forgetful, same_ids

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG: Any = {"configurable": {"thread_id": "t"}}
STRICT: Any = {"configurable": {"thread_id": "t", "__pregel_strict_resume": True}}
BY_SITE: Any = {"configurable": {"thread_id": "t", "replay_check": "site"}}


REFUSED = (
    AlreadyAnswered,
    InvalidAnswer,
    InvalidUpdateError,
    QuestionChanged,
    RuntimeError,
    UnknownInterruptError,
)
"""What an answer is refused with; of other errors the test is told."""


class State(TypedDict, total=False):
    n: int
    log: Annotated[list[Any], operator.add]


def ask(state: State) -> State:
    return {"log": [interrupt("go on?")]}


def ask_twice(state: State) -> State:
    return {"log": [interrupt("first?"), interrupt("second?")]}


def built(**nodes: Any) -> StateGraph:
    """The nodes one after another."""
    builder, previous = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(previous, name)
        previous = name
    return builder


class Thread:
    """Does things to a thread and notes what comes of them."""

    def __init__(self, *, keeps: bool) -> None:
        self.saver = InMemorySaver()
        self.seen: list[Any] = []
        if not keeps:
            self.saver._paused = Forgetful()

    def graph(self, builder: StateGraph) -> Any:
        return builder.compile(checkpointer=self.saver)

    def run(self, graph: Any, input: Any, config: Any = CONFIG, **how: Any) -> None:
        try:
            self.seen.append(repr(graph.invoke(input, config, **how)))
        except REFUSED as error:
            self.seen.append((type(error).__name__, str(error)))

    def stream(self, graph: Any, input: Any, mode: str) -> None:
        self.seen.append(repr([*graph.stream(input, CONFIG, stream_mode=mode)]))

    def told(self, graph: Any) -> list[Any]:
        rows, spaces = self.saver._rows, sorted(self.saver._rows.namespaces("t"))
        return [
            *self.seen,
            [repr(state) for state in graph.get_state_history(CONFIG)],
            [[*rows.steps_newest_first(*space, None)] for space in spaces],
            [[*rows.writes_of_namespace(*space)] for space in spaces],
            [(claim[:7], is_in_doubt(claim, utc_now())) for claim in self.saver.claims("t")],
        ]


def with_a_task_of_a_send_that_is_done(thread: Thread) -> Any:
    builder = StateGraph(State).add_node("ask", ask).add_node("work", lambda state: {"log": ["done"]})
    builder.add_conditional_edges(START, lambda state: ["ask", Send("work", {})], ["ask", "work"])
    graph = thread.graph(builder)
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume="yes"))
    return graph


def with_another_task_that_is_done(thread: Thread) -> Any:
    builder = StateGraph(State).add_node("ask", ask).add_node("work", lambda state: {"log": ["done"]})
    graph = thread.graph(builder.add_edge(START, "ask").add_edge(START, "work"))
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume="yes"))
    return graph


def after_a_called_graph_with_state_of_its_own(thread: Thread) -> Any:
    counting = built(count=lambda state: {"log": ["call"]}).compile(checkpointer=True)
    builder = built(child=counting, ask=ask)
    builder.add_conditional_edges("ask", lambda state: "child" if len(state["log"]) < 6 else "__end__")
    graph = thread.graph(builder)
    for input in ({"log": []}, Command(resume="yes"), Command(resume="no")):
        thread.run(graph, input)
    return graph


def of_a_path_function_that_changes_its_input(thread: Thread) -> Any:
    def path(state: State) -> str:
        state["log"].append("changed in place")
        return str(interrupt("where to?"))

    builder = StateGraph(State).add_node("there", lambda state: {"log": ["there"]})
    graph = thread.graph(builder.add_conditional_edges(START, path, ["there"]))
    thread.run(graph, {"log": ["given"]})
    thread.run(graph, Command(resume="there"))
    return graph


def that_does_not_fit_its_schema(thread: Thread) -> Any:
    graph = thread.graph(
        built(ask=lambda state: {"log": [interrupt("how many?", response_schema={"type": "integer"})]})
    )
    for input in ({"n": 1}, Command(resume="many"), Command(resume=3)):
        thread.run(graph, input)
    return graph


def of_a_question_whose_site_is_noted(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask_twice))
    thread.run(graph, {"n": 1}, BY_SITE)
    for answer in ("one", "two"):
        thread.run(graph, Command(resume=answer))
    return graph


def checked_by_site(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask_twice))
    thread.run(graph, {"n": 1})
    for answer in ("one", "two"):
        thread.run(graph, Command(resume=answer), BY_SITE)
    return graph


def of_a_question_that_is_raised_under_the_id_of_an_answered_one(thread: Thread) -> Any:
    def raises(state: State) -> State:
        interrupt("first?")
        raise NodeInterrupt("raised")

    graph = thread.graph(built(ask=raises))
    for input in ({"n": 1}, Command(resume="one"), Command(resume="two"), Command(resume="three")):
        thread.run(graph, input)
    return graph


def of_a_run_that_saves_at_its_end(thread: Thread) -> Any:
    graph = thread.graph(built(before=lambda state: {"log": ["before"]}, ask=ask, then=ask_twice))
    thread.run(graph, {"n": 1}, durability="exit")
    for answer in ("one", "two", "three"):
        thread.run(graph, Command(resume=answer))
    return graph


def in_a_run_that_saves_at_its_end(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask, then=ask_twice, after=lambda state: {"log": ["after"]}))
    thread.run(graph, {"n": 1})
    for answer in ("one", "two", "three"):
        thread.run(graph, Command(resume=answer), durability="exit")
    return graph


def on_a_branch(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask_twice))
    thread.run(graph, {"n": 1})
    graph.update_state(CONFIG, {"n": 2})
    for input in (None, Command(resume="one"), Command(resume="two")):
        thread.run(graph, input)
    return graph


def on_a_branch_of_a_called_graph(thread: Thread) -> Any:
    graph = thread.graph(built(child=built(ask=ask_twice).compile(), then=ask))
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume="one"))
    graph.update_state(CONFIG, {"n": 2})
    for input in (None, Command(resume="two"), Command(resume="three"), Command(resume="four")):
        thread.run(graph, input)
    return graph


def after_one_that_was_for_the_question_of_before(thread: Thread) -> Any:
    graph = thread.graph(built(child=built(ask=ask_twice).compile(), then=ask))
    thread.run(graph, {"n": 1})
    graph.update_state(CONFIG, {"n": 2})
    for answer in ("one", "two", "three"):
        thread.run(graph, Command(resume=answer))
    return graph


def to_two_tasks(thread: Thread) -> Any:
    both = StateGraph(State).add_node("a", ask).add_node("b", ask).add_edge(START, "a").add_edge(START, "b")
    graph = thread.graph(both)
    thread.run(graph, {"n": 1})
    for question in graph.get_state(CONFIG).interrupts:
        thread.run(graph, Command(resume={question.id: "yes"}))
    return graph


def of_strict_runs(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask))
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume={}), STRICT)
    thread.run(graph, Command(resume="yes"))
    return graph


def that_is_looked_at(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask_twice))
    thread.run(graph, {"n": 1})
    thread.stream(graph, Command(resume="one"), "tasks")
    thread.stream(graph, Command(resume="two"), "checkpoints")
    return graph


def to_two_questions_of_one_task(thread: Thread) -> Any:
    both = StateGraph(State).add_node("a", ask).add_node("b", ask)
    graph = thread.graph(built(child=both.add_edge(START, "a").add_edge(START, "b").compile()))
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume="yes"))
    ids = [question.id for question in graph.get_state(CONFIG).interrupts]
    for answers in (dict.fromkeys(ids[:1], "a"), dict.fromkeys(ids[1:], "b")):
        thread.run(graph, Command(resume=answers))
    return graph


class More(State):
    extra: Annotated[list[Any], operator.add]


class Number(TypedDict, total=False):
    n: int


class MoreThanANumber(Number):
    extra: Annotated[list[Any], operator.add]


def with_another_graph(thread: Thread) -> Any:
    first = (
        StateGraph(Number).add_node("ask", lambda state: {"n": interrupt("go on?")}).add_edge(START, "ask")
    )
    thread.run(thread.graph(first), {"n": 1})

    def notes(state: MoreThanANumber) -> dict[str, Any]:
        return {"n": interrupt("go on?"), "extra": [*state["extra"], "note"]}

    graph = thread.graph(StateGraph(MoreThanANumber).add_node("ask", notes).add_edge(START, "ask"))
    thread.run(graph, Command(resume="yes"))
    return graph


def at_a_checkpoint_of_before(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask_twice, then=ask))
    thread.run(graph, {"n": 1})
    asked_first = graph.get_state(CONFIG).config
    for input in (Command(resume="one"), Command(resume="two")):
        thread.run(graph, input)
    thread.run(graph, Command(resume="other"), asked_first)
    return graph


def whose_node_is_stopped(thread: Thread) -> Any:
    def stopped(state: State) -> State:
        interrupt("go on?")
        raise KeyboardInterrupt

    graph = thread.graph(built(ask=stopped))
    thread.run(graph, {"n": 1})
    with pytest.raises(KeyboardInterrupt):
        thread.run(graph, Command(resume="yes"))
    return graph


def for_a_graph_above(thread: Thread) -> Any:
    graph = thread.graph(built(ask=ask))
    thread.run(graph, {"n": 1})
    thread.run(graph, Command(resume="yes", graph=Command.PARENT))
    thread.run(graph, Command(resume="yes"))
    return graph


def of_a_key_that_the_graph_no_longer_has(thread: Thread) -> Any:
    first = StateGraph(More).add_node("before", lambda state: {"extra": ["kept"]}).add_edge(START, "before")
    thread.run(thread.graph(first), {"n": 1, "extra": []})
    graph = thread.graph(built(ask=ask))
    for input in ({"log": []}, Command(resume="yes")):
        thread.run(graph, input)
    return thread.graph(first)


CASES: list[Callable[[Thread], Any]] = [
    with_a_task_of_a_send_that_is_done,
    with_another_task_that_is_done,
    after_a_called_graph_with_state_of_its_own,
    of_a_path_function_that_changes_its_input,
    that_does_not_fit_its_schema,
    of_a_question_whose_site_is_noted,
    checked_by_site,
    of_a_question_that_is_raised_under_the_id_of_an_answered_one,
    of_a_run_that_saves_at_its_end,
    in_a_run_that_saves_at_its_end,
    on_a_branch,
    on_a_branch_of_a_called_graph,
    after_one_that_was_for_the_question_of_before,
    to_two_tasks,
    of_strict_runs,
    that_is_looked_at,
    to_two_questions_of_one_task,
    with_another_graph,
    at_a_checkpoint_of_before,
    whose_node_is_stopped,
    for_a_graph_above,
    of_a_key_that_the_graph_no_longer_has,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_an_answer(monkeypatch: pytest.MonkeyPatch, case: Any) -> None:
    def told(*, keeps: bool) -> list[Any]:
        with same_ids(monkeypatch):
            thread = Thread(keeps=keeps)
            return thread.told(case(thread))

    assert told(keeps=True) == told(keeps=False)
