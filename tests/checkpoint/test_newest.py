"""The newest step that a saver in SQLite has kept is the one in the file, whoever has changed it."""

import random
import sqlite3
import sys
from contextlib import ExitStack, closing, suppress
from typing import TypedDict

import pytest

from nbhitl.checkpoint._newest import merged
from nbhitl.checkpoint.records import CheckpointKey, TaskWrites
from nbhitl.checkpoint.sqlite import SqliteSaver, _group
from nbhitl.constants import PULL
from nbhitl.errors import ReviewError, StoreError, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .building import Run


class Answer(TypedDict):
    n: int


class Story:
    """One thread that two savers on a file, and other people's SQL, change in turn."""

    def __init__(self, savers, seed):
        self.savers, self.random, self.run = savers, random.Random(seed), Run(savers[0])
        self.asked = 0

    def step(self):
        self.run.step({"n": self.random.random()}, appended={"items": [1]})

    def pause(self):
        self.asked += 1
        self.run.pause(f"q{self.asked}", task=self.random.choice("ab"))

    def answer(self):
        self.run.saver.claim(self.run.request({f"q{self.asked}": "yes"}))

    def release(self):
        self.run.saver.release(*self.run.place(), (f"q{self.asked}",))

    def results(self):
        tasks = [TaskWrites(f"task-{name}", name, (PULL, name), [("n", 1)]) for name in "ab"]
        self.run.saver.put_pending(self.run.key(self.run.head), tasks[: self.random.randint(1, 2)])

    def delete(self):
        saver = self.run.saver
        saver._rows.newest("t", "")
        if self.random.random() < 0.5:
            saver.delete_thread("t")
        else:
            saver.prune(["t"], strategy="delete")
        assert saver.load(self.run.key()) is None
        self.run = Run(self.run.saver)
        self.step()

    def prune(self):
        self.run.saver.prune(["t"])

    def by_hand(self):
        sql = self.random.choice(["DELETE FROM nbhitl_writes", "UPDATE nbhitl_steps SET created_at = 'now'"])
        self.run.saver.conn.execute(sql)

    def taken_back_by_hand(self):
        conn = self.run.saver.conn
        conn.execute("BEGIN")
        conn.execute("UPDATE nbhitl_steps SET created_at = 'never'")
        self.run.saver.load(self.run.key())
        conn.execute("ROLLBACK")

    def refused(self):
        conn = self.run.saver.conn
        conn.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON nbhitl_questions BEGIN SELECT RAISE(ABORT, 'disk'); END"
        )
        with pytest.raises(StoreError, match="disk"):
            self.run.pause("refused")
        conn.execute("DROP TRIGGER refuse")

    def goes_on(self):
        self.run.saver = self.random.choice(self.savers)
        what = [self.step] * 4 + [self.pause, self.answer] * 3
        what += [self.release, self.results, self.delete, self.prune, self.by_hand, self.taken_back_by_hand]
        what += [self.refused]
        with suppress(ReviewError, UnknownInterruptError):  # it is answered, or was asked elsewhere
            self.random.choice(what)()


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_is_what_the_file_holds(tmp_path, seed):
    with ExitStack() as stack:
        path = str(tmp_path / "store.db")
        savers = [stack.enter_context(SqliteSaver.from_conn_string(path)) for _ in range(2)]
        story = Story(savers, seed)
        story.step()
        for _ in range(150):
            story.goes_on()
            for saver in savers:
                rows = saver._rows
                step, writes = rows.newest("t", "")
                assert (step, list(writes)) == rows._read_newest("t", "")


