from __future__ import annotations

import operator
from typing import Annotated

import pandas as pd
import pytest

from nbhitl.history import decisions_frame, diff_frame, history_frame, writes_frame
from nbhitl.history.rows import find_checkpoint, history_rows, read_history
from nbhitl.review.decisions import Decision
from nbhitl.review.diff import Change
from nbhitl.review.questions import Question

COLUMNS = ["step", "source", "ran", "changed", "next", "question", "answer", "error", "parent", "branch"]


def column(frame, name):
    return frame[name].tolist()


def test_one_row_a_checkpoint_oldest_first(review_graph, config, engine):
    review_graph.invoke({"amount": 1}, config)
    review_graph.invoke(engine.Command(resume=True), config)
    frame = history_frame(review_graph, config)
    assert list(frame.columns) == COLUMNS
    assert frame.index.name == "checkpoint"
    assert list(frame.index) == ["cp1", "cp2", "cp3", "cp4", "cp5"]
    assert column(frame, "step") == [-1, 0, 1, 2, 3]
    assert column(frame, "source") == ["input", "loop", "loop", "loop", "loop"]
    assert column(frame, "ran") == ["", "__start__", "propose", "review", "run_it"]
    assert column(frame, "next") == ["__start__", "propose", "review", "run_it", ""]
    assert column(frame, "changed")[1:] == ["amount", "amount, log", "log", "amount, log"]
    assert column(frame, "question") == ["", "", "Take 10?", "", ""]
    assert column(frame, "answer") == ["", "", "answered", "", ""]
    assert column(frame, "parent") == ["", "cp1", "cp2", "cp3", "cp4"]
    assert set(column(frame, "branch")) == {1}


def test_text_and_numbers_have_their_types(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    frame = history_frame(review_graph, config)
    assert frame["step"].dtype == "int64"
    assert frame["branch"].dtype == "int64"
    for name in COLUMNS:
        if name not in ("step", "branch"):
            assert all(isinstance(text, str) for text in frame[name]), name


def test_an_open_question_says_so(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    assert column(history_frame(review_graph, config), "answer") == ["", "", "open"]


def question_at(graph, config, **fields):
    """The open question of a thread, as reviewing makes it."""
    state = graph.get_state(config)
    return Question(
        id=state.interrupts[0].id,
        kind="interrupt",
        thread_id="t1",
        node="review",
        payload=state.interrupts[0].value,
        digest="d" * 64,
        dialect="question",
        text="Take 10?",
        checkpoint_id=state.config["configurable"]["checkpoint_id"],
        **fields,
    )


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (Decision(kind="approve", answer=True), "approved"),
        (Decision(kind="reject", answer=False, reason="too much"), "rejected: too much"),
        (Decision(kind="respond", value="7", answer="7"), "answered 7"),
    ],
)
def test_decisions_can_be_told(review_graph, config, engine, decision, told):
    review_graph.invoke({"amount": 1}, config)
    asked = question_at(review_graph, config)
    review_graph.invoke(engine.Command(resume=decision.answer), config)
    frame = history_frame(review_graph, config, decisions=[(asked, decision)])
    assert column(frame, "answer") == ["", "", told, "", ""]
    assert column(frame, "question")[2] == "Take 10?"


def test_the_decision_at_a_breakpoint_tells_of_it(review_graph, config):
    review_graph.invoke({"amount": 1}, config, interrupt_before=["propose"])
    at = review_graph.get_state(config).config["configurable"]["checkpoint_id"]
    asked = Question(
        id="b",
        kind="breakpoint",
        thread_id="t1",
        node="propose",
        payload={},
        digest="d",
        dialect="breakpoint",
        text="Go on to propose?",
        checkpoint_id=at,
    )
    frame = history_frame(review_graph, config, decisions=[(asked, Decision(kind="approve"))])
    assert frame.loc["cp2", ["question", "answer"]].tolist() == ["Go on to propose?", "approved"]


def test_what_is_shown_is_the_same_in_every_run(review_graph, engine):
    shown = []
    for thread in ("a", "b"):
        config = {"configurable": {"thread_id": thread}}
        review_graph.invoke({"amount": 1}, config)
        review_graph.invoke(engine.Command(resume=True), config)
        frame = history_frame(review_graph, config)
        shown.append((repr(frame), frame._repr_html_()))
    assert shown[0] == shown[1]


