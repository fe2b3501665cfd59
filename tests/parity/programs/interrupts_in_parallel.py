"""Nodes that ask at once, in one step: all answers, some, or one that is refused."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    answer: object


CONFIG = {"configurable": {"thread_id": "1"}}


def parallel(saver, names="abc", after=None):
    def asker(name):
        return lambda state: {"path": [f"{name}:{interrupt({'who': name})}"]}

    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, asker(name)).add_edge(START, name)
    if after:
        builder.add_node("after", after)
        builder.add_edge(list(names), "after")
    return builder.compile(checkpointer=saver)


def by_who(graph, config=CONFIG):
    return {item.value["who"]: item.id for item in graph.get_state(config).interrupts}


def sorted_by_who(result):
    """Parallel tasks ask in the order in which they get there."""
    return {**result, "__interrupt__": sorted(result["__interrupt__"], key=lambda item: item.value["who"])}


def program_parallel_all_at_once(record, saver):
    graph = parallel(saver, after=lambda state: {"path": ["after"]})
    result = graph.invoke({"path": []}, CONFIG)
    record(
        "pause",
        {"path": result["path"], "asked": sorted(item.value["who"] for item in result["__interrupt__"])},
    )
    state = graph.get_state(CONFIG)
    record("next", state.next)
    record("tasks", state.tasks)
    record("interrupts", state.interrupts)
    ids = by_who(graph)
    record("done", graph.invoke(Command(resume={ids[who]: f"for {who}" for who in ids}), CONFIG))


def program_parallel_some(record, saver):
    graph = parallel(saver, after=lambda state: {"path": ["after"]})
    graph.invoke({"path": []}, CONFIG)
    ids = by_who(graph)
    record("answer b", sorted_by_who(graph.invoke(Command(resume={ids["b"]: "B"}), CONFIG)))
    state = graph.get_state(CONFIG)
    record("next", state.next)
    record("open", sorted(by_who(graph)))
    record("same ids", all(by_who(graph)[who] == ids[who] for who in by_who(graph)))
    record("values", state.values)
    record("tasks", state.tasks)
    record.bag("answer a", graph.stream(Command(resume={ids["a"]: "A"}), CONFIG))
    record.bag("answer c", graph.stream(Command(resume={ids["c"]: "C"}), CONFIG))
    record("state", graph.get_state(CONFIG))
    record("history", [(s.next, s.metadata, s.values) for s in graph.get_state_history(CONFIG)])


def program_parallel_scalar_is_refused(record, saver):
    graph = parallel(saver)
    graph.invoke({"path": []}, CONFIG)
    fragment = "When there are multiple pending interrupts, you must specify the interrupt id when resuming."
    record.error("scalar", lambda: graph.invoke(Command(resume="x"), CONFIG), fragment)
    record("still open", sorted(by_who(graph)))
    ids = by_who(graph)
    record("done", graph.invoke(Command(resume={ids[who]: who.upper() for who in ids}), CONFIG))


def program_parallel_last_by_scalar(record, saver):
    graph = parallel(saver, "ab")
    graph.invoke({"path": []}, CONFIG)
    ids = by_who(graph)
    graph.invoke(Command(resume={ids["a"]: "A"}), CONFIG)
    record("one left: a plain answer", graph.invoke(Command(resume="B"), CONFIG))


def program_sibling_that_finished(record, saver):
    runs = []

    def worker(state):
        runs.append("worker")
        return {"path": ["worker"]}

    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_node(worker)
    builder.add_edge(START, "ask").add_edge(START, "worker")
    graph = builder.compile(checkpointer=saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    state = graph.get_state(CONFIG)
    record("values show it", state.values)
    record("next", state.next)
    record("tasks", state.tasks)
    record("again", graph.invoke(None, CONFIG))
    record.bag("resume", graph.stream(Command(resume="R"), CONFIG))
    record("runs", runs)
    record("state", graph.get_state(CONFIG))


def program_two_questions_in_parallel_nodes(record, saver):
    def asker(name):
        def run(state):
            return {"path": [name, interrupt({"who": f"{name}1"}), interrupt({"who": f"{name}2"})]}

        return run

    builder = StateGraph(State)
    for name in "ab":
        builder.add_node(name, asker(name)).add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    first = by_who(graph)
    record("first", sorted(first))
    record("b1", sorted_by_who(graph.invoke(Command(resume={first["b1"]: "b-one"}), CONFIG)))
    second = by_who(graph)
    record("open", sorted(second))
    graph.invoke(Command(resume={second["a1"]: "a-one", second["b2"]: "b-two"}), CONFIG)
    third = by_who(graph)
    record("open", sorted(third))
    record("done", graph.invoke(Command(resume={third["a2"]: "a-two"}), CONFIG))
