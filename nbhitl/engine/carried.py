"""The question that was open when the state was changed by hand, for an answer that names no question.

`update_state` begins a branch on which nothing has been asked yet. A plain answer given there is for what the person
saw before: the node gets it if it asks that again, and asks anew if it now asks something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import PauseRecord, QuestionRecord
from nbhitl.constants import INTERRUPT
from nbhitl.engine.digests import payload_digest, what_was_asked
from nbhitl.engine.head import head_of
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.questions import open_questions
from nbhitl.engine.tasks import interrupt_id
from nbhitl.types import Interrupt

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import Task


def ask_on_the_branch(progress: Progress) -> Generator[Any, Any, None]:
    """Put the question that was open before the change on the run's checkpoint, if it was one, and nothing ran since."""
    left = progress.left()
    if left.asked or left.finished:
        return
    found = yield from _asked_before(progress)
    if len(found) != 1:
        return
    ((before, task),) = found
    question = Interrupt(before.value, interrupt_id(task.namespace, 0))
    question.response_schema, question.site = before.response_schema, before.site
    progress.pending = [*progress.pending, (task.id, INTERRUPT, [question])]
    progress.run.carried = frozenset((question.id,))
    record = QuestionRecord(
        question.id, task.id, task.name, "interrupt", before.value, payload_digest(before.value),
        progress.clock.now(),
    )  # fmt: skip
    thread_id, ns, checkpoint_id = progress.key
    yield StoreCall("put_pause", (PauseRecord(thread_id, ns, checkpoint_id or "", [], [record]),))


def inherit_answers(progress: Progress) -> Generator[Any, Any, None]:
    """Let the tasks of a called graph whose state was changed have the answers to what they asked before."""
    run = progress.run
    for before, task in (yield from _asked_before(progress)):
        if before.id in run.answers:
            id = interrupt_id(task.namespace, 0)
            run.answers = {**run.answers, id: (id, what_was_asked(before), run.answers[before.id][2])}
            run.carried |= {id}


def _asked_before(progress: Progress) -> Generator[Any, Any, list[tuple[Interrupt, Task]]]:
    """Return what was open at the checkpoint that was changed, each with the task that would ask it now.

    Left out is what a node asked after other questions: it starts again with the first of them.
    """
    source, key = progress.source, progress.key._replace(checkpoint_id=progress.parent_id)
    stored: StoredCheckpoint | None = None
    while source == "update" and key.checkpoint_id:
        stored = yield StoreCall("load", (key,))
        if stored is None or open_questions(stored.writes):
            break
        source, key = stored.metadata.get("source", ""), key._replace(checkpoint_id=stored.parent_id)
    if stored is None:
        return []
    program, ns = progress.program, progress.run.ns
    step = int(stored.metadata.get("step", -2)) + 1
    then = {task.id: task for task in plan_tasks(program, head_of(program, stored), step, ns)}
    now = {(task.name, task.path): task for task in plan_tasks(program, progress.head, progress.step, ns)}
    return [
        (question, now[asker.name, asker.path])
        for task_id, questions in open_questions(stored.writes).items()
        for question in questions
        if (asker := then.get(task_id)) is not None
        and question.id == interrupt_id(asker.namespace, 0)
        and (asker.name, asker.path) in now
    ]
