"""A state that is kept decoded: what fails while it is moved on is told, but for what only keeping needs."""

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import StoreError

from .building import Run

BIG = "x" * 2000


@pytest.fixture
def run():
    """A thread whose newest state is kept as it was a step ago."""
    run = Run(InMemorySaver())
    run.step({"big": BIG, "n": 1})
    run.saver.load(run.key())
    run.step({"n": 2})
    return run


@pytest.mark.parametrize("error", [RuntimeError, StoreError])
def test_a_store_that_fails_once_is_not_asked_again(run, monkeypatch, error):
    asked = []

    def fails(*place):
        asked.append(place)
        raise error("the store cannot be read")

    monkeypatch.setattr(run.saver._rows, "steps_from", fails)
    with pytest.raises(error, match="cannot be read"):
        run.saver._recalled(run.saver._rows.step("t", "", None), share=False)
    assert len(asked) == 1


class ReadsOnly(Serde):
    writes = True

    def dumps(self, value):
        if not self.writes:
            raise RuntimeError("this serializer writes no more")
        return super().dumps(value)


@pytest.mark.parametrize("is_kept", [False, True])
def test_what_can_be_read_but_not_written_again_is_read(is_kept):
    serde = ReadsOnly()
    run = Run(InMemorySaver(serde=serde))
    run.step({"big": BIG, "known": {"a": {1, 2}}, "n": 1})
    row = run.saver._rows.step("t", "", None)
    if is_kept:
        run.saver._recalled(row, share=False)
        run.step({"n": 2, "more": {"b": {3}}})
        row = run.saver._rows.step("t", "", None)
    serde.writes = False
    for _ in range(2):
        read = run.saver._recalled(row, share=False).values
        assert read == {"big": BIG, "known": {"a": {1, 2}}, "n": 1 + is_kept} | (
            {"more": {"b": {3}}} if is_kept else {}
        )
