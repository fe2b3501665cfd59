"""replay_check="site": a replayed question has to be asked at the same place; what it says may differ."""

from __future__ import annotations

from copy import deepcopy
from itertools import count
from typing import Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.engine.site import site
from nbhitl.errors import QuestionChanged
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State, graph_of, questions

BY_SITE: dict[str, Any] = {"configurable": {"thread_id": "t", "replay_check": "site"}}


def paying():
    """A node whose question never says the same twice."""
    prices = count(10)

    def pay(state: State) -> State:
        return {"log": [interrupt({"pay": next(prices)})]}

    return pay


def two_questions(swapped=False):
    """Like a node in which somebody has moved the second question up."""

    def ask(state: State) -> State:
        if swapped:
            second = interrupt("delete PRODUCTION?")
            first = interrupt("delete the drafts?")
        else:
            first = interrupt("delete the drafts?")
            second = interrupt("delete PRODUCTION?")
        return {"log": [first, second]}

    return ask


def confirm(what):
    return interrupt({"delete": what})


def test_another_payload_at_the_same_place_is_the_same_question(run, saver):
    graph = graph_of(paying(), saver=saver)
    run.invoke(graph, {}, BY_SITE)
    assert questions(graph) == [{"pay": 10}]
    assert run.invoke(graph, Command(resume="yes"), BY_SITE) == {"log": ["yes"]}


def test_what_is_asked_at_the_same_place_need_not_even_be_data(run, saver):
    payloads = iter([{"pay": 10}, {"pay": object()}])

    def pay(state: State) -> State:
        return {"log": [interrupt(next(payloads))]}

    graph = graph_of(pay, saver=saver)
    run.invoke(graph, {}, BY_SITE)
    assert run.invoke(graph, Command(resume="yes"), BY_SITE) == {"log": ["yes"]}


def test_another_place_is_another_question(run, saver):
    run.invoke(graph_of(two_questions(), saver=saver), {}, BY_SITE)
    edited = graph_of(two_questions(swapped=True), saver=saver)
    with pytest.raises(QuestionChanged, match=r"ask\+\d+' and not at '.*ask\+\d+'.*PRODUCTION") as caught:
        run.invoke(edited, Command(resume="yes"), BY_SITE)
    assert (caught.value.answered, caught.value.asked) == ("delete the drafts?", "delete PRODUCTION?")
    assert run.invoke(graph_of(two_questions(), saver=saver), None, BY_SITE)["__interrupt__"]


def test_the_same_payload_elsewhere_is_another_question(run):
    """Only the place counts: two questions that say the same are two."""

    def ask(state: State) -> State:
        if moved:
            return {"log": [interrupt("sure?")]}
        return {"log": [interrupt("sure?")]}

    moved = False
    graph = graph_of(ask)
    run.invoke(graph, {}, BY_SITE)
    moved = True
    with pytest.raises(QuestionChanged):
        run.invoke(graph, Command(resume="yes"), BY_SITE)


def test_a_place_is_told_by_the_lines_that_lead_to_it(run):
    """Questions that one function asks for several lines of a node are told apart."""

    def ask(state: State) -> State:
        if moved:
            return {"log": [confirm("production")]}
        return {"log": [confirm("drafts")]}

    moved = False
    graph = graph_of(ask)
    run.invoke(graph, {}, BY_SITE)
    moved = True
    with pytest.raises(QuestionChanged, match=r"confirm\+1 < .*ask\+2' and not at 'confirm\+1 < .*ask\+3'"):
        run.invoke(graph, Command(resume="yes"), BY_SITE)


def test_every_turn_of_a_loop_is_at_the_same_place(run, saver):
    drafts = count()

    def ask(state: State) -> State:
        return {"log": [interrupt({"turn": turn, "draft": next(drafts)}) for turn in range(3)]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {}, BY_SITE)
    for answer in ("a", "b"):
        run.invoke(graph, Command(resume=answer), BY_SITE)
    assert run.invoke(graph, Command(resume="c"), BY_SITE) == {"log": ["a", "b", "c"]}


def test_a_place_does_not_depend_on_the_file_or_on_lines_above():
    code = "def f(site):\n    return site()\n"
    first, moved = {}, {}
    exec(compile(code, "/one/cell.py", "exec"), first)
    exec(compile("# a comment\n\n" + code, "/other/module.py", "exec"), moved)
    here = first["f"](site).split(" < ")
    assert here[0] == "f+1"
    assert here[0] == moved["f"](site).split(" < ")[0]


def test_paused_sync_and_answered_async_and_back():
    from .asking import Async, Sync

    for first, then in ((Sync(), Async()), (Async(), Sync())):
        graph = graph_of(paying())
        first.invoke(graph, {}, BY_SITE)
        assert then.invoke(graph, Command(resume="yes"), BY_SITE) == {"log": ["yes"]}


async def test_in_an_async_node():
    drafts = count()

    async def helper():
        return interrupt({"draft": next(drafts)})

    async def ask(state: State) -> State:
        return {"log": [await helper()]}

    graph = graph_of(ask)
    await graph.ainvoke({}, BY_SITE)
    assert await graph.ainvoke(Command(resume="yes"), BY_SITE) == {"log": ["yes"]}


