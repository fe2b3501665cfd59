"""What annotations of LangGraph's own packages name, at LangGraph's own place for it."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypedDict

__all__ = ["DeprecatedKwargs", "StateLike"]

StateLike: TypeAlias = Mapping[str, Any] | object
"""A state's schema: a TypedDict, a dataclass or a pydantic model, which have no class in common to check against."""


class DeprecatedKwargs(TypedDict):
    """Keywords that a function still takes and that annotations do not list."""
