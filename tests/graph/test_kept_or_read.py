"""Kept where it paused, or read from the store: the same thread, whatever serializer, answers and changes it sees."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import StoreError
from nbhitl.types import Command

from .kept import CONFIG, asking
from .kept_outcomes import outcome, same_ids


class Hiding:
    """A user's own serializer, which lets no secret into the store."""

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return Serde().dumps_typed(self.hidden(value))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return Serde().loads_typed(data)

    def hidden(self, value: Any) -> Any:
        if isinstance(value, list):
            return [*map(self.hidden, value)]
        return value.replace("secret", "***") if isinstance(value, str) else value


def test_what_a_serializer_of_one_s_own_leaves_out_is_left_out(used):
    graph = asking(InMemorySaver(serde=Hiding()), "a", "b")
    graph.invoke({"n": 1}, CONFIG)
    graph.invoke(Command(resume="the secret"), CONFIG)
    assert graph.invoke(Command(resume="x"), CONFIG)["said"] == "['the ***', 'x']"
    assert used == [False, False]


def test_with_another_serializer_the_thread_is_read_again(saver, used):
    graph = asking(saver, "a")
    graph.invoke({"n": 1}, CONFIG)
    saver.serde = Hiding()
    with pytest.raises(StoreError, match="cannot be read"):
        graph.invoke(Command(resume="x"), CONFIG)
    assert used == [False]


def test_async_answers_find_it_too(tmp_path, used):
    async def ask_and_answer() -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            graph = asking(saver, "a", "b")
            await graph.ainvoke({"n": 1}, CONFIG)
            await graph.ainvoke(Command(resume="x"), CONFIG)
            return await graph.ainvoke(Command(resume="y"), CONFIG)

    assert asyncio.run(ask_and_answer()) == {"n": 3, "said": "['x', 'y']"}
    assert used == [True, True]


ANSWERS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2)
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=5),
    by_id=st.booleans(),
    durability=st.sampled_from(["sync", "async"]),
)
def test_kept_or_read_the_thread_has_the_same_history(answers, by_id, durability):
    def run(*, keeps: bool) -> Any:
        saver = InMemorySaver()
        graph = asking(saver, *(f"question {i}" for i in range(len(answers))))
        shown = [graph.invoke({"n": 1}, CONFIG, durability=durability)]
        for answer in answers:
            if not keeps:
                saver._paused.clear()
            resume = {saver.pending()[0].interrupt_id: answer} if by_id else answer
            shown.append(graph.invoke(Command(resume=resume), CONFIG, durability=durability))
        for part in shown:
            part["__interrupt__"] = [question.value for question in part.get("__interrupt__", ())]
        history = [
            (state.values, state.next, state.metadata, [question.value for question in state.interrupts])
            for state in graph.get_state_history(CONFIG)
        ]
        claims = [(claim.state, claim.answer) for claim in saver.claims("t")]
        return shown, history, claims

    assert run(keeps=True) == run(keeps=False)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("sqlite", [False, True], ids=["memory", "sqlite"])
@pytest.mark.parametrize(
    "seeds", [range(8), pytest.param(range(1000, 1500), marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_whatever_is_done_to_a_thread_it_is_as_if_nothing_was_kept(monkeypatch, seeds, sqlite, asynchronous):
    used = 0
    with closing(asyncio.new_event_loop()) as loop:

        def told(seed: int, *, keeps: bool) -> Any:
            nonlocal used
            with same_ids(monkeypatch):
                driver = loop if asynchronous else None
                found, count = outcome(seed, keeps=keeps, sqlite=sqlite, driver=driver)
            used += count
            return found

        for seed in seeds:
            expected, found = told(seed, keeps=False), told(seed, keeps=True)
            # What a failure stops beside it is up to the event loop or the threads: then one of several things is right.
            others = () if found == expected else range(30)
            assert found == expected or found in (told(seed, keeps=False) for _ in others), f"program {seed}"
    assert used > len(seeds) / 4
