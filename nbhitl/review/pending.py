"""From a thread's snapshot to the questions that are open on it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.constants import END, NS_END, NS_SEP
from nbhitl.review.plain import to_plain
from nbhitl.review.reading import make_question
from nbhitl.types import Interrupt

if TYPE_CHECKING:
    from nbhitl.review.protocol import Snapshot, Task
    from nbhitl.review.questions import Question


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a thread: its replies and routes (see GraphThread), and its graph's breakpoints.

    `has_claims` tells whether the checkpointer keeps claims.
    """

    thread_id: str
    replies: Mapping[str, Mapping[str, Any]]
    routes: Mapping[str, tuple[str, ...]]
    before: frozenset[str] | Literal["*"]
    after: frozenset[str] | Literal["*"]
    has_claims: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that has not run to its end, in `snapshot`; `root_id` is its task in the outermost graph."""

    task: Task
    snapshot: Snapshot
    root_id: str
    path: tuple[str, ...]


def waiting_tasks(snapshot: Snapshot) -> list[Waiting]:
    """Return the tasks that wait, those of subgraphs in place of the task that runs the subgraph."""
    return list(_waiting(snapshot, (), None))


def _waiting(snapshot: Snapshot, path: tuple[str, ...], root_id: str | None) -> Iterator[Waiting]:
    for task in snapshot.tasks:
        if task.result is not None and not task.interrupts and not task.error:
            continue
        inner = task.state
        root = root_id or task.id
        if getattr(inner, "tasks", None) and _is_known_of(inner, task):
            yield from _waiting(inner, (*path, task.name), root)
        else:
            yield Waiting(task, snapshot, root, (*path, task.name))


def _is_known_of(inner: Any, task: Task) -> bool:
    """Whether what a called graph asks has reached the graph that calls it.

    A process that was killed between the two has left a question that nobody can answer yet: the calling task has to
    run once more, with the answer that it waits for itself.
    """
    asked = {interrupt.id for interrupt in inner.interrupts}
    return not asked or not asked.isdisjoint(interrupt.id for interrupt in task.interrupts)


def task_ns(found: Waiting) -> str:
    """Return the namespace of a task, `parent:id|node:id`."""
    above = str(found.snapshot.config["configurable"].get("checkpoint_ns", ""))
    own = f"{found.task.name}{NS_END}{found.task.id}"
    return f"{above}{NS_SEP}{own}" if above else own


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer that was taken up, and nobody knows what the node did with it.

    `kind`, `ns` and `checkpoint_id` are as in `Question`, `answer` is what was sent. Until `until` (UTC, ISO 8601)
    the kernel that took it up may still be at it; None if that is not known.
    """

    task_id: str
    interrupt_id: str
    kind: str
    payload: Any
    by: str | None = None
    at: str | None = None
    until: str | None = None
    ns: str = ""
    checkpoint_id: str = ""
    answer: Any = None

    def may_be_running(self, now: datetime) -> bool:
        """Whether the kernel that took the answer up has time left to report back."""
        return self.until is not None and now < datetime.fromisoformat(self.until)

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        when = f" at {self.at}" if self.at else ""
        return (
            f"It was answered{who}{when}, and the node has not reported back: what it did is in doubt, or it "
            "is still running in another kernel. Look at what it does, then retry() runs it again with that "
            "answer, ask_again() asks anew."
        )


def error_of(snapshot: Snapshot) -> str | None:
    """Return what the failed tasks of a snapshot raised, or None."""
    failed = [f"node {w.task.name!r} raised {w.task.error}" for w in waiting_tasks(snapshot) if w.task.error]
    return "; ".join(failed) or None


def open_questions(
    snapshot: Snapshot,
    reading: Reading,
    *,
    at_breakpoint: bool,
    doubts: Sequence[Doubt] = (),
    asked_at: str | None = None,
) -> list[Question]:
    """Return the questions of a thread's newest snapshot (`get_state(subgraphs=True)`).

    Args:
        snapshot: where the thread stands.
        reading: how to read it.
        at_breakpoint: the run that led here stopped at a static breakpoint; see `stopped_before`.
        doubts: answers that were taken up and not done with; their questions are returned with a `doubt`.
        asked_at: when the run paused, UTC, ISO 8601; None takes the time of the checkpoint.
    """
    waiting = waiting_tasks(snapshot)
    asked_at = asked_at or snapshot.created_at
    doubtful = {doubt.interrupt_id for doubt in doubts}
    asked = [
        _interrupt_question(found, interrupt, snapshot, reading, asked_at)
        for found in waiting
        for interrupt in found.task.interrupts
        if interrupt.id not in doubtful
    ]
    asked += _doubtful_questions(waiting, doubts, snapshot, reading, asked_at)
    if asked or not at_breakpoint or any(found.task.error for found in waiting) or not waiting:
        return asked
    question = _breakpoint_question(waiting, snapshot, reading, asked_at)
    passed = next((str(doubt) for doubt in doubts if doubt.kind == "breakpoint"), None)
    return [replace(question, doubt=passed)]


def _doubtful_questions(
    waiting: list[Waiting], doubts: Sequence[Doubt], root: Snapshot, reading: Reading, asked_at: str | None
) -> list[Question]:
    questions = []
    for doubt in doubts:
        if doubt.kind == "interrupt":
            interrupt = Interrupt(doubt.payload, doubt.interrupt_id)
            for found in _answered_tasks(waiting, doubt, root):
                question = _interrupt_question(found, interrupt, root, reading, asked_at)
                questions.append(replace(question, doubt=str(doubt)))
    return questions


