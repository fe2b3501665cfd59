"""A ToolNode does what LangGraph's does, for the same tools and the same input."""

# Annotations are evaluated as they are written here: several name what a test was given.

import asyncio
import dataclasses
import functools
import warnings
from typing import Annotated, Any, Optional
from unittest.mock import Mock

import pydantic
import pytest
from both_engines import engines, outcome
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, ToolException, tool

LANGGRAPH, OURS = engines()


def call(name, id="c1", /, **args):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def asks_for(*calls, **state):
    return {"messages": [AIMessage("", tool_calls=list(calls), id="ai1")], **state}


def same(program):
    """Run the program on both engines and return what both did; an error may say more than LangGraph's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(program, LANGGRAPH)
    ours = outcome(program, OURS)
    if isinstance(theirs, tuple):
        assert type(ours) is tuple, (theirs, ours)
        assert ours[0] == theirs[0], (theirs, ours)
        # The advice at the end names another form for bare tool calls than LangGraph's, the one that works.
        assert ours[1].startswith(theirs[1].split(" You can fix it")[0].rstrip(".")), (theirs, ours)
    else:
        assert ours == theirs
    return theirs


def config(e, **runtime):
    return {"configurable": {"__pregel_runtime": e.Runtime(**runtime)}}


# -- plain tools --------------------------------------------------------------------------------------------


class Point(pydantic.BaseModel):
    x: int


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def fail(a: int) -> str:
    """Fail."""
    raise ValueError(f"bad {a}")


def give(what: str) -> Any:
    """Give something."""
    return {
        "blocks": [{"type": "text", "text": "q"}],
        "odd blocks": [{"type": "zork"}],
        "dict": {"k": "é"},
        "none": None,
        "texts": ["a", "b"],
        "empty": [],
        "model": Point(x=1),
        "class": object,
        "message": ToolMessage("x", tool_call_id="another"),
        "answer": ToolMessage({"a": 1}, tool_call_id="c1"),
    }[what]


def where(point: Point, *, scale: int = 1, tags: list[int] = [1], note: Optional[str] = None) -> str:  # noqa: UP045
    """Tell where."""
    return f"{point!r} {scale} {tags} {note}"


def untyped(x, y=2):
    """Take anything."""
    return f"{x}{y}"


def validates(a: int) -> str:
    """Fail to validate something else."""
    Point(x="q")


async def later(a: int) -> int:
    """Answer later."""
    await asyncio.sleep(0)
    return a


@tool
def decorated(a: int) -> int:
    "A LangChain tool."
    return a


@tool(response_format="content_and_artifact")
def with_artifact(a: int):
    "Has an artifact."
    return "content", {"a": a}


@tool
def raises_tool_exception(a: int):
    "Raise."
    raise ToolException("te")


@tool("renamed", description="Other words.", return_direct=True)
def original(a: int):
    "Words."
    return a


class Classic(BaseTool):
    name: str = "classic"
    description: str = "A class."

    def _run(self, a: int) -> str:
        return f"ran {a}"


def own_config(a: int, config: RunnableConfig) -> str:
    """See the config."""
    return str(config["configurable"]["mine"])


def own_id(a: int, tool_call_id: Annotated[str, InjectedToolCallId]) -> str:
    """See the id."""
    return tool_call_id


TOOLS = [
    add,
    fail,
    give,
    where,
    untyped,
    validates,
    later,
    decorated,
    with_artifact,
    raises_tool_exception,
    original,
    Classic(),
    own_id,
    StructuredTool.from_function(func=lambda a: a, name="structured", description="Made."),
]

CALLS = {
    "result": [call("add", a=1, b=2)],
    "converted": [call("add", a="1", b=2)],
    "extra argument": [call("add", a=1, b=2, c=3)],
    "wrong": [call("add", a="x", b=2)],
    "wrong and missing": [call("add", a="x")],
    "unknown": [call("zork", a=1)],
    "unknown among others": [call("add", "1", a=1, b=1), call("zork", "2"), call("add", "3", a=2, b=2)],
    "error": [call("fail", a=1)],
    "nested": [
        call("where", point={"x": 1}),
        call("where", "c2", point={"x": 1}, scale=2, tags=["3"], note="n"),
    ],
    "nested wrong": [call("where", point={"x": "q"})],
    "untyped": [call("untyped", x=1)],
    "validation inside": [call("validates", a=1)],
    "async in sync": [call("later", a=1)],
    "decorated": [call("decorated", a=1)],
    "artifact": [call("with_artifact", a=1)],
    "tool exception": [call("raises_tool_exception", a=1)],
    "renamed": [call("renamed", a=1)],
    "class": [call("classic", a=1)],
    "own id": [call("own_id", a=1)],
    "structured": [call("structured", a=1)],
    **{
        f"gives {what}": [call("give", what=what)]
        for what in (
            "blocks", "odd blocks", "dict", "none", "texts", "empty", "model", "class", "message", "answer",
        )
    },
}  # fmt: skip


_nodes: dict[Any, Any] = {}


def with_tools(e, handle="default"):
    """A ToolNode of these tools; made once, because LangChain is slow in making tools."""
    key = (e.name, repr(handle))
    if key not in _nodes:
        how = {} if handle == "default" else {"handle_tool_errors": handle}
        _nodes[key] = e.ToolNode(TOOLS, **how)
    return _nodes[key]


@pytest.mark.parametrize("handle", ["default", True, False, "oops"])
@pytest.mark.parametrize("name", CALLS)
def test_calls(name, handle):
    same(lambda e: with_tools(e, handle).invoke(asks_for(*CALLS[name]), config(e)))


@pytest.mark.parametrize("name", CALLS)
def test_async_calls(name):
    same(lambda e: asyncio.run(with_tools(e).ainvoke(asks_for(*CALLS[name]), config(e))))


def handle_value(error: ValueError) -> str:
    return "value"


def handle_key(error: KeyError) -> str:
    return "key"


def handle_either(error: KeyError | ValueError) -> str:
    return "either"


def handle_any(error):
    return f"any: {error}"


def handle_odd(error: int) -> str:
    return "odd"


class Handlers:
    def method(self, error: ValueError) -> str:
        return "method"


@pytest.mark.parametrize(
    "handle",
    [
        ValueError,
        KeyError,
        (KeyError, ValueError),
        (),
        "",
        None,
        3,
        handle_value,
        handle_key,
        handle_either,
        handle_any,
        handle_odd,
        Handlers().method,
        lambda error: "lambda",
    ],
    ids=lambda handle: getattr(handle, "__name__", repr(handle)),
)
@pytest.mark.parametrize("name", ["error", "wrong", "tool exception", "result"])
def test_error_handlers(name, handle):
    same(lambda e: with_tools(e, handle).invoke(asks_for(*CALLS[name]), config(e)))


def test_a_handler_for_arguments_that_do_not_fit():
    def program(e):
        def handle(error) -> str:
            return f"{error.tool_name} {error.tool_kwargs} {[x['loc'] for x in error.filtered_errors]}"

        handle.__annotations__["error"] = e.ToolInvocationError
        node = e.ToolNode(TOOLS, handle_tool_errors=handle)
        return node.invoke(asks_for(call("add", a="x")), config(e))

    assert same(program)["messages"][0].content == "add {'a': 'x'} [('a',), ('b',)]"


class State(pydantic.BaseModel):
    messages: list
    user: str = "ann"


@dataclasses.dataclass
class PlainState:
    messages: list
    user: str = "ann"


ADD = call("add", a=1, b=2)
AI = AIMessage("", tool_calls=[ADD])


@pytest.mark.parametrize(
    "given",
    [
        {"messages": [AI]},
        [AI],
        [AI, HumanMessage("after")],
        [AI, ToolMessage("x", tool_call_id="c1")],
        [ADD, call("add", "c2", a=2, b=2)],
        State(messages=[AI]),
        PlainState(messages=[AI]),
        [AIMessage("no calls")],
        {"messages": [AIMessage("no calls")]},
        [HumanMessage("x")],
        {"messages": []},
        {"other": [AI]},
        3,
        {"__type": "tool_call_with_context", "tool_call": ADD, "state": {"user": "bob"}},
    ],
    ids=repr,
)
def test_forms_of_input(given):
    same(lambda e: with_tools(e).invoke(given, config(e)))


def test_another_key_for_messages():
    same(lambda e: e.ToolNode(TOOLS, messages_key="chat").invoke({"chat": [AI]}, config(e)))


def test_what_is_no_tool():
    def undocumented(a: int) -> int:
        return a

    for odd in (undocumented, 3, {"type": "function"}):
        same(lambda e, odd=odd: e.ToolNode([odd]))


def test_without_a_runtime():
    assert outcome(lambda e: e.ToolNode(TOOLS).invoke([AI]), OURS) == (
        "ValueError",
        "Missing required config key '__pregel_runtime' for 'tools': a ToolNode runs as a node of a "
        'graph. To call it by itself, pass config={"configurable": {"__pregel_runtime": Runtime()}}.',
    )
    assert outcome(lambda e: e.ToolNode(TOOLS).invoke([AI]), LANGGRAPH)[0] == "ValueError"


def test_a_mock_as_runtime():
    mock = {"configurable": {"__pregel_runtime": Mock()}}
    same(lambda e: with_tools(e).invoke([AI], mock))


def test_the_config_reaches_tools():
    def program(e):
        given = config(e)
        given["configurable"]["mine"] = 7
        return e.ToolNode([own_config]).invoke([call("own_config", a=1)], given)

    assert same(program)["messages"][0].content == "7"


# -- injected arguments -------------------------------------------------------------------------------------


def injecting(e):
    """Tools that ask this engine for things."""

    state, store = e.InjectedState, e.InjectedStore

    def whole(a: int, state: Annotated[dict, state]) -> str:
        """See the state."""
        return str(sorted(state) if isinstance(state, dict) else state)

    def key(a: int, user: Annotated[str, state("user")]) -> str:
        """See a key."""
        return f"{user}{a}"

    def optional(a: int, user: Annotated[Optional[str], state("user")] = None) -> str:  # noqa: UP045
        """See a key if it is there."""
        return f"{user}{a}"

    def messages(a: int, messages: Annotated[list, state("messages")]) -> str:
        """See the messages."""
        return str(len(messages))

    def two(a: int, messages: Annotated[list, state("messages")], user: Annotated[str, state("user")]) -> str:
        """See two keys."""
        return f"{user} {len(messages)}"

    def stored(a: int, store: Annotated[Any, store()]) -> str:
        """See the store."""
        return type(store).__name__

    def runtime(a: int, runtime: e.ToolRuntime) -> str:
        """See the runtime."""
        names = [t.name for t in runtime.tools]
        return f"{runtime.tool_call_id} {runtime.context} {type(runtime.state).__name__} {names}"

    def generic(a: int, runtime: Optional[e.ToolRuntime[int, dict]] = None) -> str:  # noqa: UP045
        """See the runtime."""
        return type(runtime).__name__

    def unannotated(a: int, runtime) -> str:
        """See the runtime."""
        return type(runtime).__name__

    class Classic(BaseTool):
        name: str = "classic"
        description: str = "A class."

        def _run(self, a: int, user: Annotated[str, state("user")]) -> str:
            return f"{user}{a}"

    class Schema(pydantic.BaseModel):
        a: int
        user: Annotated[str, state("user")]

    @tool(args_schema=Schema)
    def by_schema(a, user):
        "See a key."
        return f"{user}{a}"

    return [whole, key, optional, messages, two, stored, runtime, generic, unannotated, Classic(), by_schema]


@functools.cache
def with_injection(package):
    e = LANGGRAPH if package == "langgraph" else OURS
    return e.ToolNode(injecting(e))


NAMES = [getattr(t, "name", getattr(t, "__name__", "")) for t in injecting(OURS)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["dict", "list", "calls", "without the key", "no store", "model", "wrong"])
def test_injected_arguments(kind, name):
    evil = (
        {"user": "mallory"}
        if name == "classic"
        else {"user": "mallory", "store": "evil", "state": {"evil": 1}}
    )
    wanted = call(name, a="q" if kind == "wrong" else 1, **evil)

    def program(e):
        given = {
            "list": [AIMessage("", tool_calls=[wanted])],
            "calls": [wanted],
            "without the key": asks_for(wanted),
            "model": State(messages=[AIMessage("", tool_calls=[wanted])]),
        }.get(kind, asks_for(wanted, user="ann"))
        store = None if kind == "no store" else e.InMemoryStore()
        return with_injection(e.name).invoke(given, config(e, store=store, context={"c": 1}))

    told = same(program)
    if kind == "dict":
        assert told["messages"][0].status == "success"
        assert "mallory" not in told["messages"][0].content


def test_the_model_does_not_see_injected_arguments():
    odd = {"unannotated", "generic"}  # LangChain shows the one, and fails to show the other

    def program(e):
        node = with_injection(e.name)
        return {name: list(t.args) for name, t in node.tools_by_name.items() if name not in odd}

    assert set(map(tuple, same(program).values())) == {("a",)}


# -- Commands -----------------------------------------------------------------------------------------------


def commanding(e):
    def command(kind: str, tool_call_id: Annotated[str, InjectedToolCallId]):
        """Return a command."""
        C, S = e.Command, e.Send
        m = ToolMessage("done", tool_call_id=tool_call_id)
        clear = RemoveMessage(id="__remove_all__")
        return {
            "answer": C(update={"messages": [m], "foo": 1}),
            "no answer": C(update={"foo": 1}),
            "goto": C(goto="x"),
            "gotos": C(goto=["x", "y"]),
            "send": C(goto=S("x", 1)),
            "two answers": C(update={"messages": [m, m]}),
            "another's answer": C(update={"messages": [ToolMessage("done", tool_call_id="zzz")]}),
            "up": C(graph=C.PARENT, update={"foo": 1}, goto="p"),
            "sends up": C(graph=C.PARENT, goto=[S("p", 1)]),
            "sends up with update": C(graph=C.PARENT, update={"messages": [m]}, goto=[S("a", 1)]),
            "named graph": C(graph="other", update={"foo": 1}),
            "list": [C(update={"messages": [m]}), C(update={"foo": 3})],
            "message and command": [m, C(update={"foo": 3})],
            "two in a list": [m, C(update={"messages": [m]})],
            "none in a list": [C(update={"foo": 3})],
            "messages": [m],
            "messages twice": [m, ToolMessage("2", tool_call_id=tool_call_id)],
            "another's message": [ToolMessage("2", tool_call_id="other")],
            "mixed": [m, "x"],
            "update is a list": C(update=[m]),
            "clear": C(update={"messages": [clear]}),
            "clear and answer": C(update={"messages": [clear, m]}),
            "ai message": C(update={"messages": [AIMessage("x")]}),
            "text": C(update={"messages": "s"}),
            "as dict": C(
                update={"messages": [{"role": "tool", "content": "q", "tool_call_id": tool_call_id}]}
            ),
            "resume": C(resume=1),
            "empty": C(),
        }[kind]

    return command


@functools.cache
def with_commands(package):
    e = LANGGRAPH if package == "langgraph" else OURS
    return e.ToolNode([commanding(e), add])


KINDS = [
    "answer", "no answer", "goto", "gotos", "send", "two answers", "another's answer", "up", "sends up",
    "sends up with update", "named graph", "list", "message and command", "two in a list", "none in a list",
    "messages", "messages twice", "another's message", "mixed", "update is a list", "clear",
    "clear and answer", "ai message", "text", "as dict", "resume", "empty",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["dict", "list", "calls", "with others", "async"])
def test_commands(form, kind):
    wanted = call("command", kind=kind)
    others = [call("add", "c2", a=1, b=2), call("command", "c3", kind="sends up"), call("zork", "c4")]

    def program(e):
        node = with_commands(e.name)
        if form == "async":
            return asyncio.run(node.ainvoke(asks_for(wanted), config(e)))
        given = {
            "dict": asks_for(wanted),
            "list": [AIMessage("", tool_calls=[wanted])],
            "calls": [wanted],
            "with others": asks_for(wanted, *others),
        }[form]
        return node.invoke(given, config(e))

    same(program)


def test_a_command_of_a_class_tool_gets_through():
    def program(e):
        class Hands(BaseTool):
            name: str = "hands"
            description: str = "Hand over."

            def _run(self, a: int) -> Any:
                return e.Command(goto="x")

        node = e.ToolNode([Hands()])
        asked = asks_for(call("hands", a=1))
        return [node.invoke(asked, config(e)), asyncio.run(node.ainvoke(asked, config(e)))]

    same(program)


def test_the_tools_own_message_is_not_changed():
    mine = ToolMessage("done", tool_call_id="c1")

    def hand() -> Any:
        """Hand over."""
        return OURS.Command(update={"messages": [mine]})

    (command,) = OURS.ToolNode([hand]).invoke(asks_for(call("hand")), config(OURS))
    assert command.update["messages"][0].name == "hand"
    assert mine.name is None


def test_langgraphs_own_types_are_a_clear_error():
    def hand() -> Any:
        """Hand over."""
        return LANGGRAPH.Command(goto="x")

    with pytest.raises(TypeError, match=r"from nbhitl\.types import Command"):
        OURS.ToolNode([hand]).invoke(asks_for(call("hand")), config(OURS))

    def wants(state: Annotated[dict, LANGGRAPH.InjectedState]) -> str:
        """Want the state."""

    wants.__annotations__["state"] = Annotated[dict, LANGGRAPH.InjectedState]
    with pytest.raises(TypeError, match=r"from nbhitl\.prebuilt import InjectedState"):
        OURS.ToolNode([wants])


# -- wrappers -----------------------------------------------------------------------------------------------


def wrappers(e):
    def note(request, execute):
        return execute(request)

    def override(request, execute):
        return execute(request.override(tool_call={**request.tool_call, "args": {"a": 10, "b": 20}}))

    def repeat(request, execute):
        execute(request)
        return execute(request)

    def shortcut(request, execute):
        return ToolMessage("cached", tool_call_id=request.tool_call["id"])

    def nothing(request, execute):
        return None

    def command(request, execute):
        return e.Command(goto="x")

    def breaks(request, execute):
        raise ValueError("wrapper")

    def catches(request, execute):
        try:
            return execute(request)
        except Exception as error:
            return ToolMessage(f"caught {error!r}", tool_call_id=request.tool_call["id"])

    def exchanges(request, execute):
        return execute(request.override(tool=decorated))

    def tells(request, execute):
        told = (request.tool and request.tool.name, request.runtime.tool_call_id, sorted(request.state))
        return ToolMessage(str(told), tool_call_id=request.tool_call["id"])

    return dict(locals())


WRAPPERS = [
    "note", "override", "repeat", "shortcut", "nothing", "command", "breaks", "catches", "exchanges", "tells",
]  # fmt: skip


@pytest.mark.parametrize("handle", ["default", True])
@pytest.mark.parametrize(
    "asked", [call("add", a=1, b=2), call("add", a=1), call("fail", a=1), call("zork", a=1)]
)
@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers(name, asked, handle):
    how = {} if handle == "default" else {"handle_tool_errors": handle}

    def program(e):
        node = e.ToolNode([add, fail], wrap_tool_call=wrappers(e)[name], **how)
        return node.invoke(asks_for(asked), config(e))

    def asynchronous(e):
        wrap = wrappers(e)[name]

        async def awrap(request, execute):
            done = {}

            async def run(r):
                done[id(r)] = await execute(r)

            async def gather():
                await run(request)
                return done[id(request)]

            if name in ("note", "catches"):
                return await gather()
            return wrap(request, lambda r: None)

        node = e.ToolNode([add, fail], awrap_tool_call=awrap, **how)
        return asyncio.run(node.ainvoke(asks_for(asked), config(e)))

    def in_async_run(e):
        node = e.ToolNode([add, fail], wrap_tool_call=wrappers(e)[name], **how)
        return asyncio.run(node.ainvoke(asks_for(asked), config(e)))

    for each in (program, asynchronous, in_async_run):
        same(each)


# -- pauses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["GraphBubbleUp", "GraphInterrupt"])
@pytest.mark.parametrize("handle", ["default", True, "x", Exception, (Exception,), lambda error: "h"])
def test_no_error_handling_swallows_a_pause(handle, error):
    how = {} if handle == "default" else {"handle_tool_errors": handle}

    def program(e):
        def pause(a: int) -> str:
            """Pause."""
            raise getattr(e.errors, error)()

        return e.ToolNode([pause], **how).invoke(asks_for(call("pause", a=1)), config(e))

    assert same(program)[0] == error


@pytest.mark.parametrize("asynchronous", [False, True])
def test_no_wrapper_swallows_a_pause_either(asynchronous):
    """Here nbhitl differs: in LangGraph the graph goes on as if the person had been asked."""

    def pause(a: int) -> str:
        """Pause."""
        raise OURS.errors.GraphInterrupt()

    def swallow(request, execute):
        try:
            return execute(request)
        except Exception:
            return ToolMessage("went on", tool_call_id=request.tool_call["id"])

    def replace(request, execute):
        try:
            return execute(request)
        except Exception as error:
            raise ValueError("tool failed") from error

    async def aswallow(request, execute):
        try:
            return await execute(request)
        except Exception:
            return ToolMessage("went on", tool_call_id=request.tool_call["id"])

    asked = asks_for(call("pause", a=1))

    def run():
        if asynchronous:
            node = OURS.ToolNode([pause], awrap_tool_call=aswallow)
            asyncio.run(node.ainvoke(asked, config(OURS)))
        else:
            OURS.ToolNode([pause], wrap_tool_call=swallow).invoke(asked, config(OURS))

    with pytest.raises(OURS.errors.GraphInterrupt):
        run()
    with pytest.raises(OURS.errors.GraphInterrupt):
        OURS.ToolNode([pause], wrap_tool_call=replace, handle_tool_errors=True).invoke(asked, config(OURS))


def test_the_first_failing_call_in_order_counts():
    import time

    def slow(a: int) -> str:
        """Fail late."""
        time.sleep(0.05)
        raise ValueError("slow")

    def fast(a: int) -> str:
        """Fail at once."""
        raise ValueError("fast")

    for order in (["slow", "fast"], ["fast", "slow"]):
        node = OURS.ToolNode([slow, fast])
        asked = asks_for(*(call(name, str(n), a=1) for n, name in enumerate(order)))
        assert outcome(node.invoke, asked, config(OURS)) == ("ValueError", order[0])
        assert outcome(lambda n=node, a=asked: asyncio.run(n.ainvoke(a, config(OURS)))) == (
            "ValueError",
            order[0],
        )


def test_calls_run_side_by_side_within_max_concurrency():
    import threading

    running, most = 0, 0
    lock = threading.Lock()
    both = threading.Barrier(2, timeout=5)

    def meet(a: int) -> str:
        """Meet the other."""
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait()
        with lock:
            running -= 1
        return "met"

    asked = asks_for(*(call("meet", str(n), a=n) for n in range(4)))
    done = OURS.ToolNode([meet]).invoke(asked, {**config(OURS), "max_concurrency": 2})
    assert [m.content for m in done["messages"]] == ["met"] * 4
    assert most == 2


@pytest.mark.parametrize(
    "state",
    [
        asks_for(ADD),
        [AI],
        {"messages": [AIMessage("x")]},
        [HumanMessage("x")],
        {"messages": []},
        {},
        3,
        None,
        State(messages=[AI]),
    ],
    ids=repr,
)
def test_tools_condition(state):
    same(lambda e: e.tools_condition(state))
    same(lambda e: e.tools_condition({"chat": [AI]}, messages_key="chat"))
