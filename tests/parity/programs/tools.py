"""ToolNode and tools_condition."""

from typing import Annotated

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolArg, InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph, add_messages
from langgraph.prebuilt import InjectedState, ToolNode, ToolRuntime, tools_condition
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


def call(name, args, id="c1"):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def ai(*calls, id="ai1"):
    return AIMessage("", id=id, tool_calls=list(calls))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper()


@tool
def divide(a: int, b: int) -> float:
    """Divide a by b."""
    return a / b


def tool_graph(tools, saver=None, **options):
    builder = StateGraph(MessagesState).add_node("tools", ToolNode(tools, **options)).add_edge(START, "tools")
    return builder.compile(checkpointer=saver)


def contents(result):
    return [
        (m.name, m.content, m.tool_call_id, m.status)
        for m in result["messages"]
        if isinstance(m, ToolMessage)
    ]


def program_plain_functions(record):
    graph = tool_graph([add, shout])
    record("one", contents(graph.invoke({"messages": [ai(call("add", {"a": 1, "b": 2}))]})))
    record(
        "two in order",
        contents(
            graph.invoke(
                {"messages": [ai(call("shout", {"text": "hi"}, "c2"), call("add", {"a": 3, "b": 4}, "c1"))]}
            )
        ),
    )


def program_langchain_tool(record):
    graph = tool_graph([divide])
    record("ok", contents(graph.invoke({"messages": [ai(call("divide", {"a": 1, "b": 2}))]})))
    record.error(
        "an error in the tool",
        lambda: graph.invoke({"messages": [ai(call("divide", {"a": 1, "b": 0}))]}),
        "division by zero",
    )
    record(
        "bad arguments",
        [
            (name, id, status)
            for name, _, id, status in contents(
                graph.invoke({"messages": [ai(call("divide", {"a": "x", "b": 0}))]})
            )
        ],
    )
    handled = tool_graph([divide], handle_tool_errors=True)
    record(
        "an error, handled", contents(handled.invoke({"messages": [ai(call("divide", {"a": 1, "b": 0}))]}))
    )


def program_unknown_tool(record):
    graph = tool_graph([add])
    result = contents(graph.invoke({"messages": [ai(call("nope", {}))]}))
    record("name and status", [(name, status) for name, _, _, status in result])
    record("says what there is", "add" in result[0][1] and "nope" in result[0][1])


def program_error_handling_options(record):
    def fail(x: int) -> int:
        """Fail."""
        raise ValueError("went wrong")

    message = {"messages": [ai(call("fail", {"x": 1}))]}
    record("text", contents(tool_graph([fail], handle_tool_errors="sorry").invoke(message)))
    record(
        "function",
        contents(tool_graph([fail], handle_tool_errors=lambda error: f"handled {error}").invoke(message)),
    )
    record("types", contents(tool_graph([fail], handle_tool_errors=(ValueError,)).invoke(message)))
    record.error(
        "other types",
        lambda: tool_graph([fail], handle_tool_errors=(KeyError,)).invoke(message),
        "went wrong",
    )
    record.error("off", lambda: tool_graph([fail], handle_tool_errors=False).invoke(message), "went wrong")


def program_tools_condition(record):
    record("tools", tools_condition({"messages": [ai(call("add", {}))]}))
    record("end", tools_condition({"messages": [AIMessage("done")]}))
    record("list", tools_condition([ai(call("add", {}))]))
    record("other key", tools_condition({"chat": [ai(call("add", {}))]}, messages_key="chat"))
    record.error("nothing", lambda: tools_condition({"messages": []}), "No messages found")


def program_agent_loop(record, any_saver):
    replies = iter(
        [
            ai(call("add", {"a": 1, "b": 2}), id="m1"),
            ai(call("shout", {"text": "three"}), id="m2"),
            AIMessage("done", id="m3"),
        ]
    )

    def model(state):
        return {"messages": [next(replies)]}

    builder = StateGraph(MessagesState).add_node("model", model).add_node("tools", ToolNode([add, shout]))
    builder.add_edge(START, "model").add_conditional_edges("model", tools_condition).add_edge(
        "tools", "model"
    )
    graph = builder.compile(checkpointer=any_saver)
    result = graph.invoke({"messages": [HumanMessage("go", id="h")]}, CONFIG)
    record("types", [message.type for message in result["messages"]])
    record("contents", [message.content for message in result["messages"]])
    if any_saver:
        record("history", [(s.next, s.metadata) for s in graph.get_state_history(CONFIG)])


