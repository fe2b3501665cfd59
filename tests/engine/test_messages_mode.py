"""stream_mode="messages": what nodes return, push, and let models say, on both engines alike."""

import asyncio
import threading

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage, ToolMessage

from .engines import BOTH, LANGGRAPH, OURS
from .saying import chain, contents, model, on_both, state_of


def test_every_form_of_return_value():
    def program(e):
        def single(state):
            other = [HumanMessage("in another key", id="2"), "text"]
            return {
                "messages": AIMessage("single", id="1"),
                "other": other,
                "no key": [AIMessage("x", id="x")],
            }

        def nested(state):
            return {"other": {"deep": [AIMessage("not looked for", id="3")]}}

        def command(state):
            tool = ToolMessage("tool", tool_call_id="t", id="5")
            return e.Command(update={"messages": [AIMessage("command", id="4"), tool]})

        def pairs(state):
            return e.Command(update={"other": (AIMessage("in a tuple", id="6"),)})

        def coerced(state):
            return {"messages": ["text", ("ai", "pair"), {"role": "ai", "content": "dict"}]}

        def several(state):
            return [
                e.Command(update={"messages": [AIMessage("first", id="7")]}),
                {"messages": [AIMessage("second", id="8")]},
            ]

        def chunk(state):
            return {"messages": [AIMessageChunk(content="chunk", id="9"), RemoveMessage("1")]}

        graph = chain(e, single, nested, command, pairs, coerced, several, chunk)
        chunks = graph.stream({"messages": [HumanMessage("hi", id="h")]}, stream_mode="messages")
        return [(type(m).__name__, m.content, md["langgraph_node"]) for m, md in chunks]

    seen = on_both(program)
    assert ("AIMessage", "single", "single") in seen
    assert ("HumanMessage", "in another key", "single") in seen
    assert not any(content == "not looked for" for _, content, _ in seen)


def test_metadata_of_a_returned_message():
    def program(e):
        def bot(state):
            return {"messages": [AIMessage("hello", id="1")]}

        graph = chain(e, bot, saver=e.InMemorySaver(), metadata={"of the node": 1})
        config = {
            "configurable": {"thread_id": "t", "mine": "not shown"},
            "metadata": {"mine": 2},
            "tags": ["not shown"],
            "run_name": "not shown",
        }
        return list(graph.stream({"messages": []}, config, stream_mode="messages"))

    ((message, metadata),) = on_both(program)
    assert message == AIMessage("hello", id="1")
    assert metadata == {
        "of the node": 1,
        "mine": 2,
        "thread_id": "t",
        "ls_integration": "langgraph",
        "langgraph_step": 1,
        "langgraph_node": "bot",
        "langgraph_triggers": ("branch:to:bot",),
        "langgraph_path": ("__pregel_pull", "bot"),
        "langgraph_checkpoint_ns": "bot:ID",
    }


def test_tokens_of_a_model_and_their_metadata():
    def program(e):
        said = model("one two")

        def call(state):
            return {"messages": [said.invoke(state["messages"])]}

        config = {"tags": ["mine"], "metadata": {"k": 1}}
        return list(chain(e, call).stream({"messages": [HumanMessage("hi")]}, config, stream_mode="messages"))

    seen = on_both(program)
    assert contents(seen) == ["one", " ", "two"]
    assert {type(message) for message, _ in seen} == {AIMessageChunk}
    assert {message.id for message, _ in seen} == {"0-one two"}
    for _, metadata in seen:
        assert metadata["tags"] == ["mine"]
        assert metadata["ls_model_type"] == "chat"
        assert metadata["checkpoint_ns"] == metadata["langgraph_checkpoint_ns"] == "call:ID"


@pytest.mark.parametrize("how", ["with_config", "config", "chain", "nostream", "whole", "astream"])
def test_ways_to_call_a_model(how):
    from langchain_core.prompts import ChatPromptTemplate

    def program(e):
        said = model("a b", disable_streaming=how == "whole")
        bound = said.with_config(
            tags=["nostream"] if how == "nostream" else ["seq:step:9", "mine"], metadata={"z": 1}
        )

        def call(state, config):
            if how == "config":
                reply = said.invoke("hi", config)
            elif how == "chain":
                reply = (ChatPromptTemplate.from_messages([("user", "{x}")]) | said).invoke({"x": 1})
            elif how in {"nostream", "with_config"}:
                reply = bound.invoke("hi")
            elif how == "whole":
                reply = said.invoke("hi")
            else:
                reply = None
                for part in said.stream("hi"):
                    reply = part if reply is None else reply + part
            return {"messages": [reply]}

        chunks = chain(e, call).stream({"messages": []}, stream_mode="messages")
        return [
            (type(m).__name__, m.content, sorted(md), md.get("tags"), md["ls_integration"])
            for m, md in chunks
        ]

    seen = on_both(program)
    whole = how in {"nostream", "whole"}
    assert [content for _, content, *_ in seen] == (["a b"] if whole else ["a", " ", "b"])
    if how == "with_config":
        assert seen[0][3] == ["mine"]


async def test_async_nodes_and_models():
    async def program(e):
        said = model("a b", "c d", "e f")

        async def awaited(state):
            return {"messages": [await said.ainvoke("hi")]}

        def in_a_thread(state):
            return {"messages": [said.invoke("hi")]}

        async def streamed(state):
            async for _ in said.astream("hi"):
                await asyncio.sleep(0)

        chunks = chain(e, awaited, in_a_thread, streamed).astream({"messages": []}, stream_mode="messages")
        return [(m.content, md["langgraph_node"]) async for m, md in chunks]

    theirs, ours = await program(LANGGRAPH), await program(OURS)
    assert ours == theirs
    assert [text for text, _ in ours] == ["a", " ", "b", "c", " ", "d", "e", " ", "f"]


