"""Results and chunks of `version="v2"` in the types of the schemas, and input given as an instance of another class."""

import operator
from dataclasses import dataclass, field
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class Model(BaseModel):
    name: str = "nobody"
    path: Annotated[list[str], operator.add] = []


@dataclass
class Plain:
    name: str = "nobody"
    path: Annotated[list[str], operator.add] = field(default_factory=list)


class Short(BaseModel):
    name: str


class Keys(TypedDict):
    name: str
    path: Annotated[list[str], operator.add]


def parent_and_child(saver, schema, **options):
    child = StateGraph(schema, **options)
    child.add_node("inner", lambda state: {"path": ["inner"]}).add_edge(START, "inner")
    builder = StateGraph(schema, **options)
    builder.add_node("outer", lambda state: {"name": "outer"})
    builder.add_node("child", child.compile())
    builder.add_edge(START, "outer").add_edge("outer", "child")
    return builder.compile(checkpointer=saver)


def seen(chunk):
    kind, data = chunk["type"], chunk["data"]
    if kind == "checkpoints":
        return kind, len(chunk["ns"]), data["metadata"]["source"], data["values"]
    if kind == "debug":
        return kind, len(chunk["ns"]), data["type"], data["payload"].get("values")
    return kind, len(chunk["ns"]), data, chunk.get("interrupts")


def program_chunks(record, saver):
    modes = ["values", "updates", "checkpoints", "debug"]
    for schema, options in (
        (Model, {}),
        (Plain, {}),
        (Keys, {}),
        (Model, {"output_schema": Short}),
        (Keys, {"output_schema": Short}),
    ):
        graph = parent_and_child(saver, schema, **options)
        name = f"{schema.__name__} {len(options)}"
        config = {"configurable": {"thread_id": name}}
        chunks = graph.stream({"name": "x"}, config, stream_mode=modes, subgraphs=True, version="v2")
        record(name, [seen(chunk) for chunk in chunks])
        record(
            f"{name} again",
            [seen(chunk) for chunk in graph.stream({"name": "y"}, config, stream_mode=modes, version="v2")],
        )
        record(f"{name} invoke", graph.invoke({"name": "z"}, config, version="v2"))
        record(f"{name} some keys", graph.invoke({"name": "z"}, config, version="v2", output_keys=["name"]))
        record(f"{name} one key", graph.invoke({"name": "z"}, config, version="v2", output_keys="name"))
        record(f"{name} v1", graph.invoke({"name": "z"}, config))


def program_pause(record, saver):
    builder = StateGraph(Model)
    builder.add_node("ask", lambda state: {"name": interrupt("who?")}).add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    record("pause", graph.invoke({"name": "x"}, CONFIG, version="v2"))
    record("end", list(graph.stream(Command(resume="me"), CONFIG, version="v2", stream_mode="values")))


def program_what_does_not_fit(record, saver):
    builder = StateGraph(Model)
    builder.add_node("bad", lambda state: {"name": 5}).add_edge(START, "bad")
    try:
        builder.compile(checkpointer=saver).invoke({"name": "x"}, CONFIG, version="v2")
    except ValueError as error:
        record("refused", type(error).__name__)


async def program_async(record, saver):
    graph = parent_and_child(saver, Model)
    record("invoke", await graph.ainvoke({"name": "z"}, CONFIG, version="v2"))
    record(
        "stream",
        [
            chunk["data"]
            async for chunk in graph.astream({"name": "z"}, CONFIG, version="v2", stream_mode="values")
        ],
    )


class Narrow(TypedDict):
    name: str


def program_instances_as_input(record):
    builder = StateGraph(Keys, input_schema=Narrow)
    builder.add_node("show", lambda state: {"path": [str(sorted(state))]}).add_edge(START, "show")
    graph = builder.compile()
    for given in (Model(name="a", path=["b"]), Plain("a", ["b"]), {"name": "a", "path": ["b"]}):
        record(type(given).__name__, graph.invoke(given))
    whole = (
        StateGraph(Keys).add_node("show", lambda state: {"path": ["show"]}).add_edge(START, "show").compile()
    )
    for given in (Model(name="a", path=["b"]), Plain("a", ["b"]), Short(name="a")):
        record(f"whole {type(given).__name__}", whole.invoke(given))
