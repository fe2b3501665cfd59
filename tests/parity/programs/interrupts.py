"""Nodes that ask: pauses, answers, several questions, what is asked."""

import operator
from typing import Annotated

from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Interrupt, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    answer: object


CONFIG = {"configurable": {"thread_id": "1"}}


def single(node, saver):
    return (
        StateGraph(State)
        .add_node("node", node)
        .add_edge(START, "node")
        .add_edge("node", END)
        .compile(checkpointer=saver)
    )


def parallel(saver, names="abc", after=None):
    def asker(name):
        return lambda state: {"path": [f"{name}:{interrupt({'who': name})}"]}

    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, asker(name)).add_edge(START, name)
    if after:
        builder.add_node("after", after)
        builder.add_edge(list(names), "after")
    return builder.compile(checkpointer=saver)


def by_who(graph, config=CONFIG):
    return {item.value["who"]: item.id for item in graph.get_state(config).interrupts}


def program_pause_and_answer(record, saver):
    runs = []

    def ask(state):
        runs.append("start")
        answer = interrupt({"question": "go on?"})
        runs.append(answer)
        return {"answer": answer, "path": ["asked"]}

    graph = single(ask, saver)
    result = graph.invoke({"path": ["in"]}, CONFIG)
    record("result", result)
    record("type", type(result["__interrupt__"]).__name__)
    record("state", graph.get_state(CONFIG))
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))
    record("runs", runs)
    record("history", list(graph.get_state_history(CONFIG)))


def program_pause_after_other_steps(record, saver):
    builder = StateGraph(State)
    builder.add_node("before", lambda state: {"path": ["before"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("after", lambda state: {"path": ["after"]})
    graph = (
        builder.add_edge(START, "before")
        .add_edge("before", "ask")
        .add_edge("ask", "after")
        .compile(checkpointer=saver)
    )
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG))
    record("updates", list(graph.stream(Command(resume="R"), CONFIG)))
    record("state", graph.get_state(CONFIG))


def program_several_in_one_node(record, saver):
    def ask(state):
        first = interrupt("first")
        second = interrupt({"second after": first})
        third = interrupt("third")
        return {"path": [first, second, third]}

    graph = single(ask, saver)
    record("1", graph.invoke({"path": []}, CONFIG))
    record("state 1", graph.get_state(CONFIG))
    record("2", graph.invoke(Command(resume="a"), CONFIG))
    record("state 2", graph.get_state(CONFIG))
    record("3", graph.invoke(Command(resume="b"), CONFIG))
    record("done", graph.invoke(Command(resume="c"), CONFIG))
    record("history", list(graph.get_state_history(CONFIG)))


def program_validation_loop(record, saver):
    asked = []

    def ask(state):
        question = "age?"
        while True:
            asked.append(question)
            answer = interrupt(question)
            if isinstance(answer, int):
                return {"answer": answer}
            question = f"{answer!r} is no age. age?"

    graph = single(ask, saver)
    record("ask", graph.invoke({"path": []}, CONFIG))
    record("bad", graph.invoke(Command(resume="old"), CONFIG))
    record("bad again", graph.invoke(Command(resume="very old"), CONFIG))
    record("good", graph.invoke(Command(resume=30), CONFIG))
    record("asked", asked)


def program_resume_by_map(record, saver):
    graph = single(lambda state: {"answer": interrupt("q")}, saver)
    result = graph.invoke({"path": []}, CONFIG)
    record("done", graph.invoke(Command(resume={result["__interrupt__"][0].id: {"approved": True}}), CONFIG))


def program_falsy_answers_by_map(record, saver):
    for number, value in enumerate([False, 0, "", [], {}, None, 0.0]):
        config = {"configurable": {"thread_id": str(number)}}
        graph = single(lambda state: {"answer": interrupt("q"), "path": ["answered"]}, saver)
        pause = graph.invoke({"path": []}, config)["__interrupt__"][0]
        record(f"{value!r}", graph.invoke(Command(resume={pause.id: value}), config))


def program_falsy_answers_plain(record, saver):
    for number, value in enumerate([False, 0, "", []]):
        config = {"configurable": {"thread_id": str(number)}}
        graph = single(lambda state: {"answer": interrupt("q"), "path": ["answered"]}, saver)
        graph.invoke({"path": []}, config)
        record(f"{value!r}", graph.invoke(Command(resume=value), config))


def program_dict_answers(record, saver):
    for number, value in enumerate(
        [{"type": "accept"}, {"a": 1, "b": [1, {"c": None}]}, [{"type": "edit"}], {"1": 2}]
    ):
        config = {"configurable": {"thread_id": str(number)}}
        graph = single(lambda state: {"answer": interrupt("q")}, saver)
        graph.invoke({"path": []}, config)
        record(f"{value!r}", graph.invoke(Command(resume=value), config))


def program_invoke_none_asks_again(record, saver):
    runs = []

    def ask(state):
        runs.append(1)
        return {"answer": interrupt("q")}

    graph = single(ask, saver)
    first = graph.invoke({"path": []}, CONFIG)["__interrupt__"][0]
    second = graph.invoke(None, CONFIG)["__interrupt__"][0]
    record("same id", first.id == second.id)
    record("runs", len(runs))
    record("history", [(s.next, s.metadata, s.interrupts) for s in graph.get_state_history(CONFIG)])
    record("done", graph.invoke(Command(resume=1), CONFIG))


def program_new_input_drops_the_question(record, saver):
    graph = single(lambda state: {"answer": interrupt(f"q{len(state['path'])}")}, saver)
    record("first", graph.invoke({"path": ["a"]}, CONFIG))
    record("second", graph.invoke({"path": ["b"]}, CONFIG))
    record("state", graph.get_state(CONFIG))
    record("done", graph.invoke(Command(resume="x"), CONFIG))
    record("history", [(s.next, s.metadata, s.values) for s in graph.get_state_history(CONFIG)])


def program_interrupt_in_a_loop_of_nodes(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt(f"turn {len(state['path'])}")]})
    builder.add_edge(START, "ask")
    builder.add_conditional_edges("ask", lambda state: END if state["path"][-1] == "stop" else "ask")
    graph = builder.compile(checkpointer=saver)
    record("0", graph.invoke({"path": []}, CONFIG))
    record("1", graph.invoke(Command(resume="more"), CONFIG))
    record("2", graph.invoke(Command(resume="more"), CONFIG))
    record("end", graph.invoke(Command(resume="stop"), CONFIG))


