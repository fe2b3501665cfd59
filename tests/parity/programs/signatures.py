"""What the engine fills in for a node, names that nodes and edges get by themselves, generators, what is printed."""

import functools
import io
import operator
from contextlib import redirect_stdout
from typing import Annotated, Any, Optional

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def run(node, **options):
    return (
        StateGraph(State)
        .add_node("n", node)
        .add_edge(START, "n")
        .compile(**options)
        .invoke({"log": []})["log"]
    )


def program_parameters_with_defaults(record):
    def own_config(state, config: dict = None):
        return {"log": [config]}

    def own_store(state, store: str = "mine"):
        return {"log": [store]}

    def number(state, config: int = 3):
        return {"log": [config]}

    def optional(state, config: Optional[RunnableConfig] = None, *, store: Optional[BaseStore] = None):
        return {"log": [type(config).__name__, store]}

    def untyped(state, config=5):
        return {"log": [type(config).__name__]}

    for node in (own_config, own_store, number, optional, untyped):
        record(node.__name__, run(node))


def program_partials(record):
    def node(model, state: State, config: RunnableConfig):
        return {"log": [model, state, type(config).__name__]}

    record("first argument bound", run(functools.partial(node, "m")))
    record("name", list(StateGraph(State).add_node(functools.partial(node, "m")).nodes))


class Callable:
    def __call__(self, state) -> Any:
        return {"log": ["called"]}

    def method(self, state):
        return {"log": ["method"]}


def stop(state):
    return END


def program_names(record):
    steps = [stop, functools.partial(stop), Callable(), Callable().method, RunnableLambda(stop)]
    record("nodes", [list(StateGraph(State).add_node(step).nodes) for step in steps])
    record("steps", [list(StateGraph(State).add_sequence([step]).nodes) for step in steps])
    paths = [stop, lambda state: END, functools.partial(stop), Callable(), RunnableLambda(stop, name="named")]
    edges = [StateGraph(State).add_node("a", stop).add_conditional_edges("a", path) for path in paths]
    record("edges", [list(builder.branches["a"]) for builder in edges])
    twice = StateGraph(State).add_node("a", stop).add_conditional_edges("a", lambda state: END)
    record.error(
        "two lambdas",
        lambda: twice.add_conditional_edges("a", lambda state: "a"),
        "already exists for node `a`",
    )


async def program_generators(record):
    def lists(state):
        yield {"log": ["1"]}
        yield {"log": ["2"]}

    async def later(state):
        yield {"log": ["1"]}
        yield {"log": ["2"]}

    record("the last dict counts", run(lists))
    graph = StateGraph(State).add_node(later).add_edge(START, "later").compile()
    record("async", await graph.ainvoke({"log": []}))
    record.error("async in a sync run", lambda: graph.invoke({"log": []}))

    def parts(state):
        yield ["a"]
        yield ["b"]

    whole = StateGraph(Annotated[list, operator.add]).add_node(parts).add_edge(START, "parts").compile()
    record("what can be added is added", whole.invoke(["in"]))
    graph = StateGraph(State).add_node("calls", lambda state: lists(state)).add_edge(START, "calls").compile()
    record.error("a generator that a function returns", lambda: graph.invoke({"log": []}), "Expected dict")
    await record.aerror("async", graph.ainvoke({"log": []}), "Expected dict")


def inner():
    def say(state):
        get_stream_writer()("said")
        return {"log": ["said"]}

    return StateGraph(State).add_node(say).add_edge(START, "say").compile()


async def program_custom_chunks_of_children(record):
    child = inner()

    def calls(state):
        get_stream_writer()("outer")
        return child.invoke(state)

    as_node = StateGraph(State).add_node("child", child).add_edge(START, "child").compile()
    called = StateGraph(State).add_node(calls).add_edge(START, "calls").compile()
    for graph in (as_node, called):
        for subgraphs in (False, True):
            found = list(graph.stream({"log": []}, stream_mode="custom", subgraphs=subgraphs))
            record(f"subgraphs={subgraphs}", found)
            chunks = graph.astream({"log": []}, stream_mode=["custom", "updates"], subgraphs=subgraphs)
            record("async", [chunk async for chunk in chunks])


def printed(call):
    shown = io.StringIO()
    with redirect_stdout(shown):
        call()
    return shown.getvalue()


def program_what_runs_print(record):
    graph = StateGraph(State).add_node("child", inner()).add_edge(START, "child").compile()
    record("updates", printed(lambda: graph.invoke({"log": []}, print_mode="updates")))
    record("two", printed(lambda: graph.invoke({"log": []}, print_mode=["values", "updates"])))
    record("debug", printed(lambda: graph.invoke({"log": []}, debug=True)))

    def read():
        for chunk in graph.stream({"log": []}, stream_mode="values", print_mode="updates", subgraphs=True):
            print("read", chunk)

    record("while it is read", printed(read))
    debugging = StateGraph(State).add_node("n", lambda state: {"log": ["n"]}).add_edge(START, "n")
    record("compiled so", printed(lambda: debugging.compile(debug=True).invoke({"log": []})))


async def program_what_async_runs_print(record):
    graph = StateGraph(State).add_node("n", lambda state: {"log": ["n"]}).add_edge(START, "n").compile()
    shown = io.StringIO()
    with redirect_stdout(shown):
        await graph.ainvoke({"log": []}, print_mode="values")
        async for chunk in graph.astream({"log": []}, print_mode="values"):
            print("read", chunk)
    record("printed", shown.getvalue())