def program_gate_before_the_tools(record, saver):
    replies = iter([ai(call("add", {"a": 1, "b": 2}), id="m1"), AIMessage("done", id="m2")])
    builder = StateGraph(MessagesState).add_node("model", lambda state: {"messages": [next(replies)]})
    builder.add_node("tools", ToolNode([add]))
    builder.add_edge(START, "model").add_conditional_edges("model", tools_condition).add_edge(
        "tools", "model"
    )
    graph = builder.compile(checkpointer=saver, interrupt_before=["tools"])
    graph.invoke({"messages": [HumanMessage("go", id="h")]}, CONFIG)
    record("next", graph.get_state(CONFIG).next)
    edited = ai(call("add", {"a": 10, "b": 20}), id="m1")
    graph.update_state(CONFIG, {"messages": [edited]})
    record("edited", graph.get_state(CONFIG).values["messages"][-1].tool_calls)
    record("result", [message.content for message in graph.invoke(None, CONFIG)["messages"]])


def program_interrupt_in_a_tool(record, saver):
    runs = []

    def send(to: str) -> str:
        """Send a mail."""
        runs.append(to)
        answer = interrupt({"send to": to})
        return f"sent to {answer}"

    for number, handle in enumerate((True, False, "text")):
        graph = tool_graph([send], saver, handle_tool_errors=handle)
        config = {"configurable": {"thread_id": str(number)}}
        pause = graph.invoke({"messages": [ai(call("send", {"to": "ann"}))]}, config)
        record(f"{handle!r}: asked", [item.value for item in pause["__interrupt__"]])
        record(f"{handle!r}: done", contents(graph.invoke(Command(resume="bob"), config)))
    record("runs", runs)


def program_injected_state(record):
    class State(MessagesState):
        user: str

    def whoami(
        question: str, user: Annotated[str, InjectedState("user")], state: Annotated[dict, InjectedState]
    ) -> str:
        """Say who asks."""
        return f"{question} {user} {len(state['messages'])}"

    graph = StateGraph(State).add_node("tools", ToolNode([whoami])).add_edge(START, "tools").compile()
    record(
        "injected",
        contents(graph.invoke({"messages": [ai(call("whoami", {"question": "who?"}))], "user": "ann"})),
    )


def program_config_of_a_tool_runtime(record):
    def look(runtime: ToolRuntime) -> str:
        """Look at the config."""
        config = runtime.config
        record("metadata", {**config["metadata"]})
        record("the rest", {key: config.get(key) for key in ("tags", "recursion_limit", "max_concurrency")})
        return "seen"

    node = ToolNode([look])
    given = {"messages": [ai(call("look", {}))]}
    for name, action in {
        "as a node": node,
        "called": lambda state: node.invoke(state),
        "called with the config": lambda state, config: node.invoke(state, config),
    }.items():
        graph = StateGraph(MessagesState).add_node("tools", action).add_edge(START, "tools").compile()
        config = {"tags": ["t"], "recursion_limit": 7, "metadata": {"m": 1}, "configurable": {"user": "ann"}}
        for settings in (None, config):
            record(name, contents(graph.invoke(given, settings)))


def program_tool_returns_command(record):
    class State(MessagesState):
        n: int

    @tool
    def setter(n: int) -> Command:
        """Set n."""
        return Command(update={"n": n, "messages": [ToolMessage("set", tool_call_id="c1", id="t1")]})

    graph = StateGraph(State).add_node("tools", ToolNode([setter])).add_edge(START, "tools").compile()
    result = graph.invoke({"messages": [ai(call("setter", {"n": 4}))]})
    record("n", result["n"])
    record("messages", contents(result))


