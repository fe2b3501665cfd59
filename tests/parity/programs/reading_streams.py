"""What has happened when a reader gets a chunk: a run goes on when the next one is asked for."""

import operator
from typing import Annotated

from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables.config import ensure_config, get_callback_manager_for_config
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def three(events, node):
    builder = StateGraph(State)
    for name in ("a", "b", "c"):
        builder.add_node(name, node(name, events))
    return builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile()


def told(name, events):
    def node(state):
        events.append(f"in {name}")
        return {"log": [name]}

    return node


def told_async(name, events):
    async def node(state):
        events.append(f"in {name}")
        return {"log": [name]}

    return node


def told_and_written(name, events):
    async def node(state):
        get_stream_writer()(f"from {name}")
        events.append(f"in {name}")
        return {"log": [name]}

    return node


def program_nodes_and_reader_take_turns(record):
    for mode in ("updates", "values", "debug"):
        events = []
        for _ in three(events, told).stream({"log": []}, stream_mode=mode):
            events.append("read")
        record(mode, events)


async def program_async_nodes_and_reader_take_turns(record):
    for node in (told_async, told):
        for mode in ("updates", "values"):
            events = []
            async for _ in three(events, node).astream({"log": []}, stream_mode=mode):
                events.append("read")
            record(f"{mode}, {node.__name__}", events)


async def program_a_reader_that_leaves_stops_an_async_run(record):
    events = []
    chunks = three(events, told_async).astream({"log": []})
    async for chunk in chunks:
        events.append(chunk)
        break
    await chunks.aclose()
    record("only the first node ran", events)


async def program_async_writers_and_updates_in_order(record):
    events = []
    graph = three(events, told_and_written)
    async for chunk in graph.astream({"log": []}, stream_mode=["custom", "updates"]):
        events.append(chunk)
    record(
        "in b comes after the update of a",
        events.index("in b") > events.index(("updates", {"a": {"log": ["a"]}})),
    )
    record("chunks", [event for event in events if isinstance(event, tuple)])


def program_updates_are_shown_before_parallel_writes_are_applied(record):
    graph = (
        StateGraph(MessagesState)
        .add_node("a", lambda state: {"messages": [("ai", "one")]})
        .add_node("b", lambda state: {"messages": [{"role": "ai", "content": "two"}]})
        .add_edge(START, "a")
        .add_edge(START, "b")
        .compile()
    )
    seen = sorted(str(chunk) for chunk in graph.stream({"messages": []}))
    record("as returned", seen)


def talking(name):
    def node(state):
        return {"messages": [AIMessage(name)]}

    return node


def have_ids(chunk):
    (update,) = chunk.values()
    return [message.id is not None for message in update["messages"]]


async def program_messages_get_their_ids_when_the_step_is_over(record):
    builder = StateGraph(MessagesState).add_node("a", talking("a")).add_node("b", talking("b"))
    graph = builder.add_edge(START, "a").add_edge("a", "b").compile()
    question = {"messages": [HumanMessage("hi", id="1")]}
    for options in ({}, {"subgraphs": True}, {"stream_mode": ["updates", "custom"]}):
        read = [have_ids(chunk[-1] if options else chunk) for chunk in graph.stream(question, **options)]
        record(f"{options}", read)
        record(
            f"{options}, async",
            [have_ids(chunk[-1] if options else chunk) async for chunk in graph.astream(question, **options)],
        )


def program_configs_of_checkpoints_in_a_stream_name_the_namespace_first(record, saver):
    graph = three([], told)
    graph.checkpointer = saver
    for entries in ({"thread_id": "1"}, {"user": "me", "thread_id": "2"}):
        for chunk in graph.stream({"log": []}, {"configurable": entries}, stream_mode="checkpoints"):
            record(f"{entries}", list(chunk["config"]["configurable"]))


async def program_tokens_told_by_hand(record):
    """As a node does that calls a model of its own and tells LangChain's callbacks of it."""

    async def model(state, config=None):
        manager = get_callback_manager_for_config(ensure_config(config | {"tags": ["mine"]}))
        run = manager.on_chat_model_start({}, [state["messages"]])[0]
        run.on_llm_new_token("told without a chunk")
        for word in ("two", "words"):
            run.on_llm_new_token(word, chunk=ChatGenerationChunk(message=AIMessageChunk(content=word)))
        return {"messages": [AIMessage("two words", id="whole")]}

    graph = StateGraph(MessagesState).add_node("model", model).add_edge(START, "model").compile()
    ids = set()
    async for message, metadata in graph.astream(
        {"messages": [HumanMessage("hi", id="h")]}, stream_mode="messages"
    ):
        record(
            message.content,
            [type(message.id).__name__, message.id in ids, metadata["tags"] if "tags" in metadata else None],
        )
        ids.add(message.id)
