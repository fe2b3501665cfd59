"""What programs that take their messages from nbhitl see, with langchain-core and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest

from nbhitl import _message_forms
from nbhitl.graph.message import REMOVE_ALL_MESSAGES, MessagesState, add_messages
from nbhitl.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from nbhitl.prebuilt import InjectedState, InjectedStore, ToolNode, ToolRuntime, tools_condition
from nbhitl.prebuilt.tool_node import ToolInvocationError
from nbhitl.runtime import Runtime
from nbhitl.store.memory import InMemoryStore
from nbhitl.types import Command

WITHOUT = sys.modules.get("langchain_core", "") is None
HERE = Path(__file__).parent


PLUGINS = ("no_langchain", "xdist.plugin", "pytest_asyncio.plugin", "pytest_timeout")
"""Those that these tests and pyproject.toml need: the others take three times as long to load as these tests run."""


@pytest.mark.skipif(WITHOUT, reason="this is the run without langchain-core")
def test_the_same_without_langchain_core():
    plugins = [part for name in PLUGINS for part in ("-p", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--no-header", "-o", "addopts=", __file__],
        env={**os.environ, "PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=HERE.parent.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout


def test_the_classes_in_force_are_langchains_if_installed():
    assert HumanMessage.__module__.startswith("nbhitl" if WITHOUT else "langchain_core")
    assert type(add_messages([], "hi")[0]) is HumanMessage


CALL = {"name": "f", "args": {"a": 1}, "id": "c1", "type": "tool_call"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("a", HumanMessage("a")),
        (("user", "a"), HumanMessage("a")),
        (["ai", "a"], AIMessage("a")),
        (("developer", "a"), SystemMessage("a", additional_kwargs={"__openai_role__": "developer"})),
        ({"role": "user", "content": "a", "name": "bob"}, HumanMessage("a", name="bob")),
        ({"type": "system", "content": "a"}, SystemMessage("a")),
        ({"role": "user", "content": None}, HumanMessage("")),
        ({"role": "user", "content": "a", "foo": 3}, HumanMessage("a", additional_kwargs={"foo": 3})),
        ({"role": "assistant", "content": "", "tool_calls": [CALL]}, AIMessage("", tool_calls=[CALL])),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
                ],
            },
            AIMessage("", tool_calls=[CALL]),
        ),
        (
            {"role": "tool", "content": "r", "tool_call_id": "c1", "status": "error", "artifact": {"z": 1}},
            ToolMessage("r", tool_call_id="c1", status="error", artifact={"z": 1}),
        ),
    ],
)
def test_what_becomes_a_message(value, wanted):
    got = add_messages([], [value])[0]
    assert got.id
    got.id = None
    assert got == wanted
    assert repr(got) == repr(wanted)


@pytest.mark.parametrize(
    ("value", "error", "fragment"),
    [
        (3, NotImplementedError, "Unsupported message type"),
        (None, NotImplementedError, "Unsupported message type"),
        (("user", "a", "b"), NotImplementedError, "must be (role string, template)"),
        (("zork", "a"), ValueError, "Unexpected message type: 'zork'"),
        ({"role": "zork", "content": "a"}, ValueError, "Unexpected message type: 'zork'"),
        ({"content": "a"}, ValueError, "must contain 'role' and 'content'"),
        ({"role": "user"}, ValueError, "must contain 'role' and 'content'"),
        (("tool", "a"), KeyError, "tool_call_id"),
    ],
)
def test_what_does_not(value, error, fragment):
    with pytest.raises(error) as caught:
        add_messages([], [value])
    assert fragment in str(caught.value)


def test_merging_by_id():
    state = add_messages([], [HumanMessage("a", id="1"), AIMessage("b", id="2")])
    state = add_messages(state, [AIMessage("B", id="2"), HumanMessage("c", id="3"), RemoveMessage(id="1")])
    assert [(m.type, m.content, m.id) for m in state] == [("ai", "B", "2"), ("human", "c", "3")]
    assert add_messages(state, [RemoveMessage(id=REMOVE_ALL_MESSAGES), HumanMessage("z", id="9")]) == [
        HumanMessage("z", id="9")
    ]
    with pytest.raises(ValueError, match="Attempting to delete a message with an ID that doesn't exist"):
        add_messages(state, [RemoveMessage(id="nope")])


MESSAGES = [
    HumanMessage("hi"),
    HumanMessage([{"type": "text", "text": "a"}, "b"], name="bob", id="1"),
    AIMessage(
        "x", tool_calls=[CALL], usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    ),
    AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "1", "error": "e"}]),
    AIMessage("x", response_metadata={"m": [1, {"n": None}]}, additional_kwargs={"k": "v"}),
    SystemMessage("s"),
    ToolMessage("r", tool_call_id="7", name="f", status="error", artifact={"q": (1, 2)}, id="k"),
    ToolMessage(3, tool_call_id=5),
    RemoveMessage(id="4"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_the_stored_form_comes_back(message):
    data = _message_forms.message_to_data(message)
    assert data["type"] == message.type
    assert _message_forms.message_from_data(data) == message


def test_tool_calls_that_a_program_changed_are_stored_as_they_are():
    message = AIMessage("", tool_calls=[dict(CALL)])
    message.tool_calls[0]["extra"] = {"why": "edited"}
    restored = _message_forms.message_from_data(_message_forms.message_to_data(message))
    assert restored.tool_calls == message.tool_calls


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": "zork", "content": "a"},
        {"type": None, "content": "a"},
        {"type": ["ai"], "content": "a"},
        {"type": "human"},
        {"type": "human", "content": 3},
        {"type": "tool", "content": "a"},
        {"type": "ai", "content": "a", 3: "x"},
    ],
)
def test_damaged_data_is_a_clear_error(data):
    with pytest.raises(ValueError, match=r"damaged|not a type of message"):
        _message_forms.message_from_data(data)


def test_pretty_forms(capsys):
    AIMessage("x", tool_calls=[CALL]).pretty_print()
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "================================== Ai Message ==================================",
        "",
        "x",
        "Tool Calls:",
        "  f (c1)",
        " Call ID: c1",
        "  Args:",
        "    a: 1",
    ]
    assert HumanMessage([{"type": "text", "text": "a"}, "b", {"type": "image"}]).text == "ab"


# -- tools --------------------------------------------------------------------------------------------------


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def fail(a: int) -> str:
    """Fail."""
    raise ValueError(f"bad {a}")


async def later(a: int) -> str:
    """Answer later."""
    return f"later {a}"


def about(a: int, user: Annotated[str, InjectedState("user")], runtime: ToolRuntime) -> str:
    """Tell who asks."""
    return f"{user} {runtime.tool_call_id} {runtime.context}"


def keep(a: int, store: Annotated[object, InjectedStore()]) -> str:
    """Keep a number."""
    store.put(("numbers",), "a", {"n": a})
    return "kept"


def hand_over(runtime: ToolRuntime) -> Command:
    """Hand over to the writer."""
    answer = ToolMessage("over", tool_call_id=runtime.tool_call_id)
    return Command(goto="writer", update={"messages": [answer]})


def calls(*wanted):
    made = [
        {"name": name, "args": args, "id": f"c{n}", "type": "tool_call"}
        for n, (name, args) in enumerate(wanted)
    ]
    return {"messages": [AIMessage("", tool_calls=made)], "user": "ann"}


def config(**runtime):
    return {"configurable": {"__pregel_runtime": Runtime(**runtime)}}


def node(**how):
    return ToolNode([add, fail, later, about, keep, hand_over], **how)


def test_a_function_is_a_tool():
    tool = node().tools_by_name["add"]
    assert (tool.name, tool.description) == ("add", "Add two numbers.")
    assert tool.args == {
        "a": {"title": "A", "type": "integer"},
        "b": {"default": 2, "title": "B", "type": "integer"},
    }
    assert set(node().tools_by_name["about"].args) == {"a"}
    assert set(node().tools_by_name["keep"].args) == {"a"}


def test_results_become_tool_messages_in_the_order_of_the_calls():
    result = node().invoke(calls(("add", {"a": "1"}), ("add", {"a": 5, "b": 6}), ("zork", {})), config())
    assert [(m.content, m.name, m.tool_call_id, m.status) for m in result["messages"]] == [
        ("3", "add", "c0", "success"),
        ("11", "add", "c1", "success"),
        (
            "Error: zork is not a valid tool, try one of [add, fail, later, about, keep, hand_over].",
            "zork",
            "c2",
            "error",
        ),
    ]
    assert type(result["messages"][0]) is ToolMessage


def test_arguments_that_do_not_fit_are_answered():
    told = node().invoke(calls(("about", {"a": "x", "user": "mallory"})), config())["messages"][0]
    assert told.status == "error"
    assert told.content == (
        "Error invoking tool 'about' with kwargs {'a': 'x', 'user': 'mallory'} with error:\n a: Input should "
        "be a valid integer, unable to parse string as an integer\n Please fix the error and try again."
    )
    with pytest.raises(ToolInvocationError, match="Error invoking tool 'add'"):
        node(handle_tool_errors=False).invoke(calls(("add", {})), config())


def test_what_the_graph_injects_is_not_the_models_business():
    wanted = calls(("about", {"a": 1, "user": "mallory", "runtime": "x"}))
    assert node().invoke(wanted, config(context=7))["messages"][0].content == "ann c0 7"
    store = InMemoryStore()
    node().invoke(calls(("keep", {"a": 3})), config(store=store))
    assert store.get(("numbers",), "a").value == {"n": 3}
    with pytest.raises(ValueError, match="please compile your graph with a store"):
        node().invoke(calls(("keep", {"a": 3})), config())


def only_keys(error: KeyError) -> str:
    return f"no {error}"


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (True, "Error: ValueError('bad 1')\n Please fix your mistakes."),
        ("oops", "oops"),
        (ValueError, "Error: ValueError('bad 1')\n Please fix your mistakes."),
        ((KeyError, ValueError), "Error: ValueError('bad 1')\n Please fix your mistakes."),
        (lambda error: f"so: {error}", "so: bad 1"),
        (False, None),
        (KeyError, None),
        (only_keys, None),
    ],
)
def test_errors_of_tools(how, told):
    tools = node(handle_tool_errors=how)
    if told is None:
        with pytest.raises(ValueError, match="bad 1"):
            tools.invoke(calls(("fail", {"a": 1})), config())
    else:
        message = tools.invoke(calls(("fail", {"a": 1})), config())["messages"][0]
        assert (message.content, message.status) == (told, "error")


async def test_async_tools():
    wanted = calls(("later", {"a": 1}), ("add", {"a": 1}))
    result = await node().ainvoke(wanted, config())
    assert [m.content for m in result["messages"]] == ["later 1", "3"]
    with pytest.raises(NotImplementedError, match="does not support sync invocation"):
        node().invoke(wanted, config())


def test_a_tool_may_return_a_command():
    wanted = calls(("hand_over", {}), ("add", {"a": 1}))
    command, update = node().invoke(wanted, config())
    assert command == Command(
        goto="writer", update={"messages": [ToolMessage("over", name="hand_over", tool_call_id="c0")]}
    )
    assert [m.content for m in update["messages"]] == ["3"]


@pytest.mark.parametrize(
    ("result", "content"),
    [
        ("é", "é"),
        (None, "null"),
        ({"k": "é"}, '{"k": "é"}'),
        (["a"], '["a"]'),
        ([{"type": "text", "text": "q"}], [{"type": "text", "text": "q"}]),
        ([{"type": "zork"}], '[{"type": "zork"}]'),
        (object, "<class 'object'>"),
    ],
)
def test_results_as_content(result, content):
    def give() -> object:
        """Give it."""
        return result

    message = ToolNode([give]).invoke(calls(("give", {})), config())["messages"][0]
    assert message.content == content


def test_what_is_no_tool():
    def undocumented(a: int) -> int:
        return a

    with pytest.raises(ValueError, match="Function must have a docstring if description not provided"):
        ToolNode([undocumented])
    with pytest.raises(ValueError, match="The first argument must be a string or a callable with a __name__"):
        ToolNode([3])


def test_tools_condition():
    assert tools_condition(calls(("add", {}))) == "tools"
    assert tools_condition([HumanMessage("a")]) == "__end__"
    with pytest.raises(ValueError, match="No messages found in input state to tool_edge"):
        tools_condition({"messages": []})


def test_messages_state_is_resolvable():
    from typing import get_type_hints

    (annotation,) = get_type_hints(MessagesState, include_extras=True).values()
    assert annotation.__metadata__ == (add_messages,)
