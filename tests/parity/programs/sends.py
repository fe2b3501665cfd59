"""Send: map-reduce, order, state of its own, interrupts."""

import asyncio
import operator
from typing import Annotated, Any

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    items: list
    results: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


def brief(graph, config=CONFIG):
    return [
        (s.values, s.next, s.metadata, [(t.name, t.path, t.result, t.interrupts) for t in s.tasks])
        for s in graph.get_state_history(config)
    ]


def mapper(saver=None, worker=lambda state: {"results": [state["item"] * 10]}, after=True, **options):
    builder = StateGraph(State)
    builder.add_node("plan", lambda state: {"results": ["plan"]})
    builder.add_node("worker", worker)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges(
        "plan", lambda state: [Send("worker", {"item": item}) for item in state["items"]], ["worker"]
    )
    if after:
        builder.add_node("after", lambda state: {"results": ["after"]})
        builder.add_edge("worker", "after")
    return builder.compile(checkpointer=saver, **options)


def program_map_reduce(record, any_saver):
    graph = mapper(any_saver)
    record("result", graph.invoke({"items": [3, 1, 2]}, CONFIG))
    if any_saver:
        record("history", brief(graph))


def program_map_nothing(record, saver):
    graph = mapper(saver)
    record("result", graph.invoke({"items": []}, CONFIG))


def program_order_is_that_of_the_sends(record):
    import time

    def worker(state):
        time.sleep(0.01 * state["item"])
        return {"results": [state["item"]]}

    graph = mapper(None, worker, after=False)
    record("result", graph.invoke({"items": [3, 1, 2, 0]}))
    record("bounded", graph.invoke({"items": [3, 1, 2, 0]}, {"max_concurrency": 2}))


