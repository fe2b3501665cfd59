"""Take a node's writes from the cache where its input was seen before, and keep those of nodes that ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.task_ids import digest_id
from nbhitl.constants import START
from nbhitl.engine.instructions import Do
from nbhitl.engine.read import read_state

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from nbhitl.cache.base import FullKey, Namespace
    from nbhitl.engine.program import Action, Node
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import Task, TaskResult

_KIND = "__pregel_ns_writes"
_NAMELESS = "__dynamic__"


def cache_namespace(name: str, action: Action) -> Namespace:
    """Return where the results of a node are kept: its name, and the name of the function that it runs."""
    target = None if action.runnable else action.async_ or action.sync
    qualname = getattr(target, "__qualname__", None)
    return (_KIND, _NAMELESS if qualname is None else f"{getattr(target, '__module__', '')}.{qualname}", name)


def look_up(progress: Progress, tasks: Sequence[Task]) -> Generator[Any, Any, None]:
    """Give each task whose result the cache holds its writes, so that it does not run."""
    keys: dict[FullKey, list[Task]] = {}
    cache = progress.run.cache
    for task in tasks:
        node = progress.program.nodes[task.name]
        if node.cache is None or task.writes is not None or task.name == START:
            continue
        task.cache_key = _key(progress, node, task)
        keys.setdefault(task.cache_key, []).append(task)
    if not keys:
        return
    found = yield Do(cache.get, cache.aget, (list(keys),))
    for key, writes in found.items():
        for task in keys[key]:
            task.writes = [(channel, value) for channel, value in writes]
            task.from_cache = True


def keep(progress: Progress, result: TaskResult) -> Generator[Any, Any, None]:
    """Keep what a task wrote, unless a person had a part in it: an answer is for one question alone."""
    task, cache = result.task, progress.run.cache
    policy = progress.program.nodes[task.name].cache
    if task.cache_key is None or policy is None or task.answers or progress.run.answers:
        return
    try:
        entry = {task.cache_key: ([list(write) for write in result.writes], policy.ttl)}
        yield Do(cache.set, cache.aset, (entry,))
    except TypeError as error:
        error.add_note(
            f"While keeping the result of node {task.name!r}, which has a cache_policy, in the cache."
        )
        raise


def _key(progress: Progress, node: Node, task: Task) -> FullKey:
    """The same input gives the same key; so do the node's edges, because the writes say what runs next."""
    if task.is_push:
        build = node.reader.build
        state = build(task.input) if build is not None and isinstance(task.input, dict) else task.input
    else:
        state = read_state(node.reader, progress.head.values, task.step, progress.run.stop)
    assert node.cache is not None
    try:
        made = node.cache.key_func(state)
    except Exception as error:
        error.add_note(
            f"While making the cache key of node {task.name!r} from its input. Give the node's CachePolicy a "
            "key_func that makes a string of it."
        )
        raise
    text = made.hex() if isinstance(made, bytes) else str(made)
    edges = [route for route, _ in node.routes] + [branch.name for branch in node.branches]
    return cache_namespace(task.name, node.action), digest_id(f"{text}/{edges!r}")
