"""A file of somebody else's whose values can be read and are no such things: an error that names the thread."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError, UnknownInterruptError
from nbhitl.types import Command, Interrupt, Send

from .asking import CONFIG, asking, graph_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENDLESS = range(1 << 60)


class Tampered:
    """A paused thread in a file that somebody changes, and the graph that is opened on it then."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.serde = Serde()
        with SqliteSaver.from_conn_string(self.path) as saver:
            graph_of(asking("pay?"), saver=saver).invoke({"log": ["a"]}, CONFIG)

    def change(self, sql: str, value: Any) -> None:
        with closing(sqlite3.connect(self.path)) as conn, conn:
            conn.execute(sql, [self.serde.dumps(value)])

    def step(self) -> list[Any]:
        """The newest step, decoded."""
        with closing(sqlite3.connect(self.path)) as conn:
            found = conn.execute("SELECT body FROM nbhitl_steps ORDER BY checkpoint_id DESC").fetchone()
        step: list[Any] = self.serde.loads(found[0])
        return step

    def uses(self) -> Iterator[Callable[[], Any]]:
        """What can be done with the thread, one after another."""
        with SqliteSaver.from_conn_string(self.path) as saver:
            graph = graph_of(asking("pay?"), saver=saver)
            yield lambda: graph.get_state(CONFIG)
            yield lambda: list(graph.get_state_history(CONFIG))
            yield lambda: graph.invoke(Command(resume=1), CONFIG)

    def is_refused(self) -> None:
        for use in self.uses():
            with pytest.raises(StoreError, match="thread 't'"):
                use()

    def is_data_or_refused(self) -> None:
        for use in self.uses():
            with suppress(StoreError, UnknownInterruptError):
                use()


@pytest.fixture
def tampered(tmp_path: Path) -> Tampered:
    return Tampered(tmp_path / "threads.sqlite")


@pytest.mark.parametrize(
    "left", [7, "pay?", [7], [{"id": "x"}], ENDLESS, {"a": 1}, Interrupt("pay?"), [Send("ask", 1)]], ids=repr
)
def test_what_is_asked_is_no_question(tampered: Tampered, left: Any) -> None:
    tampered.change("UPDATE nbhitl_questions SET asking = ?", left)
    tampered.is_data_or_refused()


@pytest.mark.parametrize("given", [7, [7], ["yes"], [["x", "y"]], [[1, "", 2]], ENDLESS, {"a": 1}], ids=repr)
def test_what_was_answered_is_no_answer(tampered: Tampered, given: Any) -> None:
    tampered.change(
        "INSERT INTO nbhitl_writes SELECT thread_id, ns, checkpoint_id, task_id, -4, 'ask', '', '__resume__', ? "
        "FROM nbhitl_questions",
        given,
    )
    tampered.is_data_or_refused()


def test_metadata_that_is_none(tampered: Tampered) -> None:
    tampered.change("UPDATE nbhitl_steps SET metadata = ?", {"step": [1]})
    tampered.is_refused()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_what_has_no_end_is_not_gone_through(tampered: Tampered, part: int) -> None:
    """Who runs next, in a step: as a tuple it would need more memory than there is."""
    step = tampered.step()
    step[1] = [ENDLESS if part == at else [] for at in range(3)]
    tampered.change("UPDATE nbhitl_steps SET body = ?", step)
    tampered.is_refused()


@pytest.mark.parametrize(("part", "content"), [(3, {"log": ENDLESS}), (4, ENDLESS)])
def test_nor_is_what_was_appended_or_removed(tampered: Tampered, part: int, content: Any) -> None:
    step = tampered.step()
    step[part] = content
    tampered.change("UPDATE nbhitl_steps SET body = ?", step)
    tampered.is_refused()
    with SqliteSaver.from_conn_string(tampered.path) as saver, pytest.raises(StoreError, match="thread 't'"):
        list(saver.outline("t", ""))
