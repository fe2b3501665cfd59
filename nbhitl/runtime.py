"""What a node can ask for besides its state: the run's context, store, stream writer and identity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast, runtime_checkable

from nbhitl._context import current_task
from nbhitl.types import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BaseUser", "ExecutionInfo", "RunControl", "Runtime", "ServerInfo", "get_runtime"]

ContextT = TypeVar("ContextT")


def _no_stream(_: Any) -> None:
    """Ignore a custom chunk: nobody asked for the stream."""


def _no_heartbeat() -> None:
    """Ignore a sign of life: the node has no idle timeout."""


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """Where a node runs. `node_first_attempt_time` is seconds since the epoch."""

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None = None
    run_id: str | None = None
    node_attempt: int = 1
    node_first_attempt_time: float | None = None

    def patch(self, **overrides: Any) -> ExecutionInfo:
        """Return a copy with some fields replaced."""
        return replace(self, **overrides)


@runtime_checkable
class BaseUser(Protocol):
    """Who calls a server, as far as its authentication says so."""

    @property
    def is_authenticated(self) -> bool:
        """Whether it is known who that is."""

    @property
    def display_name(self) -> str:
        """How to call the user."""

    @property
    def identity(self) -> str:
        """What tells the user from others."""

    @property
    def permissions(self) -> Sequence[str]:
        """What the user may do."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Which assistant and graph a server runs; None outside of one."""

    assistant_id: str
    graph_id: str
    user: BaseUser | None = None


def server_info(configurable: Mapping[str, Any]) -> ServerInfo | None:
    """Return what a server has said about itself in a run's `configurable`; None where nothing is said."""
    assistant, graph = configurable.get("assistant_id"), configurable.get("graph_id")
    user = configurable.get("langgraph_auth_user")
    if assistant is None and graph is None and user is None:
        return None
    known = user if hasattr(user, "identity") else None
    return ServerInfo("" if assistant is None else str(assistant), "" if graph is None else str(graph), known)


class RunControl:
    """Ask a run from outside to stop after the step that it is in."""

    __slots__ = ("_reason",)

    def __init__(self) -> None:
        self._reason: str | None = None

    def request_drain(self, reason: str = "shutdown") -> None:
        """Stop the run before its next step; what is done is kept."""
        self._reason = reason

    @property
    def drain_requested(self) -> bool:
        """Whether a stop was asked for."""
        return self._reason is not None

    @property
    def drain_reason(self) -> str | None:
        """Why, or None."""
        return self._reason


@dataclass(kw_only=True, frozen=True, slots=True)
class Runtime(Generic[ContextT]):
    """The run that a node belongs to; a node gets it by a parameter `runtime: Runtime[Context]`."""

    context: ContextT = field(default=cast("ContextT", None))
    store: Any = None
    stream_writer: StreamWriter = field(default=_no_stream)
    heartbeat: Callable[[], None] = field(default=_no_heartbeat)
    previous: Any = None
    execution_info: ExecutionInfo | None = None
    server_info: ServerInfo | None = None
    control: RunControl | None = None

    def merge(self, other: Runtime[ContextT]) -> Runtime[ContextT]:
        """Return this runtime with what `other` sets laid over it."""
        empty: Runtime[ContextT] = Runtime()
        changed = {
            name: getattr(other, name)
            for name in self.__slots__
            if getattr(other, name) is not getattr(empty, name) and getattr(other, name) is not None
        }
        return replace(self, **changed)

    @property
    def drain_requested(self) -> bool:
        """Whether somebody asked the run to stop after this step."""
        return self.control is not None and self.control.drain_requested

    @property
    def drain_reason(self) -> str | None:
        """Why, or None."""
        return None if self.control is None else self.control.drain_reason

    def override(self, **overrides: Any) -> Runtime[ContextT]:
        """Return a copy with some fields replaced."""
        return replace(self, **overrides)


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:
    """Return the runtime of the running node; `context_schema` only informs type checkers.

    Raises:
        RuntimeError: called outside of a running graph.
    """
    return current_task("get_runtime").runtime


DEFAULT_RUNTIME: Runtime[Any] = Runtime()
"""A runtime of no run: no context, no store, and a stream writer that nobody hears."""
