"""State schemas: TypedDict, root keys, and what nodes receive and return."""

import operator
from typing import Annotated

from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import AnyMessage, add_messages
from langgraph.utils.config import ensure_config, patch_configurable
from typing_extensions import NotRequired, Required, TypedDict


class Plain(TypedDict):
    name: str
    count: int
    log: Annotated[list[str], operator.add]


class Partial(TypedDict, total=False):
    name: Required[str]
    nick: NotRequired[str]
    log: Annotated[list[str], operator.add]


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
