"""A thread of a graph, to run, to answer and to look at: what a person types in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NoReturn

from nbhitl.errors import NotAnswered, QuestionOpen, ReviewError
from nbhitl.portable import Portable
from nbhitl.recorded import Recorded
from nbhitl.review.beside import Beside
from nbhitl.review.engines import engine_of
from nbhitl.review.flows import Flows
from nbhitl.review.inputs import refuse_unknown_keys
from nbhitl.review.runner import Runner
from nbhitl.review.session import ReviewSession, labels, utc_now
from nbhitl.review.settings import current_user, reading_of, run_settings, thread_config
from nbhitl.review.shared import shared_thread
from nbhitl.review.text import card_text, what_now
from nbhitl.review.verbs import Answerable
from nbhitl.review.waiting import next_change
from nbhitl.script import active_script, nobody_can_click, running_kernel
from nbhitl.terminal import print_cards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from threading import Thread

    from nbhitl.review.card import Card
    from nbhitl.review.decisions import Decision
    from nbhitl.review.drive import Flow
    from nbhitl.review.protocol import Snapshot
    from nbhitl.widgets.graph_state import Drawing

__all__ = ["GraphThread"]


class GraphThread(Answerable, Portable, Recorded):
    """One thread of a compiled graph: nbhitl's, or one compiled by LangGraph.

    Args:
        graph: compiled with a checkpointer.
        thread_id: names the thread; the same id finds the same thread again.
        replies: what nodes that ask by hand want to hear, `{node: {"approve": value, "reject": value, ...}}`;
            see `review.dialects.replies`.
        routes: where the graph may go instead when a static breakpoint is rejected, `{node: target}` or
            `{node: [targets]}`; END by default.
        interrupt_before, interrupt_after: static breakpoints of this thread, besides the graph's own.
        context: the run's context, given to every run.
        config: further settings of every run, for example `{"recursion_limit": 100}`.
        by: who decides here; by default the user that the kernel runs as, marked as not verified.
        clock: the time in UTC, for tests.

    Raises:
        TypeError: `graph` is not compiled, or `thread_id` is no string.
        ValueError: `graph` has no checkpointer, or its LangGraph is too old.
        UnknownNodeError: `replies`, `routes` or a breakpoint name a node that the graph does not have.
    """

    def __init__(
        self,
        graph: Any,
        thread_id: str,
        *,
        replies: Mapping[str, Mapping[str, Any]] | None = None,
        routes: Mapping[str, str | Sequence[str]] | None = None,
        interrupt_before: Sequence[str] | Literal["*"] = (),
        interrupt_after: Sequence[str] | Literal["*"] = (),
        context: Any = None,
        config: Mapping[str, Any] | None = None,
        by: str | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        engine = engine_of(graph)
        self.graph = graph
        self.thread_id = thread_id
        self.config = thread_config(config, thread_id)
        flows = Flows(
            session=ReviewSession(thread_id, by=by or current_user(), verified=by is not None, clock=clock),
            engine=engine,
            reading=reading_of(graph, thread_id, replies, routes, interrupt_before, interrupt_after),
            config=self.config,
            shared=shared_thread(graph.checkpointer, thread_id),
            how=run_settings(context, interrupt_before, interrupt_after),
            reducers=engine.reducers(graph),
            beside=None if engine.claims_answers else Beside(graph.checkpointer, thread_id),
        )
        self._flows = flows
        self._runner = Runner(graph, flows)
        self.session = flows.session
        self.session.courier = self._runner
        self._background: Thread | None = None

    # -- running --------------------------------------------------------------------------------

    def run(self, input: Any = None, *, restart: bool = False) -> None:
        """Run to the next pause or the end, and show the graph and a card for each question.

        While a question is open, the same input shows its card again. Without input the thread goes on where
        it was stopped or where a node failed.

        Args:
            input: what the graph is invoked with.
            restart: forget this thread, history included, and start over.

        Raises:
            QuestionOpen: a question is open that another input led to.
            ReviewError: the thread is running already.
            Exception: what a node raises.
        """
        self._refuse_resume(input)
        before = len(self.session.cards)
        self._runner.run(self._flows.begin(input, restart=restart), wait=False)
        self._review(0 if restart else before)

    async def arun(self, input: Any = None, *, restart: bool = False) -> None:
        """Do as `run`, on this event loop: for async nodes and savers. Later answers run on it too."""
        self._refuse_resume(input)
        before = len(self.session.cards)
        await self._runner.arun(self._flows.begin(input, restart=restart), wait=False)
        await self._areview(0 if restart else before)

    def start(self, input: Any = None, *, restart: bool = False) -> None:
        """Run in the background, and come back at once; the view has a Stop button. `wait()` waits for it.

        Where a script answers (`answers([...])`), this runs here as `run` does: nobody is there to stop it.
        """
        if active_script() is not None:
            self.run(input, restart=restart)
            return
        self._refuse_resume(input)
        if self.session.state == "running":
            raise ReviewError(f"Thread {self.thread_id!r} is running already: wait() or stop() it first.")
        self.session.started()
        flow = self._flows.begin(input, restart=restart)
        self._background = self._runner.in_background(lambda: self._run_in_background(flow))
        self._show(self.session.cards)

    def _run_in_background(self, flow: Flow[bool]) -> None:
        try:
            self._runner.run(flow)
        except BaseException as error:
            if self.session.state == "running" or isinstance(error, QuestionOpen):
                self.session.broke(error)
            raise

    def stop(self) -> None:
        """Stop a running graph after the task that it is in; `run()` goes on from there."""
        self._runner.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the background run pauses or ends; False if it still runs after `timeout` seconds."""
        if self._background is not None:
            self._background.join(timeout)
            return not self._background.is_alive()
        return True

    async def decided(self) -> None:
        """Wait until nothing runs and no question is open; the stop button ends the wait.

        Raises:
            NotAnswered: a question is open, nobody can click here, and no script answers it; or the run
                failed and no card offers to retry it.
        """
        if self._runner.loop is None:
            self._look_once()
        while self._busy() or self.session.waiting_cards:
            if not self._busy() and nobody_can_click() and running_kernel() is not None:
                self._refuse_unanswered("Nobody can click here. Answer by script: with answers([...]).")
            await next_change(self.session)
        if self.session.state == "failed":
            self._refuse_unfinished()

    def _busy(self) -> bool:
        return self.session.state == "running" or any(card.state == "sending" for card in self.session.cards)

    # -- questions ------------------------------------------------------------------------------

    @property
    def questions(self) -> list[Card]:
        """The open questions, in the order of asking."""
        self._look_once()
        return self.session.open_cards

    @property
    def question(self) -> Card:
        """The one open question.

        Raises:
            ReviewError: none is open, or more than one.
        """
        found = self.questions
        if len(found) == 1:
            return found[0]
        if found:
            raise ReviewError(
                f"{len(found)} questions are open on thread {self.thread_id!r} ({labels(found)}): say which "
                "one, for example thread.questions[0]."
            )
        raise ReviewError(f"No question is open on thread {self.thread_id!r}: {what_now(self.session)}")

    def refresh(self) -> None:
        """Read again where the thread stands, for answers and runs of other kernels."""
        self._runner.run(self._flows.refresh())

    async def arefresh(self) -> None:
        """Do as `refresh`, on this event loop."""
        await self._runner.arun(self._flows.refresh())

    def decide(self, decision: Decision, *, wait: bool = True) -> None:
        """Answer the one open question; see `Answerable`.

        Raises:
            ReviewError: none is open, or more than one.
        """
        before = len(self.session.cards)
        self.question.decide(decision, wait=wait)
        if running_kernel() is None:
            self._show(self.session.cards[before:])

    def retry(self) -> None:
        """Run the node that failed again, with the answer that it was given.

        Raises:
            ReviewError: no question has failed.
        """
        self._failed_card().retry()

    def ask_again(self) -> None:
        """Ask the question whose node failed anew, on a fork; its new card is shown.

        Raises:
            ReviewError: no question has failed.
        """
        self._failed_card().ask_again()
        self._show(self.session.open_cards)

    def _failed_card(self) -> Card:
        self._look_once()
        failed = [card for card in self.session.cards if card.state == "failed"]
        if not failed:
            raise ReviewError(
                f"No question of thread {self.thread_id!r} has failed: {what_now(self.session)}"
            )
        return failed[-1]

    # -- looking --------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """Where the thread stood when it was last looked at; each run looks when it pauses or ends."""
        self._look_once()
        if self._flows.snapshot is None:
            raise ReviewError(f"Thread {self.thread_id!r} has not been looked at yet: refresh() it.")
        return self._flows.snapshot

    @property
    def result(self) -> Any:
        """The final state.

        Raises:
            NotAnswered: a question is open, or the run has not come to its end.
        """
        self._look_once()
        if self._busy():
            raise NotAnswered(
                f"Thread {self.thread_id!r} is still running: await thread.decided(), or wait()."
            )
        if self.session.open_cards:
            self._refuse_unanswered("Answer it, then read the result.")
        if self.session.state == "idle":
            raise NotAnswered(f"Thread {self.thread_id!r} has not run yet: thread.run(input).")
        if self.session.state != "finished":
            self._refuse_unfinished()
        return self.snapshot.values

    def _refuse_unfinished(self) -> NoReturn:
        raise NotAnswered(f"Thread {self.thread_id!r} has no result: {what_now(self.session)}")

    def _refuse_unanswered(self, then: str) -> NoReturn:
        found = self.session.waiting_cards
        nodes = ", ".join(repr(card.question.node) for card in found)
        raise NotAnswered(
            f"Thread {self.thread_id!r} waits for an answer at {nodes} ({labels(found)}). {then}"
        )

    def draw(self) -> Drawing:
        """Return the graph with the state of each node, to end a cell with."""
        from nbhitl.widgets.graph_state import Drawing

        return Drawing(self)

    # -- going back -----------------------------------------------------------------------------

    def fork(self, checkpoint: str, values: Any = None, *, as_node: str | None = None) -> None:
        """Go back to a checkpoint and go on from there as a new branch; shows what `run` shows.

        A question that was asked there is asked anew; the old branch stays in the history.

        Args:
            checkpoint: its label (`cp3`) or id.
            values: an update to write there first, as a node would return it.
            as_node: the node it comes from; by default the one that ran before.

        Raises:
            KeyError: the thread has no such checkpoint.
            InvalidUpdateError: `values` has a key that the state has not, or the graph no such node.
        """
        from nbhitl.history import find_checkpoint, read_history

        refuse_unknown_keys(self.graph, values)
        at = find_checkpoint(read_history(self.graph, self.config), checkpoint).snapshot.config
        before = len(self.session.cards)
        self._runner.run(self._flows.fork(at, values, as_node), wait=False)
        self._review(before)

    async def afork(self, checkpoint: str, values: Any = None, *, as_node: str | None = None) -> None:
        """Do as `fork`, on this event loop."""
        from nbhitl.history import find_checkpoint, history_rows

        refuse_unknown_keys(self.graph, values)
        snapshots = [snapshot async for snapshot in self.graph.aget_state_history(self.config)]
        at = find_checkpoint(history_rows(snapshots), checkpoint).snapshot.config
        before = len(self.session.cards)
        await self._runner.arun(self._flows.fork(at, values, as_node), wait=False)
        await self._areview(before)

    # -- showing --------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the graph and the cards again."""
        self._look_once()
        self._show(self.session.cards)

    def _look_once(self) -> None:
        if self._flows.snapshot is None and self.session.state == "idle":
            self.refresh()

    def _review(self, before: int) -> None:
        """Let the script answer, if there is one; else show what is open, or came since `before` cards."""
        script = active_script()
        if script is None:
            self._show(self.session.waiting_cards or self.session.cards[before:])
            return
        answered: list[Card] = []
        try:
            while found := self.session.open_cards:
                decision = script.decision_for(found[0])
                answered.append(found[0])
                found[0].decide(decision)
        finally:
            self._show(answered, record=True)

    async def _areview(self, before: int) -> None:
        script = active_script()
        if script is None:
            self._show(self.session.waiting_cards or self.session.cards[before:])
            return
        answered: list[Card] = []
        try:
            while found := self.session.open_cards:
                decision = script.decision_for(found[0])
                answered.append(found[0])
                if self.session.take(found[0], decision):
                    await self._runner.adeliver(found[0])
        finally:
            self._show(answered, record=True)

    def _show(self, cards: Iterable[Card], *, record: bool = False) -> None:
        """Show the thread live; a `record` shows cards as they stand, for good, the same in every run."""
        if running_kernel() is None:
            print_cards(self, list(cards))
            return
        from nbhitl.widgets import show_record, show_thread

        if record:
            show_record(self, cards)
        else:
            show_thread(self)

    def _refuse_resume(self, input: Any) -> None:
        if self._flows.engine.is_command(input) and input.resume is not None:
            raise ReviewError(
                "A GraphThread is answered by its questions, so that an answer reaches the question that was "
                "shown: thread.approve(), thread.answer(value), ... not run(Command(resume=...))."
            )

    def __repr__(self) -> str:
        found = self.session.open_cards
        unread = self.session.state == "idle" and self._flows.snapshot is None  # printing reads no store
        head = f"GraphThread({self.thread_id!r}): {'not looked at yet' if unread else self.session.state}"
        return "\n".join([head, *map(card_text, found)])
