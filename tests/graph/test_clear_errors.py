"""Errors say what, where, and what to do next."""

from __future__ import annotations

import langgraph.graph as langgraph_graph
import langgraph.types as langgraphs
import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import (
    EmptyInputError,
    ForeignObjectError,
    GraphRecursionError,
    InvalidUpdateError,
    MissingThreadId,
    UnknownInterruptError,
    UnknownNodeError,
    UnsupportedValue,
)
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

from .asking import CONFIG, State, asking, graph_of, questions, waiting


def idle(state: State) -> None:
    return None


def one_node(action=idle, name="ask"):
    return StateGraph(State).add_node(name, action).add_edge(START, name)


# -- where threads are kept ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call",
    [
        lambda graph: graph.get_state(CONFIG),
        lambda graph: graph.update_state(CONFIG, {}),
        lambda graph: list(graph.get_state_history(CONFIG)),
    ],
    ids=["get_state", "update_state", "get_state_history"],
)
def test_a_graph_without_a_checkpointer_keeps_no_threads(call):
    with pytest.raises(ValueError, match=r"No checkpointer set.*compile\(checkpointer=InMemorySaver\(\)\)"):
        call(one_node().compile())


def test_an_answer_without_a_checkpointer(run):
    with pytest.raises(
        RuntimeError, match=r"without checkpointer.*compile\(checkpointer=InMemorySaver\(\)\)"
    ):
        run.invoke(one_node().compile(), Command(resume="yes"))


def test_a_run_must_name_its_thread(run):
    graph = graph_of(asking("q"))
    for config in ({}, {"configurable": {}}, {"configurable": {"thread_id": None}}, None):
        with pytest.raises(MissingThreadId, match=r'thread_id.*"configurable": \{"thread_id": "my-thread"\}'):
            run.invoke(graph, {}, config)


@pytest.mark.parametrize(
    "call",
    [
        lambda graph: graph.get_state({}),
        lambda graph: graph.update_state({}, {}),
        lambda graph: list(graph.get_state_history({})),
    ],
    ids=["get_state", "update_state", "get_state_history"],
)
def test_a_thread_must_be_named(call):
    with pytest.raises(MissingThreadId, match="thread_id"):
        call(graph_of(asking("q")))


def test_what_is_no_checkpointer():
    with pytest.raises(TypeError, match=r"Received str\. Pass a saver"):
        one_node().compile(checkpointer="threads.sqlite")
    with pytest.raises(TypeError, match="InMemorySaver is a class: pass one that you have made of it"):
        one_node().compile(checkpointer=InMemorySaver)


def test_nothing_to_go_on_with(run):
    with pytest.raises(EmptyInputError, match=r"no saved state to go on with.*thread_id"):
        run.invoke(graph_of(asking("q")), None)


def test_an_answer_on_a_thread_that_is_not_there(run):
    with pytest.raises(UnknownInterruptError, match=r"thread 't' has no checkpoint.*Check the thread_id"):
        run.invoke(graph_of(asking("q")), Command(resume="yes"))


# -- names that are no nodes -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: one_node().add_edge("ask", "sned"), "ending at unknown node `sned`"),
        (lambda: one_node().add_edge("sned", "ask"), "starting at unknown node 'sned'"),
        (
            lambda: one_node().add_conditional_edges("ask", lambda state: "x", {"x": "sned"}),
            "At 'ask' node, .* unknown target 'sned'",
        ),
    ],
    ids=["to", "from", "conditional"],
)
def test_an_edge_to_no_node_names_the_nearest(make, message):
    with pytest.raises(ValueError, match=rf"{message}.*Did you mean 'send'"):
        make().add_node("send", idle).compile()


def test_a_breakpoint_at_no_node_names_the_nearest():
    with pytest.raises(ValueError, match=r"Interrupt node `aks` not found.*Did you mean 'ask'"):
        one_node().compile(interrupt_before=["aks"])


def test_an_update_as_no_node_names_the_nearest():
    graph = graph_of(asking("q"))
    graph.invoke({}, CONFIG)
    with pytest.raises(InvalidUpdateError, match=r"Node aks does not exist.*Did you mean 'ask'"):
        graph.update_state(CONFIG, {"log": ["x"]}, as_node="aks")


@pytest.mark.parametrize(
    ("target", "where"),
    [
        (lambda state: Command(goto="aks"), "node 'first' goes on to 'aks'"),
        (lambda state: Command(goto=[Send("aks", 1)]), "node 'first' sends to 'aks'"),
    ],
    ids=["goto", "send"],
)
def test_a_node_that_goes_to_no_node_names_the_nearest(run, target, where):
    graph = (
        StateGraph(State).add_node("first", target).add_node("ask", idle).add_edge(START, "first").compile()
    )
    with pytest.raises(UnknownNodeError, match=rf"{where}.*Did you mean 'ask'"):
        run.invoke(graph, {})


def test_a_path_that_leads_to_no_node_names_itself_and_the_nearest(run):
    def route(state: State) -> str:
        return "aks"

    graph = one_node().add_conditional_edges("ask", route).compile()
    with pytest.raises(UnknownNodeError, match=r"conditional edge 'route' of node 'ask'.*Did you mean 'ask'"):
        run.invoke(graph, {})