def program_other_messages_key(record):
    class State(TypedDict):
        chat: Annotated[list, add_messages]

    graph = (
        StateGraph(State)
        .add_node("tools", ToolNode([add], messages_key="chat"))
        .add_edge(START, "tools")
        .compile()
    )
    record(
        "chat",
        [message.content for message in graph.invoke({"chat": [ai(call("add", {"a": 1, "b": 1}))]})["chat"]],
    )


def program_result_kinds(record):
    def make(value):
        def give() -> object:
            """Give a value."""
            return value

        return give

    for value in (
        "text",
        3,
        None,
        {"a": 1},
        [1, "x"],
        ["a", "b"],
        True,
        1.5,
        [{"type": "text", "text": "block"}],
    ):
        record(f"{value!r}", contents(tool_graph([make(value)]).invoke({"messages": [ai(call("give", {}))]})))


def program_no_tool_calls(record):
    graph = tool_graph([add])
    record("none", contents(graph.invoke({"messages": [AIMessage("text", id="a")]})))
    record.error(
        "no ai message",
        lambda: graph.invoke({"messages": [HumanMessage("x")]}),
        "No AIMessage found in input",
    )


async def program_async_tools(record):
    async def later(x: int) -> int:
        """Later."""
        return x * 2

    graph = tool_graph([later, add])
    result = await graph.ainvoke(
        {"messages": [ai(call("later", {"x": 4}), call("add", {"a": 1, "b": 2}, "c2"))]}
    )
    record("both", contents(result))


def program_custom_message_list_input(record):
    class State(TypedDict):
        messages: Annotated[list, add_messages]

    graph = StateGraph(State).add_node("tools", ToolNode([add])).add_edge(START, "tools").compile()
    record(
        "dict messages",
        contents(
            graph.invoke(
                {
                    "messages": [
                        {"role": "assistant", "content": "", "tool_calls": [call("add", {"a": 5, "b": 6})]}
                    ]
                }
            )
        ),
    )


async def program_a_tool_that_raises_stop_iteration(record):
    def runs_out(x: int) -> str:
        """Run out."""
        return next(iter(()))

    graph = (
        StateGraph(MessagesState).add_node("tools", ToolNode([runs_out])).add_edge(START, "tools").compile()
    )
    asked = {"messages": [ai(call("runs_out", {"x": 1}))]}
    record.error("sync", lambda: graph.invoke(asked), "")
    await record.aerror("async", graph.ainvoke(asked), "")


class Secret(InjectedToolArg):
    """Filled by nobody but the program."""


@tool
def read(query: str, auth: Annotated[dict, InjectedToolArg()]) -> str:
    """Read as somebody."""
    return f"{query} as {auth}"


@tool
def look(
    query: str, auth: Annotated[dict, Secret] = None, id: Annotated[str, InjectedToolCallId] = ""
) -> str:
    """Look as somebody."""
    return f"{query} as {auth} for {id}"


@tool
def answer_nothing(query: str):
    """Answer with no message."""
    return [Command(update={})]


@tool
def command_nothing(query: str):
    """Answer with a command only."""
    return Command(update={"messages": []})


def program_arguments_that_the_model_must_not_give(record):
    forged = {"query": "q", "auth": {"role": "admin"}}
    for name in ("read", "look"):
        for handles in (True, False):
            graph = tool_graph([read, look], handle_tool_errors=handles)
            for args in ({"query": "q"}, forged, {**forged, "id": "other"}):
                try:
                    record(name, contents(graph.invoke({"messages": [ai(call(name, args))]})))
                except Exception as error:
                    record(f"{name} raises", str(error))

    def give(request, execute):
        return execute(request.override(tool_call=call("read", forged)))

    graph = tool_graph([read], wrap_tool_call=give)
    record("by a wrapper", contents(graph.invoke({"messages": [ai(call("read", {"query": "q"}))]})))


def program_answers_that_do_not_fit_are_handled_like_errors(record):
    for name in ("answer_nothing", "command_nothing"):
        for handles in (True, "Sorry", (ValueError,), (TypeError,), False):
            graph = tool_graph([answer_nothing, command_nothing], handle_tool_errors=handles)
            try:
                record(
                    f"{name} {handles}",
                    contents(graph.invoke({"messages": [ai(call(name, {"query": "q"}))]})),
                )
            except ValueError as error:
                record(f"{name} {handles} raises", str(error))
