"""`once()`: an effect of a node that happens at most once for a thread, although the node starts again."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from threading import current_thread
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, overload
from uuid import uuid4

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import in_node_of_langgraph
from nbhitl.checkpoint.journal import journal_of
from nbhitl.errors import EffectInDoubt, EffectRunning, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nbhitl.checkpoint.records import OnceEntry
    from nbhitl.checkpoint.steps import StepSaver

__all__ = ["journal_of", "once"]

P = ParamSpec("P")
T = TypeVar("T")

_AT_WORK: set[str] = set()
"""The owners of effects that run in this process now."""


@overload
def once(key: str, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...
@overload
def once(key: str, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


def once(key: str, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run `fn(*args, **kwargs)` from inside a node, at most once for the thread and `key`; return its result.

    A node that asks starts again from its top when the answer is there. What it did before, it would do again:

        row = once("audit-row", insert_row, order)   # inserted once, the same row each time
        draft = await once("draft", write_draft)     # a coroutine function: to be awaited
        if interrupt(draft) == "send": ...

    The first call notes in the checkpointer that it starts, runs `fn`, and notes the result; later calls of the
    thread return that result and do not run `fn`, whatever their `fn` and arguments. If `fn` raises an Exception,
    nothing counts as done: the next call runs it again. A process that is killed between the two notes, or a `fn`
    that is cancelled or interrupted, leaves the effect in doubt, and nobody runs it again until a person has said
    what happened: `checkpointer.settle_once(thread_id, key, result)` or `checkpointer.forget_once(thread_id, key)`;
    `checkpointer.once_entries(thread_id)` lists all.

    A key belongs to the thread as a whole: to every node, called graph and tool in it. A fork of an earlier
    checkpoint is the same thread, so there too what was done is done; give keys a part that tells them apart
    where an effect is wanted again (`f"mail-{state['round']}"`). Without a checkpointer a key lasts for one run.
    With a saver that is not nbhitl's, the journal is kept beside it (LangGraph's SQLite savers: in a second file;
    others: in this process): see `journal_of(checkpointer)`. In
    LangGraph's own graphs it works the same way; there a checkpointer is needed.

    Args:
        key: names the effect within the thread.
        fn: what to run. Its result is stored, so it must be data that the checkpointer can store.
        args: for `fn`.
        kwargs: for `fn`.

    Returns:
        What `fn` returned, now or earlier; an awaitable of it if `fn` is a coroutine function.

    Raises:
        EffectInDoubt: it was started earlier, or by another process, and has not been reported as done.
        EffectRunning: it is running now, in another thread or task of this process.
        UnsupportedValue: `fn` ran, and its result cannot be stored. The effect is then in doubt.
        RuntimeError: called outside of a running node.
        ValueError: the key is no text, or empty.
        TypeError: `fn` cannot be called.
    """
    if not isinstance(key, str) or not key:
        raise ValueError(f"once() needs a key that names the effect, such as 'audit-row'; got {key!r}.")
    if not callable(fn):
        raise TypeError(
            f"once({key!r}, ...) needs a function to call, such as once({key!r}, insert_row, order); got {fn!r}. Give "
            "the function itself, not what it returns."
        )
    effect = _effect(key)
    if iscoroutinefunction(fn) or iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004 - to look into it
        return _arun(effect, fn, args, kwargs)
    return _run(effect, fn, args, kwargs)


class _Effect(NamedTuple):
    """One call of `once()`: where it is noted, and the name under which this call runs it."""

    journal: StepSaver
    thread_id: str
    key: str
    owner: str


def _effect(key: str) -> _Effect:
    journal, thread_id = _place()
    where = f"process {os.getpid()} on {platform.node() or 'this machine'}, {current_thread().name}"
    return _Effect(journal, thread_id, key, f"{where}, call {uuid4().hex[:8]}")


