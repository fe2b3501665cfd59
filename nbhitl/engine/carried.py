"""The question that was open when the state was changed by hand, for an answer that names no question.

`update_state` begins a branch on which nothing has been asked yet. A plain answer given there is for what the person
saw before: the node gets it if it asks that again, and asks anew if it now asks something else. So does a node of a
graph that a node called; what a called graph asked that keeps a state of its own is open still, under its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint.digests import payload_digest, what_was_asked
from nbhitl.checkpoint.records import PauseRecord, QuestionRecord
from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.engine.head import head_of
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.place import carried_id, keeps_own_state, place_below
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.questions import is_answer_map, open_questions, tasks_left
from nbhitl.engine.tasks import interrupt_id
from nbhitl.types import Interrupt

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.running import Run
    from nbhitl.engine.tasks import Task


class _Asked(NamedTuple):
    """A question of before, and the task that would ask it now, itself or by a graph that it calls.

    `id` is the one under which the answer would be found, None if other things are asked first; `given` are the
    answers that the task had, if what it calls goes on with them.
    """

    question: Interrupt
    task: Task
    id: str | None
    given: list[Any]


def asked_on_the_branch(
    progress: Progress, resume: Any, taking: Generator[Any, Any, None]
) -> Generator[Any, Any, None]:
    """Do what takes the answers up, with what was open before the change put on the run's checkpoint.

    An answer that is refused leaves nothing open there: nobody has asked anything on the branch.
    """
    put = yield from _ask_on_the_branch(progress, resume)
    try:
        yield from taking
    except Exception:
        yield from leave_the_branch(progress, put)
        raise


def leave_the_branch(progress: Progress, interrupt_ids: Iterable[str]) -> Generator[Any, Any, None]:
    """Close what was put on the branch for answers that were refused: where it was changed by hand nothing is open."""
    from nbhitl.engine.foreign import ForeignSaver

    put = tuple(id for id in interrupt_ids if id in progress.run.carried)
    if put and not isinstance(progress.run.saver, ForeignSaver):  # beside which only answers are noted
        yield StoreCall("drop", (*progress.key, put, True))


def _ask_on_the_branch(progress: Progress, resume: Any) -> Generator[Any, Any, tuple[str, ...]]:
    """Put what was open before the change on the run's checkpoint, if the answer is for it, and nothing ran since.

    A plain answer is for the only question that was open. One by id is for what a called graph still asks under it.
    Returns the ids under which it is asked now.
    """
    left = progress.left()
    if left.asked or left.finished:
        return ()
    found: list[_Asked] = yield from _asked_before(progress)
    if is_answer_map(resume):
        found = [asked for asked in found if asked.id in resume]
    elif len(found) != 1 or found[0].id is None:
        return ()
    if not found:
        return ()
    asked: dict[str, list[Interrupt]] = {}
    for before, task, id, given in found:
        if task.id not in asked and given:
            progress.pending = [*progress.pending, (task.id, RESUME, given)]
        asked.setdefault(task.id, []).append(_again(before, id or ""))
    progress.pending = [*progress.pending, *((task_id, INTERRUPT, of) for task_id, of in asked.items())]
    progress.run.carried = frozenset(question.id for of in asked.values() for question in of)
    names = {task.id: task.name for _, task, _, _ in found}
    now = progress.clock.now()
    records = [
        QuestionRecord(q.id, task_id, names[task_id], "interrupt", q.value, payload_digest(q.value), now)
        for task_id, of in asked.items()
        for q in of
    ]
    thread_id, ns, checkpoint_id = progress.key
    yield StoreCall("put_pause", (PauseRecord(thread_id, ns, checkpoint_id or "", [], records),))
    return tuple(progress.run.carried)


def _again(before: Interrupt, id: str) -> Interrupt:
    question = Interrupt(before.value, id)
    question.response_schema = before.response_schema
    question.site, question.place = before.site, before.place
    return question


def inherit_answers(progress: Progress) -> Generator[Any, Any, None]:
    """Let the tasks of a called graph whose state was changed have the answers to what they asked before."""
    run = progress.run
    for before, _, id, _ in (yield from _asked_before(progress)):
        if id is not None and id not in run.answers and before.id in run.answers:
            run.answers = {**run.answers, id: (id, what_was_asked(before), run.answers[before.id][2])}
            run.carried |= {id}


def _asked_before(progress: Progress) -> Generator[Any, Any, list[_Asked]]:
    """Return what was open at the checkpoint that was changed, and would be asked by tasks that are about to run."""
    source, key = progress.source, progress.key._replace(checkpoint_id=progress.parent_id)
    stored: StoredCheckpoint | None = None
    while source == "update" and key.checkpoint_id:
        stored = yield StoreCall("load", (key,))
        if stored is None or open_questions(stored.writes):
            break
        source, key = stored.metadata.get("source", ""), key._replace(checkpoint_id=stored.parent_id)
    if stored is None:
        return []
    program, run = progress.program, progress.run
    left = tasks_left(stored.writes)
    step = int(stored.metadata.get("step", -2)) + 1
    then = {task.id: task for task in plan_tasks(program, head_of(program, stored), step, run.ns)}
    now = {(task.name, task.path): task for task in plan_tasks(program, progress.head, progress.step, run.ns)}
    return [
        _Asked(question, task, *_found_under(run, question, asker, task, left.answered.get(task_id) or []))
        for task_id, questions in left.still_open().items()
        for question in questions
        if (asker := then.get(task_id)) is not None
        and (task := now.get((asker.name, asker.path))) is not None
    ]


def _found_under(
    run: Run, question: Interrupt, asker: Task, task: Task, given: list[Any]
) -> tuple[str | None, list[Any]]:
    """Return the id under which `task` would find the answer to what `asker` asked, and the answers that still count.

    What starts again asks its first question first: only the answer to that can be taken from before.
    """
    below = place_below(question.place, run, asker)
    if below is not None and keeps_own_state(below):
        return question.id, given
    if below is not None and not given:
        return carried_id(task, below), []
    if question.id == interrupt_id(asker.namespace, 0):
        return interrupt_id(task.namespace, 0), []
    return None, []
