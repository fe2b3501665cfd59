"""Who listens to a run. Nobody does to most.

A listener is what a config has under `callbacks`: LangChain's handlers or callback manager, or an object with `open_run`
of its own. What it is told is in `traces`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbhitl._context import CURRENT_TASK
from nbhitl.constants import FIRST_STEP

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.engine.instructions import Outcome
    from nbhitl.engine.running import Run, RunningTask


def traced(
    steps: Generator[Any, Any, Outcome], run: Run, name: str, input: Any
) -> Generator[Any, Any, Outcome]:
    """Return the steps of a run, with its start and end told to those who listen."""
    callbacks = _callbacks(run)
    if not callbacks and not _heard_anyway():
        return steps
    from nbhitl.engine.langchain_runs import can_open
    from nbhitl.engine.traces import trace_run

    if callbacks and not hasattr(callbacks, "open_run") and not can_open(callbacks):
        if not _is_closed_to_some(run):
            return steps
        callbacks = []  # nobody hears it, nor, by way of LangChain's context, what its nodes call
    return trace_run(steps, run, callbacks or [], name, input)


def _heard_anyway() -> bool:
    """Whether LangChain tells somebody whom no config names: a tracer of this process or context, or the console."""
    context = sys.modules.get("langchain_core.tracers.context")
    if context is None:
        return False
    settings = sys.modules.get("langchain_core.globals")
    if settings is not None and settings._debug:  # by `set_debug(True)`
        return True
    for hook in context._configure_hooks:
        if hook[0].get() is not None:
            return True
    return _by_environment() if _is_unset(context) else bool(context._tracing_v2_is_enabled())


def _is_unset(context: Any) -> bool:
    """Whether no code has said anything about tracing: to ask LangSmith takes as long as half a run is prepared in.

    Of a LangSmith that keeps that in another place, nothing is known.
    """
    said: Any = sys.modules.get("langsmith._internal._context")
    try:
        return (
            context.tracing_v2_callback_var.get() is None
            and said._TRACING_ENABLED.get() is None
            and said._PARENT_RUN_TREE_REF.get() is None
            and said._GLOBAL_TRACING_ENABLED is None
        )
    except AttributeError:
        return False


def _by_environment() -> bool:
    """Whether the environment asks for tracing; LangSmith remembers what it has found there."""
    found = sys.modules["langsmith.utils"].get_env_var
    return bool(found("TRACING_V2", default=found("TRACING", default="")) == "true")


def _callbacks(run: Run) -> Any:
    callbacks = run.config.get("callbacks")
    if run.parent is not None:
        callbacks = _with_those_above(run.parent, callbacks)
    elif _is_closed_to_some(run):
        from nbhitl.engine.tokens import without_closed

        callbacks = without_closed(callbacks)
    if run.stream.messages:
        from nbhitl.engine.tokens import with_handler

        for handler in run.stream.token_handlers(run.ns):
            callbacks = with_handler(callbacks, handler)
    return callbacks


def _is_closed_to_some(run: Run) -> bool:
    """Whether a node starts the run on a place of its own, where streams that show no called graphs do not hear it."""
    callbacks = run.config.get("callbacks")
    if run.parent is not None or not callbacks or CURRENT_TASK.get() is None:
        return False
    from nbhitl.engine.tokens import closed_handlers

    return bool(closed_handlers(callbacks))


def _with_those_above(parent: RunningTask, given: Any) -> Any:
    """Return who hears a graph that a node calls: who hears the node, and the handlers that the call names."""
    above = parent.trace or parent.run.trace
    if above is None:
        return given
    if not given or given is parent.run.config.get("callbacks"):
        return above.callbacks(FIRST_STEP)
    heard = above.callbacks(FIRST_STEP)
    if not hasattr(heard, "merge"):  # a listener of one's own
        return given
    if not isinstance(given, (list, tuple)):
        return heard.merge(given) if getattr(given, "parent_run_id", heard) is None else given
    from nbhitl.engine.tokens import with_handler

    for handler in given:
        heard = with_handler(heard, handler)
    return heard
