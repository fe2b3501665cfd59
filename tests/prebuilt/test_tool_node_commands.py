"""Commands that tools return, on both engines alike."""

import asyncio
import functools
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, RemoveMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId
from same_calls import LANGGRAPH, OURS, add, asks_for, call, config, same


def commanding(e):
    def command(kind: str, tool_call_id: Annotated[str, InjectedToolCallId]):
        """Return a command."""
        C, S = e.Command, e.Send
        m = ToolMessage("done", tool_call_id=tool_call_id)
        clear = RemoveMessage(id="__remove_all__")
        return {
            "answer": C(update={"messages": [m], "foo": 1}),
            "no answer": C(update={"foo": 1}),
            "goto": C(goto="x"),
            "gotos": C(goto=["x", "y"]),
            "send": C(goto=S("x", 1)),
            "two answers": C(update={"messages": [m, m]}),
            "another's answer": C(update={"messages": [ToolMessage("done", tool_call_id="zzz")]}),
            "up": C(graph=C.PARENT, update={"foo": 1}, goto="p"),
            "sends up": C(graph=C.PARENT, goto=[S("p", 1)]),
            "sends up with update": C(graph=C.PARENT, update={"messages": [m]}, goto=[S("a", 1)]),
            "named graph": C(graph="other", update={"foo": 1}),
            "list": [C(update={"messages": [m]}), C(update={"foo": 3})],
            "message and command": [m, C(update={"foo": 3})],
            "two in a list": [m, C(update={"messages": [m]})],
            "none in a list": [C(update={"foo": 3})],
            "messages": [m],
            "messages twice": [m, ToolMessage("2", tool_call_id=tool_call_id)],
            "another's message": [ToolMessage("2", tool_call_id="other")],
            "mixed": [m, "x"],
            "update is a list": C(update=[m]),
            "clear": C(update={"messages": [clear]}),
            "clear and answer": C(update={"messages": [clear, m]}),
            "ai message": C(update={"messages": [AIMessage("x")]}),
            "text": C(update={"messages": "s"}),
            "as dict": C(
                update={"messages": [{"role": "tool", "content": "q", "tool_call_id": tool_call_id}]}
            ),
            "resume": C(resume=1),
            "empty": C(),
        }[kind]

    return command


@functools.cache
def with_commands(package):
    e = LANGGRAPH if package == "langgraph" else OURS
    return e.ToolNode([commanding(e), add])


KINDS = [
    "answer", "no answer", "goto", "gotos", "send", "two answers", "another's answer", "up", "sends up",
    "sends up with update", "named graph", "list", "message and command", "two in a list", "none in a list",
    "messages", "messages twice", "another's message", "mixed", "update is a list", "clear",
    "clear and answer", "ai message", "text", "as dict", "resume", "empty",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["dict", "list", "calls", "with others", "async"])
def test_commands(form, kind):
    wanted = call("command", kind=kind)
    others = [call("add", "c2", a=1, b=2), call("command", "c3", kind="sends up"), call("zork", "c4")]

    def program(e):
        node = with_commands(e.name)
        if form == "async":
            return asyncio.run(node.ainvoke(asks_for(wanted), config(e)))
        given = {
            "dict": asks_for(wanted),
            "list": [AIMessage("", tool_calls=[wanted])],
            "calls": [wanted],
            "with others": asks_for(wanted, *others),
        }[form]
        return node.invoke(given, config(e))

    same(program)


def test_a_command_of_a_class_tool_gets_through():
    def program(e):
        class Hands(BaseTool):
            name: str = "hands"
            description: str = "Hand over."

            def _run(self, a: int) -> Any:
                return e.Command(goto="x")

        node = e.ToolNode([Hands()])
        asked = asks_for(call("hands", a=1))
        return [node.invoke(asked, config(e)), asyncio.run(node.ainvoke(asked, config(e)))]

    same(program)


def test_the_tools_own_message_is_not_changed():
    mine = ToolMessage("done", tool_call_id="c1")

    def hand() -> Any:
        """Hand over."""
        return OURS.Command(update={"messages": [mine]})

    (command,) = OURS.ToolNode([hand]).invoke(asks_for(call("hand")), config(OURS))
    assert command.update["messages"][0].name == "hand"
    assert mine.name is None


def test_langgraphs_own_types_are_a_clear_error():
    def hand() -> Any:
        """Hand over."""
        return LANGGRAPH.Command(goto="x")

    with pytest.raises(TypeError, match=r"from nbhitl\.types import Command"):
        OURS.ToolNode([hand]).invoke(asks_for(call("hand")), config(OURS))

    def wants(state: Annotated[dict, LANGGRAPH.InjectedState]) -> str:
        """Want the state."""

    wants.__annotations__["state"] = Annotated[dict, LANGGRAPH.InjectedState]
    with pytest.raises(TypeError, match=r"from nbhitl\.prebuilt import InjectedState"):
        OURS.ToolNode([wants])
