"""Routes read from code: what is found, and what is honestly left open."""

from __future__ import annotations

import enum
import functools
import random
from typing import Any, Literal

import pytest

import nbhitl.constants
from nbhitl.constants import END
from nbhitl.draw.infer import Routes, asks, node_routes, path_routes
from nbhitl.types import Command, Send, interrupt

HOME = "home"


class Name(enum.Enum):
    HOME = "home"


class Text(enum.StrEnum):
    AWAY = "away"


class Holder:
    HOME = "home"


def constant(state):
    return Command(goto="b")


def two_ways(state):
    if state["x"]:
        return Command(update={"x": 1}, goto="b")
    return Command(goto=END)


def conditional(state):
    return Command(goto="b" if state["x"] else "c")


def by_variable(state):
    where = "b"
    if state["x"]:
        where = "c"
    return Command(goto=where)


def by_list(state):
    return Command(goto=["b", Send("c", {"x": 1})])


def by_state(state):
    return Command(goto=state["where"])


def partly_by_state(state):
    return Command(goto="b" if state["x"] else state["where"])


def by_global(state):
    return Command(goto=HOME)


def by_enum(state):
    return Command(goto=Name.HOME.value if state["x"] else Text.AWAY)


def by_class(state):
    return Command(goto=Holder.HOME)


def by_module(state):
    return Command(goto=nbhitl.constants.END)


def by_argument(state, where="b"):
    return Command(goto=where)


def to_parent(state):
    return Command(goto="up", graph=Command.PARENT)


def by_helper(state):
    return send_it(state)


def send_it(state):
    return Command(goto="b")


async def waits(state):
    return Command(goto="b")


def no_goto(state):
    return Command(update={"x": 1})


def plain(state):
    return {"goto": "b"}


def spread(state):
    return Command(**state)


class Callable:
    def __call__(self, state):
        return Command(goto="b")

    def method(self, state):
        return Command(goto="c")


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (constant, Routes(("b",))),
        (two_ways, Routes(("b", END))),
        (conditional, Routes(("b", "c"))),
        (by_variable, Routes(("b", "c"))),
        (by_list, Routes(("b", "c"))),
        (by_state, Routes(is_open=True)),
        (partly_by_state, Routes(("b",), is_open=True)),
        (by_global, Routes(("home",))),
        (by_enum, Routes(("home", "away"))),
        (by_class, Routes(("home",))),
        (by_module, Routes((END,))),
        (by_argument, Routes(is_open=True)),
        (to_parent, Routes((), ("up",))),
        (by_helper, Routes(("b",))),
        (waits, Routes(("b",))),
        (no_goto, Routes()),
        (plain, Routes()),
        (spread, Routes(is_open=True)),
        (Callable(), Routes(("b",))),
        (Callable().method, Routes(("c",))),
        (functools.partial(by_variable), Routes(("b", "c"))),
        (len, Routes()),
        (None, Routes()),
        (3, Routes()),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_commands_of_a_node(action, expected):
    assert node_routes(action) == expected


def annotated(state) -> Command[Literal["b", "c"]]:
    return Command(goto=state["where"])


def maybe_annotated(state) -> Command[Literal["b"]] | dict:
    return Command(goto=state["where"])


def test_annotations_go_before_the_source():
    assert node_routes(annotated) == Routes(("b", "c"))
    assert node_routes(maybe_annotated) == Routes(("b",))
    assert path_routes(literal_path) == Routes(("b", END))


def literal_path(state) -> Literal["b", "__end__"]:
    return state["where"]


def broken_annotation(state) -> Nowhere[Literal["x"]]:  # noqa: F821
    return "b"


def test_an_annotation_that_cannot_be_evaluated_is_passed_over():
    assert path_routes(broken_annotation) == Routes(("b",))


def sends(state):
    return [Send("b", item) for item in state["items"]]


def appended(state):
    out = []
    for item in state["items"]:
        out.append(Send("b", item))
    out += [Send(node="c", arg=1)]
    return out


def by_dict(state):
    return {"x": "b", "y": "c"}[state["kind"]]


def nested(state):
    def inner():
        return "not this"

    return "b" if inner() else None


def matched(state):
    match state:
        case {"x": where}:
            return where
        case _:
            return "b"


def delegated(state):
    return literal_list(state)


def literal_list(state):
    return ["b", END]


def random_path(state):
    return random.choice(["b", "c"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (sends, Routes(("b",))),
        (appended, Routes(("b", "c"))),
        (by_dict, Routes(("b", "c"))),
        (nested, Routes(("b",))),
        (matched, Routes(("b",), is_open=True)),
        (delegated, Routes(("b", END))),
        (random_path, Routes(is_open=True)),
        (lambda state: "b" if state else END, Routes(("b", END))),
        (len, Routes(is_open=True)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_returns_of_a_path_function(path, expected):
    assert path_routes(path) == expected


def test_two_lambdas_on_one_line_are_told_apart():
    first, second = (lambda s: "b", lambda s: "c")
    assert path_routes(first) == Routes(("b",))
    assert path_routes(second) == Routes(("c",))


def test_code_without_source_is_open_when_it_routes_and_a_plain_node_otherwise():
    scope: dict[str, Any] = {"Command": Command}
    exec("def gone(state): return Command(goto='b')\ndef quiet(state): return {}", scope)
    assert node_routes(scope["gone"]) == Routes(is_open=True)
    assert node_routes(scope["quiet"]) == Routes()
    assert path_routes(scope["quiet"]) == Routes(is_open=True)


def test_recursive_helpers_end():
    assert set(path_routes(ping).targets) == {"b", "c"}


def ping(state):
    return pong(state) if not state else "b"


def pong(state):
    return ping(state) if not state else "c"


def test_nothing_of_the_user_is_run():
    class Trap:
        @property
        def where(self):
            raise AssertionError("a property of the user was called")

    trap = Trap()

    def by_property(state):
        return Command(goto=trap.where)

    assert node_routes(by_property) == Routes(is_open=True)


def asking(state):
    return interrupt("?")


def own_ask(state):
    return ask(state)


def ask(state):
    return {}


def imports_inside(state):
    from nbhitl.types import interrupt as really

    return really("?")


def test_which_nodes_may_ask():
    assert asks(asking)
    assert asks(functools.partial(asking))
    assert asks(imports_inside)
    assert not asks(own_ask)
    assert not asks(plain)
    assert not asks(None)
