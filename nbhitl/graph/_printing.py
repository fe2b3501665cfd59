"""Print a run's chunks as they are read, for `debug=True` and `print_mode=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Generator

    from nbhitl.engine.events import Chunk

_BOLD, _YELLOW, _PLAIN = "\033[1m", "\033[1;30;33m", "\033[0m"


def printer(modes: Collection[str]) -> Callable[[Chunk], None]:
    """Return a function that prints the chunks of `modes`, and passes over others."""

    def show(chunk: Chunk) -> None:
        ns, mode, payload = chunk[:3]
        if mode in modes:
            where = f"{_YELLOW}[graph={ns}]{_PLAIN} " if ns else ""
            print(f"{_BOLD}[{mode}]{_PLAIN} {where}{payload!r}")

    return show


def printed(
    run: Generator[Chunk, None, Any], modes: Collection[str], shown: Collection[str]
) -> Generator[Chunk, None, Any]:
    """Print chunks of `modes` on their way, and yield those of `shown`; return what `run` returns."""
    show = printer(modes)
    try:
        while True:
            chunk = next(run)
            show(chunk)
            if chunk[1] in shown:
                yield chunk
    except StopIteration as end:
        return end.value
    finally:
        run.close()


async def aprinted(
    run: AsyncGenerator[Chunk, None], modes: Collection[str], shown: Collection[str]
) -> AsyncGenerator[Chunk, None]:
    """Print chunks of `modes` on their way, and yield those of `shown`."""
    show = printer(modes)
    try:
        async for chunk in run:
            show(chunk)
            if chunk[1] in shown:
                yield chunk
    finally:
        await run.aclose()
