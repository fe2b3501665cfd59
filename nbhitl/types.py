"""The vocabulary of a graph: what nodes return, what runs report, and how a node asks a person."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta  # noqa: TC003 - who reads the types of arguments finds it here
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, final

from nbhitl._context import CURRENT_TASK, current_task
from nbhitl._policies import (
    CachePolicy,
    RetryPolicy,
    TimeoutPolicy,
    default_cache_key,  # noqa: F401 - programs import it from here
    default_retry_on,  # noqa: F401 - as well
)
from nbhitl.config import CheckpointMetadata, RunnableConfig  # noqa: TC001 - as with timedelta
from nbhitl.constants import INTERRUPT

if TYPE_CHECKING:
    from nbhitl._payloads import CheckpointPayload, CheckpointTask, TaskPayload, TaskResultPayload
    from nbhitl.checkpoint.base import BaseCheckpointSaver

    # `compile(checkpointer=)`: a saver, True (keep state of its own), None (use the parent's), False (none).
    Checkpointer = None | bool | BaseCheckpointSaver[Any]

__all__ = [
    "All",
    "CachePolicy",
    "CheckpointPayload",
    "CheckpointTask",
    "Checkpointer",
    "Command",
    "Durability",
    "GraphOutput",
    "Interrupt",
    "Overwrite",
    "PregelTask",
    "RetryPolicy",
    "Send",
    "StateSnapshot",
    "StateUpdate",
    "StreamMode",
    "StreamWriter",
    "TaskPayload",
    "TaskResultPayload",
    "TimeoutPolicy",
    "ensure_valid_checkpointer",
    "interrupt",
]

_PAYLOADS = frozenset(
    {"CheckpointPayload", "CheckpointTask", "DebugPayload", "TaskPayload", "TaskResultPayload"}
)


def __getattr__(name: str) -> Any:
    if name in ("TracePolicy", "omit_payload"):
        from nbhitl import _trace_policy

        return getattr(_trace_policy, name)
    # Only type checkers and readers look at these.
    if name == "Checkpointer":
        from nbhitl.checkpoint.base import BaseCheckpointSaver

        return None | bool | BaseCheckpointSaver
    if name.endswith("StreamPart"):
        from nbhitl import _stream_parts

        return getattr(_stream_parts, name)
    if name not in _PAYLOADS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nbhitl import _payloads

    return getattr(_payloads, name)


N = TypeVar("N", bound=Hashable)
OutputT = TypeVar("OutputT")

All = Literal["*"]
"""Every node, in `interrupt_before` and `interrupt_after`."""

Durability = Literal["sync", "async", "exit"]
"""When checkpoints are saved: before the next step, while it runs, or when the run ends."""

StreamMode = Literal["values", "updates", "checkpoints", "tasks", "debug", "messages", "custom"]

StreamWriter = Callable[[Any], None]
"""Puts its argument into the stream of mode `custom`, at once; does nothing in other modes."""


class _Missing:
    """The value of what is not there; None is a value like any other."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


def ensure_valid_checkpointer(checkpointer: Any) -> Any:
    """Return `checkpointer` if `compile()` can take it.

    Raises:
        TypeError: it is neither a saver nor True, False or None.
    """
    if checkpointer in (None, True, False):
        return checkpointer
    from nbhitl.checkpoint.base import is_saver

    if is_saver(checkpointer):
        return checkpointer
    if isinstance(checkpointer, type):
        how = f"{checkpointer.__name__} is a class: pass one that you have made of it."
    elif hasattr(checkpointer, "__enter__") or hasattr(checkpointer, "__aenter__"):
        how = "It opens one: write `with ... as saver:` (`async with` for an async one) and pass that."
    else:
        how = "Pass a saver, for example nbhitl.checkpoint.memory.InMemorySaver()."
    raise TypeError(
        "Invalid checkpointer provided. Expected an instance of `BaseCheckpointSaver`, `True`, `False`, "
        f"or `None`. Received {type(checkpointer).__name__}. {how}"
    )


