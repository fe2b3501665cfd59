"""Nodes with a cache policy: what is taken from the cache, what is kept there, and what never is."""

# Annotations are evaluated as they are written here.

import operator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl.cache.sqlite import SqliteCache
from nbhitl.engine.caching import cache_namespace, keep, look_up
from nbhitl.engine.program import Action, Reader
from nbhitl.engine.tasks import TaskResult
from nbhitl.errors import UnsupportedValue

from .building import pulled
from .engines import BOTH, LANGGRAPH, OURS, without_ids

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


def counting(calls: list, answer: Any = "ran"):
    def node(state):
        calls.append(state.get("n"))
        return {"path": [answer]}

    return node


def one(e, node, cache, *, saver=None, **policy):
    builder = e.StateGraph(State).add_node("node", node, cache_policy=e.CachePolicy(**policy))
    builder.add_node("after", lambda state: {"path": ["after"]})
    return (
        builder.add_edge(e.START, "node").add_edge("node", "after").compile(cache=cache, checkpointer=saver)
    )


def on_both(program):
    theirs, ours = without_ids(program(LANGGRAPH)), without_ids(program(OURS))
    assert ours == theirs
    assert ours
    return ours


@pytest.mark.parametrize("modes", ["updates", ["updates", "values", "tasks"], ["debug"]], ids=str)
def test_a_hit_runs_what_follows_and_is_marked(modes):
    def program(e):
        calls = []
        graph = one(e, counting(calls), e.InMemoryCache())
        seen = [list(graph.stream({"path": [], "n": n}, stream_mode=modes)) for n in (1, 1, 2)]
        if modes == ["debug"]:
            seen = [[(c["type"], c["payload"]["name"]) for _, c in chunks] for chunks in seen]
        return seen, calls

    seen, calls = on_both(program)
    assert calls == [1, 2]
    if modes == "updates":
        hit = {"node": {"path": ["ran"]}, "__metadata__": {"cached": True}}
        assert seen[1] == [hit, {"after": {"path": ["after"]}}]


async def test_async_runs():
    async def program(e):
        calls = []
        graph = one(e, counting(calls), e.InMemoryCache())
        seen = [[chunk async for chunk in graph.astream({"path": [], "n": 1})] for _ in range(2)]
        await graph.aclear_cache()
        return seen, await graph.ainvoke({"path": [], "n": 1}), calls

    ours = await program(OURS)
    assert ours == await program(LANGGRAPH)
    assert ours[2] == [1, 1]


def test_hits_are_saved_like_other_results():
    def program(e):
        graph = one(e, counting([]), e.InMemoryCache(), saver=e.InMemorySaver())
        seen = []
        for thread in "12":
            config = {"configurable": {"thread_id": thread}}
            graph.invoke({"path": [], "n": 1}, config)
            history = graph.get_state_history(config)
            seen.append([(s.values, s.next, [(t.name, t.result) for t in s.tasks]) for s in history])
        return seen

    first, second = on_both(program)
    assert first == second
    assert first[2][2] == [("node", {"path": ["ran"]})]


def test_clear_cache_by_node():
    def program(e):
        calls = []
        graph = one(e, counting(calls), e.InMemoryCache())
        for nodes in ((), ["after"], ["node"], None):
            graph.invoke({"path": [], "n": 1})
            if nodes != ():
                graph.clear_cache(nodes)
        graph.invoke({"path": [], "n": 1})
        return calls

    assert on_both(program) == [1, 1, 1]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_clear_cache_of_nodes_that_there_are_not():
    def program(e):
        calls = []
        graph = one(e, counting(calls), e.InMemoryCache())
        for nodes in (["nobody"], "node", ["nobody", "node"], [], ["nobody"]):
            graph.invoke({"path": [], "n": 1})
            graph.clear_cache(nodes)
        graph.invoke({"path": [], "n": 1})
        return calls

    assert on_both(program) == [1, 1, 1]


async def test_clear_cache_names_what_there_is():
    graph = one(OURS, counting([]), OURS.InMemoryCache())
    with pytest.warns(UserWarning, match=r"no node 'nod'.* Did you mean 'node'\? Nodes are .*node"):
        graph.clear_cache(["nod"])
    with pytest.warns(UserWarning, match=r"takes a list of names.*Write \['node'\]"):
        await graph.aclear_cache("node")


@BOTH
def test_clear_cache_without_a_cache(e):
    with pytest.raises(ValueError, match="No cache is set for this graph"):
        one(e, counting([]), None).clear_cache()


async def test_aclear_cache_without_a_cache():
    with pytest.raises(ValueError, match="No cache is set"):
        await one(OURS, counting([]), None).aclear_cache()


