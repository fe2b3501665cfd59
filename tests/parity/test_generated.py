"""Random graphs behave the same on both engines: topologies, reducers, questions, breakpoints, resumes."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from . import compare as comparing
from .generated import ACTS, NodePlan, Plan, adrive, drive, drive_on
from .generated_children import CHILDREN
from .swap import ENGINES, LANGGRAPH

# `last` has no reducer: two writes to it in one step are an error, so it is rare.
WRITES = (("log",), ("log", "total"), ("log", "best"), ("log", "total", "best")) * 4 + (("log", "last"),)


@st.composite
def plans(
    draw: st.DrawFn,
    *,
    outs: tuple[str, ...],
    asks: int = 2,
    breakpoints: bool = True,
    joins: bool = False,
    acts: int = 0,
    acting: tuple[str, ...] = ACTS,
    children: bool = False,
    failing: bool = False,
) -> Plan:
    """Draw a graph of up to five nodes; edges lead anywhere, loops end by themselves."""
    size = draw(st.integers(3 if joins else 1, 5))
    numbers = st.integers(0, size - 1)
    some = st.lists(numbers, max_size=2, unique=True).map(tuple)
    # Where LangGraph finds the state of a child that keeps it, after an update or a fork, depends on what ran since.
    kinds = [kind for kind in CHILDREN if not acts or acting == ("input",) or kind != "stateful"]
    nodes = []
    for number in range(size):
        out = draw(st.sampled_from(outs))
        # Plain edges only lead forward: nothing could end a loop of them.
        targets = draw(some)
        if out == "edges":
            targets = tuple(target for target in targets if target > number)
        nodes.append(
            NodePlan(
                asks=draw(st.sampled_from((0, 0, 0, 1, asks))),
                writes=draw(st.sampled_from(WRITES[:-1] if acts else WRITES)),
                out=out,
                targets=targets,
                child=draw(st.sampled_from(kinds))
                if children and out != "goto" and draw(st.booleans())
                else None,
                defer=joins and draw(st.sampled_from((False, False, False, False, True))),
            )
        )
    if failing:
        broken = draw(numbers)
        nodes[broken] = replace(nodes[broken], fails=draw(st.integers(1, 3)))
    # Going on from a breakpoint or an update, LangGraph does not run a child again that keeps its state and
    # had ended before.
    breakpoints = breakpoints and all(node.child != "stateful" for node in nodes)
    return Plan(
        nodes=tuple(nodes),
        joins=tuple(draw(st.lists(_joins(size), min_size=1, max_size=2, unique=True))) if joins else (),
        entries=draw(st.lists(numbers, min_size=1, max_size=2, unique=True).map(tuple)),
        before=draw(some) if breakpoints and draw(st.booleans()) else (),
        after=draw(some) if breakpoints and draw(st.booleans()) else (),
        choices=tuple(draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))),
        acts=tuple(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(acting), st.integers(0, 12)),
                    min_size=min(acts, 1),
                    max_size=acts,
                )
            )
        ),
    )


def _joins(size: int) -> st.SearchStrategy[tuple[tuple[int, ...], int]]:
    """Two nodes, and a later one that waits for both."""

    def of(target: int) -> st.SearchStrategy[tuple[tuple[int, ...], int]]:
        sources = st.lists(st.integers(0, target - 1), min_size=2, max_size=2, unique=True)
        return st.tuples(sources.map(tuple), st.just(target))

    return st.integers(2, size - 1).flatmap(of)


def _account(
    plan: Plan, engine: str, saver: str, durability: str = "async", run: Any = drive
) -> list[tuple[str, str]]:
    with comparing.opened(saver, engine) as opened, warnings.catch_warnings():
        if engine == LANGGRAPH:
            warnings.simplefilter("ignore")
        return run(plan, engine, opened, durability)


def _same(plan: Plan, saver: str = "memory", durability: str = "async", run: Any = drive) -> None:
    expected, actual = (_account(plan, engine, saver, durability, run) for engine in ENGINES)
    found = comparing.difference(expected, actual)
    assert not found, f"\n{plan}\n{found}"


def everyday(examples: int) -> settings:
    """So many examples, the same in every run; shrinking a failure is left to the long run."""
    phases = (Phase.explicit, Phase.generate)
    return settings(_ALWAYS, max_examples=examples, derandomize=True, phases=phases)


_ALWAYS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
EDGES = plans(outs=("edges", "edges", "branch"))
COMMANDS = plans(outs=("edges", "branch", "goto"))
SENDS = plans(outs=("edges", "branch", "goto", "sends"))
JOINS = plans(outs=("edges", "edges", "branch", "goto", "sends"), joins=True)
FAILING = plans(outs=("edges", "branch", "goto"), failing=True)
NESTED = plans(outs=("edges", "edges", "branch", "goto"), children=True)
NESTED_ACTED_ON = plans(outs=("edges", "edges", "branch", "goto"), children=True, acts=2)
NEW_INPUT = plans(outs=("edges", "edges", "branch", "goto"), children=True, acts=2, acting=("input",))
ACTED_ON = plans(outs=("edges", "branch", "goto"), acts=3)
EVERYDAY = {
    "edges": 40, "commands": 25, "sends": 30, "joins": 30, "nested": 34, "failing": 20, "nested_acted_on": 25,
    "acted_on": 30,
}  # fmt: skip
"""How many graphs of each kind are generated in the everyday suite; many more in the long runs."""


@everyday(EVERYDAY["edges"])
@given(plan=EDGES)
def test_edges_branches_questions_and_breakpoints(plan: Plan) -> None:
    _same(plan)


@everyday(EVERYDAY["commands"])
@given(plan=COMMANDS)
def test_commands(plan: Plan) -> None:
    _same(plan)


@everyday(EVERYDAY["sends"])
@given(plan=SENDS)
def test_sends(plan: Plan) -> None:
    _same(plan)


@everyday(EVERYDAY["joins"])
@given(plan=JOINS)
def test_barriers_and_deferred_nodes(plan: Plan) -> None:
    # LangGraph saves barriers in the background as they are by then, which may be a step later.
    _same(plan, durability="sync")


@everyday(EVERYDAY["nested"])
@given(plan=NESTED)
def test_graphs_in_graphs(plan: Plan) -> None:
    _same(plan)


@everyday(EVERYDAY["failing"])
@given(plan=FAILING)
def test_failures_and_going_on(plan: Plan) -> None:
    _same(plan, durability="sync")


@everyday(EVERYDAY["nested_acted_on"])
@given(plan=NESTED_ACTED_ON)
def test_updates_forks_and_replays_of_graphs_in_graphs(plan: Plan) -> None:
    _same(plan)


@everyday(EVERYDAY["acted_on"])
@given(plan=ACTED_ON)
def test_updates_forks_and_replays(plan: Plan) -> None:
    _same(plan, durability="sync")


@everyday(15)
@given(plan=NEW_INPUT)
def test_new_input_while_graphs_below_wait(plan: Plan) -> None:
    # One turn of each run: what is asked then is still open when the next input comes.
    _same(plan, run=drive_on)


@everyday(15)
@given(plan=SENDS)
def test_durability_exit(plan: Plan) -> None:
    # Of a step that two tasks spoil LangGraph saves one half then.
    nodes = tuple(replace(node, writes=("log",)) if "last" in node.writes else node for node in plan.nodes)
    _same(replace(plan, nodes=nodes), durability="exit")


@everyday(15)
@given(plan=SENDS)
def test_async_runs(plan: Plan) -> None:
    _same(plan, run=adrive)


def _drawn(strategy: st.SearchStrategy[Plan], examples: int) -> list[Plan]:
    found: list[Plan] = []

    @everyday(examples)
    @given(plan=strategy)
    def draw(plan: Plan) -> None:
        found.append(plan)

    draw()
    return found


def test_what_is_generated() -> None:
    """At least 200 different graphs a day, with everything in them that the comparison is about."""
    every = [
        plan for kind, examples in EVERYDAY.items() for plan in _drawn(globals()[kind.upper()], examples)
    ]
    assert len(set(every)) >= 200
    having = {
        "questions": sum(any(node.asks for node in plan.nodes) for plan in every),
        "questions of several nodes": sum(sum(node.asks > 0 for node in plan.nodes) > 1 for plan in every),
        "several questions of one node": sum(any(node.asks > 1 for node in plan.nodes) for plan in every),
        "an order of answers": sum(len(set(plan.choices)) > 1 for plan in every),
        "breakpoints": sum(bool(plan.before or plan.after) for plan in every),
        "several reducers": sum(
            len({key for node in plan.nodes for key in node.writes}) > 1 for plan in every
        ),
        "Commands": sum(any(node.out == "goto" for node in plan.nodes) for plan in every),
        "Sends": sum(any(node.out == "sends" and node.targets for node in plan.nodes) for plan in every),
        "barriers": sum(bool(plan.joins) for plan in every),
        "deferred nodes": sum(any(node.defer for node in plan.nodes) for plan in every),
        "graphs in graphs that ask": sum(any(n.child and n.asks for n in plan.nodes) for plan in every),
        "failures": sum(any(node.fails for node in plan.nodes) for plan in every),
        "updates, forks and replays": sum(bool(plan.acts) for plan in every),
    }
    rare = {what: number for what, number in having.items() if number < 15}
    assert not rare, having
    kinds = {node.child for plan in every for node in plan.nodes}
    assert kinds >= set(CHILDREN)
    assert {act for plan in every for act, _ in plan.acts} == set(ACTS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(_ALWAYS, max_examples=2000)
@given(plan=JOINS)
def test_many_more(plan: Plan) -> None:
    _same(plan, durability="sync")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(_ALWAYS, max_examples=2000)
@given(plan=st.one_of(ACTED_ON, NESTED_ACTED_ON, NEW_INPUT, FAILING))
def test_many_more_from_outside(plan: Plan) -> None:
    _same(plan)
