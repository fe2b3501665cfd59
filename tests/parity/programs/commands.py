"""Nodes that return Command."""

import operator
from typing import Annotated, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list[str], operator.add]
    n: int


def program_update_and_goto(record, any_saver):
    def router(state) -> Command[Literal["b", "c"]]:
        return Command(update={"path": ["router"], "n": 7}, goto="c" if state["n"] else "b")

    builder = StateGraph(State)
    builder.add_node(router)
    builder.add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    graph = builder.add_edge(START, "router").compile(checkpointer=any_saver)
    for n in (0, 1):
        config = {"configurable": {"thread_id": str(n)}}
        record(f"{n}", graph.invoke({"path": [], "n": n}, config))
        if any_saver:
            record(
                f"{n} history",
                [(s.values, s.next, s.metadata, s.tasks) for s in graph.get_state_history(config)],
            )
    record("updates", list(graph.stream({"path": [], "n": 0}, {"configurable": {"thread_id": "u"}})))


def program_goto_adds_to_edges(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(goto="b", update={"path": ["a"]}))
    builder.add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    graph = builder.add_edge(START, "a").add_edge("a", "c").compile()
    record("both run", graph.invoke({"path": []}))


def program_goto_list_and_end(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(goto=["c", "b"], update={"path": ["a"]}))
    builder.add_node("b", lambda state: Command(goto=END, update={"path": ["b"]}))
    builder.add_node("c", lambda state: {"path": ["c"]})
    graph = builder.add_edge(START, "a").compile()
    record("list", list(graph.stream({"path": []}, stream_mode="values")))


def program_goto_alone_and_update_alone(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(goto="b"))
    builder.add_node("b", lambda state: Command(update={"path": ["b"]}))
    builder.add_node("c", lambda state: Command())
    graph = builder.add_edge(START, "a").add_edge("b", "c").compile()
    record("result", graph.invoke({"path": ["in"]}))
    record("updates", list(graph.stream({"path": ["in"]})))


def program_update_as_pairs(record):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: Command(update=[("path", ["1"]), ("path", ["2"]), ("n", 3)]))
    graph = builder.add_edge(START, "a").compile()
    record("result", graph.invoke({"path": []}))
    record("updates", list(graph.stream({"path": []})))


def program_list_of_commands(record):
    builder = StateGraph(State)
    builder.add_node(
        "a", lambda state: [Command(update={"path": ["1"]}, goto="b"), {"path": ["2"]}, Command(goto="c")]
    )
    builder.add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    graph = builder.add_edge(START, "a").compile()
    record("result", graph.invoke({"path": []}))
    record("updates", sorted(map(str, graph.stream({"path": []}))))


def program_loop_by_goto(record, any_saver):
    def work(state) -> Command[Literal["work", "__end__"]]:
        if state["n"] >= 3:
            return Command(goto=END, update={"path": ["done"]})
        return Command(goto="work", update={"n": state["n"] + 1, "path": ["w"]})

    graph = StateGraph(State).add_node(work).add_edge(START, "work").compile(checkpointer=any_saver)
    record(
        "values",
        list(graph.stream({"path": [], "n": 0}, {"configurable": {"thread_id": "1"}}, stream_mode="values")),
    )


