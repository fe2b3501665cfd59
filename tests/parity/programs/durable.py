"""When a run is saved: durability, steps that cannot be applied, keys that are not saved, savers of others."""

import operator
from typing import Annotated

from langgraph.channels.untracked_value import UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
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


def program_durability(record, saver):
    for kind in ("sync", "async", "exit"):
        graph = chain(saver)
        config = {"configurable": {"thread_id": kind}}
        record(f"{kind} result", graph.invoke({"path": ["in"]}, config, durability=kind))
        record(f"{kind} history", brief(graph, config))
        record(f"{kind} again", graph.invoke({"path": ["more"]}, config, durability=kind))
        record(f"{kind} history", brief(graph, config))
        record(f"{kind} links", links(graph, config))


def program_exit_on_interrupt_and_error(record, saver):
    def ask(state):
        answer = interrupt("q")
        if answer == "fail":
            raise ValueError("failed")
        return {"path": [answer]}

    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_node(ask)
    graph = builder.add_edge(START, "a").add_edge("a", "ask").compile(checkpointer=saver)
    record("pause", graph.invoke({"path": []}, CONFIG, durability="exit"))
    record("history", brief(graph))
    record.error("error", lambda: graph.invoke(Command(resume="fail"), CONFIG, durability="exit"), "failed")
    record("history", brief(graph))
    config = {"configurable": {"thread_id": "2"}}
    graph.invoke({"path": []}, config, durability="exit")
    record("done", graph.invoke(Command(resume="ok"), config, durability="exit"))
    record("history", brief(graph, config))


def program_exit_streams(record, saver):
    graph = chain(saver)
    record.chunks("debug", graph.stream({"path": []}, CONFIG, stream_mode="debug", durability="exit"))
    record.chunks(
        "checkpoints",
        graph.stream(
            {"path": []}, {"configurable": {"thread_id": "2"}}, stream_mode="checkpoints", durability="exit"
        ),
    )


def program_exit_with_breakpoint(record, saver):
    graph = chain(saver, interrupt_before=["c"])
    record("pause", graph.invoke({"path": []}, CONFIG, durability="exit"))
    record("history", brief(graph))
    record("go on", graph.invoke(None, CONFIG, durability="exit"))
    record("history", brief(graph))


def program_unknown_durability(record, saver):
    record.error("unknown", lambda: chain(saver).invoke({"path": []}, CONFIG, durability="never"))


def program_durability_without_saver(record):
    for kind in ("async", "exit"):
        record.error(kind, lambda: chain(None).invoke({"path": []}, durability=kind))


