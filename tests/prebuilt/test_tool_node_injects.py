"""What a ToolNode injects into tools, and what the model is shown of it, on both engines alike."""

import functools
from typing import Annotated, Any, Optional

import pydantic
import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool
from same_calls import LANGGRAPH, OURS, State, asks_for, call, config, same


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
