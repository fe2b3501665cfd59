"""What may be said of how a node runs: how often it is tried, for how long, and whether its result is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import GenericAlias
from typing import Any, ClassVar, Literal, NamedTuple


def default_retry_on(error: Exception) -> bool:
    """Whether an error looks transient: not one that the same call would meet again.

    Of HTTP errors httpx's count from status 500 on, and all of requests': a client's own errors (`RateLimitError`) do.
    """
    if isinstance(error, (ConnectionError, _errors_of("requests", "HTTPError"))):
        return True
    if isinstance(error, _errors_of("httpx", "HTTPStatusError")):
        return bool(500 <= error.response.status_code < 600)
    return not isinstance(
        error,
        (
            ValueError, TypeError, ArithmeticError, ImportError, LookupError, NameError, SyntaxError,
            RuntimeError, ReferenceError, StopIteration, StopAsyncIteration, OSError,
        ),
    )  # fmt: skip


def _errors_of(package: str, name: str) -> Any:
    """Return a package's class of errors, nothing if it is not loaded: then no error is one of its."""
    return getattr(sys.modules.get(package), name, ())


class RetryPolicy(NamedTuple):
    """How often and when a failed node is tried again. Intervals are seconds."""

    initial_interval: float = 0.5
    backoff_factor: float = 2.0
    max_interval: float = 128.0
    max_attempts: int = 3
    jitter: bool = True
    retry_on: type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool] = default_retry_on


def default_cache_key(*args: Any, **kwargs: Any) -> str | bytes:
    """A key made from the arguments' canonical encoding: equal arguments, equal key."""
    from nbhitl.checkpoint.serde import canonical_bytes

    return canonical_bytes((args, sorted(kwargs.items())))


@dataclass(kw_only=True, slots=True, frozen=True)
class CachePolicy:
    """Keep a node's result for inputs with the same key. `ttl` is seconds, None for ever."""

    __class_getitem__: ClassVar[Any] = classmethod(GenericAlias)

    key_func: Callable[..., str | bytes] = default_cache_key
    ttl: int | None = None


def seconds(value: float | timedelta | None) -> float | None:
    """Return a length of time in seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return None if value is None else float(value)


@dataclass(kw_only=True, slots=True, frozen=True)
class TimeoutPolicy:
    """How long one attempt of a node may take. Limits are seconds or timedeltas.

    `run_timeout` counts from the start; `idle_timeout` from the last sign of life: writes, stream events
    and heartbeats with `refresh_on="auto"`, heartbeats alone with `"heartbeat"`.
    """

    run_timeout: float | timedelta | None = None
    idle_timeout: float | timedelta | None = None
    refresh_on: Literal["auto", "heartbeat"] = "auto"

    @classmethod
    def of(cls, value: float | timedelta | TimeoutPolicy | None) -> TimeoutPolicy | None:
        """Return the policy that `value` stands for; a bare number or timedelta is a `run_timeout`.

        Raises:
            ValueError: a limit is not a positive length of time, or `refresh_on` is unknown.
        """
        if value is None:
            return None
        given = value if isinstance(value, TimeoutPolicy) else cls(run_timeout=value)
        limits = {name: seconds(getattr(given, name)) for name in ("run_timeout", "idle_timeout")}
        for name, limit in limits.items():
            if limit is not None and not limit > 0:
                raise ValueError(f"{name} must be greater than 0, got {limit!r}; None is for no limit")
        if given.refresh_on not in {"auto", "heartbeat"}:
            raise ValueError(f"refresh_on must be 'auto' or 'heartbeat', got {given.refresh_on!r}")
        return cls(**limits, refresh_on=given.refresh_on)

    coerce = of
