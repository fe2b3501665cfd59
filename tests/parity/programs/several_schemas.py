"""Private keys, schemas of input, output and nodes, root types."""

import operator
from dataclasses import dataclass
from typing import Annotated

from langgraph.graph import START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def program_private_keys(record, any_saver):
    class Private(TypedDict):
        secret: int

    seen = []

    def write(state: State) -> Private:
        return {"secret": 5}

    def read(state: Private):
        seen.append(dict(state))
        return {"path": [f"secret {state['secret']}"]}

    def plain(state: State):
        seen.append(dict(state))
        return {"path": ["plain"]}

    graph = (
        StateGraph(State)
        .add_sequence([write, read, plain])
        .add_edge(START, "write")
        .compile(checkpointer=any_saver)
    )
    record("result", graph.invoke({"path": []}, CONFIG))
    record("seen", seen)
    record(
        "values", list(graph.stream({"path": []}, {"configurable": {"thread_id": "2"}}, stream_mode="values"))
    )
    record(
        "updates",
        list(graph.stream({"path": []}, {"configurable": {"thread_id": "3"}}, stream_mode="updates")),
    )
    if any_saver:
        record("state", graph.get_state(CONFIG).values)


def program_input_and_output_schemas(record, any_saver):
    class Input(TypedDict):
        question: str

    class Output(TypedDict):
        answer: str

    class Overall(Input, Output):
        work: Annotated[list, operator.add]

    seen = []

    def think(state: Input):
        seen.append(dict(state))
        return {"work": ["thought"], "answer": "draft"}

    def say(state: Overall) -> Output:
        seen.append(dict(state))
        return {"answer": f"{state['question']}!"}

    graph = (
        StateGraph(Overall, input_schema=Input, output_schema=Output)
        .add_sequence([think, say])
        .add_edge(START, "think")
    )
    graph = graph.compile(checkpointer=any_saver)
    record("result", graph.invoke({"question": "why", "answer": "ignored", "work": ["ignored"]}, CONFIG))
    record("seen", seen)
    config = {"configurable": {"thread_id": "2"}}
    record("values", list(graph.stream({"question": "how"}, config, stream_mode="values")))
    record(
        "updates",
        list(graph.stream({"question": "how"}, {"configurable": {"thread_id": "3"}}, stream_mode="updates")),
    )
    if any_saver:
        record("state", graph.get_state(CONFIG).values)
    record("input schema", sorted(graph.get_input_jsonschema()["properties"]))
    record("output schema", sorted(graph.get_output_jsonschema()["properties"]))


def program_input_schema_of_a_node(record):
    class Narrow(TypedDict):
        n: int

    seen = []
    builder = StateGraph(State)
    builder.add_node("a", lambda state: seen.append(dict(state)), input_schema=Narrow)
    record("result", builder.add_edge(START, "a").compile().invoke({"path": ["x"], "n": 3}))
    record("seen", seen)


def program_pydantic_input_and_output(record):
    class Input(BaseModel):
        a: int

    class Output(BaseModel):
        b: str

    class Overall(BaseModel):
        a: int
        b: str = ""
        c: int = 0

    graph = StateGraph(Overall, input_schema=Input, output_schema=Output)
    graph = graph.add_node("n", lambda state: {"b": str(state.a), "c": 9}).add_edge(START, "n").compile()
    record("result", graph.invoke({"a": 4}))
    record.error("bad", lambda: graph.invoke({"a": "x"}), "valid integer")


def program_node_annotated_with_another_type(record):
    @dataclass
    class View:
        n: int
        path: list

    class ModelView(BaseModel):
        n: int

    kinds = []

    def one(state: View):
        kinds.append(state)
        return {"n": state.n + 1}

    def two(state: ModelView):
        kinds.append(state)
        return {"path": [state.n]}

    graph = StateGraph(State).add_sequence([one, two]).add_edge(START, "one").compile()
    record("result", graph.invoke({"path": [], "n": 1}))
    record("kinds", kinds)


def program_root_list(record, any_saver):
    graph = (
        StateGraph(Annotated[list, operator.add])
        .add_node("a", lambda state: ["a", len(state)])
        .add_node("b", lambda state: ["b"])
    )
    graph = graph.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=any_saver)
    record("result", graph.invoke(["in"], CONFIG))
    record("values", list(graph.stream(["in"], {"configurable": {"thread_id": "2"}}, stream_mode="values")))
    record("updates", list(graph.stream(["in"], {"configurable": {"thread_id": "3"}}, stream_mode="updates")))
    if any_saver:
        record("state", graph.get_state(CONFIG))


def program_root_scalars(record):
    graph = (
        StateGraph(Annotated[str, operator.add])
        .add_node("a", lambda state: state + "!")
        .add_edge(START, "a")
        .compile()
    )
    record("str", graph.invoke("hi"))
    graph = StateGraph(int).add_node("a", lambda state: state + 1).add_edge(START, "a").compile()
    record("int", graph.invoke(3))
    graph = StateGraph(list[str]).add_node("a", lambda state: [*state, "x"]).add_edge(START, "a").compile()
    record("list without reducer", graph.invoke(["in"]))
    graph = StateGraph(dict).add_node("a", lambda state: {**state, "x": 1}).add_edge(START, "a").compile()
    record("dict", graph.invoke({"in": 0}))
