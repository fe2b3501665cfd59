"""Graphs compiled by LangGraph that run inside nodes of nbhitl's: their chunks, their messages, and what they inherit."""

import asyncio
import operator
import re
from typing import Annotated, TypedDict

import langgraph.graph as theirs
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.config import get_stream_writer
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from langgraph.store.memory import InMemoryStore

import nbhitl.graph as ours
from nbhitl.store.memory import InMemoryStore as OurStore


class State(TypedDict):
    items: Annotated[list, operator.add]


class Chat(TypedDict):
    messages: Annotated[list, add_messages]


class Context(TypedDict):
    user: str


def chain(engine, schema, *nodes, **kwargs):
    builder = engine.StateGraph(schema, **kwargs)
    builder.add_sequence([*nodes])
    builder.add_edge(engine.START, nodes[0][0])
    return builder.compile()


def leaf(state):
    get_stream_writer()("from the leaf")
    return {"items": ["leaf"]}


LEAF = chain(theirs, State, ("leaf", leaf))
CHILD = chain(theirs, State, ("deeper", LEAF), ("after", leaf))


def call(state):
    CHILD.invoke({"items": ["called"]})
    return {"items": ["call"]}


async def acall(state):
    await CHILD.ainvoke({"items": ["called"]})
    return {"items": ["call"]}


def plain(chunk):
    """A chunk with the same name for every task id and time."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", repr(chunk))
    return re.sub(r"'timestamp': '[^']*'", "'timestamp': <time>", text)


MODES = [
    "values",
    "updates",
    "custom",
    "tasks",
    "checkpoints",
    "debug",
    ["updates", "custom", "values", "tasks", "debug"],
]


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_streams_look_into_them(mode, subgraphs):
    def chunks(engine):
        graph = chain(engine, State, ("child", CHILD), ("call", call))
        return [plain(c) for c in graph.stream({"items": []}, stream_mode=mode, subgraphs=subgraphs)]

    assert chunks(ours) == chunks(theirs)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_async_streams_look_into_them(mode):
    async def chunks(engine):
        graph = chain(engine, State, ("child", CHILD), ("call", acall))
        return [plain(c) async for c in graph.astream({"items": []}, stream_mode=mode, subgraphs=True)]

    assert asyncio.run(chunks(ours)) == asyncio.run(chunks(theirs))


def test_streams_look_through_a_graph_of_ours_between():
    def chunks(engine):
        middle = chain(engine, State, ("child", CHILD))
        graph = chain(engine, State, ("middle", middle), ("call", lambda state: middle.invoke({"items": []})))
        return [
            plain(c) for c in graph.stream({"items": []}, stream_mode=["updates", "custom"], subgraphs=True)
        ]

    assert chunks(ours) == chunks(theirs)


@pytest.mark.parametrize("subgraphs", [False, True])
def test_messages_of_models_and_nodes_inside_them(subgraphs):
    def chat_model(state):
        model = GenericFakeChatModel(messages=iter([AIMessage("hello world")]))
        return {"messages": [model.invoke(state["messages"])]}

    def fixed(state):
        return {"messages": AIMessage("fixed", id="f")}

    inner = chain(theirs, Chat, ("chat_model", chat_model), ("fixed", fixed))
    child = chain(theirs, Chat, ("inner", inner))

    def call_it(state):
        child.invoke({"messages": [HumanMessage("called", id="c")]})
        return {}

    def shown(engine):
        graph = chain(engine, Chat, ("child", child), ("call_it", call_it))
        start = {"messages": [HumanMessage("hi", id="h")]}
        found = []
        for chunk in graph.stream(start, stream_mode="messages", subgraphs=subgraphs):
            levels, (message, about) = chunk if subgraphs else ((), chunk)
            place = about["langgraph_node"], about["langgraph_step"], about["langgraph_checkpoint_ns"]
            found.append(plain((levels, type(message).__name__, message.content, place)))
        return found

    assert shown(ours) == shown(theirs)
    assert shown(ours)


def test_they_get_the_context_and_the_store_of_the_run_that_calls_them():
    def who(state, runtime: Runtime[Context]):
        found = runtime.store.get(("users",), "1")
        return {"items": [runtime.context["user"], found.value["name"]]}

    child = chain(theirs, State, ("who", who), context_schema=Context)

    def result(engine, store):
        store.put(("users",), "1", {"name": "Ada"})
        builder = engine.StateGraph(State, context_schema=Context)
        builder.add_node("child", child)
        builder.add_edge(engine.START, "child")
        return builder.compile(store=store).invoke({"items": []}, context={"user": "u1"})

    assert result(ours, OurStore()) == result(theirs, InMemoryStore()) == {"items": ["u1", "Ada"]}


def test_two_calls_of_one_task_share_a_namespace():
    def twice(state):
        LEAF.invoke({"items": []})
        LEAF.invoke({"items": []})
        return {}

    graph = chain(ours, State, ("twice", twice))
    levels = [ns for ns, _ in graph.stream({"items": []}, stream_mode="custom", subgraphs=True)]
    assert len(levels) == 2
    assert levels[0] == levels[1]
    assert levels[0][0].startswith("twice:")
