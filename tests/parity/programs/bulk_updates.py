"""Bulk updates, updates as the end or the input, and copies of a thread."""

import operator
import threading
import time
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, StateUpdate, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def chain(saver, **options):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    return (
        builder.add_edge(START, "a")
        .add_edge("a", "b")
        .add_edge("b", "c")
        .compile(checkpointer=saver, **options)
    )


def brief(graph, config=CONFIG, **options):
    return [
        (s.values, s.next, s.metadata, [(t.name, t.error, t.result, t.interrupts) for t in s.tasks])
        for s in graph.get_state_history(config, **options)
    ]


def links(graph, config=CONFIG):
    history = list(graph.get_state_history(config))
    ids = {s.config["configurable"]["checkpoint_id"]: number for number, s in enumerate(history)}
    return [
        ids.get(s.parent_config["configurable"]["checkpoint_id"]) if s.parent_config else None
        for s in history
    ]


def program_bulk_update(record, saver):
    graph = chain(saver)
    config = graph.bulk_update_state(
        CONFIG,
        [
            [StateUpdate({"path": ["in"], "n": 1}, "__input__")],
            [StateUpdate({"path": ["in"], "n": 1}, "__start__")],
            [StateUpdate({"path": ["A"]}, "a")],
            [StateUpdate({"path": ["B"]}, "b")],
        ],
    )
    record("config keys", sorted(config["configurable"]))
    record("state", graph.get_state(CONFIG))
    record("history", brief(graph))
    record("links", links(graph))
    record("go on", graph.invoke(None, CONFIG))


def program_bulk_update_equals_a_run(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    steps = [
        [
            StateUpdate(values=task.result, as_node=task.name if task.name != "__start__" else "__input__")
            for task in snapshot.tasks
        ]
        for snapshot in reversed(list(graph.get_state_history(CONFIG)))
        if snapshot.tasks
    ]
    steps.insert(1, [StateUpdate(steps[0][0].values, "__start__")])
    other = {"configurable": {"thread_id": "2"}}
    graph.bulk_update_state(other, steps)
    record("run", brief(graph))
    record("bulk", brief(graph, other))


def program_bulk_update_of_parallel_tasks(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node(
        "b", lambda state: {"path": ["b"]}
    ).add_node("c", lambda state: {"path": ["c"]})
    graph = (
        builder.add_edge(START, "a")
        .add_edge(START, "b")
        .add_edge(["a", "b"], "c")
        .compile(checkpointer=saver)
    )
    graph.bulk_update_state(
        CONFIG,
        [
            [StateUpdate({"path": ["in"]}, "__start__")],
            [StateUpdate({"path": ["A"]}, "a"), StateUpdate({"path": ["B"]}, "b")],
        ],
    )
    record("state", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_bulk_update_errors(record, saver):
    graph = chain(saver)
    record.error("no supersteps", lambda: graph.bulk_update_state(CONFIG, []), "No supersteps provided")
    record.error("no updates", lambda: graph.bulk_update_state(CONFIG, [[]]), "No updates provided")
    record.error(
        "no as_node",
        lambda: graph.bulk_update_state(CONFIG, [[StateUpdate({"n": 1}), StateUpdate({"n": 2})]]),
    )
    record.error(
        "END in a batch",
        lambda: graph.bulk_update_state(CONFIG, [[StateUpdate(None, "__end__"), StateUpdate({"n": 2}, "a")]]),
    )
    record.error(
        "copy in a batch",
        lambda: graph.bulk_update_state(
            CONFIG, [[StateUpdate(None, "__copy__"), StateUpdate({"n": 2}, "a")]]
        ),
    )
    record.error(
        "unknown node", lambda: graph.bulk_update_state(CONFIG, [[StateUpdate({"n": 1}, "zz")]]), "zz"
    )
    record.error(
        "no saver",
        lambda: chain(None).bulk_update_state(CONFIG, [[StateUpdate({"n": 1}, "a")]]),
        "No checkpointer set",
    )


def program_update_as_end_and_input(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(CONFIG, None, as_node="__end__")
    record("ended", graph.get_state(CONFIG))
    record("nothing to do", graph.invoke(None, CONFIG))
    graph.update_state(CONFIG, {"path": ["new input"]}, as_node="__input__")
    record("input", graph.get_state(CONFIG))
    record("runs from the start", graph.invoke(None, CONFIG))
    record("history", brief(graph))


def program_copy(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("b",))
    copied = graph.update_state(old.config, None, as_node="__copy__")
    record("copy", graph.get_state(copied))
    record("links", links(graph))
    record("go on", graph.invoke(None, copied))
    record("history", brief(graph))


def program_copy_with_other_results(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("b",)).config
    for results in ([({"path": ["X"]}, "b")], [({"path": ["X"]}, "b"), ({"path": ["Y"]}, "a")], []):
        copied = graph.update_state(old, results, as_node="__copy__")
        record("copy", (graph.get_state(copied).values, graph.get_state(copied).next))
        record("go on", graph.invoke(None, copied))
    record("history", brief(graph))


def program_copy_of_a_question(record, saver):
    graph = (
        StateGraph(State)
        .add_node("ask", lambda state: {"path": [interrupt("q")]})
        .add_edge(START, "ask")
        .compile(checkpointer=saver)
    )
    first = graph.invoke({"path": []}, CONFIG)["__interrupt__"][0]
    graph.update_state(CONFIG, None, as_node="__copy__")
    record("state", graph.get_state(CONFIG))
    second = graph.invoke(None, CONFIG)["__interrupt__"][0]
    record("another id", first.id != second.id)
    record("answer", graph.invoke(Command(resume="x"), CONFIG))


def program_end_where_some_tasks_are_done(record, saver):
    """What they led to is about to run; what the others would have done is not."""

    finished = threading.Event()

    def fail(state):
        finished.wait(5)
        time.sleep(0.05)  # until what the other one has done is saved
        raise ValueError("no")

    def done(how):
        goto = {"goto": "then", "send": Send("then", {"path": ["sent"]}), "edge": ()}[how]

        def node(state):
            finished.set()
            return Command(update={"path": [how]}, goto=goto)

        return node

    for how in ("edge", "goto", "send"):
        for joined in (False, True) if how == "edge" else (False,):
            builder = (
                StateGraph(State).add_node("done", done(how), destinations=("then",)).add_node("fail", fail)
            )
            builder.add_node("then", lambda state: {"path": ["then"]})
            builder.add_edge(START, "done").add_edge(START, "fail")
            builder.add_edge(["done", "fail"] if joined else "done", "then")
            graph = builder.compile(checkpointer=saver)
            config = {"configurable": {"thread_id": f"{how}, {joined}"}}
            finished.clear()
            record.error(f"{how}, {joined}: fails", lambda: graph.invoke({"path": []}, config), "no")
            graph.update_state(config, None, as_node="__end__")
            record(f"{how}, {joined}", (graph.get_state(config).next, graph.get_state(config).values))
            record(f"{how}, {joined}: goes on", graph.invoke(None, config))
