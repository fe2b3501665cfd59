"""Runs a flow against a graph: the only code here that calls graphs. One driver for sync, one for async.

A flow (`review.flows`) is a generator that yields what it wants done and is sent the result, or thrown the
error. So the sync and the async side share every decision.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

from nbhitl.checkpoint.records import ClaimRequest

if TYPE_CHECKING:
    from nbhitl.checkpoint.records import Claim, PendingQuestion
    from nbhitl.review.protocol import Graph

T = TypeVar("T")

STREAM_MODES = ["tasks", "updates", "custom"]

_DELIVERED = ("delivered",)
_ANY_STATE = ("open", "recorded", "delivered", "applied", "dropped")
_OWNER = f"review-{uuid4().hex}"
_LEASE = 60.0
"""Seconds after which a breakpoint that was passed, but whose node has saved nothing, is in doubt."""


class Read(NamedTuple):
    """Get the snapshot of a config, with those of subgraphs."""

    config: Mapping[str, Any]


class ReadInput(NamedTuple):
    """Get the newest snapshot that a run's input made, or None."""

    config: Mapping[str, Any]


class ReadHistory(NamedTuple):
    """Get all snapshots of a thread, newest first."""

    config: Mapping[str, Any]


class ReadWrites(NamedTuple):
    """Get the pending writes of a checkpoint, `[(task id, channel, value), ...]`."""

    config: Mapping[str, Any]


class ReadDelivered(NamedTuple):
    """Get the questions of a checkpoint whose answer was taken up, but not done with; none without claims."""

    thread_id: str
    checkpoint_id: str


class ClaimBreakpoint(NamedTuple):
    """Claim the static breakpoint at a checkpoint, where the store keeps claims; returns nothing.

    Raises AlreadyAnswered or AnswerInDoubt. Where no claims are kept (LangGraph's savers), or for a
    breakpoint that no run has stopped at (a fork's), only sessions of this process are kept apart
    (`review.shared`).
    """

    thread_id: str
    checkpoint_id: str
    decision: str
    by: str | None
    at: str


class Write(NamedTuple):
    """Call `update_state`."""

    config: Mapping[str, Any]
    values: Any
    as_node: str | None


class Run(NamedTuple):
    """Run to the next pause or the end. `seen(mode, chunk)` is told what happens; True from it ends it."""

    input: Any
    config: Mapping[str, Any]
    seen: Callable[[str, Any], bool]
    how: Mapping[str, Any]


class Forget(NamedTuple):
    """Delete the thread from the checkpointer."""

    thread_id: str


Instruction = (
    Read | ReadInput | ReadHistory | ReadWrites | ReadDelivered | ClaimBreakpoint | Write | Run | Forget
)
Flow = Generator[Instruction, Any, T]


def drive(graph: Graph, flow: Flow[T]) -> T:
    """Run a flow to its end and return its result; raises what it raises."""
    try:
        step = next(flow)
        while True:
            try:
                result = _perform(graph, step)
            except BaseException as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _perform(graph: Graph, step: Instruction) -> Any:  # noqa: PLR0911 - a case an instruction
    match step:
        case Read(config):
            return graph.get_state(config, subgraphs=True)
        case ReadInput(config):
            return next(iter(graph.get_state_history(config, filter={"source": "input"}, limit=1)), None)
        case ReadHistory(config):
            return list(graph.get_state_history(config))
        case ReadWrites(config):
            return _writes_of(graph.checkpointer.get_tuple(config))
        case Write(config, values, as_node):
            return graph.update_state(config, values, as_node=as_node)
        case ReadDelivered(thread_id, checkpoint_id):
            saver = graph.checkpointer
            if not hasattr(saver, "claims") or not _any_delivered(saver.claims(thread_id)):
                return []
            return _at(saver.pending(thread_prefix=thread_id, states=_DELIVERED), thread_id, checkpoint_id)
        case ClaimBreakpoint():
            return _claim(graph.checkpointer, step)
        case Forget(thread_id):
            return graph.checkpointer.delete_thread(thread_id)
        case Run(input, config, seen, how):
            return _watch(graph.stream(input, config, stream_mode=STREAM_MODES, **how), seen)


