"""One run of a compiled graph, on the caller's thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.stamps import utc_now
from nbhitl.config import lay_over, merge_configs, settled
from nbhitl.constants import CONF
from nbhitl.engine.drive import run_live, run_streaming, run_to_end
from nbhitl.engine.events import Stream, is_live
from nbhitl.engine.instructions import Outcome, Settings
from nbhitl.engine.listeners import traced
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.prepare import (
    BY_KEY,
    CLOCK,
    OWNER,
    STRICT_KEY,
    ambient_config,
    caller_metadata,
    calling_task,
    names_only_a_thread,
    note_children,
    prepare_run,
    recursion_limit,
)
from nbhitl.engine.progress import Progress
from nbhitl.errors import GraphInterrupt, UnknownNodeError
from nbhitl.graph._options import USUAL
from nbhitl.graph._shapes import (
    MODES,
    breakpoints,
    modes_and_shape,
    nowhere,
    output_keys_of,
    result_of,
    shaped,
)
from nbhitl.graph._usual import UNHEARD, usual_run, usual_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from nbhitl.checkpoint.records import CheckpointKey
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.running import Run
    from nbhitl.graph._compiled import CompiledStateGraph
    from nbhitl.graph._options import RunOptions
    from nbhitl.types import All, StreamMode


def run_graph(
    graph: CompiledStateGraph, input: Any, config: RunnableConfig | None, options: RunOptions, mode: Any
) -> Any:
    """Run to the end or to the next pause; see `CompiledStateGraph.invoke`. `mode` is its `stream_mode`."""
    if mode != "values":
        return list(stream_graph(graph, input, config, options.with_output_of(graph), mode))
    progress, steps = start(graph, input, config, options, (), sink(options))
    return result_of(ended(progress, run_to_end(steps, progress)), options.version, graph.program)


def stream_graph(
    graph: CompiledStateGraph,
    input: Any,
    config: RunnableConfig | None,
    options: RunOptions,
    mode: StreamMode | Sequence[StreamMode] | None,
) -> Iterator[Any]:
    """Run, and yield chunks of `mode`; see `CompiledStateGraph.stream`."""
    modes, shape = modes_and_shape(mode, options.subgraphs, options.version)
    if is_live(modes, subgraphs=options.subgraphs):
        from queue import SimpleQueue

        inbox: SimpleQueue[Any] = SimpleQueue()
        progress, steps = start(graph, input, config, options, modes, inbox.put)
        run = run_live(steps, progress, inbox)
    else:
        chunks: deque[Any] = deque()
        progress, steps = start(graph, input, config, options, modes, chunks.append)
        run = run_streaming(steps, progress, chunks)
    if options.print_mode:
        from nbhitl.graph._printing import printed

        run = printed(run, options.print_mode, modes)
    outcome = yield from shaped(run, shape)
    ended(progress, outcome)


def sink(options: RunOptions) -> Callable[[Any], None]:
    """Return where the chunks of a run go that nobody reads."""
    if not options.print_mode:
        return nowhere
    from nbhitl.graph._printing import printer

    return printer(options.print_mode)


def start(
    graph: CompiledStateGraph,
    input: Any,
    config: RunnableConfig | None,
    options: RunOptions,
    modes: Sequence[str],
    put: Callable[[Any], None],
) -> tuple[Progress, Generator[Any, Any, Outcome]]:
    """Return a run's progress and its steps, not yet taken; `put` takes the chunks of `modes`.

    Raises:
        UnknownNodeError: a breakpoint at a node that the graph does not have.
        ValueError: a config that makes no sense.
    """
    usual = usual_run(graph, config) if options is USUAL and not modes else None
    run, key, settings = usual or _run_asked_for(graph, config, options, modes, put)
    progress = Progress(run, settings, CLOCK)
    steps = superstep_loop(progress, input, key)
    if callbacks := run.config.get("callbacks"):
        from nbhitl.engine.lifecycle import with_lifecycle

        steps = with_lifecycle(steps, progress, callbacks)
    return progress, traced(steps, run, graph.name, input)


def _run_asked_for(
    graph: CompiledStateGraph,
    config: RunnableConfig | None,
    options: RunOptions,
    modes: Sequence[str],
    put: Callable[[Any], None],
) -> tuple[Run, CheckpointKey, Settings]:
    """Return a run with all that its config and keywords ask for, where it starts, and its settings."""
    if (modes or options.print_mode) and not MODES.issuperset((*modes, *options.print_mode)):
        from nbhitl.graph._unheard import warn_of_modes

        warn_of_modes("stream_mode", modes)
        warn_of_modes("print_mode", options.print_mode)
    config = None if config is None else settled(config)
    parent = calling_task(config)
    merged = _merged(graph, config, ambient_config() if parent is None else None)
    if parent is None and not modes and options.is_quiet():
        heard = UNHEARD
    else:
        above = parent.run.stream if parent is not None else None
        heard = Stream((*modes, *options.print_mode), put, utc_now, subgraphs=options.subgraphs, above=above)
        heard.keeps_source = options.version == "v2"
    run, key = prepare_run(
        graph.program,
        merged,
        heard,
        checkpointer=graph.checkpointer,
        store=graph.store,
        cache=graph.cache,
        parent=parent,
    )
    _set_options(run, graph, options)
    return run, key, _settings(graph, run, options, streams=bool(modes))


def _set_options(run: Run, graph: CompiledStateGraph, options: RunOptions) -> None:
    """Note what the graph and the call say of the run; what they leave open is as in the run that calls it, if any."""
    run.step_timeout = graph.step_timeout
    run.durability = options.durability or run.durability
    if options.durability is not None or options.version != "v1":
        from nbhitl.graph._unheard import warn_of_options

        warn_of_options(options, saves=run.saver is not None)
    run.control = options.control or run.control
    if options.context is not None:
        from nbhitl.graph._context import coerced_context

        run.context = coerced_context(graph.context_schema, options.context)
    elif run.parent is not None:
        run.context = run.parent.run.context


def _merged(
    graph: CompiledStateGraph, config: RunnableConfig | None, outer: RunnableConfig | None
) -> RunnableConfig:
    """Return what a run is configured with: the caller's entries, over the graph's, over those that lie around it.

    The place of the thread that lies around is left out where the caller or the graph names one.
    """
    if outer and CONF in outer and (CONF in (config or ()) or CONF in (graph.config or ())):
        outer = cast("RunnableConfig", {key: value for key, value in outer.items() if key != CONF})
    own = merge_configs(graph.config, config) if graph.config else (config or {})
    return lay_over(outer, own) if outer else own


def _settings(graph: CompiledStateGraph, run: Run, options: RunOptions, *, streams: bool) -> Settings:
    stops = options.interrupt_before is not None or options.interrupt_after is not None
    if options.output_keys is None and not stops and names_only_a_thread(run.config):
        return usual_settings(graph, run.config, streams=streams)
    keys, single = output_keys_of(options.output_keys, graph.program, streams=streams)
    if stops:
        _check_nodes(graph, options.interrupt_before)
        _check_nodes(graph, options.interrupt_after)
    configurable = run.config.get(CONF, {})
    return Settings(
        output_keys=keys,
        single=single,
        interrupt_before=breakpoints(options.interrupt_before, graph.interrupt_before_nodes),
        interrupt_after=breakpoints(options.interrupt_after, graph.interrupt_after_nodes),
        recursion_limit=recursion_limit(run.config),
        metadata=caller_metadata(run.config) if run.saver is not None else {},
        by=configurable.get(BY_KEY),
        owner=OWNER,
        strict=configurable.get(STRICT_KEY) is True,
    )


def _check_nodes(graph: CompiledStateGraph, given: All | Sequence[str] | None) -> None:
    """A misspelt breakpoint would be a skipped question."""
    if given is not None and not isinstance(given, Collection):
        raise TypeError(
            f'interrupt_before / interrupt_after is {given!r}; give a list of node names, or "*".'
        )
    for name in (given,) if isinstance(given, str) else given or ():
        if name != "*" and name not in graph.program.nodes:
            raise UnknownNodeError(name, graph.topology.nodes, "interrupt_before / interrupt_after")


def ended(progress: Progress, outcome: Outcome) -> Outcome:
    """Return the outcome of a run; a pause inside a graph that a node called pauses the node.

    Raises:
        GraphInterrupt: the run paused, and a node called its graph.
    """
    parent = progress.run.parent
    if parent is not None:
        note_children(parent, progress)
    if outcome.paused and parent is not None:
        raise parent.pause(GraphInterrupt(outcome.interrupts))
    return outcome
