"""Deleting, pruning and copying: what stays is as it was."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint.records import Frame
from nbhitl.constants import RESUME
from nbhitl.errors import StoreError

from ..building import NOON, Run, at, expected, found
from .opening import QUIET, OpensASaver, config, states

if TYPE_CHECKING:
    from nbhitl.checkpoint.steps import StepSaver


class ForgetsAndCopies(OpensASaver):
    def grown(self, saver: StepSaver, thread: str = "t", length: int = 20) -> Run:
        run = Run(saver, thread)
        run.step({"n": 0, "items": []}, run_id="run0")
        for n in range(length):
            run.step({"n": n}, appended={"items": [n]}, run_id=f"run{n % 3}")
        return run

    def test_deleting_runs_keeps_the_rest_readable(self, saver):
        run, other = self.grown(saver), self.grown(saver, "other")
        saver.delete_for_runs(["run1"])
        kept = [s for s in run.saved.values() if s.metadata["run_id"] != "run1"]
        assert [row[:5] for row in states(run)] == [expected(s)[:5] for s in reversed(kept)]
        for saved in kept:
            assert saver.load(run.key(saved.checkpoint_id)).values == saved.values
        assert len(states(other)) == len(kept)
        run.head = kept[-1].checkpoint_id
        run.step({"n": 99}, appended={"items": [99]})
        assert saver.load(run.key()).values == run.saved[run.head].values

    def test_pruning_keeps_the_newest(self, saver):
        run = self.grown(saver)
        run.pause("q1")
        saver.prune(["t"])
        assert [row[:5] for row in states(run)] == [expected(run.saved[run.head])[:5]]
        assert [q.interrupt_id for q in saver.pending()] == ["q1"]
        saver.prune(["t"], strategy="delete")
        assert states(run) == saver.claims("t") == saver.threads() == []
        with pytest.raises(ValueError, match="keep_latest"):
            saver.prune(["t"], strategy="keep_some")

    def answered(self, run: Run) -> tuple[str, str]:
        """Ask, answer and go on, then do other things; return the id asked at, and the newest."""
        run.step({"n": 100, "items": []})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        at = run.head
        run.step({"n": 101}, appended={"items": ["answered"]}, tasks=[run.task("asking", [("n", 101)])])
        for n in range(4):
            run.step({"n": n}, appended={"items": [n]})
        return at, run.head

    def test_pruning_keeps_decisions_and_the_journal(self, run):
        self.answered(run)
        run.saver.begin_once("t", "mail", "kernel", NOON)
        run.saver.prune(["t"])
        assert [row[:3] for row in states(run)] == [expected(run.saved[run.head])[:3]]
        assert [(c.interrupt_id, c.state, c.by) for c in run.saver.claims("t")] == [("q1", "applied", "ann")]
        assert [entry.key for entry in run.saver.once_entries("t")] == ["mail"]

    @pytest.mark.parametrize("how", ["keep_latest", "delete"])
    def test_history_is_read_on_while_somebody_prunes(self, run, how):
        for n in range(60):  # more than one batch, and many states that are folded from a few steps
            run.step({"n": n} if n % 10 else {"n": n, "text": str(n) * 500}, appended={"items": [n]})
        expected = [(n, list(range(n + 1))) for n in range(59, -1, -1)]
        reading, listing = run.saver.history("t", ""), run.saver.list(config("t"))
        found = [next(reading) for _ in range(2)]
        listed = [next(listing).checkpoint["channel_values"]["n"] for _ in range(2)]
        run.saver.prune(["t"], strategy=how)
        found += reading
        listed += [found.checkpoint["channel_values"]["n"] for found in listing]
        assert [(f.values["n"], f.values["items"]) for f in found] == expected[: len(found)]
        assert listed == list(range(59, 59 - len(listed), -1))

    def test_pruning_can_keep_what_was_answered(self, run):
        at, newest = self.answered(run)
        run.saver.prune(["t"], strategy="keep_answered")
        assert [row[0] for row in states(run)] == [newest, at]
        assert states(run)[1][:5] == expected(run.saved[at])[:5]
        task_id, channel, value = run.saved[at].results[0]
        assert (task_id, channel, value) in run.saver.load(run.key(at)).writes
        assert found(run.saver.load(run.key(newest))) == expected(run.saved[newest])

    def test_pruning_never_takes_an_answer_on_its_way(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": 1}))
        asked_at = run.head
        run.head = None  # the thread goes on elsewhere, in another kernel
        run.step({"n": 5})
        for n in range(3):
            run.step({"n": n})
        run.saver.prune(["t"])
        assert [row[0] for row in states(run)] == [run.head, asked_at]
        assert [(c.interrupt_id, c.state) for c in run.saver.claims("t")] == [("q1", "delivered")]

    def test_pruning_keeps_what_a_kept_checkpoint_calls(self, saver):
        child = Run(saver, ns="sub")
        for n in range(4):
            child.step({"n": n})
        ids = list(child.saved)
        run = Run(saver)
        run.step({"n": 0})
        run.step({"n": 1}, frame=Frame(children={"sub": ids[1]}))
        saver.prune(["t"])
        assert [row[0] for row in states(child)] == [ids[3], ids[1]]
        assert [row[0] for row in states(run)] == [run.head]

    def test_pruning_by_age(self, saver):
        run = self.grown(saver)
        ids = list(run.saved)
        cut = datetime.fromisoformat(at(5))
        assert saver.prune_older(cut) == 5
        assert [row[0] for row in states(run)] == ids[:4:-1]
        assert saver.prune_older(cut) == 0
        assert found(saver.load(run.key(ids[5])))[:5] == expected(run.saved[ids[5]])[:5]
        waiting = Run(saver, thread="waiting")
        waiting.step({"n": 0})
        waiting.pause("q1")
        assert saver.prune_older(timedelta(0), thread_ids=["nobody"]) == 0
        assert saver.prune_older(datetime(2026, 11, 20, 12), strategy="delete") == 0
        assert saver.prune_older(datetime(2026, 11, 20, 13), strategy="delete") == len(ids) - 5
        assert [info.thread_id for info in saver.threads()] == ["waiting"]
        with pytest.raises(ValueError, match="keep_answered"):
            saver.prune_older(timedelta(1), strategy="all")
        with pytest.raises(ValueError, match="an age is not below 0"):
            saver.prune_older(timedelta(-1))

    @settings(derandomize=True, max_examples=12, deadline=None, suppress_health_check=QUIET)
    @given(data=st.data())
    def test_what_pruning_leaves_reads_as_before(self, saver, data):
        run = Run(saver, thread=f"t{len(saver.threads())}")
        for number in range(data.draw(st.integers(1, 14))):
            run.head = data.draw(st.sampled_from([*run.saved])) if run.saved else None
            if number and data.draw(st.booleans()) and not run.saved[run.head].results:
                run.pause(f"q{number}")
                if data.draw(st.booleans()):
                    saver.claim(run.request({f"q{number}": number}))
            run.step({"n": number}, appended={"items": ["x" * data.draw(st.integers(0, 40))]})
        before = {row[0]: row for row in states(run)}
        decided = [c for c in saver.claims(run.thread) if c.state in ("applied", "delivered")]
        strategy = data.draw(st.sampled_from(["keep_latest", "keep_answered"]))
        saver.prune([run.thread], strategy=strategy)
        after = {row[0]: row for row in states(run)}
        assert max(before) in after
        assert {key: row[:5] for key, row in after.items()} == {key: before[key][:5] for key in after}
        assert [c for c in saver.claims(run.thread) if c.state in ("applied", "delivered")] == decided
        if strategy == "keep_answered":
            assert {c.checkpoint_id for c in decided} <= set(after)
        run.head = max(before)
        run.step({"n": -1}, appended={"items": ["new"]})
        assert saver.load(run.key()).values == run.saved[run.head].values

    def test_a_copy_stands_alone(self, saver):
        run = self.grown(saver)
        run.pause("q1", "q2")
        saver.claim(run.request({"q1": 1}))
        writes = saver.load(run.key()).writes
        saver.copy_thread("t", "copy")
        assert saver.load(run.key()).writes == writes
        saver.delete_thread("t")
        copy = Run(saver, "copy")
        copy.saved, copy.head = deepcopy(run.saved), run.head
        assert [row[:5] for row in states(copy)] == [expected(s)[:5] for s in reversed(run.saved.values())]
        assert sorted(q.interrupt_id for q in saver.pending()) == ["q1", "q2"]
        assert all(channel != RESUME for _, channel, _ in saver.load(copy.key()).writes)
        copy.step({"n": 1}, appended={"items": ["new"]})
        assert saver.load(copy.key()).values == copy.saved[copy.head].values

    def test_a_copy_needs_a_new_name(self, saver):
        run = self.grown(saver)
        before = states(run)
        saver.copy_thread("t", "copy")
        for source, target, said in (
            ("nobody", "new", "no thread 'nobody'"),
            ("t", "copy", "exists already"),
        ):
            with pytest.raises(StoreError, match=said):
                saver.copy_thread(source, target)
        assert states(run) == before

    @pytest.mark.parametrize(
        "method", ["claims", "questions", "once_entries", "delete_thread", "copy_thread"]
    )
    def test_a_config_in_the_place_of_a_name_is_told_what_to_give(self, saver, method):
        run = self.grown(saver, length=1)
        given = [config(run.head)] * (2 if method == "copy_thread" else 1)
        with pytest.raises(TypeError, match=rf'{method}\(\) takes the name of a thread.*\["thread_id"\]'):
            getattr(saver, method)(*given)
        assert len(states(run)) == 2
