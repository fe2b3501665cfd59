"""Pending writes that SQLite keeps beside a question count like those in rows of their own."""

import random
from itertools import count

import aiosqlite
import pytest

from nbhitl.checkpoint.bundle import export_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import TaskWrites
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.constants import INTERRUPT, PULL, RESUME, SCHEDULED
from nbhitl.errors import ReviewError, UnknownInterruptError

from .building import Run, found
from .contract import config


class Refused(Exception):
    """Both savers have refused."""


class Both:
    """Two savers that are told the same: what one returns or raises, so does the other."""

    def __init__(self, *savers):
        self.savers = savers

    def __getattr__(self, name):
        def told(*args, **kwargs):
            first, *others = [_outcome(getattr(saver, name), args, kwargs) for saver in self.savers]
            assert all(other == first for other in others), (name, first, others)
            if isinstance(first, type):
                raise Refused(name)
            return first

        return told


def _outcome(method, args, kwargs):
    try:
        result = method(*args, **kwargs)
    except (ReviewError, UnknownInterruptError) as error:
        return type(error)
    if method.__name__ in ("get_tuple", "history", "outline", "list"):
        result = list(result) if method.__name__ != "get_tuple" else result
    return result


class Story:
    def __init__(self, saver, seed):
        self.random, self.run, self.names = random.Random(seed), Run(saver), count()
        self.asked, self.refused, self.answered_before = [""], 0, []

    def step(self):
        self.run.step({"n": self.random.random()})

    def pause(self, size=1):
        self.ask(self.random.choice("ab"), size, starts=self.random.randrange(1, 5))

    def ask(self, task, size=1, starts=1):
        new = [f"q{next(self.names)}" for _ in range(size)]
        self.run.pause(*new, task=task, starts=starts)
        self.asked = [*self.asked[-3:], *new]

    def step_and_pause(self):
        self.step()
        self.pause()

    def pause_twice(self):
        self.pause(2)

    def ask_again(self):
        self.run.pause(self.random.choice(self.asked), task=self.random.choice("ab"))

    def answer(self, size=1):
        answers = {iid: [iid] for iid in self.random.sample(self.asked, min(size, len(self.asked)))}
        self.run.saver.claim(self.run.request(answers, task=self.random.choice("ab")))

    def answer_twice(self):
        self.answer(2)

    def answer_after_another(self, task="a"):
        """As the engine: what delivers the answer tells those before it too."""
        self.answered_before = self.answers_of(task)
        self.answer_last(task, self.answered_before)

    def answers_of(self, task):
        writes = self.run.saver.load(self.run.key()).writes
        of_task = [value for name, channel, value in writes if (name, channel) == (f"id-of-{task}", RESUME)]
        return [entry for value in of_task for entry in value]

    def answer_last(self, task, given):
        new = self.asked[-1]
        answer = self.random.random()
        resumes = {f"id-of-{task}": [*given, [new, "digest", answer]]}
        self.run.saver.claim(self.run.request({new: answer}, resumes=resumes))

    def conversation(self):
        """One task asks and is answered, and again; then perhaps something in between, or a last answer that is late."""
        task = self.random.choice("ab")
        for starts in range(2, self.random.randrange(3, 8)):
            self.ask(task, starts=starts)
            self.answer_after_another(task)
        self.ask(task)
        if self.random.random() < 0.3:
            self.random.choice([self.release, self.drop, self.written_by_others, self.ask_again])()
        self.answer_last(task, self.random.choice([self.answered_before, self.answers_of(task)]))

    def release(self):
        self.run.saver.release(*self.run.place(), (self.random.choice(self.asked),))

    def drop(self):
        self.run.saver.drop(*self.run.place(), (self.random.choice(self.asked),))

    def record(self):
        self.run.saver.record_answer(
            *self.run.place(), self.random.choice(self.asked), "noted", "ann", "2026-11-20"
        )

    def results(self):
        self.run.saver.put_pending(
            self.run.key(self.run.head), [TaskWrites("id-of-a", "a", (PULL, "a"), [("n", 1)])]
        )

    def written_by_others(self):
        channel = self.random.choice([INTERRUPT, RESUME])
        value = [[f"q{next(self.names)}", "digest", 1]]
        self.run.saver.put_pending(
            self.run.key(self.run.head), [TaskWrites("id-of-a", "a", (PULL, "a"), [(channel, value)])]
        )

    def prune(self):
        self.run.saver.prune(["t"], strategy=self.random.choice(["keep_latest", "keep_answered"]))

    def goes_on(self):
        often = [self.step_and_pause, self.pause, self.answer, self.answer_after_another] * 3
        often += [self.conversation] * 2
        seldom = [
            self.step,
            self.pause_twice,
            self.ask_again,
            self.answer_twice,
            self.release,
            self.drop,
            self.record,
        ]
        try:
            self.random.choice([*often, *seldom, self.results, self.written_by_others, self.prune])()
        except Refused:
            self.refused += 1


