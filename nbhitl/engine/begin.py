"""The beginning of a run: load the checkpoint, and take in an input, a Command or an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import SYMPTOMS, CheckpointKey, TaskWrites
from nbhitl.constants import INPUT, INTERRUPT, NULL_TASK_ID, RESUME, START
from nbhitl.engine.answers import take_answers
from nbhitl.engine.instructions import StoreCall, new_call
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.progress import new_found
from nbhitl.engine.questions import asked_again, check_claims
from nbhitl.engine.saved import saved_writes
from nbhitl.engine.tasks import Task, TaskResult, new_result
from nbhitl.engine.writes import command_updates, goto_writes, refuse_foreign, writes_of
from nbhitl.errors import EmptyInputError, InvalidUpdateError
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress


def load(progress: Progress, input: Any, key: CheckpointKey) -> Generator[Any, Any, bool]:
    """Bring the run to the checkpoint that it starts from; return whether there is one.

    A checkpoint that the caller names starts a branch: what tasks left there before does not count. Only an
    answer to the newest checkpoint, named or not, goes on with it.
    """
    if not progress.keeps:
        return False
    answers = isinstance(input, Command) and input.answers
    if answers:
        # An answer goes to the question that is open now, whichever checkpoint below was named.
        progress.run.start_map, progress.run.asked_map = {}, progress.run.start_map
    stored: StoredCheckpoint | None = yield new_call("load", (key, True))
    caller = progress.run.parent
    if stored is not None and caller is not None:
        # What an attempt made that failed does not count for the next one, nor what was there where all is done anew.
        again = caller.attempt > 1 and not caller.run.kept_by().resuming
        again = again or (caller.run.anew is not None and key.checkpoint_id is None)
        progress.continues = not again
        if progress.run.stateful and key.checkpoint_id is None:
            from nbhitl.engine.timeline import at_this_point

            stored = yield from at_this_point(progress, stored, key, again)
        elif again:
            stored = None
    if stored is None or (input is None and caller is None and _holds_nothing(stored)):
        return False
    stand_on(progress, stored)
    progress.source = str(stored.metadata.get("source", "loop"))
    progress.created_at = stored.created_at
    progress.found = new_found((stored.checkpoint_id, stored.metadata, ()))
    if key.checkpoint_id is not None and answers:
        progress.pending = asked_again(progress.pending)
    elif key.checkpoint_id is not None:
        yield from _start_branch(progress, input, stored)
    return True


def _holds_nothing(stored: StoredCheckpoint) -> bool:
    """Whether a thread was begun by an update that wrote nothing: then there is nothing to go on with."""
    frame = stored.frame
    return not (
        stored.values or frame.triggers or frame.sends or frame.channels or stored.writes or stored.parent_id
    )


def stand_on(progress: Progress, stored: StoredCheckpoint) -> None:
    """Go on from a stored checkpoint.

    Raises:
        StoreError: somebody has written something else there.
    """
    if stored.writes:  # which are read at many places from here on
        _refuse_misshapen(progress, stored)
    try:
        progress.stand_on(stored)
    except SYMPTOMS:
        _refuse_misshapen(progress, stored)
        raise


def _refuse_misshapen(progress: Progress, stored: StoredCheckpoint) -> None:
    from nbhitl.engine.misshapen import refuse_misshapen

    named = (stored.thread_id, stored.checkpoint_id, stored.metadata)
    refuse_misshapen(*named, stored.frame, stored.writes, progress.run.saver)


def _start_branch(progress: Progress, input: Any, stored: StoredCheckpoint) -> Generator[Any, Any, None]:
    """Run `stored` again, which the caller has named: from a checkpoint of its own, where it is no branch already."""
    # What a Command wrote there came from outside and belongs to the checkpoint.
    progress.pending = [write for write in stored.writes if write[0] == NULL_TASK_ID]
    progress.run.anew = _counts_until(stored)
    newest: StoredCheckpoint | None = yield StoreCall("load", (progress.key._replace(checkpoint_id=None),))
    if newest is not None:
        progress.clock.catch_up(newest.checkpoint_id)  # what comes now is newer, whatever the clock says
    if not _branches_off(progress, input, stored, newest):
        progress.found = new_found((stored.checkpoint_id, stored.metadata, stored.writes))
        return
    if isinstance(input, Command):
        progress.pending = [*progress.pending, *_written(progress, input)]
    _apply_outside(progress)
    progress.pending = []
    # Where nothing had run yet, only a pause has seen the branch: whose update comes next has to be said.
    progress.head.writers = progress.head.writers or (INTERRUPT,)
    yield from progress.advance("fork")


def _counts_until(stored: StoredCheckpoint) -> str:
    """Return the checkpoint up to which states of called graphs count where `stored` is run again; see `Run.anew`.

    A change by hand, and a copy, stand for the checkpoint that they were made of.
    """
    made_of = stored.metadata.get("source") in ("update", "fork")
    return (stored.parent_id or "") if made_of else stored.checkpoint_id


def _branches_off(
    progress: Progress, input: Any, stored: StoredCheckpoint, newest: StoredCheckpoint | None
) -> bool:
    """Whether the run gets a checkpoint of its own to start from, so that what ran before stays as it is.

    Not if `stored` is the newest one and was made from outside: it is a branch already. But where a question was
    answered it cannot be asked again: an answer counts once. With a checkpoint of a called graph every graph on
    the way down gets one, else nothing on the thread would lead to what the called graph asks then.
    """
    caller = progress.run.parent
    if caller is None and not (input is None or isinstance(input, Command)):
        return False  # an input makes a checkpoint of its own
    if (
        caller is not None
        and (stored.metadata.get("parents") or {}).get(caller.run.ns) != caller.task.checkpoint_id
    ):
        return True
    if progress.source not in ("update", "fork"):
        return True
    if not progress.run.start_map and any(channel == RESUME for _, channel, _ in stored.writes):
        return True
    return newest is None or newest.checkpoint_id != stored.checkpoint_id


def begin(
    progress: Progress, input: Any, key: CheckpointKey, has_checkpoint: bool
) -> Generator[Any, Any, bool]:
    """Take in the input; return whether the run goes on from where the thread stopped.

    Raises:
        EmptyInputError: there is no input and nothing to go on with.
        UnknownInterruptError: an answer for which no question is open.
        AlreadyAnswered: another answer came first.
    """
    run = progress.run
    refuse_foreign(input, "the input of the graph")
    if run.parent is None and has_checkpoint and (input is None or isinstance(input, Command)):
        yield from _respect_others(progress, input, key)
    if progress.source == "update":
        run.updated = True
    if isinstance(input, Command):
        yield from _take_command(progress, input, named=key.checkpoint_id is not None)
    if progress.pending and any(write[0] == NULL_TASK_ID for write in progress.pending):
        _apply_outside(progress)
    resumed_above = progress.continues and run.parent is not None and run.parent.run.kept_by().resuming
    if resumed_above and progress.source == "update":
        from nbhitl.engine.carried import inherit_answers

        yield from inherit_answers(progress)
    if has_checkpoint and (input is None or isinstance(input, Command) or resumed_above):
        run.children = progress.head.children
        progress.show_values()
        return True
    if input is None:
        raise EmptyInputError(f"Received no input for {START}: {_nothing_there(progress, key)}")
    if has_checkpoint:
        run.children = progress.head.children
        _discard_tasks(progress)
    progress.head.start = input
    # Of a Command that starts a thread, START sends what it sends.
    progress.head.triggers, progress.head.sends = (START,), ()
    yield from progress.advance("input")
    return False


def take_in(progress: Progress, task: Task) -> TaskResult | None:
    """Return the result of START, which calls nobody's code; None if it has to run as other tasks do.

    So it has to where path functions leave it; where somebody looks on, who may leave before; and with an input that
    does not fit: then its error is told as that of any task.
    """
    node = progress.program.nodes[task.name]
    function = node.action.sync
    if not progress.is_unseen or progress.run.trace is not None or node.branches or function is None:
        return None
    try:
        writes = writes_of(progress.program, node, function(task.input))
    except Exception:
        return None
    writes.extend(node.routes)
    return new_result(task, writes)


def _nothing_there(progress: Progress, key: CheckpointKey) -> str:
    graph = f"graph {progress.program.name!r}"
    if not progress.keeps:
        return f"{graph} has no checkpointer, so there is no saved state to go on with. Give it an input."
    thread = f"thread {key.thread_id!r} of {graph} has no"
    if key.checkpoint_id is not None:
        return f"{thread} checkpoint {key.checkpoint_id!r}. Take one from get_state_history(config)."
    return f"{thread} saved state to go on with. Give the graph an input, or check the thread_id."


def _respect_others(progress: Progress, input: Any, key: CheckpointKey) -> Generator[Any, Any, None]:
    """Before tasks run again with answers that other runs brought: is somebody still applying them?

    The claims are read first and the checkpoint once more after them: so the results of an answer that the
    claims call applied are in the checkpoint.

    Raises:
        EmptyInputError: the thread is gone by now.
    """
    known: set[str] = set()
    while not (others := progress.left().taken_up()) <= known:
        known = others
        claims = yield StoreCall("claims", (progress.key.thread_id,))
        is_there = yield from load(progress, input, key)
        if not is_there:  # it was deleted, and what its claims were is not known
            raise EmptyInputError(f"Received no input for {START}: {_nothing_there(progress, key)}")
    if known:
        keeps_claims = not hasattr(progress.run.saver, "claims_beside")
        check_claims(claims, progress.key, others, progress.clock.now(), can_release=keeps_claims)


def _discard_tasks(progress: Progress) -> None:
    """New input starts over at START: what was about to run is dropped."""
    tasks = plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)
    input = Task(INPUT, ("__update__", 0), (), progress.step, progress.head.checkpoint_id, progress.run.ns)
    # Because START is about to run, a deferred node goes on waiting.
    progress.apply([*(TaskResult(task, []) for task in tasks), TaskResult(input, [(START, None)])])
    progress.pending = []


def _take_command(progress: Progress, command: Command[Any], *, named: bool) -> Generator[Any, Any, None]:
    writes = _written(progress, command)
    if command.answers:
        taking = take_answers(progress, command.resume, check_replay=not writes, named=named)
        if progress.run.updated:
            from nbhitl.engine.carried import asked_on_the_branch

            taking = asked_on_the_branch(progress, command.resume, taking)
        yield from taking
    if writes and not progress.has_branched:
        progress.pending = [*progress.pending, *writes]
        if progress.keeps and progress.saved_id is not None:
            outside = [(key, value) for task_id, key, value in progress.pending if task_id == NULL_TASK_ID]
            left = TaskWrites(NULL_TASK_ID, INPUT, (), saved_writes(progress.program, outside))
            if not progress.saves_steps:
                progress.held.append(left)
                return
            try:
                yield StoreCall("put_pending", (progress.key, [left]))
            except Exception:
                if progress.claimed:  # nothing has run with the answers that came along
                    yield StoreCall("release", (*progress.key, tuple(progress.claimed)))
                    progress.claimed = {}
                raise


def _written(progress: Progress, command: Command[Any]) -> list[tuple[str, str, Any]]:
    """Return what a Command given as input writes, as a checkpoint's pending writes."""
    program = progress.program
    if command.graph == Command.PARENT:
        raise InvalidUpdateError(
            f"There is no parent graph: a Command given as input is for graph {program.name!r} itself. Leave "
            "graph=Command.PARENT out."
        )
    writes = [*command_updates(command), *goto_writes(program, command, "the Command given as input")]
    if not command.answers and not writes and not command.goto:
        raise EmptyInputError("Received empty Command input: give it resume=, update= or goto=.")
    return [(NULL_TASK_ID, key, value) for key, value in writes]


def _apply_outside(progress: Progress) -> None:
    """Apply the writes of a checkpoint that came from outside, before any task runs."""
    from nbhitl.engine.snapshot import apply_null_writes

    progress.note(apply_null_writes(progress.program, progress.head, progress.pending))
