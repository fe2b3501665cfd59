"""Runs that are stopped on their way: readers that leave, Ctrl-C, cancellation, siblings that fail; what is kept then."""

import asyncio
import operator
from threading import Event
from time import sleep
from typing import Annotated

from langgraph.errors import NodeInterrupt
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


def chain(saver, *nodes):
    builder = StateGraph(State)
    previous = START
    for node in nodes:
        builder.add_node(node.__name__, node).add_edge(previous, node.__name__)
        previous = node.__name__
    return builder.compile(checkpointer=saver)


def step(name, log):
    def node(state):
        log.append(name)
        return {"path": [name]}

    node.__name__ = name
    return node


def ask(state):
    return {"path": [interrupt("q")]}


def look(record, label, graph, log=()):
    state = graph.get_state(CONFIG)
    record(label, (state.values, state.next, [i.value for i in state.interrupts], list(log)))


def program_reader_leaves(record, saver):
    for durability in ("sync", "exit"):
        for count in (1, 2, 3):
            for mode in ("updates", "values", "debug"):
                saver.delete_thread("1")
                log = []
                graph = chain(saver, step("a", log), step("b", log), ask)
                stream = graph.stream({"path": []}, CONFIG, stream_mode=mode, durability=durability)
                for _ in range(count):
                    next(stream)
                stream.close()
                look(record, f"{durability} {mode} {count}", graph, log)
                record("go on", graph.invoke(None, CONFIG)["path"])


def program_reader_leaves_before_the_answer_is_used(record, saver):
    for durability in ("sync", "exit"):
        saver.delete_thread("1")
        log = []
        graph = chain(saver, ask, step("z", log))
        graph.invoke({"path": []}, CONFIG, durability=durability)
        stream = graph.stream(Command(resume="yes"), CONFIG, stream_mode="values", durability=durability)
        next(stream)
        stream.close()
        look(record, durability, graph, log)
        record("answered", graph.invoke(Command(resume="again"), CONFIG)["path"])


async def program_async_reader_leaves(record, saver):
    for durability in ("sync", "exit"):
        log = []
        graph = chain(saver, step("a", log), step("b", log), ask)
        config = {"configurable": {"thread_id": durability}}
        stream = graph.astream({"path": []}, config, stream_mode="updates", durability=durability)
        await anext(stream)
        await stream.aclose()
        state = await graph.aget_state(config)
        record(durability, (state.values, state.next, list(log)))
        record("go on", (await graph.ainvoke(None, config))["path"])


def program_ctrl_c(record, saver):
    for durability in ("sync", "exit"):
        saver.delete_thread("1")
        log = []

        def b(state, log=log):
            log.append("b")
            if log.count("b") == 1:
                raise KeyboardInterrupt
            return {"path": ["b"]}

        graph = chain(saver, ask, step("a", log), b)
        graph.invoke({"path": []}, CONFIG, durability=durability)
        try:
            graph.invoke(Command(resume="yes"), CONFIG, durability=durability)
        except KeyboardInterrupt:
            look(record, durability, graph, log)
        record("go on", graph.invoke(None, CONFIG)["path"])


async def program_cancelled(record, saver):
    for durability in ("sync", "exit"):
        log, waiting = [], asyncio.Event()

        async def b(state, log=log, waiting=waiting):
            log.append("b")
            if log.count("b") == 1:
                waiting.set()
                await asyncio.sleep(60)
            return {"path": ["b"]}

        graph = chain(saver, step("a", log), b, ask)
        config = {"configurable": {"thread_id": durability}}
        run = asyncio.create_task(graph.ainvoke({"path": []}, config, durability=durability))
        await waiting.wait()
        run.cancel()
        record(durability, type((await asyncio.gather(run, return_exceptions=True))[0]).__name__)
        state = await graph.aget_state(config)
        record("state", (state.values, state.next, list(log)))
        record("go on", (await graph.ainvoke(None, config))["path"])


