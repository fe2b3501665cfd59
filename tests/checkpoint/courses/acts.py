"""What can be done to threads and what they tell then; each act is data, so that every world does the same."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.types import Command, StateUpdate

from .shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .worlds import World

Act = tuple[str, int, int]
"""What is done, to which thread, and a number that draws the rest."""

THREADS = ("t", "u", "t-2")
NODES = (None, "first", "last", "ask", "one", "two", "child", "act", "quiet", "__start__", "nowhere")
LATER = "2199-01-01T00:00:00+00:00"
WAYS = ("async", "sync", "exit")
_UNORDERED = re.compile(r"(?<=open are: )[^.]*", re.IGNORECASE)
"""The ids of what is open, which come as the tasks are sorted: by their ids."""


def course(seed: int | str, length: int) -> tuple[str, list[Act]]:
    """Return a shape and what is done to threads of such a graph."""
    drawn = random.Random(seed)
    kinds = drawn.choices([*ACTS], [weight for weight, _ in ACTS.values()], k=length)
    acts = [(kind, drawn.choice((0, 0, 0, 1, 2)), drawn.randrange(1 << 16)) for kind in kinds]
    return drawn.choice(SHAPES), [("run", 0, 0), *acts]


def done(world: World, act: Act) -> Any:
    """Act; return what came of it, as plain data."""
    kind, thread, number = act
    try:
        return world.plain(ACTS[kind][1](world, THREADS[thread], random.Random(number)))
    except Exception as error:
        return type(error).__name__, _UNORDERED.sub("", world.plain(str(error)))


def told(world: World) -> list[Any]:
    """Return all that a store tells of its threads, as plain data."""
    return [world.plain(each) for each in _tells(world)]


def _tells(world: World) -> Iterator[Any]:
    call, saver = world.call, world.saver
    yield [
        (thread.thread_id, thread.checkpoint_id, thread.open_questions) for thread in call(saver, "threads")
    ]
    for filters in FILTERS:
        yield call(saver, "pending", **filters)
    yield [thread.thread_id for thread in call(saver, "threads", prefix="t", limit=1)]
    yield world.effects
    for name in THREADS:
        yield call(world.graph, "get_state", _at(name), subgraphs=True)
        yield world.every(world.graph, "get_state_history", _at(name))
        yield call(saver, "claims", name)
        yield [entry[:4] for entry in call(saver, "once_entries", name)]
        yield [_in_order(world, stored) for stored in world.every(saver, "history", name, "")]
        yield _in_order(world, call(saver, "load", CheckpointKey(name, "")))


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"states": ("recorded", "delivered")},
    {"states": ("open", "recorded", "delivered", "applied", "dropped")},
    {"node": "ask"},
    {"thread_prefix": "t-"},
    {"limit": 1},
    {"asked_before": LATER, "node": "one", "thread_prefix": "t"},
)


def _in_order(world: World, stored: Any) -> Any:
    """A checkpoint with its writes in an order of their contents: the savers have them by task ids, which are random."""
    if stored is None:
        return None
    about = [stored.checkpoint_id, stored.parent_id, stored.metadata, _sorted(stored.frame), stored.values]
    return about, _writes(world, stored.writes)


def _sorted(frame: Any) -> Any:
    """A frame as a dict; a set, which every process has in another order, as a list."""
    fields = {name: getattr(frame, name) for name in ("triggers", "sends", "start", "writers", "children")}
    return fields | {name: sorted(had) for name, had in frame.channels.items()}


def _writes(world: World, writes: Any) -> Any:
    return sorted(writes, key=lambda write: (world.bare(write[1:]), world.plain(write[0])))


def _at(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


def _then(world: World, thread: str, drawn: random.Random) -> Any:
    """A config: of the thread, or of one of its checkpoints."""
    history = world.every(world.graph, "get_state_history", _at(thread))
    return drawn.choice(history).config if history and drawn.random() < 0.6 else _at(thread)


def _asked(world: World, thread: str) -> list[Any]:
    return [
        q
        for q in world.call(world.saver, "pending", states=("open", "recorded", "delivered"))
        if q.thread_id == thread
    ]


def _value(drawn: random.Random) -> Any:
    return drawn.choice(("yes", "no", "fail", 3, None, {}))


def _result(value: Any) -> Any:
    asked = value.get("__interrupt__", ()) if isinstance(value, dict) else ()
    return value, [(each.id, each.value) for each in asked]


def _run(world: World, thread: str, drawn: random.Random) -> Any:
    given = {"log": [drawn.randrange(9)]}
    return _result(world.call(world.graph, "invoke", given, _at(thread), durability=drawn.choice(WAYS)))


def _go_on(world: World, thread: str, drawn: random.Random) -> Any:
    return _result(world.call(world.graph, "invoke", None, _at(thread), durability=drawn.choice(WAYS)))


def _answer(world: World, thread: str, drawn: random.Random) -> Any:
    """Answer some of what is asked, by id; if nothing is, run."""
    asked = list(world.call(world.graph, "get_state", _at(thread)).interrupts)
    if not asked and drawn.random() < 0.9:
        return _run(world, thread, drawn)
    some = asked[: drawn.randrange(1, len(asked) + 1)] if asked else []
    values = {each.id: _value(drawn) for each in some}
    return _result(
        world.call(world.graph, "invoke", Command(resume=values), _at(thread), durability=drawn.choice(WAYS))
    )


def _answer_plainly(world: World, thread: str, drawn: random.Random) -> Any:
    return _result(world.call(world.graph, "invoke", Command(resume=_value(drawn)), _at(thread)))


def _answer_there(world: World, thread: str, drawn: random.Random) -> Any:
    """Answer what was asked at some checkpoint, which may be over."""
    then = world.call(world.graph, "get_state", _then(world, thread, drawn))
    values = {each.id: _value(drawn) for each in then.interrupts}
    return _result(world.call(world.graph, "invoke", Command(resume=values), then.config))


def _answer_again(world: World, thread: str, drawn: random.Random) -> Any:
    """Answer by the id of any question that there ever was, or of none."""
    ids = [claim.interrupt_id for claim in world.call(world.saver, "claims", thread)] or ["0" * 32]
    return _result(
        world.call(world.graph, "invoke", Command(resume={drawn.choice(ids): "late"}), _at(thread))
    )


def _fork(world: World, thread: str, drawn: random.Random) -> Any:
    return _result(world.call(world.graph, "invoke", None, _then(world, thread, drawn)))


def _update(world: World, thread: str, drawn: random.Random) -> Any:
    config = _then(world, thread, drawn)
    return world.call(world.graph, "update_state", config, {"log": ["by hand"]}, as_node=drawn.choice(NODES))


def _bulk_update(world: World, thread: str, drawn: random.Random) -> Any:
    updates = [
        [
            StateUpdate({"log": [f"step {step}", n]}, drawn.choice(NODES[:3]))
            for n in range(drawn.randrange(1, 3))
        ]
        for step in range(drawn.randrange(1, 4))
    ]
    return world.call(world.graph, "bulk_update_state", _at(thread), updates)


def _prune(world: World, thread: str, drawn: random.Random) -> Any:
    strategy = drawn.choice(("keep_latest", "keep_latest", "keep_answered", "keep_answered", "delete"))
    return world.call(world.saver, "prune", [thread, "nobody"], strategy=strategy)


def _prune_older(world: World, thread: str, drawn: random.Random) -> Any:
    history = world.every(world.graph, "get_state_history", _at(thread))
    than = drawn.choice(history).created_at if history else LATER
    names = drawn.choice((None, [thread]))
    strategy = drawn.choice(("keep_latest", "keep_answered", "delete"))
    return world.call(world.saver, "prune_older", than, thread_ids=names, strategy=strategy)


def _copy(world: World, thread: str, drawn: random.Random) -> Any:
    return world.call(world.saver, "copy_thread", thread, drawn.choice(THREADS))


def _delete(world: World, thread: str, drawn: random.Random) -> Any:
    return world.call(world.saver, "delete_thread", thread)


def _move(world: World, thread: str, drawn: random.Random) -> Any:
    """Export a thread, and import it under another name, or in place of itself."""
    name, replace = drawn.choice(THREADS), drawn.random() < 0.5
    return world.imported(world.exported(thread), thread_id=name, replace=replace)


def _note_answer(world: World, thread: str, drawn: random.Random) -> Any:
    asked = _asked(world, thread)
    if not asked:
        return None
    place = drawn.choice(asked)[:4]
    return world.call(world.saver, "record_answer", *place, "noted", "ann", LATER)


def _drop(world: World, thread: str, drawn: random.Random) -> Any:
    asked = _asked(world, thread)
    if not asked:
        return None
    *place, iid = drawn.choice(asked)[:4]
    return world.call(world.saver, "drop", *place, [iid], only_open=drawn.random() < 0.5)


def _release(world: World, thread: str, drawn: random.Random) -> Any:
    claims = world.call(world.saver, "claims", thread)
    if not claims:
        return None
    *place, iid = drawn.choice(claims)[:4]
    return world.call(world.saver, "release", *place, [iid])


def _renew(world: World, thread: str, drawn: random.Random) -> Any:
    claims = world.call(world.saver, "claims", thread)
    if not claims:
        return None
    claim = drawn.choice(claims)
    owner = claim.owner or "nobody"
    renewed = world.call(
        world.saver, "renew", *claim[:3], [claim.interrupt_id], owner=owner, at=LATER, lease=1.5
    )
    return [each[:5] for each in renewed]


def _settle(world: World, thread: str, drawn: random.Random) -> Any:
    entries = world.call(world.saver, "once_entries", thread)
    key = drawn.choice(entries).key if entries else "unknown"
    if drawn.random() < 0.5:
        return world.call(world.saver, "forget_once", thread, key)
    return world.call(world.saver, "settle_once", thread, key, "settled")


def _begin_once(world: World, thread: str, drawn: random.Random) -> Any:
    """Begin an effect by hand, which nobody ends: it stays in doubt."""
    begun = world.call(world.saver, "begin_once", thread, f"key {drawn.randrange(4)}", "me", LATER)
    return begun and begun[:4]


def _reopen(world: World, thread: str, drawn: random.Random) -> Any:
    return world.reopen()


def _list(world: World, thread: str, drawn: random.Random) -> Any:
    before = _then(world, thread, drawn)
    found = world.every(world.saver, "list", _at(thread), before=before, limit=drawn.choice((None, 2)))
    return [
        (each.checkpoint, each.metadata, each.parent_config, _writes(world, each.pending_writes))
        for each in found
    ]


ACTS: dict[str, tuple[int, Callable[[World, str, random.Random], Any]]] = {
    "run": (5, _run),
    "go on": (3, _go_on),
    "answer": (12, _answer),
    "answer plainly": (3, _answer_plainly),
    "answer there": (3, _answer_there),
    "answer again": (2, _answer_again),
    "fork": (3, _fork),
    "update": (4, _update),
    "bulk update": (2, _bulk_update),
    "prune": (3, _prune),
    "prune older": (3, _prune_older),
    "copy": (3, _copy),
    "delete": (1, _delete),
    "move": (3, _move),
    "note an answer": (2, _note_answer),
    "drop": (2, _drop),
    "release": (2, _release),
    "renew": (1, _renew),
    "settle": (1, _settle),
    "begin once": (1, _begin_once),
    "reopen": (3, _reopen),
    "list": (1, _list),
}
"""What can be done, and how often it is."""
