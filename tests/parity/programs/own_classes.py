"""Values of classes that no schema names: in the state, asked and answered, in files too."""

import operator
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel, PrivateAttr
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class Loose(TypedDict):
    value: Any
    log: list


class Review(BaseModel):
    text: str
    notes: list[str] = []


@dataclass
class Option:
    label: str
    parts: list[Review] = field(default_factory=list)


@dataclass
class Counting:
    """Holds more than its fields."""

    label: str

    def __post_init__(self):
        self.words = self.label.split()


class Partial(BaseModel):
    title: str
    body: str


class Shown(TypedDict):
    part: Any
    seen: Annotated[list, operator.add]


class Verdict(Enum):
    YES = "yes"


class Counted(BaseModel):
    value: Any = 0
    log: list = []
    _seen: int = PrivateAttr(default=3)


def graph_of(node, saver, schema=Loose):
    return StateGraph(schema).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)


def program_asked_and_answered(record, saver):
    shown = Option("a", [Review(text="r", notes=["n"])])

    def node(state):
        return {"value": interrupt(shown), "log": [interrupt([Review(text="second")])]}

    graph = graph_of(node, saver)
    record("asks", graph.invoke({"value": None}, CONFIG))
    record("open", graph.get_state(CONFIG).interrupts)
    record("asks again", graph.invoke(Command(resume=Verdict.YES), CONFIG))
    record("done", graph.invoke(Command(resume=Option("b")), CONFIG))
    record("kept", graph.get_state(CONFIG).values)
    record("history", [state.values for state in graph.get_state_history(CONFIG)])


def program_updates_of_models(record, saver):
    for name, schema in (("keys", Loose), ("model", Counted)):
        graph = graph_of(lambda state: Command(update=Counted(value=Review(text="t"))), saver, schema)
        config = {"configurable": {"thread_id": name}}
        record(f"{name} command", graph.invoke({"value": 1, "log": []}, config))
        record(f"{name} state", graph.get_state(config).values)
        graph = graph_of(lambda state: Counted(value=Option("o")), saver, schema)
        record(f"{name} model", graph.invoke({"value": 1, "log": []}, config))
        record(f"{name} after", graph.get_state(config).values)


def program_models_made_without_what_they_require(record, saver):
    """As where a model's answer is shown while it comes: `model_construct` with what is there so far."""
    parts = [
        Partial.model_construct(),
        Partial.model_construct(title="t"),
        Partial.model_construct(title="t", body="b"),
    ]
    builder = StateGraph(Shown).add_node(
        "show", lambda state: {"part": parts[len(state["seen"])], "seen": ["shown"]}
    )
    builder.add_node("ask", lambda state: {"seen": [f"{state['part']!r} {interrupt('more?')}"]})
    builder.add_edge(START, "show").add_edge("show", "ask")
    graph = builder.compile(checkpointer=saver)
    for number in range(2):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"seen": [""] * number}, config)
        record("part", repr(graph.get_state(config).values["part"]))
        record("answered", graph.invoke(Command(resume="yes"), config)["seen"])
        record("history", [repr(found.values.get("part")) for found in graph.get_state_history(config)])


def program_attributes_beside_the_fields(record, saver):
    def node(state):
        return {"value": Counting("two words"), "log": [interrupt(Counting("go on now"))]}

    builder = (
        StateGraph(Loose).add_node("node", node).add_node("last", lambda state: {"log": state["value"].words})
    )
    graph = builder.add_edge(START, "node").add_edge("node", "last").compile(checkpointer=saver)
    record(
        "asks",
        [asked.value.words for asked in graph.invoke({"value": Counting("a b c")}, CONFIG)["__interrupt__"]],
    )
    record("open", graph.get_state(CONFIG).values["value"].words)
    record("done", graph.invoke(Command(resume="yes"), CONFIG)["log"])
    record("kept", graph.get_state(CONFIG).values["value"].words)
