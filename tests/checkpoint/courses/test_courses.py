"""Random courses of threads: every kind of saver tells what the one in memory tells, after every act.

After each act all threads are read again: by the connection or process that has acted, or by the other one.
"""

from __future__ import annotations

import random
from contextlib import ExitStack, closing

import pytest

from .acts import course, done, told
from .kinds import POSTGRES, SQLITE, in_memory
from .processes import started

EVERYDAY, OFTEN, LONG = 2, 150, 16
ALL = {**SQLITE, **POSTGRES}
PAIRS = [
    ("sqlite", "sqlite"),
    ("sqlite", "async sqlite"),
    ("aiosqlite", "sqlite"),
    ("postgres", "async postgres"),
]


def address_of(kind, number, request):
    if kind in POSTGRES:
        return request.getfixturevalue("postgres_server").fresh()
    return str(request.getfixturevalue("tmp_path") / f"{number}.db")


def compare(kind, number, length, request):
    seed = f"{kind} {number}"
    (shape, acts), turns = course(seed, length), random.Random(seed)
    with ExitStack() as stack:
        memory = stack.enter_context(closing(in_memory(shape)))
        other = stack.enter_context(closing(ALL[kind](shape, address_of(kind, number, request))))
        for count, act in enumerate(acts, 1):
            if turns.random() < 0.5:
                other.take_turns()
            assert done(other, act) == done(memory, act), (shape, acts[:count])
            if turns.random() < 0.5:
                other.take_turns()
            assert told(other) == told(memory), (shape, acts[:count])


@pytest.mark.parametrize("kind", ALL)
def test_a_saver_tells_what_one_in_memory_tells(kind, request):
    for number in range(EVERYDAY):
        compare(kind, number, 10, request)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ALL)
def test_a_saver_tells_what_one_in_memory_tells_after_many_courses(kind, request):
    for number in range(OFTEN):
        compare(kind, number, LONG, request)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
def test_of_two_processes_each_sees_at_once_what_the_other_does(kinds, request):
    for number in range(20):
        seed = f"{kinds} {number}"
        (shape, acts), turns = course(seed, LONG), random.Random(seed)
        acts = [act for act in acts if act[0] != "reopen"]
        memory = in_memory(shape)
        with started(kinds, shape, address_of(kinds[0], number, request)) as both:
            for count, act in enumerate(acts, 1):
                assert both.done(turns.randrange(2), act) == done(memory, act), (shape, acts[:count])
                expected = told(memory)
                assert [both.told(0), both.told(1)] == [expected, expected], (shape, acts[:count])


def test_it_would_notice(tmp_path):
    """Courses do something, and a store that loses something tells another story."""
    shape, acts = course("noticed", 12)
    with (
        closing(in_memory(shape)) as memory,
        closing(SQLITE["sqlite"](shape, str(tmp_path / "a.db"))) as other,
    ):
        for act in acts:
            done(memory, act), done(other, act)
        assert told(memory) == told(other)
        assert len({str(each) for each in told(memory)}) > 6
        other.saver.delete_thread("t")
        assert told(memory) != told(other)
