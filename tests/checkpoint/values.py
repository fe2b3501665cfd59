"""Values that a store must hold, and classes of users' own."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from fractions import Fraction
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, v1

from nbhitl.types import Command, Interrupt, Overwrite, Send, TimeoutPolicy, TypeSchema

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    CRIMSON = "red"
    GREEN = (0, 255, 0)


class Level(IntEnum):
    LOW = 1


class Mode(StrEnum):
    FAST = "fast"


class Rights(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Point:
    x: int
    y: Any = None
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    name: str
    inner: Point | None = None


@dataclass
class Careful:
    """Counts how often its code runs."""

    n: int
    doubled: int = field(init=False)

    runs = 0

    def __post_init__(self) -> None:
        type(self).runs += 1
        self.doubled = self.n * 2


@dataclass
class Holding:
    """Holds more than its fields."""

    n: int

    def __post_init__(self) -> None:
        self.seen = [self.n]

    @cached_property
    def far(self) -> object:
        return object()

    def near(self) -> int:
        return self.n


@dataclass
class Box(Generic[T]):
    item: T


class Pair(NamedTuple):
    left: Any
    right: Any = 0


class Model(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = Field(alias="Name", default="x")
    inner: Point | None = None
    colors: list[Color] = []
    _secret: int = PrivateAttr(default=1)


class Special(Model):
    more: int = 0


class Root(RootModel[list[int]]):
    pass


class Older(v1.BaseModel):
    """Of the pydantic before version 2, which later ones bring along."""

    name: str = "x"
    inner: Point | None = None
    words: list = v1.Field(default_factory=list)
    _secret: int = v1.PrivateAttr(default=1)

    class Config:
        extra = "allow"


CLASSES = (Color, Level, Mode, Rights, Point, Frozen, Careful, Pair, Model, Root, Older)

BERLIN = ZoneInfo("Europe/Berlin")

PLAIN: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    -(2**63) - 1,
    2**200,
    -(2**200),
    1.5,
    -0.0,
    float("inf"),
    "",
    "text",
    "naïve ☃",
    "\ud800 lone",
    "a\x00b",
    b"",
    b"\x00\xff",
    [],
    {},
    (),
    [[]],
    ((),),
    ((1, [2]), {"a": (3,)}),
    {1, 2},
    frozenset({"a"}),
    {1: 2, False: 0, (1, 2): 3, None: 4, 1.5: 5, b"b": 6},
    {"\ud800": 1},
    {"": {"": {}}},
    datetime(2026, 11, 20, 12, 30, 1, 5),
    datetime(2026, 11, 20, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=BERLIN),
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30), "IST")),
    date(2026, 11, 20),
    time(23, 59, 59, 999999),
    time(1, tzinfo=UTC),
    timedelta(-1, 5, 7),
    UTC,
    BERLIN,
    timezone(timedelta(seconds=-1)),
    Decimal("1.10"),
    Decimal("NaN"),
    Decimal("-Infinity"),
    UUID(int=5),
    Path("/tmp/a b"),
    PurePosixPath("x/y"),
    PureWindowsPath("C:\\x"),
    1 + 2j,
    deque([1, 2], maxlen=5),
    range(1, 10, 3),
    OrderedDict(b=1, a=2),
    defaultdict(list, a=[1]),
    Counter("aab"),
    Fraction(1, 3),
    re.compile(r"a+", re.IGNORECASE),
    re.compile(b"x"),
    ip_address("::1"),
    ip_network("10.0.0.0/8"),
    ...,
    slice(1, None, 2),
]

GRAPH: list[Any] = [
    Send("node", {"x": (1,)}),
    Send("node", None, timeout=5),
    [Send("a", 1), "b"],
    TimeoutPolicy(idle_timeout=1),
    Command(),
    Command(resume=None),
    Command(resume={"a": 1}),
    Command(update={"x": 1}, goto="b", graph=Command.PARENT),
    Command(goto=[Send("a", 1), "b"]),
    Interrupt({"q": [1]}, "f" * 32),
    Interrupt("q", "id", response_schema={"type": "object"}),
    TypeSchema({"type": "object"}),
    Interrupt("q", "id", response_schema=TypeSchema({"type": "object"})),
    Overwrite([1]),
    Overwrite(None),
]

USERS: list[Any] = [
    Color.RED,
    Color.CRIMSON,
    Color.GREEN,
    Level.LOW,
    Mode.FAST,
    Rights.READ,
    Rights.READ | Rights.WRITE,
    Point(1, (2, {"a": Color.RED}), ["t"]),
    Frozen("a", Point(1)),
    Careful(3),
    Pair(1),
    Pair([Pair(1, 2)], {"x": Point(0)}),
    Model(Name="n", inner=Point(1), colors=[Color.GREEN], extra=(1, 2)),
    Root([1, 2]),
    Older(name="n", inner=Point(1), more=(1, 2)),
    {Level.LOW: 1, Frozen("k"): 2},
    [Model(), {"deep": [Model(Name="y")]}],
]
