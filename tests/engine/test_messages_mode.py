"""stream_mode="messages": what nodes return, push, and let models say, on both engines alike."""

# Annotations are evaluated as they are written here: the state's names the engine's own reducer.

import asyncio
import subprocess
import sys
import threading
from typing import Annotated, Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage, ToolMessage
from typing_extensions import TypedDict

from .engines import BOTH, LANGGRAPH, OURS, without_ids


def model(*texts: str, **options: Any) -> GenericFakeChatModel:
    replies = (AIMessage(text, id=f"{n}-{text}") for n, text in enumerate(texts))
    return GenericFakeChatModel(messages=replies, **options)


def state_of(e):
    class State(TypedDict):
        messages: Annotated[list, e.add_messages]
        other: Any

    return State


def chain(e, *nodes, saver=None, schema=None, **first):
    builder = e.StateGraph(schema or state_of(e))
    previous = e.START
    for n, node in enumerate(nodes):
        builder.add_node(node.__name__, node, **(first if n == 0 else {}))
        builder.add_edge(previous, node.__name__)
        previous = node.__name__
    return builder.compile(checkpointer=saver)


def on_both(program):
    """Run a program on both engines, compare what it saw, and return that."""
    theirs, ours = without_ids(program(LANGGRAPH)), without_ids(program(OURS))
    assert ours == theirs
    assert ours
    return ours


def contents(chunks):
    return [message.content for message, _ in chunks]


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


# -- graphs in graphs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("subgraphs", [False, True])
@pytest.mark.parametrize("how", ["node", "called"])
def test_models_and_messages_of_called_graphs(how, subgraphs):
    def program(e):
        said = model("sub one")

        def talk(state):
            return {"messages": [said.invoke("hi")]}

        def static(state):
            return {"messages": [AIMessage("static", id="s")]}

        inner = chain(e, talk, static)

        def sub(state):
            return {"messages": inner.invoke({"messages": []})["messages"]}

        builder = e.StateGraph(state_of(e)).add_node("sub", inner if how == "node" else sub)
        graph = builder.add_edge(e.START, "sub").compile()
        options = {"stream_mode": "messages", "subgraphs": subgraphs}
        chunks = list(graph.stream({"messages": []}, **options))
        return [(c[0] if subgraphs else (), *(c[1] if subgraphs else c)) for c in chunks]

    seen = on_both(program)
    if subgraphs:
        assert [(ns, m.content) for ns, m, _ in seen] == [
            (("sub:ID",), text) for text in ("sub", " ", "one", "static")
        ]
        assert seen[-1][2]["checkpoint_ns"] == "sub:ID"
    else:
        assert [(m.content, md["langgraph_node"]) for _, m, md in seen] == [
            ("sub one", "sub"),
            ("static", "sub"),
        ]


def test_a_node_that_streams_a_graph_itself():
    def program(e):
        def talk(state):
            return {"messages": [model("x y").invoke("hi")]}

        inner, seen = chain(e, talk), []

        def outer(state):
            seen.extend(contents(inner.stream({"messages": []}, stream_mode="messages")))

        chunks = list(chain(e, outer).stream({"messages": []}, stream_mode="messages", subgraphs=True))
        return seen, [message.content for _, (message, _) in chunks]

    assert on_both(program) == (["x", " ", "y"], ["x", " ", "y"])


# -- with other modes, and pushed messages ------------------------------------------------------------------


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


# -- what models and tools are told ---------------------------------------------------------------------------


