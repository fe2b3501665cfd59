"""A ToolNode does what LangGraph's does, for the same tools and the same input."""

import asyncio
import dataclasses
from typing import Annotated, Any, Optional
from unittest.mock import Mock

import pydantic
import pytest
from both_engines import outcome
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, tool
from same_calls import LANGGRAPH, OURS, Classic, State, add, asks_for, call, config, decorated, fail, same


class Point(pydantic.BaseModel):
    x: int


def give(what: str) -> Any:
    """Give something."""
    return {
        "blocks": [{"type": "text", "text": "q"}],
        "odd blocks": [{"type": "zork"}],
        "dict": {"k": "é"},
        "none": None,
        "texts": ["a", "b"],
        "empty": [],
        "model": Point(x=1),
        "class": object,
        "message": ToolMessage("x", tool_call_id="another"),
        "answer": ToolMessage({"a": 1}, tool_call_id="c1"),
    }[what]


def where(point: Point, *, scale: int = 1, tags: list[int] = [1], note: Optional[str] = None) -> str:  # noqa: UP045
    """Tell where."""
    return f"{point!r} {scale} {tags} {note}"


def untyped(x, y=2):
    """Take anything."""
    return f"{x}{y}"


def validates(a: int) -> str:
    """Fail to validate something else."""
    Point(x="q")


async def later(a: int) -> int:
    """Answer later."""
    await asyncio.sleep(0)
    return a


@tool(response_format="content_and_artifact")
def with_artifact(a: int):
    "Has an artifact."
    return "content", {"a": a}


@tool
def raises_tool_exception(a: int):
    "Raise."
    raise ToolException("te")


@tool("renamed", description="Other words.", return_direct=True)
def original(a: int):
    "Words."
    return a


def own_config(a: int, config: RunnableConfig) -> str:
    """See the config."""
    return str(config["configurable"]["mine"])


def own_id(a: int, tool_call_id: Annotated[str, InjectedToolCallId]) -> str:
    """See the id."""
    return tool_call_id


TOOLS = [
    add,
    fail,
    give,
    where,
    untyped,
    validates,
    later,
    decorated,
    with_artifact,
    raises_tool_exception,
    original,
    Classic(),
    own_id,
    StructuredTool.from_function(func=lambda a: a, name="structured", description="Made."),
]
CALLS = {
    "result": [call("add", a=1, b=2)],
    "converted": [call("add", a="1", b=2)],
    "extra argument": [call("add", a=1, b=2, c=3)],
    "wrong": [call("add", a="x", b=2)],
    "wrong and missing": [call("add", a="x")],
    "unknown": [call("zork", a=1)],
    "unknown among others": [call("add", "1", a=1, b=1), call("zork", "2"), call("add", "3", a=2, b=2)],
    "error": [call("fail", a=1)],
    "nested": [
        call("where", point={"x": 1}),
        call("where", "c2", point={"x": 1}, scale=2, tags=["3"], note="n"),
    ],
    "nested wrong": [call("where", point={"x": "q"})],
    "untyped": [call("untyped", x=1)],
    "validation inside": [call("validates", a=1)],
    "async in sync": [call("later", a=1)],
    "decorated": [call("decorated", a=1)],
    "artifact": [call("with_artifact", a=1)],
    "tool exception": [call("raises_tool_exception", a=1)],
    "renamed": [call("renamed", a=1)],
    "class": [call("classic", a=1)],
    "own id": [call("own_id", a=1)],
    "structured": [call("structured", a=1)],
    **{
        f"gives {what}": [call("give", what=what)]
        for what in (
            "blocks", "odd blocks", "dict", "none", "texts", "empty", "model", "class", "message", "answer",
        )
    },
}  # fmt: skip
_nodes: dict[Any, Any] = {}


def with_tools(e, handle="default"):
    """A ToolNode of these tools; made once, because LangChain is slow in making tools."""
    key = (e.name, repr(handle))
    if key not in _nodes:
        how = {} if handle == "default" else {"handle_tool_errors": handle}
        _nodes[key] = e.ToolNode(TOOLS, **how)
    return _nodes[key]


@pytest.mark.parametrize("handle", ["default", True, False, "oops"])
@pytest.mark.parametrize("name", CALLS)
def test_calls(name, handle):
    same(lambda e: with_tools(e, handle).invoke(asks_for(*CALLS[name]), config(e)))


@pytest.mark.parametrize("name", CALLS)
def test_async_calls(name):
    same(lambda e: asyncio.run(with_tools(e).ainvoke(asks_for(*CALLS[name]), config(e))))


def handle_value(error: ValueError) -> str:
    return "value"


def handle_key(error: KeyError) -> str:
    return "key"


def handle_either(error: KeyError | ValueError) -> str:
    return "either"


def handle_any(error):
    return f"any: {error}"


def handle_odd(error: int) -> str:
    return "odd"


class Handlers:
    def method(self, error: ValueError) -> str:
        return "method"


