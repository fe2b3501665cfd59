"""What differs between a graph of nbhitl's and one compiled by LangGraph, behind one small interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from nbhitl.errors import InvalidAnswer, UnknownInterruptError, is_invalid_resume
from nbhitl.review.protocol import REQUIRED
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BY = "__nbhitl_by"
"""The configurable entry by which nbhitl's engine learns who answers."""
STRICT = "__pregel_strict_resume"
"""The configurable entry by which either engine refuses a map of answers if any question in it is not open."""


class Engine(Protocol):
    """How one engine wants to be resumed."""

    name: str

    lists_answered: bool
    """Whether a snapshot still lists questions whose answer is saved; `answered` then tells which."""

    claims_answers: bool
    """Whether the engine claims the answers that it is resumed with."""

    def answered(
        self, task_ns: str, interrupt_ids: Sequence[str], writes: Iterable[tuple[str, str, Any]], task_id: str
    ) -> set[str]:
        """Return which of a task's listed questions have an answer among its checkpoint's pending writes."""

    def resume(self, answers: Mapping[str, Any]) -> Any:
        """Return the input that delivers `{interrupt id: answer}`."""

    def go_to(self, node: str) -> Any:
        """Return the input that starts `node`."""

    def reducers(self, graph: Any) -> frozenset[str]:
        """Return the state keys of `graph` that have a reducer."""

    def is_command(self, value: Any) -> bool:
        """Whether `value` is the engine's Command."""

    def answering(self, config: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Return the config to resume with: unknown questions are refused, and `by` is who answers."""

    def is_invalid_answer(self, error: BaseException) -> bool:
        """Whether `error` judges an answer, and nothing was saved."""

    def is_unknown_question(self, error: BaseException) -> bool:
        """Whether `error` says that the question is not open."""


class OwnEngine:
    """nbhitl's engine."""

    name = "nbhitl"
    lists_answered = False
    claims_answers = True

    def answered(
        self, task_ns: str, interrupt_ids: Sequence[str], writes: Iterable[tuple[str, str, Any]], task_id: str
    ) -> set[str]:
        """Return nothing: nbhitl's snapshots list open questions only."""
        return set()

    def resume(self, answers: Mapping[str, Any]) -> Any:
        """Return the input that delivers `{interrupt id: answer}`."""
        return Command(resume=dict(answers))

    def go_to(self, node: str) -> Any:
        """Return the input that starts `node`."""
        return Command(goto=node)

    def reducers(self, graph: Any) -> frozenset[str]:
        """Return the state keys of `graph` that have a reducer."""
        channels = getattr(graph, "channels", {})
        return frozenset(key for key, channel in channels.items() if hasattr(channel, "operator"))

    def is_command(self, value: Any) -> bool:
        """Whether `value` is nbhitl's Command."""
        return isinstance(value, Command)

    def answering(self, config: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Return `config` with who answers, for the store's claim, and resumes of unknown questions refused."""
        return {**config, "configurable": {**config["configurable"], BY: by, STRICT: True}}

    def is_invalid_answer(self, error: BaseException) -> bool:
        """Whether `error` judges an answer, and nothing was saved."""
        return is_invalid_resume(error) or isinstance(error, InvalidAnswer)

    def is_unknown_question(self, error: BaseException) -> bool:
        """Whether `error` says that the question is not open."""
        return isinstance(error, UnknownInterruptError)


def engine_of(graph: Any) -> Engine:
    """Return the engine that `graph` was compiled for.

    Raises:
        TypeError: it is no compiled graph.
        ValueError: it has no checkpointer; or its LangGraph is older than nbhitl works with.
    """
    missing = [name for name in REQUIRED if not callable(getattr(graph, name, None))]
    if missing:
        hint = " Call .compile(checkpointer=...) first." if hasattr(graph, "compile") else ""
        raise TypeError(
            f"GraphThread needs a compiled graph, not a {type(graph).__name__} "
            f"(it has no {', '.join(missing)}).{hint}"
        )
    if getattr(graph, "checkpointer", None) in (None, False, True):
        raise ValueError(
            "This graph has no checkpointer, so it can't wait for an answer. Compile it with one: "
            "compile(checkpointer=InMemorySaver()), from nbhitl.checkpoint.memory (or from your graph's own "
            "library)."
        )
    if any(base.__module__.partition(".")[0] == "langgraph" for base in type(graph).__mro__):
        from nbhitl.review.attach_langgraph import LangGraphEngine

        return LangGraphEngine()
    return OwnEngine()
