"""The story of a run: a generator that decides and does no I/O.

    begin      load the checkpoint, take in the input or the answers
    plan       find the tasks of the step; stop at a breakpoint
    run        hand out the tasks, take their results in any order
    settle     report and save each result
    end        apply all writes in their fixed order, save the next checkpoint

It yields what it wants done (`instructions`) and is sent the outcome; time and ids come from the Clock that it
is given. The drivers do the rest. So a sync run, an async run and a test that compares values all take the same
decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import SYMPTOMS, CheckpointKey, PauseRecord, QuestionRecord
from nbhitl.constants import INTERRUPT, START
from nbhitl.engine import events
from nbhitl.engine.begin import begin, load, take_in
from nbhitl.engine.error_handlers import failed_before, handler_for, left_by
from nbhitl.engine.instructions import AWAIT, SHOW, Outcome, Start, StoreCall, new_outcome
from nbhitl.engine.kept_pause import answer_kept
from nbhitl.engine.pause import save_pause
from nbhitl.engine.plan import at_breakpoint, plan_tasks, recall_writes
from nbhitl.engine.progress import task_writes, unsaved_writes
from nbhitl.engine.read import read_state
from nbhitl.engine.report import report
from nbhitl.engine.tasks import Task, TaskResult, plan_order
from nbhitl.errors import (
    GraphDrained,
    GraphRecursionError,
    StoreError,
    UnsupportedValue,
)
from nbhitl.types import MISSING, Command

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from nbhitl.engine.progress import Progress
    from nbhitl.types import Interrupt


def superstep_loop(progress: Progress, input: Any, key: CheckpointKey) -> Generator[Any, Any, Outcome]:
    """Run to the end or to the next pause.

    Raises:
        GraphRecursionError: the limit of supersteps was reached.
        Exception: what a node raised, once everything that was done is saved.
    """
    run, settings = progress.run, progress.settings
    kept = (yield from answer_kept(progress, input, key)) if isinstance(input, Command) else None
    found = kept is not None or (yield from load(progress, input, key))
    run.stop = progress.step - progress.has_branched + settings.recursion_limit + 1
    starting = _begin_stored if found else begin  # what was not stored is not misshapen
    run.resuming = kept is not None or (yield from starting(progress, input, key, found))
    past_breakpoint = run.resuming
    while True:
        if progress.step > run.stop:
            yield from progress.save_at_exit()
            raise _recursion_error(progress, _plan(progress))
        tasks, kept = kept or _plan(progress), None
        if not tasks:
            return (yield from _finish(progress))
        stops_before = () if past_breakpoint else settings.interrupt_before
        if stops_before and (stops := at_breakpoint(tasks, stops_before)):
            return (yield from _pause_at(progress, stops))
        if run.control is not None or not progress.is_unseen:
            yield from _before_tasks(progress, tasks)
        if len(tasks) == 1 and tasks[0].writes is None:
            taken_in = take_in(progress, tasks[0]) if tasks[0].name == START else None
            result = taken_in or (yield tasks[0])
            is_settled = progress.is_unseen and result.error is None
            results = [result] if is_settled else (yield from _settle_alone(progress, result))
        else:
            results = yield from _run_together(progress, tasks)
        if progress.paused or results[0].interrupts is not None:
            return (yield from _pause(progress, results))
        try:
            saving = _end_step(progress, results)
        except Exception as error:
            from nbhitl.engine.fail import fail_to_apply

            yield from fail_to_apply(progress, results, error)
        if saving is not None:
            yield saving
        progress.pending = []
        if progress.saves_steps:
            progress.claimed = {}
        past_breakpoint = run.resuming = False
        # With the error handlers, which are not planned.
        if settings.interrupt_after and at_breakpoint(
            [*tasks, *(result.task for result in results)], settings.interrupt_after
        ):
            return (yield from _pause_at(progress, _plan(progress)))


def _recursion_error(progress: Progress, tasks: Sequence[Task]) -> GraphRecursionError:
    limit, run = progress.settings.recursion_limit, progress.run
    following = ", ".join(dict.fromkeys(task.name for task in tasks))
    thread = f", thread {run.thread_id!r}" if run.thread_id is not None else ""
    return GraphRecursionError(
        f"Recursion limit of {limit} reached without hitting a stop condition. You can increase the limit by "
        f"setting the `recursion_limit` config key. (GRAPH_RECURSION_LIMIT) Graph {progress.program.name!r}{thread}, "
        f"next: {following or 'the end'}. Give a loop a way to END, or raise the limit: "
        f'{{"recursion_limit": {limit * 4}}}.'
    )


# -- plan ------------------------------------------------------------------------------------------------


def _plan(progress: Progress) -> list[Task]:
    """Return the tasks of the next step, with what earlier runs of it left; report the checkpoint that they stand on."""
    tasks = plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)
    if len(tasks) > 1 and progress.run.resuming and progress.goes_on_from_a_branch:
        from nbhitl.engine.snapshot import in_node_order

        tasks = in_node_order(progress.program, tasks)
    if progress.pending and tasks:
        recall_writes(tasks, progress.pending)
        handlers = failed_before(progress.program, tasks, progress.pending)
        if handlers:
            recall_writes(handlers, progress.pending)
            tasks.extend(handlers)
    if progress.head.start is not MISSING:
        for task in tasks:
            if task.name == START:
                task.input = progress.head.start
    stream = progress.run.stream
    if not stream.silent and stream.wants("checkpoints") and progress.keeps:
        from nbhitl.engine.snapshot import checkpoint_payload

        planned = [task for task in tasks if task.failed is None]
        progress.emit("checkpoints", checkpoint_payload(progress, planned), progress.step - 1)
    return tasks


# -- run and settle --------------------------------------------------------------------------------------


def _before_tasks(progress: Progress, tasks: list[Task]) -> Generator[Any, Any, None]:
    """Stop if the run was asked to; look results up in the cache, and tell who looks on that the tasks start."""
    run, stream = progress.run, progress.run.stream
    if run.control is not None and run.control.drain_requested:
        yield from progress.save_where_it_stops()
        raise GraphDrained(run.control.drain_reason or "shutdown")
    if run.cache is not None:
        from nbhitl.engine.caching import look_up

        yield from look_up(progress, tasks)
    if not stream.silent and stream.wants("tasks"):
        _announce(progress, tasks)


def _settle_alone(progress: Progress, result: TaskResult) -> Generator[Any, Any, list[TaskResult]]:
    """Settle the result of the one task of a step; return it, and that of the task that handled its error."""
    handler = yield from _settle(progress, result, alone=True)
    if handler is None:
        if progress.run.stream.is_live:
            yield SHOW  # as the node returned it: reducers give messages their ids in place
        return [result]
    handled = yield handler
    yield from _settle(progress, handled, alone=True)
    return [result, handled]


def _run_together(progress: Progress, tasks: list[Task]) -> Generator[Any, Any, list[TaskResult]]:
    """Run the tasks side by side, those that an earlier run or the cache has not done already."""
    results = [TaskResult(task, task.writes, cached=True) for task in tasks if task.writes is not None]
    for result in results:
        if result.task.from_cache and len(tasks) > 1:
            yield from _save_result(progress, result)
        if result.writes:
            report(progress, result)
    todo = [task for task in tasks if task.writes is None]
    if todo:
        yield Start(todo)
    running = len(todo)
    while running:
        ended = yield AWAIT
        running -= len(ended)
        if len(ended) > 1 and progress.saves_steps:
            yield from _save_together(progress, ended)
        for place, result in enumerate(ended, 1):
            results.append(result)
            handler = yield from _settle(progress, result, alone=False, beside=ended[place:])
            if handler is not None:
                yield Start([handler])
                running += 1
        if not running and not progress.run.stream.silent:
            yield SHOW
    return results


def _announce(progress: Progress, tasks: Sequence[Task]) -> None:
    from nbhitl.engine.task_config import announced_metadata

    for task in tasks:
        node = progress.program.nodes[task.name]
        if node.hidden:
            continue
        state = task.input
        if not task.is_push:
            reads = node if task.failed is None else progress.program.nodes[task.failed.name]
            state = read_state(reads.reader, progress.head.values, task.step, progress.run.stop)
        metadata = announced_metadata(progress.run, node)
        progress.emit("tasks", events.task_payload(task, state, metadata), progress.step)


def _settle(
    progress: Progress, result: TaskResult, alone: bool, beside: Sequence[TaskResult] = ()
) -> Generator[Any, Any, Task | None]:
    """Report a result; save it now, unless the step's own record is about to hold it.

    `beside` are results that are there already, and not settled. Returns the task that handles the result's error; None
    where there is no error.
    """
    if result.error is not None:
        handler = handler_for(progress.program, result)
        if handler is None:
            from nbhitl.engine.fail import fail

            yield from fail(progress, result, beside)
        yield from _save_result(progress, result)
        report(progress, result)
        return handler
    if result.interrupts is not None:
        progress.paused.append(result)
    if not alone and result.interrupts is None and result.task.id not in progress.saved_tasks:
        yield from _save_result(progress, result)
    if result.task.cache_key is not None and result.interrupts is None:
        from nbhitl.engine.caching import keep

        yield from keep(progress, result)
    report(progress, result)
    return None


def _save_result(progress: Progress, result: TaskResult) -> Generator[Any, Any, None]:
    """Save what a task of a step left while others of the step still run."""
    if not progress.keeps:
        return
    left = task_writes(progress.program, result, left_by(result))
    if progress.saves_steps:
        yield StoreCall("put_pending", (progress.key, [left]))
        progress.saved_tasks.add(result.task.id)
    else:
        progress.held.append(left)


def _save_together(progress: Progress, ended: Sequence[TaskResult]) -> Generator[Any, Any, None]:
    """Save at once what tasks left that have ended by now: a store takes many writes in little more time than one."""
    left = [
        task_writes(progress.program, result, result.writes)
        for result in ended
        if result.error is None and result.interrupts is None
    ]
    try:
        if left:
            yield StoreCall("put_pending", (progress.key, left))
    except UnsupportedValue:
        return  # nothing was saved: one by one, those are that can be
    progress.saved_tasks.update([task.task_id for task in left])


# -- end of a step, and of the run -------------------------------------------------------------------------


def _end_step(progress: Progress, results: list[TaskResult]) -> StoreCall | None:
    """Apply the writes of a step, and move on; return what saves the new checkpoint, if it is saved now."""
    progress.show_changes(progress.apply(results))
    if not progress.saves_steps:
        progress.held = []
        return progress.move_on("loop")
    unsaved = unsaved_writes(progress, results, in_record=True)
    if progress.saved_tasks:
        progress.saved_tasks.clear()
    return progress.move_on("loop", unsaved)


def _begin_stored(
    progress: Progress, input: Any, key: CheckpointKey, has_checkpoint: bool
) -> Generator[Any, Any, bool]:
    """As `begin`; a checkpoint that is not what savers keep is told as that."""
    try:
        return (yield from begin(progress, input, key, has_checkpoint))
    except StoreError as error:
        from nbhitl.engine.misshapen import name_store

        name_store(progress.run.saver, error)
        raise
    except SYMPTOMS:
        from nbhitl.engine.misshapen import refuse_misshapen

        run, found = progress.run, progress.found
        assert found is not None
        refuse_misshapen(
            run.thread_id, found.checkpoint_id, found.metadata, progress.head, progress.pending, run.saver
        )
        raise


def _finish(progress: Progress) -> Generator[Any, Any, Outcome]:
    # A graph that a node called, and that keeps no state of its own, leaves nothing when it is done.
    if progress.run.parent is None or progress.run.stateful:
        yield from progress.save_where_it_stops()
    return new_outcome(progress.final_output(), (), False)


def _pause(progress: Progress, results: list[TaskResult]) -> Generator[Any, Any, Outcome]:
    """Save the questions and what the other tasks did; the step is not over."""
    # The only task of a step that nobody looks at is not noted: there is nothing to settle.
    paused, finished = progress.paused or results, []
    interrupts: tuple[Interrupt, ...] = ()
    if len(results) > 1:
        paused.sort(key=plan_order)
        finished = [result for result in results if result.interrupts is None]
    for result in paused:
        interrupts += result.interrupts or ()
    if progress.run.carried and (anew := tuple(i.id for i in interrupts if i.id in progress.claimed)):
        yield StoreCall("release", (*progress.key, anew))
        progress.claimed = {id: task for id, task in progress.claimed.items() if id not in anew}
    unsaved: list[TaskResult] = []
    if not progress.saves_steps:
        yield from progress.save_where_it_stops()
        unsaved = [result for result in finished if result.task.id not in progress.saved_tasks]
    if progress.keeps:
        yield from save_pause(progress, paused, unsaved)
    progress.claimed, progress.paused = {}, []
    if progress.run.parent is None:
        if interrupts:
            progress.show_pause()
        if finished and any(r.writes for r in finished):
            progress.show_changes(progress.apply(finished))
        if not interrupts:
            progress.emit("updates", {INTERRUPT: ()})
    return new_outcome(progress.final_output(), interrupts, True)


def _pause_at(progress: Progress, stops: Sequence[Task]) -> Generator[Any, Any, Outcome]:
    """Stop at a static breakpoint. What is about to run is the question."""
    from nbhitl.checkpoint.claims import BREAKPOINT, breakpoint_id

    yield from progress.save_where_it_stops()
    if progress.run.parent is None:
        if progress.keeps:
            thread_id, ns, checkpoint_id = progress.key
            asked_at = progress.clock.now()
            questions = [
                QuestionRecord(
                    breakpoint_id(thread_id, checkpoint_id or "", task.id), task.id, task.name, BREAKPOINT, None,
                    "", asked_at,
                )
                for task in stops
            ]  # fmt: skip
            yield StoreCall("put_pause", (PauseRecord(thread_id, ns, checkpoint_id or "", [], questions),))
        progress.emit("updates", {INTERRUPT: ()})
    return Outcome(progress.final_output(), paused=True)
