"""What to say about common mistakes in building a graph."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args
from warnings import warn

from nbhitl.constants import RESERVED, TASKS
from nbhitl.errors import nearest
from nbhitl.types import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.graph.state import StateGraph
    from nbhitl.types import All

_OF_COMPILED = frozenset({
    "invoke", "ainvoke", "stream", "astream", "astream_events", "batch", "abatch", "get_state", "aget_state",
    "get_state_history", "aget_state_history", "update_state", "aupdate_state", "get_graph", "with_config",
})  # fmt: skip


def near(name: object, nodes: Iterable[str]) -> str:
    """Return how an error about an unknown node ends: with the most similar name, or with all there are."""
    if name in ("START", "END"):
        return f". It is a constant: `from nbhitl.graph import {name}`, and {name} without quotes"
    return f".{nearest(name, [*nodes])}"


def breakpoint_names(nodes: All | Sequence[str] | None, given_as: str) -> tuple[str, ...]:
    """Return the nodes of a static breakpoint, as `compile()` takes them.

    Raises:
        TypeError: they are no list of names.
    """
    if nodes is None:
        return ()
    if nodes == "*":
        return ("*",)
    if isinstance(nodes, str) or not isinstance(nodes, Collection):
        raise TypeError(f'compile({given_as}={nodes!r}) takes a list of node names, or "*" for all of them.')
    return tuple(nodes)


def check_reserved(nodes: Iterable[str], keys: Iterable[str]) -> None:
    """Check that no node and no state key has a name that the engine keeps for itself.

    Raises:
        ValueError: one has.
    """
    taken = RESERVED.intersection(nodes)
    if taken:
        raise ValueError(f"Node name '{min(taken)}' is reserved. Give the node another name.")
    for key in keys:
        if key in RESERVED or key == TASKS:
            raise ValueError(f"Channel name '{key}' is reserved. Give this key of the state another name.")


def check_keepers(store: object, cache: object) -> None:
    """Warn of a `store=` or `cache=` that is none."""
    if store is None and cache is None:
        return
    from nbhitl.graph._unheard import warn_of_keepers

    warn_of_keepers(store, cache)


def check_uncompiled(builder: StateGraph, what: str) -> None:
    """Log that `what` is added too late, if it is."""
    if not builder.compiled:
        return
    from logging import getLogger

    getLogger("nbhitl.graph.state").warning(
        f"Adding {what} to a graph that has already been compiled. This will not be reflected in the compiled graph: "
        "compile it again."
    )


def refuse_transformers(given: object) -> None:
    """Refuse what `compile(transformers=...)` is given, if anything.

    Raises:
        NotImplementedError: there are transformers.
    """
    if given:
        raise NotImplementedError(
            'compile(transformers=...): they are for stream_events(version="v3"), which nbhitl does not have. '
            "Leave them out, and read stream() or astream_events() instead."
        )


def check_path_map(path_map: object, where: str) -> None:
    """Check that `path_map` is a map or a list.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(path_map, str) or not isinstance(path_map, (Mapping, Iterable)):
        raise TypeError(
            f"{where}: path_map is {path_map!r}; it is a dict {{what path returns: node}}, or a list of nodes."
        )


def check_schema(schema: object) -> None:
    """Check that a schema is a type, and warn where it is none: the state is then one value, without keys.

    Raises:
        TypeError: it is a value such as an instance of a TypedDict.
    """
    if isinstance(schema, type) or get_args(schema):
        return
    if isinstance(schema, Hashable):
        warn(
            f"Invalid state_schema: {schema}. Expected a type or Annotated[type, reducer]: a TypedDict, a dataclass or a "
            "pydantic model. The state of this graph has no keys.",
            stacklevel=3,
        )
    else:
        from reprlib import repr as shortened

        raise TypeError(
            f"StateGraph got {shortened(schema)} as a schema; it is a class: a TypedDict, a dataclass or a pydantic "
            "model."
        )


def retry_policies(given: object) -> tuple[RetryPolicy, ...]:
    """Return the policies of `retry_policy=`: one, a list of them, or none.

    Raises:
        TypeError: it is none of these.
    """
    policies = (given,) if isinstance(given, RetryPolicy) else given or ()
    if not isinstance(policies, Iterable):
        raise TypeError(f"retry_policy is {given!r}; it is a RetryPolicy, or a list of them.")
    return tuple(policies)


def check_name(name: object) -> None:
    """Check that `add_node(name, action)` got a name.

    Raises:
        TypeError: `name` is something else.
    """
    if not isinstance(name, str):
        raise TypeError(f"add_node({name!r}, ...): a node's name is a string.")


def not_compiled(name: str) -> str:
    """Return what to say of an attribute that a graph under construction lacks."""
    hint = ". It runs when it is compiled: graph = builder.compile()" if name in _OF_COMPILED else ""
    return f"'StateGraph' object has no attribute '{name}'{hint}"


def unsupported_action(target: Any, name: str) -> str:
    """Return what to say of something that cannot be a node."""
    way_out = "Give a function, an object with __call__, or one with invoke and ainvoke."
    if hasattr(target, "compile"):
        way_out = "Compile the graph first: it is a node as graph.compile()."
    got = f"Instead got an unsupported type: {type(target)} for {name!r}."
    return f"Expected a Runnable, callable or dict. {got} {way_out}"
