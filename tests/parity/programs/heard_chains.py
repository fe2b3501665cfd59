"""Chains of LangChain's Runnables as nodes, and who listens: to their steps, and to no chain around them."""

import re
from contextlib import redirect_stdout
from io import StringIO

from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.globals import set_debug
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    text: str
    said: str


class Listener(BaseCallbackHandler):
    """Notes what starts and ends, below what, and with which tags."""

    def __init__(self):
        self.names, self.heard = {}, []

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, **about):
        self.names[run_id] = about.get("name")
        self.heard.append(
            ("start", about.get("name"), self.names.get(parent_run_id), sorted(tags or ()), inputs)
        )

    def on_chain_end(self, outputs, *, run_id, **about):
        self.heard.append(("end", self.names[run_id], outputs))

    def on_chain_error(self, error, *, run_id, **about):
        self.heard.append(("error", self.names[run_id], type(error).__name__))


def pick(state):
    return state["text"]


def shout(text):
    return {"said": text.upper()}


def answered(text):
    return {"said": text + interrupt("what else?")}


def chained(*steps, **options):
    chain = RunnableLambda(pick)
    for step in steps:
        chain = chain | step
    builder = StateGraph(State).add_node("chain", chain).add_node("after", lambda state: {"text": "b"})
    builder.add_edge(START, "chain").add_edge("after", END)
    builder.add_conditional_edges("chain", lambda state: "after" if state["said"] else END, ["after", END])
    return builder.compile(**options)


def model():
    return GenericFakeChatModel(messages=iter([AIMessage("how are you")]))


def parsed():
    return [lambda text: [("human", text)], model(), StrOutputParser(), RunnableLambda(shout)]


def events_of(event):
    data = {key: getattr(value, "content", value) for key, value in event["data"].items()}
    own = (event["event"], event["name"], sorted(event["tags"]), len(event["parent_ids"]))
    return (*own, data if event["event"] != "on_chat_model_start" else sorted(data))


async def program_events(record):
    record("plain", [events_of(e) async for e in chained(shout).astream_events({"text": "a"}, version="v2")])
    graph = chained(*parsed())
    heard = [events_of(e) async for e in graph.astream_events({"text": "a"}, version="v2")]
    record("of each", [e for e in heard if e[1] != "chain"])
    record("kinds", sorted({e[:2] for e in heard}))


async def in_parts(state):
    yield {"said": "one"}
    yield {"text": "two"}


async def program_events_of_one_runnable(record):
    """A Runnable that is a node alone is heard as a chain of one step is."""
    one = RunnableLambda(shouted)
    nodes = {
        "function": one,
        "generator": RunnableLambda(in_parts),
        "named": one.with_config(run_name="mine", tags=["own"]),
        "fallback": RunnableLambda(broken).with_fallbacks([one]),
        "asks": RunnableLambda(lambda state: {"said": interrupt("what?")}),
        "command": RunnableLambda(lambda state: Command(update={"said": "c"})),
        "nothing": RunnableLambda(lambda state: None),
    }
    for name, node in nodes.items():
        graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile(InMemorySaver())
        heard = graph.astream_events({"text": "a"}, CONFIG, version="v2")
        record(name, [events_of(event) async for event in heard])
        record(f"{name} awaited", await graph.ainvoke({"text": "b"}, {"configurable": {"thread_id": "2"}}))


def shouted(state):
    return shout(state["text"])


def broken(state):
    raise ValueError("no")


async def program_handlers(record):
    for name, steps in (("plain", [shout]), ("model", parsed())):
        listener = Listener()
        record(name, chained(*steps).invoke({"text": "a"}, {"callbacks": [listener]}))
        record("heard", [part[:4] for part in listener.heard])
    listener = Listener()
    record("awaited", await chained(shout).ainvoke({"text": "a"}, {"callbacks": [listener]}))
    record("heard", listener.heard)


def program_a_question_within(record):
    graph, listener = chained(answered, checkpointer=InMemorySaver()), Listener()
    config = {**CONFIG, "callbacks": [listener]}
    record("asked", [i.value for i in graph.invoke({"text": "a"}, config)["__interrupt__"]])
    record("answered", graph.invoke(Command(resume="b"), config))
    record("heard", [part[:2] for part in listener.heard])


async def program_a_question_within_awaited(record):
    graph = chained(answered, checkpointer=InMemorySaver())
    asked = [events_of(e)[:4] async for e in graph.astream_events({"text": "a"}, CONFIG, version="v2")]
    record("asked", asked)
    record("open", [task.interrupts[0].value for task in (await graph.aget_state(CONFIG)).tasks])
    record("answered", (await graph.ainvoke(Command(resume="b"), CONFIG)))


def program_errors_within(record):
    def fails(text):
        raise ValueError(text)

    listener = Listener()
    try:
        chained(fails).invoke({"text": "a"}, {"callbacks": [listener]})
    except ValueError as error:
        record("raised", str(error))
    record("heard", [part[:3] if part[0] == "error" else part[:2] for part in listener.heard])


