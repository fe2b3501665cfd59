"""Events that programs tell by LangChain's dispatch_custom_event, where nobody hears them."""

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    text: str


def tells(state):
    dispatch_custom_event("told", state["text"])
    return {"text": state["text"] + "!"}


def tells_with_config(state, config: RunnableConfig):
    dispatch_custom_event("told", state["text"], config=config)
    manager = config["callbacks"]
    return {"text": f"{type(manager).__name__} {manager.parent_run_id is not None} {sorted(config)}"}


async def tells_awaited(state):
    await adispatch_custom_event("told", state["text"])
    return {"text": state["text"] + "?"}


def tells_on_the_way(state):
    dispatch_custom_event("on the way", state["text"])
    return END


def child():
    return StateGraph(State).add_node(tells).add_edge(START, "tells").compile()


def program_nobody_listens(record):
    called = child()
    nodes = {
        "plain": tells,
        "config": tells_with_config,
        "child": called,
        "called": lambda s: called.invoke(s),
    }
    for name, node in nodes.items():
        builder = StateGraph(State).add_node("node", node).add_edge(START, "node")
        graph = builder.add_conditional_edges("node", tells_on_the_way, [END]).compile()
        for config in (None, {"callbacks": []}, {"callbacks": None}, {"tags": ["t"]}):
            record(f"{name} {config}", graph.invoke({"text": "a"}, config))
        record(f"{name} streamed", list(graph.stream({"text": "a"}, stream_mode=["updates", "messages"])))


async def program_nobody_listens_awaited(record):
    builder = StateGraph(State).add_node(tells_awaited).add_node(tells).add_node("child", child())
    builder.add_edge(START, "tells_awaited").add_edge("tells_awaited", "tells").add_edge("tells", "child")
    record("awaited", await builder.compile().ainvoke({"text": "a"}))
