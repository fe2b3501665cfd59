"""The same thread program on each kind of saver, called in the sync or the async way, and what it tells as plain data.

Ids and times differ from saver to saver: each is told as the number under which it was met first.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.bundle import aexport_thread, aimport_thread, export_thread, import_thread

from .shapes import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b"
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(\+00:00|Z)?")
_OWNER = re.compile(r"\b\d+-[0-9a-f]{8}\b")
_STORE = re.compile(r"^(SQLite|PostgreSQL) store[^,:]*(:memory:)?(:\d+)?[,:] ")


class World:
    """A graph on a saver of one kind.

    Args:
        shape: which graph.
        opened: returns a saver, given what closes it in the end.
    """

    def __init__(self, shape: str, opened: Callable[[ExitStack], Any]) -> None:
        self._shape, self._opened = shape, opened
        self._stack = ExitStack()
        self.names: dict[str, str] = {}
        self.effects: list[str] = []
        self.reopen()

    def reopen(self) -> None:
        """Open the store, for a second time as another process would."""
        self._stack.close()
        self._stack = ExitStack()
        self.saver = self._opened(self._stack)
        self.graph = compiled(self._shape, self.saver, self.effects)

    def close(self) -> None:
        self._stack.close()

    def take_turns(self) -> None:
        """Let another connection do what comes next, if there is one."""

    def call(self, of: Any, method: str, *args: Any, **how: Any) -> Any:
        """Return what a method of the graph or the saver returns."""
        return getattr(of, method)(*args, **how)

    def every(self, of: Any, method: str, *args: Any, **how: Any) -> list[Any]:
        """Return all that a method yields."""
        return list(getattr(of, method)(*args, **how))

    def exported(self, thread: str) -> Any:
        """Return a thread as a bundle."""
        return export_thread(self.saver, thread)

    def imported(self, bundle: Any, **how: Any) -> str:
        """Put a bundle into the saver; return the thread's name."""
        return import_thread(self.saver, bundle, **how)

    def plain(self, value: Any) -> Any:
        """Return a value as text in which ids are told by number and times are left out."""
        text = _STORE.sub("", value) if isinstance(value, str) else repr(value)
        return _ID.sub(self._named, _OWNER.sub("OWNER", _TIME.sub("T", text)))

    def bare(self, value: Any) -> str:
        """Return a value as text without ids and times."""
        return _ID.sub("", _TIME.sub("", repr(value)))

    def _named(self, found: re.Match[str]) -> str:
        return self.names.setdefault(found[0], f"#{len(self.names)}")


class AsyncWorld(World):
    """As `World`, by the async methods."""

    def __init__(self, shape: str, opened: Callable[[ExitStack], Any]) -> None:
        self._runner = asyncio.Runner()
        super().__init__(shape, opened)

    def reopen(self) -> None:
        self._stack.close()
        self._stack = ExitStack()
        self.saver = self.run(self._enter(self._opened(self._stack)))
        self.graph = compiled(self._shape, self.saver, self.effects)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Return what a coroutine returns, run in this world's event loop."""
        return self._runner.run(coroutine)

    async def _enter(self, manager: Any) -> Any:
        saver = await manager.__aenter__()
        self._stack.callback(lambda: self.run(manager.__aexit__(None, None, None)))
        return saver

    def close(self) -> None:
        super().close()
        self._runner.close()

    def call(self, of: Any, method: str, *args: Any, **how: Any) -> Any:
        return self.run(getattr(of, f"a{method}")(*args, **how))

    def every(self, of: Any, method: str, *args: Any, **how: Any) -> list[Any]:
        async def gathered() -> list[Any]:
            return [item async for item in getattr(of, f"a{method}")(*args, **how)]

        return self.run(gathered())

    def exported(self, thread: str) -> Any:
        return self.run(aexport_thread(self.saver, thread))

    def imported(self, bundle: Any, **how: Any) -> str:
        name: str = self.run(aimport_thread(self.saver, bundle, **how))
        return name


class TwoKernels(World):
    """As `World`, where two savers on one store act in turn."""

    def reopen(self) -> None:
        super().reopen()
        self._other = self._opened(self._stack)
        self._other_graph = compiled(self._shape, self._other, self.effects)

    def take_turns(self) -> None:
        self.saver, self._other = self._other, self.saver
        self.graph, self._other_graph = self._other_graph, self.graph
