"""How a question is answered at most once: the states of a claim, and what moves it. No clock, no store.

    open ──> recorded ──> delivered ──> applied
      └───────────────────────^
    open, recorded ──> dropped            the thread went on without an answer
    dropped ──> delivered                 who answers names the checkpoint, and so begins a branch there
    delivered ──> open                    released: the answer did not fit, nothing had run

`recorded` is an answer that nobody has delivered yet. `delivered` has an owner and a lease: the answer is on
its way into the node. `applied` is final: what the node did with it is saved. A delivered claim whose lease
is over is in doubt: its owner may have died before or after the effect.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._slotted import of_fields
from nbhitl.checkpoint.records import Claim
from nbhitl.checkpoint.task_ids import digest_id
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, ReviewError, StoreError, UnknownInterruptError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

OPEN, RECORDED, DELIVERED, APPLIED, DROPPED = "open", "recorded", "delivered", "applied", "dropped"

BREAKPOINT = "breakpoint"
"""The kind of a question that a static breakpoint asks; the other is `interrupt`."""

LIVE = frozenset({OPEN, RECORDED, DELIVERED})
"""States in which something can still happen to a question."""


class Question(NamedTuple):
    """A question and its claim, as stored; the fields are the columns of table `questions`.

    `payload` and `answer` are encoded. Times are UTC, ISO 8601.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    interrupt_id: str
    task_id: str
    node: str
    kind: str
    payload: bytes
    digest: str
    asked_at: str
    state: str = OPEN
    answer: bytes | None = None
    by: str | None = None
    at: str | None = None
    owner: str | None = None
    lease_until: str | None = None


new_question = of_fields(Question)
UNANSWERED = (OPEN, None, None, None, None, None)
"""The last fields of a question that is open."""


def _moved(
    question: Question,
    state: str,
    answer: bytes | None = None,
    by: str | None = None,
    at: str | None = None,
    owner: str | None = None,
    lease_until: str | None = None,
) -> Question:
    """Return the question with another claim; `_replace`, which looks fields up by name, takes four times as long."""
    return new_question((*question[:_CLAIM], state, answer, by, at, owner, lease_until))


_CLAIM = Question._fields.index("state")


def claimed_as(question: Question, other: Question) -> Question:
    """Return the question with the claim of `other`."""
    return new_question((*question[:_CLAIM], *other[_CLAIM:]))


def breakpoint_id(thread_id: str, checkpoint_id: str, task_id: str) -> str:
    """Return the id of the question that a static breakpoint before or after a task asks: 32 hex digits."""
    return digest_id(f"{thread_id}/{checkpoint_id}/{task_id}")


