"""The compiled graph: run it, stream it, look at its threads.

What only some programs use is imported by the first call that needs it: asyncio and the async driver, the looks at
threads, the drawing. The four methods that run a graph spell LangGraph's keywords out, each for itself: there `help()`,
`inspect.signature`, editors and type checkers look for them, and none of these sees a signature that is put together.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, Self, cast

from nbhitl._runnable import RunnableMethods
from nbhitl.config import merge_configs, settled
from nbhitl.graph._channel_names import ChannelNames
from nbhitl.graph._display import graph_view, mimebundle
from nbhitl.graph._options import run_options
from nbhitl.graph._policies import GraphPolicies
from nbhitl.graph._run import run_graph, stream_graph
from nbhitl.graph._shapes import stops_of
from nbhitl.graph._threads import ThreadMethods

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from nbhitl.config import RunnableConfig
    from nbhitl.engine.instructions import Settings
    from nbhitl.engine.program import Program
    from nbhitl.engine.spec import Topology
    from nbhitl.graph.state import StateGraph
    from nbhitl.runtime import RunControl
    from nbhitl.types import All, Durability, StreamMode


class CompiledStateGraph(ThreadMethods, GraphPolicies, ChannelNames, RunnableMethods):
    """A graph that runs.

    `checkpointer` is where its threads are kept, `step_timeout` how many seconds a step may take (None: any),
    `topology` its nodes and edges.
    """

    # Annotations name a graph's types: StateGraph[State, Context].
    __class_getitem__: Any = classmethod(GenericAlias)

    def __init__(
        self,
        *,
        builder: StateGraph | None,
        program: Program,
        topology: Topology,
        checkpointer: Any = None,
        store: Any = None,
        cache: Any = None,
        interrupt_before: Sequence[str] = (),
        interrupt_after: Sequence[str] = (),
        debug: bool = False,
        context_schema: Any = None,
    ) -> None:
        self.builder = builder
        self.program = program
        self.topology = topology
        self.name = topology.name
        self.checkpointer = checkpointer
        self.store = store
        self.cache = cache
        self.interrupt_before_nodes = stops_of(interrupt_before)
        self.interrupt_after_nodes = stops_of(interrupt_after)
        self.debug = debug
        self.context_schema = context_schema if builder is None else builder.context_schema
        self.step_timeout: float | None = None
        self.config: RunnableConfig | None = None
        # What runs have that choose nothing, by whether they stream, beside the breakpoints and the limit of then.
        self._usual_settings: dict[bool, tuple[Any, Settings]] = {}

    # -- run ---------------------------------------------------------------------------------------------

    def invoke(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        debug: bool | None = None,
        version: str = "v1",
        **unknown: Any,
    ) -> Any:
        """Run to the end or to the next pause, and return the state.

        Where questions are open, the state has them under `__interrupt__`: a list of Interrupt. With
        `version="v2"` the result is a GraphOutput. With another `stream_mode` it is the list of its chunks.

        Args:
            input: the first state, None to go on where the thread stopped, or a Command.
            config: which thread (`configurable`), `recursion_limit`, `max_concurrency`, ...
            context: what nodes find as `runtime.context`.
            output_keys: which keys of the state to return.
            interrupt_before, interrupt_after: stop before, or after, these nodes, for this run.
            durability: when checkpoints are saved: "sync" before the next step, "async" (the default) a moment
                later at most, "exit" where the run ends or stops.
            control: asks the run from outside to stop.

        Raises:
            EmptyInputError: None as input, and the thread has nothing saved to go on with.
            UnknownInterruptError: an answer where no question is open, or to one that is not.
            ValueError: a graph with a checkpointer, and `config` names no thread.
            GraphRecursionError: the limit of supersteps was reached.
            Exception: whatever a node raised.
        """
        if unknown:
            durability = _older(unknown, durability)
        options = run_options(
            context, output_keys, interrupt_before, interrupt_after, durability, control, False, version,
            print_mode=print_mode, debug=self.debug if debug is None else debug,
        )  # fmt: skip
        return run_graph(self, input, config, options, stream_mode)

    async def ainvoke(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: StreamMode | Sequence[StreamMode] = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        debug: bool | None = None,
        version: str = "v1",
        **unknown: Any,
    ) -> Any:
        """Run to the end or to the next pause, and return the state; see `invoke`."""
        if unknown:
            durability = _older(unknown, durability)
        options = run_options(
            context, output_keys, interrupt_before, interrupt_after, durability, control, False, version,
            print_mode=print_mode, debug=self.debug if debug is None else debug,
        )  # fmt: skip
        from nbhitl.graph._arun import arun_graph

        return await arun_graph(self, input, config, options, stream_mode)

    def stream(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: str = "v1",
        **unknown: Any,
    ) -> Iterator[Any]:
        """Run, and yield what happens as chunks of `stream_mode` (`updates` by default).

        A list of modes yields `(mode, chunk)`; `subgraphs=True` puts the namespace, a tuple, in front.
        See `invoke` for the other arguments.
        """
        if unknown:
            durability = _older(unknown, durability)
        options = run_options(
            context, output_keys, interrupt_before, interrupt_after, durability, control, subgraphs, version,
            print_mode=print_mode, debug=self.debug if debug is None else debug,
        )  # fmt: skip
        return stream_graph(
            self, input, config, options, self.stream_mode if stream_mode is None else stream_mode
        )

    def astream(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        context: Any = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: str = "v1",
        **unknown: Any,
    ) -> AsyncIterator[Any]:
        """Run, and yield what happens as chunks of `stream_mode`; see `stream`."""
        if unknown:
            durability = _older(unknown, durability)
        options = run_options(
            context, output_keys, interrupt_before, interrupt_after, durability, control, subgraphs, version,
            print_mode=print_mode, debug=self.debug if debug is None else debug,
        )  # fmt: skip
        from nbhitl.graph._arun import astream_graph

        return astream_graph(
            self, input, config, options, self.stream_mode if stream_mode is None else stream_mode
        )

    def astream_events(
        self, input: Any, config: RunnableConfig | None = None, *, version: str = "v2", **options: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Run, and yield what starts, streams and ends: graphs, nodes, and the models and tools they call.

        An event is a dict of `event` ("on_chain_start", "on_chat_model_stream", ...), `name`, `run_id`,
        `parent_ids`, `tags`, `metadata` and `data`. `options` are those of `astream`, and `include_names`,
        `include_types`, `include_tags`, `exclude_names`, `exclude_types`, `exclude_tags`. Events of models and
        tools need langchain-core.
        """
        from nbhitl.graph._events import graph_events

        return graph_events(self, input, config, version, **options)

    def batch(
        self, inputs: Sequence[Any], config: Any = None, *, return_exceptions: bool = False, **kwargs: Any
    ) -> list[Any]:
        """Run the inputs side by side and return the results in order.

        Args:
            config: one for all, or a list of one for each; its `max_concurrency` is how many run at once.
            return_exceptions: return what a run raised in its place.
        """
        from nbhitl.graph._batch import batch

        return batch(self.invoke, inputs, config, return_exceptions, kwargs)

    async def abatch(
        self, inputs: Sequence[Any], config: Any = None, *, return_exceptions: bool = False, **kwargs: Any
    ) -> list[Any]:
        """Run the inputs side by side and return the results in order; see `batch`."""
        from nbhitl.graph._batch import abatch

        return await abatch(self.ainvoke, inputs, config, return_exceptions, kwargs)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> CompiledStateGraph:
        """Return the graph with `config` as the ground of every run's config."""
        copy, given = self.copy(), settled(cast("RunnableConfig", kwargs))
        copy.config = merge_configs({"configurable": {}}, self.config, settled(config or {}), given)
        return copy

    def copy(self, update: dict[str, Any] | None = None) -> CompiledStateGraph:
        """Return the same graph as a new object, with some attributes replaced."""
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)
        for name, value in (update or {}).items():
            setattr(copy, name, value)
        return copy

    def validate(self) -> Self:
        """Return the graph: it was checked when it was compiled."""
        return self

    # -- show --------------------------------------------------------------------------------------------

    def get_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Any:
        """Return the graph's nodes and edges, with `draw_mermaid()`; `xray` opens subgraphs."""
        return graph_view(self.topology, xray=xray)

    async def aget_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Any:
        """Return the graph's nodes and edges; see `get_graph`."""
        return self.get_graph(config, xray=xray)

    @property
    def InputType(self) -> Any:
        """The type of what a run takes."""
        return None if self.builder is None else self.builder.input_schema

    @property
    def OutputType(self) -> Any:
        """The type of what a run returns, for a state that is one value; else None."""
        return self.builder.output_schema if self.builder is not None and self.program.root_output else None

    def get_input_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return a pydantic model of what a run takes."""
        from nbhitl.graph._jsonschema import input_model

        return input_model(self.get_name("Input"), self.InputType)

    def get_output_schema(self, config: RunnableConfig | None = None) -> Any:
        """Return a pydantic model of what a run returns."""
        from nbhitl.graph._jsonschema import output_model

        return output_model(
            self.get_name("Output"), None if self.builder is None else self.builder.output_schema
        )

    @property
    def input_schema(self) -> Any:
        """A pydantic model of what a run takes."""
        return self.get_input_schema()

    @property
    def output_schema(self) -> Any:
        """A pydantic model of what a run returns."""
        return self.get_output_schema()

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON Schema of what a run takes."""
        from nbhitl.graph._jsonschema import json_schema_of

        return (
            json_schema_of(self.builder.input_schema, self.get_name("Input"))
            if self.builder is not None
            else {}
        )

    def get_output_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON Schema of what a run returns."""
        from nbhitl.graph._jsonschema import json_schema_of

        return (
            json_schema_of(self.builder.output_schema, self.get_name("Output"))
            if self.builder is not None
            else {}
        )

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of `context=`, or None where the graph has no context schema."""
        from nbhitl.graph._jsonschema import json_schema

        return None if self.context_schema is None else json_schema(self.context_schema)

    def config_schema(self, *, include: Sequence[str] | None = None) -> Any:
        """Return a pydantic model of the config; deprecated, see `get_context_jsonschema`."""
        from nbhitl.graph._config_schema import config_model

        return config_model(self, include, "config_schema")

    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the JSON Schema of that model; deprecated, see `get_context_jsonschema`."""
        from nbhitl.graph._config_schema import config_model

        schema: dict[str, Any] = config_model(self, include, "get_config_jsonschema").model_json_schema()
        return schema

    @property
    def channels(self) -> dict[str, Any]:
        """The channels of the graph's state."""
        return {name: rule.channel for name, rule in self.program.keys.items()}

    @property
    def nodes(self) -> dict[str, Any]:
        """The graph's nodes, START included; each can be invoked alone."""
        from nbhitl.graph._nodes import node_views

        return node_views(self.program, self.topology.nodes, self.shared_policies)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return mimebundle(self.topology)

    def __repr__(self) -> str:
        return f"<CompiledStateGraph {self.name!r}: {', '.join(self.topology.nodes)}>"

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget cached results, of all nodes or of `nodes`."""
        self._cache().clear(self._cached_places(nodes))

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget cached results; see `clear_cache`."""
        await self._cache().aclear(self._cached_places(nodes))

    def _cache(self) -> Any:
        if self.cache is None:
            raise ValueError(
                "No cache is set for this graph. Cannot clear cache. Compile it with one: "
                "compile(cache=InMemoryCache())."
            )
        return self.cache

    def _cached_places(self, nodes: Sequence[str] | None) -> list[tuple[str, ...]]:
        from nbhitl.engine.caching import cache_namespace
        from nbhitl.graph._unheard import known_nodes

        found = self.program.nodes
        chosen = known_nodes("clear_cache", nodes, found) if nodes else found
        return [cache_namespace(name, found[name].action) for name in chosen]


def _older(given: dict[str, Any], durability: Durability | None) -> Durability | None:
    from nbhitl.graph._unheard import older_keywords

    return older_keywords(given, durability)
