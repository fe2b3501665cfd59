"""Graphs called inside node functions, and as nodes."""

import operator
from typing import Annotated

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


class Inner(TypedDict):
    items: Annotated[list, operator.add]
    question: str


CONFIG = {"configurable": {"thread_id": "1"}}


def inner_graph(log, **options):
    def first(state):
        log.append("inner first")
        return {"items": ["first"]}

    def ask(state):
        log.append("inner ask")
        return {"items": [interrupt(state["question"])]}

    builder = StateGraph(Inner).add_node(first).add_node(ask)
    return builder.add_edge(START, "first").add_edge("first", "ask").compile(**options)


def program_called_in_a_node(record, saver):
    log = []
    inner = inner_graph(log)

    def outer(state):
        log.append("outer start")
        result = inner.invoke({"items": [], "question": "sure?"})
        log.append("outer end")
        return {"path": result["items"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("pause", graph.invoke({"path": ["in"]}, CONFIG))
    record("state", graph.get_state(CONFIG))
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))
    record("log", log)
    record("history", [(s.values, s.next, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_called_in_a_node_with_config(record, saver):
    log = []
    inner = inner_graph(log)

    def outer(state, config):
        return {"path": inner.invoke({"items": [], "question": "q"}, config)["items"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("pause", graph.invoke({"path": ["in"]}, CONFIG))
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))
    record("log", log)


def program_called_without_pause(record, any_saver):
    inner = StateGraph(Inner).add_node("n", lambda state: {"items": [1]}).add_edge(START, "n").compile()

    def outer(state):
        return {"path": inner.invoke({"items": [0]})["items"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=any_saver)
    record("once", graph.invoke({"path": []}, CONFIG))
    record("twice", graph.invoke({"path": []}, CONFIG))
    record("updates", list(graph.stream({"path": []}, CONFIG)))


def program_stream_inside_a_node(record, saver):
    inner = StateGraph(Inner).add_node("n", lambda state: {"items": [1]}).add_edge(START, "n").compile()

    def outer(state):
        return {"path": [str(chunk) for chunk in inner.stream({"items": [0]})]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))


def program_parent_asks_too(record, saver):
    log = []
    inner = inner_graph(log)

    def outer(state):
        log.append("outer")
        name = interrupt("outer question")
        result = inner.invoke({"items": [], "question": f"inner question for {name}"})
        last = interrupt("last question")
        return {"path": [name, *result["items"], last]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("1", graph.invoke({"path": []}, CONFIG))
    record("2", graph.invoke(Command(resume="ann"), CONFIG))
    record("3", graph.invoke(Command(resume="inner answer"), CONFIG))
    record("end", graph.invoke(Command(resume="bye"), CONFIG))
    record("log", log)


def program_called_in_a_loop(record, saver):
    log = []
    inner = inner_graph(log, checkpointer=False)

    def outer(state):
        return {"path": ["no pause in here"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("inner without any saver", inner.invoke({"items": [], "question": "q"}))


def program_as_a_node(record, saver):
    log = []

    class Shared(TypedDict):
        items: Annotated[list, operator.add]
        question: str

    inner = inner_graph(log)
    builder = (
        StateGraph(Shared).add_node("child", inner).add_node("after", lambda state: {"items": ["after"]})
    )
    graph = builder.add_edge(START, "child").add_edge("child", "after").compile(checkpointer=saver)
    record("pause", graph.invoke({"items": ["in"], "question": "q?"}, CONFIG))
    state = graph.get_state(CONFIG)
    record("state", (state.values, state.next, state.interrupts))
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))
    record("log", log)


def program_inner_has_its_own_saver_and_thread(record, saver):
    from langgraph.checkpoint.memory import InMemorySaver

    inner = (
        StateGraph(Inner).add_node("n", lambda state: {"items": [len(state["items"])]}).add_edge(START, "n")
    )
    inner = inner.compile(checkpointer=InMemorySaver())

    def outer(state):
        return {"path": inner.invoke({"items": []}, {"configurable": {"thread_id": "inner"}})["items"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("first", graph.invoke({"path": []}, CONFIG))
    record("second: it remembers", graph.invoke({"path": []}, CONFIG))


def program_error_inside(record, saver):
    def fail(state):
        raise KeyError("deep")

    inner = StateGraph(Inner).add_node(fail).add_edge(START, "fail").compile()

    def outer(state):
        try:
            inner.invoke({"items": []})
        except KeyError as error:
            return {"path": [f"caught {error}"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("caught by the caller", graph.invoke({"path": []}, CONFIG))
    direct = StateGraph(Inner).add_node("child", inner).add_edge(START, "child").compile(checkpointer=saver)
    record.error(
        "as a node", lambda: direct.invoke({"items": []}, {"configurable": {"thread_id": "2"}}), "deep"
    )


def program_retried_graphs(record, saver):
    def attempts_of(graph, seen):
        def fails_twice(state):
            seen.append(list(state["path"]))
            if len(seen) < 3:
                raise ConnectionError("not yet")
            return {"path": ["ok"]}

        graph.add_node("first", lambda state: {"path": ["first"]}).add_node(fails_twice)
        return graph.add_edge(START, "first").add_edge("first", "fails_twice")

    policy = RetryPolicy(max_attempts=4, initial_interval=0.001, jitter=False)
    for keeps in (None, True, False):
        for durability in ("async", "exit"):
            seen = []
            child = attempts_of(StateGraph(State), seen).compile(checkpointer=keeps)

            def calling(state, child=child):
                return {"path": child.invoke({"path": ["called"]})["path"]}

            for name, node in (("as a node", child), ("in a function", calling)):
                seen.clear()
                builder = (
                    StateGraph(State).add_node("node", node, retry_policy=policy).add_edge(START, "node")
                )
                graph = builder.compile(checkpointer=saver)
                result = graph.invoke({"path": ["in"]}, CONFIG, durability=durability)
                record(f"{name}, {keeps}, {durability}", (result, list(seen)))
                record("state", graph.get_state(CONFIG).values)
                saver.delete_thread("1")


def program_a_retried_graph_that_asks(record, saver):
    attempts = []

    def ask(state):
        attempts.append(1)
        if len(attempts) < 2:
            raise ConnectionError("not yet")
        return {"path": [interrupt("q")]}

    child = StateGraph(State).add_node("first", lambda state: {"path": ["first"]}).add_node(ask)
    child = child.add_edge(START, "first").add_edge("first", "ask").compile()
    policy = RetryPolicy(max_attempts=4, initial_interval=0.001, jitter=False)
    graph = StateGraph(State).add_node("child", child, retry_policy=policy).add_edge(START, "child")
    graph = graph.compile(checkpointer=saver)
    record("asked", graph.invoke({"path": ["in"]}, CONFIG))
    record("below", graph.get_state(CONFIG, subgraphs=True).tasks[0].state.values)
    record("answered", graph.invoke(Command(resume="yes"), CONFIG))
