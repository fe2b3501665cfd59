"""Differences from LangGraph in what a saver keeps and gives back."""

from __future__ import annotations

import http
import operator
import sqlite3
from contextlib import closing, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from typing_extensions import TypedDict

from .both_engines import CONFIG, State, compiled, engine
from .swap import ENGINES, LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from pathlib import Path
    from types import SimpleNamespace


def test_d10_tuples_stay_tuples(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    stored = {}
    for on in (langgraph, nbhitl):
        graph = compiled(on, lambda state: {"log": [("a", 1)]})
        assert graph.invoke({"log": []}, CONFIG) == {"log": [("a", 1)]}
        stored[on.name] = graph.get_state(CONFIG).values["log"][0]
    assert stored == {LANGGRAPH: ["a", 1], NBHITL: ("a", 1)}


def test_d19_a_step_that_cannot_be_applied_at_exit(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    class Plain(State):
        one: str

    left: dict[str, Any] = {}
    goes_on: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(Plain).add_node("start", lambda state: {"log": ["start"]})
        for name in "ab":
            builder.add_node(name, lambda state, name=name: {"log": [name], "one": name})
            builder.add_edge("start", name)
        graph = builder.add_edge(on.START, "start").compile(checkpointer=on.InMemorySaver())
        with pytest.raises(on.errors.InvalidUpdateError, match="At key 'one'"):
            graph.invoke({"log": []}, CONFIG, durability="exit")
        snapshot = graph.get_state(CONFIG)
        left[on.name] = (snapshot.next, [task.result for task in snapshot.tasks])
        try:
            graph.invoke(None, CONFIG)
            goes_on[on.name] = "as if it had ended"
        except on.errors.InvalidUpdateError:
            goes_on[on.name] = "told again"
    results = [{"log": [name], "one": name} for name in "ab"]
    assert left == {LANGGRAPH: ((), []), NBHITL: (("a", "b"), results)}
    assert goes_on == {LANGGRAPH: "as if it had ended", NBHITL: "told again"}


def test_d19_a_called_graph_that_reaches_the_recursion_limit(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    ran: dict[str, list[str]] = {}
    for on in (langgraph, nbhitl):
        started = ran[on.name] = []

        def step(state: Any, name: str, started: list[str] = started) -> Any:
            started.append(name)
            return {"log": [name]}

        inner = on.StateGraph(State).add_edge(on.START, "a")
        for name in "abc":
            inner.add_node(name, lambda state, name=name, step=step: step(state, name))
        inner.add_edge("a", "b").add_edge("b", "c")
        builder = on.StateGraph(State).add_node("child", inner.compile()).add_edge(on.START, "child")
        graph = builder.compile(checkpointer=on.InMemorySaver())
        with pytest.raises(on.errors.GraphRecursionError):
            graph.invoke({"log": []}, {**CONFIG, "recursion_limit": 2}, durability="exit")
        assert graph.invoke(None, CONFIG)["log"] == ["a", "b", "c"]
    assert ran == {LANGGRAPH: ["a", "b", "a", "b", "c"], NBHITL: ["a", "b", "c"]}


def test_d20_a_class_of_a_library_that_no_schema_names(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    class Loose(TypedDict):
        value: Any

    ended: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = (
            on.StateGraph(Loose)
            .add_node("n", lambda state: {"value": http.HTTPStatus.OK})
            .add_edge(on.START, "n")
        )
        in_memory = builder.compile(checkpointer=on.InMemorySaver())
        in_memory.invoke({"value": None}, CONFIG)
        assert in_memory.get_state(CONFIG).values == {"value": http.HTTPStatus.OK}
        with import_module(f"{on.name}.checkpoint.sqlite").SqliteSaver.from_conn_string(":memory:") as saver:
            graph = builder.compile(checkpointer=saver)
            try:
                graph.invoke({"value": None}, CONFIG)
                ended[on.name] = graph.get_state(CONFIG).values
            except TypeError as error:
                ended[on.name] = str(error).partition(" cannot")[0]
                saver.serde.register(http.HTTPStatus)
                assert graph.invoke({"value": None}, CONFIG) == {"value": http.HTTPStatus.OK}
    assert ended == {
        LANGGRAPH: {"value": http.HTTPStatus.OK},
        NBHITL: "state key 'value' written by node 'n' (thread '1')",
    }


def test_d21_what_is_changed_in_place(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    def change(state: Any) -> Any:
        state["log"][0]["done"] = True
        return {"log": [{"said": True}]}

    saved: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State).add_node("first", lambda state: {"log": [{"done": False}, *"x" * 200]})
        builder.add_node("second", lambda state: {"log": ["the whole state is saved with this step"]})
        builder.add_node("change", change)
        builder.add_node("look", lambda state: {"log": [dict(state["log"][0])]})
        for pair in ((on.START, "first"), ("first", "second"), ("second", "change"), ("change", "look")):
            builder.add_edge(*pair)
        with import_module(f"{on.name}.checkpoint.sqlite").SqliteSaver.from_conn_string(":memory:") as saver:
            builder.compile(checkpointer=saver).invoke({"log": []}, CONFIG)
            log = builder.compile(checkpointer=saver).get_state(CONFIG).values["log"]
            saved[on.name] = (log[0], log[-2:])
    seen = [{"said": True}, {"done": True}]
    assert saved == {LANGGRAPH: ({"done": True}, seen), NBHITL: ({"done": False}, seen)}


def test_d22_a_run_that_stopped_before_its_checkpoint(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    following = {}
    for on in (langgraph, nbhitl):

        class Full(on.InMemorySaver):  # type: ignore[name-defined, misc]
            def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
                if metadata["step"] == 1:
                    raise OSError("disk full")
                return super().put(config, checkpoint, metadata, new_versions)

        builder = on.StateGraph(State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_edge(on.START, "first").add_edge("first", "second")
        graph = builder.compile(checkpointer=Full())
        with pytest.raises(OSError, match="disk full"):
            graph.invoke({"log": []}, CONFIG, durability="sync")
        following[on.name] = graph.get_state(CONFIG).next
    assert following == {LANGGRAPH: (), NBHITL: ("second",)}


def test_d26_tables_of_their_own(tmp_path: Path) -> None:
    found = {}
    for on in ENGINES:
        savers, graphs = import_module(f"{on}.checkpoint.sqlite"), engine(on)
        builder = graphs.StateGraph(State).add_node("node", lambda state: {"log": ["a"]})
        with savers.SqliteSaver.from_conn_string(str(tmp_path / f"{on}.db")) as saver:
            builder.add_edge(graphs.START, "node").compile(checkpointer=saver).invoke({"log": []}, CONFIG)
            assert {stored.config["configurable"]["thread_id"] for stored in saver.list(None)} == {"1"}
            threads = "SELECT DISTINCT thread_id FROM checkpoints"
            assert saver.conn.execute(threads).fetchall() == [("1",)]
            with closing(sqlite3.connect(tmp_path / f"{on}.db")) as elsewhere:
                found_there = on == LANGGRAPH
                with (
                    nullcontext() if found_there else pytest.raises(sqlite3.OperationalError, match="no such")
                ):
                    assert elsewhere.execute(threads).fetchall() == [("1",)]
            saver.delete_thread("1")
            assert saver.conn.execute(threads).fetchall() == []
            assert not list(saver.list(None))
            tables = saver.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            found[on] = {name for (name,) in tables}
    assert found[LANGGRAPH] == {"checkpoints", "writes"}
    assert "nbhitl_steps" in found[NBHITL]
    assert "checkpoints" not in found[NBHITL]


def test_d30_checkpoints_of_a_delta_channel(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for on in (langgraph, nbhitl):
        delta = import_module(f"{on.name}.channels").DeltaChannel
        keys = {"log": Annotated[list, delta(lambda old, new: sum(new, old))]}
        builder = on.StateGraph(TypedDict("Kept", keys)).add_node("note", lambda state: {"log": ["note"]})
        graph = builder.add_edge(on.START, "note").compile(checkpointer=on.InMemorySaver())
        assert graph.invoke({"log": ["in"]}, CONFIG, durability="exit") == {"log": ["in", "note"]}
        newest, *before = graph.checkpointer.list(CONFIG)
        if on is nbhitl:
            assert newest.checkpoint["channel_values"]["log"] == ["in", "note"]
            assert before == []
        else:
            assert newest.checkpoint["channel_values"].get("log") is None
            assert [(old.metadata["step"], old.metadata.get("source")) for old in before] == [(-2, None)]


def test_d29_the_result_of_what_was_answered_and_written(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on, shown in ((langgraph, {"$writes": [["hand"], ["yes"]]}), (nbhitl, ["yes"])):
        builder = on.StateGraph(State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state, on=on: {"log": [on.interrupt("sure?")]})
            builder.add_edge(on.START, name)
        graph = builder.add_node("end", lambda state: None).add_edge("first", "end")
        graph = graph.compile(checkpointer=on.InMemorySaver())
        graph.invoke({"log": []}, CONFIG)
        first = graph.get_state(CONFIG).tasks[0]
        assert first.name == "first"
        graph.invoke(on.Command(resume={first.interrupts[0].id: "yes"}), CONFIG)
        graph.update_state(CONFIG, {"log": ["hand"]}, as_node="first")
        before = list(graph.get_state_history(CONFIG))[1]
        assert before.tasks[0].result == {"log": shown}


def test_d31_a_key_that_is_not_tracked(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    found: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        untracked = import_module(f"{on.name}.channels").UntrackedValue
        keys = {"log": Annotated[list, operator.add], "connection": Annotated[Any, untracked]}
        builder = on.StateGraph(TypedDict("Connected", keys)).add_node(
            "connect", lambda state: {"connection": "secret"}
        )
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("go on?")]})
        builder.add_edge(on.START, "connect").add_edge(on.START, "ask")
        saver = on.InMemorySaver()
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"log": []}, CONFIG, durability="exit")
        graph.update_state(CONFIG, {"connection": "by hand"}, as_node="ask")
        saved = [write[1:] for kept in saver.list(None) for write in kept.pending_writes]
        found[on.name] = sorted(value for channel, value in saved if channel == "connection")
    assert found == {LANGGRAPH: ["by hand", "secret"], NBHITL: []}


def test_d31_what_was_answered_and_is_not_tracked(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    seen: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        untracked = import_module(f"{on.name}.channels").UntrackedValue
        keys = {"log": Annotated[list, operator.add], "connection": Annotated[Any, untracked]}
        runs: list[Any] = []

        def connect(state: Any, on: SimpleNamespace = on, runs: list[Any] = runs) -> Any:
            runs.append(on.interrupt("connect?"))
            return {"connection": runs[-1]}

        builder = on.StateGraph(TypedDict("Connected", keys)).add_node("connect", connect)
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("go on?")]})
        builder.add_edge(on.START, "connect").add_edge(on.START, "ask")
        graph = builder.compile(checkpointer=on.InMemorySaver())
        asked = {i.value: i.id for i in graph.invoke({"log": []}, CONFIG)["__interrupt__"]}
        graph.invoke(on.Command(resume={asked["connect?"]: "yes"}), CONFIG)
        listed = [question.value for question in graph.get_state(CONFIG).interrupts]
        assert graph.invoke(on.Command(resume={asked["go on?"]: "yes"}), CONFIG)["log"] == ["yes"]
        seen[on.name] = (listed, runs)
    assert seen == {LANGGRAPH: (["connect?", "go on?"], ["yes", "yes"]), NBHITL: (["go on?"], ["yes"])}


def test_d32_versions_of_channels(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    kept = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_edge(on.START, "first").add_edge("first", "second")
        graph = builder.compile(checkpointer=on.InMemorySaver())
        graph.invoke({"log": ["in"]}, CONFIG)
        checkpoint = kept[on.name] = graph.checkpointer.get_tuple(CONFIG).checkpoint
        assert checkpoint["channel_values"] == {"log": ["in", "first", "second"]}
    theirs, ours = kept[LANGGRAPH], kept[NBHITL]
    assert {*theirs["channel_versions"]} == {"__start__", "branch:to:first", "branch:to:second", "log"}
    assert {*map(type, theirs["channel_versions"].values())} == {str}
    assert {*theirs["versions_seen"]} == {"__input__", "__start__", "first", "second"}
    assert ours["channel_versions"] == {"log": 4}
    assert ours["versions_seen"] == {"second": {}}


def test_d17_what_was_done_beside_a_question_of_before(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    done: dict[str, list[str]] = {LANGGRAPH: [], NBHITL: []}
    for on in (langgraph, nbhitl):
        effects = done[on.name]
        builder = on.StateGraph(State).add_node("work", lambda state, effects=effects: effects.append("work"))
        builder.add_edge(on.START, "work")
        for name in ("one", "two"):

            def ask(state: Any, name: str = name, on: SimpleNamespace = on, effects: Any = effects) -> Any:
                answer = on.interrupt(name)
                effects.append(name)
                return {"log": [answer]}

            builder.add_node(name, ask).add_edge(on.START, name)
        graph = builder.compile(on.InMemorySaver())
        ids = {question.value: question.id for question in graph.invoke({}, CONFIG)["__interrupt__"]}
        before = graph.get_state(CONFIG).config
        graph.invoke(on.Command(resume={ids["one"]: "yes"}), CONFIG)
        graph.update_state(CONFIG, {"log": ["by hand"]}, as_node="work")
        assert graph.invoke(on.Command(resume={ids["two"]: "no"}), before)["log"] == ["yes", "no"]
    assert sorted(done[LANGGRAPH]) == ["one", "one", "two", "work", "work"]
    assert sorted(done[NBHITL]) == ["one", "two", "work"]


def test_d17_a_question_before_a_breakpoint_of_the_called_graph(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    listed = {}
    for on in (langgraph, nbhitl):
        child = on.StateGraph(State).add_node("ask", lambda state, on=on: {"log": [on.interrupt("q")]})
        child.add_node("then", lambda state: {"log": ["then"]}).add_edge(on.START, "ask").add_edge(
            "ask", "then"
        )
        called = child.compile(interrupt_before=["then"])
        graph = compiled(on, lambda state, called=called: called.invoke({"log": []}))
        graph.invoke({"log": []}, CONFIG)
        graph.invoke(on.Command(resume="yes"), CONFIG)
        listed[on.name] = [question.value for question in graph.get_state(CONFIG).interrupts]
        assert graph.invoke(None, CONFIG) == {"log": ["yes", "then"]}
    assert listed == {LANGGRAPH: ["q"], NBHITL: []}
