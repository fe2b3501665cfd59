"""A ToolNode as a node: questions of several tools, what tools see of the graph, and how they move it."""

# Annotations are evaluated as they are written here: several name what a test was given.

import time
from typing import Annotated, Any

import pytest
from both_engines import engines
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool

from nbhitl.errors import SwallowedInterrupt

LANGGRAPH, OURS = engines()
BOTH = pytest.mark.parametrize("e", [LANGGRAPH, OURS], ids=lambda e: e.name)
CONFIG = {"configurable": {"thread_id": "t"}}


def call(name, id, /, **args):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def tool_graph(e, tools, **how):
    builder = e.StateGraph(e.MessagesState)
    builder.add_node("tools", e.ToolNode(tools, **how))
    builder.add_edge(e.START, "tools")
    builder.add_edge("tools", e.END)
    return builder.compile(checkpointer=e.InMemorySaver())


def asks_for(*calls):
    return {"messages": [AIMessage("", tool_calls=list(calls), id="ai1")]}


def questions(result):
    return [i.value for i in result.get("__interrupt__", ())]


def answers(result):
    return {m.tool_call_id: m.content for m in result["messages"] if m.type == "tool"}


def asking(e, ran=None):
    def ask(what: str, delay: float = 0) -> str:
        """Ask a person."""
        if delay:
            time.sleep(delay)
        answer = e.interrupt(f"{what}?")
        return f"{what}={answer}"

    def ask_twice(what: str) -> str:
        """Ask a person twice."""
        return f"{e.interrupt(f'{what} one?')},{e.interrupt(f'{what} two?')}"

    async def ask_later(what: str, delay: float = 0) -> str:
        """Ask a person."""
        import asyncio

        await asyncio.sleep(delay)
        return f"{what}={e.interrupt(f'{what}?')}"

    def work(what: str) -> str:
        """Do something."""
        if ran is not None:
            ran.append(what)
        return f"did {what}"

    return [ask, ask_twice, ask_later, work]


@BOTH
def test_questions_come_one_at_a_time_in_the_order_of_the_calls(e):
    ran = []
    graph = tool_graph(e, asking(e, ran))
    one_by_one = {**CONFIG, "max_concurrency": 1}  # else LangGraph mixes up the answers now and then
    calls = asks_for(
        call("work", "w", what="w"), call("ask", "1", what="a"), call("ask_twice", "2", what="b")
    )
    result = graph.invoke(calls, one_by_one)
    seen = []
    for answer in ("A", "B", "C"):
        seen.append(questions(result))
        result = graph.invoke(e.Command(resume=answer), one_by_one)
    assert seen == [["a?"], ["b one?"], ["b two?"]]
    assert answers(result) == {"w": "did w", "1": "a=A", "2": "B,C"}
    assert ran == ["w"] * 4
    assert graph.get_state(CONFIG).next == ()


def test_an_answer_never_reaches_another_tool_call():
    """LangGraph counts a node's questions as they happen to come: there the slower tool gets B's answer."""
    graph = tool_graph(OURS, asking(OURS))
    result = graph.invoke(asks_for(call("ask", "1", what="a", delay=0.1), call("ask", "2", what="b")), CONFIG)
    assert questions(result) == ["a?"]
    result = graph.invoke(OURS.Command(resume="A"), CONFIG)
    assert questions(result) == ["b?"]
    assert answers(graph.invoke(OURS.Command(resume="B"), CONFIG)) == {"1": "a=A", "2": "b=B"}


async def test_nor_in_async_runs():
    graph = tool_graph(OURS, asking(OURS))
    calls = asks_for(call("ask_later", "1", what="a", delay=0.05), call("ask_later", "2", what="b"))
    assert questions(await graph.ainvoke(calls, CONFIG)) == ["a?"]
    assert questions(await graph.ainvoke(OURS.Command(resume="A"), CONFIG)) == ["b?"]
    assert answers(await graph.ainvoke(OURS.Command(resume="B"), CONFIG)) == {"1": "a=A", "2": "b=B"}


def test_each_question_has_an_id_of_its_own():
    graph = tool_graph(OURS, asking(OURS))
    calls = [call("ask_twice", "1", what="same"), call("ask_twice", "2", what="same")]
    result = graph.invoke(asks_for(*calls), CONFIG)
    ids = []
    for answer in "ABCD":
        (question,) = result["__interrupt__"]
        ids.append(question.id)
        result = graph.invoke(OURS.Command(resume={question.id: answer}), CONFIG)
    assert len(set(ids)) == 4
    assert answers(result) == {"1": "A,B", "2": "C,D"}


def test_calls_that_share_an_id_are_told_apart():
    graph = tool_graph(OURS, asking(OURS))
    graph.invoke(asks_for(call("ask", "1", what="a"), call("ask", "1", what="b")), CONFIG)
    graph.invoke(OURS.Command(resume="A"), CONFIG)
    result = graph.invoke(OURS.Command(resume="B"), CONFIG)
    assert [m.content for m in result["messages"][1:]] == ["a=A", "b=B"]


def test_an_answer_stays_with_its_call_although_an_earlier_tool_asks_on_the_second_run():
    """What a tool asks may depend on the world; then the order of questions changes between two runs."""
    world = {"careful": False}

    def sometimes(what: str) -> str:
        """Ask if need be."""
        return f"checked {OURS.interrupt('go on?')}" if world["careful"] else "unchecked"

    def always(what: str) -> str:
        """Ask."""
        return f"went {OURS.interrupt('go on?')}"

    graph = tool_graph(OURS, [sometimes, always])
    graph.invoke(asks_for(call("sometimes", "1", what="a"), call("always", "2", what="b")), CONFIG)
    world["careful"] = True
    result = graph.invoke(OURS.Command(resume="yes, b"), CONFIG)
    assert questions(result) == ["go on?"]
    result = graph.invoke(OURS.Command(resume="yes, a"), CONFIG)
    assert answers(result) == {"1": "checked yes, a", "2": "went yes, b"}


