"""Two processes with one store each act in turn, told what to do by the one that compares."""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .acts import done, told
from .kinds import POSTGRES, SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .acts import Act


class Processes:
    """Processes that share what they call ids, and the list of effects."""

    def __init__(self) -> None:
        self.pipes: list[Any] = []
        self._shared: tuple[dict[str, str], list[str]] = ({}, [])

    def told(self, number: int) -> list[Any]:
        """Return what a process tells of the store."""
        told: list[Any] = self.done(number, None)
        return told

    def done(self, number: int, act: Act | None) -> Any:
        """Let a process act; return what came of it."""
        self.pipes[number].send((act, *self._shared))
        result, names, effects = self.pipes[number].recv()
        self._shared = names, effects
        return result


@contextmanager
def started(kinds: tuple[str, ...], shape: str, address: str) -> Iterator[Processes]:
    """Start a process for each kind of saver, all on one store; end them at the end of the `with` block."""
    spawning, processes, running = multiprocessing.get_context("spawn"), Processes(), []
    try:
        for kind in kinds:
            here, there = spawning.Pipe()
            process = spawning.Process(target=_serve, args=(there, kind, shape, address), daemon=True)
            process.start()
            running.append(process)
            processes.pipes.append(here)
        yield processes
    finally:
        for pipe in processes.pipes:
            pipe.send(None)
        for process in running:
            process.join(30)


def _serve(pipe: Any, kind: str, shape: str, address: str) -> None:
    world = {**SQLITE, **POSTGRES}[kind](shape, address)
    while (asked := pipe.recv()) is not None:
        act, world.names, world.effects[:] = asked
        result = told(world) if act is None else done(world, act)
        pipe.send((result, world.names, list(world.effects)))
    world.close()
