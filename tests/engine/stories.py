"""Programs and questions that several stories of a run tell of."""

from __future__ import annotations

from nbhitl.constants import INTERRUPT, START
from nbhitl.types import Interrupt

from .building import chain, program_of, pulled, stored

CHAIN = chain("a", "b")
FAN = program_of("abc", (START, "a"), (START, "b"), (("a", "b"), "c"))
CHAIN_PLAYS = {"a": {"log": ["a"]}, "b": {"log": ["b"], "last": "x"}}
FAN_PLAYS = {"a": {"log": ["a"]}, "b": {"log": ["b"]}, "c": {"total": 1}}
QUESTION = Interrupt("really?", "1" * 32)
BEGINS = [
    ("load", None),
    ("put_step", "input", -1, {}, (START,)),
]


def paused(*nodes: str, **questions: Interrupt):
    """A checkpoint at which nodes wait for answers."""
    writes = [(pulled(name).id, INTERRUPT, [question]) for name, question in questions.items()]
    return stored({"log": ["in"]}, *(nodes or questions), writes=writes)
