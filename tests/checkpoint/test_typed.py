"""Serializers with LangGraph's interface only: given whole steps, and values one by one where those are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nbhitl.checkpoint._typed import Typed, codec_of
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.serde.jsonplus import JsonPlusSerializer
from nbhitl.errors import UnsupportedValue

from .building import Run


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    def __hash__(self) -> int:
        return hash(self.x)


class Derived(JsonPlusSerializer):
    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return ("point", json.dumps(obj.x).encode()) if isinstance(obj, Point) else super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return Point(json.loads(data[1])) if data[0] == "point" else super().loads_typed(data)


class Quiet(JsonPlusSerializer):
    """Changes nothing of how values are written."""


@pytest.mark.parametrize("serde", [Serde(), JsonPlusSerializer(), Quiet()])
def test_a_serializer_that_is_left_as_it_is_writes_rows_itself(serde: Serde) -> None:
    assert codec_of(serde) is serde


@pytest.mark.parametrize(
    "value",
    [
        Point(1),
        [Point(1)],
        {"a": None, "b": [1, Point({"x": 2}), {"c": Point(3), "d": (1, 2)}], "e": []},
        {"a": [{"b": 1}]},
        [],
        "text",
    ],
    ids=["bare", "list", "deep", "plain", "empty", "text"],
)
def test_what_is_refused_whole_is_stored_in_parts(value: Any) -> None:
    codec = codec_of(Derived())
    assert isinstance(codec, Typed)
    assert codec.loads(codec.dumps(value)) == value


@pytest.mark.parametrize(
    "value", [object(), [object()], {"a": [1, {"b": object()}]}], ids=["bare", "list", "dict"]
)
def test_what_no_part_can_be_stored_of_is_an_error(value: Any) -> None:
    with pytest.raises(UnsupportedValue, match="object"):
        codec_of(Derived()).dumps(value)


def test_why_nothing_could_be_stored_is_told() -> None:
    class Refusing:
        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            raise RuntimeError("not today")

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return None

    with pytest.raises(RuntimeError, match="not today"):
        Typed(Refusing()).dumps({"a": None})


def test_a_thread_is_exported_and_imported_with_them() -> None:
    run = Run(InMemorySaver(serde=Derived()))
    run.step({"point": Point(1), "n": 1})
    run.step({"n": 2})
    assert run.saver.load(run.key()).values == {"point": Point(1), "n": 2}
    with pytest.raises(UnsupportedValue, match="Point"):
        export_thread(run.saver, run.key().thread_id)
    plain = Run(InMemorySaver(serde=Derived()))
    plain.step({"n": 1})
    copy = InMemorySaver(serde=Derived())
    import_thread(copy, export_thread(plain.saver, plain.key().thread_id), thread_id="copy")
    assert copy.load(plain.key()._replace(thread_id="copy", checkpoint_id=None)).values == {"n": 1}


class Exotic(Derived):
    """Its kind of encoding begins as compressed data does."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        kind, data = super().dumps_typed(obj)
        return f"x{kind}", data

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return super().loads_typed((data[0][1:], data[1]))


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_kind_of_encoding_may_have_any_name(size: int) -> None:
    saver = InMemorySaver(serde=Exotic())
    run = Run(saver)
    for values in ({"text": "a" * size}, {"n": 1}, {"point": Point(2)}):
        run.step(values)
    assert saver.load(run.key()).values == {"text": "a" * size, "n": 1, "point": Point(2)}
    assert [len(found.values) for found in saver.history("t", "")] == [3, 2, 1]


class Named(Serde):
    """Writes what nbhitl's own does, under a kind of its own."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        return self.kind, self.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return self.loads(data[1])


@pytest.mark.parametrize("kind", ["a", "b", "\x91", "msgpack", "x"])
def test_answers_are_no_lists_of_messagepack_whatever_their_kind_begins_with(kind: str) -> None:
    """The first byte of a list tells how many items it has: "a" would tell one, "b" two."""
    saver = InMemorySaver(serde=Named(kind))
    run = Run(saver)
    run.step({"n": 0})
    given: list[Any] = []
    for number in range(4):
        run.pause(f"q{number}", starts=number + 1)
        given.append([f"q{number}", "digest", f"answer {number}"])
        request = run.request({f"q{number}": f"answer {number}"}, resumes={"id-of-asking": [*given]})
        assert saver.claim(request)[0].answer == f"answer {number}"
        assert saver.answers_at(*run.place()) == {"id-of-asking": given}
