"""Answers in detail: schemas, strict resumes, ids, version 2 output."""

import operator
from dataclasses import dataclass
from typing import Annotated, Literal

from langgraph.errors import UnknownInterruptError, is_invalid_resume
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Interrupt, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    answer: object


CONFIG = {"configurable": {"thread_id": "1"}}


class Decision(BaseModel):
    approved: bool
    reason: str = ""


class DecisionDict(TypedDict):
    approved: bool


@dataclass
class DecisionData:
    approved: bool
    count: int = 1


JSON_SCHEMA = {"type": "object", "properties": {"approved": {"type": "boolean"}}, "required": ["approved"]}


def asking(schema, saver):
    def ask(state):
        return {"answer": interrupt("ok?", response_schema=schema), "path": ["asked"]}

    return StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)


def program_response_schemas(record, saver):
    for number, schema in enumerate((Decision, DecisionDict, DecisionData, JSON_SCHEMA)):
        config = {"configurable": {"thread_id": str(number)}}
        graph = asking(schema, saver)
        pause = graph.invoke({"path": []}, config)
        record(f"{number} asks", pause)
        record(f"{number} has a schema", pause["__interrupt__"][0].response_schema is not None)
        if schema is not JSON_SCHEMA:
            try:
                graph.invoke(Command(resume={"approved": "not a bool at all"}), config)
            except Exception as error:
                record(f"{number} refused", is_invalid_resume(error))
            record(f"{number} still open", [item.value for item in graph.get_state(config).interrupts])
        record(f"{number} good", graph.invoke(Command(resume={"approved": True}), config))


def program_response_schema_by_map(record, saver):
    graph = asking(Decision, saver)
    pause = graph.invoke({"path": []}, CONFIG)["__interrupt__"][0]
    try:
        graph.invoke(Command(resume={pause.id: {"wrong": 1}}), CONFIG)
    except Exception as error:
        record("refused", is_invalid_resume(error))
    record("open", len(graph.get_state(CONFIG).interrupts))
    record("good", graph.invoke(Command(resume={pause.id: {"approved": False, "reason": "no"}}), CONFIG))


def program_ids(record, saver):
    def ask(state):
        return {"path": [interrupt("one"), interrupt("two")]}

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)
    first = graph.invoke({"path": []}, CONFIG)["__interrupt__"][0]
    second = graph.invoke(Command(resume={first.id: 1}), CONFIG)["__interrupt__"][0]
    record("ids differ", first.id != second.id)
    record("form", (len(first.id), set(first.id) <= set("0123456789abcdef")))
    record("done", graph.invoke(Command(resume={second.id: 2}), CONFIG))


def program_version_2(record, saver):
    graph = (
        StateGraph(State)
        .add_node("ask", lambda state: {"answer": interrupt("q")})
        .add_edge(START, "ask")
        .compile(checkpointer=saver)
    )
    output = graph.invoke({"path": ["in"]}, CONFIG, version="v2")
    record("value", output.value)
    record("interrupts", output.interrupts)
    record("class", type(output).__name__)
    done = graph.invoke(Command(resume=1), CONFIG, version="v2")
    record("done", (done.value, done.interrupts))
    for result in output, done:
        record("read like version 1", (result["path"], result["__interrupt__"], "path" in result))
        record("whether it has", ("__interrupt__" in result, "other" in result))
    record.error("other", lambda: done["other"])


def program_version_2_streams(record, saver):
    graph = (
        StateGraph(State)
        .add_node("ask", lambda state: {"answer": interrupt("q")})
        .add_edge(START, "ask")
        .compile(checkpointer=saver)
    )
    for mode in ("updates", "values", ["updates", "values"]):
        config = {"configurable": {"thread_id": str(mode)}}
        record.chunks(str(mode), graph.stream({"path": []}, config, stream_mode=mode, version="v2"))


def program_interrupt_class(record):
    record("default id", Interrupt("x").id)
    record(
        "fields",
        (Interrupt("x", id="i").value, Interrupt("x", id="i").id, Interrupt("x", id="i").response_schema),
    )
    error = UnknownInterruptError("m", reason="not_pending", interrupt_ids=["a"], pending_ids=["b"])
    record("error", (error.reason, error.interrupt_ids, error.pending_ids))


def program_node_interrupt(record, saver):
    from langgraph.errors import NodeInterrupt

    def ask(state):
        if state.get("answer") is None:
            raise NodeInterrupt("please set answer")
        return {"path": [state["answer"]]}

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)
    record("pause", [item.value for item in graph.invoke({"path": []}, CONFIG)["__interrupt__"]])
    state = graph.get_state(CONFIG)
    record("state", (state.values, state.next, [item.value for item in state.interrupts]))
    graph.update_state(CONFIG, {"answer": "set"})
    record("go on", graph.invoke(None, CONFIG))


def program_question_in_a_loop_with_same_payload(record, saver):
    builder = (
        StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("same")]}).add_edge(START, "ask")
    )
    builder.add_conditional_edges("ask", lambda state: "ask" if len(state["path"]) < 3 else END)
    graph = builder.compile(checkpointer=saver)
    ids = [graph.invoke({"path": []}, CONFIG)["__interrupt__"][0].id]
    for number in range(2):
        ids.append(graph.invoke(Command(resume=number), CONFIG)["__interrupt__"][0].id)
    record("ids differ from step to step", len(set(ids)))
    record("done", graph.invoke(Command(resume="end"), CONFIG))


def program_answers_of_many_types(record, saver):
    import datetime

    for number, value in enumerate(
        (1, 1.5, "text", True, [1, [2]], {"a": {"b": None}}, datetime.date(2024, 1, 2))
    ):
        config = {"configurable": {"thread_id": str(number)}}
        graph = (
            StateGraph(State)
            .add_node("ask", lambda state: {"answer": interrupt("q")})
            .add_edge(START, "ask")
            .compile(checkpointer=saver)
        )
        graph.invoke({"path": []}, config)
        record(repr(value), graph.invoke(Command(resume=value), config)["answer"])


def program_all_answers_so_far_in_each_map(record, saver):
    """Ids that were answered before are left aside, whether their step is over or not."""
    builder = StateGraph(State)
    for name in ("a", "b"):
        builder.add_node(name, lambda state, name=name: {"path": [name + interrupt(name)]})
        builder.add_edge(START, name)
    builder.add_node("c", lambda state: {"path": [interrupt("c"), interrupt("d")]})
    graph = builder.add_edge(["a", "b"], "c").compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    answers = {"0" * 32: "nobody asked"}
    for _ in range(4):
        question = sorted(graph.get_state(CONFIG).interrupts, key=lambda question: question.value)[0]
        answers[question.id] = question.value.upper()
        record(f"after {question.value}", graph.invoke(Command(resume=dict(answers)), CONFIG))
    record("end", graph.get_state(CONFIG))
