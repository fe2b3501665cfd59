"""What `get_graph()` lists: the nodes and edges that the builder was told of, in LangGraph's order.

Drawings show more (`diagram.py`): where path functions and Commands may go, read from their source.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._slotted import of_fields
from nbhitl.constants import END, START
from nbhitl.engine.error_handlers import handler_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.engine.spec import NodeSpec, Topology


_FAR = 250
"""How far LangGraph follows the edges of a graph that is drawn."""


class Node(NamedTuple):
    """A node of a view: its id, its name, what it runs, and its metadata."""

    id: str
    name: str
    data: Any
    metadata: dict[str, Any] | None

    def copy(self, *, id: str | None = None, name: str | None = None) -> Node:
        """The node with another id or name, as LangChain asks for it to draw a graph within a chain."""
        return Node(id or self.id, name or self.name, self.data, self.metadata)


class Edge(NamedTuple):
    """An edge of a view; `data` is its label, `conditional` says that it isn't always taken."""

    source: str
    target: str
    data: str | None = None
    conditional: bool = False

    def copy(self, *, source: str | None = None, target: str | None = None) -> Edge:
        """The edge between other nodes; see `Node.copy`."""
        return Edge(source or self.source, target or self.target, self.data, self.conditional)


_node, _edge = of_fields(Node), of_fields(Edge)


def declared(topology: Topology, levels: int) -> tuple[dict[str, Node], list[Edge]]:
    """The nodes by id, and the edges; subgraphs are opened down to `levels`."""
    nodes = {START: Node(START, START, None, None)}
    shared: dict[str, Node] = {}
    before = _single(topology.interrupt_before)
    after = _single(topology.interrupt_after)
    for spec in topology.nodes.values():
        if spec.error_handler is not None:
            # A node's own handler stands before it; the one that nodes share has its name, and comes last.
            name = spec.handler_name or handler_name(spec.name)
            (shared if spec.handler_name else nodes)[name] = Node(name, name, spec.error_handler, None)
        metadata = _metadata(spec, spec.name in before, spec.name in after)
        nodes[spec.name] = _node((spec.name, spec.name, spec.action, metadata))
    nodes |= shared
    nodes[END] = Node(END, END, None, None)
    edges = _edges(topology)
    if not _any_ends(edges):
        del nodes[END]
    for spec in topology.nodes.values() if levels > 0 else ():
        inner = getattr(spec.subgraph, "topology", None)
        if inner is not None and getattr(spec.subgraph, "checkpointer", None) is not False:
            nodes, edges = _opened(nodes, edges, spec.name, *declared(inner, levels - 1))
    return nodes, edges


def _single(interrupted: frozenset[str]) -> frozenset[str]:
    """The nodes that a run stops at, where they were named one by one."""
    return frozenset() if "*" in interrupted else interrupted


def _any_ends(edges: Iterable[Edge]) -> bool:
    return END in [edge[1] for edge in edges]


def _metadata(spec: NodeSpec, before: bool, after: bool) -> dict[str, Any] | None:
    """Metadata as given, and under the keys that LangGraph uses, what else was said about the node."""
    metadata = dict(spec.metadata or {})
    if spec.defer:
        metadata["defer"] = True
    if before or after:
        metadata["__interrupt"] = "before,after" if before and after else "before" if before else "after"
    if type(spec.action) is not FunctionType:
        tools = getattr(spec.action, "tools_by_name", None)
        if isinstance(tools, dict):
            metadata["__tools"] = list(tools)
    return metadata or None


def _edges(topology: Topology) -> list[Edge]:
    """The edges of what can be reached, by source and target; plain ways to the end come last."""
    found: dict[tuple[str, str], Edge] = {}
    ends: list[Edge] = []
    leaving_of = _leaving(topology)
    late = {name for name, spec in topology.nodes.items() if spec.defer}
    reached, last = {START}, [START]
    deferred: list[str] = []
    while last:
        before, last = last, []
        dead: list[str] = []
        for source in before:
            leaving = leaving_of.get(source, ())
            for edge in leaving:
                target = edge[1]
                found.setdefault((source, target), edge)
                if target != END and target not in reached:
                    reached.add(target)
                    (deferred if target in late else last).append(target)
            if not leaving and source != START:
                dead.append(source)
        if deferred and not last:
            # What was deferred runs after the nodes that came last, even if no edge says so.
            unsaid = [
                target for target in deferred if not any((source, target) in found for source in before)
            ]
            for source, target in product(before, unsaid):
                found[(source, target)] = Edge(source, target, None, True)
            dead = [] if unsaid else dead
            last, deferred = deferred, []
        if dead:
            ends += [Edge(source, END) for source in dead]
    edges = [found[key] for key in sorted(found)] + sorted(ends)
    if not _any_ends(edges):
        # Nothing says where it ends: LangGraph then lets it end after what it came to last, if that is one node.
        final = _after(_FAR, topology, leaving_of)
        if len(final) == 1:
            edges.append(Edge(final[0], END, None, True))
    return edges


