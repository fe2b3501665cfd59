"""Taking a thread along: to a file, and from a file to another saver, machine or person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike


class Portable:
    """What a GraphThread does with bundles; see `nbhitl.checkpoint.bundle`."""

    graph: Any
    thread_id: str

    if TYPE_CHECKING:

        def __init__(self, graph: Any, thread_id: str, **settings: Any) -> None: ...

    def export(self, path: str | PathLike[str] | None = None) -> dict[str, Any]:
        """Return everything about the thread as a JSON document, and write it to a file if `path` is given.

        Whoever has the same graph can open it with `GraphThread.from_bundle`, on another kind of saver too: a
        graph of nbhitl's, or one compiled by LangGraph, whichever engine has run it so far.

        Raises:
            StoreError: the thread has not run yet, or is damaged.
            UnsupportedValue: it holds a value that is not stored as data; the message names where.
        """
        from nbhitl.checkpoint.bundle import write_bundle
        from nbhitl.moving import export_graph_thread

        bundle = export_graph_thread(self.graph, self.thread_id)
        if path is not None:
            write_bundle(bundle, path)
        return bundle

    async def aexport(self, path: str | PathLike[str] | None = None) -> dict[str, Any]:
        """Do as `export`, on this event loop."""
        from nbhitl.checkpoint.bundle import write_bundle
        from nbhitl.moving import aexport_graph_thread

        bundle = await aexport_graph_thread(self.graph, self.thread_id)
        if path is not None:
            write_bundle(bundle, path)
        return bundle

    @classmethod
    def from_bundle(
        cls,
        graph: Any,
        bundle: Mapping[str, Any] | str | PathLike[str],
        *,
        thread_id: str | None = None,
        replace: bool = False,
        **settings: Any,
    ) -> Self:
        """Put an exported thread into the saver of `graph`, and return it.

        Args:
            graph: compiled by nbhitl, with one of nbhitl's savers; or by LangGraph, with any but its async savers,
                for which there is `afrom_bundle`.
            bundle: what `export` returned, or the path of the file.
            thread_id: the thread's name here; by default the one that it had.
            replace: whether a thread of that name may be deleted first.
            settings: of the GraphThread.

        Raises:
            BundleError: the bundle is damaged, or there is a thread of that name; nothing was changed.
            TypeError: a graph of nbhitl's has a saver that is not.
        """
        from nbhitl.moving import import_graph_thread

        return cls(
            graph, import_graph_thread(graph, bundle, thread_id=thread_id, replace=replace), **settings
        )

    @classmethod
    async def afrom_bundle(
        cls,
        graph: Any,
        bundle: Mapping[str, Any] | str | PathLike[str],
        *,
        thread_id: str | None = None,
        replace: bool = False,
        **settings: Any,
    ) -> Self:
        """Do as `from_bundle`, on this event loop: for graphs with an async saver, LangGraph's too."""
        from nbhitl.moving import aimport_graph_thread

        name = await aimport_graph_thread(graph, bundle, thread_id=thread_id, replace=replace)
        return cls(graph, name, **settings)
