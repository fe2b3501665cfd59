"""An import that was not swapped from langgraph is named by the error, wherever its object or function turns up."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import langgraph.config
import langgraph.errors
import langgraph.types
import pytest
from typing_extensions import TypedDict

from nbhitl.channels import DeltaChannel
from nbhitl.errors import ForeignObjectError
from nbhitl.graph import START, StateGraph, add_messages
from nbhitl.types import Command


class State(TypedDict):
    path: Annotated[list, operator.add]


class Latest(TypedDict):
    path: Annotated[list, lambda old, new: new]


class Messages(TypedDict):
    path: Annotated[list, add_messages]


class Batched(TypedDict):
    path: Annotated[list, DeltaChannel(lambda old, writes: writes[-1], list)]


def asks(state: State) -> dict[str, Any]:
    return {"path": [langgraph.types.interrupt("sure?")]}


def writes(state: State) -> dict[str, Any]:
    langgraph.config.get_stream_writer()("chunk")
    return {}


def stops(state: State) -> dict[str, Any]:
    with pytest.warns(DeprecationWarning, match="deprecated"):
        stop = langgraph.errors.NodeInterrupt("stop")
    raise stop


def sends(state: State) -> Command:
    unswapped: Any = langgraph.types.Send("node", {})
    return Command(goto=unswapped)


def overwrites(state: Any) -> dict[str, Any]:
    return {"path": langgraph.types.Overwrite(["new"])}


def fails(state: State) -> dict[str, Any]:
    return {}["__pregel_of_its_own"]


def graph(node: Any) -> Any:
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile()


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (asks, "Import interrupt from nbhitl.types"),
        (writes, "Import get_stream_writer from nbhitl.config"),
        (stops, "Import NodeInterrupt from nbhitl.errors"),
        (sends, "Import Send from nbhitl.types"),
        (overwrites, "At key 'path'.*Import Overwrite from nbhitl.types"),
    ],
)
def test_the_import_is_named(node: Any, named: str) -> None:
    with pytest.raises(ForeignObjectError, match=named):
        graph(node).invoke({"path": []})


def test_a_send_of_langgraphs_from_a_path_function() -> None:
    builder = StateGraph(State).add_node("node", lambda state: {})
    builder.add_conditional_edges(START, lambda state: [langgraph.types.Send("node", {})], ["node"])
    with pytest.raises(ForeignObjectError, match=r"Import Send from nbhitl\.types"):
        builder.compile().invoke({"path": []})


@pytest.mark.parametrize("schema", [Latest, Messages, Batched])
def test_an_overwrite_of_langgraphs_is_no_data(schema: Any) -> None:
    builder = StateGraph(schema).add_node("node", overwrites).add_edge(START, "node")
    with pytest.raises(ForeignObjectError, match=r"At key 'path'.*Import Overwrite from nbhitl\.types"):
        builder.compile().invoke({"path": []})


def test_an_error_of_the_nodes_own_stays_what_it_is() -> None:
    with pytest.raises(KeyError, match="__pregel_of_its_own"):
        graph(fails).invoke({"path": []})


@pytest.mark.parametrize(
    "missing", [KeyError, KeyError(), KeyError(7), KeyError("__pregel_send"), KeyError("amount")]
)
def test_a_key_that_a_node_misses_itself_is_the_nodes_own_error(missing):
    def looks_up(state: State) -> Any:
        raise missing

    graph = StateGraph(State).add_node("node", looks_up).add_edge(START, "node").compile()
    with pytest.raises(KeyError) as raised:
        graph.invoke({"path": []})
    assert type(raised.value) is KeyError
    assert raised.value.args == getattr(missing, "args", ()) or missing is KeyError
    assert "During task with name 'node'" in raised.value.__notes__[0]
