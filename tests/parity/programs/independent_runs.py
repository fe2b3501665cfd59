"""Graphs that a node starts with a thread of their own: independent runs, and what they inherit."""

import operator
from typing import Annotated

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1", "user": "ann"}, "tags": ["outer"], "metadata": {"trip": 7}}
OWN = {"configurable": {"thread_id": "own"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def chain(saver, **nodes):
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder.compile(checkpointer=saver)


def look(state):
    config = get_config()
    get_stream_writer()("looked")
    seen = {key: config["configurable"].get(key) for key in ("thread_id", "user", "colour")}
    return {"path": [seen, config["tags"], config["metadata"].get("trip")]}


def ask(state):
    return {"path": [f"got {interrupt('inner?')}"]}


def brief(graph, config=CONFIG):
    return [
        (s.values.get("path"), s.next, s.metadata["source"], [i.value for i in s.interrupts])
        for s in graph.get_state_history(config)
    ]


def caller(child, given):
    def call(state, config: RunnableConfig):
        result = child.invoke({"path": []}, given(config))
        return {"path": ["paused" if "__interrupt__" in result else "done", *result["path"]]}

    return call


def program_own_thread(record, saver):
    for name, keeps in (("the same saver", saver), ("another saver", InMemorySaver()), ("none", None)):
        child = chain(keeps, look=look, ask=ask)
        graph = chain(saver, call=caller(child, lambda config: OWN), last=lambda state: {"path": ["last"]})
        saver.delete_thread("1")
        saver.delete_thread("own")
        record.chunks(
            name, graph.stream({"path": []}, CONFIG, stream_mode=["updates", "custom"], subgraphs=True)
        )
        record("history", brief(graph))
        if keeps is not None:
            record("the child's own", brief(child, OWN))
            record("answered by itself", child.invoke(Command(resume="yes"), OWN))


def program_other_configs(record, saver):
    given = {
        "nothing": lambda config: None,
        "no settings": lambda config: {"configurable": {}},
        "a setting": lambda config: {"configurable": {"colour": "red"}},
        "tags": lambda config: {"tags": ["inner"]},
        "the node's": lambda config: config,
        "the node's and a setting": lambda config: {
            **config,
            "configurable": {**config["configurable"], "colour": "red"},
        },
        "the node's with another thread": lambda config: {
            **config,
            "configurable": {**config["configurable"], "thread_id": "own"},
        },
    }
    for name, of in given.items():
        config = {**CONFIG, "configurable": {**CONFIG["configurable"], "thread_id": name}}
        graph = chain(saver, call=caller(chain(None, look=look, ask=ask), of))
        record.chunks(
            name, graph.stream({"path": []}, config, stream_mode=["updates", "custom"], subgraphs=True)
        )
        record("answer", graph.invoke(Command(resume="yes"), config))


def program_ask_in_one_node_and_answer_in_another(record, saver):
    child = chain(saver, ask=ask, after=lambda state: {"path": ["after"]})

    def start(state):
        return {"path": [i.value for i in child.invoke({"path": []}, OWN)["__interrupt__"]]}

    def finish(state):
        return {"path": child.invoke(Command(resume=interrupt("outer?")), OWN)["path"]}

    graph = chain(saver, start=start, finish=finish)
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("answer", graph.invoke(Command(resume="both"), CONFIG))
    record("histories", (brief(graph), brief(child, OWN)))


def program_look_at_the_own_thread(record, saver):
    child = chain(saver, ask=ask)

    def work(state):
        open_before = child.get_state(OWN).next
        result = child.invoke(Command(resume="later") if open_before else {"path": []}, OWN)
        return {"path": [list(open_before), *result["path"]]}

    graph = chain(saver, work=work)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second", graph.invoke({"path": []}, CONFIG))


def program_breakpoint_in_the_own_thread(record, saver):
    builder = StateGraph(State).add_node("one", lambda state: {"path": ["one"]})
    builder.add_node("two", lambda state: {"path": ["two"]}).add_edge(START, "one").add_edge("one", "two")
    child = builder.compile(checkpointer=saver, interrupt_before=["two"])
    graph = chain(
        saver,
        start=lambda state: {"path": child.invoke({"path": []}, OWN)["path"]},
        go_on=lambda state: {"path": child.invoke(None, OWN)["path"]},
    )
    record("result", graph.invoke({"path": []}, CONFIG))
    record("child", brief(child, OWN))


def program_what_is_not_inherited(record, saver):
    from langgraph.runtime import Runtime
    from langgraph.store.memory import InMemoryStore

    def see(state, runtime: Runtime):
        return {"path": [runtime.context, runtime.store is None]}

    child = chain(None, see=see)
    builder = StateGraph(State, context_schema=dict)
    builder.add_node("within", lambda state: {"path": child.invoke({"path": []})["path"]}).add_edge(
        START, "within"
    )
    builder.add_node("apart", lambda state: {"path": child.invoke({"path": []}, OWN)["path"]})
    graph = builder.add_edge("within", "apart").compile(checkpointer=saver, store=InMemoryStore())
    record("result", graph.invoke({"path": []}, CONFIG, context={"who": "ann"}))


def program_command_to_a_parent_that_is_none(record, saver):
    child = chain(None, leave=lambda state: Command(graph=Command.PARENT, goto="last"))
    graph = chain(saver, call=caller(child, lambda config: OWN), last=lambda state: {"path": ["last"]})
    record.error("apart", lambda: graph.invoke({"path": []}, CONFIG))
    graph = chain(saver, call=caller(child, lambda config: None), last=lambda state: {"path": ["last"]})
    record("within", graph.invoke({"path": []}, {"configurable": {"thread_id": "2"}}))


def program_stateful_child_with_a_thread(record, saver):
    child = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=True)
    graph = chain(saver, call=caller(child, lambda config: OWN))
    record.error("no graph calls it then", lambda: graph.invoke({"path": []}, CONFIG))


def program_child_with_a_saver_in_a_graph_without(record):
    child = chain(InMemorySaver(), ask=ask)
    graph = StateGraph(State).add_node("child", child).add_edge(START, "child").compile()
    record("pause", graph.invoke({"path": []}))
    record.error("answer", lambda: graph.invoke(Command(resume=1), CONFIG))
    graph = chain(None, call=caller(child, lambda config: OWN))
    record("apart", graph.invoke({"path": []}))
    record("the child can be answered", child.invoke(Command(resume=1), OWN))


async def program_own_thread_async(record, saver):
    child = chain(saver, ask=ask)

    async def call(state):
        result = await child.ainvoke({"path": []}, OWN)
        return {"path": [i.value for i in result["__interrupt__"]]}

    graph = chain(saver, call=call)
    record("result", await graph.ainvoke({"path": []}, CONFIG))
    record("child", (await child.aget_state(OWN)).next)
    record("answer", await child.ainvoke(Command(resume=1), OWN))
