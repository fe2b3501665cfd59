"""Mistakes in building and calling a graph: what is said, and that the class is LangGraph's."""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import (
    EmptyInputError,
    GraphRecursionError,
    InvalidUpdateError,
    ParentCommand,
    UnknownNodeError,
    UnknownPathKey,
)
from nbhitl.graph import END, START, StateGraph
from nbhitl.types import Command, StateUpdate

from .asking import CONFIG


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    one: str


@dataclass
class Context:
    user: str


def idle(state: State) -> None:
    return None


def new(action: Any = idle, **options: Any) -> StateGraph:
    return StateGraph(State, **options).add_node("ask", action).add_edge(START, "ask")


def branching(answer: Any, path_map: Any = None) -> Any:
    def route(state: State) -> Any:
        return answer

    return new().add_node("send", idle).add_conditional_edges("ask", route, path_map).compile()


# -- path functions --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            "sned",
            UnknownPathKey,
            r"edge 'route' of node 'ask' returned 'sned'.* Did you mean 'send'\?.*path_map",
        ),
        (["send", True], KeyError, r"returned True, .*It has: send, end"),
        (None, KeyError, r"returned None, .*path map does not have"),
        ({"a": 1}, TypeError, r"returned \{'a': 1\}, .*path map does not have"),
    ],
    ids=["misspelt", "bool", "None", "unhashable"],
)
def test_an_answer_that_the_path_map_lacks(run, answer, error, says):
    with pytest.raises(error, match=says):
        run.invoke(branching(answer, {"send": "send", "end": "__end__"}), {}, {})


@pytest.mark.parametrize("answer", [{"a": 1}, [["x", "y"]], 3])
def test_a_path_that_leads_to_no_node(run, answer):
    with pytest.raises(
        UnknownNodeError, match=r"edge 'route' of node 'ask' goes on to .*Its nodes are: ask, send"
    ):
        run.invoke(branching(answer), {}, {})


def test_a_path_that_returns_nothing(run):
    with pytest.raises(
        ValueError, match=r"did not return a valid destination.*'route'.*Return a node's name, END"
    ):
        run.invoke(branching(None), {}, {})


@pytest.mark.parametrize("path_map", [None, {"send": "send"}])
def test_a_path_that_returns_a_command(run, path_map):
    with pytest.raises(
        ValueError,
        match=r"'route' of node 'ask' returned Command.*a node's name.*return the Command from node",
    ):
        run.invoke(branching(Command(goto="send"), path_map), {}, {})


@pytest.mark.parametrize("path_map", ["send", 3])
def test_a_path_map_of_the_wrong_type(path_map):
    with pytest.raises(TypeError, match=r"path 'route': path_map is .*a list of nodes"):
        branching("send", path_map)


