"""The policies of nodes that have none of their own: `set_node_defaults` says them, or the compiled graph."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nbhitl._runnable import has_invoke
from nbhitl.constants import START
from nbhitl.graph._mistakes import retry_policies
from nbhitl.graph._signature import is_async

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.engine.program import Node, Program
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


class SharedPolicies(NamedTuple):
    """What nodes have that say nothing: each an object that no node was given, so it can be told from their own."""

    retry: tuple[RetryPolicy, ...] = ()
    cache: CachePolicy | None = None


class GraphPolicies:
    """`retry_policy` and `cache_policy` of a graph can be set once it is compiled, and count from its next run on."""

    program: Program
    shared_policies = SharedPolicies()

    @property
    def retry_policy(self) -> Sequence[RetryPolicy]:
        """When failed nodes are tried again that have no policy of their own, error handlers too."""
        return self.shared_policies.retry

    @retry_policy.setter
    def retry_policy(self, given: RetryPolicy | Sequence[RetryPolicy] | None) -> None:
        self._share("retry", self.shared_policies._replace(retry=(*retry_policies(given),)))

    @property
    def cache_policy(self) -> CachePolicy | None:
        """Whether and how long the results of nodes are kept that have no policy of their own."""
        return self.shared_policies.cache

    @cache_policy.setter
    def cache_policy(self, given: CachePolicy | None) -> None:
        self._share("cache", self.shared_policies._replace(cache=copy(given)))

    def _share(self, policy: Literal["retry", "cache"], now: SharedPolicies) -> None:
        # Copies of the graph have the same program and nodes: they keep them as they are.
        before, self.shared_policies = getattr(self.shared_policies, policy), now
        self.program = copy(self.program)
        self.program.nodes = {
            name: _with(node, policy, before, getattr(now, policy))
            for name, node in self.program.nodes.items()
        }


def set_policy(node: Node, policy: Literal["retry", "cache"], value: Any) -> None:
    """Give a node the policy `value`."""
    setattr(node, policy, value)
    node.is_plain = node.is_plain and not node.retry


def _with(node: Node, policy: Literal["retry", "cache"], before: Any, value: Any) -> Node:
    own = getattr(node, policy)
    if node.name == START or (own and own is not before):
        return node
    changed = copy(node)
    set_policy(changed, policy, value)
    return changed
