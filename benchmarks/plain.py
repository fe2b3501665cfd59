"""The same work written by hand: what the result costs at least. Durable where the workload is.

State is a dict; a "saver" is a list of copies, or a table of rows with what changed, one commit a step.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from benchmarks.workloads import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.engines import Store

    Save = Callable[[str, int, dict[str, Any]], None]
    Run = Callable[[str], Any]


@contextmanager
def plain_saver(store: Store, path: Path) -> Iterator[Save]:
    """Yield `save(thread, step, changed)`."""
    if store == "none":
        yield lambda thread, step, changed: None
    elif store == "memory":
        kept: dict[str, list[dict[str, Any]]] = {}
        yield lambda thread, step, changed: kept.setdefault(thread, []).append(dict(changed))
    else:
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute(
                "CREATE TABLE steps (thread TEXT, step INTEGER, changed TEXT, PRIMARY KEY (thread, step))"
            )

            def save(thread: str, step: int, changed: dict[str, Any]) -> None:
                db.execute("INSERT INTO steps VALUES (?, ?, ?)", (thread, step, json.dumps(changed)))

            yield save


def chain(save: Save, size: int) -> Run:
    """See `graphs.chain`."""

    def add_one(state: dict[str, int]) -> dict[str, int]:
        return {"n": state["n"] + 1}

    def run(thread: str) -> Any:
        state = {"n": 0}
        for step in range(size):
            changed = add_one(state)
            state.update(changed)
            save(thread, step, changed)
        return state

    return run


def async_chain(save: Save, size: int) -> Run:
    """See `graphs.async_chain`."""

    async def add_one(state: dict[str, int]) -> dict[str, int]:
        return {"n": state["n"] + 1}

    async def run_all(thread: str) -> Any:
        state = {"n": 0}
        for step in range(size):
            changed = await add_one(state)
            state.update(changed)
            save(thread, step, changed)
        return state

    return lambda thread: asyncio.run(run_all(thread))


def build(save: Save, size: int) -> Run:
    """See `graphs.build`: a dict of functions."""
    return lambda thread: len({f"n{i}": lambda state: {"n": state["n"] + 1} for i in range(size)})


def first_event(save: Save, size: int) -> Run:
    """See `graphs.first_event`."""

    def steps(thread: str) -> Iterator[Any]:
        state = {"n": 0}
        for step in range(size):
            changed = {"n": state["n"] + 1}
            state.update(changed)
            save(thread, step, changed)
            yield {f"n{step}": changed}

    return lambda thread: next(steps(thread))


def wide(save: Save, size: int) -> Run:
    """See `graphs.wide`."""
    keys = [f"k{i}" for i in range(WIDE)]

    def run(thread: str) -> Any:
        state = dict.fromkeys(keys, 0)
        for step in range(size):
            changed = {keys[step]: state[keys[step]] + 1}
            state.update(changed)
            save(thread, step, changed)
        return state

    return run


def fan_out(save: Save, size: int) -> Run:
    """See `graphs.fan_out`."""

    def work(item: dict[str, int]) -> dict[str, int]:
        return {"total": item["n"]}

    return lambda thread: sum(work({"n": i})["total"] for i in range(size))


def ask(save: Save, size: int) -> Run:
    """See `graphs.ask`: the question is saved, then the answer."""

    def once(thread: str) -> int:
        save(thread, 0, {"question": "how many?"})
        save(thread, 1, {"answer": 7})
        save(thread, 2, {"n": 7})
        return 7

    return lambda thread: [once(f"{thread}-{i}") for i in range(size)]


def ask_often(save: Save, size: int) -> Run:
    """See `graphs.ask_often`."""

    def run(thread: str) -> Any:
        answers: list[int] = []
        for i in range(size):
            save(thread, 2 * i, {"question": i})
            save(thread, 2 * i + 1, {"answer": i})
            answers.append(i)
        return answers

    return run


def ask_together(save: Save, size: int) -> Run:
    """See `graphs.ask_together`."""

    def run(thread: str) -> Any:
        save(thread, 0, {"questions": list(range(size))})
        save(thread, 1, {"answers": list(range(size))})
        return sum(range(size))

    return run


def grow(save: Save, size: int) -> Run:
    """See `graphs.grow`."""

    def run(thread: str) -> Any:
        log: list[str] = []
        while len(log) < size:
            line = f"line {len(log)} of a log that grows"
            log.append(line)
            save(thread, len(log), {"log": [line]})
        return len(log)

    return run
