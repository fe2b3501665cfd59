"""Both engines, for tests that show where they differ."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

from .both_engines import engine
from .swap import LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from types import SimpleNamespace


@pytest.fixture
def langgraph() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield engine(LANGGRAPH)


@pytest.fixture
def nbhitl() -> SimpleNamespace:
    return engine(NBHITL)
