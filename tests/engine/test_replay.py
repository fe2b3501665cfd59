"""Whether a replayed question is the one that was answered, by value: no graph runs here."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from nbhitl.checkpoint.digests import payload_digest, what_was_asked
from nbhitl.engine import replay
from nbhitl.engine.replay import CHECKS, check_question, replay_check
from nbhitl.errors import QuestionChanged
from nbhitl.types import Interrupt


def asked(value: Any, site: str | None = None) -> str:
    question = Interrupt(value, "1" * 32)
    question.site = site
    return what_was_asked(question)


def refusal(
    monkeypatch: pytest.MonkeyPatch, check: str, answered: str, value: Any, here: str
) -> QuestionChanged | None:
    """Why the question is refused; None where it is the one that was answered."""
    monkeypatch.setattr(replay, "site", lambda: here)
    monkeypatch.setattr(replay, "caller", lambda: "cell.py:7")
    running: Any = SimpleNamespace(task=SimpleNamespace(name="node"), run=SimpleNamespace(replay_check=check))
    try:
        check_question(running, "1" * 32, answered, value)
    except QuestionChanged as error:
        return error
    return None


def test_what_is_kept_of_a_question():
    assert asked("sure?") == payload_digest("sure?")
    assert asked("sure?", "node+1 < f+2") == f"{payload_digest('sure?')} node+1 < f+2"


@pytest.mark.parametrize(
    ("check", "site", "value", "here", "accepted"),
    [
        ("payload", None, "sure?", "node+1", True),
        ("payload", None, "really?", "node+1", False),
        ("payload", "node+1", "sure?", "node+2", True),
        ("payload", "node+1", "really?", "node+1", False),
        ("site", "node+1", "really?", "node+1", True),
        ("site", "node+1", "sure?", "node+2", False),
        ("site", None, "sure?", "node+2", True),
        ("site", None, "really?", "node+1", False),
    ],
)
def test_what_is_the_same_question(monkeypatch, check, site, value, here, accepted):
    error = refusal(monkeypatch, check, asked("sure?", site), value, here)
    assert (error is None) is accepted
    if error is not None:
        assert (error.asked, error.interrupt_id) == (value, "1" * 32)
        assert f"the question now is {value!r}" in str(error)
        assert ("node+2' and not at 'node+1" if here == "node+2" else "cell.py:7") in str(error)


def test_the_ways_to_check():
    assert [replay_check(name) for name in CHECKS] == ["payload", "site", "off"]
    for unknown in ("Payload", None, True, 1):
        with pytest.raises(ValueError, match=r'replay_check.*"payload", "site" or "off"'):
            replay_check(unknown)


@pytest.mark.parametrize(
    ("check", "asked_at", "says"),
    [
        ("payload", "", r'set \{"configurable": \{"replay_check": "site"\}\} from the first run on'),
        ("site", "pay+1", r'^set \{"configurable": \{"replay_check": "off"\}\}$'),
        ("site", "", "the place of this one was not noted"),
    ],
)
def test_a_changed_question_names_a_check_that_would_let_it_pass(check, asked_at, says):
    assert re.search(says, replay._another_way(check, asked_at))
