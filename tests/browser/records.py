"""Cards as the kernel sends them to a browser, and what it is sent back."""

from __future__ import annotations

from typing import Any

from review.fake_session import fake_session

from nbhitl.widgets.card_state import card_state, summary

SQL = "DELETE FROM penguins WHERE body_mass_g IS NULL"
ASK: dict[str, Any] = {
    "kind": "nbhitl.ask",
    "version": 1,
    "question": "Run this statement?",
    "action": "run_sql",
    "args": {"statement": SQL, "database": "penguins.db", "limit": 100},
    "table": {
        "title": "rows that it would touch",
        "columns": ["id", "species", "island", "bill_length_mm", "body_mass_g", "sex"],
        "rows": [[3, "Adelie", "Torgersen", None, None, None], [271, "Gentoo", "Biscoe", None, None, None]],
    },
    "allow": ["approve", "edit", "respond", "reject"],
    "reasons": ["too many rows", "wrong table", "ask the owner first"],
}


def states(session: Any, **how: Any) -> dict[str, Any]:
    """What the panel of a session is told."""
    return {"cards": [card_state(card, **how) for card in session.cards], "summary": summary(session.cards)}


def ask(**changes: Any) -> dict[str, Any]:
    return states(fake_session({**ASK, **changes}))
