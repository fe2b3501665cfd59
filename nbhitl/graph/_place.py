"""Which checkpoint of which thread a config names: read it, show it, write after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._upkeep import matches
from nbhitl.checkpoint.records import new_key
from nbhitl.checkpoint.stamps import utc_now
from nbhitl.config import merge_configs, not_a_config, place_name, settled
from nbhitl.constants import CONF
from nbhitl.engine.events import Stream
from nbhitl.engine.instructions import Settings
from nbhitl.engine.prepare import (
    CLOCK,
    caller_metadata,
    calling_task,
    names_only_a_thread,
    step_saver,
)
from nbhitl.engine.progress import Progress
from nbhitl.engine.running import Run
from nbhitl.engine.snapshot import checkpoint_config, snapshot_of
from nbhitl.engine.update import update_loop
from nbhitl.errors import MissingThreadId, StoreError
from nbhitl.graph._subgraphs import graph_at, graph_called_by, is_elsewhere, subgraph_namespace
from nbhitl.types import PregelTask, StateSnapshot

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.checkpoint.records import CheckpointKey, StoredCheckpoint
    from nbhitl.config import RunnableConfig


class Place:
    """Which checkpoint of which thread a config names, and the graph and saver that it belongs to.

    A called graph can be asked itself about what it left as another's node: `reads` allows places that `graph`
    has no node for.
    """

    checkpoint_id: str | None
    parents: dict[str, str]

    def __init__(self, graph: Any, config: RunnableConfig, *, reads: bool = False) -> None:
        is_usual = not graph.config and names_only_a_thread(config)
        if is_usual and config.get("recursion_limit", 0) is not None:
            self.graph, self.config, self.ns, self.checkpoint_id = graph, config, "", None
            self.saver = step_saver(_saver_of(graph, config), graph.program, config)
            self.thread_id = str(config[CONF]["thread_id"])
            self.parents = {}
        else:
            self._find(graph, config, reads)

    def _find(self, graph: Any, config: RunnableConfig, reads: bool) -> None:
        own = settled(config)
        self.config = merge_configs(graph.config, own) if graph.config else own
        configurable = self.config.get(CONF) or {}
        self.ns = place_name(configurable, "checkpoint_ns") or ""
        self.graph = graph
        if self.ns and not (reads and is_elsewhere(graph, self.ns)):
            self.graph = graph_at(graph, self.ns)
            self.ns = subgraph_namespace(self.graph, self.ns)
        self.saver = step_saver(_saver_of(graph, config), self.graph.program, self.config)
        if "thread_id" not in configurable:
            raise MissingThreadId(
                f"'thread_id' is missing: say which thread of graph {graph.name!r} is meant, "
                '{"configurable": {"thread_id": "my-thread"}}.'
            )
        self.thread_id = str(configurable["thread_id"])
        places = configurable.get("checkpoint_map") or {}
        named = place_name(places, self.ns, of="checkpoint_map")
        self.checkpoint_id = named or place_name(configurable, "checkpoint_id")
        self.parents = {ns: id for ns, id in places.items() if ns != self.ns} if places else {}

    @classmethod
    def inside(cls, outer: Place, graph: Any, config: RunnableConfig, stored: StoredCheckpoint) -> Place:
        """The place of a graph called by a task of the checkpoint `stored`."""
        place = object.__new__(cls)
        place.graph = graph
        place.saver = step_saver(outer.saver, graph.program, outer.config)
        place.thread_id = outer.thread_id
        place.ns = subgraph_namespace(graph, config[CONF]["checkpoint_ns"])
        place.config = merge_configs(config, {CONF: {"checkpoint_ns": place.ns}})
        place.checkpoint_id = None
        place.parents = {**outer.parents, outer.ns: stored.checkpoint_id}
        return place

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint, None for the newest."""
        return new_key((self.thread_id, self.ns, self.checkpoint_id))

    def update(self, supersteps: Any) -> tuple[Progress, Generator[Any, Any, Any]]:
        """Return the ground for an update from outside and its steps; they end with the new checkpoint's id."""
        progress = self.progress()
        return progress, update_loop(progress, self.key, supersteps)

    def config_of(self, checkpoint_id: Any, progress: Progress) -> RunnableConfig:
        """Return the config of a checkpoint that an update has made."""
        return checkpoint_config(self.thread_id, self.ns, checkpoint_id, progress.run.checkpoint_map)

    def progress(self) -> Progress:
        """Return the ground for changing this thread."""
        config = merge_configs(self.config)
        run = Run(self.graph.program, config, Stream((), lambda _: None, utc_now))
        run.saver = self.saver
        run.thread_id = self.thread_id
        run.ns = self.ns
        run.checkpoint_map = dict(self.parents)
        run.durability = "sync"
        settings = Settings(output_keys=self.graph.program.output_keys, metadata=caller_metadata(config))
        return Progress(run, settings, CLOCK)


