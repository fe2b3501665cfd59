"""What is promised of stores and bundles that come from somebody else (rows of the table of safety promises).

Row 16, deserialization: what is read is data. Row 17, SQL: names and filters are bound. Row 21, a kernel that dies
between the claim and the effect: the question is there again, the claim is reported in doubt.
"""

from __future__ import annotations

import json
import pickle
import random
import signal
from contextlib import suppress
from fractions import Fraction
from typing import Any

import numpy
import pandas
import pytest
from langchain_core.messages import AIMessage

from nbhitl import GraphThread
from nbhitl.checkpoint import bundle as bundles
from nbhitl.checkpoint.bundle import export_thread, import_thread, read_bundle
from nbhitl.checkpoint.claims import is_in_doubt
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.serde.tagged_json import from_json, to_json
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import BundleError, ReviewError, StoreError, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .building import Run, at
from .test_bundles import busy
from .test_damage import read_everything
from .test_processes import start
from .test_serde_damage import mutated
from .values import CLASSES
from .watchdog import nothing_is_run

EVIL: list[Any] = [
    {"$pickle": "gASVHQAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu"},
    {"$class": ["posix:system", {"command": "true"}]},
    {"$dataclass": ["subprocess:Popen", {"args": ["true"]}]},
    {"$pydantic": ["os:system", {}, [], None, None]},
    {"$enum": ["builtins:eval", "__import__('os')"]},
    {"$named_tuple": ["builtins:exec", ["import os"]]},
    {"$message": {"type": "__import__", "data": {}}},
    {"$ndarray": ["O", [1], [{"$bytes": "gASV"}]]},
    {"$pattern": ["(a*)*" * 20, 0]},
    {"$zoneinfo": "../../etc/passwd"},
    {"$path": ["posix path", "/"]},
    {"$fraction": [1, 0]},
    {"$default_dict": ["eval", []]},
    {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}},
    {"__reduce__": ["os.system", ["true"]]},
    None, True, -1, 2**62, 2**70, 1.5, "", "x" * 3, "\ud800", "a\x00b", [], {}, [[[]]], {"$bytes": "!"},
    {"$float": "nan"},
]  # fmt: skip


def load_what_values_need(saver: InMemorySaver) -> None:
    """Import the modules that values are made with, so that nothing is imported later on."""
    values = [numpy.zeros(1), pandas.DataFrame({"a": [1]}), AIMessage("hi"), Fraction(1, 2)]
    saver.serde.loads(saver.serde.dumps(values))


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container in a tree with a key of it."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    found = [(tree, key) for key in keys]
    return found + [place for key in keys for place in places(tree[key])]


def damaged(source: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """The document, changed somewhere, with a hash that fits."""
    changed = json.loads(json.dumps(document))
    all_places = places({name: part for name, part in changed.items() if name != "sha256"})
    for _ in range(source.randint(1, 3)):
        container, key = source.choice(all_places)
        if (isinstance(container, dict) and key not in container) or (
            isinstance(container, list) and key >= len(container)
        ):
            continue
        action = source.randrange(6)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, dict):
            container[source.choice(["$map", "kind", "ns", "x", "$tuple"])] = container.pop(key)
        elif action == 2 and isinstance(container, list):
            container.insert(key, container[key])
        elif action == 3:
            other, of_other = source.choice(all_places)
            with suppress(KeyError, IndexError):
                container[key] = json.loads(json.dumps(other[of_other]))
        else:
            container[key] = source.choice(EVIL)
    with suppress(BundleError):
        changed["sha256"] = bundles._hash(changed)
    return changed


def fuzz_bundles(count: int, seed: int) -> tuple[int, int]:
    """Import changed bundles and read what was taken; how many were refused, and how many were taken."""
    source = random.Random(seed)
    saver = InMemorySaver()
    run = busy(saver, steps=3)
    document = json.loads(json.dumps(export_thread(saver, "t")))
    counts = [0, 0]
    with SqliteSaver.from_conn_string(":memory:") as sqlite:
        targets = [InMemorySaver(), sqlite]
        for target in targets:
            target.serde.register(*CLASSES)
            read_everything(target, run)
        load_what_values_need(saver)
        with nothing_is_run():
            for number in range(count):
                target = targets[number % 2]
                try:
                    import_thread(target, damaged(source, document), thread_id="t", replace=True)
                except StoreError:
                    counts[0] += 1
                else:
                    counts[1] += 1
                    read_everything(target, run)
        for target in targets:
            import_thread(target, document, replace=True)
            assert repr(target.load(run.key())) == repr(saver.load(run.key()))
    return counts[0], counts[1]


@pytest.mark.filterwarnings("ignore")
def test_row_16_a_changed_bundle_is_refused_or_data():
    refused, taken = fuzz_bundles(100, seed=5)
    assert refused > 10
    assert taken > 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
def test_row_16_much_changed_bundles_are_refused_or_data():
    refused, taken = fuzz_bundles(10_000, seed=6)
    assert refused + taken == 10_000


def fuzz_files(count: int, seed: int, path: Any) -> None:
    source = random.Random(seed)
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"n": 0, "items": []})
    for n in range(4):
        run.step({"n": n}, appended={"items": [n]})
    document = export_thread(saver, "t")
    content = bundles.write_bundle(document, path).read_bytes()
    target = InMemorySaver()
    with nothing_is_run():
        for _ in range(count):
            path.write_bytes(mutated(source, content))
            with suppress(BundleError):
                import_thread(target, path, replace=True)
                assert read_bundle(path)["checkpoints"] == document["checkpoints"]


def test_row_16_a_changed_file_is_told_from_the_one_that_was_written(tmp_path):
    fuzz_files(150, 7, tmp_path / "t.json")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_row_16_much_changed_files_are_told_from_the_one_that_was_written(tmp_path):
    fuzz_files(10_000, 8, tmp_path / "t.json")


