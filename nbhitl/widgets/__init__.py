"""What a thread looks like in a notebook cell: the graph, and a card for each question. Only for Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.review.card import Card

__all__ = ["show_record", "show_thread"]


def show_thread(thread: Any) -> None:
    """Display a thread's graph and open questions in this cell, once; they follow the thread from then on.

    `thread` is a GraphThread. When nothing runs and nothing is open any more, both become static records.
    """
    from nbhitl.widgets.view import show_thread as show

    show(thread)


def show_record(thread: Any, cards: Iterable[Card]) -> None:
    """Display cards as they stand, for good: the same cards give the same output, and no kernel is needed."""
    from nbhitl.widgets.view import show_record as show

    show(thread, list(cards))
