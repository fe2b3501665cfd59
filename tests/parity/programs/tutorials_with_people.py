"""Longer programs, the way courses and notebooks write them, in which a person approves, edits and answers."""

import operator
from typing import Annotated, List, Literal

from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import tool
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class FakeModel:
    """Answers from a script, and remembers what it was asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    def invoke(self, messages):
        self.asked.append([message.content for message in messages])
        return self.replies.pop(0)


@tool
def multiply(a: int, b: int) -> int:
    """Multiply a and b."""
    return a * b


def scripted_agent(saver, replies, **options):
    model = FakeModel(*replies)

    def assistant(state: MessagesState):
        return {"messages": [model.invoke([SystemMessage("Be brief"), *state["messages"]])]}

    builder = StateGraph(MessagesState)
    builder.add_node("assistant", assistant)
    builder.add_node("tools", ToolNode([multiply]))
    builder.add_edge(START, "assistant")
    builder.add_conditional_edges("assistant", tools_condition)
    builder.add_edge("tools", "assistant")
    return builder.compile(checkpointer=saver, **options)


def calls(*arguments):
    return [
        {"name": "multiply", "args": args, "id": f"call{number}", "type": "tool_call"}
        for number, args in enumerate(arguments)
    ]


def program_breakpoint_then_approval(record, saver):
    graph = scripted_agent(
        saver,
        [AIMessage("", id="1", tool_calls=calls({"a": 2, "b": 3})), AIMessage("six", id="2")],
        interrupt_before=["tools"],
    )
    config = {"configurable": {"thread_id": "1"}}
    for event in graph.stream(
        {"messages": [HumanMessage("2 times 3", id="h")]}, config, stream_mode="values"
    ):
        record("event", event["messages"][-1].type)
    state = graph.get_state(config)
    record("next", state.next)
    for event in graph.stream(None, config, stream_mode="values"):
        record("event", (event["messages"][-1].type, event["messages"][-1].content))


def program_edit_the_input_at_a_breakpoint(record, saver):
    graph = scripted_agent(
        saver, [AIMessage("first", id="1"), AIMessage("second", id="2")], interrupt_before=["assistant"]
    )
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [HumanMessage("2 by 3, please", id="h1")]}, config)
    graph.update_state(config, {"messages": [HumanMessage("rather 3 by 3", id="h2")]})
    record("state", [message.content for message in graph.get_state(config).values["messages"]])
    record("run", [message.content for message in graph.invoke(None, config)["messages"]])
    snapshot = graph.get_state(config)
    record(
        "replace by id",
        sorted(graph.update_state(config, {"messages": HumanMessage("changed", id="h1")})["configurable"]),
    )
    record("next", (snapshot.next, graph.get_state(config).next))


def program_ask_between_two_steps(record, saver):
    class Order(TypedDict):
        dish: str
        wish: str

    def greet(state):
        return None

    def ask_guest(state):
        return {"wish": interrupt("Anything special?")}

    def cook(state):
        return {"dish": f"{state['dish']} ({state['wish']})"}

    builder = StateGraph(Order)
    builder.add_node("greet", greet)
    builder.add_node("ask_guest", ask_guest)
    builder.add_node("cook", cook)
    builder.add_edge(START, "greet")
    builder.add_edge("greet", "ask_guest")
    builder.add_edge("ask_guest", "cook")
    builder.add_edge("cook", END)
    graph = builder.compile(checkpointer=saver)
    table = {"configurable": {"thread_id": "table 4"}}
    for event in graph.stream({"dish": "soup"}, table, stream_mode="updates"):
        record("event", event)
    for event in graph.stream(Command(resume="no salt"), table, stream_mode="updates"):
        record("event", event)
    record("values", graph.get_state(table).values)


def program_review_tool_calls(record, saver):
    def human_review(state) -> Command[Literal["assistant", "run_tool"]]:
        last = state["messages"][-1]
        call = last.tool_calls[-1]
        review = interrupt({"question": "May this run?", "tool_call": call})
        if review["action"] == "continue":
            return Command(goto="run_tool")
        if review["action"] == "update":
            updated = AIMessage(last.content, id=last.id, tool_calls=[{**call, "args": review["data"]}])
            return Command(goto="run_tool", update={"messages": [updated]})
        message = ToolMessage(review["data"], tool_call_id=call["id"], name=call["name"], id="feedback")
        return Command(goto="assistant", update={"messages": [message]})

    def run_tool(state):
        call = state["messages"][-1].tool_calls[-1]
        return {
            "messages": [
                ToolMessage(
                    str(multiply.invoke(call["args"])), tool_call_id=call["id"], name="multiply", id="result"
                )
            ]
        }

    def route(state) -> Literal["human_review", END]:
        return "human_review" if state["messages"][-1].tool_calls else END

    for action, data in (("continue", None), ("update", {"a": 10, "b": 10}), ("feedback", "not now")):
        model = FakeModel(
            AIMessage("", id="1", tool_calls=calls({"a": 2, "b": 3})), AIMessage("done", id="2")
        )
        builder = StateGraph(MessagesState)
        builder.add_node("assistant", lambda state: {"messages": [model.invoke(state["messages"])]})
        builder.add_node(human_review)
        builder.add_node(run_tool)
        builder.add_edge(START, "assistant")
        builder.add_conditional_edges("assistant", route)
        builder.add_edge("run_tool", "assistant")
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": action}}
        pause = graph.invoke({"messages": [HumanMessage("go", id="h")]}, config)
        record(f"{action}: asked", pause["__interrupt__"][0].value)
        done = graph.invoke(Command(resume={"action": action, "data": data}), config)
        record(f"{action}: done", [(message.type, message.content) for message in done["messages"]])


def program_recipe_tester(record, saver):
    class Kitchen(TypedDict):
        wish: str
        idea: str
        dish: str
        notes: str
        pantry: List[str]
        round: int
        rounds: int

    def think(state: Kitchen):
        return {"idea": f"idea for {state['wish']}"}

    def shop(state: Kitchen):
        pantry = state.get("pantry") or []
        return {"pantry": [*pantry, f"bought for {state.get('notes') or state['idea']}"]}

    def cook(state: Kitchen):
        number = state.get("round", 1)
        return {"dish": f"dish {number} of {len(state['pantry'])}", "round": number + 1}

    def taste(state: Kitchen):
        return {"notes": f"notes on {state['dish']}"}

    def good_enough(state):
        return END if state["round"] > state["rounds"] else "taste"

    builder = StateGraph(Kitchen)
    builder.add_node("think", think)
    builder.add_node("cook", cook)
    builder.add_node("taste", taste)
    builder.add_node("shop_first", shop)
    builder.add_node("shop_again", shop)
    builder.set_entry_point("think")
    builder.add_conditional_edges("cook", good_enough, {END: END, "taste": "taste"})
    builder.add_edge("think", "shop_first")
    builder.add_edge("shop_first", "cook")
    builder.add_edge("taste", "shop_again")
    builder.add_edge("shop_again", "cook")
    graph = builder.compile(checkpointer=saver, interrupt_after=["think", "cook", "taste"])
    thread = {"configurable": {"thread_id": "1"}}
    given = {"wish": "pie", "rounds": 2, "round": 1}
    for _ in range(8):
        record("events", list(graph.stream(given, thread)))
        state = graph.get_state(thread)
        record("paused", (state.next, state.values.get("dish"), state.metadata["step"]))
        if not state.next:
            break
        given = None


def program_to_do_list(record):
    class Next(BaseModel):
        jobs: list[str] = Field(default_factory=list)
        report: str = ""

    class ToDo(TypedDict):
        order: str
        jobs: List[str]
        done: Annotated[List[list], operator.add]
        report: str

    async def write_list(state: ToDo):
        return {"jobs": ["look", "think", "tell"]}

    async def do_one(state: ToDo):
        return {"done": [[state["jobs"][0], "done"]]}

    async def look_again(state: ToDo):
        rest = Next(jobs=state["jobs"][1:]) if len(state["jobs"]) > 1 else Next(report="finished")
        return {"report": rest.report} if rest.report else {"jobs": rest.jobs}

    def more(state: ToDo):
        return END if state.get("report") else "do_one"

    builder = StateGraph(ToDo)
    builder.add_node("write_list", write_list)
    builder.add_node("do_one", do_one)
    builder.add_node("look_again", look_again)
    builder.add_edge(START, "write_list")
    builder.add_edge("write_list", "do_one")
    builder.add_edge("do_one", "look_again")
    builder.add_conditional_edges("look_again", more, ["do_one", END])
    graph = builder.compile(checkpointer=MemorySaver())

    async def run():
        config = {"recursion_limit": 50, "configurable": {"thread_id": "1"}}
        return [event async for event in graph.astream({"order": "q"}, config=config)]

    import asyncio

    record("events", asyncio.run(run()))


def program_ask_until_it_is_a_number(record, saver):
    class Booking(TypedDict):
        seats: int

    def ask_seats(state):
        question = "How many seats?"
        while True:
            answer = interrupt(question)
            try:
                seats = int(answer)
            except (ValueError, TypeError):
                question = f"{answer!r} is no number. How many seats?"
                continue
            if seats > 0:
                return {"seats": seats}
            question = f"{seats} seats? How many, then?"

    builder = StateGraph(Booking).add_node("ask_seats", ask_seats).add_node("confirm", lambda state: None)
    graph = builder.set_entry_point("ask_seats").add_edge("ask_seats", "confirm").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    result = graph.invoke({}, config)
    for answer in ("a few", "-2", "4"):
        record("asked", result["__interrupt__"])
        result = graph.invoke(Command(resume=answer), config)
    record("end", result)


def program_two_editors_in_parallel(record, saver):
    class Leaflet(TypedDict):
        headline: str
        body: str

    def edit_headline(state):
        return {"headline": interrupt({"please edit": state["headline"]})}

    def edit_body(state):
        return {"body": interrupt({"please edit": state["body"]})}

    builder = StateGraph(Leaflet)
    builder.add_node("edit_headline", edit_headline)
    builder.add_node("edit_body", edit_body)
    builder.add_edge(START, "edit_headline")
    builder.add_edge(START, "edit_body")
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"headline": "Open day", "body": "Come in."}, config)
    answers = {
        question.id: f"{question.value['please edit']} (edited)"
        for question in graph.get_state(config).interrupts
    }
    record("result", graph.invoke(Command(resume=answers), config))