def state_at(graph: Any, config: RunnableConfig, subgraphs: bool) -> StateSnapshot:
    """Return the state that a config names; see `CompiledStateGraph.get_state`."""
    place = Place(graph, config, reads=True)
    if subgraphs:
        return cast("StateSnapshot", pump(snapshot(place, subgraphs)))
    return state_of(place, place.saver.load(place.key))


def snapshot(place: Place, subgraphs: bool) -> Generator[Place, Any, StateSnapshot]:
    """Ask for the checkpoints of places, and return what they show."""
    stored = yield place
    found = state_of(place, stored)
    if stored is None or not subgraphs:
        return found
    tasks = []
    for task in found.tasks:
        below = graph_called_by(place.graph, task.name)
        if below is None or task.state is None:
            tasks.append(task)
            continue
        inner = Place.inside(place, below, cast("RunnableConfig", task.state), stored)
        tasks.append(_with_state(task, (yield from snapshot(inner, subgraphs))))
    return found._replace(tasks=tuple(tasks))


def state_of(place: Place, stored: StoredCheckpoint | None) -> StateSnapshot:
    """Return what the checkpoint shows that a place names; an empty state if there is none."""
    if stored is None:
        empty = cast("RunnableConfig", {**place.config, CONF: dict(place.config.get(CONF) or {})})
        return StateSnapshot({}, (), empty, None, None, None, (), ())
    return shown(place, stored, newest=place.checkpoint_id is None)


def shown(place: Place, stored: StoredCheckpoint, *, newest: bool) -> StateSnapshot:
    """Return what a stored checkpoint of the place's thread shows; `newest` tells that it is the thread's last."""
    try:
        return snapshot_of(place.graph.program, stored, newest=newest)
    except StoreError as error:
        from nbhitl.engine.misshapen import name_store

        name_store(place.saver, error)
        raise


def _saver_of(graph: Any, config: RunnableConfig) -> Any:
    if graph.checkpointer not in (None, True, False):
        return graph.checkpointer
    parent = calling_task(config)
    if parent is not None and parent.run.saver is not None:
        return parent.run.saver
    if graph.checkpointer is True:
        raise RuntimeError(
            f"checkpointer=True cannot be used for root graphs: graph {graph.name!r} is not called by another graph "
            "here. Read it from the graph that calls it: get_state(config, subgraphs=True)."
        )
    raise ValueError(
        f"No checkpointer set: graph {graph.name!r} keeps no threads. "
        "Compile it with one: compile(checkpointer=InMemorySaver())."
    )


def bounds(filter: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None) -> dict[str, Any]:
    """Return the bounds of a history as savers take them.

    Raises:
        TypeError: `before` is no config, or names a checkpoint by something else than a string.
    """
    if before and not isinstance(before, Mapping):
        raise TypeError(not_a_config("before", before))
    before_id = place_name(before[CONF], "checkpoint_id") if before else None
    return {"filter": filter, "before": before_id, "limit": limit}


def lister(place: Place, *methods: str) -> Any:
    """Return what tells the history of a place's thread: a subclass's own way to list, if one of `methods` is its own."""
    saver = place.saver
    if all(getattr(getattr(saver, name, lister), "__module__", "").startswith("nbhitl.") for name in methods):
        return saver
    from nbhitl.engine.foreign import ForeignSaver

    return ForeignSaver(saver, place.graph.program, place.config)


def within(
    stored: StoredCheckpoint, filter: dict[str, Any] | None, before: RunnableConfig | None, limit: int | None
) -> bool:
    """Whether the checkpoint that a history is asked for by name is within its bounds."""
    before_id = bounds(filter, before, limit)["before"]
    if (limit is not None and limit <= 0) or (before_id and stored.checkpoint_id >= before_id):
        return False
    return not filter or matches(stored.metadata, filter)


def pump(steps: Generator[Place, Any, Any]) -> Any:
    """Load the checkpoints that `steps` asks for, and return its result."""
    try:
        place = next(steps)
        while True:
            place = steps.send(place.saver.load(place.key))
    except StopIteration as end:
        return end.value


async def apump(steps: Generator[Place, Any, Any]) -> Any:
    """Load the checkpoints that `steps` asks for, and return its result."""
    try:
        place = next(steps)
        while True:
            place = steps.send(await place.saver.aload(place.key))
    except StopIteration as end:
        return end.value


def _with_state(task: PregelTask, state: StateSnapshot) -> PregelTask:
    shown = task._replace(state=state)
    shown._read_input = task._read_input
    shown.starts = task.starts
    return shown
