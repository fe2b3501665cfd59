"""Strings, numbers, lists and dicts of classes of their own, and schemas that name other libraries' classes."""

from enum import Enum
from typing import Any, Generic, Literal, NewType, Optional, TypeVar

from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel, HttpUrl, SecretStr
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class Answer(TypedDict):
    answer: Any


class Text(str):
    pass


class Whole(int):
    pass


class Several(list):
    pass


class Mapped(dict):
    pass


TEXT = AIMessage("hello").text
VALUES = {
    "text of a message": TEXT,
    "own text": Text("t"),
    "own number": Whole(3),
    "own list": Several([Text("in it")]),
    "own dict": Mapped({Text("key"): Mapped(a=1)}),
    "inside": {"a": [TEXT], TEXT: Whole(4)},
}


def graph_of(node, saver, schema=Answer):
    return StateGraph(schema).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)


def program_values_of_plain_kinds(record, saver):
    for name, value in VALUES.items():
        config = {"configurable": {"thread_id": name}}
        graph = graph_of(lambda state, value=value: {"answer": value}, saver)
        graph.invoke({"answer": None}, config)
        found = graph.get_state(config).values["answer"]
        record(name, (found, type(found).__name__, found == value))


def program_questions_and_answers_of_plain_kinds(record, saver):
    for name, value in VALUES.items():
        config = {"configurable": {"thread_id": name}}
        graph = graph_of(lambda state, value=value: {"answer": interrupt(value)}, saver)
        asked = graph.invoke({"answer": None}, config)["__interrupt__"][0].value
        record(name, asked == value)
        record("answer", graph.invoke(Command(resume=value), config)["answer"] == value)


class Settings(BaseModel):
    url: HttpUrl = "https://example.org/"
    key: Optional[SecretStr] = None
    turns: int = 0


class Client:
    parent: "Client"
    children: "list[Client]"


class Clients(TypedDict):
    client: Client


def program_schemas_that_name_classes_that_name_themselves(record):
    graph = graph_of(lambda state: {"turns": state.turns + 1}, InMemorySaver(), Settings)
    record.error("a secret is not saved", lambda: graph.invoke({"key": "k"}, CONFIG))
    record("unsaved", graph_of(lambda state: {"turns": 1}, None, Settings).invoke({"turns": 3})["turns"])
    result = graph_of(lambda state: {"client": state["client"]}, None, Clients).invoke({"client": Client()})
    record("a client", type(result["client"]).__name__)


class Size(Enum):
    SMALL = 1


class Item(BaseModel):
    size: int


Named = NewType("Named", Item)
Anything = TypeVar("Anything", bound=Item)


class Kept(TypedDict, Generic[Anything]):
    named: Named
    literal: Literal[Size.SMALL]
    bound: Anything


def program_classes_that_are_named_in_other_ways(record, saver):
    values = {"named": Item(size=1), "literal": Size.SMALL, "bound": Item(size=2)}
    graph = graph_of(lambda state: values, saver, Kept)
    graph.invoke({}, CONFIG)
    record("state", graph.get_state(CONFIG).values)
