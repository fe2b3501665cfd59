"""Barriers, defer, Overwrite, UntrackedValue, managed values."""

import operator
from typing import Annotated, Any

from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Overwrite, Send
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def add(builder, *names):
    for name in names:
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    return builder


def program_barrier(record, any_saver):
    builder = add(StateGraph(State), "a", "b1", "b2", "b3", "c", "d")
    builder.add_edge(START, "a").add_edge("a", "b1").add_edge("a", "c").add_edge("b1", "b2").add_edge(
        "b2", "b3"
    )
    builder.add_edge(["b3", "c"], "d")
    graph = builder.compile(checkpointer=any_saver)
    # A barrier that is saved in the background may be saved as it is a step later.
    sync = {"durability": "sync"} if any_saver else {}
    record("values", list(graph.stream({"path": []}, CONFIG, stream_mode="values", **sync)))
    if any_saver:
        record("next", [s.next for s in graph.get_state_history(CONFIG)])


def program_barrier_in_a_loop(record):
    builder = add(StateGraph(State), "a", "b", "c", "join")
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("a", "c").add_edge(["b", "c"], "join")
    builder.add_conditional_edges("join", lambda state: "a" if len(state["path"]) < 8 else END)
    record("twice", builder.compile().invoke({"path": []}))


def program_barrier_of_one_and_of_start(record):
    builder = add(StateGraph(State), "a", "b")
    builder.add_edge(START, "a").add_edge(["a"], "b")
    record("one", builder.compile().invoke({"path": []}))
    record.error(
        "start in a list",
        lambda: (
            add(StateGraph(State), "a", "b")
            .add_edge(START, "a")
            .add_edge([START, "a"], "b")
            .compile()
            .invoke({"path": []})
        ),
    )


def program_two_barriers(record):
    builder = add(StateGraph(State), "a", "b", "c", "x", "y")
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(START, "c")
    builder.add_edge(["a", "b"], "x").add_edge(["b", "c"], "y").add_edge(["x", "y"], END)
    record("both", builder.compile().invoke({"path": []}))


def program_defer(record, any_saver):
    builder = add(StateGraph(State), "a", "b1", "b2", "b3", "c")
    builder.add_node("last", lambda state: {"path": ["last"]}, defer=True)
    builder.add_edge(START, "a").add_edge("a", "b1").add_edge("b1", "b2").add_edge("b2", "b3").add_edge(
        "b3", "last"
    )
    builder.add_edge("a", "c").add_edge("c", "last")
    graph = builder.compile(checkpointer=any_saver)
    record("values", list(graph.stream({"path": []}, CONFIG, stream_mode="values")))
    if any_saver:
        record("next", [s.next for s in graph.get_state_history(CONFIG)])


def program_defer_with_barrier_and_sends(record):
    builder = add(StateGraph(State), "a", "b")
    builder.add_node("w", lambda state: {"path": [f"w{state['i']}"]})
    builder.add_node("last", lambda state: {"path": ["last"]}, defer=True)
    builder.add_edge(START, "a").add_conditional_edges(
        "a", lambda state: [Send("w", {"i": 2}), Send("w", {"i": 1}), "b"]
    )
    builder.add_edge("w", "last").add_edge("b", "last")
    record("result", builder.compile().invoke({"path": []}))


def program_defer_then_more(record):
    builder = add(StateGraph(State), "a", "b", "after")
    builder.add_node("last", lambda state: {"path": ["last"]}, defer=True)
    builder.add_edge(START, "last").add_edge(START, "a").add_edge("a", "b").add_edge("last", "after")
    record("result", builder.compile().invoke({"path": []}))


def program_defer_beside_sends(record):
    def sending(state):
        return Command(update={"path": ["a"]}, goto=[Send("w", {})])

    builder = add(StateGraph(State), "w", "x").add_node("a", sending)
    builder.add_node("last", lambda state: {"path": ["last"]}, defer=True)
    builder.add_edge(START, "a").add_edge("a", "last").add_edge("w", "x")
    record(
        "a deferred node does not wait for Sends",
        list(builder.compile().stream({"path": []}, stream_mode="values")),
    )


def program_overwrite(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("reset", lambda state: {"path": Overwrite(["fresh"])})
    builder.add_node("json", lambda state: {"path": {"__overwrite__": ["from json"]}})
    builder.add_edge(START, "a").add_edge("a", "reset").add_edge("reset", "json")
    graph = builder.compile(checkpointer=any_saver)
    record("values", list(graph.stream({"path": ["in"]}, CONFIG, stream_mode="values")))
    record(
        "updates",
        list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}}, stream_mode="updates")),
    )


