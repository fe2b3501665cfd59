"""From the arguments of `add_node` to a node's spec; pure."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

from nbhitl._runnable import has_invoke
from nbhitl.constants import END, NS_END, NS_SEP, START
from nbhitl.engine.spec import NodeSpec
from nbhitl.graph._action import action_of, check_action
from nbhitl.graph._compiled import CompiledStateGraph
from nbhitl.graph._mistakes import retry_policies
from nbhitl.graph._schema import keyed_parameter
from nbhitl.graph._signature import hints_of
from nbhitl.graph._targets import annotated_targets, given_targets

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from nbhitl.types import CachePolicy, RetryPolicy, TimeoutPolicy


class StateNodeSpec(NodeSpec):
    """A node of a builder.

    Programs copy nodes from one builder to another, and tests put something else in a node's place before they compile:
    `runnable`, `retry_policy` and `cache_policy` have LangGraph's names, and can be set.
    """

    __slots__ = ()

    @property
    def retry_policy(self) -> RetryPolicy | list[RetryPolicy] | None:
        """When the node is tried again: a policy, or several; None for never."""
        return self.retry[0] if len(self.retry) == 1 else list(self.retry) or None

    @retry_policy.setter
    def retry_policy(self, given: RetryPolicy | Sequence[RetryPolicy] | None) -> None:
        self.retry = retry_policies(given)

    @property
    def cache_policy(self) -> CachePolicy | None:
        """Whether and how long the node's results are kept."""
        return self.cache

    @cache_policy.setter
    def cache_policy(self, given: CachePolicy | None) -> None:
        self.cache = given

    @property
    def runnable(self) -> Any:
        """What `add_node` was given to run: a graph or another Runnable, or a function, with `invoke` and `ainvoke`."""
        if has_invoke(self.action) or not callable(self.action):
            return self.action
        from nbhitl.graph._node_function import NodeFunction

        return NodeFunction(self.name, self.action, action_of(self.action, self.name))

    @runnable.setter
    def runnable(self, action: Any) -> None:
        check_action(action, self.name)
        self.action = action
        self.subgraph = action if isinstance(action, CompiledStateGraph) else None

    def set_policies(self, timeout: TimeoutPolicy | None, error_handler: Any, trace_policy: Any) -> None:
        """Note how long the node may take, what runs when it has failed, and what tracers record of it.

        Raises:
            TypeError: `error_handler` cannot be called, or `trace_policy` is none.
        """
        self.timeout = timeout
        if error_handler is not None:
            check_action(error_handler, f"the error handler of {self.name}")
            self.error_handler = error_handler
        if trace_policy is not None:
            check_trace_policy(trace_policy, self.name)
            self.trace_policy = trace_policy


def node_spec(
    name: str, action: Any, state_schema: Any, input_schema: Any, destinations: Any
) -> StateNodeSpec:
    """Return the node that runs `action`, without policies.

    Where it is not told, it gets what its first parameter names, or the state, and its Commands go where its return
    annotation says.

    Raises:
        TypeError: the action cannot be run.
    """
    spec = StateNodeSpec(name, action, state_schema if input_schema is None else input_schema)
    if destinations is not None:
        spec.ends = given_targets(destinations)
    if type(action) is not FunctionType:
        check_action(action, name)
        if isinstance(action, CompiledStateGraph):
            spec.subgraph = action
            return spec
    elif not action.__annotations__:
        return spec
    hints = hints_of(action) if callable(action) else None
    if input_schema is None:
        keyed = keyed_parameter(action, hints)
        spec.input_schema = state_schema if keyed is None else keyed
    if destinations is None:
        spec.ends = annotated_targets(hints)
    return spec


def check_trace_policy(policy: object, name: str) -> None:
    """Check the `trace_policy` of the node `name`.

    Raises:
        TypeError: it is none.
    """
    if not hasattr(policy, "process_inputs"):
        raise TypeError(f"trace_policy of node {name!r} is {policy!r}; give a TracePolicy(...).")


def check_new_name(name: str, nodes: Container[str], state_keys: Container[str]) -> None:
    """Check that a node of this name can be added.

    Raises:
        ValueError: the name is taken, reserved or holds a reserved character.
    """
    if name in nodes:
        raise ValueError(f"Node `{name}` already present. Give this one another name.")
    if name in (START, END):
        raise ValueError(f"Node `{name}` is reserved. Give this one another name.")
    for reserved in (NS_SEP, NS_END):
        if reserved in name:
            raise ValueError(
                f"'{reserved}' is a reserved character and is not allowed in the node names. Give {name!r} another name."
            )
    if name in state_keys and not name.isidentifier():
        raise ValueError(f"'{name}' is already being used as a state key. Give this node another name.")
