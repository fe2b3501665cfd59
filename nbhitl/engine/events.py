"""What a run reports while it runs: from what happened to the chunks of each stream mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import INTERRUPT, NS_SEP, RETURN
from nbhitl.engine.program import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from nbhitl.engine.program import Program
    from nbhitl.engine.tasks import Task, TaskResult

Chunk = tuple[Any, ...]
"""(namespace, mode, payload), and the program that runs there in streams that keep the source of their chunks"""


class Stream:
    """Where a run's chunks go: `put` takes `(namespace, mode, payload)`, from any thread.

    `debug` is made of the modes `tasks` and `checkpoints`. A graph called by a node reports to its own caller,
    and to the stream of the run above when that one shows subgraphs. With `keeps_source` chunks end with the program
    that they tell of, if any.
    """

    __slots__ = (
        "_now",
        "_seen",
        "_tokens",
        "_wanted",
        "above",
        "is_live",
        "keeps_source",
        "messages",
        "modes",
        "put",
        "root",
        "shows_below",
        "silent",
        "subgraphs",
    )

    def __init__(
        self,
        modes: Collection[str],
        put: Callable[[Chunk], None],
        now: Callable[[], str],
        *,
        subgraphs: bool = False,
        above: Stream | None = None,
        root: str = "",
    ) -> None:
        self.modes = frozenset(modes) if modes else _NO_MODES
        self.put = put
        self.subgraphs = subgraphs
        self.is_live = is_live(modes, subgraphs=subgraphs)
        self.above = above
        self.root = root
        self.keeps_source = False
        self._now = now
        self._seen: set[str] = set()
        self._tokens: Any = None
        # Asked for every task of a run, so it is known beforehand: whether chunks of called graphs are looked at,
        # here or above; which modes anybody looks at; whether that is none; whether messages are among them.
        self.shows_below: bool = subgraphs or (above is not None and above.shows_below)
        wanted = self.modes | _IN_DEBUG if "debug" in self.modes else self.modes
        if above is not None and above.shows_below:
            wanted |= above._wanted
        self._wanted: frozenset[str] = wanted
        self.silent = not wanted
        self.messages = "messages" in wanted

    def wants(self, mode: str) -> bool:
        """Whether anybody looks at chunks of this mode, so that they need to be made."""
        return mode in self._wanted

    def emit(self, ns: str, mode: str, payload: Any, step: int = 0, program: Program | None = None) -> None:
        """Report one chunk of namespace `ns`, where `program` runs."""
        if ns == self.root or self.subgraphs:
            source = (program,) if self.keeps_source else ()
            if mode in self.modes:
                self.put((_levels(ns), mode, payload, *source))
            if "debug" in self.modes and mode in _IN_DEBUG:
                self.put((_levels(ns), "debug", self._debug(mode, payload, step), *source))
        if self.above is not None and self.above.shows_below:
            self.above.emit(ns, mode, payload, step, program)

    def custom(self, ns: str, chunk: Any) -> None:
        """Report what a node wrote to its stream writer; the nearest stream that has the mode may show it."""
        if "custom" in self.modes:
            if self.shows(ns):
                self.put((_levels(ns), "custom", chunk))
        elif self.above is not None:
            self.above.custom(ns, chunk)

    def looks_for(self) -> frozenset[str]:
        """Return the modes that somebody wants of called graphs, here or above; none while nobody looks below."""
        return self._wanted if self.shows_below else frozenset()

    def pass_on(self, ns: str, mode: str, payload: Any) -> None:
        """Report a chunk that another engine's graph, called by a node, has made of itself."""
        if mode in self.modes and self.subgraphs:
            self.put((_levels(ns), mode, payload))
        if self.above is not None:
            self.above.pass_on(ns, mode, payload)

    # -- messages ----------------------------------------------------------------------------------------

    def shows(self, ns: str) -> bool:
        """Whether chunks of namespace `ns` are looked at here."""
        return ns == self.root or self.subgraphs

    def message(self, ns: str, message: Any, metadata: Mapping[str, Any], *, once: bool) -> None:
        """Report a message of namespace `ns`; with `once` only if none of its id was reported before."""
        if "messages" in self.modes and self.shows(ns):
            self.own_message(ns, message, metadata, once=once)
        if self.above is not None and self.above.shows_below:
            self.above.message(ns, message, metadata, once=once)

    def own_message(self, ns: str, message: Any, metadata: Mapping[str, Any], *, once: bool) -> None:
        """Report a message to this stream alone: each stream hears the tokens of models by itself."""
        if not (once and message.id in self._seen):
            self.put((_levels(ns), "messages", (message, dict(metadata))))
        self._seen.add(message.id)

    def known_message(self, message: Any) -> None:
        """Note a message that was there before, so that it is not reported as new."""
        self._seen.add(message.id)
        if self.above is not None:
            self.above.known_message(message)

    def token_handlers(self, ns: str) -> Iterator[Any]:
        """Yield the LangChain callback handlers for models called in `ns`: this stream's and those above."""
        if "messages" in self.modes and self.shows(ns):
            if self._tokens is None:
                from nbhitl.engine.tokens import token_handler

                self._tokens = token_handler(self)
            if self._tokens is not None:
                yield self._tokens
        if self.above is not None and self.above.shows_below:
            yield from self.above.token_handlers(ns)

    def _debug(self, mode: str, payload: Any, step: int) -> dict[str, Any]:
        kind = "checkpoint" if mode == "checkpoints" else "task" if "triggers" in payload else "task_result"
        return {"step": step, "timestamp": self._now(), "type": kind, "payload": payload}