def program_overwrite_beside_others(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node(
        "b", lambda state: {"path": Overwrite(["b"])}
    )
    builder.add_node("c", lambda state: {"path": ["c"]})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(START, "c")
    record("it wins", builder.compile().invoke({"path": ["in"]}))
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": Overwrite(["a"])}).add_node(
        "b", lambda state: {"path": Overwrite(["b"])}
    )
    builder.add_edge(START, "a").add_edge(START, "b")
    record.error(
        "two",
        lambda: builder.compile().invoke({"path": []}),
        "Can receive only one Overwrite value per super-step.",
    )


def program_overwrite_as_input_and_update(record, saver):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    graph.invoke({"path": ["in"]}, CONFIG)
    record("input", graph.invoke({"path": Overwrite(["new"])}, CONFIG))
    graph.update_state(CONFIG, {"path": Overwrite(["updated"])})
    record("update", graph.get_state(CONFIG).values)


def program_untracked(record, saver):
    class WithUntracked(TypedDict):
        path: Annotated[list, operator.add]
        session: Annotated[Any, UntrackedValue]

    seen = []

    def open_(state):
        return {"session": "open", "path": ["open"]}

    def use(state):
        seen.append(state.get("session"))
        return {"path": ["use"]}

    graph = (
        StateGraph(WithUntracked)
        .add_node("open", open_)
        .add_node("use", use)
        .add_edge(START, "open")
        .add_edge("open", "use")
    )
    graph = graph.compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("seen", seen)
    record("state", graph.get_state(CONFIG).values)
    record("again", graph.invoke({"path": []}, CONFIG))
    record("history", [s.values for s in graph.get_state_history(CONFIG)])


def program_untracked_input(record, saver):
    class WithUntracked(TypedDict):
        path: Annotated[list, operator.add]
        handle: Annotated[object, UntrackedValue]

    graph = StateGraph(WithUntracked).add_node("a", lambda state: {"path": [type(state["handle"]).__name__]})
    graph = graph.add_edge(START, "a").compile(checkpointer=saver)
    record("result keys", sorted(graph.invoke({"path": [], "handle": {"no": "lock"}}, CONFIG)))
    record("state", graph.get_state(CONFIG).values)


def program_destinations(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(goto="b"), destinations=("b",))
    builder.add_node("b", lambda state: {"path": ["b"]})
    record("result", builder.add_edge(START, "a").compile().invoke({"path": []}))


def program_node_metadata(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}, metadata={"colour": "red"})
    record("metadata", builder.nodes["a"].metadata)
    record("result", builder.add_edge(START, "a").compile().invoke({"path": []}))


def program_managed_values(record):
    from langgraph.managed import IsLastStep, RemainingSteps

    class Managed(TypedDict):
        path: Annotated[list, operator.add]
        remaining: RemainingSteps
        last: IsLastStep

    seen = []

    def loop(state):
        seen.append((state["remaining"], state["last"]))
        return {"path": ["x"]}

    builder = StateGraph(Managed).add_node(loop).add_edge(START, "loop")
    builder.add_conditional_edges("loop", lambda state: "loop" if state["remaining"] > 2 else END)
    record("result", builder.compile().invoke({"path": []}, {"recursion_limit": 6}))
    record("seen", seen)


def program_wide_state(record, saver):
    fields = {f"k{i}": int for i in range(30)}
    Wide = TypedDict("Wide", fields)
    builder = StateGraph(Wide)
    builder.add_node("a", lambda state: {"k3": 1, "k29": 2}).add_node("b", lambda state: {"k0": state["k29"]})
    graph = builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)
    record("result", graph.invoke({f"k{i}": i for i in range(0, 30, 2)}, CONFIG))
    record("history", [s.values for s in graph.get_state_history(CONFIG)])


def program_path_from_start_over_a_topic_that_was_given_nothing(record):
    class Topics(TypedDict):
        items: list
        results: Annotated[list, Topic(str)]

    builder = StateGraph(Topics)
    builder.add_node("worker", lambda state: {"results": f"did {state['item']}"})
    builder.add_node("collect", lambda state: record("collected", state["results"]))
    builder.add_conditional_edges(
        START,
        lambda state: (
            record("path", sorted(state)) or [Send("worker", {"item": item}) for item in state["items"]]
        ),
        ["worker"],
    )
    builder.add_edge("worker", "collect")
    record("result", builder.compile().invoke({"items": ["a", "b"], "results": []}))
