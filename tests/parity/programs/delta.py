"""DeltaChannel: a reducer that takes the writes of a step at once."""

from typing import Annotated

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.channels import DeltaChannel
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, Overwrite, Send, interrupt
from typing_extensions import TypedDict


def extended(state, writes):
    return [*state, *(item for write in writes for item in write)]


def merged(state, writes):
    return {key: value for part in (state, *writes) for key, value in part.items()}


def messages(state, writes):
    flat = [one for write in writes for one in (write if isinstance(write, list) else [write])]
    return add_messages(add_messages([], state), flat)


class State(TypedDict):
    items: Annotated[list, DeltaChannel(extended)]
    files: Annotated[dict, DeltaChannel(merged, snapshot_frequency=2)]
    total: Annotated[int, DeltaChannel(lambda total, writes: total + sum(writes))]


def built():
    builder = StateGraph(State)
    builder.add_node("first", lambda state: {"items": ["first"], "files": {"a": 1}})
    builder.add_node("left", lambda state: {"items": ["left"], "total": 2})
    builder.add_node("right", lambda state: {"items": ["right"], "files": {"b": 2}, "total": 3})
    builder.add_node("last", lambda state: {"items": [f"last of {len(state['items'])}"]})
    builder.add_edge(START, "first").add_edge("first", "left").add_edge("first", "right")
    return builder.add_edge(["left", "right"], "last")


def program_fold(record):
    graph = built().compile()
    record("result", graph.invoke({"items": ["in"], "total": 1}))
    record("values", list(graph.stream({"items": ["in"]}, stream_mode="values")))
    record.error("no list", lambda: graph.invoke({"items": 3}), "")


def program_saved(record, saver):
    graph = built().compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    for turn in range(4):
        record(f"turn {turn}", graph.invoke({"items": [turn]}, config))
    record("history", [found.values for found in graph.get_state_history(config)])
    graph.update_state(config, {"items": ["mine"], "files": {"z": 0}}, as_node="last")
    record("updated", graph.get_state(config).values)
    graph.update_state(config, {"items": Overwrite(["new"])}, as_node="last")
    record("overwritten", graph.get_state(config).values)
    past = next(found for found in graph.get_state_history(config) if len(found.values["items"]) == 6)
    record("fork", graph.invoke({"items": ["forked"]}, past.config))
    record("history after", [found.values["items"] for found in graph.get_state_history(config)])


def program_overwrites(record, saver):
    builder = StateGraph(State)
    builder.add_node("more", lambda state: {"items": ["more"]})
    builder.add_node("over", lambda state: {"items": Overwrite(["over"])})
    builder.add_node("after", lambda state: {"items": ["after"]})
    builder.add_edge(START, "more").add_edge(START, "over").add_edge("more", "after")
    config = {"configurable": {"thread_id": "1"}}
    graph = builder.compile(checkpointer=saver)
    record("one", graph.invoke({"items": ["in"]}, config))
    record("history", [found.values["items"] for found in graph.get_state_history(config)])
    builder.add_node("again", lambda state: {"items": Overwrite([])}).add_edge(START, "again")
    record.error(
        "two", lambda: builder.compile().invoke({"items": ["in"]}), "only one Overwrite value per super-step"
    )


def program_interrupts_and_sends(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"items": [interrupt("what?")]})
    builder.add_node("work", lambda given: {"items": [given["n"] * 10], "total": 1})
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", lambda state: [Send("work", {"n": n}) for n in range(3)], ["work"])
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("asked", graph.invoke({"items": ["in"]}, config)["items"])
    record("waiting", graph.get_state(config).values)
    record("answered", graph.invoke(Command(resume="this"), config))
    record("state", graph.get_state(config).values)


def program_messages(record, saver):
    class Chat(TypedDict):
        messages: Annotated[list, DeltaChannel(messages)]

    builder = StateGraph(Chat).add_node(
        "say", lambda state: {"messages": [("ai", f"{len(state['messages'])}")]}
    )
    graph = builder.add_edge(START, "say").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    for said in ("a", "b"):
        out = graph.invoke({"messages": [{"role": "user", "content": said}]}, config)
        record(said, out["messages"][-1].content)


