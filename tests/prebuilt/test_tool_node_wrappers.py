"""Wrappers around the calls of a ToolNode, on both engines alike."""

import asyncio

import pytest
from langchain_core.messages import ToolMessage
from same_calls import OURS, add, asks_for, call, config, decorated, fail, same


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
