"""What nodes can ask for: config, runtime, context, store; the Runnable-like surface."""

import operator
from dataclasses import dataclass
from typing import Annotated, Optional

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config, get_store
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import RunControl, Runtime, get_runtime
from langgraph.types import Interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1", "user": "ann"}}


@dataclass
class Context:
    user: str
    level: int = 1


class ModelContext(BaseModel):
    user: str
    level: int = 1


class DictContext(TypedDict, total=False):
    user: str
    level: int


def one_node(node, **options):
    builder_options = {key: options.pop(key) for key in ("context_schema",) if key in options}
    return (
        StateGraph(State, **builder_options).add_node("node", node).add_edge(START, "node").compile(**options)
    )


def program_config_parameter(record, any_saver):
    seen = []

    def typed(state, config: RunnableConfig):
        seen.append(("typed", config["configurable"].get("user"), config["configurable"].get("thread_id")))

    def named(state, config):
        seen.append(("named", config["configurable"].get("user")))

    def optional(state, config: Optional[RunnableConfig] = None):
        seen.append(("optional", config["configurable"].get("user")))

    def by_call(state):
        seen.append(("get_config", get_config()["configurable"].get("user")))

    def keyword_only(state, *, config):
        seen.append(("keyword", config["configurable"].get("user")))

    graph = (
        StateGraph(State)
        .add_sequence([typed, named, optional, by_call, keyword_only])
        .add_edge(START, "typed")
    )
    graph = graph.compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": ["in"]}, CONFIG))
    record("seen", seen)


def program_config_entries(record, saver):
    def node(state, config: RunnableConfig):
        metadata = config["metadata"]
        keys = (
            "langgraph_step",
            "langgraph_node",
            "langgraph_triggers",
            "langgraph_path",
            "langgraph_checkpoint_ns",
            "mine",
        )
        record("metadata", {key: metadata.get(key) for key in keys})
        record("tags", config.get("tags"))
        record("limit", config["recursion_limit"])
        record("namespace", config["configurable"].get("checkpoint_ns"))

    graph = one_node(node, checkpointer=saver)
    graph.invoke({"path": []}, {**CONFIG, "metadata": {"mine": 1}, "tags": ["t1"], "recursion_limit": 12})


def program_context_schemas(record):
    for schema, given in (
        (Context, {"user": "ann"}),
        (Context, Context("bob", 2)),
        (ModelContext, {"user": "eve"}),
        (DictContext, {"user": "dan"}),
        (None, None),
    ):

        def node(state, runtime: Runtime):
            record("context", runtime.context)
            record("by call", get_runtime().context)

        graph = one_node(node, context_schema=schema)
        graph.invoke({"path": []}, context=given)
    record.error(
        "wrong field",
        lambda: one_node(lambda state, runtime: None, context_schema=Context).invoke(
            {"path": []}, context={"nope": 1}
        ),
    )
    record.error(
        "wrong type",
        lambda: one_node(lambda state, runtime: None, context_schema=ModelContext).invoke(
            {"path": []}, context={"user": 3}
        ),
        "user",
    )


def program_runtime_by_name(record):
    def node(state, runtime):
        return {"path": [runtime.context.user]}

    record(
        "named parameter", one_node(node, context_schema=Context).invoke({"path": []}, context=Context("ann"))
    )


def program_execution_info(record, saver):
    def node(state, runtime: Runtime):
        info = runtime.execution_info
        record("info", (info.checkpoint_ns, info.task_id, info.thread_id, info.node_attempt))
        record("run id", info.run_id)

    one_node(node, checkpointer=saver).invoke({"path": []}, CONFIG)


def program_runtime_values(record):
    record("defaults", (Runtime().context, Runtime().store, Runtime().previous))
    runtime = Runtime(context=1)
    record("override", runtime.override(context=2).context)
    record("merge", runtime.merge(Runtime(context=3)).context)
    record("merge keeps", runtime.merge(Runtime()).context)
    runtime.stream_writer("ignored")
    record.error("outside", lambda: get_runtime())


def program_with_config(record):
    def node(state, config: RunnableConfig):
        return {
            "path": [
                config["configurable"].get("user"),
                config["configurable"].get("x"),
                sorted(config.get("tags") or []),
            ]
        }

    graph = one_node(node)
    bound = graph.with_config({"configurable": {"user": "bound", "x": 1}, "tags": ["b"]})
    record("bound", bound.invoke({"path": []}))
    record("call wins", bound.invoke({"path": []}, {"configurable": {"user": "call"}, "tags": ["c"]}))
    record("by keyword", graph.with_config(configurable={"user": "kw"}).invoke({"path": []}))
    record("original", graph.invoke({"path": []}))


def program_batch(record):
    graph = one_node(lambda state: {"n": state["n"] * 2})
    record("batch", graph.batch([{"n": 1}, {"n": 2}, {"n": 3}]))
    record("with config", graph.batch([{"n": 1}, {"n": 2}], {"max_concurrency": 1}))


