"""Many answer at once: what a node does after its question happens once."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsSaver

from nbhitl.engine.prepare import BY_KEY
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, EmptyInputError, UnknownInterruptError
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State, graph_of, ids, memory, questions, sqlite, waiting
from .conftest import open_saver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLICKS = 32


def all_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make the calls from a thread each, at the same moment; return results and exceptions in order."""
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def call(number: int) -> None:
        gate.wait(10)
        try:
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=call, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


class Effects:
    """A node with an effect after its question."""

    def __init__(self) -> None:
        self.happened: list[Any] = []
        self.started = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def node(self, name: str) -> Callable[[State], State]:
        def node(state: State) -> State:
            answer = interrupt(f"{name}?")
            self.happened.append((name, answer))
            self.started.set()
            self.go_on.wait(10)
            return {"log": [answer]}

        node.__name__ = name
        return node


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    with open_saver(request) as opened:
        yield opened


@pytest.fixture
def effects() -> Effects:
    return Effects()


BY_ID_OR_NOT = pytest.mark.parametrize(
    "by_id",
    [True, False],
    ids=["by id", "plain"],
)


@BY_ID_OR_NOT
def test_of_many_answers_one_wins(saver, effects, by_id):
    graph = graph_of(effects.node("pay"), saver=saver)
    (question,) = graph.invoke({}, CONFIG)["__interrupt__"]
    told = all_at_once(
        [
            lambda n=n: graph.invoke(Command(resume={question.id: n} if by_id else n), CONFIG)
            for n in range(CLICKS)
        ]
    )
    won = [result for result in told if isinstance(result, dict)]
    lost = [result for result in told if not isinstance(result, dict)]
    assert len(won) == 1
    assert {type(error) for error in lost} <= {AlreadyAnswered, UnknownInterruptError}
    assert len(lost) == CLICKS - 1
    (answer,) = won[0]["log"]
    assert effects.happened == [("pay", answer)]
    assert graph.get_state(CONFIG).values == {"log": [answer]}
    assert waiting(saver) == []


def test_of_many_answers_one_wins_with_a_saver_of_langgraph(effects):
    graph = graph_of(effects.node("pay"), saver=LangGraphsSaver())
    graph.invoke({}, CONFIG)
    told = all_at_once([lambda n=n: graph.invoke(Command(resume=n), CONFIG) for n in range(CLICKS)])
    assert sum(isinstance(result, dict) for result in told) == 1
    assert len(effects.happened) == 1


@BY_ID_OR_NOT
def test_the_losers_hear_who_won(saver, effects, by_id):
    """The winner is in the middle of its node: nobody can think that the question is simply gone."""
    graph = graph_of(effects.node("pay"), saver=saver)
    graph.invoke({}, CONFIG)
    (question,) = ids(graph)
    effects.go_on.clear()
    ada = {"configurable": {"thread_id": "t", "__nbhitl_by": "ada"}}
    winner = threading.Thread(target=graph.invoke, args=(Command(resume="yes"), ada))
    winner.start()
    assert effects.started.wait(10)
    told = []
    for answer in ("no", "yes"):
        late = threading.Thread(
            target=lambda: told.extend(
                all_at_once(
                    [lambda: graph.invoke(Command(resume={question: answer} if by_id else answer), CONFIG)]
                )
            )
        )
        late.start()
        late.join(0.3)
    effects.go_on.set()
    winner.join(10)
    late.join(10)
    assert {type(error) for error in told} <= {AlreadyAnswered, UnknownInterruptError}
    assert effects.happened == [("pay", "yes")]
    assert graph.get_state(CONFIG).values == {"log": ["yes"]}
    (claim,) = saver.claims("t")
    assert (claim.state, claim.answer, claim.by) == ("applied", "yes", "ada")


@pytest.mark.parametrize("second", ["another answer", "going on"])
def test_nobody_repeats_an_effect_that_is_going_on(saver, effects, second):
    graph = graph_of(effects.node("a"), effects.node("b"), saver=saver, parallel=True)
    asked = {question.value: question.id for question in graph.invoke({}, CONFIG)["__interrupt__"]}
    effects.go_on.clear()
    first = threading.Thread(target=graph.invoke, args=(Command(resume={asked["a?"]: 1}), CONFIG))
    first.start()
    assert effects.started.wait(10)
    given = Command(resume={asked["b?"]: 2}) if second == "another answer" else None
    told: list[Any] = []
    other = threading.Thread(target=lambda: told.extend(all_at_once([lambda: graph.invoke(given, CONFIG)])))
    other.start()
    other.join(0.3)
    effects.go_on.set()
    first.join(10)
    other.join(10)
    assert effects.happened.count(("a", 1)) == 1
    assert effects.happened.count(("b", 2)) <= 1
    if isinstance(told[0], Exception):
        assert isinstance(told[0], (AlreadyAnswered, AnswerInDoubt))
        assert questions(graph) == ["b?"]
        graph.invoke(Command(resume={asked["b?"]: 2}), CONFIG)
    assert sorted(effects.happened) == [("a", 1), ("b", 2)]
    assert graph.get_state(CONFIG).values == {"log": [1, 2]}