def test_tokens_arrive_while_the_node_runs():
    arrived = threading.Event()

    def call(state):
        for _ in model("a b").stream("hi"):
            assert arrived.wait(10), "the first token did not arrive before the second was made"

    for _ in chain(OURS, call).stream({"messages": []}, stream_mode="messages"):
        arrived.set()
    assert arrived.is_set()


def test_once_per_id_and_not_what_was_there():
    def program(e):
        def again(state):
            return {"messages": [*state["messages"], AIMessage("new", id="n")]}

        def changed(state):
            return {"messages": [AIMessage("changed", id="n")]}

        def unnamed(state):
            return {"messages": [AIMessage("without an id")]}

        graph = chain(e, again, changed, unnamed, saver=e.InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        first = contents(graph.stream({"messages": [HumanMessage("hi")]}, config, stream_mode="messages"))
        chunks = list(graph.stream({"messages": [("user", "more")]}, config, stream_mode="messages"))
        kept = graph.get_state(config).values["messages"]
        return first, contents(chunks), chunks[-1][0].id == kept[-1].id

    first, second, same = on_both(program)
    assert first == ["new", "without an id"]
    assert second == ["without an id"]
    assert same


def test_not_the_argument_of_a_send():
    def program(e):
        def work(state):
            return {"messages": [*state["messages"], AIMessage("done", id="d")]}

        builder = e.StateGraph(state_of(e)).add_node(work)
        builder.add_conditional_edges(
            e.START, lambda state: [e.Send("work", {"messages": [AIMessage("sent", id="s")]})]
        )
        return contents(builder.compile().stream({"messages": []}, stream_mode="messages"))

    assert on_both(program) == ["done"]


def test_after_a_resume_only_what_is_new():
    def program(e):
        def before(state):
            return {"messages": [AIMessage("before", id="b")]}

        def ask(state):
            e.interrupt("go on?")
            return {"messages": [AIMessage("after", id="a")]}

        graph = chain(e, before, ask, saver=e.InMemorySaver())
        config = {"configurable": {"thread_id": "t"}}
        first = contents(graph.stream({"messages": []}, config, stream_mode="messages"))
        return first, contents(graph.stream(e.Command(resume=1), config, stream_mode="messages"))

    assert on_both(program) == (["before"], ["after"])


def test_model_in_a_path_function_and_error_after_tokens():
    def program(e):
        said = model("on the way", "then it fails")

        def fail(state):
            said.invoke("hi")
            raise ValueError("boom")

        def path(state):
            said.invoke("hi")
            return "fail"

        builder = e.StateGraph(state_of(e)).add_node(fail)
        builder.add_conditional_edges(e.START, path, ["fail"])
        seen = []

        def run():
            for message, metadata in builder.compile().stream({"messages": []}, stream_mode="messages"):
                seen.append((message.content, metadata["langgraph_node"], metadata.get("tags")))

        with pytest.raises(ValueError, match="boom"):
            run()
        return seen

    seen = on_both(program)
    assert ("on", "__start__", ["langsmith:hidden"]) in seen
    assert ("fails", "fail", None) in seen


def test_beside_other_modes():
    def program(e):
        said = model("a b")

        def call(state):
            return {"messages": [said.invoke("hi")]}

        modes = ["messages", "updates", "values"]
        chunks = chain(e, call).stream({"messages": []}, stream_mode=modes)
        return [(mode, chunk[0].content if mode == "messages" else chunk) for mode, chunk in chunks]

    seen = on_both(program)
    assert [mode for mode, _ in seen] == ["values", "messages", "messages", "messages", "updates", "values"]


def test_pushed_messages():
    def program(e):
        def push(state):
            e.push_message(AIMessage("one", id="1"))
            e.push_message(AIMessage("for the stream alone", id="2"), state_key=None)
            e.push_message(AIMessage("one, changed", id="1"))
            return {"messages": [AIMessage("one, returned", id="1")], "other": 5}

        modes = ["messages", "updates", "values"]
        return list(chain(e, push).stream({"messages": []}, stream_mode=modes))

    seen = on_both(program)
    pushed = [chunk for mode, chunk in seen if mode == "messages"]
    assert contents(pushed) == ["one", "for the stream alone", "one, changed"]
    assert "ls_integration" not in pushed[0][1]
    assert seen[-1] == ("values", {"messages": [AIMessage("one, returned", id="1")], "other": 5})


def test_pushed_messages_of_a_failed_attempt_are_not_written():
    def program(e):
        attempts = []

        def push(state):
            attempts.append(1)
            e.push_message(AIMessage(f"try {len(attempts)}", id=str(len(attempts))))
            if len(attempts) == 1:
                raise ConnectionError("once")

        policy = e.RetryPolicy(initial_interval=0.001, jitter=False)
        return chain(e, push, retry_policy=policy).invoke({"messages": []})["messages"]

    assert contents([(m, None) for m in on_both(program)]) == ["try 2"]


@BOTH
def test_a_pushed_message_needs_an_id(e):
    def push(state):
        e.push_message(AIMessage("no id"))

    with pytest.raises(ValueError, match="Message ID is required"):
        chain(e, push).invoke({"messages": []})