def program_inputs(record, any_saver):
    graph = one_node(lambda state: {"path": ["n"]}, checkpointer=any_saver)
    record.error("empty dict", lambda: graph.invoke({}, CONFIG))
    record.error("unknown keys only", lambda: graph.invoke({"zz": 1}, {"configurable": {"thread_id": "2"}}))
    record.error("None on a fresh thread", lambda: graph.invoke(None, {"configurable": {"thread_id": "3"}}))
    record.error("a string", lambda: graph.invoke("text", {"configurable": {"thread_id": "4"}}))
    record.error("a list", lambda: graph.invoke([1], {"configurable": {"thread_id": "5"}}))


def program_keyword_input(record, any_saver):
    graph = one_node(lambda state: {"path": ["n"]}, checkpointer=any_saver)
    record("keywords", graph.invoke(input={"path": ["in"]}, config=CONFIG))
    record("stream", list(graph.stream(input={"path": ["in"]}, config={"configurable": {"thread_id": "2"}})))


def program_store_is_none(record):
    def node(state):
        return {"path": [get_store()]}

    record("store", one_node(node).invoke({"path": []}))


def program_graph_attributes(record, any_saver):
    graph = one_node(lambda state: None, checkpointer=any_saver, name="mine")
    record("name", graph.get_name() if hasattr(graph, "get_name") else graph.name)
    record("checkpointer", graph.checkpointer is any_saver)
    record("step_timeout", graph.step_timeout)
    record("nodes", list(graph.nodes))
    record("breakpoints", (list(graph.interrupt_before_nodes), list(graph.interrupt_after_nodes)))


def program_names_of_channels(record):
    for schema in (State, int):
        graph = StateGraph(schema).add_node("a", lambda state: state).add_edge(START, "a").compile()
        record("in and out", (graph.input_channels, graph.output_channels))
        record("streamed", (graph.stream_channels, graph.stream_channels_list, graph.stream_channels_asis))
        record("mode", (graph.stream_mode, graph.stream_eager))


def program_schemas_as_json(record):
    graph = one_node(lambda state: None, context_schema=Context)
    record("input", sorted(graph.get_input_jsonschema()["properties"]))
    record("output", sorted(graph.get_output_jsonschema()["properties"]))
    record("context", sorted(graph.get_context_jsonschema()["properties"]))


async def program_drain_and_subgraphs_and_older_names(record):
    control = RunControl()

    def stops(state, runtime: Runtime):
        before = (runtime.drain_requested, runtime.drain_reason)
        control.request_drain("closing")
        record("seen by the node", [before, (runtime.drain_requested, runtime.drain_reason)])

    graph = StateGraph(State).add_node(stops).add_edge(START, "stops").compile()
    record("the last step ends", graph.invoke({}, control=control))
    record("nobody asked", (Runtime().drain_requested, Runtime().drain_reason))
    outer = StateGraph(State).add_node("inner", graph).add_edge(START, "inner").compile()
    record("subgraphs", [name async for name, _ in outer.aget_subgraphs(recurse=True)])
    record("interrupt_id", Interrupt(value=1, id="q").interrupt_id)


class User:
    identity = "ann"
    display_name = "Ann"
    is_authenticated = True
    permissions = ()

    def __repr__(self):
        return "Ann"


def program_what_a_server_says_of_itself(record):
    def look(state, runtime: Runtime):
        record("seen", runtime.server_info)
        record("first attempt", type(runtime.execution_info.node_first_attempt_time).__name__)

    child = StateGraph(State).add_node(look).add_edge(START, "look").compile()
    graph = StateGraph(State).add_node("child", child).add_node(look).add_edge(START, "child")
    graph = graph.add_edge("child", "look").compile()
    for said in (
        {}, {"assistant_id": "a", "graph_id": "g"}, {"assistant_id": 5}, {"graph_id": "g"}, {"assistant_id": ""},
        {"langgraph_auth_user": User()}, {"assistant_id": "a", "langgraph_auth_user": {"identity": "ann"}},
    ):  # fmt: skip
        graph.invoke({"path": []}, {"configurable": said})


def program_the_place_in_the_metadata(record, saver):
    def look(state, config: RunnableConfig):
        told = (
            "thread_id",
            "checkpoint_id",
            "checkpoint_ns",
            "task_id",
            "run_id",
            "assistant_id",
            "graph_id",
        )
        record("seen", {key: config["metadata"].get(key) for key in told})

    child = StateGraph(State).add_node(look).add_edge(START, "look").compile()
    builder = StateGraph(State).add_node("child", child).add_node(look).add_edge(START, "child")
    graph = builder.add_edge("child", "look").compile(checkpointer=saver)
    place = {"thread_id": "t", "assistant_id": "a", "user_id": "u"}
    record.chunks("new", graph.stream({"path": []}, {"configurable": place}, stream_mode="tasks"))
    before = [state.config for state in graph.get_state_history({"configurable": {"thread_id": "t"}})]
    record.chunks("from before", graph.stream(None, before[1], stream_mode="tasks"))
    bare = builder.compile()
    place.update(checkpoint_id="c", checkpoint_ns="n", task_id="k", graph_id="g")
    record("bare", bare.invoke({"path": []}, {"configurable": place}))
