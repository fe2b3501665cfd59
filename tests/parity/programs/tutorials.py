"""Longer programs, the way courses and notebooks write them: chats, routers, agents."""

import operator
from typing import Annotated, Literal

from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
)
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


def program_weather_router(record):
    class Walk(TypedDict):
        diary: str
        rain: int

    def wake_up(state):
        return {"diary": state["diary"] + " Awake."}

    def take_umbrella(state):
        return {"diary": state["diary"] + " Wet feet."}

    def wear_hat(state):
        return {"diary": state["diary"] + " Sunny."}

    def look_outside(state) -> Literal["take_umbrella", "wear_hat"]:
        return "take_umbrella" if state["rain"] > 3 else "wear_hat"

    builder = StateGraph(Walk)
    builder.add_node("wake_up", wake_up)
    builder.add_node("take_umbrella", take_umbrella)
    builder.add_node("wear_hat", wear_hat)
    builder.add_edge(START, "wake_up")
    builder.add_conditional_edges("wake_up", look_outside)
    builder.add_edge("take_umbrella", END)
    builder.add_edge("wear_hat", END)
    graph = builder.compile()
    record("rain", graph.invoke({"diary": "Monday.", "rain": 7}))
    record("sun", graph.invoke({"diary": "Tuesday.", "rain": 0}))


