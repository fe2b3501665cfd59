"""Building graphs: nodes, edges, conditional edges, entry and finish points."""

import enum
import functools
import operator
from typing import Annotated, Literal

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list[str], operator.add]
    n: int


def node(name):
    def run(state):
        return {"path": [name]}

    run.__name__ = name
    return run


def program_chain(record, any_saver):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    builder.add_edge("b", "c")
    builder.add_edge("c", END)
    graph = builder.compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": ["in"]}, {"configurable": {"thread_id": "1"}}))
    record("updates", list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}})))


def program_chained_builder(record):
    graph = (
        StateGraph(State)
        .add_node("a", node("a"))
        .add_node(node("b"))
        .add_edge(START, "a")
        .add_edge("a", "b")
        .add_edge("b", END)
        .compile(name="chained")
    )
    record("result", graph.invoke({"path": []}))
    record("name", graph.name)
    record("default name", StateGraph(State).add_node("a", node("a")).add_edge(START, "a").compile().name)


def program_entry_and_finish_points(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a"))
    builder.add_node("b", node("b"))
    builder.set_entry_point("a")
    builder.add_edge("a", "b")
    builder.set_finish_point("b")
    graph = builder.compile()
    record("result", graph.invoke({"path": []}))


def program_conditional_entry_point(record):
    builder = StateGraph(State)
    builder.add_node("a", node("a")).add_node("b", node("b"))
    builder.set_conditional_entry_point(
        lambda state: "left" if state["n"] else "right", {"left": "a", "right": "b"}
    )
    graph = builder.add_edge("a", END).add_edge("b", END).compile()
    record("1", graph.invoke({"path": [], "n": 1}))
    record("0", graph.invoke({"path": [], "n": 0}))


def program_add_sequence(record):
    builder = StateGraph(State)
    builder.add_sequence([node("a"), ("second", node("b")), node("c")])
    builder.add_edge(START, "a")
    graph = builder.compile()
    record("updates", list(graph.stream({"path": []})))
    record.error("empty", lambda: StateGraph(State).add_sequence([]), "Sequence requires at least one node")
    record.error(
        "repeated",
        lambda: StateGraph(State).add_sequence([node("a"), node("a")]),
        "Node names must be unique",
    )


def program_node_kinds(record):
    class Callable:
        def __call__(self, state):
            return {"path": ["object"]}

    class WithMethod:
        def method(self, state):
            return {"path": ["method"]}

        @staticmethod
        def static(state):
            return {"path": ["static"]}

    def takes(prefix, state):
        return {"path": [prefix]}

    builder = StateGraph(State)
    builder.add_node("lambda", lambda state: {"path": ["lambda"]})
    builder.add_node("object", Callable())
    builder.add_node(WithMethod().method)
    builder.add_node(WithMethod.static)
    builder.add_node("partial", functools.partial(takes, "partial"))

    @builder.add_node
    def decorated(state):
        return {"path": ["decorated"]}

    names = list(builder.nodes)
    record("names", names)
    builder.add_edge(START, names[0])
    for left, right in zip(names, names[1:]):
        builder.add_edge(left, right)
    record("result", builder.compile().invoke({"path": []}))


def program_enum_names(record):
    class Name(str, enum.Enum):
        FIRST = "first"
        SECOND = "second"

    builder = StateGraph(State)
    builder.add_node(Name.FIRST, node("1"))
    builder.add_node(Name.SECOND, node("2"))
    builder.add_edge(START, Name.FIRST)
    builder.add_edge(Name.FIRST, Name.SECOND)
    record(
        "updates",
        [
            sorted(str(getattr(k, "value", k)) for k in chunk)
            for chunk in builder.compile().stream({"path": []})
        ],
    )
    record("result", builder.compile().invoke({"path": []}))


def program_fan_out_and_in(record, any_saver):
    builder = StateGraph(State)
    for name in "abcd":
        builder.add_node(name, node(name))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b").add_edge("a", "c")
    builder.add_edge("b", "d").add_edge("c", "d")
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record("values", list(graph.stream({"path": []}, config, stream_mode="values")))
    if any_saver:
        record("next", [snapshot.next for snapshot in graph.get_state_history(config)])


def program_branches_of_unequal_length(record):
    builder = StateGraph(State)
    for name in ("a", "b1", "b2", "c", "d"):
        builder.add_node(name, node(name))
    builder.add_edge(START, "a").add_edge("a", "b1").add_edge("a", "c")
    builder.add_edge("b1", "b2").add_edge("b2", "d").add_edge("c", "d")
    record("d runs once for every arrival", builder.compile().invoke({"path": []}))


def program_join_of_list(record):
    builder = StateGraph(State)
    for name in ("a", "b1", "b2", "c", "d"):
        builder.add_node(name, node(name))
    builder.add_edge(START, "a").add_edge("a", "b1").add_edge("a", "c")
    builder.add_edge("b1", "b2").add_edge(["b2", "c"], "d")
    record("d waits for both", builder.compile().invoke({"path": []}))


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


def program_node_returns_nothing(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("none", lambda state: None)
    builder.add_node("empty", lambda state: {})
    builder.add_edge(START, "none").add_edge("none", "empty")
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record("updates", list(graph.stream({"path": ["in"]}, config)))
    record(
        "values",
        list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}}, stream_mode="values")),
    )


