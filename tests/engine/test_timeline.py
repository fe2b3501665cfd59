"""Which state a called graph has that keeps its own, and what a fork costs where it has gone on for long."""

from __future__ import annotations

from operator import add
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.engine import timeline
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Interrupt, interrupt

CONFIG: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    count: int


class Own(TypedDict):
    turns: Annotated[list, add]


class Counting(InMemorySaver):
    """Counts the checkpoints that are read."""

    reads = 0

    def load(self, *args: Any, **kwargs: Any) -> Any:
        self.reads += 1
        return super().load(*args, **kwargs)

    def load_before(self, *args: Any) -> Any:
        self.reads += 1
        return super().load_before(*args)


@pytest.mark.parametrize("named", [False, True])
def test_what_was_left_behind_is_not_read_one_by_one(named: bool) -> None:
    child = StateGraph(Own).add_node("turn", lambda state: {"turns": ["turn"]}).add_edge(START, "turn")
    remembers = child.compile(checkpointer=True)

    def count(state: State) -> dict[str, int]:
        return {"count": len(remembers.invoke({"turns": []})["turns"])}

    saver = Counting()
    graph = StateGraph(State).add_node("count", count).add_edge(START, "count").compile(checkpointer=saver)
    for turn in range(40):
        assert graph.invoke({"count": 0}, CONFIG) == {"count": turn + 1}
    runs = [snapshot.config for snapshot in graph.get_state_history(CONFIG) if snapshot.next == ("count",)]
    for at, remembered in ((runs[-1], 1), (runs[20], 20)):
        fork = graph.update_state(at, {"count": -1})
        saver.reads = 0
        assert graph.invoke(None, fork if named else CONFIG) == {"count": remembered}
        assert saver.reads < 12


CHILD = "child"
PENDING = [("task", "log", "kept")]


class Told:
    """Checkpoints `c1`, `c2`, ... of a caller that stands at the last one, and those of a graph that it calls."""

    def __init__(self, *sources: str, resuming: bool = True, remembered: str | None = None) -> None:
        self.stored: dict[tuple[str, str], Any] = {}
        for number, source in enumerate(sources, 1):
            self.keep("", f"c{number}", f"c{number - 1}" if number > 1 else None, source=source)
        kept_by = SimpleNamespace(resuming=resuming)
        run = SimpleNamespace(
            **{
                "ns": "",
                "thread_id": "t",
                "parent": None,
                "anew": None,
                "durability": "sync",
                "resuming": resuming,
            },
            **{"children": {}, "start_map": {}, "asked_map": {}, "kept_by": lambda: kept_by},
        )
        task = SimpleNamespace(checkpoint_id=f"c{len(sources)}")
        children = {} if remembered is None else {CHILD: remembered}
        self.caller = SimpleNamespace(task=task, run=run, children=children)
        self.progress: Any = SimpleNamespace(
            run=SimpleNamespace(parent=self.caller), program=None, continues=True
        )

    def keep(self, ns: str, own: str, parent: str | None, **metadata: Any) -> Any:
        kept = SimpleNamespace(checkpoint_id=own, parent_id=parent, metadata=metadata, writes=PENDING)
        self.stored[ns, own] = kept
        return kept

    def left(self, own: str, made_at: str | None, parent: str | None = None) -> Any:
        """A checkpoint of the called graph that a task at the caller's `made_at` has made."""
        return self.keep(CHILD, own, parent, parents={} if made_at is None else {"": made_at})

    def point(self, newest: Any, again: bool = False) -> Any:
        """What `at_this_point` finds."""
        return self.drive(
            timeline.at_this_point(self.progress, newest, CheckpointKey("t", CHILD, None), again)
        )

    def drive(self, steps: Any) -> Any:
        """What a generator returns that asks a saver."""
        answer = None
        for _ in range(50):
            try:
                call = steps.send(answer)
            except StopIteration as end:
                return end.value
            (key,) = call.args
            own, bound = key.checkpoint_id, "~"
            if call.method == "load_before":
                own, bound = None, own
            found = (
                [own] if own else sorted(one for ns, one in self.stored if ns == key.ns and one < bound)[-1:]
            )
            answer = self.stored.get((key.ns, *found))
        raise AssertionError("no end of questions to the store")


@pytest.fixture(params=[True, False], ids=["can go on", "has ended"])
def can_go_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(timeline, "_can_go_on", lambda progress, stored: request.param)
    return request.param


@pytest.mark.usefixtures("can_go_on")
def test_the_task_that_calls_again_finds_what_it_made() -> None:
    told = Told("input", "loop")
    newest = told.left("x1", made_at="c2")
    assert told.point(newest) is newest
    assert told.point(newest, again=True) is None
    assert newest.writes is PENDING


@pytest.mark.usefixtures("can_go_on")
def test_what_an_answer_was_asked_at_is_taken_up_by_who_goes_on_alone() -> None:
    for resuming, again, found in ((True, False, "x1"), (True, True, None), (False, False, None)):
        told = Told("input", "loop", "loop", resuming=resuming)
        told.left("x1", made_at="c1")
        newest = told.left("x2", made_at="c1", parent="x1")
        told.caller.run.asked_map[CHILD] = "x1"
        point = told.point(newest, again)
        assert (point and point.checkpoint_id) == found


