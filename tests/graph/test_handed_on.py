"""A saver that hands everything on to one of nbhitl's, which others use directly: one thread, one answer."""

from __future__ import annotations

import asyncio
import operator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl import GraphThread
from nbhitl.checkpoint.base import BaseCheckpointSaver
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

from .asking import CONFIG, Async, Sync, ids, questions, waiting
from .conftest import open_saver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class HandingOn(BaseCheckpointSaver[int]):
    """What a program may put around a saver, to count or to log."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def get_tuple(self, config: Any) -> Any:
        return self.inner.get_tuple(config)

    def list(self, config: Any, **bounds: Any) -> Any:
        return self.inner.list(config, **bounds)

    def put(self, *args: Any) -> Any:
        return self.inner.put(*args)

    def put_writes(self, *args: Any) -> None:
        self.inner.put_writes(*args)

    async def aget_tuple(self, config: Any) -> Any:
        return await asyncio.to_thread(self.inner.get_tuple, config)

    async def alist(self, config: Any, **bounds: Any) -> Any:
        for found in self.inner.list(config, **bounds):
            yield found

    async def aput(self, *args: Any) -> Any:
        return self.inner.put(*args)

    async def aput_writes(self, *args: Any) -> None:
        self.inner.put_writes(*args)


class ForgettingConfigs(HandingOn):
    """Makes configs of its own: whose answer it is gets lost."""

    def put_writes(self, config: Any, *args: Any) -> None:
        kept = {"thread_id", "checkpoint_ns", "checkpoint_id"}
        names = {key: value for key, value in config["configurable"].items() if key in kept}
        self.inner.put_writes({"configurable": names}, *args)


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    n: int


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def inner(request: pytest.FixtureRequest) -> Iterator[Any]:
    with open_saver(request) as saver:
        yield saver


@pytest.fixture(params=["opened directly", "opened through the other"])
def savers(request: pytest.FixtureRequest, inner: Any) -> tuple[Any, Any]:
    """The saver that a thread begins with, and the one that it goes on with."""
    return (HandingOn(inner), inner) if request.param == "opened directly" else (inner, HandingOn(inner))


def ask(state: State) -> State:
    return {"log": [f"asked {interrupt({'n': state['n']})}"]}


def build() -> StateGraph[Any]:
    """A join, a deferred node, tasks that are sent, and a child that asks; the child keeps a state of its own."""
    child = StateGraph(State).add_node("deep", ask).add_edge(START, "deep").compile(checkpointer=True)
    builder = StateGraph(State)
    builder.add_node("left", lambda state: {"log": ["left"], "n": 1})
    builder.add_node("right", lambda state: {"log": ["right"]})
    builder.add_node("sent", ask)
    builder.add_node("child", child)
    builder.add_node("both", lambda state: {"log": ["both"]})
    builder.add_node("last", lambda state: {"log": ["last"]}, defer=True)
    builder.add_edge(START, "left").add_edge(START, "right")
    builder.add_conditional_edges("left", lambda state: ["child", Send("sent", {"n": 7})])
    builder.add_edge(["sent", "right"], "both").add_edge("both", "last").add_edge("child", "last")
    return builder


def kept_by_one() -> Any:
    """What the graph returns where one saver keeps it all."""
    graph = build().compile(checkpointer=InMemorySaver())
    asked = graph.invoke({"log": [], "n": 0}, CONFIG)["__interrupt__"]
    nodes = {1: "child", 7: "sent"}
    return graph.invoke(Command(resume={i.id: f"for {nodes[i.value['n']]}" for i in asked}), CONFIG)


def test_a_thread_goes_on_with_either(savers: tuple[Any, Any], inner: Any, run: Sync | Async) -> None:
    """Its questions are listed and answered, and nothing of the state is lost: as if one saver had kept it all."""
    first, second = (build().compile(checkpointer=saver) for saver in savers)
    run.invoke(first, {"log": [], "n": 0})
    listed = {q.interrupt_id: (q.node, q.payload) for q in inner.pending()}
    assert sorted(listed.values()) == [("child", {"n": 1}), ("sent", {"n": 7})]
    assert inner.threads()[0].open_questions == 2
    assert sorted(ids(second)) == sorted(listed)
    assert [(task.name, len(task.interrupts)) for task in second.get_state(CONFIG).tasks] == [
        ("sent", 1),
        ("child", 1),
    ]
    answers = {id: f"for {node}" for id, (node, _) in listed.items()}
    assert run.invoke(second, Command(resume=answers)) == kept_by_one()
    assert second.get_state(CONFIG).next == first.get_state(CONFIG).next == ()
    assert waiting(inner) == []
    assert {claim.state for claim in inner.claims("t")} == {"applied"}
    assert {claim.answer for claim in inner.claims("t")} == {"for sent", "for child"}


def chain() -> StateGraph[Any]:
    builder = StateGraph(State)
    builder.add_node("ask", ask).add_node("after", lambda state: {"log": ["after"]})
    return builder.add_edge(START, "ask").add_edge("ask", "after")


def test_each_changes_hands(savers: tuple[Any, Any], inner: Any) -> None:
    """Question by question: a node that asks twice, answered by one and then by the other."""

    def twice(state: State) -> State:
        return {"log": [interrupt("first?"), interrupt("second?")]}

    first, second = (
        StateGraph(State).add_node(twice).add_edge(START, "twice").compile(checkpointer=saver)
        for saver in savers
    )
    first.invoke({"log": []}, CONFIG)
    assert second.invoke(Command(resume="a"), CONFIG)["__interrupt__"][0].value == "second?"
    assert waiting(inner) == ["second?"] == questions(first)
    assert first.invoke(Command(resume="b"), CONFIG)["log"] == ["a", "b"]
    assert [(claim.state, claim.answer) for claim in inner.claims("t")] == [
        ("applied", "a"),
        ("applied", "b"),
    ]


@pytest.mark.parametrize("kind", [HandingOn, ForgettingConfigs])
@pytest.mark.parametrize("same", [True, False], ids=["the same answer", "another answer"])
@pytest.mark.parametrize("late", ["handed on", "direct"])
def test_one_of_two_answers_wins(inner: Any, kind: Callable[[Any], Any], same: bool, late: str) -> None:
    """The second comes while the node runs with the first: it is refused, and the node runs once."""
    happened: list[Any] = []
    refused: list[Exception] = []

    def decide(state: State) -> State:
        answer = interrupt("go?")
        happened.append(answer)
        if len(happened) == 1:
            with pytest.raises(AlreadyAnswered) as error:
                slow.invoke(Command(resume="yes" if same else "no"), CONFIG)
            refused.append(error.value)
        return {"log": [answer]}

    builder = StateGraph(State).add_node(decide).add_edge(START, "decide")
    through, direct = (builder.compile(checkpointer=saver) for saver in (kind(inner), inner))
    quick, slow = (direct, through) if late == "handed on" else (through, direct)
    through.invoke({"log": []}, CONFIG)
    assert quick.invoke(Command(resume="yes"), CONFIG)["log"] == ["yes"]
    assert happened == ["yes"]
    assert len(refused) == 1
    assert [(claim.state, claim.answer) for claim in inner.claims("t")] == [("applied", "yes")]


def test_an_answer_that_does_not_fit_opens_the_question_again(inner: Any) -> None:
    """Also for those who use the saver directly."""

    def number(state: State) -> State:
        return {"n": interrupt("how many?", response_schema=int)}

    builder = StateGraph(State).add_node(number).add_edge(START, "number")
    through, direct = (builder.compile(checkpointer=saver) for saver in (HandingOn(inner), inner))
    through.invoke({"log": []}, CONFIG)
    with pytest.raises(Exception, match="int"):
        through.invoke(Command(resume="many"), CONFIG)
    assert waiting(inner) == ["how many?"]
    assert direct.invoke(Command(resume=3), CONFIG)["n"] == 3


def test_an_answer_that_was_never_reported_back_is_in_doubt(inner: Any) -> None:
    """Whoever handed it on has died in the node."""

    class Killed(BaseException):
        pass

    def dies(state: State) -> State:
        interrupt("go?")
        raise Killed

    def lives(state: State) -> State:
        return {"log": [interrupt("go?")]}

    builder, other = StateGraph(State).add_node("a", dies), StateGraph(State).add_node("a", lives)
    through = builder.add_edge(START, "a").compile(checkpointer=HandingOn(inner))
    direct = other.add_edge(START, "a").compile(checkpointer=inner)
    through.invoke({"log": []}, CONFIG)
    with pytest.raises(Killed):
        through.invoke(Command(resume="yes"), CONFIG)
    with pytest.raises(AlreadyAnswered):
        direct.invoke(Command(resume="no"), CONFIG)
    (claim,) = inner.claims("t")
    inner.renew("t", "", claim.checkpoint_id, [claim.interrupt_id], owner=claim.owner, at=claim.at, lease=0.0)
    with pytest.raises(AnswerInDoubt):
        direct.invoke(Command(resume="no"), CONFIG)
    inner.release("t", "", claim.checkpoint_id, [claim.interrupt_id])
    assert direct.invoke(Command(resume="no"), CONFIG)["log"] == ["no"]


def test_cards_and_history_show_what_was_handed_on(inner: Any) -> None:
    through, direct = (chain().compile(checkpointer=saver) for saver in (HandingOn(inner), inner))
    through.invoke({"log": [], "n": 1}, CONFIG)
    thread = GraphThread(direct, "t")
    assert thread.question.payload == {"n": 1}
    assert [text for text in thread.history()["question"] if text] == ['{"n": 1}']
    thread.question.answer("yes")
    assert thread.result["log"] == ["asked yes", "after"]
    assert [claim.state for claim in inner.claims("t")] == ["applied"]
