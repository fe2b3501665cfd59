"""Clocks that are put forwards or back, and machines whose clocks differ: nothing is lost, no answer counts twice."""

from __future__ import annotations

import time
from datetime import timedelta
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver as ForeignMemory

from nbhitl.checkpoint import leases, stamps
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
HOUR = 3600


class Clock:
    """The machine's clock, so many seconds before or behind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0
        real = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: real() + self.ahead * 1_000_000_000)
        for name in ("_window", "_second"):
            monkeypatch.setattr(stamps, name, getattr(stamps, name))

    def another_process(self, ahead: int) -> None:
        """Go on as a process that has not made any id yet, on a machine of that clock."""
        self.ahead = ahead
        stamps._window, stamps._second = (0, "", 4095), (0, "")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture(params=["sqlite", "memory", "langgraph's"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Open the same store as each process would."""
    if request.param == "sqlite":
        path = str(tmp_path / "threads.sqlite")
        with SqliteSaver.from_conn_string(path) as one, SqliteSaver.from_conn_string(path) as other:
            yield iter((one, other)).__next__
    else:
        saver = InMemorySaver() if request.param == "memory" else ForeignMemory()
        yield lambda: saver


class State(TypedDict, total=False):
    log: Annotated[list[str], add]


def asking(effects: list[str]) -> Any:
    def ask(state: State) -> State:
        effects.append(interrupt("pay?"))
        return {"log": effects[-1:]}

    return StateGraph(State).add_node("ask", ask).add_edge(START, "ask")


def graph_on(saver: Any, effects: list[str], *, below: bool) -> Any:
    def work(state: State) -> State:
        return {"log": ["worked"]}

    asked = asking(effects).compile() if below else asking(effects).nodes["ask"].runnable
    builder = StateGraph(State).add_node("work", work).add_node("asked", asked)
    return builder.add_edge(START, "work").add_edge("work", "asked").compile(checkpointer=saver)


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_who_goes_on_with_another_clock_loses_nothing(
    clock: Clock, opened: Callable[[], Any], ahead: int, below: bool
) -> None:
    effects: list[str] = []
    graph_on(opened(), effects, below=below).invoke({"log": ["begun"]}, CONFIG)
    clock.another_process(ahead)
    graph = graph_on(opened(), effects, below=below)
    after = graph.invoke(Command(resume="yes"), CONFIG)
    assert effects == ["yes"]
    assert graph.get_state(CONFIG).values == after
    with pytest.raises(UnknownInterruptError):
        graph.invoke(Command(resume="no"), CONFIG)
    graph.update_state(CONFIG, {"log": ["by hand"]})
    assert graph.get_state(CONFIG).values["log"][-1] == "by hand"
    graph.invoke({"log": ["again"]}, CONFIG)
    graph.invoke(Command(resume="once more"), CONFIG)
    assert effects == ["yes", "once more"]
    ids = [found.config["configurable"]["checkpoint_id"] for found in graph.get_state_history(CONFIG)]
    assert ids == sorted(ids, reverse=True)
    parents = [
        found.parent_config["configurable"]["checkpoint_id"]
        for found in graph.get_state_history(CONFIG, limit=len(ids) - 1)
    ]
    assert parents == ids[1:]


@pytest.mark.parametrize("input", [None, {"log": ["instead"]}], ids=["run again", "another input"])
@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_what_runs_again_from_there_is_newest_too(
    clock: Clock, opened: Callable[[], Any], ahead: int, input: Any
) -> None:
    effects: list[str] = []
    graph_on(opened(), effects, below=False).invoke({"log": ["begun"]}, CONFIG)
    clock.another_process(ahead)
    graph = graph_on(opened(), effects, below=False)
    before = next(found for found in graph.get_state_history(CONFIG) if found.next == ("work",))
    (asked,) = graph.invoke(input, before.config)["__interrupt__"]
    assert [question.id for question in graph.get_state(CONFIG).interrupts] == [asked.id]
    assert graph.invoke(Command(resume={asked.id: "yes"}), CONFIG)["log"][-1] == "yes"


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_a_branch_is_newest_whatever_the_clock_says(
    clock: Clock, opened: Callable[[], Any], ahead: int
) -> None:
    effects: list[str] = []
    graph = graph_on(opened(), effects, below=False)
    graph.invoke({"log": ["begun"]}, CONFIG)
    before = next(found for found in graph.get_state_history(CONFIG) if found.next == ("work",))
    clock.another_process(ahead)
    graph = graph_on(opened(), effects, below=False)
    graph.update_state(before.config, {"log": ["changed"]}, as_node="work")
    assert graph.get_state(CONFIG).values["log"] == ["begun", "changed"]


@pytest.mark.parametrize(("ahead", "told"), [(-HOUR, AlreadyAnswered), (HOUR, AnswerInDoubt)])
def test_an_answer_on_its_way_is_not_handed_out_again(
    clock: Clock, tmp_path: Path, ahead: int, told: type[Exception]
) -> None:
    """Somebody looks on a machine with another clock while the node runs with its answer."""
    path, effects = str(tmp_path / "threads.sqlite"), list[str]()
    with SqliteSaver.from_conn_string(path) as one, SqliteSaver.from_conn_string(path) as other:

        def look(state: State) -> State:
            answer = interrupt("pay?")
            effects.append(answer)
            clock.ahead = ahead
            for command in (Command(resume="no"), None):
                with pytest.raises(told):
                    graphs[1].invoke(command, CONFIG)
            clock.ahead = 0
            leases.renew_all()
            return {"log": [answer]}

        builder = StateGraph(State).add_node("look", look).add_edge(START, "look")
        graphs = [builder.compile(checkpointer=saver) for saver in (one, other)]
        graphs[0].invoke({"log": []}, CONFIG)
        assert graphs[0].invoke(Command(resume="yes"), CONFIG) == {"log": ["yes"]}
        assert effects == ["yes"]
        assert [claim.state for claim in other.claims("t")] == ["applied"]
        assert other.pending(states=("open", "recorded", "delivered")) == []


@pytest.mark.parametrize("ahead", [-HOUR, HOUR])
def test_the_age_of_a_question_is_what_the_clocks_say_and_no_question_is_left_out(
    clock: Clock, ahead: int
) -> None:
    saver = InMemorySaver()
    graph = graph_on(saver, [], below=False)
    graph.invoke({"log": ["begun"]}, CONFIG)
    clock.ahead = ahead
    graph.invoke({"log": ["later"]}, {"configurable": {"thread_id": "u"}})
    asked = [question.thread_id for question in saver.pending()]
    assert asked == (["t", "u"] if ahead > 0 else ["u", "t"])
    told = saver.pending(asked_before=timedelta(seconds=-2 * HOUR))
    assert [question.thread_id for question in told] == asked


@pytest.mark.parametrize(
    "own", ["1", "zzz", "", "ffffffff-ffff-6fff-bfff-ffffffffffff", "zzzzzzzz-zzzz-6zzz-bfff-ffffffffffff"]
)
def test_an_id_that_tells_no_time_changes_no_clock(clock: Clock, own: str) -> None:
    before = stamps.new_checkpoint_id()
    stamps.catch_up(own)
    after = stamps.new_checkpoint_id()
    assert before < after
    assert after[:4] == before[:4]
