"""What `compile()` makes of a graph: plain descriptions that the engine runs and the drawing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._slotted import made, slotted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbhitl.types import CachePolicy, RetryPolicy, TimeoutPolicy


@slotted
class BranchSpec:
    """A conditional edge: `path` looks at the state and names what runs next.

    `ends` maps what `path` returns to node names; None when the targets are not declared, which the drawing
    shows as an edge to every node.
    """

    path: Callable[..., Any]
    ends: Mapping[Any, str] | None
    name: str


@slotted
class NodeSpec:
    """A node: its action and what was said about it in `add_node`.

    `ends` are targets of Commands that are declared (`destinations=` or `Command[Literal[...]]`), a mapping
    of target to label. `error_handler` runs when the node has failed for good; `handler_name` is what it is
    reported as, None for a name made of the node's.
    `subgraph` is the compiled graph when the action is one.
    """

    name: str
    action: Any
    input_schema: Any = None
    metadata: Mapping[str, Any] | None = None
    defer: bool = False
    ends: Mapping[str, str] = made(factory=dict)
    retry: Sequence[RetryPolicy] = ()
    cache: CachePolicy | None = None
    timeout: TimeoutPolicy | None = None
    subgraph: Any = None
    error_handler: Any = None
    handler_name: str | None = None
    trace_policy: Any = None


@slotted
class Topology:
    """The nodes and edges of a graph, in the order in which they were added; all that a drawing needs.

    `edges` are pairs, `joins` pairs of (sources, target) that wait for all sources, `branches` is
    `{source: [BranchSpec, ...]}`. START and END occur as names, not as nodes.
    """

    name: str
    nodes: dict[str, NodeSpec]
    edges: list[tuple[str, str]]
    joins: list[tuple[tuple[str, ...], str]]
    branches: dict[str, list[BranchSpec]]
    interrupt_before: frozenset[str] = frozenset()
    interrupt_after: frozenset[str] = frozenset()
