"""What a run's config may hold, as older programs ask for it: the context schema stands under `configurable`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module
from nbhitl.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from collections.abc import Sequence


def config_model(graph: Any, include: Sequence[str] | None, asked: str) -> Any:
    """Return a pydantic model of the config that `graph` takes, with a warning that `asked` is deprecated.

    Args:
        include: keys of a config, such as `tags`, that the model shall have too.

    Raises:
        ImportError: pydantic or langchain-core is not installed.
    """
    warnings.warn(
        LangGraphDeprecatedSinceV10(f"`{asked}` is deprecated. Use `get_context_jsonschema` instead."),
        stacklevel=3,
    )
    runnables = langchain_module("runnables")
    if runnables is None:
        raise ImportError(f"CompiledStateGraph.{asked} is LangChain's: pip install langchain-core to use it.")
    from pydantic import create_model

    fields: dict[str, Any] = {}
    if graph.context_schema is not None:
        fields["configurable"] = (graph.context_schema, None)
    known = runnables.RunnableConfig.__annotations__
    fields.update(
        {key: (known[key], None) for key in include or () if key != "configurable" and key in known}
    )
    return create_model(graph.get_name("Config"), **fields)
