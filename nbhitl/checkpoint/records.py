"""What the engine hands to a saver of nbhitl's own, and gets back. Plain data, no behaviour.

A thread is a tree of checkpoints for each namespace. A checkpoint is stored as what changed since its parent
(`StepRecord`), and read back whole (`StoredCheckpoint`). What tasks leave at a checkpoint before the next one
exists (results of finished siblings, questions, errors, answers) are pending writes.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nbhitl._slotted import made, of_fields, quick, slotted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbhitl.types import Send


SYMPTOMS = (TypeError, ValueError, LookupError, AttributeError)
"""What goes wrong where something is used that is no record: somebody else has written to the store."""


class CheckpointKey(NamedTuple):
    """Names one checkpoint; `checkpoint_id` None is the newest one of the namespace."""

    thread_id: str
    ns: str
    checkpoint_id: str | None = None


new_key = of_fields(CheckpointKey)


@slotted
class Frame:
    """What a checkpoint holds besides the state: who runs next.

    `triggers` are the trigger channels that fired (`branch:to:<node>`, `__start__`), `sends` the pending
    Sends in the order of issue, `channels` the stored form of channels that are neither a plain value nor a
    reducer (`{"join:a+b:c": {"a"}}`), `start` the input that `__start__` will apply. `writers` are the nodes
    of the last step that an edge started: an update without `as_node` counts as theirs; only `__interrupt__` is there
    where a branch began before any node ran. `children` are the
    checkpoints of called graphs that keep state of their own, as of now: `{ns: checkpoint id}`.
    """

    triggers: tuple[str, ...] = ()
    sends: tuple[Send, ...] = ()
    channels: dict[str, Any] = made(factory=dict)
    start: Any = None
    writers: tuple[str, ...] = ()
    children: dict[str, str] = made(factory=dict)


new_frame = quick(Frame)


class TaskWrites(NamedTuple):
    """What one task left at a checkpoint: `[(channel, value), ...]`, reserved channels included.

    Among the results of a step, an empty `task_id` is the one that `task_ids.task_id` makes of the task's place: the
    parent, the namespace, the step of the new checkpoint, name and path.
    """

    task_id: str
    name: str
    path: tuple[Any, ...]
    writes: Sequence[tuple[str, Any]]


@slotted
class StepRecord:
    """A new checkpoint, as the difference to its parent.

    `values` holds keys with a new value, `appended` keys whose list only grew: `{key: [new items]}`,
    `removed` keys that are gone. `results` are the tasks of the *parent* that led here and are not among its
    pending writes yet. `full` returns every key's value, for a snapshot when the saver wants one.
    `created_at` is UTC, ISO 8601, or what `stamps.spelled` makes that of. `metadata` holds `source`, `step`, `parents`
    and the caller's own entries.
    `edits` tells of some of the lists in `values` what has changed in the parent's: see `_edits`.
    `hurries` says that the next step need not wait until this one is on disk (`durability="async"`).
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    parent_id: str | None
    created_at: str | int
    metadata: dict[str, Any]
    frame: Frame
    values: dict[str, Any]
    appended: dict[str, list[Any]]
    removed: tuple[str, ...]
    results: Sequence[TaskWrites]
    full: Callable[[], Mapping[str, Any]]
    hurries: bool = False
    edits: Mapping[str, list[list[Any]]] | None = None


new_step = quick(StepRecord)


@slotted
class StoredCheckpoint:
    """A checkpoint read back whole. `writes` are its pending writes: `[(task_id, channel, value), ...]`."""

    thread_id: str
    ns: str
    checkpoint_id: str
    parent_id: str | None
    created_at: str
    metadata: dict[str, Any]
    frame: Frame
    values: dict[str, Any]
    writes: list[tuple[str, str, Any]]


new_stored = quick(StoredCheckpoint)


class StepOutline(NamedTuple):
    """A checkpoint without its state, for an overview of a thread.

    `touched` is `{key: (before, after)}` of what the step wrote, MISSING where there was or is no value, and
    `(None, items)` for a list that only grew; None for a checkpoint that was saved in LangGraph's form.
    `triggers` are those of the frame; `frame` is the whole one if there is more to it. `pending` are the
    writes that are no results of the next step: `[(task_id, channel, value), ...]`.
    """

    checkpoint_id: str
    parent_id: str | None
    created_at: str
    metadata: dict[str, Any]
    triggers: Sequence[str]
    frame: Frame | None
    touched: dict[str, tuple[Any, Any]] | None
    pending: Sequence[tuple[str, str, Any]]


