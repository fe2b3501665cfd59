"""What pure functions of the stores decide, by value: where a wrong decision would lose or mix up what a thread holds."""

from __future__ import annotations

import pytest

from nbhitl.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from nbhitl.checkpoint._answers import Answers, answers_in
from nbhitl.checkpoint._filters import states_of
from nbhitl.checkpoint._fold import ancestry
from nbhitl.checkpoint._newest import merged
from nbhitl.checkpoint._read_on import read_on
from nbhitl.checkpoint._rows import StepRow, WriteRow, decode_body
from nbhitl.checkpoint._upkeep import PruneRule, any_young, copied_writes, kept_places, made_whole
from nbhitl.checkpoint.claims import DELIVERED, Question
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.plain_forms import gate_from_plain, gate_to_plain
from nbhitl.checkpoint.records import Frame, TaskWrites
from nbhitl.checkpoint.serde import Serde
from nbhitl.constants import PULL, PUSH, RESUME
from nbhitl.errors import StoreError

from .building import NOON, Run, at


def rows_of(saver, ns=""):
    return list(saver._rows.steps_newest_first("t", ns, None))


def test_what_stays_keeps_what_it_refers_to_however_far_below():
    saver = InMemorySaver()
    below, middle, above = Run(saver, ns="a|b"), Run(saver, ns="a"), Run(saver)
    for number in range(3):
        below.step({"n": number})
        if number == 0:
            middle.step(frame=Frame(children={"a|b": below.head}))
            above.step(frame=Frame(children={"a": middle.head}))
    middle.step()
    spaces = {ns: rows_of(saver, ns) for ns in ("", "a", "a|b")}
    first = next(iter(below.saved))
    assert kept_places(spaces, [], PruneRule(), saver._codec) == {
        ("", above.head), ("a", next(iter(middle.saved))), ("a", middle.head), ("a|b", first), ("a|b", below.head),
    }  # fmt: skip


def test_a_checkpoint_of_the_very_moment_is_not_older():
    saver = InMemorySaver()
    run = Run(saver)
    run.step()
    spaces = {"": rows_of(saver)}
    made = spaces[""][0].created_at
    assert any_young(spaces, PruneRule(moment=made))
    assert not any_young(spaces, PruneRule(moment=at(1000)))


def test_who_reads_on_after_something_went_is_told_how_many_were_given():
    asked = []

    def read(before, given):
        asked.append((before, given))
        yield from ["d", "c"] if before is None else ["b"]
        if before is None:
            raise StoreError("somebody has pruned it")

    assert [*read_on(read, str, None)] == ["d", "c", "b"]
    assert asked == [(None, 0), ("c", 2)]


def write(idx, value):
    return WriteRow("t", "", "cp", "task", idx, "node", "", "channel", value)


def test_of_two_results_of_one_place_the_first_stays():
    assert merged([], [write(0, b"first"), write(0, b"second")]) == [write(0, b"first")]
    assert merged([write(1, b"b")], [write(0, b"a"), write(1, b"c")]) == [write(0, b"a"), write(1, b"b")]


def test_what_a_task_was_answered_before_is_what_the_store_compares():
    codec, before = Serde(), [["q1", "", "yes"]]
    answers = Answers(("t", "", "cp"), "task", [*before, ["q2", "", "no"]], before, codec)
    assert codec.loads(answers.packed_before()) == before
    assert Answers(("t", "", "cp"), "task", before, [], codec).packed_before() == b""
    assert answers_in([answers.row()], codec) == {"task": [["q1", "", "yes"], ["q2", "", "no"]]}


def test_a_state_by_itself_is_one_state():
    assert states_of("pending", "open") == ("open",)
    assert states_of("pending", ["open", "delivered"]) == ("open", "delivered")


@pytest.mark.parametrize(
    ("gate", "value", "plain"),
    [
        (NamedBarrierValue(str, {"a", "b"}), {"b", "a"}, ["a", "b"]),
        (NamedBarrierValueAfterFinish(str, {"a", "b"}), ({"b", "a"}, True), [["a", "b"], True]),
    ],
)
def test_a_gate_that_waits_is_plain_data_and_back(gate, value, plain):
    assert gate_to_plain(value) == plain
    assert gate_from_plain(gate, plain) == value


def test_a_task_that_a_send_started_has_its_place():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"n": 0})
    sent = TaskWrites("", "node", (PUSH, 1, False), [("n", 1)])
    run.step({"n": 1}, tasks=[sent, TaskWrites("", "node", (PULL, "node"), [("n", 2)])])
    row = rows_of(saver)[0]
    tasks = decode_body(row, saver._codec).tasks(row)
    assert [(task.path, task.writes) for task in tasks] == [
        ((PUSH, 1, False), [("n", 1)]),
        ((PULL, "node"), [("n", 2)]),
    ]
    assert len({task.task_id for task in tasks}) == 2


