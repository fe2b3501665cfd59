"""Save where a run stops to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.claims import LIVE
from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.records import new_pause, new_question_record
from nbhitl.constants import ERROR, INTERRUPT
from nbhitl.engine.error_handlers import left_by
from nbhitl.engine.instructions import StoreCall, new_call
from nbhitl.engine.kept_pause import pause_to_keep
from nbhitl.engine.progress import starts_left, task_writes
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.checkpoint.records import QuestionRecord, TaskWrites
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import TaskResult
    from nbhitl.types import Interrupt


def save_pause(
    progress: Progress, paused: list[TaskResult], finished: list[TaskResult]
) -> Generator[Any, Any, None]:
    """Save the questions of tasks that paused, and what tasks that finished beside them left.

    Raises:
        UnsupportedValue: a question cannot be stored. Answers that led to it are used again when the node runs again.
        RuntimeError: two tasks ask by one graph with a state of its own.
    """
    if len(paused) > 1 and any(i.place is not None for r in paused for i in r.interrupts or ()):
        from nbhitl.engine.place import refuse_one_state_for_two

        refuse_one_state_for_two(progress.run, paused)
    again = {i.id for r in paused if r.task.answers for i in r.interrupts or () if i.id in r.task.answers}
    if again and progress.run.parent is None:
        yield from _take_back(progress, again)
    try:
        yield _saving(progress, paused, finished)
    except UnsupportedValue as error:
        answered = set(progress.claimed.values())
        failed = [
            task_writes(progress.program, r, [(ERROR, repr(error))]) for r in paused if r.task.id in answered
        ]
        if failed:
            yield StoreCall("put_pending", (progress.key, failed))
            progress.claimed = {}
        raise


def _saving(progress: Progress, paused: list[TaskResult], finished: list[TaskResult]) -> StoreCall:
    program, called = progress.program, progress.run.parent is not None
    tasks: list[TaskWrites] = []
    questions: list[QuestionRecord] = []
    asked_at = "" if called else progress.clock.now()
    for result in paused:
        task, asked = result.task, result.interrupts
        if asked:
            tasks.append(task_writes(program, result, [(INTERRUPT, list(asked)), *starts_left(result)]))
            if not called:
                for interrupt in asked:
                    questions.append(_question(progress, result, interrupt, asked_at))
        elif task.answers:
            # At a breakpoint of a graph that it called: nothing is asked, but the answers that led there are used.
            tasks.append(task_writes(program, result, []))
    if finished:
        tasks += [task_writes(program, r, left) for r in finished if (left := left_by(r))]
    if called:
        # The questions of a called graph are listed once, by the run that the person answers.
        return new_call("put_pending", (progress.key, tasks))
    thread_id, ns, checkpoint_id = progress.key
    kept = pause_to_keep(progress, paused, questions)
    record = new_pause(thread_id, ns, checkpoint_id or "", tasks, questions, kept)
    return new_call("put_pause", (record,))


def _take_back(progress: Progress, again: set[str]) -> Generator[Any, Any, None]:
    """Open questions again that were answered and are asked once more: by a NodeInterrupt, which takes no answer."""
    claims = yield StoreCall("claims", (progress.key.thread_id,))
    held = [c.interrupt_id for c in claims if c[:3] == progress.key and c.state in LIVE]
    unused = tuple(id for id in held if id in again)
    if unused:
        yield StoreCall("release", (*progress.key, unused))


def _question(progress: Progress, result: TaskResult, interrupt: Interrupt, asked_at: str) -> QuestionRecord:
    task = result.task
    try:
        digest = payload_digest(interrupt.value)
    except UnsupportedValue as error:
        raise UnsupportedValue(
            f"the question of node {task.name!r} (thread {progress.run.thread_id!r}) cannot be saved: {error}"
        ) from error
    return new_question_record(
        (interrupt.id, task.id, task.name, "interrupt", interrupt.value, digest, asked_at)
    )
