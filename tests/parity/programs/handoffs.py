"""Agents that are graphs of their own and hand over to each other."""

import operator
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def leave(state):
    return Command(graph=Command.PARENT, goto="after", update={"path": ["left"]})


def around(inner, saver):
    builder = StateGraph(State).add_node("child", inner, destinations=("after",)).add_edge(START, "child")
    return builder.add_node("after", lambda state: {"path": ["after"]}).compile(checkpointer=saver)


def leaving_child(keeps):
    builder = StateGraph(State).add_node("work", lambda state: {"path": ["work"]}).add_node(leave)
    return builder.add_edge(START, "work").add_edge("work", "leave").compile(checkpointer=keeps)


def program_a_child_with_state_that_hands_over(record, saver):
    for keeps in (None, True, False):
        config = {"configurable": {"thread_id": str(keeps)}}
        graph = around(leaving_child(keeps), saver)
        for turn in ("one", "two", "three"):
            chunks = graph.stream({"path": [turn]}, config, stream_mode=["values", "updates"], subgraphs=True)
            record.chunks(f"{keeps} {turn}", chunks)


@tool
def go_to_bob(tool_call_id: Annotated[str, InjectedToolCallId]):
    """Hand over."""
    told = ToolMessage("over to bob", tool_call_id=tool_call_id, id=f"told {tool_call_id}")
    return Command(goto="bob", graph=Command.PARENT, update={"messages": [told]})


def agent(answers):
    left = iter(answers)
    builder = StateGraph(MessagesState).add_node("model", lambda state: {"messages": [next(left)]})
    builder.add_node("tools", ToolNode([go_to_bob])).add_edge("tools", "model")
    return builder.add_edge(START, "model").add_conditional_edges("model", tools_condition).compile()


def program_messages_of_agents_that_hand_over(record):
    called = AIMessage("", id="a1", tool_calls=[{"name": "go_to_bob", "args": {}, "id": "c1"}])
    builder = StateGraph(MessagesState).add_node("bob", agent([AIMessage("ahoy", id="b1")]))
    builder.add_node("alice", agent([called]), destinations=("bob",)).add_edge(START, "alice")
    graph = builder.compile()
    chunks = graph.stream(
        {"messages": [HumanMessage("hi", id="h")]}, stream_mode=["messages", "updates"], subgraphs=True
    )
    record.chunks("both", chunks)


def program_a_graph_that_a_tool_calls(record, saver):
    inner = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("sure?")]})
    inner = inner.add_edge(START, "ask").compile()

    @tool
    def careful(amount: int) -> str:
        """Ask first."""
        return str(inner.invoke({"path": [amount]})["path"])

    call = AIMessage("", id="a", tool_calls=[{"name": "careful", "args": {"amount": 3}, "id": "c1"}])
    builder = StateGraph(MessagesState).add_node("model", lambda state: {"messages": [call]})
    builder.add_node("tools", ToolNode([careful])).add_edge(START, "model").add_edge("model", "tools")
    graph = builder.compile(checkpointer=saver)
    start = {"messages": [HumanMessage("hi", id="h")]}
    record.chunks("asks", graph.stream(start, CONFIG, stream_mode="values", subgraphs=True))
    for namespace, chunk in graph.stream(Command(resume="yes"), CONFIG, stream_mode="values", subgraphs=True):
        record("goes on", (namespace, [m.content for m in chunk.get("messages", [])], chunk.get("path")))


def program_messages_of_a_node_whose_edge_fails(record):
    def nowhere(state):
        raise ValueError("no way")

    builder = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage("x", id="x")]})
    graph = builder.add_edge(START, "say").add_conditional_edges("say", nowhere).compile()
    seen = []
    with pytest.raises(ValueError):
        for chunk in graph.stream({"messages": []}, stream_mode="messages"):
            seen.append(chunk)
    record("nothing was said", seen)
