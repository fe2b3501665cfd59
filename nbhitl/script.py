"""The scripted reviewer: `with answers([approve(), edit(limit=5), reject("no")]): thread.run(...)`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from nbhitl.errors import ScriptError
from nbhitl.review.decisions import Decision, answer, approve, batch, edit, option, reject, respond

if TYPE_CHECKING:
    from contextvars import Token
    from types import TracebackType

    from nbhitl.review.card import Card

__all__ = [
    "Script",
    "active_script",
    "answer",
    "answers",
    "approve",
    "edit",
    "nobody_can_click",
    "option",
    "reject",
    "respond",
]

UNATTENDED = "NBHITL_UNATTENDED"
"""Environment variable: 1 says that nobody is there to click, 0 that somebody is."""


def answers(decisions: Sequence[Decision | Sequence[Decision]], *, unattended: bool = False) -> Script:
    """Answer the questions of the `with` block by script, in the order of asking.

    Args:
        decisions: one a question: `approve()`, `edit(...)`, `reject(...)`, `respond(...)`, `option(...)` or
            `answer(value)`; a list of them for a question about several actions.
        unattended: act only where nobody can click: in a kernel that may not ask for input (nbval and
            nbclient run notebooks so), without a terminal, or with NBHITL_UNATTENDED=1. Elsewhere the block
            does nothing and the reader clicks.

    Raises:
        ScriptError: a question comes that has no answer left, or answers are left at the end of the block.
        TypeError: something in the list is no decision.
    """
    return Script(decisions, unattended=unattended)


class Script:
    """Decisions to give, in order; made by `answers()`, active within its `with` block."""

    def __init__(self, decisions: Sequence[Decision | Sequence[Decision]], *, unattended: bool) -> None:
        if isinstance(decisions, Decision):
            raise TypeError("answers(...) takes a list, one decision a question: answers([approve()]).")
        self._decisions = [_as_decision(item, place) for place, item in enumerate(decisions, 1)]
        self._unattended = unattended
        self._given = 0
        self._token: Token[Script | None] | None = None

    @property
    def left(self) -> int:
        """How many answers have not been given yet."""
        return len(self._decisions) - self._given

    def decision_for(self, card: Card) -> Decision:
        """Return the next answer.

        Raises:
            ScriptError: there is none left.
        """
        if not self.left:
            raise ScriptError(
                f"The script has no answer left for question {card.label} of node {card.question.node!r} "
                f"(thread {card.question.thread_id!r}): {card.question.text!r}. It had {self._given}; add "
                "one to answers([...])."
            )
        decision = self._decisions[self._given]
        self._given += 1
        return decision

    def __enter__(self) -> Script:
        if not self._unattended or nobody_can_click():
            self._given = 0
            self._token = _ACTIVE.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is None:
            return
        _ACTIVE.reset(self._token)
        self._token = None
        if error is None and self.left:
            listed = ", ".join(decision.kind for decision in self._decisions[self._given :])
            raise ScriptError(
                f"{self.left} of {len(self._decisions)} scripted answers were not used: {listed}. The graph "
                "asked fewer questions than expected; take them out of answers([...])."
            )


_ACTIVE: ContextVar[Script | None] = ContextVar("nbhitl_script", default=None)


def active_script() -> Script | None:
    """Return the script whose `with` block is running here, or None."""
    return _ACTIVE.get()


def _as_decision(item: Any, place: int) -> Decision:
    if isinstance(item, Decision):
        return item
    if isinstance(item, Sequence) and not isinstance(item, str) and item:
        return batch([_as_decision(part, place) for part in item])
    raise TypeError(
        f"answers([...]): item {place} is {item!r}; it takes approve(), edit(...), reject(...), "
        "respond(...), option(...) or answer(value)."
    )


def running_kernel() -> Any:
    """Return the Jupyter kernel that this process is, or None. Loads nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None)


def nobody_can_click() -> bool:
    """Whether nobody is there to answer: by NBHITL_UNATTENDED, the kernel's word, or no terminal."""
    said = os.environ.get(UNATTENDED)
    if said in ("0", "1"):
        return said == "1"
    kernel = running_kernel()
    if kernel is not None:
        return not getattr(kernel, "_allow_stdin", True)
    return sys.stdin is None or sys.stdin.closed or not sys.stdin.isatty()
