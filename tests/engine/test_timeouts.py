"""TimeoutPolicy on async nodes and Sends, and step_timeout; on both engines alike."""

# Annotations are evaluated as they are written here.

import asyncio
import gc
import operator
import time
from datetime import timedelta
from typing import Annotated

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from typing_extensions import TypedDict

from nbhitl.engine.timeouts import Pulse, _next_look
from nbhitl.errors import NodeTimeoutError

from .engines import BOTH, LANGGRAPH, OURS

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


async def slow(state):
    await asyncio.sleep(5)
    return {"path": ["slow"]}


def one(e, node, saver=None, **options):
    return (
        e.StateGraph(State)
        .add_node("node", node, **options)
        .add_edge(e.START, "node")
        .compile(checkpointer=saver)
    )


async def timed_out(e, graph):
    """Run a graph; return what its timeout says, or the result of a run that had none."""
    try:
        return await graph.ainvoke({"path": []})
    except e.NodeTimeoutError as error:
        return (
            error.node,
            error.kind,
            error.timeout,
            error.run_timeout,
            error.idle_timeout,
            str(error).split(" (")[0],
        )


@pytest.mark.parametrize(
    ("run", "idle", "looks"), [(5.0, None, 105.0), (None, 2.0, 109.0), (5.0, 2.0, 105.0), (20.0, 2.0, 109.0)]
)
def test_a_timeout_is_looked_at_when_it_may_be_over(run, idle, looks):
    pulse = Pulse(auto=True)
    pulse.last = 107.0
    assert _next_look({"run_timeout": run, "idle_timeout": idle}, pulse, 100.0) == looks


async def test_an_attempt_that_was_given_up_may_fail_unheard():
    """Else asyncio reports that nobody took its error."""
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    async def fails_when_stopped(state):
        try:
            await asyncio.sleep(5)
        finally:
            raise ValueError("while it is stopped")

    graph = one(OURS, fails_when_stopped, timeout=0.01)
    with pytest.raises(NodeTimeoutError):
        await graph.ainvoke({"path": []})
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    assert not reported


async def on_both(node, *, limits, **options):
    def graph(e):
        timeout = e.TimeoutPolicy(**limits) if isinstance(limits, dict) else limits
        return one(e, node, timeout=timeout, **options)

    return await seen_on_both(graph)


async def seen_on_both(graph):
    """What both see; on a machine that stands still for a moment either may time out, so there are three tries."""
    for _ in range(3):
        theirs, ours = [await timed_out(e, graph(e)) for e in (LANGGRAPH, OURS)]
        if ours == theirs:
            break
    assert ours == theirs
    return ours


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (0.02, "run"),
        (timedelta(milliseconds=20), "run"),
        ({"run_timeout": timedelta(milliseconds=20)}, "run"),
        ({"idle_timeout": 0.02}, "idle"),
        ({"idle_timeout": 0.02, "run_timeout": 1}, "idle"),
        ({"idle_timeout": 1, "run_timeout": 0.02}, "run"),
    ],
)
async def test_limits(limits, kind):
    node, seen, timeout, *_ = await on_both(slow, limits=limits)
    assert (node, seen, timeout) == ("node", kind, 0.02)


@pytest.mark.parametrize("limits", [5, {"idle_timeout": 5}, {}])
async def test_a_quick_node_is_left_alone(limits):
    async def quick(state):
        await asyncio.sleep(0)
        return {"path": ["quick"]}

    assert await on_both(quick, limits=limits) == {"path": ["quick"]}


async def writes(state, writer):
    for _ in range(6):
        await asyncio.sleep(0.06)
        writer("alive")
    return {"path": ["done"]}


async def beats(state, runtime):
    for _ in range(6):
        await asyncio.sleep(0.06)
        runtime.heartbeat()
    return {"path": ["done"]}


async def asks_a_model(state):
    async for _ in GenericFakeChatModel(messages=iter([AIMessage("a b c d")])).astream("hi"):
        await asyncio.sleep(0.06)
    return {"path": ["done"]}


