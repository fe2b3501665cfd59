"""Savers written for LangGraph, under nbhitl's engine: plain data through `put` and `put_writes`.

The engine hands over steps; such a saver takes whole checkpoints, with a version for each channel. Questions and
Sends go in as dicts, so that a serializer that knows nothing of nbhitl's classes keeps them as they are. Claims
on questions are kept beside it: for a SQLite file in a second one, so that one answer wins among processes too; for
others in this process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.base import saver_config
from nbhitl.checkpoint.plain_forms import CLAIM, from_plain, gate_from_plain, gate_to_plain, to_plain
from nbhitl.checkpoint.records import CheckpointKey, Frame, StoredCheckpoint
from nbhitl.checkpoint.stamps import spelled
from nbhitl.checkpoint.task_ids import result_id
from nbhitl.constants import CHILDREN, CONF, RESUME, START, TASKS
from nbhitl.engine.claims_beside import ClaimsBeside
from nbhitl.errors import ReviewError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Sequence

    from nbhitl.checkpoint.base import CheckpointTuple
    from nbhitl.checkpoint.records import Answering, Claim, ClaimRequest, PauseRecord, StepRecord, TaskWrites
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.program import Program

Place = tuple[str, str, str]
_FORMAT = 4
_PLACE = frozenset({"thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map"})
_OWN_METADATA = ("source", "step", "parents")
_INNER = ("__", "branch:", "join:")


class ForeignSaver:
    """A saver of LangGraph's interface, for one run: remembers the versions of the channels it has put.

    Args:
        saver: the saver.
        program: the graph that runs.
        config: the run's: a saver may look up what its caller has `configurable`, whose thread it is for example.
    """

    def __init__(self, saver: Any, program: Program, config: RunnableConfig | None = None) -> None:
        self.saver = saver
        given = config or {}
        own = given.get(CONF) or {}
        self._entries = {key: value for key, value in own.items() if key not in _PLACE and key[:2] != "__"}
        self._notes: dict[str, Any] = {**(given.get("metadata") or {})}
        self.program = program
        self.claims_beside = ClaimsBeside(saver)
        self._versions: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.tells_writes = True

    def load(self, key: CheckpointKey, share: bool = False) -> StoredCheckpoint | None:
        """Return a checkpoint, or None; nothing is shared between calls."""
        return self._read(self.saver.get_tuple(self._config(key)))

    async def aload(self, key: CheckpointKey, share: bool = False) -> StoredCheckpoint | None:
        """Return a checkpoint, or None."""
        return self._read(await self.saver.aget_tuple(self._config(key)))

    def load_before(self, key: CheckpointKey) -> StoredCheckpoint | None:
        """Return the newest checkpoint that is older than the one named, or None."""
        return next(self.history(key.thread_id, key.ns, before=key.checkpoint_id, limit=1), None)

    async def aload_before(self, key: CheckpointKey) -> StoredCheckpoint | None:
        """As `load_before`."""
        found = [one async for one in self.ahistory(key.thread_id, key.ns, before=key.checkpoint_id, limit=1)]
        return found[0] if found else None

    def history(self, thread_id: str, ns: str, **bounds: Any) -> Iterator[StoredCheckpoint]:
        """Yield checkpoints, newest first."""
        bounds = _list_bounds(bounds, thread_id, ns)
        # Read whole: a saver may hold its lock while its generator is open.
        for found in list(self.saver.list(self._config(CheckpointKey(thread_id, ns, None)), **bounds)):
            stored = self._read(found)
            if stored is not None:
                yield stored

    async def ahistory(self, thread_id: str, ns: str, **bounds: Any) -> AsyncIterator[StoredCheckpoint]:
        """Yield checkpoints, newest first."""
        async for found in self.saver.alist(
            self._config(CheckpointKey(thread_id, ns, None)), **_list_bounds(bounds, thread_id, ns)
        ):
            stored = self._read(found)
            if stored is not None:
                yield stored

    def _config(self, key: CheckpointKey) -> RunnableConfig:
        named = {"thread_id": key.thread_id, "checkpoint_ns": key.ns}
        if key.checkpoint_id is not None:
            named["checkpoint_id"] = key.checkpoint_id
        notes = {**self._notes, "thread_id": key.thread_id}
        return cast("RunnableConfig", {"metadata": notes, CONF: {**self._entries, **named}})

    def _claim_config(self, request: ClaimRequest) -> RunnableConfig:
        config = self._config(_key_of(request))
        whose = (request.owner, request.by, request.at, request.lease)
        config[CONF][CLAIM] = None if self.claims_beside.are_its_own else whose
        return config

    def _parent_config(self, record: StepRecord) -> RunnableConfig:
        return self._config(CheckpointKey(record.thread_id, record.ns, record.parent_id))

    def _read(self, found: CheckpointTuple | None) -> StoredCheckpoint | None:
        if found is None:
            return None
        self.tells_writes = found.pending_writes is not None
        configurable = found.config[CONF]
        checkpoint = found.checkpoint
        thread_id, ns = str(configurable["thread_id"]), str(configurable.get("checkpoint_ns", ""))
        self._versions[(thread_id, ns, checkpoint["id"])] = dict(checkpoint["channel_versions"])
        parent = found.parent_config[CONF]["checkpoint_id"] if found.parent_config else None
        values, frame = self._split(checkpoint["channel_values"])
        frame.writers = tuple(checkpoint["versions_seen"])
        return StoredCheckpoint(
            thread_id,
            ns,
            checkpoint["id"],
            parent,
            checkpoint["ts"],
            cast("dict[str, Any]", found.metadata),
            frame,
            values,
            [
                (task_id, channel, from_plain(channel, value))
                for task_id, channel, value in found.pending_writes or ()
            ],
        )

    def _split(self, channel_values: dict[str, Any]) -> tuple[dict[str, Any], Frame]:
        """Return state values, and the frame, of a checkpoint's channels."""
        program = self.program
        values: dict[str, Any] = {}
        frame = Frame()
        triggers = []
        for name, value in channel_values.items():
            if name in program.keys:
                kept = frame.channels if program.keys[name].kind == 2 else values
                kept[name] = value
            elif name == TASKS:
                frame.sends = tuple(from_plain(TASKS, send) for send in value)
            elif name == CHILDREN:
                frame.children = value
            elif name in program.gates and value is not None:
                frame.channels[name] = gate_from_plain(program.gates[name], value)
            elif name in program.starts:
                triggers.append(name)
                if name == START:
                    frame.start = value
            elif not name.startswith(_INNER):
                values[name] = value  # a key that only another version of the graph has
        frame.triggers = tuple(triggers)
        return values, frame

    # -- write -------------------------------------------------------------------------------------------

    def put_step(self, record: StepRecord) -> None:
        """Save a checkpoint, and the results that led to it."""
        for writes in record.results:
            self._put_writes(self._parent_config(record), *_result_arguments(record, writes))
        self.saver.put(*self._put_arguments(record))
        self.claims_beside.apply(*_after(record))

    async def aput_step(self, record: StepRecord) -> None:
        """Save a checkpoint, and the results that led to it."""
        for writes in record.results:
            await self._aput_writes(self._parent_config(record), *_result_arguments(record, writes))
        await self.saver.aput(*self._put_arguments(record))
        await self.claims_beside.off_the_loop(self.claims_beside.apply, *_after(record))

    def _put_arguments(self, record: StepRecord) -> tuple[Any, ...]:
        before = self._versions.pop((record.thread_id, record.ns, record.parent_id or ""), {})
        channels = {**record.full(), **_frame_channels(record.frame)}
        changed = {*record.values, *record.appended, *_frame_channels(record.frame)}
        if before or record.parent_id is None:  # then what has no version was never written
            channels = {n: value for n, value in channels.items() if n in before or n in changed}
        new = {
            name: self.saver.get_next_version(before.get(name), None) for name in channels if name in changed
        }
        new.update(
            {n: self.saver.get_next_version(None, None) for n in channels if n not in new and n not in before}
        )
        versions = {**{n: v for n, v in before.items() if n in channels}, **new}
        self._versions[(record.thread_id, record.ns, record.checkpoint_id)] = versions
        checkpoint = {
            "v": _FORMAT,
            "id": record.checkpoint_id,
            "ts": spelled(record.created_at),
            "channel_values": channels,
            "channel_versions": versions,
            "versions_seen": {name: {} for name in record.frame.writers},
            "updated_channels": sorted(changed),
        }
        # The caller's entries are in the config: it is for the saver to keep them.
        metadata = {key: record.metadata[key] for key in _OWN_METADATA if key in record.metadata}
        return self._parent_config(record), checkpoint, metadata, new

    def _put_writes(self, config: RunnableConfig, writes: list[Any], task_id: str, *path: str) -> None:
        takes_path = not path or _takes_path(type(self.saver), "put_writes")
        self.saver.put_writes(config, writes, task_id, *path if takes_path else ())

    async def _aput_writes(self, config: RunnableConfig, writes: list[Any], task_id: str, *path: str) -> None:
        takes_path = not path or _takes_path(type(self.saver), "aput_writes")
        await self.saver.aput_writes(config, writes, task_id, *path if takes_path else ())

    def put_pending(self, key: CheckpointKey, tasks: Sequence[TaskWrites]) -> None:
        """Save what tasks left at a checkpoint."""
        for writes in tasks:
            if writes.writes:
                self._put_writes(self._config(key), *_writes_arguments(writes))
        self.claims_beside.note(_place(key), tasks)

    async def aput_pending(self, key: CheckpointKey, tasks: Sequence[TaskWrites]) -> None:
        """Save what tasks left at a checkpoint."""
        for writes in tasks:
            if writes.writes:
                await self._aput_writes(self._config(key), *_writes_arguments(writes))
        await self.claims_beside.off_the_loop(self.claims_beside.note, _place(key), tasks)

    def put_pause(self, record: PauseRecord) -> None:
        """Save the questions of a pause."""
        self.put_pending(_key_of(record), record.tasks)
        self.claims_beside.ask(record)

    def answer_pause(self, answering: Answering) -> None:
        """Nothing is kept: nobody can tell whether such a saver's threads have changed."""

    async def aanswer_pause(self, answering: Answering) -> None:
        """Nothing is kept, as in `answer_pause`."""

    async def aput_pause(self, record: PauseRecord) -> None:
        """Save the questions of a pause."""
        await self.aput_pending(_key_of(record), record.tasks)
        await self.claims_beside.off_the_loop(self.claims_beside.ask, record)

    # -- claims ------------------------------------------------------------------------------------------

    def claims(self, thread_id: str) -> list[Claim]:
        """Return the claims that have been made on questions of a thread."""
        return self.claims_beside.of_thread(thread_id)

    async def aclaims(self, thread_id: str) -> list[Claim]:
        """Return the claims that have been made on questions of a thread."""
        return await self.claims_beside.off_the_loop(self.claims_beside.of_thread, thread_id)

    def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """Take up the answers, all or none, and save them; returns nothing of them.

        Raises:
            AlreadyAnswered: another answer came first.
        """
        self.claims_beside.take(request)
        saved: list[str] = []
        try:
            for entries, task_id in _resume_writes(request):
                self._put_writes(self._claim_config(request), entries, task_id)
                saved.append(task_id)
        except Exception as error:  # nothing has run with them
            tasks = saved if isinstance(error, ReviewError) else request.resumes
            self._take_back(_place(_key_of(request)), tuple(request.answers), tasks)
            raise
        return ()

    async def aclaim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """Take up the answers, all or none, and save them; see `claim`."""
        await self.claims_beside.off_the_loop(self.claims_beside.take, request)
        saved: list[str] = []
        try:
            for entries, task_id in _resume_writes(request):
                await self._aput_writes(self._claim_config(request), entries, task_id)
                saved.append(task_id)
        except Exception as error:  # nothing has run with them
            tasks = saved if isinstance(error, ReviewError) else request.resumes
            await self._atake_back(_place(_key_of(request)), tuple(request.answers), tasks)
            raise
        return ()

    def renew(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Sequence[str],
        *,
        owner: str,
        at: str,
        lease: float,
    ) -> None:
        """Extend the leases of answers that are being applied to `lease` seconds from `at`."""
        self.claims_beside.renew((thread_id, ns, checkpoint_id), interrupt_ids, owner, at, lease)

    async def arenew(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Sequence[str],
        *,
        owner: str,
        at: str,
        lease: float,
    ) -> None:
        """Extend the leases of answers; see `renew`."""
        beside, place = self.claims_beside, (thread_id, ns, checkpoint_id)
        await beside.off_the_loop(beside.renew, place, interrupt_ids, owner, at, lease)

    def release(self, thread_id: str, ns: str, checkpoint_id: str, interrupt_ids: Sequence[str]) -> None:
        """Open the questions again: their answers were refused."""
        self._take_back((thread_id, ns, checkpoint_id), interrupt_ids)

    async def arelease(
        self, thread_id: str, ns: str, checkpoint_id: str, interrupt_ids: Sequence[str]
    ) -> None:
        """Open the questions again; see `release`."""
        await self._atake_back((thread_id, ns, checkpoint_id), interrupt_ids)

    def _take_back(
        self, place: Place, interrupt_ids: Sequence[str], tasks: Collection[str] | None = None
    ) -> None:
        """Open questions again, and take back what delivers their answers: to these tasks, if some were refused.

        What the saver refused because somebody else's answer came first is not this run's to take back.
        """
        for task_id, rows in self.claims_beside.give_back(place, interrupt_ids).items():
            if tasks is None or task_id in tasks:
                self._put_writes(self._config(CheckpointKey(*place)), [(RESUME, rows)], task_id)

    async def _atake_back(
        self, place: Place, interrupt_ids: Sequence[str], tasks: Collection[str] | None = None
    ) -> None:
        """As `_take_back`."""
        beside = self.claims_beside
        for task_id, rows in (await beside.off_the_loop(beside.give_back, place, interrupt_ids)).items():
            if tasks is None or task_id in tasks:
                await self._aput_writes(self._config(CheckpointKey(*place)), [(RESUME, rows)], task_id)


