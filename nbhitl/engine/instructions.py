"""What the loop asks its driver to do, and what it is told from outside; plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from nbhitl._slotted import made, quick, slotted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from nbhitl.checkpoint.records import ClaimRequest
    from nbhitl.engine.tasks import Task, TaskResult
    from nbhitl.types import Interrupt


@slotted
class StoreCall:
    """Call this method of the saver and send back what it returns."""

    method: str
    args: tuple[Any, ...]


new_call = quick(StoreCall)


CLAIMING = frozenset({"claim", "answer_pause"})
"""The methods that claim answers."""


def claim_of(call: StoreCall) -> ClaimRequest | None:
    """Return the claim that a call makes, as far as it is known by now; None if it makes none."""
    if call.method not in CLAIMING:
        return None
    claim: ClaimRequest | None = call.args[0] if call.method == "claim" else call.args[0].request
    return claim


class Do(NamedTuple):
    """Call this and send back what it returns: `sync` in a sync run; `async_`, awaited, in an async one."""

    sync: Callable[..., Any]
    async_: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = {}


class Start(NamedTuple):
    """Start these tasks side by side; their results are asked for with AWAIT."""

    tasks: list[Task]


class Await(NamedTuple):
    """Send back the results of the tasks that were started and have ended by now, a list of at least one."""


class Abandon(NamedTuple):
    """Stop the tasks that still run, and send back what they left, an `Abandoned`."""


class Abandoned(NamedTuple):
    """The results of tasks beside which one has failed: `prompt` are those that ended when it did, `late` the others."""

    prompt: Sequence[TaskResult] = ()
    late: Sequence[TaskResult] = ()


class Show(NamedTuple):
    """Let who reads the run's stream have what was reported, before the run goes on."""


AWAIT = Await()
ABANDON = Abandon()
SHOW = Show()

# A bare Task is an instruction too: run it alone, and send back its result.
Instruction = "Task | Start | Await | Abandon | StoreCall | Do | Show"


@slotted
class Clock:
    """Where time and ids come from: `stamp` is a new id, which grows as a string, and the time as `stamps.spelled` takes
    it; `now` is the time, UTC, ISO 8601.

    `catch_up` is told an id that was found in the store: those made later are greater.
    """

    stamp: Callable[[], tuple[str, str | int]]
    now: Callable[[], str]
    catch_up: Callable[[str], None]


@slotted
class Settings:
    """What a caller may set for one run. `by` and `owner` say who answers, and which process takes it up.

    `strict` is LangGraph's strict resume: an empty map of answers is refused, and so is, in the same way, an answer
    that could be for several questions. `single` shows the one output key's value by itself and not in a dict.
    `shows` is made of the output keys.
    """

    output_keys: tuple[str, ...]
    single: bool = False
    interrupt_before: Collection[str] | Literal["*"] = ()
    interrupt_after: Collection[str] | Literal["*"] = ()
    recursion_limit: int = 10007
    metadata: dict[str, Any] = made(factory=dict)
    by: str | None = None
    owner: str = ""
    strict: bool = False
    shows: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.shows = frozenset(self.output_keys)


@slotted
class Outcome:
    """How a run ended. `values` is MISSING when no step wrote what the output shows.

    `paused` tells that the run stopped to ask; `interrupts` are its questions, none at a static breakpoint.
    """

    values: Any
    interrupts: tuple[Interrupt, ...] = ()
    paused: bool = False


new_outcome = quick(Outcome)
