"""What has `invoke` and `ainvoke` as a node or a path. The steps of a chain (`a | b`) that is a node are the node's own.

So they are in LangGraph: who listens hears them and no chain around them, and a graph among them has the run's settings
and not those that LangChain gives to a chain (a recursion limit of 25).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module
from nbhitl.constants import FIRST_STEP
from nbhitl.engine.program import Action
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


def action_of_runnable(target: Any, name: str, *, path: bool = False) -> Action:
    """Return the action that runs something with `invoke` and `ainvoke`. A chain that is a `path` is not taken apart."""
    if path or not _is_chain(target):
        ainvoke_whole = _ainvoke(target) if path or not _has_parts(target) else _ainvoke_alone(target)
        return Action(name, _invoke(target), ainvoke_whole, ("config",), runnable=True)

    def invoke(state: Any, config: Any) -> Any:
        return _call_steps(target.steps, state, config)

    async def ainvoke(state: Any, config: Any) -> Any:
        return await _acall_steps(target.steps, state, config)

    return Action(name, invoke, ainvoke, ("config",), runnable=True, steps=len(target.steps))


def _invoke(target: Any) -> Any:
    def invoke(state: Any, config: Any) -> Any:
        return target.invoke(state, config)

    return invoke


def _ainvoke(target: Any) -> Any:
    async def ainvoke(state: Any, config: Any) -> Any:
        return await target.ainvoke(state, config)

    return ainvoke


def _has_parts(target: Any) -> bool:
    """Whether chunks of a Runnable are told by itself. Those of a graph are told by its run."""
    # Its class is asked: an object of nbhitl's would have LangChain loaded for it, which need not be installed.
    return hasattr(type(target), "atransform") and not hasattr(target, "get_state")


def _ainvoke_alone(target: Any) -> Any:
    """As `_ainvoke`, for one of LangChain's own: it is heard as a chain of one step would be."""

    async def ainvoke(state: Any, config: Any) -> Any:
        return await _acall_steps((target,), state, config)

    return ainvoke


def _is_chain(target: Any) -> bool:
    kind = type(target)
    return kind.__name__ == "RunnableSequence" and kind.__module__.startswith("langchain_core.runnables.")


def _listeners(config: Any) -> Sequence[Any]:
    """The handlers that are told what the node calls."""
    return getattr(config.get("callbacks"), "handlers", ())


def _call_steps(steps: Sequence[Any], state: Any, config: Any) -> Any:
    """Call one step after another, each with what the one before it returned."""
    for number, step in enumerate(steps):
        state = step.invoke(state, _told_of(config, number))
    return state


async def _acall_steps(steps: Sequence[Any], state: Any, config: Any) -> Any:
    """As `_call_steps`, awaited; the chunks of each step are heard if somebody listens for chunks."""
    if not any(map(_hears_chunks, _listeners(config))):
        for number, step in enumerate(steps):
            state = await step.ainvoke(state, _told_of(config, number))
        return state
    chunks = _alone(state)
    for number, step in enumerate(steps):
        chunks = step.atransform(chunks, _told_of(config, number))
    whole: Any = MISSING
    async for chunk in chunks:
        whole = chunk if whole is MISSING else _added(whole, chunk)
    return None if whole is MISSING else whole


def _told_of(config: Any, number: int) -> Any:
    """Return the config for a step of the chain: its handlers are told which one it is."""
    if number == 0 or not _listeners(config):
        return config
    callbacks = config["callbacks"].copy()
    callbacks.remove_tags([FIRST_STEP])
    callbacks.add_tags([f"seq:step:{number + 1}"], inherit=False)
    return {**config, "callbacks": callbacks}


def _hears_chunks(handler: Any) -> bool:
    """Whether a handler wants the chunks of steps: of events, for example. A stream of messages wants tokens alone."""
    kind = getattr(langchain_module("tracers._streaming"), "_StreamingCallbackHandler", None)
    own = type(handler).__module__.startswith(("nbhitl.", "langgraph."))
    return kind is not None and not own and isinstance(handler, kind)


def _added(whole: Any, chunk: Any) -> Any:
    """Return chunks as one; of those that cannot be added the last one counts."""
    try:
        return whole + chunk
    except TypeError:
        return chunk


async def _alone(value: Any) -> AsyncIterator[Any]:
    yield value
