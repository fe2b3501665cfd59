"""What a session holds of the claims that it keeps beside a saver of LangGraph's."""

from __future__ import annotations

from langgraph.checkpoint.memory import InMemorySaver

from nbhitl.checkpoint import leases
from nbhitl.checkpoint.companion import companion_of
from nbhitl.review.beside import Beside
from nbhitl.review.drive import CallSaver

from .fake_session import fake_session


def performed(flow, companion):
    """Run a flow whose steps are calls of the saver's companion."""
    answer = None
    try:
        while True:
            wanted = flow.send(answer)
            assert isinstance(wanted, CallSaver)
            answer = getattr(companion, wanted.method)(*wanted.args, **wanted.how)
    except StopIteration as done:
        return done.value


def test_a_session_holds_no_lease_of_what_it_has_given_back():
    saver = InMemorySaver()
    companion, beside = companion_of(saver), Beside(saver, "t")
    (card,) = fake_session("go?").cards
    before = set(leases._held)
    for _ in range(2):  # the question is open again: it can be answered anew
        performed(beside.take(card.question, "yes", "cp", "ann", "2026-11-20T12:00:00+00:00"), companion)
        assert [claim.state for claim in companion.claims("t")] == ["delivered"]
        assert (len(beside._held), len(set(leases._held) - before)) == (1, 1)
        performed(beside.give_back(), companion)
        assert [claim.state for claim in companion.claims("t")] == ["open"]
        assert (beside._held, set(leases._held) - before) == ([], set())
