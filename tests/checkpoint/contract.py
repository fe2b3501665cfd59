"""What every saver of steps promises; a saver's test class inherits this and says how to open one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from nbhitl.checkpoint.base import empty_checkpoint, is_saver
from nbhitl.checkpoint.claims import LIVE, Question, after_step
from nbhitl.checkpoint.records import CheckpointKey, Frame, TaskWrites
from nbhitl.checkpoint.steps import StepSaver, stores_steps
from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import ERROR, INTERRUPT, PULL, RESUME
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, StoreError, UnknownInterruptError, UnsupportedValue
from nbhitl.types import MISSING, Interrupt, Send

from .building import NOON, Run, at, expected, found

if TYPE_CHECKING:
    from collections.abc import Iterator

# One test for several savers, each with a store that grows from example to example.
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


def states(run: Run, **how: Any) -> list[Any]:
    return [found(stored) for stored in run.saver.history(run.thread, run.ns, **how)]


def config(thread: str, checkpoint_id: str | None = None, ns: str | None = "") -> dict[str, Any]:
    names = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return {"configurable": {key: value for key, value in names.items() if value is not None}}


def state_of(run: Run, interrupt_id: str) -> str:
    return next(c.state for c in run.saver.claims(run.thread) if c.interrupt_id == interrupt_id)


class SaverContract(ABC):
    names_may_hold_nul = True
    knows_of_changes = True  # without reading again
    kept_after_deletion = 3  # of three steps that a run makes after its thread was deleted

    @abstractmethod
    @pytest.fixture
    def saver(self, tmp_path: Any) -> Iterator[StepSaver]:
        """An empty saver."""

    @pytest.fixture
    def run(self, saver: StepSaver) -> Run:
        return Run(saver)

    # -- steps ----------------------------------------------------------------------------------------------

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

    def test_reading_the_newest_again_finds_what_was_stored_since(self, run):
        for n in range(3):
            run.step({"n": n, "name": "a"}, run_id=str(n))
            for _ in range(2):
                stored = run.saver.load(run.key())
                assert found(stored) == expected(run.saved[run.head])
                stored.values["n"] = "changed"
                stored.values.pop("name")
                stored.metadata["step"] = stored.metadata["parents"]["mark"] = 99
                stored.writes.append(("id", "n", 1))
        for value in (1, 2):
            run.saver.put_pending(run.key(run.head), [TaskWrites(f"id-{value}", "a", (), [("n", value)])])
            assert len(run.saver.load(run.key()).writes) == value
        run.saver.delete_thread("t")
        assert run.saver.load(run.key()) is None

    def test_reading_the_newest_again_decodes_nothing_while_it_stands(self, run, monkeypatch):
        decoded = []
        folded_at = run.saver._folded_at
        monkeypatch.setattr(run.saver, "_folded_at", lambda row: decoded.append(row) or folded_at(row))
        run.step({"n": 1})
        first, again = run.saver.load(run.key()), run.saver.load(run.key())
        assert found(again) == found(first)
        assert again.values is not first.values
        assert len(decoded) == (1 if self.knows_of_changes else 2)
        run.step({"n": 2})
        assert run.saver.load(run.key()).values == {"n": 2}
        run.pause("q1")
        assert len(run.saver.load(run.key()).writes) == 1
        assert len(decoded) == (3 if self.knows_of_changes else 4)

    def test_every_checkpoint_comes_back_as_it_was(self, run):
        run.step({"n": 0, "items": []})
        for n in range(40):
            run.step({"n": n}, appended={"items": [f"item {n}"]})
        assert states(run) == [expected(saved) for saved in reversed(run.saved.values())]
        for checkpoint_id, saved in run.saved.items():
            assert found(run.saver.load(run.key(checkpoint_id))) == expected(saved)

    def test_an_outline_tells_what_each_step_wrote(self, run):
        assert list(run.saver.outline("t", "")) == []
        long = "so long that the next steps are stored as differences " * 20
        root = run.step({"n": 0, "items": ["a"], "long": long}, frame=Frame(triggers=("branch:to:a",)))
        second = run.step({"n": 1}, appended={"items": ["b", "c"]}, frame=Frame(start=5))
        run.saver.put_pending(run.key(second), [TaskWrites("id-1", "a", (PULL, "a"), [("n", 9)])])
        run.head = root
        branch = run.step({}, appended={"items": ["d"], "more": []}, removed=("n",), frame=Frame())
        outline = [deepcopy(step) for step in run.saver.outline("t", "")]
        assert [step[:4] for step in outline] == [
            (stored.checkpoint_id, stored.parent_id, stored.created_at, stored.metadata)
            for stored in reversed(list(run.saver.history("t", "")))
        ]
        assert [tuple(step.triggers) for step in outline] == [("branch:to:a",), (), ()]
        assert [step.frame for step in outline] == [None, Frame(start=5), None]
        assert [list(step.pending) for step in outline] == [[], [("id-1", "n", 9)], []]
        assert {step.checkpoint_id: step.touched for step in outline} == {
            root: {"n": (MISSING, 0), "items": (MISSING, ["a"]), "long": (MISSING, long)},
            second: {"n": (0, 1), "items": (None, ["b", "c"])},
            branch: {"n": (0, MISSING), "items": (None, ["d"]), "more": (MISSING, [])},
        }

    def test_branches_of_an_empty_state_have_outlines_of_their_own(self, run):
        root = run.step({}, frame=Frame(start="so long that the next steps are stored as differences " * 20))
        for n in range(3):
            run.head = root
            run.step({"n": n})
        assert [step.touched for step in run.saver.outline("t", "")][1:] == [
            {"n": (MISSING, n)} for n in range(3)
        ]

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

    def test_results_are_found_whenever_they_are_asked_for(self, run):
        ids = [run.step({"a": n}) for n in range(3)]
        assert run.saver.load(run.key(ids[0])).writes == run.saved[ids[0]].results
        ids += [run.step({"a": n}) for n in range(3, 5)]
        run.head = ids[1]
        run.step({"a": "fork"})
        for id in ids:
            assert found(run.saver.load(run.key(id))) == expected(run.saved[id])

    def test_history_can_be_cut_and_filtered(self, run):
        for n in range(30):
            run.step({"n": n}, run_id="even" if n % 2 == 0 else "odd")
        ids = list(run.saved)
        assert [row[0] for row in states(run, limit=3)] == ids[:-4:-1]
        assert states(run, limit=0) == []
        assert [row[0] for row in states(run, before=ids[10])] == ids[9::-1]
        older = [run.saver.load_before(run.key()._replace(checkpoint_id=id)) for id in ids[:3]]
        assert older[0] is None
        assert [found.checkpoint_id for found in older[1:]] == ids[:2]
        assert [row[0] for row in states(run, filter={"run_id": "odd"}, limit=2)] == [ids[29], ids[27]]
        assert states(run, filter={"run_id": "odd", "source": "input"}) == []
        assert states(run, filter={"no such": 0}) == []
        assert [row[0] for row in states(run, filter={"no such": None}, limit=2)] == [ids[29], ids[28]]

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
        with pytest.raises(UnsupportedValue, match=r"state key 'n', written by node 'node', \(thread 't'\)"):
            run.saver.put_step(run.record({"n": {"deep": [object()]}}))
        with pytest.raises(UnsupportedValue, match=r"state key 'items'.*builtins\.object"):
            run.saver.put_step(run.record(appended={"items": [object()]}))
        with pytest.raises(UnsupportedValue, match=r"node 'node', write to 'n'"):
            run.saver.put_pending(run.key(head), [run.task("node", [("n", object())])])
        assert run.saver.load(run.key()).checkpoint_id == head
        run.step({"n": 1})
        assert run.saver.load(run.key()).values == {"n": 1, "items": []}

    def test_questions_move_on_as_the_rule_for_a_step_says(self, run):
        rows = run.saver._rows
        asked = [
            Question(
                f"t{number}", ns, checkpoint, state, "task", "node", "interrupt", b"?", "digest", NOON, state,
                b"yes", "ann", NOON, "kernel", NOON,
            )
            for number in range(54)
            for ns in ("", "a:1", "a:1|b:2", "a:10")
            for checkpoint in ("c0", "c1")
            for state in ("open", "recorded", "delivered", "applied", "dropped")
        ]  # fmt: skip
        steps = [
            (ns, at, why, made)
            for ns in ("", "a:1", "b")
            for at in (None, "c0", "c1")
            for why in ("loop", "fork", None)
            for made in ("c00", "c2")
        ]
        with rows.atomic(*{question.thread_id for question in asked}):
            rows.put_questions(asked)
            for number, step in enumerate(steps):
                rows.settle_step(f"t{number}", *step)
        for number, step in enumerate(steps):
            before = [question for question in asked if question.thread_id == f"t{number}"]
            assert rows.questions(f"t{number}") == [
                after_step(question, *step) if question.state in LIVE else question for question in before
            ]

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

    def test_a_shared_state_is_the_stored_one(self, run):
        said = [AIMessage(f"message {n}", id=str(n)) for n in range(30)]
        run.step({"n": 0, "plain": {"a": [1]}, "messages": said[:1], "lines": [], "mixed": [{"x": 1}]})
        for n in range(1, 25):
            run.step({"n": n}, appended={"messages": [said[n]], "lines": [f"line {n}"], "mixed": [n]})
            first, second = (run.saver.load(run.key(), share=True) for _ in range(2))
            assert found(first) == found(second) == expected(run.saved[run.head])
            first.values["plain"]["a"].append(2)
            first.values["mixed"][0]["x"] = 2
            first.values["messages"].pop()
            if n % 4 == 0:  # a node that changes a message without saying so
                second.values["messages"][n // 2].content = "changed"
                second.values["messages"][0].additional_kwargs["mark"] = n
                second.values["messages"][1].extra_field = n
        run.step({}, removed=("lines",))
        run.step({"messages": []}, appended={"mixed": [None]})
        assert found(run.saver.load(run.key(), share=True)) == expected(run.saved[run.head])

    def test_a_shared_state_of_many_messages_is_the_stored_one(self, run):
        run.step({"messages": [AIMessage(f"message {n}", id=str(n)) for n in range(600)]})
        stored = expected(run.saved[run.head])
        shared = run.saver.load(run.key(), share=True)
        # A late one is looked at each time, an early one by turns.
        for place, turns in ((0, 5), (300, 5), (599, 1)):
            shared.values["messages"][place].content = "changed"
            for _ in range(turns):
                shared = run.saver.load(run.key(), share=True)
            assert found(shared) == stored
        for places in (range(300, 305), range(0, 20, 2), range(1, 20, 2)):  # of many, one is looked at
            for place in places:
                shared.values["messages"][place].content = "changed"
            shared = run.saver.load(run.key(), share=True)
            assert found(shared) == stored
        shared.values["messages"][599].name = "changed"  # a late one: every field is looked at each time
        shared = run.saver.load(run.key(), share=True)
        assert found(shared) == stored
        shared.values["messages"][300].additional_kwargs["mark"] = 1  # an early one: by turns
        for _ in range(600 // 64):
            shared = run.saver.load(run.key(), share=True)
        assert found(shared) == stored

    def test_a_shared_state_follows_branches_and_other_writers(self, run):
        run.step({"items": ["root", "x" * 2000]})
        root = run.head
        for n in range(5):
            run.step({}, appended={"items": [n]})
        assert run.saver.load(run.key(), share=True).values == run.saved[run.head].values
        run.head = root
        for n in range(3):
            run.step({}, appended={"items": [f"fork {n}"]})
            assert run.saver.load(run.key(), share=True).values == run.saved[run.head].values
        for checkpoint_id, saved in run.saved.items():
            assert run.saver.load(run.key(checkpoint_id), share=True).values == saved.values
        run.saver.prune(["t"])
        run.step({}, appended={"items": ["after"]})
        assert run.saver.load(run.key(), share=True).values == run.saved[run.head].values
        run.saver.delete_thread("t")
        assert run.saver.load(run.key(), share=True) is None

    # -- pending writes -------------------------------------------------------------------------------------

    def test_pending_writes_are_saved_once(self, run):
        run.step({"n": 0})
        task = TaskWrites("id-1", "a", (PULL, "a"), [("n", 1), ("items", [2])])
        for value in (1, 9):
            run.saver.put_pending(run.key(run.head), [task._replace(writes=[("n", value), ("items", [2])])])
        assert run.saver.load(run.key()).writes == [("id-1", "n", 1), ("id-1", "items", [2])]

    def test_reserved_channels_are_replaced(self, run):
        run.step({"n": 0})
        for error in ("first", "second"):
            run.saver.put_pending(run.key(run.head), [TaskWrites("id-1", "a", (), [(ERROR, error)])])
        assert run.saver.load(run.key()).writes == [("id-1", ERROR, "second")]

    def test_writes_need_a_checkpoint(self, run):
        run.step({"n": 0})
        with pytest.raises(StoreError, match="name no checkpoint"):
            run.saver.put_pending(run.key(), [TaskWrites("id-1", "a", (), [("n", 1)])])

    def test_pending_writes_stay_in_history(self, run):
        run.step({"n": 0})
        for n in range(5):
            run.saver.put_pending(run.key(run.head), [TaskWrites(f"p{n}", "a", (), [("n", n)])])
            run.step({"n": n}, tasks=[])
        assert [row[-1] for row in states(run)] == [[], *([(f"p{n}", "n", n)] for n in reversed(range(5)))]
        assert [row[-1] for row in states(run, limit=2)] == [[], [("p4", "n", 4)]]

    # -- questions and claims -------------------------------------------------------------------------------

    def test_a_question_is_asked_answered_and_applied(self, run):
        run.step({"n": 0})
        run.pause("q1", payload={"amount": 10})
        question = run.saver.pending()[0]
        assert (question.node, question.payload, question.state) == ("asking", {"amount": 10}, "open")
        assert run.saver.load(run.key()).writes == [
            ("id-of-asking", INTERRUPT, [Interrupt({"amount": 10}, "q1")])
        ]
        (claim,) = run.saver.claim(run.request({"q1": "yes"}))
        assert (claim.state, claim.answer, claim.by, claim.at) == ("delivered", "yes", "ann", at(1))
        assert (claim.owner, claim.lease_until) == ("kernel-1", at(31))
        assert ("id-of-asking", RESUME, [["q1", "digest", "yes"]]) in run.saver.load(run.key()).writes
        assert run.saver.pending() == []
        run.step({"n": 1})
        (done,) = run.saver.claims("t")
        assert (done.state, done.answer, done.by, done.owner) == ("applied", "yes", "ann", None)

    @pytest.mark.parametrize("answer", [None, False, 0, "", {}, [], {"0" * 32: 1}, {1: 2}, (1, 2)])
    def test_every_value_is_an_answer(self, run, answer):
        run.step({"n": 0})
        run.pause("q1")
        (claim,) = run.saver.claim(run.request({"q1": answer}))
        assert claim.answer == answer
        assert type(claim.answer) is type(answer)
        assert ("id-of-asking", RESUME, [["q1", "digest", answer]]) in run.saver.load(run.key()).writes

    def test_the_second_answer_is_told_who_won(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        with pytest.raises(AlreadyAnswered, match="by ann") as caught:
            run.saver.claim(run.request({"q1": "no"}, by="bob", at=at(2)))
        assert (caught.value.by, caught.value.at) == ("ann", at(1))
        run.step({"n": 1})
        run.head = run.saved[run.head].parent_id
        with pytest.raises(AlreadyAnswered, match="by ann"):
            run.saver.claim(run.request({"q1": "no"}, by="bob", at=at(99)))

    def test_answers_are_taken_together_or_not_at_all(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2", "q3")
        run.saver.claim(run.request({"q2": "mine"}))
        before = run.saver.load(run.key()).writes
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": 1, "q2": 2, "q3": 3}, by="bob"))
        with pytest.raises(UnknownInterruptError) as caught:
            run.saver.claim(run.request({"q1": 1, "nobody": 2}))
        assert (caught.value.reason, caught.value.interrupt_ids) == ("not_pending", ("nobody",))
        with pytest.raises(UnsupportedValue, match="the answer to interrupt q3"):
            run.saver.claim(run.request({"q1": 1, "q3": object()}, resumes={}))
        assert [state_of(run, q) for q in ("q1", "q2", "q3")] == ["open", "delivered", "open"]
        assert run.saver.load(run.key()).writes == before

    def test_an_unanswered_report_is_in_doubt(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}, lease=30.0))
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": "no"}, at=at(30)))
        run.saver.renew(*run.place(), ["q1"], owner="kernel-1", at=at(30), lease=10.0)
        with pytest.raises(AlreadyAnswered):
            run.saver.claim(run.request({"q1": "no"}, at=at(39)))
        with pytest.raises(AnswerInDoubt, match="by ann"):
            run.saver.claim(run.request({"q1": "no"}, at=at(41)))
        with pytest.raises(AlreadyAnswered):
            run.saver.renew(*run.place(), ["q1"], owner="kernel-2", at=at(30), lease=10.0)

    def test_a_release_puts_everything_back(self, run):
        run.step({"n": 0})
        run.pause("q1")
        before = run.saver.load(run.key()).writes
        run.saver.claim(run.request({"q1": "bad"}))
        (opened,) = run.saver.release(*run.place(), ["q1"])
        assert (opened.state, opened.answer, opened.by, opened.owner) == ("open", None, None, None)
        assert run.saver.load(run.key()).writes == before
        run.saver.claim(run.request({"q1": "good"}))
        run.pause("q2")
        run.saver.claim(run.request({"q2": "bad"}))
        both = [["q1", "digest", "good"], ["q2", "digest", "bad"]]
        assert ("id-of-asking", RESUME, both) in run.saver.load(run.key()).writes
        run.saver.release(*run.place(), ["q2"])
        assert ("id-of-asking", RESUME, both[:1]) in run.saver.load(run.key()).writes
        assert [q.interrupt_id for q in run.saver.pending()] == ["q2"]

    @pytest.mark.parametrize("others", [(), ("q3",)])
    def test_an_answer_does_not_bring_along_what_was_taken_back(self, run, others):
        """Between reading the thread and answering, somebody opens a question of the same task again."""
        run.step({"n": 0})
        run.pause("q1", "q2", "q3")
        run.saver.claim(run.request({"q1": "first"}))
        entries = [["q1", "digest", "first"], *(["q" + n, "digest", "new"] for n in "23")]
        answers = dict.fromkeys(("q2", *others), "new")
        late = run.request(answers, resumes={"id-of-asking": entries[: 1 + len(answers)]})
        run.saver.release(*run.place(), ["q1"])
        before = run.saver.load(run.key()).writes
        with pytest.raises(
            UnknownInterruptError, match=r"had to q1 was taken back.*answer once more"
        ) as refused:
            run.saver.claim(late)
        assert refused.value.interrupt_ids == ("q1",)
        assert run.saver.load(run.key()).writes == before
        assert [q.interrupt_id for q in run.saver.pending()] == ["q1", "q2", "q3"]
        run.saver.claim(run.request(answers))

    def test_answers_to_one_task_by_two_people_stay_side_by_side(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2")
        run.saver.claim(run.request({"q1": "ann's"}))
        run.saver.claim(run.request({"q2": "bob's"}, by="bob"))
        both = [["q1", "digest", "ann's"], ["q2", "digest", "bob's"]]
        assert ("id-of-asking", RESUME, both) in run.saver.load(run.key()).writes
        run.saver.release(*run.place(), ["q1"])
        assert ("id-of-asking", RESUME, both[1:]) in run.saver.load(run.key()).writes

    def test_the_next_question_of_a_node_uses_up_the_answer_before(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        run.pause("q2")
        assert (state_of(run, "q1"), state_of(run, "q2")) == ("applied", "open")
        with pytest.raises(AlreadyAnswered):
            run.saver.release(*run.place(), ["q1"])

    def test_asking_again_keeps_a_claim(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        run.pause("q1")
        assert state_of(run, "q1") == "delivered"

    def test_asking_something_else_replaces_an_open_question(self, run):
        run.step({"n": 0})
        run.pause("q1", payload="10 euros?")
        run.pause("q1", payload="10 euros?", when=at(50))
        assert [(q.payload, q.asked_at) for q in run.saver.pending()] == [("10 euros?", NOON)]
        run.pause("q1", payload="1000 euros?", when=at(50))
        assert [(q.payload, q.asked_at) for q in run.saver.pending()] == [("1000 euros?", at(50))]

    def test_saved_results_apply_an_answer_and_errors_leave_no_doubt(self, run):
        run.step({"n": 0})
        run.pause("q1", task="first")
        run.pause("q2", task="second")
        run.saver.claim(run.request({"q1": 1}, task="first"))
        run.saver.claim(run.request({"q2": 1}, task="second"))
        run.saver.put_pending(run.key(run.head), [TaskWrites("id-of-first", "first", (), [("n", 1)])])
        run.saver.put_pending(run.key(run.head), [TaskWrites("id-of-second", "second", (), [(ERROR, "no")])])
        first, second = run.saver.claims("t")
        assert (first.state, second.state, second.lease_until) == ("applied", "delivered", None)

    def test_an_answer_is_noted_and_delivered_later(self, run):
        run.step({"n": 0})
        run.pause("q1")
        noted = run.saver.record_answer(*run.place(), "q1", {"ok": True}, "bob", at(5))
        assert (noted.state, noted.by, noted.owner) == ("recorded", "bob", None)
        with pytest.raises(AlreadyAnswered, match="by bob"):
            run.saver.record_answer(*run.place(), "q1", "no", "eve", at(6))
        with pytest.raises(AlreadyAnswered, match="by bob"):
            run.saver.claim(run.request({"q1": "no"}, at=at(7)))
        (claim,) = run.saver.claim(run.request({"q1": {"ok": True}}, at=at(8)))
        assert (claim.state, claim.by, claim.at, claim.lease_until) == ("delivered", "bob", at(5), at(38))

    def test_a_thread_that_goes_on_drops_its_questions(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2")
        paused_at = run.head
        run.saver.claim(run.request({"q1": 1}))
        run.step({"n": 1}, source="update")
        assert (state_of(run, "q1"), state_of(run, "q2")) == ("applied", "dropped")
        run.head = paused_at
        with pytest.raises(AlreadyAnswered, match="went on without"):
            run.saver.claim(run.request({"q2": 1}))
        run.step({"n": 2}, source="fork")
        run.pause("q3")
        assert [q.interrupt_id for q in run.saver.pending()] == ["q3"]
        run.saver.drop(*run.place(), ["q3"])
        assert run.saver.pending() == []

    def test_questions_of_a_subgraph_end_with_its_parents_step(self, saver):
        outer, inner = Run(saver), Run(saver, ns="node:1")
        outer.step({"n": 0})
        inner.step({"m": 0})
        inner.pause("q1", "q2")
        saver.claim(inner.request({"q1": 1}))
        Run(saver, thread="other").step({"n": 0})
        outer.step({"n": 1})
        assert (state_of(inner, "q1"), state_of(inner, "q2")) == ("applied", "dropped")

    def test_filters_that_mean_nothing_are_refused(self, saver):
        Run(saver, "t0").step()
        for wrong in (
            lambda: saver.pending(states=["bogus"]),
            lambda: saver.pending(asked_before="yesterday"),
            lambda: saver.pending(asked_before="2026-11-20Tnoon.000.000000+00:00"),
            lambda: saver.pending(limit=-1),
            lambda: saver.threads(limit=-1),
            lambda: saver.prune_older("1d"),
        ):
            with pytest.raises(ValueError, match=r"^(pending|threads|prune_older)\("):
                wrong()
        for wrong in (
            lambda: saver.pending(node=5),
            lambda: saver.pending(asked_before=5),
            lambda: saver.threads(prefix=5),
            lambda: saver.threads(limit="2"),
            lambda: saver.prune("t0"),
            lambda: saver.prune_older(timedelta(0), thread_ids="t0"),
        ):
            with pytest.raises(TypeError, match=r"^(pending|threads|prune|prune_older)\("):
                wrong()
        assert [info.thread_id for info in saver.threads()] == ["t0"]

    def test_pending_lists_what_is_asked_for(self, saver):
        for number, (thread, node) in enumerate([("a1", "x"), ("a2", "y"), ("b1", "x")]):
            run = Run(saver, thread)
            run.step({"n": 0})
            run.pause(f"q{number}", task=node, when=at(number))
        ids = lambda **how: [q.interrupt_id for q in saver.pending(**how)]  # noqa: E731
        assert ids() == ["q0", "q1", "q2"]
        assert ids(node="x") == ["q0", "q2"]
        assert ids(asked_before=at(2)) == ids(asked_before=datetime.fromisoformat(at(2))) == ["q0", "q1"]
        assert ids(asked_before=str(datetime.fromisoformat(at(1.5)))) == ["q0", "q1"]
        assert ids(asked_before=timedelta(days=36500)) == []
        assert ids(thread_prefix="a") == ["q0", "q1"]
        assert ids(node="x", thread_prefix="b", asked_before=at(9)) == ["q2"]
        assert ids(limit=1) == ["q0"]
        assert ids(states=()) == ids(limit=0) == []
        saver.claim(run.request({"q2": 1}, task="x"))
        assert ids() == ["q0", "q1"]
        assert ids(states="open") == ["q0", "q1"]
        assert ids(states=("open", "delivered")) == ["q0", "q1", "q2"]
        assert [(t.thread_id, t.open_questions) for t in saver.threads()] == [("a1", 1), ("a2", 1), ("b1", 0)]
        assert [t.thread_id for t in saver.threads(prefix="a", limit=1)] == ["a1"]
        assert saver.threads()[2].checkpoint_id == run.head

    def test_questions_of_one_moment_are_listed_in_the_order_in_which_they_were_asked(self, saver):
        for number, node in enumerate("zaz"):
            run = Run(saver, f"t{number}")
            run.step({"n": 0})
            run.pause(f"q{number}", task=node)
        assert [q.interrupt_id for q in saver.pending()] == ["q0", "q1", "q2"]
        assert [q.interrupt_id for q in saver.pending(limit=2)] == ["q0", "q1"]

    # -- upkeep ---------------------------------------------------------------------------------------------

    def grown(self, saver: StepSaver, thread: str = "t", length: int = 20) -> Run:
        run = Run(saver, thread)
        run.step({"n": 0, "items": []}, run_id="run0")
        for n in range(length):
            run.step({"n": n}, appended={"items": [n]}, run_id=f"run{n % 3}")
        return run

    def test_deleting_runs_keeps_the_rest_readable(self, saver):
        run, other = self.grown(saver), self.grown(saver, "other")
        saver.delete_for_runs(["run1"])
        kept = [s for s in run.saved.values() if s.metadata["run_id"] != "run1"]
        assert [row[:5] for row in states(run)] == [expected(s)[:5] for s in reversed(kept)]
        for saved in kept:
            assert saver.load(run.key(saved.checkpoint_id)).values == saved.values
        assert len(states(other)) == len(kept)
        run.head = kept[-1].checkpoint_id
        run.step({"n": 99}, appended={"items": [99]})
        assert saver.load(run.key()).values == run.saved[run.head].values

    def test_pruning_keeps_the_newest(self, saver):
        run = self.grown(saver)
        run.pause("q1")
        saver.prune(["t"])
        assert [row[:5] for row in states(run)] == [expected(run.saved[run.head])[:5]]
        assert [q.interrupt_id for q in saver.pending()] == ["q1"]
        saver.prune(["t"], strategy="delete")
        assert states(run) == saver.claims("t") == saver.threads() == []
        with pytest.raises(ValueError, match="keep_latest"):
            saver.prune(["t"], strategy="keep_some")

    def answered(self, run: Run) -> tuple[str, str]:
        """Ask, answer and go on, then do other things; return the id asked at, and the newest."""
        run.step({"n": 100, "items": []})
        run.pause("q1")
        run.saver.claim(run.request({"q1": "yes"}))
        at = run.head
        run.step({"n": 101}, appended={"items": ["answered"]}, tasks=[run.task("asking", [("n", 101)])])
        for n in range(4):
            run.step({"n": n}, appended={"items": [n]})
        return at, run.head

    def test_pruning_keeps_decisions_and_the_journal(self, run):
        self.answered(run)
        run.saver.begin_once("t", "mail", "kernel", NOON)
        run.saver.prune(["t"])
        assert [row[:3] for row in states(run)] == [expected(run.saved[run.head])[:3]]
        assert [(c.interrupt_id, c.state, c.by) for c in run.saver.claims("t")] == [("q1", "applied", "ann")]
        assert [entry.key for entry in run.saver.once_entries("t")] == ["mail"]

    @pytest.mark.parametrize("how", ["keep_latest", "delete"])
    def test_history_is_read_on_while_somebody_prunes(self, run, how):
        for n in range(60):  # more than one batch, and many states that are folded from a few steps
            run.step({"n": n} if n % 10 else {"n": n, "text": str(n) * 500}, appended={"items": [n]})
        expected = [(n, list(range(n + 1))) for n in range(59, -1, -1)]
        reading, listing = run.saver.history("t", ""), run.saver.list(config("t"))
        found = [next(reading) for _ in range(2)]
        listed = [next(listing).checkpoint["channel_values"]["n"] for _ in range(2)]
        run.saver.prune(["t"], strategy=how)
        found += reading
        listed += [found.checkpoint["channel_values"]["n"] for found in listing]
        assert [(f.values["n"], f.values["items"]) for f in found] == expected[: len(found)]
        assert listed == list(range(59, 59 - len(listed), -1))

    def test_pruning_can_keep_what_was_answered(self, run):
        at, newest = self.answered(run)
        run.saver.prune(["t"], strategy="keep_answered")
        assert [row[0] for row in states(run)] == [newest, at]
        assert states(run)[1][:5] == expected(run.saved[at])[:5]
        task_id, channel, value = run.saved[at].results[0]
        assert (task_id, channel, value) in run.saver.load(run.key(at)).writes
        assert found(run.saver.load(run.key(newest))) == expected(run.saved[newest])

    def test_pruning_never_takes_an_answer_on_its_way(self, run):
        run.step({"n": 0})
        run.pause("q1")
        run.saver.claim(run.request({"q1": 1}))
        asked_at = run.head
        run.head = None  # the thread goes on elsewhere, in another kernel
        run.step({"n": 5})
        for n in range(3):
            run.step({"n": n})
        run.saver.prune(["t"])
        assert [row[0] for row in states(run)] == [run.head, asked_at]
        assert [(c.interrupt_id, c.state) for c in run.saver.claims("t")] == [("q1", "delivered")]

    def test_pruning_keeps_what_a_kept_checkpoint_calls(self, saver):
        child = Run(saver, ns="sub")
        for n in range(4):
            child.step({"n": n})
        ids = list(child.saved)
        run = Run(saver)
        run.step({"n": 0})
        run.step({"n": 1}, frame=Frame(children={"sub": ids[1]}))
        saver.prune(["t"])
        assert [row[0] for row in states(child)] == [ids[3], ids[1]]
        assert [row[0] for row in states(run)] == [run.head]

    def test_pruning_by_age(self, saver):
        run = self.grown(saver)
        ids = list(run.saved)
        cut = datetime.fromisoformat(at(5))
        assert saver.prune_older(cut) == 5
        assert [row[0] for row in states(run)] == ids[:4:-1]
        assert saver.prune_older(cut) == 0
        assert found(saver.load(run.key(ids[5])))[:5] == expected(run.saved[ids[5]])[:5]
        waiting = Run(saver, thread="waiting")
        waiting.step({"n": 0})
        waiting.pause("q1")
        assert saver.prune_older(timedelta(0), thread_ids=["nobody"]) == 0
        assert saver.prune_older(datetime(2026, 11, 20, 12), strategy="delete") == 0
        assert saver.prune_older(datetime(2026, 11, 20, 13), strategy="delete") == len(ids) - 5
        assert [info.thread_id for info in saver.threads()] == ["waiting"]
        with pytest.raises(ValueError, match="keep_answered"):
            saver.prune_older(timedelta(1), strategy="all")

    @settings(derandomize=True, max_examples=12, deadline=None, suppress_health_check=QUIET)
    @given(data=st.data())
    def test_what_pruning_leaves_reads_as_before(self, saver, data):
        run = Run(saver, thread=f"t{len(saver.threads())}")
        for number in range(data.draw(st.integers(1, 14))):
            run.head = data.draw(st.sampled_from([*run.saved])) if run.saved else None
            if number and data.draw(st.booleans()) and not run.saved[run.head].results:
                run.pause(f"q{number}")
                if data.draw(st.booleans()):
                    saver.claim(run.request({f"q{number}": number}))
            run.step({"n": number}, appended={"items": ["x" * data.draw(st.integers(0, 40))]})
        before = {row[0]: row for row in states(run)}
        decided = [c for c in saver.claims(run.thread) if c.state in ("applied", "delivered")]
        strategy = data.draw(st.sampled_from(["keep_latest", "keep_answered"]))
        saver.prune([run.thread], strategy=strategy)
        after = {row[0]: row for row in states(run)}
        assert max(before) in after
        assert {key: row[:5] for key, row in after.items()} == {key: before[key][:5] for key in after}
        assert [c for c in saver.claims(run.thread) if c.state in ("applied", "delivered")] == decided
        if strategy == "keep_answered":
            assert {c.checkpoint_id for c in decided} <= set(after)
        run.head = max(before)
        run.step({"n": -1}, appended={"items": ["new"]})
        assert saver.load(run.key()).values == run.saved[run.head].values

    def test_a_copy_stands_alone(self, saver):
        run = self.grown(saver)
        run.pause("q1", "q2")
        saver.claim(run.request({"q1": 1}))
        writes = saver.load(run.key()).writes
        saver.copy_thread("t", "copy")
        assert saver.load(run.key()).writes == writes
        saver.delete_thread("t")
        copy = Run(saver, "copy")
        copy.saved, copy.head = deepcopy(run.saved), run.head
        assert [row[:5] for row in states(copy)] == [expected(s)[:5] for s in reversed(run.saved.values())]
        assert sorted(q.interrupt_id for q in saver.pending()) == ["q1", "q2"]
        assert all(channel != RESUME for _, channel, _ in saver.load(copy.key()).writes)
        copy.step({"n": 1}, appended={"items": ["new"]})
        assert saver.load(copy.key()).values == copy.saved[copy.head].values

    def test_a_copy_needs_a_new_name(self, saver):
        run = self.grown(saver)
        before = states(run)
        saver.copy_thread("t", "copy")
        for source, target, said in (
            ("nobody", "new", "no thread 'nobody'"),
            ("t", "copy", "exists already"),
        ):
            with pytest.raises(StoreError, match=said):
                saver.copy_thread(source, target)
        assert states(run) == before

    # -- LangGraph's interface ------------------------------------------------------------------------------

    def test_steps_show_in_langgraphs_shape(self, run):
        run.step({"n": 0}, frame=Frame(triggers=("branch:to:a",)))
        run.step({"m": 1}, frame=Frame(sends=(Send("b", 1),), channels={"join:a+b:c": {"a"}}))
        shown = run.saver.get_tuple(config("t"))
        assert shown.config == config("t", run.head)
        assert shown.parent_config == config("t", run.saved[run.head].parent_id)
        assert shown.metadata == {"source": "loop", "step": 0, "parents": {}}
        assert shown.checkpoint["channel_values"] == {
            "n": 0,
            "m": 1,
            "__pregel_tasks": [Send("b", 1)],
            "join:a+b:c": {"a"},
        }
        assert shown.checkpoint["channel_versions"]["n"] == 1
        assert shown.checkpoint["channel_versions"]["m"] == 2
        first = list(run.saver.list(config("t")))[1]
        assert first.checkpoint["channel_values"] == {"n": 0, "branch:to:a": None}
        assert first.pending_writes == run.saved[first.config["configurable"]["checkpoint_id"]].results
        assert first.parent_config is None
        assert (first.checkpoint["id"], first.checkpoint["v"]) == (next(iter(run.saved)), 4)

    def test_a_step_may_follow_a_checkpoint_that_was_put(self, saver):
        checkpoint = empty_checkpoint()
        checkpoint["id"] = "1e000000-0000-6000-8000-000000000000"
        checkpoint["channel_values"] = {"n": 1, "items": ["a"], "branch:to:x": None, "__start__": {"n": 0}}
        saver.put(config("t"), checkpoint, {"source": "input", "step": -1}, {})
        stored = saver.load(CheckpointKey("t", ""))
        assert stored.values == {"n": 1, "items": ["a"]}
        assert set(stored.frame.triggers) == {"branch:to:x", "__start__"}
        assert stored.frame.start == {"n": 0}
        run = Run(saver)
        run.remember(run.record(stored.values))
        run.saved[checkpoint["id"]] = run.saved.pop(run.head)
        run.head = checkpoint["id"]
        run.step({}, appended={"items": ["b"]})
        assert saver.load(run.key()).values == {"n": 1, "items": ["a", "b"]}
        assert [stored.values["items"] for stored in saver.history("t", "")] == [["a", "b"], ["a"]]

    def test_a_checkpoint_that_is_put_again_leaves_those_around_it_as_they_are(self, saver):
        run = Run(saver)
        run.remember(first := run.record({"n": 0, "items": []}))
        saver.put_step(first)
        for n in range(3):
            run.step({"n": n}, appended={"items": [n]})
        before = [*saver.list(config("t"))]
        made = dict(before[1].checkpoint)
        made["channel_values"] = {"n": 7, "items": ["anew"]}
        saver.put(before[1].parent_config, made, before[1].metadata, {})
        after = [*saver.list(config("t"))]
        assert after[1].checkpoint["channel_values"] == {"n": 7, "items": ["anew"]}
        for place in (0, 2, 3):
            assert after[place].checkpoint["channel_values"] == before[place].checkpoint["channel_values"]
            assert after[place].pending_writes == before[place].pending_writes

    async def test_async_twins_say_the_same(self, run):
        record = run.record({"n": 0, "items": []})
        await run.saver.aput_step(record)
        run.remember(record)
        for n in range(150):
            run.step({"n": n}, appended={"items": [n]})
        run.pause("q1")
        request = run.request({"q1": 1})
        stored = await run.saver.aload(run.key())
        assert stored == run.saver.load(run.key())
        assert [s async for s in run.saver.ahistory("t", "")] == list(run.saver.history("t", ""))
        assert await run.saver.aload_before(run.key()) == run.saver.load_before(run.key())
        assert [s async for s in run.saver.ahistory("t", "", limit=2)] == list(
            run.saver.history("t", "", limit=2)
        )
        assert await run.saver.aget_tuple(config("t")) == run.saver.get_tuple(config("t"))
        assert [s async for s in run.saver.alist(config("t"), limit=3)] == list(
            run.saver.list(config("t"), limit=3)
        )
        assert await run.saver.apending(node="asking") == run.saver.pending()
        await run.saver.aclaim(request)
        with pytest.raises(AlreadyAnswered):
            await run.saver.aclaim(request)
        await run.saver.arelease(*run.place(), ["q1"])
        assert await run.saver.aclaims("t") == run.saver.claims("t")
        assert await run.saver.athreads() == run.saver.threads()
        await run.saver.acopy_thread("t", "copy")
        await run.saver.aprune(["copy"], strategy="keep_answered")
        assert await run.saver.aprune_older(datetime(2026, 11, 20), thread_ids=["copy"]) == 0
        await run.saver.adelete_thread("t")
        assert await run.saver.aload(run.key()) is None
