"""Stores with an index of vectors."""

from __future__ import annotations

import threading
import time

import pytest
from database_stores import INDEX, KINDS, OURS, embed

from nbhitl.store.sqlite import AsyncSqliteStore


def ranked(items):
    return [(item.key, None if item.score is None else round(item.score, 4)) for item in items]


@pytest.mark.parametrize("kind", KINDS)
def test_searches_by_meaning(kind, make):
    store = make(OURS, kind, index=INDEX)
    store.put(("d",), "1", {"text": "aaaa"})
    store.put(("d",), "2", {"text": "abab", "meta": {"t": "bbbb"}})
    store.put(("d",), "3", {"other": 1})
    store.put(("d",), "4", {"text": "bbb"}, index=False)
    store.put(("d", "e"), "5", {"text": "ccc", "z": "bbbbb"}, index=["z"])
    store.put(("elsewhere",), "6", {"text": "bbbb"})
    assert ranked(store.search(("d",), query="b")) == [("2", 0.9972), ("5", 0.9968), ("1", 0.0025)]
    assert ranked(store.search(("d",), query="b", limit=1, offset=1)) == [("5", 0.9968)]
    assert ranked(store.search(("d",), query="b", filter={"text": "abab"})) == [("2", 0.9972)]
    assert len(store.search(("d",))) == 5
    store.put(("d",), "2", {"text": "cccc"})
    store.delete(("d", "e"), "5")
    assert ranked(store.search(("d",), query="b")) == [("2", 0.0025), ("1", 0.0025)]
    store.put(("d",), "7", {"text": "bb"}, ttl=0.00001)
    time.sleep(0.01)
    assert store.sweep_ttl() == 1
    assert store._rows.all("SELECT count(*) FROM nbhitl_vectors")[0][0] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_that_does_not_fit_is_refused(kind, make):
    store = make(OURS, kind, index={"dims": 3, "embed": embed})
    with pytest.raises(ValueError, match=r"embed made a vector of 9 numbers .* index={'dims': 3} was given"):
        store.put(("d",), "1", {"text": "aaaa"})
    with pytest.raises(ValueError, match="distance_type is 'l2'"):
        make(OURS, kind, index={"dims": 9, "embed": embed, "distance_type": "l2"})


async def test_an_async_embed():
    async def aembed(texts):
        return embed(texts)

    async with AsyncSqliteStore.from_conn_string(":memory:", index={"dims": 9, "embed": aembed}) as store:
        await store.aput(("d",), "a", {"text": "aaaa"})
        await store.aput(("d",), "b", {"text": "bbbb"})
        assert [item.key for item in await store.asearch(("d",), query="b")] == ["b", "a"]


async def test_a_sync_embed_leaves_the_event_loop_to_others():
    threads = []

    def slowly(texts):
        threads.append(threading.current_thread())
        return embed(texts)

    async with AsyncSqliteStore.from_conn_string(":memory:", index={"dims": 9, "embed": slowly}) as store:
        await store.aput(("d",), "a", {"text": "aaaa"})
        assert await store.asearch(("d",), query="a")
    assert len(threads) == 2
    assert threading.current_thread() not in threads
