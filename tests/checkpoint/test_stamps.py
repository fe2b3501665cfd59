"""Ids and times of checkpoints."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nbhitl.checkpoint.stamps import new_stamp, spelled, utc_now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4_000_000_000_000_000_000)
"""Nanoseconds since 1970, up to the year 2096."""


def text_of(moment: int) -> str:
    return (EPOCH + timedelta(microseconds=moment // 1000)).isoformat(timespec="microseconds")


@given(st.lists(moments, min_size=1, max_size=5))
def test_a_moment_is_spelled_as_datetime_spells_it(asked):
    assert [spelled(moment) for moment in asked] == [text_of(moment) for moment in asked]


def test_what_is_text_already_stays_so():
    assert spelled("2026-11-20T12:00:00.000000+00:00") == "2026-11-20T12:00:00.000000+00:00"


def test_threads_that_spell_different_seconds_do_not_mix_them_up():
    asked = [number * 1_000_000_000 + 999_999_000 for number in range(1, 9)] * 200
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(spelled, asked)] == [text_of(moment) for moment in asked]


def test_a_stamp_is_an_id_that_grows_and_the_time_now():
    before = utc_now()
    (first, began), (second, _) = new_stamp(), new_stamp()
    assert first < second
    assert before <= spelled(began) <= utc_now()
