"""add_node(error_handler=): what runs when a node has failed for good, on both engines alike."""

import asyncio
import time

import pytest

from nbhitl.engine.error_handlers import handled_error
from nbhitl.errors import NodeError

from .building import pulled
from .engines import BOTH, LANGGRAPH, OURS, without_ids
from .failing import CONFIG, State, fails, on_both

ALL = ["updates", "values", "tasks"]


def says_why(e):
    def handler(state, error: e.NodeError):
        return {"path": [f"{error!r} {state.get('n')}"]}

    return handler


def around(e, handler, node=fails, saver=None, **options):
    """A graph in which `bad` fails, followed by `after`; `other` is there to be gone to."""
    builder = e.StateGraph(State).add_node("bad", node, error_handler=handler, **options)
    for name in ("after", "other"):
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    return builder.add_edge(e.START, "bad").add_edge("bad", "after").compile(checkpointer=saver)


def seen(graph, input, config=None, **options):
    """The chunks of a run, and the error that it ended with."""
    chunks = []
    try:
        for chunk in graph.stream(input, config, **{"stream_mode": ALL, **options}):
            chunks.append(chunk)
    except Exception as error:
        chunks.append(repr(error))
    return plain(chunks)


def plain(value):
    """Chunks with ids and errors as text, so that they compare across the engines."""
    if isinstance(value, Exception):
        return repr(value)
    if type(value).__name__ == "Interrupt":
        return ("asks", value.value)
    if isinstance(value, dict):
        return {key: "ID" if key == "id" else plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return without_ids(value)


def history(graph, config):
    return [
        (s.values, s.next, [(t.name, t.error, t.result, t.path) for t in s.tasks])
        for s in graph.get_state_history(config)
    ]


def test_its_update_takes_the_place_of_the_nodes():
    ours = on_both(lambda e: seen(around(e, says_why(e)), {"path": [], "n": 1}))
    handled = {"path": ["NodeError(node='bad', error=ValueError('boom')) 1"]}
    assert [chunk for mode, chunk in ours if mode == "updates"] == [{"__error_handler__bad": handled}]
    assert ours[-1] == ("values", {**handled, "n": 1})


def test_it_may_go_somewhere():
    def program(e):
        return around(e, lambda state: e.Command(update={"path": ["handled"]}, goto="other")).invoke(
            {"path": []}
        )

    assert on_both(program) == {"path": ["handled", "other"]}


def test_what_a_handler_is_given():
    def program(e):
        def handler(state, config, runtime):
            metadata = config["metadata"]
            names = ("langgraph_node", "langgraph_triggers", "langgraph_path", "langgraph_step")
            return {"path": [[metadata[name] for name in names], runtime.execution_info.node_attempt]}

        return around(e, handler).invoke({"path": []})["path"]

    place, attempt = on_both(program)
    assert place == [
        "__error_handler__bad",
        ("__pregel_push",),
        ("__pregel_pull", "bad", "node_error_handler", False),
        1,
    ]
    assert attempt == 1


def test_after_the_last_attempt():
    def program(e):
        tries = []

        def flaky(state):
            tries.append(1)
            raise ConnectionError("down")

        policy = e.RetryPolicy(initial_interval=0.001, jitter=False)
        return around(e, says_why(e), flaky, retry_policy=policy).invoke({"path": []}), len(tries)

    assert on_both(program)[1] == 3


def test_each_send_has_its_own():
    def program(e):
        builder = e.StateGraph(State).add_node("bad", fails, error_handler=says_why(e))
        builder.add_conditional_edges(e.START, lambda state: [e.Send("bad", {"n": n}) for n in range(3)])
        return builder.compile().invoke({"path": []})["path"]

    assert [text[-1] for text in on_both(program)] == ["0", "1", "2"]


@pytest.mark.parametrize("modes", ["updates", ["custom", "updates"]], ids=str)
def test_siblings_run_on(modes):
    """With `custom` every node runs on a worker thread; results of others come while the handler runs."""

    def program(e):
        def slow(state):
            time.sleep(0.05)
            return {"path": ["slow"]}

        def slower_handler(state):
            time.sleep(0.1)
            return {"path": ["handled"]}

        builder = e.StateGraph(State).add_node("bad", fails, error_handler=slower_handler).add_node(slow)
        graph = builder.add_edge(e.START, "bad").add_edge(e.START, "slow").compile()
        chunks = list(graph.stream({"path": []}, stream_mode=modes))
        return sorted(map(str, chunks)), graph.invoke({"path": []})

    assert on_both(program)[1] == {"path": ["handled", "slow"]}


async def test_async_nodes_and_handlers():
    async def program(e):
        async def bad(state):
            raise ValueError("boom")

        async def slow(state):
            await asyncio.sleep(5)

        async def handler(state, error: e.NodeError):
            await asyncio.sleep(0.02)
            return {"path": [f"{error.node} {type(error.error).__name__}"]}

        async def beside(state):
            await asyncio.sleep(0.01)
            return {"path": ["beside"]}

        both = e.StateGraph(State).add_node("bad", bad, error_handler=handler).add_node(beside)
        both.add_edge(e.START, "bad").add_edge(e.START, "beside")
        return [
            await around(e, handler, bad).ainvoke({"path": []}),
            await around(e, handler, slow, timeout=0.01).ainvoke({"path": []}),
            await around(e, lambda state: {"path": ["sync"]}, bad).ainvoke({"path": []}),
            await both.compile().ainvoke({"path": []}),
        ]

    ours = await program(OURS)
    assert ours == await program(LANGGRAPH)
    assert [result["path"] for result in ours] == [
        ["bad ValueError"],
        ["bad NodeTimeoutError"],
        ["sync"],
        ["bad ValueError", "beside"],
    ]


def test_a_called_graph_that_fails():
    def program(e):
        inner = e.StateGraph(State).add_node("fails", fails).add_edge(e.START, "fails").compile()
        return around(e, says_why(e), inner).invoke({"path": [], "n": 3})["path"]

    assert on_both(program) == ["NodeError(node='bad', error=ValueError('boom')) 3"]


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_history_tells_the_error(durability):
    def program(e):
        graph = around(e, says_why(e), saver=e.InMemorySaver())
        graph.invoke({"path": [], "n": 1}, CONFIG, durability=durability)
        return history(graph, CONFIG)

    ours = on_both(program)
    if durability == "sync":
        assert ours[1][2] == [("bad", "ValueError('boom')", None, ("__pregel_pull", "bad"))]


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_handler_that_fails_runs_again_and_not_the_node(durability):
    def program(e):
        ran = []

        def bad(state):
            ran.append("bad")
            raise ValueError("boom")

        def handler(state, error: e.NodeError):
            ran.append(str(error.error))
            if len(ran) < 4:
                raise KeyError("handler")
            return {"path": ["handled"]}

        graph = around(e, handler, bad, saver=e.InMemorySaver())
        chunks = [seen(graph, {"path": []}, CONFIG, durability=durability, stream_mode="updates")]
        state = graph.get_state(CONFIG)
        for _ in range(2):
            chunks.append(seen(graph, None, CONFIG, durability=durability, stream_mode="updates"))
        return chunks, [(t.name, t.error) for t in state.tasks], state.next, ran

    chunks, tasks, following, ran = on_both(program)
    assert chunks == [
        ["KeyError('handler')"],
        ["KeyError('handler')"],
        [{"__error_handler__bad": {"path": ["handled"]}}],
    ]
    assert (tasks, following) == ([("bad", "ValueError('boom')")], ("bad",))
    assert ran == ["bad", "boom", "ValueError('boom')", "ValueError('boom')"]


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_handler_that_asks(durability):
    """Its question is shown with the node that failed; LangGraph's get_state does not show it."""
    ran = []

    def bad(state):
        ran.append("bad")
        raise ValueError("boom")

    def asks(state):
        return {"path": [OURS.interrupt("what now?")]}

    graph = around(OURS, asks, bad, saver=OURS.InMemorySaver())
    paused = graph.invoke({"path": []}, CONFIG, durability=durability)
    assert [i.value for i in paused["__interrupt__"]] == ["what now?"]
    state = graph.get_state(CONFIG)
    assert state.next == ("bad",)
    assert [(t.name, t.error, [i.value for i in t.interrupts]) for t in state.tasks] == [
        ("bad", "ValueError('boom')", ["what now?"])
    ]
    answer = OURS.Command(resume={state.interrupts[0].id: "go on"})
    assert graph.invoke(answer, CONFIG, durability=durability) == {"path": ["go on"]}
    assert ran == ["bad"]
    assert graph.get_state(CONFIG).next == ()


def test_a_handler_that_asks_streams_alike():
    def program(e):
        graph = around(e, lambda state: {"path": [e.interrupt("what now?")]}, saver=e.InMemorySaver())
        return seen(graph, {"path": []}, CONFIG), seen(graph, e.Command(resume="A"), CONFIG)

    ours = on_both(program)
    assert ours[1][-1] == ("values", {"path": ["A"]})


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_finished_handler_beside_a_question_is_kept(durability):
    """LangGraph runs the handler a second time when the question beside it is answered."""
    ran = []

    def handler(state):
        ran.append("handler")
        return {"path": ["handled"]}

    builder = OURS.StateGraph(State).add_node("bad", fails, error_handler=handler)
    builder.add_node("ask", lambda state: {"path": [OURS.interrupt("q")]})
    builder.add_edge(OURS.START, "bad").add_edge(OURS.START, "ask")
    graph = builder.compile(checkpointer=OURS.InMemorySaver())
    graph.invoke({"path": []}, CONFIG, durability=durability)
    state = graph.get_state(CONFIG)
    assert (state.next, state.values) == (("ask",), {"path": ["handled"]})
    assert graph.invoke(OURS.Command(resume="A"), CONFIG, durability=durability) == {"path": ["A", "handled"]}
    assert ran == ["handler"]


def test_questions_are_not_errors():
    def program(e):
        graph = around(e, says_why(e), lambda state: {"path": [e.interrupt("q")]}, saver=e.InMemorySaver())
        first = seen(graph, {"path": []}, CONFIG)
        return first, graph.invoke(e.Command(resume="A"), CONFIG)

    assert on_both(program)[1] == {"path": ["A", "after"]}


def test_a_swallowed_question_is_told_to_the_person():
    from nbhitl.errors import SwallowedInterrupt

    def swallows(state):
        try:
            OURS.interrupt("q")
        except Exception:
            return {"path": ["went on"]}

    graph = around(OURS, says_why(OURS), swallows, saver=OURS.InMemorySaver())
    with pytest.raises(SwallowedInterrupt):
        graph.invoke({"path": []}, CONFIG)


@BOTH
def test_a_handler_that_is_none(e):
    with pytest.raises(TypeError, match="Expected a Runnable, callable or dict"):
        around(e, "not callable")


@pytest.mark.parametrize("error", [ValueError("no"), "ValueError('no')"])
def test_the_error_that_a_handler_was_about_is_saved_as_text(error):
    failed, handler = pulled("a"), pulled("b")
    handler.failed, handler.error = failed, NodeError("a", error)
    assert handled_error(handler) == {failed.id: "ValueError('no')"}
    assert handled_error(failed) == {}
