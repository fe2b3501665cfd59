"""nbhitl's own values: Send, Command, Interrupt, Overwrite, MISSING, and messages in their neutral form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._langchain import is_message_class
from nbhitl.checkpoint.serde import tags
from nbhitl.types import MISSING, Command, Interrupt, Overwrite, Send, TimeoutPolicy, TypeSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec


def _send(data: list[Any]) -> Send:
    node, arg, timeout = data
    return Send(node, arg, timeout=timeout)


def _command_data(value: Command[Any]) -> dict[str, Any]:
    """Only what is set: an answer of None is told from no answer by its key."""
    fields = {"graph": value.graph, "update": value.update, "goto": value.goto}
    data = {name: item for name, item in fields.items() if item is not None and item != ()}
    if value.answers:
        data["resume"] = value.resume
    return data


def _schema_data(schema: Any) -> Any:
    """A JSON Schema of the answer is kept; a class is code, and the node that asks again brings it again."""
    return schema if isinstance(schema, dict) else None


def _interrupt_data(value: Interrupt) -> list[Any]:
    data = [value.value, value.id, _schema_data(value.response_schema)]
    if value.place is not None:
        return [*data, value.site, value.place]
    return data if value.site is None else [*data, value.site]


def _interrupt(data: list[Any]) -> Interrupt:
    value, interrupt_id, schema, *asked = data
    # A schema that is text would be taken for the name of a type later on, and pydantic evaluates those.
    if not (schema is None or isinstance(schema, dict)) or type(interrupt_id) is not str:
        raise TypeError("a question's id is no text, or its response_schema no JSON Schema")
    interrupt = Interrupt(value, interrupt_id, response_schema=schema)
    if asked:
        interrupt.site = asked[0]
    if len(asked) > 1:
        interrupt.place = asked[1]
    return interrupt


ENCODERS: dict[type, Codec] = {
    Send: (tags.SEND, lambda value: [value.node, value.arg, value.timeout]),
    Command: (tags.COMMAND, _command_data),
    Interrupt: (tags.INTERRUPT, _interrupt_data),
    TypeSchema: (tags.TYPE_SCHEMA, dict),
    Overwrite: (tags.OVERWRITE, lambda value: value.value),
    TimeoutPolicy: (tags.TIMEOUT, lambda v: [v.run_timeout, v.idle_timeout, v.refresh_on]),
    type(MISSING): (tags.MISSING, lambda value: None),
}

DECODERS: dict[int, Callable[[Any], Any]] = {
    tags.SEND: _send,
    tags.COMMAND: lambda data: Command(**data),
    tags.INTERRUPT: _interrupt,
    tags.TYPE_SCHEMA: TypeSchema,
    tags.OVERWRITE: Overwrite,
    tags.MISSING: lambda data: MISSING,
    tags.TIMEOUT: lambda data: TimeoutPolicy(run_timeout=data[0], idle_timeout=data[1], refresh_on=data[2]),
}


def message_codec(cls: type) -> Codec | None:
    """Return how to store instances of `cls` if it is a class of messages, else None."""
    if not is_message_class(cls):
        return None
    from nbhitl._message_forms import message_to_data

    return tags.MESSAGE, message_to_data


def decode_message(data: Any) -> Any:
    """Return the message: LangChain's class if langchain-core is installed, else nbhitl's."""
    from nbhitl._message_forms import message_from_data

    return message_from_data(data)
