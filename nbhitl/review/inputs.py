"""Whether two inputs of a run are the same."""

from __future__ import annotations

import hashlib
from typing import Any

from nbhitl.checkpoint.serde import canonical_bytes
from nbhitl.review.plain import to_plain


def input_digest(value: Any) -> str:
    """Return a digest of a run's input; ids that messages get when they are added do not count."""
    return hashlib.sha256(canonical_bytes(_without_ids(to_plain(value)))).hexdigest()


def _without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        is_message = "content" in value and ("type" in value or "role" in value)
        return {k: _without_ids(v) for k, v in value.items() if not (is_message and k == "id")}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value
