"""A file of SQLite that goes away while it is open: no answer is put where nobody will find it."""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TypedDict

import pytest

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite._open_file import OpenFile
from nbhitl.errors import StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .building import NOON, Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files where they are")


def replace(path):
    other = path.with_name("other.db")
    with SqliteSaver.from_conn_string(str(other)) as saver:
        Run(saver).step({"n": "another"})
    other.replace(path)


GOES = {
    "deleted": Path.unlink,
    "moved": lambda path: path.rename(path.with_name("moved.db")),
    "replaced": replace,
    "with its folder": lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
}
ANSWERS = {
    "claimed": lambda run: run.saver.claim(run.request({"q1": "yes"})),
    "claimed beside another": lambda run: run.saver.claim(run.request({"q1": "yes", "q2": "no"})),
    "recorded": lambda run: run.saver.record_answer("t", "", run.head, "q1", "yes", "ann", NOON),
}


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "stores"
    folder.mkdir()
    return folder / "threads.db"


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("goes", GOES)
def test_an_answer_is_refused_where_the_file_has_gone(path, goes, answer):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = Run(saver)
        run.step({"n": 1})
        run.pause("q1", "q2")
        GOES[goes](path)
        told = rf"SQLite store {path}.*deleted, moved or replaced while it was open. Nothing was saved now.*new saver"
        for _ in range(2):
            with pytest.raises(StoreError, match=told):
                ANSWERS[answer](run)
        assert {claim.state for claim in saver.claims("t")} == {"open"}


@pytest.mark.parametrize("answers", [1, 2])
def test_a_node_does_not_run_on_an_answer_that_would_be_lost(path, answers):
    class State(TypedDict):
        n: int

    def ask(state):
        return {"n": [interrupt(i) for i in range(3)][answers]}

    ran = []
    with SqliteSaver.from_conn_string(str(path)) as saver:
        builder = StateGraph(State).add_node("ask", lambda state: (ran.append(1), ask(state))[1])
        graph, config = (
            builder.add_edge(START, "ask").compile(checkpointer=saver),
            {"configurable": {"thread_id": "t"}},
        )
        for given in ({"n": 0}, *[Command(resume=i) for i in range(answers - 1)]):
            graph.invoke(given, config)
        path.unlink()
        with pytest.raises(StoreError, match="deleted, moved or replaced"):
            graph.invoke(Command(resume="an answer"), config)
        assert len(ran) == answers
        assert len(saver.pending()) == 1


def test_an_answer_is_taken_once_the_file_is_back(path):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = Run(saver)
        run.step({"n": 1})
        run.pause("q1")
        path.rename(path.with_name("aside.db"))
        with pytest.raises(StoreError, match="Put the file back"):
            saver.claim(run.request({"q1": "yes"}))
        path.with_name("aside.db").rename(path)
        saver.claim(run.request({"q1": "yes"}))
    with SqliteSaver.from_conn_string(str(path)) as saver:
        assert [claim.state for claim in saver.claims("t")] == ["delivered"]


def test_steps_that_wait_are_not_written_behind_into_another_file(path):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = Run(saver)
        run.step({"n": 1})
        replace(path)
        with pytest.raises(sqlite3.OperationalError, match="replaced"):
            saver._database.waiting.opened(0.0)


@pytest.mark.parametrize("where", [":memory:", "file::memory:", "file:shared?mode=memory&cache=shared", ""])
def test_a_database_without_a_file_is_never_missing_one(where):
    with closing(sqlite3.connect(where, uri=True, check_same_thread=False)) as conn:
        saver = SqliteSaver(conn)
        run = Run(saver)
        run.step({"n": 1})
        run.pause("q1")
        assert [claim.state for claim in saver.claim(run.request({"q1": "yes"}))] == ["delivered"]


def test_what_cannot_be_told_refuses_nothing(path, monkeypatch):
    """A folder that may not be looked into any more, or a file system without inodes."""
    path.touch()
    seen = OpenFile(str(path))

    def refused(_):
        raise PermissionError

    monkeypatch.setattr(os, "stat", refused)
    seen.check()
    monkeypatch.setattr(os, "stat", lambda _: os.stat_result([0] * 10))
    seen.check()
    OpenFile(str(path)).check()


def test_a_link_and_a_relative_path_lead_to_the_file(path, monkeypatch):
    link = path.with_name("link.db")
    path.touch()
    link.symlink_to(path)
    monkeypatch.chdir(path.parent)
    for name in ("link.db", "threads.db"):
        with SqliteSaver.from_conn_string(name) as saver:
            run = Run(saver, thread=name)
            run.step({"n": 1})
            run.pause("q1")
            monkeypatch.chdir(path.parent.parent)
            saver.claim(run.request({"q1": "yes"}))
            monkeypatch.chdir(path.parent)
