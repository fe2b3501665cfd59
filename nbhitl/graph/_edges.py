"""Checks of edges: what they may be, and whether they lead from nodes to nodes."""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import TYPE_CHECKING

from nbhitl.constants import END, START
from nbhitl.graph._mistakes import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.engine.spec import BranchSpec


def check_edge(start_key: str, end_key: object) -> None:
    """Check an edge from one node to another; both may be added later.

    Raises:
        TypeError: it does not end at a name.
        ValueError: it leaves END or enters START.
    """
    if not isinstance(end_key, str):
        _check_end_is_one(end_key)
    _check_start(start_key)
    _check_end(end_key)


def check_join(start_keys: object, end_key: object, nodes: Collection[str]) -> None:
    """Check an edge from a list of nodes, all of which must be there.

    Raises:
        TypeError: it is not given by names.
        ValueError: it leaves END or enters START, or joins nodes that are not there.
    """
    if not isinstance(start_keys, Collection):
        raise TypeError(
            f"add_edge({start_keys!r}, ...): an edge starts at a node's name, or at a list of them."
        )
    _check_end_is_one(end_key)
    for source in start_keys:
        _check_start(source)
        if source not in nodes:
            raise ValueError(f"Need to add_node `{source}` first")
    _check_end(end_key)
    if end_key != END and end_key not in nodes:
        raise ValueError(f"Need to add_node `{end_key}` first")


def _check_end_is_one(end_key: object) -> None:
    if not isinstance(end_key, str) and isinstance(end_key, Collection):
        raise TypeError(f"add_edge(..., {end_key!r}): an edge ends at one node. Add an edge for each.")


def _check_start(start_key: object) -> None:
    if start_key == END:
        raise ValueError("END cannot be a start node: edges end there, add_edge(node, END)")


def _check_end(end_key: object) -> None:
    if end_key == START:
        raise ValueError("START cannot be an end node: edges begin there, add_edge(START, node)")


def check_ways(
    sources: Set[str],
    branches: Mapping[str, Mapping[str, BranchSpec]],
    targets: Sequence[str],
    nodes: Mapping[str, object],
) -> None:
    """Check that there is a way in, and that every edge leads from a node to a node.

    Args:
        sources: where edges and conditional edges start.
        branches: the conditional edges by source and name.
        targets: where edges end, in the order in which they were added.
        nodes: the names of the nodes.

    Raises:
        ValueError: it does not; the message names the edge.
    """
    strangers = sources - nodes.keys() - {START}
    if strangers:
        source = min(strangers)
        raise ValueError(f"Found edge starting at unknown node '{source}'{near(source, nodes)}")
    if START not in sources:
        raise ValueError("Graph must have an entrypoint: add at least one edge from START to another node")
    for source, named in branches.items():
        for branch in named.values():
            for end in (branch.ends or {}).values():
                if end not in nodes and end != END:
                    raise ValueError(
                        f"At '{source}' node, '{branch.name}' branch found unknown target '{end}'{near(end, nodes)}"
                    )
    unknown = set(targets) - nodes.keys() - {END}
    if unknown:
        target = next(target for target in targets if target in unknown)
        raise ValueError(f"Found edge ending at unknown node `{target}`{near(target, nodes)}")
