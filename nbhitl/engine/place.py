"""Where a called graph's question stands: the nodes on the way to it, without the ids that each run makes anew.

The id of a question follows from ids of tasks. When the state of a graph above is changed by hand, the task that
calls the graph is another one, and so is whatever the called graph asks; its place is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.checkpoint.task_ids import digest_id
from nbhitl.constants import NS_END, NS_SEP, PULL
from nbhitl.engine.tasks import interrupt_id
from nbhitl.errors import ErrorCode, create_error_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from nbhitl.engine.running import Run, RunningTask
    from nbhitl.engine.tasks import Task, TaskResult

_OWN_STATE = NS_END
"""Stands in a place before what a graph asked that keeps a state of its own: its ids do not follow from the caller's."""


def place_of(run: Run, task: Task) -> str:
    """Return the place of a task: the tasks from the outermost graph on, `"a|b"`; `"a:1"` is a Send's.

    Between a task and the one below stands the number of the call, if it is not the task's first.
    """
    here = task.name if task.path[0] == PULL else f"{task.name}{NS_END}{task.path[1]}"
    caller = run.parent
    if caller is None:
        return here
    levels = [place_of(caller.run, caller.task)]
    if run.stateful:
        levels.append(_OWN_STATE)
    depth = caller.task.namespace.count(NS_SEP) + 1
    return NS_SEP.join((*levels, *run.ns.split(NS_SEP)[depth:], here))


def asked_at(running: RunningTask, id: str) -> str:
    """Return the place of a question; one that is not the first of its task gets a level more, which no task has."""
    place = place_of(running.run, running.task)
    return place if id == interrupt_id(running.task.namespace, 0) else f"{place}{NS_SEP}{NS_END}"


def place_below(place: str | None, run: Run, task: Task) -> str | None:
    """Return the part of a question's place that is below `task`; None if the task has asked it itself."""
    above = place_of(run, task) + NS_SEP
    return place[len(above) :] if place is not None and place.startswith(above) else None


def keeps_own_state(below: str) -> bool:
    """Whether the graph that a task called, and that asked at the place `below` it, keeps a state of its own."""
    return below.startswith(_OWN_STATE + NS_SEP)


def refuse_one_state_for_two(run: Run, paused: Sequence[TaskResult]) -> None:
    """Refuse what two tasks of a step ask by one graph with a state of its own: each would go on with the other's.

    Raises:
        RuntimeError: naming the node.
    """
    asking: dict[tuple[str, str], str] = {}
    for result in paused:
        task = result.task
        for question in result.interrupts or ():
            below = place_below(question.place, run, task)
            graphs, _, _ = (below or "").rpartition(NS_SEP)
            if (
                _OWN_STATE in graphs.split(NS_SEP)
                and asking.setdefault((task.name, graphs), task.id) != task.id
            ):
                message = (
                    f"On thread {run.thread_id!r} two tasks of one step, both of node {task.name!r}, ask by a graph with "
                    "checkpointer=True. It has one state for both, so the answer for one would be used for the other: "
                    "nothing was asked. Compile that graph without checkpointer=True, or send to the node once in a step."
                )
                raise RuntimeError(
                    create_error_message(message=message, error_code=ErrorCode.MULTIPLE_SUBGRAPHS)
                )


def carried_id(task: Task, below: str) -> str:
    """Return the id under which an answer waits for what a graph that `task` calls will ask at the place `below`."""
    return digest_id(f"{task.namespace}{NS_SEP}{_OWN_STATE}{below}")


def carried_answer(running: RunningTask, id: str) -> tuple[str, Sequence[Any]] | None:
    """Return the id and the entry of an answer from before a change by hand that waits for the question `id`.

    Only what a task asks first has one: after other questions it would be asked with other answers than before.
    """
    if id != interrupt_id(running.task.namespace, 0):
        return None
    place = place_of(running.run, running.task)
    for caller in _callers(running):
        below = place_below(place, caller.run, caller.task)
        waiting = carried_id(caller.task, below) if below is not None else ""
        if waiting in running.run.answers:
            return waiting, running.run.answers[waiting]
    return None


def _callers(running: RunningTask) -> Iterator[RunningTask]:
    caller = running.run.parent
    while caller is not None:
        yield caller
        caller = caller.run.parent
