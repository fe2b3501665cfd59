"""Whether LangChain tells somebody of a run whom no config names: as LangChain itself answers it."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from contextvars import ContextVar
from types import SimpleNamespace

import langsmith
import pytest
from langchain_core.tracers import context
from langsmith import utils
from langsmith._internal import _context as said
from langsmith.run_trees import RunTree

from nbhitl.engine.listeners import _heard_anyway


@pytest.fixture(autouse=True)
def untraced(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]:
        monkeypatch.delenv(name)
    utils.get_env_var.cache_clear()
    yield
    utils.get_env_var.cache_clear()


def by_environment(stack, monkeypatch):
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    utils.get_env_var.cache_clear()


def by_the_older_name(stack, monkeypatch):
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "true")
    utils.get_env_var.cache_clear()


def by_context(stack, monkeypatch):
    stack.enter_context(langsmith.tracing_context(enabled=True))


def by_a_run_around(stack, monkeypatch):
    tree = RunTree(name="around", client=SimpleNamespace())
    stack.callback(lambda: tree)  # it is referred to weakly
    token = said._PARENT_RUN_TREE_REF.set(said.weakref.ref(tree))
    stack.callback(said._PARENT_RUN_TREE_REF.reset, token)


def for_the_process(stack, monkeypatch):
    monkeypatch.setattr(said, "_GLOBAL_TRACING_ENABLED", True)


def by_a_tracer(stack, monkeypatch):
    token = context.tracing_v2_callback_var.set(SimpleNamespace())
    stack.callback(context.tracing_v2_callback_var.reset, token)


def not_in_this_context(stack, monkeypatch):
    by_environment(stack, monkeypatch)
    stack.enter_context(langsmith.tracing_context(enabled=False))


@pytest.mark.parametrize(
    ("how", "heard"),
    [
        (by_environment, True),
        (by_the_older_name, True),
        (by_context, True),
        (by_a_run_around, True),
        (for_the_process, True),
        (by_a_tracer, True),
        (not_in_this_context, False),
    ],
    ids=lambda how: getattr(how, "__name__", None),
)
def test_a_run_is_heard_where_langchain_traces(how, heard, monkeypatch):
    assert not _heard_anyway()
    with ExitStack() as stack:
        how(stack, monkeypatch)
        assert _heard_anyway() is heard
        assert bool(context._tracing_v2_is_enabled()) is heard


def test_a_langsmith_that_keeps_it_elsewhere_is_asked(monkeypatch):
    monkeypatch.delattr(said, "_GLOBAL_TRACING_ENABLED")
    asked = []
    monkeypatch.setattr(context, "_tracing_v2_is_enabled", lambda: asked.append(1) or "local")
    assert _heard_anyway() is True
    assert asked == [1]


def test_a_hook_that_somebody_has_set_hears_a_run(monkeypatch):
    hook = ContextVar("hook", default=None)
    monkeypatch.setattr(context, "_configure_hooks", [(hook, True, None, None)])
    assert not _heard_anyway()
    token = hook.set(SimpleNamespace())
    try:
        assert _heard_anyway()
    finally:
        hook.reset(token)


def test_nobody_is_asked_where_langchain_has_not_been_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "langchain_core.tracers.context")
    assert not _heard_anyway()