def _any_delivered(claims: Iterable[Claim]) -> bool:
    # Looked at first: listing questions decodes their payloads, claims are a few short fields.
    return any(claim.state in _DELIVERED for claim in claims)


def _at(listed: Iterable[PendingQuestion], thread_id: str, checkpoint_id: str) -> list[PendingQuestion]:
    """Return the questions of one thread; of its outermost graph only those of this checkpoint."""
    return [q for q in listed if q.thread_id == thread_id and (q.ns or q.checkpoint_id == checkpoint_id)]


def _claim(saver: Any, wanted: ClaimBreakpoint) -> None:
    if hasattr(saver, "claim"):
        listed = saver.pending(thread_prefix=wanted.thread_id, states=_ANY_STATE)
        if request := _claim_request(listed, wanted):
            saver.claim(request)


async def _aclaim(saver: Any, wanted: ClaimBreakpoint) -> None:
    if hasattr(saver, "aclaim"):
        listed = await saver.apending(thread_prefix=wanted.thread_id, states=_ANY_STATE)
        if request := _claim_request(listed, wanted):
            await saver.aclaim(request)


def _claim_request(listed: Iterable[PendingQuestion], wanted: ClaimBreakpoint) -> ClaimRequest | None:
    """Return the request for all of a breakpoint's tasks at once, or None if the store does not list it."""
    place = (wanted.thread_id, "", wanted.checkpoint_id)
    ids = [asked.interrupt_id for asked in listed if asked[:3] == place and asked.kind == "breakpoint"]
    if not ids:
        return None
    answers = dict.fromkeys(ids, wanted.decision)
    return ClaimRequest(*place, answers, {}, wanted.by, wanted.at, _OWNER, _LEASE)


def _writes_of(stored: Any) -> list[Any]:
    return [] if stored is None else list(stored.pending_writes or ())


def _watch(chunks: Iterator[Any], seen: Callable[[str, Any], bool]) -> None:
    try:
        for mode, chunk in chunks:
            if seen(mode, chunk):
                return
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


async def adrive(graph: Graph, flow: Flow[T]) -> T:
    """Run a flow to its end on this event loop and return its result; raises what it raises."""
    try:
        step = next(flow)
        while True:
            try:
                result = await _aperform(graph, step)
            except BaseException as error:
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def _aperform(graph: Graph, step: Instruction) -> Any:  # noqa: PLR0911 - as above
    match step:
        case Read(config):
            return await graph.aget_state(config, subgraphs=True)
        case ReadInput(config):
            inputs = graph.aget_state_history(config, filter={"source": "input"}, limit=1)
            found = [snapshot async for snapshot in inputs]
            return found[0] if found else None
        case ReadHistory(config):
            return [snapshot async for snapshot in graph.aget_state_history(config)]
        case ReadWrites(config):
            return _writes_of(await graph.checkpointer.aget_tuple(config))
        case Write(config, values, as_node):
            return await graph.aupdate_state(config, values, as_node=as_node)
        case ReadDelivered(thread_id, checkpoint_id):
            saver = graph.checkpointer
            if not hasattr(saver, "aclaims") or not _any_delivered(await saver.aclaims(thread_id)):
                return []
            listed = await saver.apending(thread_prefix=thread_id, states=_DELIVERED)
            return _at(listed, thread_id, checkpoint_id)
        case ClaimBreakpoint():
            return await _aclaim(graph.checkpointer, step)
        case Forget(thread_id):
            return await graph.checkpointer.adelete_thread(thread_id)
        case Run(input, config, seen, how):
            return await _awatch(graph.astream(input, config, stream_mode=STREAM_MODES, **how), seen)


async def _awatch(chunks: AsyncIterator[Any], seen: Callable[[str, Any], bool]) -> None:
    try:
        async for mode, chunk in chunks:
            if seen(mode, chunk):
                return
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
