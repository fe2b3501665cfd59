"""An answer where the saver keeps no questions: savers that others wrote for LangGraph may do nothing in `put_writes`.

Then nobody can tell what was asked, or that it was: that an answer is given is all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import RESUME
from nbhitl.engine.foreign import ForeignSaver
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.plan import at_breakpoint, plan_tasks
from nbhitl.engine.questions import is_answer_map
from nbhitl.engine.tasks import interrupt_id

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import Task


def answer_unkept(progress: Progress, resume: Any) -> Generator[Any, Any, bool]:
    """Give an answer to what the tasks that are about to run ask first, if the saver keeps no questions.

    The caller has seen that nothing is pending. A map names the questions. A plain answer is for the only task; at a
    breakpoint it means to go on, here as elsewhere. Returns whether somebody gets the answer.

    Raises:
        RuntimeError: a plain answer, and several tasks that may have asked.
    """
    saver = progress.run.saver
    if progress.source != "loop" or not isinstance(saver, ForeignSaver):
        return False
    if not (yield from _keeps_nothing(progress, saver)):
        return False
    tasks = plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)
    first = {interrupt_id(task.namespace, 0): task for task in tasks}
    if is_answer_map(resume):
        answers = {id: resume[id] for id in first if id in resume}
    elif _may_be_at_breakpoint(progress, tasks):
        answers = {}
    else:
        answers = {_only(first, saver): resume}
    progress.pending = [(first[id].id, RESUME, [[id, "", answer]]) for id, answer in answers.items()]
    return bool(answers)


def _keeps_nothing(progress: Progress, saver: ForeignSaver) -> Generator[Any, Any, bool]:
    """Whether nothing is left of the tasks that led here, or the saver tells of no writes, or of no parents either.

    Where a saver keeps parents, a checkpoint that steps led to has none only if it is the first of a run that saves at
    its exit.
    """
    if progress.parent_id is None:
        return not saver.tells_writes or (progress.step > 0 and progress.run.durability != "exit")
    led_here: StoredCheckpoint | None = yield StoreCall(
        "load", (progress.key._replace(checkpoint_id=progress.parent_id),)
    )
    return led_here is not None and not led_here.writes


def _may_be_at_breakpoint(progress: Progress, tasks: list[Task]) -> bool:
    before, after = progress.settings.interrupt_before, progress.settings.interrupt_after
    return bool(after) or bool(before and at_breakpoint(tasks, before))


def _only(first: Mapping[str, Task], saver: ForeignSaver) -> str:
    """Return the one id there is."""
    if len(first) == 1:
        return next(iter(first))
    ids = ", ".join(f"{id} ({task.name})" for id, task in first.items())
    raise RuntimeError(
        "When there are multiple pending interrupts, you must specify the interrupt id when resuming. "
        f"{type(saver.saver).__name__} keeps nothing of what tasks left, so each that is about to run may have asked: "
        f"{ids}. Answer with Command(resume={{id: value}}), or use a saver whose put_writes() keeps them."
    )