def program_node_returns_list_of_updates(record):
    builder = StateGraph(State)
    builder.add_node("bad", lambda state: [{"path": ["1"]}, {"path": ["2"], "n": 3}])
    graph = builder.add_edge(START, "bad").compile()
    record.error("a list without a Command", lambda: graph.invoke({"path": []}), "Expected dict, got [")
    builder = StateGraph(State)
    builder.add_node("many", lambda state: [Command(update={"path": ["1"]}), {"path": ["2"], "n": 3}])
    graph = builder.add_edge(START, "many").compile()
    record("result", graph.invoke({"path": []}))
    record("updates", list(graph.stream({"path": []})))
    record(
        "tasks",
        [{k: v for k, v in c.items() if k != "id"} for c in graph.stream({"path": []}, stream_mode="tasks")],
    )


def program_two_builders_share_functions(record):
    shared = node("shared")
    results = []
    for _ in range(2):
        graph = StateGraph(State).add_node(shared).add_edge(START, "shared").compile()
        results.append(graph.invoke({"path": []}))
    record("independent", results)


def program_compile_twice(record, any_saver):
    builder = StateGraph(State).add_node("a", node("a")).add_edge(START, "a")
    first, second = builder.compile(), builder.compile(checkpointer=any_saver)
    builder.add_node("b", node("b")).add_edge("a", "b")
    third = builder.compile()
    config = {"configurable": {"thread_id": "1"}}
    record("first", first.invoke({"path": []}))
    record("second", second.invoke({"path": []}, config))
    record("third", third.invoke({"path": []}))


def program_builder_is_readable(record):
    builder = StateGraph(State).add_node("a", node("a")).add_edge(START, "a").add_edge("a", END)
    record("nodes", list(builder.nodes))
    record("edges", builder.edges)
    record("channels", sorted(builder.channels))
    graph = builder.compile()
    record("graph nodes", sorted(graph.nodes))
    record("builder", graph.builder is builder)


class Step(str, enum.Enum):
    FIRST = "first"
    SECOND = "second"


def program_names_that_are_members_of_an_enum(record):
    builder = StateGraph(State)
    builder.add_node(Step.FIRST, lambda state: {"path": ["first"]})
    builder.add_node(Step.SECOND, lambda state: {"path": ["second"]})
    graph = builder.add_edge(START, Step.FIRST).add_edge(Step.FIRST, Step.SECOND).compile()
    # A member is equal to its value, so that either finds the other.
    for chunk in graph.stream({"path": []}, stream_mode="updates"):
        record("by member", [name for name in Step if name in chunk])
        record("by value", [name.value for name in Step if name.value in chunk])
    record("nodes", [name in graph.nodes for name in (Step.FIRST, "first", Step.SECOND, "second")])
    record("text", graph.get_graph().draw_mermaid())
    stopped = builder.compile(checkpointer=InMemorySaver(), interrupt_before=[Step.SECOND])
    config = {"configurable": {"thread_id": "1"}}
    stopped.invoke({"path": []}, config)
    record("next", stopped.get_state(config).next == (Step.SECOND,))
    record("as node", stopped.update_state(config, {"path": ["mine"]}, as_node=Step.FIRST) is not None)
    record("went on", stopped.invoke(None, config)["path"])
