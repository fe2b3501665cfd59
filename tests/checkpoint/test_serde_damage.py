"""Bytes of others, or damaged ones, are data or an error; a reader that is stopped is no damage."""

import pickle
import random
from contextlib import suppress
from decimal import Decimal

import numpy as np
import ormsgpack
import pytest

from nbhitl.checkpoint.serde import Serde, decoding, standard, tags
from nbhitl.checkpoint.serde.tagged_json import from_json, loads_inert, to_json
from nbhitl.checkpoint.serde.whole import unpacked_each
from nbhitl.errors import StoreError, UnsupportedValue

from .values import GRAPH, PLAIN, USERS


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


def test_ctrl_c_while_a_value_is_stored_is_no_unknown_type(serde):
    tag, to_data = serde.codec_for(set)
    calls = iter([stopping])
    serde._codecs[set] = tag, lambda value: next(calls, to_data)(value)
    with pytest.raises(KeyboardInterrupt):
        serde.dumps([{1}])
    assert serde.loads(serde.dumps([{1}])) == [{1}]


def test_what_cannot_be_read_again_either_is_damaged_and_leaves_nothing_behind(monkeypatch, serde):
    unpacked, calls = decoding.unpacked, iter([True])

    def failing_once(data, hook):
        if next(calls, False):
            raise ValueError("ext_hook failed")
        return unpacked(data, hook)

    monkeypatch.setattr(decoding, "unpacked", failing_once)
    with pytest.raises(StoreError, match="damaged and cannot be read: ext_hook failed"):
        serde.loads(ormsgpack.packb(ormsgpack.Ext(tags.DECIMAL, ormsgpack.packb("no number"))))
    with pytest.raises(StoreError, match="cannot be read: there is a Decimal in a place for plain data"):
        serde.loads(ormsgpack.packb(ormsgpack.Ext(tags.SET, serde.dumps(Decimal(1)))))


def test_ctrl_c_while_a_value_is_stored_is_not_lost(monkeypatch, serde):
    monkeypatch.setitem(serde._codecs, set, (tags.SET, stopping))
    for value in ({1}, [({1},)]):
        with pytest.raises(KeyboardInterrupt):
            serde.dumps(value)
    monkeypatch.undo()
    assert serde.loads(serde.dumps([({1},)])) == [({1},)]
    with pytest.raises(UnsupportedValue):
        serde.dumps([object()])


@pytest.mark.parametrize("parts", [["1e9999999", None], [1.5, 2], [1, 2.0], [True, 2]])
def test_a_fraction_of_anything_but_whole_numbers_is_never_made(parts):
    with pytest.raises(TypeError, match="a fraction is made of two whole numbers"):
        standard._fraction(parts)


def test_an_address_is_of_a_known_type():
    with pytest.raises(StoreError, match=r"unknown type ipaddress\.summarize_address_range"):
        standard._address(["summarize_address_range", "10.0.0.1"])


def test_a_class_that_only_calls_itself_so_is_not_the_librarys():
    own = type("Decimal", (), {"__module__": "decimal"})
    assert standard.codec(own) is None
    assert standard.codec(Decimal) is not None
    assert standard.codec(type("Other", (), {"__module__": "decimal"})) is None


def test_values_read_together_hold_no_more_bytes_than_theirs():
    one, two = ormsgpack.packb([1]), ormsgpack.packb("two")
    assert unpacked_each([one, two]) == [[1], "two"]
    assert unpacked_each([one] * 300) == [[1]] * 300
    assert unpacked_each([]) == []
    for datas in ([one + two, two], [one, two + one], [one, b""]):
        with pytest.raises(ValueError):
            unpacked_each(datas)


@pytest.mark.parametrize("spelt", ["2,i4", "(2,3)i4", "i4,i8", "8", ",", "i4", "<i4;", "<M8[1/0]", "object"])
def test_a_dtype_is_never_given_to_pythons_parser(spelt):
    with pytest.raises(StoreError, match="no dtype as it is stored"):
        Serde().loads(ormsgpack.packb(ormsgpack.Ext(tags.NUMPY_DTYPE, ormsgpack.packb(spelt))))


@pytest.mark.parametrize("spelt", ["<i4", "|S5", "|b1", "<M8[25ns]", ">m8[us]", "<M8", "|V3"])
def test_a_dtype_as_it_is_stored_is_read(spelt):
    assert Serde().loads(Serde().dumps(np.dtype(spelt))) == np.dtype(spelt)
