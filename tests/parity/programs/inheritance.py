"""States whose keys are inherited: classes that declare nothing, or only some of their keys, of their own."""

import operator
from dataclasses import dataclass, field
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, create_model

CONFIG = {"configurable": {"thread_id": "1"}}


class Item(BaseModel):
    number: int


class Holder(BaseModel):
    items: Annotated[list[Item], operator.add] = []


class SameHolder(Holder):
    """Declares nothing of its own."""


def inherited_schemas():
    class Model(BaseModel):
        path: Annotated[list, operator.add] = []
        note: str | None = None

    class Other(BaseModel):
        other: int = 1

    class SameModel(Model):
        """Declares nothing of its own."""

    class BothModels(Model, Other):
        """Declares nothing of its own."""

    class MoreModel(Model):
        more: int = 5

    @dataclass
    class Data:
        path: Annotated[list, operator.add] = field(default_factory=list)
        note: str | None = None

    @dataclass
    class SameData(Data):
        """Declares nothing of its own."""

    @dataclass
    class MoreData(Data):
        more: int = 5

    return SameModel, BothModels, create_model("Made", __base__=Model), MoreModel, SameData, MoreData


def program_schemas_that_inherit_their_keys(record, saver):
    for schema in inherited_schemas():

        def seen(state):
            return {"path": [type(state).__name__]}

        def annotated(state: schema):
            return schema(path=["instance"])

        def commanding(state):
            return Command(update=schema(path=["commanded"], note="x"))

        builder = StateGraph(schema).add_sequence([seen, annotated, commanding]).add_edge(START, "seen")
        graph = builder.compile(checkpointer=saver)
        for given in ({"path": ["in"]}, schema(path=["in"], note="y")):
            record.chunks(schema.__name__, graph.stream(given, CONFIG, stream_mode=["updates", "values"]))
        graph.update_state(CONFIG, schema(path=["updated"]))
        record("state", graph.get_state(CONFIG).values)
        saver.delete_thread("1")


def program_classes_that_inherited_keys_name(record, saver):
    builder = (
        StateGraph(SameHolder).add_node("a", lambda state: {"items": [Item(number=1)]}).add_edge(START, "a")
    )
    graph = builder.compile(checkpointer=saver)
    record("result", graph.invoke({}, CONFIG))
    record("state", graph.get_state(CONFIG).values)
