"""Conditional edges: paths, maps, lists, several of them, cycles and their limit."""

import operator
from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Overwrite
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list[str], operator.add]
    n: int


def node(name):
    def run(state):
        return {"path": [name]}

    run.__name__ = name
    return run


def program_conditional_entry_point(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a")).add_node("b", node("b"))
    builder.set_conditional_entry_point(
        lambda state: "left" if state["n"] else "right", {"left": "a", "right": "b"}
    )
    graph = builder.add_edge("a", END).add_edge("b", END).compile()
    record("1", graph.invoke({"path": [], "n": 1}))
    record("0", graph.invoke({"path": [], "n": 0}))


def route(state) -> Literal["even", "odd"]:
    return "even" if state["n"] % 2 == 0 else "odd"


def program_conditional_edges(record, any_saver):
    for kind, extra in {
        "annotated": (),
        "mapping": ({"even": "even", "odd": "odd"},),
        "list": (["even", "odd"],),
    }.items():
        builder = StateGraph(State)
        builder.add_node("start", node("start")).add_node("even", node("even")).add_node("odd", node("odd"))
        builder.add_edge(START, "start")
        builder.add_conditional_edges("start", route, *extra)
        graph = builder.compile(checkpointer=any_saver)
        for n in (1, 2):
            record(
                f"{kind} {n}",
                graph.invoke({"path": [], "n": n}, {"configurable": {"thread_id": f"{kind}{n}"}}),
            )


def program_conditional_edges_to_end(record):
    def done(state):
        return END if len(state["path"]) > 3 else "again"

    builder = StateGraph(State)
    builder.add_node("again", node("again"))
    builder.add_edge(START, "again")
    builder.add_conditional_edges("again", done)
    record("loop", builder.compile().invoke({"path": []}))


def program_conditional_edges_return_list(record):
    def fan(state):
        return ["c", "b"]

    builder = StateGraph(State)
    for name in "abcd":
        builder.add_node(name, node(name))
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", fan, ["b", "c", "d"])
    builder.add_edge("b", "d")
    graph = builder.compile()
    record("values", list(graph.stream({"path": []}, stream_mode="values")))


def program_conditional_map_with_other_keys(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a")).add_node("b", node("b"))
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: state["n"] > 1, {True: "b", False: END})
    graph = builder.compile()
    record("true", graph.invoke({"path": [], "n": 5}))
    record("false", graph.invoke({"path": [], "n": 0}))


def program_conditional_map_misses_a_key(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a")).add_node("b", node("b"))
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "unmapped", {"mapped": "b"})
    record.error("no entry", lambda: builder.compile().invoke({"path": [], "n": 5}), "unmapped")


def program_several_conditional_edges(record):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name))
    builder.add_edge(START, "a")

    def first(state):
        return "b"

    def second(state):
        return "c" if state["n"] else END

    builder.add_conditional_edges("a", first)
    builder.add_conditional_edges("a", second)
    graph = builder.compile()
    record("both", graph.invoke({"path": [], "n": 1}))
    record("one", graph.invoke({"path": [], "n": 0}))
    record.error("same function twice", lambda: builder.add_conditional_edges("a", first), "already exists")


def program_conditional_sees_the_update(record):
    seen = []

    def path(state):
        seen.append(dict(state))
        return END

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"], "n": state["n"] + 1, "extra": "only for the edge"})
    builder.add_edge(START, "a").add_conditional_edges("a", path)
    record("result", builder.compile().invoke({"path": ["in"], "n": 1}))
    record("seen", seen)


def program_conditional_from_start(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a")).add_node("b", node("b"))
    builder.add_conditional_edges(START, lambda state: ["a", "b"] if state["n"] else "b")
    graph = builder.compile()
    record("both", graph.invoke({"path": [], "n": 1}))
    record("b", graph.invoke({"path": [], "n": 0}))


def program_cycle(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("work", lambda state: {"path": ["w"], "n": state["n"] + 1})
    builder.add_node("check", node("check"))
    builder.add_edge(START, "work").add_edge("work", "check")
    builder.add_conditional_edges("check", lambda state: "work" if state["n"] < 3 else END)
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record("updates", list(graph.stream({"path": [], "n": 0}, config)))
    if any_saver:
        record("history", [(s.next, s.metadata, s.values) for s in graph.get_state_history(config)])


def program_recursion_limit(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("again", node("x"))
    builder.add_edge(START, "again").add_edge("again", "again")
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 4}
    record.error("limit", lambda: graph.invoke({"path": []}, config), "Recursion limit of 4 reached")
    if any_saver:
        record("state", graph.get_state(config))
    record.chunks(
        "stream", graph.stream({"path": []}, {"configurable": {"thread_id": "2"}, "recursion_limit": 2})
    )
    record.error(
        "zero", lambda: graph.invoke({"path": []}, {**config, "recursion_limit": 0}), "recursion_limit"
    )


def program_recursion_limit_is_exactly_enough(record):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name))
    graph = builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile()
    record.error("2", lambda: graph.invoke({"path": []}, {"recursion_limit": 2}), "Recursion limit")
    record.error(
        "3: the step that would find nothing to do counts",
        lambda: graph.invoke({"path": []}, {"recursion_limit": 3}),
        "Recursion limit",
    )
    record("4", graph.invoke({"path": []}, {"recursion_limit": 4}))
    limited = graph.with_config(recursion_limit=2)
    record.error("with_config", lambda: limited.invoke({"path": []}), "Recursion limit")


def program_paths_see_an_overwrite_as_the_step_will_have_it(record):
    def returned(overwrite, how):
        updates = [{"path": overwrite}, {"path": ["beside"]}]
        if how == "pairs":
            return Command(update=[("path", overwrite), ("path", ["beside"])])
        return (
            [updates[0], Command(update=updates[1])]
            if how == "list"
            else [Command(update=updates[1]), *updates[:1]]
        )

    for overwrite in (Overwrite(["anew"]), {"__overwrite__": ["anew"]}):
        for how in ("pairs", "list", "after"):
            seen = []
            builder = StateGraph(State).add_node("a", lambda state, o=overwrite, h=how: returned(o, h))
            builder.add_node("b", node("b")).add_edge(START, "a")
            builder.add_conditional_edges("a", lambda state, seen=seen: seen.append([*state["path"]]) or "b")
            result = builder.compile().invoke({"path": ["in"]})
            record(f"{type(overwrite).__name__}, {how}", (seen, result))


class Ordered(TypedDict, total=False):
    a: int
    b: int
    c: Annotated[list, operator.add]
    d: int


def program_paths_see_the_keys_in_the_order_of_the_schema(record):
    seen = []

    def any_path(state):
        seen.append(list(state))
        return END

    def typed_path(state: Ordered):
        return any_path(state)

    for path in (any_path, typed_path):
        builder = (
            StateGraph(Ordered)
            .add_node("late", lambda state: {"d": 4})
            .add_node("early", lambda state: {"c": [3], "b": 2})
        )
        builder.add_edge(START, "late").add_edge("late", "early").add_conditional_edges("early", path)
        graph = builder.compile()
        graph.invoke({"a": 1})
        graph.invoke({"c": [1], "a": 1})
    record("seen", seen)
