"""Results of other stream modes, runs side by side, and what nodes are told of who calls them."""

import operator
from typing import Annotated, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    path: Annotated[list, operator.add]
    secret: str


class Output(TypedDict):
    path: list


class Given(TypedDict):
    secret: str


def whisper(state: Given):
    return {"path": ["whisper"], "secret": "more"}


def ask(state):
    return {"path": [interrupt(state["secret"])]}


def asking(saver=None):
    builder = StateGraph(State, input_schema=Given, output_schema=Output).add_node(whisper).add_node(ask)
    return builder.add_edge(START, "whisper").add_edge("whisper", "ask").compile(checkpointer=saver)


MODES = ("updates", "tasks", ["updates", "values"], ["values"], "custom", None)


def program_results_of_other_modes(record):
    graph = asking(InMemorySaver())
    for number, mode in enumerate(MODES):
        config = {"configurable": {"thread_id": str(number)}}
        record.chunks(f"asks {mode}", graph.invoke({"secret": "s"}, config, stream_mode=mode))
        record.chunks(f"answered {mode}", graph.invoke(Command(resume="a"), config, stream_mode=mode))


async def program_results_of_other_modes_awaited(record):
    graph = asking(InMemorySaver())
    for number, mode in enumerate(MODES):
        config = {"configurable": {"thread_id": str(number)}}
        record.chunks(f"asks {mode}", await graph.ainvoke({"secret": "s"}, config, stream_mode=mode))
        again = await graph.ainvoke(Command(resume="a"), config, stream_mode=mode, output_keys="secret")
        record.chunks(f"answered {mode}", again)


def program_results_of_a_bare_state(record):
    builder = StateGraph(Annotated[list, operator.add]).add_node("n", lambda state: ["n"])
    graph = builder.add_edge(START, "n").compile()
    for mode in ("updates", ["updates", "values"]):
        record(str(mode), graph.invoke(["in"], stream_mode=mode))


def looping(steps):
    def count(state, config):
        return {"path": [config.get("recursion_limit")]}

    def onward(state):
        return "count" if len(state["path"]) < steps else END

    builder = StateGraph(State).add_node(count).add_edge(START, "count")
    return builder.add_conditional_edges("count", onward, ["count", END]).compile()


def ends(result):
    return type(result).__name__ if isinstance(result, GraphRecursionError) else result["path"]


def program_steps_of_a_batch(record):
    given = [{"path": []}] * 2
    for steps in (24, 25):
        graph = looping(steps)
        record(f"{steps} alone", ends(graph.invoke({"path": []})))
        for name, called in (("plain", graph), ("own limit", graph.with_config(recursion_limit=40))):
            record(f"{steps} {name}", [ends(r) for r in called.batch(given, return_exceptions=True)])
        limited = graph.batch(given, {"recursion_limit": 30}, return_exceptions=True)
        record(f"{steps} limited", [ends(r) for r in limited])
        configs = [{"recursion_limit": 30}, None]
        record(f"{steps} each", [ends(r) for r in graph.batch(given, configs, return_exceptions=True)])


async def program_steps_of_a_batch_awaited(record):
    for steps in (24, 25):
        runs = await looping(steps).abatch([{"path": []}] * 2, return_exceptions=True)
        record(str(steps), [ends(run) for run in runs])


def heard(place):
    def told(config):
        return f"{place} {type(config['callbacks']).__name__}"

    def node(state, config: RunnableConfig):
        return {"path": [told(config)]}

    def onward(state, config: RunnableConfig):
        state["path"].append(told(config))
        return END

    builder = StateGraph(State).add_node(node).add_edge(START, "node")
    return builder.add_conditional_edges("node", onward, [END]).compile()


def calling():
    inner = heard("inner")

    def call(state):
        return {"path": inner.invoke({"path": []})["path"]}

    return StateGraph(State).add_node("child", inner).add_node(call)


def nested():
    builder = calling().add_edge(START, "child").add_edge("child", "call")
    return builder.compile()


def program_callbacks_where_nobody_listens(record):
    record("alone", heard("outer").invoke({"path": []}))
    record("nested", nested().invoke({"path": []}))


async def program_callbacks_where_nobody_listens_awaited(record):
    record("alone", await heard("outer").ainvoke({"path": []}))
    record("nested", await nested().ainvoke({"path": []}))


def program_keys_that_nodes_read(record):
    graph = asking()
    record("keys", {name: node.channels for name, node in graph.nodes.items()})
    builder = StateGraph(Annotated[list, operator.add]).add_node("n", lambda state: ["n"])
    bare = builder.add_edge(START, "n").compile()
    record("bare", {name: node.channels for name, node in bare.nodes.items()})
