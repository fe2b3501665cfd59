"""What a run keeps in its process where it paused with one question: the answer need not read it all again.

The saver gives it back once, and only if the thread's newest step and its pending writes are still those that the pause
left. A state or answers that somebody can have changed in place since are read again, and nothing else is. The answer
itself is claimed in the store like any other.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import slotted
from nbhitl.engine.answers import claim_request
from nbhitl.engine.head import refill
from nbhitl.engine.instructions import new_call
from nbhitl.engine.plan import answers_of
from nbhitl.engine.questions import is_answer_map
from nbhitl.engine.tasks import interrupt_id
from nbhitl.types import MISSING, Command

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from nbhitl.checkpoint.records import CheckpointKey, ClaimRequest, KeptAgain, QuestionRecord
    from nbhitl.engine.head import Head
    from nbhitl.engine.program import Program
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import Task, TaskResult

_UNCHANGEABLE = frozenset({str, int, float, bool, bytes, type(None)})
_COMPARED = _UNCHANGEABLE - {float}
"""Types of which equal values are the same question: 0.0 and -0.0 are equal, and one who reads them sees two."""
_ANSWER = itemgetter(2)
_SMALL = 100
"""Values, with the items of lists, in a state that is kept although its lists may change."""
_BY_A_RUN = frozenset({"input", "loop"})
"""Sources of checkpoints whose questions are their own; on a branch, questions of before may be asked again."""


@slotted
class KeptPause:
    """Where a run was, the task that asked and how often its node had started, and what it asked.

    `changeable` tells whether the state, and whether the answers of the task, are to be read again,
    `has_lists` that the state holds lists to be copied. A run that goes on from it and pauses in the same task keeps it
    again, with the next question.
    """

    program: Program
    head: Head
    step: int
    task: Task
    starts: int
    asked: QuestionRecord
    changeable: tuple[bool, bool]
    has_lists: bool = False


def pause_to_keep(
    progress: Progress, paused: Sequence[TaskResult], questions: Sequence[QuestionRecord]
) -> KeptPause | None:
    """Return what to keep of a pause; None if the answer has to read the thread."""
    if len(paused) != 1 or len(questions) != 1:
        return None
    (result,), (asked,) = paused, questions
    (interrupt,) = result.interrupts or ()
    task, kept = result.task, progress.kept
    if (
        interrupt.response_schema is not None
        or interrupt.site is not None
        or asked.interrupt_id in task.answers
    ):
        return None
    if kept is None or kept.task is not task:
        kept = _first_kept(progress, task, asked)
        if kept is None:
            return None
    elif kept.changeable[0]:
        kept.head = progress.head.emptied()
    known = len(task.script) == len(task.answers)
    answers = not (known or _UNCHANGEABLE.issuperset(map(type, map(_ANSWER, task.answers.values()))))
    kept.starts, kept.asked, kept.changeable = (
        task.starts + result.attempts,
        asked,
        (kept.changeable[0], answers),
    )
    return kept


def _first_kept(progress: Progress, task: Task, asked: QuestionRecord) -> KeptPause | None:
    """Return what to keep of the place where a task asks its first question in this process; None as above."""
    head = progress.head
    if not progress.saves_steps or progress.source not in _BY_A_RUN:
        return None
    if head.sends or head.objects or head.unknown_values or head.children or head.start is not MISSING:
        return None
    # What a Command wrote is not in the checkpoint yet, and of an error that a handler is about only the text is saved.
    if progress.unsaved is not None or task.failed is not None:
        return None
    if len(head.triggers) != 1:
        return None
    state = not _UNCHANGEABLE.issuperset(map(type, head.values.values()))
    place = head.emptied() if state else head
    return KeptPause(progress.program, place, progress.step, task, task.starts, asked, (state, False))


def answer_kept(
    progress: Progress, command: Command[Any], key: CheckpointKey
) -> Generator[Any, Any, list[Task] | None]:
    """Claim the answer to a kept pause and return the task that goes on with it; None if the thread has to be read.

    Raises:
        AlreadyAnswered: another answer came first.
    """
    run, settings = progress.run, progress.settings
    does_more = command.update is not None or command.goto or command.graph is not None
    if does_more or not command.answers or key.checkpoint_id is not None or run.parent is not None:
        return None
    if not (progress.saves_steps and progress.is_unseen) or settings.strict or run.replay_check != "payload":
        return None
    answering = _Answering(key.thread_id, key.ns, progress, command.resume)
    again: KeptAgain | None = yield new_call("answer_pause", (answering,))
    if again is None:
        return None
    kept: KeptPause = again.kept
    task, asked, given = kept.task, kept.asked, answering.given
    _go_back(progress, kept, again.values)
    progress.claimed = {asked.interrupt_id: task.id}
    task.answers = {**task.answers, asked.interrupt_id: given}
    task.starts = kept.starts
    _lengthen_script(task, asked, given[2])
    return [task]


class _Answering:
    """The answer to a kept pause: what claims it, once the saver has told which one it is. See `records.Answering`."""

    __slots__ = ("answer", "given", "ns", "progress", "request", "thread_id")

    def __init__(self, thread_id: str, ns: str, progress: Progress, answer: Any) -> None:
        self.thread_id = thread_id
        self.ns = ns
        self.progress = progress
        self.answer = answer
        self.request: ClaimRequest | None = None

    def request_for(
        self, kept: KeptPause, answers: Mapping[str, Sequence[Any]] | None
    ) -> ClaimRequest | None:
        """Return what claims the answer; None if it is not one for this pause alone."""
        if kept.program is not self.progress.program:
            return None
        task, asked, answer = kept.task, kept.asked, self.answer
        if is_answer_map(answer):
            if [*answer] != [asked.interrupt_id]:
                return None
            answer = answer[asked.interrupt_id]
        if answers is not None:
            task.answers = answers_of(answers.get(task.id, ()))
        self.given = [asked.interrupt_id, asked.digest, answer]
        entries = {task.id: [*task.answers.values(), self.given]}
        answered, checkpoint_id = {asked.interrupt_id: answer}, kept.head.checkpoint_id
        self.request = claim_request(self.progress, checkpoint_id, answered, entries, named=False)
        return self.request


def _lengthen_script(task: Task, asked: QuestionRecord, answer: Any) -> None:
    """Add a question with its answer to what the node is known to ask, if it comes next there and both stay as they are.

    When the node starts again it is told its question by comparing it, where others need a digest.
    """
    script, payload = task.script, asked.payload
    is_next = asked.interrupt_id == interrupt_id(task.namespace, len(script))
    if is_next and type(payload) in _COMPARED and type(answer) in _UNCHANGEABLE:
        task.script = [*script, (payload, answer)]


def _go_back(progress: Progress, kept: KeptPause, values: dict[str, Any] | None) -> None:
    """Bring the run to where the other one paused, with the `values` that were read again.

    How the checkpoint there came to be is told to those who look on: none does.
    """
    head = kept.head
    if values is not None:
        refill(progress.program, head, values)
        kept.changeable = (not _is_small(head.values), kept.changeable[1])
        kept.has_lists = not kept.changeable[0]
    # The node may change its lists in place, but not those that are kept.
    if kept.has_lists:
        progress.head.become(head)
    else:
        progress.head = head
    progress.kept, progress.step = kept, kept.step
    progress.saved_id = head.checkpoint_id
    progress.show_values()


def _is_small(values: Mapping[str, Any]) -> bool:
    """Whether a state is a few things that cannot be changed, and short lists of such: it may be kept and copied."""
    left = _SMALL
    for value in values.values():
        items = value if type(value) is list else (value,)
        left -= len(items)
        if left < 0 or not _UNCHANGEABLE.issuperset(map(type, items)):
            return False
    return True
