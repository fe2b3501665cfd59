"""Savers whose steps wait, and what is on disk of them."""

from __future__ import annotations

from typing import TypedDict

from nbhitl.checkpoint.sqlite import SqliteSaver

from ..building import Run


class Hurried(Run):
    """A run whose steps need not be on disk before the next one."""

    def record(self, *args, **how):
        record = super().record(*args, **how)
        record.hurries = True
        return record


class Number(TypedDict):
    n: int


def stored(path, thread="t"):
    """The states of a thread that the file holds."""
    with SqliteSaver.from_conn_string(path) as other:
        return [found.values.get("n") for found in other.history(thread, "")][::-1]


def put(saver, count=3, thread="t"):
    run = Hurried(saver, thread)
    for n in range(count):
        run.step({"n": n})
    return run
