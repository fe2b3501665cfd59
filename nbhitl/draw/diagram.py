"""What a drawing shows: nodes, edges and clusters as plain data, and how a graph's topology becomes that.

    Topology -> diagram_of() -> Diagram -> to_dot | to_mermaid | to_text | to_svg

A Diagram holds no colours and no positions; two equal diagrams are drawn alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.constants import END, START
from nbhitl.draw.infer import asks, node_routes, path_routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbhitl.draw.infer import Routes
    from nbhitl.engine.spec import BranchSpec, NodeSpec, Topology

NodeKind = Literal["start", "end", "node", "subgraph", "unknown"]
EdgeKind = Literal["plain", "conditional", "inferred", "join"]
NodeStatus = Literal["done", "running", "paused", "failed", "next"]

FOLD_ABOVE = 60
"""With more nodes than this, subgraphs are drawn as one node each although `xray` asks for their insides."""

UNKNOWN_SUFFIX = ":?"


@dataclass(frozen=True, slots=True)
class DiagramNode:
    """A node as drawn. `key` is unique in the diagram; inside a subgraph it is `"outer:inner"`.

    `notes` are lasting facts ("asks", "pauses before"); `status` and `badges` ("2 questions") pass.
    A node of kind "unknown" stands for targets that only running the code can tell.
    """

    key: str
    label: str
    kind: NodeKind = "node"
    notes: tuple[str, ...] = ()
    cluster: str | None = None
    status: NodeStatus | None = None
    badges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagramEdge:
    """An edge between two node keys.

    "plain" is always taken, "conditional" was declared by a path function or `destinations`, "inferred" was
    read from the node's source, "join" waits for all sources of that target.
    """

    source: str
    target: str
    label: str = ""
    kind: EdgeKind = "plain"


@dataclass(frozen=True, slots=True)
class DiagramCluster:
    """A subgraph whose nodes are drawn inside a frame. `parent` is the key of the frame around it."""

    key: str
    label: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Diagram:
    """A graph as drawn. With `stateful` there is room for each node's state, which can change in place."""

    name: str
    nodes: tuple[DiagramNode, ...]
    edges: tuple[DiagramEdge, ...]
    clusters: tuple[DiagramCluster, ...] = ()
    stateful: bool = False
    note: str = ""

    def ids(self) -> dict[str, str]:
        """The synthetic id of each node by its key, `{"agent": "n1"}`: the only names in DOT and SVG."""
        return {node.key: f"n{i}" for i, node in enumerate(self.nodes)}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from nbhitl.draw.display import mimebundle

        return mimebundle(self)


def diagram_of(topology: Topology, *, xray: bool | int = False) -> Diagram:
    """The diagram of a graph.

    `xray` shows the insides of subgraphs as clusters (an int: so many levels), unless that makes more than
    `FOLD_ABOVE` nodes; the diagram's `note` then says so.
    """
    if xray:
        opened = _build(topology, int(xray) if not isinstance(xray, bool) else _DEEP)
        if len(opened.nodes) <= FOLD_ABOVE or not opened.clusters:
            return opened
        folded = _build(topology, 0)
        return replace(
            folded, note=f"subgraphs are folded: {len(opened.nodes)} nodes are more than {FOLD_ABOVE}"
        )
    return _build(topology, 0)


_DEEP = 100


def _build(topology: Topology, levels: int) -> Diagram:
    nodes = [DiagramNode(START, START, "start")]
    nodes += [_node(spec, topology) for spec in topology.nodes.values()]
    edges, unknown = _edges(topology)
    nodes += unknown
    if any(edge.target == END for edge in edges):
        nodes.append(DiagramNode(END, END, "end"))
    diagram = Diagram(topology.name, tuple(nodes), tuple(edges))
    if levels > 0:
        for spec in topology.nodes.values():
            inside = _inside(spec, levels - 1)
            if inside is not None:
                diagram = expand(diagram, spec.name, inside)
    return diagram


def _inside(spec: NodeSpec, levels: int) -> Diagram | None:
    if spec.subgraph is None:
        return None
    inner = getattr(spec.subgraph, "topology", None)
    return None if inner is None else _build(inner, levels)


def _node(spec: NodeSpec, topology: Topology) -> DiagramNode:
    name = spec.name
    notes: tuple[str, ...] = ()
    if name in topology.interrupt_before:
        notes += ("pauses before",)
    if name in topology.interrupt_after:
        notes += ("pauses after",)
    if spec.subgraph is not None:
        inner = getattr(spec.subgraph, "topology", None)
        if inner is not None and _any_asks(inner):
            notes += ("asks",)
        return DiagramNode(name, name, "subgraph", notes)
    if asks(spec.action):
        notes += ("asks",)
    return DiagramNode(name, name, "node", notes)


def _any_asks(topology: Topology) -> bool:
    if topology.interrupt_before or topology.interrupt_after:
        return True
    return any(_node(spec, topology).notes for spec in topology.nodes.values())


def _edges(topology: Topology) -> tuple[list[DiagramEdge], list[DiagramNode]]:
    """All edges in the order of the nodes, and a node for each source whose targets nobody can tell."""
    plain: dict[str, list[DiagramEdge]] = {}
    for source, target in topology.edges:
        plain.setdefault(source, []).append(DiagramEdge(source, target))
    for sources, target in topology.joins:
        for source in sources:
            plain.setdefault(source, []).append(DiagramEdge(source, target, "", "join"))
    edges: list[DiagramEdge] = []
    unknown: list[DiagramNode] = []
    for source in (START, *topology.nodes):
        found = plain.get(source, [])
        spec = topology.nodes.get(source)
        branches = topology.branches.get(source, ())
        if branches or (spec is not None):
            found = found + _routed(source, spec, branches, topology)
        if not found and source != START:
            # A node that leads nowhere ends the graph; saying so is what LangGraph's picture does too.
            found = [DiagramEdge(source, END)]
        edges += _once(found) if len(found) > 1 else found
        if found and found[-1].target.endswith(UNKNOWN_SUFFIX):
            unknown.append(DiagramNode(found[-1].target, "?", "unknown"))
    return edges, unknown