@final
@dataclass(init=False)
class Interrupt:
    """A question that a node asks: its payload, and the id that an answer must name.

    `site` is where in the node's code it was asked, None where nobody wanted to know; `place` tells the nodes on the
    way to the one that asked, None if no other graph called its graph. Both are no fields. Older programs
    give `ns`, the namespace of the task that asks, in place of the id; their `resumable` and `when` say nothing now.
    """

    __slots__ = ("id", "place", "response_schema", "site", "value")
    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    value: Any
    id: str
    response_schema: type | dict[str, Any] | None

    def __init__(
        self,
        value: Any,
        id: str = "placeholder-id",
        *,
        response_schema: type | dict[str, Any] | None = None,
        ns: Sequence[str] | None = None,
        resumable: Any = None,
        when: Any = None,
    ) -> None:
        self.value = value
        self.id = id if ns is None or id != "placeholder-id" else _id_in("|".join(ns))
        self.response_schema = response_schema
        self.site: str | None = None
        self.place: str | None = None

    @classmethod
    def from_ns(cls, value: Any, ns: str, *, response_schema: Any = None) -> Interrupt:
        """Return the first question of the task with the namespace `ns`."""
        return cls(value, _id_in(ns), response_schema=response_schema)

    @property
    def interrupt_id(self) -> str:
        """The id, under the name that older programs know; deprecated."""
        import warnings

        from nbhitl.warnings import LangGraphDeprecatedSinceV10

        text = "`Interrupt.interrupt_id` is deprecated. It is `Interrupt.id`."
        warnings.warn(LangGraphDeprecatedSinceV10(text), stacklevel=2)
        return self.id


def _id_in(ns: str) -> str:
    from nbhitl.checkpoint.task_ids import digest_id

    return digest_id(ns)


class TypeSchema(dict[str, Any]):
    """A JSON Schema that was made from a Python type, which alone can tell whether an answer fits."""


class StateUpdate(NamedTuple):
    """One update for `bulk_update_state`: the values, and the node that they shall come from."""

    values: dict[str, Any] | None
    as_node: str | None = None
    task_id: str | None = None


class _PregelTaskFields(NamedTuple):
    id: str
    name: str
    path: tuple[str | int | tuple[Any, ...], ...]
    error: Exception | str | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: RunnableConfig | StateSnapshot | None = None
    result: Any | None = None


class PregelTask(_PregelTaskFields):
    """A task of a checkpoint, as `get_state` reports it.

    `input` is what the task was, or would be, started with. It is an attribute and not a field, so that the
    tuple stays the one that LangGraph's programs compare and unpack.
    """

    _read_input: Callable[[], Any] | None = None

    starts: int = 0
    """How often its node has started, as far as was saved: with each pause, error and result. An attribute too."""

    @property
    def input(self) -> Any:
        """What the task was, or would be, started with; None for a task that no checkpoint stands behind."""
        return self._read_input() if self._read_input is not None else None

    @classmethod
    def with_input(cls, read_input: Callable[[], Any], starts: int = 0, **fields: Any) -> PregelTask:
        """Return a task whose `input` is read when somebody looks at it."""
        task = cls(**fields)
        task._read_input = read_input
        task.starts = starts
        return task


class StateSnapshot(NamedTuple):
    """The state of a thread at one checkpoint. `created_at` is UTC, ISO 8601."""

    values: dict[str, Any] | Any
    next: tuple[str, ...]
    config: RunnableConfig
    metadata: CheckpointMetadata | None
    created_at: str | None
    parent_config: RunnableConfig | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


class Send:
    """Start `node` with `arg` in the next step, besides whatever the edges start."""

    __slots__ = ("arg", "node", "timeout")

    node: str
    arg: Any
    timeout: TimeoutPolicy | None

    def __init__(
        self, /, node: str, arg: Any, *, timeout: float | timedelta | TimeoutPolicy | None = None
    ) -> None:
        self.node = node
        self.arg = arg
        self.timeout = TimeoutPolicy.of(timeout)

    def __hash__(self) -> int:
        return hash((self.node, repr(self.arg)))

    def __repr__(self) -> str:
        timeout = "" if self.timeout is None else f", timeout={self.timeout!r}"
        return f"Send(node={self.node!r}, arg={self.arg!r}{timeout})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Send)
            and self.node == other.node
            and self.arg == other.arg
            and self.timeout == other.timeout
        )


class _Answering:
    __slots__ = ("_answers",)


_COMMAND_SLOTS = ("graph", "update", "resume", "goto", "_answers")


