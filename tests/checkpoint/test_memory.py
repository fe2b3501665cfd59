import copy
import pickle
import sys
import threading
import timeit

import pytest

from nbhitl.checkpoint.memory import InMemorySaver, MemorySaver
from nbhitl.checkpoint.steps import stores_steps
from nbhitl.errors import StoreError

from .building import Run
from .contract import SaverContract


class TestInMemorySaver(SaverContract):
    @pytest.fixture
    def saver(self):
        with InMemorySaver() as saver:
            yield saver


def test_its_older_name_is_the_same():
    assert MemorySaver is InMemorySaver


async def test_it_is_an_async_context_manager():
    async with InMemorySaver() as saver:
        assert isinstance(saver, InMemorySaver)


def test_overriding_put_makes_it_a_classic_saver():
    class Counting(InMemorySaver):
        def put(self, *args):
            return super().put(*args)

    class Named(InMemorySaver):
        label = "mine"

    assert not stores_steps(Counting())
    assert stores_steps(Named())
    assert not stores_steps(object())


def test_so_does_a_method_or_an_attribute_that_only_has_the_name_of_ours():
    class Loading(InMemorySaver):
        def load(self):
            pass

    class Loaded(InMemorySaver):
        def load(self, key, share=False):
            return super().load(key, share)

    class Remembering(InMemorySaver):
        history = ()

    remembering = InMemorySaver()
    remembering.history = []
    assert not any(map(stores_steps, (Loading(), Remembering(), remembering)))
    assert stores_steps(Loaded())


def test_threads_put_back_in_another_form_are_refused_and_what_is_kept_stays():
    saver = InMemorySaver()
    Run(saver).step({"n": 1})
    saver.storage["t"][""]["1"] = "no checkpoint"
    with pytest.raises(StoreError, match=r"thread 't' cannot be put back into InMemorySaver: .* SqliteSaver"):
        saver.get_tuple({"configurable": {"thread_id": "t"}})
    assert len(saver.storage["t"][""]) == 1


def test_a_thread_that_is_changed_by_hand_keeps_the_journal_of_what_was_done():
    saver, now = InMemorySaver(), "2026-01-01"
    run = Run(saver)
    for n in range(2):
        run.step({"n": n})
    for owner in ("first", "second"):
        began = saver.begin_once("t", "mail", owner, now)
        saver.end_once("t", "mail", owner, "sent", now)
        saver.storage["t"][""].pop(min(saver.storage["t"][""]))
    assert began.result == "sent"
    assert saver.get_tuple({"configurable": {"thread_id": "t"}}) is None


def test_what_it_keeps_is_copied_as_plain_dicts():
    saver = InMemorySaver()
    Run(saver).step({"n": 1})
    for kept in (saver.storage, saver.blobs, saver.writes):
        assert type(copy.deepcopy(kept)) is dict
    assert type(pickle.loads(pickle.dumps(saver.storage))["t"][""]) is dict


def test_so_does_patching_put_after_the_class_was_used(monkeypatch):
    assert stores_steps(InMemorySaver())
    monkeypatch.setattr(InMemorySaver, "put", lambda self, *args: None)
    assert not stores_steps(InMemorySaver())
    monkeypatch.undo()
    assert stores_steps(InMemorySaver())


def test_threads_write_at_once():
    saver = InMemorySaver()

    def work(number: int) -> None:
        run = Run(saver, f"t{number}")
        run.step({"n": 0, "items": []})
        for n in range(50):
            run.step({"n": n}, appended={"items": [n]})

    workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [saver.load(Run(saver, f"t{n}").key()).values["items"] for n in range(8)] == [list(range(50))] * 8


def test_a_thread_is_deleted_while_others_are_begun():
    saver, failed = InMemorySaver(), []

    def begin(number: int) -> None:
        try:
            for n in range(400):
                Run(saver, f"t{number}-{n}").step({"n": 0})
        except RuntimeError as error:
            failed.append(error)

    def delete() -> None:
        try:
            for n in range(3000):
                saver.delete_thread("another")
        except RuntimeError as error:
            failed.append(error)

    workers = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    workers += [threading.Thread(target=delete)]
    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(patience)
    assert failed == []
    assert len(saver.threads()) == 1600


def test_a_step_costs_microseconds():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"n": 0})
    records = []
    for n in range(300):
        record = run.record({"n": n})
        run.remember(record)
        records.append(record)
    upcoming = iter(records)
    best = min(timeit.repeat(lambda: saver.put_step(next(upcoming)), number=50, repeat=6)) / 50
    assert best < 40e-6  # about 5e-6 on a quiet machine


class NotLookedThrough(dict):
    """Threads of which none is looked at unless it is named."""

    def __iter__(self):
        raise AssertionError("all threads were looked through")

    items = values = keys = __iter__


def test_pending_costs_what_it_returns():
    saver = InMemorySaver()
    runs = [Run(saver, f"t{number}") for number in range(20)]
    for run in runs:
        run.step({"n": 0})
    for run in runs[::7]:
        run.pause("q")
    saver._rows._threads = NotLookedThrough(saver._rows._threads)

    def asking():
        return [question.thread_id for question in saver.pending()]

    assert asking() == ["t0", "t7", "t14"]
    saver.delete_thread("t7")
    runs[0].step({"n": 1})
    assert asking() == ["t14"]
    runs[0].pause("again")
    saver.claim(runs[14].request({"q": 1}))
    assert asking() == ["t0"]
    saver.release("t14", "", runs[14].head, ["q"])
    assert asking() == ["t14", "t0"]
    assert saver._rows._asking.keys() == {"t14", "t0"}
