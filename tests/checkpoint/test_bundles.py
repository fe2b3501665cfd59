"""Exported threads: whatever saver they come from and go to, they are as they were, or refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint import _fold
from nbhitl.checkpoint import bundle as bundles
from nbhitl.checkpoint.bundle import (
    aexport_thread,
    aimport_thread,
    export_thread,
    import_thread,
    read_bundle,
    write_bundle,
)
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import Frame
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import BundleError, StoreError, UnsupportedValue
from nbhitl.types import Send

from .building import NOON, Run, at, found
from .values import CLASSES, GRAPH, PLAIN, USERS

KINDS = ("memory", "sqlite")


def opened(kind: str) -> Any:
    return InMemorySaver() if kind == "memory" else SqliteSaver.from_conn_string(":memory:")


def sent(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle after a journey through a file."""
    return json.loads(json.dumps(bundle, allow_nan=False))


def shown(saver: Any, thread: str = "t") -> Any:
    """All that can be read of a thread, without its name."""
    spaces = sorted(ns for _, ns in saver._rows.namespaces(thread))
    return (
        [[found(stored) for stored in saver.history(thread, ns)] for ns in spaces],
        [[(*t[1:3], sorted(map(repr, t[4]))) for t in saver.list({"configurable": {"thread_id": thread}})]],
        [claim[1:] for claim in saver.claims(thread)],
        [question[1:] for question in saver.pending(thread_prefix=thread) if question.thread_id == thread],
        [entry[1:] for entry in saver.once_entries(thread)],
    )


def busy(saver: Any, thread: str = "t", steps: int = 30) -> Run:
    """A thread with something of everything."""
    saver.serde.register(*CLASSES)
    run = Run(saver, thread)
    run.step({"n": 0, "users": USERS, "items": [], "$odd": {"$key": 1, "a": {"$b": None}}})
    run.step(
        {"plain": PLAIN, "graph": GRAPH},
        frame=Frame(sends=(Send("b", {"x": (1,)}),), channels={"join:a+b:c": {"a"}}),
    )
    for n in range(steps):
        run.step({"n": n}, appended={"items": [{"n": n}, USERS[n % len(USERS)]]})
    items = run.saved[run.head].values["items"]
    run.step({"n": -1}, edited={"items": [*items[:1], {"n": "edited"}, *items[3:]]})
    run.pause("q0", payload={"what": USERS[7]})
    saver.claim(run.request({"q0": {"yes": (1, 2)}}))
    run.step({"n": 1}, frame=Frame(children={"sub": "x"}))
    run.pause("q1", "q2", payload=("Go on?", float("nan")))
    saver.claim(run.request({"q1": None}))
    Run(saver, thread, "sub:1").step({"deep": [1]})
    saver.begin_once(thread, "done", "ann", NOON)
    saver.end_once(thread, "done", "ann", [1, (2,)], at(1))
    saver.begin_once(thread, "doubt", "ann", NOON)
    return run


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_a_thread_arrives_as_it_was(source, target, tmp_path):
    with opened(source) as old, opened(target) as new:
        busy(old)
        new.serde.register(*CLASSES)
        path = write_bundle(export_thread(old, "t"), tmp_path / "t.json")
        assert import_thread(new, path) == "t"
        assert repr(shown(new)) == repr(shown(old))
        first, second = export_thread(old, "t"), export_thread(new, "t")
        for part in ("checkpoints", "writes", "questions", "once"):
            assert first[part] == second[part]


def test_an_imported_thread_goes_on():
    with opened("sqlite") as old, opened("memory") as new:
        run = busy(old)
        new.serde.register(*CLASSES)
        import_thread(new, export_thread(old, "t"), thread_id="other")
        assert repr(shown(new, "other")) == repr(shown(old))
        there = Run(new, "other")
        there.saved, there.head = dict(run.saved), run.head
        new.release("other", "", run.head, ["q1"])
        new.claim(there.request({"q1": 1, "q2": 2}))
        there.step({"n": 5}, appended={"items": ["more"]})
        assert new.load(there.key()).values["items"][-1] == "more"
        assert {c.state for c in new.claims("other")} == {"applied"}


