"""Classes of a program's own are stored and loaded without being named in a schema; others are not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any, NamedTuple

import ormsgpack
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from nbhitl.checkpoint.serde import Serde, tags
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError, UnsupportedValue
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from . import values
from .values import Frozen

CONFIG = {"configurable": {"thread_id": "1"}}


class Plan(BaseModel):
    title: str
    steps: list[Any] = []

    class Step(BaseModel):
        number: int


@dataclass
class Draft:
    text: str


class Place(NamedTuple):
    x: int


class Mood(Enum):
    GOOD = "good"


class Loose(TypedDict):
    value: Any


OWN = [Plan(title="a", steps=[Plan.Step(number=1)]), Draft("b"), Place(3), Mood.GOOD]


def trusting(*modules: str) -> Serde:
    serde = Serde()
    serde.trust(frozenset(modules))
    return serde


def asking(saver: SqliteSaver) -> Any:
    def ask(state: Loose) -> Any:
        return {"value": [interrupt({"plan": OWN[0]}), *state["value"]]}

    builder = StateGraph(Loose).add_node(ask).add_node("last", lambda state: {})
    return builder.add_edge(START, "ask").add_edge("ask", "last").compile(checkpointer=saver)


def test_questions_states_and_answers_of_own_classes_survive_the_process(tmp_path):
    path = str(tmp_path / "threads.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        asking(saver).invoke({"value": OWN}, CONFIG)
    with SqliteSaver.from_conn_string(path) as saver:
        state = asking(saver).get_state(CONFIG)
        assert (state.values, state.interrupts[0].value) == ({"value": OWN}, {"plan": OWN[0]})
        asking(saver).invoke(Command(resume=Draft("yes")), CONFIG)
    with SqliteSaver.from_conn_string(path) as saver:
        assert asking(saver).get_state(CONFIG).values == {"value": [Draft("yes"), *OWN]}


def test_classes_of_the_package_and_those_imported_are_the_programs():
    data = trusting(__name__).dumps([OWN, Frozen("a"), values.Point(1)])
    assert trusting(__name__).loads(data) == [OWN, Frozen("a"), values.Point(1)]
    elsewhere = trusting("program")
    with pytest.raises(UnsupportedValue, match=r"Frozen is not registered"):
        elsewhere.dumps(Frozen("a"))
    with pytest.raises(StoreError, match="which is not registered here"):
        elsewhere.loads(data)


def test_a_global_name_of_the_program_is_enough(monkeypatch):
    program = ModuleType("program")
    monkeypatch.setitem(sys.modules, "program", program)
    program.Frozen = Frozen
    assert trusting("program").loads(trusting("program").dumps([Frozen("a")])) == [Frozen("a")]
    program.Frozen = type("Frozen", (), {})
    with pytest.raises(StoreError, match="which is not registered here"):
        trusting("program").loads(trusting(__name__).dumps(Frozen("a")))


@pytest.mark.parametrize(
    "name",
    [
        "subprocess:CompletedProcess", "http:HTTPStatus", "os:system", "program.later:Plan", "program:values.Frozen",
        "program:Plan.__class__", "program:", ":Plan", "program", "program:Plan.model_validate", "program:OWN",
    ],
)  # fmt: skip
def test_what_a_store_names_is_never_imported_nor_reached_through_other_things(name, monkeypatch):
    program = ModuleType("program")
    program.__dict__.update(Plan=Plan, OWN=OWN, values=values)
    monkeypatch.setitem(sys.modules, "program", program)
    data = ormsgpack.packb(ormsgpack.Ext(tags.DATACLASS, ormsgpack.packb([name, {"text": "b"}])))
    loaded = set(sys.modules)
    with pytest.raises(StoreError, match="which is not registered here"):
        trusting("program").loads(data)
    assert set(sys.modules) == loaded
