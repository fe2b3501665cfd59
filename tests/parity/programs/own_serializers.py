"""Serializers that programs bring along: of their own making, derived from LangGraph's, encrypted."""

import json
import pickle
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic.v1 import BaseModel, Field, PrivateAttr
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    made: Any
    seen: Any


class Point:
    """Of a class that no serializer knows."""

    def __init__(self, x):
        self.x = x

    def __repr__(self):
        return f"Point({self.x})"


class Older(BaseModel):
    text: str
    items: list = Field(default_factory=list)
    _hidden: int = PrivateAttr(default=1)


class Pickling:
    """Made from nothing, as LangGraph asks for it."""

    def __init__(self):
        self.called = set()

    def dumps_typed(self, obj):
        self.called.add("dumps")
        return "pickled", pickle.dumps(obj)

    def loads_typed(self, data):
        self.called.add("loads")
        assert data[0] == "pickled"
        return pickle.loads(data[1])


class Derived(JsonPlusSerializer):
    """Knows one class more than the serializer that it is derived from."""

    def dumps_typed(self, obj):
        if isinstance(obj, Point):
            return "point", json.dumps(obj.x).encode()
        return super().dumps_typed(obj)

    def loads_typed(self, data):
        if data[0] == "point":
            return Point(json.loads(data[1]))
        return super().loads_typed(data)


class Around:
    """Holds the serializer that does most of the work."""

    def __init__(self):
        self.inner = JsonPlusSerializer()

    def dumps_typed(self, obj):
        if isinstance(obj, Point):
            return "point", json.dumps(obj.x).encode()
        return self.inner.dumps_typed(obj)

    def loads_typed(self, data):
        return Point(json.loads(data[1])) if data[0] == "point" else self.inner.loads_typed(data)


def graph_of(saver, made):
    def look(state):
        answer = interrupt({"made": repr(state["made"])})
        return {"seen": [type(state["made"]).__name__, answer]}

    builder = StateGraph(State).add_node("make", lambda state: {"made": made}).add_node("look", look)
    return builder.add_edge(START, "make").add_edge("make", "look").compile(checkpointer=saver)


def tell(record, graph):
    record("asked", graph.invoke({"made": 0, "seen": [1, {"a": None}]}, CONFIG))
    record("state", graph.get_state(CONFIG))
    record("ended", graph.invoke(Command(resume="yes"), CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))


async def atell(record, graph):
    record("asked", await graph.ainvoke({"made": 0, "seen": [1, {"a": None}]}, CONFIG))
    record("state", await graph.aget_state(CONFIG))
    record("ended", await graph.ainvoke(Command(resume="yes"), CONFIG))
    record("history", [snapshot async for snapshot in graph.aget_state_history(CONFIG)])


def program_pickling_in_memory(record):
    serde = Pickling()
    tell(record, graph_of(InMemorySaver(serde=serde), Point(1)))
    record("called", serde.called)


async def program_pickling_in_memory_async(record):
    serde = Pickling()
    await atell(record, graph_of(InMemorySaver(serde=serde), Point(1)))
    record("called", serde.called)


def program_pickling_in_sqlite(record):
    serde = Pickling()
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        tell(record, graph_of(SqliteSaver(conn, serde=serde), Point(1)))
        record("called", serde.called)


async def program_pickling_in_sqlite_async(record):
    serde = Pickling()
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        saver.serde = serde
        await atell(record, graph_of(saver, Point(1)))
    record("called", serde.called)


def program_derived_in_memory(record):
    tell(record, graph_of(InMemorySaver(serde=Derived()), Point(1)))


async def program_derived_in_memory_async(record):
    await atell(record, graph_of(InMemorySaver(serde=Derived()), Point(1)))


def program_around_another_in_memory(record):
    tell(record, graph_of(InMemorySaver(serde=Around()), Point({"deep": [1]})))


def program_encrypted_around_ones_own(record):
    serde = EncryptedSerializer.from_pycryptodome_aes(serde=Pickling(), key=b"0123456789abcdef")
    tell(record, graph_of(InMemorySaver(serde=serde), Point(1)))
    record("called", serde.serde.called)


async def program_encrypted_in_sqlite_async(record):
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
        await atell(record, graph_of(saver, {"deep": [1]}))


def program_a_bytearray(record):
    tell(record, graph_of(InMemorySaver(), bytearray(b"some bytes")))


def program_a_model_of_the_older_pydantic(record, saver):
    made = Older(text="t")
    made._hidden = 5
    graph = graph_of(saver, made)
    tell(record, graph)
    found = graph.get_state(CONFIG).values["made"]
    record("found", (found == made, found.items))


NAMED_BEFORE = JsonPlusSerializer(
    allowed_msgpack_modules=[(__name__, "NamedLater"), ("no_such_module", "Thing")]
)


@dataclass
class NamedLater:
    n: int


def program_classes_that_are_named_before_they_are_there(record):
    extended = NAMED_BEFORE.with_msgpack_allowlist([("decimal", "NoSuchName")])
    stored = JsonPlusSerializer().dumps_typed({"later": NamedLater(1)})
    for serde in (NAMED_BEFORE, extended):
        kept = serde.loads_typed(stored)["later"]
        record("kept", (type(kept) is NamedLater, kept.n))


class Gone:
    """Stands for a value whose class is no longer there; to store it would lose the value."""

    def __repr__(self):
        return "Gone()"


class Tolerant(Derived):
    """Reads what it refuses to write."""

    def dumps_typed(self, obj):
        held = obj.values() if isinstance(obj, dict) else obj if isinstance(obj, list) else [obj]
        if any(isinstance(value, Gone) for value in held):
            raise ValueError("a placeholder must never be stored")
        return super().dumps_typed(obj)

    def loads_typed(self, data):
        return Gone() if data[0] == "point" else super().loads_typed(data)


def program_what_is_read_need_not_be_written_again(record):
    saver = InMemorySaver(serde=Derived())
    digests = [sha256(bytes([n])).hexdigest() for n in range(64)]
    graph_of(saver, Point(1)).invoke({"made": 0, "seen": digests}, CONFIG)
    saver.serde = Tolerant()
    later = graph_of(saver, 2)
    for attempt in range(2):
        record(f"state {attempt}", later.get_state(CONFIG))
    record("history", list(later.get_state_history(CONFIG)))
