"""Compiled graphs as nodes: state, namespaces, streams, several children."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


class Child(TypedDict):
    path: Annotated[list, operator.add]
    own: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


def child(checkpointer=None, question=None, name="child", **options):
    def one(state):
        return {"own": [f"{name} one"]}

    def two(state):
        answer = interrupt(question) if question else "no question"
        return {"own": [answer], "path": [f"{name}:{answer}:{len(state['own'])}"]}

    builder = StateGraph(Child, output_schema=Output).add_node("one", one).add_node("two", two)
    return (
        builder.add_edge(START, "one")
        .add_edge("one", "two")
        .compile(checkpointer=checkpointer, name=name, **options)
    )


class Output(TypedDict):
    path: Annotated[list, operator.add]


def parent(inner, saver, **options):
    class NoCarry(TypedDict):
        path: Annotated[list, lambda left, right: right if right[: len(left)] == left else left + right]

    builder = StateGraph(NoCarry).add_node("before", lambda state: {"path": ["before"]})
    builder.add_node("child", inner).add_node("after", lambda state: {"path": ["after"]})
    builder.add_edge(START, "before").add_edge("before", "child").add_edge("child", "after")
    return builder.compile(checkpointer=saver, **options)


def brief(graph, config=CONFIG):
    return [
        (s.values, s.next, s.metadata, s.config, [(t.name, t.result, t.interrupts, t.state) for t in s.tasks])
        for s in graph.get_state_history(config)
    ]


def program_plain_child(record, any_saver):
    graph = parent(child(), any_saver)
    record("result", graph.invoke({"path": ["in"]}, CONFIG))
    record("updates", list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}})))
    record(
        "values",
        list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "3"}}, stream_mode="values")),
    )


def program_stream_with_subgraphs(record, any_saver):
    for mode in ("updates", "values", "tasks", "custom", ["updates", "values"]):
        graph = parent(child(), any_saver)
        config = {"configurable": {"thread_id": str(mode)}}
        record.separate_run()
        record.chunks(str(mode), graph.stream({"path": ["in"]}, config, stream_mode=mode, subgraphs=True))


def program_stream_debug_with_subgraphs(record, saver):
    graph = parent(child(), saver)
    record.chunks("debug", graph.stream({"path": ["in"]}, CONFIG, stream_mode="debug", subgraphs=True))
    other = {"configurable": {"thread_id": "2"}}
    record.chunks(
        "checkpoints", graph.stream({"path": ["in"]}, other, stream_mode="checkpoints", subgraphs=True)
    )


def program_question_in_a_child(record, saver):
    graph = parent(child(question="sure?"), saver)
    record("pause", graph.invoke({"path": ["in"]}, CONFIG))
    record("state", graph.get_state(CONFIG))
    record("with subgraphs", graph.get_state(CONFIG, subgraphs=True))
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))
    record("done", graph.get_state(CONFIG, subgraphs=True))
    record("history", brief(graph))


def program_question_in_a_child_streams(record, saver):
    for subgraphs in (True, False):
        for mode in ("updates", "values", "debug"):
            graph = parent(child(question="sure?"), saver)
            config = {"configurable": {"thread_id": f"{mode}{subgraphs}"}}
            record.chunks(
                f"{mode} {subgraphs} pause",
                graph.stream({"path": []}, config, stream_mode=mode, subgraphs=subgraphs),
            )
            record.chunks(
                f"{mode} {subgraphs} resume",
                graph.stream(Command(resume="ok"), config, stream_mode=mode, subgraphs=subgraphs),
            )


def program_history_of_a_child(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    state = graph.get_state(CONFIG)
    inner = state.tasks[0].state
    record("child state", graph.get_state(inner))
    record("child history", list(graph.get_state_history(inner)))


def program_update_a_child(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    inner = graph.get_state(CONFIG).tasks[0].state
    record("config", graph.update_state(inner, {"own": ["edited"]}))
    record("child state", graph.get_state(CONFIG, subgraphs=True).tasks[0].state.values)
    record("go on", graph.invoke(None, CONFIG))
    record("answer", graph.invoke(Command(resume="yes"), CONFIG))


def program_update_a_child_and_answer(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(graph.get_state(CONFIG).tasks[0].state, {"own": ["edited"]})
    record("answered", graph.invoke(Command(resume="yes"), CONFIG))


def program_update_a_child_as_node(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    inner = graph.get_state(CONFIG, subgraphs=True).tasks[0].state.config
    graph.update_state(inner, {"path": ["by hand"]}, as_node="two")
    record("go on", graph.invoke(None, CONFIG))


def program_breakpoint_in_a_child(record, saver):
    graph = parent(child(interrupt_before=["two"]), saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    state = graph.get_state(CONFIG, subgraphs=True)
    record("next", (state.next, state.tasks[0].state.next))
    record("go on", graph.invoke(None, CONFIG))


def program_two_levels(record, saver):
    middle = (
        StateGraph(Child, output_schema=Output)
        .add_node("inner", child(question="deep?", name="inner"))
        .add_edge(START, "inner")
        .compile(name="middle")
    )
    graph = parent(middle, saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG, subgraphs=True))
    record.chunks("resume", graph.stream(Command(resume="yes"), CONFIG, subgraphs=True))


def program_two_children_with_questions(record, saver):
    class Both(TypedDict):
        path: Annotated[list, operator.add]

    builder = StateGraph(Both)
    builder.add_node("left", child(question="left?", name="left")).add_node(
        "right", child(question="right?", name="right")
    )
    graph = builder.add_edge(START, "left").add_edge(START, "right").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    state = graph.get_state(CONFIG)
    ids = {item.value: item.id for item in state.interrupts}
    record("asked", list(ids))
    record("left", graph.invoke(Command(resume={ids["left?"]: "L"}), CONFIG))
    record("right", graph.invoke(Command(resume={ids["right?"]: "R"}), CONFIG))


def program_children_in_sends(record, saver):
    class Item(TypedDict):
        item: str
        path: Annotated[list, operator.add]

    def work(state):
        return {"path": [f"{state['item']}:{interrupt(state['item'])}"]}

    inner = StateGraph(Item, output_schema=Output).add_node(work).add_edge(START, "work").compile()
    builder = StateGraph(State).add_node("worker", inner)
    builder.add_conditional_edges(
        START, lambda state: [Send("worker", {"item": item, "path": []}) for item in "xyz"]
    )
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    ids = {item.value: item.id for item in graph.get_state(CONFIG).interrupts}
    record("asked", list(ids))
    record("done", graph.invoke(Command(resume={ids[item]: item.upper() for item in ids}), CONFIG))


def program_same_child_twice(record, saver):
    inner = child(checkpointer=True)
    builder = (
        StateGraph(State)
        .add_node("first", inner)
        .add_node("second", inner)
        .add_edge(START, "first")
        .add_edge("first", "second")
    )
    graph = builder.compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("again", graph.invoke({"path": []}, CONFIG))


def program_namespaces_in_config(record, saver):
    seen = []

    def look(state, config):
        seen.append(
            (config["configurable"]["checkpoint_ns"], config["metadata"].get("langgraph_checkpoint_ns"))
        )

    inner = StateGraph(State).add_node(look).add_edge(START, "look").compile()
    middle = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile()
    graph = (
        StateGraph(State)
        .add_node("middle", middle)
        .add_node(look)
        .add_edge(START, "middle")
        .add_edge("middle", "look")
        .compile(checkpointer=saver)
    )
    graph.invoke({"path": []}, CONFIG)
    record("seen", seen)


def program_context_reaches_children(record):
    from langgraph.runtime import Runtime

    class Context(TypedDict):
        user: str

    def look(state, runtime: Runtime[Context]):
        return {"path": [runtime.context["user"]]}

    inner = StateGraph(State, context_schema=Context).add_node(look).add_edge(START, "look").compile()
    graph = (
        StateGraph(State, context_schema=Context).add_node("child", inner).add_edge(START, "child").compile()
    )
    record("result", graph.invoke({"path": []}, context={"user": "ann"}))


def program_get_subgraphs(record):
    inner = child()
    graph = parent(inner, None)
    record("names", [name for name, _ in graph.get_subgraphs()])
    record("is the child", dict(graph.get_subgraphs())["child"] is inner)


async def program_async_children(record, saver):
    graph = parent(child(question="sure?"), saver)
    record("pause", await graph.ainvoke({"path": []}, CONFIG))
    record("state", (await graph.aget_state(CONFIG, subgraphs=True)).tasks[0].state.values)
    await record.achunks("resume", graph.astream(Command(resume="yes"), CONFIG, subgraphs=True))


def program_error_in_a_child(record, saver):
    def fail(state):
        raise ValueError("in the child")

    inner = (
        StateGraph(State)
        .add_node("ok", lambda state: {"path": ["ok"]})
        .add_node(fail)
        .add_edge(START, "ok")
        .add_edge("ok", "fail")
        .compile()
    )
    graph = StateGraph(State).add_node("child", inner).add_edge(START, "child").compile(checkpointer=saver)
    record.error("error", lambda: graph.invoke({"path": []}, CONFIG), "in the child")
    record("state", graph.get_state(CONFIG, subgraphs=True))


def program_child_with_other_schema(record, any_saver):
    class Other(TypedDict):
        text: str

    inner = (
        StateGraph(Other)
        .add_node("up", lambda state: {"text": state["text"].upper()})
        .add_edge(START, "up")
        .compile()
    )

    def call(state):
        return {"path": [inner.invoke({"text": state["path"][0]})["text"]]}

    graph = StateGraph(State).add_node(call).add_edge(START, "call").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": ["hi"]}, CONFIG))
