"""From the builder to what the engine runs and the drawing reads; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from nbhitl.channels.last_value import LastValueAfterFinish
from nbhitl.constants import END, START, branch_channel, join_channel
from nbhitl.engine.error_handlers import handler_name
from nbhitl.engine.keys import KeyRule
from nbhitl.engine.program import ROOT, Action, Branch, Node, Program, Reader
from nbhitl.engine.spec import Topology
from nbhitl.engine.writes import command_updates, has_fields, model_updates
from nbhitl.graph._action import action_of
from nbhitl.graph._homes import homes_of
from nbhitl.graph._schema import builder_of, keyed_parameter, reader_of, schema_types
from nbhitl.graph._signature import hints_of
from nbhitl.graph._subgraphs import called_namespace
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from nbhitl.channels.base import BaseChannel
    from nbhitl.engine.spec import BranchSpec, NodeSpec
    from nbhitl.graph.state import StateGraph


Routes = tuple[tuple[str, Any], ...]
Readers = Callable[[Any], Reader]


def build_topology(
    name: str,
    nodes: Mapping[str, NodeSpec],
    edges: Sequence[tuple[str, str]],
    joins: Sequence[tuple[tuple[str, ...], str]],
    branches: Mapping[str, Mapping[str, BranchSpec]],
    before: Sequence[str],
    after: Sequence[str],
) -> Topology:
    """Return what a drawing needs, as copies: the builder may change after `compile()`."""
    return Topology(
        name,
        dict(nodes),
        list(edges),
        list(joins),
        {source: list(named.values()) for source, named in branches.items()},
        frozenset(["*", *nodes]) if "*" in before else frozenset(before),
        frozenset(["*", *nodes]) if "*" in after else frozenset(after),
    )


def _types_to_keep(builder: StateGraph, topology: Topology) -> tuple[type, ...]:
    """Return the classes that a store must be able to hold: those that the schemas name, of called graphs too."""
    own = schema_types([s for s in (*builder.schemas, builder.context_schema) if s is not None])
    below = [
        spec.subgraph.program.schema_types for spec in topology.nodes.values() if spec.subgraph is not None
    ]
    return tuple(dict.fromkeys([*own, *chain.from_iterable(below)])) if any(below) else own


def build_program(builder: StateGraph, topology: Topology) -> Program:
    """Return what the engine runs."""
    state_keys = tuple(builder.channels)
    gates, starts, goto = _triggers(topology)
    program = Program(
        name=topology.name,
        keys={name: KeyRule(name, channel) for name, channel in builder.channels.items()},
        nodes={},
        starts={START: START, **starts},
        gates=gates,
        goto=goto,
        output_keys=_keys_of(builder, builder.output_schema),
        stream_keys=state_keys,
        root_state=state_keys == (ROOT,),
        root_output=_keys_of(builder, builder.output_schema) == (ROOT,),
        schema_types=_types_to_keep(builder, topology),
        homes=homes_of(topology, builder.schemas),
        called_namespace=partial(called_namespace, topology),
        build_state=builder_of(builder.state_schema),
        build_output=builder_of(builder.output_schema),
    )
    routes = _routes(topology, goto)
    # One for each schema, not for each node.
    readers = cache(lambda schema: reader_of(schema, builder.schema_keys[schema], builder.channels))
    shared: dict[str, Node] = {}
    program.nodes[START] = _start_node(builder, topology, tuple(routes.get(START, ())), readers)
    for spec in topology.nodes.values():
        node = _node(topology, spec, tuple(routes.get(spec.name, ())), readers)
        if spec.error_handler is not None:
            from nbhitl.graph._error_handler import handler_node

            node.error_handler = spec.handler_name or handler_name(spec.name)
            handler = handler_node(node.error_handler, spec, node.reader, builder.defaults)
            (shared if spec.handler_name else program.nodes)[node.error_handler] = handler
        program.nodes[spec.name] = node
    program.nodes.update(shared)
    return program


def register_types(program: Program, *keepers: Any) -> None:
    """Let the checkpointer and the cache hold instances of the graph's classes: its schemas', and its program's own."""
    for keeper in keepers:
        serde = getattr(keeper, "serde", None)
        for method, args in (("register", program.schema_types), ("trust", (program.homes,))):
            known = getattr(serde, method, None)
            if known is not None:
                known(*args)


def _keys_of(builder: StateGraph, schema: Any) -> tuple[str, ...]:
    return tuple(builder.schema_keys[schema].channels)


