"""Which node of a thread's graph is done, running, paused, failed or next, and the drawing that shows it."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from nbhitl.draw import (
    diagram_of,
    langgraph_diagram,
    svg_with_status,
    to_mermaid,
    to_svg,
    to_text,
    with_status,
)
from nbhitl.draw.status import state_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.draw import Diagram, NodeStatus

logger = logging.getLogger("nbhitl")

WIDEST = 900
"""Pixels; a drawing from left to right that is wider than this is drawn from top to bottom."""

MOST_STEPS = 200
"""How far back the history is read to see which nodes have run."""


class GraphState:
    """A thread's graph as it stands. `svg` is None where no Graphviz can be had, or nothing can be drawn."""

    def __init__(self, thread: Any) -> None:
        self.thread = thread
        self.session = thread.session
        self.base = with_status(_diagram(thread.graph), {})
        self.svg = _fitting_svg(self.base)
        self._ran: set[str] = set()
        self._next: set[str] = set()
        self._failed: set[str] = set()
        self._running: str | None = None
        self._read_for: Any = None

    def diagram(self) -> Diagram:
        """Return the diagram with the state that each node has now."""
        self._observe()
        keys = {node.key for node in self.base.nodes if node.kind in ("node", "subgraph")}
        statuses: dict[str, NodeStatus | None] = {}
        asked: Counter[str] = Counter()
        for status, names in self._named():
            for key in _keys(names, keys):
                statuses[key] = status
        for card in self.session.cards:
            if card.waits:
                asked.update(_keys([card.question.node], keys))
        badges = {key: f"{count} questions" for key, count in asked.items() if count > 1}
        return with_status(self.base, statuses, badges=badges)

    def traits(self) -> dict[str, Any]:
        """Return what the graph's panel needs: the drawing, and `{data-node: {"status", "text"}}`."""
        diagram = self.diagram()
        ids = diagram.ids()
        states = {
            ids[node.key]: {"status": node.status or "", "text": state_text(node)} for node in diagram.nodes
        }
        return {"svg": self.svg or "", "states": states}

    def record(self) -> dict[str, str]:
        """Return the drawing as a picture and as text."""
        diagram = self.diagram()
        if self.svg is None:
            return {"text/plain": to_text(diagram), "text/vnd.mermaid": to_mermaid(diagram)}
        return {"text/plain": to_text(diagram), "image/svg+xml": svg_with_status(self.svg, diagram)}

    # -- what is known -----------------------------------------------------------------------

    def _named(self) -> Iterable[tuple[NodeStatus, set[str]]]:
        """The states in the order in which a later one wins."""
        cards = self.session.cards
        yield "done", self._ran
        if self.session.state == "stopped":
            yield "next", self._next
        yield "paused", {card.question.node for card in cards if card.waits}
        running = {card.question.node for card in cards if card.state == "sending"}
        if self.session.state == "running" and self._running:
            running = {self._running}
        yield "running", running
        yield "failed", {card.question.node for card in cards if card.state == "failed"}
        if self.session.state == "failed":
            yield "failed", self._failed

    def _observe(self) -> None:
        session = self.session
        if session.state == "running":
            if self._running is None:
                self._read_history()
            node = session.progress.node if session.progress else ""
            if node and node != self._running:
                if self._running:
                    self._ran.add(self._running)
                self._running = node
            self._read_for = None
            return
        self._running = None
        stands = (session.state, len(session.cards))
        if self._read_for != stands:
            self._read_for = stands
            self._read_history()

    def _read_history(self) -> None:
        """Read which nodes have run since the thread's last input."""
        try:
            history = list(islice(self._since_input(), MOST_STEPS))
        except Exception as error:
            # Async savers can't be read here; the drawing then shows what this view has seen for itself.
            logger.info("The drawing of thread %r can't read its history: %s", self.session.thread_id, error)
            return
        self._ran = {name for snapshot in history[1:] for name in snapshot.next}
        if not history:
            return
        tasks = history[0].tasks
        self._ran |= {task.name for task in tasks if task.result is not None}
        self._next = set(history[0].next) - self._ran
        self._failed = {task.name for task in tasks if task.error is not None}

    def _since_input(self) -> Iterable[Any]:
        # From the newest checkpoint from parent to parent: what ran on other branches is another story.
        wanted = None
        for snapshot in self.thread.graph.get_state_history(self.thread.config):
            if wanted is not None and snapshot.config["configurable"]["checkpoint_id"] != wanted:
                continue
            yield snapshot
            if (snapshot.metadata or {}).get("source") == "input" or not snapshot.parent_config:
                return
            wanted = snapshot.parent_config["configurable"]["checkpoint_id"]


class Drawing:
    """A thread's graph with the state of each node; shows itself in a cell."""

    def __init__(self, thread: Any) -> None:
        self._bundle = GraphState(thread).record()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return dict(self._bundle)

    def __repr__(self) -> str:
        return self._bundle["text/plain"]


def _diagram(graph: Any) -> Diagram:
    topology = getattr(graph, "topology", None)
    return langgraph_diagram(graph) if topology is None else diagram_of(topology)


def _fitting_svg(diagram: Diagram) -> str | None:
    """Draw from left to right if that fits a cell, else down."""
    across = to_svg(diagram, direction="LR")
    if across is None or _width(across) <= WIDEST:
        return across
    return to_svg(diagram)


def _width(svg: str) -> float:
    head = svg[: svg.index(">")]
    return float(head.split(' width="', 1)[1].split('"', 1)[0])


def _keys(names: Iterable[str], keys: set[str]) -> Iterable[str]:
    """The drawn nodes for node paths: `parent/child` is `parent:child` where it is drawn, else `parent`."""
    for name in names:
        parts = name.split("/")
        for end in range(len(parts), 0, -1):
            key = ":".join(parts[:end])
            if key in keys:
                yield key
                break
