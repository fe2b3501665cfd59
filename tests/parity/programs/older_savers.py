"""Savers written before a task's path was saved with what it left."""

import operator
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


class Older(InMemorySaver):
    def put_writes(self, config, writes, task_id):
        return super().put_writes(config, writes, task_id)

    async def aput_writes(self, config, writes, task_id):
        return super().put_writes(config, writes, task_id)


class Faulty(InMemorySaver):
    def put_writes(self, config, writes, task_id):
        raise ValueError("faulty put_writes")


def graph_with(saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("?")]})
    return builder.add_edge(START, "a").add_edge(START, "ask").compile(checkpointer=saver)


def program_no_path(record):
    graph = graph_with(Older())
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("done", graph.invoke(Command(resume="yes"), CONFIG))
    record.error("faulty", lambda: graph_with(Faulty()).invoke({"path": []}, CONFIG), "faulty put_writes")


async def program_no_path_async(record):
    graph = graph_with(Older())
    record("asks", await graph.ainvoke({"path": []}, CONFIG))
    record("done", await graph.ainvoke(Command(resume="yes"), CONFIG))
