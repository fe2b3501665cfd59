"""What LangChain's Runnables have besides `invoke` and `stream`: `|`, `with_retry`, `with_fallbacks`, `as_tool`, ...

The engine does without LangChain. Where langchain-core is loaded, graphs and tool nodes count as its Runnables, and
these methods are LangChain's own, found when they are first used.
"""

from __future__ import annotations

import sys
from inspect import getattr_static
from typing import Any

from nbhitl._langchain import langchain_module

_BASE = "langchain_core.runnables.base"


def has_invoke(target: Any) -> bool:
    """Whether `target` is a Runnable, or like one.

    Its class decides: a Mock has every attribute that it is asked for, and stands for a function unless its `spec` says
    otherwise.
    """
    cls = target.__class__
    return hasattr(cls, "invoke") and hasattr(cls, "ainvoke")


def join_runnables() -> Any:
    """Let graphs and tool nodes count as LangChain's Runnables; return that class, or None where it is not loaded."""
    runnable = getattr(sys.modules.get(_BASE), "Runnable", None)
    if runnable is not None and not issubclass(RunnableMethods, runnable):
        runnable.register(RunnableMethods)
    return runnable


class Borrowed:
    """An attribute that LangChain's Runnable defines; needs langchain-core."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the attribute bound to `instance`, or this descriptor for the class itself.

        Raises:
            AttributeError: langchain-core is not installed; so `hasattr` says that there is no such attribute.
        """
        if instance is None:
            return self
        if langchain_module("runnables.base") is None:
            raise AttributeError(
                f"{owner.__name__}.{self.name} comes from LangChain: pip install langchain-core to use it."
            )
        return getattr_static(join_runnables(), self.name).__get__(instance, owner)


class RunnableMethods:
    """The methods of LangChain's Runnable that follow from `invoke` and `stream`."""

    __or__ = Borrowed()
    __ror__ = Borrowed()
    abatch_as_completed = Borrowed()
    as_tool = Borrowed()
    assign = Borrowed()
    astream_log = Borrowed()
    atransform = Borrowed()
    batch_as_completed = Borrowed()
    bind = Borrowed()
    config_schema = Borrowed()
    config_specs = Borrowed()
    get_config_jsonschema = Borrowed()
    get_prompts = Borrowed()
    map = Borrowed()
    pick = Borrowed()
    pipe = Borrowed()
    transform = Borrowed()
    with_alisteners = Borrowed()
    with_fallbacks = Borrowed()
    with_listeners = Borrowed()
    with_retry = Borrowed()
    with_types = Borrowed()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """The object's class. LangChain asks an object for it to see whether it is a Runnable."""
        join_runnables()
        return type(self)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the object's name, or `name`, with `suffix` joined to it in the same style."""
        base = name or getattr(self, "name", None) or type(self).__name__
        if not suffix:
            return base
        return base + suffix.title() if base[0].isupper() else f"{base}_{suffix.lower()}"


class RunnableObject(RunnableMethods):
    """The rest of LangChain's Runnable, for objects that have only `invoke` and `ainvoke`."""

    abatch = Borrowed()
    astream = Borrowed()
    astream_events = Borrowed()
    batch = Borrowed()
    get_graph = Borrowed()
    get_input_jsonschema = Borrowed()
    get_input_schema = Borrowed()
    get_output_jsonschema = Borrowed()
    get_output_schema = Borrowed()
    input_schema = Borrowed()
    output_schema = Borrowed()
    stream = Borrowed()
    with_config = Borrowed()

    InputType: Any = Any
    OutputType: Any = Any
