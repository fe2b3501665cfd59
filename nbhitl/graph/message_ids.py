"""Remember which ids a long list of messages holds, so that appending to it need not look at every message.

A conversation grows by one or two messages a turn. Reading the ids of all messages each time would make a
turn cost more the longer the conversation is, so the ids of the lists that were merged last are kept. A kept
entry counts for a list that begins with the very same message objects; its last messages, which a saver may
have read anew and which are the ones that programs change in place, are looked at again.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

from nbhitl._message_forms import is_settled_class

_SHORT = 32
"""Lists up to this length are read anew, which is as quick; so many last messages are looked at again."""

_KEPT = 16
"""How many lists are remembered."""


class MessageIds:
    """A list of messages, and their ids in the same order.

    `as_given` tells that they are a program's own, not converted ones.
    """

    __slots__ = ("_positions", "as_given", "ids", "messages")

    def __init__(self, messages: list[Any], ids: list[str], *, as_given: bool) -> None:
        self.messages = messages
        self.ids = ids
        self.as_given = as_given
        self._positions: dict[str, int] | None = None

    @property
    def positions(self) -> dict[str, int]:
        """The last place of each id; made when first needed, because new messages seldom bring an id."""
        if self._positions is None:
            self._positions = {id: place for place, id in enumerate(self.ids)}
        return self._positions

    def is_stale_for(self, ids: list[str]) -> bool:
        """Whether a message that should have one of these ids has another: code has changed it in place."""
        places = [self.positions[id] for id in ids if id in self.positions]
        return any(self.messages[place].id != self.ids[place] for place in places)

    def extend(self, messages: list[Any]) -> None:
        """Take in messages that were appended to the list."""
        for message in messages:
            if self._positions is not None:
                self._positions[message.id] = len(self.ids)
            self.ids.append(message.id)
        self.messages.extend(messages)

    def moved_to(self, messages: list[Any]) -> bool:
        """Make this describe `messages`, if the two begin with the same objects; whether they do: if not, it is spent.

        The others have to be messages that need no conversion.
        """
        same = min(len(messages), len(self.messages)) - _SHORT
        if same <= 0:
            return False
        tail = messages[same:]
        if not all(map(is_settled_class, set(map(type, tail)))):
            return False
        ids = [message.id for message in tail]
        if None in ids:
            return False
        if self.ids[same:] != ids:
            self.ids[same:] = ids
            self._positions = None
        self.messages[same:] = tail
        self.as_given = True
        return self._are(messages)

    def _are(self, messages: list[Any]) -> bool:
        mine = self.messages
        middle = len(mine) // 2
        if messages[0] is not mine[0] or messages[middle] is not mine[middle]:
            return False
        try:
            # Compares object identities first, in C; what is equal without being the same has equal ids.
            return mine == messages
        except Exception:  # a message's content may hold values that refuse to be compared
            return False


_kept: dict[int, MessageIds] = {}
_lock = Lock()


def remembered_ids(messages: list[Any]) -> MessageIds | None:
    """Return and forget what is known of the ids of `messages`; None for a list that is not known.

    The caller owns the result, and may give it back by `remember`.
    """
    if len(messages) <= _SHORT:
        return None
    with _lock:
        known = _kept.pop(id(messages[0]), None)
    return known if known is not None and known.moved_to(messages) else None


def remember(known: MessageIds) -> None:
    """Keep `known` for the next merge into the same list."""
    if len(known.messages) <= _SHORT:
        return
    with _lock:
        _kept[id(known.messages[0])] = known
        if len(_kept) > _KEPT:
            del _kept[next(iter(_kept))]