class Stops:
    """A node that is stopped after its effect, the first time."""

    def __init__(self) -> None:
        self.happened = 0
        self.inside: asyncio.Event | None = None

    def stopped(self, state: State) -> State:
        answer = interrupt("pay?")
        self.happened += 1
        if self.happened == 1:
            raise KeyboardInterrupt
        return {"log": [answer]}

    async def cancelled(self, state: State) -> State:
        answer = interrupt("pay?")
        self.happened += 1
        if self.happened == 1:
            assert self.inside is not None
            self.inside.set()
            await asyncio.sleep(30)
        return {"log": [answer]}


def what_is_left_is_in_doubt(graph: Any, node: Stops) -> None:
    for given in (None, Command(resume="no")):
        with pytest.raises(AnswerInDoubt):
            asyncio.run(graph.ainvoke(given, CONFIG))
    assert node.happened == 1
    (claim,) = graph.checkpointer.claims("t")
    graph.checkpointer.release("t", claim.ns, claim.checkpoint_id, [claim.interrupt_id])
    assert asyncio.run(graph.ainvoke(Command(resume="again"), CONFIG)) == {"log": ["again"]}


@pytest.mark.parametrize("by_id", [True, False], ids=["by id", "plain"])
def test_who_comes_after_the_thread_went_on_is_told_who_was_first_and_when(saver, effects, by_id):
    graph = graph_of(effects.node("pay"), saver=saver)
    graph.invoke({}, CONFIG)
    (asked,) = ids(graph)
    ada: Any = {"configurable": {**CONFIG["configurable"], BY_KEY: "ada"}}
    given = Command(resume={asked: "yes"} if by_id else "yes")
    graph.invoke(given, ada)
    (claim,) = graph.checkpointer.claims("t")
    with pytest.raises(
        UnknownInterruptError, match=rf"{asked} was answered by ada at {re.escape(claim.at)}\.$"
    ):
        graph.invoke(given, CONFIG)
    assert effects.happened == [("pay", "yes")]


def test_a_stopped_run_leaves_its_answer_in_doubt(saver):
    node = Stops()
    graph = graph_of(node.stopped, saver=saver)
    graph.invoke({}, CONFIG)
    with pytest.raises(KeyboardInterrupt):
        graph.invoke(Command(resume="yes"), CONFIG)
    what_is_left_is_in_doubt(graph, node)


def test_a_cancelled_run_leaves_its_answer_in_doubt(saver):
    node = Stops()
    graph = graph_of(node.cancelled, saver=saver)

    async def stop_in_the_middle() -> None:
        node.inside = asyncio.Event()
        await graph.ainvoke({}, CONFIG)
        running = asyncio.create_task(graph.ainvoke(Command(resume="yes"), CONFIG))
        await asyncio.wait_for(node.inside.wait(), 10)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(stop_in_the_middle())
    what_is_left_is_in_doubt(graph, node)


def test_a_question_of_a_called_graph_is_answered_once(saver, effects):
    inner = graph_of(effects.node("pay"))
    inner.checkpointer = None

    def calls(state: State) -> State:
        return inner.invoke({"log": []})

    graph = graph_of(calls, saver=saver)
    (question,) = graph.invoke({}, CONFIG)["__interrupt__"]
    told = all_at_once(
        [lambda n=n: graph.invoke(Command(resume={question.id: n}), CONFIG) for n in range(12)]
    )
    assert sum(isinstance(result, dict) for result in told) == 1
    assert len(effects.happened) == 1


class FinishesMeanwhile:
    """A saver whose claims are read late: another run has reported its result since the checkpoint was read."""

    def __init__(self, saver: Any, meanwhile: Callable[[], None]) -> None:
        self._saver, self._meanwhile = saver, meanwhile

    def __call__(self, thread_id: str) -> Any:
        self._meanwhile()
        return type(self._saver).claims(self._saver, thread_id)


def test_an_answer_applied_between_two_looks_is_not_applied_again(saver, effects, monkeypatch):
    graph = graph_of(effects.node("a"), effects.node("b"), saver=saver, parallel=True)
    asked = {question.value: question.id for question in graph.invoke({}, CONFIG)["__interrupt__"]}
    effects.go_on.clear()
    first = threading.Thread(target=graph.invoke, args=(Command(resume={asked["a?"]: 1}), CONFIG))
    first.start()
    assert effects.started.wait(10)

    def let_the_first_finish() -> None:
        effects.go_on.set()
        first.join(10)

    monkeypatch.setattr(saver, "claims", FinishesMeanwhile(saver, let_the_first_finish))
    told = all_at_once([lambda: graph.invoke(Command(resume={asked["b?"]: 2}), CONFIG)])
    assert effects.happened.count(("a", 1)) == 1
    if isinstance(told[0], Exception):
        assert isinstance(told[0], AlreadyAnswered)
        graph.invoke(Command(resume={asked["b?"]: 2}), CONFIG)
    assert sorted(effects.happened) == [("a", 1), ("b", 2)]
    assert graph.get_state(CONFIG).values == {"log": [1, 2]}


