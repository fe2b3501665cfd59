"""Turn what a node returned into writes; pure."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nbhitl.constants import END, INTERRUPT, TASKS
from nbhitl.engine.program import ROOT
from nbhitl.errors import ForeignObjectError, InvalidUpdateError, ParentCommand, UnknownNodeError
from nbhitl.types import MISSING, Command, Send

if TYPE_CHECKING:
    from collections.abc import Collection

    from nbhitl.engine.program import Node, Program

Writes = list[tuple[str, Any]]


def writes_of(program: Program, node: Node, returned: Any) -> Writes:
    """Return the writes that a node's return value stands for, without its edges.

    Raises:
        InvalidUpdateError: the value is none of dict, Command, model, None.
        UnknownNodeError: a `goto` or a Send names no node.
        ParentCommand: a Command is addressed to the graph above.
        ForeignObjectError: a graph that runs on LangGraph paused inside the node.
    """
    if returned is None:
        return []
    if type(returned) is dict and INTERRUPT in returned:
        _refuse_foreign_pause(returned[INTERRUPT], node.name)
    if type(returned) is dict and not program.root_state:
        known = program.keys
        if returned.keys() <= known.keys():
            return [*returned.items()]
        return [(key, value) for key, value in returned.items() if key in known]
    writes = [
        (key, value)
        for item in _items(returned)
        for key, value in _updates(program, node.name, item)
        if key in program.keys
    ]
    writes.extend(routes_of(program, node.name, returned))
    return writes


def _refuse_foreign_pause(questions: Any, node: str) -> None:
    """A pause of LangGraph's engine does not pause this one: its question would be lost, and taken as answered."""
    if isinstance(questions, (list, tuple)) and any(
        type(question).__module__.startswith("langgraph.") for question in questions
    ):
        raise ForeignObjectError(
            f"Node {node!r} ran a graph that is compiled by LangGraph, and that graph paused to ask "
            f"({[getattr(question, 'value', question) for question in questions]!r}). Only graphs of nbhitl can "
            "pause inside a graph of nbhitl: swap that graph's imports, or ask with nbhitl.types.interrupt."
        )


def refuse_foreign(value: Any, where: str) -> None:
    """Refuse an object of LangGraph's own types, which would be misread as data.

    Raises:
        ForeignObjectError: it is one.
    """
    cls = type(value)
    if cls.__module__.startswith("langgraph."):
        raise ForeignObjectError(
            f"{where} is a {cls.__module__}.{cls.__name__}, but this graph runs on nbhitl. Import "
            f"{cls.__name__} from nbhitl.{cls.__module__.removeprefix('langgraph.')}."
        )


def _items(returned: Any) -> Iterable[Any]:
    """A list that holds a Command is a list of updates; every other value is one update."""
    if isinstance(returned, (list, tuple)):
        for item in returned:
            refuse_foreign(item, "an item that a node returned")
        if any(isinstance(item, Command) for item in returned):
            return returned
    return (returned,)


def _updates(program: Program, node: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Command):
        return command_updates(value)
    if program.root_state:
        return () if value is None else ((ROOT, value),)
    if value is None:
        return ()
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, Send):
        return ()
    refuse_foreign(value, f"what node {node!r} returned")
    if has_fields(value):
        return model_updates(value, program.keys)
    raise InvalidUpdateError(f"Expected dict, got {value!r} {_what_to_give(program, node, value)}")


def _what_to_give(program: Program, node: str, value: Any) -> str:
    if node == program.start:
        keys = ", ".join(key for key in program.keys if key != program.start)
        return (
            f"as the input of graph {program.name!r}. Give it a dict of state keys; it has: {keys or 'none'}."
        )
    late = " Await what it returns: make the node an async function." if isinstance(value, Awaitable) else ""
    return (
        f"from node {node!r}.{late} A node returns a dict of state keys, a Command, an instance of the state's "
        "schema, or None. (INVALID_GRAPH_NODE_RETURN_VALUE)"
    )


def command_updates(command: Command[Any]) -> Iterable[tuple[str, Any]]:
    """Return the `update=` of a command as pairs of key and value."""
    update = command.update
    if update is None:
        return ()
    if isinstance(update, dict):
        return update.items()
    if isinstance(update, (list, tuple)) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in update
    ):
        return update
    if has_fields(update):
        return model_updates(update, _field_names(update))
    return ((ROOT, update),)


def has_fields(value: Any) -> bool:
    """Whether a value is an instance of a class that annotates fields: a model, a dataclass."""
    return bool(_field_names(value)) and not isinstance(value, (str, bytes))


def _field_names(value: Any) -> tuple[str, ...]:
    cls: Any = type(value)
    return _annotated_names(cls)


@lru_cache(maxsize=256)
def _annotated_names(cls: Any) -> tuple[str, ...]:
    # What the class and its bases annotate, those of the bases first; of a model its fields and private attributes.
    fields = getattr(cls, "model_fields", None)
    if isinstance(fields, dict):
        return (*fields, *cls.__private_attributes__)
    found = (name for base in reversed(cls.__mro__) for name in getattr(base, "__annotations__", None) or ())
    return tuple(dict.fromkeys(found))


def model_updates(value: Any, keys: Collection[str]) -> Iterable[tuple[str, Any]]:
    """Return the fields of a model or dataclass; of a model not those that are None because nobody set them."""
    fields = getattr(type(value), "model_fields", None)
    if fields is None:
        return [(key, v) for key in keys if (v := getattr(value, key, MISSING)) is not MISSING]
    given = value.model_fields_set
    return [
        (key, v)
        for key in keys
        if (v := getattr(value, key, MISSING)) is not MISSING
        and (v is not None or key in given or key not in fields or fields[key].default is not None)
    ]


def routes_of(program: Program, node: str, returned: Any) -> Writes:
    """Return the writes that start what a returned Send or Command goes to."""
    if isinstance(returned, Send):
        return [send_write(program, returned, f"node {node!r}")]
    commands = returned if isinstance(returned, (list, tuple)) else (returned,)
    return [
        write
        for command in commands
        if isinstance(command, Command)
        for write in goto_writes(program, command, f"node {node!r}")
    ]


def goto_writes(program: Program, command: Command[Any], where: str) -> Writes:
    """Return the writes that start the targets of a command's `goto=`."""
    if command.graph == Command.PARENT:
        raise ParentCommand(command)
    goto = command.goto
    targets = (goto,) if isinstance(goto, (Send, str)) else goto
    if not isinstance(targets, Iterable):
        refuse_foreign(goto, f"where {where} goes on")
        raise TypeError(f"{where}: Command(goto={goto!r}) takes a node's name, a Send, or a list of these.")
    return [write for target in targets for write in target_writes(program, target, where)]


def target_writes(program: Program, target: Any, where: str) -> Writes:
    """Return the writes that start one target: a Send, a node's name, or END, which starts nothing."""
    if isinstance(target, Send):
        return [send_write(program, target, where)]
    refuse_foreign(target, f"where {where} goes on")
    if target == END:
        return []
    channel = program.goto.get(target) if isinstance(target, str) else None
    if channel is None:
        raise UnknownNodeError(target, program.goto, f"{where} goes on to {target!r}")
    return [(channel, None)]


def send_write(program: Program, send: Send, where: str) -> tuple[str, Any]:
    """Return the write of a Send."""
    if send.node == END:
        raise InvalidUpdateError(
            f"Cannot send a packet to the END node ({where}). A Send starts a node; to end, go to END or nowhere."
        )
    if send.node not in program.goto:
        raise UnknownNodeError(send.node, program.goto, f"{where} sends to {send.node!r}")
    return (TASKS, send)
