"""Configs that are bound to a graph, given with a call, and found around it: who hears, and what is told."""

import operator
from typing import Annotated

from langchain_core.callbacks import BaseCallbackHandler, CallbackManager
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


class Notes(BaseCallbackHandler):
    """Notes in `told` the chains that it hears of."""

    def __init__(self, name, told):
        self.name, self.told = name, told

    def on_chain_start(self, serialized, inputs, *, name=None, tags=None, metadata=None, **_):
        versions = (metadata or {}).get("lc_versions")
        self.told.append((self.name, name, sorted(tags or ()), (metadata or {}).get("trip"), versions))


def one(node, name="node", **options):
    return StateGraph(State).add_node(name, node).add_edge(START, name).compile(**options)


def nothing(state):
    return None


def managed(*handlers):
    return CallbackManager(list(handlers), list(handlers))


async def program_handlers_bound_and_given(record, saver):
    """Both hear, whether they come as lists or as managers, and however the graph is run."""
    told = []
    bound, given = Notes("bound", told), Notes("given", told)
    kinds = {
        "lists": ([bound], [given]),
        "a manager bound": (managed(bound), [given]),
        "a manager given": ([bound], managed(given)),
        "managers": (managed(bound), managed(given)),
        "the same": ([bound], [bound]),
        "an empty list": ([bound], []),
        "none given": ([bound], None),
    }
    for kind, (ours, theirs) in kinds.items():
        graph = one(nothing).with_config({"callbacks": ours})
        config = {"callbacks": theirs}
        graph.invoke({"path": []}, config)
        list(graph.stream({"path": []}, config))
        await graph.ainvoke({"path": []}, config)
        async for _ in graph.astream_events({"path": []}, config, version="v2"):
            pass
        record(kind, sorted(map(repr, told)))
        told.clear()
    one(nothing).with_config(callbacks=[bound]).with_config(callbacks=[given]).invoke({"path": []})
    record("bound one after the other", sorted(map(repr, told)))


def program_tags_and_metadata_bound_and_given(record, saver):
    told = []
    graph = one(nothing).with_config(
        tags=["a", "b"], metadata={"trip": 1, "lc_versions": {"mine": "1", "both": "1"}}
    )
    graph = graph.with_config(tags=["b"], callbacks=[Notes("notes", told)])
    graph.invoke({"path": []}, {"tags": ["a", "c"], "metadata": {"lc_versions": {"both": "2"}}})
    record("with a call", sorted(map(repr, told)))
    told.clear()
    graph.invoke({"path": []}, {"metadata": {"trip": 2, "lc_versions": "2"}})
    record("versions that are text", sorted(map(repr, told)))


def program_handlers_around_a_bound_graph(record, saver):
    """In a Runnable, in a node and in a chain: those around, those bound and those given."""
    told = []
    around, bound, given = (Notes(name, told) for name in ("around", "bound", "given"))
    graph = one(nothing).with_config({"callbacks": [bound], "tags": ["bound"]})
    config: RunnableConfig = {"callbacks": [around], "tags": ["around"], "metadata": {"trip": 3}}
    calls = {
        "nothing given": lambda own: graph.invoke({"path": []}),
        "handlers given": lambda own: graph.invoke({"path": []}, {"callbacks": [given], "tags": ["around"]}),
        "handed on": lambda own: graph.invoke({"path": []}, own),
        "handed on with tags": lambda own: graph.invoke({"path": []}, {**own, "tags": ["around", "more"]}),
    }
    for label, call in calls.items():

        def node(state, config: RunnableConfig, call=call):
            call(config)

        RunnableLambda(node).invoke({}, config)
        record(f"in a Runnable, {label}", sorted(map(repr, told)))
        told.clear()
        one(node).invoke({"path": []}, config)
        record(f"in a node, {label}", sorted(map(repr, told)))
        told.clear()
    (RunnableLambda(lambda state: state) | graph).invoke({"path": []}, config)
    record("in a chain", sorted(map(repr, told)))


def speak(state):
    return {"messages": [GenericFakeChatModel(messages=iter(["two words"])).invoke("hi")]}


def talks(node, name):
    return StateGraph(MessagesState).add_node(name, node).add_edge(START, name).compile()


def told_by(graph, subgraphs):
    config = {"configurable": {"thread_id": "outer"}}
    chunks = graph.stream({"messages": []}, config, stream_mode=["messages", "updates"], subgraphs=subgraphs)
    return [
        (part[-2], [level.partition(":")[0] for level in part[0]] if subgraphs else None, part[-1][0].content)
        for part in chunks
        if part[-2] == "messages"
    ]


def program_messages_of_a_child_on_a_thread_of_its_own(record, saver):
    """They are streamed as those of a run of its own: to whoever streams that, or wants called graphs too."""
    child = talks(speak, "child")
    nested = talks(lambda state: child.invoke(state), "nested")
    own = {"configurable": {"thread_id": "own"}}
    for label, called in (("child", child), ("nested", nested)):
        for subgraphs in (False, True):

            def calling(state, config: RunnableConfig, called=called):
                called.invoke({"messages": []}, own)
                called.invoke({"messages": []}, {**config, **own})

            record(f"{label}, called, {subgraphs}", told_by(talks(calling, "calling"), subgraphs))

            def streaming(state, called=called):
                parts = called.stream({"messages": []}, own, stream_mode="messages")
                record(f"{label}, seen by its caller", [part[0].content for part in parts])

            record(f"{label}, streamed, {subgraphs}", told_by(talks(streaming, "streaming"), subgraphs))


def program_metadata_that_tell_the_thread(record, saver):
    """What the caller's metadata say stays; a child on another thread has them from the node."""
    told = []
    graph = one(lambda state, config: told.append(config["metadata"].get("thread_id")))
    there = {"configurable": {"thread_id": "1"}}
    graph.invoke({"path": []}, {**there, "metadata": {"thread_id": "said"}})
    graph.invoke({"path": []}, there)
    one(lambda state: graph.invoke(state, {"configurable": {"thread_id": "2"}})).invoke({"path": []}, there)
    outer = one(lambda state: graph.invoke(state, {"configurable": {"assistant_id": "a"}}))
    outer.invoke({"path": []}, {**there, "metadata": {"thread_id": "said"}})
    record("threads", told)
