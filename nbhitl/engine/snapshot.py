"""What a checkpoint looks like from outside: StateSnapshot, and the chunks of mode `checkpoints`; pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import of_fields
from nbhitl.checkpoint.records import SYMPTOMS
from nbhitl.constants import CONF, ERROR, INPUT, INTERRUPT, NULL_TASK_ID, START
from nbhitl.engine.apply import Changes, apply_writes
from nbhitl.engine.error_handlers import failed_before
from nbhitl.engine.events import interrupt_dict, written
from nbhitl.engine.head import head_of, new_head, show_objects
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.program import ROOT
from nbhitl.engine.questions import RESERVED, open_questions, saved_starts
from nbhitl.engine.read import read_state
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.types import MISSING, PregelTask, StateSnapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.head import Head
    from nbhitl.engine.program import Program
    from nbhitl.engine.progress import Progress
    from nbhitl.types import Interrupt

_new_snapshot = of_fields(StateSnapshot)

ALL_STEPS = 1 << 30
_OWN_ENTRIES = ("__pregel_", "__nbhitl_")


def checkpoint_config(
    thread_id: str, ns: str, checkpoint_id: str | None, parents: Mapping[str, str] | None = None
) -> RunnableConfig:
    """Return the config that names a checkpoint; inside a called graph also those of the graphs above."""
    configurable: dict[str, Any] = {
        "thread_id": thread_id,
        "checkpoint_ns": ns,
        "checkpoint_id": checkpoint_id,
    }
    if parents:
        configurable["checkpoint_map"] = {**parents, ns: checkpoint_id}
    return {CONF: configurable}


def read_values(program: Program, head: Head) -> Any:
    """Return the whole state, keys of every schema included."""
    if program.root_state:
        return head.values.get(ROOT)
    return {key: head.values[key] for key in program.stream_keys if key in head.values}


def snapshot_of(
    program: Program,
    stored: StoredCheckpoint,
    *,
    newest: bool,
) -> StateSnapshot:
    """Return what `get_state` reports for a stored checkpoint.

    Args:
        newest: the thread's newest checkpoint shows what tasks have already done, and only questions that are
            still open. A checkpoint of the past shows the record: every question that its step raised.

    Raises:
        StoreError: somebody has written something else there.
    """
    try:
        snapshot = _snapshot_of(program, stored, newest=newest)
        for asked in snapshot.interrupts:
            if not hasattr(asked, "id"):
                raise TypeError(f"a {type(asked).__name__} is no question")
    except SYMPTOMS:
        from nbhitl.engine.misshapen import refuse_misshapen

        refuse_misshapen(stored.thread_id, stored.checkpoint_id, stored.metadata, stored.frame, stored.writes)
        raise
    return snapshot


def _snapshot_of(program: Program, stored: StoredCheckpoint, *, newest: bool) -> StateSnapshot:
    following: tuple[str, ...] = ()
    shown: tuple[PregelTask, ...] = ()
    metadata: Any = stored.metadata
    if _is_at_rest(program, stored):
        values = _values_at_rest(program, stored.values)
    else:
        head = head_of(program, stored)
        step = int(metadata.get("step", -1)) + 1
        tasks = plan_tasks(program, head, step, stored.ns)
        if tasks or stored.writes:
            head, following, shown = _under_way(program, stored, head, tasks, step, newest=newest)
        values = read_values(program, head)
    parents, parent_id = metadata.get("parents") or None, stored.parent_id
    config = checkpoint_config(stored.thread_id, stored.ns, stored.checkpoint_id, parents)
    parent_config = checkpoint_config(stored.thread_id, stored.ns, parent_id, parents) if parent_id else None
    asked = tuple([i for task in shown for i in task.interrupts]) if shown else ()
    return _new_snapshot(
        (values, following, config, metadata, stored.created_at, parent_config, shown, asked)
    )


def _is_at_rest(program: Program, stored: StoredCheckpoint) -> bool:
    """Whether nothing is to be done at a checkpoint, and its state is plain values: so it is where most runs end."""
    frame = stored.frame
    return not (
        frame.triggers
        or frame.sends
        or frame.channels
        or stored.writes
        or program.objects
        or program.root_state
    )


def _values_at_rest(program: Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """As `read_values` of the head that would be made of such a checkpoint."""
    if program.reduced:
        values = {**new_head(program).values, **values}
    return {key: values[key] for key in program.stream_keys if key in values}


def _under_way(
    program: Program, stored: StoredCheckpoint, head: Head, tasks: list[Task], step: int, *, newest: bool
) -> tuple[Head, tuple[str, ...], tuple[PregelTask, ...]]:
    """Return the state with what tasks have already done, the nodes that run next, and the tasks of the step."""
    if stored.writes:
        apply_null_writes(program, head, stored.writes)
    left = _by_task(stored.writes)
    if newest and NULL_TASK_ID in left:
        tasks += _stopped_besides(tasks, plan_tasks(program, head, step, stored.ns), left)
    tasks = in_node_order(program, tasks)
    inputs = dict(head.values)
    start = head.start
    done, handled = _done_before(program, tasks, stored.writes, left)
    finished: set[str] = set()
    if newest and done:
        applied = _with_results(program, head, done)
        if applied is not None:
            head, finished = applied, {result.task.id for result in done} | handled
    following = [task for task in tasks if task.id not in finished]
    if tasks and not following:
        # Stopped after the last result of a step, before its checkpoint: the run is not over.
        following = in_node_order(program, plan_tasks(program, head, step + 1, stored.ns))
    open_ids = None
    if newest and left:
        open_ids = {i.id for asked in open_questions(stored.writes).values() for i in asked}
    shown = []
    for task in tasks:
        read_input = _InputReader(_input_of, program, task, inputs, start)
        shown.append(
            _task_shown(program, task, left.get(task.id, ()), open_ids, read_input, stored.thread_id)
        )
    return head, tuple([task.name for task in following]), tuple(shown)


def _stopped_besides(
    tasks: Sequence[Task], after: Sequence[Task], left: Mapping[str, Sequence[tuple[str, Any]]]
) -> list[Task]:
    """Return the tasks that a Command given as input has started and that stopped there: to ask, or with an error."""
    known = {task.id for task in tasks}
    return [
        task for task in after if task.id in left and task.id not in known and not _writes_left(left[task.id])
    ]


def _with_results(program: Program, head: Head, done: Sequence[TaskResult]) -> Head | None:
    """Return the state with what finished tasks left, None where it cannot take that: going on will say why."""
    after = head.copy()
    try:
        apply_writes(program, after, done)
    except Exception:
        return None
    for name in program.objects:
        after.objects[name].update(())
    show_objects(program, after)
    return after


def _done_before(
    program: Program,
    tasks: Sequence[Task],
    pending: Sequence[tuple[str, str, Any]],
    left: dict[str, list[tuple[str, Any]]],
) -> tuple[list[TaskResult], set[str]]:
    """Return the results that tasks left, and the ids of the failed tasks whose handler is done."""
    if not left:
        return [], set()
    done = [TaskResult(task, w) for task in tasks if (w := _writes_left(left.get(task.id, ())))]
    return done, _take_handlers(program, tasks, pending, left, done)


def _take_handlers(
    program: Program,
    tasks: Sequence[Task],
    pending: Sequence[tuple[str, str, Any]],
    left: dict[str, list[tuple[str, Any]]],
    done: list[TaskResult],
) -> set[str]:
    """Add what error handlers left, and return the ids of the failed tasks whose handler is done.

    What a handler asks is shown with the task that failed, because that is the one that the step plans.
    """
    handled = set()
    for handler in failed_before(program, tasks, pending):
        assert handler.failed is not None
        of_handler = left.get(handler.id, [])
        if writes := _writes_left(of_handler):
            done.append(TaskResult(handler, writes))
            handled.add(handler.failed.id)
        left[handler.failed.id] += [write for write in of_handler if write[0] == INTERRUPT]
    return handled


def in_node_order(program: Program, tasks: list[Task]) -> list[Task]:
    """Return tasks as a snapshot lists them: Sends first, then nodes in the order in which they were added."""
    if len(tasks) < 2:
        return tasks
    order = {name: i for i, name in enumerate(program.nodes)}
    return sorted(tasks, key=lambda task: -1 if task.is_push else order[task.name])


def apply_null_writes(program: Program, head: Head, pending: Sequence[tuple[str, str, Any]]) -> Changes:
    """Apply what Commands given as input left at the checkpoint."""
    writes = [(channel, value) for task_id, channel, value in pending if task_id == NULL_TASK_ID]
    if not writes:
        return Changes()
    outside = Task(INPUT, ("__update__", 0), (), 0, head.checkpoint_id, "")
    return apply_writes(program, head, [TaskResult(outside, writes)], ends_step=False)


def all_tasks(
    program: Program, head: Head, step: int, ns: str, pending: Sequence[tuple[str, str, Any]]
) -> list[Task]:
    """Return the tasks of a step, with those that Commands given as input have started and the handlers of errors."""
    after = head.copy()
    apply_null_writes(program, after, pending)
    tasks = plan_tasks(program, after, step, ns)
    return [*tasks, *failed_before(program, tasks, pending)]


def _by_task(pending: Sequence[tuple[str, str, Any]]) -> dict[str, list[tuple[str, Any]]]:
    left: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in pending:
        left.setdefault(task_id, []).append((channel, value))
    return left


def _writes_left(left: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(channel, value) for channel, value in left if channel not in RESERVED]


class _InputReader(partial[Any]):
    """Reads a task's input when somebody looks at it. Pickled it is what it reads: the graph cannot go along."""

    def __reduce__(self) -> tuple[Any, ...]:
        return partial, (_as_read, self())