HistoryLine = tuple[
    str, str, str | None, int, str, tuple[str, ...], tuple[str, ...], tuple[tuple[str, Any], ...],
    tuple[tuple[str, Any], ...],
]  # fmt: skip
"""A checkpoint in one line: its id, the parent's, when it was made, step and source, the state keys that differ from
the parent's, the nodes that its step ran or would run, the interrupts asked at it as `(id, payload)`, and its errors as
pairs of a node and the error.
"""


class QuestionRecord(NamedTuple):
    """An open question as the store lists it: an interrupt, or a static breakpoint (`kind`)."""

    interrupt_id: str
    task_id: str
    node: str
    kind: str
    payload: Any
    digest: str
    asked_at: str


new_question_record = of_fields(QuestionRecord)


@slotted
class PauseRecord:
    """Where a run stopped to ask: one transaction for the writes of its tasks and the questions.

    `kept` is what the saver's `answer_pause` gives back in this process, once, if the thread has not changed since.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    tasks: list[TaskWrites]
    questions: list[QuestionRecord]
    kept: Kept | None = None


new_pause = quick(PauseRecord)


class Kept(Protocol):
    """What a run keeps of a pause."""

    @property
    def changeable(self) -> tuple[bool, bool]:
        """Whether somebody can have changed in place the state, or the answers of the task that asked."""


class Answering(Protocol):
    """An answer to what a thread asks, whatever that is."""

    @property
    def thread_id(self) -> str:
        """The thread."""

    @property
    def ns(self) -> str:
        """The namespace of the graph that asks."""

    def request_for(self, kept: Any, answers: Mapping[str, Sequence[Any]] | None) -> ClaimRequest | None:
        """Return what claims it for the question of a pause that was `kept`; None if the thread has to be read.

        `answers` are as in `KeptAgain`.
        """


class KeptAgain(NamedTuple):
    """What was kept of a pause, and of it, if it could have changed, what is stored: the state, and answers as in
    `ClaimRequest.resumes`.
    """

    kept: Any
    values: dict[str, Any] | None
    answers: dict[str, list[Any]] | None


@slotted
class ClaimRequest:
    """Answers to open questions of one checkpoint: all are taken, or none is.

    `answers` is `{interrupt_id: value}`; `resumes` is what delivers them, with what the tasks were answered before:
    `{task_id: [[interrupt_id, digest, answer], ...]}`. The lease is seconds from `at` (UTC, ISO 8601), after which an
    unapplied claim is in doubt. With `passed_over` it counts as well what the thread went on without: who answers
    has named the checkpoint.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    answers: dict[str, Any]
    resumes: dict[str, list[Any]]
    by: str | None
    at: str
    owner: str
    lease: float
    passed_over: bool = False


new_claim_request = quick(ClaimRequest)


entry_id = itemgetter(0)
"""The question that one of the entries in `resumes` answers."""


def are_entries(value: Any) -> bool:
    """Whether it is a list of such entries, each `[interrupt id, digest, answer]`."""
    return type(value) is list and all(
        type(entry) is list and len(entry) == 3 and type(entry[0]) is type(entry[1]) is str for entry in value
    )


class Claim(NamedTuple):
    """How one question stands. `state` is `open`, `recorded`, `delivered`, `applied` or `dropped`.

    `answer` is what was given, `by` whom and `at` when. While it is `delivered`, `owner` is the process that runs with
    it, which has until `lease_until` to report: after that the answer is in doubt. Times are UTC, ISO 8601.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    interrupt_id: str
    state: str
    answer: Any
    by: str | None
    at: str | None
    owner: str | None
    lease_until: str | None


class PendingQuestion(NamedTuple):
    """A question of some thread, as `pending()` lists it; times are UTC, ISO 8601."""

    thread_id: str
    ns: str
    checkpoint_id: str
    interrupt_id: str
    task_id: str
    node: str
    kind: str
    payload: Any
    digest: str
    asked_at: str
    state: str
    by: str | None
    at: str | None


class ThreadInfo(NamedTuple):
    """A thread, as `threads()` lists it: its newest checkpoint of the root namespace, and how many questions
    are open in it.
    """

    thread_id: str
    checkpoint_id: str
    updated_at: str
    open_questions: int


class OnceEntry(NamedTuple):
    """An effect of `once()`: `state` is `started` or `done`, `result` what it returned. Times: UTC, ISO 8601."""

    thread_id: str
    key: str
    state: str
    result: Any
    owner: str
    started_at: str
    done_at: str | None