def seen(saver, run):
    """All that can be read of a thread."""
    stored = [saver.load(run.key(checkpoint_id)) for checkpoint_id in [None, *run.saved]]
    return (
        [None if one is None else found(one) for one in stored],
        [found(one) for one in saver.history(run.thread, "")],
        [found(one) for one in saver.history(run.thread, "", limit=2)],
        [repr(one) for one in saver.outline(run.thread, "")],
        [(one.config, one.pending_writes) for one in saver.list(config(run.thread))],
        saver.claims(run.thread),
        sorted(saver.pending(), key=lambda one: one.interrupt_id),
        {
            name: part
            for name, part in export_thread(saver, run.thread).items()
            if name not in ("exported_at", "sha256")
        },
    )


@pytest.mark.parametrize("seed", range(3))
def test_random_stories_read_the_same_from_memory_and_from_the_file(tmp_path, seed):
    memory, path = InMemorySaver(), str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver, SqliteSaver.from_conn_string(path) as reader:
        story = Story(Both(memory, saver), seed)
        story.step()
        for _ in range(40):
            story.goes_on()
            assert seen(memory, story.run) == seen(saver, story.run)
            saver.flush()
            assert seen(memory, story.run) == seen(reader, story.run)
    assert story.refused < 35


def test_each_of_many_answers_is_stored_once(tmp_path):
    """Beside its own question: to write all earlier ones again would take longer with each."""
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        run = Run(saver)
        run.step({"n": 0})
        given = []
        for number in range(40):
            saver.load(run.key())
            run.pause(f"q{number}", starts=number + 1)
            given.append([f"q{number}", "digest", "x" * 100])
            saver.claim(run.request({f"q{number}": "x" * 100}, resumes={"id-of-asking": list(given)}))
        assert saver.conn.execute("SELECT count(*) FROM nbhitl_writes").fetchone() == (0,)
        sizes = "SELECT max(length(resuming)), sum(asking IS NOT NULL), count(*) FROM nbhitl_questions"
        assert saver.conn.execute(sizes).fetchone() == (115, 1, 40)
        with SqliteSaver.from_conn_string(path) as reader:
            writes = {channel: value for _, channel, value in reader.load(run.key()).writes}
        assert writes[RESUME] == given
        assert writes[SCHEDULED] == 40
        assert [question.id for question in writes[INTERRUPT]] == ["q39"]


@pytest.mark.parametrize("seen", [[], ["q1"], ["q0"], ["q1", "q0"], ["q0", "again"], ["other", "q0", "q1"]])
def test_who_has_seen_other_answers_than_the_file_holds_adds_to_those_that_are_there(tmp_path, seen):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(Both(InMemorySaver(), saver))
        run.step({"n": 0})
        for number in range(3):
            run.saver.load(run.key())
            run.pause(f"q{number}")
            given = [[f"q{n}", "digest", n] for n in range(number)]
            given = given if number < 2 else [[name, "digest", 1] for name in seen]
            entries = {"id-of-asking": [*given, [f"q{number}", "digest", number]]}
            run.saver.claim(run.request({f"q{number}": number}, resumes=entries))
        kept = [value for _, channel, value in run.saver.load(run.key()).writes if channel == RESUME]
        assert {"q0", "q1", "q2"} <= {entry[0] for entry in kept[0]}


def test_who_has_seen_answers_where_the_file_holds_none_adds_theirs(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(Both(InMemorySaver(), saver))
        run.step({"n": 0})
        run.pause("q0")
        given = [["other", "digest", 1], ["q0", "digest", 2]]
        run.saver.claim(run.request({"q0": 2}, resumes={"id-of-asking": given}))
        assert run.saver.answers_at(*run.place()) == {"id-of-asking": given}


async def test_a_lent_connection_answers_what_another_connection_asked(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        run = Run(saver)
        run.step({"n": 0})
        assert saver.load(run.key()).writes == []
        run.pause("q1")
        async with aiosqlite.connect(path) as conn:
            lent = AsyncSqliteSaver(conn)
            assert (await lent.aload(run.key())).writes == saver.load(run.key()).writes
            (claim,) = await lent.aclaim(run.request({"q1": "yes"}))
            assert (await lent.aload(run.key())).writes == saver.load(run.key()).writes
        assert claim.answer == "yes"
        channels = {channel: value for _, channel, value in saver.load(run.key()).writes}
        assert channels[RESUME] == [["q1", "digest", "yes"]]
        saver.release(*run.place(), ("q1",))
        assert [channel for _, channel, _ in saver.load(run.key()).writes] == [INTERRUPT]
