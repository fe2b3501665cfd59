"""Savers in memory that people made to outlive the process: they save what the saver keeps, and put it back."""

import base64
import operator
import pickle
import tempfile
from collections import defaultdict
from pathlib import Path
from threading import RLock
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver, MemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


class InAFile(InMemorySaver):
    """Is saved with each change, and replaces what is there when it is read."""

    def __init__(self, path):
        self.path = path
        self.one_by_one = RLock()
        super().__init__()
        self._load()

    def _load(self):
        if not self.path.exists():
            return
        storage, writes, blobs = pickle.loads(self.path.read_bytes())
        self.storage = defaultdict(lambda: defaultdict(dict))
        for thread_id, spaces in storage.items():
            for ns, kept in spaces.items():
                self.storage[thread_id][ns].update(kept)
        self.writes = defaultdict(dict)
        self.writes.update(writes)
        self.blobs = dict(blobs)

    def _save(self):
        storage = {
            thread_id: {ns: dict(kept) for ns, kept in spaces.items()}
            for thread_id, spaces in self.storage.items()
        }
        self.path.write_bytes(pickle.dumps((storage, dict(self.writes), dict(self.blobs))))

    def put(self, *args):
        with self.one_by_one:
            config = super().put(*args)
            self._save()
        return config

    def put_writes(self, *args):
        with self.one_by_one:
            super().put_writes(*args)
            self._save()

    def delete_thread(self, thread_id):
        super().delete_thread(thread_id)
        self._save()


def as_text(value):
    kind, data = value
    return kind, base64.b64encode(data).decode()


def from_text(value):
    kind, text = value
    return kind, base64.b64decode(text)


class AsText(MemorySaver):
    """Is saved when it is asked to, one entry after the other; its methods have names of its own."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.history = []
        if path.exists():
            self.load()

    def load(self):
        storage, writes, blobs = pickle.loads(self.path.read_bytes())
        for (thread_id, ns, checkpoint_id), (checkpoint, metadata, parent) in storage:
            self.storage[thread_id][ns][checkpoint_id] = (from_text(checkpoint), from_text(metadata), parent)
        for place, key, (task_id, channel, value, path) in writes:
            self.writes[place][key] = (task_id, channel, from_text(value), path)
        for key, value in blobs:
            self.blobs[key] = from_text(value)

    def save(self):
        storage = [
            ((thread_id, ns, checkpoint_id), (as_text(checkpoint), as_text(metadata), parent))
            for thread_id, spaces in self.storage.items()
            for ns, kept in spaces.items()
            for checkpoint_id, (checkpoint, metadata, parent) in kept.items()
        ]
        writes = [
            (place, key, (task_id, channel, as_text(value), path))
            for place, left in self.writes.items()
            for key, (task_id, channel, value, path) in left.items()
        ]
        blobs = [(key, as_text(value)) for key, value in self.blobs.items()]
        self.path.write_bytes(pickle.dumps((storage, writes, blobs)))


def asking(saver):
    def plan(state):
        return {"path": ["plan"]}

    def book(state):
        return {"path": [f"book {interrupt('which?')} {interrupt('when?')}"]}

    def pay(state):
        return {"path": [f"pay {interrupt('how?')}"]}

    builder = StateGraph(State).add_node(plan).add_node(book).add_node(pay).add_node("end", plan)
    builder.add_edge(START, "plan").add_edge("plan", "book").add_edge("plan", "pay")
    return builder.add_edge(["book", "pay"], "end").compile(checkpointer=saver)


CONFIG = {"configurable": {"thread_id": "1"}}


def shown(snapshot):
    asked = sorted(question.value for question in snapshot.interrupts)
    return snapshot.values, snapshot.next, asked, sorted(str(task.result) for task in snapshot.tasks)


def questions(graph):
    return {question.value: question.id for question in graph.get_state(CONFIG).interrupts}


def answers(asked, answer):
    return lambda graph: graph.invoke(Command(resume={questions(graph)[asked]: answer}), CONFIG)


def each_time_anew(record, opened):
    """Answer and go on in time, with a saver that is opened again for each step."""
    opened(lambda graph: graph.invoke({"path": []}, CONFIG))
    opened(lambda graph: record("asks", shown(graph.get_state(CONFIG))))
    for asked, answer in (("which?", "this"), ("how?", "cash"), ("when?", "now")):
        opened(answers(asked, answer))
        opened(lambda graph: record(asked, shown(graph.get_state(CONFIG))))

    def back(graph):
        [planned] = [past for past in graph.get_state_history(CONFIG) if past.next == ("book", "pay")]
        return graph.invoke(None, planned.config)

    opened(back)
    opened(lambda graph: record("back", shown(graph.get_state(CONFIG))))
    opened(lambda graph: graph.update_state(CONFIG, {"path": ["by hand"]}, as_node="plan"))
    opened(lambda graph: record("history", [shown(past) for past in graph.get_state_history(CONFIG)]))


def program_a_saver_that_saves_itself(record):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "threads"
        each_time_anew(record, lambda act: act(asking(InAFile(path))))
        InAFile(path).delete_thread("1")
        record("deleted", list(InAFile(path).storage))


def program_a_saver_that_is_saved_by_hand(record):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "threads"

        def opened(act):
            saver = AsText(path)
            act(asking(saver))
            saver.save()

        each_time_anew(record, opened)


def program_checkpoints_deleted_by_hand(record):
    saver = InMemorySaver()
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    graph.invoke(Command(resume={questions(graph)["which?"]: "a"}), CONFIG)
    kept = saver.storage["1"][""]
    oldest, newest = min(kept), max(kept)
    del saver.storage["1"][""][oldest]
    record("left", (len(saver.storage["1"][""]), oldest in saver.storage["1"][""]))
    record(
        "named", graph.get_state({"configurable": {**CONFIG["configurable"], "checkpoint_id": newest}}).next
    )
    record("goes on", graph.invoke(Command(resume={questions(graph)["when?"]: "b"}), CONFIG)["path"])
    record("ends", graph.invoke(Command(resume="c"), CONFIG)["path"])


def program_nothing_of_a_thread_that_is_not_there(record):
    saver = InMemorySaver()
    record("nothing", (saver.storage.get("1"), saver.storage.pop("1", None), dict(saver.storage["1"])))
    record.error("refused", lambda: saver.storage.pop("2"))


class WithATimeToLive(InMemorySaver):
    """Has names of its own for much of what ours has."""

    def __init__(self):
        super().__init__()
        self.threads = {}
        self.pending = []
        self.history = []
        self.report = {"saved": 0}

    def put(self, config, *args):
        self.threads[config["configurable"]["thread_id"]] = True
        self.report["saved"] += 1
        return super().put(config, *args)

    def claim(self):
        return "mine"

    def release(self):
        for thread_id in self.threads:
            self.delete_thread(thread_id)
        self.threads.clear()


def program_a_saver_whose_methods_have_names_of_ours(record):
    saver = WithATimeToLive()
    graph = asking(saver)
    graph.invoke({"path": []}, CONFIG)
    for asked in ("which?", "how?", "when?"):
        graph.invoke(Command(resume={questions(graph)[asked]: asked}), CONFIG)
        record(asked, shown(graph.get_state(CONFIG)))
    record("own", (saver.threads, saver.claim(), saver.pending, saver.history, saver.report))
    saver.release()
    record("left", (saver.threads, list(saver.storage), graph.get_state(CONFIG).values))