async def program_messages_of_a_chain(record):
    """A stream of messages takes no node apart: it returns what it returns otherwise."""

    def kind(message):
        return {"said": f"{type(message).__name__}: {message.content}"}

    for graph in (chained(lambda text: [("human", text)], model(), kind) for _ in range(2)):
        heard = graph.astream({"text": "a"}, stream_mode=["updates", "messages"])
        record("messages", [part[1] if part[0] == "updates" else part[1][0].content async for part in heard])
    events = chained(lambda text: [("human", text)], model(), kind).astream_events(
        {"text": "a"}, version="v2"
    )
    ends = [event["data"]["output"] async for event in events if event["event"] == "on_chain_end"]
    record("events", ends[-1])


def routed(path):
    builder = StateGraph(State).add_node("first", lambda state: {"text": "b"})
    builder.add_node("second", lambda state: {"said": "c"}).add_edge("second", END)
    builder.add_edge(START, "first").add_conditional_edges("first", path, ["second"])
    return builder.compile()


async def program_paths(record):
    """A path function that is a Runnable tells of itself."""
    one = RunnableLambda(lambda state: "second", name="one")
    for path in (one, RunnableLambda(pick) | (lambda text: "second"), lambda state: "second"):
        events = routed(path).astream_events({"text": "a"}, version="v2")
        record("events", [events_of(event) async for event in events])
        listener = Listener()
        routed(path).invoke({"text": "a"}, {"callbacks": [listener]})
        record("heard", listener.heard)


def program_paths_that_fail(record):
    def fails(state):
        raise ValueError(state["text"])

    for path in (RunnableLambda(fails), RunnableLambda(lambda state: state) | fails):
        listener = Listener()
        try:
            routed(path).invoke({"text": "a"}, {"callbacks": [listener]})
        except ValueError as error:
            record("raised", str(error))
        record("heard", [part[:3] if part[0] == "error" else part[:2] for part in listener.heard])


async def program_graphs_that_nodes_call_without_waiting(record):
    """What is called in a sync way yields nothing on the way."""

    def same(state):
        return {"text": state["text"]}

    chain = RunnableLambda(pick, name="pick") | (lambda text: {"text": text})
    for inner in (same, RunnableLambda(same), chain):
        called = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
        for call in (called.invoke, lambda state, graph=called: [*graph.stream(state)][0]["inner"]):
            for node in (call, RunnableLambda(call, name="call")):
                graph = StateGraph(State).add_node("outer", node).add_edge(START, "outer").compile()
                events = graph.astream_events({"text": "a"}, version="v2")
                record("events", [events_of(event) async for event in events])


async def program_a_graph_that_is_called_with_listeners_of_its_own(record):
    """Who hears the node hears the graph that it calls too, beside those that the call names."""
    inner = StateGraph(State).add_node("inner", lambda state: {"said": "i"}).add_edge(START, "inner")
    called = inner.compile(name="called")
    for label in ("list", "manager", "none", "empty", "same", "handed on"):
        own, outer = Listener(), Listener()
        given = {
            "list": lambda config, own=own: [own],
            "manager": lambda config, own=own: CallbackManager([own], [own]),
            "none": lambda config: None,
            "empty": lambda config: [],
            "same": lambda config, outer=outer: [outer],
            "handed on": lambda config: config["callbacks"],
        }[label]

        def call(state, config: RunnableConfig, given=given):
            return called.invoke(state, {"callbacks": given(config)})

        async def acall(state, config: RunnableConfig, given=given):
            return await called.ainvoke(state, {"callbacks": given(config)})

        for node in (call, acall):
            graph = StateGraph(State).add_node("calls", node).add_edge(START, "calls").compile(name="calling")
            await graph.ainvoke({"text": "a"}, {"callbacks": [outer], "tags": ["t"]})
        record(f"{label} own", [part[:4] for part in own.heard if part[0] == "start"])
        record(f"{label} outer", [part[:4] for part in outer.heard if part[0] == "start"])


def program_what_set_debug_shows(record, saver):
    """LangChain's console hears a graph that no config names it to, from the outside in."""
    builder = StateGraph(State).add_node("say", RunnableLambda(lambda state: {"said": "hi"}, name="inner"))
    graph = builder.add_edge(START, "say").compile(checkpointer=saver)
    printed = StringIO()
    set_debug(True)
    try:
        with redirect_stdout(printed):
            graph.invoke({"text": "a"}, CONFIG)
    finally:
        set_debug(False)
    record("headings", re.findall(r"\[chain/\w+\].*?\[([^]]+)\]", printed.getvalue().replace("\x1b", "")))
    with redirect_stdout(StringIO()) as quiet:
        graph.invoke({"text": "a"}, CONFIG)
    record("and no more", quiet.getvalue())
