"""What the engine runs: a compiled graph's nodes, keys and triggers, ready for quick look-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._slotted import made, slotted
from nbhitl.engine.keys import KeyKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbhitl.channels.base import BaseChannel
    from nbhitl.engine.keys import KeyRule
    from nbhitl.types import CachePolicy, RetryPolicy, TimeoutPolicy

ROOT = "__root__"
"""The key that holds the whole state of a graph whose schema has no keys."""


@slotted
class Action:
    """What a node or path function runs: at least one of `sync` and `async_`.

    `injects` names the parameters that the engine fills: config, runtime, writer, store, previous.
    `runnable` tells an object with `invoke`/`ainvoke`. `inline` functions are the engine's own: they are never
    worth a worker thread. `steps` is how many steps those who listen hear of.
    """

    name: str
    sync: Callable[..., Any] | None
    async_: Callable[..., Any] | None
    injects: tuple[str, ...] = ()
    runnable: bool = False
    inline: bool = False
    steps: int = 1


@slotted
class Reader:
    """How a node's input is made from the state: which keys, and the type they become.

    `keys` None takes the state as it is. `build` makes a model or dataclass of the dict; None leaves the dict.
    """

    keys: tuple[str, ...] | None
    build: Callable[[dict[str, Any]], Any] | None = None
    root: bool = False
    managed: tuple[tuple[str, Any], ...] = ()


@slotted
class Branch:
    """A conditional edge, ready to run."""

    action: Action
    ends: Mapping[Any, str] | None
    reader: Reader
    merges_return: bool
    name: str


@slotted
class Node:
    """A node, ready to run. `routes` are the writes that start its static successors.

    `is_plain` tells a sync function of the state that is called once, as are the path functions of its branches.
    """

    name: str
    action: Action
    reader: Reader
    routes: tuple[tuple[str, Any], ...] = ()
    branches: tuple[Branch, ...] = ()
    retry: Sequence[RetryPolicy] = ()
    cache: CachePolicy | None = None
    timeout: TimeoutPolicy | None = None
    error_handler: str | None = None
    hidden: bool = False
    metadata: Mapping[str, Any] | None = None
    trace_policy: Any = None
    is_plain: bool = False


@slotted
class Program:
    """A graph, ready to run.

    `starts` maps a trigger channel to the node it starts, `triggers` a node to all its trigger channels. `gates`
    are the triggers that are objects (barriers, deferred nodes); `goto` maps a node's name to its trigger channel.
    `plain`, `reduced` and `objects` are the keys of these kinds; there may be few of them among many.
    `untracked` are the keys that are never saved. A store may hold instances of `schema_types`, and of the classes
    of the program's own: those of its modules, `homes`. `called_namespace` turns a node's name and a task's namespace
    into the namespace of the graph which the node calls, None if it calls none. `build_state` and `build_output` make a
    dict an instance of the schema; None for schemas that are dicts.
    """

    name: str
    keys: dict[str, KeyRule]
    nodes: dict[str, Node]
    starts: dict[str, str]
    gates: dict[str, BaseChannel[Any, Any, Any]]
    goto: dict[str, str]
    output_keys: tuple[str, ...]
    stream_keys: tuple[str, ...]
    root_state: bool = False
    root_output: bool = False
    start: str = "__start__"
    plain: frozenset[str] = frozenset()
    reduced: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    untracked: frozenset[str] = frozenset()
    triggers: dict[str, tuple[str, ...]] = made(factory=dict)
    schema_types: tuple[type, ...] = ()
    homes: frozenset[str] = frozenset()
    called_namespace: Callable[[str, str], str | None] = lambda *_: None
    build_state: Callable[[dict[str, Any]], Any] | None = None
    build_output: Callable[[dict[str, Any]], Any] | None = None
    _rank: dict[str, int] | None = None

    @property
    def rank(self) -> dict[str, int]:
        """The place of each key in the schema."""
        if self._rank is None:
            self._rank = {key: place for place, key in enumerate(self.keys)}
        return self._rank

    def __post_init__(self) -> None:
        self.plain = frozenset(name for name, rule in self.keys.items() if rule.kind is KeyKind.LAST)
        self.reduced = tuple(name for name, rule in self.keys.items() if rule.kind is KeyKind.REDUCE)
        self.objects = tuple(name for name, rule in self.keys.items() if rule.kind is KeyKind.OBJECT)
        self.untracked = frozenset(name for name in self.objects if not self.keys[name].saved)
        self.triggers = {name: (trigger,) for trigger, name in self.starts.items()}
        if len(self.triggers) < len(self.starts):  # joins start nodes as well
            started_by: dict[str, list[str]] = {}
            for trigger, name in self.starts.items():
                started_by.setdefault(name, []).append(trigger)
            self.triggers = {name: tuple(sorted(channels)) for name, channels in started_by.items()}
