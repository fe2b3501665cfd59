"""What a person decided: approve, edit, reject, respond, or one of the question's options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.review.diff import Change
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["Decision", "DecisionKind", "answer", "approve", "batch", "edit", "option", "reject", "respond"]

DecisionKind = Literal["approve", "edit", "reject", "respond", "option"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision. A builder (`approve()`, `edit(...)`) fills the first part, the session the second.

    What the person chose:
        kind: approve, edit, reject, respond or option. A batch is "approve" or "reject" if all of its
            actions are, else "edit".
        args: the arguments to run, whole: the edited ones, or those that were approved as shown.
        edits: single arguments to change, `{name: new value}`; the session lays them over the question's.
        reason: why, for a rejection.
        value: the text or value of a response, or the value of the option taken.
        exact: `value` is sent as it is, whatever the question's dialect says.
        route: where the graph goes instead, for a rejected static breakpoint: a node's name or END.
        actions: one decision an action, for a batch.

    What was recorded:
        answer: the value that was sent to the graph.
        diff: what the edit changed.
        question_id, digest: which question, and the digest of what was shown.
        by, verified: who, and whether anything but the kernel's own user name says so.
        at: when, UTC, ISO 8601. waited: seconds that the question was open.
    """

    kind: DecisionKind
    args: Mapping[str, Any] | None = None
    edits: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    value: Any = None
    exact: bool = False
    route: str | None = None
    actions: tuple[Decision, ...] = ()

    answer: Any = MISSING
    diff: tuple[Change, ...] = ()
    question_id: str | None = None
    digest: str | None = None
    by: str | None = None
    verified: bool = False
    at: str | None = None
    waited: float | None = None

    def __repr__(self) -> str:
        """Return what was chosen, without what was not."""
        chosen = ((name, getattr(self, name)) for name in ("args", "edits", "reason", "route", "actions"))
        told = {"kind": self.kind, **{name: value for name, value in chosen if value}}
        if self.kind in ("respond", "option"):
            told["value"] = self.value
        return f"Decision({', '.join(f'{name}={value!r}' for name, value in told.items())})"

    @property
    def approved(self) -> bool:
        """Whether the action may run: approved as it is, or with edits."""
        return self.kind in ("approve", "edit")

    @property
    def rejected(self) -> bool:
        """Whether the person said no."""
        return self.kind == "reject"


def approve() -> Decision:
    """Return the decision to go on exactly as shown."""
    return Decision(kind="approve")


def edit(args: Mapping[str, Any] | None = None, **edits: Any) -> Decision:
    """Return the decision to go on with other arguments.

    `args` replaces all of them; keywords change single ones: `edit(limit=10)`.

    Raises:
        TypeError: `args` is no dict.
    """
    if args is not None and not isinstance(args, Mapping):
        raise TypeError(
            f"edit({args!r}): name what changes, edit(limit=10), or give all arguments as a dict, edit({{...}})."
        )
    return Decision(kind="edit", args=None if args is None else dict(args), edits=dict(edits))


def reject(reason: str | None = None, *, route: str | None = None) -> Decision:
    """Return the decision not to go on, and why.

    `route` is where the graph goes instead of a static breakpoint without tool calls: a node's name or END.
    """
    return Decision(kind="reject", reason=reason, route=route)


def respond(value: Any) -> Decision:
    """Return a response in place of an approval: a text, or the values of the question's form."""
    return Decision(kind="respond", value=value)


def option(value: Any) -> Decision:
    """Return the choice of one of the question's options, by its value or its label."""
    return Decision(kind="option", value=value)


def answer(value: Any) -> Decision:
    """Return a response that is sent exactly as it is; any JSON value, None and `{}` too."""
    return Decision(kind="respond", value=value, exact=True)


def batch(actions: Sequence[Decision]) -> Decision:
    """Return one decision made of one an action.

    >>> batch([approve(), reject("no")]).kind
    'edit'
    """
    kinds = {decision.kind for decision in actions}
    only = kinds.pop() if len(kinds) == 1 else "edit"
    return Decision(kind=only, actions=tuple(actions))
