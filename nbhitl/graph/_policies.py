"""The policies of a compiled graph, which are those of its nodes that have none of their own."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nbhitl.constants import START
from nbhitl.graph._mistakes import retry_policies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.engine.program import Node, Program
    from nbhitl.types import CachePolicy, RetryPolicy


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
