"""The same work written by hand: what the result costs at least. Durable where the workload is.

State is a dict; a store is a list of copies, or a table of rows with what changed, one commit a step.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

import ormsgpack

from benchmarks.engines import sqlite_connection
from benchmarks.graphs import Laps, answer, line, question
from benchmarks.workloads import WAITING_EVERY, WIDE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.engines import Store

    Run = Callable[[str], Any]


class NoStore:
    """Keeps nothing."""

    def save(self, thread: str, step: int, changed: dict[str, Any]) -> None:
        """Take note of what a step changed."""


class MemoryStore(NoStore):
    """Keeps copies in lists."""

    def __init__(self) -> None:
        self._kept: dict[str, list[dict[str, Any]]] = {}

    def save(self, thread: str, step: int, changed: dict[str, Any]) -> None:
        self._kept.setdefault(thread, []).append(dict(changed))


class SqliteStore(NoStore):
    """Keeps rows in two tables; every call is a commit."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute(
            "CREATE TABLE IF NOT EXISTS steps (thread TEXT, step INTEGER, changed BLOB, "
            "PRIMARY KEY (thread, step)) WITHOUT ROWID"
        )
        db.execute("CREATE TABLE IF NOT EXISTS questions (thread TEXT, payload BLOB, is_open INTEGER)")
        db.execute("CREATE INDEX IF NOT EXISTS open_questions ON questions (thread) WHERE is_open")

    def save(self, thread: str, step: int, changed: dict[str, Any]) -> None:
        self._db.execute("INSERT INTO steps VALUES (?, ?, ?)", (thread, step, ormsgpack.packb(changed)))

    def ask(self, thread: str, payload: Any, is_open: bool) -> None:
        """Save a question."""
        self._db.execute(
            "INSERT INTO questions VALUES (?, ?, ?)", (thread, ormsgpack.packb(payload), is_open)
        )

    def open_questions(self) -> list[tuple[str, Any]]:
        """Return thread and payload of the open ones."""
        rows = self._db.execute("SELECT thread, payload FROM questions WHERE is_open").fetchall()
        return [(thread, ormsgpack.unpackb(payload)) for thread, payload in rows]

    def newest(self, thread: str) -> Any:
        """Return what the last step changed."""
        query = "SELECT changed FROM steps WHERE thread = ? ORDER BY step DESC LIMIT 1"
        return ormsgpack.unpackb(self._db.execute(query, (thread,)).fetchone()[0])

    def history(self, thread: str) -> list[tuple[int, dict[str, Any]]]:
        """Return every step and what it changed, oldest first."""
        rows = self._db.execute("SELECT step, changed FROM steps WHERE thread = ? ORDER BY step", (thread,))
        return [(step, ormsgpack.unpackb(changed)) for step, changed in rows]


@contextmanager
def plain_store(store: Store, path: Path) -> Iterator[Any]:
    """Yield a store of that kind."""
    if store == "none":
        yield NoStore()
    elif store == "memory":
        yield MemoryStore()
    else:
        with sqlite_connection(store, path, isolation_level=None) as db:
            yield SqliteStore(db)


def chain(store: Any, size: int) -> Run:
    def add_one(state: dict[str, int]) -> dict[str, int]:
        return {"n": state["n"] + 1}

    def run(thread: str) -> Any:
        state = {"n": 0}
        for step in range(size):
            changed = add_one(state)
            state.update(changed)
            store.save(thread, step, changed)
        return state

    return run


def async_chain(store: Any, size: int) -> Run:
    async def add_one(state: dict[str, int]) -> dict[str, int]:
        return {"n": state["n"] + 1}

    async def run_all(thread: str) -> Any:
        state = {"n": 0}
        for step in range(size):
            changed = await add_one(state)
            state.update(changed)
            store.save(thread, step, changed)
        return state

    return lambda thread: asyncio.run(run_all(thread))


def wide(store: Any, size: int) -> Run:
    keys = [f"k{i}" for i in range(WIDE)]

    def run(thread: str) -> Any:
        state = dict.fromkeys(keys, 0)
        store.save(thread, -1, state)
        for step in range(size):
            changed = {keys[step]: state[keys[step]] + 1}
            state.update(changed)
            store.save(thread, step, changed)
        return state

    return run


def fan_out(store: Any, size: int) -> Run:
    def work(item: dict[str, int]) -> dict[str, int]:
        return {"total": item["n"]}

    return lambda thread: sum(work({"n": i})["total"] for i in range(size))