def _as_read(input: Any) -> Any:
    return input


def _input_of(program: Program, task: Task, values: Mapping[str, Any], start: Any) -> Any:
    if task.is_push:
        return task.input
    if task.name == START:
        return None if start is MISSING else start
    return read_state(program.nodes[task.name].reader, values, task.step, task.step + ALL_STEPS)


def _task_shown(
    program: Program,
    task: Task,
    left: Sequence[tuple[str, Any]],
    open_ids: set[str] | None,
    read_input: Callable[[], Any],
    thread_id: str,
) -> PregelTask:
    writes = _writes_left(left)
    asked = [i for channel, value in left if channel == INTERRUPT for i in _listed(value)]
    return PregelTask.with_input(
        read_input,
        saved_starts(dict(left)) + bool(writes),
        id=task.id,
        name=task.name,
        path=task.path,
        error=next((value for channel, value in left if channel == ERROR), None),
        interrupts=tuple(i for i in asked if open_ids is None or i.id in open_ids),
        state=_called_config(program, task, thread_id),
        result=written(program.stream_keys, writes) if writes else None,
    )


def _called_config(program: Program, task: Task, thread_id: str) -> RunnableConfig | None:
    """Return the config of the graph that a task calls."""
    ns = program.called_namespace(task.name, task.namespace)
    return None if ns is None else {CONF: {"thread_id": thread_id, "checkpoint_ns": ns}}


