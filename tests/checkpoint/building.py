"""Builds steps for tests of savers, and remembers what a saver should give back."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from nbhitl.checkpoint._edits import edits_between
from nbhitl.checkpoint.records import (
    CheckpointKey,
    ClaimRequest,
    Frame,
    PauseRecord,
    QuestionRecord,
    StepRecord,
    TaskWrites,
)
from nbhitl.checkpoint.task_ids import result_id
from nbhitl.constants import INTERRUPT, PULL, SCHEDULED
from nbhitl.types import Interrupt

_ids = count(1)

NOON = "2026-11-20T12:00:00.000000+00:00"


def at(seconds: float) -> str:
    """The time so many seconds after noon."""
    return f"2026-11-20T12:{int(seconds) // 60:02d}:{seconds % 60:09.6f}+00:00"


def fresh_id() -> str:
    return f"1f000000-0000-6000-8000-{next(_ids):012x}"


@dataclass
class Saved:
    """A checkpoint as it should come back."""

    checkpoint_id: str
    parent_id: str | None
    values: dict[str, Any]
    frame: Frame
    metadata: dict[str, Any]
    results: list[tuple[str, str, Any]] = field(default_factory=list)


class Run:
    """Saves steps of one namespace and keeps what it saved; `head` is where the next one goes."""

    def __init__(self, saver: Any, thread: str = "t", ns: str = "") -> None:
        self.saver, self.thread, self.ns = saver, thread, ns
        self.saved: dict[str, Saved] = {}
        self.head: str | None = None

    def record(
        self,
        values: dict[str, Any] | None = None,
        *,
        appended: dict[str, list[Any]] | None = None,
        edited: dict[str, list[Any]] | None = None,
        removed: tuple[str, ...] = (),
        frame: Frame | None = None,
        tasks: list[TaskWrites] | None = None,
        **metadata: Any,
    ) -> StepRecord:
        """The record of a step on top of the head; what is left out is made up.

        `edited` are lists that hold some of the very items of before.
        """
        values, appended = {**(values or {}), **(edited or {})}, appended or {}
        before = self.saved[self.head].values if self.head else {}
        edits = {key: edits_between(before[key], items) for key, items in (edited or {}).items()}
        state = {key: item for key, item in before.items() if key not in removed} | values
        for key, items in appended.items():
            state[key] = state.get(key, []) + items
        writes = [*values.items(), *appended.items()]
        results = tasks if tasks is not None else [self.task("node", writes)] if self.head else []
        step = len(self.saved) - 1
        about = {"source": "loop", "step": step, "parents": {}} | metadata
        return StepRecord(
            self.thread, self.ns, fresh_id(), self.head, at(step + 1), about,
            frame or Frame(triggers=("branch:to:node",)), values, appended, removed, results, lambda: state,
            edits={key: of_key for key, of_key in edits.items() if of_key is not None},
        )  # fmt: skip

    def task(self, name: str, writes: list[tuple[str, Any]]) -> TaskWrites:
        return TaskWrites(f"task-{name}-{len(self.saved)}", name, (PULL, name), writes)

    def step(self, values: dict[str, Any] | None = None, **how: Any) -> str:
        """Save a step; return its id."""
        record = self.record(values, **how)
        self.saver.put_step(record)
        return self.remember(record)

    def remember(self, record: StepRecord) -> str:
        results = [
            (result_id(record, task), channel, value)
            for task in record.results
            for channel, value in task.writes
        ]
        if record.parent_id and not self.saved[record.parent_id].results:
            self.saved[record.parent_id].results = deepcopy(results)
        self.saved[record.checkpoint_id] = Saved(
            record.checkpoint_id,
            record.parent_id,
            deepcopy(dict(record.full())),
            deepcopy(record.frame),
            deepcopy(record.metadata),
        )
        self.head = record.checkpoint_id
        return record.checkpoint_id

    def key(self, checkpoint_id: str | None = None) -> CheckpointKey:
        return CheckpointKey(self.thread, self.ns, checkpoint_id)

    def place(self) -> tuple[str, str, str]:
        assert self.head
        return self.thread, self.ns, self.head

    def pause(
        self,
        *questions: str,
        task: str = "asking",
        payload: Any = "Go on?",
        when: str = NOON,
        starts: int = 1,
    ) -> list[str]:
        """Pause at the head: one task asks all the questions; return their ids."""
        asked = [
            QuestionRecord(iid, f"id-of-{task}", task, "interrupt", payload, f"digest of {payload}", when)
            for iid in questions
        ]
        writes: list[tuple[str, Any]] = [(INTERRUPT, [Interrupt(payload, iid) for iid in questions])]
        writes += [(SCHEDULED, starts)] if starts > 1 else []
        self.saver.put_pause(
            PauseRecord(*self.place(), [TaskWrites(f"id-of-{task}", task, (PULL, task), writes)], asked)
        )
        return list(questions)

    def request(self, answers: dict[str, Any], *, task: str = "asking", **how: Any) -> ClaimRequest:
        """A claim of the head's questions by ann."""
        resumes = {f"id-of-{task}": [[iid, "digest", answer] for iid, answer in answers.items()]}
        said = {"by": "ann", "at": at(1), "owner": "kernel-1", "lease": 30.0, "resumes": resumes} | how
        return ClaimRequest(*self.place(), answers=answers, **said)


def expected(saved: Saved) -> tuple[Any, ...]:
    return (saved.checkpoint_id, saved.parent_id, saved.values, saved.frame, saved.metadata, saved.results)


def found(stored: Any) -> tuple[Any, ...]:
    return (
        stored.checkpoint_id,
        stored.parent_id,
        stored.values,
        stored.frame,
        stored.metadata,
        stored.writes,
    )
