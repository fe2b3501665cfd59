"""What the threads and questions of a store are chosen by, checked: a filter misread would hide an open question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from nbhitl.checkpoint.claims import APPLIED, DELIVERED, DROPPED, OPEN, RECORDED, instant, moment

_MOST = 2**63 - 1
_STATES = (OPEN, RECORDED, DELIVERED, APPLIED, DROPPED)


def moment_of(method: str, name: str, given: timedelta | datetime | str) -> str:
    """Return the moment that an age, a time or its ISO 8601 text means, as the store spells it.

    Raises:
        TypeError: it is none of these.
        ValueError: a text that is no time, or an age that no calendar holds.
    """
    if isinstance(given, timedelta):
        try:
            return moment((datetime.now(UTC) - given).isoformat())
        except OverflowError:
            raise ValueError(f"{method}({name}={given!r}): give an age of some years at most.") from None
    if isinstance(given, datetime):
        return moment(given.isoformat())
    how = "give an age (timedelta(hours=1)), a datetime, or its ISO 8601 text ('2026-01-31T12:00')"
    if not isinstance(given, str):
        raise TypeError(f"{method}({name}={given!r}): {how}.")
    try:
        return moment(instant(given).isoformat())
    except ValueError:
        raise ValueError(f"{method}({name}={given!r}) is no time: {how}.") from None


def states_of(method: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return the states of claims that are asked for; one may be given by itself.

    Raises:
        TypeError: it is neither a state nor several.
        ValueError: there is no such state.
    """
    if not isinstance(given, Iterable):
        raise TypeError(f"{method}(states={given!r}): give a state, or several in a tuple.")
    states = (given,) if isinstance(given, str) else tuple(given)
    for state in states:
        if state not in _STATES:
            raise ValueError(
                f"{method}(states=...): there is no state {state!r}. Use {', '.join(map(repr, _STATES))}."
            )
    return states


def limit_of(method: str, given: int | None) -> int | None:
    """Return how many are wanted at most; None is all.

    Raises:
        TypeError: it is no whole number.
        ValueError: it is below 0.
    """
    if given is None:
        return None
    if not isinstance(given, int):
        raise TypeError(f"{method}(limit={given!r}): give a whole number, or None for all.")
    if given < 0:
        raise ValueError(f"{method}(limit={given}): give 0 or more, or None for all.")
    return min(given, _MOST)  # databases count no further


def text_of(method: str, name: str, given: str | None) -> str | None:
    """Return the name, or beginning of one, that is asked for; None is any.

    Raises:
        TypeError: it is no string.
    """
    if given is not None and not isinstance(given, str):
        raise TypeError(f"{method}({name}={given!r}): give a string.")
    return given


def names_of(method: str, given: Iterable[object]) -> list[str]:
    """Return the names of threads.

    Raises:
        TypeError: one string, which would be read as the names of its letters.
    """
    if isinstance(given, str):
        raise TypeError(f"{method}(thread_ids={given!r}): give a list of names, [{given!r}].")
    return [*map(str, given)]


def name_of(given: object, method: str) -> str:
    """Return the name of a thread.

    Raises:
        TypeError: a config, which names one.
    """
    if isinstance(given, Mapping):
        raise TypeError(
            f"{method}() takes the name of a thread, and this is a {type(given).__name__}: give "
            'config["configurable"]["thread_id"].'
        )
    return str(given)
