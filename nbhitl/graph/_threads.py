"""Look at a compiled graph's threads and change them: get_state, history, update_state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.base import new_checkpoint_id, utc_now
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.config import merge_configs
from nbhitl.constants import CONF
from nbhitl.engine.adrive import arun_to_end
from nbhitl.engine.drive import run_to_end
from nbhitl.engine.events import Stream
from nbhitl.engine.foreign import step_saver
from nbhitl.engine.instructions import Clock, Settings
from nbhitl.engine.prepare import caller_metadata, calling_task
from nbhitl.engine.progress import Progress
from nbhitl.engine.running import Run
from nbhitl.engine.snapshot import checkpoint_config, snapshot_of
from nbhitl.engine.update import update_loop
from nbhitl.errors import MissingThreadId
from nbhitl.graph._subgraphs import graph_at, subgraph_namespace, subgraph_of
from nbhitl.types import PregelTask, StateSnapshot, StateUpdate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator, Sequence

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.program import Program
    from nbhitl.engine.spec import Topology

_CLOCK = Clock(new_checkpoint_id, utc_now)


class ThreadMethods:
    """The methods of a compiled graph that read and write its threads."""

    program: Program
    topology: Topology
    name: str
    checkpointer: Any
    config: RunnableConfig | None

    # -- read --------------------------------------------------------------------------------------------

    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return the state of a thread: its newest checkpoint, or the one that `config` names.

        Args:
            subgraphs: put the state of called graphs into `tasks[i].state`; otherwise that is their config.

        Raises:
            ValueError: the graph has no checkpointer.
            KeyError: `config` names no thread.
        """
        place = _Place(self, config)
        return cast("StateSnapshot", _pump(place.graph._snapshot(place, subgraphs)))

    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return the state of a thread; see `get_state`."""
        place = _Place(self, config)
        return cast("StateSnapshot", await _apump(place.graph._snapshot(place, subgraphs)))

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the checkpoints of a thread, newest first.

        Args:
            filter: only checkpoints whose metadata has these entries.
            before: only checkpoints older than the one this config names.
            limit: at most so many.
        """
        place = _Place(self, config)
        if place.checkpoint_id is not None:
            stored = place.saver.load(place.key)
            yield from [place.graph._shown(stored, newest=False)] if stored is not None else []
            return
        for stored in place.saver.history(place.thread_id, place.ns, **_bounds(place, filter, before, limit)):
            yield place.graph._shown(stored, newest=False)

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Yield the checkpoints of a thread, newest first; see `get_state_history`."""
        place = _Place(self, config)
        if place.checkpoint_id is not None:
            named = await place.saver.aload(place.key)
            if named is not None:
                yield place.graph._shown(named, newest=False)
            return
        bounds = _bounds(place, filter, before, limit)
        async for stored in place.saver.ahistory(place.thread_id, place.ns, **bounds):
            yield place.graph._shown(stored, newest=False)

    def _snapshot(self, place: _Place, subgraphs: bool) -> Generator[_Place, Any, StateSnapshot]:
        """Ask for the checkpoints of places, and return what they show."""
        stored = yield place
        if stored is None:
            empty = cast("RunnableConfig", {CONF: dict(place.config.get(CONF, {}))})
            return StateSnapshot({}, (), empty, None, None, None, (), ())
        snapshot = self._shown(stored, newest=place.checkpoint_id is None)
        if not subgraphs:
            return snapshot
        tasks = []
        for task in snapshot.tasks:
            below = self._called_by(task.name)
            if below is None or task.state is None:
                tasks.append(task)
                continue
            inner = _Place.inside(place, below, cast("RunnableConfig", task.state), stored)
            tasks.append(_with_state(task, (yield from below._snapshot(inner, subgraphs))))
        return snapshot._replace(tasks=tuple(tasks))

    def _shown(self, stored: StoredCheckpoint, *, newest: bool) -> StateSnapshot:
        return snapshot_of(self.program, stored, newest=newest)

    def _called_by(self, node: str) -> Any:
        spec = self.topology.nodes.get(node)
        return subgraph_of(spec) if spec is not None else None

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, Any]]:
        """Yield the graphs that nodes call, as `(namespace, graph)`; with `recurse` theirs as well."""
        for name in self.topology.nodes:
            below = self._called_by(name)
            if below is None:
                continue
            if namespace is None or namespace == name:
                yield name, below
            if recurse:
                inner = namespace[len(name) + 1 :] if namespace and namespace.startswith(f"{name}|") else None
                if namespace is None or inner is not None:
                    for path, graph in below.get_subgraphs(namespace=inner, recurse=True):
                        yield f"{name}|{path}", graph

    # -- write -------------------------------------------------------------------------------------------

    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Write to a thread as if node `as_node` had returned `values`, and return the new checkpoint's config.

        Args:
            as_node: whose update it is; its edges then say what runs next. By default the node that wrote last.

        Raises:
            InvalidUpdateError: there is no such node, or no single last writer.
        """
        return self.bulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Write to a thread as if a node had; see `update_state`."""
        return await self.abulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    def bulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write one checkpoint for each superstep, and return the config of the last.

        Raises:
            ValueError: no supersteps, or one without updates.
            InvalidUpdateError: an update that names no node, or none that it can be.
        """
        place = _Place(self, config)
        progress = place.progress()
        checkpoint_id = run_to_end(update_loop(progress, place.key, supersteps), progress)  # type: ignore[arg-type]
        return checkpoint_config(
            place.thread_id, place.ns, cast("str", checkpoint_id), progress.run.checkpoint_map
        )

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write one checkpoint for each superstep; see `bulk_update_state`."""
        place = _Place(self, config)
        progress = place.progress()
        checkpoint_id = await arun_to_end(update_loop(progress, place.key, supersteps), progress)  # type: ignore[arg-type]
        return checkpoint_config(
            place.thread_id, place.ns, cast("str", checkpoint_id), progress.run.checkpoint_map
        )


class _Place:
    """Which checkpoint of which thread a config names, and the graph and saver that it belongs to."""

    def __init__(self, graph: Any, config: RunnableConfig) -> None:
        self.config = merge_configs(graph.config, config)
        configurable = self.config.get(CONF, {})
        self.ns = str(configurable.get("checkpoint_ns") or "")
        self.graph = graph_at(graph, self.ns)
        if self.ns:
            self.ns = subgraph_namespace(self.graph, self.ns)
        self.saver = step_saver(_saver_of(graph, config), self.graph.program)
        if "thread_id" not in configurable:
            raise MissingThreadId(
                f"'thread_id' is missing: say which thread of graph {graph.name!r} is meant, "
                '{"configurable": {"thread_id": "my-thread"}}.'
            )
        self.thread_id = str(configurable["thread_id"])
        named = (configurable.get("checkpoint_map") or {}).get(self.ns)
        self.checkpoint_id: str | None = named or configurable.get("checkpoint_id")
        self.parents = {
            ns: id for ns, id in (configurable.get("checkpoint_map") or {}).items() if ns != self.ns
        }

    @classmethod
    def inside(cls, outer: _Place, graph: Any, config: RunnableConfig, stored: StoredCheckpoint) -> _Place:
        """The place of a graph called by a task of the checkpoint `stored`."""
        place = object.__new__(cls)
        place.config = config
        place.graph = graph
        place.saver = step_saver(outer.saver, graph.program)
        place.thread_id = outer.thread_id
        place.ns = subgraph_namespace(graph, config[CONF]["checkpoint_ns"])
        place.checkpoint_id = None
        place.parents = {**outer.parents, outer.ns: stored.checkpoint_id}
        return place

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint, None for the newest."""
        return CheckpointKey(self.thread_id, self.ns, self.checkpoint_id)

    def progress(self) -> Progress:
        """Return the ground for changing this thread."""
        run = Run(self.graph.program, self.config, Stream((), lambda _: None, utc_now))
        run.saver = self.saver
        run.thread_id = self.thread_id
        run.ns = self.ns
        run.checkpoint_map = dict(self.parents)
        run.durability = "sync"
        settings = Settings(output_keys=self.graph.program.output_keys, metadata=caller_metadata(self.config))
        return Progress(run, settings, _CLOCK)


def _saver_of(graph: Any, config: RunnableConfig) -> Any:
    if graph.checkpointer not in (None, True, False):
        return graph.checkpointer
    parent = calling_task(config)
    if parent is not None and parent.run.saver is not None:
        return parent.run.saver
    raise ValueError(
        f"No checkpointer set: graph {graph.name!r} keeps no threads. "
        "Compile it with one: compile(checkpointer=InMemorySaver())."
    )


def _bounds(
    place: _Place, filter: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None
) -> dict[str, Any]:
    before_id = before[CONF].get("checkpoint_id") if before else None
    return {"filter": filter, "before": before_id, "limit": limit}


def _pump(steps: Generator[_Place, Any, Any]) -> Any:
    try:
        place = next(steps)
        while True:
            place = steps.send(place.saver.load(place.key))
    except StopIteration as end:
        return end.value


async def _apump(steps: Generator[_Place, Any, Any]) -> Any:
    try:
        place = next(steps)
        while True:
            place = steps.send(await place.saver.aload(place.key))
    except StopIteration as end:
        return end.value


def _with_state(task: PregelTask, state: StateSnapshot) -> PregelTask:
    shown = task._replace(state=state)
    shown._read_input = task._read_input
    return shown
