"""Replay and fork."""

import operator
from typing import Annotated

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def counting(saver, calls, **options):
    def step(name):
        def run(state):
            calls.append(name)
            return {"path": [f"{name}{len(calls)}"]}

        return run

    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, step(name))
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", END)
    return builder.compile(checkpointer=saver, **options)


def asking(saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("b", lambda state: {"path": ["b"]})
    return builder.add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "b").compile(checkpointer=saver)


def at(graph, step, config=CONFIG):
    return next(s for s in graph.get_state_history(config) if s.metadata["step"] == step)


def brief(graph, config=CONFIG):
    return [
        (s.values, s.next, s.metadata, [(t.name, t.result, t.interrupts) for t in s.tasks])
        for s in graph.get_state_history(config)
    ]


def links(graph, config=CONFIG):
    history = list(graph.get_state_history(config))
    ids = {s.config["configurable"]["checkpoint_id"]: number for number, s in enumerate(history)}
    return [
        ids.get(s.parent_config["configurable"]["checkpoint_id"]) if s.parent_config else None
        for s in history
    ]


def program_replay_from_every_checkpoint(record, saver):
    for step in (-1, 0, 1, 2, 3):
        calls = []
        config = {"configurable": {"thread_id": str(step)}}
        graph = counting(saver, calls)
        graph.invoke({"path": ["in"], "n": 1}, config)
        record(f"replay {step}", graph.invoke(None, at(graph, step, config).config))
        record("calls", calls)
        record("history", brief(graph, config))
        record("parents", links(graph, config))


def program_fork_by_update(record, saver):
    calls = []
    graph = counting(saver, calls)
    graph.invoke({"path": ["in"]}, CONFIG)
    old = at(graph, 1)
    forked = graph.update_state(old.config, {"path": ["forked"], "n": 9})
    record("fork config keys", sorted(forked["configurable"]))
    record("state of the fork", graph.get_state(forked))
    record("run", graph.invoke(None, forked))
    record("latest", graph.get_state(CONFIG).values)
    record("history", brief(graph))
    record("parents", links(graph))
    record("old is still there", graph.get_state(old.config).values)


def program_fork_as_node(record, saver):
    calls = []
    graph = counting(saver, calls)
    graph.invoke({"path": ["in"]}, CONFIG)
    forked = graph.update_state(at(graph, 1).config, {"path": ["as b"]}, as_node="b")
    record("next", graph.get_state(forked).next)
    record("run", graph.invoke(None, forked))
    record("calls", calls)


def program_replay_before_a_question(record, saver):
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    record("first answer", graph.invoke(Command(resume="one"), CONFIG))
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("ask",))
    record("asks again", graph.invoke(None, old.config))
    record("state", graph.get_state(CONFIG))
    record("other answer", graph.invoke(Command(resume="two"), CONFIG))
    record("history", brief(graph))
    record("parents", links(graph))


def program_replay_from_before_the_asking_node(record, saver):
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    graph.invoke(Command(resume="one"), CONFIG)
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("a",))
    record("asks again", graph.invoke(None, old.config))
    record("answer", graph.invoke(Command(resume="two"), CONFIG))
    record("history", brief(graph))


def program_fork_a_question_with_update(record, saver):
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    graph.invoke(Command(resume="one"), CONFIG)
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("ask",))
    forked = graph.update_state(old.config, {"path": ["forked"]})
    record("asks", graph.invoke(None, forked))
    record("answer", graph.invoke(Command(resume="two"), CONFIG))
    record("history", brief(graph))


def program_resume_naming_the_head(record, saver):
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    head = graph.get_state(CONFIG).config
    record("resume", graph.invoke(Command(resume="one"), head))
    record("history", brief(graph))


def program_none_naming_the_head_of_a_question(record, saver):
    graph = asking(saver)
    first = graph.invoke({"path": []}, CONFIG)
    head = graph.get_state(CONFIG).config
    second = graph.invoke(None, head)
    record("asks again", second)
    record("same id", first["__interrupt__"][0].id == second["__interrupt__"][0].id)
    record("history", brief(graph))
    record("answer", graph.invoke(Command(resume="x"), CONFIG))


def program_new_input_at_an_old_checkpoint(record, saver):
    calls = []
    graph = counting(saver, calls)
    graph.invoke({"path": ["in"]}, CONFIG)
    record("input", graph.invoke({"path": ["new"]}, at(graph, 1).config))
    record("history", brief(graph))
    record("parents", links(graph))


