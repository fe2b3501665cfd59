"""Tell LangChain's callbacks, or whoever else listens, when a graph, its nodes and its path functions start and end.

Nobody listens in most runs: then this module is not loaded. `listeners` says who does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from nbhitl._langchain import langchain_scope
from nbhitl.constants import FIRST_STEP, TAG_HIDDEN, UNNAMED
from nbhitl.engine.instructions import Do, Outcome
from nbhitl.engine.langchain_runs import open_langchain_run, open_langchain_run_async
from nbhitl.engine.program import Action
from nbhitl.engine.task_config import run_metadata
from nbhitl.errors import GraphInterrupt
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.engine.program import Branch
    from nbhitl.engine.running import Run, RunningTask


class Opening:
    """What is told when something starts: its name, its input, and what identifies it.

    `policy` is the TracePolicy of a node, if it has one.
    """

    __slots__ = ("input", "metadata", "name", "policy", "run_id", "tags")

    def __init__(
        self,
        name: str | None,
        input: Any,
        tags: list[str],
        metadata: dict[str, Any],
        run_id: Any = None,
        policy: Any = None,
    ) -> None:
        self.name = name
        self.input = input
        self.tags = tags
        self.metadata = metadata
        self.run_id = run_id
        self.policy = policy


class OpenRun(Protocol):
    """Something that has started: a graph, a node or a path function."""

    def callbacks(self, tag: str | None) -> Any:
        """Return what goes into a config for what is called inside."""

    def finish(self, output: Any, *, streams: bool) -> None:
        """Tell that it ended. In a sync run nothing is yielded on the way, whatever `streams` says."""

    async def afinish(self, output: Any, *, streams: bool) -> None:
        """Tell that it ended; with `streams`, that it yielded its output first."""

    def fail(self, error: BaseException) -> None:
        """Tell that it failed, or paused."""

    async def afail(self, error: BaseException) -> None:
        """As `fail`."""


def _open(callbacks: Any, opening: Opening) -> Any:
    own = getattr(callbacks, "open_run", None)
    return own(opening) if own is not None else open_langchain_run(callbacks, opening)


async def _aopen(callbacks: Any, opening: Opening) -> Any:
    own = getattr(callbacks, "open_run", None)
    return own(opening) if own is not None else await open_langchain_run_async(callbacks, opening)


# -- a graph ---------------------------------------------------------------------------------------------


def trace_run(
    steps: Generator[Any, Any, Outcome], run: Run, callbacks: Any, name: str, input: Any
) -> Generator[Any, Any, Outcome]:
    """Return the steps of a run, with its start and end told to `callbacks`."""
    metadata = {**run_metadata(run), "ls_integration": "langgraph"}
    tags = list(run.config.get("tags") or ())
    own = _own(run, "run_name"), _own(run, "run_id")
    return _traced(steps, run, callbacks, Opening(own[0] or name, input, tags, metadata, own[1]))


def _own(run: Run, key: str) -> Any:
    """What names this run as a whole, and not the one that called it."""
    value = run.config.get(key)
    return None if run.parent is not None and value == run.parent.run.config.get(key) else value


def _traced(
    steps: Generator[Any, Any, Outcome], run: Run, callbacks: Any, opening: Opening
) -> Generator[Any, Any, Outcome]:
    trace = run.trace = yield Do(_open, _aopen, (callbacks, opening))
    try:
        outcome = yield from steps
    except Exception as error:
        yield Do(trace.fail, trace.afail, (error,))
        raise
    if outcome.paused and run.parent is not None:
        yield Do(trace.fail, trace.afail, (GraphInterrupt(outcome.interrupts),))
        return outcome
    values = None if outcome.values is MISSING else outcome.values
    yield Do(trace.finish, trace.afinish, (values,), {"streams": False})
    return outcome


# -- a node ----------------------------------------------------------------------------------------------

_OPEN = Action("open", _open, _aopen)


def open_node(running: RunningTask, state: Any) -> Generator[Any, Any, None]:
    """Tell that a node starts; what it calls is told as its own."""
    run, task = running.run, running.task
    assert run.trace is not None
    tags = list(run.config.get("tags") or ())
    if running.node.hidden:
        tags.append(TAG_HIDDEN)
    opening = Opening(task.name, state, tags, running.metadata, policy=running.node.trace_policy)
    running.trace = yield (_OPEN, (run.trace.callbacks(f"graph:step:{task.step}"), opening), {})
    _enter(running)


def _enter(running: RunningTask) -> None:
    """Let the node's code find what it is told as part of."""
    langchain_scope(running)
    enter = getattr(running.trace, "enter", None)  # a listener of one's own need not have it
    if enter is not None:
        enter()


def close_node(running: RunningTask, returned: Any) -> Generator[Any, Any, None]:
    """Tell that a node returned."""
    trace, running.trace = running.trace, None
    if trace is not None:
        yield (Action("finish", trace.finish, trace.afinish), (returned,), {"streams": True})


def fail_node(running: RunningTask, error: BaseException) -> Generator[Any, Any, None]:
    """Tell that a node failed, or paused."""
    trace, running.trace = running.trace, None
    if trace is not None:
        yield (Action("fail", trace.fail, trace.afail), (error,), {})


def open_branch(running: RunningTask, branch: Branch, state: Any) -> Generator[Any, Any, OpenRun | None]:
    """Tell that a path function starts, and return the node's own trace for `close_branch`.

    A Runnable tells of itself.
    """
    outer = running.trace
    above = outer or running.run.trace
    assert above is not None
    hidden = running.node.hidden
    place = (1 if hidden else 2) + running.node.action.steps + running.node.branches.index(branch)
    tag = f"seq:step:{place}"
    if branch.action.runnable:
        running.step_tag = tag
        return outer
    tags = [*(running.run.config.get("tags") or ()), *([TAG_HIDDEN] if hidden else [])]
    opening = Opening(None if branch.name == UNNAMED else branch.name, state, tags, running.metadata)
    running.trace = yield (_OPEN, (above.callbacks(tag), opening), {})
    _enter(running)
    return outer


def close_branch(running: RunningTask, outer: OpenRun | None, answer: Any) -> Generator[Any, Any, None]:
    """Tell what a path function answered."""
    trace, running.trace = running.trace, outer
    running.step_tag = FIRST_STEP
    if trace is not None and trace is not outer:
        yield (Action("finish", trace.finish, trace.afinish), (answer,), {"streams": False})


def fail_branch(
    running: RunningTask, outer: OpenRun | None, error: BaseException
) -> Generator[Any, Any, None]:
    """Tell that a path function failed."""
    trace, running.trace = running.trace, outer
    running.step_tag = FIRST_STEP
    if trace is not None and trace is not outer:
        yield (Action("fail", trace.fail, trace.afail), (error,), {})
