"""astream_events: the events of graphs, nodes, path functions, models and tools, on both engines alike."""

# Annotations are evaluated as they are written here.

import asyncio
import operator
import uuid
from typing import Annotated, Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from typing_extensions import TypedDict

from nbhitl.graph import _events

from .engines import LANGGRAPH, OURS, without_ids


class State(TypedDict):
    path: Annotated[list, operator.add]


def seen_of(event: dict[str, Any], runs: dict[str, int]) -> Any:
    """What a program can see of an event, with numbers for the ids of runs and the interrupts' ids left out."""
    number = runs.setdefault(event["run_id"], len(runs))
    parents = [runs.setdefault(id, len(runs)) for id in event["parent_ids"]]
    data = {key: value if key != "error" else repr(value) for key, value in event["data"].items()}
    if isinstance(data.get("chunk"), dict) and "__interrupt__" in data["chunk"]:
        data["chunk"] = [i.value for i in data["chunk"]["__interrupt__"]]
    if type(data.get("input")).__name__ == "Command":
        data["input"] = str(data["input"])
    return without_ids(
        (event["event"], event["name"], number, parents, event["tags"], event["metadata"], data)
    )


async def events(graph: Any, input: Any, config: Any = None, **options: Any) -> list[Any]:
    runs: dict[str, int] = {}
    seen = []
    try:
        async for event in graph.astream_events(input, config, version="v2", **options):
            seen.append(seen_of(event, runs))
    except ValueError as error:
        seen.append(repr(error))
    return seen


async def on_both(program, **options):
    """Return the events of the graph that `program` makes of an engine: the same on both."""
    theirs, ours = [await events(*program(e), **options) for e in (LANGGRAPH, OURS)]
    assert ours == theirs
    assert ours
    return ours


def kinds(seen):
    return [(event, name) for event, name, *_ in seen]


async def a(state):
    await asyncio.sleep(0.002)
    return {"path": ["a"]}


def b(state):
    return {"path": ["b"]}


def line(e):
    return e.StateGraph(State).add_node("a", a).add_node("b", b).add_edge(e.START, "a").add_edge("a", "b")


async def test_a_line_of_nodes():
    def program(e):
        config = {"tags": ["mine"], "metadata": {"k": 1}, "configurable": {"thread_id": "t", "x": 1}}
        return line(e).compile(), {"path": ["in"]}, config

    seen = await on_both(program)
    assert kinds(seen) == [
        ("on_chain_start", "LangGraph"),
        ("on_chain_start", "a"),
        ("on_chain_stream", "a"),
        ("on_chain_end", "a"),
        ("on_chain_stream", "LangGraph"),
        ("on_chain_start", "b"),
        ("on_chain_stream", "b"),
        ("on_chain_end", "b"),
        ("on_chain_stream", "LangGraph"),
        ("on_chain_end", "LangGraph"),
    ]
    assert seen[0][4:] == (
        ["mine"],
        {"k": 1, "thread_id": "t", "ls_integration": "langgraph"},
        {"input": {"path": ["in"]}},
    )
    assert seen[3][6] == {"output": {"path": ["a"]}, "input": {"path": ["in"]}}
    assert seen[-1][6] == {"output": {"path": ["in", "a", "b"]}}


@pytest.mark.parametrize(
    "options",
    [
        {"stream_mode": "values"},
        {"stream_mode": ["values", "updates"]},
        {"include_names": ["a"]},
        {"include_types": ["chain"]},
        {"include_tags": ["graph:step:2"]},
        {"exclude_names": ["LangGraph"]},
        {"exclude_tags": ["graph:step:1"]},
        {"exclude_types": ["chain"], "include_names": ["a"]},
    ],
    ids=str,
)
async def test_options(options):
    def program(e):
        return line(e).compile(), {"path": ["in"]}, {"run_name": "mine"}

    if "exclude_types" in options:
        ours = await events(*program(OURS), **options)
        assert ours == await events(*program(LANGGRAPH), **options) == []
    else:
        await on_both(program, **options)


async def test_path_functions():
    def program(e):
        def start(state):
            return "a"

        def on(state):
            return ["b"]

        builder = e.StateGraph(State).add_node("a", a).add_node("b", b)
        builder.add_conditional_edges(e.START, start, ["a"]).add_conditional_edges("a", on, ["b"])
        return builder.compile(name="named"), {"path": []}

    seen = await on_both(program)
    assert kinds(seen)[:3] == [
        ("on_chain_start", "named"),
        ("on_chain_start", "__start__"),
        ("on_chain_start", "start"),
    ]
    assert ("on_chain_end", "on") in kinds(seen)


@pytest.mark.parametrize("named", [False, True])
async def test_graphs_in_graphs(named):
    def program(e):
        inner = line(e).compile(name="inner" if named else None)
        return e.StateGraph(State).add_node("sub", inner).add_edge(e.START, "sub").compile(), {"path": ["in"]}

    seen = await on_both(program)
    assert max(len(parents) for _, _, _, parents, *_ in seen) == 3


