"""Where a node's Commands and a path function may go, as far as that is declared."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from nbhitl.graph._action import name_of
from nbhitl.graph._mistakes import check_path_map
from nbhitl.graph._signature import hints_of
from nbhitl.types import Command


def given_targets(destinations: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """Return where a node's Commands may go, with labels, as `destinations=` says it."""
    return dict(destinations) if isinstance(destinations, Mapping) else dict.fromkeys(destinations, "")


def annotated_targets(hints: dict[str, Any] | None) -> dict[str, str]:
    """Return where a node's Commands may go, as its return annotation tells, without labels.

    `hints` are what `hints_of(action)` returned.
    """
    returned = hints.get("return") if hints else None
    return dict.fromkeys(_command_targets(returned), "") if returned is not None else {}


def _command_targets(hint: Any) -> tuple[str, ...]:
    if get_origin(hint) is Command:
        return tuple(t for arg in get_args(hint) if get_origin(arg) is Literal for t in get_args(arg))
    return tuple(t for arg in get_args(hint) for t in _command_targets(arg))


def path_targets(
    path: Any, path_map: Mapping[Hashable, str] | Sequence[str] | None
) -> Mapping[Hashable, str] | None:
    """Return what a path function may return and the node that it stands for; None if that is not declared."""
    if isinstance(path_map, Mapping):
        return dict(path_map)
    if path_map is not None:
        check_path_map(path_map, f"add_conditional_edges with path {name_of(path) or path!r}")
        return {name: name for name in path_map}
    hint = (hints_of(path) or {}).get("return")
    if get_origin(hint) is Literal:
        return {name: name for name in get_args(hint)}
    return None
