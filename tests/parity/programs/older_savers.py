"""Savers written before a task's path was saved with what it left."""

import operator
from typing import Annotated

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


class Older(InMemorySaver):
    def put_writes(self, config, writes, task_id):
        return super().put_writes(config, writes, task_id)

    async def aput_writes(self, config, writes, task_id):
        return super().put_writes(config, writes, task_id)


class Faulty(InMemorySaver):
    def put_writes(self, config, writes, task_id):
        raise ValueError("faulty put_writes")


def graph_with(saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("?")]})
    return builder.add_edge(START, "a").add_edge(START, "ask").compile(checkpointer=saver)


def program_no_path(record):
    graph = graph_with(Older())
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("done", graph.invoke(Command(resume="yes"), CONFIG))
    record.error("faulty", lambda: graph_with(Faulty()).invoke({"path": []}, CONFIG), "faulty put_writes")


async def program_no_path_async(record):
    graph = graph_with(Older())
    record("asks", await graph.ainvoke({"path": []}, CONFIG))
    record("done", await graph.ainvoke(Command(resume="yes"), CONFIG))


class KeepsNothing(InMemorySaver):
    """Keeps checkpoints and nothing of what tasks leave, as many a first saver does."""

    def put_writes(self, config, writes, task_id, task_path=""):
        pass

    async def aput_writes(self, config, writes, task_id, task_path=""):
        pass


def questions_with(saver, node=lambda state: {"path": [interrupt("?")]}, **options):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_node("ask", node)
    builder.add_node("z", lambda state: {"path": ["z"]})
    builder.add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "z")
    return builder.compile(checkpointer=saver, **options)


def program_no_writes(record):
    graph = questions_with(KeepsNothing())
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("next", graph.get_state(CONFIG).next)
    record("no answer", graph.invoke(None, CONFIG))
    record("done", graph.invoke(Command(resume="yes"), CONFIG))
    record("history", [(state.values, state.next) for state in graph.get_state_history(CONFIG)])
    first = {"configurable": {"thread_id": "first"}}
    builder = (
        StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("?")]}).add_edge(START, "ask")
    )
    graph = builder.compile(checkpointer=KeepsNothing())
    record("first asks", graph.invoke({"path": []}, first))
    record("first done", graph.invoke(Command(resume="yes"), first))


def program_no_writes_two(record):
    graph = questions_with(KeepsNothing(), lambda state: {"path": [interrupt("1?"), interrupt("2?")]})
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("asks the second", graph.invoke(Command(resume="one"), CONFIG))
    record("asks it again", graph.invoke(Command(resume="two"), CONFIG))


async def program_no_writes_async(record):
    graph = questions_with(KeepsNothing())
    record("asks", await graph.ainvoke({"path": []}, CONFIG))
    record("done", await graph.ainvoke(Command(resume="yes"), CONFIG))


class Forgetful(BaseCheckpointSaver):
    """Keeps whole checkpoints by thread; nobody learns which came before one, or what tasks left."""

    def __init__(self, **told):
        super().__init__()
        self._kept = {}
        self._told = told

    def put(self, config, checkpoint, metadata, new_versions):
        thread = config["configurable"]["thread_id"]
        self._kept.setdefault(thread, []).append(self.serde.dumps_typed((checkpoint, dict(metadata))))
        return {"configurable": {"thread_id": thread, "checkpoint_id": checkpoint["id"]}}

    def put_writes(self, config, writes, task_id, task_path=""):
        pass

    def get_tuple(self, config):
        thread = config["configurable"]["thread_id"]
        if thread not in self._kept:
            return None
        checkpoint, metadata = self.serde.loads_typed(self._kept[thread][-1])
        place = {"configurable": {"thread_id": thread, "checkpoint_id": checkpoint["id"]}}
        return CheckpointTuple(place, checkpoint, metadata, **self._told)


def program_no_parents(record):
    for told in ({}, {"pending_writes": []}):
        graph = questions_with(Forgetful(**told))
        record("asks", graph.invoke({"path": []}, CONFIG))
        record("next", graph.get_state(CONFIG).next)
        record("no answer", graph.invoke(None, CONFIG))
        record("done", graph.invoke(Command(resume="yes"), CONFIG))
        record("asks anew", graph.invoke({"path": []}, CONFIG))
        record("done anew", graph.invoke(Command(resume="no"), CONFIG))


class ListsLoopsOnly(InMemorySaver):
    """Tells its own history."""

    def list(self, config, **bounds):
        return (found for found in super().list(config, **bounds) if found.metadata["source"] == "loop")


class ListsNothing(InMemorySaver):
    def list(self, config, **bounds):
        raise RuntimeError("out of reach")

    async def alist(self, config, **bounds):
        raise RuntimeError("out of reach")
        yield


