"""Graphs that a node calls through LangChain's Runnables: what the called nodes are told, and who hears of them."""

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

OUTER = {
    "tags": ["outer"],
    "metadata": {"of_outer": 1},
    "configurable": {"set_outer": 1},
    "recursion_limit": 20,
}
GIVEN = {"tags": ["given"], "metadata": {"of_given": 2}}
PLACE = {"checkpoint_map", "checkpoint_id", "checkpoint_ns", "thread_id"}


class State(TypedDict, total=False):
    text: str
    count: int


class Listener(BaseCallbackHandler):
    """Notes what starts, and below what."""

    def __init__(self):
        self.names, self.heard = {}, []

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, **about):
        self.names[run_id] = about.get("name")
        self.heard.append((about.get("name"), self.names.get(parent_run_id), sorted(tags or ())))


def told(config):
    """What a config tells; its tags in no order."""
    settings = {key: value for key, value in config["configurable"].items() if key not in PLACE}
    return {
        "tags": sorted(config.get("tags") or ()),
        "metadata": {key: value for key, value in config["metadata"].items() if key.startswith("of_")},
        "configurable": {key: value for key, value in settings.items() if not key.startswith("__")},
        "limit": config.get("recursion_limit", "usual"),
    }


def telling(seen):
    def tell(state, config: RunnableConfig):
        seen.extend((told(config), told(get_config())))
        return {"text": state["text"] + "!"}

    def path(state, config: RunnableConfig):
        seen.append(told(config))
        return END

    builder = StateGraph(State).add_node("tell", tell).add_edge(START, "tell")
    return builder.add_conditional_edges("tell", path, [END]).compile(name="telling")


def wraps(inner):
    same = RunnableLambda(lambda state: state)
    calls = RunnableLambda(lambda state: inner.invoke(state))
    hands_on = RunnableLambda(lambda state, config: inner.invoke(state, config))
    return {
        "bare": inner,
        "bound": inner.with_config(configurable={"set_inner": 3}, **GIVEN),
        "chain": same | inner,
        "chain of bound": same | inner.with_config(configurable={"set_inner": 3}, **GIVEN),
        "bound chain": (same | inner).with_config(**GIVEN),
        "called": calls.with_config(run_name="calls", **GIVEN),
        "handed on": hands_on.with_config(run_name="hands on", **GIVEN),
        "retried": inner.with_retry(wait_exponential_jitter=False).with_config(tags=["given"]),
    }


def calling(wrapped):
    def call(state):
        return {"text": wrapped.invoke(state)["text"]}

    return StateGraph(State).add_node("call", call).add_edge(START, "call").compile()


def program_told(record):
    seen = []
    for config in ({}, OUTER):
        for name, wrapped in wraps(telling(seen)).items():
            calling(wrapped).invoke({"text": "a"}, config)
            record(name, seen)
            seen.clear()


def program_told_as_nodes(record):
    seen = []
    settings = {"configurable": {"set_inner": 3}}
    for name, wrapped in wraps(telling(seen)).items():
        for node in (wrapped, wrapped.with_config(settings)):
            graph = StateGraph(State).add_node("call", node).add_edge(START, "call").compile()
            graph.invoke({"text": "a"}, {**OUTER, "recursion_limit": 25})
            record(name, seen)
            seen.clear()


def program_heard(record):
    for name, wrapped in wraps(telling([])).items():
        listener = Listener()
        calling(wrapped).invoke({"text": "a"}, {**OUTER, "callbacks": [listener]})
        record(name, listener.heard)


def counting():
    builder = StateGraph(State).add_node("add", lambda state: {"count": state["count"] + 1})
    builder.add_edge(START, "add")
    builder.add_conditional_edges("add", lambda state: "add" if state["count"] < 40 else END, ["add", END])
    return builder.compile()


async def program_limits(record):
    """LangChain gives 25 to what it calls; a chain that is a node is none of its calls."""
    for name, wrapped in wraps(counting()).items():
        for config in ({}, {"recursion_limit": 50}):
            graph = StateGraph(State).add_node("call", wrapped).add_edge(START, "call").compile()
            for how, run in (("invoke", graph.invoke), ("ainvoke", graph.ainvoke)):
                try:
                    found = run({"count": 0}, config)
                    record(f"{name} {how}", found if isinstance(found, dict) else await found)
                except RecursionError as error:
                    record(f"{name} {how}", type(error).__name__)


def program_a_thread_of_its_own(record):
    """A Runnable's thread is that of the graph it calls; what that asks is the caller's business."""
    saver = InMemorySaver()
    child = StateGraph(State).add_node("ask", lambda state: {"text": interrupt("sure?")})
    child = child.add_edge(START, "ask").compile(checkpointer=saver)
    calls = RunnableLambda(lambda state: child.invoke(state))
    for name, wrapped in (("called", calls), ("chain", RunnablePassthrough() | child)):
        own = {"configurable": {"thread_id": name}}
        graph = calling(wrapped.with_config(own))
        record(name, graph.invoke({"text": "a"}))
        record("its state", child.get_state(own).next)
        record("answered", child.invoke(Command(resume="yes"), own))


def talking(name):
    def talk(state):
        said = GenericFakeChatModel(messages=iter([AIMessage("how are you", id="1")])).invoke("hi")
        return {"messages": [said, AIMessage("fine", id="2")]}

    return StateGraph(MessagesState).add_node("talk", talk).add_edge(START, "talk").compile(name=name)


def program_messages_of_one_named_like_its_node(record):
    """It is taken for the node: its messages are shown, though the node returns none."""
    for name in ("agent", "other"):
        child = talking(name)
        named = RunnableLambda(lambda state: {"messages": [AIMessage("r", id="3")]}, name=name)
        nodes = {
            "node": child,
            "called": lambda state, child=child: child.invoke({"messages": []}),
            "silent": lambda state, child=child: (child.invoke({"messages": []}), {})[1],
            "function": lambda state, named=named: (named.invoke(state), {})[1],
        }
        for kind, node in nodes.items():
            graph = StateGraph(MessagesState).add_node("agent", node).add_edge(START, "agent").compile()
            for below in (False, True):
                stream = graph.stream(
                    {"messages": []}, {"tags": ["t"]}, stream_mode="messages", subgraphs=below
                )
                record.chunks(f"{name} {kind} {below}", stream)
