"""The shapes in which a run's chunks and its result are handed out; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from nbhitl.constants import INTERRUPT
from nbhitl.engine.program import ROOT
from nbhitl.types import MISSING, GraphOutput, StreamMode

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from nbhitl.engine.events import Chunk
    from nbhitl.engine.instructions import Outcome
    from nbhitl.engine.program import Program
    from nbhitl.types import All

MODES: frozenset[str] = frozenset(get_args(StreamMode))


def nowhere(_: Any) -> None:
    """Drop a chunk: nobody streams this run."""


def modes_and_shape(
    stream_mode: StreamMode | Sequence[StreamMode] | None, subgraphs: bool, version: str
) -> tuple[tuple[str, ...], Callable[[Any], Any]]:
    """Return the modes, and how a chunk `(namespace, mode, payload)` is handed out."""
    single = stream_mode is None or isinstance(stream_mode, str)
    modes = (
        ("updates" if stream_mode is None else cast("str", stream_mode),)
        if single
        else tuple(cast("Sequence[str]", stream_mode))
    )
    if version == "v2":
        return modes, _v2_chunk
    # Modes in a tuple are not told apart: that is how LangGraph does it.
    if not isinstance(stream_mode, list):
        return modes, (lambda c: (c[0], c[2])) if subgraphs else (lambda c: c[2])
    return modes, (lambda c: c) if subgraphs else (lambda c: (c[1], c[2]))


def _v2_chunk(chunk: Chunk) -> dict[str, Any]:
    """Return a chunk in the form of `version="v2"`: a dict that tells its own type."""
    ns, mode, data, *source = chunk
    program = source[0] if source else None
    if mode == "checkpoints":
        data = _with_typed_values(data, program)
    elif mode == "debug" and data["type"] == "checkpoint":
        data = {**data, "payload": _with_typed_values(data["payload"], program)}
    if mode != "values":
        return {"type": mode, "ns": ns, "data": data}
    interrupts: tuple[Any, ...] = ()
    if isinstance(data, dict) and INTERRUPT in data:
        interrupts = data[INTERRUPT]
        data = {key: value for key, value in data.items() if key != INTERRUPT}
    return {"type": mode, "ns": ns, "data": _typed(data, program, "build_output"), "interrupts": interrupts}


def _with_typed_values(payload: dict[str, Any], program: Program | None) -> dict[str, Any]:
    """Return a checkpoint's chunk with its values in the state's type; before the input is taken in there is no state."""
    if payload["metadata"].get("source") == "input":
        return payload
    return {**payload, "values": _typed(payload["values"], program, "build_state")}


def _typed(values: Any, program: Program | None, build: str) -> Any:
    """Return values as an instance of the schema, if that is a model or a dataclass."""
    make = getattr(program, build, None)
    return make(values) if make is not None and isinstance(values, dict) else values


def shaped(run: Generator[Any, None, Outcome], shape: Callable[[Any], Any]) -> Generator[Any, None, Outcome]:
    """Yield a run's chunks in the caller's shape, and return how the run ended."""
    try:
        while True:
            yield shape(next(run))
    except StopIteration as end:
        return cast("Outcome", end.value)
    finally:
        run.close()


def output_keys_of(
    given: str | Sequence[str] | None, program: Program, *, streams: bool
) -> tuple[tuple[str, ...], bool]:
    """Return which keys to show, and whether as one bare value. A stream shows keys of every schema.

    Raises:
        ValueError: the state has no such key.
    """
    if given is None:
        keys = program.stream_keys if streams else program.output_keys
        return keys, keys == (ROOT,)
    keys, single = ((given,), True) if isinstance(given, str) else (tuple(given), False)
    for key in keys:
        if key not in program.keys and not key.startswith(("__", "branch:", "join:")):
            known = ", ".join(sorted(program.keys))
            raise ValueError(
                f"Key {key} not in channels: output_keys of graph {program.name!r} can be: {known}."
            )
    return keys, single


def stops_of(nodes: Sequence[str]) -> Any:
    """Return breakpoints as a compiled graph shows them: a list that a program may change, or "*"."""
    return "*" if "*" in nodes else list(nodes)


def breakpoints(given: All | Sequence[str] | None, own: Sequence[str]) -> Any:
    """Return the nodes to stop at: the call's own, else those of `compile()`."""
    nodes = own if not given else (given,) if isinstance(given, str) else tuple(given)
    if not nodes:
        return nodes
    return "*" if "*" in nodes else frozenset(nodes)


def result_of(outcome: Outcome, version: str, program: Program) -> Any:
    """Return what `invoke` returns for an outcome."""
    values = None if outcome.values is MISSING else outcome.values
    if version == "v2":
        return GraphOutput(_typed(values, program, "build_output"), outcome.interrupts)
    if not outcome.interrupts:
        return values
    return {**(values if isinstance(values, dict) else {}), INTERRUPT: list(outcome.interrupts)}
