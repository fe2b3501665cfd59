"""StateGraph: nodes that read and write a shared, typed state."""

from __future__ import annotations

from functools import partial
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Self

from nbhitl.config import RunnableConfig  # noqa: F401 - programs import it from here as well
from nbhitl.constants import END, START
from nbhitl.engine.error_handlers import handler_name
from nbhitl.engine.spec import BranchSpec
from nbhitl.graph._action import check_action, check_timeouts, named_action, path_name, plain_name, step_name
from nbhitl.graph._compile import build_program, build_topology, register_types
from nbhitl.graph._compiled import CompiledStateGraph
from nbhitl.graph._config_type import warn_of_config_type
from nbhitl.graph._deprecated import renamed
from nbhitl.graph._edges import check_edge, check_join, check_ways
from nbhitl.graph._mistakes import (
    breakpoint_names,
    check_keepers,
    check_reserved,
    check_schema,
    check_uncompiled,
    near,
    not_compiled,
    refuse_transformers,
    retry_policies,
)
from nbhitl.graph._node_spec import StateNodeSpec, check_new_name, node_spec
from nbhitl.graph._policies import NodeDefaults, with_defaults
from nbhitl.graph._schema import SchemaKeys, is_plain, keyed_parameter, schema_keys
from nbhitl.graph._signature import hints_of
from nbhitl.graph._targets import path_targets
from nbhitl.types import TimeoutPolicy, ensure_valid_checkpointer

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import timedelta

    from nbhitl._trace_policy import TracePolicy
    from nbhitl.channels.base import BaseChannel
    from nbhitl.types import All, CachePolicy, RetryPolicy

__all__ = ["CompiledStateGraph", "StateGraph"]