def _routed(
    source: str, spec: NodeSpec | None, branches: Iterable[BranchSpec], topology: Topology
) -> list[DiagramEdge]:
    """Edges by path functions and by Commands; an edge to the unknown node comes last."""
    found: list[DiagramEdge] = []
    is_open = False
    for branch in branches:
        if branch.ends is not None:
            found += _declared(source, branch.ends)
        else:
            routes = path_routes(branch.path)
            found += _inferred(source, routes, topology)
            is_open |= routes.is_open
    if spec is not None:
        if spec.ends:
            found += [DiagramEdge(source, end, label, "conditional") for end, label in _labels(spec.ends)]
        else:
            routes = _node_routes(spec)
            found += _inferred(source, routes, topology)
            is_open |= routes.is_open
    if is_open:
        found.append(DiagramEdge(source, source + UNKNOWN_SUFFIX, "", "inferred"))
    return found


def _declared(source: str, ends: Mapping[Any, str]) -> list[DiagramEdge]:
    edges = []
    for key, target in ends.items():
        label = "" if key == target else str(key)
        edges.append(DiagramEdge(source, target, label, "conditional"))
    return edges


def _labels(ends: Any) -> Iterable[tuple[str, str]]:
    """`ends` of a node as (target, label); a label that repeats the target says nothing and is dropped."""
    if hasattr(ends, "items"):
        return [(end, "" if not label or label == end else str(label)) for end, label in ends.items()]
    return [(end, "") for end in ends]


def _node_routes(spec: NodeSpec) -> Routes:
    if spec.subgraph is None:
        return node_routes(spec.action)
    inner = getattr(spec.subgraph, "topology", None)
    return node_routes(None) if inner is None else _parent_routes(inner)


def _parent_routes(inner: Topology) -> Routes:
    """Where the nodes of a subgraph send the graph around it, by `Command(graph=Command.PARENT)`."""
    from nbhitl.draw.infer import Routes

    targets: dict[str, None] = {}
    for spec in inner.nodes.values():
        if spec.subgraph is None:
            targets.update(dict.fromkeys(node_routes(spec.action).parent))
    return Routes(tuple(targets))


def _inferred(source: str, routes: Routes, topology: Topology) -> list[DiagramEdge]:
    """Only targets that exist: a string that is no node is no route, whatever the code means by it."""
    known = topology.nodes
    return [DiagramEdge(source, t, "", "inferred") for t in routes.targets if t in known or t == END]


def _once(edges: list[DiagramEdge]) -> list[DiagramEdge]:
    """The edges without repetitions; what was declared wins over what was read from the source."""
    declared = {(e.source, e.target) for e in edges if e.kind != "inferred"}
    seen: dict[tuple[str, str, str], DiagramEdge] = {}
    for edge in edges:
        if edge.kind == "inferred" and (edge.source, edge.target) in declared:
            continue
        seen.setdefault((edge.source, edge.target, edge.label), edge)
    return list(seen.values())


def expand(diagram: Diagram, key: str, inside: Diagram) -> Diagram:
    """`diagram` with the node `key` replaced by the nodes of `inside`, in a cluster.

    The inner START and END vanish where one plain edge leads from or to them: the outer edges then meet the
    first and last inner node. With several they stay, as small nodes.
    """
    entry, leave, dropped = _seams(inside)
    cluster = DiagramCluster(key, next(n.label for n in diagram.nodes if n.key == key))
    inner_nodes = [
        replace(n, key=f"{key}:{n.key}", cluster=f"{key}:{n.cluster}" if n.cluster else key)
        for n in inside.nodes
        if n.key not in dropped
    ]
    nodes: list[DiagramNode] = []
    for node in diagram.nodes:
        if node.key == key:
            nodes += inner_nodes
        else:
            nodes.append(node)
    edges: list[DiagramEdge] = []
    for edge in diagram.edges:
        source = f"{key}:{leave}" if edge.source == key else edge.source
        target = f"{key}:{entry}" if edge.target == key else edge.target
        edges.append(replace(edge, source=source, target=target))
    for edge in inside.edges:
        if edge.source not in dropped and edge.target not in dropped:
            edges.append(replace(edge, source=f"{key}:{edge.source}", target=f"{key}:{edge.target}"))
    clusters = [
        DiagramCluster(f"{key}:{c.key}", c.label, f"{key}:{c.parent}" if c.parent else key)
        for c in inside.clusters
    ]
    return replace(
        diagram,
        nodes=tuple(nodes),
        edges=tuple(edges),
        clusters=(*diagram.clusters, cluster, *clusters),
    )


def _seams(inside: Diagram) -> tuple[str, str, set[str]]:
    """The inner nodes that outer edges lead to and leave from, and which virtual nodes are dropped."""
    dropped = set()
    entry, leave = START, END
    first = [e for e in inside.edges if e.source == START]
    last = [e for e in inside.edges if e.target == END]
    if len(first) == 1 and first[0].kind == "plain" and first[0].target != END:
        entry = first[0].target
        dropped.add(START)
    if len(last) == 1 and last[0].kind == "plain" and last[0].source != START:
        leave = last[0].source
        dropped.add(END)
    elif not last:
        # It never ends by itself: a Command for the outer graph leaves it, from wherever that is.
        leave = next(n.key for n in reversed(inside.nodes) if n.kind != "unknown")
    return entry, leave, dropped
