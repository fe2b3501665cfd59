"""Values of classes that have changed since they were stored."""

import dataclasses
from collections import namedtuple
from enum import Enum

import pytest
from pydantic import BaseModel, Field, v1

from nbhitl.checkpoint.serde import Serde, canonical_bytes, tags
from nbhitl.checkpoint.serde.usertypes import rebuild
from nbhitl.errors import StoreError

from .values import Model, Older


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


def test_a_gained_field_has_the_default_that_its_class_makes():
    class Before(BaseModel):
        name: str

    class After(BaseModel):
        name: str
        words: list[str] = Field(default_factory=lambda: ["made"])

    old, new = Serde(), Serde()
    for cls, serde in ((Before, old), (After, new)):
        cls.__module__, cls.__qualname__ = "somewhere", "Shape"
        serde.register(cls)
    assert new.loads(old.dumps(Before(name="a"))) == After(name="a", words=["made"])


def test_a_gained_field_of_an_older_model_has_its_default_and_an_unset_private_one_stays_unset():
    class Before(v1.BaseModel):
        _secret: int = v1.PrivateAttr()
        name: str

    class After(v1.BaseModel):
        name: str
        words: list = ["made"]

    old, new = Serde(), Serde()
    for cls, serde in ((Before, old), (After, new)):
        cls.__module__, cls.__qualname__ = "somewhere", "Shape"
        serde.register(cls)
    data = old.dumps(Before(name="a"))
    assert not hasattr(old.loads(data), "_secret")
    assert new.loads(data).__dict__ == {"name": "a", "words": ["made"]}


def test_a_gained_field_of_a_named_tuple_needs_a_default():
    before, after = namedtuple("Shape", "a b"), namedtuple("Shape", "a b c")
    with pytest.raises(StoreError, match=r"stored with 2 fields and now has 3\. Give new fields a default"):
        rebuild(tags.NAMED_TUPLE, after, [[*before(1, 2)]])


@pytest.mark.parametrize(
    ("kind", "cls", "data"),
    [
        (tags.DATACLASS, dataclasses.make_dataclass("Shape", ["a"]), [[]]),
        (tags.PYDANTIC, Model, [[], [], None, None]),
        (tags.PYDANTIC, Model, [{}, [], [], None]),
        (tags.PYDANTIC, Model, [{}, [], None, []]),
        (tags.PYDANTIC_V1, Older, [[], [], {}]),
        (tags.PYDANTIC_V1, Older, [{}, [], None]),
    ],
)
def test_fields_that_are_no_dict_are_damage(kind, cls, data):
    with pytest.raises(TypeError, match=r"the fields of a .* are no dict"):
        rebuild(kind, cls, data)


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