class StateGraph:
    """A graph under construction; `compile()` makes it runnable. Every method returns the builder.

    Args:
        state_schema: a TypedDict, dataclass or pydantic model with the keys of the state, or a type for a state
            that is one value. `Annotated[type, reducer]` says how writes are combined.
        context_schema: the type of `context=` given to a run.
        input_schema: what a run takes; the state by default.
        output_schema: what a run returns; the state by default.
    """

    # Annotations name a graph's types: StateGraph[State, Context].
    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(
        self,
        state_schema: Any,
        context_schema: Any = None,
        *,
        input_schema: Any = None,
        output_schema: Any = None,
        **deprecated: Any,
    ) -> None:
        names = renamed(
            deprecated,
            {"config_schema": "context_schema", "input": "input_schema", "output": "output_schema"},
            StateGraph.__init__,
        )
        context_schema = names.get("context_schema", context_schema)
        input_schema = names.get("input_schema", input_schema)
        output_schema = names.get("output_schema", output_schema)
        self.state_schema = state_schema
        self.context_schema = context_schema
        self.input_schema = input_schema if input_schema is not None else state_schema
        self.output_schema = output_schema if output_schema is not None else state_schema
        self.nodes: dict[str, StateNodeSpec] = {}
        self.edges: set[tuple[str, str]] = set()
        self.waiting_edges: set[tuple[tuple[str, ...], str]] = set()
        self.branches: dict[str, dict[str, BranchSpec]] = {}
        self.channels: dict[str, BaseChannel[Any, Any, Any]] = {}
        self.managed: dict[str, Any] = {}
        self.schemas: dict[Any, dict[str, Any]] = {}
        self.schema_keys: dict[Any, SchemaKeys] = {}
        # Sets have no order, and a drawing needs one.
        self._edge_order: list[tuple[str, str]] = []
        self._join_order: list[tuple[tuple[str, ...], str]] = []
        self.defaults = NodeDefaults()
        self.compiled = False
        check_schema(state_schema)
        for schema in (input_schema, output_schema):
            if schema is not None:
                check_schema(schema)
        for schema in (state_schema, self.input_schema, self.output_schema):
            self._add_schema(schema, allow_managed=schema is state_schema)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(not_compiled(name), name=name, obj=self)

    # -- nodes -------------------------------------------------------------------------------------------

    def add_node(
        self,
        node: Any = None,
        action: Any = None,
        *,
        defer: bool = False,
        metadata: dict[str, Any] | None = None,
        input_schema: Any = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Any = None,
        destinations: Mapping[str, str] | Sequence[str] | None = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
        trace_policy: TracePolicy | None = None,
        **deprecated: Any,
    ) -> Any:
        """Add a node: `add_node(func)`, `add_node("name", func)`, or as a decorator `@builder.add_node`.

        Args:
            defer: run only when no other task is left.
            metadata: notes for drawing and tracing.
            input_schema: what of the state the node gets; by default the type of its first parameter.
            retry_policy: when a failed node is tried again.
            cache_policy: keep results for equal inputs.
            error_handler: runs in the same step when the node has failed for good, on the node's input; a
                parameter `error: NodeError` tells it why. What it returns is written, and it may `goto`;
                the node's own edges are not followed.
            destinations: where the node's Commands may go, for the drawing.
            timeout: how long one attempt may take; for async nodes.
            trace_policy: what LangChain's tracers record of the node's input and output.

        Raises:
            ValueError: the name is taken, reserved or holds a reserved character.
            TypeError: `trace_policy` is none.
        """
        if deprecated:
            now = {"retry": "retry_policy", "input": "input_schema"}
            names = renamed(deprecated, now, StateGraph.add_node)
            retry_policy = names.get("retry_policy", retry_policy)
            input_schema = names.get("input_schema", input_schema)
        if node is None:
            return partial(
                self._decorated, defer=defer, metadata=metadata, input_schema=input_schema,
                retry_policy=retry_policy, cache_policy=cache_policy, error_handler=error_handler,
                destinations=destinations, timeout=timeout, trace_policy=trace_policy,
            )  # fmt: skip
        check_uncompiled(self, "a node")
        name, action = named_action(node, action)
        warn_of_config_type(action)
        check_new_name(name, self.nodes, self.channels)
        spec = node_spec(name, action, self.state_schema, input_schema, destinations)
        spec.metadata, spec.defer, spec.cache = metadata, defer, cache_policy
        if retry_policy is not None:
            spec.retry = retry_policies(retry_policy)
        if not (timeout is error_handler is trace_policy is None):
            spec.set_policies(TimeoutPolicy.of(timeout), error_handler, trace_policy)
        self._add_schema(spec.input_schema)
        self.nodes[name] = spec
        return self

    def set_node_defaults(
        self,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        error_handler: Any = None,
        timeout: float | timedelta | TimeoutPolicy | None = None,
    ) -> Self:
        """Say what holds for nodes that do not say it in `add_node`; graphs that they call are not meant.

        Error handlers follow the default `retry_policy` too, and have to be async beside a `timeout`. Nothing is
        taken back by leaving an argument out.
        """
        given = {
            "retry": retry_policies(retry_policy),
            "cache": cache_policy,
            "error_handler": error_handler,
            "timeout": TimeoutPolicy.of(timeout),
        }
        self.defaults = self.defaults._replace(**{name: value for name, value in given.items() if value})
        return self

    def _decorated(self, action: Any, **options: Any) -> Any:
        self.add_node(action, **options)
        return action

    def _add_schema(self, schema: Any, *, allow_managed: bool = True) -> None:
        if schema in self.schemas:
            return
        keys = schema_keys(schema)
        if keys.managed and not allow_managed:
            raise ValueError(
                f"Invalid managed channels detected in {schema.__name__}: {', '.join(keys.managed)}. Managed channels "
                "are not permitted in Input/Output schema: the engine fills them. Declare them in the state schema."
            )
        self.schemas[schema] = {**keys.channels, **keys.managed}
        self.schema_keys[schema] = keys
        for name, channel in keys.channels.items():
            known = self.channels.get(name)
            if known is None:
                self.channels[name] = channel
            elif known != channel and not is_plain(channel):
                raise ValueError(
                    f"Channel '{name}' already exists with a different type: two schemas of this graph give the "
                    "key different reducers. Name the reducer in the first of them, the state schema."
                )
        self.managed.update(keys.managed)

    # -- edges -------------------------------------------------------------------------------------------

    def add_edge(self, start_key: str | list[str], end_key: str) -> Self:
        """Run `end_key` after `start_key`; after a list of nodes, once all of them have run.

        Raises:
            ValueError: an edge from END, to START, or a barrier with an unknown node.
            TypeError: something else than names.
        """
        check_uncompiled(self, "an edge")
        if isinstance(start_key, str):
            check_edge(start_key, end_key)
            edge = (plain_name(start_key), plain_name(end_key))
            edges = self.edges
            if edge not in edges:
                edges.add(edge)
                self._edge_order.append(edge)
            return self
        check_join(start_key, end_key, self.nodes)
        join = (tuple(map(plain_name, start_key)), plain_name(end_key))
        if join not in self.waiting_edges:
            self.waiting_edges.add(join)
            self._join_order.append(join)
        return self

    def add_conditional_edges(
        self,
        source: str,
        path: Any,
        path_map: Mapping[Hashable, str] | Sequence[str] | None = None,
    ) -> Self:
        """After `source`, ask `path(state)` what runs next: a node's name, END, a Send, or a list of these.

        Args:
            path_map: `{what path returns: node}`, or the list of possible nodes. By default the Literal that
                `path` is annotated to return; without one the names that it returns are nodes.

        Raises:
            ValueError: the node has a conditional edge of this name already.
            TypeError: `path` cannot be called.
        """
        check_uncompiled(self, "an edge")
        name = path_name(path)
        check_action(path, name)
        warn_of_config_type(path)
        if name in self.branches.setdefault(source, {}):
            raise ValueError(
                f"Branch with name `{name}` already exists for node `{source}`. Give this function another name, or "
                "let one return a list."
            )
        self.branches[source][name] = BranchSpec(path, path_targets(path, path_map), name)
        schema = keyed_parameter(path, hints_of(path))
        if schema is not None:
            self._add_schema(schema)
        return self

    def add_sequence(self, nodes: Sequence[Any]) -> Self:
        """Add nodes that run one after another; an item is a function or a `(name, function)` pair.

        Raises:
            ValueError: the sequence is empty or repeats a name.
        """
        if not nodes:
            raise ValueError("Sequence requires at least one node: give add_sequence a list of functions.")
        previous: str | None = None
        for item in nodes:
            name, action = item if isinstance(item, tuple) and len(item) == 2 else (step_name(item), item)
            if name in self.nodes:
                raise ValueError(
                    f"Node names must be unique: node with the name '{name}' already exists. Pass "
                    "(name, function) pairs to name the steps."
                )
            self.add_node(name, action)
            if previous is not None:
                self.add_edge(previous, name)
            previous = name
        return self

    def set_entry_point(self, key: str) -> Self:
        """Start at node `key`."""
        return self.add_edge(START, key)

    def set_conditional_entry_point(
        self, path: Any, path_map: Mapping[Hashable, str] | Sequence[str] | None = None
    ) -> Self:
        """Ask `path(state)` where to start."""
        return self.add_conditional_edges(START, path, path_map)

    def set_finish_point(self, key: str) -> Self:
        """End after node `key`."""
        return self.add_edge(key, END)

    # -- compile -----------------------------------------------------------------------------------------

    def validate(self, interrupt: Sequence[str] | None = None) -> Self:
        """Check that every edge, and every declared way of a Command, leads to a node, and that there is a way in.

        Raises:
            ValueError: it does not; the message names the edge.
        """
        sources = {source for source, _ in self.edges}.union(self.branches)
        sources.update(*[join for join, _ in self.waiting_edges])
        targets = [target for _, target in (*self._edge_order, *self._join_order)]
        targets.extend(end for spec in self.nodes.values() if spec.ends for end in spec.ends)
        check_ways(sources, self.branches, targets, self.nodes)
        if not interrupt:
            return self
        handlers = {handler_name(name) for name, spec in self.nodes.items() if spec.error_handler is not None}
        for node in interrupt:
            if node not in self.nodes and node not in handlers:
                raise ValueError(f"Interrupt node `{node}` not found{near(node, self.nodes)}")
        return self

    def compile(
        self,
        checkpointer: Any = None,
        *,
        cache: Any = None,
        store: Any = None,
        interrupt_before: All | list[str] | None = None,
        interrupt_after: All | list[str] | None = None,
        debug: bool = False,
        name: str | None = None,
        transformers: Sequence[Any] | None = None,
    ) -> CompiledStateGraph:
        """Return the runnable graph.

        Args:
            checkpointer: where threads are kept. A saver; None for none, or inside another graph for that one's;
                True to keep state of its own inside another graph; False for none at all.
            cache: where results of nodes with a cache policy are kept.
            store: the store that nodes can ask for.
            interrupt_before: stop before these nodes, or before all with `"*"`.
            interrupt_after: stop after these nodes.
            debug: print what runs do.
            name: what the graph is called in drawings and messages.
            transformers: LangGraph's, for its `stream_events(version="v3")`, which nbhitl does not have.

        Raises:
            NotImplementedError: there are `transformers`.
            ValueError: an edge leads to nowhere, there is no way in, a name is reserved, or a node with a timeout is
                not async.
            TypeError: `checkpointer` is not a saver.
        """
        refuse_transformers(transformers)
        checkpointer = ensure_valid_checkpointer(checkpointer)
        before = breakpoint_names(interrupt_before, "interrupt_before")
        after = breakpoint_names(interrupt_after, "interrupt_after")
        self.validate([n for n in (*before, *after) if n != "*"])
        check_reserved(self.nodes, self.channels)
        check_timeouts(self.nodes.values())
        name, nodes = name or "LangGraph", with_defaults(self.nodes, self.defaults)
        topology = build_topology(
            name, nodes, self._edge_order, self._join_order, self.branches, before, after
        )
        program = build_program(self, topology)
        check_keepers(store, cache)
        register_types(program, checkpointer, cache)
        self.compiled = True
        return CompiledStateGraph(
            builder=self,
            program=program,
            topology=topology,
            checkpointer=checkpointer,
            store=store,
            cache=cache,
            interrupt_before=before,
            interrupt_after=after,
            debug=debug,
        )