async def program_own_lists(record):
    graph = questions_with(ListsLoopsOnly())
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))
    record("done", graph.invoke(Command(resume="yes"), CONFIG))
    record("limited", list(graph.get_state_history(CONFIG, limit=2)))
    record("in asyncio", [state.next async for state in graph.aget_state_history(CONFIG)])
    graph = questions_with(ListsNothing())
    record("asks again", graph.invoke({"path": []}, CONFIG))
    record.error("no history", lambda: list(graph.get_state_history(CONFIG)), "out of reach")
    await record.achunks("nor in asyncio", graph.aget_state_history(CONFIG))
    record("done again", graph.invoke(Command(resume="yes"), CONFIG))


class AppendsWrites(InMemorySaver):
    """Keeps the writes of tasks in a list of its own, and does not look whether it has them already."""

    def __init__(self):
        super().__init__()
        self._left = {}

    def put_writes(self, config, writes, task_id, task_path=""):
        left = self._left.setdefault(config["configurable"]["checkpoint_id"], [])
        left.extend((task_id, channel, value) for channel, value in writes)

    def get_tuple(self, config):
        found = super().get_tuple(config)
        if found is None:
            return None
        return found._replace(pending_writes=self._left.get(found.checkpoint["id"], []))


def program_writes_are_put_once(record):
    for durability in ("sync", "async", "exit"):
        builder = StateGraph(State).add_node("quiet", lambda state: {"path": ["quiet"]})
        builder.add_node("ask", lambda state: {"path": [interrupt("?")]}).add_edge(START, "quiet")
        graph = builder.add_edge(START, "ask").compile(checkpointer=AppendsWrites())
        how = {"durability": durability}
        record("asks", graph.invoke({"path": []}, CONFIG, **how))
        record("done", graph.invoke(Command(resume="yes"), CONFIG, **how))


class OfUsers(InMemorySaver):
    """Keeps the threads of each user apart, and asks the config whose thread it is."""

    def _of_user(self, config):
        entries = config["configurable"]
        return {"configurable": {**entries, "thread_id": f"{entries['user']}/{entries['thread_id']}"}}

    def _named(self, config):
        entries = config and config["configurable"]
        return entries and {"configurable": {**entries, "thread_id": entries["thread_id"].split("/")[1]}}

    def _handed_out(self, found):
        return found._replace(
            config=self._named(found.config), parent_config=self._named(found.parent_config)
        )

    def get_tuple(self, config):
        found = super().get_tuple(self._of_user(config))
        return found and self._handed_out(found)

    def put(self, config, checkpoint, metadata, new_versions):
        return self._named(super().put(self._of_user(config), checkpoint, metadata, new_versions))

    def put_writes(self, config, writes, task_id, task_path=""):
        return super().put_writes(self._of_user(config), writes, task_id, task_path)

    def list(self, config, **bounds):
        return map(self._handed_out, super().list(self._of_user(config), **bounds))


def program_savers_find_what_the_caller_configured(record):
    below = graph_with(None)
    builder = StateGraph(State).add_node("below", below).add_node("last", lambda state: {"path": ["last"]})
    graph = builder.add_edge(START, "below").add_edge("below", "last").compile(checkpointer=OfUsers())
    mine, yours = ({"configurable": {"thread_id": "1", "user": user}} for user in ("me", "you"))
    record("mine", graph.invoke({"path": []}, mine))
    record("yours", graph.invoke({"path": []}, yours))
    record("state", graph.get_state(mine).next)
    record("done", graph.invoke(Command(resume="yes"), mine))
    record("yours waits", graph.get_state(yours).next)
    record("steps", [one.metadata["step"] for one in graph.get_state_history(mine)])
    preset = graph.with_config(configurable={"user": "they"})
    record("preset", preset.invoke({"path": []}, {"configurable": {"thread_id": "1"}}))
    record("threads", sorted(graph.checkpointer.storage))


def program_formats_of_other_serializers(record):
    serde = InMemorySaver().serde
    for kind, content in (("json", b'{"a": [1, "x"]}'), ("bytes", b"x"), ("bytearray", b"x"), ("null", b"")):
        record(kind, serde.loads_typed((kind, content)))


def program_what_savers_are_told_to_keep(record):
    """The caller's entries are in the config: a saver keeps them, or its own."""
    seen = []

    class Own(InMemorySaver):
        def put(self, config, checkpoint, metadata, new_versions):
            entries = config["configurable"]
            seen.append((dict(metadata), config["metadata"], entries["user"]))
            own = {**metadata, "owner": entries["user"].upper()}
            return super().put(config, checkpoint, own, new_versions)

    graph = graph_with(Own())
    config = {"configurable": {"thread_id": "1", "user": "me"}, "metadata": {"note": 1}}
    record("asks", graph.invoke({"path": []}, config))
    graph.update_state(config, {"path": ["by hand"]}, as_node="a")
    record("seen", seen)
    record("kept", [one.metadata for one in graph.get_state_history(config)])
    record("of the owner", len(list(graph.get_state_history(config, filter={"owner": "ME"}))))
