"""Stores in SQLite and PostgreSQL, and what is put into them."""

from __future__ import annotations

from nbhitl.store.postgres import PostgresStore
from nbhitl.store.sqlite import SqliteStore

KINDS = ["sqlite", "postgres"]
OURS = {"sqlite": SqliteStore, "postgres": PostgresStore}


def keys(items):
    return sorted(item.key for item in items)


def embed(texts):
    return [[float(text.lower().count(letter)) for letter in "abcdefgh"] + [0.1] for text in texts]


INDEX = {"dims": 9, "embed": embed, "fields": ["text", "meta.t"]}
