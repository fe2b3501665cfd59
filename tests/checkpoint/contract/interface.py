"""LangGraph's interface to the same steps, and the async twins of every method."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

import pytest

from nbhitl.checkpoint.base import empty_checkpoint
from nbhitl.checkpoint.records import CheckpointKey, Frame
from nbhitl.errors import AlreadyAnswered, UnsupportedValue
from nbhitl.types import Send

from ..building import NOON, Run, at
from .opening import OpensASaver, config


class SpeaksLangGraph(OpensASaver):
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

    @pytest.mark.parametrize("given", [0, 5, b"5", uuid.UUID(int=5), ["5"]], ids=repr)
    @pytest.mark.parametrize("key", ["checkpoint_id", "checkpoint_ns"])
    async def test_a_place_that_is_no_text_is_refused_by_name(self, run, key, given):
        run.step({"n": 0})
        saver, checkpoint = run.saver, run.saver.get_tuple(config("t")).checkpoint
        odd = config("t", run.head)
        odd["configurable"][key] = given
        told = re.escape(f"config['configurable']['{key}'] is {given!r} ({type(given).__name__}); it must be")
        writes = [("n", 1)], "task"
        before = {"configurable": {"checkpoint_id": given}}
        for call in (
            lambda: saver.get_tuple(odd),
            lambda: list(saver.list(odd)),
            lambda: saver.put(odd, checkpoint, {}, {}),
            lambda: saver.put_writes(odd, *writes),
        ):
            with pytest.raises(TypeError, match=told):
                call()
        with pytest.raises(TypeError, match="checkpoint_id"):
            list(saver.list(config("t"), before=before))
        for awaited in (
            saver.aget_tuple(odd),
            saver.aput(odd, checkpoint, {}, {}),
            saver.aput_writes(odd, *writes),
        ):
            with pytest.raises(TypeError, match=told):
                await awaited
        with pytest.raises(TypeError, match=told):
            [_ async for _ in saver.alist(odd)]
        assert len(list(saver.list(None))) == 1

    def test_what_is_listed_are_the_checkpoints_that_a_config_names(self, saver):
        outer, inner = Run(saver), Run(saver, ns="child:1")
        ids = []
        for n in range(3):
            for run in (outer, inner):
                checkpoint = empty_checkpoint()
                checkpoint["channel_values"] = {"n": n}
                ids.append(checkpoint["id"])
                saver.put(config("t", ns=run.ns), checkpoint, {"step": n}, {})

        def listed(*place, **how):
            return [found.checkpoint["id"] for found in saver.list(config(*place, **how))]

        assert listed("t", ns=None) == ids[::-1]
        assert listed("t") == ids[-2::-2]
        assert listed("t", ids[2]) == listed("t", ids[2], ns=None) == [ids[2]]
        assert listed("t", ids[1]) == listed("t", "unknown", ns=None) == []

    def test_a_checkpoint_that_is_put_closes_what_is_asked_before_it(self, run):
        run.step({"n": 0})
        run.pause("q")
        checkpoint = empty_checkpoint() | {"id": "ff000000-0000-6000-8000-000000000000"}
        run.saver.put(config("t", run.head), checkpoint, {"source": "loop", "step": 1}, {})
        assert run.saver.pending() == []
        assert [claim.state for claim in run.saver.claims("t")] == ["dropped"]

    def test_a_value_that_cannot_be_put_is_named(self, saver):
        checkpoint = empty_checkpoint()
        checkpoint["channel_values"] = {"n": 1, "odd": object()}
        with pytest.raises(UnsupportedValue, match=r"state key 'odd' \(thread 't'\) cannot be saved"):
            saver.put(config("t"), checkpoint, {}, {})
        assert saver.get_tuple(config("t")) is None

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
        listed = run.saver.questions("t")
        assert await run.saver.aquestions("t") == listed
        assert [claim for _, claim in listed] == run.saver.claims("t")
        assert [asked for asked, _ in listed] == run.saver.pending()
        assert await run.saver.athreads() == run.saver.threads()
        await run.saver.acopy_thread("t", "copy")
        await run.saver.aprune(["copy"], strategy="keep_answered")
        assert await run.saver.aprune_older(datetime(2026, 11, 20), thread_ids=["copy"]) == 0
        await run.saver.adelete_thread("t")
        assert await run.saver.aload(run.key()) is None

    async def test_async_twins_move_a_claim_on(self, run):
        run.step({"n": 0})
        run.pause("q1", "q2", "q3")
        noted = await run.saver.arecord_answer(*run.place(), "q1", "yes", "ann", NOON)
        assert (noted.state, noted.answer, noted.by, noted.at) == ("recorded", "yes", "ann", NOON)
        with pytest.raises(AlreadyAnswered, match="by ann"):
            await run.saver.arecord_answer(*run.place(), "q1", "no", "bob", NOON)
        (taken,) = await run.saver.aclaim(run.request({"q2": 1}))
        (renewed,) = await run.saver.arenew(*run.place(), ["q2"], owner="kernel-1", at=at(60), lease=5.0)
        assert (taken.lease_until, renewed.lease_until) == (at(31), at(65))
        with pytest.raises(AlreadyAnswered):
            await run.saver.arenew(*run.place(), ["q2"], owner="somebody else", at=at(60), lease=5.0)
        left = await run.saver.adrop(*run.place(), ["q2", "q3"], only_open=True)
        assert [claim.state for claim in left] == ["delivered", "dropped"]
        (gone,) = await run.saver.adrop(*run.place(), ["q1"])
        assert gone.state == "dropped"
        assert [claim.state for claim in run.saver.claims("t")] == ["dropped", "delivered", "dropped"]
