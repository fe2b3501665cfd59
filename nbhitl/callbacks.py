"""Handlers that hear when a graph pauses to ask, and when it goes on: in `config["callbacks"]`, beside LangChain's.

>>> from nbhitl.callbacks import GraphCallbackHandler
>>> class Noisy(GraphCallbackHandler):
...     def on_interrupt(self, event):
...         print("asked:", [asked.value for asked in event.interrupts])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from nbhitl.types import Interrupt

__all__ = [
    "GraphCallbackHandler",
    "GraphInterruptEvent",
    "GraphLifecycleEvent",
    "GraphLifecycleStatus",
    "GraphResumeEvent",
]

GraphLifecycleStatus = Literal[
    "input", "pending", "done", "interrupt_before", "interrupt_after", "out_of_steps"
]
"""Where a run was: "pending" for questions, else the kind of its breakpoint."""


@dataclass(frozen=True, slots=True)
class GraphInterruptEvent:
    """A run paused at a checkpoint; `interrupts` are its questions, none at a breakpoint.

    `checkpoint_ns` are the levels of the graph's namespace, none for the outermost one.
    """

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]
    interrupts: tuple[Interrupt, ...]


@dataclass(frozen=True, slots=True)
class GraphResumeEvent:
    """A run goes on from a checkpoint; called graphs that go on tell it as well."""

    run_id: UUID | None
    status: GraphLifecycleStatus
    checkpoint_id: str
    checkpoint_ns: tuple[str, ...]


GraphLifecycleEvent = GraphInterruptEvent | GraphResumeEvent


class _Lifecycle:
    """What a handler is told; its methods may be async."""

    def on_interrupt(self, event: GraphInterruptEvent) -> Any:
        """The run has paused; everything is saved."""

    def on_resume(self, event: GraphResumeEvent) -> Any:
        """The run goes on where it had paused or failed, before any node starts."""


def is_graph_handler(handler: object) -> bool:
    """Whether a handler is told of pauses."""
    return isinstance(handler, _Lifecycle)


@cache
def _handler_class() -> type:
    """LangChain passes on only handlers of its own class; without it there is nobody to pass them on."""
    from nbhitl._langchain import langchain_module

    module = langchain_module("callbacks")
    bases = (_Lifecycle,) if module is None else (_Lifecycle, module.BaseCallbackHandler)
    return type("GraphCallbackHandler", bases, {"__module__": __name__, "__doc__": _Lifecycle.__doc__})


if TYPE_CHECKING:

    class GraphCallbackHandler(_Lifecycle):
        """What a handler derives from."""


def __getattr__(name: str) -> Any:
    # Made when asked for: it derives from LangChain's class where langchain-core is installed.
    if name != "GraphCallbackHandler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _handler_class()
