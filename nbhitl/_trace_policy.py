"""What tracers are told of a node's input and output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True, slots=True, frozen=True)
class TracePolicy:
    """What LangChain's tracers record of a node; other callback handlers are told all.

    Each function takes a node's input, or what it returned, and returns what to record. The node, its children's
    runs and the graph's own are not affected.
    """

    process_inputs: Callable[[Any], Any] | None = None
    process_outputs: Callable[[Any], Any] | None = None


def omit_payload(value: Any) -> dict[str, Any]:
    """Record nothing: for `process_inputs` and `process_outputs`."""
    return {}
