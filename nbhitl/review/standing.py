"""Where a thread stands: its snapshot, its open questions, and the answers that are in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbhitl.constants import INTERRUPT
from nbhitl.review.claims import delivered_answers
from nbhitl.review.drive import CallSaver, Read
from nbhitl.review.pending import Doubt, error_of, open_questions, stopped_before, task_ns, waiting_tasks

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nbhitl.review.drive import Flow, Instruction
    from nbhitl.review.engines import Engine
    from nbhitl.review.pending import Reading
    from nbhitl.review.protocol import Snapshot
    from nbhitl.review.questions import Question
    from nbhitl.review.session import SessionState
    from nbhitl.review.shared import SharedThread


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a thread stood when it was looked at.

    `questions` are the open ones and those that are in doubt (`question.doubt`, `doubts`); `error` says what
    failed.
    """

    snapshot: Snapshot
    questions: list[Question]
    error: str | None
    doubts: list[Doubt]

    @property
    def state(self) -> SessionState:
        """How the session of this thread is to be shown while nothing runs."""
        if any(question.doubt is None for question in self.questions):
            return "paused"
        if self.error is not None:
            return "failed"
        if self.snapshot.created_at is None:
            return "idle"
        # A run that was stopped between two tasks has nothing in `next`, but tasks that led nowhere yet.
        return "stopped" if self.snapshot.tasks else "finished"


@dataclass(frozen=True, slots=True)
class Lookout:
    """Reads where a thread stands."""

    engine: Engine
    reading: Reading
    config: Mapping[str, Any]
    shared: SharedThread

    def look(self) -> Flow[Standing]:
        """Return where the thread stands, whoever brought it there."""
        snapshot: Snapshot = yield Read(self.config)
        here = checkpoint_id(snapshot)
        at_breakpoint = here is not None and here == self.shared.breakpoint_at
        if not at_breakpoint and snapshot.next:
            before = (yield from self.last_nodes(snapshot)) if self.reading.after else ()
            at_breakpoint = stopped_before(snapshot, before, self.reading)
        return (yield from self._standing(snapshot, at_breakpoint, None))

    def look_after_run(self, stopped_at_breakpoint: bool, now: str) -> Flow[Standing]:
        """Return where a run of this session has just brought the thread; `now` is UTC, ISO 8601."""
        snapshot: Snapshot = yield Read(self.config)
        at_breakpoint = stopped_at_breakpoint and bool(snapshot.next)
        if at_breakpoint:
            self.shared.breakpoint_at = checkpoint_id(snapshot)
        return (yield from self._standing(snapshot, at_breakpoint, now))

    def _standing(
        self, snapshot: Snapshot, at_breakpoint: bool, asked_at: str | None
    ) -> Generator[Instruction, Any, Standing]:
        doubts = (yield from self._doubts(snapshot)) if snapshot.tasks else []
        questions = open_questions(
            snapshot, self.reading, at_breakpoint=at_breakpoint, doubts=doubts, asked_at=asked_at
        )
        in_doubt = next((question.doubt for question in questions if question.doubt), None)
        lost = None if snapshot.tasks else (yield from self._out_of_reach(snapshot))
        return Standing(snapshot, questions, error_of(snapshot) or in_doubt or lost, doubts)

    def _out_of_reach(self, snapshot: Snapshot) -> Generator[Instruction, Any, str | None]:
        """Return why what was asked last cannot be answered, None for a thread that has just ended."""
        stored = None if snapshot.created_at is None else (yield CallSaver("get_tuple", (snapshot.config,)))
        if stored is None or all(channel != INTERRUPT for _, channel, _ in stored.pending_writes or ()):
            return None
        return (
            "It waits for an answer to a node that this graph does not have: renamed or removed since. Give the node "
            "its name again and answer, or start over with a new input."
        )

    def _doubts(self, snapshot: Snapshot) -> Generator[Instruction, Any, list[Doubt]]:
        """Return the answers that are taken up or saved, but whose nodes are not done."""
        doubts: list[Doubt] = []
        if self.reading.has_claims:
            doubts = yield from delivered_answers(self.reading.thread_id, checkpoint_id(snapshot) or "")
        if self.engine.lists_answered:
            known = {doubt.interrupt_id for doubt in doubts}
            listed = yield from self.listed_doubts(snapshot)
            doubts += [doubt for doubt in listed if doubt.interrupt_id not in known]
        return doubts

    def listed_doubts(self, snapshot: Snapshot) -> Generator[Instruction, Any, list[Doubt]]:
        """Return the answers that LangGraph has saved with a question that it still lists."""
        doubts: list[Doubt] = []
        for found in waiting_tasks(snapshot):
            listed = {interrupt.id: interrupt.value for interrupt in found.task.interrupts}
            if listed:
                stored = yield CallSaver("get_tuple", (found.snapshot.config,))
                writes = () if stored is None else stored.pending_writes or ()
                answered = self.engine.answered(task_ns(found), list(listed), writes, found.task.id)
                doubts.extend(Doubt(found.task.id, id, "interrupt", listed[id]) for id in answered)
        return doubts

    def last_nodes(self, snapshot: Snapshot) -> Flow[tuple[str, ...]]:
        """Return the nodes that may have run last. An update does not say whom it was made for: more then."""
        nodes: list[str] = []
        while snapshot.parent_config is not None:
            is_update = (snapshot.metadata or {}).get("source") == "update"
            snapshot = yield Read(snapshot.parent_config)
            nodes.extend(task.name for task in snapshot.tasks)
            if not is_update:
                break
        return tuple(dict.fromkeys(nodes))


def checkpoint_id(snapshot: Snapshot) -> str | None:
    """Return the id of a snapshot's checkpoint; None for an empty thread."""
    found = snapshot.config["configurable"].get("checkpoint_id")
    return None if found is None else str(found)
