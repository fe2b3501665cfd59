"""The state of a run on its drawing: which nodes are done, running, paused, failed or next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from nbhitl.draw.diagram import Diagram, DiagramNode, NodeStatus
from nbhitl.draw.labels import clean
from nbhitl.errors import UnknownNodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STATUSES: Final[tuple[NodeStatus, ...]] = get_args(NodeStatus)

MAX_BADGE = 24


def with_status(
    diagram: Diagram,
    statuses: Mapping[str, NodeStatus | None],
    *,
    badges: Mapping[str, str | Sequence[str]] | None = None,
    runs: Mapping[str, int] | None = None,
) -> Diagram:
    """The diagram with the state of each node: `statuses` and `badges` ("2 questions") by node key.

    `runs` are how often a node has run; from the second on it is shown. What was there before is replaced.
    Raises UnknownNodeError for a name that isn't drawn, ValueError for an unknown status.
    """
    badges, runs = badges or {}, runs or {}
    _check(diagram, statuses, badges, runs)
    nodes = tuple(_marked(node, statuses, badges, runs) for node in diagram.nodes)
    return replace(diagram, nodes=nodes, stateful=True)


def state_text(node: DiagramNode) -> str:
    """The line under a node's name: its status and badges, else its lasting notes. Not yet escaped.

    >>> state_text(DiagramNode("a", "a", status="paused", badges=("2 questions",)))
    'paused · 2 questions'
    """
    if node.status is None and not node.badges:
        return " · ".join(node.notes)
    words = (node.status, *node.badges) if node.status else node.badges
    return " · ".join(words)


def _marked(
    node: DiagramNode,
    statuses: Mapping[str, NodeStatus | None],
    badges: Mapping[str, str | Sequence[str]],
    runs: Mapping[str, int],
) -> DiagramNode:
    texts = badges.get(node.key, ())
    shown = [texts] if isinstance(texts, str) else list(texts)
    if runs.get(node.key, 0) > 1:
        shown.append(f"ran {runs[node.key]}\u00d7")
    return replace(
        node, status=statuses.get(node.key), badges=tuple(clean(text, MAX_BADGE) for text in shown if text)
    )


def _check(
    diagram: Diagram, statuses: Mapping[str, NodeStatus | None], *others: Mapping[str, object]
) -> None:
    known = {node.key for node in diagram.nodes}
    for named in (statuses, *others):
        for name in named:
            if name not in known:
                raise UnknownNodeError(name, known, "Drawing the state of a run")
    for name, status in statuses.items():
        if status is not None and status not in STATUSES:
            raise ValueError(
                f"The status of node {name!r} is {status!r}; it must be None or one of {', '.join(STATUSES)}."
            )
