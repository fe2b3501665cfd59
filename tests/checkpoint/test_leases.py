"""The leases of answers are kept alive while their nodes run, whatever becomes of other runs and of the store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbhitl.checkpoint import leases
from nbhitl.checkpoint.claims import is_in_doubt
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import StoreError

from .building import Run


class Failing(InMemorySaver):
    """A saver that cannot be asked for as long as it `fails`."""

    fails = False

    def claims(self, thread_id):
        if self.fails:
            raise StoreError("database is locked")
        return super().claims(thread_id)


@pytest.fixture
def saver():
    return Failing()


def taken(saver, thread):
    """Take an answer up on a new thread, with a lease that is over; return what keeps it alive, and the thread."""
    run = Run(saver, thread)
    run.step()
    run.pause("q")
    request = run.request({"q": "yes"}, at="2020-01-01T00:00:00.000000+00:00")
    saver.claim(request)
    return leases.hold(saver, request), thread


def in_doubt(saver, thread):
    (claim,) = saver.claims(thread)
    assert claim.state == "delivered"
    return is_in_doubt(claim, datetime.now(UTC).isoformat())


def test_a_lease_is_kept_alive_until_it_is_let_go(saver):
    (first, one), (second, other) = taken(saver, "one"), taken(saver, "other")
    leases.let_go(first)
    leases.renew_all()
    assert (in_doubt(saver, one), in_doubt(saver, other)) == (True, False)
    leases.end(second)
    leases.renew_all()
    assert in_doubt(saver, other)


def test_a_run_that_ends_twice_ends_no_lease_of_the_next_one(saver):
    for number in range(20):
        key, _ = taken(saver, f"before-{number}")
        leases.let_go(key)
        held, thread = taken(saver, f"next-{number}")
        leases.let_go(key)
        leases.end(key)
        leases.renew_all()
        assert not in_doubt(saver, thread)
        leases.let_go(held)


def test_a_store_that_fails_for_a_moment_is_asked_again(saver):
    key, thread = taken(saver, "t")
    saver.fails = True
    leases.renew_all()
    saver.fails = False
    assert in_doubt(saver, thread)
    leases.renew_all()
    assert not in_doubt(saver, thread)
    leases.let_go(key)


class Stopped(Exception):
    """Somebody has stopped waiting."""


def test_leases_are_renewed_three_times_before_they_are_over(saver, monkeypatch):
    slept = []

    def sleep(seconds):
        if slept:
            raise Stopped
        slept.append(seconds)

    monkeypatch.setattr(leases, "sleep", sleep)
    key, thread = taken(saver, "t")
    with pytest.raises(Stopped):
        leases._keep_renewing()
    leases.let_go(key)
    assert not in_doubt(saver, thread)
    assert slept == [leases.LEASE / 3]
