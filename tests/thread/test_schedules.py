"""Random people: several sessions, clicks and calls at random times. Each question has one effect, and it is the
one that some card says was decided."""

from __future__ import annotations

import random
import threading
import time

import pytest

from nbhitl.errors import ReviewError
from nbhitl.thread import GraphThread

from .conftest import State


def graph_of(lib, effects, rng):
    def node(name):
        def ask(state):
            answer = lib.interrupt({"question": name, "options": ["go", "stop"]})
            time.sleep(rng.random() * 0.001)
            effects.append((name, answer))
            return {"log": [name]}

        return ask

    builder = lib.StateGraph(State)
    for name in ("a", "b"):
        builder.add_node(name, node(name)).add_edge(lib.START, name)
    builder.add_node("c", node("c")).add_edge(["a", "b"], "c")
    return builder.compile(checkpointer=lib.InMemorySaver())


def person(thread, rng):
    for _ in range(6):
        try:
            for card in thread.questions:
                card.option(rng.choice(["go", "stop"]), wait=rng.random() < 0.7)
            if rng.random() < 0.5:
                thread.refresh()
        except ReviewError:
            continue  # somebody else was first; that is what this is about
        finally:
            time.sleep(rng.random() * 0.003)


def settle(threads):
    for thread in threads:
        for card in thread.session.cards:
            assert card.state != "sending" or card.wait_settled(30)


def run_schedule(lib, seed):
    rng = random.Random(seed)
    effects: list[tuple[str, str]] = []
    graph = graph_of(lib, effects, rng)
    threads = [GraphThread(graph, "t", by=f"person {number}") for number in range(3)]
    threads[0].run({"log": []})
    people = [
        threading.Thread(target=person, args=(thread, random.Random(seed * 10 + number)))
        for number, thread in enumerate(threads * 2)
    ]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    settle(threads)
    last = GraphThread(graph, "t")
    while last.questions:
        last.questions[0].option("go")
    assert sorted(name for name, _ in effects) == ["a", "b", "c"], (seed, effects)
    for card in (card for thread in (*threads, last) for card in thread.session.cards):
        assert card.state in ("decided", "stale"), (seed, card)
        if card.state == "decided":
            assert (card.question.text, card.decision.value) in effects, (seed, card, effects)


@pytest.mark.parametrize("seed", range(10))
def test_each_question_has_one_effect(lib, seed):
    run_schedule(lib, seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_question_has_one_effect_in_many_schedules(lib):
    for seed in range(100, 600):
        run_schedule(lib, seed)
