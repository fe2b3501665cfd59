"""Values that last for one step: when they go where a thread is looked at, changed by hand, or given a new input."""

import operator
from itertools import product
from typing import Annotated, Any

from langgraph.channels import AnyValue, EphemeralValue, LastValueAfterFinish, Topic, UntrackedValue
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}
# LangGraph saves a Topic in the background as it is by then, which may be a step later.
AT_ONCE = {"durability": "sync"}


class State(TypedDict):
    log: Annotated[list, operator.add]
    flash: Annotated[Any, EphemeralValue]
    told: Annotated[list, Topic(str)]
    kept: Annotated[list, Topic(str, True)]
    same: Annotated[Any, AnyValue]
    scratch: Annotated[Any, UntrackedValue]


EVERYTHING = {"log": ["x"], "flash": "f", "told": ["t", "u"], "kept": "k", "same": "s", "scratch": "w"}


def look(record, label, graph):
    record(label, graph.get_state(CONFIG))
    record(f"{label}, history", list(graph.get_state_history(CONFIG)))


def program_beside_a_question(record, saver):
    def work(state):
        return EVERYTHING

    def ask(state):
        return {"log": [interrupt(1), interrupt(2)]}

    builder = StateGraph(State)
    builder.add_node("first", work).add_node("work", work).add_node("ask", ask)
    builder.add_edge(START, "first").add_edge("first", "work").add_edge("first", "ask")
    graph = builder.compile(checkpointer=saver)
    record("asked", graph.invoke({"log": ["in"]}, CONFIG, **AT_ONCE))
    look(record, "while it asks", graph)
    record("asked again", graph.invoke(Command(resume="one"), CONFIG, **AT_ONCE))
    look(record, "while it asks again", graph)
    record("ended", graph.invoke(Command(resume="two"), CONFIG, **AT_ONCE))
    look(record, "at the end", graph)


def chain(saver):
    builder = StateGraph(State)
    builder.add_node("work", lambda state: EVERYTHING)
    builder.add_edge(START, "work")
    return builder.compile(checkpointer=saver)


def program_at_a_new_input(record, saver):
    graph = chain(saver)
    graph.invoke({"log": ["in"]}, CONFIG, **AT_ONCE)
    modes = ["values", "checkpoints"]
    record.chunks("again", graph.stream({"log": ["more"]}, CONFIG, stream_mode=modes, **AT_ONCE))
    look(record, "after it", graph)


def program_at_a_new_input_while_something_is_about_to_run(record, saver):
    graph = chain(saver)
    graph.invoke(
        {"log": ["in"], "flash": "given", "told": "given"}, CONFIG, interrupt_before=["work"], **AT_ONCE
    )
    look(record, "stopped", graph)
    modes = ["values", "checkpoints"]
    record.chunks("again", graph.stream({"log": ["more"]}, CONFIG, stream_mode=modes, **AT_ONCE))
    look(record, "after it", graph)


def program_at_a_change_by_hand(record, saver):
    graph = chain(saver)
    graph.invoke({"log": ["in"]}, CONFIG, **AT_ONCE)
    graph.update_state(CONFIG, {"log": ["by hand"]})
    look(record, "changed", graph)
    graph.update_state(CONFIG, {"flash": "by hand", "told": "by hand"}, as_node="work")
    look(record, "changed again", graph)
    graph.update_state(CONFIG, None, as_node="__copy__")
    look(record, "copied", graph)


def program_on_another_branch(record, saver):
    graph = chain(saver)
    graph.invoke({"log": ["in"]}, CONFIG, **AT_ONCE)
    for state in list(graph.get_state_history(CONFIG)):
        fork = graph.update_state(state.config, {"log": ["forked"]}, as_node="work")
        record("fork", graph.get_state(fork).values)


def program_keys_stand_in_the_order_of_the_schema(record, saver):
    class Mixed(TypedDict):
        log: Annotated[list, operator.add]
        flash: Annotated[Any, EphemeralValue]
        told: Annotated[list, Topic(str)]
        total: Annotated[int, operator.add]
        last: Any

    updates = {
        "a": {"told": "t", "last": 1},
        "b": {"flash": "f"},
        "c": {"told": "t"},
        "d": {"flash": "f", "told": "t"},
    }
    builder, before = StateGraph(Mixed), START
    for name, update in updates.items():
        builder.add_node(name, lambda state, update=update: {**update, "log": [list(state)]})
        builder.add_edge(before, name)
        before = name
    graph = builder.compile(checkpointer=saver)
    record("end", graph.invoke({"log": [], "total": 1}, CONFIG, **AT_ONCE))
    look(record, "keys", graph)


class InTheEnd(TypedDict):
    log: Annotated[list, operator.add]
    total: Annotated[int, LastValueAfterFinish(int)]


def program_a_value_that_is_there_in_the_end_is_told_then(record, saver):
    returns = ({"total": 1}, {"log": ["x"]}, {}, {"total": 2, "log": ["y"]})
    for number, writes in enumerate(product(returns, repeat=2)):
        builder = StateGraph(InTheEnd).add_edge(START, "a").add_edge("a", "b")
        for name, write in zip("ab", writes, strict=True):
            builder.add_node(name, lambda state, write=write: write)
        config = {"configurable": {"thread_id": str(number)}}
        graph = builder.compile(checkpointer=saver)
        record(str(writes), list(graph.stream({"log": ["in"]}, config, stream_mode=["values", "updates"])))
        record("result", graph.invoke({"log": ["again"]}, config))


def program_paths_see_what_the_step_will_leave(record, saver):
    """What lasts for one step is gone for the paths of a node that did not write it."""
    kinds = {
        "flash": (Annotated[Any, EphemeralValue], "f"),
        "told": (Annotated[list, Topic(str)], ["t"]),
        "kept": (Annotated[list, Topic(str, True)], ["k"]),
        "same": (Annotated[Any, AnyValue], "s"),
        "total": (Annotated[int, LastValueAfterFinish(int)], 1),
    }
    for name, (kind, value) in kinds.items():
        seen = []
        config = {"configurable": {"thread_id": name}}
        builder = StateGraph(
            TypedDict("OneKey", {"log": Annotated[list, operator.add], name: kind}, total=False)
        )
        builder.add_node("a", lambda state, n=name, v=value: {n: v}).add_node(
            "b", lambda state: {"log": ["b"]}
        )
        builder.add_node("c", lambda state, n=name, v=value: {n: v}).add_edge(START, "a")
        for at, to in (("a", "b"), ("b", "c"), ("c", "__end__")):

            def path(state, at=at, to=to, seen=seen, name=name):
                seen.append((at, state.get(name)))
                return to

            builder.add_conditional_edges(at, path)
        graph = builder.compile(checkpointer=saver)
        for _ in range(2):
            record(name, graph.invoke({"log": ["in"]}, config))
        graph.update_state(config, {name: value}, as_node="c")
        record(f"{name}, seen", seen)
