"""In which order the tasks of a step are told and begun, where a run goes on from a checkpoint made by hand, copied or run again."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, StateUpdate, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]


def compiled(saver=None):
    """Three nodes side by side, whose names are in another order than they were added in."""
    builder = StateGraph(State).add_node("first", lambda state: {"log": ["first"]})
    builder.add_node("z", lambda state: {"log": [interrupt("z?")]})
    builder.add_node("m", lambda state: {"log": ["m"]})
    builder.add_node("a", lambda state: {"log": [interrupt("a?")]}).add_edge(START, "first")
    for name in "mza":
        builder.add_edge("first", name)
    return builder.compile(checkpointer=saver)


def order(graph, input, config=CONFIG, **options):
    """What the checkpoints say runs next, and which tasks are begun."""
    seen = []
    for _, chunk in graph.stream(input, config, stream_mode=["debug"], **options):
        if chunk["type"] == "checkpoint":
            seen.append((chunk["payload"]["next"], [task["name"] for task in chunk["payload"]["tasks"]]))
        elif chunk["type"] == "task":
            seen.append(chunk["payload"]["name"])
    return seen


def answers(graph, config=CONFIG):
    return Command(resume={asked.id: "yes" for asked in graph.get_state(config).interrupts})


def by_hand(graph):
    return graph.update_state(CONFIG, {"log": ["u"]}, as_node="first")


def paused(saver):
    saver.delete_thread("1")
    graph = compiled(saver)
    graph.invoke({"log": []}, CONFIG)
    return graph


def program_orders_after_a_branch(record, saver):
    branches = {
        "none": lambda graph: None,
        "run again": lambda graph: graph.invoke(None, graph.get_state(CONFIG).config),
        "copied": lambda graph: graph.update_state(CONFIG, None, as_node="__copy__"),
        "by hand": by_hand,
    }
    goes_on = {
        "plain": lambda graph: None,
        "with answers": answers,
        "to a node": lambda graph: Command(goto="first"),
        "with an update": lambda graph: Command(update={"log": ["c"]}),
    }
    for branch, make in branches.items():
        for how, input in goes_on.items():
            graph = paused(saver)
            make(graph)
            if how == "with answers":
                graph.invoke(None, CONFIG)
            record(f"{branch}, {how}", order(graph, input(graph)))
            record(f"{branch}, {how}, asked", sorted(i.value for i in graph.get_state(CONFIG).interrupts))


def program_orders_where_a_branch_is_named(record, saver):
    graph = paused(saver)
    record("what a run made", order(graph, None, graph.get_state(CONFIG).config))
    graph = paused(saver)
    older = by_hand(graph)
    record("the newest", order(graph, None, older))
    by_hand(graph)
    record("an older one", order(graph, None, older))
    record("at a breakpoint", order(graph, None, older, interrupt_before=["m"]))


def program_orders_after_bulk_updates(record, saver):
    graph = compiled(saver)
    steps = ("__input__", "__start__", "first")
    graph.bulk_update_state(CONFIG, [[StateUpdate({"log": [name]}, name)] for name in steps])
    record("first run", order(graph, None))
    record("next run", order(graph, answers(graph)))


def program_orders_in_a_called_graph(record, saver):
    builder = StateGraph(State).add_node("child", compiled()).add_edge(START, "child")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": []}, CONFIG)
    (task,) = graph.get_state(CONFIG, subgraphs=True).tasks
    record("as it ran", order(graph, None, subgraphs=False))
    graph.update_state(task.state.config, {"log": ["u"]}, as_node="first")
    seen = [
        chunk["payload"]["name"]
        for _, _, chunk in graph.stream(None, CONFIG, stream_mode=["debug"], subgraphs=True)
        if chunk["type"] == "task"
    ]
    record("after an update below", seen)


def program_orders_behind_a_branch(record, saver):
    """Only the step that the run begins with is in another order."""
    graph = paused(saver)
    graph.update_state(CONFIG, {"log": ["u"]}, as_node=START)
    record("stops after the first step", order(graph, None, interrupt_after="*"))
    graph.update_state(CONFIG, {"log": ["u"]}, as_node=START)
    record("goes on", order(graph, None))


def program_what_a_branch_tells_that_is_run_again(record, saver):
    """Its tasks run once more, but the first checkpoint tells what they left."""
    graph = paused(saver)
    named = by_hand(graph)
    graph.invoke(None, CONFIG)
    for mode in ("checkpoints", "debug"):
        for chunk in graph.stream(None, named, stream_mode=mode):
            told = chunk.get("payload", chunk)
            if "tasks" in told:
                record(mode, told["tasks"])
            elif "input" in told:
                record("begun", told["name"])


def program_what_a_branch_tells_where_a_task_failed(record, saver):
    failed = []

    def fails_once(state):
        failed.append(1)
        if len(failed) == 1:
            raise ValueError("once")
        return {"log": ["in the end"]}

    builder = StateGraph(State).add_node("first", lambda state: {}).add_node("fail", fails_once)
    graph = builder.add_edge(START, "first").add_edge("first", "fail").compile(checkpointer=saver)
    named = by_hand(graph)
    try:
        graph.invoke(None, CONFIG)
    except ValueError as error:
        record("failed", error)
    record("again", [chunk["tasks"] for chunk in graph.stream(None, named, stream_mode="checkpoints")])
