"""Where a run is: the thread's head, its step, and what is saved of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._slotted import of_fields
from nbhitl.checkpoint.records import TaskWrites, new_key, new_step
from nbhitl.constants import NO_WRITES, PULL, SCHEDULED
from nbhitl.engine import events
from nbhitl.engine.apply import Changes, apply_writes
from nbhitl.engine.head import frame_of, head_of, new_head
from nbhitl.engine.instructions import StoreCall, new_call
from nbhitl.engine.questions import tasks_left
from nbhitl.engine.saved import saved_writes
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from nbhitl.checkpoint.records import CheckpointKey, StoredCheckpoint
    from nbhitl.engine.instructions import Clock, Settings
    from nbhitl.engine.kept_pause import KeptPause
    from nbhitl.engine.program import Program
    from nbhitl.engine.questions import Left
    from nbhitl.engine.running import Run
    from nbhitl.engine.tasks import TaskResult

_task_writes = of_fields(TaskWrites)


class Found(NamedTuple):
    """The checkpoint that a run began at; `left` is what its tasks left before, where it is run again: told, no more.

    Not its values: a list that was held here too would have to be copied each time it grows.
    """

    checkpoint_id: str
    metadata: Mapping[str, Any]
    left: Sequence[tuple[str, str, Any]] = ()


new_found = of_fields(Found)


class Progress:
    """The state of one run of one graph.

    `step` is the number of the next step, `pending` the writes that tasks of the current checkpoint left,
    `saved_id` the newest checkpoint that the saver has.
    """

    __slots__ = (
        "_left",
        "base_id",
        "claimed",
        "clock",
        "continues",
        "created_at",
        "found",
        "head",
        "held",
        "is_unseen",
        "keeps",
        "kept",
        "parent_id",
        "paused",
        "pending",
        "program",
        "run",
        "saved_id",
        "saved_tasks",
        "saves_steps",
        "settings",
        "shown",
        "source",
        "step",
        "transient",
        "unsaved",
    )

    def __init__(self, run: Run, settings: Settings, clock: Clock) -> None:
        self.run = run
        self.program = run.program
        # Whether the run has a saver, and whether each step is saved as it ends, and not only the last one.
        self.keeps = run.saver is not None
        self.saves_steps = self.keeps and run.durability != "exit"
        # Whether all that is done with the results of a step is to apply them: nobody looks, and no cache keeps them.
        self.is_unseen = run.stream.silent and run.cache is None
        self.settings = settings
        self.clock = clock
        self.head = new_head(run.program)
        if not self.keeps:
            self.head.tells_edits = False
        self.step = -1
        self.base_id = ""
        self.source = "input"
        self.created_at: str | int = ""
        self.found: Found | None = None
        self.parent_id: str | None = None
        self.saved_id: str | None = None
        self.pending: list[tuple[str, str, Any]] = []
        self._left: tuple[Any, Left] | None = None
        self.unsaved: Changes | None = None
        self.saved_tasks: set[str] = set()
        # What tasks of the step left, in a run that saves only where it ends: should it end before the step does.
        self.held: list[TaskWrites] = []
        # The pause of another run from which this one went on without reading the thread.
        self.kept: KeptPause | None = None
        # For a called graph: whether its checkpoint was made by the very task that calls it now.
        self.continues = False
        # Answers that this run took up, {interrupt id: task id}, and the tasks of the step that have paused.
        self.claimed: dict[str, str] = {}
        self.paused: list[TaskResult] = []
        # What the output showed last. It is read from the head when the run ends, unless it can vanish before.
        self.shown: Any = MISSING
        objects = run.program.objects
        self.transient = bool(objects) and not settings.shows.isdisjoint(objects)

    @property
    def key(self) -> CheckpointKey:
        """The checkpoint that the run is at."""
        return new_key((self.run.thread_id or "", self.run.ns, self.head.checkpoint_id))

    def stand_on(self, stored: StoredCheckpoint) -> None:
        """Bring the run to a stored checkpoint, with what tasks left there."""
        self.head = head_of(self.program, stored)
        self.clock.catch_up(stored.checkpoint_id)
        self.step = int(stored.metadata.get("step", -2)) + 1
        self.parent_id = stored.parent_id
        self.saved_id = stored.checkpoint_id
        self.pending = stored.writes

    @property
    def has_branched(self) -> bool:
        """Whether the run has made a checkpoint of its own to start from, beside what followed the one that it found."""
        return self.found is not None and self.found.checkpoint_id != self.head.checkpoint_id

    @property
    def goes_on_from_a_branch(self) -> bool:
        """Whether the run found a checkpoint that was made by hand, by a copy or by a replay."""
        return self.found is not None and self.found.metadata.get("source") in ("update", "fork")

    def left(self) -> Left:
        """Return what the tasks of the checkpoint that the run is at left, by what is pending."""
        if self._left is None or self._left[0] is not self.pending:
            self._left = (self.pending, tasks_left(self.pending))
        return self._left[1]

    @property
    def own_metadata(self) -> dict[str, Any]:
        """The metadata of the checkpoint that the run is at, without what the caller gave."""
        return {"source": self.source, "step": self.step - 1, "parents": self.run.checkpoint_map}

    def apply(self, results: Sequence[TaskResult]) -> Changes:
        """Apply the writes of a step to the head; one that the run has yet to save is left whole by writes that fail."""
        before = self.head.copy() if self.keeps and not self.saves_steps else None
        try:
            changes = apply_writes(self.program, self.head, results)
        except BaseException:
            self.head = before or self.head
            raise
        self.run.children = self.head.children
        if self.keeps:
            self.note(changes)
        return changes

    def note(self, changes: Changes) -> None:
        """Remember what changed since the last saved checkpoint: the next one holds the difference."""
        if not self.keeps:
            return
        if self.unsaved is None:
            self.unsaved = changes
        else:
            self.unsaved.add(changes, self.head.values)

    def emit(self, mode: str, payload: Any, step: int = 0) -> None:
        """Report a chunk to whoever looks at the run's stream."""
        self.run.stream.emit(self.run.ns, mode, payload, step, self.program)

    def output(self) -> Any:
        """Return the state as the output shows it."""
        return events.read_output(self.head.values, self.settings.output_keys, single=self.settings.single)

    def show_changes(self, changes: Changes) -> None:
        """Report the state, if what changed is part of the output."""
        changed: AbstractSet[str] = changes.written
        if self.program.objects:
            changed = changed & self.head.values.keys()  # what is not to be seen yet shows no change
        if changed.isdisjoint(self.settings.shows):
            return
        if self.run.stream.silent and not self.transient:
            self.shown = None
        else:
            self.show_values()

    def show_values(self) -> None:
        """Report the state after a change."""
        wanted = self.run.stream.wants("values")
        if wanted or self.transient:
            self.shown = self.output()
            if wanted:
                self.emit("values", self.shown)
        else:
            self.shown = None

    def show_pause(self) -> None:
        """Note that questions show the state that they are asked in, although nothing may have been written to it."""
        self.shown = self.output() if self.transient else None

    def final_output(self) -> Any:
        """Return what the output showed last, or MISSING when nothing was shown."""
        if self.shown is MISSING or self.transient:
            return self.shown
        return self.output()

    def advance(
        self, source: str, results: Sequence[TaskWrites] = (), *, whole: bool = False
    ) -> Generator[Any, Any, None]:
        """Move on to the next checkpoint and save it, unless the run saves only where it ends; see `move_on`."""
        saving = self.move_on(source, results, whole=whole)
        if saving is not None:
            yield saving

    def move_on(
        self, source: str, results: Sequence[TaskWrites] = (), *, whole: bool = False
    ) -> StoreCall | None:
        """Move on to the next checkpoint; return what saves it, None if the run saves only where it ends.

        Args:
            source: what made the checkpoint.
            results: what the tasks of the step left, as far as it is not saved yet.
            whole: save every key, because the checkpoint before is not the one that the head stands on.
        """
        head = self.head
        self.source = source
        self.step += 1
        if not self.keeps:
            # An unsaved graph inside a saved one must give its questions the same ids when it runs again.
            self.base_id = self.base_id or self.run.ns or self.clock.stamp()[0]
            head.checkpoint_id = f"{self.base_id}@{self.step}"
            return None
        parent_id = head.checkpoint_id or None
        head.checkpoint_id, self.created_at = self.clock.stamp()
        if not self.saves_steps:
            return None
        self.parent_id = parent_id
        return self._saving(results, parent_id, whole=whole)

    def save_at_exit(self) -> Generator[Any, Any, None]:
        """Save the checkpoint where a run ends or stops, if the steps before were not saved one by one."""
        if not self.keeps or self.saved_id == self.head.checkpoint_id or not self.head.checkpoint_id:
            return
        self.parent_id = self.saved_id
        yield self._saving((), self.saved_id)
        self.claimed = {}  # their effects are in the checkpoint

    def save_where_it_stops(self) -> Generator[Any, Any, None]:
        """Save what has to be saved where a run pauses or ends, if the steps before were not saved one by one."""
        return self.save_held() if self.held else self.save_at_exit()

    def save_held(self) -> Generator[Any, Any, None]:
        """Save the checkpoint where a run stops within a step, and what tasks of the step left."""
        yield from self.save_at_exit()
        if self.held:
            yield StoreCall("put_pending", (self.key, self.held))
            self.saved_tasks.update([left.task_id for left in self.held])
            self.held = []

    def _saving(
        self, results: Sequence[TaskWrites], parent_id: str | None, *, whole: bool = False
    ) -> StoreCall:
        """Return what saves the checkpoint that the run is at; after it, nothing is unsaved."""
        changes = Changes(values=dict(self._plain_values())) if whole else self.unsaved or Changes()
        run, checkpoint_id, given = self.run, self.head.checkpoint_id, self.settings.metadata
        metadata = self.own_metadata
        if given:
            metadata = {**metadata, **given, **metadata}
        self.unsaved, self.saved_id = None, checkpoint_id
        record = new_step(
            run.thread_id or "",
            run.ns,
            checkpoint_id,
            parent_id,
            self.created_at,
            metadata,
            frame_of(self.program, self.head),
            changes.values,
            changes.appended,
            (),
            results,
            self._plain_values,
            run.durability == "async",
            changes.edits,
        )
        return new_call("put_step", (record,))

    def _plain_values(self) -> Mapping[str, Any]:
        head, objects = self.head, self.program.objects
        if not objects and not head.unknown_values:
            return head.values
        return {
            **head.unknown_values,
            **{key: value for key, value in head.values.items() if key not in objects},
        }


