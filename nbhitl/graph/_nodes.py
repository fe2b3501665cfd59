"""A compiled graph's nodes, one by one: a node can be run alone, to test it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.engine.program import Node
    from nbhitl.engine.spec import NodeSpec


class NodeView:
    """One node of a compiled graph. `invoke(state)` runs its function and returns what it returns.

    `bound` is what the node runs: a tool node, a graph or another Runnable as it was given, else this view, whose
    `func` and `afunc` are the node's function. `triggers` are the channels that start it.
    """

    __slots__ = ("_node", "afunc", "bound", "func", "metadata", "name", "subgraphs", "triggers")

    def __init__(self, node: Node, spec: NodeSpec | None, triggers: Iterable[str]) -> None:
        self._node = node
        self.name = node.name
        self.metadata = node.metadata
        self.func, self.afunc = node.action.sync, node.action.async_
        self.bound: Any = spec.action if spec is not None and hasattr(spec.action, "invoke") else self
        self.subgraphs: list[Any] = [] if spec is None or spec.subgraph is None else [spec.subgraph]
        self.triggers = list(triggers)

    def invoke(self, state: Any, config: Any = None) -> Any:
        """Run the node's function on `state`, outside of any graph.

        Raises:
            TypeError: the function is async.
        """
        action = self._node.action
        if action.sync is None:
            raise TypeError(
                f"Node {self.name!r} is async: await compiled.nodes[{self.name!r}].ainvoke(state)."
            )
        return action.sync(self._input(state), **outside_of_runs(action.injects, config))

    async def ainvoke(self, state: Any, config: Any = None) -> Any:
        """Run the node's function on `state`, outside of any graph."""
        action = self._node.action
        if action.async_ is None:
            return self.invoke(state, config)
        return await action.async_(self._input(state), **outside_of_runs(action.injects, config))

    def _input(self, state: Any) -> Any:
        build = self._node.reader.build
        return build(state) if build is not None and isinstance(state, dict) else state


def outside_of_runs(names: tuple[str, ...], config: Any) -> dict[str, Any]:
    """Return what the engine would fill in, as far as it exists outside of a run."""
    from nbhitl.runtime import Runtime

    known: dict[str, Any] = {"config": config or {}, "runtime": Runtime(), "writer": lambda _: None}
    return {name: known.get(name) for name in names}