async def program_cancelled_beside_a_question(record, saver):
    log, waiting = [], asyncio.Event()

    async def slow(state):
        log.append("slow")
        if log.count("slow") == 1:
            waiting.set()
            await asyncio.sleep(60)
        return {"path": ["slow"]}

    async def asks(state):
        return {"path": [interrupt("q")]}

    builder = StateGraph(State)
    for node in (asks, slow):
        builder.add_node(node).add_edge(START, node.__name__)
    graph = builder.compile(checkpointer=saver)
    run = asyncio.create_task(graph.ainvoke({"path": []}, CONFIG, durability="sync"))
    await waiting.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    state = await graph.aget_state(CONFIG)
    record("asked", (state.next, [question.value for question in state.interrupts]))
    record("answered", (await graph.ainvoke(Command(resume="yes"), CONFIG))["path"])


def program_siblings_of_a_failure(record, saver):
    for durability in ("sync", "exit"):
        saver.delete_thread("1")
        log, done = [], Event()

        def quick(state, log=log, done=done):
            answer = interrupt("q")
            log.append("quick")
            done.set()
            return {"path": [answer]}

        def fails(state, log=log, done=done):
            interrupt("then")
            done.wait(9)
            sleep(0.02)  # till the other's result is in
            log.append("fails")
            if log.count("fails") == 1:
                raise ValueError("first time")
            return {"path": ["fails"]}

        builder = StateGraph(State)
        for node in (quick, fails):
            builder.add_node(node).add_edge(START, node.__name__)
        graph = builder.compile(checkpointer=saver)
        asked = graph.invoke({"path": []}, CONFIG, durability=durability)["__interrupt__"]
        answers = {question.id: question.value for question in asked}
        record.error(
            durability,
            lambda graph=graph, a=answers, d=durability: graph.invoke(
                Command(resume=a), CONFIG, durability=d
            ),
            "first time",
        )
        state = graph.get_state(CONFIG)
        record("state", (state.values, state.next, list(log)))


def program_a_node_that_says_it_was_cancelled(record, saver):
    def cancels(state):
        raise asyncio.CancelledError

    graph = chain(saver, cancels)
    record.error("sync", lambda: graph.invoke({"path": []}, CONFIG), "raised asyncio.CancelledError")
    record("task", [task.error for task in graph.get_state(CONFIG).tasks])


def program_a_node_interrupt_takes_no_answer(record, saver):
    def stubborn(state):
        if "set" not in state["path"]:
            raise NodeInterrupt("set it")
        return {"path": ["done"]}

    graph = chain(saver, stubborn)
    graph.invoke({"path": []}, CONFIG)
    graph.invoke(Command(resume="no use"), CONFIG)
    look(record, "asked again", graph)
    record("set", graph.invoke(Command(update={"path": ["set"]}), CONFIG)["path"])


def program_failures_in_the_stream(record, saver):
    def slow(state):
        sleep(0.05)
        return {"path": ["slow"]}

    def fails(state):
        sleep(0.01)
        raise ValueError("first time")

    def fails_after_an_answer(state):
        raise ValueError(interrupt("q"))

    builder = (
        StateGraph(State).add_node(slow).add_node(fails).add_edge(START, "slow").add_edge(START, "fails")
    )
    record.chunks(
        "a sibling that ends later", builder.compile(checkpointer=saver).stream({"path": []}, CONFIG)
    )
    saver.delete_thread("1")
    child = chain(None, fails_after_an_answer)
    above = StateGraph(State).add_node("child", child).add_edge(START, "child").compile(checkpointer=saver)
    for name, graph in (("one level", chain(saver, fails_after_an_answer)), ("two levels", above)):
        graph.invoke({"path": []}, CONFIG)
        for given in (Command(resume="bad"), None):
            stream = graph.stream(given, CONFIG, stream_mode=["updates", "values"], subgraphs=True)
            record.chunks(name, stream)
        saver.delete_thread("1")
