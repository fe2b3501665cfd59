"""Starts and ends, told to LangChain's callback handlers."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbhitl._langchain import langchain_module

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nbhitl.engine.traces import Opening

_LANGSMITH = ("langchain_core.tracers.langchain", "langsmith.run_helpers")
"""Where LangChain tells LangSmith of runs, and where LangSmith looks for the one that runs; loaded by who uses them."""


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
    parts = _parts(manager, opening)
    if parts is not None:
        told, recorded = parts
        run_id = opening.run_id or uuid4()
        started = told.on_chain_start(None, opening.input, name=name, run_id=run_id)
        shown = recorded.on_chain_start(None, _shown(opening, opening.input), name=name, run_id=run_id)
        return RecordedRun(started, shown, opening)
    started = manager.on_chain_start(None, opening.input, name=name, run_id=opening.run_id)
    return LangChainRun(started)


async def open_langchain_run_async(callbacks: Any, opening: Opening) -> LangChainRun:
    """Tell that something starts, in an async run."""
    manager = _configured("AsyncCallbackManager", callbacks, opening)
    parts = _parts(manager, opening)
    if parts is not None:
        told, recorded = parts
        run_id = opening.run_id or uuid4()
        shown_input = _shown(opening, opening.input)
        started = await told.on_chain_start(None, opening.input, name=opening.name, run_id=run_id)
        shown = await recorded.on_chain_start(None, shown_input, name=opening.name, run_id=run_id)
        return RecordedRun(started, shown, opening)
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


def _parts(manager: Any, opening: Opening) -> tuple[Any, Any] | None:
    """Return the manager for those who are told all, and the one for tracers; None where no policy says otherwise."""
    tracer = getattr(langchain_module("tracers.base"), "BaseTracer", None)
    if opening.policy is None or tracer is None:
        return None
    tracers = [handler for handler in manager.handlers if isinstance(handler, tracer)]
    if not tracers:
        return None
    told, recorded = manager.copy(), manager.copy()
    told.handlers = [handler for handler in manager.handlers if handler not in tracers]
    recorded.handlers = tracers
    return told, recorded


def _shown(opening: Opening, value: Any, *, output: bool = False) -> Any:
    """Return what tracers record of a value: all of it if the policy fails, as in LangGraph."""
    policy = opening.policy
    process = policy.process_outputs if output else policy.process_inputs
    try:
        return value if process is None else process(value)
    except Exception as error:
        warnings.warn(
            f"the trace policy of node {opening.name!r} failed ({error!r}): all is recorded.",
            UserWarning,
            stacklevel=2,
        )
        return value


class LangChainRun:
    """A graph, a node or a path function that LangChain's handlers know to have started."""

    __slots__ = ("_run",)

    def __init__(self, run: Any) -> None:
        self._run = run

    @property
    def run_id(self) -> Any:
        """LangChain's id of it."""
        return self._run.run_id

    def callbacks(self, tag: str | None) -> Any:
        """Return the callback manager for what is called inside."""
        return self._run.get_child(tag)

    def finish(self, output: Any, *, streams: bool) -> None:
        """Tell that it ended; in a sync run nothing was yielded before."""
        self._run.on_chain_end(output)

    async def afinish(self, output: Any, *, streams: bool) -> None:
        """As `finish`, in an async run; with `streams`, tell that it yielded its output first."""
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

    def enter(self) -> None:
        """Let what LangSmith traces in the current context, `@traceable` functions for one, be told as part of this."""
        tracers, helpers = (sys.modules.get(name) for name in _LANGSMITH)
        if tracers is None or helpers is None:
            return
        for handler in self._hearing():
            tree = (
                handler.run_map.get(str(self.run_id))
                if isinstance(handler, tracers.LangChainTracer)
                else None
            )
            if tree is not None:
                helpers._set_tracing_context({"parent": tree})
                return

    def _hearing(self) -> list[Any]:
        return list(self._run.handlers)

    def _streaming(self) -> list[Any]:
        module = langchain_module("tracers._streaming")
        kind = getattr(module, "_StreamingCallbackHandler", None)
        return [handler for handler in self._run.handlers if kind is not None and isinstance(handler, kind)]


class RecordedRun(LangChainRun):
    """A node with a trace policy: its tracers hear of another input and output than the other handlers."""

    __slots__ = ("_opening", "_recorded")

    def __init__(self, run: Any, recorded: Any, opening: Opening) -> None:
        super().__init__(run)
        self._recorded = recorded
        self._opening = opening

    def _hearing(self) -> list[Any]:
        return list(self._recorded.handlers)

    def finish(self, output: Any, *, streams: bool) -> None:
        """Tell that it ended."""
        super().finish(output, streams=streams)
        self._recorded.on_chain_end(_shown(self._opening, output, output=True))

    async def afinish(self, output: Any, *, streams: bool) -> None:
        """As `finish`, in an async run."""
        await super().afinish(output, streams=streams)
        await self._recorded.on_chain_end(_shown(self._opening, output, output=True))

    def fail(self, error: BaseException) -> None:
        """Tell that it failed, or paused."""
        super().fail(error)
        self._recorded.on_chain_error(error)

    async def afail(self, error: BaseException) -> None:
        """As `fail`, in an async run."""
        await super().afail(error)
        await self._recorded.on_chain_error(error)


async def _once(output: Any) -> AsyncIterator[Any]:
    yield output
