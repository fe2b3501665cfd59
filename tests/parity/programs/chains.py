"""Graphs among LangChain's Runnables: in chains, with fallbacks and retries, as tools; and Runnables inside graphs."""

import operator
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import (
    Runnable,
    RunnableBranch,
    RunnableConfig,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langchain_core.tracers.context import collect_runs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from typing_extensions import TypedDict


class State(TypedDict):
    text: str
    log: Annotated[list, operator.add]


def shouting(**options):
    return (
        StateGraph(State)
        .add_node("shout", lambda state: {"text": state["text"].upper(), "log": ["shout"]})
        .add_edge(START, "shout")
        .compile(**options)
    )


def broken(state):
    raise ValueError(state["text"])


def program_in_a_chain(record):
    graph = shouting()
    to_state = RunnableLambda(lambda text: {"text": text, "log": []})
    text_of = RunnableLambda(lambda state: state["text"])
    record("between two functions", (to_state | graph | text_of).invoke("a"))
    record("a dict in front", ({"text": text_of, "log": lambda _: []} | graph).invoke({"text": "b"}))
    record("a function behind", (graph | (lambda state: len(state["text"]))).invoke({"text": "abc"}))
    record("stream", list((graph | RunnableLambda(lambda chunk: chunk)).stream({"text": "c"})))
    record("batch", (to_state | graph | text_of).batch(["d", "e"]))
    record("pipe", graph.pipe(text_of, str.lower).invoke({"text": "F"}))


async def program_in_an_async_chain(record):
    graph = shouting(name="shouting")
    chain = RunnableLambda(lambda text: {"text": text, "log": []}) | graph
    record("ainvoke", await chain.ainvoke("a"))
    record("abatch", await chain.abatch(["b", "c"]))
    record(
        "events", [(event["event"], event["name"]) async for event in chain.astream_events("d", version="v2")]
    )


def program_counts_as_a_runnable(record):
    graph = shouting()
    record("is one", (isinstance(graph, Runnable), isinstance(ToolNode([]), Runnable), callable(graph)))
    record("parallel", RunnableParallel(a=graph, b=lambda state: 1).invoke({"text": "a"}))
    record("assign", RunnablePassthrough.assign(loud=graph).invoke({"text": "a"}))
    branch = RunnableBranch(
        (lambda state: state["text"] == "a", graph), RunnableLambda(lambda state: "other")
    )
    record("branch", [branch.invoke({"text": text}) for text in "ab"])
    record("returned by a function", RunnableLambda(lambda state: graph).invoke({"text": "a"}))


def program_methods_of_runnables(record):
    graph = shouting(name="shouting")
    given = {"text": "a"}
    record("pick", graph.pick("text").invoke(given))
    record("assign", graph.assign(size=lambda state: len(state["text"])).invoke(given))
    record("map", graph.map().invoke([given, given]))
    record("bind", graph.bind(output_keys="text").invoke(given))
    record("retry", graph.with_retry(stop_after_attempt=2).invoke(given))
    record("types", graph.with_types(input_type=dict).invoke(given))
    record("transform", list(graph.transform(iter([given]))))
    record("as completed", list(graph.batch_as_completed([given])))
    made = graph.as_tool(name="shout", description="Shouts.")
    record("tool", (made.name, made.description, made.invoke({"text": "b", "log": []})))
    ended = []
    graph.with_listeners(on_end=lambda run: ended.append(run.outputs)).invoke(given)
    record("listeners", ended)
    failing = StateGraph(State).add_node(broken).add_edge(START, "broken").compile()
    record("fallbacks", failing.with_fallbacks([graph]).invoke(given))
    record("names", (graph.get_name(), graph.get_name("Input"), graph.get_name(name="other")))


def program_batches(record):
    failing = StateGraph(State).add_node(broken).add_edge(START, "broken").compile()
    found = failing.batch([{"text": "a"}, {"text": "b"}], return_exceptions=True)
    record("errors in place", [(type(error).__name__, str(error)) for error in found])
    record.error("the first error", lambda: failing.batch([{"text": "a"}, {"text": "b"}]), "a")
    graph = shouting()
    record("none", graph.batch([]))
    record("one at a time", graph.batch([{"text": "a"}, {"text": "b"}], {"max_concurrency": 1}))
    record.error(
        "configs", lambda: graph.batch([{"text": "a"}], [{}, {}]), "config must be a list of the same length"
    )


async def program_async_batches(record):
    failing = StateGraph(State).add_node(broken).add_edge(START, "broken").compile()
    found = await failing.abatch([{"text": "a"}, {"text": "b"}], return_exceptions=True)
    record("errors in place", [(type(error).__name__, str(error)) for error in found])
    record("as completed", [done async for done in shouting().abatch_as_completed([{"text": "a"}])])


def program_schemas_of_graphs(record):
    graph = shouting(name="shouting")
    for model in (graph.get_input_schema(), graph.get_output_schema()):
        record(model.__name__, model.model_json_schema())
    record("input type", graph.InputType.__name__)
    whole = (
        StateGraph(Annotated[list, operator.add])
        .add_node("n", len)
        .add_edge(START, "n")
        .compile(name="whole")
    )
    record("one value", [whole.get_input_jsonschema(), whole.get_output_jsonschema()])


@tool
def divide(a: int, b: int) -> float:
    """Divide a by b."""
    return a / b


def excuse(state):
    calls = state["messages"][-1].tool_calls
    return {
        "messages": [
            ToolMessage(f"Error: {state['error']!r}", tool_call_id=call["id"], id="t") for call in calls
        ]
    }


async def program_tool_nodes_with_fallbacks(record):
    tools = ToolNode([divide], handle_tool_errors=False).with_fallbacks(
        [RunnableLambda(excuse)], exception_key="error"
    )
    graph = StateGraph(MessagesState).add_node("tools", tools).add_edge(START, "tools").compile()
    call = {"name": "divide", "args": {"a": 1, "b": 0}, "id": "c1"}
    asked = {"messages": [AIMessage("", id="a", tool_calls=[call])]}
    record("sync", graph.invoke(asked))
    record("async", await graph.ainvoke(asked))
    chain = RunnableLambda(lambda state: state) | ToolNode([divide], handle_tool_errors=True)
    graph = StateGraph(MessagesState).add_node("tools", chain).add_edge(START, "tools").compile()
    record("in a chain", graph.invoke(asked)["messages"][-1].content)
    tagged = ToolNode([divide], handle_tool_errors="failed").with_config(tags=["t"])
    graph = StateGraph(MessagesState).add_node("tools", tagged).add_edge(START, "tools").compile()
    record("with a config", graph.invoke(asked)["messages"][-1].content)


def program_nodes_that_return_runnables(record):
    inner = shouting()

    def returns_chain(state):
        return RunnableLambda(lambda state: {"log": ["chain got " + state["text"]]})

    def returns_graph(state):
        return inner

    builder = StateGraph(State).add_node(returns_chain).add_node(returns_graph)
    builder.add_edge(START, "returns_chain").add_edge("returns_chain", "returns_graph")
    record("invoked with the state", builder.compile().invoke({"text": "a", "log": []}))


def program_a_dict_of_functions_as_node(record):
    node: Any = {"text": lambda state: state["text"] * 2, "log": lambda state: ["dict"]}
    record(
        "parallel", StateGraph(State).add_node("n", node).add_edge(START, "n").compile().invoke({"text": "a"})
    )


def program_a_graph_in_a_chain_as_node(record):
    chain = (
        RunnableLambda(lambda state: {**state, "log": []}) | shouting() | (lambda state: {"log": ["after"]})
    )
    graph = StateGraph(State).add_node("n", chain).add_edge(START, "n").compile()
    record("stream", list(graph.stream({"text": "a", "log": ["in"]}, subgraphs=True)))


def program_callbacks_are_in_a_nodes_config(record):
    model = FakeListChatModel(responses=["hello"])
    told = []

    class Tell(BaseCallbackHandler):
        def on_chat_model_start(self, serialized, messages, **kwargs):
            told.append("model")

        def on_chain_start(self, serialized, inputs, *, name=None, tags=None, **kwargs):
            told.append((name, tags))

    def node(state, config):
        return {"log": [model.invoke("hi", {"callbacks": config["callbacks"]}).content]}

    graph = (
        StateGraph(State)
        .add_node(node)
        .add_edge(START, "node")
        .add_conditional_edges("node", lambda state: "__end__")
        .compile()
    )
    record("nobody listens", graph.invoke({"text": "a"}))
    record("somebody does", graph.invoke({"text": "a"}, {"callbacks": [Tell()], "tags": ["mine"]}))
    record("told", told)


def program_tracers_of_the_context(record):
    model = FakeListChatModel(responses=["hello"])

    def ask(state):
        return {"log": [model.invoke("hi").content]}

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(name="asking")
    with collect_runs() as collected:
        graph.invoke({"text": "a"})
    record("runs", [(run.name, run.run_type, run.tags) for run in collected.traced_runs])


def program_graphs_in_functions_of_a_chain_get_its_config(record):
    def seen(state: State, config: RunnableConfig):
        shown = {key: config["configurable"].get(key) for key in ("thread_id", "user", "own")}
        return {"text": str((shown, config.get("recursion_limit"), config.get("max_concurrency")))}

    graph = StateGraph(State).add_node(seen).add_edge(START, "seen").compile(checkpointer=InMemorySaver())
    outer = {"configurable": {"thread_id": "t", "user": "u"}, "recursion_limit": 9, "max_concurrency": 3}
    for name, called in (
        ("none", graph.invoke),
        ("own", lambda state: graph.invoke(state, {"configurable": {"thread_id": "own"}})),
        ("tags", lambda state: graph.invoke(state, {"tags": ["x"]})),
        ("preset", graph.with_config(configurable={"own": 1, "thread_id": "p"}).invoke),
    ):
        record(name, RunnableLambda(lambda state, called=called: called(state)).invoke({"text": ""}, outer))
    tool = graph.as_tool(name="seen", description="d", arg_types={"text": str})
    record("as a tool", tool.invoke({"text": ""}, outer))


def program_functions_of_a_chain_in_a_node_see_its_config(record):
    def look(_=None):
        config = get_config()
        shown = {key: config.get("configurable", {}).get(key) for key in ("thread_id", "user", "own")}
        return {**shown, "tags": config.get("tags"), "node": config.get("metadata", {}).get("langgraph_node")}

    chain = RunnableLambda(look).with_config(configurable={"own": 1}, tags=["chain"])

    @tool
    def seen(text: str) -> str:
        """Look at the config."""
        return str(look())

    def ask(state: State):
        record("node", look())
        record("chain", chain.invoke(1))
        record("chain with a config", chain.invoke(1, {"configurable": {"user": "own"}}))
        record("tool", seen.invoke({"text": ""}, {"tags": ["tool"]}))
        record("node again", look())

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=InMemorySaver())
    graph.invoke({"text": ""}, {"configurable": {"thread_id": "1", "user": "u"}, "tags": ["run"]})
    graph = StateGraph(State).add_node("a", chain | (lambda shown: {"text": str(shown)})).add_edge(START, "a")
    record("a chain as node", graph.compile().invoke({"text": ""}, {"configurable": {"user": "u"}}))
    record("outside of a graph", chain.invoke(1))
