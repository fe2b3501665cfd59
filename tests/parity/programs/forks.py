"""Updates of checkpoints old and new: what the history tells as results of tasks, and whose an update without a node is."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]


def adds(name):
    return lambda state: {"log": [name]}


def asks(name):
    return lambda state: {"log": [f"{name}={interrupt(name)}"]}


def side_by_side(saver, node=asks):
    builder = StateGraph(State).add_node("a", node("a")).add_node("b", node("b"))
    builder.add_node("c", adds("c")).add_node("d", adds("d")).add_edge(["a", "b", "c"], "d")
    for name in "abc":
        builder.add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": ["in"]}, CONFIG)
    return graph, graph.get_state(CONFIG).config


def chain(saver):
    builder = StateGraph(State).add_node("a", adds("a")).add_node("b", adds("b")).add_node("c", adds("c"))
    graph = builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile(checkpointer=saver)
    graph.invoke({"log": ["in"]}, CONFIG)
    return graph


def told(graph):
    return [
        (
            one.values.get("log"),
            one.next,
            one.metadata["source"],
            one.metadata["step"],
            [(task.name, task.result, [asked.value for asked in task.interrupts]) for task in one.tasks],
        )
        for one in graph.get_state_history(CONFIG)
    ]


def answered(graph, *names):
    ids = {asked.value: asked.id for asked in graph.get_state(CONFIG).interrupts}
    graph.invoke(Command(resume={ids[name]: "yes" for name in names}), CONFIG)


def program_an_update_of_the_newest_is_told_as_a_result(record, saver):
    for named in (False, True):
        saver.delete_thread("1")
        graph, paused = side_by_side(saver)
        graph.update_state(paused if named else CONFIG, {"log": ["u"]}, as_node="a")
        record(f"named: {named}", told(graph))


def program_one_of_an_older_checkpoint_is_not(record, saver):
    between = {
        "another update": lambda graph, paused: graph.update_state(paused, {"log": ["u"]}, as_node="a"),
        "an update as another": lambda graph, paused: graph.update_state(paused, {"log": ["u"]}, as_node="d"),
        "a new input": lambda graph, paused: graph.invoke({"log": ["new"]}, CONFIG),
        "run again": lambda graph, paused: graph.invoke(None, paused),
        "an answer": lambda graph, paused: answered(graph, "a"),
        "both answers": lambda graph, paused: answered(graph, "a", "b"),
        "the input again": lambda graph, paused: graph.invoke(
            None, [*graph.get_state_history(CONFIG)][-1].config
        ),
    }
    for name, change in between.items():
        saver.delete_thread("1")
        graph, paused = side_by_side(saver)
        change(graph, paused)
        graph.update_state(paused, {"log": ["v"]}, as_node="b")
        record(name, told(graph))
        record(
            f"{name}, before",
            [one.metadata["step"] for one in graph.get_state_history(CONFIG, before=paused)],
        )


def program_updates_of_all_that_has_run(record, saver):
    graph, _ = side_by_side(saver, adds)
    for at, one in enumerate([*graph.get_state_history(CONFIG)]):
        for name in ("a", "d"):
            graph.update_state(one.config, {"log": ["v"]}, as_node=name)
            record(f"{at} as {name}", told(graph))


def program_a_history_with_a_filter_tells_the_same(record, saver):
    graph, paused = side_by_side(saver)
    graph.invoke({"log": ["new"]}, CONFIG)
    graph.update_state(paused, {"log": ["v"]}, as_node="b")
    for one in graph.get_state_history(CONFIG, filter={"source": "loop"}):
        record(str(one.metadata["step"]), [(task.name, task.result) for task in one.tasks])
    record("named", graph.get_state(paused).tasks)


def _given(saver, how):
    graph = chain(saver)
    first = [*graph.get_state_history(CONFIG)][-1].config
    if how == "run again":
        graph.invoke(None, first)
        return graph, next(
            one.config for one in graph.get_state_history(CONFIG) if one.metadata["source"] == "fork"
        )
    return graph, graph.update_state(first, None, as_node="__copy__") if how == "copied" else first


def program_updates_of_an_input_that_was_run_again(record, saver):
    then = {
        "updated": lambda graph: graph.update_state(CONFIG, {"log": ["w"]}),
        "went on": lambda graph: graph.invoke(None, CONFIG),
        "had an input": lambda graph: graph.invoke({"log": ["new"]}, CONFIG),
    }
    for how in ("as it is", "run again", "copied"):
        for name in ("a", "b", START, None):
            for what, change in then.items():
                saver.delete_thread("1")
                graph, config = _given(saver, how)
                try:
                    graph.update_state(config, {"log": ["u"]}, as_node=name)
                    change(graph)
                except Exception as error:
                    record(f"{how}, as {name}, {what}", type(error).__name__)
                    continue
                record(f"{how}, as {name}, {what}", told(graph)[:3])


def program_updates_without_a_node_after_a_run_again(record, saver):
    for at in range(5):
        saver.delete_thread("1")
        graph = chain(saver)
        graph.invoke(None, [*graph.get_state_history(CONFIG)][at].config)
        try:
            graph.update_state([*graph.get_state_history(CONFIG)][at].config, {"log": ["u"]})
        except Exception as error:
            record(str(at), type(error).__name__)
            continue
        record(str(at), told(graph)[:2])


def program_an_update_that_writes_nothing_is_no_result(record, saver):
    for node in ("c", "d", "a"):
        for values in ({}, None, {"log": ["u"]}):
            saver.delete_thread("1")
            graph = (
                StateGraph(State).add_node("a", asks("a")).add_node("c", adds("c")).add_node("d", adds("d"))
            )
            graph = graph.add_edge(START, "a").add_edge(START, "c").add_edge("c", "d")
            graph = graph.compile(checkpointer=saver, interrupt_before=["c", "d"])
            graph.invoke({"log": ["in"]}, CONFIG)
            graph.update_state(CONFIG, values, as_node=node)
            record(f"{values} as {node}", told(graph))
            graph.invoke(None, CONFIG)
            record(f"{values} as {node}, went on", told(graph))
