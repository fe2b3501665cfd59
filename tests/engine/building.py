"""Graphs, stored checkpoints and a run driven by hand, for tests of code that decides and does no I/O."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from nbhitl.checkpoint.records import CheckpointKey, Claim, Frame, StepRecord, StoredCheckpoint
from nbhitl.constants import PULL, PUSH, START
from nbhitl.engine.events import Stream
from nbhitl.engine.instructions import (
    Abandon,
    Abandoned,
    Await,
    Clock,
    Outcome,
    Settings,
    Show,
    Start,
    StoreCall,
)
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.progress import Progress
from nbhitl.engine.running import Run
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.graph import StateGraph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbhitl.engine.program import Program

NOON = "2026-01-01T12:00:00.000000+00:00"


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    total: Annotated[int, operator.add]
    last: str


def idle(state: Any) -> None:
    """A node that is never run here: the tests say what it wrote."""


def builder(nodes: Iterable[str], *edges: tuple[Any, str], schema: Any = State) -> StateGraph:
    """A graph of idle nodes; an edge from a tuple of nodes waits for all of them."""
    graph = StateGraph(schema)
    for name in nodes:
        graph.add_node(name, idle)
    for source, target in edges:
        graph.add_edge(list(source) if isinstance(source, tuple) else source, target)
    return graph


def program_of(nodes: Iterable[str], *edges: tuple[Any, str], schema: Any = State) -> Program:
    return builder(nodes, *edges, schema=schema).compile().program


def chain(*nodes: str) -> Program:
    return program_of(nodes, *zip((START, *nodes), nodes, strict=False))


def pulled(name: str, step: int = 1, checkpoint: str = "cp") -> Task:
    """A task that an edge started."""
    return Task(name, (PULL, name), (f"branch:to:{name}",), step, checkpoint, "")


def pushed(name: str, number: int, arg: Any = None, checkpoint: str = "cp") -> Task:
    """A task that a Send started."""
    return Task(name, (PUSH, number, False), (PUSH,), 1, checkpoint, "", arg)


def wrote(task: Task, **update: Any) -> TaskResult:
    return TaskResult(task, list(update.items()))


def stored(
    values: dict[str, Any],
    *triggers: str,
    writes: Iterable[tuple[str, str, Any]] = (),
    step: int = 0,
    checkpoint: str = "cp",
    **frame: Any,
) -> StoredCheckpoint:
    """A checkpoint as a saver gives it back; `triggers` are the nodes that run next."""
    channels = tuple(name if name.startswith("_") else f"branch:to:{name}" for name in triggers)
    metadata = {"source": "loop", "step": step, "parents": {}}
    return StoredCheckpoint(
        "t", "", checkpoint, None, NOON, metadata, Frame(channels, **frame), values, list(writes)
    )


class Hand:
    """A run of which the test is the driver: `play` answers every instruction and returns them in short.

    `plays` says what each node leaves: an update, a list of writes, an exception, or a tuple of questions.
    """

    def __init__(
        self,
        program: Program,
        plays: Mapping[str, Any],
        *,
        keeps: bool = True,
        modes: tuple[str, ...] = (),
        **settings: Any,
    ) -> None:
        self.program = program
        self.plays = plays
        self.chunks: list[Any] = []
        self.claims: list[Claim] = []
        self.records: list[StepRecord] = []
        self.names: dict[str, str] = {}
        self.count = 0
        self.settings = Settings(program.output_keys, **settings)
        self.keeps = keeps
        self.modes = modes
        self.at_once = 1  # how many tasks of those that run have ended when the run asks
        self.outcome: Outcome | None = None

    def new_id(self) -> str:
        self.count += 1
        return f"cp{self.count}"

    def progress(self, durability: str = "sync") -> Progress:
        run = Run(self.program, {}, Stream(self.modes, self.chunks.append, lambda: NOON))
        run.thread_id = "t"
        run.saver = self if self.keeps else None
        run.durability = durability  # type: ignore[assignment]
        return Progress(
            run, self.settings, Clock(lambda: (self.new_id(), NOON), lambda: NOON, lambda _: None)
        )

    def play(
        self,
        input: Any,
        found: StoredCheckpoint | None = None,
        *,
        arrival: Callable[[list[Task]], list[Task]] = list,
        refusals: Mapping[str, Exception] | None = None,
        refused: int = 1000,
        **how: Any,
    ) -> list[Any]:
        """Return the instructions of a run in short; `refusals` are the store calls that fail, the first `refused`."""
        steps = superstep_loop(self.progress(**how), input, CheckpointKey("t", ""))
        running: list[Task] = []
        seen: list[Any] = []
        answer: Any = None
        try:
            wanted = next(steps)
            while True:
                self.note(wanted)
                if not is_look_at_kept(wanted):
                    seen.append(brief(wanted, self.names))
                refusal = (refusals or {}).get(wanted.method) if isinstance(wanted, StoreCall) else None
                if refusal is not None and refused:
                    refused -= 1
                    wanted = steps.throw(refusal)
                    continue
                if isinstance(wanted, Start):
                    running = arrival(wanted.tasks)
                answer = self.answer(wanted, running, found)
                wanted = steps.send(answer)
        except StopIteration as end:
            self.outcome = end.value
        except Exception as error:
            seen.append(error)
        return seen

    def note(self, wanted: Any) -> None:
        """Remember the names of tasks, and the checkpoints."""
        if isinstance(wanted, StoreCall) and wanted.method == "put_step":
            self.records.append(wanted.args[0])
        tasks = wanted.tasks if isinstance(wanted, Start) else [wanted] if isinstance(wanted, Task) else []
        self.names.update({task.id: task.name for task in tasks})

    def saved_results(self) -> list[list[str]]:
        """Whose results each checkpoint was saved with."""
        return [[result.name for result in record.results] for record in self.records]

    def answer(self, wanted: Any, running: list[Task], found: StoredCheckpoint | None) -> Any:
        if isinstance(wanted, StoreCall):
            return {"load": found, "claims": self.claims}.get(wanted.method)
        if isinstance(wanted, Task):
            return self.result(wanted)
        if isinstance(wanted, Await):
            return [self.result(running.pop(0)) for _ in range(min(self.at_once, len(running)))]
        if isinstance(wanted, Abandon):
            rest, running[:] = list(running), []
            return Abandoned(late=[self.result(task) for task in rest])
        return None

    def result(self, task: Task) -> TaskResult:
        left = task.input if task.name == START else self.plays[task.name]
        if isinstance(left, BaseException):
            return TaskResult(task, [], error=left)
        if isinstance(left, tuple):
            return TaskResult(task, [], interrupts=left)
        writes = left if isinstance(left, list) else list(left.items())
        return TaskResult(task, [*writes, *self.program.nodes[task.name].routes])


def is_look_at_kept(wanted: Any) -> bool:
    """Whether the engine asks for what a pause of this process kept: here, always for nothing."""
    return isinstance(wanted, StoreCall) and wanted.method == "answer_pause"


def brief(wanted: Any, names: Mapping[str, str]) -> Any:
    """An instruction in short; `names` are those of tasks, by id."""
    if isinstance(wanted, Task):
        return ("run", wanted.name)
    if isinstance(wanted, Start):
        return ("start", [task.name for task in wanted.tasks])
    if isinstance(wanted, StoreCall) and wanted.method == "put_pending":
        return _pending(*wanted.args, names)
    if isinstance(wanted, StoreCall):
        return _BRIEF[wanted.method](*wanted.args)
    return {Await: "await", Abandon: "abandon", Show: "show"}[type(wanted)]


def _step(record: Any) -> tuple[Any, ...]:
    changes = {**record.values, **{f"{key} +": items for key, items in record.appended.items()}}
    nexts = tuple(trigger.removeprefix("branch:to:") for trigger in record.frame.triggers)
    return ("put_step", record.metadata["source"], record.metadata["step"], changes, nexts)


def _pending(key: CheckpointKey, tasks: Any, names: Mapping[str, str]) -> tuple[Any, ...]:
    left = {names.get(task.task_id, task.name): list(task.writes) for task in tasks}
    return ("put_pending", key.checkpoint_id, left)


def _pause(record: Any) -> tuple[Any, ...]:
    asked = [(q.node, q.kind, q.payload) for q in record.questions]
    return ("put_pause", record.checkpoint_id, [task.name for task in record.tasks], asked)


_BRIEF: dict[str, Callable[..., Any]] = {
    "load": lambda key, share=False: ("load", key.checkpoint_id),
    "put_step": _step,
    "put_pause": _pause,
    "claims": lambda thread_id: ("claims", thread_id),
    "claim": lambda request: ("claim", request.checkpoint_id, request.answers),
    "release": lambda thread_id, ns, checkpoint_id, ids: ("release", checkpoint_id, ids),
}
