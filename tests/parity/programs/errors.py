"""What goes wrong while building and running, and how it is said."""

import operator
from typing import Annotated, Literal

from langgraph.errors import EmptyInputError, GraphRecursionError, InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def node(state):
    return {"path": ["x"]}


def program_building(record):
    new = lambda: StateGraph(State).add_node("a", node)
    record.error("no entry", lambda: new().compile(), "Graph must have an entrypoint")
    record.error("edge to unknown", lambda: new().add_edge(START, "a").add_edge("a", "zz").compile(), "zz")
    record.error(
        "edge from unknown",
        lambda: new().add_edge(START, "a").add_edge("zz", "a").compile(),
        "Found edge starting at unknown node ",
    )
    record.error("start to unknown", lambda: StateGraph(State).add_edge(START, "zz").compile(), "zz")
    record.error("same name", lambda: new().add_node("a", node), "already present")
    record.error("START as name", lambda: StateGraph(State).add_node(START, node), "reserved")
    record.error("END as name", lambda: StateGraph(State).add_node(END, node), "reserved")
    record.error("bar in name", lambda: StateGraph(State).add_node("a|b", node), "reserved character")
    record.error("colon in name", lambda: StateGraph(State).add_node("a:b", node), "reserved character")
    record.error("edge from END", lambda: new().add_edge(END, "a"), "END cannot be a start node")
    record.error("edge to START", lambda: new().add_edge("a", START), "START cannot be an end node")
    record.error("name without action", lambda: StateGraph(State).add_node("a"))
    record.error("list from unknown", lambda: new().add_edge(START, "a").add_edge(["a", "q"], "a"), "q")
    record.error("action is no function", lambda: StateGraph(State).add_node("a", 3))


def program_name_of_a_state_key(record):
    record.error(
        "a node may be called like a key",
        lambda: StateGraph(State).add_node("n", node).add_edge(START, "n").compile().invoke({"path": []}),
    )


def program_unknown_targets(record):
    builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "zz", {"zz": "nowhere"})
    record.error("path map", lambda: builder.compile(), "nowhere")

    def route(state) -> Literal["missing"]:
        return "missing"

    builder = StateGraph(State).add_node("a", node).add_edge(START, "a").add_conditional_edges("a", route)
    record.error("annotation", lambda: builder.compile(), "missing")
    builder = (
        StateGraph(State).add_node("a", node).add_edge(START, "a").add_conditional_edges("unknown", route)
    )
    record.error("source", lambda: builder.compile(), "unknown")


def program_invalid_checkpointer(record):
    builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
    record.error("a number", lambda: builder.compile(checkpointer=3), "Invalid checkpointer provided")
    record.error("a class", lambda: builder.compile(checkpointer=dict), "Invalid checkpointer provided")
    record.error("a string", lambda: builder.compile(checkpointer="memory"), "Invalid checkpointer provided")


def program_bad_return_values(record):
    for value in (3, "text", ["a"], [1], object, (1, 2)):
        graph = StateGraph(State).add_node("a", lambda state: value).add_edge(START, "a").compile()
        record.error(f"{value!r}", lambda: graph.invoke({"path": []}), "Expected dict, got")
    try:
        graph.invoke({"path": []})
    except InvalidUpdateError as error:
        record("class", type(error).__name__)


def program_errors_of_nodes(record, any_saver):
    class Mine(Exception):
        pass

    def fail(state):
        raise Mine("mine", 3)

    graph = StateGraph(State).add_node(fail).add_edge(START, "fail").compile(checkpointer=any_saver)
    try:
        graph.invoke({"path": []}, CONFIG)
    except Mine as error:
        record("args", error.args)
        record("notes mention the node", any("fail" in note for note in getattr(error, "__notes__", [])))


def program_base_exceptions(record, saver):
    def stop(state):
        raise KeyboardInterrupt

    graph = StateGraph(State).add_node(stop).add_edge(START, "stop").compile(checkpointer=saver)
    record.error("keyboard", lambda: graph.invoke({"path": []}, CONFIG))
    record("state", (graph.get_state(CONFIG).next, graph.get_state(CONFIG).values))


def program_first_of_two_errors(record):
    import time

    def quick(state):
        raise ValueError("quick")

    def slow(state):
        time.sleep(0.05)
        return {"path": ["slow"]}

    graph = (
        StateGraph(State)
        .add_node(quick)
        .add_node(slow)
        .add_edge(START, "quick")
        .add_edge(START, "slow")
        .compile()
    )
    record.error("quick", lambda: graph.invoke({"path": []}), "quick")


def program_classes(record):
    record("recursion is a RecursionError", issubclass(GraphRecursionError, RecursionError))
    record("empty input", issubclass(EmptyInputError, Exception))
    record("invalid update", [base.__name__ for base in InvalidUpdateError.__mro__])


