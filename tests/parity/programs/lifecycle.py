"""Handlers that hear when a graph pauses and when it goes on."""

import operator
from typing import Annotated

from langgraph.callbacks import GraphCallbackHandler, GraphInterruptEvent, GraphResumeEvent
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    x: Annotated[list, operator.add]


class Handler(GraphCallbackHandler):
    def __init__(self):
        super().__init__()
        self.heard = []

    def on_interrupt(self, event):
        assert isinstance(event, GraphInterruptEvent)
        self.note("paused", event, sorted(asked.value for asked in event.interrupts))

    def on_resume(self, event):
        assert isinstance(event, GraphResumeEvent)
        self.note("goes on", event)

    def note(self, what, event, *more):
        levels = [level.partition(":")[0] for level in event.checkpoint_ns]
        self.heard.append(
            (what, event.status, levels, bool(event.checkpoint_id), event.run_id is not None, *more)
        )


class AsyncHandler(Handler):
    async def on_interrupt(self, event):
        self.note("paused", event)

    async def on_resume(self, event):
        self.note("goes on", event)


def ask(state):
    return {"x": [interrupt("first"), interrupt("second")]}


def plain(state):
    return {"x": ["plain"]}


def graphs(saver):
    child = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
    two = StateGraph(State).add_node("a", ask).add_node("b", ask).add_edge(START, "a").add_edge(START, "b")
    steps = (
        StateGraph(State).add_node("a", plain).add_node("b", plain).add_edge(START, "a").add_edge("a", "b")
    )
    yield "one", StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    yield "two", two.compile(checkpointer=saver)
    yield "child", StateGraph(State).add_node("c", child).add_edge(START, "c").compile(checkpointer=saver)
    called = StateGraph(State).add_node("c", lambda state: child.invoke(state)).add_edge(START, "c")
    yield "called", called.compile(checkpointer=saver)
    yield "before", steps.compile(checkpointer=saver, interrupt_before=["a", "b"])
    yield "after", steps.compile(checkpointer=saver, interrupt_after="*")
    yield "both", steps.compile(checkpointer=saver, interrupt_before=["a"], interrupt_after=["a"])


def following(graph, config):
    """How to go on from where the thread is; None when it has ended."""
    state = graph.get_state(config)
    if not state.next:
        return None
    return Command(resume={asked.id: "yes" for asked in state.interrupts}) if state.interrupts else ()


def program_pauses(record, saver):
    for name, graph in graphs(saver):
        handler = Handler()
        config = {"configurable": {"thread_id": name}, "callbacks": [handler]}
        graph.invoke({"x": []}, config)
        while (command := following(graph, config)) is not None:
            graph.invoke(command or None, config)
        record(name, handler.heard)
        list(graph.stream({"x": []}, config))
        record("again", handler.heard)


async def program_pauses_of_async_runs(record, saver):
    handlers = [AsyncHandler(), Handler()]
    config = {"configurable": {"thread_id": "1"}, "callbacks": handlers}
    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    await graph.ainvoke({"x": []}, config)
    for answer in "ab":
        await graph.ainvoke(Command(resume=answer), config)
    for handler in handlers:
        record("heard", handler.heard)


def program_a_handler_that_fails(record, saver):
    class Failing(GraphCallbackHandler):
        def on_interrupt(self, event):
            raise ValueError("no")

    config = {"configurable": {"thread_id": "1"}, "callbacks": [Failing()]}
    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    record("result", graph.invoke({"x": []}, config)["x"])
    Failing.raise_error = True
    record.error("raised", lambda: graph.invoke(Command(resume="a"), config), "no")
    record("still asked", [asked.value for asked in graph.get_state(config).interrupts])


def program_without_a_saver(record):
    handler = Handler()
    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
    graph.invoke({"x": []}, {"callbacks": [handler]})
    record("heard", handler.heard)
