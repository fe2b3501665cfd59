"""What tools return, checked and put together into what a node may return; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from nbhitl._langchain import is_message
from nbhitl._message_forms import coerce_messages
from nbhitl.graph.message import REMOVE_ALL_MESSAGES
from nbhitl.prebuilt.function_tool import is_tool_output, message_content
from nbhitl.types import Command, Send

if TYPE_CHECKING:
    from collections.abc import Sequence

InputKind = Literal["list", "dict", "tool_calls"]
"""Where a ToolNode got its tool calls: in a list of messages, in a state, or by themselves."""


def checked_output(output: Any, call: dict[str, Any], kind: InputKind, messages_key: str) -> Any:
    """Return what a tool returned for `call`, made fit for a node: a ToolMessage, Command or list of them.

    Raises:
        TypeError: it is something else.
        ValueError: the answer to the tool call is missing, or is not what the node's input asks for.
    """
    if isinstance(output, Command):
        return _checked_command(output, call, kind, messages_key, needs_answer=True)
    if isinstance(output, list) and is_tool_output(output):
        return _checked_list(output, call, kind, messages_key)
    if is_message(output) and output.type == "tool":
        output.content = message_content(output.content)
        return output
    name = call["name"]
    module = type(output).__module__
    if module.startswith("langgraph."):
        raise TypeError(
            f"Tool {name} returned langgraph's {type(output).__name__}. Import it from nbhitl.types: "
            f"from nbhitl.types import {type(output).__name__}."
        )
    raise TypeError(
        f"Tool {name} returned unexpected type: {type(output)}. Results become ToolMessages by themselves if "
        f"the tool call has an id; this call's id is {call.get('id')!r}."
    )


def _checked_list(output: list[Any], call: dict[str, Any], kind: InputKind, messages_key: str) -> list[Any]:
    answers = sum(
        _answers(message, call)
        for item in output
        for message in (_messages_of(item, messages_key) if isinstance(item, Command) else [item])
    )
    if answers != 1:
        raise ValueError(
            f"Tool {call['name']} returned a list with {answers} messages bound to tool_call_id "
            f"{call['id']!r}; expected exactly one terminating ToolMessage."
        )
    return [
        _checked_command(item, call, kind, messages_key, needs_answer=False)
        if isinstance(item, Command)
        else item
        for item in output
    ]


def _messages_of(command: Command[Any], messages_key: str) -> list[Any]:
    update = command.update
    found = update.get(messages_key, []) if isinstance(update, dict) else update
    if found is None:
        return []
    return coerce_messages(found if isinstance(found, list) else [found])


def _answers(message: Any, call: dict[str, Any]) -> bool:
    return bool(message.type == "tool" and message.tool_call_id == call["id"])


def _checked_command(
    command: Command[Any], call: dict[str, Any], kind: InputKind, messages_key: str, *, needs_answer: bool
) -> Command[Any]:
    """Return a tool's Command with the tool's name in its answer; `needs_answer`: there must be one."""
    update, name = command.update, call["name"]
    if isinstance(update, dict):
        if kind == "list":
            raise ValueError(
                "Tools can provide a dict in Command.update only when using dict with "
                f"'{messages_key}' key as ToolNode input, got: {update} for tool '{name}'"
            )
    elif isinstance(update, list):
        if kind != "list":
            raise ValueError(
                "Tools can provide a list of messages in Command.update only when using list of messages as "
                f"ToolNode input, got: {update} for tool '{name}'"
            )
    else:
        return command
    messages = _messages_of(command, messages_key)
    if any(message.type == "remove" and message.id == REMOVE_ALL_MESSAGES for message in messages):
        needs_answer = False
    if needs_answer and command.graph is None and not any(_answers(message, call) for message in messages):
        raise ValueError(_no_answer(messages, call, kind, messages_key))
    return replace(command, update=_named(update, call, messages_key))


def _no_answer(messages: list[Any], call: dict[str, Any], kind: InputKind, messages_key: str) -> str:
    answer = '[ToolMessage("Success", tool_call_id=tool_call_id), ...]'
    example = answer if kind == "list" else f'{{"{messages_key}": {answer}}}'
    return (
        f"Expected to have a matching ToolMessage in Command.update for tool '{call['name']}', got: "
        f"{messages}. Every tool call (LLM requesting to call a tool) in the message history MUST have a "
        "corresponding ToolMessage. You can fix it by modifying the tool to return "
        f"`Command(update={example}, ...)`."
    )


def _named(update: Any, call: dict[str, Any], messages_key: str) -> Any:
    """Return the update with the tool's name in the message that answers `call`; the given one stays."""
    messages = update.get(messages_key) if isinstance(update, dict) else update
    if not isinstance(messages, list):
        return update
    named = [
        message.model_copy(update={"name": call["name"]})
        if is_message(message) and _answers(message, call)
        else message
        for message in messages
    ]
    return {**update, messages_key: named} if isinstance(update, dict) else named


def combined(outputs: Sequence[Any], kind: InputKind, messages_key: str) -> Any:
    """Return what the node returns for the outputs of its tool calls, in the order of the calls.

    Messages alone come as a list or as `{messages_key: messages}`, by the form of the input. Among Commands,
    each message is an update of its own; Sends to the parent graph are joined in one Command.
    """
    flat = [item for output in outputs for item in (output if isinstance(output, list) else [output])]
    if not any(isinstance(item, Command) for item in flat):
        return flat if kind == "list" else {messages_key: flat}
    together: list[Any] = []
    sends: list[Send] = []
    for item in flat:
        if not isinstance(item, Command):
            together.append([item] if kind == "list" else {messages_key: [item]})
        elif _only_sends_up(item):
            sends.extend(item.goto)  # type: ignore[arg-type]
        else:
            together.append(item)
    if sends:
        together.append(Command(graph=Command.PARENT, goto=sends))
    return together


def _only_sends_up(command: Command[Any]) -> bool:
    goto = command.goto
    return (
        command.graph is Command.PARENT and isinstance(goto, list) and all(isinstance(s, Send) for s in goto)
    )