def program_error_in_conditional_edge(record, saver):
    def route(state):
        raise LookupError("no way")

    builder = StateGraph(State).add_node("a", node).add_edge(START, "a").add_conditional_edges("a", route)
    graph = builder.compile(checkpointer=saver)
    record.error("route fails", lambda: graph.invoke({"path": []}, CONFIG), "no way")
    record("error", [task.error for task in graph.get_state(CONFIG).tasks])


def program_conditional_returns_none(record):
    builder = (
        StateGraph(State)
        .add_node("a", node)
        .add_edge(START, "a")
        .add_conditional_edges("a", lambda state: None)
    )
    record.error("None", lambda: builder.compile().invoke({"path": []}), "did not return a valid destination")
    builder = (
        StateGraph(State)
        .add_node("a", node)
        .add_edge(START, "a")
        .add_conditional_edges("a", lambda state: [])
    )
    record.error("empty list", lambda: builder.compile().invoke({"path": []}))


def program_state_schema_needed(record):
    record.error("none given", lambda: StateGraph())


def program_generator_nodes(record):
    def generate(state):
        yield {"path": ["1"]}

    graph = StateGraph(State).add_node(generate).add_edge(START, "generate").compile()
    record.error("generators are no nodes", lambda: graph.invoke({"path": []}))


def program_async_node_in_sync_run(record):
    async def later(state):
        return {"path": ["x"]}

    graph = StateGraph(State).add_node(later).add_edge(START, "later").compile()
    record.error("sync run", lambda: graph.invoke({"path": []}), "No synchronous function provided")


def program_unserialisable_value(record, saver):
    import threading

    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"n": threading.Lock()})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    record.error("a lock in the state", lambda: graph.invoke({"path": []}, CONFIG))


def program_settings_of_a_config(record, saver):
    """A caller's own settings are found under `configurable`, wherever they were given."""
    seen = []

    def look(state, config):
        seen.append({key: config["configurable"].get(key) for key in ("thread_id", "user")})

    graph = StateGraph(State).add_node(look).add_edge(START, "look").compile(checkpointer=saver)
    graph.invoke({"path": []}, {"thread_id": "1", "user": "u"})
    graph.invoke({"path": []}, {"configurable": {"thread_id": "1"}, "user": "u"})
    graph.invoke({"path": []}, {"configurable": {"thread_id": "1", "user": "a"}, "user": "b"})
    graph.with_config({"thread_id": "2"}).invoke({"path": []}, {"user": "u"})
    record("seen", seen)
    record("metadata", [s.metadata for s in graph.get_state_history({"thread_id": "1"})])


def program_settings_that_make_no_sense(record):
    graph = StateGraph(State).add_node("a", node).add_edge(START, "a").compile()
    record.error("limit 0", lambda: graph.invoke({"path": []}, {"recursion_limit": 0}), "recursion_limit")
    record.error("limit text", lambda: graph.invoke({"path": []}, {"recursion_limit": "3"}))
    record.error("output key", lambda: graph.invoke({"path": []}, output_keys="zz"), "Key zz not in channels")
    record.error(
        "output keys", lambda: graph.invoke({"path": []}, output_keys=["n", "zz"]), "Key zz not in channels"
    )
    record.error("context of no schema", lambda: graph.invoke({"path": []}, context={"a": 1}))
    record.error("breakpoint as text", lambda: graph.builder.compile(interrupt_before="a"))
    record.error(
        "configs",
        lambda: graph.batch([{"path": []}] * 2, [CONFIG]),
        "config must be a list of the same length",
    )
    record.error("not compiled", lambda: graph.builder.invoke({"path": []}))


def program_bulk_updates_as_tuples(record, saver):
    graph = StateGraph(State).add_node("a", node).add_edge(START, "a").compile(checkpointer=saver)
    graph.bulk_update_state(CONFIG, [[({"path": ["a"], "n": 1}, "a", None)]])
    record("state", graph.get_state(CONFIG).values)


def program_paths_that_the_map_lacks(record, saver):
    for answer in ("zz", None, 3, ["a", "zz"], {"a": 1}):
        builder = StateGraph(State).add_node("a", node).add_edge(START, "a")
        graph = builder.add_conditional_edges("a", lambda state: answer, {"end": END}).compile(
            checkpointer=saver
        )
        record.error(
            f"{answer!r}", lambda: graph.invoke({"path": []}, {"configurable": {"thread_id": repr(answer)}})
        )


async def program_a_node_that_raises_stop_iteration(record):
    def runs_out(state):
        return {"path": [next(iter(()))]}

    graph = StateGraph(State).add_node(runs_out).add_edge(START, "runs_out").compile()
    record.error("sync", lambda: graph.invoke({"path": []}), "StopIteration")
    await record.aerror("async", graph.ainvoke({"path": []}))
