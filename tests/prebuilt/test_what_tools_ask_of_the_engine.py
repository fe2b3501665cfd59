"""What tools and nodes get from the engine through the running task, besides their arguments."""

# Annotations are evaluated as they are written here: several name what a test was given.

import importlib
from typing import Annotated

import pytest
from both_engines import engines
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

LANGGRAPH, OURS = engines()
BOTH = pytest.mark.parametrize("e", [LANGGRAPH, OURS], ids=lambda e: e.name)

# Strict: these tests say so when the engine has it.


def call(name, id, /, **args):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


@pytest.mark.parametrize("e", [LANGGRAPH, OURS], ids=lambda e: e.name)
def test_calls_sent_one_by_one_see_the_graphs_state(e):
    def look(what: str, state: Annotated[dict, e.InjectedState]) -> str:
        """Look at the state."""
        return f"{what}: {state['user']}, {len(state['messages'])} message"

    class State(e.MessagesState):
        user: str

    builder = e.StateGraph(State)
    builder.add_node("tools", e.ToolNode([look]))
    builder.add_conditional_edges(
        e.START, lambda state: [e.Send("tools", [c]) for c in state["messages"][-1].tool_calls], ["tools"]
    )
    asked = AIMessage("", tool_calls=[call("look", "1", what="a"), call("look", "2", what="b")])
    result = builder.compile().invoke({"messages": [asked], "user": "ann"})
    assert [m.content for m in result["messages"][1:]] == ["a: ann, 1 message", "b: ann, 1 message"]


PUSHED = [
    HumanMessage("a", id="p1"),
    AIMessageChunk("c", id="p2"),
    {"role": "user", "content": "x", "id": "p3"},
]


@pytest.mark.parametrize("state_key", ["messages", None])
@pytest.mark.parametrize("message", PUSHED, ids=repr)
def test_push_message_goes_to_the_stream_and_the_state(message, state_key):
    def run(e):
        push_message = importlib.import_module(f"{e.name}.graph.message").push_message
        returned = []

        def node(state: e.MessagesState):
            returned.append(push_message(message, state_key=state_key))
            return {"messages": [HumanMessage("z", id="z1")]}

        builder = e.StateGraph(e.MessagesState)
        builder.add_node("n", node)
        builder.add_edge(e.START, "n")
        chunks = builder.compile().stream({"messages": []}, stream_mode=["messages", "values"])
        streamed, state = [], None
        for mode, chunk in chunks:
            if mode == "messages":
                streamed.append((chunk[0], chunk[1]["langgraph_node"]))
            else:
                state = chunk
        return returned, streamed, state

    assert run(OURS) == run(LANGGRAPH)


@BOTH
def test_push_message_needs_an_id_and_a_running_graph(e):
    push_message = importlib.import_module(f"{e.name}.graph.message").push_message
    with pytest.raises(RuntimeError):
        push_message(HumanMessage("a", id="1"))

    def node(state: e.MessagesState):
        push_message(HumanMessage("a"))

    builder = e.StateGraph(e.MessagesState)
    builder.add_node("n", node)
    builder.add_edge(e.START, "n")
    with pytest.raises(ValueError, match="Message ID is required"):
        builder.compile().invoke({"messages": []})


def test_graphs_called_by_tools_side_by_side_keep_their_questions_apart():
    """Each tool calls a graph that asks; the second run must find each graph where the first one left it."""
    import itertools
    import time

    def inner(name):
        def ask(state: dict) -> dict:
            return {"out": f"{name}={OURS.interrupt(name)}"}

        builder = OURS.StateGraph(dict)
        builder.add_node("ask", ask)
        builder.add_edge(OURS.START, "ask")
        return builder.compile()

    graphs = {"a": inner("a"), "b": inner("b")}
    # Each run starts the two calls in another order than the one before.
    delays = {"a": itertools.cycle([0.1, 0]), "b": itertools.cycle([0, 0.1])}

    def consult(name: str) -> str:
        """Consult another graph."""
        time.sleep(next(delays[name]))
        return str(graphs[name].invoke({"in": name}))

    builder = OURS.StateGraph(OURS.MessagesState)
    builder.add_node("tools", OURS.ToolNode([consult]))
    builder.add_edge(OURS.START, "tools")
    graph = builder.compile(checkpointer=OURS.InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    asked = AIMessage("", tool_calls=[call("consult", "1", name="a"), call("consult", "2", name="b")])
    result = graph.invoke({"messages": [asked]}, config)
    seen = []
    while "__interrupt__" in result and len(seen) < 4:
        (question,) = result["__interrupt__"]
        seen.append(question.value)
        result = graph.invoke(OURS.Command(resume=question.value.upper()), config)
    assert seen == ["a", "b"]
    assert ["A" in m.content for m in result["messages"][1:]] == [True, False]
    assert ["B" in m.content for m in result["messages"][1:]] == [False, True]