@dataclass(kw_only=True, slots=True, frozen=True, repr=False)
class Command(_Answering, Generic[N]):
    """What to do next: write `update`, go to `goto`, answer with `resume`, for this graph or `PARENT`."""

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"

    graph: str | None = None
    update: Any | None = None
    resume: Any = MISSING
    goto: Send | Sequence[Send | N] | N = ()

    def __post_init__(self) -> None:
        # None is an answer like any other, so whether there is one cannot be told from `resume` alone. A copy
        # made with `dataclasses.replace` names every field; one that goes somewhere or writes is no answer.
        given = self.resume is not MISSING
        if not given:
            object.__setattr__(self, "resume", None)
        alone = self.update is None and not self.goto and self.graph is None
        if not alone:
            _join_tool_outputs()
        object.__setattr__(self, "_answers", self.resume is not None or (given and alone))

    def __getstate__(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _COMMAND_SLOTS)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(_COMMAND_SLOTS, state, strict=True):
            object.__setattr__(self, name, value)

    @property
    def answers(self) -> bool:
        """Whether the command answers a question; `Command(resume=None)` does."""
        return bool(getattr(self, "_answers", self.resume is not None))

    def __repr__(self) -> str:
        parts = [("graph", self.graph), ("update", self.update), ("resume", self.resume), ("goto", self.goto)]
        return f"Command({', '.join(f'{k}={v!r}' for k, v in parts if v)})"


def _join_tool_outputs() -> None:
    # Where LangChain's tools are loaded, what they return is made a text, except for objects of this class.
    mixin = getattr(sys.modules.get("langchain_core.messages.tool"), "ToolOutputMixin", None)
    if mixin is not None and mixin not in Command.__bases__:
        Command.__bases__ = (*Command.__bases__, mixin)


@dataclass(slots=True)
class Overwrite:
    """Replace a key's value instead of handing it to the key's reducer."""

    value: Any
    type: Literal["__overwrite__"] = field(default="__overwrite__")


@dataclass(frozen=True)
class GraphOutput(Generic[OutputT]):
    """What `invoke(..., version="v2")` returns: the state, and the questions that are open."""

    value: OutputT
    interrupts: tuple[Interrupt, ...] = ()

    def __getitem__(self, key: str) -> Any:
        """Return a key of the state, or the questions, as from the dict that `version="v1"` returns; deprecated."""
        _deprecate_reading("result[key]")
        if key == INTERRUPT:
            return self.interrupts
        return self.value[key] if isinstance(self.value, dict) else getattr(self.value, key)

    def __contains__(self, key: str) -> bool:
        """Whether the dict that `version="v1"` returns has that key; deprecated."""
        _deprecate_reading("key in result")
        if key == INTERRUPT:
            return bool(self.interrupts)
        return key in self.value if isinstance(self.value, dict) else hasattr(self.value, key)


def _deprecate_reading(how: str) -> None:
    import warnings

    from nbhitl.warnings import LangGraphDeprecatedSinceV11

    text = f"Reading a GraphOutput by `{how}` is deprecated. Use `result.value` and `result.interrupts`."
    warnings.warn(LangGraphDeprecatedSinceV11(text), stacklevel=3)


def interrupt(value: Any, *, response_schema: dict[str, Any] | type | None = None) -> Any:
    """Ask a person, and return the answer.

    The first time, the node stops here: the run is saved and returns, with `value` as the question. When
    the answer comes (`Command(resume=...)`), the node starts again from its top, and this call returns the
    answer. The k-th call of a node gets the k-th answer.

    Args:
        value: what is asked; any value that the checkpointer can hold.
        response_schema: what an answer must look like: a pydantic model, a TypedDict, a dataclass or a JSON
            Schema. An answer that does not fit is refused before anything is saved.

    Raises:
        RuntimeError: called outside of a running graph.
        GraphInterrupt: always, the first time; it belongs to the engine, do not catch it.
    """
    task = CURRENT_TASK.get() or current_task("interrupt")
    for asked, answer in task.script:  # a node that asks often asks all of it again each time
        if response_schema is None and (value is asked or (type(value) is type(asked) and value == asked)):
            return answer
        return task.ask(value, response_schema, strays=True)
    return task.ask(value, response_schema)
