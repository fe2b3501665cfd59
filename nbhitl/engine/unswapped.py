"""LangGraph's own functions called in a node of this engine, by an import that was not swapped."""

from __future__ import annotations

from nbhitl.errors import ForeignObjectError

_OWN_KEYS = "__pregel_"
"""How the entries of a config begin that LangGraph's functions look up."""


def unswapped(error: Exception, node: str) -> Exception:
    """Return the error to report for a node that raised `error`: one that names the import, where that is the matter."""
    where = _called(error)
    if where is None:
        return error
    module, name = where
    told = ForeignObjectError(
        f"Node {node!r} used {module}.{name}, but this graph runs on nbhitl. Import {name} from "
        f"nbhitl.{module.removeprefix('langgraph.')}."
    )
    told.__cause__ = error
    return told.with_traceback(error.__traceback__)


def _called(error: Exception) -> tuple[str, str] | None:
    """Return the module and the name of what LangGraph's engine would have to be there for."""
    cls = type(error)
    if cls.__name__ == "NodeInterrupt" and cls.__module__ == "langgraph.errors":
        return cls.__module__, cls.__name__
    key = error.args[0] if cls is KeyError and error.args else None
    if not isinstance(key, str) or not key.startswith(_OWN_KEYS):
        return None
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return None
    module = str(frame.tb_frame.f_globals.get("__name__", ""))
    return (module, frame.tb_frame.f_code.co_name) if module.startswith("langgraph.") else None