def program_history_filters(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(CONFIG, {"n": 1})
    graph.invoke({"path": ["more"]}, {"configurable": {"thread_id": "1", "user": "ann"}})
    record("source", brief(graph, filter={"source": "update"}))
    record("step", brief(graph, filter={"step": 0}))
    record("own entry", brief(graph, filter={"user": "ann"}))
    record("nothing", brief(graph, filter={"source": "nope"}))
    middle = list(graph.get_state_history(CONFIG))[4]
    record("before and limit", brief(graph, before=middle.config, limit=2))
    record("filter and limit", brief(graph, filter={"source": "loop"}, limit=1))


class CountingSaver(InMemorySaver):
    """A saver as users write them: overrides of the classic interface."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def put(self, config, checkpoint, metadata, new_versions):
        self.calls.append(("put", metadata["source"], metadata["step"]))
        return super().put(config, checkpoint, metadata, new_versions)

    def put_writes(self, config, writes, task_id, task_path=""):
        self.calls.append(
            ("put_writes", sorted(channel for channel, _ in writes if not channel.startswith("branch:")))
        )
        return super().put_writes(config, writes, task_id, task_path)


def program_saver_with_overrides(record):
    saver = CountingSaver()
    graph = chain(saver)
    record("result", graph.invoke({"path": ["in"]}, CONFIG, durability="sync"))
    record("puts", [call for call in saver.calls if call[0] == "put"])
    record("history", brief(graph))


def program_saver_that_fails(record):
    class Failing(InMemorySaver):
        def put(self, config, checkpoint, metadata, new_versions):
            if metadata["step"] == 1:
                raise OSError("disk full")
            return super().put(config, checkpoint, metadata, new_versions)

    record.error("put", lambda: chain(Failing()).invoke({"path": []}, CONFIG, durability="sync"), "disk full")
    record.error(
        "put, async", lambda: chain(Failing()).invoke({"path": []}, CONFIG, durability="async"), "disk full"
    )

    class NoRead(InMemorySaver):
        def get_tuple(self, config):
            raise OSError("no read")

    record.error("get", lambda: chain(NoRead()).invoke({"path": []}, CONFIG), "no read")


def program_saver_without_pending_writes(record):
    class NoPending(InMemorySaver):
        def get_tuple(self, config):
            found = super().get_tuple(config)
            return found and found._replace(pending_writes=None)

    graph = chain(NoPending(), interrupt_before=["b"])
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("go on", graph.invoke(None, CONFIG))


class Checked(TypedDict, total=False):
    path: Annotated[list, operator.add]
    one: str
    sum: Annotated[int, operator.add]


def unfit(fork):
    """A graph whose second step leaves what the state cannot take."""
    builder = StateGraph(Checked).add_node("start", lambda state: {"path": ["start"]})
    if fork:
        for name in "ab":
            builder.add_node(name, lambda state, name=name: {"path": [name], "one": name})
            builder.add_edge("start", name)
    else:
        builder.add_node("a", lambda state: {"path": ["a"], "sum": "no number"}).add_edge("start", "a")
    return builder.add_edge(START, "start")


def attempt(record, label, call):
    try:
        record(label, call())
    except (InvalidUpdateError, TypeError) as error:
        record(label, type(error).__name__)


def program_step_that_cannot_be_applied(record, saver):
    """The results of its tasks are kept: nothing runs twice, and new input starts anew."""
    for fork in (True, False):
        for kind in ("sync", "async"):
            graph = unfit(fork).compile(checkpointer=saver)
            config = {"configurable": {"thread_id": f"{kind} {fork}"}}
            attempt(record, f"{config} run", lambda: graph.invoke({"path": ["in"]}, config, durability=kind))
            record(f"{config} history", brief(graph, config))
            attempt(record, f"{config} go on", lambda: graph.invoke(None, config, durability=kind))
            record(f"{config} history", brief(graph, config))
            graph.update_state(config, {"path": ["instead"]}, as_node="a")
            record(f"{config} updated", graph.get_state(config).next)
            record(f"{config} goes on", graph.invoke(None, config, durability=kind))
            attempt(
                record, f"{config} anew", lambda: graph.invoke({"path": ["new"]}, config, durability=kind)
            )
            record(f"{config} history", brief(graph, config))


def program_input_that_cannot_be_applied(record, saver):
    graph = unfit(fork=False).compile(checkpointer=saver)
    attempt(record, "run", lambda: graph.invoke({"path": ["in"], "sum": "no number"}, CONFIG))
    attempt(record, "go on", lambda: graph.invoke(None, CONFIG))
    attempt(record, "good input", lambda: graph.invoke({"path": ["in"], "sum": 1}, CONFIG))


class Connected(TypedDict, total=False):
    path: Annotated[list, operator.add]
    connection: Annotated[object, UntrackedValue]


class Connection:
    """Something open: no saver can keep it."""

    def __reduce__(self):
        raise TypeError("cannot be saved")


def program_untracked_keys_are_not_saved(record, saver):
    """Neither with the state, nor with the results of tasks, nor with what a Send carries."""

    def see(state):
        return {"path": [type(state.get("connection")).__name__]}

    def connect(state):
        return {"path": ["connect"], "connection": Connection()}

    for kind in ("edge", "send"):
        builder = StateGraph(Connected).add_node("connect", connect).add_node("see", see)
        builder.add_node("beside", lambda state: {"path": ["beside"]})
        if kind == "edge":
            builder.add_edge("connect", "see")
        else:
            builder.add_conditional_edges("connect", lambda state: [Send("see", dict(state))], ["see"])
        builder.add_edge(START, "connect").add_edge(START, "beside")
        for stop in ([], ["see"]):
            graph = builder.compile(checkpointer=saver, interrupt_before=stop)
            config = {"configurable": {"thread_id": f"{kind} {stop}"}}
            record(f"{kind} {stop} run", graph.invoke({"path": ["in"]}, config)["path"])
            record(f"{kind} {stop} history", brief(graph, config))
            record(f"{kind} {stop} goes on", graph.invoke(None, config)["path"])


def program_a_task_that_only_writes_an_untracked_key(record, saver):
    ran = []

    def connect(state):
        ran.append("connect")
        return {"connection": Connection()}

    def ask(state):
        return {"path": [interrupt("sure?")]}

    builder = StateGraph(Connected).add_node("connect", connect).add_node("ask", ask)
    graph = builder.add_edge(START, "connect").add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    record("answered", graph.invoke(Command(resume="yes"), CONFIG)["path"])
    record("ran", ran)


def program_commands_saved_at_exit(record, saver):
    asks = [(name, lambda state, name=name: {"path": [f"{name}={interrupt(name)}"]}) for name in "ab"]
    adds = [(name, lambda state, name=name: {"path": [name]}) for name in "abc"]
    told, more = Command(update={"n": 1}), Command(update={"path": ["more"]})
    stories = {
        "at the end": (adds[:1], [told, more, None, {"path": ["new"]}], {}),
        "at breakpoints": (adds, [told, more, None], {"interrupt_before": ["b", "c"]}),
        "after a node": (adds, [told, Command(goto="b"), None], {"interrupt_after": ["a"]}),
        "at questions": (
            asks,
            [told, Command(resume="1", update=more.update), more, Command(resume="2")],
            {},
        ),
        "with targets": (adds, [Command(update={"n": 1}, goto="c"), Command(goto="b"), None], {}),
    }
    for name, (nodes, inputs, options) in stories.items():
        saver.delete_thread("1")
        graph = (
            StateGraph(State).add_sequence(nodes).add_edge(START, "a").compile(checkpointer=saver, **options)
        )
        for number, given in enumerate([{"path": ["in"]}, *inputs]):
            record(f"{name}, {number}", graph.invoke(given, CONFIG, durability="exit"))
            record(f"{name}, {number}, history", brief(graph))


def program_a_command_saved_at_exit_before_a_failure(record, saver):
    fails = [True]

    def node(state):
        if fails:
            raise ValueError(fails.pop())
        return {"path": [f"n={state['n']}"]}

    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_node("b", node)
    graph = (
        builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver, interrupt_before=["b"])
    )
    graph.invoke({"path": ["in"], "n": 0}, CONFIG, durability="exit")
    given = Command(update={"n": 1})
    record.error("fails", lambda: graph.invoke(given, CONFIG, durability="exit"), "True")
    record("state", (graph.get_state(CONFIG).values, brief(graph)))
    record("goes on", graph.invoke(None, CONFIG, durability="exit"))
    record("history", brief(graph))
