"""What a person gives a run: whether two inputs are the same, and whether an update names what is there."""

from __future__ import annotations

import hashlib
from typing import Any

from nbhitl.checkpoint.serde import canonical_bytes
from nbhitl.errors import InvalidUpdateError, nearest
from nbhitl.review.plain import to_plain


def input_digest(value: Any) -> str:
    """Return a digest of a run's input; ids that messages get when they are added do not count."""
    return hashlib.sha256(canonical_bytes(_without_ids(to_plain(value)))).hexdigest()


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        is_message = "content" in value and ("type" in value or "role" in value)
        return {k: _without_ids(v) for k, v in value.items() if not (is_message and k == "id")}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


def refuse_unknown_keys(graph: Any, values: Any) -> None:
    """Refuse an update of a graph's state that would be ignored, or some of it.

    Raises:
        InvalidUpdateError: a dict has a key that the state has not.
    """
    channels = getattr(graph, "channels", None)
    if not isinstance(values, dict) or channels is None or _ROOT in channels:
        return
    for key in values:
        if key not in channels:
            keys = [name for name in channels if not name.startswith(_INTERNAL)]
            raise InvalidUpdateError(
                f"fork(values=...): the state has no key {key!r}.{nearest(key, keys, 'Its keys are')}"
            )


_INTERNAL = ("__", "branch:", "join:")
_ROOT = "__root__"
"""The only channel of a graph whose state is one value."""
