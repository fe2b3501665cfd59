"""Which engine a graph belongs to, and how each one is resumed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from nbhitl.review.attach_langgraph import LangGraphEngine, check_release
from nbhitl.review.engines import OwnEngine, engine_of
from nbhitl.review.settings import reading_of
from nbhitl.review.watch import Watch


@pytest.mark.parametrize("release", ["1.2.21", "1.0.10", "0.6.0", "1.2"])
def test_an_older_langgraph_is_refused(release):
    with pytest.raises(ValueError, match=rf"compiled by LangGraph {release}.*pip install -U"):
        check_release(release)


@pytest.mark.parametrize("release", ["1.2.22", "1.2.23rc1", "1.3.0", "2.0"])
def test_the_current_langgraph_and_newer_ones_are_taken(release):
    check_release(release)


def test_the_engine_is_known_by_the_class_of_the_graph():
    from langgraph.checkpoint.memory import InMemorySaver as TheirSaver
    from langgraph.graph import StateGraph as TheirGraph

    from nbhitl.checkpoint.memory import InMemorySaver
    from nbhitl.graph import StateGraph

    theirs = TheirGraph(dict).add_node("n", lambda s: s).set_entry_point("n")
    ours = StateGraph(dict).add_node("n", lambda s: s).set_entry_point("n")
    assert isinstance(engine_of(theirs.compile(checkpointer=TheirSaver())), LangGraphEngine)
    assert isinstance(engine_of(ours.compile(checkpointer=InMemorySaver())), OwnEngine)
    with pytest.raises(TypeError, match="not a dict"):
        engine_of({})


def test_resumes_are_maps_in_strict_mode():
    config = {"configurable": {"thread_id": "t"}}
    engine = LangGraphEngine()
    assert engine.resume({"a" * 32: None}).resume == {"a" * 32: None}
    assert engine.answering(config, "ada")["configurable"]["__pregel_strict_resume"] is True
    assert config == {"configurable": {"thread_id": "t"}}


def test_a_graph_of_ours_does_not_load_langgraph():
    program = """
import sys
from nbhitl import GraphThread, answers, approve, ask
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph

graph = StateGraph(dict).add_node("n", lambda s: {"kind": ask("Go?").kind}).add_edge(START, "n")
thread = GraphThread(graph.compile(checkpointer=InMemorySaver()), "t")
with answers([approve()]):
    thread.run({"a": 1})
print([name for name in ("langgraph", "langchain_core", "pandas", "ipywidgets", "pydantic") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_breakpoints_of_the_graph_and_of_the_thread():
    def before(graph, own):
        return reading_of(graph, "t", None, None, own, ()).before

    graph = SimpleNamespace(interrupt_before_nodes=["a"])
    assert before(graph, ["b"]) == {"a", "b"}
    assert before(graph, "*") == "*"
    assert before(SimpleNamespace(interrupt_before_nodes="*"), ()) == "*"
    assert before(SimpleNamespace(), ()) == frozenset()


class TestWatch:
    def watch(self):
        self.told = []
        now = [datetime(2026, 11, 20, tzinfo=UTC)]

        def clock():
            now[0] += timedelta(seconds=1)
            return now[0]

        self.starts = Counter()
        return Watch(self.told.append, clock, self.starts, step=3)

    def test_it_counts_steps_and_starts(self):
        watch = self.watch()
        for name, task in (("a", "1"), ("b", "2")):
            watch.seen("tasks", {"id": task, "name": name, "input": {}})
        watch.seen("tasks", {"id": "1", "name": "a", "result": {}})
        watch.seen("tasks", {"id": "3", "name": "c", "input": {}})
        assert [(p.node, p.step, p.elapsed) for p in self.told] == [
            ("a", 4, 1.0),
            ("b", 4, 2.0),
            ("c", 5, 3.0),
        ]
        assert self.starts == {"1": 1, "2": 1, "3": 1}

    def test_it_keeps_the_end_of_streamed_text(self):
        watch = self.watch()
        watch.seen("custom", {"not": "text"})
        watch.seen("custom", "x" * 3000)
        watch.seen("custom", "end")
        assert len(self.told) == 2
        assert self.told[-1].text.endswith("xend")
        assert len(self.told[-1].text) == 2000

    def test_it_knows_a_breakpoint_from_a_question(self):
        watch = self.watch()
        watch.seen("updates", {"__interrupt__": (1,)})
        assert not watch.at_breakpoint
        watch.seen("updates", {"__interrupt__": ()})
        assert watch.at_breakpoint

    def test_it_stops_only_where_work_is_saved(self):
        watch = self.watch()
        watch.stop()
        assert not watch.seen("tasks", {"id": "1", "name": "a", "input": {}})
        assert not watch.seen("updates", {"__interrupt__": (1,)})
        assert watch.seen("updates", {"a": {}})
        assert watch.stopped
