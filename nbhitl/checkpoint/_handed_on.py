"""What an engine of nbhitl's hands on through another saver: its questions and answers, in plain form.

A saver that only passes `put` and `put_writes` on to one of nbhitl's hides which engine writes there. The questions are
entered here all the same, and an answer is held against them: so they are listed, and of an answer that comes that way
and one that comes directly one wins. A program that copies a thread from one saver to another does it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint import claims as rules
from nbhitl.checkpoint._answers import resume_row
from nbhitl.checkpoint._asking import PAUSING, Place
from nbhitl.checkpoint._classic import ClassicSaver
from nbhitl.checkpoint._review import ReviewSaver
from nbhitl.checkpoint._rows import encode_writes
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.leases import LEASE
from nbhitl.checkpoint.records import QuestionRecord, entry_id
from nbhitl.checkpoint.stamps import utc_now
from nbhitl.constants import CONF, INTERRUPT, RESUME
from nbhitl.types import Interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import TaskWrites
    from nbhitl.config import RunnableConfig

_ENTRY = 3  # interrupt id, digest, answer

HANDED_ON = "handed on by "
"""How the owner of an answer begins that came through another saver."""


class HandedOnSaver(ReviewSaver, ClassicSaver):
    """Enters what comes in plain form among the questions and claims."""

    def _save_writes(self, place: Place, task: TaskWrites, config: RunnableConfig) -> None:
        from nbhitl.checkpoint.plain_forms import CLAIM, from_plain

        asked = self._encode_questions(place, _questions(place, task))
        whose = config[CONF].get(CLAIM, _About("another saver", None, utc_now(), LEASE))
        given = _entries(task) if whose else None
        task = task._replace(writes=[(channel, from_plain(channel, value)) for channel, value in task.writes])
        rows = encode_writes(place, task, self._codec, WRITES_IDX_MAP)
        with self._rows.atomic(place[0]):
            if asked:
                self._asking.add(place[0])
                self._ask(place, [task], asked, rows)
            elif given is None:
                self._rows.add_writes(rows)
                if place[0] in self._asking:  # else the next checkpoint settles it
                    self._settle_tasks(place, [task])
            else:
                self._asking.add(place[0])
                self._take_handed_on(place, task.task_id, given, _About(*whose))

    def _take_handed_on(self, place: Place, task_id: str, given: list[Any], about: _About) -> None:
        """Take up the answers that are new, or open the questions again whose answers are gone.

        Raises:
            AlreadyAnswered: somebody else's answer to one of them came first.
            AnswerInDoubt: it did, and whoever gave it never reported back.
        """
        held = {
            question.interrupt_id: question
            for question in self._rows.questions(*place)
            if question.task_id == task_id
        }
        change = _changed(self._resumes_at(place).get(task_id, []), given, held)
        owner = HANDED_ON + about.owner
        moved = [
            rules.take(question, self._codec.dumps(answer), about.by, about.at, owner, about.lease)
            for question, answer in change.taken
        ]
        moved += [rules.release(question) for question in change.opened]
        self._rows.put_questions(moved)
        self._rows.add_writes([resume_row(place, task_id, change.entries, self._codec)])


class _About(NamedTuple):
    """Whose answer it is; a saver that makes configs of its own does not hand that on."""

    owner: str
    by: str | None
    at: str
    lease: float


class _Change(NamedTuple):
    """What a new list of a task's answers changes: `entries` is what it has been answered now."""

    taken: list[tuple[Question, Any]]
    opened: list[Question]
    entries: list[Any]


def _changed(before: Sequence[Any], given: Sequence[Any], questions: dict[str, Question]) -> _Change:
    """Compare the answers that a task had with those that it is given.

    Answers that others have given meanwhile stay. One that is given once more was given by somebody else, who did not
    see the first: it is taken like a new one, which finds the question answered.
    """
    had, has = set(map(entry_id, before)), set(map(entry_id, given))
    new = [entry for entry in given if entry[0] not in had]
    opened: list[Question] = []
    if not new:
        gone = [questions[id] for id in had - has if id in questions]
        opened = [q for q in gone if q.state == rules.DELIVERED and (q.owner or "").startswith(HANDED_ON)]
        new = [] if opened else list(given[-1:])
    ids = {question.interrupt_id for question in opened}
    kept = [entry for entry in before if entry[0] not in has and entry[0] not in ids]
    taken = [(questions[entry[0]], entry[2]) for entry in new if entry[0] in questions]
    return _Change(taken, opened, [*kept, *given])


def _questions(place: Place, task: TaskWrites) -> list[QuestionRecord]:
    """What a task of the graph that a person runs asks: an engine of nbhitl's has put it into plain form, or a program
    copies a thread of another saver's, as `list()` shows it.

    The questions of a called graph are those of the task that called it, as well. What a copied task asked before it
    finished is not asked any more.
    """
    from nbhitl.checkpoint.digests import payload_digest
    from nbhitl.checkpoint.plain_forms import is_plain_interrupt

    asked = [
        i for channel, value in task.writes if channel == INTERRUPT and type(value) is list for i in value
    ]
    copied = any(isinstance(i, Interrupt) for i in asked)
    if place[1] or (copied and not PAUSING.issuperset(channel for channel, _ in task.writes)):
        return []
    if not all(isinstance(i, Interrupt) or is_plain_interrupt(i) for i in asked):
        return []
    shown = [
        (i.id, "", i.value) if isinstance(i, Interrupt) else (i["id"], i.get("node", ""), i["value"])
        for i in asked
    ]
    now = utc_now()
    return [
        QuestionRecord(id, task.task_id, node, "interrupt", value, payload_digest(value), now)
        for id, node, value in shown
    ]


def _entries(task: TaskWrites) -> list[Any] | None:
    """The answers that a write delivers, each `[interrupt id, digest, answer]`; None if it is another write."""
    if len(task.writes) != 1:
        return None
    channel, value = task.writes[0]
    if channel != RESUME or type(value) is not list:
        return None
    return value if all(type(entry) is list and len(entry) == _ENTRY for entry in value) else None
