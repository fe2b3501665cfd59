"""interrupt_before and interrupt_after, at compile and at call."""

import operator
from typing import Annotated

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def chain(saver, **options):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", END)
    return builder.compile(checkpointer=saver, **options)


def look(record, label, graph, config=CONFIG):
    state = graph.get_state(config)
    record(label, (state.values, state.next, state.metadata, state.tasks, state.interrupts))


def program_before(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    record("pause", graph.invoke({"path": []}, CONFIG))
    look(record, "state", graph)
    record("go on", graph.invoke(None, CONFIG))
    look(record, "end", graph)
    record("history", [(s.next, s.metadata, s.values) for s in graph.get_state_history(CONFIG)])


def program_after(record, saver):
    graph = chain(saver, interrupt_after=["b"])
    record("pause", graph.invoke({"path": []}, CONFIG))
    look(record, "state", graph)
    record("go on", graph.invoke(None, CONFIG))
    last = chain(saver, interrupt_after=["c"])
    config = {"configurable": {"thread_id": "last"}}
    record("after the last node", last.invoke({"path": []}, config))
    look(record, "state", last, config)
    record("nothing left", last.invoke(None, config))


def program_before_and_after_everything(record, saver):
    for option in ("interrupt_before", "interrupt_after"):
        graph = chain(saver, **{option: "*"})
        config = {"configurable": {"thread_id": option}}
        record(f"{option} start", graph.invoke({"path": []}, config))
        for turn in range(4):
            look(record, f"{option} {turn}", graph, config)
            record(f"{option} {turn} go on", graph.invoke(None, config))


def program_both(record, saver):
    graph = chain(saver, interrupt_before=["b"], interrupt_after=["b"])
    record("pause 1", graph.invoke({"path": []}, CONFIG))
    record("pause 2", graph.invoke(None, CONFIG))
    look(record, "state", graph)
    record("end", graph.invoke(None, CONFIG))


def program_at_call(record, saver):
    graph = chain(saver)
    record("before c", graph.invoke({"path": []}, CONFIG, interrupt_before=["c"]))
    look(record, "state", graph)
    record("no breakpoint now", graph.invoke(None, CONFIG))
    config = {"configurable": {"thread_id": "2"}}
    record.chunks("after a", graph.stream({"path": []}, config, interrupt_after=["a"]))
    record.chunks("before *", graph.stream(None, config, interrupt_before="*"))
    record.chunks("end", graph.stream(None, config))


def program_call_replaces_compile(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    record("c instead of b", graph.invoke({"path": []}, CONFIG, interrupt_before=["c"]))
    look(record, "state", graph)
    config = {"configurable": {"thread_id": "2"}}
    record(
        "an empty list means the compiled ones or none",
        graph.invoke({"path": []}, config, interrupt_before=[]),
    )


def program_resume_command_goes_on(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": []}, CONFIG)
    record("resume", graph.invoke(Command(resume="ignored"), CONFIG))


def program_update_state_at_breakpoint(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": []}, CONFIG)
    graph.update_state(CONFIG, {"path": ["edited"], "n": 5})
    look(record, "edited", graph)
    record("go on", graph.invoke(None, CONFIG))


def program_skip_a_node_by_update(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": []}, CONFIG)
    graph.update_state(CONFIG, {"path": ["instead of b"]}, as_node="b")
    look(record, "as b", graph)
    record("go on", graph.invoke(None, CONFIG))


def program_new_input_at_breakpoint(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": ["first"]}, CONFIG)
    record("starts over", graph.invoke({"path": ["second"]}, CONFIG))
    look(record, "state", graph)


def program_breakpoint_in_a_loop(record, saver):
    builder = StateGraph(State)
    builder.add_node("work", lambda state: {"n": state["n"] + 1, "path": ["w"]})
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["n"] < 3 else END)
    graph = builder.compile(checkpointer=saver, interrupt_before=["work"])
    record("0", graph.invoke({"path": [], "n": 0}, CONFIG))
    for turn in range(1, 4):
        record(str(turn), graph.invoke(None, CONFIG))
    look(record, "end", graph)


def program_parallel_breakpoints(record, saver):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    graph = builder.compile(checkpointer=saver, interrupt_before=["b", "c"])
    record("pause", graph.invoke({"path": []}, CONFIG))
    look(record, "state", graph)
    record("go on", graph.invoke(None, CONFIG))
    look(record, "state", graph)
    record("end", graph.invoke(None, CONFIG))


def program_breakpoint_before_an_interrupt(record, saver):
    builder = (
        StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]}).add_edge(START, "ask")
    )
    graph = builder.compile(checkpointer=saver, interrupt_before=["ask"])
    record("breakpoint", graph.invoke({"path": []}, CONFIG))
    look(record, "state", graph)
    record("question", graph.invoke(None, CONFIG))
    look(record, "state", graph)
    record("answer", graph.invoke(Command(resume="A"), CONFIG))


def program_unknown_names(record, saver):
    record.error("at compile", lambda: chain(saver, interrupt_before=["zz"]), "zz")
    record.error("at compile, after", lambda: chain(saver, interrupt_after=["zz"]), "zz")


def program_without_saver(record):
    graph = chain(None, interrupt_before=["b"])
    record("it just stops", graph.invoke({"path": ["in"]}))
    record("updates", list(graph.stream({"path": ["in"]})))


def program_values_at_breakpoint(record, saver):
    graph = chain(saver, interrupt_before=["b"], interrupt_after=["b"])
    for mode in ("values", "updates", "debug", "tasks", "checkpoints"):
        config = {"configurable": {"thread_id": mode}}
        record.chunks(f"{mode} 1", graph.stream({"path": []}, config, stream_mode=mode))
        record.chunks(f"{mode} 2", graph.stream(None, config, stream_mode=mode))
        record.chunks(f"{mode} 3", graph.stream(None, config, stream_mode=mode))


def program_what_a_stream_tells_of_a_breakpoint_in_a_child(record, saver):
    child = chain(None, interrupt_before=["b"], interrupt_after=["c"])
    builder = StateGraph(State).add_node("child", child).add_edge(START, "child")
    graph = builder.compile(checkpointer=saver)
    modes = ["updates", "values", "tasks", "debug"]
    for turn, given in enumerate([{"path": []}, None, None]):
        record.chunks(f"turn {turn}", graph.stream(given, CONFIG, stream_mode=modes, subgraphs=True))
        look(record, f"state {turn}", graph)
