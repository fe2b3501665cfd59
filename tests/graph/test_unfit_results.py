"""A step whose results the state cannot take: the thread stays where it was, and what ran is not lost."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl.channels.untracked_value import UntrackedValue
from nbhitl.errors import InvalidUpdateError, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG

DURABILITIES = pytest.mark.parametrize("durability", ["sync", "async", "exit"])


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    one: str
    secret: Annotated[object, UntrackedValue]


class Program:
    """`start`, then `a` and `b` side by side; the two write the same plain key until they are `mended`."""

    def __init__(self, saver: Any) -> None:
        self.ran: list[str] = []
        self.mended = False
        builder = StateGraph(State).add_node("start", lambda state: {"log": ["start"], "secret": object()})
        for name in ("a", "b"):
            builder.add_node(name, self.node(name)).add_edge("start", name)
        builder.add_node("end", lambda state: {"log": ["end"]}).add_edge(["a", "b"], "end")
        self.graph = builder.add_edge(START, "start").compile(checkpointer=saver)

    def node(self, name: str) -> Any:
        def run(state: State) -> State:
            self.ran.append(name)
            return {"log": [name]} if self.mended else {"log": [name], "one": name}

        return run


@DURABILITIES
def test_the_checkpoint_before_and_the_results_are_kept(run, saver, durability):
    program = Program(saver)
    with pytest.raises(InvalidUpdateError, match="At key 'one'") as caught:
        run.invoke(program.graph, {"log": ["in"]}, durability=durability)
    snapshot = program.graph.get_state(CONFIG)
    assert snapshot.values == {"log": ["in", "start"]}
    assert [(task.name, task.result) for task in snapshot.tasks] == [
        ("a", {"log": ["a"], "one": "a"}),
        ("b", {"log": ["b"], "one": "b"}),
    ]
    assert caught.value.__notes__[1:] == [
        "The state of thread 't' cannot take the results of step 2 (a, b). They are kept; to run the tasks again: "
        "invoke(None, get_state(config).config)."
    ]


def test_an_input_that_does_not_fit_asks_for_another(run, saver):
    graph = Program(saver).graph
    with pytest.raises(TypeError) as caught:
        run.invoke(graph, {"log": 5})
    assert caught.value.__notes__[-1] == (
        "The state of thread 't' cannot take the results of step 0 (__start__). Nothing of this input was taken: "
        "invoke() with another one."
    )


@DURABILITIES
def test_going_on_says_it_again_and_a_branch_runs_the_tasks_again(run, saver, durability):
    program = Program(saver)
    for given in ({"log": ["in"]}, None, None):
        with pytest.raises(InvalidUpdateError):
            run.invoke(program.graph, given, durability=durability)
    assert sorted(program.ran) == ["a", "b"]
    program.mended = True
    branch = program.graph.get_state(CONFIG).config
    assert run.invoke(program.graph, None, branch, durability=durability)["log"] == [
        "in",
        "start",
        "a",
        "b",
        "end",
    ]
    assert sorted(program.ran) == ["a", "a", "b", "b"]


@DURABILITIES
def test_an_answer_is_used_up_by_a_node_whose_result_does_not_fit(run, saver, durability):
    ran = []

    def ask(state: State) -> State:
        ran.append(interrupt("sure?"))
        return {"log": "no list"}  # type: ignore[typeddict-item]

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    run.invoke(graph, {"log": []}, durability=durability)
    for given in (Command(resume="yes"), None):
        with pytest.raises(TypeError, match="concatenate"):
            run.invoke(graph, given, durability=durability)
    assert ran == ["yes"]
    with pytest.raises(UnknownInterruptError):
        run.invoke(graph, Command(resume="again"), durability=durability)
    asked_anew = run.invoke(graph, None, graph.get_state(CONFIG).config, durability=durability)
    assert [question.value for question in asked_anew["__interrupt__"]] == ["sure?"]


@DURABILITIES
def test_results_that_can_be_neither_applied_nor_saved(run, saver, durability):
    graph = (
        StateGraph(State)
        .add_node("node", lambda state: {"log": object()})
        .add_edge(START, "node")
        .compile(checkpointer=saver)
    )
    with pytest.raises(TypeError, match="concatenate") as caught:
        run.invoke(graph, {"log": ["in"]}, durability=durability)
    assert "cannot be saved" in caught.value.__notes__[1]
    assert graph.get_state(CONFIG).next == ("node",)
    assert [task.result for task in graph.get_state(CONFIG).tasks] == [None]


def test_without_a_saver_nothing_is_told_of_the_thread(run):
    graph = StateGraph(State).add_node("node", lambda state: {"log": 1}).add_edge(START, "node").compile()
    with pytest.raises(TypeError) as caught:
        run.invoke(graph, {"log": []})
    assert not any("thread" in note for note in caught.value.__notes__)
