"""Threads of compiled graphs as bundles, whichever engine ran them and whichever saver keeps them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._rebuilt import keep_beside, rebuilt, with_claims, with_questions
from nbhitl.checkpoint.bundle import aexport_thread, export_thread, import_thread
from nbhitl.checkpoint.companion import existing_companion
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.steps import stores_steps
from nbhitl.constants import CONF, INTERRUPT, NS_END, NS_SEP, RESUME
from nbhitl.engine.from_langgraph import Adopted, adopt, open_records
from nbhitl.engine.prepare import step_saver
from nbhitl.engine.to_langgraph import Names, answers_of, checkpoint_of, writes_of
from nbhitl.errors import BundleError, StoreError
from nbhitl.review.attach_langgraph import interrupt_of, send_of
from nbhitl.review.engines import engine_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike

    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import StoredCheckpoint

__all__ = ["aexport_graph_thread", "aimport_graph_thread", "export_graph_thread", "import_graph_thread"]

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
        StoreError: an async saver was called by the thread that runs its event loop; nothing was changed.
        TypeError: a graph of nbhitl's has a saver that is not.
    """
    if engine_of(graph).name != "langgraph":
        return import_thread(graph.checkpointer, bundle, thread_id=thread_id, replace=replace)
    _refuse_its_own_loop(graph.checkpointer)
    return _hand_over(graph, bundle, thread_id, replace=replace)


def _refuse_its_own_loop(saver: Any) -> None:
    """LangGraph's async savers have sync methods for other threads than the one of their event loop."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return
    if getattr(saver, "loop", None) is running:
        raise StoreError(
            f"{type(saver).__name__} cannot be called in a sync way by the thread that runs its event loop. "
            "Use `await GraphThread.afrom_bundle(graph, bundle)`."
        )


async def aimport_graph_thread(
    graph: Any,
    bundle: Mapping[str, Any] | str | PathLike[str],
    *,
    thread_id: str | None = None,
    replace: bool = False,
) -> str:
    """Do as `import_graph_thread`, for graphs with an async saver: the event loop goes on meanwhile."""
    return await asyncio.to_thread(import_graph_thread, graph, bundle, thread_id=thread_id, replace=replace)


def _hand_over(
    graph: Any, bundle: Mapping[str, Any] | str | PathLike[str], thread_id: str | None, *, replace: bool
) -> str:
    """Put a thread into the saver of a graph of LangGraph's, in its terms; the decisions go beside it."""
    held = InMemorySaver()
    name = import_thread(held, bundle, thread_id=thread_id)
    saver = graph.checkpointer
    if list(saver.list(_config(name), limit=1)):
        if not replace:
            raise BundleError(
                f"there is a thread {name!r} here already. Give the imported one another name (thread_id=...), or let "
                "it take the place of that one (replace=True)."
            )
        saver.delete_thread(name)
    spaces = sorted(
        (ns for _, ns in held._rows.namespaces(name)), key=lambda ns: (ns.count(NS_SEP), ns != "")
    )
    stored = [kept for ns in spaces for kept in reversed(list(held.history(name, ns)))]
    names = _put_all(graph, saver, stored)
    answers: dict[tuple[str, str, str], list[Any]] = {}
    for kept in stored:
        place = _config(name, names.namespace(kept.ns), kept.checkpoint_id)
        for task, writes in writes_of(kept, names, interrupt_of, send_of):
            saver.put_writes(place, writes, task)
        answers.update(answers_of(kept, names))
    for (ns, checkpoint_id, task), given in answers.items():
        saver.put_writes(_config(name, ns, checkpoint_id), [(RESUME, given)], task)
    keep_beside(held, saver, name, _renamed(held._rows.questions(name), names))
    return name


def _renamed(questions: Iterable[Question], names: Names) -> dict[str, str]:
    """Return LangGraph's ids of questions, and of their tasks, by nbhitl's."""
    renamed = {}
    for question in questions:
        asked = names.asked(question.interrupt_id)
        if asked is not None:
            renamed[question.interrupt_id] = interrupt_of(None, asked.task_ns, asked.number, None).id
            renamed[question.task_id] = asked.task_id
    return renamed


def _put_all(graph: Any, saver: Any, stored: list[StoredCheckpoint]) -> Names:
    """Put the checkpoints into a saver of LangGraph's, and ask the graph how it calls their tasks."""
    names = Names(stored)
    versions: dict[tuple[str, str | None], Any] = {}
    for kept in stored:
        ns = names.namespace(kept.ns)
        before = versions.get((ns, kept.parent_id))
        version = versions[ns, kept.checkpoint_id] = saver.get_next_version(before, None)
        parents = {names.namespace(above): id for above, id in (kept.metadata.get("parents") or {}).items()}
        checkpoint = checkpoint_of(kept, version, before, send_of)
        about = {**kept.metadata, "parents": parents}
        config = _config(kept.thread_id, ns, kept.parent_id)
        saver.put(config, checkpoint, about, checkpoint["channel_versions"])
        try:
            told = graph.get_state(_config(kept.thread_id, ns, kept.checkpoint_id)).tasks
        except ValueError:  # a graph that a node calls by itself, as in `_told`
            told = ()
        names.note(kept, told)
    return names


def _config(thread_id: str, ns: str | None = None, checkpoint_id: str | None = None) -> dict[str, Any]:
    names = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return {CONF: {name: value for name, value in names.items() if value is not None}}


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
        saver = rebuilt(thread.checkpoints, thread.names)
        beside = existing_companion(self._saver)
        if beside is not None and beside is not self._saver:
            with_claims(saver, beside, self._thread_id, thread.renamed)
        with_questions(saver, self._thread_id, thread.questions)
        return export_thread(saver, self._thread_id)