def _answered_tasks(waiting: list[Waiting], doubt: Doubt, root: Snapshot) -> list[Waiting]:
    """Return the task that was given the answer in doubt; none if it has failed since.

    A called graph may have gone on with it to another of its nodes: then it is the task that calls the graph.
    """
    asking = [found for found in waiting if found.task.id == doubt.task_id]
    below = asking or [found for found in waiting if _is_below_the_asking(found, doubt)]
    if any(found.task.error for found in below):
        return []
    callers = {found.root_id for found in below}
    return asking or [Waiting(task, root, task.id, (task.name,)) for task in root.tasks if task.id in callers]


def _is_below_the_asking(found: Waiting, doubt: Doubt) -> bool:
    """Whether a task belongs to the task of the outermost graph that has asked, itself or by a graph that it calls."""
    if not doubt.ns:
        return found.root_id == doubt.task_id
    name, _, task_id = doubt.ns.partition(NS_SEP)[0].partition(NS_END)
    return name == found.path[0] and task_id in ("", found.root_id)


def stopped_before(snapshot: Snapshot, parent_nodes: tuple[str, ...], reading: Reading) -> bool:
    """Whether a thread that nobody saw pausing stands at a static breakpoint of its graph.

    `parent_nodes` are the nodes that ran last, for breakpoints after a node.
    """
    if not snapshot.next or any(found.task.error for found in waiting_tasks(snapshot)):
        return False
    if snapshot.next == ("__start__",):
        return False
    before = reading.before == "*" or any(node in reading.before for node in snapshot.next)
    after = bool(parent_nodes) and (
        reading.after == "*" or any(node in reading.after for node in parent_nodes)
    )
    return before or after


def _checkpoint_id(snapshot: Snapshot) -> str:
    return str(snapshot.config["configurable"].get("checkpoint_id", ""))


def _ns(snapshot: Snapshot) -> str:
    return str(snapshot.config["configurable"].get("checkpoint_ns", ""))


def _interrupt_question(
    found: Waiting, interrupt: Any, root: Snapshot, reading: Reading, asked_at: str | None
) -> Question:
    question = make_question(
        id=interrupt.id,
        kind="interrupt",
        thread_id=reading.thread_id,
        node="/".join(found.path),
        payload=interrupt.value,
        ns=_ns(found.snapshot),
        checkpoint_id=_checkpoint_id(root),
        task_id=found.root_id,
        response_schema=getattr(interrupt, "response_schema", None),
        asked_at=asked_at,
        replies=reading.replies,
    )
    return replace(question, starts=max(1, getattr(found.task, "starts", 1)))


def _breakpoint_question(
    waiting: list[Waiting], root: Snapshot, reading: Reading, asked_at: str | None
) -> Question:
    first = waiting[0]
    snapshot = first.snapshot
    nodes = list(dict.fromkeys("/".join(found.path) for found in waiting if found.snapshot is snapshot))
    node = ", ".join(nodes)
    place = [reading.thread_id, _ns(snapshot), _checkpoint_id(snapshot), *sorted(nodes)]
    return make_question(
        id=hashlib.sha256("\0".join(place).encode()).hexdigest()[:32],
        kind="breakpoint",
        thread_id=reading.thread_id,
        node=node,
        payload=breakpoint_payload(snapshot, node, [found.task for found in waiting]),
        ns=_ns(snapshot),
        checkpoint_id=_checkpoint_id(root),
        task_id=first.root_id,
        asked_at=asked_at,
        routes=next((reading.routes[name] for name in nodes if name in reading.routes), (END,)),
    )


def breakpoint_payload(snapshot: Snapshot, node: str, tasks: list[Task]) -> dict[str, Any]:
    """Return what a breakpoint asks about: the pending tool calls, else what the node would start with."""
    if found := pending_tool_calls(snapshot.values):
        _, message = found
        calls = [
            {"name": call["name"], "args": to_plain(call["args"]), "id": call.get("id")}
            for call in _tool_calls(message)
        ]
        return {"tool_calls": calls}
    given = getattr(tasks[0], "input", None)
    plain = to_plain(snapshot.values if given is None else given)
    return {"node": node, "input": plain if isinstance(plain, dict) else {"value": plain}}


def _tool_calls(message: Any) -> list[Any]:
    if isinstance(message, Mapping):
        return list(message.get("tool_calls") or ())
    return list(getattr(message, "tool_calls", None) or ())


def pending_tool_calls(values: Any) -> tuple[str, Any] | None:
    """Return `(state key, message)` of the tool calls that nobody has answered yet, or None.

    They are pending if the newest message of a list of messages is the one that makes them.
    """
    if not isinstance(values, Mapping):
        values = fields_of(values)
    keys = sorted(values, key=lambda key: key != "messages")
    for key in keys:
        messages = values[key]
        if isinstance(messages, list) and messages:
            calls = _tool_calls(messages[-1])
            if calls and all(
                isinstance(call, Mapping) and "name" in call and "args" in call for call in calls
            ):
                return key, messages[-1]
    return None


def fields_of(values: Any) -> dict[str, Any]:
    """Return the fields of a state that is a dataclass or a pydantic model, else nothing."""
    kind = type(values)
    fields = getattr(kind, "__dataclass_fields__", None) or getattr(kind, "model_fields", None)
    return {name: getattr(values, name) for name in fields} if fields else {}
