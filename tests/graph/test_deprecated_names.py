"""What LangGraph warns of when older programs use it is warned of here: the same category, at the program's line."""

import warnings
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from typing_extensions import TypedDict

from nbhitl.config import RunnableConfig as OwnConfig
from nbhitl.graph import START, StateGraph
from nbhitl.types import Interrupt

ENGINES = ("nbhitl", "langgraph")


class State(TypedDict):
    n: int


class Context(TypedDict):
    who: str


def compiled(engine):
    graphs = import_module(f"{engine}.graph")
    return (
        graphs.StateGraph(State, context_schema=Context)
        .add_node("a", lambda s: s)
        .add_edge(START, "a")
        .compile()
    )


def heard(run):
    """The categories of the warnings, whether each points to this file, and what came back."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        returned = run()
    return [(one.category.__name__, one.filename == __file__) for one in caught], returned


def of_both(run):
    ours, theirs = (heard(partial(run, engine)) for engine in ENGINES)
    return ours, theirs


OLD = {
    "NodeInterrupt": lambda engine: str(
        import_module(f"{engine}.errors").NodeInterrupt("why").args[0][0].value
    ),
    "interrupt_id": lambda engine: import_module(f"{engine}.types").Interrupt("why", "an id").interrupt_id,
    "Send": lambda engine: import_module(f"{engine}.constants").Send.__name__,
    "config_schema": lambda engine: compiled(engine).config_schema(include=["tags"]).model_json_schema(),
    "get_config_jsonschema": lambda engine: compiled(engine).get_config_jsonschema(),
}


@pytest.mark.parametrize("use", OLD.values(), ids=OLD)
def test_an_older_name_works_and_is_warned_of(use):
    ours, theirs = of_both(use)
    assert ours == theirs
    assert ours[0] == [("LangGraphDeprecatedSinceV10", True)]


def test_the_config_model_holds_the_context_schema():
    _, schema = heard(compiled("nbhitl").get_config_jsonschema)
    assert schema["$defs"]["Context"]["required"] == ["who"]


def test_a_tool_call_request_is_not_to_be_changed():
    def change(engine):
        request = import_module(f"{engine}.prebuilt.tool_node").ToolCallRequest({"name": "a"}, None, {}, None)
        other = request.override(state=1)
        request.tool_call = {"name": "b"}
        request.note = "not a field"
        return request.tool_call, request.note, other.state

    ours, theirs = of_both(change)
    assert ours == theirs == ([("DeprecationWarning", True)], ({"name": "b"}, "not a field", 1))


def as_dict(state, config: dict): ...
async def as_any(state, config: Any): ...
def in_quotes(state, *, config: "dict"): ...
def with_default(state, config: "dict | None" = None): ...
def right(state, config: RunnableConfig): ...
def maybe(state, config: RunnableConfig | None = None): ...
def right_in_quotes(state, config: "RunnableConfig"): ...
def untyped(state, config): ...


class Callable:
    def __call__(self, state, config: dict): ...


@pytest.mark.parametrize("node", [as_dict, as_any, in_quotes, with_default, Callable()])
def test_a_config_of_another_type_is_warned_of(node):
    def build(engine):
        builder = import_module(f"{engine}.graph").StateGraph(State)
        builder.add_node("n", node)
        builder.add_conditional_edges("n", node)

    (ours, _), (theirs, _) = of_both(build)
    assert ours == [("UserWarning", True)] * 2
    assert [category for category, _ in theirs] == ["UserWarning"] * 2


def own_config(state, config: OwnConfig): ...
def maybe_in_quotes(state, config: "RunnableConfig | None"): ...


@pytest.mark.parametrize("node", [right, maybe, right_in_quotes, untyped, own_config, maybe_in_quotes])
def test_nothing_is_said_of_a_right_config(node):
    assert heard(lambda: StateGraph(State).add_node("n", node))[0] == []


@pytest.mark.parametrize("given", [{"ns": ["a:1"], "resumable": True}, {"ns": ("a:1",), "when": "during"}])
def test_an_older_interrupt_is_named_by_its_namespace(given):
    for engine in ENGINES:
        cls = import_module(f"{engine}.types").Interrupt
        assert cls(value=1, **given) == cls.from_ns(1, "a:1")
        assert cls(value=1, **given).id != "placeholder-id"
        assert cls(value=1, id="mine", **given).id == "mine"
        assert cls(value=1, resumable=True).id == cls(1).id == "placeholder-id"


def test_a_word_that_never_was_one_of_an_interrupt():
    with pytest.raises(TypeError, match="anser"):
        Interrupt(1, anser=True)


def test_keywords_that_a_builder_never_had_are_left_out():
    with pytest.warns(
        UserWarning, match=r"retry_polcy=1 is ignored: StateGraph.add_node has .*'retry_policy'\?"
    ):
        builder = StateGraph(State).add_node("a", lambda s: s, retry_polcy=1)
    with pytest.warns(UserWarning, match="owner='me' is ignored: StateGraph has no such keyword"):
        StateGraph(State, owner="me")
    assert builder.add_edge(START, "a").compile().invoke({"n": 1}) == {"n": 1}
