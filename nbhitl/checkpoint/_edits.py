"""How a list was edited: which of its items went, and what came in their place. Pure.

Edits are `[[place, how many went, [what came]], ...]`, by place; places count the items of the list before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde.plain import listed

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

Edits = list[list[Any]]


def edits_between(old: Sequence[Any], new: Sequence[Any], changed: Container[int] = ()) -> Edits | None:
    """Return the edits that make `new` of `old`, in which the same objects are the same items.

    Args:
        old: the list before.
        new: the list after.
        changed: `id()` of objects that are other items now, although they may stand in both.

    Returns:
        The edits; None if more than half of the list has come anew, which is then better stored whole.
    """
    places = {id(item): place for place, item in enumerate(old) if id(item) not in changed}
    edits: Edits = []
    told, count, came = 0, 0, []  # of the old items, those before `told` are told of
    for item in new:
        place = places.get(id(item), -1)
        if place < told:
            came.append(item)
            count += 1
            continue
        if came or place > told:
            edits.append([told, place - told, came])
            came = []
        told = place + 1
    if came or told < len(old):
        edits.append([told, len(old) - told, came])
    return None if 2 * count > len(new) else edits


def edited(items: list[Any], edits: Edits) -> list[Any]:
    """Return the list after the edits.

    Raises:
        TypeError, ValueError: they are no edits, or not of this list.
    """
    made: list[Any] = []
    items, told = listed(items), 0
    for place, gone, came in listed(edits):
        if not told <= place <= place + gone <= len(items):
            raise ValueError(f"items {place} to {place + gone} of a list of {len(items)} are edited")
        made += items[told:place]
        made += listed(came)
        told = place + gone
    made += items[told:]
    return made
