"""Compiled graphs as nodes: state, savers, namespaces, streams, parent commands."""

import operator
from typing import Annotated, Literal

from langgraph.errors import ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
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


def program_update_the_parent_of_a_stateful_child(record, saver):
    for gate in ({"interrupt_before": ["two"]}, {"question": "sure?"}):
        graph = parent(child(checkpointer=True, **gate), saver)
        config = {"configurable": {"thread_id": str(gate)}}
        record("stops", graph.invoke({"path": ["in"]}, config))
        for edit in ("one edit", "another"):
            graph.update_state(config, {"path": [edit]})
        record("goes on", graph.invoke(None, config))
        if "question" in gate:
            record("answered", graph.invoke(Command(resume="yes"), config))
        record("again", graph.invoke({"path": ["next"]}, config))


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


def program_saver_none_starts_afresh(record, saver):
    graph = parent(child(), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second", graph.invoke({"path": []}, CONFIG))


def program_saver_true_accumulates(record, saver):
    graph = parent(child(checkpointer=True), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second", graph.invoke({"path": []}, CONFIG))
    record("third", graph.invoke({"path": []}, CONFIG))
    record("other thread", graph.invoke({"path": []}, {"configurable": {"thread_id": "2"}}))


def program_saver_true_with_question(record, saver):
    graph = parent(child(checkpointer=True, question="q"), saver)
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG, subgraphs=True))
    record("task state", [task.state for task in graph.get_state(CONFIG).tasks])
    record("resume", graph.invoke(Command(resume="1"), CONFIG))
    record("history", [(s.next, [task.state for task in s.tasks]) for s in graph.get_state_history(CONFIG)])
    record("again", graph.invoke({"path": []}, CONFIG))
    record("resume", graph.invoke(Command(resume="2"), CONFIG))


def program_saver_false(record, saver):
    graph = parent(child(checkpointer=False), saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    asking = parent(child(checkpointer=False, question="q"), saver)
    config = {"configurable": {"thread_id": "2"}}
    record("pause", asking.invoke({"path": []}, config))
    record("state", asking.get_state(config))
    record("resume", asking.invoke(Command(resume="yes"), config))


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


def program_parent_command(record, any_saver):
    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node("write", lambda state: {"path": ["dropped"]}).add_node(leave)
    inner = inner.add_edge(START, "write").add_edge("write", "leave").compile()
    builder = (
        StateGraph(State)
        .add_node("child", inner, destinations=("other",))
        .add_node("other", lambda state: {"path": ["other"]})
    )
    graph = builder.add_edge(START, "child").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": ["in"]}, CONFIG))
    record("updates", list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}})))


def program_parent_command_from_a_function(record, any_saver):
    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    log = []

    def caller(state):
        log.append("before")
        inner.invoke({"path": []})
        log.append("never")

    builder = StateGraph(State).add_node(caller).add_node("other", lambda state: {"path": ["other"]})
    graph = builder.add_edge(START, "caller").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("log", log)


def program_parent_command_without_parent(record):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: Command(graph=Command.PARENT, goto="x"))
        .add_edge(START, "a")
        .compile()
    )
    try:
        graph.invoke({"path": []})
    except ParentCommand as error:
        record("goto", error.args[0].goto)


