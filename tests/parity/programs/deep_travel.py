"""Going back to checkpoints of called graphs, at every depth; namespaces in the caller's config."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}
KINDS = (None, True)


class State(TypedDict):
    path: Annotated[list, operator.add]


def step(name):
    return lambda state: {"path": [name]}


def ask(state):
    return {"path": [f"got {interrupt('sure?')}"]}


def chain(saver, **nodes):
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder.compile(checkpointer=saver)


def two_levels(saver, keeps):
    return chain(
        saver, a=step("a"), child=chain(keeps, one=step("one"), ask=ask, three=step("three")), z=step("z")
    )


def three_levels(saver, middle_keeps, inner_keeps):
    inner = chain(inner_keeps, one=step("one"), ask=ask)
    middle = chain(middle_keeps, m1=step("m1"), inner=inner, m2=step("m2"))
    return chain(saver, a=step("a"), middle=middle, z=step("z"))


def brief(graph, config=CONFIG):
    return [
        (
            s.values.get("path"),
            s.next,
            s.metadata["source"],
            s.metadata["step"],
            [i.value for i in s.interrupts],
        )
        for s in graph.get_state_history(config)
    ]


def without_ids(chunks):
    return [(tuple(level.split(":")[0] for level in ns), chunk) for ns, chunk in chunks]


def start(graph, saver):
    saver.delete_thread("1")
    graph.invoke({"path": []}, CONFIG)
    return graph.get_state(CONFIG).tasks[0].state


def program_back_into_a_child(record, saver):
    for keeps in KINDS:
        graph = two_levels(saver, keeps)
        for number in range(3):
            child = start(graph, saver)
            old = list(graph.get_state_history(child))[number]
            graph.invoke(Command(resume="first"), CONFIG)
            record(
                f"again {keeps} {number}",
                without_ids(graph.stream(None, old.config, subgraphs=True, stream_mode="updates")),
            )
            record("histories", (brief(graph), brief(graph, child) if keeps else None))
            record("answer", graph.invoke(Command(resume="second"), CONFIG))
            record("history", brief(graph))


def program_back_into_a_child_of_a_branch(record, saver):
    for keeps in KINDS:
        graph = two_levels(saver, keeps)
        start(graph, saver)
        graph.invoke(Command(resume="first"), CONFIG)
        graph.invoke(None, next(s for s in graph.get_state_history(CONFIG) if s.next == ("child",)).config)
        child = graph.get_state(CONFIG).tasks[0].state
        for asking_for in ("ask", "one"):
            found = [s for s in graph.get_state_history(child) if s.next == (asking_for,)]
            chunks = graph.stream(None, found[0].config, subgraphs=True, stream_mode="updates")
            record(f"again from {asking_for} {keeps}", without_ids(chunks))
            record("history", brief(graph))
        record("answer", graph.invoke(Command(resume="second"), CONFIG))


def program_back_into_a_child_while_it_asks(record, saver):
    for keeps in KINDS:
        graph = two_levels(saver, keeps)
        for number in range(3):
            child = start(graph, saver)
            graph.invoke(None, list(graph.get_state_history(child))[number].config)
            record(f"again {keeps} {number}", brief(graph))
            record("answer", graph.invoke(Command(resume="yes"), CONFIG))
            record("another run", graph.invoke({"path": ["new"]}, CONFIG))
            record("answer", graph.invoke(Command(resume="yes again"), CONFIG))


def program_back_into_the_innermost(record, saver):
    for middle_keeps in KINDS:
        for inner_keeps in KINDS:
            graph = three_levels(saver, middle_keeps, inner_keeps)
            for number in range(3):
                start(graph, saver)
                middle = graph.get_state(CONFIG, subgraphs=True).tasks[0].state
                inner = middle.tasks[0].state.config["configurable"]
                bare = {key: inner[key] for key in ("thread_id", "checkpoint_ns")}
                old = list(graph.get_state_history({"configurable": bare}))[number]
                graph.invoke(Command(resume="first"), CONFIG)
                record(
                    f"again {middle_keeps} {inner_keeps} {number}",
                    without_ids(graph.stream(None, old.config, subgraphs=True, stream_mode="updates")),
                )
                record("answer", graph.invoke(Command(resume="second"), CONFIG))
                record("history", brief(graph))


def program_back_into_the_middle(record, saver):
    for middle_keeps in KINDS:
        for inner_keeps in KINDS:
            graph = three_levels(saver, middle_keeps, inner_keeps)
            for number in range(3):
                middle = start(graph, saver)
                old = list(graph.get_state_history(middle))[number]
                graph.invoke(Command(resume="first"), CONFIG)
                graph.invoke(None, old.config)
                record("answer", graph.invoke(Command(resume="second"), CONFIG))
                record("history", brief(graph))


def program_state_kept_below_one_that_keeps_none(record, saver):
    graph = three_levels(saver, None, True)
    for number in range(3):
        graph.invoke({"path": [number]}, CONFIG)
        record(f"run {number}", graph.invoke(Command(resume="yes"), CONFIG))
    middle = next(s for s in graph.get_state_history(CONFIG) if s.next == ("middle",))
    record("replay of the last run", graph.invoke(None, middle.config))
    record("answer", graph.invoke(Command(resume="again"), CONFIG))


def program_fork_a_child_that_keeps_state(record, saver):
    graph = two_levels(saver, True)
    for number in range(2):
        child = start(graph, saver)
        old = list(graph.get_state_history(child))[number]
        graph.invoke(Command(resume="first"), CONFIG)
        fork = graph.update_state(old.config, {"path": ["by hand"]})
        record("asks", graph.invoke(None, fork))
        record("answer", graph.invoke(Command(resume="second"), CONFIG))
        record("history", brief(graph))


def program_answer_naming_a_called_graph(record, saver):
    for keeps in KINDS:
        graph = two_levels(saver, keeps)
        child = start(graph, saver)
        record("its checkpoint", graph.invoke(Command(resume="yes"), graph.get_state(child).config))
        record("history", brief(graph))
        child = start(graph, saver)
        record("its place", graph.invoke(Command(resume="yes"), child))
        child = start(graph, saver)
        record("no answer", graph.invoke(None, child))
        record("history", brief(graph))


def program_namespace_of_a_run_at_the_top(record, saver):
    graph = chain(saver, a=step("a"), ask=ask)
    named = {"configurable": {"thread_id": "1", "checkpoint_ns": "elsewhere"}}
    record("pause", graph.invoke({"path": []}, named))
    record("history", (brief(graph), brief(graph, named)))
    record("state there", graph.get_state(named))
    record.error("update there", lambda: graph.update_state(named, {"path": ["no"]}))
    record("answer", graph.invoke(Command(resume="yes"), named))


def program_child_asked_about_itself(record, saver):
    child = chain(saver, one=step("one"), ask=ask)
    graph = chain(saver, a=step("a"), child=child)
    place = start(graph, saver)
    record("state", child.get_state(place))
    record("history", brief(child, place))


def program_an_answer_at_a_checkpoint_below_that_was_replayed(record, saver):
    class Log(TypedDict):
        log: Annotated[list, operator.add]

    def named(name):
        return lambda state: {"log": [name]}

    child = StateGraph(Log).add_node("first", named("first"))
    child.add_node("ask", lambda state: {"log": [f"got {interrupt('which?')}"]}).add_node(
        "last", named("last")
    )
    child = child.add_edge(START, "first").add_edge("first", "ask").add_edge("ask", "last")
    for keeps, forks in ((True, False), (True, True), (None, False), (None, True)):
        builder = (
            StateGraph(Log)
            .add_node("before", named("before"))
            .add_node("child", child.compile(checkpointer=keeps))
        )
        builder.add_node("after", named("after")).add_edge(START, "before").add_edge("before", "child")
        graph = builder.add_edge("child", "after").compile(checkpointer=saver)
        config = {"configurable": {"thread_id": f"{keeps} {forks}"}}
        graph.invoke({"log": []}, config)
        below = graph.get_state(config, subgraphs=True).tasks[0].state.config
        if forks:
            below = graph.update_state(below, {"log": ["forked"]})
        record.separate_run()
        record("replayed", graph.invoke(None, below))
        record("answered", graph.invoke(Command(resume="this"), below))
        record("state", (graph.get_state(config).values, graph.get_state(config).next))


def program_a_named_branch_is_done_anew_below_too(record, saver):
    """Naming the head of a branch runs everything after it again, the graphs that it calls included."""
    runs = []
    inner = StateGraph(State).add_node("work", lambda state: runs.append("work") or {"path": ["work"]})
    inner.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_edge(START, "work").add_edge(
        START, "ask"
    )
    middle = StateGraph(State).add_node("inner", inner.compile()).add_edge(START, "inner").compile()
    graph = StateGraph(State).add_node("middle", middle).add_edge(START, "middle").compile(checkpointer=saver)

    def again(label, config):
        graph.invoke(None, config)
        state = graph.get_state(CONFIG, subgraphs=True)
        record(label, (list(runs), state.metadata["source"], [i.value for i in state.interrupts]))
        return state

    graph.invoke({"path": []}, CONFIG)
    for number in range(3):
        state = again(f"head {number}", graph.get_state(CONFIG).config)
    for depth in range(2):
        for number in range(2):
            below = state.tasks[0].state if depth == 0 else state.tasks[0].state.tasks[0].state
            state = again(f"depth {depth} {number}", below.config)
        below = state.tasks[0].state if depth == 0 else state.tasks[0].state.tasks[0].state
        state = again(f"depth {depth} changed", graph.update_state(below.config, {"path": ["by hand"]}))
    record("answer", graph.invoke(Command(resume="yes"), CONFIG))