def test_commands_and_sends():
    def program(e):
        calls = []

        def command(state):
            calls.append("command")
            return e.Command(update={"path": ["command"]}, goto=[e.Send("work", {"n": 5}), "last"])

        def work(state):
            calls.append(state)
            return {"path": [f"work {state['n']}"]}

        builder = e.StateGraph(State).add_node(command, cache_policy=e.CachePolicy(ttl=60))
        builder.add_node(work, cache_policy=e.CachePolicy(key_func=lambda state: str(state["n"])))
        builder.add_node("last", lambda state: {"path": ["last"]})
        graph = builder.add_edge(e.START, "command").compile(cache=e.InMemoryCache())
        # Parallel tasks report as they finish, so their order is left out of the comparison.
        return [sorted(graph.stream({"path": [], "n": 1}), key=repr) for _ in range(2)], calls

    seen, calls = on_both(program)
    assert calls == ["command", {"n": 5}]
    cached = {name for chunk in seen[1] if "__metadata__" in chunk for name in chunk}
    assert cached == {"command", "work", "__metadata__"}


def test_parallel_hits_come_first():
    def program(e):
        calls = []
        builder = e.StateGraph(State)
        for name in "abc":
            policy = {} if name == "b" else {"cache_policy": e.CachePolicy()}
            builder.add_node(name, counting(calls, name), **policy).add_edge(e.START, name)
        graph = builder.compile(cache=e.InMemoryCache())
        graph.invoke({"path": [], "n": 1})
        chunks = list(graph.stream({"path": [], "n": 1}, stream_mode=["updates", "values"]))
        return chunks, calls

    chunks, calls = on_both(program)
    assert len(calls) == 4
    assert [name for mode, chunk in chunks if mode == "updates" for name in chunk if name in "abc"] == [
        "a",
        "c",
        "b",
    ]
    assert chunks[-1] == ("values", {"path": ["a", "b", "c"], "n": 1})


def test_a_hit_beside_a_question():
    """The pause keeps the hit, as it keeps what other tasks did."""

    def program(e):
        calls = []
        builder = e.StateGraph(State).add_node("node", counting(calls), cache_policy=e.CachePolicy())
        builder.add_node("ask", lambda state: {"path": [e.interrupt("q")]})
        builder.add_edge(e.START, "node").add_edge(e.START, "ask")
        cache = e.InMemoryCache()
        graph = builder.compile(cache=cache, checkpointer=e.InMemorySaver())
        seen = []
        for thread in "12":
            config = {"configurable": {"thread_id": thread}}
            graph.invoke({"path": [], "n": 1}, config)
            seen.append(graph.get_state(config).next)
            cache.clear()
            seen.append(graph.invoke(e.Command(resume="yes"), config))
            graph.invoke({"path": [], "n": 1}, {"configurable": {"thread_id": f"warm {thread}"}})
        return seen, calls

    seen, calls = on_both(program)
    assert seen[2] == ("ask",)
    assert seen[3] == {"path": ["yes", "ran"], "n": 1}
    assert calls == [1, 1, 1]


def test_a_persons_answer_is_never_taken_from_the_cache():
    """LangGraph caches it, and gives one person's approval to the next question."""
    asked = []

    def ask(state):
        asked.append(1)
        return {"path": [OURS.interrupt("delete?")]}

    graph = one(OURS, ask, OURS.InMemoryCache(), saver=OURS.InMemorySaver())
    graph.invoke({"path": [], "n": 1}, CONFIG)
    assert graph.invoke(OURS.Command(resume="yes"), CONFIG)["path"] == ["yes", "after"]
    other = graph.invoke({"path": [], "n": 1}, {"configurable": {"thread_id": "other"}})
    assert [i.value for i in other["__interrupt__"]] == ["delete?"]
    assert len(asked) == 3


def test_nor_an_answer_given_inside_a_called_graph():
    inner = OURS.StateGraph(State).add_node("ask", lambda state: {"path": [OURS.interrupt("sure?")]})
    inner = inner.add_edge(OURS.START, "ask").compile()
    builder = OURS.StateGraph(State).add_node("inner", inner, cache_policy=OURS.CachePolicy())
    graph = builder.add_edge(OURS.START, "inner").compile(
        cache=OURS.InMemoryCache(), checkpointer=OURS.InMemorySaver()
    )
    graph.invoke({"path": [], "n": 1}, CONFIG)
    graph.invoke(OURS.Command(resume="yes"), CONFIG)
    other = graph.invoke({"path": [], "n": 1}, {"configurable": {"thread_id": "other"}})
    assert [i.value for i in other["__interrupt__"]] == ["sure?"]


def test_errors_and_retries_are_not_kept():
    def program(e):
        calls = []

        def flaky(state):
            calls.append(1)
            if len(calls) < 3:
                raise ValueError(f"try {len(calls)}")
            return {"path": ["ok"]}

        graph, seen = one(e, flaky, e.InMemoryCache()), []
        for _ in range(4):
            try:
                seen.append(graph.invoke({"path": [], "n": 1}))
            except ValueError as error:
                seen.append(str(error))
        return seen, len(calls)

    assert on_both(program)[1] == 3


