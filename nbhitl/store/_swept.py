"""Item stores that are set up and swept of expired items: by calls that wait, or from an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.store._items import ItemStore, Rows
from nbhitl.store._sweeper import AsyncSweeper, Sweeper, interval_of

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from nbhitl.store.base import TTLConfig


class SweptStore(ItemStore):
    """An item store whose methods wait."""

    def __init__(
        self, rows: Rows, *, index: Any = None, ttl: TTLConfig | None = None, deserializer: Any = None
    ) -> None:
        super().__init__(rows, index=index, ttl=ttl, deserializer=deserializer)
        self._sweeper = Sweeper(self._sweep)

    def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written them.
            StoreError: the database cannot be reached, or no tables may be made there.
        """
        self._rows.setup()

    def sweep_ttl(self) -> int:
        """Delete the items that have expired, and return how many."""
        return self._sweep()

    def start_ttl_sweeper(self, sweep_interval_minutes: int | None = None) -> Future[None]:
        """Call `sweep_ttl()` from time to time in a thread, until `stop_ttl_sweeper()`; 5 minutes by default."""
        return self._sweeper.start(interval_of(sweep_interval_minutes, self.ttl_config))

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop it, and say whether it has ended within `timeout` seconds."""
        return self._sweeper.stop(timeout)


class AsyncSweptStore(ItemStore):
    """An item store for asyncio; `_off_the_loop` says where its work is done."""

    def __init__(
        self, rows: Rows, *, index: Any = None, ttl: TTLConfig | None = None, deserializer: Any = None
    ) -> None:
        super().__init__(rows, index=index, ttl=ttl, deserializer=deserializer)
        self._sweeper = AsyncSweeper(self.sweep_ttl)

    async def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written them.
            StoreError: the database cannot be reached, or no tables may be made there.
        """
        await self._off_the_loop(self._rows.setup)

    async def sweep_ttl(self) -> int:
        """Delete the items that have expired, and return how many."""
        count: int = await self._off_the_loop(self._sweep)
        return count

    async def start_ttl_sweeper(self, sweep_interval_minutes: int | None = None) -> asyncio.Task[None]:
        """Call `sweep_ttl()` from time to time, until `stop_ttl_sweeper()`; 5 minutes by default."""
        return self._sweeper.start(interval_of(sweep_interval_minutes, self.ttl_config))

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop it, and say whether it has ended within `timeout` seconds."""
        return await self._sweeper.stop(timeout)
