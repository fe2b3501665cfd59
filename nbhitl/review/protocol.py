"""What a review needs of a compiled graph: methods as LangGraph spells them, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

REQUIRED = (
    "stream",
    "astream",
    "get_state",
    "aget_state",
    "get_state_history",
    "aget_state_history",
    "update_state",
    "aupdate_state",
)


class Task(Protocol):
    """A task of a snapshot. `state` is a nested snapshot for a subgraph, with `get_state(subgraphs=True)`."""

    id: str
    name: str
    error: Any
    interrupts: tuple[Any, ...]
    state: Any
    result: Any


class Snapshot(Protocol):
    """The state of a thread at one checkpoint."""

    values: Any
    next: tuple[str, ...]
    config: Any
    metadata: Any
    created_at: str | None
    parent_config: Any
    tasks: tuple[Any, ...]
    interrupts: tuple[Any, ...]


class Graph(Protocol):
    """A compiled graph with a checkpointer: nbhitl's, or one compiled by LangGraph."""

    checkpointer: Any

    def stream(self, input: Any, config: Any = ..., *, stream_mode: Any = ..., **how: Any) -> Iterator[Any]:
        """Run to the next pause or the end, and yield what happens."""

    def astream(
        self, input: Any, config: Any = ..., *, stream_mode: Any = ..., **how: Any
    ) -> AsyncIterator[Any]:
        """The same, async."""

    def get_state(self, config: Any, *, subgraphs: bool = ...) -> Any:
        """Return the snapshot that `config` names, the newest by default."""

    async def aget_state(self, config: Any, *, subgraphs: bool = ...) -> Any:
        """The same, async."""

    def get_state_history(self, config: Any, *, filter: Any = ..., limit: int | None = ...) -> Iterator[Any]:
        """Return snapshots, newest first."""

    def aget_state_history(
        self, config: Any, *, filter: Any = ..., limit: int | None = ...
    ) -> AsyncIterator[Any]:
        """The same, async."""

    def update_state(self, config: Any, values: Any, as_node: str | None = ...) -> Any:
        """Write values as if a node had, and return the new checkpoint's config."""

    async def aupdate_state(self, config: Any, values: Any, as_node: str | None = ...) -> Any:
        """The same, async."""
