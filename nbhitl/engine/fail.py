"""The end of a run in which a task failed, or that is stopped from outside: keep what is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Never

from nbhitl.checkpoint.records import TaskWrites
from nbhitl.constants import ERROR, START
from nbhitl.engine.error_handlers import handled_error
from nbhitl.engine.instructions import ABANDON, Abandoned, Await, Start, StoreCall
from nbhitl.engine.pause import save_pause
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.prepare import note_children
from nbhitl.engine.progress import starts_left, task_writes, unsaved_writes
from nbhitl.engine.questions import tasks_left
from nbhitl.engine.report import report
from nbhitl.engine.tasks import Task, plan_order
from nbhitl.engine.unsaved import left_unsaved
from nbhitl.errors import GraphDrained, ParentCommand, QuestionChanged, UnsupportedValue, is_invalid_resume

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from nbhitl.engine.progress import Progress
    from nbhitl.engine.running import Run
    from nbhitl.engine.tasks import TaskResult


def fail(
    progress: Progress, result: TaskResult, beside: Sequence[TaskResult] = ()
) -> Generator[Any, Any, None]:
    """Stop the other tasks, save what they did, and raise; `beside` are results that came with the one that failed.

    Raises:
        Exception: the task's error; a Command for the graph above goes there.
    """
    error = result.error
    assert error is not None
    if isinstance(error, QuestionChanged):
        _show_answered(error, progress.pending or (yield from _pending_again(progress)))
    abandoned: Abandoned = yield ABANDON
    if not isinstance(error, (ParentCommand, GraphDrained)):  # a graph that was asked to stop has not failed
        report(progress, result)
    prompt = [*beside, *abandoned.prompt]
    for other in prompt:
        report(progress, other)
    late = [*prompt, *abandoned.late]
    for other in late:
        is_done = other.error is None and other.interrupts is None
        if is_done and progress.keeps and other.task.id not in progress.saved_tasks:
            progress.held.append(task_writes(progress.program, other, other.writes))
    # A graph with a state of its own remembers what it did until it handed over.
    if progress.saves_steps or progress.run.stateful:
        yield from progress.save_held()
    if isinstance(error, ParentCommand):
        above = progress.run.parent
        if above is not None:
            note_children(above, progress)
            raise ParentCommand(replace(error.args[0], graph=above.task.namespace))
        # Where a called graph names the task that called it: none did.
        error.args = (replace(error.args[0], graph=""),)
        error.add_note(
            f"Node {result.task.name!r} addressed a Command to the graph above, but no graph called graph "
            f"{progress.program.name!r}. Leave graph=Command.PARENT out, or run this graph as another one's node."
        )
        raise error
    yield from progress.save_held()
    if progress.keeps:
        yield from _save_ends(progress, result, [*progress.paused, *late])
    progress.claimed = _in_doubt(progress, result)
    raise error


def stopped_at_tasks(steps: Generator[Any, Any, Any], wanted: Any) -> bool:
    """Whether the story of a run waits for tasks: then nothing of it is half done. One that raised has no frame."""
    return isinstance(wanted, (Task, Start, Await)) and getattr(steps, "gi_frame", None) is not None


def stop(
    progress: Progress, *, before_tasks: bool, stopped: Sequence[TaskResult] = ()
) -> Generator[Any, Any, None]:
    """Save where a run is that is stopped at its tasks: the checkpoint that they stand on, and what they have asked.

    Args:
        before_tasks: none has started, so the answers for them were not used: their questions are open again.
        stopped: what the tasks left that were stopped on their way.
    """
    if before_tasks and progress.claimed and progress.saved_id == progress.head.checkpoint_id:
        yield from _take_back(progress, tuple(progress.claimed))
        progress.claimed = {}
    yield from progress.save_held()
    if progress.paused and progress.keeps:
        yield from save_pause(progress, sorted(progress.paused, key=plan_order), [])
    yield from save_stopped(progress, stopped)


def _take_back(progress: Progress, interrupt_ids: tuple[str, ...]) -> Generator[Any, Any, None]:
    """Open questions again whose answers were not used."""
    yield StoreCall("release", (*progress.key, interrupt_ids))
    if progress.run.carried:
        from nbhitl.engine.carried import leave_the_branch

        yield from leave_the_branch(progress, interrupt_ids)


def save_stopped(progress: Progress, stopped: Sequence[TaskResult]) -> Generator[Any, Any, None]:
    """Save what tasks left that were stopped on their way: one that was cancelled has failed, if it was not answered.

    One that was answered is in doubt.
    """
    if not progress.keeps:
        return
    for result in stopped:
        if result.error is None and result.interrupts is None:
            progress.held.append(task_writes(progress.program, result, result.writes))
    yield from progress.save_held()
    answered = set(progress.claimed.values())
    cancelled = [result for result in stopped if result.cancelled and result.task.id not in answered]
    if cancelled and progress.saves_steps:
        failures = {result.task.id: repr(result.error) for result in cancelled}
        tasks = {result.task.id: result.task for result in cancelled}
        yield StoreCall("put_pending", (progress.key, _error_writes(failures, tasks, {})))


def save_late(progress: Progress, late: Sequence[TaskResult]) -> Generator[Any, Any, None]:
    """Save what tasks left that ended when the time of their step was over: a thread cannot be stopped.

    None of them runs twice. One that was answered and never started runs again with its answer.
    """
    if not progress.keeps:
        return
    for result in late:
        if result.error is None and result.interrupts is None:
            progress.held.append(task_writes(progress.program, result, result.writes))
    yield from progress.save_held()
    ended = [*progress.paused, *late]
    paused = sorted((result for result in ended if result.interrupts is not None), key=plan_order)
    if paused:
        yield from save_pause(progress, paused, [])
    failures = {result.task.id: repr(result.error) for result in late if result.error is not None}
    done = {result.task.id for result in ended} | progress.saved_tasks
    for task_id in set(progress.claimed.values()) - done:
        failures[task_id] = "not started, because the step took longer than step_timeout"
    if failures:
        tasks = {task.id: task for task in (*_planned(progress), *(result.task for result in late))}
        starts = {result.task.id: starts_left(result) for result in late}
        yield StoreCall("put_pending", (progress.key, _error_writes(failures, tasks, starts)))
    progress.claimed = {}


def took_too_long(run: Run) -> TimeoutError:
    """Return the error of a step that did not end in time; what its tasks did is saved by then."""
    then = " What it has done is kept: go on with invoke(None, config)." if run.saver is not None else ""
    return TimeoutError(
        f"The step did not end within step_timeout={run.step_timeout} s (graph {run.program.name!r}). Raise "
        f"graph.step_timeout, or bound what its nodes wait for.{then}"
    )


def fail_to_apply(
    progress: Progress, results: Sequence[TaskResult], error: Exception
) -> Generator[Any, Any, Never]:
    """Keep what the tasks of a step left although the state cannot take it, and raise.

    The thread stays at the checkpoint before the step, with the tasks done: nothing of them runs twice.

    Raises:
        Exception: `error`, with a note that says what to do.
    """
    if progress.keeps:
        yield from progress.save_where_it_stops()
        try:
            left = unsaved_writes(progress, results, in_record=False)
            if left:
                yield StoreCall("put_pending", (progress.key, left))
        except UnsupportedValue as refused:
            then = f"They cannot be saved ({refused}), so the tasks run again with invoke(None, config)."
        else:
            progress.claimed = {}
            then = "They are kept; to run the tasks again: invoke(None, get_state(config).config)."
        names = ", ".join(sorted({result.task.name for result in results}))
        if names == START:
            then = "Nothing of this input was taken: invoke() with another one."
        error.add_note(
            f"The state of thread {progress.run.thread_id!r} cannot take the results of step {progress.step} ({names}). "
            f"{then}"
        )
    raise error


def _pending_again(progress: Progress) -> Generator[Any, Any, Sequence[tuple[str, str, Any]]]:
    """Read what is pending at the checkpoint of a run that went on from a kept pause, and so has not read it."""
    stored = (yield StoreCall("load", (progress.key,))) if progress.keeps else None
    return () if stored is None else stored.writes


def _show_answered(error: QuestionChanged, pending: Sequence[tuple[str, str, Any]]) -> None:
    """Show the question that was answered beside the one that is asked now, where it is still at hand."""
    answered = [
        i for of_task in tasks_left(pending).asked.values() for i in of_task if i.id == error.interrupt_id
    ]
    shown = f" Answered was {answered[0].value!r}." if answered else ""
    if shown and not str(error).endswith(shown):
        error.answered = answered[0].value
        error.args = (f"{error}{shown}",)


def _planned(progress: Progress) -> list[Task]:
    return plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)


def _in_doubt(progress: Progress, result: TaskResult) -> dict[str, str]:
    """Return the answers of a task whose effect may have happened within a called graph, and is not saved."""
    if not progress.claimed or not left_unsaved(result.error):
        return {}
    return {id: task_id for id, task_id in progress.claimed.items() if task_id == result.task.id}


def _has_failed(progress: Progress, result: TaskResult) -> bool:
    """Whether a task is saved as failed: not one in doubt, nor one that was asked to stop and holds no answer."""
    held = result.task.id in progress.claimed.values()
    return not _in_doubt(progress, result) and (held or not isinstance(result.error, GraphDrained))


def _save_ends(
    progress: Progress, result: TaskResult, others: Sequence[TaskResult]
) -> Generator[Any, Any, None]:
    """Save the questions and errors of the step, and let go of the answers that the run had taken up."""
    paused = sorted((other for other in others if other.interrupts is not None), key=plan_order)
    if paused:
        yield from save_pause(progress, paused, [])
    ended = {other.task.id for other in others if not other.cancelled} | progress.saved_tasks
    assert result.error is not None
    if is_invalid_resume(result.error):
        refused = tuple(id for id, task_id in progress.claimed.items() if task_id not in ended)
        if refused:
            yield from _take_back(progress, refused)
        return
    failures = {result.task.id: repr(result.error)} if _has_failed(progress, result) else {}
    failures.update(handled_error(result.task))
    failures.update(
        {
            other.task.id: repr(other.error)
            for other in others
            if other.error is not None and (progress.saves_steps or not other.cancelled)
        }
    )
    for task_id in progress.claimed.values():
        # Cancelled on its way: it will run again with the same answer, like a task that failed.
        if task_id not in ended and task_id not in failures and task_id != result.task.id:
            failures[task_id] = f"stopped, because node {result.task.name!r} failed"
    starts = {other.task.id: starts_left(other) for other in (result, *others)}
    tasks = {task.id: task for task in (*_planned(progress), *(other.task for other in (result, *others)))}
    yield StoreCall("put_pending", (progress.key, _error_writes(failures, tasks, starts)))


def _error_writes(
    failures: dict[str, str], tasks: Mapping[str, Task], starts: Mapping[str, Sequence[tuple[str, Any]]]
) -> list[TaskWrites]:
    return [
        TaskWrites(
            task_id, tasks[task_id].name, tasks[task_id].path, [(ERROR, text), *starts.get(task_id, ())]
        )
        for task_id, text in failures.items()
    ]
