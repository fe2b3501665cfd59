"""What is saved comes back, and what cannot be saved is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint.base import is_saver
from nbhitl.checkpoint.records import CheckpointKey, Frame, TaskWrites
from nbhitl.checkpoint.steps import StepSaver, stores_steps
from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import PULL
from nbhitl.errors import StoreError, UnsupportedValue
from nbhitl.types import Send

from ..building import Run, expected, found
from .opening import QUIET, OpensASaver, config, states


class SavesSteps(OpensASaver):
    def test_is_one_of_nbhitls_savers(self, saver):
        assert isinstance(saver, StepSaver)
        assert is_saver(saver)
        assert stores_steps(saver)

    def test_an_empty_saver_has_nothing(self, saver):
        assert saver.load(CheckpointKey("t", "")) is None
        assert list(saver.history("t", "")) == []
        assert saver.get_tuple(config("t")) is None
        assert saver.claims("t") == saver.pending() == saver.threads() == []

    def test_the_newest_checkpoint_comes_back_whole(self, run):
        run.step({"n": 1, "name": "a"})
        run.step({"n": 2})
        assert found(run.saver.load(run.key())) == expected(run.saved[run.head])

    def test_every_checkpoint_comes_back_as_it_was(self, run):
        run.step({"n": 0, "items": []})
        for n in range(40):
            run.step({"n": n}, appended={"items": [f"item {n}"]})
        assert states(run) == [expected(saved) for saved in reversed(run.saved.values())]
        for checkpoint_id, saved in run.saved.items():
            assert found(run.saver.load(run.key(checkpoint_id))) == expected(saved)

    def test_edited_lists_come_back_as_they_were(self, run):
        items = [{"id": n, "text": f"item {n}"} for n in range(8)]
        run.step({"n": 0, "items": items})
        run.step({"n": 1}, edited={"items": [*items[:3], {"id": 3, "text": "new"}, *items[4:]]})
        run.step(edited={"items": run.saved[run.head].values["items"][2:]})
        fork = run.head
        run.step(appended={"items": [{"id": 9}]})
        run.step({"n": 2}, edited={"items": run.saved[run.head].values["items"][1:-1]})
        run.head = fork
        run.step(edited={"items": [{"id": -1}, *run.saved[fork].values["items"][:-1], {"id": 10}]})
        assert run.saver._rows.step("t", "", fork).is_whole is False
        told = [row[:5] for row in states(run)]
        assert told == [expected(saved)[:5] for saved in reversed(run.saved.values())]
        for checkpoint_id, saved in run.saved.items():
            assert found(run.saver.load(run.key(checkpoint_id)))[:5] == expected(saved)[:5]
        shown = run.saver.get_tuple(config("t", checkpoint_id=fork)).checkpoint
        assert shown["updated_channels"] == ["branch:to:node", "items"]
        assert shown["channel_versions"]["items"] > shown["channel_versions"]["n"]

    def test_edited_lists_are_edited_the_same_by_whoever_reads_on(self, run):
        items = [f"item {n}" for n in range(300)]
        run.step({"items": items})
        reader = run.saver.load(run.key(), share=True).values["items"]
        for n in range(20):
            items = [*items[1:n], f"edited {n}", *items[n + 1 :], f"new {n}"]
            run.step(edited={"items": items})
            assert run.saver.load(run.key(), share=True).values["items"] == items
        assert reader == [f"item {n}" for n in range(300)]
        touched = [outline.touched["items"] for outline in run.saver.outline("t", "")]
        saved = [saved.values["items"] for saved in run.saved.values()]
        assert [after for _, after in touched] == saved
        assert [before for before, _ in touched[1:]] == saved[:-1]

    def test_what_is_left_of_edited_lists_can_be_read(self, run):
        items = [f"item {n}" for n in range(20)]
        run.step({"items": items})
        for n in range(6):
            items = [*items[:n], f"edited {n}", *items[n + 2 :]]
            run.step(edited={"items": items})
        run.saver.copy_thread("t", "copied")
        run.saver.prune(["t"])
        assert [stored.values for stored in run.saver.history("t", "")] == [{"items": items}]
        copied = [stored.values["items"] for stored in run.saver.history("copied", "")]
        assert copied == [saved.values["items"] for saved in reversed(run.saved.values())]

    def test_keys_can_go(self, run):
        run.step({"a": 1, "b": [1], "c": 2})
        run.step({"a": 2}, removed=("b",))
        run.step({}, appended={"b": [9]})
        run.step({}, removed=("a", "c"))
        assert [stored.values for stored in run.saver.history("t", "")] == [
            {"b": [9]},
            {"a": 2, "c": 2, "b": [9]},
            {"a": 2, "c": 2},
            {"a": 1, "b": [1], "c": 2},
        ]

    def test_forks_do_not_see_one_another(self, run):
        run.step({"items": ["root"]})
        root = run.head
        for branch in "abc":
            run.head = root
            for n in range(6):
                run.step({}, appended={"items": [f"{branch}{n}"]})
        for checkpoint_id, saved in run.saved.items():
            assert run.saver.load(run.key(checkpoint_id)).values == saved.values
        assert [row[:3] for row in states(run)] == [expected(s)[:3] for s in reversed(run.saved.values())]

    def test_the_frame_comes_back(self, run):
        frame = Frame(
            triggers=("branch:to:a", "__start__"),
            sends=(Send("b", {"x": (1, 2)}), Send("c", None)),
            channels={"join:a+b:c": {"a"}},
            start={"n": 1},
            writers=("a", "b"),
        )
        run.step({"n": 1}, frame=frame)
        run.step({"n": 2}, frame=Frame(writers=("a",)))
        run.step({"n": 3}, frame=Frame())
        assert [stored.frame for stored in run.saver.history("t", "")] == [
            Frame(),
            Frame(writers=("a",)),
            frame,
        ]

    def test_results_are_the_writes_of_the_parent(self, run):
        item, other = {"role": "ai"}, {"role": "tool"}
        run.step({"n": 0, "items": []})
        parent = run.head
        tasks = [
            run.task("a", [("n", 5), ("items", [item, other]), ("branch:to:b", None)]),
            run.task("b", [("items", other), ("private", {"x": 1}), ("empty", [])]),
        ]
        run.step({"n": 5}, appended={"items": [item, other, other]}, tasks=tasks)
        assert run.saver.load(run.key(parent)).writes == run.saved[parent].results
        assert run.saver.load(run.key()).writes == []
        assert states(run)[1][-1] == run.saved[parent].results
        assert states(run, filter={"step": -1})[0][-1] == run.saved[parent].results
        assert states(run, before=run.head)[0][-1] == run.saved[parent].results

    def test_a_result_without_an_id_has_that_of_its_place(self, run):
        first = run.step({"a": 1})
        writes = [("a", 2), ("branch:to:node", None)]
        second = run.step({"a": 2}, tasks=[TaskWrites("", "node", (PULL, "node"), writes)])
        name = task_id(first, "", run.saved[second].metadata["step"], "node", (PULL, "node"))
        assert run.saver.load(run.key(first)).writes == [(name, *write) for write in writes]
        assert states(run) == [expected(run.saved[second]), expected(run.saved[first])]

    @pytest.mark.parametrize(
        "name", ["'", '"', "a\x00b", "') OR 1=1--", "naïve ☃ 日本", "%", "%s", "_", "?", ""]
    )
    def test_names_are_only_names(self, saver, name):
        if "\x00" in name and not self.names_may_hold_nul:
            with pytest.raises(StoreError, match=r"thread 'a\\x00b'.*without the character NUL"):
                Run(saver, thread=name).step({"n": 0})
            return
        run = Run(saver, thread=name, ns=name)
        Run(saver, thread="other").step({"n": 0})
        run.step({name: 1}, **{name: name})
        run.pause("q1", task=name)
        assert states(run, filter={name: name})[0][2] == {name: 1}
        assert states(run, filter={name: "x"}) == []
        assert [q.node for q in saver.pending(node=name, thread_prefix=name)] == [name]
        assert [found.metadata[name] for found in saver.list(config(name, ns=name), filter={name: name})] == [
            name
        ]
        saver.delete_thread(name)
        assert states(run) == saver.claims(name) == []
        assert saver.load(CheckpointKey("other", "")) is not None

    def test_changing_a_value_afterwards_changes_nothing(self, run):
        items, nested = [{"a": 1}], {"deep": [1]}
        run.step({"items": items, "nested": nested})
        items[0]["a"] = 2
        nested["deep"].append(2)
        first = run.saver.load(run.key())
        first.values["items"].append("mine")
        first.values["nested"]["deep"].clear()
        assert run.saver.load(run.key()).values == {"items": [{"a": 1}], "nested": {"deep": [1]}}

    def test_a_step_that_cannot_be_saved_says_why_and_saves_nothing(self, run):
        run.step({"n": 0, "items": []})
        head = run.head
        with pytest.raises(UnsupportedValue, match=r"state key 'n' written by node 'node' \(thread 't'\)"):
            run.saver.put_step(run.record({"n": {"deep": [object()]}}))
        with pytest.raises(UnsupportedValue, match=r"state key 'items'.*builtins\.object"):
            run.saver.put_step(run.record(appended={"items": [object()]}))
        with pytest.raises(UnsupportedValue, match=r"node 'node', write to 'n'"):
            run.saver.put_pending(run.key(head), [run.task("node", [("n", object())])])
        assert run.saver.load(run.key()).checkpoint_id == head
        run.step({"n": 1})
        assert run.saver.load(run.key()).values == {"n": 1, "items": []}

    def test_a_checkpoint_is_saved_once(self, run):
        run.step({"n": 0})
        record = run.record({"n": 1})
        run.saver.put_step(record)
        with pytest.raises(StoreError):
            run.saver.put_step(record)

    def test_a_run_survives_that_its_thread_is_deleted_meanwhile(self, run):
        run.step({"n": 0, "items": [0]})
        run.step({}, appended={"items": [1]})
        with run.saver._rows.atomic("t"):
            run.saver._rows.delete_thread("t")  # as another process would
        run.step({}, appended={"items": [2]})
        run.step({}, appended={"items": [3]})
        run.step({}, appended={"items": [4]})
        assert run.saver.load(run.key()).values == {"n": 0, "items": [0, 1, 2, 3, 4]}
        assert len(states(run)) == self.kept_after_deletion

    def test_a_child_with_an_earlier_id_can_be_read(self, run):
        early = run.record({"n": 1}).checkpoint_id
        run.step({"n": 0, "items": [1]})
        record = run.record({"n": 2})
        record.checkpoint_id = early
        run.saver.put_step(record)
        assert run.saver.load(run.key(early)).values == {"n": 2, "items": [1]}
        assert len(states(run)) == 2

    @settings(derandomize=True, max_examples=12, deadline=None, suppress_health_check=QUIET)
    @given(data=st.data())
    def test_any_tree_of_steps_comes_back(self, saver, data):
        thread = f"t{len(saver.threads())}"
        run = Run(saver, thread)
        keys = st.sampled_from("abc")
        for _ in range(data.draw(st.integers(1, 14))):
            run.head = data.draw(st.sampled_from([None, *run.saved])) if run.saved else None
            state = run.saved[run.head].values if run.head else {}
            lists = sorted(key for key, value in state.items() if isinstance(value, list))
            grown = data.draw(st.lists(st.sampled_from(lists), unique=True)) if lists else []
            values = data.draw(st.dictionaries(keys, st.one_of(st.integers(), st.lists(st.integers()))))
            gone = [key for key in state if key not in values and key not in grown]
            removed = data.draw(st.lists(st.sampled_from(gone), unique=True)) if gone else []
            appended = {key: data.draw(st.lists(st.text(max_size=3))) for key in grown if key not in values}
            run.step(values, appended=appended, removed=tuple(removed))
            if data.draw(st.booleans()):
                recalled = saver.load(run.key(data.draw(st.sampled_from([None, run.head]))), share=True)
                newest = max(run.saved)
                assert found(recalled)[:5] in (
                    expected(run.saved[newest])[:5],
                    expected(run.saved[run.head])[:5],
                )
                for value in recalled.values.values():
                    if isinstance(value, list):
                        value.append("changed by the reader")
        assert [row[:5] for row in states(run)] == [expected(s)[:5] for s in reversed(run.saved.values())]
        for checkpoint_id, saved in run.saved.items():
            assert found(saver.load(run.key(checkpoint_id)))[:5] == expected(saved)[:5]
            shown = saver.get_tuple(config(thread, checkpoint_id)).checkpoint
            assert {k: v for k, v in shown["channel_values"].items() if ":" not in k} == saved.values
            assert shown["channel_versions"].keys() == shown["channel_values"].keys()
