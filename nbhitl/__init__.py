"""nbhitl: agent graphs that stop and ask a person, inside a notebook.

What is nbhitl's own is here; what has a name in LangGraph is in the module of that name (`nbhitl.graph`,
`nbhitl.types`, ...). Names are loaded when they are first used, so importing this costs nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing's, without loading typing: that would be nearly all that this import costs
if TYPE_CHECKING:
    from typing import Any

    from nbhitl.checkpoint.bundle import export_thread, import_thread
    from nbhitl.review.ask import ask
    from nbhitl.review.decisions import Decision
    from nbhitl.review.once import once
    from nbhitl.script import answer, answers, approve, edit, option, reject, respond
    from nbhitl.thread import GraphThread

__all__ = [
    "Decision",
    "GraphThread",
    "answer",
    "answers",
    "approve",
    "ask",
    "edit",
    "export_thread",
    "import_thread",
    "once",
    "option",
    "reject",
    "respond",
]

_HOMES = {
    "Decision": "review.decisions",
    "GraphThread": "thread",
    "ask": "review.ask",
    "export_thread": "checkpoint.bundle",
    "import_thread": "checkpoint.bundle",
    "once": "review.once",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nbhitl.{_HOMES.get(name, 'script')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