def _place() -> tuple[StepSaver, str]:
    """Return the journal and the thread of the node that is running, whichever engine runs it."""
    task = CURRENT_TASK.get()
    if task is not None:
        return task.journal()
    if in_node_of_langgraph():
        from nbhitl.review.attach_langgraph import langgraph_saver

        saver, thread_id = langgraph_saver()
        return journal_of(saver), thread_id
    raise RuntimeError(
        "once() needs a running node: call it from a node, or from a function that a node calls in the same "
        "thread or asyncio task. (A node of LangGraph's needs a graph with a checkpointer and a thread_id.)"
    )


def _run(effect: _Effect, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    journal, thread_id, key, owner = effect
    _AT_WORK.add(owner)
    try:
        found = journal.begin_once(thread_id, key, owner, _now())
        if found is not None:
            return _known(effect, found)
        try:
            result = _plain(key, fn(*args, **kwargs))
        except Exception:
            journal.cancel_once(thread_id, key, owner)
            raise
        try:
            noted = journal.end_once(thread_id, key, owner, result, _now())
        except UnsupportedValue as error:
            raise _unstorable(effect, error) from error
        return _noted(effect, result, noted)
    finally:
        _AT_WORK.discard(owner)


async def _arun(
    effect: _Effect, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    journal, thread_id, key, owner = effect
    _AT_WORK.add(owner)
    try:
        found = await journal.abegin_once(thread_id, key, owner, _now())
        if found is not None:
            return _known(effect, found)
        try:
            result = await fn(*args, **kwargs)
        except Exception:
            await journal.acancel_once(thread_id, key, owner)
            raise
        try:
            noted = await journal.aend_once(thread_id, key, owner, result, _now())
        except UnsupportedValue as error:
            raise _unstorable(effect, error) from error
        return _noted(effect, result, noted)
    finally:
        _AT_WORK.discard(owner)


def _plain(key: str, result: Any) -> Any:
    if not isawaitable(result):
        return result
    if iscoroutine(result):
        result.close()
    raise TypeError(
        f"once({key!r}): the function returned an awaitable. Pass the coroutine function itself, "
        f"`await once({key!r}, async_function, ...)`. Nothing was noted as done."
    )


def _known(effect: _Effect, found: OnceEntry) -> Any:
    """Return the result of an effect that is done.

    Raises:
        EffectInDoubt: it is not, or not known to be.
    """
    if found.state == "done":
        return found.result
    what = f"once({found.key!r}) of thread {found.thread_id!r} was started at {found.started_at} by {found.owner}"
    told = {
        "key": found.key, "thread_id": found.thread_id, "owner": found.owner, "started_at": found.started_at
    }  # fmt: skip
    if found.owner in _AT_WORK:
        raise EffectRunning(
            f"{what}, and is running there now. Nothing was run here. Wait until it is done, then go on with "
            "invoke(None, config): its result is used.",
            **told,
        )
    raise EffectInDoubt(
        f"{what}, and has not been reported as done: either it is still running there, or it was stopped before or "
        f"after the effect. Nothing was run here. Look at what has happened, then {_ways_out(effect)}.",
        **told,
    )


def _ways_out(effect: _Effect) -> str:
    names = f"({effect.thread_id!r}, {effect.key!r}"
    return (
        f"say so with checkpointer.settle_once{names}, result), or let it run again with "
        f"checkpointer.forget_once{names}); for a saver that is not nbhitl's, on "
        "nbhitl.review.once.journal_of(checkpointer)"
    )


def _noted(effect: _Effect, result: Any, noted: bool) -> Any:
    if noted:
        return result
    raise EffectInDoubt(
        f"once({effect.key!r}) of thread {effect.thread_id!r} has run here and returned {result!r}, but its entry was "
        "forgotten or settled meanwhile, or the thread was deleted. Look at "
        f"checkpointer.once_entries({effect.thread_id!r}).",
        key=effect.key,
        thread_id=effect.thread_id,
        owner=effect.owner,
        started_at="",
    )


def _unstorable(effect: _Effect, error: UnsupportedValue) -> UnsupportedValue:
    return UnsupportedValue(
        f"Thread {effect.thread_id!r}: {error} It has run, so it is now in doubt. Return plain data from the function; "
        f"then {_ways_out(effect)}."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
