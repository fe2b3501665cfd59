"""`TypedDict`, of the kind that pydantic reads where it is installed: states with such dicts have a JSON Schema."""

from __future__ import annotations

try:
    from typing_extensions import TypedDict
except ModuleNotFoundError:  # it comes with pydantic; without that nobody makes schemas
    from typing import TypedDict

__all__ = ["TypedDict"]
