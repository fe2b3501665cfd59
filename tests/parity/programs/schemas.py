"""State schemas: TypedDict, dataclass, pydantic, and what nodes receive and return."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import AnyMessage, add_messages
from langgraph.utils.config import ensure_config, patch_configurable
from pydantic import BaseModel, Field, ValidationError, field_validator
from typing_extensions import NotRequired, Required, TypedDict


class Plain(TypedDict):
    name: str
    count: int
    log: Annotated[list[str], operator.add]


class Partial(TypedDict, total=False):
    name: Required[str]
    nick: NotRequired[str]
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


def program_typed_dict(record, any_saver):
    seen = []

    def one(state):
        seen.append(dict(state))
        return {"count": state["count"] + 1, "log": ["one"]}

    def two(state):
        seen.append(dict(state))
        return {"name": state["name"].upper(), "log": ["two"]}

    builder = StateGraph(Plain)
    builder.add_node("one", one)
    builder.add_node("two", two)
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    builder.add_edge("two", END)
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "t"}}
    record("result", graph.invoke({"name": "ann", "count": 1, "log": ["in"]}, config))
    record("seen", seen)
    record(
        "again",
        graph.invoke({"name": "bob"}, config) if any_saver else graph.invoke({"name": "b", "count": 0}),
    )
    record("seen", seen)


def program_partial_input(record):
    seen = []

    def look(state):
        seen.append((type(state).__name__, dict(state)))

    graph = StateGraph(Partial).add_node(look).add_edge(START, "look").compile()
    record("nothing but name", graph.invoke({"name": "ann"}))
    record("with nick", graph.invoke({"name": "ann", "nick": "a"}))
    record(
        "only unknown keys are an error elsewhere; here one known", graph.invoke({"log": ["x"], "other": 1})
    )
    record("seen", seen)


def program_none_values(record, any_saver):
    def node(state):
        return {"name": None, "log": ["n"]}

    graph = StateGraph(Plain).add_node(node).add_edge(START, "node").compile(checkpointer=any_saver)
    record("result", graph.invoke({"name": "x", "count": None}, {"configurable": {"thread_id": "1"}}))


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


def program_two_types_for_one_key(record):
    class Left(TypedDict):
        items: Annotated[list, operator.add]
        left: int

    def use(state: Left):
        return {"items": ["used"], "left": 1}

    graph = StateGraph(Left).add_node(use).add_edge(START, "use").compile()
    record("result", graph.invoke({"items": ["a"]}))
    record("input schema keys", sorted(graph.get_input_jsonschema()["properties"]))
    record("output schema keys", sorted(graph.get_output_jsonschema()["properties"]))


def program_state_keys_order(record):
    class Order(TypedDict):
        z: int
        a: int
        m: Annotated[list, operator.add]

    graph = (
        StateGraph(Order)
        .add_node("n", lambda state: {"m": [1], "a": 2, "z": 3})
        .add_edge(START, "n")
        .compile()
    )
    record("declaration order", graph.invoke({"a": 1}))
    record("values", list(graph.stream({"m": [0], "a": 1}, stream_mode="values")))


def program_input_is_not_changed(record, any_saver):
    def grow(state):
        state["log"].append("changed in place")
        return {"count": 1}

    graph = StateGraph(Plain).add_node(grow).add_edge(START, "grow").compile(checkpointer=any_saver)
    given = {"name": "n", "log": ["x"]}
    record("result", graph.invoke(given, {"configurable": {"thread_id": "1"}}))
    record("given", given)


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


def program_a_state_under_the_key_of_the_root(record, saver):
    class Rooted(TypedDict):
        __root__: Annotated[list, operator.add]

    builder = StateGraph(Rooted).add_node("a", lambda state: ["a", len(state)]).add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "rooted"}}
    record("result", graph.invoke(["in"], config))
    record("state", graph.get_state(config).values)
    record("schema", graph.get_input_jsonschema())


def program_messages_in_json_schemas(record):
    class Chat(MessagesState):
        """A conversation about a topic."""

        topic: str
        note: NotRequired[str]

    class Partly(TypedDict, total=False):
        messages: Annotated[list[AnyMessage], add_messages]
        count: Required[int]

    for schema in (MessagesState, Chat, Partly):
        graph = StateGraph(schema).add_node("a", lambda state: {}).add_edge(START, "a").compile()
        record(schema.__name__, graph.get_input_jsonschema())
        record("output", graph.get_output_jsonschema())
        fields = graph.get_output_schema().model_fields
        record(
            "fields", {name: (str(field.annotation), field.is_required()) for name, field in fields.items()}
        )


def program_configs_put_together(record):
    given = {"configurable": {"user": "ann"}, "tags": ["a"]}
    several = {"configurable": {"b": 1}}, {"configurable": {"a": 2}, "recursion_limit": 4}
    for settled in (ensure_config(given, None), ensure_config(*several)):
        record("settled", {key: value for key, value in settled.items() if key != "metadata"})
    record("patched", (patch_configurable(None, {"a": 1}), patch_configurable(given, {"level": 2})))


def program_a_root_key_among_others(record, saver):
    class One(TypedDict):
        __root__: Annotated[list, operator.add]

    class More(One):
        something_else: str

    config = {"configurable": {"thread_id": "rooted"}}
    one = StateGraph(One).add_node("a", lambda state: ["a"]).add_edge(START, "a").compile(checkpointer=saver)
    record("one", one.invoke(["in"], config))

    def more(state):
        return {"__root__": [str(sorted(state))], "something_else": "x"}

    graph = StateGraph(More).add_node("a", more).add_edge(START, "a").compile(checkpointer=saver)
    record("taken over", graph.get_state(config).values)
    record("chunks", list(graph.stream({"__root__": ["again"]}, config, stream_mode=["updates", "values"])))
    record("state", graph.get_state(config).values)
    record("channels", (graph.output_channels, graph.stream_channels))
    narrow = (
        StateGraph(More, input_schema=One, output_schema=One)
        .add_node("a", more)
        .add_edge(START, "a")
        .compile()
    )
    record("narrow", narrow.invoke(["in"]))


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
