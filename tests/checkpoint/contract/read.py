"""What is read again, in the order of the history or as one state that is shared, is what is stored by then."""

from __future__ import annotations

from copy import deepcopy

from langchain_core.messages import AIMessage

from nbhitl.checkpoint import _fold
from nbhitl.checkpoint.records import Frame, TaskWrites
from nbhitl.constants import PULL
from nbhitl.types import MISSING

from ..building import expected, found
from .opening import OpensASaver, states


class ReadsAgain(OpensASaver):
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
        decode = _fold.decode_body
        monkeypatch.setattr(
            _fold, "decode_body", lambda row, serde: decoded.append(row) or decode(row, serde)
        )
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
