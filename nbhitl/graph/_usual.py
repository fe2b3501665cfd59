"""The usual call: it names a thread, or nothing, perhaps the number of steps, and leaves all else as the graph has it.

Most runs are called so, and a short one takes as long to prepare as to run: what all of them have in common is looked up,
and what they do not have is not asked for one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import outer_config
from nbhitl.checkpoint.records import new_key
from nbhitl.checkpoint.stamps import utc_now
from nbhitl.constants import CONF
from nbhitl.engine.events import Stream
from nbhitl.engine.instructions import Settings
from nbhitl.engine.prepare import OWNER, names_only_a_thread, recursion_limit, step_saver
from nbhitl.engine.running import Run
from nbhitl.graph._shapes import breakpoints, nowhere, output_keys_of

if TYPE_CHECKING:
    from nbhitl.checkpoint.records import CheckpointKey
    from nbhitl.config import RunnableConfig
    from nbhitl.graph._compiled import CompiledStateGraph

UNHEARD = Stream((), nowhere, utc_now)
"""Of all runs that nobody looks at."""

_NO_CONFIG: RunnableConfig = {}


def usual_run(
    graph: CompiledStateGraph, config: RunnableConfig | None
) -> tuple[Run, CheckpointKey, Settings] | None:
    """Return the run of a usual call without other keywords, where it starts, and its settings; None for another call."""
    if graph.config or CURRENT_TASK.get() is not None or outer_config():
        return None
    saver, program, thread_id = graph.checkpointer, graph.program, None
    if config:
        thread_id = config[CONF]["thread_id"] if names_only_a_thread(config) else None
        if thread_id is None:
            return None
    run = Run(program, config or _NO_CONFIG, UNHEARD)
    if saver is not None:
        if thread_id is None or saver.__class__ is bool:
            return None
        thread_id = str(thread_id)
        run.saver = step_saver(saver, program, config)
    run.store, run.cache, run.step_timeout = graph.store, graph.cache, graph.step_timeout
    run.thread_id = thread_id
    return run, new_key((thread_id or "", "", None)), usual_settings(graph, run.config, streams=False)


def usual_settings(graph: CompiledStateGraph, config: RunnableConfig, *, streams: bool) -> Settings:
    """Return the settings of a run that names its thread and perhaps its number of steps: as those of the last one.

    Raises:
        ValueError: a number of steps below 1.
    """
    before, after, limit = graph.interrupt_before_nodes, graph.interrupt_after_nodes, recursion_limit(config)
    made_for, settings = graph._usual_settings.get(streams, (None, None))
    if settings is not None and made_for == (before, after, limit):
        return settings
    keys, single = output_keys_of(None, graph.program, streams=streams)
    settings = Settings(keys, single, breakpoints(None, before), breakpoints(None, after), limit, owner=OWNER)
    graph._usual_settings[streams] = (before[:], after[:], limit), settings
    return settings
