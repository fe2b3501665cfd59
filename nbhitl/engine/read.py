"""Make a node's input from the state; pure."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.channels.binop import fold
from nbhitl.engine.keys import KeyKind
from nbhitl.engine.program import ROOT
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.channels.base import BaseChannel
    from nbhitl.engine.program import Program, Reader


_REDUCE, _OBJECT = KeyKind.REDUCE, KeyKind.OBJECT


class Steps(NamedTuple):
    """Where a run is, for managed values: the superstep that runs, and the one that the run may not reach."""

    step: int
    stop: int


def read_state(reader: Reader, values: Mapping[str, Any], step: int, stop: int, *, own: bool = False) -> Any:
    """Return the input of a node or path function: a dict, or what the schema makes of it.

    The dict is a new one, unless `values` are the reader's `own` already.
    """
    if reader.root:
        return values.get(ROOT)
    keys = reader.keys
    state: Any = values
    if keys is not None:
        state = {key: values[key] for key in keys if key in values}
    elif not own:
        state = dict(values)
    for key, managed in reader.managed:
        state[key] = managed.get(Steps(step, stop))
    return state if reader.build is None else reader.build(state)


def with_writes(
    program: Program, values: Mapping[str, Any], writes: Iterable[tuple[str, Any]]
) -> dict[str, Any]:
    """Return the state as it will be for a task alone, with its own writes applied: what its edges look at."""
    state = dict(values)
    updates: dict[str, list[Any]] = {}
    for key, value in writes:
        if key in program.keys:
            updates.setdefault(key, []).append(value)
    for key, given in updates.items():
        rule = program.keys[key]
        if rule.batched:
            state[key] = rule.folded(state.get(key, MISSING), given)
        elif rule.kind is _REDUCE and rule.operator is not None:
            state[key] = fold(rule.operator, state.get(key, MISSING), given, key)
        elif rule.kind is not _OBJECT:
            state[key] = given[-1]
    for key in program.objects:
        if key in state or key in updates:
            _show_object(program.keys[key].channel, state, key, updates.get(key, ()))
    return state


def in_schema_order(program: Program, values: dict[str, Any], added: int) -> dict[str, Any]:
    """Return the state with its keys in the order of the schema, `added` of which have just come in at the end.

    Most graphs fill their keys in that order; then there is nothing to do.
    """
    if len(values) == 1:
        return values
    rank = program.rank.__getitem__
    newest_first = [*map(rank, islice(reversed(values), added + 1))] if added > 0 else []
    if newest_first == sorted(newest_first, reverse=True) and newest_first and not program.objects:
        return values
    return {key: values[key] for key in program.keys if key in values}


def _show_object(
    channel: BaseChannel[Any, Any, Any], state: dict[str, Any], key: str, given: Sequence[Any]
) -> None:
    """Bring the value of a channel up to date with the writes of a step; what lasts for one step goes without any."""
    shown = state.pop(key, MISSING)
    after = channel.from_checkpoint(_as_stored(channel, shown))
    after.update(given)
    if after.is_available():  # a topic that was given nothing has no value
        state[key] = after.get()


def _as_stored(channel: BaseChannel[Any, Any, Any], shown: Any) -> Any:
    """Return what a channel stores that shows a value."""
    from nbhitl.channels.last_value import LastValueAfterFinish
    from nbhitl.channels.named_barrier_value import NamedBarrierValue

    if shown is MISSING:
        return MISSING
    if isinstance(channel, NamedBarrierValue):
        return channel.names if type(channel) is NamedBarrierValue else (channel.names, True)
    return (shown, True) if isinstance(channel, LastValueAfterFinish) else shown
