"""Threads that a program copies from one saver to another: checkpoint by checkpoint, with what tasks left."""

import operator
from copy import deepcopy
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def graph_with(saver, names=("first", "second")):
    def asking(name):
        return lambda state: {"path": [name, interrupt(name)]}

    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, asking(name)).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def copied(source, target, *, apart=False):
    """Copy thread 1 into `target`, oldest first; `apart`: all checkpoints before what tasks left."""
    tuples = list(source.list(CONFIG))[::-1]
    later = []
    for found in tuples:
        place = found.parent_config or {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
        target.put(place, found.checkpoint, found.metadata, found.checkpoint["channel_versions"])
        tasks = {}
        for task_id, channel, value in found.pending_writes:
            tasks.setdefault(task_id, []).append((channel, value))
        later += [(found.config, writes, task_id) for task_id, writes in tasks.items()]
        if not apart:
            for args in later:
                target.put_writes(*args)
            later = []
    for args in later:
        target.put_writes(*args)
    return target


def show(record, name, graph):
    state = graph.get_state(CONFIG)
    record(name, [state.values, state.next, state.interrupts, [task.interrupts for task in state.tasks]])
    steps = [(one.next, [task.interrupts for task in one.tasks]) for one in graph.get_state_history(CONFIG)]
    record(f"{name}: history", steps)


def program_copied_while_it_asks(record):
    for apart in (False, True):
        with SqliteSaver.from_conn_string(":memory:") as source:
            graph_with(source, ["only"]).invoke({"path": []}, CONFIG)
            graph = graph_with(copied(source, InMemorySaver(), apart=apart), ["only"])
            show(record, f"asks {apart}", graph)
            record(f"answered {apart}", graph.invoke(Command(resume="yes"), CONFIG))
            show(record, f"done {apart}", graph)
            record(f"source {apart}", graph_with(source, ["only"]).get_state(CONFIG).next)


def program_copied_after_one_of_two_answers(record):
    source = InMemorySaver()
    graph = graph_with(source)
    graph.invoke({"path": []}, CONFIG)
    ids = {asked.value: asked.id for asked in graph.get_state(CONFIG).interrupts}
    graph.invoke(Command(resume={ids["first"]: "yes"}), CONFIG)
    with SqliteSaver.from_conn_string(":memory:") as target:
        graph = graph_with(copied(source, target))
        show(record, "asks", graph)
        record("answered", graph.invoke(Command(resume={ids["second"]: "no"}), CONFIG))
        show(record, "done", graph)
        graph = graph_with(copied(target, InMemorySaver(), apart=True))
        show(record, "copied when it was done", graph)
        asked = graph.invoke({"path": ["again"]}, CONFIG)["__interrupt__"]
        record("next turn", sorted(asked, key=lambda one: one.value))  # LangGraph: as they were asked


def program_savers_and_stores_are_copied_deeply(record):
    """As for what would have been: the copy has the threads, and what is done with it is not done with the other."""

    def ask(state):
        return {"path": [interrupt(state["path"])]}

    class Named(InMemorySaver):
        def __init__(self):
            super().__init__()
            self.notes = ["made"]

    store = InMemoryStore()
    store.put(("a",), "k", {"v": [1]})
    saver = Named()
    builder = StateGraph(State).add_node("ask", ask).add_node("end", lambda state: {"path": ["end"]})
    builder.add_edge(START, "ask").add_edge("ask", "end")
    graph = builder.compile(checkpointer=saver, store=store)
    graph.invoke({"path": ["in"]}, CONFIG)
    twin_saver, twin_store = deepcopy(saver), deepcopy(store)
    twin_saver.notes.append("of the copy")
    twin_store.put(("a",), "more", {"v": 2})
    twin = builder.compile(checkpointer=twin_saver, store=twin_store)
    record("the copy", twin.invoke(Command(resume="one"), CONFIG))
    record("the other", graph.get_state(CONFIG))
    record("its answer", graph.invoke(Command(resume="two"), CONFIG))
    record("histories", [[s.values for s in g.get_state_history(CONFIG)] for g in (graph, twin)])
    record("notes", [saver.notes, twin_saver.notes, type(twin_saver) is Named])
    record("items", [[item.key for item in s.search(("a",))] for s in (store, twin_store)])
