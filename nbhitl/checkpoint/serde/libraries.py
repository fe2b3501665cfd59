"""Values of pydantic's and LangChain's own that turn up in states. Imported when one is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl import _langchain
from nbhitl.checkpoint.serde import tags
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec

_SECRETS = ("SecretStr", "SecretBytes")


def codec(cls: type) -> Codec | None:
    """Return how to store instances of one of these packages' classes, None if they are not stored."""
    if cls.__name__ in _SECRETS and cls.__module__.startswith("pydantic."):
        return tags.SECRET, lambda value: value.get_secret_value()
    if cls.__name__ == "Document" and cls.__module__ == "langchain_core.documents.base":
        return tags.DOCUMENT, lambda value: [value.page_content, value.metadata, value.id]
    return None


def _secret(data: Any) -> Any:
    from pydantic import SecretBytes, SecretStr

    return SecretBytes(data) if isinstance(data, bytes) else SecretStr(data)


def _document(data: list[Any]) -> Any:
    documents = _langchain.langchain_module("documents")
    if documents is None:
        raise StoreError(
            "a stored value is a LangChain Document, and langchain-core is not installed. "
            "Install it: pip install langchain-core"
        )
    page_content, metadata, document_id = data
    return documents.Document(page_content=page_content, metadata=metadata, id=document_id)


DECODERS: dict[int, Callable[[Any], Any]] = {tags.SECRET: _secret, tags.DOCUMENT: _document}