def instant(text: str) -> datetime:
    """Return an ISO 8601 time in UTC; without an offset it is taken as UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is UTC:
        return at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_SPELT, _DATE = len("2000-01-01T00:00:00.000000+00:00"), len("2000-01-01")


def moment(text: str) -> str:
    """Return an ISO 8601 time in the one spelling that sorts as text: UTC, microseconds."""
    if len(text) == _SPELT and text[_DATE] == "T" and text.endswith("+00:00"):
        return text
    return instant(text).isoformat(timespec="microseconds")


def is_in_doubt(claim: Claim | Question, now: str) -> bool:
    """Whether the answer was taken up by someone whose time to report is over."""
    return (
        claim.state == DELIVERED
        and claim.lease_until is not None
        and _stored(claim, claim.lease_until) <= moment(now)
    )


def _stored(claim: Claim | Question, text: str) -> str:
    """Return a `moment` of a claim's, as it was stored.

    Raises:
        StoreError: it is none: somebody else has written there.
    """
    try:
        return moment(text)
    except ValueError:
        place = f"{claim.thread_id!r}, {claim.ns!r}, {claim.checkpoint_id!r}, [{claim.interrupt_id!r}]"
        raise StoreError(
            f"thread {claim.thread_id!r}, checkpoint {claim.checkpoint_id}, question {claim.interrupt_id}: its claim has "
            f"no readable time ({text!r}). Look at what its node has done, then open the question again, by "
            f"saver.release({place}), or restore the store from a copy."
        ) from None


def ask(new: Question, before: Question | None) -> Question:
    """Return the question as it stands after being asked (again).

    A claim that somebody holds is left alone: who asks again may have loaded the thread before it was made.
    """
    if before is None:
        return new
    if before.state in (OPEN, DROPPED) and before.digest != new.digest:
        return new
    if before.state == DROPPED:
        return before._replace(state=OPEN)
    return before


def take(
    question: Question,
    answer: bytes,
    by: str | None,
    at: str,
    owner: str,
    lease: float,
    *,
    passed_over: bool = False,
) -> Question:
    """Return the question with the answer on its way; with `passed_over` the thread may have gone on without one.

    Raises:
        AlreadyAnswered: somebody's answer came first, or the thread went on without one.
        AnswerInDoubt: somebody's answer was taken up and never reported back.
    """
    at = moment(at)
    until = _lease_end(at, lease)
    if question.state == RECORDED:
        if question.answer != answer:
            raise _taken(question)
        by, at = question.by, at if question.at is None else _stored(question, question.at)
    elif question.state != OPEN and not (passed_over and question.state == DROPPED):
        if is_in_doubt(question, at):
            raise AnswerInDoubt(
                f"{_named(question)} was answered {_who(question)}, but whether the node ran with it "
                "is not known: its owner did not report back. Look at what the node does, then release the "
                "question to answer it again, or drop it."
            )
        raise _taken(question)
    return _moved(question, DELIVERED, answer, by, at, owner, until)


def take_unread(
    key: tuple[str, str, str, str, str], answer: bytes, by: str | None, at: str, owner: str, lease: float
) -> Question:
    """Return what `take` makes of a question that should be open, without what it asks; `key` is up to its task."""
    at = moment(at)
    return new_question((*key, *_UNREAD, DELIVERED, answer, by, at, owner, _lease_end(at, lease)))


_UNREAD = ("", "", b"", "", "")


def _lease_end(at: str, lease: float) -> str:
    """Return when a lease is over that begins at a `moment`."""
    if lease % 1:
        return (instant(at) + timedelta(seconds=lease)).isoformat(timespec="microseconds")
    return _later(at[:_SECONDS], int(lease)) + at[_SECONDS:]


_SECONDS = len("2000-01-01T00:00:00")


@lru_cache(maxsize=8)
def _later(second: str, lease: int) -> str:
    """Return the second in which a lease is over: to spell a time takes a third of what it takes to claim an answer."""
    return (datetime.fromisoformat(second) + timedelta(seconds=lease)).isoformat()


def record(question: Question, answer: bytes, by: str | None, at: str) -> Question:
    """Return the question with an answer that is not delivered yet.

    Raises:
        AlreadyAnswered: somebody's answer came first, or the thread went on without one.
    """
    if question.state != OPEN:
        raise _taken(question)
    return _moved(question, RECORDED, answer, by, moment(at), question.owner, question.lease_until)


def taken_back(place: tuple[str, str, str], interrupt_ids: Sequence[str]) -> UnknownInterruptError:
    """Return the error for an answer that would deliver others along which were taken back."""
    return UnknownInterruptError(
        f"Thread {place[0]!r}, checkpoint {place[2]}: the answer that its task had to {', '.join(interrupt_ids)} was "
        "taken back meanwhile. Nothing was saved: answer once more.",
        reason="not_pending",
        interrupt_ids=interrupt_ids,
        pending_ids=interrupt_ids,
    )


def release(question: Question) -> Question:
    """Return the question, open again, without an answer.

    Raises:
        AlreadyAnswered: the answer was applied, or the thread went on without one.
    """
    if question.state not in LIVE:
        raise _taken(question)
    return _moved(question, OPEN)


def renew(question: Question, owner: str, at: str, lease: float) -> Question:
    """Return the question with a new lease for its owner.

    Raises:
        AlreadyAnswered: the claim is somebody else's, or is over.
    """
    if question.state != DELIVERED or question.owner != owner:
        raise _taken(question)
    return question._replace(lease_until=_lease_end(moment(at), lease))


def drop(question: Question) -> Question:
    """Return the question as one that nobody will answer any more."""
    return (
        question._replace(state=DROPPED, owner=None, lease_until=None) if question.state in LIVE else question
    )


def drop_open(question: Question) -> Question:
    """Return the question as one that nobody will answer any more, if nobody has."""
    return drop(question) if question.state == OPEN else question


def after_step(
    question: Question, ns: str, parent_id: str | None, source: str | None, made: str = ""
) -> Question:
    """Return the question after the checkpoint `made` was saved in namespace `ns` of its thread.

    An answer delivered at the parent has had its effect. What was still open belongs to a checkpoint that is
    not the newest any more; unless `made` is older, and comes late from a run that raced with the one that asks.
    The same holds for namespaces below: their parent's step is over.
    """
    below = question.ns != ns and (ns == "" or question.ns.startswith(f"{ns}|"))
    if question.ns != ns and not below:
        return question
    if question.state == DELIVERED:
        done = question.checkpoint_id == parent_id or (below and source == "loop")
        return _applied(question) if done else question
    return question if made and made < question.checkpoint_id else drop(question)


def after_pause(question: Question, tasks: Collection[str], asked: Collection[str]) -> Question:
    """Return the question after its checkpoint's tasks paused (again), asking the questions `asked`.

    A task that asks its next question has used up the answers before it; they are saved with the pause.
    """
    consumed = question.task_id in tasks and question.interrupt_id not in asked
    return _applied(question) if question.state == DELIVERED and consumed else question


def after_results(question: Question, finished: Collection[str], failed: Collection[str]) -> Question:
    """Return the question after tasks of its checkpoint saved results or errors.

    A task with saved results never runs again: its answer has been applied. After an error the answer is
    still delivered, and nothing is in doubt.
    """
    if question.state != DELIVERED:
        return question
    if question.task_id in finished:
        return _applied(question)
    if question.task_id in failed:
        return question._replace(lease_until=None)
    return question


def report(question: Question, *, failed: bool) -> Question:
    """Return the question after the node of its task is done with a delivered answer, or has raised an error."""
    if question.state != DELIVERED:
        return question
    return question._replace(lease_until=None) if failed else _applied(question)


def _applied(question: Question) -> Question:
    return _moved(question, APPLIED, question.answer, question.by, question.at)


def _named(question: Question) -> str:
    # Beside savers that keep no claims, the node is not known.
    of = f" of node {question.node!r}" if question.node else ""
    return f"The question{of} (interrupt {question.interrupt_id}, thread {question.thread_id!r})"


def _who(question: Question) -> str:
    return f"by {question.by or 'someone'} at {question.at}"


def _taken(question: Question) -> ReviewError:
    if question.state == DROPPED:
        return AlreadyAnswered(
            f"{_named(question)} is not open any more: the thread went on without an answer. "
            "Look at the thread's newest state for what it asks now.",
            at=question.at,
        )
    if question.state == OPEN:
        return AlreadyAnswered(f"{_named(question)} is held by nobody; claim it first.")
    return AlreadyAnswered(
        f"{_named(question)} was already answered {_who(question)}. This answer was not used.",
        by=question.by,
        at=question.at,
    )


def answered(question: Question, answer: Any) -> Claim:
    """Return how a question stands whose answer is known."""
    _, by, at, owner, lease_until = question[_CLAIM + 1 :]
    return _claim((*question[:4], question.state, answer, by, at, owner, lease_until))


_claim = of_fields(Claim)
