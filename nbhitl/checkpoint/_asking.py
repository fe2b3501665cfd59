"""Questions of a saver: entered when a task asks, and moved on when tasks of their step pause again or end."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from nbhitl.checkpoint import claims as rules
from nbhitl.checkpoint._core import SaverCore
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.constants import ERROR
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.checkpoint._row_store import Tally
    from nbhitl.checkpoint._rows import WriteRow
    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import QuestionRecord, TaskWrites

Place = tuple[str, str, str]
PAUSING = frozenset(WRITES_IDX_MAP.keys() - {ERROR})
"""Channels of what a task leaves that has neither results nor an error."""

_CHANNEL = itemgetter(0)


class AskingSaver(SaverCore):
    """Enters what tasks ask, and what their pauses and results make of the questions of their step."""

    def _encode_questions(self, place: Place, questions: Iterable[QuestionRecord]) -> list[Question]:
        encoded = []
        for asked in questions:
            try:
                payload = self._codec.dumps(asked.payload)
            except UnsupportedValue as error:
                raise UnsupportedValue(
                    f"node {asked.node!r} asks something that cannot be saved (thread {place[0]!r}): {error}."
                ) from None
            about = (asked.interrupt_id, asked.task_id, asked.node, asked.kind, payload, asked.digest)
            encoded.append(
                rules.new_question((*place, *about, rules.moment(asked.asked_at), *rules.UNANSWERED))
            )
        return encoded

    def _ask_next(
        self, tasks: Sequence[TaskWrites], asked: Sequence[Question], writes: Sequence[WriteRow]
    ) -> Tally | None:
        """As `_ask`, without looking first: only for one task with a question that was not asked before.

        Returns:
            How many questions were added: if none, `_ask` is needed. None: so it is at once, nothing was done.
        """
        if len(asked) != 1:
            return None
        for task in tasks:
            if task.task_id != asked[0].task_id or not PAUSING.issuperset(map(_CHANNEL, task.writes)):
                return None
        return self._rows.ask_anew(asked[0], writes)

    def _ask(
        self, place: Place, tasks: Sequence[TaskWrites], asked: Sequence[Question], writes: Sequence[WriteRow]
    ) -> None:
        """After tasks of a step paused: what they asked is open, and the answers that they used are applied.

        Their writes come after the questions: where only one of both is kept, none waits for what nobody can answer.
        """
        found = self._rows.live_or_named(*place, {question.interrupt_id for question in asked})
        self._rows.put_questions(_after_pause(place, tasks, asked, found) if found else asked)
        self._rows.add_writes(writes)

    def _settle_tasks(self, place: Place, tasks: Sequence[TaskWrites]) -> None:
        finished, failed = _ended(tasks)
        held = [q for q in self._rows.delivered_questions(place[0], finished | failed) if q[:3] == place]
        settled = [rules.after_results(question, finished, failed) for question in held]
        changed = [new for old, new in zip(held, settled, strict=True) if new is not old]
        if changed:
            self._rows.put_questions(changed)


def _after_pause(
    place: Place, tasks: Sequence[TaskWrites], asked: Sequence[Question], found: Iterable[Question]
) -> list[Question]:
    """Return the questions that a pause has added or changed, of those that were `found` and what is `asked`."""
    known = {question.interrupt_id: question for question in found if question[:3] == place}
    ids = {question.interrupt_id for question in asked}
    finished, failed = _ended(tasks)
    paused = {task.task_id for task in tasks} | {question.task_id for question in asked}
    changed = {
        iid: rules.after_pause(rules.after_results(question, finished, failed), paused, ids)
        for iid, question in known.items()
        if question.state == rules.DELIVERED
    }
    for question in asked:
        iid = question.interrupt_id
        changed[iid] = rules.ask(question, changed.get(iid, known.get(iid)))
    return [question for iid, question in changed.items() if question is not known.get(iid)]


def _ended(tasks: Sequence[TaskWrites]) -> tuple[set[str], set[str]]:
    """The ids of tasks that left results, and of those that left an error."""
    finished, failed = set(), set()
    for task in tasks:
        for channel, _ in task.writes:
            if channel not in WRITES_IDX_MAP:
                finished.add(task.task_id)
            elif channel == ERROR:
                failed.add(task.task_id)
    return finished, failed
