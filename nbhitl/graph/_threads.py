"""Look at a compiled graph's threads and change them: get_state, history, update_state.

What does it is imported by the first call: `_place` loads the engine.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from nbhitl.types import StateSnapshot, StateUpdate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from nbhitl.checkpoint.records import HistoryLine
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.program import Program
    from nbhitl.engine.spec import Topology


@cache
def _state_at() -> Callable[[Any, RunnableConfig, bool], StateSnapshot]:
    from nbhitl.graph._place import state_at

    return state_at


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

        A thread or checkpoint that there is not gives an empty snapshot: no `values`, and `created_at` is None.

        Args:
            config: which thread, and, where it has a `checkpoint_id`, which checkpoint.
            subgraphs: put the state of called graphs into `tasks[i].state`; otherwise that is their config.

        Raises:
            ValueError: the graph has no checkpointer, or `config` names no thread.
            TypeError: `config` is no config.
        """
        return _state_at()(self, config, subgraphs)

    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return the state of a thread; see `get_state`."""
        from nbhitl.graph._place import Place, apump, snapshot

        return cast("StateSnapshot", await apump(snapshot(Place(self, config, reads=True), subgraphs)))

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the checkpoints of a thread as `get_state` returns them, newest first; none for an unknown thread.

        The `config` of each can be handed to `invoke(None, ...)` or `update_state`, to go on from there.

        Args:
            config: which thread; with a `checkpoint_id`, only this checkpoint.
            filter: only checkpoints whose metadata has these entries.
            before: only checkpoints older than the one this config names.
            limit: at most so many.

        Raises:
            ValueError: the graph has no checkpointer, or `config` names no thread.
            TypeError: `config` or `before` is no config.
        """
        from nbhitl.graph._place import Place, bounds, lister, shown, within

        place = Place(self, config, reads=True)
        if place.checkpoint_id is not None:
            stored = place.saver.load(place.key)
            if stored is not None and within(stored, filter, before, limit):
                yield shown(place, stored, newest=False)
            return
        told_by = lister(place, "list")
        for stored in told_by.history(place.thread_id, place.ns, **bounds(filter, before, limit)):
            yield shown(place, stored, newest=False)

    def history_lines(
        self, config: RunnableConfig, same: Callable[[Any, Any], bool]
    ) -> list[HistoryLine] | None:
        """Return a thread's checkpoints in one line each, oldest first, without building snapshots.

        Args:
            config: names the thread, and no checkpoint of it.
            same: whether two values of a state key are the same.

        Returns:
            The lines; None where only `get_state_history` tells them: the saver is not one of nbhitl's, or the
            graph's channels are of an unusual kind.
        """
        from nbhitl.graph._outline import graph_lines

        return graph_lines(self, config, same)

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Yield the checkpoints of a thread, newest first; see `get_state_history`."""
        from nbhitl.graph._place import Place, bounds, lister, shown, within

        place = Place(self, config, reads=True)
        if place.checkpoint_id is not None:
            named = await place.saver.aload(place.key)
            if named is not None and within(named, filter, before, limit):
                yield shown(place, named, newest=False)
            return
        told_by = lister(place, "alist", "list")
        async for stored in told_by.ahistory(place.thread_id, place.ns, **bounds(filter, before, limit)):
            yield shown(place, stored, newest=False)

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, Any]]:
        """Yield the graphs that nodes call and that keep checkpoints, as `(namespace, graph)`.

        Those compiled with `checkpointer=False` keep none. With `recurse` the graphs that these call as well.
        """
        from nbhitl.graph._subgraphs import graph_called_by

        for name in self.topology.nodes:
            below = graph_called_by(self, name)
            if below is None or below.checkpointer is False:
                continue
            if namespace is None or namespace == name:
                yield name, below
            if recurse:
                inner = namespace[len(name) + 1 :] if namespace and namespace.startswith(f"{name}|") else None
                if namespace is None or inner is not None:
                    for path, graph in below.get_subgraphs(namespace=inner, recurse=True):
                        yield f"{name}|{path}", graph

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, Any]]:
        """Yield the graphs that nodes call; see `get_subgraphs`."""
        for found in self.get_subgraphs(namespace=namespace, recurse=recurse):
            yield found

    # -- write -------------------------------------------------------------------------------------------

    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Write to a thread as if node `as_node` had returned `values`, and return the new checkpoint's config.

        Nothing runs: `invoke(None, config)` with what is returned goes on from there.

        Args:
            config: which thread; with a `checkpoint_id` the update begins a branch there.
            values: what the node would return; None writes nothing.
            as_node: whose update it is; its edges then say what runs next. By default the node that wrote last.
                END drops the tasks that are not done; "__copy__" repeats the checkpoint, so that it is run anew.
            task_id: the id that the update has as a task, where none of that node is waiting.

        Raises:
            InvalidUpdateError: there is no such node, or no single last writer; `values` is no update.
            ValueError: the graph has no checkpointer, or `config` names no thread.
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

        Args:
            config: as for `update_state`.
            supersteps: for each a list of `StateUpdate(values, as_node)`, in the order in which they are applied.

        Raises:
            ValueError: no supersteps, or one without updates; or as for `update_state`.
            InvalidUpdateError: an update that names no node, or none that it can be.
        """
        from nbhitl.engine.drive import run_to_end
        from nbhitl.graph._place import Place

        place = Place(self, config)
        progress, steps = place.update(supersteps)
        return place.config_of(run_to_end(steps, progress), progress)

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write one checkpoint for each superstep; see `bulk_update_state`."""
        from nbhitl.engine.adrive import arun_to_end
        from nbhitl.graph._place import Place

        place = Place(self, config)
        progress, steps = place.update(supersteps)
        return place.config_of(await arun_to_end(steps, progress), progress)