def test_keys_that_went_are_a_list_or_damage():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"n": 0, "a": 1, "items": []})
    run.step(appended={"items": [1]}, removed=("n",))
    row = rows_of(saver)[0]
    body = saver.serde.loads(row.body)
    assert body[4] == ["n"]
    body[3], body[4] = None, "na"  # two keys, to whoever takes text for a list
    saver._rows.insert_step(row._replace(body=saver.serde.dumps(body)), replace=True)
    with pytest.raises(StoreError, match="in the place of a list"):
        saver.load(run.key(run.head))


def test_only_steps_that_stay_hold_their_whole_state_when_others_go():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"text": "long" * 5000, "items": []})
    for number in range(4):
        run.step(appended={"items": [number]})
    rows = rows_of(saver)
    assert [row.is_whole for row in rows] == [False, False, False, False, True]
    newest, _, middle, *older = rows
    doomed = {row.checkpoint_id for row in rows if row not in (newest, middle)}
    made = made_whole(rows, doomed, saver._codec)
    assert [row.checkpoint_id for row in made] == [newest.checkpoint_id, middle.checkpoint_id]
    for row, items in zip(made, ([0, 1, 2, 3], [0, 1]), strict=True):
        assert (row.is_whole, row.since, row.size) == (True, 0, len(row.body))
        assert decode_body(row, saver._codec).values["items"] == items
    assert (
        made_whole(rows, {row.checkpoint_id for row in older}, saver._codec)[0].parent_id
        == older[0].checkpoint_id
    )


def test_a_copy_has_no_answer_that_is_on_its_way():
    codec = InMemorySaver()._codec
    asked = Question("t", "", "c1", "q1", "task", "node", "interrupt", b"", "digest", NOON)
    given = [["q0", "digest", "before"], ["q1", "digest", "now"]]

    def write(channel, value, checkpoint="c1"):
        return WriteRow("t", "", checkpoint, "task", 0, "node", "", channel, codec.dumps(value))

    writes = [write(RESUME, given), write(RESUME, given[1:]), write("n", given), write(RESUME, given, "c2")]
    copied = list(copied_writes(writes, [asked._replace(state=DELIVERED)], codec, "u"))
    assert [(row.checkpoint_id, row.channel, codec.loads(row.value)) for row in copied] == [
        ("c1", RESUME, given[:1]),
        ("c1", "n", given),
        ("c2", RESUME, given),
    ]
    assert {row.thread_id for row in copied} == {"u"}
    assert [*copied_writes(writes, [asked], codec, "t")] == writes


def test_a_checkpoint_without_a_readable_time_is_not_pruned_by_age():
    saver = InMemorySaver()
    Run(saver).step()
    spaces = {"": [row._replace(created_at="yesterday") for row in rows_of(saver)]}
    with pytest.raises(StoreError, match=r"no readable time \('yesterday'\), so it cannot be pruned by age"):
        any_young(spaces, PruneRule(moment=NOON))


def step_row(own, parent, base="1"):
    return StepRow("t", "", own, parent, NOON, base, 0, 0, 0, b"", b"")


def test_a_state_is_folded_from_its_base_or_from_where_it_is_known():
    rows = [step_row("1", None), step_row("2", "1"), step_row("3", "2")]
    assert ancestry(rows, rows[2]) == rows
    assert ancestry(rows[:2], rows[2]) == rows
    assert ancestry(rows, rows[0]) == rows[:1]
    assert ancestry(rows, rows[2], "1") == rows[1:]
    assert ancestry(rows, rows[2], "2") == rows[2:]
    assert ancestry(rows, rows[2], "elsewhere") == rows


@pytest.mark.parametrize(
    "rows",
    [
        [step_row("1", None), step_row("3", "2")],
        [step_row("3", None)],
        [step_row("2", "3"), step_row("3", "2")],
    ],
    ids=["gap", "no parent", "circle"],
)
def test_a_step_whose_base_is_not_there_is_told_of(rows):
    with pytest.raises(StoreError, match=r"thread 't', checkpoint .: its parent .* is not in the store"):
        ancestry(rows, rows[-1])


def test_an_effect_that_is_settled_without_a_time_is_done_now():
    saver = InMemorySaver()
    saver.begin_once("t", "mail", "kernel", NOON)
    saver.settle_once("t", "mail", "sent")
    (entry,) = saver.once_entries("t")
    assert (entry.state, entry.result) == ("done", "sent")
    assert entry.done_at is not None
    assert entry.done_at > NOON


def test_an_outline_tells_what_a_list_held_before_it_was_replaced():
    run = Run(InMemorySaver())
    run.step({"items": ["a"]})
    run.step(appended={"items": ["b"]})
    run.step(appended={"items": ["c"]})
    run.step({"items": []})
    touched = [step.touched["items"] for step in run.saver.outline("t", "")]
    assert touched[1:] == [(None, ["b"]), (None, ["c"]), (["a", "b", "c"], [])]