def program_parent_command_two_levels(record):
    def leave(state):
        return Command(graph=Command.PARENT, goto="near", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    middle = (
        StateGraph(State)
        .add_node("inner", inner)
        .add_node("near", lambda state: {"path": ["near"]})
        .add_edge(START, "inner")
        .compile()
    )
    graph = StateGraph(State).add_node("middle", middle).add_edge(START, "middle").compile()
    record("the nearest parent takes it", graph.invoke({"path": ["in"]}))


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


def program_called_twice_in_a_node(record, saver):
    inner = child()

    def caller(state):
        return {
            "path": inner.invoke({"path": [], "own": []})["path"]
            + inner.invoke({"path": [], "own": []})["path"]
        }

    graph = StateGraph(State).add_node(caller).add_edge(START, "caller").compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record.chunks(
        "namespaces", graph.stream({"path": []}, {"configurable": {"thread_id": "2"}}, subgraphs=True)
    )


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


def program_replay_a_parent(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": []}, CONFIG)
    record("first", graph.invoke(Command(resume="one"), CONFIG))
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("child",))
    record("asks again", graph.invoke(None, old.config))
    record("second", graph.invoke(Command(resume="two"), CONFIG))
    record("steps", [(s.next, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_replay_stateful_child(record, saver):
    graph = parent(child(checkpointer=True), saver)
    for _ in range(3):
        graph.invoke({"path": []}, CONFIG)
    history = [s for s in graph.get_state_history(CONFIG) if s.next == ("child",)]
    record("now", graph.get_state(CONFIG).values)
    record("replay the second run", graph.invoke(None, history[1].config))
    record("replay the first run", graph.invoke(None, history[2].config))


def program_child_checkpoint_as_starting_point(record, saver):
    graph = parent(child(question="sure?"), saver)
    graph.invoke({"path": []}, CONFIG)
    inner = graph.get_state(CONFIG).tasks[0].state
    history = list(graph.get_state_history(inner))
    record("child steps", [(s.next, s.metadata["step"], s.config) for s in history])
    start = next(s for s in history if s.next == ("one",))
    record("from inside the child", graph.invoke(None, start.config))
    record("answer", graph.invoke(Command(resume="ok"), CONFIG))


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


def program_stateful_children_answered_one_by_one(record, saver):
    class Asked(TypedDict):
        number: int

    class Told(TypedDict):
        path: Annotated[list, operator.add]

    class Both(Asked, Told):
        own: Annotated[list, operator.add]

    def build_child(label):
        def ask(state):
            return {"path": [f"{label}:{interrupt(label)}:{len(state['own'])}"], "own": ["was here"]}

        builder = (
            StateGraph(Both, input_schema=Asked, output_schema=Told).add_node(ask).add_edge(START, "ask")
        )
        return builder.compile(checkpointer=True)

    class Whole(Told):
        number: int

    for order in (["a", "b", "a"], ["b", "a", "a"]):
        builder = StateGraph(Whole).add_node("a", build_child("a")).add_node("b", build_child("b"))
        builder.add_edge(START, "a").add_edge(START, "b").add_edge("b", "a")
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "".join(order)}}
        graph.invoke({"path": [], "number": 1}, config)
        for number, name in enumerate(order):
            ids = {question.value: question.id for question in graph.get_state(config).interrupts}
            result = graph.invoke(Command(resume={ids[name]: number}), config)
        record(f"answered {order}", result)


class Order(BaseModel):
    number: int


class Shop(TypedDict):
    order: Order
    path: Annotated[list, operator.add]


def shop():
    builder = StateGraph(Shop).add_node("take", lambda state: {"order": Order(number=len(state["path"]))})
    builder.add_node("ask", lambda state: {"path": [interrupt("send?"), state["order"].number]})
    return builder.add_edge(START, "take").add_edge("take", "ask").compile()


def program_models_in_the_state_of_called_graphs(record, saver):
    inner = shop()
    called = {
        "as a node": inner,
        "by a function": lambda state: {"path": inner.invoke({"path": []})["path"]},
        "two levels down": StateGraph(State).add_node("in", inner).add_edge(START, "in").compile(),
    }
    for name, action in called.items():
        config = {"configurable": {"thread_id": name}}
        builder = StateGraph(State).add_node("child", action).add_edge(START, "child")
        record(name, builder.compile(checkpointer=saver).invoke({"path": []}, config))
        again = builder.compile(checkpointer=saver)
        record("state", again.get_state(config, subgraphs=True).tasks[0].state.values)
        record("answer", again.invoke(Command(resume="yes"), config))


def program_models_sent_to_a_called_graph(record, saver):
    builder = StateGraph(State).add_node("child", shop())
    builder.add_conditional_edges(
        START, lambda state: [Send("child", {"order": Order(number=7), "path": []})]
    )
    graph = builder.compile(checkpointer=saver)
    record("asks", graph.invoke({"path": []}, CONFIG))
    record("answer", graph.invoke(Command(resume="yes"), CONFIG))


def program_a_saver_given_later(record, saver):
    builder = (
        StateGraph(Shop).add_node("take", lambda state: {"order": Order(number=3)}).add_edge(START, "take")
    )
    graph = builder.compile()
    graph.checkpointer = saver
    record("runs", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG).values)


class Holder:
    def __init__(self, held):
        self.held = held

    def node(self, state):
        return self.held.invoke(state)


def program_graphs_that_nodes_reach_by_attributes(record, saver):
    child = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("?")]})
    child = child.add_edge(START, "ask").compile()
    holder, deep, listed = Holder(child), Holder(Holder(child)), [child]

    def within(state):
        def inner():
            return holder.held.invoke(state)

        return inner()

    nodes = {
        "attribute": lambda state: holder.held.invoke(state),
        "two attributes": lambda state: deep.held.held.invoke(state),
        "within": within,
        "method": holder.node,
        "in a list": lambda state: listed[0].invoke(state),
        "no such": lambda state: (
            holder.held and deep.held.invoke(state) if False else {"path": [interrupt("?")]}
        ),
    }
    for name, node in nodes.items():
        graph = StateGraph(State).add_node("n", node).add_edge(START, "n").compile(checkpointer=saver)
        record(f"{name} found", [key for key, _ in graph.get_subgraphs()])
        config = {"configurable": {"thread_id": name}}
        graph.invoke({"path": []}, config)
        (task,) = graph.get_state(config, subgraphs=True).tasks
        record(f"{name} state", getattr(task.state, "values", None))


def program_reading_graphs_that_no_node_is_known_to_call(record, saver):
    child = StateGraph(State).add_node("ask", lambda state: {"path": ["asked", interrupt("?")]})
    children = [child.add_edge(START, "ask").compile()]
    builder = StateGraph(State).add_node("call", lambda state: children[0].invoke({"path": ["below"]}))
    graph = builder.add_edge(START, "call").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"path": []}, config)
    (task,) = graph.get_state(config).tasks
    below = {"configurable": {"thread_id": "1", "checkpoint_ns": f"call:{task.id}"}}
    state = graph.get_state(below)
    record("state", (state.values, state.metadata["step"]))
    record("history", [(s.values, s.metadata["step"]) for s in graph.get_state_history(below)])
    record.error(
        "no update", lambda: graph.update_state(below, {"path": ["changed"]}), "Subgraph call not found"
    )
    below["configurable"]["checkpoint_ns"] = f"call:{task.id}|ask:1"
    record.error("deeper", lambda: graph.update_state(below, {"path": ["no"]}), "Subgraph call|ask not found")
