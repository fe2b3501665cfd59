"""get_state and get_state_history, savers and threads."""

import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
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
    record("the config given", graph.get_state({**CONFIG, "max_concurrency": 1}).config)
    limited = graph.with_config(recursion_limit=3)
    record("a config of its own", (limited.config, limited.get_state(CONFIG).config))


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


def program_raw_checkpoints_have_only_what_was_written(record, saver):
    """A reducer's first value, which every state shows, is in none before something is written to its key."""

    def raw(item):
        return sorted(item.checkpoint["channel_values"].items())

    class Logs(TypedDict):
        log: Annotated[list, operator.add]
        seen: Annotated[list, operator.add]
        n: Annotated[int, operator.add]
        said: str

    builder = StateGraph(Logs)
    for number in range(30):
        builder.add_node(f"n{number:02}", lambda state, number=number: {"said": "x" * number})
    builder.add_sequence([("a", lambda state: {"log": ["a"]}), ("b", lambda state: {"said": "hello"})])
    builder.add_edge(START, "n00").add_edge("n29", "a")
    for number in range(29):
        builder.add_edge(f"n{number:02}", f"n{number + 1:02}")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": ["in"]}, CONFIG, durability="sync")
    record("after a run", raw(saver.get_tuple(CONFIG)))
    graph.update_state(CONFIG, {"n": 0})
    record("after an update with what it begins with", raw(saver.get_tuple(CONFIG)))
    record("state", graph.get_state(CONFIG).values)
    graph.invoke({"seen": ["x"]}, CONFIG, durability="sync")
    first = [*graph.get_state_history(CONFIG)][-1]
    graph.update_state(first.config, {"said": "on a branch"}, as_node="b")
    record("raw", [raw(item) for item in saver.list(CONFIG)])
    record("history", [brief(snapshot) for snapshot in graph.get_state_history(CONFIG)])