def program_the_channel_itself(record):
    channel = DeltaChannel(extended, list)
    record("available", channel.is_available())
    record.error("empty", channel.get)
    record("update", (channel.update([[1], [2]]), channel.get(), channel.update([])))
    record("overwrite", (channel.update([[5], Overwrite([8]), [3]]), channel.get()))
    record("overwrite with nothing", (channel.update([Overwrite(None)]), channel.get()))
    record.error("two", lambda: channel.update([Overwrite([9]), Overwrite([3])]), "only one Overwrite value")
    record("settings", (channel.snapshot_frequency, channel.ValueType, channel.copy().get()))
    record("equal", (channel == DeltaChannel(extended, list), channel == DeltaChannel(merged, list)))
    record("frequency", DeltaChannel(extended, snapshot_frequency=3) == DeltaChannel(extended))
    for wrong in (0, -1):
        record.error(
            f"frequency {wrong}", lambda wrong=wrong: DeltaChannel(extended, snapshot_frequency=wrong)
        )


def looked_at(values):
    return [
        (type(one).__name__, getattr(one, "content", None), bool(getattr(one, "id", 0))) for one in values
    ]


def flat(state, writes):
    return [*state, *(one for write in writes for one in (write if isinstance(write, list) else [write]))]


class Chat(TypedDict):
    chat: Annotated[list, DeltaChannel(flat)]


WRITES = {
    "messages": lambda: [HumanMessage("a"), AIMessage("b", id="b")],
    "a message": lambda: HumanMessage("a"),
    "dicts": lambda: [{"role": "user", "content": "a"}, {"type": "ai", "content": "b", "id": ""}],
    "dicts that tell no message": lambda: [{"role": "file", "content": "a"}, {"content": "b"}, {"type": "x"}],
    "a removal": lambda: [{"role": "remove", "content": "", "id": "b"}],
    "pairs and texts": lambda: [["user", "a"], "b", 3],
    "a tool's": lambda: [{"role": "tool", "content": "a", "tool_call_id": "1"}],
    "an Overwrite": lambda: Overwrite([HumanMessage("a"), {"role": "user", "content": "b"}]),
    "an Overwrite as JSON": lambda: {"__overwrite__": [HumanMessage("a")]},
}


def program_messages_get_ids_before_they_are_reduced(record, saver):
    """A reducer finds an id in each; the same one is kept, seen by whoever wrote it, and in a bare dict too."""
    for label, write in WRITES.items():
        config = {"configurable": {"thread_id": label}}
        builder = StateGraph(Chat).add_node("node", lambda state, write=write: {"chat": write()})
        graph = builder.add_edge(START, "node").compile(checkpointer=saver)
        reached = graph.invoke({"chat": write()}, config)["chat"]
        record(label, looked_at(reached))
        record(f"{label} is kept", reached == graph.get_state(config).values["chat"])
        graph.update_state(config, {"chat": write()}, as_node="node")
        record(f"{label} by hand", looked_at(graph.get_state(config).values["chat"]))
    for bad in ({"role": "user"}, {"role": "tool", "content": "a"}, {"role": "ai", "tool_calls": []}):
        record.error(f"{bad}", lambda bad=bad: graph.invoke({"chat": [bad]}, config))
    record("nothing is kept of a bare dict but its id", sorted(flat_dict()))
    mine = HumanMessage("mine")
    graph.invoke({"chat": [mine]}, config)
    record("the writer's has it", mine.id is not None)


def flat_dict():
    builder = StateGraph(Chat).add_node("node", lambda state: {"chat": {"role": "user", "content": "a"}})
    (one,) = builder.add_edge(START, "node").compile().invoke({"chat": []})["chat"]
    return {key: value if key != "id" else bool(value) for key, value in one.items()}