class FakeModel:
    """Answers from a script, and remembers what it was asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.asked = []

    def invoke(self, messages):
        self.asked.append([message.content for message in messages])
        return self.replies.pop(0)


def program_chatbot_with_memory(record, saver):
    model = FakeModel(*(AIMessage(f"reply {number}", id=f"a{number}") for number in range(4)))

    class State(TypedDict):
        messages: Annotated[list, add_messages]

    def chatbot(state: State):
        return {"messages": [model.invoke(state["messages"])]}

    builder = StateGraph(State)
    builder.add_node("chatbot", chatbot)
    builder.set_entry_point("chatbot")
    builder.set_finish_point("chatbot")
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "kitchen"}}
    for number, text in enumerate(("good morning", "and then?", "bye")):
        events = graph.stream(
            {"messages": [HumanMessage(text, id=f"h{number}")]}, config, stream_mode="values"
        )
        record(text, [event["messages"][-1].content for event in events])
    graph.invoke(
        {"messages": [HumanMessage("anyone there?", id="other")]}, {"configurable": {"thread_id": "new"}}
    )
    record("asked", model.asked)
    snapshot = graph.get_state(config)
    record("next", snapshot.next)
    record("number of messages", len(snapshot.values["messages"]))


def program_conversation_summary(record, saver):
    class State(MessagesState):
        summary: str

    count = iter(range(100))

    def call_model(state: State):
        summary = state.get("summary", "")
        messages = (
            [SystemMessage(f"Summary: {summary}"), *state["messages"]] if summary else state["messages"]
        )
        return {"messages": AIMessage(f"{len(messages)} seen", id=f"ai{next(count)}")}

    def summarize(state: State):
        delete = [RemoveMessage(id=message.id) for message in state["messages"][:-2]]
        return {"summary": f"{len(state['messages'])} messages", "messages": delete}

    def should_continue(state: State) -> Literal["summarize", END]:
        return "summarize" if len(state["messages"]) > 4 else END

    workflow = StateGraph(State)
    workflow.add_node("conversation", call_model)
    workflow.add_node(summarize)
    workflow.add_edge(START, "conversation")
    workflow.add_conditional_edges("conversation", should_continue)
    workflow.add_edge("summarize", END)
    graph = workflow.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    for number in range(5):
        output = graph.invoke({"messages": [HumanMessage(f"m{number}", id=f"h{number}")]}, config)
        record(f"{number}", [message.content for message in output["messages"]])
    record("summary", graph.get_state(config).values.get("summary"))


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


def program_react_agent(record, saver):
    graph = scripted_agent(
        saver, [AIMessage("", id="1", tool_calls=calls({"a": 2, "b": 3})), AIMessage("six", id="2")]
    )
    config = {"configurable": {"thread_id": "1"}}
    for event in graph.stream(
        {"messages": [HumanMessage("2 times 3", id="h")]}, config, stream_mode="updates"
    ):
        record(
            "event",
            {node: [message.content for message in update["messages"]] for node, update in event.items()},
        )
    record("history", [(len(s.values.get("messages", [])), s.next) for s in graph.get_state_history(config)])


def program_time_travel_notebook(record, saver):
    graph = scripted_agent(
        saver,
        [
            AIMessage("", id="1", tool_calls=calls({"a": 2, "b": 3})),
            AIMessage("six", id="2"),
            AIMessage("", id="3", tool_calls=calls({"a": 5, "b": 3})),
            AIMessage("fifteen", id="4"),
            AIMessage("replayed", id="5"),
        ],
    )
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": [HumanMessage("2 times 3", id="h")]}, config)
    states = list(graph.get_state_history(config))
    to_fork = states[-2]
    record("fork from", (to_fork.next, [message.content for message in to_fork.values["messages"]]))
    fork_config = graph.update_state(to_fork.config, {"messages": [HumanMessage("5 times 3", id="h")]})
    record("forked", [message.content for message in graph.get_state(fork_config).values["messages"]])
    record("run", [message.content for message in graph.invoke(None, fork_config)["messages"]])
    record("number of states", len(list(graph.get_state_history(config))))
    to_replay = next(
        s
        for s in graph.get_state_history(config)
        if s.next == ("assistant",) and len(s.values["messages"]) == 3
    )
    record("replay", [message.content for message in graph.invoke(None, to_replay.config)["messages"]])


def program_two_sources_in_parallel(record, any_saver):
    class Report(TypedDict):
        topic: str
        summary: str
        found: Annotated[list, operator.add]

    def ask_library(state):
        return {"found": [f"library: {state['topic']}"]}

    def ask_archive(state):
        return {"found": [f"archive: {state['topic']}"]}

    def summarise(state):
        return {"summary": " + ".join(state["found"])}

    builder = StateGraph(Report)
    builder.add_node("ask_library", ask_library)
    builder.add_node("ask_archive", ask_archive)
    builder.add_node("summarise", summarise)
    builder.add_edge(START, "ask_library")
    builder.add_edge(START, "ask_archive")
    builder.add_edge("ask_library", "summarise")
    builder.add_edge("ask_archive", "summarise")
    graph = builder.compile(checkpointer=any_saver)
    record("result", graph.invoke({"topic": "bridges"}, {"configurable": {"thread_id": "1"}}))


def program_customer_support_handoff(record, saver):
    class State(MessagesState):
        assigned: str
        approved: bool

    def triage(state: State) -> Command[Literal["billing", "technical"]]:
        target = "billing" if "refund" in state["messages"][-1].content else "technical"
        return Command(goto=target, update={"assigned": target})

    def billing(state: State) -> Command[Literal["pay", "__end__"]]:
        approved = interrupt({"question": "Refund?", "options": ["yes", "no"]}) == "yes"
        return Command(goto="pay" if approved else END, update={"approved": approved})

    def pay(state: State):
        return {"messages": [AIMessage("paid", id="paid")]}

    def technical(state: State):
        return {"messages": [AIMessage("restart it", id="tech")]}

    builder = StateGraph(State)
    for node in (triage, billing, pay, technical):
        builder.add_node(node)
    builder.add_edge(START, "triage")
    graph = builder.compile(checkpointer=saver)
    for thread, text, answer in (
        ("1", "refund please", "yes"),
        ("2", "refund please", "no"),
        ("3", "it is broken", None),
    ):
        config = {"configurable": {"thread_id": thread}}
        result = graph.invoke({"messages": [HumanMessage(text, id="h")]}, config)
        record(f"{thread} first", result)
        if answer:
            record(f"{thread} second", graph.invoke(Command(resume=answer), config))
        record(f"{thread} steps", [(s.next, s.metadata["source"]) for s in graph.get_state_history(config)])


def program_streaming_notebook(record, any_saver):
    class Poem(TypedDict):
        topic: str
        line: str

    def widen(state: Poem):
        return {"topic": state["topic"] + " at night"}

    def write(state: Poem):
        return {"line": f"O {state['topic']}!"}

    graph = (
        StateGraph(Poem)
        .add_node(widen)
        .add_node(write)
        .add_edge(START, "widen")
        .add_edge("widen", "write")
        .add_edge("write", END)
        .compile(checkpointer=any_saver)
    )
    for mode in ("updates", "values", "debug", ["updates", "custom"]):
        config = {"configurable": {"thread_id": str(mode)}}
        for chunk in graph.stream({"topic": "harbour"}, config, stream_mode=mode):
            record(str(mode), chunk)
