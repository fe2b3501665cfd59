"""A run as a stream of events: what `astream_events` yields.

With langchain-core installed LangChain makes the events, also those of the models and tools that nodes call. Without it
there are the events of graphs, nodes and path functions.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from nbhitl._langchain import langchain_module
from nbhitl.config import merge_configs
from nbhitl.engine.astream import Mailbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from nbhitl.config import RunnableConfig
    from nbhitl.engine.traces import Opening

Event = dict[str, Any]
_END = object()
_FILTERS = (
    "include_names",
    "include_types",
    "include_tags",
    "exclude_names",
    "exclude_types",
    "exclude_tags",
)


async def graph_events(
    graph: Any, input: Any, config: RunnableConfig | None, version: str, **options: Any
) -> AsyncIterator[Event]:
    """Yield the events of one run of `graph`; see `CompiledStateGraph.astream_events`.

    Raises:
        NotImplementedError: `version` is neither "v1" nor "v2", or it is "v1" without langchain-core.
    """
    made = _runnable_class()
    if made is not None:
        events = made(graph).astream_events(input, config, version=version, **options)
    elif version == "v2":
        events = _own_events(graph, input, config, **options)
    else:
        raise NotImplementedError(f'astream_events(version={version!r}): the only version here is "v2".')
    async with aclosing(events):
        async for event in events:
            yield event


@cache
def _runnable_class() -> Any:
    """Make the class of Runnables that stand for a graph, whose events LangChain can stream."""
    module = langchain_module("runnables")
    if module is None:
        return None

    class GraphRunnable(module.Runnable):  # type: ignore[misc, name-defined]
        def __init__(self, graph: Any) -> None:
            self.graph = graph
            self.name = graph.name

        def invoke(self, input: Any, config: Any = None, **options: Any) -> Any:
            return self.graph.invoke(input, config, **options)

        async def astream(self, input: Any, config: Any = None, **options: Any) -> AsyncIterator[Any]:
            async with aclosing(self.graph.astream(input, config, **options)) as chunks:
                async for chunk in chunks:
                    yield chunk

    return GraphRunnable


async def _own_events(
    graph: Any, input: Any, config: RunnableConfig | None, **options: Any
) -> AsyncIterator[Event]:
    wanted = _wanted({name: options.pop(name, None) for name in _FILTERS})
    mailbox = Mailbox()
    root = _Recorder(mailbox.put)
    given = merge_configs(config, cast("RunnableConfig", {"callbacks": root}))

    async def run() -> None:
        try:
            async for chunk in graph.astream(input, given, **options):
                first = root.first
                if first is not None:
                    first.tell("stream", {"chunk": chunk})
        finally:
            mailbox.put(_END)

    runner = asyncio.create_task(run())
    last: Event | None = None
    first_id: str | None = None
    try:
        while (event := await mailbox.get()) is not _END:
            if event["event"] == "on_chain_end" and not event["parent_ids"]:
                last = event  # the chunks that are on their way belong before it
            elif wanted(event):
                first_id = first_id or event["run_id"]
                yield _without_known_input(event, first_id)
        await runner
        if last is not None and wanted(last):
            yield _without_known_input(last, first_id)
    finally:
        if not runner.done():
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)


class _Recorder:
    """Listens to a run, and puts its events. `tag` is the next run's own, `tags` those that all below it have too."""

    def __init__(
        self,
        put: Callable[[Event], None],
        parents: tuple[str, ...] = (),
        tag: str | None = None,
        tags: tuple[str, ...] = (),
    ) -> None:
        self.put = put
        self.parents = parents
        self.tag = tag
        self.tags = tags
        self.first: _Recorded | None = None

    def open_run(self, opening: Opening) -> _Recorded:
        """Note that something starts."""
        started = _Recorded(self, opening)
        self.first = self.first or started
        return started


class _Recorded:
    """A graph, a node or a path function that has started."""

    def __init__(self, recorder: _Recorder, opening: Opening) -> None:
        self._recorder = recorder
        self._opening = opening
        self._id = str(opening.run_id or uuid4())
        self._below = tuple(dict.fromkeys((*recorder.tags, *opening.tags)))
        self._tags = [*([recorder.tag] if recorder.tag else ()), *self._below]
        self.tell("start", {"input": opening.input})

    def tell(self, what: str, data: dict[str, Any]) -> None:
        """Put one event."""
        metadata = {**self._opening.metadata, "ls_integration": "langgraph"}
        self._recorder.put(
            {
                "event": f"on_chain_{what}",
                "data": data,
                "run_id": self._id,
                "name": self._opening.name or "Unnamed",
                "tags": list(self._tags),
                "metadata": metadata,
                "parent_ids": list(self._recorder.parents),
            }
        )

    def callbacks(self, tag: str | None) -> _Recorder:
        """Return the listener for what is called inside."""
        return _Recorder(self._recorder.put, (*self._recorder.parents, self._id), tag, self._below)

    def finish(self, output: Any, *, streams: bool) -> None:
        """Note that it ended."""
        self.tell("end", {"output": output, "input": self._opening.input})

    async def afinish(self, output: Any, *, streams: bool) -> None:
        """Note that it ended, and with `streams` that it yielded its output."""
        if streams:
            self.tell("stream", {"chunk": output})
        self.finish(output, streams=streams)

    def fail(self, error: BaseException) -> None:
        """A failure is no event: the error itself reaches the caller."""

    async def afail(self, error: BaseException) -> None:
        """As `fail`."""


def _without_known_input(event: Event, first_id: str | None) -> Event:
    """The reader has just given the input of what comes first, so its end does not repeat it."""
    if event["event"] == "on_chain_end" and event["run_id"] == first_id:
        return {**event, "data": {"output": event["data"]["output"]}}
    return event


def _wanted(filters: dict[str, Sequence[str] | None]) -> Callable[[Event], bool]:
    """Return which events a caller asked for. With no `include_` filter, all that are not excluded."""

    def hits(which: str, event: Event) -> list[bool]:
        names, types, tags = (filters[f"{which}_{what}"] for what in ("names", "types", "tags"))
        return [
            hit
            for chosen, hit in (
                (names, event["name"] in (names or ())),
                (types, "chain" in (types or ())),
                (tags, not set(event["tags"]).isdisjoint(tags or ())),
            )
            if chosen is not None
        ]

    def wanted(event: Event) -> bool:
        included = hits("include", event)
        return (not included or any(included)) and not any(hits("exclude", event))

    return wanted