@pytest.mark.parametrize("given", [None, Command(update={"log": ["more"]})])
def test_nor_is_one_of_a_thread_that_is_deleted_between_two_looks(saver, effects, monkeypatch, given):
    graph = graph_of(effects.node("a"), saver=saver)
    graph.invoke({}, CONFIG)
    effects.go_on.clear()
    first = threading.Thread(target=graph.invoke, args=(Command(resume=1), CONFIG))
    first.start()
    assert effects.started.wait(10)

    def finish_and_delete() -> None:
        effects.go_on.set()
        first.join(10)
        saver.delete_thread("t")

    monkeypatch.setattr(saver, "claims", FinishesMeanwhile(saver, finish_and_delete))
    with pytest.raises(EmptyInputError, match=r"thread 't' .* no saved state to go on with"):
        graph.invoke(given, CONFIG)
    assert effects.happened == [("a", 1)]
    assert saver.threads() == []


def test_many_people_answer_many_questions_at_once(saver, effects):
    """Whoever is refused because another answer is being applied tries again, as people do."""
    names = [f"q{n}" for n in range(6)]
    graph = graph_of(*(effects.node(name) for name in names), saver=saver, parallel=True)
    asked = {question.value: question.id for question in graph.invoke({}, CONFIG)["__interrupt__"]}

    def answer(name: str) -> int:
        for tries in range(1000):
            try:
                graph.invoke(Command(resume={asked[f"{name}?"]: name}), CONFIG)
            except AlreadyAnswered:
                time.sleep(0.002)
            else:
                return tries
        raise TimeoutError(name)

    told = all_at_once([lambda name=name: answer(name) for name in names])
    assert [error for error in told if isinstance(error, Exception)] == []
    if graph.get_state(CONFIG).next:
        graph.invoke(None, CONFIG)
    assert sorted(effects.happened) == [(name, name) for name in names]
    assert graph.get_state(CONFIG).values == {"log": names}
    assert graph.get_state(CONFIG).next == ()
    assert {claim.state for claim in saver.claims("t")} == {"applied"}


@pytest.mark.parametrize("opened", [memory, sqlite])
def test_many_threads_on_one_store_do_not_disturb_each_other(tmp_path, effects, opened):
    with opened(tmp_path) as saver:
        graph = graph_of(effects.node("pay"), saver=saver)
        configs = [{"configurable": {"thread_id": str(n)}} for n in range(8)]

        def talk(config: Any) -> Any:
            graph.invoke({}, config)
            return graph.invoke(Command(resume=config["configurable"]["thread_id"]), config)

        told = all_at_once([lambda c=c: talk(c) for c in configs])
        assert told == [{"log": [str(n)]} for n in range(8)]
        assert len(effects.happened) == 8


def by(name: str) -> Any:
    return {"configurable": {**CONFIG["configurable"], BY_KEY: name}}


def refused(graph: Any, answer: Any, config: Any = CONFIG) -> str:
    with pytest.raises(UnknownInterruptError) as told:
        graph.invoke(Command(resume=answer), config)
    return str(told.value)


def test_of_several_answers_the_one_to_the_named_question_is_told_of(saver, effects):
    graph = graph_of(effects.node("pay"), effects.node("ship"), saver=saver)
    graph.invoke({}, CONFIG)
    (first,) = ids(graph)
    graph.invoke(Command(resume="yes"), by("ada"))
    (second,) = ids(graph)
    strictly: Any = {"configurable": {**CONFIG["configurable"], "__pregel_strict_resume": True}}
    assert "was answered by" not in refused(graph, {}, strictly)
    graph.invoke(Command(resume="yes"), by("bob"))
    assert re.findall(r"was answered by (\w+)", refused(graph, {first: "no"})) == ["ada"]
    assert re.findall(r"was answered by (\w+)", refused(graph, {first: "no", second: "no"})) == ["ada", "bob"]
    assert re.findall(r"was answered by (\w+)", refused(graph, "no")) == ["bob"]


def test_an_answer_that_was_noted_and_dropped_is_none(saver, effects):
    graph = graph_of(effects.node("pay"), saver=saver)
    graph.invoke({}, CONFIG)
    (claim,) = saver.claims("t")
    saver.record_answer(*claim[:4], "yes", "ada", "2026-01-01T00:00:00")
    saver.drop(*claim[:3], [claim.interrupt_id])
    graph.invoke({}, CONFIG)
    assert "was answered by" not in refused(graph, {claim.interrupt_id: "no"})
