"""add_messages and MessagesState."""

import operator
from typing import Annotated

from langchain_core.messages import (
    AIMessage,
    AnyMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.graph import END, START, MessagesState, StateGraph, add_messages
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from typing_extensions import TypedDict


def program_append(record, any_saver):
    def bot(state):
        return {"messages": [AIMessage(f"you said {state['messages'][-1].content}")]}

    graph = (
        StateGraph(MessagesState)
        .add_node(bot)
        .add_edge(START, "bot")
        .add_edge("bot", END)
        .compile(checkpointer=any_saver)
    )
    config = {"configurable": {"thread_id": "1"}}
    record("first", graph.invoke({"messages": [HumanMessage("hi")]}, config))
    record("second", graph.invoke({"messages": [("user", "more")]}, config))


def program_coercion(record):
    for name, given in {
        "string": "hi",
        "tuple": ("human", "hi"),
        "list of tuples": [("system", "s"), ("ai", "a"), ("user", "u"), ("assistant", "b")],
        "dict": {"role": "user", "content": "hi"},
        "dict with type": {"type": "ai", "content": "hi"},
        "single message": HumanMessage("hi"),
        "tool dict": [{"role": "tool", "content": "r", "tool_call_id": "c1"}],
    }.items():
        result = add_messages([], given)
        record(name, result)
        record(f"{name}: classes", [type(message).__name__ for message in result])


def program_ids_are_assigned_once(record):
    first = add_messages([], [HumanMessage("a"), HumanMessage("b")])
    record("ids differ", first[0].id != first[1].id)
    again = add_messages(first, [HumanMessage("c")])
    record("ids stay", [again[0].id == first[0].id, again[1].id == first[1].id, again[2].id is not None])


def program_merge_by_id(record):
    left = [HumanMessage("a", id="1"), AIMessage("b", id="2")]
    record("replaced in place", add_messages(left, [AIMessage("new", id="2"), HumanMessage("c", id="3")]))
    record(
        "same id twice on the right",
        add_messages(left, [HumanMessage("x", id="9"), HumanMessage("y", id="9")]),
    )
    record("left is unchanged", left)
    record("left alone", add_messages(left, []))


def program_removal(record):
    left = [HumanMessage("a", id="1"), AIMessage("b", id="2"), HumanMessage("c", id="3")]
    record("removed", add_messages(left, RemoveMessage(id="2")))
    record("several", add_messages(left, [RemoveMessage(id="1"), RemoveMessage(id="3")]))
    record.error(
        "unknown id",
        lambda: add_messages(left, [RemoveMessage(id="nope")]),
        "Attempting to delete a message with an ID that doesn't exist",
    )
    record("remove and add in one", add_messages(left, [RemoveMessage(id="2"), AIMessage("new", id="2")]))
    record("all", add_messages(left, [RemoveMessage(id=REMOVE_ALL_MESSAGES)]))
    record(
        "all, then some",
        add_messages(
            left,
            [HumanMessage("x", id="8"), RemoveMessage(id=REMOVE_ALL_MESSAGES), HumanMessage("z", id="9")],
        ),
    )


def program_removal_in_a_graph(record, saver):
    def trim(state):
        return {"messages": [RemoveMessage(id=message.id) for message in state["messages"][:-2]]}

    graph = StateGraph(MessagesState).add_node(trim).add_edge(START, "trim").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    for number in range(4):
        record(str(number), graph.invoke({"messages": [HumanMessage(f"m{number}", id=str(number))]}, config))
    record("updates", list(graph.stream({"messages": ("user", "last")}, config)))


def program_openai_format(record):
    given = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "1234"}},
            ],
        },
        AIMessage([{"type": "tool_use", "name": "foo", "input": {"bar": "baz"}, "id": "1"}], id="a"),
    ]
    record("formatted", add_messages([], given, format="langchain-openai"))
    reducer = add_messages(format="langchain-openai")

    class State(TypedDict):
        messages: Annotated[list[AnyMessage], reducer]

    graph = StateGraph(State).add_node("n", lambda state: {"messages": given}).add_edge(START, "n").compile()
    record("as a reducer", graph.invoke({"messages": []}))
    record.error(
        "unknown format", lambda: add_messages([], [HumanMessage("a")], format="nope"), "Unrecognized"
    )


