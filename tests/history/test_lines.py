"""The quick way to a history tells what the slow way tells, and gives up where it cannot."""

import gc
import operator
from typing import Annotated, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphSaver

from nbhitl.channels import EphemeralValue
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.history import history_frame
from nbhitl.history.compare import same_value
from nbhitl.history.rows import read_history, read_rows
from nbhitl.types import Command, Send, interrupt

CONFIG = {"configurable": {"thread_id": "t1"}}


class State(TypedDict):
    amount: int
    log: Annotated[list, operator.add]
    seen: list


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "s.db")) as opened:
            yield opened


def built(saver):
    """Fan-out, a join, questions, an error, and a node that writes what is there already."""

    def ask(state):
        return Command(goto="left", update={"log": [interrupt({"question": f"Take {state['amount']}?"})]})

    def fail(state):
        if state["amount"] > 50:
            raise ValueError("too much")
        return {"amount": state["amount"]}

    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"amount": state["amount"] + 1, "seen": [1]})
    builder.add_node("part", lambda item: {"log": [item["n"]]})
    builder.add_node("collect", lambda state: {"seen": sorted(map(str, state["log"]))})
    builder.add_node("ask", ask)
    builder.add_node("left", lambda state: {"log": ["left"]})
    builder.add_node("right", lambda state: {"log": []})
    builder.add_node("both", fail)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("part", {"n": n}) for n in range(3)], ["part"])
    builder.add_edge("part", "collect")
    builder.add_edge("collect", "ask")
    builder.add_edge("collect", "right")
    builder.add_edge(["left", "right"], "both")
    return builder.compile(checkpointer=saver)


def used(graph):
    """A thread with branches, answers, an update from outside and an error."""
    graph.invoke({"amount": 1}, CONFIG)
    graph.invoke(Command(resume="yes"), CONFIG)
    middle = [row.snapshot.config for row in read_history(graph, CONFIG)][3]
    graph.update_state(CONFIG, {"log": ["by hand"], "seen": []}, as_node="collect")
    graph.invoke(None, middle)
    graph.invoke({"amount": 99, "log": ["more"]}, CONFIG)
    with pytest.raises(ValueError, match="too much"):
        graph.invoke(Command(resume="no"), CONFIG)


def test_lines_tell_what_snapshots_tell(saver):
    graph = built(saver)
    assert read_rows(graph, CONFIG) == []
    used(graph)
    slow = read_history(graph, CONFIG)
    assert {"answered", "open", "passed over"} & {row.standing for row in slow}
    assert any(row.errors for row in slow)
    assert max(row.branch for row in slow) > 1
    quick = read_rows(graph, CONFIG)
    assert quick == [row._replace(snapshot=None) for row in slow]


def test_the_table_has_the_same_rows_either_way(saver):
    graph = built(saver)
    used(graph)
    wide = history_frame(graph, CONFIG, values=["amount"], ids=True)
    assert history_frame(graph, CONFIG, ids=True).equals(wide.drop(columns="state.amount"))


def test_a_pruned_thread_and_whole_states_in_between(saver):
    graph = built(saver)
    for turn in range(4):
        graph.invoke({"amount": turn, "log": ["x" * 500]}, CONFIG)
        graph.invoke(Command(resume="yes"), CONFIG)
    assert read_rows(graph, CONFIG) == [row._replace(snapshot=None) for row in read_history(graph, CONFIG)]
    saver.prune(["t1"])
    assert read_rows(graph, CONFIG) == [row._replace(snapshot=None) for row in read_history(graph, CONFIG)]


def counted(schema, saver, **state):
    builder = StateGraph(schema)
    builder.add_node("one", lambda s: {"n": 1} if schema is not int else 1)
    builder.add_edge(START, "one")
    graph = builder.compile(checkpointer=saver)
    graph.invoke(state or 0, CONFIG)
    return graph


class Fleeting(TypedDict):
    n: int
    gone: Annotated[int, EphemeralValue]


class Number(TypedDict):
    n: int


@pytest.mark.parametrize(
    "graph",
    [
        lambda: counted(int, InMemorySaver()),
        lambda: counted(Fleeting, InMemorySaver(), n=0, gone=1),
        lambda: counted(Number, LangGraphSaver(), n=0),
    ],
    ids=["a state that is no mapping", "a channel that forgets", "another saver"],
)
def test_where_lines_cannot_tell_snapshots_do(graph):
    graph = graph()
    assert graph.history_lines(CONFIG, same_value) is None
    assert [row.label for row in read_rows(graph, CONFIG)] == ["cp1", "cp2", "cp3"]
    assert all(row.snapshot is not None for row in read_rows(graph, CONFIG))


def test_a_command_that_changes_a_checkpoint_is_left_to_snapshots():
    graph = built(InMemorySaver())
    graph.invoke({"amount": 1}, CONFIG)
    graph.invoke(Command(resume="yes", update={"log": ["aside"]}), CONFIG)
    assert graph.history_lines(CONFIG, same_value) is None
    assert read_rows(graph, CONFIG) == read_history(graph, CONFIG)


def test_a_graph_that_changes_its_history_is_asked_for_it():
    graph = counted(Number, InMemorySaver(), n=0)

    class Newest(type(graph)):
        def get_state_history(self, config, **bounds):
            return list(super().get_state_history(config, **bounds))[:1]

    newest = object.__new__(Newest)
    newest.__dict__.update(graph.__dict__)
    assert [row.step for row in read_rows(newest, CONFIG)] == [1]


@pytest.mark.parametrize("was_on", [True, False])
def test_nobody_looks_for_garbage_meanwhile_and_then_all_is_as_before(was_on):
    class Graph:
        def __init__(self, lines):
            self.lines = lines

        def history_lines(self, config, same):
            during.append(gc.isenabled())
            return self.lines

        def get_state_history(self, config):
            during.append(gc.isenabled())
            raise LookupError

    line = ("1", "", None, -1, "input", (), ("ask",), (), ())
    during: list[bool] = []
    (gc.enable if was_on else gc.disable)()
    try:
        assert [row.label for row in read_rows(Graph([line]), CONFIG)] == ["cp1"]
        with pytest.raises(LookupError):
            read_rows(Graph(None), CONFIG)
        assert gc.isenabled() is was_on
    finally:
        gc.enable()
    assert during == [False, False, was_on]
