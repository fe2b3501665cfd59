"""What deleting, copying and filtering decide. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import claims
from nbhitl.checkpoint._fold import fold_newest_first
from nbhitl.checkpoint._rows import Codec, StepRow, encode_body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nbhitl.checkpoint.claims import Question


def matches(metadata: Mapping[str, Any], filter: Mapping[str, Any]) -> bool:
    """Whether the metadata holds every entry of the filter."""
    return all(key in metadata and metadata[key] == value for key, value in filter.items())


def made_whole(rows: Sequence[StepRow], doomed: set[str], codec: Codec) -> list[StepRow]:
    """Return the rows that stay but were folded from rows that go, each holding its whole state.

    Args:
        rows: all rows of a namespace, newest first.
    """
    parents = {row.checkpoint_id: row for row in rows}

    def loses_its_ground(row: StepRow) -> bool:
        return row.checkpoint_id not in doomed and not row.is_whole and row.parent_id in doomed

    return [
        _whole(folded.row, encode_body(folded.body.as_full(folded.values, folded.versions), codec))
        for folded in fold_newest_first(parents.values(), codec, loses_its_ground)
    ]


def _whole(row: StepRow, body: bytes) -> StepRow:
    return row._replace(base_id=row.checkpoint_id, since=0, size=len(body), body=body)


def copied_questions(questions: Iterable[Question], target: str) -> Iterator[Question]:
    """Yield the questions of a copied thread that can be answered there."""
    for question in questions:
        if question.state in (claims.OPEN, claims.RECORDED):
            yield claims.release(question)._replace(thread_id=target)
