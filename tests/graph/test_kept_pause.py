"""An answer in the process that asked need not read the thread again; nothing else may be different for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.serde.jsonplus import JsonPlusSerializer
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite._beside import SqliteRows
from nbhitl.checkpoint.stamps import new_checkpoint_id
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.engine.kept_pause import KeptPause
from nbhitl.errors import AlreadyAnswered, NodeError, QuestionChanged, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .kept import CONFIG, State, asking


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which checkpoints runs have read."""
    keys: list[Any] = []
    load = StepSaver.load

    def noted(self: StepSaver, key: Any, share: bool = False) -> Any:
        keys.append(key)
        return load(self, key, share)

    monkeypatch.setattr(StepSaver, "load", noted)
    return keys


def test_an_answer_finds_the_pause_and_nothing_is_read(saver, used, read):
    graph = asking(saver, "a", {"b": [1]})
    graph.invoke({"n": 1}, CONFIG)
    read.clear()
    graph.invoke(Command(resume="x"), CONFIG)
    assert graph.invoke(Command(resume=None), CONFIG) == {"n": 3, "said": "['x', None]"}
    assert (used, read) == ([True, True], [])


def test_an_answer_by_id_finds_it_too(saver, used, read):
    graph = asking(saver, "a")
    (question,) = graph.invoke({"n": 1}, CONFIG)["__interrupt__"]
    read.clear()
    assert graph.invoke(Command(resume={question.id: 7}), CONFIG)["said"] == "[7]"
    assert (used, read) == ([True], [])


def test_a_wrong_id_is_refused_and_the_right_one_is_taken_then(saver, used):
    graph = asking(saver, "a")
    (question,) = graph.invoke({"n": 1}, CONFIG)["__interrupt__"]
    with pytest.raises(UnknownInterruptError, match="Unknown or already-consumed interrupt"):
        graph.invoke(Command(resume={"0" * 32: 7}), CONFIG)
    assert graph.invoke(Command(resume={question.id: 7}), CONFIG)["said"] == "[7]"
    assert used == [False, False]


@pytest.mark.parametrize("state", [{"items": [1]}, {"items": []}], ids=["a list", "an empty one"])
def test_a_state_that_can_be_changed_in_place_is_read_again(saver, used, state):
    seen = []

    def ask(state: State) -> State:
        seen.append(list(state["items"]))
        state["items"].append("changed in place")
        return {"said": interrupt("?")}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke(state, CONFIG)
    graph.invoke(Command(resume="x"), CONFIG)
    assert seen[0] == seen[1]
    assert used == [True]


def test_an_answer_that_can_be_changed_in_place_is_read_again(saver, used):
    seen = []

    def ask(state: State) -> State:
        first = interrupt("a")
        seen.append(list(first))
        first.append("changed in place")
        return {"said": interrupt("b")}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    for input in ({"n": 1}, Command(resume=["x"]), Command(resume="y")):
        graph.invoke(input, CONFIG)
    assert seen == [["x"], ["x"]]
    assert used == [True, True]


def test_what_the_caller_changes_in_a_result_is_not_what_goes_on(saver, used):
    seen = []

    def ask(state: State) -> State:
        seen.append(list(state["items"]))
        return {"n": 1, "said": interrupt("?")}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"items": ["a"]}, CONFIG)["items"].append("by the caller")
    assert graph.invoke(Command(resume="x"), CONFIG) == {"n": 1, "said": "x", "items": ["a"]}
    assert seen == [["a"], ["a"]]
    assert used == [True]


def test_a_large_state_is_not_kept_in_the_process(saver, used):
    graph = asking(saver, "a", "b")
    for input in ({"n": 1, "items": [*range(1000)]}, Command(resume="x")):
        graph.invoke(input, CONFIG)
        ((_, _, kept),) = saver._paused.values()
        assert kept.head.values == {}
    result = graph.invoke(Command(resume="y"), CONFIG)
    assert result == {"n": 3, "said": "['x', 'y']", "items": [*range(1000)]}
    assert used == [True, True]


def changed_state(graph: Any, saver: StepSaver) -> None:
    graph.update_state(CONFIG, {"n": 10})


