from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stores import opened

from .effects import Effect
from .graphs import OWN, PAIRS, SAVERS, Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["nbhitl", "langgraph"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture(params=list(SAVERS))
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with SAVERS[request.param](tmp_path) as saver:
        yield saver


@pytest.fixture(params=[*OWN, "postgres"])
def own_saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "postgres":
        with opened(request.getfixturevalue("postgres")) as saver:
            yield saver
    else:
        with SAVERS[request.param](tmp_path) as saver:
            yield saver


@pytest.fixture(params=PAIRS, ids=[f"{engine}-{saver}" for engine, saver in PAIRS])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Any]]:
    engine, saver = request.param
    with SAVERS[saver](tmp_path) as own:
        yield Engine(engine), own


@pytest.fixture
def effect() -> Effect:
    return Effect()
