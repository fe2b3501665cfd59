"""The async twins of a saver of steps: each runs its sync method where the saver says."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from nbhitl.checkpoint._classic import ClassicSaver
from nbhitl.checkpoint._keeping import KeepingSaver
from nbhitl.checkpoint._once import OnceSaver
from nbhitl.checkpoint._review import ReviewSaver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from nbhitl.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
    from nbhitl.checkpoint.records import (
        Answering,
        CheckpointKey,
        Claim,
        ClaimRequest,
        KeptAgain,
        OnceEntry,
        PauseRecord,
        PendingQuestion,
        StepRecord,
        StoredCheckpoint,
        TaskWrites,
        ThreadInfo,
    )
    from nbhitl.checkpoint.steps import StepSaver
    from nbhitl.config import RunnableConfig

P = ParamSpec("P")
T = TypeVar("T")
_BATCH = 64


class AsyncTwins(ReviewSaver, OnceSaver, KeepingSaver, ClassicSaver):
    """`aload`, `aput_step`, `aget_tuple`, ...: see the methods without the `a`."""

    @property
    def immediate(self) -> bool:
        """Whether the async methods work at once, in the caller's thread: then the sync ones do as well."""
        return type(self)._run is AsyncTwins._run

    async def _run(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a sync method; here at once, because it does not wait for anything."""
        return method(*args, **kwargs)

    async def _stream(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Yield from a sync iterator, fetched by batches that begin small."""
        size = 1
        while True:
            batch = await self._run(_take, items, size)
            for item in batch:
                yield item
            if len(batch) < size:
                return
            size = min(size * 4, _BATCH)

    @property
    def _sync(self) -> StepSaver:
        return cast("StepSaver", self)

    async def aload(self, key: CheckpointKey, share: bool = False) -> StoredCheckpoint | None:
        """`load`, in asyncio."""
        return await self._run(self._sync.load, key, share)

    async def aload_before(self, key: CheckpointKey) -> StoredCheckpoint | None:
        """`load_before`, in asyncio."""
        return await self._run(self._sync.load_before, key)

    async def aput_step(self, record: StepRecord) -> None:
        """`put_step`, in asyncio."""
        return await self._run(self._sync.put_step, record)

    async def aput_pending(self, key: CheckpointKey, tasks: Sequence[TaskWrites]) -> None:
        """`put_pending`, in asyncio."""
        return await self._run(self._sync.put_pending, key, tasks)

    async def aput_pause(self, record: PauseRecord) -> None:
        """`put_pause`, in asyncio."""
        return await self._run(self._sync.put_pause, record)

    async def aanswer_pause(self, answering: Answering) -> KeptAgain | None:
        """`answer_pause`, in asyncio; without a switch of threads if there is nothing."""
        is_kept = (answering.thread_id, answering.ns) in self._paused
        if not is_kept or getattr(self.aclaim, "__func__", None) is not AsyncTwins.aclaim:
            return None
        return await self._run(self._sync.answer_pause, answering)

    async def aclaim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """`claim`, in asyncio."""
        return await self._run(self._sync.claim, request)

    async def arelease(
        self, thread_id: str, ns: str, checkpoint_id: str, interrupt_ids: Iterable[str]
    ) -> tuple[Claim, ...]:
        """`release`, in asyncio."""
        return await self._run(self._sync.release, thread_id, ns, checkpoint_id, tuple(interrupt_ids))

    async def arecord_answer(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_id: str,
        answer: Any,
        by: str | None,
        at: str,
    ) -> Claim:
        """`record_answer`, in asyncio."""
        return await self._run(
            self._sync.record_answer, thread_id, ns, checkpoint_id, interrupt_id, answer, by, at
        )

    async def arenew(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Iterable[str],
        *,
        owner: str,
        at: str,
        lease: float,
    ) -> tuple[Claim, ...]:
        """`renew`, in asyncio."""
        return await self._run(
            self._sync.renew,
            thread_id,
            ns,
            checkpoint_id,
            tuple(interrupt_ids),
            owner=owner,
            at=at,
            lease=lease,
        )

    async def adrop(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Iterable[str],
        only_open: bool = False,
    ) -> tuple[Claim, ...]:
        """`drop`, in asyncio."""
        return await self._run(self._sync.drop, thread_id, ns, checkpoint_id, tuple(interrupt_ids), only_open)

    async def aclaims(self, thread_id: str) -> list[Claim]:
        """`claims`, in asyncio."""
        return await self._run(self._sync.claims, thread_id)

    async def aquestions(self, thread_id: str) -> list[tuple[PendingQuestion, Claim]]:
        """`questions`, in asyncio."""
        return await self._run(self._sync.questions, thread_id)

    async def abegin_once(self, thread_id: str, key: str, owner: str, at: str) -> OnceEntry | None:
        """`begin_once`, in asyncio."""
        return await self._run(self._sync.begin_once, thread_id, key, owner, at)

    async def aend_once(self, thread_id: str, key: str, owner: str, result: Any, at: str) -> bool:
        """`end_once`, in asyncio."""
        return await self._run(self._sync.end_once, thread_id, key, owner, result, at)

    async def acancel_once(self, thread_id: str, key: str, owner: str) -> bool:
        """`cancel_once`, in asyncio."""
        return await self._run(self._sync.cancel_once, thread_id, key, owner)

    async def asettle_once(self, thread_id: str, key: str, result: Any, at: str | None = None) -> None:
        """`settle_once`, in asyncio."""
        return await self._run(self._sync.settle_once, thread_id, key, result, at)

    async def aforget_once(self, thread_id: str, key: str) -> None:
        """`forget_once`, in asyncio."""
        return await self._run(self._sync.forget_once, thread_id, key)

    async def aonce_entries(self, thread_id: str) -> list[OnceEntry]:
        """`once_entries`, in asyncio."""
        return await self._run(self._sync.once_entries, thread_id)

    async def apending(self, **filters: Any) -> list[PendingQuestion]:
        """`pending`, in asyncio."""
        return await self._run(self._sync.pending, **filters)

    async def athreads(self, *, prefix: str | None = None, limit: int | None = None) -> list[ThreadInfo]:
        """`threads`, in asyncio."""
        return await self._run(self._sync.threads, prefix=prefix, limit=limit)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple`, in asyncio."""
        return await self._run(self._sync.get_tuple, config)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`put`, in asyncio."""
        return await self._run(self._sync.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """`put_writes`, in asyncio."""
        return await self._run(self._sync.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread`, in asyncio."""
        return await self._run(self._sync.delete_thread, thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """`delete_for_runs`, in asyncio."""
        return await self._run(self._sync.delete_for_runs, run_ids)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """`copy_thread`, in asyncio."""
        return await self._run(self._sync.copy_thread, source_thread_id, target_thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """`prune`, in asyncio."""
        return await self._run(self._sync.prune, thread_ids, strategy=strategy)

    async def aprune_older(
        self,
        than: timedelta | datetime | str,
        *,
        thread_ids: Sequence[str] | None = None,
        strategy: str = "keep_latest",
    ) -> int:
        """`prune_older`, in asyncio."""
        return await self._run(self._sync.prune_older, than, thread_ids=thread_ids, strategy=strategy)

    async def ahistory(
        self,
        thread_id: str,
        ns: str,
        *,
        filter: dict[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StoredCheckpoint]:
        """`history`, in asyncio."""
        found = self._sync.history(thread_id, ns, filter=filter, before=before, limit=limit)
        async for checkpoint in self._stream(found):
            yield checkpoint

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list`, in asyncio."""
        async for found in self._stream(self._sync.list(config, filter=filter, before=before, limit=limit)):
            yield found


def _take(items: Iterator[T], count: int) -> list[T]:
    return list(islice(items, count))