_takes: dict[tuple[type, str], bool] = {}


def _takes_path(saver: type, method: str) -> bool:
    """Whether a method takes a task's path: savers written before there was one do not."""
    known = _takes.get((saver, method))
    if known is None:
        from inspect import signature

        parameters = signature(getattr(saver, method)).parameters
        known = "task_path" in parameters or any(p.kind == p.VAR_POSITIONAL for p in parameters.values())
        _takes[(saver, method)] = known
    return known


def _key_of(record: PauseRecord | ClaimRequest) -> CheckpointKey:
    return CheckpointKey(record.thread_id, record.ns, record.checkpoint_id)


def _after(record: StepRecord) -> tuple[tuple[str, str, str], str | None, str]:
    """Which checkpoint's answers have had their effect, what made the next one, and its id."""
    place = (record.thread_id, record.ns, record.parent_id or "")
    return place, record.metadata.get("source"), record.checkpoint_id


def _place(key: CheckpointKey) -> Place:
    return key.thread_id, key.ns, key.checkpoint_id or ""


def _list_bounds(bounds: dict[str, Any], thread_id: str, ns: str) -> dict[str, Any]:
    before = bounds.get("before")
    return {**bounds, "before": saver_config(thread_id, ns, before) if before else None}


def _frame_channels(frame: Frame) -> dict[str, Any]:
    """Return a frame as channels: triggers hold None, sends a list of dicts."""
    channels: dict[str, Any] = dict.fromkeys(frame.triggers)
    if START in channels:
        channels[START] = frame.start
    if frame.sends:
        channels[TASKS] = [to_plain(TASKS, send) for send in frame.sends]
    if frame.children:
        channels[CHILDREN] = frame.children
    channels.update({name: gate_to_plain(value) for name, value in frame.channels.items()})
    return channels


def _result_arguments(record: StepRecord, task: TaskWrites) -> tuple[list[tuple[str, Any]], str, str]:
    return _writes_arguments(task._replace(task_id=result_id(record, task)))


def _writes_arguments(writes: TaskWrites) -> tuple[list[tuple[str, Any]], str, str]:
    plain = [(channel, to_plain(channel, value, writes.name)) for channel, value in writes.writes]
    return plain, writes.task_id, "/".join(map(str, writes.path))


def _resume_writes(request: ClaimRequest) -> Iterator[tuple[list[tuple[str, Any]], str]]:
    for task_id, rows in request.resumes.items():
        yield [(RESUME, rows)], task_id
