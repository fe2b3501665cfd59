"""What a random program and its thread come to, with what runs keep where they pause, and without."""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.engine.instructions import Clock
from nbhitl.graph import _place, _run

from .kept_programs import CONFIG, Doing, Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

NOW = "2026-01-01T00:00:00.000000+00:00"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


class Forgetful(dict[Any, Any]):
    """Where nothing is kept."""

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


@contextmanager
def same_ids(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let checkpoints of graphs have the same ids and times each time this begins."""
    ids = count(1)
    clock = Clock(lambda: (f"{next(ids):08x}-0000-6000-8000-000000000000", NOW), lambda: NOW, lambda _: None)
    with monkeypatch.context() as patched:
        for module in (_run, _place):
            patched.setattr(module, "CLOCK", clock)
        yield


def outcome(seed: int, *, keeps: bool, sqlite: bool, driver: Any = None) -> tuple[list[Any], int]:
    """Return all that can be seen of a random program, and how many answers went on from a kept pause."""
    if not sqlite:
        return _outcome(seed, InMemorySaver(), keeps=keeps, driver=driver)
    if driver is None:
        with SqliteSaver.from_conn_string(":memory:") as saver:
            return _outcome(seed, saver, keeps=keeps, driver=None)
    opening = AsyncSqliteSaver.from_conn_string(":memory:")
    saver = driver.run_until_complete(opening.__aenter__())
    try:
        return _outcome(seed, saver, keeps=keeps, driver=driver)
    finally:
        driver.run_until_complete(opening.__aexit__(None, None, None))


def _outcome(seed: int, saver: Any, *, keeps: bool, driver: Any) -> tuple[list[Any], int]:
    random, log = Random(seed), []
    doing = Doing(random, Program(random, log, side_by_side=driver is None), saver, driver)
    used = _watch(saver)
    if not keeps:
        saver._paused = Forgetful()
    told: list[Any] = []
    for _ in range(random.randrange(4, 16)):
        told += [doing.one(), doing.look(), log if driver is None else sorted(map(repr, log))]
        log = doing.program.log = []
    told += [
        [claim[:8] for claim in doing.call(saver, "claims", "t")],
        doing.call(saver, "pending"),
        _rows(doing),
    ]
    told += [sorted((e.key, e.state, e.result) for e in doing.call(saver, "once_entries", "t"))]
    try:
        told += [repr(state) for state in _history(doing)]
    except Exception as error:
        told += [(type(error).__name__, str(error))]
    return [TIME.sub("some time", repr(part)) for part in told], len(used)


def _rows(doing: Doing) -> list[Any]:
    """What is stored of the thread, bit by bit."""
    if doing.driver is not None:
        return []
    rows = doing.saver._rows
    spaces = sorted(rows.namespaces("t"))
    return [([*rows.steps_newest_first(*s, None)], [*rows.writes_of_namespace(*s)]) for s in spaces]


def _watch(saver: Any) -> list[Any]:
    used: list[Any] = []
    answer = saver.answer_pause

    def answer_pause(answering: Any) -> Any:
        found = answer(answering)
        if found is not None:
            used.append(found)
        return found

    saver.answer_pause = answer_pause
    return used


def _history(doing: Doing) -> list[Any]:
    if doing.driver is None:
        return [*doing.graph.get_state_history(CONFIG)]

    async def collected() -> list[Any]:
        return [state async for state in doing.graph.aget_state_history(CONFIG)]

    history: list[Any] = doing.driver.run_until_complete(collected())
    return history
