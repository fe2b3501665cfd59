"""Graphs that nodes reach by attributes or call themselves, and models in their state."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


class Child(TypedDict):
    path: Annotated[list, operator.add]
    own: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


def child(checkpointer=None, question=None, name="child", **options):
    def one(state):
        return {"own": [f"{name} one"]}

    def two(state):
        answer = interrupt(question) if question else "no question"
        return {"own": [answer], "path": [f"{name}:{answer}:{len(state['own'])}"]}

    builder = StateGraph(Child, output_schema=Output).add_node("one", one).add_node("two", two)
    return (
        builder.add_edge(START, "one")
        .add_edge("one", "two")
        .compile(checkpointer=checkpointer, name=name, **options)
    )


class Output(TypedDict):
    path: Annotated[list, operator.add]


def program_called_twice_in_a_node(record, saver):
    inner = child()

    def caller(state):
        return {
            "path": inner.invoke({"path": [], "own": []})["path"]
            + inner.invoke({"path": [], "own": []})["path"]
        }

    graph = StateGraph(State).add_node(caller).add_edge(START, "caller").compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record.chunks(
        "namespaces", graph.stream({"path": []}, {"configurable": {"thread_id": "2"}}, subgraphs=True)
    )


class Order(BaseModel):
    number: int


class Shop(TypedDict):
    order: Order
    path: Annotated[list, operator.add]


def shop():
    builder = StateGraph(Shop).add_node("take", lambda state: {"order": Order(number=len(state["path"]))})
    builder.add_node("ask", lambda state: {"path": [interrupt("send?"), state["order"].number]})
    return builder.add_edge(START, "take").add_edge("take", "ask").compile()


def program_models_in_the_state_of_called_graphs(record, saver):
    inner = shop()
    called = {
        "as a node": inner,
        "by a function": lambda state: {"path": inner.invoke({"path": []})["path"]},
        "two levels down": StateGraph(State).add_node("in", inner).add_edge(START, "in").compile(),
    }
    for name, action in called.items():
        config = {"configurable": {"thread_id": name}}
        builder = StateGraph(State).add_node("child", action).add_edge(START, "child")
        record(name, builder.compile(checkpointer=saver).invoke({"path": []}, config))
        again = builder.compile(checkpointer=saver)
        record("state", again.get_state(config, subgraphs=True).tasks[0].state.values)
        record("answer", again.invoke(Command(resume="yes"), config))


def program_models_sent_to_a_called_graph(record, saver):
    builder = StateGraph(State).add_node("child", shop())
    builder.add_conditional_edges(
        START, lambda state: [Send("child", {"order": Order(number=7), "path": []})]
    )
    graph = builder.compile(checkpointer=saver)
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("answer", graph.invoke(Command(resume="yes"), CONFIG))


class Holder:
    def __init__(self, held):
        self.held = held

    def node(self, state):
        return self.held.invoke(state)


def program_graphs_that_nodes_reach_by_attributes(record, saver):
    child = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("?")]})
    child = child.add_edge(START, "ask").compile()
    holder, deep, listed = Holder(child), Holder(Holder(child)), [child]

    def within(state):
        def inner():
            return holder.held.invoke(state)

        return inner()

    nodes = {
        "attribute": lambda state: holder.held.invoke(state),
        "two attributes": lambda state: deep.held.held.invoke(state),
        "within": within,
        "method": holder.node,
        "in a list": lambda state: listed[0].invoke(state),
        "no such": lambda state: (
            holder.held and deep.held.invoke(state) if False else {"path": [interrupt("?")]}
        ),
    }
    for name, node in nodes.items():
        graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile(checkpointer=saver)
        record(f"{name} found", [key for key, _ in graph.get_subgraphs()])
        config = {"configurable": {"thread_id": name}}
        graph.invoke({"path": []}, config)
        (task,) = graph.get_state(config, subgraphs=True).tasks
        record(f"{name} state", getattr(task.state, "values", None))


def program_reading_graphs_that_no_node_is_known_to_call(record, saver):
    child = StateGraph(State).add_node("ask", lambda state: {"path": ["asked", interrupt("?")]})
    children = [child.add_edge(START, "ask").compile()]
    builder = StateGraph(State).add_node("call", lambda state: children[0].invoke({"path": ["below"]}))
    graph = builder.add_edge(START, "call").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"path": []}, config)
    (task,) = graph.get_state(config).tasks
    below = {"configurable": {"thread_id": "1", "checkpoint_ns": f"call:{task.id}"}}
    state = graph.get_state(below)
    record("state", (state.values, state.metadata["step"]))
    record("history", [(s.values, s.metadata["step"]) for s in graph.get_state_history(below)])
    record.error(
        "no update", lambda: graph.update_state(below, {"path": ["changed"]}), "Subgraph call not found"
    )
    below["configurable"]["checkpoint_ns"] = f"call:{task.id}|ask:1"
    record.error("deeper", lambda: graph.update_state(below, {"path": ["no"]}), "Subgraph call|ask not found")