@settings(derandomize=True, max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_thread_arrives_as_it_was(data):
    with opened("memory") as old, opened("sqlite") as new, opened("memory") as last:
        run = Run(old)
        # A digest is made of the payload here, and what a column holds must be text that UTF-8 can hold.
        values = st.one_of(st.integers(), st.text(max_size=4), st.sampled_from([*PLAIN, *GRAPH]))
        payloads = values.filter(lambda value: "\ud800" not in str(value))
        for number in range(data.draw(st.integers(1, 10))):
            run.head = data.draw(st.sampled_from([*run.saved])) if run.saved else None
            if number and data.draw(st.booleans()):
                run.pause(f"q{number}", payload=data.draw(payloads))
                if data.draw(st.booleans()):
                    old.claim(run.request({f"q{number}": data.draw(values)}))
            grown = {"items": data.draw(st.lists(values, max_size=3))}
            run.step(data.draw(st.dictionaries(st.text(max_size=2), values, max_size=2)), appended=grown)
        import_thread(new, sent(export_thread(old, "t")))
        import_thread(last, sent(export_thread(new, "t")))
        assert repr(shown(old)) == repr(shown(new)) == repr(shown(last))
        head = run.head = max(run.saved)
        for saver in (old, last):
            again = Run(saver)
            again.saved, again.head = dict(run.saved), head
            again.step({"n": 1}, appended={"items": ["new"]})
            assert saver.load(again.key()).values["items"][-1] == "new"


@pytest.mark.parametrize(
    "about", [{"parents": {"": "1"}}, {"step": None}, {"source": "odd"}, {"by": "ann"}], ids=repr
)
def test_metadata_of_any_kind_arrives(about):
    run, other = Run(InMemorySaver()), InMemorySaver()
    run.step({"n": 1}, **about)
    import_thread(other, sent(export_thread(run.saver, "t")))
    assert other.load(run.key()).metadata == {"source": "loop", "step": -1, "parents": {}} | about


def test_a_bundle_is_readable_and_linear():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"lines": []})
    sizes = []
    for n in range(400):
        run.step({}, appended={"lines": [f"line {n}"]})
        if n in (99, 199, 399):
            sizes.append(len(json.dumps(export_thread(saver, "t"))))
    assert sizes[2] - sizes[1] < 2.6 * (sizes[1] - sizes[0])
    entry = export_thread(saver, "t")["checkpoints"][1]
    assert entry["metadata"] == {"source": "loop", "step": 0, "parents": {}}
    assert entry["body"]["appended"] == {"lines": ["line 0"]}
    assert entry["body"]["results"][0]["name"] == "node"


def test_reading_a_long_bundle_builds_no_states(monkeypatch):
    """Each would have to be copied for its checkpoint: a list of n items n times."""
    run = Run(InMemorySaver())
    run.step({"n": 0})
    for n in range(200):
        run.step({"n": n}, appended={"items": [n]})
    copied, copy = [], _fold._settled
    monkeypatch.setattr(_fold, "_settled", lambda item: copied.append(item) or copy(item))
    target = InMemorySaver()
    import_thread(target, export_thread(run.saver, "t"))
    assert copied == []
    assert target.load(run.key()).values["items"] == [*range(200)]


def test_a_saver_with_a_serializer_of_its_own():
    class Reversed:
        def __init__(self) -> None:
            self.inner = Serde(learn=True)

        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            return "back", self.inner.dumps(obj)[::-1]

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return self.inner.loads(data[1][::-1])

    odd, plain = InMemorySaver(serde=Reversed()), InMemorySaver()
    run = Run(odd)
    run.step({"n": 0, "items": []})
    for n in range(20):
        run.step({"n": n}, appended={"items": [(n, {1, 2})]})
    run.pause("q1", "q2")
    odd.claim(run.request({"q1": 1}))
    import_thread(plain, sent(export_thread(odd, "t")))
    assert shown(plain)[0] == shown(odd)[0]
    back = InMemorySaver(serde=Reversed())
    import_thread(back, sent(export_thread(plain, "t")))
    assert shown(back) == shown(odd)
    back.release("t", "", run.head, ["q1"])
    assert [q.interrupt_id for q in back.pending()] == ["q1", "q2"]


def test_a_value_whose_class_is_unknown_here_travels_and_is_named_when_read():
    with opened("sqlite") as old, opened("sqlite") as new, opened("sqlite") as third:
        run = busy(old)
        import_thread(new, export_thread(old, "t"))
        with pytest.raises(StoreError, match=r"is not registered here\. Compile the graph"):
            new.load(run.key())
        import_thread(third, export_thread(new, "t"))
        third.serde.register(*CLASSES)
        assert repr(shown(third)) == repr(shown(old))