def program_messages_state_subclass(record, saver):
    class State(MessagesState):
        summary: str
        steps: Annotated[list, lambda left, right: left + right]

    def bot(state: State):
        return {"messages": AIMessage("ok", id="a1"), "summary": "short", "steps": ["bot"]}

    graph = StateGraph(State).add_node(bot).add_edge(START, "bot").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("result", graph.invoke({"messages": [HumanMessage("hi", id="h1")]}, config))
    record("state", graph.get_state(config).values)


def program_message_content_survives_storage(record, saver):
    messages = [
        SystemMessage("sys", id="s"),
        HumanMessage([{"type": "text", "text": "hi"}], id="h", name="ann"),
        AIMessage(
            "",
            id="a",
            tool_calls=[{"name": "f", "args": {"x": [1, {"y": None}]}, "id": "c1", "type": "tool_call"}],
            additional_kwargs={"k": 1},
        ),
        ToolMessage("result", id="t", tool_call_id="c1", name="f", artifact={"rows": [1]}, status="error"),
    ]
    graph = (
        StateGraph(MessagesState)
        .add_node("n", lambda state: None)
        .add_edge(START, "n")
        .compile(checkpointer=saver)
    )
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"messages": messages}, config)
    stored = graph.get_state(config).values["messages"]
    record("equal", stored == messages)
    record("classes", [type(message).__name__ for message in stored])
    record("stored", stored)


def program_invalid_messages(record):
    record.error("no message", lambda: add_messages([], [object()]))
    record.error("unknown role", lambda: add_messages([], [("nobody", "x")]))
    record.error("one argument only", lambda: add_messages([HumanMessage("a")]))


def program_add_messages_with_same_objects(record):
    message = HumanMessage("a", id="1")
    first = add_messages([], [message])
    record("object kept", first[0] is message)
    left = [HumanMessage("no id yet")]
    merged = add_messages(left, [AIMessage("b", id="2")])
    record("left gets an id", merged[0].id is not None)


def program_messages_state_beside_other_bases(record):
    class Base(TypedDict):
        path: Annotated[list, operator.add]

    class Both(Base, MessagesState):
        note: str

    builder = StateGraph(Both).add_node(
        "a", lambda state: {"path": ["a"], "messages": ("ai", "hi"), "note": "n"}
    )
    result = builder.add_edge(START, "a").compile().invoke({"path": [], "messages": []})
    record("result", (result["path"], result["note"], [m.content for m in result["messages"]]))
    record("keys", sorted(Both.__annotations__))


def program_messages_with_fields_as_programs_set_them(record, saver):
    """No message class looks at what is assigned to a field later, or at fields that it does not have."""

    def assigned(message, **fields):
        for name, value in fields.items():
            setattr(message, name, value)
        return message

    odd = {
        "a field of another class": FunctionMessage("1", name="f", tool_call_id=0, id="m"),
        "no tool calls": assigned(AIMessage("x", id="m"), tool_calls=None, invalid_tool_calls=None),
        "nothing more": assigned(AIMessage("x", id="m"), additional_kwargs=None, response_metadata=None),
        "answers nothing": assigned(
            ToolMessage("x", tool_call_id="1", id="m"), tool_call_id=None, status=None
        ),
        "no role": assigned(ChatMessage("x", role="r", id="m"), role=None),
    }
    for name, message in odd.items():
        builder = StateGraph(MessagesState).add_node(
            "a", lambda state, message=message: {"messages": message}
        )
        graph = builder.add_edge(START, "a").compile(checkpointer=saver)
        config = {"configurable": {"thread_id": name}}
        graph.invoke({"messages": [HumanMessage("hi", id="h")]}, config)
        graph.update_state(config, {"messages": [HumanMessage("more", id="h2")]}, as_node="a")
        record(name, [repr(found) for found in graph.get_state(config).values["messages"]])
        record("history", [len(found.values["messages"]) for found in graph.get_state_history(config)])