def program_max_concurrency(record):
    import threading
    import time

    running, highest, lock = [0], [0], threading.Lock()

    def worker(state):
        with lock:
            running[0] += 1
            highest[0] = max(highest[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1
        return {"results": [state["item"]]}

    graph = mapper(None, worker, after=False)
    record("result", graph.invoke({"items": list(range(6))}, {"max_concurrency": 2}))
    record("at most two", highest[0] <= 2)


def program_sends_mixed_with_names(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"results": ["a"]})
    builder.add_node("b", lambda state: {"results": [f"b:{state.get('items')}"]})
    builder.add_node("c", lambda state: {"results": ["c"]})
    builder.add_edge(START, "a")
    builder.add_conditional_edges(
        "a", lambda state: [Send("b", {"items": 1}), "c", Send("b", {"items": 2}), "b"]
    )
    graph = builder.compile(checkpointer=saver)
    record("result", graph.invoke({"items": [0]}, CONFIG))
    record("history", brief(graph))


def program_send_from_start(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("w", lambda state: {"results": [state["x"]]})
    builder.add_conditional_edges(START, lambda state: [Send("w", {"x": item}) for item in state["items"]])
    graph = builder.compile(checkpointer=any_saver)
    record("result", graph.invoke({"items": [1, 2]}, CONFIG))
    if any_saver:
        record("history", brief(graph))


def program_send_by_command(record, saver):
    builder = StateGraph(State)
    builder.add_node(
        "a",
        lambda state: Command(
            goto=[Send("w", {"x": 1}), Send("w", {"x": 2}), "b"], update={"results": ["a"]}
        ),
    )
    builder.add_node("w", lambda state: {"results": [state["x"]]})
    builder.add_node("b", lambda state: {"results": ["b"]})
    graph = builder.add_edge(START, "a").compile(checkpointer=saver)
    record("result", graph.invoke({"items": []}, CONFIG))
    record("history", brief(graph))
    record(
        "one",
        StateGraph(State)
        .add_node("a", lambda state: Command(goto=Send("w", {"x": 5})))
        .add_node("w", lambda state: {"results": [state["x"]]})
        .add_edge(START, "a")
        .compile()
        .invoke({"items": []}),
    )


def program_send_with_other_arguments(record):
    seen = []

    def worker(state):
        seen.append(state)
        return {"results": [str(state)]}

    builder = StateGraph(State).add_node("a", lambda state: None).add_node("w", worker)
    builder.add_edge(START, "a").add_conditional_edges(
        "a",
        lambda state: [
            Send("w", 1),
            Send("w", "text"),
            Send("w", None),
            Send("w", [1]),
            Send("w", {"items": [1], "zz": 2}),
        ],
    )
    record("result", builder.compile().invoke({"items": []}))
    record("seen", sorted(map(repr, seen)))


def program_send_streams(record, saver):
    graph = mapper(saver)
    record.bag("updates", graph.stream({"items": [1, 2]}, CONFIG))
    record(
        "values",
        list(graph.stream({"items": [1, 2]}, {"configurable": {"thread_id": "2"}}, stream_mode="values")),
    )
    record.bag(
        "tasks", graph.stream({"items": [1]}, {"configurable": {"thread_id": "3"}}, stream_mode="tasks")
    )
    record(
        "checkpoints",
        list(
            graph.stream({"items": [1, 2]}, {"configurable": {"thread_id": "4"}}, stream_mode="checkpoints")
        ),
    )


def program_interrupt_in_sends(record, saver):
    def worker(state):
        return {"results": [f"{state['item']}:{interrupt({'item': state['item']})}"]}

    graph = mapper(saver, worker)
    graph.invoke({"items": ["a", "b", "c"]}, CONFIG)
    state = graph.get_state(CONFIG)
    record("next", state.next)
    record("tasks", state.tasks)
    ids = {item.value["item"]: item.id for item in state.interrupts}
    record("asked", list(ids))
    some = graph.invoke(Command(resume={ids["b"]: "B"}), CONFIG)
    record("some", some["results"])
    record.bag("asked again", some["__interrupt__"])
    record("next", graph.get_state(CONFIG).next)
    record("rest", graph.invoke(Command(resume={ids["a"]: "A", ids["c"]: "C"}), CONFIG))
    record("history", brief(graph))


def program_breakpoint_before_sends(record, saver):
    graph = mapper(saver, interrupt_before=["worker"])
    record("pause", graph.invoke({"items": [1, 2]}, CONFIG))
    state = graph.get_state(CONFIG)
    record("state", (state.next, state.tasks))
    record("go on", graph.invoke(None, CONFIG))


def program_error_in_one_send(record, saver):
    attempts = []

    def worker(state):
        import time

        if state["item"] == 2 and not attempts:
            time.sleep(0.1)
            attempts.append(1)
            raise ValueError("two")
        return {"results": [state["item"]]}

    graph = mapper(saver, worker)
    record.error("error", lambda: graph.invoke({"items": [1, 2, 3]}, CONFIG), "two")
    state = graph.get_state(CONFIG)
    record("state", (state.values, state.next, [(t.name, t.error, t.result) for t in state.tasks]))
    record("again", graph.invoke(None, CONFIG))


def program_replay_sends(record, saver):
    calls = []

    def worker(state):
        calls.append(state["item"])
        return {"results": [state["item"]]}

    graph = mapper(saver, worker)
    graph.invoke({"items": [1, 2]}, CONFIG)
    calls.sort()
    old = next(s for s in graph.get_state_history(CONFIG) if s.next == ("worker", "worker"))
    record("replay", graph.invoke(None, old.config))
    record("count", len(calls))
    record("steps", [(s.next, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_sends_of_sends(record, any_saver):
    builder = StateGraph(State)
    builder.add_node(
        "split", lambda state: Command(goto=[Send("leaf", {"n": f"{state['n']}{i}"}) for i in range(2)])
    )
    builder.add_node("leaf", lambda state: {"results": [state["n"]]})
    builder.add_node(
        "root", lambda state: Command(goto=[Send("split", {"n": "a"}), Send("split", {"n": "b"})])
    )
    graph = builder.add_edge(START, "root").compile(checkpointer=any_saver)
    record("result", graph.invoke({"items": []}, CONFIG))


def program_send_values(record):
    record("equal", Send("a", {"x": 1}) == Send("a", {"x": 1}))
    record("unequal", Send("a", 1) == Send("b", 1))
    record("repr", repr(Command(goto=Send("2", 3))))
    record("hashable", len({Send("a", 1), Send("a", 1), Send("a", 2)}))


def program_private_send_state(record):
    class Worker(TypedDict):
        item: int
        extra: str

    def worker(state: Worker):
        return {"results": [(state["item"], sorted(state))]}

    builder = (
        StateGraph(State).add_node("a", lambda state: None).add_node("worker", worker).add_edge(START, "a")
    )
    builder.add_conditional_edges("a", lambda state: [Send("worker", {"item": 1, "extra": "e", "other": 2})])
    record("arguments are not narrowed", builder.compile().invoke({"items": []}))


def program_update_state_replaces_sends(record, saver):
    graph = mapper(saver, interrupt_before=["worker"])
    graph.invoke({"items": [1, 2]}, CONFIG)
    graph.update_state(CONFIG, {"items": [7, 8, 9]})
    state = graph.get_state(CONFIG)
    record("state", (state.values, state.next))
    record("go on", graph.invoke(None, CONFIG))


def program_goto_send_as_input(record, saver):
    graph = mapper(saver)
    graph.invoke({"items": []}, CONFIG)
    record("send", graph.invoke(Command(goto=Send("worker", {"item": 4})), CONFIG))
    record("history", brief(graph))


async def program_async_sends(record, any_saver):
    import asyncio

    async def worker(state):
        await asyncio.sleep(0.005 * state["item"])
        return {"results": [state["item"]]}

    graph = mapper(any_saver, worker)
    record("result", await graph.ainvoke({"items": [3, 1, 2]}, CONFIG))


def program_arguments_pass_as_they_are(record):
    class Model(BaseModel):
        x: int = 0
        kinds: Annotated[list, operator.add] = []

    class Other(BaseModel):
        x: int

    def by_annotation(state: Other):
        return {"kinds": [type(state).__name__]}

    def plain(state):
        return {"kinds": [type(state).__name__]}

    def to_all(state):
        return [
            Send(name, arg) for name in ("by_annotation", "plain") for arg in ({"x": 1}, Other(x=2), 3, None)
        ]

    builder = StateGraph(Model).add_node(by_annotation).add_node(plain)
    builder.add_conditional_edges(START, to_all, ["by_annotation", "plain"])
    record("a dict stays a dict", builder.compile().invoke({"x": 1}))


async def program_a_sends_timeout_outlasts_a_question(record, saver):
    async def slow(state):
        answer = interrupt("q")
        await asyncio.sleep(5)
        return {"results": [answer]}

    builder = (
        StateGraph(State).add_node("fan", lambda state: None).add_node("slow", slow).add_edge(START, "fan")
    )
    builder.add_conditional_edges("fan", lambda state: [Send("slow", {}, timeout=0.02)])
    graph = builder.compile(checkpointer=saver)
    record("paused", len((await graph.ainvoke({"items": []}, CONFIG))["__interrupt__"]))
    await record.aerror(
        "too slow", graph.ainvoke(Command(resume="a"), CONFIG), "exceeded its run timeout of 0.020s"
    )