def program_resume_with_update(record, saver):
    def ask(state):
        return {"path": [interrupt("constant"), interrupt({"seen": state["path"]}), interrupt("third")]}

    graph = single(ask, saver)
    graph.invoke({"path": ["in"]}, CONFIG)
    record("update is visible", graph.invoke(Command(resume="a", update={"path": ["updated"]}), CONFIG))
    record("state", graph.get_state(CONFIG))
    record("another", graph.invoke(Command(resume="b", update={"answer": 3}), CONFIG))
    record("done", graph.invoke(Command(resume="c"), CONFIG))


def program_goto_while_paused(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]})
    builder.add_node("other", lambda state: {"path": ["other"]})
    graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    record("goto", graph.invoke(Command(goto="other"), CONFIG))
    record("state", graph.get_state(CONFIG))


def program_command_after_answer(record, saver):
    def approve(state):
        decision = interrupt("approve?")
        return Command(goto="yes" if decision else "no", update={"answer": decision})

    builder = StateGraph(State).add_node(approve)
    builder.add_node("yes", lambda state: {"path": ["yes"]}).add_node("no", lambda state: {"path": ["no"]})
    graph = builder.add_edge(START, "approve").compile(checkpointer=saver)
    for thread, answer in (("y", True), ("n", False)):
        config = {"configurable": {"thread_id": thread}}
        graph.invoke({"path": []}, config)
        record(thread, graph.invoke(Command(resume=answer), config))


def program_payloads(record, saver):
    payloads = [
        "text",
        {"question": "q", "options": ["a", "b"]},
        [1, 2],
        None,
        3,
        {"nested": {"list": [{"x": None}]}},
        True,
        "",
    ]
    for number, payload in enumerate(payloads):
        config = {"configurable": {"thread_id": str(number)}}
        graph = single(lambda state: {"answer": interrupt(payload)}, saver)
        record(f"{payload!r}", graph.invoke({"path": []}, config))
        record("stored", graph.get_state(config).interrupts)
        record("done", graph.invoke(Command(resume="ok"), config))


def program_without_saver(record):
    graph = single(lambda state: {"answer": interrupt("q")}, None)
    record("result", graph.invoke({"path": ["in"]}))
    record.error(
        "resume",
        lambda: graph.invoke(Command(resume="x")),
        "Cannot use Command(resume=...) without checkpointer",
    )


def program_outside_of_a_graph(record):
    record.error("interrupt()", lambda: interrupt("q"))


