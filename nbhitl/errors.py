"""Everything nbhitl raises.

EmptyChannelError            a channel was read before it was written
EmptyInputError              a run got no input that the graph could use
GraphRecursionError          more supersteps than `recursion_limit`
InvalidUpdateError           a write that the state cannot take
ValueError
├── UnknownNodeError         a name that is no node of this graph, with the nearest match
└── MissingThreadId          a graph with a checkpointer was run without a thread_id
UnknownPathKey               a path function returned a key that its path map lacks (a KeyError)
NodeTimeoutError             a node ran longer than its TimeoutPolicy allows
NodeCancelledError           a node's own code raised CancelledError
TaskNotFound                 a task id that the checkpoint does not hold
UnknownInterruptError        an answer for which no question is open
GraphBubbleUp                passes through nodes up to the engine; never an error for the user
├── GraphInterrupt           a node asks a person
│   └── NodeInterrupt        the older way to ask: raised by the node itself
├── ParentCommand            a Command for the graph above
└── GraphDrained             a run stopped because RunControl asked for it
ReviewError                  nbhitl's own: what can go wrong between a question and its answer
├── QuestionOpen             new input while a question is open
├── QuestionChanged          the node asks something else than what was answered
├── StaleQuestion            the answer was given to a question that has changed since it was shown
├── InvalidAnswer            an answer does not fit its question; nothing was sent (ValueError too)
├── AlreadyAnswered          someone else's answer came first
├── AnswerInDoubt            an answer was given, and whether its effect ran is not known
├── SwallowedInterrupt       a node caught its own pause and went on
├── NotAnswered              a result was read while a question is open
└── ScriptError              a scripted reviewer met an unexpected question, or has answers left
StoreError                   a checkpointer cannot read or write
├── UnsupportedValue         a value that the store does not hold (TypeError too)
├── BundleError              an exported thread that is damaged, or cannot be imported here
└── NewerStore               a store written by a newer version of nbhitl
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.types import Command, Interrupt

__all__ = [
    "AlreadyAnswered",
    "AnswerInDoubt",
    "BundleError",
    "EffectInDoubt",
    "EffectRunning",
    "EmptyChannelError",
    "EmptyInputError",
    "ErrorCode",
    "ForeignObjectError",
    "GraphBubbleUp",
    "GraphDrained",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidAnswer",
    "InvalidUpdateError",
    "MissingThreadId",
    "NewerStore",
    "NodeCancelledError",
    "NodeError",
    "NodeInterrupt",
    "NodeTimeoutError",
    "NotAnswered",
    "ParentCommand",
    "QuestionChanged",
    "QuestionOpen",
    "ReviewError",
    "ScriptError",
    "StaleQuestion",
    "StoreError",
    "SwallowedInterrupt",
    "TaskNotFound",
    "UnknownInterruptError",
    "UnknownNodeError",
    "UnknownPathKey",
    "UnsupportedValue",
    "create_error_message",
    "is_invalid_resume",
]


class ErrorCode(Enum):
    """Stable names of the errors that users meet most often."""

    GRAPH_RECURSION_LIMIT = "GRAPH_RECURSION_LIMIT"
    INVALID_CONCURRENT_GRAPH_UPDATE = "INVALID_CONCURRENT_GRAPH_UPDATE"
    INVALID_GRAPH_NODE_RETURN_VALUE = "INVALID_GRAPH_NODE_RETURN_VALUE"
    MULTIPLE_SUBGRAPHS = "MULTIPLE_SUBGRAPHS"
    INVALID_CHAT_HISTORY = "INVALID_CHAT_HISTORY"


def create_error_message(*, message: str, error_code: ErrorCode) -> str:
    """Return `message` with where LangGraph's documentation tells more of the error."""
    return f"{message}\nSee https://docs.langchain.com/oss/python/langgraph/errors/{error_code.value}"


def _restored(cls: type[BaseException], args: tuple[Any, ...], attributes: dict[str, Any]) -> BaseException:
    error = cls.__new__(cls, *args)
    error.__dict__.update(attributes)
    return error