def more_writes(graph: Any, saver: StepSaver) -> None:
    saver.put_writes(graph.get_state(CONFIG).config, [("n", 10)], "00000000-0000-0000-0000-000000000000")


def pruned(graph: Any, saver: StepSaver) -> None:
    saver.prune(["t"])


@pytest.mark.parametrize("change", [changed_state, more_writes, pruned])
def test_after_any_change_the_thread_is_read_again(saver, used, change):
    expected = []
    for kept in (True, False):
        graph = asking(saver, "a")
        saver.delete_thread("t")
        graph.invoke({"n": 1}, CONFIG)
        if not kept:
            saver._paused.clear()
        change(graph, saver)
        expected.append(graph.invoke(Command(resume="x"), CONFIG))
    assert expected[0] == expected[1]
    assert used == [False, False]


def test_a_deleted_thread_has_no_question_left(saver, used):
    graph = asking(saver, "a")
    graph.invoke({"n": 1}, CONFIG)
    saver.delete_thread("t")
    with pytest.raises(UnknownInterruptError, match="no checkpoint"):
        graph.invoke(Command(resume="x"), CONFIG)
    assert used == [False]


def test_another_graph_on_the_thread_reads_it(saver, used):
    asking(saver, "a").invoke({"n": 1}, CONFIG)
    other = asking(saver, "a", then=lambda answers: 100)
    assert other.invoke(Command(resume="x"), CONFIG)["n"] == 101
    assert used == [False]


def test_another_connection_to_the_file_answers_first(tmp_path, used):
    with (
        SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as here,
        SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as there,
    ):
        ran: list[Any] = []
        first, second = (asking(saver, "a", then=lambda got: ran.append(got) or 1) for saver in (here, there))
        first.invoke({"n": 1}, CONFIG)
        second.invoke(Command(resume="there"), CONFIG)
        with pytest.raises(UnknownInterruptError, match="no question is open"):
            first.invoke(Command(resume="here"), CONFIG)
    assert ran == [["there"]]
    assert used == [False, False]


@pytest.mark.parametrize("serde", [Serde, JsonPlusSerializer])
@pytest.mark.parametrize("moment", ["before", "between"])
def test_what_another_connection_saves_meanwhile_is_seen(tmp_path, used, monkeypatch, serde, moment):
    """`between`: after the saver has looked at what it knows, and before it takes the answer up."""
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as here, SqliteSaver.from_conn_string(path) as there:
        here.serde = serde()
        graph = asking(here, "a", "b")
        graph.invoke({"n": 1}, CONFIG)
        graph.invoke(Command(resume="x"), CONFIG)

        def interfere() -> None:
            asking(there, "c").invoke({"n": 1}, {"configurable": {"thread_id": "another"}})

        if moment == "before":
            interfere()
        else:
            at_hand = SqliteRows.at_hand

            def look(self: SqliteRows, thread: str, ns: str) -> Any:
                found = at_hand(self, thread, ns)
                interfere()
                return found

            monkeypatch.setattr(SqliteRows, "at_hand", look)
        assert graph.invoke(Command(resume="y"), CONFIG) == {"n": 3, "said": "['x', 'y']"}
        assert [(claim.state, claim.answer) for claim in there.claims("t")] == [
            ("applied", "x"),
            ("applied", "y"),
        ]
    assert used == [True, False]


def test_answers_of_another_serializer_are_taken_up_from_a_kept_pause(tmp_path, used):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        saver.serde = JsonPlusSerializer()
        graph = asking(saver, "a", "b")
        graph.invoke({"n": 1}, CONFIG)
        graph.invoke(Command(resume="x"), CONFIG)
        assert graph.invoke(Command(resume="y"), CONFIG) == {"n": 3, "said": "['x', 'y']"}
    assert used == [True, True]


