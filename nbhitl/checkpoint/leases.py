"""Keep the leases of answers alive while their nodes run, and end them when a run is stopped.

A claim whose lease is over is in doubt: its process may have ended in the middle of the effect. So a process that
is alive renews the leases of the answers that it applies, however long their nodes take.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from threading import Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._slotted import of_fields
from nbhitl.checkpoint.stamps import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.checkpoint.records import Claim, ClaimRequest

LEASE = 60.0
"""Seconds after which an answer that was taken up, but whose effect was not saved, is in doubt."""

_EVERY = LEASE / 3


class Held(NamedTuple):
    """The answers of one run that are being applied."""

    saver: Any
    request: ClaimRequest

    @property
    def _place(self) -> tuple[str, str, str]:
        request = self.request
        return request.thread_id, request.ns, request.checkpoint_id

    def renew(self, lease: float) -> None:
        """Extend the lease of those that are not applied yet to `lease` seconds from now."""
        ids = self._applying(self.saver.claims(self.request.thread_id))
        if ids:
            self.saver.renew(*self._place, ids, owner=self.request.owner, at=utc_now(), lease=lease)

    async def arenew(self, lease: float) -> None:
        """Do as `renew`, where the saver's async methods work."""
        ids = self._applying(await self.saver.aclaims(self.request.thread_id))
        if ids:
            await self.saver.arenew(*self._place, ids, owner=self.request.owner, at=utc_now(), lease=lease)

    def _applying(self, claims: Iterable[Claim]) -> tuple[str, ...]:
        """Which of the answers are not applied yet."""
        request, place = self.request, self._place
        held = {
            claim.interrupt_id
            for claim in claims
            if claim[:3] == place and claim.state == "delivered" and claim.owner == request.owner
            and claim.lease_until is not None
        }  # fmt: skip
        return tuple(id for id in request.answers if id in held)


_new_held = of_fields(Held)
_held: dict[int | None, Held] = {}  # None, the key of a run without answers, is never among them
_keys = count(1)  # not the addresses of what is held: another run's may be the same later
_lock = Lock()
_keeper: Thread | None = None


def hold(saver: Any, request: ClaimRequest) -> int:
    """Keep the leases of a claim alive until `let_go`; returns what to give to it."""
    global _keeper  # noqa: PLW0603 - one thread for the process
    key = next(_keys)
    _held[key] = _new_held((saver, request))
    if _keeper is None:
        with _lock:
            if _keeper is None:  # once begun it does not end
                keeper = Thread(target=_keep_renewing, name="nbhitl-leases", daemon=True)
                keeper.start()
                _keeper = keeper
    return key


def let_go(key: int | None) -> None:
    """Stop renewing: the run has told the store how its answers ended."""
    _held.pop(key, None)


def end(key: int | None) -> None:
    """End the leases of a run that was stopped: whether the effects of its answers happened is not known.

    What has stopped it is what its caller is told, and not that the store fails now as well: the leases run out.
    """
    held = _held.pop(key, None)
    if held is not None:
        with suppress(Exception):
            held.renew(0.0)


async def aend(key: int | None) -> None:
    """Do as `end`, where the saver's async methods work."""
    held = _held.pop(key, None)
    if held is not None:
        with suppress(Exception):
            await held.arenew(0.0)


def _keep_renewing() -> None:
    while True:
        sleep(_EVERY)
        renew_all()


def renew_all() -> None:
    """Extend all leases that are kept alive.

    A store that fails is asked again next time: if it is gone, the lease runs out, and the answer is in doubt, as it
    should be.
    """
    for held in list(_held.values()):  # made in one go: no other thread comes between
        with suppress(Exception):
            held.renew(LEASE)


def _forget() -> None:
    global _keeper, _lock
    _keeper, _lock = None, Lock()
    _held.clear()


os.register_at_fork(after_in_child=_forget)
