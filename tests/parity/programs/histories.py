"""Histories within bounds: filters of every kind of value, limits, older than another checkpoint, of one by name."""

from langgraph.checkpoint.base import empty_checkpoint
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

THREAD = {"thread_id": "1"}
ABOUT = {
    "user": "u1",
    "n": 3,
    "ratio": 1.5,
    "flag": True,
    "none": None,
    "nested": {"k": "v"},
    "list": [1, 2],
    "empty": "",
}
FILTERS = [
    None, {}, {"user": "u1"}, {"user": "u2"}, {"user": ["u1"]}, {"n": 3}, {"n": 3.0}, {"n": "3"}, {"n": None},
    {"ratio": 1.5}, {"flag": True}, {"flag": 1}, {"flag": "true"}, {"none": None}, {"missing": None},
    {"nested": {"k": "v"}}, {"nested": None}, {"list": [1, 2]}, {"list": [1]}, {"empty": ""}, {"source": "loop"},
    {"source": "loop", "step": 1}, {"source": "input", "step": 1}, {"step": -1}, {"step": 0}, {"step": 1.0},
    {"parents": {}}, {"thread_id": "1"}, {"nested.k": "v"}, {"nested.k": "w"}, {"nested.missing": None},
    {"nested.k.deeper": None}, {"user.name": None}, {"nested.k": "v", "n": 3}, {"nested.k": "v", "n": 4},
]  # fmt: skip


class State(TypedDict):
    x: int


def twice(saver):
    builder = StateGraph(State).add_node("a", lambda state: {"x": state["x"] + 1})
    builder.add_node("b", lambda state: {"x": state["x"] * 2}).add_edge(START, "a").add_edge("a", "b")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"x": 0}, {"configurable": THREAD, "metadata": ABOUT})
    graph.invoke({"x": 5}, {"configurable": THREAD, "metadata": {"user": "u2"}})
    return graph


def short(found):
    return [(one.metadata["source"], one.metadata["step"]) for one in found]


def program_filters(record, saver):
    graph, config = twice(saver), {"configurable": THREAD}
    record("metadata", [snapshot.metadata for snapshot in graph.get_state_history(config)])
    for filter in FILTERS:
        record(f"graph {filter}", short(graph.get_state_history(config, filter=filter)))
        record(f"saver {filter}", short(saver.list(config, filter=filter)))


def program_filters_of_what_was_put(record, saver):
    config = {"configurable": {**THREAD, "checkpoint_ns": ""}}
    saver.put(config, empty_checkpoint(), {"source": "loop", "step": 1, "parents": {"": "p"}, **ABOUT}, {})
    for filter in FILTERS:
        record(str(filter), short(saver.list(config, filter=filter)))


def program_limits(record, saver):
    graph, config = twice(saver), {"configurable": THREAD}
    kept = list(graph.get_state_history(config))
    third = kept[2].config
    others = [{"configurable": {"checkpoint_id": kept[2].config["configurable"]["checkpoint_id"]}}]
    for limit in (None, 0, 1, 2, 100):
        for at, before in enumerate([None, kept[0].config, kept[3].config, kept[-1].config, *others]):
            for filter in (None, {"source": "loop"}, {"source": "input"}):
                bounds = {"filter": filter, "before": before, "limit": limit}
                label = f"limit {limit}, before {at}, {filter}"
                record(f"graph, {label}", short(graph.get_state_history(config, **bounds)))
                record(f"saver, {label}", short(saver.list(config, **bounds)))
                record(f"all threads, {label}", short(saver.list(None, **bounds)))
                record(f"named, {label}", short(graph.get_state_history(third, **bounds)))


async def program_limits_of_a_named_checkpoint(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"x": state["x"] + 1}).add_edge(START, "a")
    graph, config = builder.compile(checkpointer=saver), {"configurable": THREAD}
    await graph.ainvoke({"x": 0}, config)
    kept = [snapshot async for snapshot in graph.aget_state_history(config)]
    for bounds in ({"limit": 0}, {"limit": 1}, {"before": kept[0].config}, {"before": kept[1].config}):
        found = [snapshot async for snapshot in graph.aget_state_history(kept[1].config, **bounds)]
        record(str([*bounds]), short(found))
    for filter in ({"source": "loop"}, {"source": "input"}):
        found = [snapshot async for snapshot in graph.aget_state_history(kept[1].config, filter=filter)]
        record(str(filter), short(found))