def _listed(value: Any) -> Sequence[Interrupt]:
    return value if isinstance(value, (list, tuple)) else (value,)


def checkpoint_payload(progress: Progress, tasks: Sequence[Task]) -> dict[str, Any]:
    """Return the chunk of mode `checkpoints` for the checkpoint that a run is at."""
    found, run = progress.found, progress.run
    left = _by_task(progress.pending)
    metadata: Mapping[str, Any] = progress.own_metadata
    parent = _place_shown(progress, progress.parent_id) if progress.parent_id else None
    is_found = found is not None and found.checkpoint_id == progress.head.checkpoint_id
    if found is not None and is_found:
        # It is told as it was saved, except that its config is this run's.
        metadata = found.metadata
        left = _by_task(found.left) if found.left else left
    if parent is not None and (is_found or not progress.saves_steps):
        parent = checkpoint_config(run.thread_id or "", run.ns, progress.parent_id, metadata.get("parents"))
    return {
        "config": _place_shown(progress, progress.head.checkpoint_id),
        "parent_config": parent,
        "values": read_values(progress.program, progress.head),
        "metadata": metadata,
        "next": [task.name for task in tasks],
        "tasks": [_task_payload(progress, task, left.get(task.id, ())) for task in tasks],
    }


def _place_shown(progress: Progress, checkpoint_id: str) -> RunnableConfig:
    """Return the config of a checkpoint of the run's, with the entries that the run was given, in LangGraph's order."""
    run = progress.run
    place = checkpoint_config(run.thread_id or "", run.ns, checkpoint_id, run.checkpoint_map or None)
    given = {
        key: value for key, value in run.config.get(CONF, {}).items() if not key.startswith(_OWN_ENTRIES)
    }
    return {CONF: {"checkpoint_ns": run.ns, **given, **place[CONF]}}


def _task_payload(progress: Progress, task: Task, left: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    payload: dict[str, Any] = {"id": task.id, "name": task.name}
    writes = _writes_left(left)
    error = next((value for channel, value in left if channel == ERROR), None)
    if error is not None:
        payload["error"] = error
    else:
        if writes and (result := _result_shown(progress, writes)):
            payload["result"] = result
        payload["interrupts"] = tuple(
            interrupt_dict(i) for channel, value in left if channel == INTERRUPT for i in _listed(value)
        )
    payload["state"] = _called_config(progress.program, task, progress.run.thread_id or "")
    return payload


def _result_shown(progress: Progress, writes: Sequence[tuple[str, Any]]) -> Any:
    """Return what of a task's writes the run's output shows."""
    keys = progress.settings.output_keys
    result = written(keys, writes)
    return result.get(keys[0]) if progress.settings.single and keys != (ROOT,) else result
