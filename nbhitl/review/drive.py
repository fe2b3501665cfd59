"""Runs a flow against a graph: the only code here that calls graphs. One driver for sync, one for async.

A flow (`review.flows`) is a generator that yields what it wants done and is sent the result, or thrown the
error. So the sync and the async side share every decision.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nbhitl.checkpoint.companion import companion_of, existing_companion, off_the_loop

if TYPE_CHECKING:
    from nbhitl.review.protocol import Graph

T = TypeVar("T")

_LOOKING = frozenset({"claims", "pending", "questions", "delete_thread"})
_BESIDE = _LOOKING | {"claim", "release", "report", "drop", "put_pause"}

STREAM_MODES = ["tasks", "updates", "custom"]


class Read(NamedTuple):
    """Get the snapshot of a config, with those of subgraphs."""

    config: Mapping[str, Any]


class ReadInput(NamedTuple):
    """Get the newest snapshot that a run's input made, or None."""

    config: Mapping[str, Any]


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


class CallSaver(NamedTuple):
    """Call a method of the checkpointer; on an event loop its async twin, `a<method>`.

    Claims of a checkpointer that keeps none are kept beside it.
    """

    method: str
    args: tuple[Any, ...] = ()
    how: Mapping[str, Any] = {}


Instruction = Read | ReadInput | Write | Run | CallSaver
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
        returned: T = end.value
        return returned


def _perform(graph: Graph, step: Instruction) -> Any:
    match step:
        case Read(config):
            return graph.get_state(config, subgraphs=True)
        case ReadInput(config):
            return next(iter(graph.get_state_history(config, filter={"source": "input"}, limit=1)), None)
        case Write(config, values, as_node):
            return graph.update_state(config, values, as_node=as_node)
        case CallSaver(method, args, options):
            if not _kept_beside(graph, method):
                return getattr(graph.checkpointer, method)(*args, **options)
            if method == "delete_thread":
                graph.checkpointer.delete_thread(*args)
            return _beside(graph.checkpointer, method, args, options)
        case Run(input, config, seen, how):
            return _watch(graph.stream(input, config, stream_mode=STREAM_MODES, **how), seen)


def _kept_beside(graph: Graph, method: str) -> bool:
    return method in _BESIDE and not hasattr(graph.checkpointer, "claim")


def _beside(checkpointer: Any, method: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Call a method of what is kept beside a checkpointer; to look at it, or empty it, does not make it."""
    if method in _LOOKING:
        found = existing_companion(checkpointer)
        return [] if found is None else getattr(found, method)(*args, **options)
    return getattr(companion_of(checkpointer), method)(*args, **options)


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
        returned: T = end.value
        return returned


async def _aperform(graph: Graph, step: Instruction) -> Any:
    match step:
        case Read(config):
            return await graph.aget_state(config, subgraphs=True)
        case ReadInput(config):
            inputs = graph.aget_state_history(config, filter={"source": "input"}, limit=1)
            found = [snapshot async for snapshot in inputs]
            return found[0] if found else None
        case Write(config, values, as_node):
            return await graph.aupdate_state(config, values, as_node=as_node)
        case CallSaver(method, args, options):
            if not _kept_beside(graph, method):
                return await getattr(graph.checkpointer, f"a{method}")(*args, **options)
            if method == "delete_thread":
                await graph.checkpointer.adelete_thread(*args)
            call = partial(_beside, graph.checkpointer, method, args, options)
            return await off_the_loop(graph.checkpointer, call)
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
