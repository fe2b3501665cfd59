"""Pending writes, questions and claims: of several answers to a question one counts."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from nbhitl.checkpoint.claims import LIVE, Question, after_step
from nbhitl.checkpoint.records import TaskWrites
from nbhitl.constants import ERROR, INTERRUPT, PULL, RESUME
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, StoreError, UnknownInterruptError, UnsupportedValue
from nbhitl.types import Interrupt

from ..building import NOON, Run, at
from .opening import OpensASaver, state_of, states


class KeepsAnswers(OpensASaver):
    def test_questions_move_on_as_the_rule_for_a_step_says(self, run):
        rows = run.saver._rows
        asked = [
            Question(
                f"t{number}", ns, checkpoint, state, "task", "node", "interrupt", b"?", "digest", NOON, state,
                b"yes", "ann", NOON, "kernel", NOON,
            )
            for number in range(54)
            for ns in ("", "a:1", "a:1|b:2", "a:10")
            for checkpoint in ("c0", "c1")
            for state in ("open", "recorded", "delivered", "applied", "dropped")
        ]  # fmt: skip
        steps = [
            (ns, at, why, made)
            for ns in ("", "a:1", "b")
            for at in (None, "c0", "c1")
            for why in ("loop", "fork", None)
            for made in ("c00", "c2")
        ]
        with rows.atomic(*{question.thread_id for question in asked}):
            rows.put_questions(asked)
            for number, step in enumerate(steps):
                rows.settle_step(f"t{number}", *step)
        for number, step in enumerate(steps):
            before = [question for question in asked if question.thread_id == f"t{number}"]
            assert rows.questions(f"t{number}") == [
                after_step(question, *step) if question.state in LIVE else question for question in before
            ]

    def test_pending_writes_are_saved_once(self, run):
        run.step({"n": 0})
        task = TaskWrites("id-1", "a", (PULL, "a"), [("n", 1), ("items", [2])])
        for value in (1, 9):
            run.saver.put_pending(run.key(run.head), [task._replace(writes=[("n", value), ("items", [2])])])
        assert run.saver.load(run.key()).writes == [("id-1", "n", 1), ("id-1", "items", [2])]

    def test_reserved_channels_are_replaced(self, run):
        run.step({"n": 0})
        for error in ("first", "second"):
            run.saver.put_pending(run.key(run.head), [TaskWrites("id-1", "a", (), [(ERROR, error)])])
        assert run.saver.load(run.key()).writes == [("id-1", ERROR, "second")]

    def test_writes_need_a_checkpoint(self, run):
        run.step({"n": 0})
        with pytest.raises(StoreError, match="name no checkpoint"):
            run.saver.put_pending(run.key(), [TaskWrites("id-1", "a", (), [("n", 1)])])

    def test_pending_writes_stay_in_history(self, run):
        run.step({"n": 0})
        for n in range(5):
            run.saver.put_pending(run.key(run.head), [TaskWrites(f"p{n}", "a", (), [("n", n)])])
            run.step({"n": n}, tasks=[])
        assert [row[-1] for row in states(run)] == [[], *([(f"p{n}", "n", n)] for n in reversed(range(5)))]
        assert [row[-1] for row in states(run, limit=2)] == [[], [("p4", "n", 4)]]

    def test_a_question_is_asked_answered_and_applied(self, run):
        run.step({"n": 0})
        run.pause("q1", payload={"amount": 10})
        question = run.saver.pending()[0]
        assert (question.node, question.payload, question.state) == ("asking", {"amount": 10}, "open")
        assert run.saver.load(run.key()).writes == [
            ("id-of-asking", INTERRUPT, [Interrupt({"amount": 10}, "q1")])
        ]
        (claim,) = run.saver.claim(run.request({"q1": "yes"}))
        assert (claim.state, claim.answer, claim.by, claim.at) == ("delivered", "yes", "ann", at(1))
        assert (claim.owner, claim.lease_until) == ("kernel-1", at(31))
        assert ("id-of-asking", RESUME, [["q1", "digest", "yes"]]) in run.saver.load(run.key()).writes
        assert run.saver.pending() == []
        run.step({"n": 1})
        (done,) = run.saver.claims("t")
        assert (done.state, done.answer, done.by, done.owner) == ("applied", "yes", "ann", None)

    @pytest.mark.parametrize("answer", [None, False, 0, "", {}, [], {"0" * 32: 1}, {1: 2}, (1, 2)])
    def test_every_value_is_an_answer(self, run, answer):
        run.step({"n": 0})
        run.pause("q1")
        (claim,) = run.saver.claim(run.request({"q1": answer}))
        assert claim.answer == answer
        assert type(claim.answer) is type(answer)
        assert ("id-of-asking", RESUME, [["q1", "digest", answer]]) in run.saver.load(run.key()).writes

    def test_answers_on_their_way_are_told_of_one_checkpoint(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2")
        here = run.place()
        assert run.saver.delivered(*here) == []
        run.saver.claim(run.request({"q1": "yes"}))
        assert [interrupt_id for interrupt_id, _ in run.saver.delivered(*here)] == ["q1"]
        assert run.saver.delivered(*here[:2], "another") == []

    def test_the_second_answer_is_told_who_won(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        with pytest.raises(AlreadyAnswered, match="by ann") as caught:
            run.saver.claim(run.request({"q1": "no"}, by="bob", at=at(2)))
        assert (caught.value.by, caught.value.at) == ("ann", at(1))
        run.step({"n": 1})
        run.head = run.saved[run.head].parent_id
        with pytest.raises(AlreadyAnswered, match="by ann"):
            run.saver.claim(run.request({"q1": "no"}, by="bob", at=at(99)))

    def test_answers_are_taken_together_or_not_at_all(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2", "q3")
        run.saver.claim(run.request({"q2": "mine"}))
        before = run.saver.load(run.key()).writes
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": 1, "q2": 2, "q3": 3}, by="bob"))
        with pytest.raises(UnknownInterruptError) as caught:
            run.saver.claim(run.request({"q1": 1, "nobody": 2}))
        assert (caught.value.reason, caught.value.interrupt_ids) == ("not_pending", ("nobody",))
        with pytest.raises(UnsupportedValue, match="the answer to interrupt q3"):
            run.saver.claim(run.request({"q1": 1, "q3": object()}, resumes={}))
        assert [state_of(run, q) for q in ("q1", "q2", "q3")] == ["open", "delivered", "open"]
        assert run.saver.load(run.key()).writes == before

    def test_an_unanswered_report_is_in_doubt(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}, lease=30.0))
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": "no"}, at=at(30)))
        run.saver.renew(*run.place(), ["q1"], owner="kernel-1", at=at(30), lease=10.0)
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": "no"}, at=at(39)))
        with pytest.raises(AnswerInDoubt, match="by ann"):
            run.saver.claim(run.request({"q1": "no"}, at=at(41)))
        with pytest.raises(AlreadyAnswered):
            run.saver.renew(*run.place(), ["q1"], owner="kernel-2", at=at(30), lease=10.0)

    def test_a_release_puts_everything_back(self, run):
        run.step({"n": 0})
        run.pause("q1")
        before = run.saver.load(run.key()).writes
        run.saver.claim(run.request({"q1": "bad"}))
        (opened,) = run.saver.release(*run.place(), ["q1"])
        assert (opened.state, opened.answer, opened.by, opened.owner) == ("open", None, None, None)
        assert run.saver.load(run.key()).writes == before
        run.saver.claim(run.request({"q1": "good"}))
        run.pause("q2")
        run.saver.claim(run.request({"q2": "bad"}))
        both = [["q1", "digest", "good"], ["q2", "digest", "bad"]]
        assert ("id-of-asking", RESUME, both) in run.saver.load(run.key()).writes
        run.saver.release(*run.place(), ["q2"])
        assert ("id-of-asking", RESUME, both[:1]) in run.saver.load(run.key()).writes
        assert [q.interrupt_id for q in run.saver.pending()] == ["q2"]

    @pytest.mark.parametrize("others", [(), ("q3",)])
    def test_an_answer_does_not_bring_along_what_was_taken_back(self, run, others):
        """Between reading the thread and answering, somebody opens a question of the same task again."""
        run.step({"n": 0})
        run.pause("q1", "q2", "q3")
        run.saver.claim(run.request({"q1": "first"}))
        entries = [["q1", "digest", "first"], *(["q" + n, "digest", "new"] for n in "23")]
        answers = dict.fromkeys(("q2", *others), "new")
        late = run.request(answers, resumes={"id-of-asking": entries[: 1 + len(answers)]})
        run.saver.release(*run.place(), ["q1"])
        before = run.saver.load(run.key()).writes
        with pytest.raises(
            UnknownInterruptError, match=r"had to q1 was taken back.*answer once more"
        ) as refused:
            run.saver.claim(late)
        assert refused.value.interrupt_ids == ("q1",)
        assert run.saver.load(run.key()).writes == before
        assert [q.interrupt_id for q in run.saver.pending()] == ["q1", "q2", "q3"]
        run.saver.claim(run.request(answers))

    def test_answers_to_one_task_by_two_people_stay_side_by_side(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2")
        run.saver.claim(run.request({"q1": "ann's"}))
        run.saver.claim(run.request({"q2": "bob's"}, by="bob"))
        both = [["q1", "digest", "ann's"], ["q2", "digest", "bob's"]]
        assert ("id-of-asking", RESUME, both) in run.saver.load(run.key()).writes
        run.saver.release(*run.place(), ["q1"])
        assert ("id-of-asking", RESUME, both[1:]) in run.saver.load(run.key()).writes

    def test_the_next_question_of_a_node_uses_up_the_answer_before(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        run.pause("q2")
        assert (state_of(run, "q1"), state_of(run, "q2")) == ("applied", "open")
        with pytest.raises(AlreadyAnswered):
            run.saver.release(*run.place(), ["q1"])

    def test_asking_again_keeps_a_claim(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        run.pause("q1")
        assert state_of(run, "q1") == "delivered"

    def test_asking_something_else_replaces_an_open_question(self, run):
        run.step({"n": 0})
        run.pause("q1", payload="10 euros?")
        run.pause("q1", payload="10 euros?", when=at(50))
        assert [(q.payload, q.asked_at) for q in run.saver.pending()] == [("10 euros?", NOON)]
        run.pause("q1", payload="1000 euros?", when=at(50))
        assert [(q.payload, q.asked_at) for q in run.saver.pending()] == [("1000 euros?", at(50))]

    def test_saved_results_apply_an_answer_and_errors_leave_no_doubt(self, run):
        run.step({"n": 0})
        run.pause("q1", task="first")
        run.pause("q2", task="second")
        run.saver.claim(run.request({"q1": 1}, task="first"))
        run.saver.claim(run.request({"q2": 1}, task="second"))
        run.saver.put_pending(run.key(run.head), [TaskWrites("id-of-first", "first", (), [("n", 1)])])
        run.saver.put_pending(run.key(run.head), [TaskWrites("id-of-second", "second", (), [(ERROR, "no")])])
        first, second = run.saver.claims("t")
        assert (first.state, second.state, second.lease_until) == ("applied", "delivered", None)

    def test_an_answer_is_noted_and_delivered_later(self, run):
        run.step({"n": 0})
        run.pause("q1")
        noted = run.saver.record_answer(*run.place(), "q1", {"ok": True}, "bob", at(5))
        assert (noted.state, noted.by, noted.owner) == ("recorded", "bob", None)
        with pytest.raises(AlreadyAnswered, match="by bob"):
            run.saver.record_answer(*run.place(), "q1", "no", "eve", at(6))
        with pytest.raises(AlreadyAnswered, match="by bob"):
            run.saver.claim(run.request({"q1": "no"}, at=at(7)))
        (claim,) = run.saver.claim(run.request({"q1": {"ok": True}}, at=at(8)))
        assert (claim.state, claim.by, claim.at, claim.lease_until) == ("delivered", "bob", at(5), at(38))

    def test_a_thread_that_goes_on_drops_its_questions(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2")
        paused_at = run.head
        run.saver.claim(run.request({"q1": 1}))
        run.step({"n": 1}, source="update")
        assert (state_of(run, "q1"), state_of(run, "q2")) == ("applied", "dropped")
        run.head = paused_at
        with pytest.raises(AlreadyAnswered, match="went on without"):
            run.saver.claim(run.request({"q2": 1}))
        run.step({"n": 2}, source="fork")
        run.pause("q3")
        assert [q.interrupt_id for q in run.saver.pending()] == ["q3"]
        run.saver.drop(*run.place(), ["q3"])
        assert run.saver.pending() == []

    def test_questions_of_a_subgraph_end_with_its_parents_step(self, saver):
        outer, inner = Run(saver), Run(saver, ns="node:1")
        outer.step({"n": 0})
        inner.step({"m": 0})
        inner.pause("q1", "q2")
        saver.claim(inner.request({"q1": 1}))
        Run(saver, thread="other").step({"n": 0})
        outer.step({"n": 1})
        assert (state_of(inner, "q1"), state_of(inner, "q2")) == ("applied", "dropped")

    def test_filters_that_mean_nothing_are_refused(self, saver):
        Run(saver, "t0").step()
        for wrong in (
            lambda: saver.pending(states=["bogus"]),
            lambda: saver.pending(asked_before="yesterday"),
            lambda: saver.pending(asked_before="2026-11-20Tnoon.000.000000+00:00"),
            lambda: saver.pending(asked_before=timedelta.max),
            lambda: saver.pending(limit=-1),
            lambda: saver.threads(limit=-1),
            lambda: saver.prune_older("1d"),
        ):
            with pytest.raises(ValueError, match=r"^(pending|threads|prune_older)\("):
                wrong()
        for wrong in (
            lambda: saver.pending(node=5),
            lambda: saver.pending(states=None),
            lambda: saver.pending(asked_before=5),
            lambda: saver.threads(prefix=5),
            lambda: saver.threads(limit="2"),
            lambda: saver.prune("t0"),
            lambda: saver.prune_older(timedelta(0), thread_ids="t0"),
        ):
            with pytest.raises(TypeError, match=r"^(pending|threads|prune|prune_older)\("):
                wrong()
        assert [info.thread_id for info in saver.threads(limit=2**70)] == ["t0"]

    def test_pending_lists_what_is_asked_for(self, saver):
        for number, (thread, node) in enumerate([("a1", "x"), ("a2", "y"), ("b1", "x")]):
            run = Run(saver, thread)
            run.step({"n": 0})
            run.pause(f"q{number}", task=node, when=at(number))
        ids = lambda **how: [q.interrupt_id for q in saver.pending(**how)]  # noqa: E731
        assert ids() == ["q0", "q1", "q2"]
        assert ids(node="x") == ["q0", "q2"]
        assert ids(asked_before=at(2)) == ids(asked_before=datetime.fromisoformat(at(2))) == ["q0", "q1"]
        assert ids(asked_before=str(datetime.fromisoformat(at(1.5)))) == ["q0", "q1"]
        assert ids(asked_before=timedelta(days=36500)) == []
        assert ids(thread_prefix="a") == ["q0", "q1"]
        assert ids(node="x", thread_prefix="b", asked_before=at(9)) == ["q2"]
        assert ids(limit=1) == ["q0"]
        assert ids(states=()) == ids(limit=0) == []
        saver.claim(run.request({"q2": 1}, task="x"))
        assert ids() == ["q0", "q1"]
        assert ids(states="open") == ["q0", "q1"]
        assert ids(states=("open", "delivered")) == ["q0", "q1", "q2"]
        assert [(t.thread_id, t.open_questions) for t in saver.threads()] == [("a1", 1), ("a2", 1), ("b1", 0)]
        assert [t.thread_id for t in saver.threads(prefix="a", limit=1)] == ["a1"]
        assert saver.threads()[2].checkpoint_id == run.head

    def test_questions_of_one_moment_are_listed_in_the_order_in_which_they_were_asked(self, saver):
        for number, node in enumerate("zaz"):
            run = Run(saver, f"t{number}")
            run.step({"n": 0})
            run.pause(f"q{number}", task=node)
        assert [q.interrupt_id for q in saver.pending()] == ["q0", "q1", "q2"]
        assert [q.interrupt_id for q in saver.pending(limit=2)] == ["q0", "q1"]

    def test_a_question_that_is_asked_again_is_listed_in_its_old_place(self, saver):
        runs = [Run(saver, f"t{number}") for number in range(2)]
        for run in runs:
            run.step({"n": 0})
            run.pause("q1", "q2")
        saver.drop(*runs[0].place(), ["q1", "q2"])
        assert [(q.thread_id, q.interrupt_id) for q in saver.pending()] == [("t1", "q1"), ("t1", "q2")]
        for run in runs:
            saver.drop(*run.place(), ["q1"])
            run.pause("q1", "q2")
        found = [(q.thread_id, q.interrupt_id) for q in saver.pending()]
        assert found == [("t0", "q1"), ("t0", "q2"), ("t1", "q1"), ("t1", "q2")]
