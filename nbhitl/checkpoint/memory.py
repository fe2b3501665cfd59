"""A saver in memory: everything is gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from nbhitl.checkpoint._inspectable import Inspectable
from nbhitl.checkpoint._memory_rows import MemoryRows
from nbhitl.checkpoint._unpacked import step_in_memory
from nbhitl.checkpoint.serde import Serde, SerializerProtocol

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["InMemorySaver", "MemorySaver"]


class InMemorySaver(Inspectable):
    """Keeps threads in this process; for trying things out, tests and benchmarks.

    Values that can be changed in place are stored encoded, so that changing one afterwards does not change history.
    Classes of values are registered as they are first stored. Any number of threads may use it at once.

    Args:
        serde: turns values into bytes and back.
    """

    _row_of = staticmethod(step_in_memory)

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(MemoryRows(), serde=serde if serde is not None else Serde(learn=True))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a saver with the same threads, each of which goes its own way in either from then on."""
        from copy import deepcopy
        from threading import RLock

        twin = object.__new__(type(self))
        memo[id(self)] = twin
        fresh = vars(InMemorySaver(serde=self.serde))  # what a saver knows that has read nothing yet
        added = {name: deepcopy(value, memo) for name, value in vars(self).items() if name not in fresh}
        memo[id(self._rows.held)] = RLock()
        with self._rows.held:
            vars(twin).update(fresh, _rows=deepcopy(self._rows, memo), **added)
        return twin

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


MemorySaver = InMemorySaver


def __getattr__(name: str) -> object:
    if name == "PersistentDict":
        raise ImportError(
            "nbhitl.checkpoint.memory has no PersistentDict: SqliteSaver.from_conn_string(file) of "
            "nbhitl.checkpoint.sqlite keeps threads in a file.",
            name=__name__,
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