def program_replay_streams(record, saver):
    calls = []
    graph = counting(saver, calls)
    graph.invoke({"path": ["in"]}, CONFIG)
    old = at(graph, 1).config
    record.chunks("updates", graph.stream(None, old))
    record.chunks("values", graph.stream(None, old, stream_mode="values"))
    record.chunks("debug", graph.stream(None, old, stream_mode="debug"))


def program_replay_with_static_breakpoints(record, saver):
    calls = []
    graph = counting(saver, calls, interrupt_before=["b"])
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.invoke(None, CONFIG)
    record("from before a", graph.invoke(None, at(graph, 0).config))
    record("state", graph.get_state(CONFIG).next)
    record("from the breakpoint itself", graph.invoke(None, at(graph, 1).config))
    record("calls", calls)


def program_update_old_then_continue_on_the_thread(record, saver):
    calls = []
    graph = counting(saver, calls)
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(at(graph, 2).config, {"path": ["x"]})
    record("plain thread config continues the fork", graph.invoke(None, CONFIG))
    record("metadata", [s.metadata for s in graph.get_state_history(CONFIG)])


def program_replay_a_failed_run(record, saver):
    calls = []

    def flaky(state):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("first time")
        return {"path": ["ok"]}

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node(flaky)
    graph = builder.add_edge(START, "a").add_edge("a", "flaky").compile(checkpointer=saver)
    record.error("fails", lambda: graph.invoke({"path": []}, CONFIG), "first time")
    record("replay", graph.invoke(None, graph.get_state(CONFIG).config))
    record("history", brief(graph))


def program_replay_parallel_questions(record, saver):
    builder = StateGraph(State)
    for name in "ab":
        builder.add_node(name, lambda state, name=name: {"path": [f"{name}:{interrupt(name)}"]}).add_edge(
            START, name
        )
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    ids = {item.value: item.id for item in graph.get_state(CONFIG).interrupts}
    record("first", graph.invoke(Command(resume={ids["a"]: "1", ids["b"]: "2"}), CONFIG))
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("a", "b"))
    graph.invoke(None, old.config)
    again = {item.value: item.id for item in graph.get_state(CONFIG).interrupts}
    record("asked again", sorted(again))
    record("ids are new", [again[name] != ids[name] for name in "ab"])
    record("second", graph.invoke(Command(resume={again["a"]: "3", again["b"]: "4"}), CONFIG))


def program_answer_what_the_thread_went_on_without(record, saver):
    graph = asking(saver)
    for number, go_on in enumerate(
        (
            lambda config: graph.invoke({"path": ["more"]}, config),
            lambda config: graph.update_state(config, {"path": ["changed"]}),
            lambda config: graph.invoke(None, graph.get_state(config).config),
        )
    ):
        config = {"configurable": {"thread_id": f"passed over {number}"}}
        graph.invoke({"path": []}, config)
        asked = graph.get_state(config)
        go_on(config)
        answer = {asked.interrupts[0].id: "late"} if number else "late"
        record("answered by checkpoint", graph.invoke(Command(resume=answer), asked.config))
        record("the thread goes on there", [(s.values, s.next) for s in graph.get_state_history(config)])


def program_answered_there_after_a_change(record, saver):
    """What a task did after its answer is told with its checkpoint, although an update, or an input, came before."""
    for change in ("update", "update as it", "input"):
        saver.delete_thread("1")
        graph = asking(saver)
        paused = graph.invoke({"path": [], "n": 1}, CONFIG)
        then = graph.get_state(CONFIG).config
        if change == "input":
            graph.invoke({"path": ["again"]}, CONFIG)
        elif change == "update":
            graph.update_state(CONFIG, {"path": ["u"]}, as_node="a")
        else:
            graph.update_state(CONFIG, {"path": ["u"]}, as_node="b")
        (question,) = paused["__interrupt__"]
        record(change, graph.invoke(Command(resume={question.id: "yes"}), then))
        record(f"{change}, history", brief(graph))
        record(f"{change}, links", links(graph))
        record(f"{change}, there", [(task.name, task.result) for task in graph.get_state(then).tasks])
        before = [*graph.get_state_history(CONFIG)][1].config
        some = graph.get_state_history(CONFIG, before=before, limit=3)
        record(f"{change}, some", [(s.values, [(t.name, t.result) for t in s.tasks]) for s in some])
