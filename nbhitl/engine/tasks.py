"""A task and its result: data in, data out, so that a task can run anywhere."""

from __future__ import annotations

from functools import lru_cache
from itertools import count, repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import quick, sparse
from nbhitl.checkpoint.task_ids import digest_id, task_id
from nbhitl.constants import NS_END, NS_SEP, PULL, PUSH
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbhitl.cache.base import FullKey
    from nbhitl.errors import NodeError
    from nbhitl.types import Interrupt, TimeoutPolicy

Path = tuple[Any, ...]
_NO_ANSWERS: Mapping[str, Any] = MappingProxyType({})


@lru_cache(maxsize=4096)
def interrupt_id(task_ns: str, index: int) -> str:
    """Return the id of a task's interrupt number `index`: 32 hex digits."""
    return digest_id(task_ns if index == 0 else f"{task_ns}{NS_SEP}{index}")


def interrupt_ids(task_ns: str, index: int) -> Iterator[str]:
    """Return the ids of a task's interrupts from number `index` on."""
    return map(interrupt_id, repeat(task_ns), count(index))


def task_namespace(ns: str, name: str, id: str) -> str:
    """Return the namespace of what a task calls.

    >>> task_namespace("a:1", "b", "2")
    'a:1|b:2'
    """
    return f"{ns}{NS_SEP}{name}{NS_END}{id}" if ns else f"{name}{NS_END}{id}"


@sparse
class Task:
    """One run of one node in one step. `id` is made by the planner, lazily where nothing needs it.

    `input` is what a Send carried; tasks started by an edge read the state when they start. `writes` are those
    of an earlier run of the same step, for a task that is already done; `answers` what it was answered so far,
    `{interrupt id: [id, what was asked, answer]}`. `returned` stands for what the node would return, in an
    update from outside: the node does not run. `cache_key` names the task's result in the cache, `from_cache` tells
    that its writes were found there. `failed` and `error` are what a task of an error handler is about. `starts` is
    how often its node started in earlier runs, as far as they saved it. `script` are the first questions that the node
    is known to ask outside of any scope, with their answers, in order; neither can be changed in place.
    """

    name: str
    path: Path
    triggers: tuple[str, ...]
    step: int
    checkpoint_id: str
    ns: str
    input: Any = None
    timeout: TimeoutPolicy | None = None
    writes: list[tuple[str, Any]] | None = None
    answers: Mapping[str, Sequence[Any]] = _NO_ANSWERS
    returned: Any = MISSING
    cache_key: FullKey | None = None
    from_cache: bool = False
    failed: Task | None = None
    error: NodeError | None = None
    starts: int = 0
    script: Sequence[tuple[Any, Any]] = ()
    _id: str | None = None
    _namespace: str | None = None

    @property
    def id(self) -> str:
        """The task's id; the same for the same task of the same checkpoint."""
        if self._id is None:
            self._id = task_id(self.checkpoint_id, self.ns, self.step, self.name, self.path)
        return self._id

    @property
    def namespace(self) -> str:
        """The namespace of the graphs that the task calls."""
        if self._namespace is None:
            self._namespace = task_namespace(self.ns, self.name, self.id)
        return self._namespace

    @property
    def is_push(self) -> bool:
        """Whether a Send started the task, not an edge."""
        return bool(self.path[0] == PUSH)


@sparse
class TaskResult:
    """What a task left: its writes, or the questions that it asks, or its error.

    `interrupts` is None for a task that does not pause, and empty for one that stopped at a breakpoint of a
    graph that it called. `cached` tells writes that come from an earlier run or from a cache.
    `attempts` is how often the node started in this run. `cancelled` tells a task that was stopped on its way, which
    shows as its error.
    """

    task: Task
    writes: list[tuple[str, Any]]
    interrupts: tuple[Interrupt, ...] | None = None
    error: BaseException | None = None
    cached: bool = False
    attempts: int = 1
    cancelled: bool = False


new_task, new_result = quick(Task), quick(TaskResult)


def apply_order(result: TaskResult) -> tuple[int, Any]:
    """Sort key of the order in which writes are applied: edge-started tasks by name, then Sends by index."""
    path = result.task.path
    return (0, path[1]) if path[0] == PULL else (1, _push_order(path))


def plan_order(result: TaskResult) -> tuple[bool, object]:
    """Sort key of the order in which tasks are planned, and what they ask is listed: Sends first, nodes by name."""
    path = result.task.path
    return (not result.task.is_push, path[1])


def _push_order(path: Path) -> Any:
    # A task called by a task carries its caller's path as its second element.
    return tuple(str(part).rjust(10, "0") if isinstance(part, int) else str(part) for part in path[1:])
