"""Called graphs with state of their own, a saver of their own or none: runs, questions, replay, changes."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


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


def parent(inner, saver, **options):
    class NoCarry(TypedDict):
        path: Annotated[list, lambda left, right: right if right[: len(left)] == left else left + right]

    builder = StateGraph(NoCarry).add_node("before", lambda state: {"path": ["before"]})
    builder.add_node("child", inner).add_node("after", lambda state: {"path": ["after"]})
    builder.add_edge(START, "before").add_edge("before", "child").add_edge("child", "after")
    return builder.compile(checkpointer=saver, **options)


def program_update_the_parent_of_a_stateful_child(record, saver):
    for gate in ({"interrupt_before": ["two"]}, {"question": "sure?"}):
        graph = parent(child(checkpointer=True, **gate), saver)
        config = {"configurable": {"thread_id": str(gate)}}
        record("stops", graph.invoke({"path": ["in"]}, config))
        for edit in ("one edit", "another"):
            graph.update_state(config, {"path": [edit]})
        record("goes on", graph.invoke(None, config))
        if "question" in gate:
            record("answered", graph.invoke(Command(resume="yes"), config))
        record("again", graph.invoke({"path": ["next"]}, config))


def program_saver_none_starts_afresh(record, saver):
    graph = parent(child(), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second", graph.invoke({"path": []}, CONFIG))


def program_saver_true_accumulates(record, saver):
    graph = parent(child(checkpointer=True), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second", graph.invoke({"path": []}, CONFIG))
    record("third", graph.invoke({"path": []}, CONFIG))
    record("other thread", graph.invoke({"path": []}, {"configurable": {"thread_id": "2"}}))


def program_saver_true_with_question(record, saver):
    graph = parent(child(checkpointer=True, question="q"), saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG, subgraphs=True))
    record("task state", [task.state for task in graph.get_state(CONFIG).tasks])
    record("resume", graph.invoke(Command(resume="1"), CONFIG))
    record("history", [(s.next, [task.state for task in s.tasks]) for s in graph.get_state_history(CONFIG)])
    record("again", graph.invoke({"path": []}, CONFIG))
    record("resume", graph.invoke(Command(resume="2"), CONFIG))


def program_saver_false(record, saver):
    graph = parent(child(checkpointer=False), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    asking = parent(child(checkpointer=False, question="q"), saver)
    config = {"configurable": {"thread_id": "2"}}
    record("pause", asking.invoke({"path": []}, config))
    record("state", asking.get_state(config))
    record("resume", asking.invoke(Command(resume="yes"), config))


def program_replay_a_parent(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": []}, CONFIG)
    record("first", graph.invoke(Command(resume="one"), CONFIG))
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("child",))
    record("asks again", graph.invoke(None, old.config))
    record("second", graph.invoke(Command(resume="two"), CONFIG))
    record("steps", [(s.next, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_replay_stateful_child(record, saver):
    graph = parent(child(checkpointer=True), saver)
    for _ in range(3):
        graph.invoke({"path": []}, CONFIG)
    history = [s for s in graph.get_state_history(CONFIG) if s.next == ("child",)]
    record("now", graph.get_state(CONFIG).values)
    record("replay the second run", graph.invoke(None, history[1].config))
    record("replay the first run", graph.invoke(None, history[2].config))


def program_child_checkpoint_as_starting_point(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": []}, CONFIG)
    inner = graph.get_state(CONFIG).tasks[0].state
    history = list(graph.get_state_history(inner))
    record("child steps", [(s.next, s.metadata["step"], s.config) for s in history])
    start = next(s for s in history if s.next == ("one",))
    record("from inside the child", graph.invoke(None, start.config))
    record("answer", graph.invoke(Command(resume="ok"), CONFIG))


def program_stateful_children_answered_one_by_one(record, saver):
    class Asked(TypedDict):
        number: int

    class Told(TypedDict):
        path: Annotated[list, operator.add]

    class Both(Asked, Told):
        own: Annotated[list, operator.add]

    def build_child(label):
        def ask(state):
            return {"path": [f"{label}:{interrupt(label)}:{len(state['own'])}"], "own": ["was here"]}

        builder = (
            StateGraph(Both, input_schema=Asked, output_schema=Told).add_node(ask).add_edge(START, "ask")
        )
        return builder.compile(checkpointer=True)

    class Whole(Told):
        number: int

    for order in (["a", "b", "a"], ["b", "a", "a"]):
        builder = StateGraph(Whole).add_node("a", build_child("a")).add_node("b", build_child("b"))
        builder.add_edge(START, "a").add_edge(START, "b").add_edge("b", "a")
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "".join(order)}}
        graph.invoke({"path": [], "number": 1}, config)
        for number, name in enumerate(order):
            ids = {question.value: question.id for question in graph.get_state(config).interrupts}
            result = graph.invoke(Command(resume={ids[name]: number}), config)
        record(f"answered {order}", result)


class Order(BaseModel):
    number: int


class Shop(TypedDict):
    order: Order
    path: Annotated[list, operator.add]


def program_a_saver_given_later(record, saver):
    builder = (
        StateGraph(Shop).add_node("take", lambda state: {"order": Order(number=3)}).add_edge(START, "take")
    )
    graph = builder.compile()
    graph.checkpointer = saver
    record("runs", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG).values)
