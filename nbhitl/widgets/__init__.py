"""What a thread looks like in a notebook cell: the graph, and a card for each question. Only for Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.review.card import Card

__all__ = ["show_record", "show_thread"]


def show_thread(thread: Any, cards: Sequence[Card] = ()) -> None:
    """Display a thread's graph and open questions in this cell, once; they follow the thread from then on.

    `thread` is a GraphThread. When nothing runs and nothing is open any more, both become static records; a
    thread that is at rest already is shown so from the start, with `cards`.
    """
    from nbhitl.widgets.view import show_thread as show

    show(thread, cards)


def show_record(thread: Any, cards: Iterable[Card]) -> None:
    """Display the graph and these cards as they stand, for good, without times and ids: the same thread gives
    the same output, and no kernel is needed to read it.
    """
    from nbhitl.widgets.view import show_record as show

    show(thread, list(cards))
