"""What a saver is: LangGraph's interface, by its names, and the plain data that goes through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypedDict, TypeVar, cast

from nbhitl.checkpoint.serde import Serde, SerializerProtocol, ensure_serde
from nbhitl.checkpoint.stamps import new_checkpoint_id, utc_now
from nbhitl.config import CheckpointMetadata, RunnableConfig
from nbhitl.constants import CONF, ERROR, INTERRUPT, RESUME, SCHEDULED
from nbhitl.errors import EmptyChannelError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from nbhitl.checkpoint.serde.types import ChannelProtocol

__all__ = [
    "EXCLUDED_METADATA_KEYS",
    "LATEST_VERSION",
    "WRITES_IDX_MAP",
    "BaseCheckpointSaver",
    "ChannelVersions",
    "Checkpoint",
    "CheckpointMetadata",
    "CheckpointTuple",
    "EmptyChannelError",
    "PendingWrite",
    "SerializerProtocol",
    "copy_checkpoint",
    "create_checkpoint",
    "empty_checkpoint",
    "get_checkpoint_id",
    "get_checkpoint_metadata",
    "get_serializable_checkpoint_metadata",
    "is_saver",
]

V = TypeVar("V", int, float, str)

PendingWrite = tuple[str, str, Any]
"""What a task left at a checkpoint: task id, channel, value."""

ChannelVersions = dict[str, str | int | float]
"""Which version of each channel a checkpoint holds."""

LATEST_VERSION = 4
"""The layout of `Checkpoint` that savers are given."""

WRITES_IDX_MAP = {ERROR: -1, SCHEDULED: -2, INTERRUPT: -3, RESUME: -4}
"""Channels that a task has once: a later write replaces the earlier one instead of being added."""

EXCLUDED_METADATA_KEYS = frozenset({
    "thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map", "langgraph_step", "langgraph_node",
    "langgraph_triggers", "langgraph_path", "langgraph_checkpoint_ns",
})  # fmt: skip
"""Entries of a config that are not the caller's own, and not kept with a checkpoint's metadata."""


class Checkpoint(TypedDict):
    """The state of a graph between two steps. `ts` is UTC, ISO 8601; `id` grows with time as a string."""

    v: int
    id: str
    ts: str
    channel_values: dict[str, Any]
    channel_versions: ChannelVersions
    versions_seen: dict[str, ChannelVersions]
    updated_channels: list[str] | None


class CheckpointTuple(NamedTuple):
    """A checkpoint, with what a saver knows about it."""

    config: RunnableConfig
    checkpoint: Checkpoint
    metadata: CheckpointMetadata
    parent_config: RunnableConfig | None = None
    pending_writes: list[PendingWrite] | None = None


def empty_checkpoint() -> Checkpoint:
    """Return the checkpoint before anything has happened."""
    return {
        "v": LATEST_VERSION,
        "id": new_checkpoint_id(),
        "ts": utc_now(),
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
        "updated_channels": None,
    }


def copy_checkpoint(checkpoint: Checkpoint) -> Checkpoint:
    """Return a copy whose dicts can be changed; the values in them are shared."""
    return {
        "v": checkpoint["v"],
        "id": checkpoint["id"],
        "ts": checkpoint["ts"],
        "channel_values": dict(checkpoint["channel_values"]),
        "channel_versions": dict(checkpoint["channel_versions"]),
        "versions_seen": {k: dict(v) for k, v in checkpoint["versions_seen"].items()},
        "updated_channels": checkpoint.get("updated_channels"),
    }


def create_checkpoint(
    checkpoint: Checkpoint,
    channels: Mapping[str, ChannelProtocol] | None,
    step: int,
    *,
    id: str | None = None,
) -> Checkpoint:
    """Return the checkpoint after `checkpoint`, with a new id and time; `step` says nothing here.

    Args:
        channels: whose values it holds, those that have a version; None leaves the values as they are.
        id: its id, if it is given.
    """
    after = copy_checkpoint(checkpoint)
    after["id"], after["ts"] = new_checkpoint_id() if id is None else id, utc_now()
    if channels is not None:
        known = ((name, channels[name]) for name in after["channel_versions"] if name in channels)
        stored = ((name, channel.checkpoint()) for name, channel in known)
        after["channel_values"] = {name: value for name, value in stored if value is not MISSING}
    return after


def get_checkpoint_id(config: RunnableConfig) -> str | None:
    """Return the checkpoint that `config` names, None for the newest one."""
    return cast("str | None", config[CONF].get("checkpoint_id"))


def get_checkpoint_metadata(config: RunnableConfig, metadata: CheckpointMetadata) -> CheckpointMetadata:
    """Return `metadata` with the caller's own entries of `config`: plain values of its `configurable` and
    `metadata` whose names are not the engine's.
    """
    own: dict[str, Any] = {
        key: value.replace("\x00", "") if isinstance(value, str) else value for key, value in metadata.items()
    }
    for part in (config.get("metadata"), config.get(CONF)):
        for key, value in (part or {}).items():
            if key in own or key in EXCLUDED_METADATA_KEYS or key.startswith("__"):
                continue
            if isinstance(value, str):
                own[key] = value.replace("\x00", "")
            elif isinstance(value, (int, bool, float)):
                own[key] = value
    return cast("CheckpointMetadata", own)


def get_serializable_checkpoint_metadata(
    config: RunnableConfig, metadata: CheckpointMetadata
) -> CheckpointMetadata:
    """Return `get_checkpoint_metadata(config, metadata)` without `writes`, which older checkpoints have there."""
    own: dict[str, Any] = {**get_checkpoint_metadata(config, metadata)}
    own.pop("writes", None)
    return cast("CheckpointMetadata", own)


def saver_config(thread_id: str, ns: str, checkpoint_id: str | None) -> RunnableConfig:
    """Return the config that names a checkpoint."""
    names = {"thread_id": thread_id, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return cast("RunnableConfig", {CONF: names})


class BaseCheckpointSaver(Generic[V]):
    """Keeps checkpoints; subclass it to keep them somewhere of your own.

    A saver needs `get_tuple`, `list`, `put`, `put_writes` and `delete_thread`, and their async twins if it is
    to be used by async runs. `serde` turns values into bytes and back.
    """

    serde: SerializerProtocol

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        self.serde = ensure_serde(serde) if serde is not None else Serde()

    @property
    def config_specs(self) -> list[Any]:
        """What a run's `configurable` may hold for this saver; nothing that needs declaring."""
        return []

    def with_allowlist(self, extra_allowlist: Collection[Any]) -> Self:
        """Return this saver, able to hold instances of the given classes too.

        Args:
            extra_allowlist: classes. LangGraph's tuples of names are passed over: a name says nothing that
                could be trusted, and nothing here is ever imported by name.
        """
        if isinstance(self.serde, Serde):
            self.serde.register(*(item for item in extra_allowlist if isinstance(item, type)))
        return self

    def get_next_version(self, current: V | None, channel: None) -> V:
        """Return the version of a channel after `current`; whole numbers from 1 unless overridden."""
        if isinstance(current, str):
            raise NotImplementedError(
                f"{type(self).__name__}.get_next_version was given the version {current!r} of another saver. "
                "Use a thread with the kind of saver that it was begun with."
            )
        return current + 1 if current is not None else 1  # type: ignore[return-value]  # text was refused above

    def get(self, config: RunnableConfig) -> Checkpoint | None:
        """Return the checkpoint that `config` names, or None."""
        found = self.get_tuple(config)
        return found.checkpoint if found else None

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with its surroundings, or None."""
        raise self._missing("get_tuple")

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return checkpoints, newest first.

        Args:
            config: whose thread (and namespace, if it names one) to list; None lists every thread.
            filter: entries that the metadata must hold.
            before: list only checkpoints older than this one.
            limit: at most so many.
        """
        raise self._missing("list")

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint whose parent is the one that `config` names; return the config that names it.

        `new_versions` are the channels that changed since the parent.
        """
        raise self._missing("put")

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote at the checkpoint that `config` names."""
        raise self._missing("put_writes")

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything about a thread; nothing happens if there is none of that name."""
        raise self._missing("delete_thread")

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata has one of these `run_id`s."""
        raise self._missing("delete_for_runs")

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint of a thread to another thread."""
        raise self._missing("copy_thread")

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete all but the newest checkpoint of each namespace (`keep_latest`), or all (`delete`)."""
        raise self._missing("prune")

    async def aget(self, config: RunnableConfig) -> Checkpoint | None:
        """`get`, in asyncio."""
        found = await self.aget_tuple(config)
        return found.checkpoint if found else None

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple`, in asyncio."""
        raise self._missing("aget_tuple")

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list`, in asyncio."""
        raise self._missing("alist")
        yield  # which makes this an async generator, as it is declared

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`put`, in asyncio."""
        raise self._missing("aput")

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """`put_writes`, in asyncio."""
        raise self._missing("aput_writes")

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread`, in asyncio."""
        raise self._missing("adelete_thread")

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`delete_for_runs`, in asyncio."""
        raise self._missing("adelete_for_runs")

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """`copy_thread`, in asyncio."""
        raise self._missing("acopy_thread")

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`prune`, in asyncio."""
        raise self._missing("aprune")

    def _missing(self, method: str) -> NotImplementedError:
        kind = "async " if method.startswith("a") else ""
        return NotImplementedError(
            f"{type(self).__name__} does not implement {method}(). Use a saver that offers it for "
            f"{kind}runs, "
            "for example nbhitl.checkpoint.memory.InMemorySaver."
        )


_SAVER_METHODS = ("get_tuple", "list", "put", "put_writes", "get_next_version")


def is_saver(obj: object) -> bool:
    """Whether `obj` can keep checkpoints: one of nbhitl's savers, or one written for LangGraph.

    A class is not a saver; an instance is.
    """
    if isinstance(obj, BaseCheckpointSaver):
        return True
    return not isinstance(obj, type) and all(callable(getattr(obj, name, None)) for name in _SAVER_METHODS)


def __getattr__(name: str) -> Any:
    """Return what programs import from here as well."""
    if name == "RunnableConfig":
        from nbhitl.config import RunnableConfig

        return RunnableConfig
    if name == "JsonPlusSerializer":
        from nbhitl.checkpoint.serde.jsonplus import JsonPlusSerializer

        return JsonPlusSerializer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
