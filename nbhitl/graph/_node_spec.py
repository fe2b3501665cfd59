"""From the arguments of `add_node` to a node's spec; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import END, NS_END, NS_SEP, START
from nbhitl.engine.spec import NodeSpec
from nbhitl.graph._action import check_action
from nbhitl.graph._compiled import CompiledStateGraph
from nbhitl.graph._mistakes import retry_policies
from nbhitl.graph._schema import keyed_parameter
from nbhitl.graph._signature import hints_of
from nbhitl.graph._targets import declared_targets
from nbhitl.types import TimeoutPolicy

if TYPE_CHECKING:
    from collections.abc import Container


def node_spec(
    name: str,
    action: Any,
    state_schema: Any,
    *,
    input_schema: Any,
    destinations: Any,
    metadata: Any,
    defer: bool,
    retry_policy: Any,
    cache_policy: Any,
    timeout: Any,
    error_handler: Any,
    trace_policy: Any,
) -> NodeSpec:
    """Return the node that `StateGraph.add_node` declares; without `input_schema` it gets what its parameter names.

    Raises:
        TypeError: the action or its error handler cannot be run, or a policy is none.
        ValueError: a timeout that is no length of time.
    """
    check_action(action, name)
    if trace_policy is not None and not hasattr(trace_policy, "process_inputs"):
        raise TypeError(f"trace_policy of node {name!r} is {trace_policy!r}; give a TracePolicy(...).")
    if error_handler is not None:
        check_action(error_handler, f"the error handler of {name}")
    subgraph = action if isinstance(action, CompiledStateGraph) else None
    asked = input_schema is None or destinations is None
    hints = hints_of(action) if asked and subgraph is None and callable(action) else None
    if input_schema is None:
        input_schema = keyed_parameter(action, hints)
    return NodeSpec(
        name=name,
        action=action,
        input_schema=state_schema if input_schema is None else input_schema,
        metadata=metadata,
        defer=defer,
        ends=declared_targets(destinations, hints),
        retry=retry_policies(retry_policy),
        cache=cache_policy,
        timeout=TimeoutPolicy.of(timeout),
        subgraph=subgraph,
        error_handler=error_handler,
        trace_policy=trace_policy,
    )


def check_new_name(name: str, nodes: Container[str], state_keys: Container[str]) -> None:
    """Check that a node of this name can be added.

    Raises:
        ValueError: the name is taken, reserved or holds a reserved character.
    """
    if name in nodes:
        raise ValueError(f"Node `{name}` already present. Give this one another name.")
    if name in (START, END):
        raise ValueError(f"Node `{name}` is reserved.")
    for reserved in (NS_SEP, NS_END):
        if reserved in name:
            raise ValueError(f"'{reserved}' is a reserved character and is not allowed in the node names.")
    if name in state_keys and not name.isidentifier():
        raise ValueError(f"'{name}' is already being used as a state key")