def test_nodes_that_write_nothing():
    def program(e):
        graph = one(e, lambda state: None, e.InMemoryCache())
        return [list(graph.stream({"path": [], "n": 1})) for _ in range(2)]

    assert on_both(program)[1][0] == {"node": None, "__metadata__": {"cached": True}}


def test_a_called_graph_has_no_part_in_its_callers_cache():
    def program(e):
        calls = []
        inner = one(e, counting(calls), None)
        builder = e.StateGraph(State).add_node("sub", inner).add_edge(e.START, "sub")
        graph = builder.compile(cache=e.InMemoryCache())
        for _ in range(2):
            graph.invoke({"path": [], "n": 1})
        return calls

    assert on_both(program) == [1, 1]


# -- where nbhitl keeps results -----------------------------------------------------------------------------


def test_graphs_with_other_edges_do_not_share_results():
    """A kept result says what runs next; the same function may be followed by something else elsewhere."""
    cache, calls = OURS.InMemoryCache(), []
    node = counting(calls)
    first = one(OURS, node, cache)
    second = OURS.StateGraph(State).add_node("node", node, cache_policy=OURS.CachePolicy())
    second = second.add_edge(OURS.START, "node").compile(cache=cache)
    assert first.invoke({"path": [], "n": 1})["path"] == ["ran", "after"]
    assert second.invoke({"path": [], "n": 1})["path"] == ["ran"]
    assert one(OURS, node, cache).invoke({"path": [], "n": 1})["path"] == ["ran", "after"]
    assert len(calls) == 2


def test_results_in_a_file_outlive_the_graph(tmp_path):
    calls = []
    for _ in range(2):
        cache = SqliteCache(path=str(tmp_path / "cache.db"))
        chunks = list(one(OURS, counting(calls), cache).stream({"path": [], "n": 1}))
        cache.close()
    assert calls == [1]
    assert chunks[0]["__metadata__"] == {"cached": True}


@dataclass
class Point:
    x: int


def test_equal_inputs_give_equal_keys_whatever_their_order():
    cache, calls = OURS.InMemoryCache(), []
    graph = one(OURS, counting(calls), cache)
    inputs = [{"a": 1, "b": 2}, {"b": 2, "a": 1}, {1, 2, 3}, {3, 2, 1}, Point(1), Point(1), Point(2)]
    for value in inputs:
        graph.invoke({"path": [value]})
    assert len(calls) == 4


def test_an_input_without_a_key_names_the_node_and_what_to_do():
    with pytest.raises(UnsupportedValue) as caught:
        one(OURS, counting([]), OURS.InMemoryCache()).invoke({"path": [lambda: 0]})
    assert "node 'node'" in caught.value.__notes__[0]
    assert "key_func" in caught.value.__notes__[0]


def test_a_result_that_cannot_be_kept_names_the_node():
    graph = one(OURS, counting([], answer=object()), OURS.InMemoryCache())
    with pytest.raises(UnsupportedValue) as caught:
        graph.invoke({"path": [], "n": 1})
    assert "node 'node'" in caught.value.__notes__[0]


def cached_node(**run: Any) -> Any:
    """A run of one node with a cache policy, as far as the cache is concerned."""
    policy = OURS.CachePolicy(key_func=lambda state: "key", ttl=3)
    node = SimpleNamespace(
        cache=policy, reader=Reader(None), routes=(), branches=(), action=Action("node", counting([]), None)
    )
    head = SimpleNamespace(values={"n": 1})
    run = SimpleNamespace(cache=OURS.InMemoryCache(), stop=9, answers={}, **run)
    return SimpleNamespace(program=SimpleNamespace(nodes={"node": node}), head=head, run=run)


def test_what_is_done_already_is_not_looked_up():
    progress, done, todo = cached_node(), pulled("node"), pulled("node")
    done.writes = []
    assert list(look_up(progress, [done])) == []
    wanted = next(look_up(progress, [done, todo]))
    assert wanted.args == ([todo.cache_key],)
    assert done.cache_key is None


def test_what_a_person_had_a_part_in_is_not_kept():
    progress, task = cached_node(), pulled("node")
    assert list(keep(progress, TaskResult(task, [("n", 2)]))) == []
    task.cache_key = (("ns",), "key")
    (wanted,) = keep(progress, TaskResult(task, [("n", 2)]))
    assert wanted.args == ({task.cache_key: ([["n", 2]], 3)},)
    progress.run.answers = {"1": ["1", "", "yes"]}
    assert list(keep(progress, TaskResult(task, [("n", 2)]))) == []
    progress.run.answers, task.answers = {}, {"1": ["1", "", "yes"]}
    assert list(keep(progress, TaskResult(task, [("n", 2)]))) == []


def test_a_runnable_has_no_function_to_be_known_by():
    action = Action("node", counting([]), None, runnable=True)
    assert cache_namespace("node", action) == ("__pregel_ns_writes", "__dynamic__", "node")
