"""What `set_node_defaults` says of nodes that do not say it themselves."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._runnable import has_invoke
from nbhitl.graph._signature import is_async

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.engine.spec import NodeSpec
    from nbhitl.types import CachePolicy, RetryPolicy, TimeoutPolicy

DEFAULT_HANDLER = "__default_error_handler__"
"""The name under which the error handler of all nodes is reported."""


class NodeDefaults(NamedTuple):
    """The policies of nodes without their own. `retry` is that of error handlers as well."""

    retry: Sequence[RetryPolicy] = ()
    cache: CachePolicy | None = None
    timeout: TimeoutPolicy | None = None
    error_handler: Any = None


def with_defaults(nodes: Mapping[str, NodeSpec], defaults: NodeDefaults) -> dict[str, NodeSpec]:
    """Return the nodes with the defaults where they have no policy of their own; the given ones are not changed.

    Raises:
        ValueError: there is a default timeout, and a node or an error handler is not async; or a node is called as
            the default error handler is.
    """
    if defaults == NodeDefaults():
        return dict(nodes)
    if defaults.error_handler is not None and DEFAULT_HANDLER in nodes:
        raise ValueError(
            f"Node {DEFAULT_HANDLER!r} is called as set_node_defaults(error_handler=) is reported. Rename the node."
        )
    return {name: _completed(spec, defaults) for name, spec in nodes.items()}


def _completed(spec: NodeSpec, defaults: NodeDefaults) -> NodeSpec:
    completed = copy(spec)
    completed.retry = spec.retry or defaults.retry
    completed.cache = spec.cache or defaults.cache
    completed.timeout = spec.timeout or defaults.timeout
    if spec.error_handler is None:
        completed.error_handler = defaults.error_handler
        completed.handler_name = DEFAULT_HANDLER
    if defaults.timeout is not None:
        if spec.timeout is None:
            _refuse_sync(spec.name, spec.action)
        if completed.error_handler is not None:
            _refuse_sync(
                completed.handler_name or f"the error handler of {spec.name}", completed.error_handler
            )
    return completed


def _refuse_sync(name: str, action: Any) -> None:
    if not is_async(action) and not has_invoke(action):
        raise ValueError(
            f"set_node_defaults(timeout=): timeouts are only supported for async nodes, because a running thread "
            f"cannot be stopped, and {name!r} is sync. Make it async, or give the timeout to add_node of async nodes."
        )
