"""State schemas that are dataclasses and pydantic models."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

from langgraph.graph import START, StateGraph
from pydantic import BaseModel, Field, ValidationError, field_validator
from typing_extensions import TypedDict


class Plain(TypedDict):
    name: str
    count: int
    log: Annotated[list[str], operator.add]


@dataclass
class Data:
    name: str
    count: int = 3
    log: Annotated[list[str], operator.add] = field(default_factory=list)


@dataclass(kw_only=True)
class KeywordData:
    name: str = "nobody"
    note: str | None = None


class Model(BaseModel):
    name: str
    count: int = 3
    log: Annotated[list[str], operator.add] = Field(default_factory=list)
    kind: Literal["a", "b"] = "a"


class Strict(BaseModel):
    age: int

    @field_validator("age")
    @classmethod
    def adult(cls, value):
        if value < 18:
            raise ValueError("too young")
        return value


class Address(BaseModel):
    street: str
    number: int


class Customer(BaseModel):
    name: str
    address: Optional[Address] = None
    tags: list[Address] = []


def program_dataclass(record, any_saver):
    seen = []

    def one(state: Data):
        seen.append(state)
        return {"count": state.count + 1, "log": ["one"]}

    def two(state: Data):
        seen.append(state)
        return {"name": state.name.upper()}

    graph = (
        StateGraph(Data)
        .add_node(one)
        .add_node(two)
        .add_edge(START, "one")
        .add_edge("one", "two")
        .compile(checkpointer=any_saver)
    )
    config = {"configurable": {"thread_id": "t"}}
    record("from dict", graph.invoke({"name": "ann"}, config))
    record("from instance", graph.invoke(Data(name="bob", count=9, log=["in"]), config))
    record("seen", seen)


def program_dataclass_as_json_schema(record):
    graph = StateGraph(Data).add_node("one", lambda state: {}).add_edge(START, "one").compile()
    record("input", graph.get_input_jsonschema())
    record("output", graph.get_output_jsonschema())


def program_dataclass_returns_instance(record):
    def one(state: Data):
        return Data(name="new", log=["one"])

    def two(state: Data):
        state.log.append("in place")
        return state

    graph = StateGraph(Data).add_sequence([one, two]).add_edge(START, "one").compile()
    record("result", graph.invoke({"name": "ann", "count": 7}))


def program_dataclass_keyword_only(record):
    def one(state: KeywordData):
        return {"note": f"hello {state.name}"}

    graph = StateGraph(KeywordData).add_node(one).add_edge(START, "one").compile()
    record("defaults", graph.invoke({"name": "ann"}))
    record("instance", graph.invoke(KeywordData()))
    record.error("empty dict", lambda: graph.invoke({}))


def program_dataclass_missing_required(record):
    def one(state: Data):
        return {"count": 1}

    graph = StateGraph(Data).add_node(one).add_edge(START, "one").compile()
    record.error("missing name", lambda: graph.invoke({"count": 2}), "name")


def program_pydantic(record, any_saver):
    seen = []

    def one(state: Model):
        seen.append(state)
        return {"count": state.count + 1, "log": ["one"]}

    def two(state: Model):
        seen.append(state)
        return {"name": state.name.upper(), "kind": "b"}

    graph = StateGraph(Model).add_sequence([one, two]).add_edge(START, "one").compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "t"}}
    record("from dict", graph.invoke({"name": "ann"}, config))
    record("from model", graph.invoke(Model(name="bob", log=["in"]), config))
    record("model, all set", graph.invoke(Model(name="bob", log=["in"], count=1, kind="b"), config))
    record("seen", seen)


def program_pydantic_coerces_input(record):
    seen = []

    def one(state: Model):
        seen.append(state.count)
        return {"count": "41"}

    def two(state: Model):
        seen.append(state.count)
        return {}

    graph = StateGraph(Model).add_sequence([one, two]).add_edge(START, "one").compile()
    record("result", graph.invoke({"name": "ann", "count": "5"}))
    record("seen", seen)


def program_pydantic_bad_input(record):
    graph = (
        StateGraph(Strict)
        .add_node("look", lambda state: {"age": state.age + 1})
        .add_edge(START, "look")
        .compile()
    )
    record("ok", graph.invoke({"age": 20}))
    record.error("too young", lambda: graph.invoke({"age": 2}), "too young")
    record.error("no number", lambda: graph.invoke({"age": "x"}), "valid integer")
    record.error("missing", lambda: graph.invoke({}), "")
    try:
        graph.invoke({"age": 1})
    except ValidationError as error:
        record("is a pydantic error", error.error_count())


def program_pydantic_bad_update_shows_in_next_node(record):
    def one(state: Strict):
        return {"age": 5}

    def two(state: Strict):
        return {"age": 50}

    graph = StateGraph(Strict).add_sequence([one, two]).add_edge(START, "one").compile()
    record.error("bad value reaches the next node", lambda: graph.invoke({"age": 20}), "too young")
    last = StateGraph(Strict).add_node(one).add_edge(START, "one").compile()
    record("the last node's value is not judged", last.invoke({"age": 20}))


def program_pydantic_nested(record, saver):
    seen = []

    def move(state: Customer):
        seen.append(state)
        return {
            "address": Address(street="New", number=2),
            "tags": [*state.tags, Address(street="T", number=1)],
        }

    graph = StateGraph(Customer).add_node(move).add_edge(START, "move").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("nested dict", graph.invoke({"name": "a", "address": {"street": "Old", "number": "1"}}, config))
    record("seen", seen)
    record("state", graph.get_state(config).values)
    record("again", graph.invoke({"name": "b"}, config))
    record("seen", seen)


def program_pydantic_returns_model(record):
    def one(state: Model):
        return Model(name="new", log=["x"])

    def two(state: Model):
        state.count = 12
        return state

    graph = StateGraph(Model).add_node(one).add_edge(START, "one").compile()
    record("only fields that were set", graph.invoke({"name": "ann", "count": 7}))
    graph = StateGraph(Model).add_node(two).add_edge(START, "two").compile()
    record("the changed state", graph.invoke({"name": "ann", "count": 7}))


def program_plain_node_gets_model_by_default(record):
    kinds = []
    for schema in (Plain, Data, Model):
        graph = StateGraph(schema).add_node("look", lambda state: kinds.append(type(state).__name__))
        graph.add_edge(START, "look").compile().invoke({"name": "x", "count": 1})
    record("kinds", kinds)


def program_a_model_is_made_once_for_each_node(record):
    seen = []

    class Seen(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def note(cls, value: int) -> int:
            seen.append(value)
            return value

    def fail(state):
        raise ValueError(f"n is {state.n}")

    for name, node in {"none": lambda state: None, "dict": lambda state: {"n": 2}, "fail": fail}.items():
        seen.clear()
        graph = StateGraph(Seen).add_node("node", node).add_edge(START, "node").compile()
        try:
            record(name, graph.invoke({"n": 1}))
        except ValueError as error:
            record(name, str(error))
        record(f"{name}: validated", list(seen))


def program_a_dataclass_with_optional_fields_as_json_schema(record):
    @dataclass
    class Optionals:
        needed: int
        unioned: int | None
        optional: Optional[str]  # noqa: UP045
        reduced: Annotated[Optional[list], operator.add]  # noqa: UP045
        items: Annotated[list, operator.add]
        either: int | str
        default: int | None = 3

    graph = StateGraph(Optionals).add_node("one", lambda state: {}).add_edge(START, "one").compile()
    record("input", graph.get_input_jsonschema())
    record("output", graph.get_output_jsonschema())
