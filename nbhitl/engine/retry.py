"""When a failed node is tried again; the waiting is the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbhitl.errors import GraphBubbleUp, ReviewError, is_invalid_resume

if TYPE_CHECKING:
    from nbhitl.types import RetryPolicy


def retry_delay(policies: Sequence[RetryPolicy], attempt: int, error: Exception) -> float | None:
    """Return the seconds to wait before the next attempt, or None when there is none.

    The first policy whose `retry_on` takes the error decides. An error of a review is never tried again: the
    person's answer would be used twice.
    """
    if not policies or isinstance(error, (GraphBubbleUp, ReviewError)) or is_invalid_resume(error):
        return None
    for policy in policies:
        if retries(policy, error):
            if attempt >= policy.max_attempts:
                return None
            from random import uniform

            delay = min(policy.max_interval, policy.initial_interval * policy.backoff_factor ** (attempt - 1))
            return delay + (uniform(0, 1) if policy.jitter else 0.0)
    return None


def retries(policy: RetryPolicy, error: Exception) -> bool:
    """Whether `policy` covers this error."""
    retry_on = policy.retry_on
    if isinstance(retry_on, Sequence) and not isinstance(retry_on, str):
        return isinstance(error, tuple(retry_on))
    if isinstance(retry_on, type):
        return isinstance(error, retry_on)
    if callable(retry_on):
        return bool(retry_on(error))
    raise TypeError(
        f"RetryPolicy.retry_on must be an exception class, a list of them, or a function of the error; got {retry_on!r}"
    )
