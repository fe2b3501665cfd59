"""Bound how long an async node may take, or may be silent."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Any, TypedDict

from nbhitl._policies import seconds
from nbhitl.errors import NodeTimeoutError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from nbhitl.engine.running import RunningTask
    from nbhitl.types import TimeoutPolicy


class Pulse:
    """When a node last gave a sign of life, in seconds of the monotonic clock.

    `auto` tells that what the node does counts: what it streams, the models, tools and graphs that it calls.
    """

    __slots__ = ("auto", "last")

    def __init__(self, *, auto: bool) -> None:
        self.auto = auto
        self.last = monotonic()


class _Limits(TypedDict):
    run_timeout: float | None
    idle_timeout: float | None


def limited_by(running: RunningTask) -> TimeoutPolicy | None:
    """Return the limits of a task, its Send's or else its node's, and give it a pulse; None without limits."""
    policy = running.task.timeout or running.node.timeout
    if policy is None or (policy.run_timeout is None and policy.idle_timeout is None):
        return None
    running.pulse = Pulse(auto=policy.refresh_on == "auto")
    return policy


def refuse_timeout(running: RunningTask) -> ValueError:
    """Return the error of a timeout in a sync run."""
    return ValueError(
        f"Node {running.task.name!r} has a timeout, and timeouts are only supported for async nodes in "
        "async runs: a function that runs in a thread cannot be stopped. Run the graph with ainvoke or astream, "
        "or bound the whole step with graph.step_timeout."
    )


async def within(policy: TimeoutPolicy, running: RunningTask, call: Coroutine[Any, Any, Any]) -> Any:
    """Await one attempt of a node and return what it returned.

    An attempt that takes too long is told by cancellation, and not waited for.

    Raises:
        NodeTimeoutError: it took longer than the policy allows.
    """
    limits: _Limits = {
        "run_timeout": seconds(policy.run_timeout),
        "idle_timeout": seconds(policy.idle_timeout),
    }
    pulse = running.pulse
    assert pulse is not None
    started = pulse.last = monotonic()
    attempt = asyncio.get_running_loop().create_task(call)
    try:
        while not attempt.done():
            await asyncio.wait({attempt}, timeout=max(0.0, _next_look(limits, pulse, started) - monotonic()))
            if not attempt.done():
                _check(limits, pulse, started, running.task.name)
    except NodeTimeoutError:
        attempt.cancel()
        attempt.add_done_callback(_take_error)
        raise
    except asyncio.CancelledError:
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        raise
    return attempt.result()


def _next_look(limits: _Limits, pulse: Pulse, started: float) -> float:
    ends = []
    if limits["run_timeout"] is not None:
        ends.append(started + limits["run_timeout"])
    if limits["idle_timeout"] is not None:
        ends.append(pulse.last + limits["idle_timeout"])
    return min(ends)


def _check(limits: _Limits, pulse: Pulse, started: float, node: str) -> None:
    now = monotonic()
    run, idle = limits["run_timeout"], limits["idle_timeout"]
    if run is not None and now >= started + run:
        raise NodeTimeoutError(node, now - started, kind="run", **limits) from TimeoutError()
    if idle is not None and now >= pulse.last + idle:
        raise NodeTimeoutError(node, now - pulse.last, kind="idle", **limits) from TimeoutError()


def _take_error(attempt: asyncio.Task[Any]) -> None:
    """Take the error of an attempt that was given up, which asyncio would report as forgotten."""
    if not attempt.cancelled():
        attempt.exception()
