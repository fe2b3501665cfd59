"""What GraphThread's arguments mean for a graph: configs, breakpoints, routes, names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.errors import UnknownNodeError
from nbhitl.review.pending import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def current_user() -> str:
    """Return who runs this kernel, as far as it says itself."""
    for name in ("JUPYTERHUB_USER", "NB_USER", "USER", "USERNAME", "LOGNAME"):
        if user := os.environ.get(name):
            return user
    return "someone"


def thread_config(config: Mapping[str, Any] | None, thread_id: str) -> dict[str, Any]:
    """Return `config` for this thread.

    Raises:
        TypeError: the thread's name is no string: claims are found by it.

    >>> thread_config({"recursion_limit": 9}, "t")
    {'recursion_limit': 9, 'configurable': {'thread_id': 't'}}
    """
    if not isinstance(thread_id, str):
        raise TypeError(
            f"GraphThread(thread_id={thread_id!r}): a thread's name is a string, for example 'orders-1'."
        )
    given = dict(config or {})
    return {**given, "configurable": {**(given.get("configurable") or {}), "thread_id": thread_id}}


def run_settings(context: Any, before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of `stream` that are set."""
    given = {
        "context": context,
        "interrupt_before": _listed(before) or None,
        "interrupt_after": _listed(after) or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _listed(nodes: Sequence[str]) -> Any:
    return nodes if isinstance(nodes, str) else list(nodes)


def reading_of(
    graph: Any,
    thread_id: str,
    replies: Mapping[str, Mapping[str, Any]] | None,
    routes: Mapping[str, str | Sequence[str]] | None,
    before: Sequence[str],
    after: Sequence[str],
) -> Reading:
    """Return how the thread is read, with the arguments of GraphThread.

    Raises:
        UnknownNodeError: one of them names a node that the graph does not have.
    """
    _check_nodes(graph, replies or {}, "replies")
    _check_nodes(graph, routes or {}, "routes")
    _check_nodes(graph, before, "interrupt_before")
    _check_nodes(graph, after, "interrupt_after")
    return Reading(
        thread_id=thread_id,
        replies=replies or {},
        routes={node: _targets(to) for node, to in (routes or {}).items()},
        before=_breakpoints(graph, "interrupt_before_nodes", before),
        after=_breakpoints(graph, "interrupt_after_nodes", after),
        has_claims=True,
    )


def _breakpoints(graph: Any, attribute: str, own: Sequence[str]) -> frozenset[str] | Literal["*"]:
    """Return the graph's own static breakpoints and the thread's, "*" for every node."""
    of_graph = getattr(graph, attribute, None) or ()
    if "*" in (of_graph, own):
        return "*"
    return frozenset(of_graph) | frozenset(own)


def _targets(to: str | Sequence[str]) -> tuple[str, ...]:
    """Return one or several node names as a tuple."""
    return (to,) if isinstance(to, str) else tuple(to)


def _check_nodes(graph: Any, names: Iterable[str], where: str) -> None:
    """Raise UnknownNodeError if a name is none of the graph's nodes; paths into subgraphs are taken."""
    known = [str(name) for name in getattr(graph, "nodes", ())]
    if names == "*" or not known:
        return
    for name in names:
        if "/" not in name and name not in known:
            own = [node for node in known if not node.startswith("__")]
            raise UnknownNodeError(name, own, f"GraphThread({where}=)")
