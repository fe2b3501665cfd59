"""For every test: no network, a place of its own for what Jupyter and IPython would keep at home, PostgreSQL."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import left_out
import pytest
from stores import KINDS, address_of

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.postgres_server import NoServer, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "")


def pytest_testnodedown(node: Any) -> None:
    """Collect what the workers say."""
    left_out.take_over(node)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was left out, and why."""
    if line := left_out.noted(config):
        terminalreporter.write_line(line)


class NetworkUsed(AssertionError):
    """A test reached for another machine."""


@pytest.fixture(scope="session", autouse=True)
def _offline():
    """Fail whatever connects to anything but this machine."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise NetworkUsed(f"A test connects to {address}; nbhitl and its tests work offline")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        yield


@pytest.fixture
def jupyter_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for Jupyter and IPython, so that the reader's settings play no part."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    return tmp_path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server; NBHITL_REQUIRE_POSTGRES=1 makes its absence a failure."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(PostgresServer.running())
        except NoServer as reason:
            if os.environ.get("NBHITL_REQUIRE_POSTGRES"):
                raise
            pytest.skip(f"no PostgreSQL: {reason}")
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> str:
    """A connection string of an empty place in the server."""
    return postgres_server.fresh()


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest) -> str:
    """The address of an empty store that several processes may open: SQLite and PostgreSQL in turn."""
    return address_of(request.param, request)
