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
    from collections.abc import Generator

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress


def answer_unkept(progress: Progress, resume: Any) -> Generator[Any, Any, None]:
    """Give a plain answer to the first question of the one task that is about to run, if the saver keeps no questions.

    It does if nothing is left of the tasks that led here. At a breakpoint an answer means to go on, here as elsewhere.
    The caller has seen that nothing is pending.
    """
    if is_answer_map(resume) or not isinstance(progress.run.saver, ForeignSaver):
        return
    if progress.source != "loop" or progress.parent_id is None:
        return
    led_here: StoredCheckpoint | None = yield StoreCall(
        "load", (progress.key._replace(checkpoint_id=progress.parent_id),)
    )
    if led_here is None or led_here.writes:
        return
    tasks = plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)
    settings = progress.settings
    paused_before = at_breakpoint(tasks, settings.interrupt_before) if settings.interrupt_before else []
    if len(tasks) == 1 and not paused_before and not settings.interrupt_after:
        first = interrupt_id(tasks[0].namespace, 0)
        progress.pending = [(tasks[0].id, RESUME, [[first, "", resume]])]
