"""Starts and ends, told to LangChain's callback handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nbhitl.engine.traces import Opening


def can_open(callbacks: Any) -> bool:
    """Whether `callbacks` are LangChain's and somebody hears them."""
    if langchain_module("callbacks") is None:
        return False
    langchain_module("runnables.config")  # where LangChain's code in nodes looks for these callbacks
    return bool(callbacks if isinstance(callbacks, (list, tuple)) else callbacks.handlers)


def open_langchain_run(callbacks: Any, opening: Opening) -> LangChainRun:
    """Tell that something starts."""
    manager = _configured("CallbackManager", callbacks, opening)
    name = opening.name or "RunnableCallable"
    started = manager.on_chain_start(None, opening.input, name=name, run_id=opening.run_id)
    return LangChainRun(started)


async def open_langchain_run_async(callbacks: Any, opening: Opening) -> LangChainRun:
    """Tell that something starts, in an async run."""
    manager = _configured("AsyncCallbackManager", callbacks, opening)
    started = await manager.on_chain_start(None, opening.input, name=opening.name, run_id=opening.run_id)
    return LangChainRun(started)


def _configured(kind: str, callbacks: Any, opening: Opening) -> Any:
    cls = getattr(langchain_module("callbacks"), kind)
    if isinstance(callbacks, cls):
        # Made for a run above: whom LangChain tells by itself was found there.
        manager = callbacks.copy()
        manager.add_tags(opening.tags)
        manager.add_metadata(opening.metadata)
        return manager
    given = list(callbacks) if isinstance(callbacks, tuple) else callbacks
    return cls.configure(
        inheritable_callbacks=given,
        inheritable_tags=opening.tags,
        inheritable_metadata=opening.metadata,
    )


class LangChainRun:
    """A graph, a node or a path function that LangChain's handlers know to have started."""

    __slots__ = ("_run",)

    def __init__(self, run: Any) -> None:
        self._run = run

    def callbacks(self, tag: str | None) -> Any:
        """Return the callback manager for what is called inside."""
        return self._run.get_child(tag)

    def finish(self, output: Any, *, streams: bool) -> None:
        """Tell that it ended; with `streams`, that it yielded its output first."""
        if streams:
            for handler in self._streaming():
                for _ in handler.tap_output_iter(self._run.run_id, iter((output,))):
                    pass
        self._run.on_chain_end(output)

    async def afinish(self, output: Any, *, streams: bool) -> None:
        """As `finish`, in an async run."""
        if streams:
            for handler in self._streaming():
                async for _ in handler.tap_output_aiter(self._run.run_id, _once(output)):
                    pass
        await self._run.on_chain_end(output)

    def fail(self, error: BaseException) -> None:
        """Tell that it failed, or paused."""
        self._run.on_chain_error(error)

    async def afail(self, error: BaseException) -> None:
        """As `fail`, in an async run."""
        await self._run.on_chain_error(error)

    def _streaming(self) -> list[Any]:
        module = langchain_module("tracers._streaming")
        kind = getattr(module, "_StreamingCallbackHandler", None)
        return [handler for handler in self._run.handlers if kind is not None and isinstance(handler, kind)]


async def _once(output: Any) -> AsyncIterator[Any]:
    yield output