# -- building --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: new().add_edge("ask", idle).compile(), ValueError, "ending at unknown node"),
        (lambda: new().add_edge("ask", None).compile(), ValueError, "ending at unknown node `None`"),
        (lambda: new().add_edge("ask", "x").compile(), ValueError, r"unknown node `x`\. Its nodes are: ask"),
        (lambda: new().add_edge("ask", "END").compile(), ValueError, "`END`.*import END`, and END without quotes"),
        (lambda: new().add_edge(END, "ask"), ValueError, r"edges end there, add_edge\(node, END\)"),
        (lambda: new().add_edge("ask", START), ValueError, r"edges begin there, add_edge\(START, node\)"),
        (lambda: new().add_node("a:b", idle), ValueError, "':' is a reserved character.*Give 'a:b' another name"),
        (lambda: new().add_edge(3, "ask"), TypeError, "an edge starts at a node's name"),
        (lambda: new().add_edge("ask", ["x"]), TypeError, "an edge ends at one node"),
        (lambda: new().add_node(3, idle), TypeError, r"add_node\(3, \.\.\.\): a node's name is a string"),
        (lambda: new().add_node("inner", new()), TypeError, r"unsupported type.*Compile the graph first"),
        (lambda: new().add_node("inner", 3), TypeError, r"unsupported type.*Give a function"),
        (lambda: new().compile(interrupt_before="ask"), TypeError, r"interrupt_before='ask'\) takes a list"),
        (lambda: new().compile(interrupt_after=3), TypeError, r"interrupt_after=3\) takes a list"),
        (lambda: new().invoke({}), AttributeError, r"'invoke'.*graph = builder\.compile\(\)"),
        (lambda: StateGraph({"log": list}), TypeError, r"got \{'log'.*as a schema; it is a class"),
        (lambda: StateGraph(State, output_schema=[]), TypeError, r"got \[\] as a schema"),
        (lambda: new().add_node("b", idle, retry_policy=3), TypeError, r"retry_policy is 3; it is a RetryPolicy"),
        (lambda: new().nothing, AttributeError, r"no attribute 'nothing'$"),
    ],
    ids=[
        "edge to a function", "edge to None", "edge to nobody", "edge to 'END'", "edge from END", "edge to START",
        "character", "edge from a number", "edge to a list", "name", "uncompiled",
        "number", "breakpoint", "breakpoints", "not compiled", "schema", "schemas", "retries", "attribute",
    ],
)  # fmt: skip
def test_building(make, error, says):
    with pytest.raises(error, match=says):
        make()


# -- config, context, options ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("config", "error", "says"),
    [
        ("t", TypeError, r"config is 't'; it must be a dict like"),
        ({"configurable": "t"}, TypeError, "it must be a dict like"),
        (
            SimpleNamespace(config={}),
            TypeError,
            r"config is a SimpleNamespace; give its config: config=it\.config",
        ),
        ({**CONFIG, "recursion_limit": "3"}, TypeError, "recursion_limit must be a number .* got '3'"),
        ({**CONFIG, "recursion_limit": 0}, ValueError, "recursion_limit must be at least 1, got 0"),
        ({**CONFIG, "max_concurrency": "3"}, TypeError, "max_concurrency must be a number"),
        ({**CONFIG, "max_concurrency": 0}, ValueError, "max_concurrency must be at least 1, got 0"),
    ],
)
def test_configs(run, config, error, says):
    with pytest.raises(error, match=says):
        run.invoke(new().compile(checkpointer=InMemorySaver()), {}, config)


def test_a_config_that_is_none_where_it_is_kept_or_asked_for():
    graph = new().compile(checkpointer=InMemorySaver())
    for call in (graph.get_state, graph.with_config):
        with pytest.raises(TypeError, match="config is 't'"):
            call("t")


def test_a_history_before_what_is_no_config():
    graph = new().compile(checkpointer=InMemorySaver())
    with pytest.raises(TypeError, match=r"before is 'x'; it must be a dict like"):
        list(graph.get_state_history(CONFIG, before="x"))


def test_a_context_with_an_unknown_field(run):
    graph = new(context_schema=Context).compile()
    with pytest.raises(TypeError, match="nope") as caught:
        run.invoke(graph, {}, {}, context={"nope": 1})
    assert caught.value.__notes__ == ["context= is made into a Context; its fields are: user."]


def test_keys_that_the_state_does_not_have(run):
    for keys in ("two", ["log", "two"]):
        with pytest.raises(ValueError, match=r"Key two not in channels: .*can be: log, one\."):
            run.invoke(new().compile(), {}, {}, output_keys=keys)


def test_breakpoints_of_a_run_must_be_names(run):
    with pytest.raises(TypeError, match=r"is 3; give a list of node names"):
        run.invoke(new().compile(), {}, {}, interrupt_before=3)


def test_configs_of_a_batch_must_be_as_many():
    with pytest.raises(ValueError, match="got 1 configs for 2 inputs"):
        new().compile().batch([{}, {}], [CONFIG])


