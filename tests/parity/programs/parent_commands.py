"""Commands to the graph above."""

import operator
from typing import Annotated

from langgraph.errors import ParentCommand
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


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


def _handing_over(edges, saver=None, retry=None):
    """A child that hands over to `other`, below a node that has edges of its own."""

    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    builder = StateGraph(State).add_node("child", inner, retry_policy=retry).add_edge(START, "child")
    for name in ("other", "next", "sent"):
        builder.add_node(name, lambda state, name=name: {"path": [f"{name} after {len(state['path'])}"]})
    for edge in edges:
        edge(builder)
    return builder.compile(checkpointer=saver)


def program_parent_command_where_the_node_has_edges(record, any_saver):
    seen = []

    def path(state):
        seen.append([*state["path"]])
        return "next"

    kinds = {
        "edge": lambda builder: builder.add_edge("child", "next"),
        "path": lambda builder: builder.add_conditional_edges("child", path),
        "map": lambda builder: builder.add_conditional_edges("child", path, {"next": "sent"}),
        "sends": lambda builder: builder.add_conditional_edges(
            "child", lambda state: [Send("sent", state), "next"]
        ),
        "to the end": lambda builder: builder.add_conditional_edges("child", lambda state: END),
        "to the same": lambda builder: builder.add_conditional_edges("child", lambda state: "other"),
    }
    for which in [(kind,) for kind in kinds] + [("edge", "sends"), ("path", "sends")]:
        graph = _handing_over([kinds[kind] for kind in which], any_saver)
        config = {"configurable": {"thread_id": str(which)}}
        # Which of the nodes that start together ends first is a matter of threads; the state has their order.
        record(str(which), sorted(map(str, graph.stream({"path": ["in"]}, config))))
        record("the state", graph.invoke({"path": ["in"]}, {"configurable": {"thread_id": f"{which} again"}}))
    record("what paths saw", seen)


def program_parent_command_where_a_path_fails(record, saver):
    tries = []

    def path(state):
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError("not yet")
        return "next"

    graph = _handing_over([lambda builder: builder.add_conditional_edges("child", path)], saver)
    for _ in range(3):
        try:
            record("ended", graph.invoke({"path": ["in"]}, CONFIG))
        except ConnectionError as error:
            record("failed", error)


async def program_parent_command_where_the_node_has_edges_async(record):
    def path(state):
        return ["next", Send("sent", state)]

    graph = _handing_over([lambda builder: builder.add_conditional_edges("child", path)])
    record("updates", sorted([str(chunk) async for chunk in graph.astream({"path": ["in"]})]))
    record("the state", await graph.ainvoke({"path": ["in"]}))


def program_parent_command_of_a_graph_that_a_function_calls(record, saver):
    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    builder = StateGraph(State).add_node("child", lambda state: inner.invoke(state)).add_edge(START, "child")
    for name in ("other", "next"):
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    graph = builder.add_conditional_edges("child", lambda state: "next").compile(checkpointer=saver)
    chunks = list(graph.stream({"path": ["in"]}, CONFIG, stream_mode=["updates", "tasks"]))
    record("before the two that start together", chunks[:-4])
    record("how these end", sorted(str(chunk) for mode, chunk in chunks[-4:] if mode == "updates"))
    record("history", [(one.values, one.next) for one in graph.get_state_history(CONFIG)])


class Remembering(TypedDict):
    question: str
    seen: Annotated[list, operator.add]


def leaves(state):
    if "ask" in state["question"]:
        interrupt(state["question"])
    if "out" in state["question"]:
        return Command(graph=Command.PARENT, goto="z", update={"path": [f"left with {state['seen']}"]})
    return {"seen": ["stayed"]}


def remembering():
    builder = StateGraph(Remembering).add_node("note", lambda state: {"seen": [state["question"]]})
    builder.add_node("leave", leaves)
    return builder.add_edge(START, "note").add_edge("note", "leave").compile(checkpointer=True)


def caller(shape, saver):
    child = remembering()
    node = {
        "a node": child,
        "called": lambda state: {"path": child.invoke({"question": state["question"]})["seen"][-1:]},
    }[shape]
    builder = StateGraph(Asked).add_node("c", node, destinations=("z",))
    builder.add_node("z", lambda state: {"path": ["z"]})
    return builder.add_edge(START, "c").compile(checkpointer=saver)


class Asked(TypedDict):
    question: str
    path: Annotated[list, operator.add]


def program_what_a_graph_remembers_that_hands_over(record, saver):
    for durability in ("sync", "async", "exit"):
        for shape in ("a node", "called"):
            graph, thread = caller(shape, saver), f"{durability} {shape}"
            config = {"configurable": {"thread_id": thread}}
            for question in ("one out", "two", "three out", "ask out", "five"):
                graph.invoke({"question": question}, config, durability=durability)
                if graph.get_state(config).interrupts:
                    graph.invoke(Command(resume="yes"), config, durability=durability)
                record(f"{thread} {question}", graph.get_state(config).values["path"])
            if shape == "a node":
                own = graph.get_state({"configurable": {"thread_id": thread, "checkpoint_ns": "c"}})
                record(f"{thread} own", (own.values, own.next, own.interrupts))