def test_handlers_hear_graphs_nodes_and_models():
    class Heard(BaseCallbackHandler):
        def __init__(self):
            self.events, self.runs = [], {}

        def note(self, what, run_id, parent_run_id, name=None, tags=None):
            number = self.runs.setdefault(run_id, len(self.runs))
            self.events.append((what, number, self.runs.get(parent_run_id), name, sorted(tags or [])))

        def on_chain_start(
            self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, name=None, **_
        ):
            self.note(("start", inputs), run_id, parent_run_id, name, tags)

        def on_chain_end(self, outputs, *, run_id, parent_run_id=None, **_):
            self.note(("end", outputs), run_id, parent_run_id)

        def on_chain_error(self, error, *, run_id, parent_run_id=None, **_):
            self.note(("error", type(error).__name__), run_id, parent_run_id)

        def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, **_):
            self.note("model", run_id, parent_run_id)

    def program(e):
        said = model(*"abc")

        def talk(state):
            said.invoke("hi")

        def ask(state):
            e.interrupt("q")

        def fail(state):
            raise ValueError("boom")

        def path(state):
            return "call"

        inner = chain(e, talk, ask)

        def call(state, config):
            inner.invoke({"messages": []}, config)

        builder = e.StateGraph(state_of(e)).add_node(talk).add_node(call).add_node(fail)
        builder.add_edge(e.START, "talk").add_conditional_edges("talk", path, ["call"]).add_edge(
            "call", "fail"
        )
        graph = builder.compile(checkpointer=e.InMemorySaver(), name="outer")
        heard = Heard()
        config = {"configurable": {"thread_id": "t"}, "callbacks": [heard], "tags": ["mine"]}
        graph.invoke({"messages": []}, config)
        with pytest.raises(ValueError, match="boom"):
            graph.invoke(e.Command(resume=1), config)
        return [(what if what == "model" else (what[0], str(what[1])), *rest) for what, *rest in heard.events]

    seen = on_both(program)
    told = [(what if isinstance(what, str) else what[0], name) for what, _, _, name, _ in seen]
    assert told[:3] == [("start", "outer"), ("start", "talk"), ("model", None)]
    assert ("start", "path") in told
    assert [what[1] for what, *_ in seen if what[0] == "error"] == ["GraphInterrupt"] * 3 + ["ValueError"] * 2


def test_a_graph_inside_a_runnable_belongs_to_it():
    from langchain_core.runnables import RunnableLambda

    class Heard(BaseCallbackHandler):
        def __init__(self):
            self.names = []

        def on_chain_start(self, *_, name=None, tags=None, **__):
            self.names.append((name, sorted(tags or [])))

    def program(e):
        def node(state):
            return None

        graph, heard = chain(e, node), Heard()
        around = RunnableLambda(lambda _: graph.invoke({"messages": []}))
        around.invoke(1, {"callbacks": [heard], "tags": ["outer"]})
        return heard.names

    assert on_both(program) == [
        ("RunnableLambda", ["outer"]),
        ("LangGraph", ["outer"]),
        ("node", ["graph:step:1", "outer"]),
    ]


def test_without_langchain_core():
    program = """
import sys
sys.modules["langchain_core"] = None
import asyncio
from nbhitl.graph import START, MessagesState, StateGraph
from nbhitl.graph.message import push_message
from nbhitl.messages import AIMessage

def bot(state):
    push_message(AIMessage("pushed", id="1"))
    return {"messages": [AIMessage("returned", id="2")]}

graph = StateGraph(MessagesState).add_node(bot).add_edge(START, "bot").compile()
print([(m.content, md["langgraph_node"]) for m, md in graph.stream({"messages": []}, stream_mode="messages")])

async def main():
    async for event in graph.astream_events({"messages": []}, {"tags": ["t"]}, version="v2"):
        print(event["event"], event["name"], len(event["parent_ids"]), event["tags"])

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "[('pushed', 'bot'), ('returned', 'bot')]",
        "on_chain_start LangGraph 0 ['t']",
        "on_chain_start bot 1 ['graph:step:1', 't']",
        "on_chain_stream bot 1 ['graph:step:1', 't']",
        "on_chain_end bot 1 ['graph:step:1', 't']",
        "on_chain_stream LangGraph 0 ['t']",
        "on_chain_end LangGraph 0 ['t']",
    ]