def test_a_thread_of_that_name_is_not_overwritten():
    saver = InMemorySaver()
    run = busy(saver)
    bundle = export_thread(saver, "t")
    before = repr(shown(saver))
    with pytest.raises(BundleError, match=r"there is a thread 't' here already.*thread_id.*replace=True"):
        import_thread(saver, bundle)
    run.step({"n": 99})
    assert import_thread(saver, bundle, replace=True) == "t"
    assert repr(shown(saver)) == before
    assert import_thread(saver, bundle, thread_id="t2") == "t2"
    assert repr(shown(saver, "t2")) == before


def test_what_is_damaged_is_refused_and_changes_nothing(tmp_path):
    saver = InMemorySaver()
    busy(saver)
    bundle = sent(export_thread(saver, "t"))
    saver.delete_thread("t")
    nameless = {**bundle, "thread_id": None}
    cases: list[tuple[dict[str, Any], str]] = [
        ({**bundle, "checkpoints": bundle["checkpoints"][1:]}, "damaged or was changed"),
        ({**bundle, "thread_id": "u"}, "damaged or was changed"),
        ({**bundle, "version": 3}, "newer nbhitl.*format version 3, this nbhitl knows 2"),
        ({**bundle, "version": "1"}, "no version"),
        ({**bundle, "version": 0}, "no version"),
        ({**nameless, "sha256": bundles._hash(nameless)}, "names no thread"),
        ({**bundle, "checkpoints": {1, 2}}, "not JSON serializable"),
        ({**bundle, "format": "zip"}, "no bundle of nbhitl's"),
        ({}, "no bundle of nbhitl's"),
    ]
    for damaged, said in cases:
        with pytest.raises(BundleError, match=said):
            import_thread(saver, damaged)
    path = write_bundle(bundle, tmp_path / "t.json")
    text = path.read_text()
    for content in (text[:-20], "[]", "", '{"format": NaN}', "[" * 100_000):
        path.write_text(content)
        with pytest.raises(BundleError, match=r"t\.json"):
            import_thread(saver, path)
    assert saver.threads() == []
    assert [file.name for file in tmp_path.iterdir()] == ["t.json"]


def test_a_bundle_of_the_first_version_is_read():
    saver, other = InMemorySaver(), InMemorySaver()
    busy(saver)
    bundle = {**sent(export_thread(saver, "t")), "version": 1}
    bundle["sha256"] = bundles._hash(bundle)
    import_thread(other, bundle)
    again = sent(export_thread(other, "t"))
    assert again["version"] == 2
    assert {name: again[name] for name in SAME} == {name: bundle[name] for name in SAME}


SAME = "checkpoints", "writes", "questions", "once", "thread_id"


def test_what_is_no_thread_of_nbhitls_is_said():
    from langgraph.checkpoint.memory import InMemorySaver as Foreign

    with pytest.raises(StoreError, match=r"no thread 'nobody' to export"):
        export_thread(InMemorySaver(), "nobody")
    with pytest.raises(TypeError, match=r"^export_thread\(\) takes the name of a thread"):
        export_thread(InMemorySaver(), {"configurable": {"thread_id": "t"}})
    with pytest.raises(TypeError, match=r"GraphThread\(graph, thread_id\)\.export"):
        export_thread(Foreign(), "t")


def test_an_odd_text_is_written_to_a_file(tmp_path):
    saver, other = InMemorySaver(), InMemorySaver()
    Run(saver).step({"text": "\ud800", "naïve": "☃"})
    import_thread(other, write_bundle(export_thread(saver, "t"), tmp_path / "t.json"))
    assert shown(other) == shown(saver)
    assert "naïve" in (tmp_path / "t.json").read_text(encoding="utf-8")
    assert read_bundle(tmp_path / "t.json")["thread_id"] == "t"


def test_a_bundle_that_cannot_be_put_in_its_place_leaves_no_file(tmp_path):
    saver = InMemorySaver()
    Run(saver).step()
    (tmp_path / "t.json").mkdir()
    with pytest.raises(OSError, match=r"t\.json"):
        write_bundle(export_thread(saver, "t"), tmp_path / "t.json")
    assert [path.name for path in tmp_path.iterdir()] == ["t.json"]


async def test_async_twins_move_threads_too():
    saver = InMemorySaver()
    busy(saver)
    async with AsyncSqliteSaver.from_conn_string(":memory:") as there:
        there.serde.register(*CLASSES)
        assert await aimport_thread(there, await aexport_thread(saver, "t")) == "t"
        bundle = await aexport_thread(there, "t")
    assert bundle["checkpoints"] == export_thread(saver, "t")["checkpoints"]
    with pytest.raises(UnsupportedValue):
        Run(saver, "u").step({"x": object()})
