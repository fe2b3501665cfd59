"""Threads of compiled graphs as bundles, whichever engine ran them and whichever saver keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._replay import replayed, with_claims, with_questions
from nbhitl.checkpoint.bundle import aexport_thread, export_thread, import_thread
from nbhitl.checkpoint.companion import existing_companion
from nbhitl.checkpoint.steps import stores_steps
from nbhitl.constants import CONF, INTERRUPT, NS_END, NS_SEP
from nbhitl.engine.adopt import Adopted, adopt, open_records
from nbhitl.engine.prepare import step_saver
from nbhitl.errors import BundleError, StoreError
from nbhitl.review.engines import engine_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

    from nbhitl.checkpoint.records import StoredCheckpoint

__all__ = ["aexport_graph_thread", "export_graph_thread", "import_graph_thread"]

Path = tuple[Any, ...]


def export_graph_thread(graph: Any, thread_id: str) -> dict[str, Any]:
    """Return everything about a thread of a compiled graph as a bundle.

    Args:
        graph: nbhitl's, or one compiled by LangGraph: its thread comes in nbhitl's terms, so that nbhitl goes on
            where LangGraph stopped.
        thread_id: which thread.

    Raises:
        StoreError: there is no such thread, or it is damaged.
        UnsupportedValue: it holds a value that is not stored as data; the message names where.
        BundleError: a question is open in a graph that a LangGraph node calls by itself.
    """
    saver, foreign = graph.checkpointer, engine_of(graph).name == "langgraph"
    if not foreign and stores_steps(saver):
        return export_thread(saver, thread_id)
    tuples = list(saver.list(_config(thread_id)))
    found = _Found(graph, thread_id, tuples)
    if foreign:
        for ns in found.spaces:
            found.note(_told(graph, _config(thread_id, ns)))
        return found.adopted()
    found.note([graph.get_state(_config(thread_id))])
    kept = [(step_saver(saver, program), ns) for ns, program in found.programs()]
    return found.bundle([stored for s, ns in kept for stored in reversed(list(s.history(thread_id, ns)))])


async def aexport_graph_thread(graph: Any, thread_id: str) -> dict[str, Any]:
    """Do as `export_graph_thread`, for graphs with an async saver."""
    saver, foreign = graph.checkpointer, engine_of(graph).name == "langgraph"
    if not foreign and stores_steps(saver):
        return await aexport_thread(saver, thread_id)
    tuples = [t async for t in saver.alist(_config(thread_id))]
    found = _Found(graph, thread_id, tuples)
    if foreign:
        for ns in found.spaces:
            found.note(await _atold(graph, _config(thread_id, ns)))
        return found.adopted()
    found.note([await graph.aget_state(_config(thread_id))])
    kept: list[StoredCheckpoint] = []
    for ns, program in found.programs():
        kept += reversed([stored async for stored in step_saver(saver, program).ahistory(thread_id, ns)])
    return found.bundle(kept)


def import_graph_thread(
    graph: Any,
    bundle: Mapping[str, Any] | str | PathLike[str],
    *,
    thread_id: str | None = None,
    replace: bool = False,
) -> str:
    """Put an exported thread into the saver of a compiled graph; see `import_thread`.

    Raises:
        BundleError: the bundle is damaged, or there is a thread of that name; nothing was changed.
        TypeError: the graph or its saver is not nbhitl's.
    """
    if engine_of(graph).name == "langgraph":
        raise TypeError(
            "A bundle is opened by a graph of nbhitl's: swap the imports of this one from langgraph to nbhitl. "
            "LangGraph's own format of threads is not written."
        )
    return import_thread(graph.checkpointer, bundle, thread_id=thread_id, replace=replace)


def _config(thread_id: str, ns: str | None = None) -> dict[str, Any]:
    names = {"thread_id": thread_id}
    return {CONF: names if ns is None else {**names, "checkpoint_ns": ns}}


def _told(graph: Any, config: dict[str, Any]) -> list[Any]:
    try:
        return list(graph.get_state_history(config))
    except ValueError:  # a graph that a node calls by itself: LangGraph does not find it by its namespace
        return []


async def _atold(graph: Any, config: dict[str, Any]) -> list[Any]:
    try:
        return [snapshot async for snapshot in graph.aget_state_history(config)]
    except ValueError:  # as in `_told`
        return []


class _Found:
    """What a saver keeps of a thread, and the tasks that the graph knows by name."""

    def __init__(self, graph: Any, thread_id: str, tuples: list[Any]) -> None:
        if not tuples:
            raise StoreError(f"there is no thread {thread_id!r} to export.")
        self._graphs = {"": graph, **dict(graph.get_subgraphs(recurse=True))}
        self._saver = graph.checkpointer
        self._thread_id = thread_id
        self._tuples = tuples
        self._tasks: dict[str, tuple[str, Path]] = {}
        self.spaces = [*dict.fromkeys(str(t.config[CONF].get("checkpoint_ns", "")) for t in tuples)]

    def note(self, snapshots: Iterable[Any]) -> None:
        """Note the tasks of snapshots."""
        for snapshot in snapshots:
            self._tasks.update({task.id: (task.name, tuple(task.path)) for task in snapshot.tasks})

    def bundle(self, stored: list[StoredCheckpoint]) -> dict[str, Any]:
        """Return the bundle of checkpoints that nbhitl's engine wrote."""
        return self._bundle(Adopted(stored, open_records(stored, self._tasks), self._tasks, {}))

    def programs(self) -> Iterator[tuple[str, Any]]:
        """Yield each namespace with the program of its graph.

        Graphs that a node calls by itself are not found by their namespaces. What they kept is left out: the
        node starts them again, if it is not done.

        Raises:
            BundleError: such a graph has asked something.
        """
        asking = {
            task for t in self._tuples for task, channel, _ in t.pending_writes or () if channel == INTERRUPT
        }
        for ns in self.spaces:
            graph = self._graph_of(ns)
            if graph is not None:
                yield ns, graph.program
            elif asking.intersection(level.partition(NS_END)[2] for level in ns.split(NS_SEP)):
                raise BundleError(
                    f"thread {self._thread_id!r} has a question in a graph that a node calls by itself ({ns}), and "
                    "with this saver such graphs cannot be exported. Answer it first, then export the thread."
                )

    def adopted(self) -> dict[str, Any]:
        """Return the bundle of checkpoints that LangGraph's engine wrote."""

        def channels(ns: str) -> Mapping[str, Any]:
            graph = self._graph_of(ns)
            return {} if graph is None else cast("Mapping[str, Any]", graph.channels)

        return self._bundle(adopt(self._tuples, self._tasks, channels))

    def _graph_of(self, ns: str) -> Any:
        """The graph that has a namespace; None for one that a node calls by itself."""
        levels = [level.partition(NS_END)[0] for level in ns.split(NS_SEP)]
        return self._graphs.get(NS_SEP.join(level for level in levels if not level.isdigit()))

    def _bundle(self, thread: Adopted) -> dict[str, Any]:
        saver = replayed(thread.checkpoints, thread.names)
        beside = existing_companion(self._saver)
        if beside is not None and beside is not self._saver:
            with_claims(saver, beside, self._thread_id, thread.renamed)
        with_questions(saver, self._thread_id, thread.questions)
        return export_thread(saver, self._thread_id)
