"""A saver in PostgreSQL, a run that waits there, and a connection beside the saver."""

from __future__ import annotations

import psycopg
import pytest

from nbhitl.checkpoint.postgres import PostgresSaver

from ..building import Run


@pytest.fixture
def other(postgres):
    """A connection beside the saver's own."""
    with psycopg.connect(postgres, autocommit=True) as conn:
        yield conn


@pytest.fixture
def saver(postgres):
    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
        yield saver


@pytest.fixture
def run(saver):
    run = Run(saver)
    run.step({"n": 0})
    run.pause("q1")
    return run
