"""stream_mode="messages" and callbacks where nodes call graphs, on both engines alike; and without LangChain."""

import subprocess
import sys

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage

from .saying import chain, contents, model, on_both, state_of


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
