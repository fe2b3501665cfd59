"""update_state: as which node, with what, and what runs after it."""

import operator
from typing import Annotated

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import EmptyInputError, InvalidUpdateError, NodeError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps
from langgraph.types import Command, Send, StateUpdate, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


def chain(saver, **options):
    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, lambda state, name=name: {"path": [name]})
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", END)
    return builder.compile(checkpointer=saver, **options)


def brief(snapshot):
    tasks = [(task.name, task.error, task.interrupts, task.result) for task in snapshot.tasks]
    return (snapshot.values, snapshot.next, snapshot.metadata, tasks)


def program_update_after_the_end(record, saver):
    graph = chain(saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    config = graph.update_state(CONFIG, {"path": ["edit"], "n": 3})
    record("config", config)
    record("state", graph.get_state(CONFIG))
    record("nothing to do", graph.invoke(None, CONFIG))
    record("new run", graph.invoke({"path": ["again"]}, CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_update_as_node(record, saver):
    for name in ("a", "b", "c", "__start__"):
        graph = chain(saver)
        config = {"configurable": {"thread_id": name}}
        graph.invoke({"path": ["in"]}, config)
        graph.update_state(config, {"path": [f"as {name}"]}, as_node=name)
        record(name, graph.get_state(config))
        record(f"{name}: go on", graph.invoke(None, config))


def program_update_on_an_empty_thread(record, saver):
    graph = chain(saver)
    record("without as_node", _outcome(lambda: graph.update_state(CONFIG, {"path": ["x"]})))
    record("state", [brief(s) for s in graph.get_state_history(CONFIG)])
    other = {"configurable": {"thread_id": "2"}}
    graph.update_state(other, {"path": ["x"]}, as_node="a")
    record("as a", graph.get_state(other))
    record("go on", graph.invoke(None, other))


def _outcome(call):
    try:
        return ("returned", call())
    except Exception as error:
        return ("raised", type(error).__name__, str(error))


def program_update_none(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.update_state(CONFIG, None)
    record("state", graph.get_state(CONFIG))
    graph.update_state(CONFIG, None, as_node="b")
    record("as b", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_as_input_without_values(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    refused = lambda: graph.update_state(CONFIG, None, as_node="__input__")  # noqa: E731
    record.error("refused", refused, "Received no input writes for __start__")
    record("as it was", graph.get_state(CONFIG).next)


def program_update_unknown_node(record, saver):
    graph = chain(saver)
    graph.invoke({"path": []}, CONFIG)
    record.error("unknown", lambda: graph.update_state(CONFIG, {"n": 1}, as_node="zz"), "zz")
    try:
        graph.update_state(CONFIG, {"n": 1}, as_node="zz")
    except InvalidUpdateError as error:
        record("text", "does not exist" in str(error))


def program_update_is_ambiguous(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    graph = builder.compile(checkpointer=saver, interrupt_before=["c"])
    graph.invoke({"path": []}, CONFIG)
    record.error(
        "who wrote last?", lambda: graph.update_state(CONFIG, {"n": 1}), "Ambiguous update, specify as_node"
    )
    graph.update_state(CONFIG, {"n": 1}, as_node="a")
    record("as a", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_with_conditional_edges(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("left", lambda state: {"path": ["left"]}).add_node(
        "right", lambda state: {"path": ["right"]}
    )
    builder.add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "left" if state["n"] > 0 else "right")
    graph = builder.compile(checkpointer=saver, interrupt_after=["a"])
    graph.invoke({"path": [], "n": 0}, CONFIG)
    record("before", brief(graph.get_state(CONFIG)))
    graph.update_state(CONFIG, {"n": 7})
    record("the edge is evaluated again", brief(graph.get_state(CONFIG)))
    record("go on", graph.invoke(None, CONFIG))


def program_update_while_a_question_is_open(record, saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt({"n": state.get("n")})]})
    graph = builder.add_edge(START, "a").add_edge("a", "ask").compile(checkpointer=saver)
    record("first", graph.invoke({"path": [], "n": 1}, CONFIG))
    graph.update_state(CONFIG, {"n": 2})
    record("after the update the question is gone", graph.get_state(CONFIG))
    record("asks anew", graph.invoke(None, CONFIG))
    record("answer", graph.invoke(Command(resume="ok"), CONFIG))
    record("history", [brief(s) for s in graph.get_state_history(CONFIG)])


def program_answer_after_an_update(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("sure?")]})
    builder.add_node("b", lambda state: {"path": ["b"]}).add_edge(START, "a").add_edge("a", "ask")
    graph = builder.add_edge("ask", "b").compile(checkpointer=saver)
    for number in (1, 2):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": []}, config)
        for edit in range(number):
            graph.update_state(config, {"n": edit})
        record("nothing is open", graph.get_state(config).interrupts)
        record.chunks("answer", graph.stream(Command(resume="yes"), config, stream_mode="updates"))
        record("history", [brief(s) for s in graph.get_state_history(config)])


def program_answer_by_update_as_node(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_node(
        "b", lambda state: {"path": ["b"]}
    )
    graph = builder.add_edge(START, "ask").add_edge("ask", "b").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    graph.update_state(CONFIG, {"path": ["by hand"]}, as_node="ask")
    record("state", graph.get_state(CONFIG))
    record("go on", graph.invoke(None, CONFIG))


def program_update_messages_by_id(record, saver):
    def bot(state):
        return {"messages": [AIMessage("draft", id="draft")]}

    graph = StateGraph(MessagesState).add_node(bot).add_node("send", lambda state: None)
    graph = (
        graph.add_edge(START, "bot")
        .add_edge("bot", "send")
        .compile(checkpointer=saver, interrupt_before=["send"])
    )
    graph.invoke({"messages": [HumanMessage("hi", id="h")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [AIMessage("edited", id="draft")]})
    record("edited", graph.get_state(CONFIG).values)
    record("sent", graph.invoke(None, CONFIG))


def program_update_with_a_command_node(record, saver):
    def router(state):
        return Command(goto="b", update={"path": ["router"]})

    builder = StateGraph(State).add_node(router)
    builder.add_node("b", lambda state: {"path": ["b"]})
    graph = builder.add_edge(START, "router").compile(checkpointer=saver, interrupt_before=["b"])
    graph.invoke({"path": []}, CONFIG)
    record("paused", brief(graph.get_state(CONFIG)))
    graph.update_state(CONFIG, {"n": 1})
    record("a plain update as router drops its goto", brief(graph.get_state(CONFIG)))
    config = {"configurable": {"thread_id": "2"}}
    graph.invoke({"path": []}, config)
    graph.update_state(config, Command(goto="b", update={"n": 2}), as_node="router")
    record("a command as router", brief(graph.get_state(config)))


def program_update_beside_finished_siblings(record, saver):
    def build():
        builder = StateGraph(State)
        builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
        builder.add_node("work", lambda state: {"path": ["work"]})
        builder.add_node("then", lambda state: {"path": ["then"]})
        builder.add_edge(START, "ask").add_edge(START, "work").add_edge(["ask", "work"], "then")
        return builder.compile(checkpointer=saver)

    for number, as_node in enumerate((None, "ask", "work", "__start__")):
        graph = build()
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": ["in"]}, config)
        record(f"{as_node}: paused", brief(graph.get_state(config)))
        graph.update_state(config, {"path": ["update"]}, as_node=as_node)
        record(f"{as_node}: the finished sibling is forgotten", brief(graph.get_state(config)))
        record(f"{as_node}: go on", graph.invoke(None, config))


def program_update_as_a_node_that_is_sent_to(record, saver):
    """With one of its tasks done, and one that asks; one update, or two in one step."""

    def sent(state):
        return {"path": [interrupt("q") if state["path"] == ["asks"] else "done"]}

    for order in (["asks", "done"], ["done", "asks"], ["done", "done", "asks"]):
        for count in (1, 2):
            saver.delete_thread("1")
            builder = StateGraph(State).add_node("sent", sent).add_node("z", lambda state: {"path": ["z"]})
            builder.add_conditional_edges(
                START, lambda state, order=order: [Send("sent", {"path": [w]}) for w in order], ["sent"]
            )
            graph = builder.add_edge("sent", "z").compile(checkpointer=saver)
            graph.invoke({"path": []}, CONFIG)
            updates = [StateUpdate({"path": [f"u{number}"]}, "sent") for number in range(count)]
            graph.bulk_update_state(CONFIG, [updates])
            record(f"{order}, {count}", [brief(one) for one in graph.get_state_history(CONFIG)])
            record(f"{order}, {count} goes on", graph.invoke(None, CONFIG))


def program_update_after_a_goto_while_paused(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("other", lambda state: {"path": ["other"]})
    graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.invoke(Command(goto="other", update={"path": ["given"]}), CONFIG)
    record("paused", graph.get_state(CONFIG).values)
    graph.update_state(CONFIG, {"path": ["update"]})
    record("updated", brief(graph.get_state(CONFIG)))
    record("go on", graph.invoke(None, CONFIG))


class Given(TypedDict):
    path: Annotated[list, operator.add]


def program_an_update_as_start_is_an_input(record, saver):
    """START lets in what the input schema has."""
    for name in (START, None, "__input__", "a"):
        for values in ({"path": ["in"], "n": 1}, {"n": 1}, {"path": ["in"]}):
            saver.delete_thread("1")
            builder = StateGraph(State, input_schema=Given).add_node("a", lambda state: {"path": ["a"]})
            graph = builder.add_edge(START, "a").add_edge("a", END).compile(checkpointer=saver)
            graph.update_state(CONFIG, values, as_node=name)
            record(f"{values} as {name}", brief(graph.get_state(CONFIG)))
            if name != "a":
                record("goes on", graph.invoke(None, CONFIG))


def program_a_command_that_starts_a_thread_with_an_input_schema(record, any_saver):
    commands = (
        Command(goto="e"),
        Command(goto=Send("e", {"n": 7})),
        Command(update={"path": ["x"], "n": 1}),
        Command(update=[("path", ["x"]), ("n", 1)], goto=["e"]),
    )
    for number, command in enumerate(commands):
        builder = StateGraph(State, input_schema=Given).add_node("a", lambda state: {"path": ["a"]})
        builder.add_node("e", lambda state: {"path": [f"e{state.get('n')}"]})
        graph = builder.add_edge(START, "a").compile(checkpointer=any_saver)
        config = {"configurable": {"thread_id": str(number)}}
        record(str(number), graph.invoke(command, config))
        if any_saver is not None:
            record("then", [(one.values, one.next) for one in graph.get_state_history(config)])
            config = {"configurable": {"thread_id": f"by hand {number}"}}
            graph.update_state(config, command, as_node=START)
            record("by hand", brief(graph.get_state(config)))


def program_an_update_that_writes_nothing_leaves_nothing_to_go_on_with(record, saver):
    graph = chain(saver)
    for number, (values, name) in enumerate(((None, "c"), ({}, "c"), ({"path": []}, "c"), (None, "a"))):
        config = {"configurable": {"thread_id": str(number)}}
        graph.update_state(config, values, as_node=name)
        record("state", brief(graph.get_state(config)))
        try:
            record("go on", graph.invoke(None, config))
        except EmptyInputError:
            record("go on", "nothing there")
        record("begin", graph.invoke({"path": ["in"]}, config))


class Counted(TypedDict):
    path: Annotated[list, operator.add]
    left: RemainingSteps
    last: IsLastStep


def program_paths_see_steps_left_where_an_update_is_made(record, saver):
    def path(state):
        record("seen", [state["left"], state["last"]])
        return "again" if state["left"] >= 2 and len(state["path"]) < 4 else END

    builder = StateGraph(Counted).add_node("again", lambda state: {"path": [state["left"]]})
    builder.add_edge(START, "again").add_conditional_edges("again", path, ["again", END])
    graph = builder.compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    for snapshot in list(graph.get_state_history(CONFIG)):
        record("next", graph.get_state(graph.update_state(snapshot.config, {"path": ["by hand"]})).next)
    record(
        "bulk",
        graph.bulk_update_state(
            CONFIG, [[StateUpdate({"path": []}, "again")], [StateUpdate({"path": []}, "again")]]
        )
        is not None,
    )
    record("next", graph.get_state(CONFIG).next)


def program_an_update_after_an_error_was_handled(record, saver):
    def fails(state):
        raise RuntimeError("down")

    def handled(state, error: NodeError) -> Command:
        return Command(update={"path": [str(error.error)]}, goto="after")

    for edge in (None, "after"):
        builder = (
            StateGraph(State)
            .add_node("fails", fails, error_handler=handled)
            .add_node("after", lambda state: {"path": ["after"]})
        )
        builder.add_edge(START, "fails")
        if edge:
            builder.add_edge("fails", edge)
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": str(edge)}}
        graph.invoke({"path": []}, config)
        for snapshot in list(graph.get_state_history(config)):
            updated = graph.get_state(graph.update_state(snapshot.config, {"path": ["by hand"]}))
            record(f"next, with {edge}", [snapshot.next, updated.next, updated.values])