def grow(store: Any, size: int) -> Run:
    def run(thread: str) -> Any:
        log: list[str] = []
        while len(log) < size:
            text = line(len(log))
            log.append(text)
            store.save(thread, len(log), {"log": [text]})
        return len(log)

    return run


def chat(store: Any, size: int) -> Run:
    """A commit for what the user says, and one for the answer."""

    def run(thread: str) -> Laps:
        laps, messages = [], list[dict[str, str]]()
        for turn in range(size):
            begin = perf_counter()
            for role, text in (("human", question(turn)), ("ai", answer(len(messages) + 1))):
                message = {"type": role, "content": text}
                messages.append(message)
                store.save(thread, len(messages), {"messages": [message]})
            laps.append(perf_counter() - begin)
        return Laps(len(messages), laps)

    return run


def ask(store: Any, size: int) -> Run:
    """The question is saved, then the answer, then the result."""

    def once(thread: str) -> int:
        store.save(thread, 0, {"question": "how many?"})
        store.save(thread, 1, {"answer": 7})
        store.save(thread, 2, {"n": 7})
        return 7

    return lambda thread: [once(f"{thread}-{i}") for i in range(size)]


def ask_often(store: Any, size: int) -> Run:
    def run(thread: str) -> Any:
        answers: list[int] = []
        for i in range(size):
            store.save(thread, 2 * i, {"question": i})
            store.save(thread, 2 * i + 1, {"answer": i})
            answers.append(i)
        store.save(thread, 2 * size, {"answers": answers})
        return answers

    return run


def ask_together(store: Any, size: int) -> Run:
    def run(thread: str) -> Any:
        store.save(thread, 0, {"questions": list(range(size))})
        store.save(thread, 1, {"answers": list(range(size))})
        return sum(range(size))

    return run


def build(store: Any, size: int) -> Run:
    """A dict of functions."""
    return lambda thread: len({f"n{i}": lambda state: {"n": state["n"] + 1} for i in range(size)})


def first_event(store: Any, size: int) -> Run:
    def steps(thread: str) -> Iterator[Any]:
        state = {"n": 0}
        for step in range(size):
            changed = {"n": state["n"] + 1}
            state.update(changed)
            store.save(thread, step, changed)
            yield {f"n{step}": changed}

    return lambda thread: next(steps(thread))


def diagram(store: Any, size: int) -> Run:
    names = ["__start__", *(f"n{i}" for i in range(size)), "__end__"]

    def run(thread: str) -> int:
        lines = ["graph TD;", *(f"\t{name}({name})" for name in names)]
        lines += [f"\t{a} --> {b};" for a, b in pairwise(names)]
        return sum("-->" in text for text in "\n".join(lines).splitlines())

    return run


def get_state(store: Any, size: int) -> Run:
    for n in range(size + 1):
        store.save("long", n, {"n": n})
    return lambda thread: store.newest("long")


def history(store: Any, size: int) -> Run:
    import pandas as pd

    for n in range(size + 2):
        store.save("long", n - 1, {"n": n})

    def run(thread: str) -> list[int]:
        steps = store.history("long")
        columns = {"step": [step for step, _ in steps], "changed": [", ".join(made) for _, made in steps]}
        frame = pd.DataFrame(columns)
        return [len(frame), int(frame["step"].iloc[-1])]

    return run


def pending(store: Any, size: int) -> Run:
    for i in range(size):
        store.ask(f"thread-{i}", "how many?", i % WAITING_EVERY == 0)
    return lambda thread: len(store.open_questions())


PROGRAMS: dict[str, Callable[[Any, int], Run]] = {
    program.__name__: program
    for program in (
        chain, async_chain, wide, fan_out, grow, chat, ask, ask_often, ask_together, build, first_event,
        diagram, get_state, history, pending,
    )
}  # fmt: skip
"""All programs, by name."""


def read(program: str, store: SqliteStore, size: int, thread: str) -> Any:
    """Return the result of a run from what it saved."""
    if program == "ask":
        return [store.newest(f"{thread}-{i}")["n"] for i in range(size)]
    steps = [changed for _, changed in store.history(thread)]
    if program in ("grow", "chat"):
        return sum(len(added) for changed in steps for added in changed.values())
    if program == "ask_often":
        return steps[-1]["answers"]
    state: dict[str, Any] = {}
    for changed in steps:
        state.update(changed)
    return state
