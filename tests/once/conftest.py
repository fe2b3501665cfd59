from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .graphs import OWN, PAIRS, SAVERS, Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["nbhitl", "langgraph"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture(params=list(SAVERS))
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with SAVERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=OWN)
def own_saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with SAVERS[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=PAIRS, ids=[f"{engine}-{saver}" for engine, saver in PAIRS])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Any]]:
    engine, saver = request.param
    with SAVERS[saver](tmp_path) as opened:
        yield Engine(engine), opened
