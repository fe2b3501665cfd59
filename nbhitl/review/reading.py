"""From a pending interrupt or a static breakpoint to a Question: payload, dialect, digest. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.checkpoint.serde import canonical_bytes
from nbhitl.review import dialects
from nbhitl.review.dialects.parts import Asked
from nbhitl.review.plain import to_plain
from nbhitl.review.questions import Question

if TYPE_CHECKING:
    from nbhitl.review.questions import Parts

DIGEST_VERSION = 1


def digest_of(kind: str, node: str, payload: Any, schema: Any) -> str:
    """Return the SHA-256 (hex) of what is asked, in versioned canonical JSON; `payload` is plain."""
    asked = {"v": DIGEST_VERSION, "kind": kind, "node": node, "payload": payload, "schema": schema}
    return hashlib.sha256(canonical_bytes(asked)).hexdigest()


def json_schema(schema: Any) -> Mapping[str, Any] | None:
    """Return a response schema as JSON Schema; types are converted by pydantic.

    Text is no schema: pydantic would evaluate it, and it may come from somebody else's store.
    """
    if schema is None or isinstance(schema, Mapping):
        return schema
    if isinstance(schema, str):
        return None
    from pydantic import TypeAdapter

    return TypeAdapter(schema).json_schema()


def _drawn(parts: Parts) -> dict[str, Any]:
    return {field.name: getattr(parts, field.name) for field in fields(parts)}


def make_question(
    *,
    id: str,
    kind: Literal["interrupt", "breakpoint"],
    thread_id: str,
    node: str,
    payload: Any,
    ns: str = "",
    checkpoint_id: str = "",
    task_id: str = "",
    response_schema: Any = None,
    asked_at: str | None = None,
    replies: Mapping[str, Mapping[str, Any]] | None = None,
    routes: tuple[str, ...] = (),
) -> Question:
    """Return the question that an interrupt or a breakpoint asks.

    `replies` is `{node: {decision or option: value}}`; `routes` where a rejected breakpoint may go on.
    """
    plain = to_plain(payload)
    schema = json_schema(response_schema)
    reply = (replies or {}).get(node, (replies or {}).get(node.rpartition("/")[2]))
    parts = dialects.parse(Asked(plain, schema, reply), breakpoint=kind == "breakpoint")
    drawn = _drawn(parts)
    if kind == "breakpoint" and parts.dialect == "breakpoint":
        drawn["routes"] = routes
    return Question(
        id=id,
        kind=kind,
        thread_id=thread_id,
        ns=ns,
        checkpoint_id=checkpoint_id,
        task_id=task_id,
        node=node,
        payload=plain,
        response_schema=schema,
        digest=digest_of(kind, node, plain, schema),
        asked_at=asked_at,
        replies=reply,
        **drawn,
    )