def starts_left(result: TaskResult) -> list[tuple[str, Any]]:
    """Return what to save of how often a task's node has started; nothing the first time."""
    starts = result.task.starts + result.attempts
    return [(SCHEDULED, starts)] if starts > 1 else []


def task_writes(program: Program, result: TaskResult, writes: Sequence[tuple[str, Any]]) -> TaskWrites:
    """Return what a task left, as the saver takes it. One that was answered is done, though nothing of it is saved."""
    task, saved = result.task, saved_writes(program, writes)
    if writes and not saved and task.answers:
        saved = [(NO_WRITES, None)]
    return _task_writes((task.id, task.name, task.path, saved))


def unsaved_writes(progress: Progress, results: Sequence[TaskResult], *, in_record: bool) -> list[TaskWrites]:
    """Return what tasks of a step left that the saver does not have yet.

    Args:
        in_record: as the record of the step takes it, without ids that follow from a task's place.
    """
    saved, program = progress.saved_tasks, progress.program
    left = []
    for result in results:
        task, path = result.task, result.task.path
        if (result.cached and not task.from_cache) or (saved and task.id in saved):
            continue
        writes = saved_writes(program, result.writes) if program.untracked else result.writes
        task_id = "" if in_record and path[0] == PULL else task.id
        left.append(_task_writes((task_id, task.name, path, writes)))
    return left
