"""A run, and a task while it runs: what code inside a node can see and do."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import is_dataclass
from operator import length_hint
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.task_ids import digest_id
from nbhitl.constants import FIRST_STEP, NS_SEP
from nbhitl.engine.task_config import TASK_KEY, task_config, task_metadata, task_runtime
from nbhitl.engine.tasks import interrupt_ids
from nbhitl.errors import GraphInterrupt
from nbhitl.types import MISSING, Interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nbhitl.checkpoint.steps import StepSaver
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.events import Stream
    from nbhitl.engine.program import Node, Program
    from nbhitl.engine.tasks import Task
    from nbhitl.engine.timeouts import Pulse
    from nbhitl.engine.traces import OpenRun
    from nbhitl.runtime import RunControl, Runtime
    from nbhitl.types import Durability

__all__ = ["TASK_KEY", "Run", "RunningTask"]

_SCOPE: ContextVar[str] = ContextVar("nbhitl_scope", default="")
_NOWHERE: dict[str, str] = {}
# Tasks that run at once ask for one signal; a called graph asks its caller's run for it.
_SIGNALS = RLock()


class Run:
    """One call of a graph: its settings, and what its tasks share.

    `checkpoint_map` are the checkpoints of the runs above, `{ns: checkpoint id}`; `children` those of called graphs
    that keep state of their own; `start_map` those that a caller named to start from, `asked_map` to answer at.
    `anew` is set on a run that repeats a checkpoint, and with it the graphs that it calls there: of their states only
    those count that were saved before the checkpoint named here.
    `answers` is `{interrupt id: (what was asked, answer)}` for every answer that this run may deliver; `updated` says
    that it goes on from a change by hand, so that answers may be for what a called graph asked before it; `carried`
    are the ids of those that were given now. `wrapped` says that a Runnable of LangChain's has made the call.
    """

    __slots__ = (
        "anew",
        "answers",
        "asked_map",
        "asynchronous",
        "cache",
        "carried",
        "checkpoint_map",
        "children",
        "config",
        "context",
        "control",
        "durability",
        "journal",
        "max_concurrency",
        "ns",
        "parent",
        "program",
        "replay_check",
        "resuming",
        "saver",
        "start_map",
        "stateful",
        "step_timeout",
        "stop",
        "store",
        "stream",
        "thread_id",
        "trace",
        "updated",
        "wrapped",
    )

    def __init__(
        self, program: Program, config: RunnableConfig, stream: Stream, *, parent: RunningTask | None = None
    ) -> None:
        self.program = program
        self.config = config
        self.stream = stream
        self.parent = parent
        self.ns = ""
        self.thread_id: str | None = None
        self.saver: Any = None
        self.store: Any = None
        self.cache: Any = None
        self.context: Any = None
        self.control: RunControl | None = None
        self.durability: Durability = "async"
        self.max_concurrency: int | None = None
        self.step_timeout: float | None = None
        self.resuming = False
        self.stateful = False
        self.replay_check = "payload"
        self.answers: Mapping[str, Sequence[Any]] = {}
        self.carried: frozenset[str] = frozenset()
        self.updated = False
        self.checkpoint_map: dict[str, str] = {}
        self.children: dict[str, str] = {}
        self.start_map: dict[str, str] = {}
        self.asked_map: dict[str, str] = _NOWHERE
        self.anew: str | None = None
        self.stop = 0
        # What `once()` has done, for a run without a saver.
        self.journal: StepSaver | None = None
        self.asynchronous = False
        self.trace: OpenRun | None = None
        self.wrapped = False

    def kept_by(self) -> Run:
        """Return the run whose checkpoints this one is part of: itself, or the nearest above that has a saver."""
        run = self
        while run.saver is None and run.parent is not None:
            run = run.parent.run
        return run

    def stop_signal(self) -> RunControl:
        """Return what asks the run to stop: the caller's, or the outermost run's, made when a node asks for it."""
        if self.control is None:
            from nbhitl.runtime import RunControl

            made = RunControl if self.parent is None else self.parent.run.stop_signal
            with _SIGNALS:
                if self.control is None:
                    self.control = made()
        return self.control


class RunningTask:
    """A task while its node runs; the engine's implementation of `TaskContext`."""

    # Of most tasks these stay as they are, so an instance holds them once they change.
    attempt = 1
    started_at: float | None = None
    paused: GraphInterrupt | None = None
    # Pauses of this attempt that came before the last one.
    earlier: list[GraphInterrupt] | None = None
    previous: Any = None
    # What the node was called with, if that has happened before the task is told in steps.
    state: Any = MISSING
    pushed: list[tuple[str, Any]] | None = None
    pulse: Pulse | None = None
    # What is left of the task's script.
    script: Iterator[tuple[Any, Any]] = iter(())
    trace: OpenRun | None = None
    # How those who listen are told what the node, or one of its path functions, calls.
    step_tag = FIRST_STEP

    def __init__(self, run: Run, task: Task, node: Node, values: Mapping[str, Any]) -> None:
        self.run = run
        self.task = task
        self.node = node
        self.values = values
        # The ids of the next questions of each scope: {scope: ids}.
        self.next_ids: dict[str, Iterator[str]] = {}
        self.subgraph_calls: dict[str, int] = {}
        # Where the called graphs that keep state of their own are now: {ns: checkpoint id}.
        self.children: dict[str, str] = {}
        if task.script:
            self.script = iter(task.script)

    def restart(self) -> None:
        """Forget what one attempt asked and called: the node starts again from its top."""
        self.next_ids = {}
        self.script = iter(self.task.script)
        self.paused = self.earlier = None
        self.subgraph_calls = {}
        self.pushed = None
        self.children = {}

    # -- what a node can do ------------------------------------------------------------------------------

    def ask(self, value: Any, response_schema: Any, *, strays: bool = False) -> Any:
        """Return the answer to this question, or pause the node.

        An answer belongs to one question, by id: the place of this call among the calls of its scope; and by what
        was asked there.
        """
        if strays:
            self._leave_script(consumed=1)
        scope = _SCOPE.get()
        id = next(self.next_ids.get(scope) or self._ids(scope))
        run = self.run
        entry = self.task.answers.get(id) or run.answers.get(id)
        if run.updated:
            entry = self._of_before(entry, id, value)
        if entry is None:
            raise self.pause(GraphInterrupt((self._question(value, id, response_schema),)))
        _, asked, answer = entry
        if asked and (run.replay_check != "payload" or asked != payload_digest(value)):
            from nbhitl.engine.replay import check_question

            check_question(self, id, asked, value)
        if response_schema is None:
            return answer
        if isinstance(response_schema, type):
            self._let_store_hold(response_schema)
        from nbhitl.engine.answer_schema import validated_answer

        return validated_answer(answer, response_schema)

    def _of_before(self, entry: Sequence[Any] | None, id: str, value: Any) -> Sequence[Any] | None:
        """Return the answer to a question asked after a change by hand: one of before, if that was the same question."""
        from nbhitl.engine.place import carried_answer
        from nbhitl.engine.replay import asks_the_same

        waiting = id
        if entry is None and (found := carried_answer(self, id)) is not None:
            waiting, entry = found
        if entry is not None and waiting in self.run.carried and not asks_the_same(self, entry[1], value):
            return None
        return entry

    def _leave_script(self, consumed: int = 0) -> None:
        """Look up by their ids what is left of the script, and so many of the questions before."""
        left = length_hint(self.script) + consumed
        if left:
            self.next_ids[""] = interrupt_ids(self.task.namespace, len(self.task.script) - left)
        self.script = iter(())

    def _ids(self, scope: str) -> Iterator[str]:
        """Return the ids of the questions that a scope asks, but for those of the script, the first one next."""
        namespace, known = self.task.namespace, len(self.task.script)
        ids = interrupt_ids(f"{namespace}#{scope}", 0) if scope else interrupt_ids(namespace, known)
        self.next_ids[scope] = ids
        return ids

    def _question(self, value: Any, id: str, response_schema: Any) -> Interrupt:
        question = Interrupt(value, id)
        if response_schema is not None:
            from nbhitl.engine.answer_schema import schema_shown

            question.response_schema = schema_shown(response_schema, id)
        if self.run.parent is not None:
            from nbhitl.engine.place import asked_at

            question.place = asked_at(self, id)
        if self.run.replay_check == "site":
            from nbhitl.engine.site import site

            question.site = site()
        return question

    def _let_store_hold(self, answer_type: type) -> None:
        """The node gets its answer as an instance of the schema, and may well write that to the state."""
        register = getattr(getattr(self.run.saver, "serde", None), "register", None)
        if register is not None and (is_dataclass(answer_type) or hasattr(answer_type, "model_fields")):
            register(answer_type)

    def pause(self, error: GraphInterrupt) -> GraphInterrupt:
        """Note that the node is about to pause, and return `error`."""
        if self.paused is not None:
            self.earlier = [*(self.earlier or ()), self.paused]
        self.paused = error
        return error

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Give the questions asked inside their own count, so that parallel calls cannot swap answers."""
        self._leave_script()
        token = _SCOPE.set(name)
        try:
            yield
        finally:
            _SCOPE.reset(token)

    def called_namespace(self) -> str:
        """Return where the next graph that the node calls keeps its checkpoints.

        A second call in one task gets a number, and so does each scope, so that parallel calls keep apart.
        """
        scope = _SCOPE.get()
        calls = self.subgraph_calls.get(scope, 0)
        self.subgraph_calls[scope] = calls + 1
        levels = [self.task.namespace]
        if scope:
            levels.append(str(int(digest_id(scope)[:12], 16)))
        if calls:
            levels.append(str(calls))
        return NS_SEP.join(levels)

    def read_state(self) -> dict[str, Any]:
        """Return the state that the step sees, without managed values."""
        return dict(self.values)

    def write_custom(self, chunk: Any) -> None:
        """Put `chunk` into the stream of mode `custom`, at once."""
        self.sign_of_life()
        self.run.stream.custom(self.run.ns, chunk)

    def push_message(self, message: Any, state_key: str | None) -> None:
        """Put `message` into the stream of mode `messages` at once, and write it to `state_key` when the node ends."""
        self.sign_of_life()
        if self.run.stream.messages:
            self.run.stream.message(self.run.ns, message, self.metadata, once=False)
        if state_key is not None:
            self.push_write(state_key, message)

    def push_write(self, key: str, value: Any) -> None:
        """Write `value` to `key` when the node ends, before what it returns."""
        self.pushed = [*(self.pushed or ()), (key, value)]

    def journal(self) -> tuple[StepSaver, str]:
        """Return where effects of the thread are noted, and the thread's name."""
        from nbhitl.engine.effects import journal_of_run

        return journal_of_run(self.run)

    def heartbeat(self) -> None:
        """Say that the node is alive: its `idle_timeout` counts anew."""
        if self.pulse is not None:
            self.pulse.last = monotonic()
        if self.run.parent is not None:
            self.run.parent.sign_of_life()

    def sign_of_life(self) -> None:
        """Note that the node did something; with `refresh_on="auto"` that is as good as a heartbeat."""
        if self.pulse is not None and self.pulse.auto:
            self.pulse.last = monotonic()
        if self.run.parent is not None:
            self.run.parent.sign_of_life()

    # -- what a node can see -----------------------------------------------------------------------------

    @property
    def config(self) -> RunnableConfig:
        """The run's config, with what identifies this task."""
        return task_config(self)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata of that config: the caller's, and what tells the run and the task."""
        return task_metadata(self)

    @property
    def runtime(self) -> Runtime[Any]:
        """The run's context, store and stream writer, with what identifies this task."""
        return task_runtime(self)

    @property
    def store(self) -> Any:
        """The store given to `compile()`, or None."""
        return self.run.store

    def injected(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return the values of the parameters that the engine fills."""
        return {name: _INJECT[name](self) for name in names}


_INJECT: dict[str, Callable[[RunningTask], Any]] = {
    "config": lambda task: task.config,
    "runtime": lambda task: task.runtime,
    "writer": lambda task: task.write_custom,
    "store": lambda task: task.store,
    "previous": lambda task: task.previous,
}
