"""How often a task's node has started can be read: `task.starts`, an attribute beside the fields."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsMemory

from nbhitl.types import Command, PregelTask, RetryPolicy, interrupt

from .asking import CONFIG, State, asking, graph_of, ids


@pytest.fixture(params=["own", "langgraph"])
def any_saver(request, saver):
    return saver if request.param == "own" else LangGraphsMemory()


def starts(graph, config=CONFIG):
    return {task.name: task.starts for task in graph.get_state(config).tasks}


def test_each_answer_starts_the_node_again(run, any_saver):
    graph = graph_of(asking("a", "b", "c"), saver=any_saver)
    run.invoke(graph, {})
    seen = [starts(graph)]
    for answer in "xy":
        run.invoke(graph, Command(resume=answer))
        seen.append(starts(graph))
    assert seen == [{"ask": 1}, {"ask": 2}, {"ask": 3}]
    assert run.invoke(graph, Command(resume="z")) == {"log": ["x", "y", "z"]}
    (before,) = [s for s in graph.get_state_history(CONFIG) if s.next == ("ask",)]
    assert [task.starts for task in before.tasks] == [4]


def test_the_count_is_that_of_the_calls(run, any_saver):
    calls = []

    def shaky(state: State) -> State:
        calls.append(1)
        answer = interrupt("q")
        if len(calls) < 4:
            raise OSError("no network")
        return {"log": [answer]}

    graph = graph_of(shaky, saver=any_saver)
    run.invoke(graph, {})
    assert starts(graph) == {"shaky": 1}
    for given in (Command(resume="yes"), None):
        with pytest.raises(OSError, match="no network"):
            run.invoke(graph, given)
        assert starts(graph) == {"shaky": len(calls)}
    assert run.invoke(graph, None) == {"log": ["yes"]}
    assert len(calls) == 4


def test_attempts_of_a_retry_policy_count(run, saver):
    from nbhitl.graph import START, StateGraph

    calls = []

    def shaky(state: State) -> State:
        calls.append(1)
        if len(calls) < 3:
            raise ConnectionError("once more")
        return {"log": [interrupt("q")]}

    policy = RetryPolicy(initial_interval=0.001, jitter=False)
    builder = StateGraph(State).add_node("shaky", shaky, retry_policy=policy).add_edge(START, "shaky")
    graph = builder.compile(checkpointer=saver)
    run.invoke(graph, {})
    assert starts(graph) == {"shaky": 3}


def test_each_parallel_task_has_its_own_count(run, any_saver):
    graph = graph_of(asking("a1", "a2", name="a"), asking("b", name="b"), saver=any_saver, parallel=True)
    run.invoke(graph, {})
    assert starts(graph) == {"a": 1, "b": 1}
    first = next(i.id for i in graph.get_state(CONFIG).interrupts if i.value == "a1")
    run.invoke(graph, Command(resume={first: 1}))
    assert starts(graph)["a"] == 2
    run.invoke(graph, Command(resume=dict.fromkeys(ids(graph), 2)))
    assert graph.get_state(CONFIG).next == ()


def test_a_task_that_waits_at_a_breakpoint_has_not_started(run, saver):
    graph = graph_of(asking("q"), saver=saver, interrupt_before=["ask"])
    run.invoke(graph, {})
    assert starts(graph) == {"ask": 0}
    run.invoke(graph, None)
    assert starts(graph) == {"ask": 1}


def test_a_fork_counts_from_the_beginning(run, saver):
    graph = graph_of(asking("a", "b"), saver=saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume="x"))
    run.invoke(graph, None, graph.get_state(CONFIG).config)
    assert starts(graph) == {"ask": 1}


def test_the_tuple_stays_langgraphs():
    assert PregelTask._fields == ("id", "name", "path", "error", "interrupts", "state", "result")
    assert PregelTask("i", "n", ()).starts == 0


def test_a_question_tells_it_to_whoever_reads_it_later(saver):
    from nbhitl import GraphThread

    graph = graph_of(asking("a", "b"), saver=saver)
    graph.invoke({}, CONFIG)
    graph.invoke(Command(resume="x"), CONFIG)
    assert GraphThread(graph, "t").question.starts == 2
