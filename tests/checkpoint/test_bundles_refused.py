"""Bundles whose entries are each well formed, and that are refused all the same: nothing of them is imported."""

from __future__ import annotations

from copy import deepcopy

import pytest

from nbhitl.checkpoint import bundle as bundles
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import BundleError

from .building import NOON, Run


@pytest.fixture(scope="module")
def bundle():
    """A thread with two checkpoints, a question, pending writes and an effect."""
    saver = InMemorySaver()
    run = Run(saver, "t")
    run.step({"n": 0, "items": ["a"]})
    run.step(appended={"items": ["b"]})
    run.pause("q")
    saver.claim(run.request({"q": "yes"}))
    saver.begin_once("t", "mail", "kernel", NOON)
    return export_thread(saver, "t")


def doubled(name):
    def change(bundle):
        bundle[name].append(deepcopy(bundle[name][-1]))

    return change


def write_again_under_another_name(bundle):
    bundle["writes"].append({**bundle["writes"][-1], "name": "another"})


def put(name, field, value):
    def change(bundle):
        bundle[name][0][field] = value

    return change


def without(name, field):
    def change(bundle):
        del bundle[name][0][field]

    return change


def same_checkpoint_elsewhere(bundle):
    bundle["checkpoints"].append({**bundle["checkpoints"][0], "parent_id": "another"})


def older_than_its_parent(bundle):
    bundle["checkpoints"][1]["checkpoint_id"] = "0"


def refer_to_nothing(bundle):
    bundle["checkpoints"][-1]["body"]["results"][0]["writes"] = [["items", 7, None]]


def changed(bundle, change):
    """The bundle after somebody has changed it and made the hash fit."""
    bundle = deepcopy(bundle)
    change(bundle)
    hashed = {name: part for name, part in bundle.items() if name != "sha256"}
    return {**hashed, "sha256": bundles._hash(hashed)}


@pytest.mark.parametrize("name", ["writes", "questions"])
def test_the_same_in_another_namespace_is_something_else(bundle, name):
    def elsewhere(bundle):
        for entries in (bundle["checkpoints"], bundle[name]):
            entries.append({**entries[0], "ns": "child:1"})

    saver = InMemorySaver()
    import_thread(saver, changed(bundle, elsewhere))
    assert {entry["ns"] for entry in export_thread(saver, "t")[name]} == {"", "child:1"}


def test_a_folder_that_is_not_there_is_named(bundle, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder; create it first.*missing'$"):
        bundles.write_bundle(bundle, tmp_path / "missing" / "t.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (doubled("checkpoints"), "it has the same checkpoint twice"),
        (doubled("writes"), "it has the same write twice"),
        (write_again_under_another_name, "it has the same write twice"),
        (doubled("questions"), "it has the same question twice"),
        (doubled("once"), "it has the same effect twice"),
        (put("questions", "state", "perhaps"), "a question has an unknown state"),
        (put("once", "state", "perhaps"), "an effect has an unknown state"),
        (refer_to_nothing, "its results cannot be read"),
        (same_checkpoint_elsewhere, "it has the same checkpoint twice"),
        (older_than_its_parent, "checkpoint 0 needs its parent .*, which is not before it"),
        (put("checkpoints", "body", 5), "an entry's 'body' is '5'"),
        (put("checkpoints", "body", {"kind": "odd"}), "an entry's 'body' is "),
        (put("checkpoints", "surprise", 1), "an entry has the field 'surprise'"),
        (put("once", "thread_id", "u"), "an entry has the field 'thread_id'"),
        (put("once", "key", 5), "an entry's 'key' is '5'"),
        (without("once", "key"), "an entry's 'key' is 'None'"),
        (put("checkpoints", "metadata", {"by": {"$none of ours": 1}}), "there is no kind 'none of ours'"),
        (
            put("checkpoints", "metadata", {"by": {"$bytes": "YQ==", "b": 1}}),
            r"'\$bytes' is beside other keys",
        ),
        (put("checkpoints", "metadata", {"by": {"$bytes": "Y*Q=="}}), "damaged"),
    ],
)
def test_what_does_not_fit_together_is_refused_whole(bundle, change, message):
    saver = InMemorySaver()
    assert import_thread(saver, bundle) == "t"
    saver.delete_thread("t")
    damaged = changed(bundle, change)
    with pytest.raises(BundleError, match=message):
        import_thread(saver, damaged)
    assert not saver.threads()
    assert not saver.once_entries("t")