@pytest.mark.usefixtures("can_go_on")
def test_who_goes_on_at_an_older_checkpoint_finds_what_was_left_there() -> None:
    for made_at, resuming, found in (("c2", True, "d1"), ("c2", False, None), ("c8", True, None)):
        told = Told("input", "loop", resuming=resuming)
        told.left("d1", made_at=made_at)
        newest = told.left("d2", made_at="c9", parent="d1")
        point = told.point(newest)
        assert (point and point.checkpoint_id) == found


def test_changes_by_hand_and_steps_leave_a_called_graph_where_it_was(can_go_on: bool) -> None:
    for sources, resuming, stays in (
        (("input", "loop", "update", "loop"), True, True),
        (("input", "loop", "update", "loop"), False, False),
        (("input", "loop", "fork", "loop"), True, False),
    ):
        told = Told(*sources, resuming=resuming)
        newest = told.left("b1", made_at="c2")
        point = told.point(newest)
        assert told.progress.continues == (stays and can_go_on)
        assert point is (newest if told.progress.continues else None)


@pytest.mark.usefixtures("can_go_on")
def test_what_another_graph_made_is_not_gone_on_with() -> None:
    told = Told("update", "update")
    assert told.point(told.left("b1", made_at=None)) is None
    assert told.point(told.keep(CHILD, "b1", None)) is None
    assert told.point(told.left("b1", made_at="elsewhere")) is None


@pytest.mark.usefixtures("can_go_on")
def test_what_is_remembered_is_found_without_what_was_pending_there() -> None:
    told = Told("input", "loop", "input", remembered="b1")
    told.left("b1", made_at=None)
    newest = told.left("b2", made_at=None, parent="b1")
    point = told.point(newest)
    assert (point.checkpoint_id, point.writes) == ("b1", [])
    assert newest.writes is PENDING
    told.caller.children[CHILD] = "b2"
    assert told.point(newest) is newest
    assert newest.writes is PENDING


def asked(told: Told, own: str, *answers: str) -> None:
    question = Interrupt("?", id="q")
    told.stored["", own].writes = [("task", INTERRUPT, [question]), *(("task", RESUME, [a]) for a in answers)]


@pytest.mark.usefixtures("can_go_on")
@pytest.mark.parametrize(("then", "found"), [("input", True), ("update", True), ("loop", False)])
def test_what_a_new_input_or_a_change_dropped_is_gone_on_with_as_it_is(then: str, found: bool) -> None:
    told = Told("input", "loop", then, resuming=False)
    asked(told, "c2")
    newest = told.left("b1", made_at="c2")
    assert (told.point(newest) is newest) == found
    assert newest.writes is PENDING


def line(told: Told, at: str, **how: Any) -> Any:
    run = told.caller.run
    for name, value in how.items():
        setattr(run, name, value)
    return timeline._Line(CheckpointKey("t", "", at), run)


def test_what_came_after_a_checkpoint_is_told_as_far_back_as_it_was_asked() -> None:
    told = Told("input", "loop", "input", "update")
    way = line(told, "c4")
    assert told.drive(way.since("c4")) is None
    assert told.drive(way.since("c3")) == ("c4", "update", False)
    assert told.drive(way.since("c2")) == ("c3", "input", True)
    assert told.drive(way.since("c1")) == ("c2", "loop", True)
    assert told.drive(way.since("c0")) is None
    assert told.drive(way.since("c3")) == ("c4", "update", False)
    assert set(way.after) == {"", "c1", "c2", "c3"}


@pytest.mark.parametrize(("resuming", "source"), [(True, "loop"), (False, "input")])
def test_a_run_that_saves_where_it_ends_began_at_the_newest_checkpoint(resuming: bool, source: str) -> None:
    told = Told("input", "loop")
    way = line(told, "c5", durability="exit", resuming=resuming)
    assert told.drive(way.since("c2")) == ("c5", source, not resuming)
    assert told.drive(way.since("c1")) == ("c2", "loop", not resuming)


@pytest.mark.parametrize("how", [{"durability": "sync"}, {"anew": "c1"}, {"stored": {}}, {"at": "c1x"}])
def test_steps_that_are_not_there_lead_nowhere_else(how: dict[str, Any]) -> None:
    told = Told("input", "loop")
    told.stored = how.pop("stored", told.stored)
    way = line(told, how.pop("at", "c5"), **({"durability": "exit"} | how))
    assert told.drive(way.since("c1")) is None
    assert way.after == {}


def test_a_thread_that_a_change_began_can_be_forked_where_it_began() -> None:
    """No input ends the way back from the fork, on which the task is not that the called graph has paused for."""
    builder = (
        StateGraph(Own).add_node("ask", lambda state: {"turns": [interrupt("?")]}).add_edge(START, "ask")
    )
    child = builder.compile(checkpointer=True)
    builder = StateGraph(Own).add_node("first", lambda state: {"turns": ["first"]}).add_node("child", child)
    builder = builder.add_edge(START, "first").add_edge("first", "child")
    graph = builder.compile(checkpointer=InMemorySaver())
    began = graph.update_state(CONFIG, {"turns": ["began"]}, as_node=START)
    graph.invoke(None, CONFIG)
    graph.update_state(began, {"turns": ["forked"]}, as_node="first")
    assert graph.invoke(None, CONFIG)["__interrupt__"]
    turns = ["began", "forked"]
    assert graph.invoke(Command(resume="yes"), CONFIG) == {"turns": [*turns, *turns, "yes"]}
