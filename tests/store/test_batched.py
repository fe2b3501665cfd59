"""Stores for one event loop, embeddings in one form, and ids and checkpoints that savers make."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from nbhitl.channels import LastValue, Topic
from nbhitl.checkpoint.base import create_checkpoint, empty_checkpoint
from nbhitl.checkpoint.base.id import uuid6
from nbhitl.store.base import GetOp, Op, PutOp, Result, SearchOp, ensure_embeddings
from nbhitl.store.base.batch import AsyncBatchedBaseStore
from nbhitl.store.memory import InMemoryStore
from nbhitl.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = ("here",)


class Counting(AsyncBatchedBaseStore):
    """Hands everything to a store in memory, and notes what it hands on at once."""

    def __init__(self, fails: BaseException | None = None) -> None:
        super().__init__()
        self.inner, self.batches, self.fails = InMemoryStore(), [], fails

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        ops = list(ops)
        self.batches.append([type(op) for op in ops])
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        return await self.inner.abatch(ops)


async def test_what_is_awaited_at_once_is_one_batch() -> None:
    store = Counting()
    found = await asyncio.gather(
        store.aput(HERE, "k", {"x": 1}), store.aget(HERE, "k"), store.aget(HERE, "k"), store.asearch(HERE)
    )
    assert found == [None, None, None, []]
    assert store.batches == [[PutOp, GetOp, SearchOp]]
    again = await store.aget(HERE, "k")
    assert again is not None
    assert again.value == {"x": 1}
    assert await store.alist_namespaces() == [HERE]
    await store.adelete(HERE, "k")
    assert await store.aget(HERE, "k") is None


async def test_of_several_writes_the_last_one_counts_and_batches_keep_their_order() -> None:
    store = Counting()
    first = asyncio.gather(*(store.aput(HERE, "k", {"x": x}) for x in (1, 2, 1)))
    await asyncio.sleep(0)
    later = asyncio.create_task(store.aput(HERE, "k", {"x": 5}))
    await first
    assert store.batches[0] == [PutOp]
    await later
    found = await store.aget(HERE, "k")
    assert found is not None
    assert found.value == {"x": 5}


async def test_sync_methods_are_for_other_threads() -> None:
    store = Counting()
    await store.aput(HERE, "k", {"x": 1})
    with pytest.raises(asyncio.InvalidStateError, match=r"await store\.aget"):
        store.get(HERE, "k")
    found = await asyncio.to_thread(store.get, HERE, "k")
    assert found is not None
    assert found.value == {"x": 1}
    await asyncio.to_thread(store.put, HERE, "other", {"x": 2})
    assert len(await store.asearch(HERE)) == 2


async def test_all_who_wait_hear_of_a_failure_and_the_store_goes_on() -> None:
    store = Counting(ValueError("no connection"))
    outcomes = await asyncio.gather(store.aget(HERE, "a"), store.aget(HERE, "b"), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no connection"] * 2
    store.fails = None
    assert await store.aget(HERE, "a") is None


async def test_who_stops_waiting_does_not_disturb_the_others() -> None:
    store = Counting()
    given_up, other = (asyncio.create_task(store.aput(HERE, key, {})) for key in "ab")
    await asyncio.sleep(0)
    given_up.cancel()
    await other
    assert [item.key for item in await store.asearch(HERE)] == ["b"]


def test_such_a_store_is_made_in_an_event_loop() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Counting()


def lengths(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


async def alengths(texts: list[str]) -> list[list[float]]:
    return lengths(texts)


async def test_embeddings_have_one_form() -> None:
    for embed in (lengths, alengths):
        made = ensure_embeddings(embed)
        assert await made.aembed_query("abc") == [3.0, 1.0]
        assert await made.aembed_documents(["a", "bc"]) == [[1.0, 1.0], [2.0, 1.0]]
    assert ensure_embeddings(lengths).embed_query("abc") == [3.0, 1.0]
    with pytest.raises(ValueError, match="await aembed_documents"):
        ensure_embeddings(alengths).embed_query("abc")
    assert ensure_embeddings(made) is made
    for wrong, error in ((None, ValueError), (3, TypeError)):
        with pytest.raises(error, match="embed"):
            ensure_embeddings(wrong)


def test_a_store_tells_its_embeddings() -> None:
    index: Any = {"dims": 2, "embed": lengths}
    assert InMemoryStore().embeddings is None
    assert InMemoryStore(index=index).embeddings.embed_query("abc") == [3.0, 1.0]
    with SqliteStore.from_conn_string(":memory:", index=index) as store:
        assert store.embeddings.embed_query("abc") == [3.0, 1.0]


def test_ids_grow_and_take_their_parts() -> None:
    ids = [uuid6() for _ in range(100)]
    assert ids == sorted(ids)
    assert [str(made) for made in ids] == sorted({str(made) for made in ids})
    made = uuid6(node=5, clock_seq=-2)
    assert (made.version, made.node, made.clock_seq) == (6, 5, 0x3FFE)


def test_a_checkpoint_after_another_holds_what_its_channels_hold() -> None:
    before = empty_checkpoint()
    before["channel_values"] = {"old": 1}
    before["channel_versions"] = {"a": 1, "topic": 1, "unset": 1}
    channels: Any = {
        "a": LastValue(int, "a"),
        "unset": LastValue(int, "unset"),
        "topic": Topic(str),
        "new": LastValue(int),
    }
    for name in ("a", "new"):
        channels[name].update([3])
    channels["topic"].update(["t"])
    after = create_checkpoint(before, channels, 1)
    assert after["channel_values"] == {"a": 3, "topic": ["t"]}
    assert after["id"] > before["id"]
    assert create_checkpoint(before, None, 1, id="mine")["channel_values"] == {"old": 1}
    assert create_checkpoint(before, None, 1, id="mine")["id"] == "mine"
    assert before["channel_values"] == {"old": 1}
