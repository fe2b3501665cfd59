"""The types of the fields that users see can be read at run time: by pydantic, and by whatever else reads annotations."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from importlib import import_module

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from nbhitl import Decision, approve, edit, reject
from nbhitl.graph import END, START, StateGraph
from nbhitl.runtime import Runtime, ServerInfo

MODULES = (
    "nbhitl",
    "nbhitl.callbacks",
    "nbhitl.checkpoint.base",
    "nbhitl.config",
    "nbhitl.prebuilt",
    "nbhitl.review.decisions",
    "nbhitl.review.forms",
    "nbhitl.review.questions",
    "nbhitl.runtime",
    "nbhitl.store.base",
    "nbhitl.types",
)


def has_fields(found: object) -> bool:
    if not inspect.isclass(found) or not found.__module__.startswith("nbhitl"):
        return False
    return dataclasses.is_dataclass(found) or typing.is_typeddict(found) or hasattr(found, "_fields")


def classes_with_fields() -> dict[str, type]:
    classes = {}
    for name in MODULES:
        module = import_module(name)
        for public in getattr(module, "__all__", None) or vars(module):
            found = getattr(module, public, None)
            if not public.startswith("_") and has_fields(found):
                classes[public] = found
    return classes


CLASSES = classes_with_fields()


@pytest.mark.parametrize("name", CLASSES)
def test_the_types_of_all_fields_are_found(name):
    hints = typing.get_type_hints(CLASSES[name], include_extras=True)
    fields = getattr(CLASSES[name], "__dataclass_fields__", None) or CLASSES[name].__annotations__
    assert set(hints) >= set(fields)


def test_there_are_classes_to_look_at():
    assert {"Decision", "Interrupt", "Question", "CheckpointPayload", "StateSnapshot", "Runtime"} <= set(
        CLASSES
    )


class Reviewed(BaseModel):
    """A state with what a person decided."""

    decision: Decision | None = None
    earlier: list[Decision] = []


def test_a_decision_is_a_field_of_a_model():
    builder = StateGraph(Reviewed)
    builder.add_node(
        "decide", lambda state: {"decision": edit(rows=3), "earlier": [*state.earlier, reject("no")]}
    )
    graph = builder.add_edge(START, "decide").add_edge("decide", END).compile()
    result = graph.invoke({"earlier": [approve()]})
    state = Reviewed(**result)
    assert (state.decision.kind, dict(state.decision.edits)) == ("edit", {"rows": 3})
    assert [(decision.kind, decision.reason) for decision in state.earlier] == [
        ("approve", None),
        ("reject", "no"),
    ]


@pytest.mark.parametrize(
    "name", ["Action", "Decision", "Field", "GraphInterruptEvent", "GraphResumeEvent", "Question"]
)
def test_pydantic_knows_the_fields_of(name):
    assert TypeAdapter(CLASSES[name]).pydantic_complete


@pytest.mark.parametrize("cls", [Runtime, ServerInfo])
def test_what_runs_can_be_a_field_where_any_type_may_be(cls):
    model = create_model("Model", __config__=ConfigDict(arbitrary_types_allowed=True), field=(cls, ...))
    assert model.__pydantic_complete__
