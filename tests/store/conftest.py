"""Stores in SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from database_stores import KINDS, OURS


@pytest.fixture
def make(request):
    """Opens stores of a kind by their class; closed after the test."""
    with ExitStack() as stack:

        def made(classes, kind, **options):
            address = ":memory:" if kind == "sqlite" else request.getfixturevalue("postgres")
            store = stack.enter_context(classes[kind].from_conn_string(address, **options))
            store.setup()
            return store

        yield made


@pytest.fixture(params=KINDS)
def store(request, make):
    return make(OURS, request.param)
