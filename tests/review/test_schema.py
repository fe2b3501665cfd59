"""A card and the engine judge by a JSON Schema alike: what a card takes is not refused on its way, nor the reverse."""

import random

import pytest

from nbhitl.engine.answer_schema import validated_answer
from nbhitl.errors import InvalidAnswer
from nbhitl.review.schema import errors_of

VALUES = [
    *(None, True, False, 0, 1, 5, -1, 0.0, -0.0, 1.0, 1.5, 10**20, 1e300, "", "a", "ab", "12", "\xe9"),
    *([], [1], [1, 1], [1.0], ["a"], [1, "a"], [[]], [{"a": 1}]),
    *(
        {},
        {"a": 1},
        {"a": 1.0},
        {"a": True},
        {"a": "x"},
        {"b": 1},
        {"a": 1, "b": 2},
        {"a": None},
        {"a": {"a": 1}},
    ),
]
TYPES = [
    "string",
    "integer",
    "number",
    "boolean",
    "array",
    "object",
    "null",
    ["integer", "string"],
    ["null", "number"],
]


def schema(source, depth=0):
    simple = {
        "type": lambda: source.choice(TYPES),
        "enum": lambda: source.sample(VALUES, 3),
        "const": lambda: source.choice(VALUES),
        "minimum": lambda: source.choice([0, 1, 1.5]),
        "exclusiveMaximum": lambda: source.choice([1, 5]),
        "maxLength": lambda: 1,
        "pattern": lambda: source.choice(["^a", "b$", "[0-9]+"]),
        "required": lambda: source.choice([["a"], ["a", "b"]]),
        "additionalProperties": lambda: source.choice([False, True, {"type": "integer"}]),
        "minItems": lambda: 1,
    }
    nested = {
        "properties": lambda: {name: schema(source, depth + 1) for name in "ab"},
        "items": lambda: schema(source, depth + 1),
        **dict.fromkeys(("anyOf", "oneOf", "allOf"), lambda: [schema(source, depth + 1) for _ in range(2)]),
    }
    chosen = source.sample([*simple, "type", *(nested if depth < 2 else ())], source.randint(0, 3))
    return {name: (simple | nested)[name]() for name in chosen}


def taken_on_its_way(value, by):
    try:
        validated_answer(value, by)
    except InvalidAnswer:
        return False
    return True


def test_both_take_and_refuse_the_same():
    source, counts = random.Random(3), {True: 0, False: 0}
    for _ in range(1500):
        by, value = schema(source), source.choice(VALUES)
        on_card = [*errors_of(value, by)] == []
        assert taken_on_its_way(value, by) == on_card, (by, value)
        counts[on_card] += 1
    assert min(counts.values()) > 300


@pytest.mark.parametrize(
    ("value", "by", "told"),
    [
        (1, {"enum": [1.0]}, []),
        (True, {"enum": [1]}, [("", "must be one of 1, not True")]),
        (5, {"oneOf": [{}, {}]}, [("", "fits 2 of the 2 forms that it may have, and has to fit one alone")]),
    ],
)
def test_numbers_are_equal_by_their_value_and_one_form_is_one(value, by, told):
    assert [*errors_of(value, by)] == told
