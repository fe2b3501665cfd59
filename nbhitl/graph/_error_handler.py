"""From an error handler, as a user writes it, to the node that the engine runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

from nbhitl._context import current_task
from nbhitl.engine.program import Action, Node, Reader
from nbhitl.errors import NodeError
from nbhitl.graph._action import action_of
from nbhitl.graph._signature import called

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.engine.spec import NodeSpec
    from nbhitl.graph._policies import NodeDefaults

_PARAMETER = "error"


def handler_node(name: str, spec: NodeSpec, reader: Reader, defaults: NodeDefaults) -> Node:
    """Return the node that runs the error handler of the node `spec`, on the input of the node that failed.

    No timeout holds for it, although a default one is refused where it is not async: as in LangGraph.
    """
    action = action_of(spec.error_handler, name)
    if _asks_for_the_error(spec.error_handler):
        action = Action(
            name,
            action.sync and _told(action.sync),
            action.async_ and _atold(action.async_),
            action.injects,
        )
    return Node(
        name=name,
        action=action,
        reader=reader,
        retry=defaults.retry,
        metadata=spec.metadata,
    )


def _asks_for_the_error(handler: Any) -> bool:
    """Whether the handler has a parameter `error: NodeError`."""
    target = called(handler) or handler
    try:
        return get_type_hints(target).get(_PARAMETER) is NodeError
    except (NameError, TypeError):
        # A name that only a type checker knows: then the annotation itself, which is text, has to do.
        return str(getattr(target, "__annotations__", {}).get(_PARAMETER, "")).endswith(NodeError.__name__)


def _told(handler: Callable[..., Any]) -> Callable[..., Any]:
    def handle(state: Any, **injected: Any) -> Any:
        return handler(state, **injected, error=_error())

    return handle


def _atold(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(state: Any, **injected: Any) -> Any:
        return await handler(state, **injected, error=_error())

    return handle


def _error() -> Any:
    running: Any = current_task("an error handler")
    return running.task.error
