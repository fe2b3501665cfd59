"""A compiled graph's nodes, one by one: a node can be run alone, to test it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._runnable import has_invoke
from nbhitl.constants import START, TAG_HIDDEN
from nbhitl.engine.program import ROOT
from nbhitl.graph._mistakes import retry_policies
from nbhitl.graph._policies import set_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.engine.program import Node, Program
    from nbhitl.engine.spec import NodeSpec
    from nbhitl.graph._policies import SharedPolicies
    from nbhitl.types import CachePolicy, RetryPolicy


class NodeView:
    """One node of a compiled graph. `invoke(state)` runs its function and returns what it returns.

    `bound` is what the node runs: a tool node, a graph or another Runnable as it was given, else this view, whose
    `func` and `afunc` are the node's function. `triggers` are the channels that start it, `channels` the state
    keys that it reads, or the name of the one that it gets as a bare value. The policies are those of
    `add_node`, None where it was given none; `retry_policy` and `cache_policy` can be set.
    """

    __slots__ = (
        *("_node", "_shared", "afunc", "bound", "channels", "func", "metadata", "name", "subgraphs", "tags"),
        *("timeout", "trace_policy", "triggers"),
    )

    def __init__(
        self,
        node: Node,
        spec: NodeSpec | None,
        triggers: Iterable[str],
        state: Iterable[str],
        shared: SharedPolicies,
    ) -> None:
        self._node, self._shared = node, shared
        self.name = node.name
        self.metadata = node.metadata
        self.func, self.afunc = node.action.sync, node.action.async_
        self.bound: Any = spec.action if spec is not None and has_invoke(spec.action) else self
        self.subgraphs: list[Any] = [] if spec is None or spec.subgraph is None else [spec.subgraph]
        self.triggers = list(triggers)
        self.channels = _channels_of(node, state)
        self.timeout = None if spec is None else spec.timeout
        self.trace_policy = None if spec is None else spec.trace_policy
        self.tags = [TAG_HIDDEN] if node.name == START else None

    @property
    def retry_policy(self) -> Sequence[RetryPolicy] | None:
        """When the node is tried again, None where it has no policy of its own; can be set, for the next run on."""
        own = self._node.retry
        return None if not own or own is self._shared.retry else own

    @retry_policy.setter
    def retry_policy(self, given: RetryPolicy | Sequence[RetryPolicy] | None) -> None:
        set_policy(self._node, "retry", retry_policies(given) or self._shared.retry)

    @property
    def cache_policy(self) -> CachePolicy | None:
        """Whether and how long the node's results are kept; as `retry_policy`."""
        own = self._node.cache
        return None if own is self._shared.cache else own

    @cache_policy.setter
    def cache_policy(self, given: CachePolicy | None) -> None:
        set_policy(self._node, "cache", given or self._shared.cache)

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Run the node's function on the state `input`, outside of any graph.

        Args:
            input: what the node would be started with.
            config: what it finds as its config.
            kwargs: what a graph would fill in (`store`, `runtime`, `writer`, ...), if the node asks for it.

        Raises:
            TypeError: the function is async.
        """
        action = self._node.action
        if action.sync is None:
            raise TypeError(
                f"Node {self.name!r} is async: await compiled.nodes[{self.name!r}].ainvoke(state)."
            )
        return action.sync(self._input(input), **outside_of_runs(action.injects, config, kwargs))

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """As `invoke`."""
        action = self._node.action
        if action.async_ is None:
            return self.invoke(input, config, **kwargs)
        return await action.async_(self._input(input), **outside_of_runs(action.injects, config, kwargs))

    def _input(self, state: Any) -> Any:
        build = self._node.reader.build
        return build(state) if build is not None and isinstance(state, dict) else state


def node_views(
    program: Program, specs: Mapping[str, NodeSpec], shared: SharedPolicies
) -> dict[str, NodeView]:
    """Return a view of each node of a graph whose nodes without policies have the `shared` ones."""
    triggers, keys = program.triggers, program.stream_keys
    return {
        name: NodeView(node, specs.get(name), triggers.get(name, (name,)), keys, shared)
        for name, node in program.nodes.items()
    }


def _channels_of(node: Node, state: Iterable[str]) -> str | list[str]:
    if node.name == START:
        return START
    reader = node.reader
    return ROOT if reader.root else list(state if reader.keys is None else reader.keys)


def outside_of_runs(
    names: tuple[str, ...], config: Any, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what the engine would fill in, as far as it is given or exists outside of a run."""
    from nbhitl.runtime import Runtime

    known: dict[str, Any] = {"config": config or {}, "runtime": Runtime(), "writer": lambda _: None}
    known.update(given or {})
    return {name: known.get(name) for name in names}
