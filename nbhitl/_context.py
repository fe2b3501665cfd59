"""What code inside a running node may see of its run; one context variable, set for each task."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint.steps import StepSaver
    from nbhitl.config import RunnableConfig
    from nbhitl.runtime import Runtime


class TaskContext(Protocol):
    """A running task, as seen by the code that it runs."""

    script: Iterator[tuple[Any, Any]]
    """What the node is known to ask next, with the answers."""

    def ask(self, value: Any, response_schema: Any, *, strays: bool = False) -> Any:
        """Return the answer to this question, or raise GraphInterrupt.

        Args:
            value: what is asked.
            response_schema: what the answer must look like, None if it may be anything.
            strays: the script was asked for its next question, and that was another one.
        """

    def write_custom(self, chunk: Any) -> None:
        """Put `chunk` into the stream of mode `custom`."""

    @property
    def config(self) -> RunnableConfig:
        """The run's config, with what identifies this task."""

    @property
    def runtime(self) -> Runtime[Any]:
        """The run's context, store and stream writer, with what identifies this task."""

    @property
    def store(self) -> Any:
        """The store given to `compile()`, or None."""

    def scope(self, name: str) -> AbstractContextManager[None]:
        """Give the questions asked inside a count of their own."""

    def journal(self) -> tuple[StepSaver, str]:
        """Return where effects of the thread are noted, and the thread's name."""

    def read_state(self) -> dict[str, Any]:
        """Return the state that the step sees, without managed values."""

    def push_message(self, message: Any, state_key: str | None) -> None:
        """Put a message into the stream of mode `messages`, and into the state when the node ends."""


CURRENT_TASK: ContextVar[TaskContext | None] = ContextVar("nbhitl_task", default=None)


def current_task(caller: str) -> TaskContext:
    """Return the running task.

    Raises:
        RuntimeError: `caller` was called where no node is running.
    """
    task = CURRENT_TASK.get()
    if task is None:
        from nbhitl._langchain import in_node_of_langgraph
        from nbhitl.errors import ForeignObjectError

        if in_node_of_langgraph():
            raise ForeignObjectError(
                f"This node belongs to a graph that LangGraph compiled, and its {caller} is nbhitl's. Import {caller} "
                "from langgraph, or the graph's StateGraph from nbhitl.graph."
            )
        raise RuntimeError(
            f"Called get_config outside of a runnable context: {caller}() needs a running node. "
            "Call it from a node (or from a function that a "
            "node calls in the same thread or asyncio task)."
        )
    return task
