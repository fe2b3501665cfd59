"""What happens to a thread, step by step: begin, answer, retry, ask again, fork. `review.drive` does the I/O.

Each flow yields the graph calls that it wants (`Read`, `Run`, ...) and reports to the session. The order in
`answer` is what keeps the promise "what the person saw is what runs, once": read the question as it is now,
compare it with what was shown, note who answers, only then hand the answer to the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbhitl.constants import COPY
from nbhitl.errors import (
    AlreadyAnswered,
    AnswerInDoubt,
    InvalidAnswer,
    QuestionOpen,
    ReviewError,
    StaleQuestion,
)
from nbhitl.review.claims import claim_breakpoint, first_answer, release_breakpoint, release_doubts
from nbhitl.review.decisions import Decision
from nbhitl.review.drive import CallSaver, Flow, Instruction, ReadInput, Run, Write
from nbhitl.review.inputs import input_digest
from nbhitl.review.pending import waiting_tasks
from nbhitl.review.refusals import refusal
from nbhitl.review.session import describe, labels
from nbhitl.review.shared import Answered
from nbhitl.review.standing import Lookout, checkpoint_id
from nbhitl.review.steps import breakpoint_steps
from nbhitl.review.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nbhitl.review.beside import Beside
    from nbhitl.review.card import Card
    from nbhitl.review.engines import Engine
    from nbhitl.review.pending import Doubt, Reading
    from nbhitl.review.protocol import Snapshot
    from nbhitl.review.questions import Question
    from nbhitl.review.session import ReviewSession
    from nbhitl.review.shared import SharedThread
    from nbhitl.review.standing import Standing
    from nbhitl.review.steps import Steps


@dataclass
class Flows:
    """The flows of one thread.

    `how` are arguments for every run (context, breakpoints, durability). `snapshot` is where the thread stood
    when it was last looked at, `open_ids` the questions that were open then. `beside` makes the claims for an
    engine that makes none.
    """

    session: ReviewSession
    engine: Engine
    reading: Reading
    config: Mapping[str, Any]
    shared: SharedThread
    how: Mapping[str, Any]
    reducers: frozenset[str]
    beside: Beside | None = None
    snapshot: Snapshot | None = None
    open_ids: frozenset[str] = frozenset()
    watch: Watch | None = None

    # -- looking --------------------------------------------------------------------------------

    @property
    def lookout(self) -> Lookout:
        """Reads where the thread stands."""
        return Lookout(self.engine, self.reading, self.config, self.shared)

    def refresh(self) -> Flow[None]:
        """Read where the thread stands and make the cards match."""
        self._show((yield from self._look()))

    def _look(self) -> Flow[Standing]:
        return self._noted((yield from self.lookout.look()))

    def _noted(self, standing: Standing) -> Standing:
        self.snapshot = standing.snapshot
        self.open_ids = frozenset(found.id for found in standing.questions if found.doubt is None)
        return standing

    def _show(self, standing: Standing) -> None:
        self.session.ended(standing.state, standing.questions, standing.error, runs=self._runs)

    def _runs(self, question: Question) -> int:
        return max(question.starts, self.shared.starts[question.task_id])

    # -- running --------------------------------------------------------------------------------

    def begin(self, input: Any, *, restart: bool) -> Flow[bool]:
        """Run `input`; False if the same input is open already, and its card is to be shown again.

        Raises:
            QuestionOpen: a question is open that another input led to.
        """
        if restart:
            yield CallSaver("delete_thread", (self.reading.thread_id,))
            self.shared.forget()
            self.session.forget_cards()
            self.snapshot = None
        elif (standing := (yield from self._look())).questions:
            self._show(standing)
            if input is None or (yield from self._is_open_input(input)):
                return False
            raise QuestionOpen(
                f"Thread {self.reading.thread_id!r} waits for a person at node "
                f"{standing.questions[0].node!r} ({labels(self.session.waiting_cards)}), and this is another "
                "input. Answer first (thread.question), run the same input to see the card again, or "
                "run(..., restart=True) to start over."
            )
        if input is not None:
            self.shared.input_digest = input_digest(input)
        failed = [card for card in self.session.cards if card.state == "failed"]
        error = yield from self._run(input, self.config)
        if error is not None:
            raise error
        for card in failed:
            if input is None:
                self.session.delivered(card)
            else:
                self.session.went_stale(card, "The thread went on with other input.")
        return True

    def _is_open_input(self, input: Any) -> Generator[Instruction, Any, bool]:
        digest = input_digest(input)
        if self.shared.input_digest is not None:
            return self.shared.input_digest == digest
        first = yield ReadInput(self.config)
        return first is not None and any(
            input_digest(task.result) == digest for task in first.tasks if task.name == "__start__"
        )

    def _run(
        self, input: Any, config: Mapping[str, Any]
    ) -> Generator[Instruction, Any, BaseException | None]:
        """Run and look; returns what the run raised. The session is told where the thread stands now."""
        metadata = (self.snapshot.metadata if self.snapshot is not None else None) or {}
        # A new input has two checkpoints of its own, before the first node runs.
        own = 0 if input is None or self.engine.is_command(input) else 2
        last = metadata.get("step", -2) + own
        watch = Watch(self.session.progressed, self.session.clock, self.shared.starts, last)
        self.watch = watch
        self.session.started()
        error: BaseException | None = None
        try:
            yield Run(input, config, watch.seen, self.how)
        except GeneratorExit:
            if self.beside is not None:
                self.beside.abandon()
            raise
        except BaseException as raised:
            error = raised
        self.watch = None
        try:
            if self.beside is not None:
                yield from self.beside.settle(self.lookout, error)
            yield from self._show_after_run(watch.at_breakpoint and error is None, error)
        except Exception as unread:
            if error is None:
                raise
            self.open_ids = frozenset()  # which are open is not known: the answer may be taken
            error.add_note(f"Where the thread stands now could not be read: {describe(unread)}")
        return error

    def _show_after_run(self, stopped_at_breakpoint: bool, error: BaseException | None) -> Flow[None]:
        now = self.session.clock().isoformat(timespec="milliseconds")
        standing = self._noted((yield from self.lookout.look_after_run(stopped_at_breakpoint, now)))
        state, text = standing.state, standing.error
        if error is not None:
            text = describe(error)
            if state != "paused":
                state = "failed" if isinstance(error, Exception) else "stopped"
        self.session.ended(state, standing.questions, text, runs=self._runs)

    # -- answering ------------------------------------------------------------------------------

    def answer(self, card: Card) -> Flow[None]:
        """Deliver the decision of `card`.

        Raises:
            StaleQuestion: the question is not the one that was shown; nothing was sent.
            AlreadyAnswered: someone else was first.
            InvalidAnswer: the graph refused the answer; nothing was saved.
            Exception: what a node raised.
        """
        question, decision = card.question, card.decision
        if decision is None:
            raise ReviewError(f"{card.label} has no decision to send.")
        standing = yield from self._look()
        fresh = next((found for found in standing.questions if found.id == question.id), None)
        if fresh is None or fresh.digest != question.digest or fresh.doubt is not None:
            yield from self._refuse(card, fresh, standing)
        self.shared.answered[question.id] = Answered(decision.by, decision.at)
        if question.kind == "breakpoint":
            error = yield from self._pass_breakpoint(card)
        else:
            error = yield from self._resume(question, decision)
        self._conclude(card, error)

    def _resume(
        self, question: Question, decision: Decision
    ) -> Generator[Instruction, Any, BaseException | None]:
        by = decision.by or self.session.by
        error = yield from self._claim_beside(question, decision.answer, decision)
        if error is not None:
            return error
        run = self.engine.resume({question.id: decision.answer})
        return (yield from self._run(run, self.engine.answering(self.config, by)))

    def _claim_beside(
        self, question: Question, answer: Any, decision: Decision
    ) -> Generator[Instruction, Any, BaseException | None]:
        """Claim a question for an engine that does not; returns what was against it."""
        here = None if self.snapshot is None else checkpoint_id(self.snapshot)
        if self.beside is None or here is None:
            return None
        by, at = decision.by or self.session.by, decision.at or self.session.clock().isoformat()
        try:
            yield from self.beside.take(question, answer, here, by, at)
        except (AlreadyAnswered, AnswerInDoubt) as error:
            yield from self._show_after_run(False, error)
            return error
        except Exception as failed:
            yield from self._release((), failed)
            return failed
        return None

    def _release(self, place: tuple[Any, ...], failed: Exception) -> Generator[Instruction, Any, None]:
        """Open again in the store what was claimed before it `failed`, and nothing ran."""
        try:
            if place:
                yield from release_breakpoint(*place)
            if self.beside is not None:
                yield from self.beside.give_back()
        except Exception as again:
            failed.add_note(f"The question could not be opened again in the store: {describe(again)}")

    def _refuse(self, card: Card, fresh: Question | None, standing: Standing) -> Flow[None]:
        """Report that the question of `card` is not open as it was shown, and raise that."""
        session, thread_id, question_id = self.session, self.reading.thread_id, card.question.id
        earlier = self.shared.answered.get(question_id)
        if earlier is None and fresh is None and self.reading.has_claims:
            earlier = yield from first_answer(thread_id, question_id)
        error = refusal(card, fresh, standing, earlier, thread_id, session.clock())
        tell = session.went_stale if isinstance(error, StaleQuestion) else session.answered_elsewhere
        tell(card, str(error))
        self._show(standing)
        raise error

    def _pass_breakpoint(self, card: Card) -> Generator[Instruction, Any, BaseException | None]:
        decision, snapshot = card.decision, self.snapshot
        if decision is None or snapshot is None:
            raise ReviewError(f"{card.label} has no decision to send.")
        inner = waiting_tasks(snapshot)[0].snapshot
        last = yield from self.lookout.last_nodes(inner)
        steps = breakpoint_steps(card.question, decision, inner, last, self.reducers)
        where = self.config if inner is snapshot else inner.config
        error = yield from self._claim_and_write(card, decision, steps, where)
        if error is not None:
            return error
        if not steps.run:
            if self.beside is not None:
                yield from self.beside.settle(self.lookout, None)
            yield from self._show_after_run(False, None)
            return None
        run = None if steps.goto is None else self.engine.go_to(steps.goto)
        return (yield from self._run(run, self.config))

    def _claim_and_write(
        self, card: Card, decision: Decision, steps: Steps, where: Mapping[str, Any]
    ) -> Generator[Instruction, Any, BaseException | None]:
        """Claim the breakpoint and write what the decision says; returns what kept that from being done.

        After an error the breakpoint stands as it was: going on from it would run what nobody approved.
        """
        error = yield from self._claim_beside(card.question, decision.kind, decision)
        if error is not None:
            if not isinstance(error, ReviewError):
                self._give_back(card, error)
            return error
        claimed: tuple[str, ...] = ()
        place = (self.reading.thread_id, card.question.checkpoint_id)
        try:
            if self.beside is None and self.reading.has_claims:
                claimed = yield from claim_breakpoint(*place, decision)
            for update in steps.updates:
                yield Write(where, update.values, update.as_node)
        except (AlreadyAnswered, AnswerInDoubt) as refused:
            return refused
        except Exception as failed:
            yield from self._release((*place, claimed), failed)
            self._give_back(card, failed)
            return failed
        return None

    def _give_back(self, card: Card, error: BaseException) -> None:
        """Open a card again whose answer was not saved."""
        self.shared.answered.pop(card.question.id, None)
        self.session.reopened(card, describe(error))

    def _conclude(self, card: Card, error: BaseException | None) -> None:
        """Report how the delivery of `card` ended, and raise what the caller should see."""
        session, question = self.session, card.question
        if card.waits:  # given back before anything ran
            raise error or ReviewError(f"{card.label} is still open.")
        if question.kind == "interrupt" and question.id in self.open_ids:
            self._give_back(card, error or ReviewError("The answer was not saved: answer again."))
            if error is not None and self.engine.is_invalid_answer(error):
                raise InvalidAnswer(
                    f"The graph refused the answer; {card.label} is still open. {error}"
                ) from error
            raise error or ReviewError(f"{card.label} is still open: its answer was not saved.")
        if error is None:
            session.delivered(card)
            return
        if self.engine.is_unknown_question(error):
            why = f"{card.label} is no longer open: {error} Nothing was sent."
            session.went_stale(card, why)
            raise StaleQuestion(why) from error
        if isinstance(error, AlreadyAnswered):
            self.shared.answered.pop(card.question.id, None)
            session.answered_elsewhere(card, str(error))
            raise error
        session.failed(card, error)
        raise error

    # -- after a failure --------------------------------------------------------------------------

    def retry(self, card: Card) -> Flow[None]:
        """Run the failed node again; the answer that it was given is still saved."""
        standing = yield from self._look()
        failed_here = bool(standing.snapshot.next) and not standing.questions
        if not failed_here and all(found.id != card.question.id for found in standing.questions):
            # Going on here would pass whatever the thread waits for now.
            yield from self._refuse(card, None, standing)
        for doubt in standing.doubts:
            if doubt.may_be_running(self.session.clock()):
                raise ReviewError(
                    f"{card.label} was answered by {doubt.by} at {doubt.at}, and that kernel may still be at "
                    f"it until {doubt.until}. Retry then, or refresh() to see whether it is done."
                )
        input = None
        if standing.doubts and self.reading.has_claims:
            input = yield from self._take_over(card, standing.doubts)
        error = yield from self._run(input, self.engine.answering(self.config, self.session.by))
        self._conclude(card, error)

    def _take_over(self, card: Card, doubts: list[Doubt]) -> Generator[Instruction, Any, Any]:
        """Claim answers of a kernel that never reported back, and return the input that sends them again."""
        thread_id = self.reading.thread_id
        at = self.session.clock().isoformat()
        if self.beside is not None:
            answers = yield from self.beside.take_over(doubts, self.session.by, at)
            listed = [] if self.snapshot is None else (yield from self.lookout.listed_doubts(self.snapshot))
            unsaved = answers.keys() - {doubt.interrupt_id for doubt in listed}
            return self.engine.resume({id: answers[id] for id in unsaved}) if unsaved else None
        answers = yield from release_doubts(thread_id, doubts)
        if answers:
            return self.engine.resume(answers)
        again = Decision(kind="approve", by=self.session.by, at=at)
        yield from claim_breakpoint(thread_id, card.question.checkpoint_id, again)
        return None

    def ask_again(self, card: Card) -> Flow[None]:
        """Ask anew: a failed question on a fork from where it was, a stale one where the thread is."""
        try:
            if card.state == "failed":
                place = {**self.config["configurable"], "checkpoint_id": card.question.checkpoint_id}
                yield from self.fork({**self.config, "configurable": place}, None, None)
                self.session.went_stale(card, "This question was asked anew; see the newest card.")
            else:
                yield from self._go_on_asking()
        finally:
            self.session.end_asking_again(card)

    def fork(self, at: Mapping[str, Any], values: Any, as_node: str | None) -> Flow[None]:
        """Go on from an earlier checkpoint as a new branch: write `values`, if any, and run to the next stop.

        A static breakpoint at that checkpoint is asked again, not passed.
        """
        writer = COPY if values is None and as_node is None else as_node
        yield Write(at, values, writer)
        yield from self._go_on_asking()

    def _go_on_asking(self) -> Generator[Instruction, Any, None]:
        """Show what is open; if nothing is and the thread stands before a node, run to the next question."""
        standing = yield from self._look()
        if standing.state != "stopped":
            self._show(standing)
            return
        error = yield from self._run(None, self.config)
        if error is not None:
            raise error