def _triggers(
    topology: Topology,
) -> tuple[dict[str, BaseChannel[Any, Any, Any]], dict[str, str], dict[str, str]]:
    """Return the trigger channels that are objects, who each trigger starts, and each node's own trigger."""
    gates: dict[str, BaseChannel[Any, Any, Any]] = {}
    starts: dict[str, str] = {}
    goto: dict[str, str] = {}
    for name, spec in topology.nodes.items():
        channel = branch_channel(name)
        goto[name] = channel
        starts[channel] = name
        if spec.defer:
            gates[channel] = LastValueAfterFinish(Any, channel)
    for sources, target in topology.joins:
        if target == END:
            continue
        from nbhitl.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish

        channel = join_channel(sources, target)
        starts[channel] = target
        barrier = NamedBarrierValueAfterFinish if topology.nodes[target].defer else NamedBarrierValue
        gates[channel] = barrier(str, set(sources), channel)
    return gates, starts, goto


def _routes(topology: Topology, goto: Mapping[str, str]) -> dict[str, list[tuple[str, Any]]]:
    """Return the writes that start each node's static successors: `{node: [(channel, value), ...]}`."""
    routes: dict[str, list[tuple[str, Any]]] = {}
    for source, target in topology.edges:
        if target != END:
            routes.setdefault(source, []).append((goto[target], None))
    for sources, target in topology.joins:
        if target != END:
            for source in sources:
                routes.setdefault(source, []).append((join_channel(sources, target), source))
    return routes


def _branches(topology: Topology, name: str, schema: Any, readers: Readers) -> tuple[Branch, ...]:
    branches = []
    for spec in topology.branches.get(name, ()):
        own = keyed_parameter(spec.path, hints_of(spec.path))
        reader = readers(schema if own is None else own)
        branches.append(
            Branch(action_of(spec.path, spec.name, path=True), spec.ends, reader, own is None, spec.name)
        )
    return tuple(branches)


def _node(topology: Topology, spec: NodeSpec, routes: Routes, readers: Readers) -> Node:
    action = action_of(spec.action, spec.name)
    branches = _branches(topology, spec.name, spec.input_schema, readers) if topology.branches else ()
    varies = spec.retry or action.injects or action.sync is None or spec.timeout is not None
    # Assigned, since keywords for an `__init__` take several times as long.
    node = Node(spec.name, action, readers(spec.input_schema), routes, branches)
    node.retry, node.cache, node.timeout = spec.retry, spec.cache, spec.timeout
    node.metadata, node.trace_policy = spec.metadata, spec.trace_policy
    node.is_plain = not varies and (not branches or _are_plain(branches))
    return node


def _are_plain(branches: tuple[Branch, ...]) -> bool:
    """Whether all path functions are sync functions of the state alone."""
    return all(branch.action.sync is not None and not branch.action.injects for branch in branches)


def _let_in(command: Command[Any], keys: Collection[str]) -> Command[Any]:
    """Return a Command that starts a thread, with the updates that the input schema has; it goes where it said."""
    if command.update is None:
        return command
    return replace(command, update=[(key, value) for key, value in command_updates(command) if key in keys])


def _known(input: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    """Return what of an input the graph takes; as under LangGraph the rest is left aside."""
    known = {key: value for key, value in input.items() if key in keys}
    if not known:
        from nbhitl.graph._unheard import warn_of_input

        warn_of_input(input, keys)
    return known


def _start_node(builder: StateGraph, topology: Topology, routes: Routes, readers: Readers) -> Node:
    """The node that takes in the input: what it returns is written like any node's return value."""
    keys = frozenset(_keys_of(builder, builder.input_schema))

    is_value = keys == {ROOT}
    is_whole_state = is_value and len(builder.channels) == 1
    narrows = not keys.issuperset(builder.channels)

    def take_input(value: Any) -> Any:
        if isinstance(value, Command):
            return _let_in(value, keys) if narrows else value
        if is_value:
            return value if is_whole_state else {ROOT: value}
        if isinstance(value, dict):
            return value if value.keys() <= keys else _known(value, keys)
        if narrows and has_fields(value):
            return dict(model_updates(value, [key for key in builder.channels if key in keys]))
        return value

    branches = _branches(topology, START, builder.input_schema, readers)
    return Node(
        name=START,
        action=Action(START, take_input, None, inline=True),
        reader=Reader(None),
        routes=routes,
        branches=branches,
        hidden=True,
        is_plain=_are_plain(branches),
    )
