"""Whether an answer fits the `response_schema` of its question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.errors import InvalidAnswer, mark_invalid_resume
from nbhitl.types import TypeSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbhitl.types import Interrupt

_REMEMBERED = 1000
_types_asked: dict[str, type] = {}


def schema_shown(schema: Any, interrupt_id: str) -> dict[str, Any] | None:
    """Return a response schema as the JSON Schema that is shown and stored.

    A type's own rules can be wider than its JSON Schema, and stricter, so the type that asked a question is
    remembered while the process lives, to judge all answers of a Command before any node runs.

    Raises:
        ValueError: the schema is a dict and no JSON Schema.
        PydanticUserError: it is something else that pydantic cannot judge by.
    """
    if schema is None:
        return None
    if isinstance(schema, dict):
        _check_schema(schema)
        return schema
    if isinstance(schema, type):
        if len(_types_asked) >= _REMEMBERED:
            _types_asked.pop(next(iter(_types_asked)), None)
        _types_asked[interrupt_id] = schema
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        return TypeSchema(TypeAdapter(schema).json_schema())
    except PydanticUserError as error:
        error.add_note(
            f"interrupt(response_schema={schema!r}) takes a type that pydantic can judge by (a model's class, a "
            "TypedDict, a dataclass, ...), or a JSON Schema as a dict. Nothing was asked."
        )
        raise


def check_answers(asked: Iterable[Interrupt], answers: Mapping[str, Any], thread_id: str | None) -> None:
    """Check the answers of one Command, before any of them is taken up.

    An answer to a type that another process asked for is left to the node, which has the type.

    Raises:
        InvalidAnswer: an answer does not fit the JSON Schema of its question.
        pydantic.ValidationError: it does not fit the type. `is_invalid_resume` is true for both.
    """
    for question in asked:
        if question.id not in answers:
            continue
        schema: Any = question.response_schema
        if isinstance(schema, TypeSchema):
            schema = _types_asked.get(question.id)
        elif not isinstance(schema, dict):
            continue  # what is stored is never a type, whatever a saver of others says: pydantic evaluates text
        what = f"The answer to question {question.id} of thread {thread_id!r}"
        validated_answer(answers[question.id], schema, what)


def validated_answer(answer: Any, schema: Any, what: str = "The answer") -> Any:
    """Return `answer` as an instance of `schema`; for a JSON Schema, as it is.

    Raises:
        InvalidAnswer: it does not fit a JSON Schema.
        pydantic.ValidationError: it does not fit a type. `is_invalid_resume` is true for both.
    """
    if schema is None:
        return answer
    if isinstance(schema, dict):
        wrong = _wrong_fields(answer, schema)
        if wrong:
            told = "; ".join(f"at {field}: {text}" if field else text for field, text in wrong.items())
            error = InvalidAnswer(
                f"{what} does not fit its response_schema: {told}. The question is still open; answer it again.",
                fields=wrong,
            )
            mark_invalid_resume(error)
            raise error
        return answer
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(schema).validate_python(answer)
    except ValidationError as invalid:
        mark_invalid_resume(invalid)
        invalid.add_note(
            f"{what} does not fit its response_schema. The question is still open; answer it again."
        )
        raise


def _check_schema(schema: dict[str, Any]) -> None:
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path))
        raise ValueError(
            f"interrupt(response_schema=...) is no JSON Schema{f' at {where}' if where else ''}: {error.message}. "
            "Nothing was asked."
        ) from error


def _wrong_fields(answer: Any, schema: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with an answer: `{path, "" for the whole: what}`. References are never fetched."""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = validator_for(schema)(schema, registry=Registry())
    wrong: dict[str, str] = {}
    try:
        for error in validator.iter_errors(answer):
            inner = best_match([error])
            wrong.setdefault("/".join(map(str, inner.absolute_path)), inner.message)
    except Unresolvable as error:
        raise ValueError(
            f"The response_schema refers to {error.ref!r}, which is not in it, and nothing is fetched. Put it into "
            '"$defs". The answer was not used.'
        ) from error
    return wrong