def test_a_fork_is_a_branch_of_its_own(review_graph, config, engine):
    review_graph.invoke({"amount": 1}, config)
    review_graph.invoke(engine.Command(resume=True), config)
    before = find_checkpoint(read_history(review_graph, config), "cp3").snapshot.config
    fork = review_graph.update_state(before, None, as_node="__copy__")
    review_graph.invoke(None, fork)
    review_graph.invoke(engine.Command(resume=False), config)
    frame = history_frame(review_graph, config)
    assert column(frame, "source")[5:] == ["fork", "loop", "loop"]
    assert column(frame, "branch") == [1, 1, 1, 1, 1, 2, 2, 2]
    assert column(frame, "parent")[5:] == ["cp2", "cp6", "cp7"]
    assert column(frame, "ran")[5:] == ["", "review", "keep"]
    assert column(frame, "answer")[5] == "answered"


def test_a_question_that_an_update_went_past(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    review_graph.update_state(config, {"log": ["moved on"]}, as_node="keep")
    frame = history_frame(review_graph, config)
    assert frame.loc["cp3", "answer"] == "passed over"
    assert frame.loc["cp4", ["source", "changed"]].tolist() == ["update", "log"]


def test_state_values_are_columns_on_request(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    frame = history_frame(review_graph, config, values=["amount", "log"])
    assert column(frame, "state.amount") == [None, 1, 10]
    assert column(frame, "state.log") == [[], [], ["proposed"]]
    everything = history_frame(review_graph, config, values=True)
    assert {"state.amount", "state.log"} <= set(everything.columns)
    with pytest.raises(KeyError, match=r"No state key 'amuont'.*amount"):
        history_frame(review_graph, config, values=["amuont"])


def test_ids_and_times_are_columns_on_request(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    frame = history_frame(review_graph, config, ids=True)
    snapshots = list(review_graph.get_state_history(config))[::-1]
    ids = [snapshot.config["configurable"]["checkpoint_id"] for snapshot in snapshots]
    assert column(frame, "checkpoint_id") == ids
    assert column(frame, "parent_id") == ["", *ids[:-1]]
    assert column(frame, "interrupt_id")[-1] == review_graph.get_state(config).interrupts[0].id
    assert set(column(frame, "thread_id")) == {"t1"}
    assert str(frame["created_at"].dtype).endswith("UTC]")
    assert frame["created_at"].is_monotonic_increasing


def test_a_thread_without_a_past(review_graph, config):
    frame = history_frame(review_graph, config, ids=True)
    assert len(frame) == 0
    assert list(frame.columns)[: len(COLUMNS)] == COLUMNS
    assert len(writes_frame(review_graph, config)) == 0
    with pytest.raises(KeyError, match="has none yet"):
        find_checkpoint([], "cp1")


def test_a_config_with_a_checkpoint_shows_the_whole_thread(review_graph, config, engine):
    review_graph.invoke({"amount": 1}, config)
    review_graph.invoke(engine.Command(resume=True), config)
    middle = find_checkpoint(read_history(review_graph, config), "cp3").snapshot.config
    assert len(history_frame(review_graph, middle)) == 5


def test_an_unknown_label_names_what_there_is(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    rows = read_history(review_graph, config)
    assert find_checkpoint(rows, rows[1].checkpoint_id).label == "cp2"
    with pytest.raises(KeyError, match="cp1 to cp3"):
        find_checkpoint(rows, "cp9")


def test_writes_are_listed_in_order(review_graph, config, engine):
    review_graph.invoke({"amount": 1}, config)
    review_graph.invoke(engine.Command(resume=True), config)
    frame = writes_frame(review_graph, config)
    assert list(frame.columns) == ["checkpoint", "step", "node", "key", "value"]
    assert frame.values.tolist() == [
        ["cp1", 0, "__start__", "amount", 1],
        ["cp2", 1, "propose", "amount", 10],
        ["cp2", 1, "propose", "log", ["proposed"]],
        ["cp3", 2, "review", "log", ["said True"]],
        ["cp4", 3, "run_it", "amount", 0],
        ["cp4", 3, "run_it", "log", ["taken"]],
    ]


def test_the_difference_of_two_checkpoints(review_graph, config, engine):
    review_graph.invoke({"amount": 1}, config)
    review_graph.invoke(engine.Command(resume=True), config)
    rows = read_history(review_graph, config)
    frame = diff_frame(rows[2].snapshot, rows[4].snapshot)
    assert frame.values.tolist() == [
        ["amount", "replaced", 10, 0],
        ["log[1]", "appended", None, "said True"],
        ["log[2]", "appended", None, "taken"],
    ]
    assert diff_frame(rows[2].snapshot, rows[2].snapshot).empty
    assert diff_frame({"n": 1}, {"n": 2}).values.tolist() == [["n", "replaced", 1, 2]]


def test_parallel_tasks_and_several_writes(engine, config):
    builder = engine.StateGraph(Annotated[list, operator.add])
    builder.add_node("a", lambda state: ["a"])
    builder.add_node("b", lambda state: ["b"])
    builder.add_edge(engine.START, "a")
    builder.add_edge(engine.START, "b")
    graph = builder.compile(checkpointer=engine.InMemorySaver())
    graph.invoke(["in"], config)
    frame = history_frame(graph, config, values=True)
    assert column(frame, "ran") == ["", "__start__", "a, b"]
    assert column(frame, "changed")[1:] == ["__root__", "__root__"]
    assert column(frame, "state.__root__")[-1] == ["in", "a", "b"]
    assert writes_frame(graph, config)["node"].tolist() == ["__start__", "a", "b"]


def test_a_failed_task_is_an_error_on_its_checkpoint(engine, config):
    def fail(state):
        raise ZeroDivisionError("no")

    builder = engine.StateGraph(dict)
    builder.add_node("fail", fail)
    builder.add_edge(engine.START, "fail")
    graph = builder.compile(checkpointer=engine.InMemorySaver())
    with pytest.raises(ZeroDivisionError):
        graph.invoke({"n": 1}, config)
    assert column(history_frame(graph, config), "error") == ["", "fail: ZeroDivisionError('no')"]


def test_long_and_structured_questions_stay_on_a_line(engine, config):
    payloads = iter(["one\ntwo", "x" * 200, {"z": 1, "a": [None]}, 7])
    shown = []
    for payload in payloads:
        builder = engine.StateGraph(dict)
        builder.add_node("ask", lambda state, payload=payload: engine.interrupt(payload))
        builder.add_edge(engine.START, "ask")
        graph = builder.compile(checkpointer=engine.InMemorySaver())
        graph.invoke({"n": 1}, config)
        shown.append(history_frame(graph, config)["question"].iloc[-1])
    assert shown == ["one two", "x" * 59 + "…", '{"a": [null], "z": 1}', "7"]


def test_a_chain_of_a_thousand_reads_each_state_once():
    class Snapshot:
        def __init__(self, n):
            self.values = {"n": n, "log": list(range(n))}
            self.config = {"configurable": {"thread_id": "t", "checkpoint_id": str(n)}}
            self.parent_config = {"configurable": {"checkpoint_id": str(n - 1)}} if n else None
            self.metadata = {"source": "loop", "step": n}
            self.tasks, self.next, self.created_at = (), (), None

    rows = history_rows(Snapshot(n) for n in reversed(range(1000)))
    assert (rows[0].label, rows[-1].label, rows[-1].parent) == ("cp1", "cp1000", "cp999")


def test_decisions_are_a_table_without_times_by_default(review_graph, config):
    review_graph.invoke({"amount": 1}, config)
    asked = question_at(review_graph, config)
    pairs = [
        (
            asked,
            Decision(
                kind="edit",
                answer={"n": 1},
                diff=(Change("n", "changed", 10, 1),),
                by="ada",
                at="2026-01-02T03:04:05+00:00",
                waited=42.0,
                digest="e",
            ),
        ),
        (asked, Decision(kind="reject", reason="no")),
    ]
    frame = decisions_frame(pairs)
    assert list(frame.columns) == ["question", "node", "kind", "changes", "reason", "answer"]
    assert frame["answer"].tolist() == [{"n": 1}, None]
    assert frame["changes"].tolist() == ["n: 10 → 1", ""]
    assert frame["reason"].tolist() == ["", "no"]
    full = decisions_frame(pairs, ids=True)
    assert full["by"].tolist() == ["ada", ""]
    assert full["at"].tolist() == [pd.Timestamp("2026-01-02T03:04:05Z"), pd.NaT]
    assert full["waited"].iloc[0] == 42.0
    assert full["thread_id"].tolist() == ["t1", "t1"]
    assert full["digest"].tolist() == ["e", "d" * 64]
    assert decisions_frame([]).empty