async def test_an_error_and_retries():
    def program(e):
        tries = []

        def flaky(state):
            tries.append(1)
            if len(tries) == 1:
                raise ConnectionError("once")

        def fail(state):
            raise ValueError("boom")

        policy = e.RetryPolicy(initial_interval=0.001, jitter=False)
        builder = e.StateGraph(State).add_node(flaky, retry_policy=policy).add_node(fail)
        return builder.add_edge(e.START, "flaky").add_edge("flaky", "fail").compile(), {"path": []}

    seen = await on_both(program)
    assert seen[-1] == "ValueError('boom')"
    assert kinds(seen[:-1]).count(("on_chain_start", "flaky")) == 2


async def test_questions_and_answers():
    def programs(e):
        def ask(state):
            return {"path": [e.interrupt("q")]}

        graph = (
            e.StateGraph(State).add_node(ask).add_edge(e.START, "ask").compile(checkpointer=e.InMemorySaver())
        )
        config = {"configurable": {"thread_id": "t"}}
        return (graph, {"path": ["in"]}, config), (graph, e.Command(resume="A"), config)

    theirs, ours = [[await events(*program) for program in programs(e)] for e in (LANGGRAPH, OURS)]
    assert ours == theirs
    assert ours[0][2][6] == {"chunk": ["q"]}
    assert ours[1][-1][6] == {"output": {"path": ["in", "A"]}}


@tool
def add_one(x: int) -> int:
    """Add one."""
    return x + 1


async def test_models_and_tools():
    def program(e):
        said = GenericFakeChatModel(messages=iter([AIMessage("one two", id="m")]))

        async def call(state):
            reply = await said.ainvoke("hi")
            return {"path": [reply.content, await add_one.ainvoke({"x": 1})]}

        return e.StateGraph(State).add_node(call).add_edge(e.START, "call").compile(), {"path": []}

    seen = await on_both(program)
    names = [event for event, *_ in seen]
    assert names.count("on_chat_model_stream") == 3
    assert "on_tool_end" in names
    only = await on_both(program, include_types=["tool"])
    assert [event for event, *_ in only] == ["on_tool_start", "on_tool_end"]


async def test_the_callers_run_id():
    def program(e):
        return line(e).compile(), {"path": []}, {"run_id": uuid.UUID(int=7)}

    graph, *arguments = program(OURS)
    first = await anext(aiter(graph.astream_events(*arguments, version="v2")))
    assert first["run_id"] == str(uuid.UUID(int=7))
    await on_both(program)


async def test_leaving_early_stops_the_run():
    ran = []

    async def waits(state):
        ran.append("started")
        try:
            await asyncio.sleep(5)
        finally:
            ran.append("stopped")

    graph = OURS.StateGraph(State).add_node(waits).add_edge(OURS.START, "waits").compile()
    stream = graph.astream_events({"path": []}, version="v2")
    async for event in stream:
        if event["name"] == "waits":
            await asyncio.sleep(0.01)
            break
    await stream.aclose()
    assert ran == ["started", "stopped"]


# -- nbhitl's own events, which serve where langchain-core is not installed -----------------------------------


@pytest.fixture
def no_langchain(monkeypatch):
    monkeypatch.setattr(_events, "_runnable_class", lambda: None)


@pytest.mark.parametrize(
    "options",
    [{}, {"stream_mode": "values"}, {"include_names": ["a"]}, {"exclude_tags": ["graph:step:1"]}],
    ids=str,
)
async def test_own_events_are_those_of_langchain(no_langchain, options):
    def program(e):
        def path(state):
            return "sub"

        inner = line(e).compile(name="inner")
        builder = e.StateGraph(State).add_node("a", a).add_node("sub", inner).add_edge(e.START, "a")
        builder.add_conditional_edges("a", path, ["sub"])
        return builder.compile(), {"path": ["in"]}, {"tags": ["mine"], "metadata": {"k": 1}}

    def by_run(seen):
        # A chunk of the whole graph may come before or after the next node starts.
        return sorted(
            [(*event[:4], sorted(event[4]), *event[5:]) for event in seen], key=lambda event: event[2]
        )

    theirs, ours = [await events(*program(e), **options) for e in (LANGGRAPH, OURS)]
    assert by_run(ours) == by_run(theirs)


async def test_own_events_of_an_error(no_langchain):
    def fail(state):
        raise ValueError("boom")

    graph = OURS.StateGraph(State).add_node(fail).add_edge(OURS.START, "fail").compile()
    seen = await events(graph, {"path": []})
    assert seen[-1] == "ValueError('boom')"
    assert kinds(seen[:-1]) == [("on_chain_start", "LangGraph"), ("on_chain_start", "fail")]


async def test_own_events_know_one_version(no_langchain):
    with pytest.raises(NotImplementedError, match='the only version here is "v2"'):
        await anext(aiter(line(OURS).compile().astream_events({"path": []}, version="v1")))
