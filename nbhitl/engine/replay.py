"""Is the question that a node asks when it starts again the one that was answered?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.digests import payload_digest
from nbhitl.engine.site import caller, site
from nbhitl.errors import QuestionChanged

if TYPE_CHECKING:
    from nbhitl.engine.running import RunningTask

CHECKS = ("payload", "site", "off")
"""What `configurable["replay_check"]` may be: the same payload, the same place in the code, or no check."""


def replay_check(given: object) -> str:
    """Return the way in which replayed questions are checked.

    Raises:
        ValueError: there is no such way.
    """
    if given not in CHECKS:
        raise ValueError(f'configurable["replay_check"] is {given!r}; it must be "payload", "site" or "off".')
    return str(given)


def asks_the_same(running: RunningTask, answered: str, value: Any) -> bool:
    """Whether the node asks, with `value`, what was answered; see `digests.what_was_asked`."""
    check = running.run.replay_check
    digest, _, asked_at = answered.partition(" ")
    if check == "off":
        return True
    return site() == asked_at if check == "site" and asked_at else digest == payload_digest(value)


def check_question(running: RunningTask, id: str, answered: str, value: Any) -> None:
    """Check that the node asks, with `value`, what was answered; see `digests.what_was_asked`.

    By site only the place counts. A question that was asked without noting it has to have the same payload.

    Raises:
        QuestionChanged: it asks something else.
    """
    if asks_the_same(running, answered, value):
        return
    asked_at = answered.partition(" ")[2]
    if running.run.replay_check == "site" and asked_at:
        where = f"at {site()!r} and not at {asked_at!r} (function + line in it)"
    else:
        where = caller()
    raise QuestionChanged(
        f"Node {running.task.name!r} asks something else than what was answered ({where}): the question now is "
        f"{value!r}. The answer was not delivered. What varies between runs belongs into a node before this one, "
        'or into once("draft", fn); then answer anew from a fork of this checkpoint. Where the payload may differ by '
        f"nature, {_another_way(running.run.replay_check, asked_at)}.",
        asked=value,
        interrupt_id=id,
    )


def _another_way(check: str, asked_at: str) -> str:
    if check == "payload":
        return (
            'set {"configurable": {"replay_check": "site"}} from the first run on: then only the place in the '
            'code has to be the same ("off": nothing)'
        )
    if asked_at:
        return 'set {"configurable": {"replay_check": "off"}}'
    return (
        'set {"configurable": {"replay_check": "off"}}: "site" holds for questions that were asked under it, and '
        "the place of this one was not noted"
    )