def program_command_as_input(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("b", lambda state: {"path": ["b"]})
    graph = builder.add_edge(START, "a").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("first", graph.invoke({"path": ["in"]}, config))
    record("goto", graph.invoke(Command(goto="b"), config))
    record("update and goto", graph.invoke(Command(goto="b", update={"path": ["extra"], "n": 4}), config))
    record("history", [(s.values, s.next, s.metadata) for s in graph.get_state_history(config)])


def program_command_to_the_end_as_input(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_edge(START, "a")
    graph = builder.compile(checkpointer=saver, interrupt_before=["a"])
    config = {"configurable": {"thread_id": "1"}}
    record("stops", graph.invoke({"path": []}, config))
    record("goes on", graph.invoke(Command(goto=END), config))
    record("at the end", graph.invoke(Command(goto=END), config))


def program_command_as_first_input(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("b", lambda state: {"path": ["b"]})
    graph = builder.add_edge(START, "a").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record.error(
        "goto on a fresh thread", lambda: graph.invoke(Command(goto="b", update={"path": ["x"]}), config)
    )
    record("history", [(s.values, s.next, s.metadata) for s in graph.get_state_history(config)])


def program_command_values(record):
    import dataclasses

    command = Command(update={"a": 1}, goto="x")
    record("equal", command == Command(update={"a": 1}, goto="x"))
    record("unequal", command == Command(update={"a": 2}, goto="x"))
    record(
        "repr",
        [
            repr(command),
            repr(Command(resume=1)),
            repr(Command()),
            repr(Command(graph=Command.PARENT, goto=["a", "b"])),
        ],
    )
    record("replace", dataclasses.replace(command, goto="y"))
    record("parent", Command.PARENT)
    record.error("positional", lambda: Command("a"))
    record.error("frozen", lambda: setattr(command, "goto", "z"))


def program_command_from_async_twin(record):
    import asyncio

    async def a(state) -> Command[Literal["b"]]:
        return Command(update={"path": ["a"]}, goto="b")

    async def b(state):
        return {"path": ["b"]}

    graph = StateGraph(State).add_node(a).add_node(b).add_edge(START, "a").compile()
    record("result", asyncio.run(graph.ainvoke({"path": []})))


def program_update_with_model(record):
    from pydantic import BaseModel

    class Model(BaseModel):
        name: str = "x"
        n: int = 0

    builder = StateGraph(Model)
    builder.add_node("a", lambda state: Command(update=Model(n=4)))
    record("command with a model", builder.add_edge(START, "a").compile().invoke({"name": "given"}))


def program_command_that_nobody_above_takes(record, saver):
    from langgraph.errors import ParentCommand

    builder = StateGraph(State).add_node(
        "leaf", lambda state: Command(graph=Command.PARENT, goto="x", update={"path": ["leaf"]})
    )
    graph = builder.add_edge(START, "leaf").compile(checkpointer=saver)
    for label in ("sync", "again"):
        try:
            graph.invoke({"path": []}, {"configurable": {"thread_id": "1"}})
        except ParentCommand as up:
            record(label, (up.args, up.args[0].graph))


def program_command_that_starts_a_thread(record, saver):
    from langgraph.types import Send

    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("b", lambda state: {"path": ["b"]}).add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    send = Send("b", {"path": []})
    commands = (
        Command(goto="b"),
        Command(goto=send),
        Command(goto=send, update={"path": ["u"]}),
        Command(goto=[send, "b"]),
    )
    for turn, command in enumerate(commands):
        config = {"configurable": {"thread_id": str(turn)}}
        record(f"{turn} result", graph.invoke(command, config))
        record(f"{turn} history", [(s.next, s.values, s.metadata) for s in graph.get_state_history(config)])
        record(f"{turn} finished", graph.invoke(command, config))
        record(f"{turn} not saved", builder.compile().invoke(command))


def program_declared_ways_to_no_node(record):
    def annotated(state) -> Command[Literal["missing"]]:
        return Command(goto=END)

    def to_the_end(state) -> Command[Literal["__end__"]]:
        return Command(goto=END)

    for name, node, given in (
        ("annotated", annotated, {}),
        ("destinations", lambda state: None, {"destinations": ("missing",)}),
        ("labelled", lambda state: None, {"destinations": {"missing": "there"}}),
    ):
        builder = StateGraph(State).add_node("node", node, **given).add_edge(START, "node")
        record.error(name, builder.compile, "Found edge ending at unknown node `missing`")
        builder.add_node("missing", lambda state: None)
        record(f"{name}, there now", sorted(builder.compile().nodes))
    record(
        "end", sorted(StateGraph(State).add_node(to_the_end).add_edge(START, "to_the_end").compile().nodes)
    )