def is_live(modes: Collection[str], *, subgraphs: bool) -> bool:
    """Whether a stream's chunks come from inside nodes while they run."""
    return subgraphs or not _LIVE.isdisjoint(modes)


_NO_MODES: frozenset[str] = frozenset()
_LIVE = frozenset({"custom", "messages"})
_IN_DEBUG = frozenset({"tasks", "checkpoints"})


def _levels(ns: str) -> tuple[str, ...]:
    return tuple(ns.split(NS_SEP)) if ns else ()


def read_output(values: Mapping[str, Any], keys: Sequence[str], *, single: bool) -> Any:
    """Return what of the state is shown: a dict of `keys`, or the value of the single one."""
    if single:
        return values.get(keys[0])
    if all(map(values.__contains__, keys)):
        return dict(zip(keys, map(values.__getitem__, keys), strict=True))
    return {key: values[key] for key in keys if key in values}


def updates_chunk(keys: Sequence[str], root: bool, result: TaskResult) -> dict[str, Any]:
    """Return the chunk of mode `updates` for one finished task: `{node: update}`.

    Several writes to one key make a list of updates; a task that wrote nothing shows None.
    """
    writes = [(key, value) for key, value in result.writes if key in keys]
    returned = [value for key, value in result.writes if key == RETURN]
    if returned:
        update: Any = returned[0]
    elif root:
        update = _one_or_many([value for _, value in writes])
    elif len({key for key, _ in writes}) < len(writes):
        update = _one_or_many([{key: value} for key, value in writes])
    else:
        update = dict(writes) or None
    chunk = {result.task.name: update}
    if result.cached:
        chunk["__metadata__"] = {"cached": True}
    return chunk


def _one_or_many(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else (values or None)


def interrupt_chunk(result: TaskResult) -> dict[str, Any]:
    """Return the chunk of mode `updates` for a task that paused."""
    return {INTERRUPT: tuple(result.interrupts or ())}


def task_payload(task: Task, input: Any, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the chunk of mode `tasks` for a task's start."""
    payload = {"id": task.id, "name": task.name, "input": input, "triggers": task.triggers}
    return {**payload, "metadata": metadata} if metadata else payload


def result_payload(keys: Sequence[str], result: TaskResult) -> dict[str, Any]:
    """Return the chunk of mode `tasks` for a task's end."""
    return {
        "id": result.task.id,
        "name": result.task.name,
        "error": result.error,
        "result": _written_by_key(keys, result.writes) or {},
        "interrupts": [interrupt_dict(i) for i in result.interrupts or ()],
    }


def interrupt_dict(interrupt: Any) -> dict[str, Any]:
    """Return an interrupt as the streams show it."""
    return {"value": interrupt.value, "id": interrupt.id, "response_schema": interrupt.response_schema}


def written(keys: Sequence[str], writes: Iterable[tuple[str, Any]]) -> Any:
    """Return what a task wrote, as a snapshot shows it: of a graph without keys the value alone."""
    result = _written_by_key(keys, writes)
    return result.get(ROOT) if type(result) is dict and tuple(keys) == (ROOT,) else result


def _written_by_key(keys: Sequence[str], writes: Iterable[tuple[str, Any]]) -> Any:
    """Return what a task wrote, `{key: value}`; a key written more than once holds `{"$writes": [...]}`.

    A task of the functional API wrote one value: that value.
    """
    result: dict[str, Any] = {}
    repeated: set[str] = set()
    for key, value in writes:
        if key == RETURN:
            return value
        if key not in keys:
            continue
        if key in repeated:
            result[key]["$writes"].append(value)
        elif key in result:
            repeated.add(key)
            result[key] = {"$writes": [result[key], value]}
        else:
            result[key] = value
    return result
