"""What a graph compiled by LangGraph finds in the config when a node of nbhitl's calls it.

It looks there for the context and the store of the run that calls it, and for a stream that wants its chunks. It
takes itself for the outermost graph, so its namespaces are put below the calling task's. LangGraph is not imported:
these are entries of `configurable` by their names, with objects that have the attributes it reads. Which of
several calls of one task a chunk comes from cannot be told: they share a namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import innermost_namespace
from nbhitl.constants import NS_SEP

if TYPE_CHECKING:
    from nbhitl.engine.running import RunningTask

_STREAM = "__pregel_stream"
_RUNTIME = "__pregel_runtime"


def hand_down(running: RunningTask, configurable: dict[str, Any]) -> None:
    """Put the run's context, store and stream where a graph of LangGraph's looks for them."""
    runtime = running.runtime
    if modes := running.run.stream.looks_for():
        configurable[_STREAM] = ChunksFromBelow(running, modes)
        runtime = runtime.override(stream_writer=_writer(running))
    configurable[_RUNTIME] = runtime


class ChunksFromBelow:
    """Takes the chunks of a called graph: `modes` says which, a call hands over `(levels, mode, payload)`."""

    __slots__ = ("_running", "modes")

    def __init__(self, running: RunningTask, modes: frozenset[str]) -> None:
        self._running = running
        self.modes = modes

    def __call__(self, chunk: tuple[tuple[str, ...], str, Any]) -> None:
        """Report a chunk, below the task that called the graph."""
        levels, mode, payload = chunk
        running = self._running
        running.sign_of_life()
        running.run.stream.pass_on(NS_SEP.join((running.task.namespace, *levels)), mode, payload)


def _writer(running: RunningTask) -> Any:
    """Return the stream writer that nodes of a called graph get."""

    def write(chunk: Any) -> None:
        place = innermost_namespace()
        if place is None or place == running.task.namespace:
            running.write_custom(chunk)
            return
        running.sign_of_life()
        running.run.stream.custom(below(running.task.namespace, place), chunk)

    return write


def below(namespace: str, place: str) -> str:
    """Return the namespace of the graph whose task is at `place`, as seen from the task that called the graph.

    >>> below("call:1", "agent:2|tools:3")
    'call:1|agent:2'
    """
    outer = place.rpartition(NS_SEP)[0]
    return f"{namespace}{NS_SEP}{outer}" if outer else namespace


def calling_task(place: str) -> str | None:
    """Return the namespace of the running task, if what runs at `place` belongs to another engine's graph.

    Such a graph takes itself for the outermost one, so that its places begin with a task of its own.
    """
    task: Any = CURRENT_TASK.get()
    if task is None:
        return None
    namespace: str = task.task.namespace
    return None if place.partition(NS_SEP)[0] == namespace.partition(NS_SEP)[0] else namespace
