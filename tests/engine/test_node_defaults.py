"""set_node_defaults: error handlers, retries, caches and timeouts of nodes without their own; breakpoints at handlers."""

import asyncio

import pytest
from typing_extensions import TypedDict

from .engines import BOTH, LANGGRAPH, OURS
from .failing import CONFIG, State, fails, on_both


def two_nodes(e, defaults, *actions):
    builder = e.StateGraph(State).set_node_defaults(**defaults)
    for n, action in enumerate(actions):
        builder.add_node(f"n{n}", action).add_edge(e.START, f"n{n}")
    return builder


def test_a_default_handler_serves_nodes_without_their_own():
    class Small(TypedDict):
        n: int

    def program(e):
        def fails_small(state: Small):
            raise ValueError("small")

        def handler(state, error: e.NodeError):
            return {"path": [(error.node, sorted(state))]}

        builder = two_nodes(e, {"error_handler": handler}, fails, fails_small)
        builder.add_node("own", fails, error_handler=lambda state: {"path": ["own"]}).add_edge(e.START, "own")
        chunks = list(builder.compile().stream({"path": [], "n": 1}, stream_mode=["updates", "values"]))
        return chunks[-1][1], sorted(name for mode, chunk in chunks if mode == "updates" for name in chunk)

    state, names = on_both(program)
    assert state["path"] == [("n0", ["n", "path"]), ("n1", ["n"]), "own"]
    assert names == ["__default_error_handler__", "__default_error_handler__", "__error_handler__own"]


def test_default_retries_hold_for_handlers_and_later_calls_add():
    def program(e):
        tries = []

        def handler(state):
            tries.append(1)
            if len(tries) < 3:
                raise ConnectionError("handler")
            return {"path": ["handled"]}

        policy = e.RetryPolicy(initial_interval=0.001, jitter=False)
        builder = two_nodes(e, {"retry_policy": policy}, fails).set_node_defaults(error_handler=handler)
        return builder.compile().invoke({"path": []}), len(tries)

    assert on_both(program) == ({"path": ["handled"]}, 3)


def test_default_cache_and_a_nodes_own_policy():
    def program(e):
        calls = []

        def counted(state):
            calls.append(1)
            return {"path": ["ran"]}

        graph = two_nodes(e, {"cache_policy": e.CachePolicy()}, counted).compile(cache=e.InMemoryCache())
        return [graph.invoke({"path": []}) for _ in range(2)], len(calls)

    assert on_both(program)[1] == 1


async def test_default_timeouts():
    async def slow(state):
        await asyncio.sleep(5)

    async def handler(state, error: OURS.NodeError):
        return {"path": [type(error.error).__name__]}

    for e in (LANGGRAPH, OURS):
        with pytest.raises(e.NodeTimeoutError):
            await two_nodes(e, {"timeout": 0.01}, slow).compile().ainvoke({"path": []})
        for defaults, action in (({}, fails), ({"error_handler": fails}, slow)):
            builder = two_nodes(e, {"timeout": 0.01, **defaults}, action)
            with pytest.raises(ValueError, match="only supported for async nodes"):
                await builder.compile().ainvoke({"path": []})
    graph = two_nodes(OURS, {"timeout": 0.01, "error_handler": handler}, slow).compile()
    assert await graph.ainvoke({"path": []}) == {"path": ["NodeTimeoutError"]}


@BOTH
@pytest.mark.parametrize("when", ["compile", "run"])
@pytest.mark.parametrize("kind", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("node", ["__error_handler__bad", "bad"])
def test_breakpoints_at_a_handler(e, when, kind, node):
    """A handler goes on within its node's step, so that nothing stops before it; after it the run does."""
    stops = {kind: [node]}
    builder = e.StateGraph(State).add_node("bad", fails, error_handler=lambda state: {"path": ["handled"]})
    builder.add_node("after", lambda state: {"path": ["after"]})
    builder.add_edge(e.START, "bad").add_edge("bad", "after")
    graph = builder.compile(checkpointer=e.InMemorySaver(), **(stops if when == "compile" else {}))
    chunks = [*graph.stream({"path": []}, CONFIG, stream_mode="updates", **(stops if when == "run" else {}))]
    reached = [next(iter(chunk)) for chunk in chunks]
    before_bad = node == "bad" and kind == "interrupt_before"
    assert reached[0] == ("__interrupt__" if before_bad else "__error_handler__bad")
    assert ("__interrupt__" in reached) == (kind == "interrupt_after" or before_bad)
    assert graph.get_state(CONFIG).next == (("bad",) if before_bad else ())


@BOTH
def test_a_breakpoint_at_the_handler_of_a_node_without_one_is_refused(e):
    builder = e.StateGraph(State).add_node("bad", fails).add_edge(e.START, "bad")
    with pytest.raises(ValueError, match="__error_handler__bad"):
        builder.compile(interrupt_before=["__error_handler__bad"])
