"""A file, and a saver in whose stead nobody writes the steps that wait."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint import _background
from nbhitl.checkpoint.sqlite import SqliteSaver, _group


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "store.db")


@pytest.fixture
def alone(monkeypatch):
    """Nobody writes steps in the background, and none waits too long, however slow the machine is."""
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)
    monkeypatch.setattr(_group, "QUICK", 60.0)
    monkeypatch.setattr(_group, "AGE", 60.0)


@pytest.fixture
def saver(path, alone):
    with SqliteSaver.from_conn_string(path) as saver:
        saver.setup()
        yield saver
