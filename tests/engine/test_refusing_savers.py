"""Savers of others that refuse an answer of one task: what was written for other tasks is taken back, and only that."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import ClaimRequest
from nbhitl.constants import RESUME
from nbhitl.engine.foreign import ForeignSaver
from nbhitl.errors import AlreadyAnswered, StoreError

from .building import NOON, chain


class OfOthers:
    """Notes what is written for each task; the first answer for task `second` raises `error`."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.written: list[tuple[str, list[str]]] = []

    def put_writes(self, config, writes, task_id, task_path=""):
        ((channel, rows),) = writes
        assert channel == RESUME
        if task_id == "second" and self.error is not None:
            error, self.error = self.error, None
            raise error
        self.written.append((task_id, [row[2] for row in rows]))

    async def aput_writes(self, config, writes, task_id, task_path=""):
        self.put_writes(config, writes, task_id, task_path)


def request() -> ClaimRequest:
    """Both tasks are answered for the second time."""
    resumes = {
        "first": [["q0", "", "before"], ["q1", "", "yes"]],
        "second": [["q2", "", "earlier"], ["q3", "", "no"]],
    }
    return ClaimRequest("t", "", "cp", {"q1": "yes", "q3": "no"}, resumes, "ann", NOON, "kernel", 30.0)


ERRORS = pytest.mark.parametrize(
    ("error", "taken_back"),
    [
        (AlreadyAnswered("somebody else was faster"), [("first", ["before"])]),
        (StoreError("the disk is full"), [("first", ["before"]), ("second", ["earlier"])]),
    ],
    ids=["somebody else's answer stays", "what may have been written goes"],
)


@ERRORS
def test_answers_of_which_one_is_refused(error, taken_back):
    saver = OfOthers(error)
    with pytest.raises(type(error)):
        ForeignSaver(saver, chain("a")).claim(request())
    assert saver.written == [("first", ["before", "yes"]), *taken_back]


@ERRORS
async def test_answers_of_which_one_is_refused_in_asyncio(error, taken_back):
    saver = OfOthers(error)
    with pytest.raises(type(error)):
        await ForeignSaver(saver, chain("a")).aclaim(request())
    assert saver.written == [("first", ["before", "yes"]), *taken_back]


async def test_a_release_takes_back_the_answers_of_all_its_tasks():
    saver = OfOthers(StoreError("never"))
    saver.error = None
    own = ForeignSaver(saver, chain("a"))
    own.claim(request())
    saver.written.clear()
    await own.arelease("t", "", "cp", ["q1", "q3"])
    assert saver.written == [("first", ["before"]), ("second", ["earlier"])]


def test_memory_is_no_saver_of_others():
    """The savers above stand for those that keep no claims of their own."""
    assert not ForeignSaver(OfOthers(StoreError("")), chain("a")).claims_beside.are_its_own
    assert ForeignSaver(InMemorySaver(), chain("a")).claims_beside.are_its_own