def _after(steps: int, topology: Topology, leaving_of: Mapping[str, Sequence[Edge]]) -> list[str]:
    """Which nodes run in the last of so many steps, when every edge is taken; joins wait for all their sources.

    The conditional edges of a node are taken once, the plain ones each time.
    """
    joins = [(target, set(sources)) for sources, target in topology.joins]
    waiting = [set(sources) for _, sources in joins]
    last, decided = [START], set[str]()
    for _ in range(steps):
        following = {
            edge.target: None
            for name in last
            for edge in leaving_of.get(name, ())
            if not (edge.conditional and name in decided)
            and not any(name in sources and edge.target == target for target, sources in joins)
        }
        decided.update(last)
        for n, (target, sources) in enumerate(joins):
            waiting[n].difference_update(last)
            if not waiting[n]:
                waiting[n] = set(sources)
                following[target] = None
        if not following:
            break
        last = list(following)
    return last


def _leaving(topology: Topology) -> dict[str, list[Edge]]:
    """The declared edges of each node but plain ones to END; of several to one target the first is drawn."""
    leaving: defaultdict[str, list[Edge]] = defaultdict(list)
    for sources, target in topology.joins:
        if target != END:
            for source in dict.fromkeys(sources):
                leaving[source].append(Edge(source, target))
    for name, spec in topology.nodes.items():
        if spec.ends:
            for target, label in spec.ends.items():
                data = None if not label or label == target else str(label)
                leaving[name].append(Edge(name, target, data, True))
    for source, branches in topology.branches.items():
        ends = [end for branch in branches for end in (branch.ends or {}).items()]
        for key, target in sorted(ends, key=_label):
            leaving[source].append(Edge(source, target, None if key == target else str(key), True))
    for source, target in topology.edges:
        if target != END:
            leaving[source].append(_edge((source, target, None, False)))
    return leaving


def _label(end: tuple[Any, str]) -> str:
    return str(end[0])


def _opened(
    nodes: dict[str, Node], edges: list[Edge], key: str, inner: dict[str, Node], inside: list[Edge]
) -> tuple[dict[str, Node], list[Edge]]:
    """The view with the node `key` replaced by what is inside it, as `key:inner`.

    What has nodes that no edge leads to stays closed: nothing says where it begins and ends.
    """
    if outermost(inner, inside, "target") is None or outermost(inner, inside, "source") is None:
        return nodes, edges
    entry, leave = _only(inner, inside, "source", START), _only(inner, inside, "target", END)
    dropped = ({START} if entry else set()) | ({END} if leave else set())
    first = entry.target if entry else START
    final = leave.source if leave else END
    placed = {k: node for k, node in nodes.items() if k != key}
    for k, node in inner.items():
        if k not in dropped:
            placed[f"{key}:{k}"] = node._replace(id=f"{key}:{k}")
    moved = [
        edge._replace(
            source=f"{key}:{final}" if edge.source == key else edge.source,
            target=f"{key}:{first}" if edge.target == key else edge.target,
        )
        for edge in edges
    ]
    moved += [
        edge._replace(source=f"{key}:{edge.source}", target=f"{key}:{edge.target}")
        for edge in inside
        if edge.source not in dropped and edge.target not in dropped
    ]
    return placed, moved


def _only(nodes: Iterable[str], edges: Sequence[Edge], field: str, key: str) -> Edge | None:
    """The edge at START or END (`key`) that the drawing does without, with `key`; None if both stay.

    It is the only one there, and its other node begins (or ends) what is left.
    """
    found = [edge for edge in edges if getattr(edge, field) == key]
    if len(found) != 1:
        return None
    other = "target" if field == "source" else "source"
    rest = [edge for edge in edges if edge is not found[0]]
    alone = outermost((node for node in nodes if node != key), rest, other)
    return found[0] if alone == getattr(found[0], other) else None


def outermost(nodes: Iterable[str], edges: Iterable[Edge], field: str) -> str | None:
    """The only node that no edge has as its `field` ("source" or "target"); None if there are several."""
    taken = {getattr(edge, field) for edge in edges}
    free = [key for key in nodes if key not in taken]
    return free[0] if len(free) == 1 else None
