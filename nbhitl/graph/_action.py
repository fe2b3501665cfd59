"""From what a user calls a node to what the engine runs."""

from __future__ import annotations

from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module
from nbhitl._runnable import has_invoke
from nbhitl.constants import UNNAMED
from nbhitl.engine.program import Action
from nbhitl.graph._mistakes import check_name, unsupported_action
from nbhitl.graph._signature import called_as, is_async

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.engine.spec import NodeSpec


def check_action(target: Any, name: str) -> None:
    """Check that `target` can be a node.

    Raises:
        TypeError: it is neither callable nor has it `invoke` and `ainvoke`.
    """
    if isinstance(target, dict) and langchain_module("runnables") is not None:
        return
    if not callable(target) and not has_invoke(target):
        raise TypeError(unsupported_action(target, name))


def action_of(target: Any, name: str, *, path: bool = False) -> Action:
    """Return the action that runs `target`, a node's or a `path`: a function, a callable object, or one with `invoke`.

    A dict of these becomes LangChain's RunnableParallel.

    Raises:
        TypeError: `target` is none of these.
    """
    if type(target) is not FunctionType:  # which nearly all are
        check_action(target, name)
        if isinstance(target, dict):
            runnables: Any = langchain_module("runnables")
            target = runnables.RunnableParallel(target)
        if has_invoke(target):
            from nbhitl.graph._chains import action_of_runnable  # most graphs have none

            return action_of_runnable(target, name, path=path)
    injects, awaited = called_as(target)
    if awaited:
        return Action(name, None, target, injects)
    return Action(name, target, None, injects)


def name_of(target: Any) -> str | None:
    """Return the name that `target` has of itself, or None."""
    get_name = getattr(target, "get_name", None)
    if callable(get_name) and has_invoke(target):
        return str(get_name())
    name = getattr(target, "__name__", None)
    if name is None and has_invoke(target):
        name = getattr(target, "name", None)
    return str(name) if name is not None else (type(target).__name__ if callable(target) else None)


def path_name(path: Any) -> str:
    """Return the name of a conditional edge: its path function's, or `UNNAMED`."""
    name = getattr(path, "__name__", None)
    if name is None and has_invoke(path):
        name = getattr(path, "name", None)
    return UNNAMED if name is None or name == "<lambda>" else str(name)


def step_name(step: Any) -> str:
    """Return the name of a step of `add_sequence`: a function's own, else that of the object's class."""
    return str(getattr(step, "__name__", type(step).__name__))


def named_action(node: Any, action: Any) -> tuple[str, Any]:
    """Return the name and the action of `add_node(func)` and `add_node("name", func)` alike.

    Of a function that another builder shows as its node's `runnable`, the function is taken.
    """
    if type(action) is not FunctionType and action is not None:
        from nbhitl.graph._node_function import NodeFunction  # most nodes are functions

        action = action.given if isinstance(action, NodeFunction) else action
    if isinstance(node, str):
        name = plain_name(node)
        if action is None:
            raise RuntimeError(f"Node {name!r} has no action: call add_node({name!r}, function).")
        return name, action
    if action is not None and not callable(node):
        check_name(node)
    check_action(node, "a node")
    name = "dict" if isinstance(node, dict) else name_of(node) or ""
    if not name:
        raise ValueError(f"Node name must be provided if action is not a function: add_node(name, {node!r}).")
    return name, node


def plain_name(name: str) -> str:
    """Return a node's name as a string; an Enum's member stands for its value."""
    return name if type(name) is str or not isinstance(name, Enum) else str(name.value)


def check_timeouts(nodes: Iterable[NodeSpec]) -> None:
    """Check that nodes with a timeout are async.

    Raises:
        ValueError: one is not.
    """
    for spec in nodes:
        if spec.timeout is None or is_async(spec.action) or has_invoke(spec.action):
            continue
        raise ValueError(
            "Node timeouts are only supported for async nodes, because a running thread cannot be stopped: node "
            f"{spec.name!r} is sync. Make it async, or bound the whole step with graph.step_timeout."
        )