@BOTH
@pytest.mark.parametrize("handle", [True, "told", Exception])
def test_error_handling_lets_questions_through(e, handle):
    graph = tool_graph(e, asking(e), handle_tool_errors=handle)
    assert questions(graph.invoke(asks_for(call("ask", "1", what="a")), CONFIG)) == ["a?"]
    assert answers(graph.invoke(e.Command(resume="A"), CONFIG)) == {"1": "a=A"}


def test_a_wrapper_that_catches_everything_lets_questions_through():
    def wrap(request, execute):
        for _ in range(3):
            try:
                return execute(request)
            except Exception as error:
                last = error
        return ToolMessage(f"gave up: {last}", tool_call_id=request.tool_call["id"])

    graph = tool_graph(OURS, asking(OURS), wrap_tool_call=wrap)
    assert len(questions(graph.invoke(asks_for(call("ask", "1", what="a")), CONFIG))) == 1
    assert answers(graph.invoke(OURS.Command(resume="A"), CONFIG)) == {"1": "a=A"}


def test_a_tool_that_catches_its_own_question_is_told():
    def hides(what: str) -> str:
        """Ask, and go on without an answer."""
        try:
            return OURS.interrupt("really?")
        except Exception:
            return "went on"

    with pytest.raises(SwallowedInterrupt):
        tool_graph(OURS, [hides]).invoke(asks_for(call("hides", "1", what="a")), CONFIG)


@BOTH
def test_langchains_tools_may_ask(e):
    @tool
    def buy(item: str) -> str:
        "Buy something."
        return f"{item}: {e.interrupt({'buy': item})}"

    graph = tool_graph(e, [buy])
    assert questions(graph.invoke(asks_for(call("buy", "1", item="tea")), CONFIG)) == [{"buy": "tea"}]
    assert answers(graph.invoke(e.Command(resume="ok"), CONFIG)) == {"1": "tea: ok"}


@BOTH
def test_tools_condition_routes_to_the_tools_and_back(e):
    def model(state: e.MessagesState):
        last = state["messages"][-1]
        if last.type == "tool":
            return {"messages": [AIMessage(f"it is {last.content}", id="ai2")]}
        return {"messages": [AIMessage("", tool_calls=[call("work", "1", what="x")], id="ai1")]}

    builder = e.StateGraph(e.MessagesState)
    builder.add_node("model", model)
    builder.add_node("tools", e.ToolNode(asking(e)))
    builder.add_edge(e.START, "model")
    builder.add_conditional_edges("model", e.tools_condition)
    builder.add_edge("tools", "model")
    result = builder.compile().invoke({"messages": [("user", "do x")]})
    assert [(m.type, m.content) for m in result["messages"]] == [
        ("human", "do x"),
        ("ai", ""),
        ("tool", "did x"),
        ("ai", "it is did x"),
    ]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # LangGraph's, with any context
@BOTH
def test_tools_see_state_store_and_context(e):
    def look(
        what: str,
        state: Annotated[dict, e.InjectedState],
        store: Annotated[Any, e.InjectedStore()],
        runtime: e.ToolRuntime,
    ) -> str:
        """Look around."""
        store.put(("seen",), what, {"by": state["user"]})
        return f"{state['user']} {runtime.context} {runtime.config['configurable']['thread_id']}"

    class State(e.MessagesState):
        user: str

    builder = e.StateGraph(State, context_schema=dict)
    builder.add_node("tools", e.ToolNode([look]))
    builder.add_edge(e.START, "tools")
    store = e.InMemoryStore()
    graph = builder.compile(checkpointer=e.InMemorySaver(), store=store)
    result = graph.invoke(
        {**asks_for(call("look", "1", what="x")), "user": "ann"}, CONFIG, context={"tenant": "acme"}
    )
    assert answers(result) == {"1": "ann {'tenant': 'acme'} t"}
    assert store.get(("seen",), "x").value == {"by": "ann"}


@BOTH
def test_a_tools_command_moves_the_graph(e):
    def hand_over(to: str, runtime: e.ToolRuntime) -> Any:
        """Hand over."""
        answer = ToolMessage("handed over", tool_call_id=runtime.tool_call_id, id="m1")
        return e.Command(goto=to, update={"messages": [answer], "by": "tool"})

    class State(e.MessagesState):
        by: str
        at: str

    builder = e.StateGraph(State)
    builder.add_node("tools", e.ToolNode([hand_over]), destinations=("writer",))
    builder.add_node("writer", lambda state: {"at": "writer"})
    builder.add_edge(e.START, "tools")
    result = builder.compile().invoke(asks_for(call("hand_over", "1", to="writer")))
    assert (result["by"], result["at"]) == ("tool", "writer")
    assert [m.name for m in result["messages"]] == [None, "hand_over"]


@BOTH
def test_steps_left(e):
    class State(e.MessagesState):
        left: e.managed.RemainingSteps
        last: e.managed.IsLastStep

    seen = []

    def node(state: State):
        seen.append((state["left"], state["last"]))

    builder = e.StateGraph(State)
    builder.add_node("a", node)
    builder.add_node("b", node)
    builder.add_edge(e.START, "a")
    builder.add_edge("a", "b")
    builder.compile().invoke({"messages": []}, {"recursion_limit": 3})
    assert seen == [(2, False), (1, True)]