@pytest.mark.parametrize("keeps", [None, True, False])
def test_in_a_called_graph(run, saver, keeps):
    inner = StateGraph(State).add_node("pay", paying()).add_edge(START, "pay").compile(checkpointer=keeps)
    outer = StateGraph(State).add_node("inner", inner).add_edge(START, "inner")
    graph = outer.compile(checkpointer=saver)
    run.invoke(graph, {}, BY_SITE)
    assert run.invoke(graph, Command(resume="yes"), BY_SITE)["log"] == ["yes"]


def test_another_place_in_a_called_graph(run, saver):
    def calling(swapped):
        inner = StateGraph(State).add_node("ask", two_questions(swapped)).add_edge(START, "ask").compile()
        outer = StateGraph(State).add_node("inner", inner).add_edge(START, "inner")
        return outer.compile(checkpointer=saver)

    run.invoke(calling(swapped=False), {}, BY_SITE)
    with pytest.raises(QuestionChanged) as caught:
        run.invoke(calling(swapped=True), Command(resume="yes"), BY_SITE)
    assert caught.value.answered == "delete the drafts?"
    assert str(caught.value).count("Answered was") == 1


@pytest.mark.parametrize("moved", [False, True])
def test_in_tools(run, moved):
    from nbhitl.prebuilt import ToolNode

    prices = count()
    at_other_line = False

    def buy(item: str) -> str:
        """Buy something."""
        if at_other_line:
            return str(interrupt({"buy": item, "price": next(prices)}))
        return str(interrupt({"buy": item, "price": next(prices)}))

    call = {"name": "buy", "args": {"item": "tea"}, "id": "c1", "type": "tool_call"}
    from nbhitl.graph import MessagesState

    def model(state):
        return {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}]}

    builder = StateGraph(MessagesState).add_node("model", model).add_node("tools", ToolNode([buy]))
    graph = builder.add_edge(START, "model").add_edge("model", "tools").compile(checkpointer=InMemorySaver())
    run.invoke(graph, {"messages": []}, BY_SITE)
    at_other_line = moved
    if moved:
        with pytest.raises(QuestionChanged):
            run.invoke(graph, Command(resume="yes"), BY_SITE)
    else:
        assert run.invoke(graph, Command(resume="yes"), BY_SITE)["messages"][-1].content == "yes"


@pytest.mark.parametrize("foreign", ["memory", "sqlite"])
def test_with_a_saver_of_langgraph(run, foreign, tmp_path):
    langgraph = pytest.importorskip(f"langgraph.checkpoint.{foreign}")
    if foreign == "memory":
        graph = graph_of(paying(), saver=langgraph.InMemorySaver())
        run.invoke(graph, {}, BY_SITE)
        assert run.invoke(graph, Command(resume="yes"), BY_SITE) == {"log": ["yes"]}
        return
    from .asking import Sync

    with langgraph.SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        Sync().invoke(graph_of(two_questions(), saver=saver), {}, BY_SITE)
        with pytest.raises(QuestionChanged):
            Sync().invoke(graph_of(two_questions(swapped=True), saver=saver), Command(resume="yes"), BY_SITE)


def test_a_question_asked_without_noting_its_place_needs_the_same_payload(run, saver):
    graph = graph_of(paying(), saver=saver)
    run.invoke(graph, {})
    with pytest.raises(QuestionChanged, match="the place of this one was not noted"):
        run.invoke(graph, Command(resume="yes"), BY_SITE)
    again = graph_of(two_questions(), saver=saver)
    other = {"configurable": {**BY_SITE["configurable"], "thread_id": "u"}}
    run.invoke(again, {}, {"configurable": {"thread_id": "u"}})
    assert run.invoke(again, Command(resume="yes"), other)["__interrupt__"]


def test_the_payload_still_counts_where_the_place_was_noted(run):
    graph = graph_of(paying())
    run.invoke(graph, {}, BY_SITE)
    with pytest.raises(QuestionChanged, match=r'set .*"replay_check": "site".*Answered was .*10'):
        run.invoke(graph, Command(resume="yes"), CONFIG)
    assert run.invoke(graph, None, BY_SITE) == {"log": ["yes"]}


def test_no_place_is_noted_unless_asked_for(run):
    graph = graph_of(paying())
    assert run.invoke(graph, {})["__interrupt__"][0].site is None
    other = {"configurable": {**BY_SITE["configurable"], "thread_id": "u"}}
    assert "pay+1" in run.invoke(graph, {}, other)["__interrupt__"][0].site


class Asking:
    """Asks where it is when the library's `deepcopy` comes by."""

    def __deepcopy__(self, memo):
        return site()


def test_calls_within_the_library_are_no_part_of_the_place():
    chain = deepcopy([Asking()])[0].split(" < ")
    assert chain[:2] == ["Asking.__deepcopy__+1", "test_calls_within_the_library_are_no_part_of_the_place+1"]