@pytest.mark.parametrize(
    ("node", "refresh_on", "survives"),
    [
        (writes, "auto", True),
        (writes, "heartbeat", False),
        (beats, "auto", True),
        (beats, "heartbeat", True),
        (asks_a_model, "auto", True),
        (asks_a_model, "heartbeat", False),
    ],
)
async def test_signs_of_life(node, refresh_on, survives):
    seen = await on_both(node, limits={"idle_timeout": 0.3, "refresh_on": refresh_on})
    assert seen == {"path": ["done"]} if survives else seen[:2] == ("node", "idle")


async def test_heartbeats_do_not_lengthen_the_run():
    assert (await on_both(beats, limits={"run_timeout": 0.12}))[1] == "run"


async def test_a_called_graph_that_moves_on_is_a_sign_of_life():
    async def step(state):
        await asyncio.sleep(0.06)
        return {"path": ["step"]}

    def graph(e):
        builder = e.StateGraph(State)
        for n in range(5):
            builder.add_node(f"n{n}", step).add_edge(f"n{n - 1}" if n else e.START, f"n{n}")
        inner = builder.compile()

        async def call(state):
            return await inner.ainvoke({"path": []})

        return one(e, call, timeout=e.TimeoutPolicy(idle_timeout=0.25))

    assert await seen_on_both(graph) == {"path": ["step"] * 5}


async def test_the_node_is_told_and_its_late_result_is_dropped():
    told = []

    async def stubborn(state):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            told.append(True)
        return {"path": ["too late"]}

    async def turns_into_an_error(state):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            raise ValueError("nobody hears this") from None

    assert (await on_both(stubborn, limits=0.02))[:2] == ("node", "run")
    assert (await on_both(turns_into_an_error, limits=0.02))[:2] == ("node", "run")
    await asyncio.sleep(0.01)
    assert told == [True, True]


async def test_a_timeout_of_the_nodes_own_is_its_own():
    async def own(state):
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)

    for e in (LANGGRAPH, OURS):
        with pytest.raises(TimeoutError) as caught:
            await one(e, own, timeout=5).ainvoke({"path": []})
        assert not isinstance(caught.value, e.NodeTimeoutError)


async def test_cancellation_from_outside_reaches_a_limited_node():
    cleaned = []

    async def node(state):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            cleaned.append(True)
            raise

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one(OURS, node, timeout=4).ainvoke({"path": []}), 0.05)
    assert cleaned == [True]


@pytest.mark.parametrize(
    ("send", "node", "seen"),
    [(0.02, None, 0.02), (0.02, 5, 0.02), (None, 0.02, 0.02), (timedelta(milliseconds=20), None, 0.02)],
)
async def test_a_sends_timeout_comes_before_the_nodes(send, node, seen):
    for e in (LANGGRAPH, OURS):
        options = {} if node is None else {"timeout": node}
        builder = e.StateGraph(State).add_node("slow", slow, **options)
        builder.add_conditional_edges(
            e.START, lambda state, e=e: [e.Send("slow", {"path": []}, timeout=send)]
        )
        assert (await timed_out(e, builder.compile()))[:3] == ("slow", "run", seen)


async def test_a_longer_send_outlasts_the_nodes_limit():
    async def short(state):
        await asyncio.sleep(0.1)
        return {"path": ["done"]}

    for e in (LANGGRAPH, OURS):
        builder = e.StateGraph(State).add_node("short", short, timeout=0.02)
        builder.add_conditional_edges(e.START, lambda state, e=e: [e.Send("short", {"path": []}, timeout=5)])
        assert await builder.compile().ainvoke({"path": []}) == {"path": ["done"]}


async def test_a_policy_may_retry_it():
    for e in (LANGGRAPH, OURS):
        calls = []

        async def slow_at_first(state, calls=calls):
            calls.append(1)
            await asyncio.sleep(0 if len(calls) == 3 else 5)
            return {"path": ["done"]}

        policy = e.RetryPolicy(initial_interval=0.001, jitter=False)
        graph = one(e, slow_at_first, timeout=0.02, retry_policy=policy)
        assert await graph.ainvoke({"path": []}) == {"path": ["done"]}
        assert len(calls) == 3


