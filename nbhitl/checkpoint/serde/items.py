"""What a store found, kept in a state. Imported when an item is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde import tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec
    from nbhitl.store.base import Item, SearchItem


def _item_data(item: Item) -> list[Any]:
    return [list(item.namespace), item.key, item.value, item.created_at, item.updated_at]


def _found_data(item: SearchItem) -> list[Any]:
    return [*_item_data(item), item.score]


_ENCODERS: dict[str, Codec] = {
    "Item": (tags.ITEM, _item_data),
    "SearchItem": (tags.SEARCH_ITEM, _found_data),
}


def codec(cls: type) -> Codec | None:
    """Return how to store instances of a class of items, None for another class of nbhitl's."""
    return _ENCODERS.get(cls.__name__) if cls.__module__ == "nbhitl.store.base" else None


def _item(data: list[Any]) -> Item:
    from nbhitl.store.base import Item

    namespace, key, value, created_at, updated_at = data
    return Item(value=value, key=key, namespace=namespace, created_at=created_at, updated_at=updated_at)


def _found(data: list[Any]) -> SearchItem:
    from nbhitl.store.base import SearchItem

    namespace, key, value, created_at, updated_at, score = data
    return SearchItem(namespace, key, value, created_at, updated_at, score)


DECODERS: dict[int, Callable[[Any], Any]] = {tags.ITEM: _item, tags.SEARCH_ITEM: _found}