# -- values that no store holds --------------------------------------------------------------------
class Odd:
    """A class that nobody registered."""


def test_a_state_value_that_cannot_be_stored_names_key_node_and_thread(run, saver):
    def bad(state: State) -> State:
        return {"log": [{"deep": [Odd()]}]}

    graph = graph_of(bad, saver=saver)
    with pytest.raises(UnsupportedValue, match=r"'log'.*'bad'.*thread 't'.*Odd.*dataclass"):
        run.invoke(graph, {})
    assert graph.get_state(CONFIG).values == {"log": []}


def test_one_of_several_tasks_writes_what_cannot_be_stored(run, saver):
    def bad(state: State) -> State:
        return {"log": [Odd()]}

    with pytest.raises(UnsupportedValue, match=r"node 'bad'.*'log'.*Odd"):
        run.invoke(graph_of(bad, asking("q"), saver=saver, parallel=True), {})


def test_an_answer_that_cannot_be_stored_leaves_the_question_open(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    (question,) = run.invoke(graph, {})["__interrupt__"]
    with pytest.raises(UnsupportedValue, match=rf"the answer to interrupt {question.id}.*Odd"):
        run.invoke(graph, Command(resume=Odd()))
    assert questions(graph) == waiting(saver) == ["q"]
    assert run.invoke(graph, Command(resume="yes")) == {"log": ["yes"]}


def test_a_question_that_cannot_be_stored_names_its_node(run, saver):
    with pytest.raises(UnsupportedValue, match=r"node 'ask'.*Odd"):
        run.invoke(graph_of(asking({"deep": Odd()}), saver=saver), {})


# -- the other engine's objects --------------------------------------------------------------------
@pytest.mark.parametrize(
    "returned",
    [langgraphs.Command(goto="ask"), langgraphs.Send("ask", 1), [langgraphs.Command(update={"log": ["x"]})]],
    ids=["Command", "Send", "list"],
)
def test_objects_of_langgraph_returned_by_a_node_are_refused(run, returned):
    graph = one_node(lambda state: returned).compile(checkpointer=InMemorySaver())
    with pytest.raises(InvalidUpdateError, match=r"langgraph.*nbhitl\.types"):
        run.invoke(graph, {})


def test_objects_of_langgraph_given_as_an_answer_are_refused(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {})
    with pytest.raises(InvalidUpdateError, match=r"the input.*langgraph.*nbhitl\.types"):
        run.invoke(graph, langgraphs.Command(resume="yes"))
    assert questions(graph) == waiting(saver) == ["q"]


@pytest.mark.parametrize("as_node", [True, False])
def test_a_pause_of_a_graph_of_langgraph_is_not_taken_as_answered(run, as_node):
    inner = langgraph_graph.StateGraph(State).add_node(
        "ask", lambda state: {"log": [langgraphs.interrupt("really?")]}
    )
    paused = inner.add_edge(langgraph_graph.START, "ask").compile()
    node = paused if as_node else lambda state: paused.invoke(state)
    graph = (
        StateGraph(State)
        .add_node("outer", node)
        .add_edge(START, "outer")
        .compile(checkpointer=InMemorySaver())
    )
    with pytest.raises(
        InvalidUpdateError, match=r"Node 'outer' ran a graph .* paused to ask \(\['really\?'\]\)"
    ):
        run.invoke(graph, {})
    assert graph.get_state(CONFIG).next == ("outer",)


# -- other mistakes --------------------------------------------------------------------------------
def test_a_return_value_that_is_no_update_names_the_node(run):
    with pytest.raises(InvalidUpdateError, match="Expected dict, got 'text' from node 'ask'"):
        run.invoke(one_node(lambda state: "text").compile(), {})


def test_a_run_that_does_not_end_says_what_to_raise(run):
    graph = one_node().add_edge("ask", "ask").compile()
    with pytest.raises(GraphRecursionError, match=r"Recursion limit of 3 .*`recursion_limit`"):
        run.invoke(graph, {}, {"recursion_limit": 3})


def test_an_async_node_in_a_sync_run_says_so():
    async def ask(state: State) -> None:
        return None

    with pytest.raises(TypeError, match=r"No synchronous function.*ainvoke"):
        one_node(ask).compile().invoke({})


def test_a_question_outside_of_a_run():
    with pytest.raises(RuntimeError, match=r"interrupt\(\) needs a running node"):
        interrupt("q")


def test_the_error_of_a_node_tells_the_task(run):
    def fails(state: State) -> State:
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom") as caught:
        run.invoke(graph_of(fails), {})
    assert any("task with name 'fails'" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("name", ["interrupt", "get_store", "get_stream_writer"])
def test_a_function_of_ours_in_a_graph_of_langgraphs_names_the_import(name):
    from langgraph.graph import StateGraph as Theirs

    from nbhitl import config, types

    called = {"interrupt": lambda state: types.interrupt("?")}.get(
        name, lambda state: getattr(config, name)()
    )
    graph = Theirs(dict).add_node("node", called).add_edge("__start__", "node").compile()
    with pytest.raises(
        ForeignObjectError, match=f"LangGraph compiled, and its {name} is nbhitl's. Import {name} "
    ):
        graph.invoke({})
