"""A compiled graph's nodes, one by one: a node can be run alone, to test it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhitl.engine.program import Node


class NodeView:
    """One node of a compiled graph. `invoke(state)` runs its function and returns what it returns."""

    __slots__ = ("_node", "metadata", "name")

    def __init__(self, node: Node) -> None:
        self._node = node
        self.name = node.name
        self.metadata = node.metadata

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
        return action.sync(self._input(state), **_fill(action.injects, config))

    async def ainvoke(self, state: Any, config: Any = None) -> Any:
        """Run the node's function on `state`, outside of any graph."""
        action = self._node.action
        if action.async_ is None:
            return self.invoke(state, config)
        return await action.async_(self._input(state), **_fill(action.injects, config))

    def _input(self, state: Any) -> Any:
        build = self._node.reader.build
        return build(state) if build is not None and isinstance(state, dict) else state


def _fill(names: tuple[str, ...], config: Any) -> dict[str, Any]:
    """Return what the engine would fill in, as far as it exists outside of a run."""
    from nbhitl.runtime import Runtime

    known: dict[str, Any] = {"config": config or {}, "runtime": Runtime(), "writer": lambda _: None}
    return {name: known.get(name) for name in names}
