"""Changes from outside where few programs make them: updates without values, gotos, travel below, names that are taken."""

import operator
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Overwrite, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    path: Annotated[list, operator.add]
    n: Any


CONFIG = {"configurable": {"thread_id": "1"}}


def noting(name):
    return lambda state: {"path": [name]}


def chain(*names):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, noting(name))
    return builder.add_edge(START, names[0])


def seen(graph, config=CONFIG):
    state = graph.get_state(config)
    return state.next, state.values, state.metadata, [(task.name, task.path) for task in state.tasks]


def _without_values(record, label, graph):
    """Update each checkpoint of the thread with None, without saying as whom: its last writer's edges decide anew."""
    for number, old in enumerate(list(graph.get_state_history(CONFIG))):
        try:
            graph.update_state(old.config, None)
        except Exception as error:
            record(f"{label} {number} is refused", type(error).__name__)
        record(f"{label} {number}", seen(graph))
    record(f"{label} goes on", graph.invoke(None, CONFIG))


def program_updates_without_values_of_a_chain(record, saver):
    graph = chain("a", "b", "c").add_edge("a", "b").add_edge("b", "c").compile(checkpointer=saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    _without_values(record, "chain", graph)
    for node in ("a", "b", None, None, "c", None):
        graph.update_state(CONFIG, None, as_node=node)
        record(f"as {node}", seen(graph))
    empty = {"configurable": {"thread_id": "2"}}
    graph.update_state(empty, None)
    record("an empty thread", seen(graph, empty))


def program_updates_without_values_of_sends(record, saver):
    builder = chain("a", "b", "c").add_edge("b", "c")
    builder.add_conditional_edges("a", lambda state: [Send("b", {}) for _ in state["path"]], ["b"])
    graph = builder.compile(checkpointer=saver, interrupt_before=["c"])
    graph.invoke({"path": ["in"]}, CONFIG)
    _without_values(record, "sends", graph)


def program_updates_without_values_of_parallel_nodes(record, saver):
    builder = chain("a", "b", "c", "d").add_edge(START, "b").add_edge("a", "c").add_edge("b", "d")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    _without_values(record, "parallel", graph)


def program_last_writer_after_a_goto(record, saver):
    gotos = ("b", ["b", "c"], [Send("b", {}), "c"], [Send("b", {})])
    for number, goto in enumerate(gotos):
        config = {"configurable": {"thread_id": str(number)}}
        builder = chain("a", "b", "c", "x").add_edge("a", "x")
        graph = builder.compile(checkpointer=saver, interrupt_before=["a"], interrupt_after="*")
        graph.invoke({"path": []}, config)
        graph.invoke(Command(goto=goto), config)
        try:
            graph.update_state(config, {"path": ["u"]})
        except Exception as error:
            record(f"goto {number} is refused", type(error).__name__)
        record(f"goto {number}", seen(graph, config))


def program_a_command_for_a_parent_as_input(record, saver):
    graph = chain("a").compile(checkpointer=saver)
    for command in (Command(graph=Command.PARENT, goto="a"), Command(graph=Command.PARENT, update={"n": 1})):
        record.error(
            "input", lambda command=command: graph.invoke(command, CONFIG), "There is no parent graph"
        )


def program_overwrite_of_a_plain_key(record, saver):
    """Where there is no reducer to go round, an Overwrite is a value like any other."""
    for number, value in enumerate((Overwrite(3), {"__overwrite__": 3})):
        config = {"configurable": {"thread_id": str(number)}}
        builder = StateGraph(State).add_node("a", lambda state, value=value: {"n": value})
        builder.add_node("b", lambda state: {"path": [str(state["n"])]}).add_edge(START, "a").add_edge(
            "a", "b"
        )
        graph = builder.compile(checkpointer=saver)
        record(f"value {number}", graph.invoke({"path": []}, config))
        graph.update_state(config, {"n": value}, as_node="b")
        record(f"updated {number}", graph.get_state(config).values)


def program_names_that_are_taken(record):
    names = ("__input__", "__interrupt__", "__error__", "__resume__", "__no_writes__", "__pregel_push")
    for name in (*names, "configurable", "checkpoint_id", "checkpoint_ns"):
        builder = StateGraph(State).add_node(name, noting("x")).add_edge(START, name)
        record.error(name, builder.compile, "is reserved")
        keyed = StateGraph(TypedDict("Keyed", {name: int})).add_node("a", lambda state: None)
        record.error(f"key {name}", keyed.add_edge(START, "a").compile, "is reserved")
    for name in ("thread_id", "__copy__", "__metadata__", "__return__"):
        builder = StateGraph(State).add_node(name, noting("x")).add_edge(START, name)
        record(name, list(builder.compile().stream({"path": []})))


def program_places_after_a_travel_below(record, saver):
    """A run from a called graph's checkpoint notes in `parents` where it was told to start."""
    child = chain("x", "y").add_edge("x", "y")
    child.add_node("z", lambda state: {"path": [interrupt("z?")]}).add_edge("y", "z")
    builder = chain("p", "q").add_node("k", child.compile()).add_edge("p", "k").add_edge("k", "q")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    below = list(graph.get_state_history(graph.get_state(CONFIG).tasks[0].state))
    record("travel", graph.invoke(None, below[1].config))
    fork = graph.get_state(CONFIG, subgraphs=True)
    record("fork", fork)
    record("updated", graph.update_state(fork.config, {"path": ["u"]}))
    record("asked again", graph.invoke(None, CONFIG))
    record("answered", graph.invoke(Command(resume="yes"), CONFIG))
    record("places", [(s.config, s.parent_config, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_new_input_while_a_deferred_node_waits(record, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("next", noting("next")).add_node("last", noting("last"), defer=True)
    builder.add_edge(START, "ask").add_edge(START, "last").add_edge("ask", "next")
    for number, before in enumerate(([], ["last"])):
        config = {"configurable": {"thread_id": str(number)}}
        graph = builder.compile(checkpointer=saver, interrupt_before=before)
        for value in ({"path": ["one"]}, {"path": ["two"]}, Command(resume="yes"), None):
            record(f"{number} {value}", graph.invoke(value, config))
            record("state", graph.get_state(config))


def program_an_input_by_hand_while_nodes_wait(record, saver):
    """It comes in beside what is about to run."""
    builder = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("side", noting("side")).add_edge(START, "ask").add_edge(START, "side")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": ["one"]}, CONFIG)
    graph.update_state(CONFIG, {"path": ["two"]}, as_node="__input__")
    record("updated", graph.get_state(CONFIG))
    record("goes on", graph.invoke(None, CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))


def _asking_child(keeps):
    builder = chain("x").add_node("ask", lambda state: {"path": [interrupt(len(state["path"]))]})
    return builder.add_edge("x", "ask").compile(checkpointer=keeps)


def program_new_input_while_a_graph_that_keeps_state_waits(record, saver):
    """What it had when it paused or failed is not forgotten, at whichever depth."""
    middle = StateGraph(State).add_node("inner", _asking_child(True)).add_edge(START, "inner").compile()
    for number, child in enumerate((_asking_child(True), middle)):
        config = {"configurable": {"thread_id": str(number)}}
        graph = (
            StateGraph(State).add_node("child", child).add_edge(START, "child").compile(checkpointer=saver)
        )
        for value in ("one", "two", "three"):
            record(value, graph.invoke({"path": [value]}, config))
            record("state", graph.get_state(config, subgraphs=True))
        record("answer", graph.invoke(Command(resume="yes"), config))
        record("later", graph.invoke({"path": ["four"]}, config))


def program_travel_to_a_changed_child_again(record, saver):
    graph = StateGraph(State).add_node("child", _asking_child(None)).add_edge(START, "child")
    graph = graph.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    for number in range(3):
        child = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
        graph.update_state(child.config, {"path": [f"by hand {number}"]})
        child = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
        record(f"travel {number}", graph.invoke(None, child.config))
        record("state", graph.get_state(CONFIG, subgraphs=True))
    record("answer", graph.invoke(Command(resume="yes"), CONFIG))
