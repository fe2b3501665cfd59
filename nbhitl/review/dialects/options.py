"""`{"question": ..., "options": [...]}`: the answer is the value of one option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbhitl.review.dialects.parts import Asked, split_text
from nbhitl.review.questions import Option, Parts

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question

_KEYS = ("options", "choices")


def as_options(listed: Any) -> tuple[Option, ...]:
    """Return the options of a list of values, of `{"label": ..., "value": ...}`, or of `{label: value}`.

    >>> as_options(["yes", {"label": "No", "value": 0}])
    (Option(label='yes', value='yes'), Option(label='No', value=0))
    """
    if isinstance(listed, Mapping):
        return tuple(Option(str(label), value) for label, value in listed.items())
    return tuple(_as_option(item) for item in listed) if isinstance(listed, list) else ()


def _as_option(item: Any) -> Option:
    if not isinstance(item, Mapping):
        return Option(str(item), item)
    label = next((item[k] for k in ("label", "title", "name", "value") if k in item), item)
    value = next((item[k] for k in ("value", "name", "label") if k in item), dict(item))
    return Option(str(label), value)


class Options:
    """A payload that lists its answers."""

    name = "options"

    def parse(self, asked: Asked) -> Parts | None:
        """Return one button an option."""
        if not isinstance(asked.payload, Mapping):
            return None
        for key in _KEYS:
            if options := as_options(asked.payload.get(key)):
                text, details, tables = split_text(asked.payload, skip=(key,))
                return Parts(
                    dialect=self.name,
                    text=text,
                    details=details,
                    tables=tables,
                    options=options,
                    allowed=("option",),
                )
        return None

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the value of the option."""
        return decision.value
