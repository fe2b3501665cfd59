"""Values <-> bytes: what is put in comes back, and what cannot be stored is named."""

import dataclasses
import math
import subprocess
import sys

import ormsgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint.serde import Opaque, Serde, canonical_bytes, ensure_serde, tags
from nbhitl.checkpoint.serde.usertypes import type_name
from nbhitl.errors import StoreError, UnsupportedValue
from nbhitl.types import Command

from .values import GRAPH, PLAIN, USERS, Box, Careful, Color, Frozen, Holding, Model, Point, Special


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
    assert canonical_bytes({"a": b"1"}) == b'nbhitl-canonical-1:{"a":{"$bytes":"MQ=="}}'
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
        ({1: 2}, {1: 3}),
        (b"a", b"b"),
        (b"a", {"$bytes": "YQ=="}),
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


def test_a_class_that_is_derived_from_a_registered_one_may_be_stored():
    serde = Serde()
    serde.register(Point)
    nearer = dataclasses.make_dataclass("Nearer", [], bases=(Point,), namespace={"__module__": "elsewhere"})
    assert serde.loads(serde.dumps(nearer(1))) == nearer(1)


def test_what_a_dataclass_holds_beside_its_fields_comes_back_without_running_its_code():
    serde = Serde()
    serde.register(Holding)
    value = Holding(1)
    value.seen.append(2)
    assert value.far is value.far  # computed, kept by the instance, and not data
    assert vars(serde.loads(serde.dumps([value]))[0]) == {"n": 1, "seen": [1, 2]}
    value.seen = value.far
    with pytest.raises(UnsupportedValue, match=r"builtins\.object is not stored as data"):
        serde.dumps(value)


def test_a_generic_dataclass_comes_back():
    serde = Serde()
    serde.register(Box)
    value = Box[int](1)
    assert "__orig_class__" in vars(value)  # which says how it was made, and is no data
    assert vars(serde.loads(serde.dumps(value))) == {"item": 1}


def test_data_never_stands_in_the_place_of_a_method():
    serde = Serde()
    serde.register(Holding)
    value = Holding(1)
    value.near = 3
    with pytest.raises(
        UnsupportedValue, match=r"Holding holds an attribute 'near' in the place of its method"
    ):
        serde.dumps(value)
    name = type_name(Holding)
    for beside in ({"near": 3}, {"__class__": 3}, [["near", 3]]):
        made = ormsgpack.packb([name, {"n": 1}, beside])
        with pytest.raises(StoreError, match="damaged"):
            serde.loads(ormsgpack.packb(ormsgpack.Ext(tags.DATACLASS, made)))


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


def test_a_number_of_more_digits_than_python_writes_is_stored_and_not_asked_about():
    serde = Serde()
    assert serde.loads(serde.dumps(10**5000)) == 10**5000
    with pytest.raises(UnsupportedValue, match="whole number in it is too long"):
        canonical_bytes([10**5000])


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


def test_a_bytearray_comes_back_as_one_where_it_is_the_value(serde):
    assert same(serde.loads(serde.dumps(bytearray(b"ab"))), bytearray(b"ab"))
    assert same(serde.loads(serde.dumps([bytearray(b"ab")])), [b"ab"])
    with pytest.raises(StoreError, match="in the place of bytes"):
        serde.loads(ormsgpack.packb(ormsgpack.Ext(tags.BYTEARRAY, ormsgpack.packb(2**40))))


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


@pytest.mark.parametrize("content", ["1e999999999", ["1e999999999"], [1.5, 1], [1], ["1", "2"]], ids=repr)
def test_a_fraction_is_made_of_two_whole_numbers(serde, content):
    """Of text it could be a number with a thousand million digits, which nobody waits for."""
    data = ormsgpack.packb(ormsgpack.Ext(tags.FRACTION, ormsgpack.packb(content)))
    with pytest.raises(StoreError, match="damaged"):
        serde.loads(data)
