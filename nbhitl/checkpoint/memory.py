"""A saver in memory: everything is gone with the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

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