class _Portable(BaseException):
    """An error whose constructor takes more than its message, and that still goes from process to process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, self.__dict__)


class EmptyChannelError(Exception):
    """A channel was read before anything was written to it."""


class EmptyInputError(Exception):
    """A run got no input that the graph could use."""


class GraphRecursionError(RecursionError):
    """The graph did not come to an end within `recursion_limit` supersteps."""


class InvalidUpdateError(Exception):
    """A node wrote something that the state cannot take."""


class ForeignObjectError(InvalidUpdateError, TypeError):
    """An object of LangGraph's own types was given to nbhitl's engine; the message names the import to swap."""


class UnknownNodeError(ValueError, _Portable):
    """A name was used that is no node of this graph."""

    def __init__(self, name: object, known: Iterable[str], where: str) -> None:

        known = sorted(known)
        super().__init__(f"{where}: the graph has no node {name!r}.{nearest(name, known)}")


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a hint with the nearest known name; empty if none is near."""
    from difflib import get_close_matches

    near = get_close_matches(str(name), known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def nearest(name: object, known: Sequence[str], what: str = "Its nodes are") -> str:
    """Return a hint that ends an error about an unknown name: the nearest known one, else all of them."""
    return did_you_mean(name, known) or f" {what}: {', '.join(known) or 'none'}."


class UnknownPathKey(KeyError):
    """A path function returned something for which its path map has no node."""

    __str__ = Exception.__str__


class MissingThreadId(ValueError, KeyError):
    """A graph with a checkpointer was used without saying which thread it is."""

    __str__ = Exception.__str__


class NodeCancelledError(Exception, _Portable):
    """A node's own code raised `asyncio.CancelledError` although nobody cancelled the run."""

    node: str

    def __init__(self, node: str, message: str | None = None) -> None:
        self.node = node
        super().__init__(message or f"Node {node!r} raised asyncio.CancelledError")


class NodeTimeoutError(Exception, _Portable):
    """A node ran longer than its TimeoutPolicy allows. Times are seconds."""

    def __init__(
        self,
        node: str,
        elapsed: float,
        *,
        kind: Literal["idle", "run"],
        idle_timeout: float | None = None,
        run_timeout: float | None = None,
    ) -> None:
        self.node = node
        self.elapsed = elapsed
        self.kind = kind
        self.idle_timeout = idle_timeout
        self.run_timeout = run_timeout
        self.timeout = idle_timeout if kind == "idle" else run_timeout
        progress = " without making progress" if kind == "idle" else ""
        super().__init__(
            f"Node {node!r} exceeded its {kind} timeout of {self.timeout or 0:.3f}s{progress} "
            f"(elapsed: {elapsed:.3f}s)."
        )


class TaskNotFound(Exception):
    """A task id that the checkpoint does not hold."""


class UnknownInterruptError(Exception, _Portable):
    """An answer for which no question is open: nothing was run and nothing was saved."""

    def __init__(
        self,
        message: str,
        *,
        reason: Literal["not_pending", "empty_map", "ambiguous"],
        interrupt_ids: Sequence[str] = (),
        pending_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.interrupt_ids = tuple(interrupt_ids)
        self.pending_ids = tuple(pending_ids)


class NodeError:
    """What an error handler node is told: the node that failed and its exception."""

    __slots__ = ("error", "node")

    def __init__(self, node: str, error: BaseException) -> None:
        self.node = node
        self.error = error

    def __repr__(self) -> str:
        return f"NodeError(node={self.node!r}, error={self.error!r})"


class GraphBubbleUp(Exception):
    """Passes through node code up to the engine; code that catches it must raise it again."""


class GraphInterrupt(GraphBubbleUp):
    """A node asks a person; raised by `interrupt()` and handled by the engine."""

    def __init__(self, interrupts: Sequence[Interrupt] = ()) -> None:
        super().__init__(interrupts)


class NodeInterrupt(GraphInterrupt, _Portable):
    """Raised by a node to pause; `interrupt()` is the better way, because it can return an answer. Deprecated."""

    def __init__(self, value: Any, id: str | None = None) -> None:
        import warnings

        from nbhitl.types import Interrupt
        from nbhitl.warnings import LangGraphDeprecatedSinceV10

        text = "`NodeInterrupt` is deprecated: it cannot return an answer. Call `interrupt()`."
        warnings.warn(LangGraphDeprecatedSinceV10(text), stacklevel=2)

        super().__init__([Interrupt(value=value) if id is None else Interrupt(value=value, id=id)])


class GraphDrained(GraphBubbleUp, _Portable):
    """A run stopped between two steps because its RunControl asked for it."""

    def __init__(self, reason: str = "shutdown") -> None:
        self.reason = reason
        super().__init__(f"Graph drained: {reason}")


class ParentCommand(GraphBubbleUp):
    """A Command that a subgraph addresses to the graph above it."""

    args: tuple[Command[Any]]

    def __init__(self, command: Command[Any]) -> None:
        super().__init__(command)


class ReviewError(Exception):
    """What can go wrong between a question and its answer."""


class QuestionOpen(ReviewError):
    """New input was given to a thread on which a question is open."""


class QuestionChanged(ReviewError, _Portable):
    """On replay the node asks something else than what the person answered; the answer is not delivered."""

    def __init__(
        self, message: str, *, answered: Any = None, asked: Any = None, interrupt_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.answered = answered
        self.asked = asked
        self.interrupt_id = interrupt_id


class StaleQuestion(ReviewError):
    """The answer was given to a question that has changed since it was shown; nothing has run."""


class InvalidAnswer(ReviewError, ValueError):
    """An answer that does not fit its question; nothing was sent. `fields` says what is wrong with which."""

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class AlreadyAnswered(ReviewError, _Portable):
    """Someone else's answer to this question came first; `by` says whose, `at` when (UTC, ISO 8601)."""

    def __init__(self, message: str, *, by: str | None = None, at: str | None = None) -> None:
        super().__init__(message)
        self.by = by
        self.at = at


class AnswerInDoubt(ReviewError):
    """An answer was taken up by a process that ended before it could say whether the effect ran."""


class EffectInDoubt(ReviewError, _Portable):
    """An effect of `once()` was started and never reported back: whether it has happened is not known.

    `key` names it, `thread_id` its thread, `owner` who started it, `started_at` when (UTC, ISO 8601).
    """

    def __init__(self, message: str, *, key: str, thread_id: str, owner: str, started_at: str) -> None:
        super().__init__(message)
        self.key = key
        self.thread_id = thread_id
        self.owner = owner
        self.started_at = started_at


class EffectRunning(EffectInDoubt):
    """An effect of `once()` is being done right now, by another task or thread of this process."""


class SwallowedInterrupt(ReviewError):
    """A node caught its own pause and went on as if it had been answered."""


class NotAnswered(ReviewError):
    """A result was read while a question is open."""


class ScriptError(ReviewError, AssertionError):
    """A scripted reviewer met a question it has no answer for, or was left with unused answers."""


class StoreError(Exception):
    """A checkpointer cannot read or write; the message names the store, the thread and what to do."""


class UnsupportedValue(StoreError, TypeError):
    """A value of a type that the store does not hold; the message names where it is."""


class BundleError(StoreError):
    """A bundle (an exported thread) is damaged, was written by a newer nbhitl, or cannot be imported here."""


class NewerStore(StoreError):
    """A store written by a newer version of nbhitl than the one that opens it."""


_INVALID_RESUME = "_nbhitl_invalid_resume"


def mark_invalid_resume(error: BaseException) -> None:
    """Note on `error` that it judges an answer, not the node: see `is_invalid_resume`."""
    setattr(error, _INVALID_RESUME, True)


def is_invalid_resume(error: BaseException) -> bool:
    """Whether `error` says that an answer did not fit its question's `response_schema`.

    The question is then still open and nothing was saved.
    """
    return getattr(error, _INVALID_RESUME, False) is True
