"""Building graphs: nodes, edges, entry and finish points."""

import enum
import functools
import operator
from typing import Annotated

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
