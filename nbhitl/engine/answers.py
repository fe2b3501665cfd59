"""Take up the answers of a Command: which questions they are for, whether they fit, and that nobody was faster."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import leases
from nbhitl.checkpoint.claims import APPLIED, DELIVERED
from nbhitl.checkpoint.records import new_claim_request
from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.questions import is_answer_map, match_answers, resume_entries, tasks_left
from nbhitl.errors import UnknownInterruptError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from nbhitl.checkpoint.records import ClaimRequest
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.questions import Left
    from nbhitl.types import Interrupt


def take_answers(
    progress: Progress, resume: Any, *, check_replay: bool, named: bool
) -> Generator[Any, Any, None]:
    """Match the answers to the open questions and claim them, before any node code runs.

    A Command that also changes the state may change what the node asks, so then neither payload nor schema of
    before is held against the answer (`check_replay` is False). Who has `named` the checkpoint may answer what the
    thread went on without.

    Raises:
        RuntimeError: the graph has no saver, or the answer could be for several questions.
        UnknownInterruptError: nothing was asked, or not what the answer names, or not by a node of this graph.
        InvalidAnswer: an answer does not fit its question's schema.
        AlreadyAnswered: another answer came first.
    """
    _refuse_without_questions(progress, resume)
    left = _of_this_graph(progress, resume)
    try:
        answers = match_answers(
            resume,
            left,
            can_go_on=bool(progress.head.sends or progress.head.ready(progress.program)),
            strict=progress.settings.strict,
            thread_id=progress.run.thread_id,
        )
    except UnknownInterruptError as late:
        if is_answer_map(resume) and (yield from _answer_unkept(progress, resume)):
            return
        yield from _tell_who_was_first(progress, late)
        raise
    if not answers:
        yield from _answer_unkept(progress, resume)
        return
    asked = left.asked
    entries = resume_entries(asked, answers, left.answered)
    if check_replay:
        yield from _check_against_schemas(progress, asked, answers)
    else:
        entries = {task_id: [[id, "", answer] for id, _, answer in rows] for task_id, rows in entries.items()}
    request = claim_request(progress, progress.head.checkpoint_id, answers, entries, named=named)
    yield StoreCall("claim", (request,))
    progress.claimed = {
        i.id: task_id for task_id, interrupts in asked.items() for i in interrupts if i.id in answers
    }
    kept = [write for write in progress.pending if not (write[1] == RESUME and write[0] in entries)]
    progress.pending = [*kept, *((task_id, RESUME, rows) for task_id, rows in entries.items())]


def _answer_unkept(progress: Progress, resume: Any) -> Generator[Any, Any, bool]:
    if progress.pending:
        return False
    from nbhitl.engine.unkept import answer_unkept

    return (yield from answer_unkept(progress, resume))


def _tell_who_was_first(progress: Progress, late: UnknownInterruptError) -> Generator[Any, Any, None]:
    """Add to the error for an answer that came late who gave the first one, and when: of what it names, else the last."""
    claims = yield StoreCall("claims", (progress.key.thread_id,))
    given = [claim for claim in claims if claim.at is not None and claim.state in (DELIVERED, APPLIED)]
    if late.interrupt_ids:
        first = [claim for claim in given if claim.interrupt_id in late.interrupt_ids]
    else:
        first = sorted(given, key=attrgetter("at"))[-1:] if late.reason == "not_pending" else []
    who = [f"Interrupt {c.interrupt_id} was answered by {c.by or 'someone'} at {c.at}." for c in first]
    late.args = (" ".join([str(late), *who]),)


def _refuse_without_questions(progress: Progress, resume: Any) -> None:
    if not progress.keeps:
        raise RuntimeError(
            "Cannot use Command(resume=...) without checkpointer: nothing remembers where the graph stopped. "
            "Compile it with compile(checkpointer=InMemorySaver()) or another saver."
        )
    if progress.saved_id is None:
        raise UnknownInterruptError(
            f"Command(resume=...) was given, but thread {progress.run.thread_id!r} has no checkpoint: nothing was "
            "ever asked on it. Check the thread_id, and that the checkpointer is the one that was used before.",
            reason="not_pending",
            interrupt_ids=tuple(resume) if is_answer_map(resume) else (),
        )


def _of_this_graph(progress: Progress, resume: Any) -> Left:
    """Return what tasks left, without the questions of tasks that this graph would not run.

    Their node was renamed or removed since: an answer would be taken, and reach nobody.

    Raises:
        UnknownInterruptError: the answer could only be for one of those.
    """
    pending, head = progress.pending, progress.head
    # Nearly always one task runs, and it is the one that asks: then nothing has to be planned to see it.
    if len({write[0] for write in pending}) == len(head.triggers) == 1 and not (head.sends or head.objects):
        return progress.left()
    asking = {task_id for task_id, channel, _ in pending if channel == INTERRUPT}
    step = (progress.program, head, progress.step, progress.run.ns)
    if asking.issubset([task.id for task in plan_tasks(*step)]):
        return progress.left()
    from nbhitl.engine.snapshot import all_tasks

    lost = asking.difference([task.id for task in all_tasks(*step, pending)])
    left = tasks_left([write for write in pending if write[1] != INTERRUPT or write[0] not in lost])
    ids = [i.id for task_id, of_task in progress.left().asked.items() if task_id in lost for i in of_task]
    meant = [id for id in ids if id in resume] if is_answer_map(resume) else ids
    if meant and (is_answer_map(resume) or not left.asked):
        raise UnknownInterruptError(
            f"The node that asked question {', '.join(meant)} on thread {progress.run.thread_id!r} is not one that "
            f"graph {progress.program.name!r} would run next: it was renamed, removed or put elsewhere since. Answer "
            "with the graph that asked, or go on without an answer: invoke(None, config), or a new input.",
            reason="not_pending",
            interrupt_ids=meant,
        )
    return left


def _check_against_schemas(
    progress: Progress, asked: Mapping[str, Sequence[Interrupt]], answers: Mapping[str, Any]
) -> Generator[Any, Any, None]:
    with_schema = [i for interrupts in asked.values() for i in interrupts if i.response_schema is not None]
    if not with_schema:
        return
    from nbhitl.engine.answer_schema import check_answers
    from nbhitl.engine.given_back import give_back_recorded

    for question in with_schema:
        try:
            check_answers([question], answers, progress.run.thread_id)
        except Exception:
            place = (progress.run.thread_id or "", progress.run.ns, progress.head.checkpoint_id)
            yield from give_back_recorded(place, {question.id: answers[question.id]})
            raise


def claim_request(
    progress: Progress,
    checkpoint_id: str,
    answers: dict[str, Any],
    entries: dict[str, list[Any]],
    *,
    named: bool,
) -> ClaimRequest:
    """Return what claims the `answers` to questions of a checkpoint of the run's thread; see `ClaimRequest`."""
    run, settings = progress.run, progress.settings
    return new_claim_request(
        run.thread_id or "",
        run.ns,
        checkpoint_id,
        answers,
        entries,
        settings.by,
        progress.clock.now(),
        settings.owner,
        leases.LEASE,
        named,
    )