def test_of_many_answers_at_once_one_wins(saver):
    ran: list[Any] = []
    graph = asking(saver, "a", then=lambda answers: ran.append(answers) or 1)
    graph.invoke({"n": 1}, CONFIG)

    def answer(i: int) -> Any:
        try:
            return graph.invoke(Command(resume=i), CONFIG)["said"]
        except (AlreadyAnswered, UnknownInterruptError) as late:
            return late

    with ThreadPoolExecutor(16) as pool:
        results = [*pool.map(answer, range(16))]
    assert len(ran) == 1
    assert [result for result in results if isinstance(result, str)] == [repr(ran[0])]


def test_a_node_that_fails_after_the_answer_runs_again_with_it(saver, used):
    failing = [True]

    def once_failing(answers: list[Any]) -> int:
        if failing:
            failing.clear()
            raise OSError("no space")
        return 1

    graph = asking(saver, "a", "b", then=once_failing)
    graph.invoke({"n": 1}, CONFIG)
    graph.invoke(Command(resume="x"), CONFIG)
    with pytest.raises(OSError, match="no space"):
        graph.invoke(Command(resume="y"), CONFIG)
    assert graph.invoke(None, CONFIG) == {"n": 2, "said": "['x', 'y']"}
    assert used == [True, True]


def test_a_question_that_has_changed_shows_what_was_answered(saver, used):
    asked = iter(["first", "second"])
    builder = StateGraph(State).add_node("ask", lambda state: {"said": interrupt(next(asked))})
    graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({"n": 1}, CONFIG)
    with pytest.raises(QuestionChanged, match="Answered was 'first'") as refused:
        graph.invoke(Command(resume="x"), CONFIG)
    assert refused.value.answered == "first"
    assert used == [True]


@pytest.mark.parametrize("before", [[], [Command(resume="w")]], ids=["first", "second"])
@pytest.mark.parametrize(
    "given", [{"update": {"items": None, "n": 5}}, {"goto": "ask"}], ids=["update", "goto"]
)
def test_what_a_command_wrote_beside_a_question_is_saved_with_the_answer(saver, before, given):
    graph = asking(saver, "a", "b")
    for input in ({"n": 1}, *before, Command(**given), Command(resume="x")):
        graph.invoke(input, CONFIG)
    result = graph.get_state(CONFIG).values if before else graph.invoke(Command(resume="y"), CONFIG)
    assert result == graph.get_state(CONFIG).values
    assert result["n"] == (8 if "update" in given else 3)
    assert ("items" in result) is ("update" in given)


def test_an_error_handler_that_asks_gets_what_is_saved_of_the_error(saver, used):
    seen = []

    def fails(state: State) -> State:
        raise ValueError("boom")

    def handle(state: State, error: NodeError) -> State:
        seen.append(error.error)
        return {"said": interrupt("?")}

    builder = StateGraph(State).add_node("fails", fails, error_handler=handle).add_edge(START, "fails")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"n": 1}, CONFIG)
    assert graph.invoke(Command(resume="x"), CONFIG)["said"] == "x"
    assert [str(error) for error in seen] == ["boom", "ValueError('boom')"]
    assert used == [False]


def test_a_checkpoint_that_was_put_from_outside_is_read_again(saver, used):
    """What stands beside the state there, such as who runs next, has to be told from it."""
    graph = asking(saver, "a")
    graph.invoke({"items": [1]}, CONFIG)
    found = saver.get_tuple(CONFIG)
    put = {**found.checkpoint, "id": new_checkpoint_id()}
    put["channel_values"] = {**put["channel_values"], "items": [2]}
    config = {"configurable": {"checkpoint_ns": "", **found.config["configurable"]}}
    saver.put(config, put, {"source": "loop", "step": 1, "parents": {}}, put["channel_versions"])
    graph.invoke(None, CONFIG)
    assert graph.invoke(Command(resume="x"), CONFIG) == {"n": 1, "said": "['x']", "items": [2]}
    assert used == [False]


def test_what_is_kept_is_forgotten_at_some_point():
    saver = InMemorySaver()
    graph = asking(saver, "a")
    for i in range(300):
        graph.invoke({"n": 1}, {"configurable": {"thread_id": str(i)}})
    assert 0 < len(saver._paused) <= 256
    assert all(isinstance(kept, KeptPause) for _, _, kept in saver._paused.values())
