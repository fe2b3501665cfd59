import dataclasses
import math
import pickle
import random
import subprocess
import sys
from collections import namedtuple
from contextlib import suppress
from enum import Enum

import ormsgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, v1

from nbhitl.checkpoint.serde import Opaque, Serde, canonical_bytes, decoding, ensure_serde, tags
from nbhitl.checkpoint.serde.tagged_json import from_json, loads_inert, to_json
from nbhitl.errors import StoreError, UnsupportedValue
from nbhitl.types import Command

from .values import CLASSES, GRAPH, PLAIN, USERS, Careful, Color, Frozen, Model, Older, Point, Special


@pytest.fixture
def serde() -> Serde:
    serde = Serde()
    serde.register(*CLASSES)
    return serde


def same(a: object, b: object) -> bool:
    """Equal and of the same types all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(k, j) and same(v, w) for (k, v), (j, w) in zip(a.items(), b.items(), strict=True)
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or repr(a) == repr(b) == "Decimal('NaN')"


@pytest.mark.parametrize("value", [*PLAIN, *GRAPH, *USERS], ids=repr)
def test_values_come_back_as_they_were(serde, value):
    for wrapped in (value, [value], {"a": (value,)}):
        assert same(serde.loads(serde.dumps(wrapped)), wrapped)
    assert same(serde.loads_typed(serde.dumps_typed(value)), value)
    assert (
        getattr(serde.loads(serde.dumps(value)), "__dict__", {}).keys()
        == getattr(value, "__dict__", {}).keys()
    )


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.complex_numbers(),
    st.fractions(),
    st.ip_addresses(),
    st.sampled_from(list(Color)),
)
hashable = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.sampled_from(list(Color))),
    lambda inner: st.one_of(st.tuples(inner, inner), st.frozensets(inner, max_size=3)),
    max_leaves=4,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(hashable, inner, max_size=4),
        st.sets(hashable, max_size=4),
        st.builds(Point, st.integers(), inner),
    ),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(value=values)
def test_any_value_comes_back(value):
    serde = Serde(learn=True)
    back = serde.loads(serde.dumps(value))
    assert back == value or canonical_bytes(back) == canonical_bytes(value)  # NaN equals nothing
    assert type(back) is type(value)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(value=values)
def test_equal_values_have_one_canonical_spelling(value):
    serde = Serde(learn=True)
    assert canonical_bytes(serde.loads(serde.dumps(value))) == canonical_bytes(value)


def test_canonical_bytes_do_not_depend_on_order_or_process():
    value = {"b": {3, 1, 2}, "a": {"y": (1, 2.0), "x": [True, None]}, 5: frozenset("abc"), "$x": Point(1)}
    turned = {"$x": Point(1), 5: frozenset("cba"), "a": {"x": [True, None], "y": (1, 2.0)}, "b": {2, 3, 1}}
    assert canonical_bytes(value) == canonical_bytes(turned)
    assert canonical_bytes(Model()) == canonical_bytes(Model(Name="x", colors=[]))
    assert canonical_bytes((1, [2])) == canonical_bytes([1, (2,)])  # JSON has one kind of sequence
    assert canonical_bytes({"a": 1}) == b'nbhitl-canonical-1:{"a":1}'
    code = (
        "from nbhitl.checkpoint.serde import canonical_bytes as c;"
        "print(c({'b': {'x', 'y', 'z'}, 'a': frozenset(map(str, range(20)))}).decode())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        ({}, []),
        ("", None),
        ({"a": 1}, {"a": 2}),
        (b"a", "a"),
        ({"$tuple": [1]}, (1,)),
        ({1: 2}, {"1": 2}),
        ({"$map": []}, {}),
        (0.0, -0.0),
        (float("nan"), "nan"),
        (Command(), Command(resume=None)),
        ({1}, frozenset({1})),
        (Point(1), Point(2)),
    ],
)
def test_different_values_have_different_spellings(one, other):
    assert canonical_bytes(one) != canonical_bytes(other)


def test_unknown_classes_are_named_with_what_to_do():
    serde = Serde()
    with pytest.raises(UnsupportedValue, match=r"values\.Point is not registered.*serde\.register\(Point\)"):
        serde.dumps({"a": [(Point(1),)]})
    with pytest.raises(UnsupportedValue, match=r"builtins\.object is not stored as data.*dataclass"):
        serde.dumps([object()])
    with pytest.raises(UnsupportedValue, match="function"):
        serde.dumps(lambda: None)
    with pytest.raises(TypeError, match="not stored as data"):
        serde.register(int)


def test_values_that_never_end_are_refused():
    serde = Serde()
    endless: list[object] = []
    endless.append(endless)
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    for value in (endless, (endless,), {"a": endless}, deep):
        with pytest.raises(UnsupportedValue, match="nested too deeply"):
            serde.dumps(value)
        with pytest.raises(UnsupportedValue, match="nested too deeply"):
            canonical_bytes(value)


def test_what_can_be_stored_deeply_nested_can_be_read():
    serde = Serde()
    serde.register(Point)
    tuples: object = ()
    points: object = None
    for _ in range(600):
        tuples, points = (tuples,), Point(1, points)
    found, levels = serde.loads(serde.dumps([tuples, points])), 0
    while found[0]:
        (found[0],), found[1], levels = found[0], found[1].y, levels + 1
    assert (levels, found) == (600, [(), None])


def test_learning_registers_what_is_stored():
    serde = Serde(learn=True)
    assert serde.loads(serde.dumps([Point(1), Color.RED, Model()])) == [Point(1), Color.RED, Model()]


def test_subclasses_of_registered_classes_are_known():
    serde = Serde()
    serde.register(Model)
    data = serde.dumps(Special(Name="a", more=5))
    fresh = Serde()
    fresh.register(Model)
    assert fresh.loads(data) == Special(Name="a", more=5)


def test_loading_an_unknown_class_is_an_error_or_inert(serde):
    data = serde.dumps({"p": Point(1, Frozen("a")), "n": 1})
    with pytest.raises(StoreError, match=r"values\.Frozen, which is not registered here"):
        Serde().loads(data)
    loaded = Serde().loads_lenient(data)
    assert loaded["n"] == 1
    assert isinstance(loaded["p"], Opaque)
    assert loaded["p"].name.endswith("values:Point")
    with pytest.raises(UnsupportedValue, match="without its class being known"):
        Serde().dumps(loaded)


def test_loading_runs_no_code_of_the_class(serde):
    data = serde.dumps(Careful(2))
    before = Careful.runs
    loaded = serde.loads(data)
    assert (loaded.n, loaded.doubled, Careful.runs) == (2, 4, before)


def test_private_extra_and_set_fields_of_models_come_back(serde):
    model = Model(Name="a", other=1)
    model._secret = 5
    back = serde.loads(serde.dumps(model))
    assert (back, back._secret, back.model_fields_set) == (model, 5, {"name", "other"})


def test_private_extra_and_set_fields_of_older_models_come_back(serde):
    value = Older(words=["w"], more=2)
    value._secret = 7
    loaded = serde.loads(serde.dumps(value))
    assert (loaded._secret, loaded.more, loaded.__fields_set__) == (7, 2, {"words", "more"})
    assert canonical_bytes(loaded) == canonical_bytes(value) != canonical_bytes(Older(words=["v"], more=2))
    assert canonical_bytes(Older(name="x")) == canonical_bytes(Older())


def test_an_older_model_may_gain_and_lose_fields():
    def version(**annotations):
        namespace = {"__annotations__": annotations, "__module__": __name__, "kept": 3}
        return type("Changing", (v1.BaseModel,), namespace)

    serde = Serde(learn=True)
    data = serde.dumps(version(lost=int, kept=int)(lost=1, kept=2))
    serde.register(version(kept=int))
    loaded = serde.loads(data)
    assert loaded.__dict__ == {"kept": 2}
    assert loaded.__fields_set__ == {"kept"}
    serde.register(version(kept=int, gained=int))
    with pytest.raises(StoreError, match="'gained' that was not stored"):
        serde.loads(data)


def test_a_bytearray_comes_back_as_one_where_it_is_the_value(serde):
    assert same(serde.loads(serde.dumps(bytearray(b"ab"))), bytearray(b"ab"))
    assert same(serde.loads(serde.dumps([bytearray(b"ab")])), [b"ab"])
    with pytest.raises(StoreError, match="in the place of bytes"):
        serde.loads(ormsgpack.packb(ormsgpack.Ext(tags.BYTEARRAY, ormsgpack.packb(2**40))))


def test_a_class_may_gain_and_lose_fields():
    def classes(kind: str) -> list[type]:
        """The same class before and after, under one name."""
        old = {
            "data": [("a", int), ("b", int)],
            "after": [("a", int), ("c", int, dataclasses.field(default=7))],
        }
        if kind == "dataclass":
            return [dataclasses.make_dataclass("Shape", fields) for fields in old.values()]
        if kind == "model":
            before = type("Shape", (BaseModel,), {"__annotations__": {"a": int, "b": int}})
            after = type("Shape", (BaseModel,), {"__annotations__": {"a": int, "c": int}, "c": 7})
            return [before, after]
        return [namedtuple("Shape", "a b"), namedtuple("Shape", "a b c", defaults=[7])]

    for kind in ("dataclass", "model", "tuple"):
        before, after = classes(kind)
        for cls in (before, after):
            cls.__module__, cls.__qualname__ = "somewhere", "Shape"
        old, new = Serde(), Serde()
        old.register(before)
        new.register(after)
        value = before(1, 2) if kind != "model" else before(a=1, b=2)
        loaded = new.loads(old.dumps(value))
        assert (loaded.a, loaded.c) == (1, 7)
        with pytest.raises(StoreError, match="somewhere:Shape"):
            old.loads(new.dumps(after(1, 2, 3) if kind == "tuple" else after(a=1)))


def test_a_lost_enum_member_and_a_changed_kind_are_named():
    old, new, other = Serde(), Serde(), Serde()
    before, after = Enum("Kind", "A B"), Enum("Kind", "A")
    changed = dataclasses.make_dataclass("Kind", [("a", int)])
    for cls, serde in ((before, old), (after, new), (changed, other)):
        cls.__module__, cls.__qualname__ = "somewhere", "Kind"
        serde.register(cls)
    data = old.dumps(before.B)
    with pytest.raises(StoreError, match="no member 'B' any more"):
        new.loads(data)
    with pytest.raises(StoreError, match="stored as a enum"):
        other.loads(data)


def test_a_cell_that_runs_twice_replaces_its_class():
    serde = Serde()
    first, second = (dataclasses.make_dataclass("Again", [("x", int)]) for _ in range(2))
    for cls in (first, second):
        cls.__module__, cls.__qualname__ = "__main__", "Again"
        serde.register(cls)
    assert type(serde.loads(serde.dumps(first(1)))) is second


def hostile() -> list[bytes]:
    """Bytes that an attacker might put into a store."""

    class Evil:
        def __reduce__(self):
            return (exec, ("raise SystemExit('code was run')",))

    ext = ormsgpack.Ext
    inner = ormsgpack.packb(["os:system", ["echo"]])
    nested = b""
    for _ in range(3000):
        nested = ormsgpack.packb(ext(1, nested))
    return [
        pickle.dumps(Evil()),
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        nested,
        *(ormsgpack.packb(ext(tag, inner)) for tag in range(128)),
        *(ormsgpack.packb(ext(tag, b"")) for tag in range(128)),
        *(ormsgpack.packb(ext(tag, ormsgpack.packb("builtins:exec"))) for tag in range(128)),
        ormsgpack.packb(ext(23, ormsgpack.packb(["(" * 500, 0]))),
        ormsgpack.packb(ext(12, ormsgpack.packb("../../etc/passwd"))),
        ormsgpack.packb(ext(80, ormsgpack.packb(["O", [2**60], []]))),
        ormsgpack.packb(ext(80, ormsgpack.packb(["<f8", [2**40], b""]))),
        ormsgpack.packb(
            {"lc": 2, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}}
        ),
    ]


@pytest.mark.parametrize("data", hostile())
def test_hostile_bytes_are_data_or_an_error(serde, data):
    for load in (serde.loads, serde.loads_lenient):
        with suppress(StoreError):
            load(data)


def mutated(source: random.Random, data: bytes) -> bytes:
    blob = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(blob))
        action = source.randrange(4)
        if action == 0:
            blob[at] = source.randrange(256)
        elif action == 1:
            del blob[at : at + source.randint(1, 8)]
        elif action == 2:
            blob[at:at] = bytes(source.randrange(256) for _ in range(source.randint(1, 8)))
        else:
            blob = blob[:at] or blob
        if not blob:
            return b""
    return bytes(blob)


@pytest.mark.parametrize("value", [None, 7, "text", [1, {"a": (1, 2)}], {"b": {1, 2}}], ids=str)
@pytest.mark.parametrize("more", [b"\xc0", b"\x00", b"\xff", b"\xc4\x08", b"\xc4\x08" + bytes(8), b"x" * 40])
def test_more_bytes_than_a_value_are_refused(value, more):
    serde = Serde()
    data = serde.dumps(value)
    assert serde.loads(data) == value
    assert from_json(to_json(data)) == data
    for read in (serde.loads, serde.loads_lenient, to_json, loads_inert):
        with pytest.raises(StoreError, match="damaged"):
            read(data + more)
        with pytest.raises(StoreError, match="damaged"):
            read(data[:-1])


def test_more_bytes_than_a_value_inside_a_tag_are_refused():
    serde = Serde()
    inner = serde.dumps([1, 2])
    tag = serde.codec_for(tuple)[0]
    assert serde.loads(ormsgpack.packb(ormsgpack.Ext(tag, inner))) == (1, 2)
    with pytest.raises(StoreError, match="more bytes follow"):
        serde.loads(ormsgpack.packb(ormsgpack.Ext(tag, inner + b"\x01")))


def fuzz(serde: Serde, count: int, seed: int) -> None:
    source = random.Random(seed)
    blobs = [serde.dumps(value) for value in (*PLAIN, *GRAPH, *USERS, {"all": [*PLAIN[:40], *USERS]})]
    for _ in range(count):
        with suppress(StoreError):
            serde.loads(mutated(source, source.choice(blobs)))


@pytest.mark.filterwarnings("ignore")
def test_mutated_bytes_never_do_more_than_fail(serde):
    fuzz(serde, 500, seed=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_many_mutated_bytes_never_do_more_than_fail(serde):
    fuzz(serde, 10_000, seed=2)


def test_another_format_is_refused(serde):
    with pytest.raises(StoreError, match="format 'pickle'; this serializer reads 'msgpack', 'json'"):
        serde.loads_typed(("pickle", b"cos\nsystem\n(S'true'\ntR."))


def test_json_is_data_whatever_it_says(serde):
    made = b'{"lc": 2, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}}'
    assert serde.loads_typed(("json", made))["id"] == ["os", "system"]
    for damaged in (b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(StoreError, match="JSON is damaged"):
            serde.loads_typed(("json", damaged))


def test_a_serializer_of_langgraphs_interface_serves():
    class Reversing:
        def dumps_typed(self, obj):
            kind, data = Serde().dumps_typed(obj)
            return kind, data[::-1]

        def loads_typed(self, data):
            return Serde().loads_typed((data[0], data[1][::-1]))

    from nbhitl.checkpoint.memory import InMemorySaver

    from .building import Run

    run = Run(InMemorySaver(serde=Reversing()))
    run.step({"n": (1, 2)})
    run.pause("q1", payload={"a": 1})
    assert run.saver.load(run.key()).values == {"n": (1, 2)}
    assert run.saver.pending()[0].payload == {"a": 1}
    with pytest.raises(TypeError, match="dumps_typed"):
        ensure_serde(object())


def test_nan_stays_nan(serde):
    assert math.isnan(serde.loads(serde.dumps([float("nan")]))[0])


def stopping(*_):
    raise KeyboardInterrupt


def test_ctrl_c_while_a_value_is_read_is_no_damage(monkeypatch, serde):
    data = serde.dumps({"seen": [{1, 2}, (3,)]})
    monkeypatch.setitem(decoding._DECODERS, tags.SET, stopping)
    for read in (serde.loads, lambda data: serde.loads_each([data, data])):
        with pytest.raises(KeyboardInterrupt):
            read(data)
    monkeypatch.undo()
    assert serde.loads(data) == {"seen": [{1, 2}, (3,)]}
    with pytest.raises(StoreError, match="damaged"):
        serde.loads(data[:-1])


def test_nor_is_ctrl_c_just_as_the_decoder_calls_back(serde):
    data, decoder = serde.dumps({"seen": {1, 2}}), serde._decoder
    decode, calls = decoder._decode, iter([stopping])
    decoder._decode = lambda *given: next(calls, decode)(*given)
    with pytest.raises(KeyboardInterrupt):
        serde.loads(data)
    assert serde.loads(data) == {"seen": {1, 2}}


def test_ctrl_c_while_a_value_is_stored_is_not_lost(monkeypatch, serde):
    monkeypatch.setitem(serde._codecs, set, (tags.SET, stopping))
    for value in ({1}, [({1},)]):
        with pytest.raises(KeyboardInterrupt):
            serde.dumps(value)
    monkeypatch.undo()
    assert serde.loads(serde.dumps([({1},)])) == [({1},)]
    with pytest.raises(UnsupportedValue):
        serde.dumps([object()])


@pytest.mark.parametrize("content", ["1e999999999", ["1e999999999"], [1.5, 1], [1], ["1", "2"]], ids=repr)
def test_a_fraction_is_made_of_two_whole_numbers(serde, content):
    """Of text it could be a number with a thousand million digits, which nobody waits for."""
    data = ormsgpack.packb(ormsgpack.Ext(tags.FRACTION, ormsgpack.packb(content)))
    with pytest.raises(StoreError, match="damaged"):
        serde.loads(data)