@pytest.mark.parametrize(
    "handle",
    [
        ValueError,
        KeyError,
        (KeyError, ValueError),
        (),
        "",
        None,
        3,
        handle_value,
        handle_key,
        handle_either,
        handle_any,
        handle_odd,
        Handlers().method,
        lambda error: "lambda",
    ],
    ids=lambda handle: getattr(handle, "__name__", repr(handle)),
)
@pytest.mark.parametrize("name", ["error", "wrong", "tool exception", "result"])
def test_error_handlers(name, handle):
    same(lambda e: with_tools(e, handle).invoke(asks_for(*CALLS[name]), config(e)))


def test_a_handler_for_arguments_that_do_not_fit():
    def program(e):
        def handle(error) -> str:
            return f"{error.tool_name} {error.tool_kwargs} {[x['loc'] for x in error.filtered_errors]}"

        handle.__annotations__["error"] = e.ToolInvocationError
        node = e.ToolNode(TOOLS, handle_tool_errors=handle)
        return node.invoke(asks_for(call("add", a="x")), config(e))

    assert same(program)["messages"][0].content == "add {'a': 'x'} [('a',), ('b',)]"


@dataclasses.dataclass
class PlainState:
    messages: list
    user: str = "ann"


ADD = call("add", a=1, b=2)
AI = AIMessage("", tool_calls=[ADD])


@pytest.mark.parametrize(
    "given",
    [
        {"messages": [AI]},
        [AI],
        [AI, HumanMessage("after")],
        [AI, ToolMessage("x", tool_call_id="c1")],
        [ADD, call("add", "c2", a=2, b=2)],
        State(messages=[AI]),
        PlainState(messages=[AI]),
        [AIMessage("no calls")],
        {"messages": [AIMessage("no calls")]},
        [HumanMessage("x")],
        {"messages": []},
        {"other": [AI]},
        3,
        {"__type": "tool_call_with_context", "tool_call": ADD, "state": {"user": "bob"}},
    ],
    ids=repr,
)
def test_forms_of_input(given):
    same(lambda e: with_tools(e).invoke(given, config(e)))


def test_another_key_for_messages():
    same(lambda e: e.ToolNode(TOOLS, messages_key="chat").invoke({"chat": [AI]}, config(e)))


def test_what_is_no_tool():
    def undocumented(a: int) -> int:
        return a

    for odd in (undocumented, 3, {"type": "function"}):
        same(lambda e, odd=odd: e.ToolNode([odd]))


def test_without_a_runtime():
    assert outcome(lambda e: e.ToolNode(TOOLS).invoke([AI]), OURS) == (
        "ValueError",
        "Missing required config key '__pregel_runtime' for 'tools': a ToolNode runs as a node of a "
        'graph. To call it by itself, pass config={"configurable": {"__pregel_runtime": Runtime()}}.',
    )
    assert outcome(lambda e: e.ToolNode(TOOLS).invoke([AI]), LANGGRAPH)[0] == "ValueError"


def test_a_mock_as_runtime():
    mock = {"configurable": {"__pregel_runtime": Mock()}}
    same(lambda e: with_tools(e).invoke([AI], mock))


def test_the_config_reaches_tools():
    def program(e):
        given = config(e)
        given["configurable"]["mine"] = 7
        return e.ToolNode([own_config]).invoke([call("own_config", a=1)], given)

    assert same(program)["messages"][0].content == "7"


def test_the_first_failing_call_in_order_counts():
    import time

    def slow(a: int) -> str:
        """Fail late."""
        time.sleep(0.05)
        raise ValueError("slow")

    def fast(a: int) -> str:
        """Fail at once."""
        raise ValueError("fast")

    for order in (["slow", "fast"], ["fast", "slow"]):
        node = OURS.ToolNode([slow, fast])
        asked = asks_for(*(call(name, str(n), a=1) for n, name in enumerate(order)))
        assert outcome(node.invoke, asked, config(OURS)) == ("ValueError", order[0])
        assert outcome(lambda n=node, a=asked: asyncio.run(n.ainvoke(a, config(OURS)))) == (
            "ValueError",
            order[0],
        )


def test_calls_run_side_by_side_within_max_concurrency():
    import threading

    running, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=5)

    def meet(a: int) -> str:
        """Meet the other."""
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait()
        with lock:
            running -= 1
        return "met"

    asked = asks_for(*(call("meet", str(n), a=n) for n in range(4)))
    done = OURS.ToolNode([meet]).invoke(asked, {**config(OURS), "max_concurrency": 2})
    assert [m.content for m in done["messages"]] == ["met"] * 4
    assert most == 2


@pytest.mark.parametrize(
    "state",
    [
        asks_for(ADD),
        [AI],
        {"messages": [AIMessage("x")]},
        [HumanMessage("x")],
        {"messages": []},
        {},
        3,
        None,
        State(messages=[AI]),
    ],
    ids=repr,
)
def test_tools_condition(state):
    same(lambda e: e.tools_condition(state))
    same(lambda e: e.tools_condition({"chat": [AI]}, messages_key="chat"))
