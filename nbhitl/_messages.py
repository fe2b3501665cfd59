"""Chat messages for programs without langchain-core: the same attributes and the same `repr`."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AIMessage",
    "BaseMessage",
    "ChatMessage",
    "FunctionMessage",
    "HumanMessage",
    "RemoveMessage",
    "SystemMessage",
    "ToolMessage",
]

Content = str | list[str | dict[str, Any]]

_TITLE_WIDTH = 80


def _title(text: str) -> str:
    """A heading, centred in a line of `=`."""
    padded = f" {text} "
    left = "=" * ((_TITLE_WIDTH - len(padded)) // 2)
    return f"{left}{padded}{left}{'=' * (len(padded) % 2)}"


class BaseMessage:
    """What every chat message has. Unknown keyword arguments become attributes."""

    type: str = "base"
    # What `repr` leaves out while it has this value; None is always left out.
    _quiet: ClassVar[dict[str, Any]] = {}

    content: Content
    additional_kwargs: dict[str, Any]
    response_metadata: dict[str, Any]
    name: str | None
    id: str | None

    def __init__(
        self,
        content: Content,
        *,
        additional_kwargs: dict[str, Any] | None = None,
        response_metadata: dict[str, Any] | None = None,
        name: str | None = None,
        id: str | None = None,
        type: str | None = None,
        **extra: Any,
    ) -> None:
        if type not in (None, self.type):
            raise ValueError(f"{self.__class__.__name__} has type {self.type!r}, not {type!r}.")
        if not isinstance(content, (str, list)):
            raise ValueError(
                f"{self.__class__.__name__}: content must be a string or a list of content blocks, "
                f"not {content.__class__.__name__}."
            )
        self.content = content
        self.additional_kwargs = additional_kwargs if additional_kwargs is not None else {}
        self.response_metadata = response_metadata if response_metadata is not None else {}
        self.name = name
        self.id = None if id is None else str(id)
        self.__dict__.update(extra)

    @property
    def text(self) -> str:
        """The text of the content: its strings and text blocks, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(
            block if isinstance(block, str) else block["text"]
            for block in self.content
            if isinstance(block, str) or (block.get("type") == "text" and isinstance(block.get("text"), str))
        )

    def model_dump(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return {"type": self.type, **vars(self)}

    def model_copy(self, *, update: dict[str, Any] | None = None) -> Any:
        """Return a shallow copy with some fields replaced."""
        copy = self.__class__.__new__(self.__class__)
        copy.__dict__.update({**vars(self), **(update or {})})
        return copy

    def pretty_repr(self, html: bool = False) -> str:
        """Return the message as text with a heading; `html` is accepted for LangChain's sake."""
        name = f"\nName: {self.name}" if self.name is not None else ""
        return f"{_title(f'{self.type.title()} Message')}{name}\n\n{self.content}"

    def pretty_print(self) -> None:
        """Print the message with a heading."""
        print(self.pretty_repr())

    def _shown(self) -> list[tuple[str, Any]]:
        return [
            (name, value)
            for name, value in vars(self).items()
            if value is not None and (name not in self._quiet or self._quiet[name] != value)
        ]

    def __str__(self) -> str:
        return " ".join(f"{name}={value!r}" for name, value in self._shown())

    def __repr__(self) -> str:
        return f"{self.__class__.__name__}({', '.join(f'{name}={value!r}' for name, value in self._shown())})"

    def __eq__(self, other: object) -> bool:
        return self.__class__ is other.__class__ and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # messages are changed in place


class HumanMessage(BaseMessage):
    """What a person said."""

    type = "human"


class SystemMessage(BaseMessage):
    """What the program tells the model about its task."""

    type = "system"


class FunctionMessage(BaseMessage):
    """A function's result, in the form that came before tools."""

    type = "function"


class ChatMessage(BaseMessage):
    """What was said in a role of its own."""

    type = "chat"
    role: str

    def __init__(self, content: Content, *, role: str, **fields: Any) -> None:
        super().__init__(content, **fields)
        self.role = role


class AIMessage(BaseMessage):
    """What the model said, and which tools it wants to call.

    `tool_calls` is a list of `{"name", "args", "id", "type": "tool_call"}`; calls whose arguments could not
    be read are in `invalid_tool_calls`, with an `error`.
    """

    type = "ai"
    tool_calls: list[dict[str, Any]]
    invalid_tool_calls: list[dict[str, Any]]
    usage_metadata: dict[str, Any] | None

    def __init__(
        self,
        content: Content,
        *,
        tool_calls: list[dict[str, Any]] | None = None,
        invalid_tool_calls: list[dict[str, Any]] | None = None,
        usage_metadata: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(content, **fields)
        unread = self.additional_kwargs.get("tool_calls")
        parsed, invalid = parse_tool_calls(unread) if unread and not tool_calls else ([], [])
        self.tool_calls = [_tool_call(**call) for call in tool_calls or ()] or parsed
        self.invalid_tool_calls = [_invalid_tool_call(**call) for call in invalid_tool_calls or ()] or invalid
        self.usage_metadata = usage_metadata

    def pretty_repr(self, html: bool = False) -> str:
        """Return the message as text with a heading, followed by its tool calls."""
        lines = [super().pretty_repr(html).strip()]
        for title, calls in (
            ("Tool Calls:", self.tool_calls),
            ("Invalid Tool Calls:", self.invalid_tool_calls),
        ):
            lines += [title, *(line for call in calls for line in _call_lines(call))] if calls else []
        return "\n".join(lines).strip()


class ToolMessage(BaseMessage):
    """What a tool returned for the call `tool_call_id`; `status` is `success` or `error`.

    `artifact` is the part of the result that is not sent to the model.
    """

    type = "tool"
    _quiet: ClassVar[dict[str, Any]] = {"additional_kwargs": {}, "response_metadata": {}, "status": "success"}
    tool_call_id: str
    artifact: Any
    status: str

    def __init__(
        self,
        content: Any,
        *,
        tool_call_id: Any,
        artifact: Any = None,
        status: str = "success",
        **fields: Any,
    ) -> None:
        if status not in ("success", "error"):
            raise ValueError(f"ToolMessage: status must be 'success' or 'error', not {status!r}.")
        super().__init__(_tool_content(content), **fields)
        self.tool_call_id = str(tool_call_id)
        self.artifact = artifact
        self.status = status


class RemoveMessage(BaseMessage):
    """Tells `add_messages` to take the message with this id out of the list."""

    type = "remove"

    def __init__(self, id: str, **fields: Any) -> None:
        if fields.pop("content", None):
            raise ValueError("RemoveMessage does not support 'content' field.")
        super().__init__("", id=id, **fields)


def _tool_call(
    *, name: str, args: dict[str, Any], id: str | None, type: str = "tool_call", **extras: Any
) -> dict[str, Any]:
    return {"name": name, "args": args, "id": id, "type": type, **extras}


def _invalid_tool_call(
    *, name: str | None, args: str | None, id: str | None, error: str | None, type: str = "", **extras: Any
) -> dict[str, Any]:
    return {
        "type": type or "invalid_tool_call",
        "id": id,
        "name": name,
        "args": args,
        "error": error,
        **extras,
    }


def _tool_content(content: Any) -> Content:
    """The content of a ToolMessage: what is neither text nor blocks is made text."""
    if isinstance(content, str):
        return content
    if isinstance(content, (list, tuple)):
        return [block if isinstance(block, (str, dict)) else str(block) for block in content]
    return str(content)


def _call_lines(call: dict[str, Any]) -> list[str]:
    lines = [f"  {call.get('name', 'Tool')} ({call.get('id')})", f" Call ID: {call.get('id')}"]
    if call.get("error"):
        lines.append(f"  Error: {call['error']}")
    args = call.get("args")
    shown = (
        [f"    {key}: {value}" for key, value in args.items()] if isinstance(args, dict) else [f"    {args}"]
    )
    return [*lines, "  Args:", *shown]


def parse_tool_calls(calls: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Read tool calls in OpenAI's form, with arguments as JSON text.

    Returns:
        The calls that could be read, and those whose arguments are not a JSON object, with an `error`.
    """
    import json

    valid: list[dict[str, Any]] = []
    invalid: list[dict[str, Any]] = []
    for call in calls:
        function = call.get("function") or {}
        name, text, call_id = function.get("name"), function.get("arguments"), call.get("id")
        try:
            args = json.loads(text or "{}")
        except ValueError as error:
            args, why = None, str(error)
        else:
            why = "the arguments are not a JSON object"
        if isinstance(args, dict):
            valid.append(_tool_call(name=name or "", args=args, id=call_id))
        else:
            invalid.append(_invalid_tool_call(id=call_id, name=name, args=text, error=why))
    return valid, invalid
