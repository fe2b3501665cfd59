"""One run of a compiled graph, in an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.engine.adrive import arun_to_end
from nbhitl.engine.astream import Mailbox, arun_streaming
from nbhitl.engine.events import is_live
from nbhitl.graph._run import ended, sink, start
from nbhitl.graph._shapes import modes_and_shape, result_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nbhitl.config import RunnableConfig
    from nbhitl.engine.instructions import Outcome
    from nbhitl.graph._compiled import CompiledStateGraph
    from nbhitl.graph._options import RunOptions
    from nbhitl.types import StreamMode


async def arun_graph(
    graph: CompiledStateGraph, input: Any, config: RunnableConfig | None, options: RunOptions, mode: Any
) -> Any:
    """Run to the end or to the next pause; see `CompiledStateGraph.invoke`. `mode` is its `stream_mode`."""
    if mode != "values":
        chunks = astream_graph(graph, input, config, options.with_output_of(graph), mode)
        return [chunk async for chunk in chunks]
    progress, steps = start(graph, input, config, options, (), sink(options))
    return result_of(ended(progress, await arun_to_end(steps, progress)), options.version, graph.program)


async def astream_graph(
    graph: CompiledStateGraph,
    input: Any,
    config: RunnableConfig | None,
    options: RunOptions,
    mode: StreamMode | Sequence[StreamMode] | None,
) -> AsyncIterator[Any]:
    """Run, and yield chunks of `mode`; see `CompiledStateGraph.stream`."""
    modes, shape = modes_and_shape(mode, options.subgraphs, options.version)
    mailbox = Mailbox()
    progress, steps = start(graph, input, config, options, modes, mailbox.put)
    outcomes: list[Outcome] = []
    chunks = arun_streaming(
        steps, progress, mailbox, outcomes, live=is_live(modes, subgraphs=options.subgraphs)
    )
    if options.print_mode:
        from nbhitl.graph._printing import aprinted

        chunks = aprinted(chunks, options.print_mode, modes)
    try:
        async for chunk in chunks:
            yield shape(chunk)
    finally:
        await chunks.aclose()
    ended(progress, outcomes[0])
