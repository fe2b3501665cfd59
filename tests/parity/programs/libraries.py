"""What programs take from LangChain, SQLite and others besides graphs: messages, runnables, connections, payloads."""

import operator
import sqlite3
from contextlib import closing
from functools import partial
from typing import Annotated, Any, Dict, List, Sequence, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def program_messages_by_operator_add(record, saver):
    class AgentState(TypedDict):
        messages: Annotated[Sequence[BaseMessage], operator.add]
        sender: str

    def agent_node(state, name):
        return {"messages": [AIMessage(f"{name} sees {len(state['messages'])}", id=name)], "sender": name}

    workflow = StateGraph(AgentState)
    workflow.add_node("first", partial(agent_node, name="first"))
    workflow.add_node("second", partial(agent_node, name="second"))
    workflow.add_edge("first", "second")
    workflow.add_edge("second", END)
    workflow.set_entry_point("first")
    graph = workflow.compile(checkpointer=saver)
    record("is a compiled graph", isinstance(graph, CompiledStateGraph))
    record("first run", graph.invoke({"messages": [HumanMessage("hi", id="h")]}, CONFIG))
    record("second run", graph.invoke({"messages": [HumanMessage("hi", id="h")]}, CONFIG))


def program_messages_in_a_pydantic_state(record, saver):
    class Chat(BaseModel):
        messages: Annotated[List[AnyMessage], add_messages]
        turns: int = 0

    def bot(state: Chat):
        return {
            "messages": [AIMessage(state.messages[-1].content.upper(), id=f"a{state.turns}")],
            "turns": state.turns + 1,
        }

    graph = StateGraph(Chat).add_node("bot", bot).add_edge(START, "bot").compile(checkpointer=saver)
    record("1", graph.invoke({"messages": [HumanMessage("hi", id="h1")]}, CONFIG))
    record("2", graph.invoke({"messages": [HumanMessage("more", id="h2")]}, CONFIG))
    record("state", graph.get_state(CONFIG).values)


def program_runnables_as_nodes(record):
    prompt = ChatPromptTemplate.from_messages([("system", "Be kind."), ("human", "{question}")])

    class Question(TypedDict):
        question: str
        answer: str

    chain = prompt | RunnableLambda(lambda value: {"answer": value.to_messages()[-1].content[::-1]})
    builder = (
        StateGraph(Question)
        .add_node("chain", chain)
        .add_node("shout", RunnableLambda(lambda state: {"answer": state["answer"].upper()}))
    )
    graph = builder.add_edge(START, "chain").add_edge("chain", "shout").compile()
    record("result", graph.invoke({"question": "abc"}))
    record("updates", list(graph.stream({"question": "xyz"})))


def program_runnable_as_conditional(record):
    builder = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    builder.add_edge(START, "a").add_conditional_edges(
        "a", RunnableLambda(lambda state: "b" if state["path"] else END, name="route"), ["b", END]
    )
    record("result", builder.compile().invoke({"path": []}))


def program_sqlite_connection(record):
    from langgraph.checkpoint.sqlite import SqliteSaver

    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        saver = SqliteSaver(connection)
        graph = (
            StateGraph(State)
            .add_node("a", lambda state: {"path": [interrupt("q")]})
            .add_edge(START, "a")
            .compile(checkpointer=saver)
        )
        record("pause", graph.invoke({"path": []}, CONFIG))
        again = StateGraph(State).add_node("a", lambda state: {"path": [interrupt("q")]}).add_edge(START, "a")
        again = again.compile(checkpointer=SqliteSaver(connection))
        record("resume by another saver", again.invoke(Command(resume=1), CONFIG))
        record("next", again.get_state(CONFIG).next)


def program_sqlite_file(record):
    import os
    import tempfile

    from langgraph.checkpoint.sqlite import SqliteSaver

    def build(saver):
        return (
            StateGraph(State)
            .add_node("a", lambda state: {"path": [interrupt("q")]})
            .add_edge(START, "a")
            .compile(checkpointer=saver)
        )

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "threads.sqlite")
        with SqliteSaver.from_conn_string(path) as saver:
            record("pause", build(saver).invoke({"path": ["in"]}, CONFIG))
        with SqliteSaver.from_conn_string(path) as saver:
            graph = build(saver)
            record("state", graph.get_state(CONFIG))
            record("resume", graph.invoke(Command(resume="later"), CONFIG))
        with SqliteSaver.from_conn_string(path) as saver:
            record("history", list(build(saver).get_state_history(CONFIG)))


async def program_aiosqlite_connection(record):
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with aiosqlite.connect(":memory:") as connection:
        saver = AsyncSqliteSaver(connection)
        graph = (
            StateGraph(State)
            .add_node("a", lambda state: {"path": [interrupt("q")]})
            .add_edge(START, "a")
            .compile(checkpointer=saver)
        )
        record("pause", await graph.ainvoke({"path": []}, CONFIG))
        record("resume", await graph.ainvoke(Command(resume=1), CONFIG))


def program_payloads_that_are_objects(record, saver):
    from dataclasses import dataclass

    class Request(BaseModel):
        action: str
        args: Dict[str, Any]

    @dataclass
    class Ticket:
        number: int

    for number, payload in enumerate(
        (
            Request(action="send", args={"to": "ann"}).model_dump(),
            [Request(action="a", args={}).model_dump()],
            {"nested": {"deep": (1, 2)}},
        )
    ):
        config = {"configurable": {"thread_id": str(number)}}
        graph = (
            StateGraph(State)
            .add_node("a", lambda state: {"path": [interrupt(payload)]})
            .add_edge(START, "a")
            .compile(checkpointer=saver)
        )
        record(f"{number}", graph.invoke({"path": []}, config))
        record(f"{number} done", graph.invoke(Command(resume="ok"), config))


def program_human_interrupts(record, saver):
    from langgraph.prebuilt.interrupt import ActionRequest, HumanInterrupt, HumanInterruptConfig

    def ask(state):
        request = HumanInterrupt(
            action_request=ActionRequest(action="send", args={"to": "ann"}),
            config=HumanInterruptConfig(
                allow_ignore=False, allow_respond=True, allow_edit=True, allow_accept=True
            ),
            description="Send a mail",
        )
        response = interrupt([request])[0]
        return {"path": [response["type"], response["args"]]}

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    record(
        "edit",
        graph.invoke(
            Command(resume=[{"type": "edit", "args": {"action": "send", "args": {"to": "bob"}}}]), CONFIG
        ),
    )