async def test_it_is_saved_like_other_errors_and_goes_on():
    calls = []

    async def slow_at_first(state):
        calls.append(1)
        await asyncio.sleep(5 if len(calls) == 1 else 0)
        return {"path": ["done"]}

    graph = one(OURS, slow_at_first, saver=OURS.InMemorySaver(), timeout=0.02)
    with pytest.raises(NodeTimeoutError):
        await graph.ainvoke({"path": []}, CONFIG)
    state = await graph.aget_state(CONFIG)
    assert state.next == ("node",)
    assert "exceeded its run timeout" in state.tasks[0].error
    assert await graph.ainvoke(None, CONFIG) == {"path": ["done"]}


async def test_questions_pass_through():
    async def ask(state):
        return {"path": [OURS.interrupt("q")]}

    graph = one(OURS, ask, saver=OURS.InMemorySaver(), timeout=5)
    assert (await graph.ainvoke({"path": []}, CONFIG))["__interrupt__"][0].value == "q"
    assert await graph.ainvoke(OURS.Command(resume="yes"), CONFIG) == {"path": ["yes"]}


async def test_a_graph_as_a_limited_node():
    for e in (LANGGRAPH, OURS):
        assert (await timed_out(e, one(e, one(e, slow), timeout=0.02)))[:2] == ("node", "run")


# -- refused ----------------------------------------------------------------------------------------------


@BOTH
def test_sync_nodes_are_refused(e):
    with pytest.raises(ValueError, match="only supported for async nodes"):
        one(e, lambda state: None, timeout=1)


@BOTH
def test_sync_runs_are_refused(e):
    with pytest.raises(ValueError, match="only supported for async nodes"):
        one(e, slow, timeout=1).invoke({"path": []})
    builder = e.StateGraph(State).add_node("sync", lambda state: None)
    builder.add_conditional_edges(e.START, lambda state: [e.Send("sync", {"path": []}, timeout=1)])
    with pytest.raises(ValueError, match="only supported for async nodes"):
        builder.compile().invoke({"path": []})


@BOTH
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"run_timeout": 0}, "run_timeout must be greater than 0"),
        ({"idle_timeout": -1}, "idle_timeout must be greater than 0"),
        ({"run_timeout": 1, "refresh_on": "x"}, "refresh_on must be 'auto' or 'heartbeat'"),
    ],
)
def test_senseless_limits_are_refused(e, limits, message):
    with pytest.raises(ValueError, match=message):
        one(e, slow, timeout=e.TimeoutPolicy(**limits))


# -- step_timeout ------------------------------------------------------------------------------------------


def two(e, first):
    builder = (
        e.StateGraph(State).add_node("first", first).add_node("other", lambda state: {"path": ["other"]})
    )
    return builder.add_edge(e.START, "first").add_edge(e.START, "other").compile()


@BOTH
@pytest.mark.parametrize("alone", [True, False])
def test_step_timeout_sync(e, alone):
    def sleeps(state):
        time.sleep(0.3)
        return {"path": ["slept"]}

    graph = one(e, sleeps) if alone else two(e, sleeps)
    graph.step_timeout = 0.02
    with pytest.raises(TimeoutError):
        graph.invoke({"path": []})
    with pytest.raises(TimeoutError):
        list(graph.stream({"path": []}, stream_mode=["custom", "updates"]))
    graph.step_timeout = 10
    assert graph.invoke({"path": []})["path"][0] in {"slept"}


@BOTH
@pytest.mark.parametrize("alone", [True, False])
async def test_step_timeout_async(e, alone):
    cancelled = []

    async def sleeps(state):
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    graph = one(e, sleeps) if alone else two(e, sleeps)
    graph.step_timeout = 0.05
    with pytest.raises(TimeoutError):
        await graph.ainvoke({"path": []})
    assert cancelled == [True]


@pytest.mark.parametrize("keeps", [False, True])
def test_what_to_do_about_a_step_that_takes_too_long(keeps):
    saver = OURS.InMemorySaver() if keeps else None
    graph = one(OURS, lambda state: time.sleep(0.1), saver=saver)
    graph.step_timeout = 0.01
    with pytest.raises(TimeoutError, match=r"=0.01 s .* Raise graph.step_timeout, or ") as caught:
        graph.invoke({"path": []}, {"configurable": {"thread_id": "1"}})
    assert str(caught.value).endswith("is kept: go on with invoke(None, config).") is keeps
