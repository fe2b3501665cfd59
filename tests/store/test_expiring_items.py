"""Items of a store that are there for a while."""

from __future__ import annotations

import threading
import time

import pytest
from database_stores import INDEX, KINDS, OURS, keys

from nbhitl.store import _items
from nbhitl.store._sweeper import Sweeper


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", [False, True])
def test_items_expire(kind, hidden, make):
    store = make(OURS, kind, ttl={"default_ttl": 10, "refresh_on_read": True, "omit_expired": hidden})
    assert store.supports_ttl
    store.put(("t",), "long", {})
    store.put(("t",), "forever", {}, ttl=None)
    store.put(("t",), "short", {}, ttl=0.0001)
    store.put(("gone",), "short", {}, ttl=0.0001)
    time.sleep(0.02)
    there = ["forever", "long"] if hidden else ["forever", "long", "short"]
    assert keys(store.search(("t",), refresh_ttl=False)) == there
    assert (store.get(("t",), "short", refresh_ttl=False) is None) is hidden
    assert store.list_namespaces() == ([("t",)] if hidden else [("gone",), ("t",)])
    assert store.sweep_ttl() == 2
    assert store.sweep_ttl() == 0
    assert keys(store.search(())) == ["forever", "long"]


def test_reading_an_item_gives_it_time(store, monkeypatch):
    now = time.time()
    monkeypatch.setattr(_items.time, "time", lambda: now)
    for key in ("read", "searched", "left"):
        store.put(("r", key), key, {}, ttl=1)
    now += 40
    assert store.get(("r", "read"), "read") is not None
    assert store.search(("r", "searched"))
    assert store.get(("r", "left"), "left", refresh_ttl=False) is not None
    now += 40
    assert store.sweep_ttl() == 1
    assert keys(store.search(("r",))) == ["read", "searched"]


def test_the_sweeper_sweeps_until_it_is_stopped(store):
    assert store.stop_ttl_sweeper() is True
    store.put(("t",), "k", {}, ttl=0.0001)
    running = store._sweeper.start(0.01)
    assert store.start_ttl_sweeper(1) is running
    until = time.monotonic() + 5
    while store.search((), refresh_ttl=False) and time.monotonic() < until:
        time.sleep(0.01)
    assert store.search((), refresh_ttl=False) == []
    assert store.stop_ttl_sweeper(5) is True
    assert running.result(1) is None


def test_a_sweeper_that_was_told_to_stop_can_be_started_again_at_once():
    sweeping, go_on, swept = threading.Event(), threading.Event(), []

    def sweep():
        swept.append(threading.current_thread())
        sweeping.set()
        assert go_on.wait(5)

    sweeper = Sweeper(sweep)
    first = sweeper.start(0.001)
    assert sweeping.wait(5)
    assert sweeper.stop(0) is False
    second = sweeper.start(0.001)
    go_on.set()
    assert first.result(5) is None
    sweeping.clear()
    assert sweeping.wait(5)
    assert sweeper.stop(5) is True
    assert second.result(1) is None
    assert len(set(swept)) == 2


def test_an_item_that_is_read_while_others_are_swept_keeps_its_vectors(make):
    store = make(OURS, "sqlite", index=INDEX)
    for key, ttl in (("gone", 0.0001), ("kept", 10)):
        store.put(("d",), key, {"text": "aaaa"}, ttl=ttl)
    time.sleep(0.02)
    assert store.sweep_ttl() == 1
    assert keys(store.search(("d",), query="a")) == ["kept"]
    assert store.conn.execute("SELECT key FROM nbhitl_vectors").fetchall() == [("kept",)]