@pytest.mark.parametrize("evil", EVIL[:15], ids=lambda evil: json.dumps(evil)[:30])
def test_row_16_what_looks_like_code_is_data_or_an_error(evil):
    saver = InMemorySaver()
    load_what_values_need(saver)
    Run(saver).step({"value": "here"})
    document = json.loads(json.dumps(export_thread(saver, "t")).replace('"here"', json.dumps(evil)))
    document["sha256"] = bundles._hash(document)
    target = InMemorySaver()
    with nothing_is_run(), suppress(StoreError):
        import_thread(target, document)
        target.load(CheckpointKey("t", ""))
        to_json(from_json(evil))


class Evil:
    """Would run something when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit",)


@pytest.mark.parametrize("schema", ["__import__('os').mkdir(MADE)", [1], 7, True])
def test_row_16_a_schema_of_somebody_else_is_never_evaluated(schema, tmp_path):
    """pydantic takes text for the name of a type, and evaluates it: to look at the question would be enough."""
    made = tmp_path / "made"
    graph, config = asking(InMemorySaver()), {"configurable": {"thread_id": "t"}}
    graph.invoke({}, config)
    text = json.dumps(export_thread(graph.checkpointer, "t"))
    wanted = json.dumps(schema).replace("MADE", repr(str(made)))
    document = json.loads(text.replace('{"type": "integer"}', wanted))
    document["sha256"] = bundles._hash({name: part for name, part in document.items() if name != "sha256"})
    other = asking(InMemorySaver())
    with suppress(BundleError):
        import_thread(other.checkpointer, document)
    for use in (
        lambda: other.get_state(config),
        lambda: GraphThread(other, "t").question,
        lambda: other.invoke(Command(resume=1), config),
    ):
        with pytest.raises((StoreError, ReviewError, UnknownInterruptError)):
            use()
    assert not made.exists()


def asking(saver: InMemorySaver) -> Any:
    """A graph whose question says what an answer has to look like."""
    builder = StateGraph(dict)
    builder.add_node("ask", lambda state: {"n": interrupt("n?", response_schema={"type": "integer"})})
    return builder.add_edge(START, "ask").compile(checkpointer=saver)


def test_row_16_pickles_are_not_unpickled():
    saver = InMemorySaver()
    for blob in (pickle.dumps(Evil()), pickle.dumps(Evil(), 0), pickle.dumps(print)):
        with nothing_is_run(), suppress(StoreError):
            saver.serde.loads(blob)


def test_the_watchdog_sees():
    with pytest.raises(AssertionError, match="pickle"), nothing_is_run():
        pickle.loads(pickle.dumps(Run))


NAMES = [
    "'",
    '"',
    "`",
    "a\x00b",
    "') OR 1=1--",
    "'; DROP TABLE nbhitl_steps;--",
    "naïve ☃ 日本",
    "%",
    "_",
    "",
    "{}",
    "?",
    ":a",
    "$1",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_row_17_every_name_is_bound(kind, name):
    with InMemorySaver() if kind == "memory" else SqliteSaver.from_conn_string(":memory:") as saver:
        Run(saver, "other").step({"n": 0})
        run = Run(saver, name, name)
        Run(saver, name).step({"n": 0})
        run.step({name: 0}, **{name: name})
        run.step({name: 1}, **{name: [name]})
        run.pause(name, task=name, payload=name)
        for wanted, count in (
            ({name: name}, 1),
            ({name: [name]}, 1),
            ({name: "other"}, 0),
            ({name + "'": name}, 0),
        ):
            assert len(list(saver.history(name, name, filter=wanted))) == count
            assert len(list(saver.list(None, filter=wanted))) == count
        assert saver.begin_once(name, name, name, at(1)) is None
        assert saver.begin_once(name, name, "other", at(1)).owner == name
        saver.claim(run.request({name: name}, task=name, by=name, owner=name))
        assert saver.claims(name)[0].by == name
        assert [q.node for q in saver.pending(node=name, thread_prefix=name, states=("delivered",))] == [name]
        assert saver.pending(node=name + "'") == []
        assert name in [info.thread_id for info in saver.threads(prefix=name)]
        saver.copy_thread(name, name + "copy")
        document = export_thread(saver, name)
        import_thread(saver, document, thread_id=name + "back")
        saver.prune([name], strategy="keep_answered")
        saver.delete_thread(name)
        left = {info.thread_id for info in saver.threads()}
        assert left == {"other", name + "copy", name + "back"}


VICTIM = """
    import sys
    from checkpoint.building import Run
    from nbhitl.checkpoint.sqlite import SqliteSaver

    with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
        run = Run(saver)
        run.step({"n": 0})
        run.pause("q1", "q2")
        saver.claim(run.request({"q1": "yes"}))
        print("claimed", flush=True)
        sys.stdin.readline()
"""


def test_row_21_a_kernel_killed_between_claim_and_effect(tmp_path):
    path = str(tmp_path / "store.db")
    victim = start(VICTIM, path)
    assert victim.stdout.readline() == "claimed\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    with SqliteSaver.from_conn_string(path) as saver:
        assert [question.interrupt_id for question in saver.pending()] == ["q2"]
        (claim,) = [claim for claim in saver.claims("t") if claim.interrupt_id == "q1"]
        assert (claim.state, claim.by) == ("delivered", "ann")
        assert not is_in_doubt(claim, at(2))
        assert is_in_doubt(claim, at(59))
        import_thread(saver, export_thread(saver, "t"), thread_id="moved")
        (moved,) = [claim for claim in saver.claims("moved") if claim.interrupt_id == "q1"]
        assert is_in_doubt(moved, at(59))
