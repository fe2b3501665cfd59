"""get_state, update_state, get_state_history."""

import operator
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, MessagesState, StateGraph
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
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", END)
    return builder.compile(checkpointer=saver, **options)


def brief(snapshot):
    tasks = [(task.name, task.error, task.interrupts, task.result) for task in snapshot.tasks]
    return (snapshot.values, snapshot.next, snapshot.metadata, tasks)


def program_empty_thread(record, saver):
    graph = chain(saver)
    record("state", graph.get_state(CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))
    record("next", graph.get_state(CONFIG).next)


def program_after_a_run(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"], "n": 1}, CONFIG)
    record("state", graph.get_state(CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))


def program_snapshot_at_a_checkpoint(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    for snapshot in graph.get_state_history(CONFIG):
        record("by id", graph.get_state(snapshot.config))
        record("equal", graph.get_state(snapshot.config) == snapshot)


def program_unknown_checkpoint(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    config = {"configurable": {"thread_id": "1", "checkpoint_id": "1ef00000-0000-6000-8000-000000000000"}}
    record("state", graph.get_state(config))


def program_parent_chain(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    graph.invoke({"path": ["second"]}, CONFIG)
    history = list(graph.get_state_history(CONFIG))
    record("steps", [snapshot.metadata for snapshot in history])
    parents = [snapshot.parent_config for snapshot in history]
    record("parents", [a == b.config for a, b in zip(parents, history[1:])])
    ids = [snapshot.config["configurable"]["checkpoint_id"] for snapshot in history]
    record("ids grow", ids == sorted(ids, reverse=True))
    record("first", parents[-1])


def program_history_limit(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    record("2", [brief(s) for s in graph.get_state_history(CONFIG, limit=2)])
    before = list(graph.get_state_history(CONFIG))[1].config
    record("before", [brief(s) for s in graph.get_state_history(CONFIG, before=before)])
    record("filter", [brief(s) for s in graph.get_state_history(CONFIG, filter={"source": "input"})])
    record("step", [brief(s) for s in graph.get_state_history(CONFIG, filter={"step": 1})])


def program_history_of_a_checkpoint_config(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    old = list(graph.get_state_history(CONFIG))[2].config
    record("a config that names a checkpoint", [brief(s) for s in graph.get_state_history(old)])


def program_update_after_the_end(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    config = graph.update_state(CONFIG, {"path": ["edit"], "n": 3})
    record("config", config)
    record("state", graph.get_state(CONFIG))
    record("nothing to do", graph.invoke(None, CONFIG))
    record("new run", graph.invoke({"path": ["again"]}, CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_update_as_node(record, saver):
    for name in ("a", "b", "c", "__start__"):
        graph = chain(saver)
        config = {"configurable": {"thread_id": name}}
        graph.invoke({"path": ["in"]}, config)
        graph.update_state(config, {"path": [f"as {name}"]}, as_node=name)
        record(name, graph.get_state(config))
        record(f"{name}: go on", graph.invoke(None, config))


def program_update_on_an_empty_thread(record, saver):
    graph = chain(saver)
    record("without as_node", _outcome(lambda: graph.update_state(CONFIG, {"path": ["x"]})))
    record("state", [brief(s) for s in graph.get_state_history(CONFIG)])
    other = {"configurable": {"thread_id": "2"}}
    graph.update_state(other, {"path": ["x"]}, as_node="a")
    record("as a", graph.get_state(other))
    record("go on", graph.invoke(None, other))


def _outcome(call):
    try:
        return ("returned", call())
    except Exception as error:
        return ("raised", type(error).__name__, str(error))


def program_update_none(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(CONFIG, None)
    record("state", graph.get_state(CONFIG))
    graph.update_state(CONFIG, None, as_node="b")
    record("as b", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_as_input_without_values(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    refused = lambda: graph.update_state(CONFIG, None, as_node="__input__")  # noqa: E731
    record.error("refused", refused, "Received no input writes for __start__")
    record("as it was", graph.get_state(CONFIG).next)


def program_update_unknown_node(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    record.error("unknown", lambda: graph.update_state(CONFIG, {"n": 1}, as_node="zz"), "zz")
    try:
        graph.update_state(CONFIG, {"n": 1}, as_node="zz")
    except InvalidUpdateError as error:
        record("text", "does not exist" in str(error))


def program_update_is_ambiguous(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    graph = builder.compile(checkpointer=saver, interrupt_before=["c"])
    graph.invoke({"path": []}, CONFIG)
    record.error(
        "who wrote last?", lambda: graph.update_state(CONFIG, {"n": 1}), "Ambiguous update, specify as_node"
    )
    graph.update_state(CONFIG, {"n": 1}, as_node="a")
    record("as a", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_with_conditional_edges(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("left", lambda state: {"path": ["left"]}).add_node(
        "right", lambda state: {"path": ["right"]}
    )
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "left" if state["n"] > 0 else "right")
    graph = builder.compile(checkpointer=saver, interrupt_after=["a"])
    graph.invoke({"path": [], "n": 0}, CONFIG)
    record("before", brief(graph.get_state(CONFIG)))
    graph.update_state(CONFIG, {"n": 7})
    record("the edge is evaluated again", brief(graph.get_state(CONFIG)))
    record("go on", graph.invoke(None, CONFIG))


def program_update_while_a_question_is_open(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt({"n": state.get("n")})]})
    graph = builder.add_edge(START, "a").add_edge("a", "ask").compile(checkpointer=saver)
    record("first", graph.invoke({"path": [], "n": 1}, CONFIG))
    graph.update_state(CONFIG, {"n": 2})
    record("after the update the question is gone", graph.get_state(CONFIG))
    record("asks anew", graph.invoke(None, CONFIG))
    record("answer", graph.invoke(Command(resume="ok"), CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_answer_after_an_update(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("sure?")]})
    builder.add_node("b", lambda state: {"path": ["b"]}).add_edge(START, "a").add_edge("a", "ask")
    graph = builder.add_edge("ask", "b").compile(checkpointer=saver)
    for number in (1, 2):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": []}, config)
        for edit in range(number):
            graph.update_state(config, {"n": edit})
        record("nothing is open", graph.get_state(config).interrupts)
        record.chunks("answer", graph.stream(Command(resume="yes"), config, stream_mode="updates"))
        record("history", [brief(s) for s in graph.get_state_history(config)])


def program_answer_by_update_as_node(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_node(
        "b", lambda state: {"path": ["b"]}
    )
    graph = builder.add_edge(START, "ask").add_edge("ask", "b").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    graph.update_state(CONFIG, {"path": ["by hand"]}, as_node="ask")
    record("state", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_messages_by_id(record, saver):
    def bot(state):
        return {"messages": [AIMessage("draft", id="draft")]}

    graph = StateGraph(MessagesState).add_node(bot).add_node("send", lambda state: None)
    graph = (
        graph.add_edge(START, "bot")
        .add_edge("bot", "send")
        .compile(checkpointer=saver, interrupt_before=["send"])
    )
    graph.invoke({"messages": [HumanMessage("hi", id="h")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [AIMessage("edited", id="draft")]})
    record("edited", graph.get_state(CONFIG).values)
    record("sent", graph.invoke(None, CONFIG))


def program_update_with_a_command_node(record, saver):
    def router(state):
        return Command(goto="b", update={"path": ["router"]})

    builder = StateGraph(State).add_node(router)
    builder.add_node("b", lambda state: {"path": ["b"]})
    graph = builder.add_edge(START, "router").compile(checkpointer=saver, interrupt_before=["b"])
    graph.invoke({"path": []}, CONFIG)
    record("paused", brief(graph.get_state(CONFIG)))
    graph.update_state(CONFIG, {"n": 1})
    record("a plain update as router drops its goto", brief(graph.get_state(CONFIG)))
    config = {"configurable": {"thread_id": "2"}}
    graph.invoke({"path": []}, config)
    graph.update_state(config, Command(goto="b", update={"n": 2}), as_node="router")
    record("a command as router", brief(graph.get_state(config)))


def program_failed_task(record, saver):
    attempts = []

    def fail(state):
        attempts.append(1)
        if len(attempts) < 3:
            raise ValueError("not yet")
        return {"path": ["fixed"]}

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node(fail)
    graph = builder.add_edge(START, "a").add_edge("a", "fail").compile(checkpointer=saver)
    record.error("first", lambda: graph.invoke({"path": []}, CONFIG), "not yet")
    record("state", graph.get_state(CONFIG))
    record.error("again", lambda: graph.invoke(None, CONFIG), "not yet")
    record("state", brief(graph.get_state(CONFIG)))
    record("third time", graph.invoke(None, CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_new_input_after_a_failure(record, saver):
    def fail(state):
        if state["n"] == 0:
            raise ValueError("zero")
        return {"path": ["ok"]}

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node(fail)
    graph = builder.add_edge(START, "a").add_edge("a", "fail").compile(checkpointer=saver)
    record.error("first", lambda: graph.invoke({"path": [], "n": 0}, CONFIG), "zero")
    record("new input", graph.invoke({"path": ["new"], "n": 1}, CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_one_of_two_fails(record, saver):
    import time

    runs = []

    def good(state):
        runs.append("good")
        return {"path": ["good"]}

    def bad(state):
        time.sleep(0.1)
        runs.append("bad")
        if runs.count("bad") == 1:
            raise ValueError("bad luck")
        return {"path": ["bad"]}

    builder = StateGraph(State).add_node(good).add_node(bad)
    graph = builder.add_edge(START, "good").add_edge(START, "bad").compile(checkpointer=saver)
    record.error("first", lambda: graph.invoke({"path": []}, CONFIG), "bad luck")
    record("state", graph.get_state(CONFIG))
    record("only the failed one again", graph.invoke(None, CONFIG))
    record("runs", runs)


def program_order_of_tasks(record, saver):
    builder = StateGraph(State)
    for name in ("zeta", "alpha", "mid"):
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    builder.add_edge(START, "mid").add_edge(START, "zeta").add_edge(START, "alpha")
    graph = builder.compile(checkpointer=saver, interrupt_before="*")
    record("checkpoints", list(graph.stream({"path": []}, CONFIG, stream_mode="checkpoints")))
    record("next", graph.get_state(CONFIG).next)
    record("tasks", [task.name for task in graph.get_state(CONFIG).tasks])
    record("result", graph.invoke(None, CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_no_saver(record):
    graph = chain(None)
    record.error("get_state", lambda: graph.get_state(CONFIG), "No checkpointer set")
    record.error("history", lambda: list(graph.get_state_history(CONFIG)), "No checkpointer set")
    record.error("update", lambda: graph.update_state(CONFIG, {"n": 1}), "No checkpointer set")


def program_no_thread_id(record, saver):
    graph = chain(saver)
    record.error("invoke", lambda: graph.invoke({"path": []}), "thread_id")
    record.error("stream", lambda: list(graph.stream({"path": []}, {})), "thread_id")


def program_thread_id_types(record, saver):
    graph = chain(saver)
    for thread in (1, "name", "with|odd:signs"):
        config = {"configurable": {"thread_id": thread}}
        graph.invoke({"path": []}, config)
        record(
            f"{thread!r}",
            graph.get_state(config).config["configurable"]["thread_id"] in (thread, str(thread)),
        )


def program_configurable_entries_in_metadata(record, saver):
    graph = chain(saver)
    config = {
        "configurable": {"thread_id": "1", "user": "ann", "level": 3, "_private": 1, "obj": {"a": 1}},
        "metadata": {"run": "r1"},
        "tags": ["t"],
    }
    graph.invoke({"path": []}, config)
    record("metadata", graph.get_state(CONFIG).metadata)
    record("history", [s.metadata for s in graph.get_state_history(CONFIG)])


def program_delete_thread(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["x"]}, CONFIG)
    saver.delete_thread("1")
    record("gone", graph.get_state(CONFIG).values)
    record("fresh", graph.invoke({"path": ["y"]}, CONFIG))


def program_saver_interface(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["x"]}, CONFIG)
    found = saver.get_tuple(CONFIG)
    record("metadata", found.metadata)
    record("config", found.config)
    record("parent", found.parent_config)
    record("listed", [item.metadata for item in saver.list(CONFIG)])
    record(
        "checkpoint keys",
        {"id", "ts", "channel_values", "channel_versions", "versions_seen"} <= set(found.checkpoint),
    )
    record("values", {key: found.checkpoint["channel_values"].get(key) for key in ("path",)})


def program_update_beside_finished_siblings(record, saver):
    def build():
        builder = StateGraph(State)
        builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
        builder.add_node("work", lambda state: {"path": ["work"]})
        builder.add_node("then", lambda state: {"path": ["then"]})
        builder.add_edge(START, "ask").add_edge(START, "work").add_edge(["ask", "work"], "then")
        return builder.compile(checkpointer=saver)

    for number, as_node in enumerate((None, "ask", "work", "__start__")):
        graph = build()
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": ["in"]}, config)
        record(f"{as_node}: paused", brief(graph.get_state(config)))
        graph.update_state(config, {"path": ["update"]}, as_node=as_node)
        record(f"{as_node}: the finished sibling is forgotten", brief(graph.get_state(config)))
        record(f"{as_node}: go on", graph.invoke(None, config))


def program_update_as_a_node_that_is_sent_to(record, saver):
    """With one of its tasks done, and one that asks; one update, or two in one step."""

    def sent(state):
        return {"path": [interrupt("q") if state["path"] == ["asks"] else "done"]}

    for order in (["asks", "done"], ["done", "asks"], ["done", "done", "asks"]):
        for count in (1, 2):
            saver.delete_thread("1")
            builder = StateGraph(State).add_node("sent", sent).add_node("z", lambda state: {"path": ["z"]})
            builder.add_conditional_edges(
                START, lambda state, order=order: [Send("sent", {"path": [w]}) for w in order], ["sent"]
            )
            graph = builder.add_edge("sent", "z").compile(checkpointer=saver)
            graph.invoke({"path": []}, CONFIG)
            updates = [StateUpdate({"path": [f"u{number}"]}, "sent") for number in range(count)]
            graph.bulk_update_state(CONFIG, [updates])
            record(f"{order}, {count}", [brief(one) for one in graph.get_state_history(CONFIG)])
            record(f"{order}, {count} goes on", graph.invoke(None, CONFIG))


def program_update_after_a_goto_while_paused(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("other", lambda state: {"path": ["other"]})
    graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.invoke(Command(goto="other", update={"path": ["given"]}), CONFIG)
    record("paused", graph.get_state(CONFIG).values)
    graph.update_state(CONFIG, {"path": ["update"]})
    record("updated", brief(graph.get_state(CONFIG)))
    record("go on", graph.invoke(None, CONFIG))


def program_exceptions_in_the_state(record, saver):
    class Failing(TypedDict):
        error: Any

    def node(state):
        return {"error": ValueError("no")}

    def looks(state):
        record("in the run it is the exception", type(state["error"]).__name__)

    builder = (
        StateGraph(Failing).add_node(node).add_node(looks).add_edge(START, "node").add_edge("node", "looks")
    )
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"error": None}, CONFIG)
    record("in the store it is its text", graph.get_state(CONFIG).values)
