"""The light messages look like LangChain's, and the door between them loads nothing by itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from types import SimpleNamespace

import langchain_core.messages as heavy
import pytest

from nbhitl import _langchain, _message_forms
from nbhitl import _messages as light
from nbhitl.errors import UnsupportedValue

CALL = {"name": "f", "args": {"a": 1, "b": "z"}, "id": "1", "type": "tool_call"}
OPENAI_CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
BAD_CALL = {"name": "f", "args": "{", "id": "1", "error": "e"}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}

MADE = [
    ("HumanMessage", ("hi",), {}),
    ("HumanMessage", ("hi",), {"name": "bob", "id": "1", "foo": 3}),
    ("HumanMessage", ([{"type": "text", "text": "a"}, "b", {"type": "image_url", "image_url": "u"}],), {}),
    ("SystemMessage", ("s",), {"additional_kwargs": {"a": [1]}}),
    ("AIMessage", ("x",), {}),
    ("AIMessage", ("x",), {"tool_calls": [CALL], "id": 3}),
    ("AIMessage", ("",), {"tool_calls": [CALL, {**CALL, "id": None}], "name": "agent"}),
    ("AIMessage", ("x",), {"invalid_tool_calls": [BAD_CALL], "usage_metadata": USAGE}),
    ("AIMessage", ("x",), {"additional_kwargs": {"tool_calls": [OPENAI_CALL]}}),
    ("ToolMessage", ("r",), {"tool_call_id": "7", "name": "f"}),
    ("ToolMessage", (3,), {"tool_call_id": 5}),
    ("ToolMessage", (("a", {"b": 1}, 3),), {"tool_call_id": "5"}),
    ("ToolMessage", ("r",), {"tool_call_id": "7", "status": "error", "artifact": {"q": 1}, "id": "k"}),
    ("FunctionMessage", ("c",), {"name": "f"}),
    ("ChatMessage", ("c",), {"role": "critic"}),
    ("RemoveMessage", (), {"id": "4"}),
]


@pytest.mark.parametrize(("name", "args", "fields"), MADE, ids=[f"{n} {f}" for n, _, f in MADE])
def test_they_look_alike(name, args, fields):
    mine, theirs = getattr(light, name)(*args, **fields), getattr(heavy, name)(*args, **fields)
    assert repr(mine) == repr(theirs)
    assert str(mine) == str(theirs)
    assert mine.pretty_repr() == theirs.pretty_repr()
    assert mine.text == theirs.text
    dumped = theirs.model_dump()
    assert {key: value for key, value in mine.model_dump().items() if value is not None} == {
        key: value for key, value in dumped.items() if value is not None
    }


@pytest.mark.parametrize(("name", "args", "fields"), MADE, ids=[f"{n} {f}" for n, _, f in MADE])
def test_they_are_stored_alike(name, args, fields):
    mine, theirs = getattr(light, name)(*args, **fields), getattr(heavy, name)(*args, **fields)
    assert _message_forms.message_to_data(mine) == _message_forms.message_to_data(theirs)
    assert _message_forms.message_from_data(_message_forms.message_to_data(mine)) == theirs


def test_chunks_and_artifacts_come_back():
    for message in (
        heavy.AIMessageChunk(
            "q", id="3", tool_call_chunks=[{"name": "f", "args": "{", "id": "1", "index": 0}]
        ),
        heavy.ToolMessage("r", tool_call_id="1", artifact=0),
        heavy.ToolMessage("r", tool_call_id="1", artifact={}),
        heavy.HumanMessage("x", foo=None, bar={}),
    ):
        restored = _message_forms.message_from_data(_message_forms.message_to_data(message))
        assert restored == message
        assert type(restored) is type(message)


def test_values_compare_and_copies_are_apart():
    one = light.AIMessage("a", tool_calls=[dict(CALL)], id="1")
    assert one == light.AIMessage("a", tool_calls=[dict(CALL)], id="1")
    assert one != light.AIMessage("a", id="1")
    assert light.HumanMessage("a") != light.SystemMessage("a")
    changed = one.model_copy(update={"content": "b"})
    assert (one.content, changed.content, changed.tool_calls) == ("a", "b", one.tool_calls)
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


@pytest.mark.parametrize(
    ("make", "fragment"),
    [
        (lambda: light.HumanMessage(3), "content must be a string or a list of content blocks, not int"),
        (lambda: light.HumanMessage("a", type="ai"), "HumanMessage has type 'human', not 'ai'"),
        (
            lambda: light.ToolMessage("a", tool_call_id="1", status="odd"),
            "status must be 'success' or 'error'",
        ),
        (lambda: light.RemoveMessage(id="1", content="x"), "does not support 'content'"),
    ],
)
def test_what_is_no_message(make, fragment):
    with pytest.raises(ValueError, match=fragment):
        make()


def test_a_message_class_of_ones_own_is_refused():
    class Mine(heavy.HumanMessage):
        pass

    assert _langchain.is_message(Mine("a"))
    with pytest.raises(UnsupportedValue, match="Mine is a message class of its own"):
        _message_forms.message_to_data(Mine("a"))


def test_a_content_that_was_broken_in_place_is_refused_when_it_is_stored():
    message = heavy.HumanMessage("a")
    message.content = 3
    with pytest.raises(UnsupportedValue, match="a content of type int"):
        _message_forms.message_to_data(message)


def in_a_fresh_process(code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_is_loaded_until_a_message_is_made():
    out = in_a_fresh_process("""
        import sys
        import nbhitl.messages, nbhitl.graph, nbhitl.graph.message, nbhitl.prebuilt, nbhitl.store.memory
        import nbhitl.cache.memory, nbhitl.cache.sqlite, nbhitl.managed, nbhitl.prebuilt.interrupt
        from nbhitl.graph import MessagesState, add_messages
        from nbhitl.prebuilt import ToolNode, tools_condition
        from nbhitl._langchain import is_message
        assert not is_message({}) and not is_message("a")
        heavy = {"langchain_core", "pydantic", "pandas", "IPython", "ipywidgets"}
        print(sorted(heavy & set(sys.modules)))
        add_messages([], "hi")
        print("langchain_core" in sys.modules)
    """)
    assert out.split() == ["[]", "True"]


def test_langchains_code_finds_the_config_of_the_task():
    from langchain_core.runnables.config import var_child_runnable_config

    config = {"configurable": {"thread_id": "t"}}
    token = var_child_runnable_config.set(None)
    try:
        _langchain.langchain_scope(SimpleNamespace(config=config))
        assert var_child_runnable_config.get() == config
    finally:
        var_child_runnable_config.reset(token)


def test_without_langchain_a_task_costs_a_look_at_the_loaded_modules():
    out = in_a_fresh_process("""
        import sys
        from nbhitl._langchain import langchain_scope

        class Task:
            @property
            def config(self):
                raise AssertionError("made although nobody looks at it")

        langchain_scope(Task())
        print("langchain_core" in sys.modules)
    """)
    assert out == "False"


def test_a_type_that_only_langchain_has_says_what_to_install():
    out = in_a_fresh_process("""
        import sys
        sys.modules["langchain_core"] = None
        from nbhitl._message_forms import message_from_data
        try:
            message_from_data({"type": "AIMessageChunk", "content": "a"})
        except ValueError as error:
            print(error)
    """)
    assert "pip install langchain-core" in out
    assert "'AIMessageChunk'" in out
