"""Static breakpoints are questions too: approve, edit, reject; none is passed without an answer."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage

from nbhitl.errors import AlreadyAnswered, InvalidAnswer, ReviewError, StaleQuestion
from nbhitl.review.decisions import approve, batch, edit, reject
from nbhitl.thread import GraphThread

from .conftest import State

CALLS = [
    {"name": "remove", "args": {"path": "/a"}, "id": "c1", "type": "tool_call"},
    {"name": "remove", "args": {"path": "/b"}, "id": "c2", "type": "tool_call"},
]


@pytest.fixture(params=[{"interrupt_before": ["tools"]}, {"interrupt_after": ["agent"]}])
def agent(lib, request):
    """Return `(graph, removed)`: an agent that calls a tool twice and then says what came back."""
    removed: list[str] = []

    def remove(path: str) -> str:
        """Remove a file."""
        removed.append(path)
        return f"removed {path}"

    def agent(state):
        told = [m.content for m in state["messages"] if m.type == "tool"]
        if told:
            return {"messages": [AIMessage(" | ".join(told))]}
        return {"messages": [AIMessage("", tool_calls=CALLS)]}

    builder = lib.StateGraph(lib.MessagesState)
    builder.add_node("agent", agent).add_node("tools", lib.ToolNode([remove]))
    builder.add_edge(lib.START, "agent").add_conditional_edges("agent", lib.tools_condition)
    builder.add_edge("tools", "agent")
    return builder.compile(checkpointer=lib.InMemorySaver(), **request.param), removed


def said(thread):
    return thread.result["messages"][-1].content


def start(graph, **how):
    thread = GraphThread(graph, "t", **how)
    thread.run({"messages": [{"role": "user", "content": "clean up"}]})
    return thread


def test_approve_runs_the_calls_as_shown(agent):
    graph, removed = agent
    thread = start(graph)
    question = thread.question
    assert (question.kind, question.dialect, question.node) == ("breakpoint", "tool_calls", "tools")
    assert [(a.name, dict(a.args)) for a in question.actions] == [
        ("remove", {"path": "/a"}),
        ("remove", {"path": "/b"}),
    ]
    assert removed == []
    thread.approve()
    assert sorted(removed) == ["/a", "/b"]
    assert said(thread) == "removed /a | removed /b"


def test_edit_replaces_arguments(agent):
    graph, removed = agent
    thread = start(graph)
    before = thread.snapshot.values["messages"][-1].id
    thread.question.decide(batch([approve(), edit(path="/c")]))
    assert sorted(removed) == ["/a", "/c"]
    assert thread.result["messages"][1].id == before
    assert [change.new for change in thread.session.cards[0].decision.diff] == ["/c"]


def test_reject_answers_every_call(agent):
    graph, removed = agent
    thread = start(graph)
    thread.reject("keep them")
    assert removed == []
    told = [m for m in thread.result["messages"] if m.type == "tool"]
    assert [(m.tool_call_id, m.status) for m in told] == [("c1", "error"), ("c2", "error")]
    assert said(thread).count("keep them") == 2


def test_actions_are_submitted_together(agent):
    graph, removed = agent
    thread = start(graph)
    first, second = thread.question.actions
    first.reject("not this")
    assert thread.question.state == "open"
    second.reject("nor this")
    assert removed == []
    assert "not this" in said(thread)
    assert "nor this" in said(thread)


def test_some_of_the_calls_can_not_be_rejected(agent):
    graph, removed = agent
    thread = start(graph)
    with pytest.raises(InvalidAnswer, match="all of them or none"):
        thread.question.decide(batch([approve(), reject("no")]))
    with pytest.raises(InvalidAnswer, match="one decision for each"):
        thread.question.decide(batch([approve()]))
    assert removed == []
    assert thread.question.state == "open"


def test_a_breakpoint_takes_no_value(agent):
    thread = start(agent[0])
    with pytest.raises(InvalidAnswer, match="takes no value"):
        thread.answer(True)


def test_running_again_does_not_pass_the_breakpoint(agent):
    graph, removed = agent
    thread = start(graph)
    thread.run()
    thread.run({"messages": [{"role": "user", "content": "clean up"}]})
    GraphThread(graph, "t").run()
    assert removed == []
    assert thread.question.state == "open"


def test_another_session_sees_the_breakpoint(agent):
    graph, removed = agent
    start(graph)
    again = GraphThread(graph, "t")
    assert again.question.dialect == "tool_calls"
    again.approve()
    assert sorted(removed) == ["/a", "/b"]


def test_two_sessions_pass_a_breakpoint_once(agent):
    graph, removed = agent
    first = start(graph)
    second = GraphThread(graph, "t").question
    first.approve()
    with pytest.raises((AlreadyAnswered, StaleQuestion)):
        second.reject("no")
    assert sorted(removed) == ["/a", "/b"]


def test_calls_that_changed_since_are_stale(agent):
    graph, removed = agent
    thread = start(graph)
    card = thread.question
    message = thread.snapshot.values["messages"][-1]
    other = [{**CALLS[0], "args": {"path": "/etc"}}]
    graph.update_state(
        thread.config, {"messages": [message.model_copy(update={"tool_calls": other})]}, as_node="agent"
    )
    with pytest.raises(StaleQuestion):
        card.approve()
    assert removed == []
    card.ask_again()
    assert dict(thread.question.actions[0].args) == {"path": "/etc"}
    assert removed == []
    thread.edit(path="/tmp/x")
    assert removed == ["/tmp/x"]


# -- without tool calls ----------------------------------------------------------------------------


@pytest.fixture
def pay(lib, build):
    """Return `(graph, paid)`; it plans an amount, and stops before paying it."""
    paid: list[int] = []

    def plan(state):
        return {"amount": 100, "log": ["planned"]}

    def pay(state):
        paid.append(state["amount"])
        return {"log": [f"paid {state['amount']}"]}

    builder = lib.StateGraph(State)
    builder.add_node("plan", plan).add_node("pay", pay).add_node("refuse", lambda s: {"log": ["refused"]})
    builder.add_edge(lib.START, "plan").add_edge("plan", "pay").add_edge("pay", lib.END)
    builder.add_edge("refuse", lib.END)
    return builder.compile(checkpointer=lib.InMemorySaver(), interrupt_before=["pay"]), paid


def test_the_input_is_shown_and_approved(pay):
    graph, paid = pay
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    assert thread.question.payload == {"node": "pay", "input": {"log": ["in", "planned"], "amount": 100}}
    thread.approve()
    assert paid == [100]
    assert thread.result["log"] == ["in", "planned", "paid 100"]


def test_an_edit_replaces_values_also_those_with_a_reducer(pay):
    graph, paid = pay
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    thread.edit(amount=5, log=["other"])
    assert paid == [5]
    assert thread.result["log"] == ["other", "paid 5"]


def test_a_rejection_ends_the_run_or_takes_a_route(pay):
    graph, paid = pay
    ended = GraphThread(graph, "t1")
    ended.run({"log": []})
    ended.reject("too much")
    assert ended.result["log"] == ["planned"]
    routed = GraphThread(graph, "t2", routes={"pay": "refuse"})
    routed.run({"log": []})
    routed.reject("too much")
    assert routed.result["log"] == ["planned", "refused"]
    several = GraphThread(graph, "t3", routes={"pay": ["refuse", "plan"]})
    several.run({"log": []})
    with pytest.raises(InvalidAnswer, match="needs a route"):
        several.reject("too much")
    several.reject("too much", route="__end__")
    assert several.result["log"] == ["planned"]
    assert paid == []


def test_breakpoints_of_the_thread_are_remembered(lib, build):
    ran = []

    def node(name):
        return lambda state: ran.append(name)

    graph = build(a=node("a"), b=node("b"))
    thread = GraphThread(graph, "t", interrupt_before="*")
    thread.run({"log": []})
    assert (ran, thread.question.node) == ([], "a")
    thread.approve()
    assert (ran, thread.question.node) == (["a"], "b")
    thread.approve()
    assert ran == ["a", "b"]
    assert thread.session.state == "finished"


def test_a_failed_node_behind_a_breakpoint_is_asked_again_not_run(lib, build):
    broken = [True]

    def pay(state):
        if broken[0]:
            raise ValueError("bank closed")
        return {"log": ["paid"]}

    graph = build({"interrupt_before": ["pay"]}, plan=lambda s: {"log": ["planned"]}, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="bank closed"):
        card.approve()
    assert card.state == "failed"
    broken[0] = False
    card.ask_again()
    assert thread.question.node == "pay"
    assert "paid" not in thread.snapshot.values["log"]
    thread.approve()
    assert thread.result["log"] == ["planned", "paid"]


def test_a_failed_node_behind_a_breakpoint_can_be_retried(lib, build):
    broken = [True]

    def pay(state):
        if broken[0]:
            raise ValueError("bank closed")
        return {"log": ["paid"]}

    graph = build({"interrupt_before": ["pay"]}, plan=lambda s: {"log": ["planned"]}, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="bank closed"):
        card.approve()
    broken[0] = False
    card.retry()
    assert thread.result["log"] == ["planned", "paid"]


def test_a_fork_does_not_pass_a_breakpoint(pay):
    graph, paid = pay
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    thread.reject("no")
    thread.fork("cp3")
    assert paid == []
    assert thread.question.node == "pay"
    thread.approve()
    assert paid == [100]


def test_a_breakpoint_in_a_subgraph(lib, build):
    ran = []

    def pay(state):
        ran.append(state["amount"])
        return {"log": ["paid"]}

    child = lib.StateGraph(State)
    child.add_node("plan", lambda s: {"amount": 7}).add_node("pay", pay)
    child.add_edge(lib.START, "plan").add_edge("plan", "pay")
    graph = build(child=child.compile(interrupt_before=["pay"]))
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    assert thread.question.node == "child/pay"
    thread.edit(amount=3)
    assert ran == [3]
    assert thread.result["log"] == ["paid"]


def test_a_stop_is_no_breakpoint(lib, build):
    thread = GraphThread(build(a=lambda s: {"log": ["a"]}, b=lambda s: {"log": ["b"]}), "t")

    def stop_at_a(*_):
        if thread.session.progress and thread.session.progress.node == "a":
            thread.stop()

    forget = thread.session.on_change(stop_at_a)
    thread.run({"log": []})
    forget()
    assert thread.session.state == "stopped"
    assert thread.questions == []
    with pytest.raises(ReviewError, match="No question is open"):
        thread.approve()
    thread.run()
    assert thread.result["log"] == ["a", "b"]


def test_an_edit_that_the_state_refuses_runs_nothing(lib):
    from pydantic import BaseModel

    class Order(BaseModel):
        amount: int = 0

    paid = []

    def guard(order: Order):
        return {"amount": 100}

    builder = lib.StateGraph(Order).add_node("plan", guard).add_node("pay", lambda o: paid.append(o.amount))
    builder.add_edge(lib.START, "plan").add_edge("plan", "pay").add_edge("pay", lib.END)
    graph = builder.compile(checkpointer=lib.InMemorySaver(), interrupt_before=["pay"])
    thread = GraphThread(graph, "t")
    thread.run({"amount": 1})
    card = thread.question
    write = graph.update_state

    def broken(*args, **kwargs):
        raise ValueError("store is read-only")

    graph.update_state = broken
    with pytest.raises(ValueError, match="read-only"):
        card.edit(amount=5)
    assert (card.state, card.error, paid) == ("open", "ValueError: store is read-only", [])
    graph.update_state = write
    card.edit(amount=5)
    assert paid == [5]
