"""A run that is stopped after it took an answer up, and before any node ran with it, leaves the question open."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsSaver

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.engine import adrive
from nbhitl.errors import AlreadyAnswered, StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State, asking, graph_of, questions
from .kept_outcomes import NOW, same_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(params=["memory", "sqlite", "langgraph"])
def saver(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    if request.param != "sqlite":
        yield InMemorySaver() if request.param == "memory" else LangGraphsSaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as opened:
        yield opened


def paying(saver: Any, paid: list[Any]) -> Any:
    def pay(state: State) -> State:
        paid.append(interrupt("pay?"))
        return {"log": paid[-1:]}

    graph = graph_of(pay, saver=saver)
    graph.invoke({}, CONFIG)
    return graph


def once_after(monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, fail: Callable[[], Any]) -> None:
    """Let the next call of a method do its work, and fail then."""
    call = getattr(owner, method)

    def called(*args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        monkeypatch.undo()
        fail()

    monkeypatch.setattr(owner, method, called)


def ctrl_c() -> None:
    raise KeyboardInterrupt


def owner_of_claims(graph: Any, taking: str) -> tuple[Any, str]:
    if isinstance(graph.checkpointer, LangGraphsSaver):
        from nbhitl.engine.claims_beside import ClaimsBeside

        return ClaimsBeside, "take"
    return graph.checkpointer, taking


either_way = pytest.mark.parametrize("taking", ["claim", "answer_pause"])
"""The thread is read again, as where somebody has a `claim` of their own, or not, since its pause was kept."""


def answered(graph: Any, **more: Any) -> None:
    graph.invoke(Command(resume="yes", **more), CONFIG)


def streamed(graph: Any) -> None:
    for _ in graph.stream(Command(resume="yes"), CONFIG):
        pass


def streamed_live(graph: Any) -> None:
    for _ in graph.stream(Command(resume="yes"), CONFIG, stream_mode="custom"):
        pass


@pytest.mark.parametrize(
    ("run", "taking"),
    [(answered, "claim"), (answered, "answer_pause"), (streamed, "claim"), (streamed_live, "claim")],
)
def test_ctrl_c_just_after_the_answer_was_taken_up_opens_the_question_again(monkeypatch, saver, run, taking):
    paid: list[Any] = []
    graph = paying(saver, paid)
    once_after(monkeypatch, *owner_of_claims(graph, taking), ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        run(graph)
    assert paid == []
    assert questions(graph) == ["pay?"]
    assert graph.invoke(Command(resume="again"), CONFIG) == {"log": ["again"]}
    assert paid == ["again"]


def lost() -> None:
    raise StoreError("the connection was lost")


@either_way
def test_a_store_that_fails_after_it_took_the_answer_up_has_the_question_open(monkeypatch, saver, taking):
    paid: list[Any] = []
    graph = paying(saver, paid)
    once_after(monkeypatch, *owner_of_claims(graph, taking), lost)
    with pytest.raises(StoreError, match="lost"):
        answered(graph)
    assert graph.invoke(Command(resume="again"), CONFIG) == {"log": ["again"]}
    assert paid == ["again"]


@either_way
def test_an_async_store_that_fails_after_it_took_the_answer_up_has_the_question_open(
    monkeypatch, tmp_path, taking
):
    async def ask_and_answer() -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            graph = graph_of(asking("pay?"), saver=saver)
            await graph.ainvoke({}, CONFIG)
            once_after(monkeypatch, saver, taking, lost)
            with pytest.raises(StoreError, match="lost"):
                await graph.ainvoke(Command(resume="yes"), CONFIG)
            return await graph.ainvoke(Command(resume="again"), CONFIG)

    assert asyncio.run(ask_and_answer()) == {"log": ["again"]}


def test_a_store_that_fails_on_is_told_of_beside_what_stopped_the_run(monkeypatch):
    saver = InMemorySaver()
    graph = graph_of(asking("pay?"), saver=saver)
    graph.invoke({}, CONFIG)

    def fails_on() -> None:
        monkeypatch.setattr(saver, "claims", lambda thread: lost())
        raise KeyboardInterrupt

    once_after(monkeypatch, saver, "claim", fails_on)
    with pytest.raises(KeyboardInterrupt) as stopped:
        answered(graph)
    assert "Whether the answer was taken up is not known" in stopped.value.__notes__[0]


@pytest.mark.parametrize("stops", [ctrl_c, lost])
def test_what_somebody_else_took_up_stays_theirs(monkeypatch, stops):
    """The run is stopped while it claims an answer that another one has just claimed."""
    saver = InMemorySaver()
    graph = graph_of(asking("pay?"), saver=saver)
    graph.invoke({}, CONFIG)
    claim = saver.claim

    def claimed_elsewhere(request: Any) -> Any:
        monkeypatch.undo()
        own = request.owner
        request.owner = "somebody else"
        claim(request)
        request.owner = own
        stops()

    monkeypatch.setattr(saver, "claim", claimed_elsewhere)
    with pytest.raises((KeyboardInterrupt, StoreError)):
        answered(graph)
    assert [claim.state for claim in saver.claims("t")] == ["delivered"]
    with pytest.raises(AlreadyAnswered):
        answered(graph)


@either_way
def test_being_cancelled_before_the_node_had_its_turn_opens_the_question_again(monkeypatch, taking):
    """A run that has kept the event loop for long lets others go on before it starts its next node."""
    saver, ran = InMemorySaver(), []

    async def ask(state: State) -> State:
        ran.append(interrupt("pay?"))
        return {"log": ran}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)

    async def cancelled() -> Any:
        await graph.ainvoke({}, CONFIG)
        monkeypatch.setattr(adrive, "_TURN", -1.0)
        take = getattr(saver, taking)

        def take_and_cancel(asked: Any) -> Any:
            monkeypatch.undo()
            running.cancel()
            return take(asked)

        monkeypatch.setattr(saver, taking, take_and_cancel)
        running = asyncio.ensure_future(graph.ainvoke(Command(resume="yes"), CONFIG))
        with pytest.raises(asyncio.CancelledError):
            await running
        assert ran == []
        return await graph.ainvoke(Command(resume="again"), CONFIG)

    assert asyncio.run(cancelled()) == {"log": ["again"]}


@either_way
@pytest.mark.parametrize("fails", ["the claim", "the release", "nothing"])
def test_being_cancelled_while_the_answer_is_claimed_stays_so_if_the_store_fails(
    monkeypatch, tmp_path, fails, taking
):
    async def cancelled() -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            graph = graph_of(asking("pay?"), saver=saver)
            await graph.ainvoke({}, CONFIG, durability="sync")  # nobody else writes to the file
            take, began, told = getattr(saver, taking), asyncio.Event(), threading.Event()
            loop = asyncio.get_running_loop()

            def slowly(asked: Any) -> Any:
                loop.call_soon_threadsafe(began.set)
                taken = take(asked)
                assert told.wait(10)
                if fails == "the claim":
                    lost()
                return taken

            monkeypatch.setattr(saver, taking, slowly)
            if fails == "the release":
                monkeypatch.setattr(saver, "release", lambda *place: lost())
            running = asyncio.ensure_future(graph.ainvoke(Command(resume="yes"), CONFIG))
            await began.wait()
            running.cancel()
            told.set()
            with pytest.raises(asyncio.CancelledError):
                await running
            monkeypatch.undo()
            return [claim.state for claim in await saver.aclaims("t")]

    assert asyncio.run(cancelled()) == ["delivered" if fails == "the release" else "open"]


def test_an_answer_of_the_same_moment_to_another_question_stays_taken_up(monkeypatch):
    saver = InMemorySaver()

    def fails(state: State) -> State:
        interrupt("first?")
        raise OSError("no space")

    graph = graph_of(fails, asking("second?"), saver=saver, parallel=True)
    with same_ids(monkeypatch):
        second, first = (question.id for question in graph.invoke({}, CONFIG)["__interrupt__"])
        with pytest.raises(OSError, match="no space"):
            graph.invoke(Command(resume={first: "yes"}), CONFIG)
        with monkeypatch.context() as patched:
            once_after(patched, saver, "claim", lost)
            with pytest.raises(StoreError, match="lost"):
                graph.invoke(Command(resume={second: "yes"}), CONFIG)
    states = {claim.interrupt_id: (claim.state, claim.at) for claim in saver.claims("t")}
    assert states == {first: ("delivered", NOW), second: ("open", None)}