# -- input -----------------------------------------------------------------------------------------
def test_no_input_says_where_it_looked(run):
    with pytest.raises(EmptyInputError, match=r"no input for __start__: graph 'agent' has no checkpointer"):
        run.invoke(new().compile(name="agent"), None, {})
    kept = new().compile(checkpointer=InMemorySaver(), name="agent")
    with pytest.raises(EmptyInputError, match=r"thread 't' of graph 'agent' has no saved state"):
        run.invoke(kept, None)
    with pytest.raises(EmptyInputError, match=r"thread 't' of graph 'agent' has no checkpoint 'cp9'"):
        run.invoke(kept, None, {"configurable": {"thread_id": "t", "checkpoint_id": "cp9"}})


@pytest.mark.parametrize("given", ["hello", 3, [1]])
def test_an_input_that_is_no_update(run, given):
    with pytest.raises(
        InvalidUpdateError, match=r"Expected dict, got .* as the input of graph .* it has: log, one"
    ):
        run.invoke(new().compile(), given, {})


# -- running ---------------------------------------------------------------------------------------
def test_a_run_without_end_says_where_it_is(run):
    graph = new().add_edge("ask", "ask").compile(checkpointer=InMemorySaver(), name="agent")
    says = (
        r"Recursion limit of 3 reached.*Graph 'agent', thread 't', next: ask\..*\{\"recursion_limit\": 12\}"
    )
    with pytest.raises(GraphRecursionError, match=says):
        run.invoke(graph, {}, {**CONFIG, "recursion_limit": 3})


def test_a_goto_that_is_no_name(run):
    with pytest.raises(TypeError, match=r"node 'ask': Command\(goto=3\) takes a node's name"):
        run.invoke(new(lambda state: Command(goto=3)).compile(), {}, {})


def test_a_command_to_the_graph_above_where_there_is_none(run):
    graph = new(lambda state: Command(graph=Command.PARENT, goto="x")).compile(name="agent")
    with pytest.raises(ParentCommand) as caught:
        run.invoke(graph, {}, {})
    assert (
        "Node 'ask' addressed a Command to the graph above, but no graph called graph 'agent'."
        in caught.value.__notes__[0]
    )


def test_a_coroutine_that_nobody_awaits():
    pending = asyncio.sleep(0)
    with pytest.raises(InvalidUpdateError, match=r"from node 'ask'\. Await what it returns"):
        new(lambda state: pending).compile().invoke({})
    pending.close()


def test_a_reducer_that_raises_names_key_node_and_value(run):
    with pytest.raises(TypeError, match="concatenate") as caught:
        run.invoke(new(lambda state: {"log": "text"}).compile(), {"log": []}, {})
    assert caught.value.__notes__[-1] == (
        "State key 'log' held a value of type list; written by: node 'ask' ('text'). Its reducer is `add`."
    )


def test_two_writes_to_a_plain_key_name_their_nodes(run):
    builder = StateGraph(State)
    for name in "abcdefg":
        builder.add_node(name, lambda state, name=name: {"one": name}).add_edge(START, name)
    with pytest.raises(InvalidUpdateError, match="At key 'one'") as caught:
        run.invoke(builder.compile(), {}, {})
    assert caught.value.__notes__[-1].startswith(
        "State key 'one' held nothing; written by: node 'a' ('a'), node 'b'"
    )
    assert caught.value.__notes__[-1].endswith("node 'e' ('e') and 2 more.")


# -- updates from outside --------------------------------------------------------------------------
def test_updates_in_bulk_may_be_tuples_and_nothing_else():
    graph = new().compile(checkpointer=InMemorySaver())
    graph.bulk_update_state(CONFIG, [[({"one": "a"}, "ask")], [StateUpdate({"log": ["b"]}, "ask")]])
    assert graph.get_state(CONFIG).values == {"log": ["b"], "one": "a"}
    with pytest.raises(TypeError, match=r"got \{'one': 'c'\}; each superstep is a list of StateUpdate"):
        graph.bulk_update_state(CONFIG, [[{"one": "c"}]])
    assert graph.get_state(CONFIG).values == {"log": ["b"], "one": "a"}