def program_interrupt_values(record):
    record("equal", Interrupt(1, id="a") == Interrupt(1, id="a"))
    record("other id", Interrupt(1, id="a") == Interrupt(1, id="b"))
    record("fields", (Interrupt("v", id="x").value, Interrupt("v", id="x").id))
    record("repr", repr(Interrupt("v", id="x")))
    record("not constructed with nothing", isinstance(GraphInterrupt(), Exception))


def program_error_after_the_answer(record, saver):
    failures = [ValueError("cannot use this")]

    def ask(state):
        answer = interrupt("q")
        if failures:
            raise failures.pop()
        return {"answer": answer}

    graph = single(ask, saver)
    graph.invoke({"path": []}, CONFIG)
    record.error("fails", lambda: graph.invoke(Command(resume="good"), CONFIG), "cannot use this")
    record("error", [(task.name, task.error, task.result) for task in graph.get_state(CONFIG).tasks])
    record("tried again with the same answer", graph.invoke(None, CONFIG))


def program_interrupt_with_stream(record, saver):
    graph = parallel(saver, "ab", after=lambda state: {"path": ["after"]})
    record.bag("updates", graph.stream({"path": []}, CONFIG, stream_mode="updates"))
    record.bag("values", graph.stream(None, CONFIG, stream_mode="values"))
    ids = by_who(graph)
    chunks = list(graph.stream(Command(resume={ids["a"]: 1, ids["b"]: 2}), CONFIG, stream_mode="updates"))
    record.bag("both", chunks[:2])
    record("then", chunks[2:])


def program_hand_written_interrupts_in_helpers(record, saver):
    def confirm(text):
        return interrupt({"confirm": text})

    def node(state):
        done = [item for item in ("one", "two", "three") if confirm(item)]
        return {"path": done}

    graph = single(node, saver)
    graph.invoke({"path": []}, CONFIG)
    for answer in (True, False):
        record(str(answer), graph.invoke(Command(resume=answer), CONFIG))
    record("done", graph.invoke(Command(resume=True), CONFIG))


def program_threads_are_apart(record, saver):
    graph = single(lambda state: {"answer": interrupt(state["path"][0])}, saver)
    configs = [{"configurable": {"thread_id": name}} for name in "xyz"]
    for config in configs:
        graph.invoke({"path": [config["configurable"]["thread_id"]]}, config)
    record("y", graph.invoke(Command(resume="for y"), configs[1]))
    record("x is open", graph.get_state(configs[0]).interrupts)
    record("y is done", graph.get_state(configs[1]).next)
    record("z", graph.invoke(Command(resume="for z"), configs[2]))


def program_first_question_after_an_input_that_writes_nothing(record, saver):
    """The result shows the state that the question is asked in, although nothing has been written to it."""

    def ask(state):
        return {"path": [interrupt("q")]}

    builder = StateGraph(State).add_node("ask", ask).add_node("other", lambda state: None)
    graph = builder.add_edge(START, "ask").add_edge(START, "other").compile(checkpointer=saver)
    inputs = ({}, {"unknown": 1}, Command(goto="ask"), {"path": []})
    for number, given in enumerate(inputs):
        config = {"configurable": {"thread_id": str(number)}}
        record(f"{number}: asked", graph.invoke(given, config))
        record(f"{number}: asked again", graph.invoke(None, config))
        record(f"{number}: done", graph.invoke(Command(resume="yes"), config))
    typed = graph.invoke({}, {"configurable": {"thread_id": "typed"}}, version="v2")
    record("version 2", (typed.value, typed.interrupts))
    record("one key", graph.invoke({}, {"configurable": {"thread_id": "key"}}, output_keys=["path"]))


def program_resume_from_another_graph_object(record, saver):
    single(lambda state: {"answer": interrupt("q")}, saver).invoke({"path": []}, CONFIG)
    record("done", single(lambda state: {"answer": interrupt("q")}, saver).invoke(Command(resume=5), CONFIG))


def program_conditional_after_interrupt(record, saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"answer": interrupt("which?")})
    builder.add_node("left", lambda state: {"path": ["left"]}).add_node(
        "right", lambda state: {"path": ["right"]}
    )
    builder.add_edge(START, "ask").add_conditional_edges(
        "ask", lambda state: state["answer"], ["left", "right"]
    )
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    record("right", graph.invoke(Command(resume="right"), CONFIG))
    record("again", graph.invoke({"path": ["second run"]}, CONFIG))
    record("left", graph.invoke(Command(resume="left"), CONFIG))