def test_a_pause_is_answered_without_reading_the_thread_again(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        assert saver.load(Run(saver).key()) is None
        run = Run(saver)
        run.step({"n": 1})
        run.pause("q")
        said = []
        saver.conn.set_trace_callback(said.append)
        stored = saver.load(run.key(), share=True)
        saver.conn.set_trace_callback(None)
    assert (stored.values, [write[1] for write in stored.writes]) == ({"n": 1}, ["__interrupt__"])
    assert said == ["PRAGMA data_version"]


def test_what_another_connection_has_changed_is_read(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        run = Run(saver)
        saver.load(run.key())
        run.step({"n": 1})
        saver.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("DELETE FROM nbhitl_steps")
        assert saver.load(run.key()) is None


def test_a_question_and_its_answer_take_three_transactions_of_few_statements(tmp_path, monkeypatch):
    monkeypatch.setattr(_group, "QUICK", 60.0)
    monkeypatch.setattr(_group, "AGE", 60.0)
    builder = StateGraph(Answer).add_node("ask", lambda state: {"n": interrupt("how many?")})
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
        said = []
        for thread in ("before", "traced"):
            config = {"configurable": {"thread_id": thread}}
            saver.conn.set_trace_callback(said.append if thread == "traced" else None)
            graph.invoke({"n": 0}, config)
            assert graph.invoke(Command(resume=7), config) == {"n": 7}
        saver.conn.set_trace_callback(None)
    assert said.count("COMMIT") == 2
    assert len([sql for sql in said if sql.split()[0] == "WITH"]) == 1
    assert len(said) == 14


@pytest.mark.parametrize("saved", [True, False])
def test_ctrl_c_around_a_step_leaves_nothing_outdated(tmp_path, monkeypatch, saved):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.load(run.key())
        insert = saver._database.insert_if_quiet

        def interrupted(row):
            if saved:
                insert(row)
            raise KeyboardInterrupt

        record = run.record({"n": 2})
        monkeypatch.setattr(saver._database, "insert_if_quiet", interrupted)
        with pytest.raises(KeyboardInterrupt):
            saver.put_step(record)
        assert saver.load(run.key()).values == {"n": 2 if saved else 1}


def test_an_id_that_is_no_uuid_is_sorted_as_the_file_does(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        rows = saver._rows
        below, _ = rows.newest("t", "")
        with rows.atomic("t"):
            rows.insert_step(below._replace(checkpoint_id="zzz", parent_id=below.checkpoint_id))
        assert rows.newest("t", "") == rows._read_newest("t", "")


def test_many_writes_of_a_task_are_kept_in_time(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.load(run.key())
        tasks = [TaskWrites("task-a", "a", (PULL, "a"), [(f"k{n}", n) for n in range(5000)])]
        seen = []
        sys.setprofile(lambda frame, event, _: seen.append(1) if frame.f_code is merged.__code__ else None)
        try:
            saver.put_pending(run.key(run.head), tasks)
        finally:
            sys.setprofile(None)
        assert len(seen) <= 10  # not once for each of them, with all that were there before
        step, writes = saver._rows.newest("t", "")
        assert (step, list(writes)) == saver._rows._read_newest("t", "")
        assert len(writes) == 5000


@pytest.mark.parametrize("asked", [1, 2, 30, 60, 130])
def test_many_questions_of_a_task_are_put_in_order_when_somebody_reads_them(tmp_path, asked):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.load(run.key())
        given = []
        for number in range(asked):
            run.pause(f"q{number}", starts=number + 1)
            given.append([f"q{number}", "digest", number])
            resumes = {"id-of-asking": [*given]}
            saver.claim(run.request({f"q{number}": number}, resumes=resumes))
        known = saver._rows._newest._kept["t", ""]
        assert len(known.since) <= 110
        said = []
        saver.conn.set_trace_callback(said.append)
        step, writes = saver._rows.newest("t", "")
        saver.conn.set_trace_callback(None)
        assert said == ["PRAGMA data_version"]
        assert (step, list(writes)) == saver._rows._read_newest("t", "")
        assert ("__resume__", given) in [write[1:] for write in saver.load(run.key()).writes]


def test_a_question_asked_again_with_its_answer_on_the_way_is_not_used_up(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.load(run.key())
        run.pause("q")
        saver.claim(run.request({"q": "yes"}))
        run.pause("q")
        assert [claim.state for claim in saver.claims("t")] == ["delivered"]
        run.pause("next")
        assert [claim.state for claim in saver.claims("t")] == ["applied", "open"]


def test_what_is_remembered_of_many_threads_is_bounded():
    with SqliteSaver.from_conn_string(":memory:") as saver:
        for number in range(300):
            run = Run(saver, f"t{number}")
            run.step({"n": number, "noise": random.Random(number).randbytes(2000)})
            for share in (True, False):
                assert saver.load(run.key(), share).values["n"] == number
        assert 0 < len(saver._rows._newest._kept) <= 64
        assert 0 < len(saver._reread._kept) <= 64
        assert 0 < len(saver._recall._states) <= 32
        assert 0 < len(saver._tips) <= 256
        assert [saver.load(CheckpointKey(f"t{n}", ""), True).values["n"] for n in (0, 150, 299)] == [
            0,
            150,
            299,
        ]
