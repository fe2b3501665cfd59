"""What holds on nbhitl alone: neither timing, nor stopping, nor the store changes what comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .compare import difference, opened
from .generated import Plan, adrive, build, drive
from .swap import NBHITL
from .test_generated import ACTED_ON, JOINS, NESTED, everyday, plans

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "1"}, "recursion_limit": 40}
QUIET = plans(outs=("edges", "branch", "goto", "sends"), asks=0, breakpoints=False, joins=True)


def account(plan: Plan, saver: str = "memory", run: Any = drive) -> list[tuple[str, str]]:
    with opened(saver, NBHITL) as it:
        return run(plan, NBHITL, it, "sync")


def history(graph: Any) -> list[Any]:
    """What the checkpoints hold, without their ids: ids are drawn anew in every run."""
    return [
        (s.values, s.next, s.metadata["step"], s.metadata["source"], [(t.name, t.result) for t in s.tasks])
        for s in graph.get_state_history(CONFIG)
    ]


def without_questions(plan: Plan) -> Plan:
    return replace(plan, nodes=tuple(replace(node, asks=0) for node in plan.nodes))


@everyday(20)
@given(plan=JOINS)
def test_every_saver_equals_memory(plan: Plan) -> None:
    assert not difference(account(plan), account(plan, "sqlite")), plan


@everyday(20)
@given(plan=ACTED_ON)
def test_every_saver_equals_memory_when_acted_on(plan: Plan) -> None:
    assert not difference(account(plan), account(plan, "sqlite")), plan


@everyday(20)
@given(plan=JOINS)
def test_sync_equals_async(plan: Plan) -> None:
    assert not difference(account(plan), account(plan, run=adrive)), plan


@everyday(20)
@given(plan=NESTED)
def test_sync_equals_async_with_graphs_in_graphs(plan: Plan) -> None:
    assert not difference(account(plan), account(plan, run=adrive)), plan


@everyday(30)
@given(plan=QUIET)
def test_stopping_everywhere_equals_not_stopping(plan: Plan) -> None:
    plan = without_questions(plan)
    with opened("memory", NBHITL) as one, opened("memory", NBHITL) as other:
        straight, stopping = build(plan, NBHITL, one), build(plan, NBHITL, other)
        expected = straight.invoke({"log": ["in"]}, CONFIG)
        result = stopping.invoke({"log": ["in"]}, CONFIG, interrupt_before="*")
        for _ in range(40):
            if not stopping.get_state(CONFIG).next:
                break
            result = stopping.invoke(None, CONFIG, interrupt_before="*")
        assert result == expected
        assert history(stopping) == history(straight)


@everyday(20)
@given(plan=QUIET, delays=st.lists(st.sampled_from((0.0, 0.001, 0.003)), min_size=2, max_size=5))
def test_the_order_of_arrival_does_not_matter(plan: Plan, delays: list[float]) -> None:
    plan = without_questions(plan)
    with opened("memory", NBHITL) as one, opened("memory", NBHITL) as other:
        quick, late = build(plan, NBHITL, one), build(plan, NBHITL, other, delays=delays)
        assert late.invoke({"log": ["in"]}, CONFIG) == quick.invoke({"log": ["in"]}, CONFIG)
        assert history(late) == history(quick)
