"""What goes wrong in SQLite, as a StoreError that says what to do; pure."""

from __future__ import annotations

from nbhitl.errors import StoreError

_ADVICE = {
    "same thread": "Open it with check_same_thread=False, or use SqliteSaver.from_conn_string(path).",
    "locked": "Another process has been writing for too long; end it, or open with a longer timeout=.",
    "within a transaction": "End your own transaction first, or give the saver a connection of its own.",
    "row_factory": "Give the saver a connection of its own, for example by SqliteSaver.from_conn_string(path).",
    "closed database": "Use it inside its `with` block, or give it a connection that stays open: "
    "sqlite3.connect(path, check_same_thread=False).",
    "UNIQUE": "A checkpoint of this id is there already; ids must be fresh.",
    "deleted, moved or replaced": "Nothing was saved now, and what was saved since then is in no file of that name. Put "
    "the file back; or make a new saver, which opens what is there now.",
    "malformed": "The file is damaged; restore it from a copy, or use another file.",
    "codec can't decode": "The file is damaged; restore it from a copy, or use another file.",
    "decode to UTF-8": "Somebody else has changed the file; restore it from a copy, or delete the thread.",
    "already exists": "Somebody else has changed the file; restore it from a copy, or use another file.",
    "duplicate column": "Somebody else has changed the file; restore it from a copy, or use another file.",
    "not a database": "The file is of another kind; use another file.",
    "disk": "Make room on the disk and check that the folder can be written to.",
    "readonly": "Check that the file and its folder can be written to.",
    "unable to open": "Check that the folder exists and that the file can be written to.",
    "surrogates": "Thread ids, namespaces and node names must be text that UTF-8 can hold.",
}
"""What to do, by a part of SQLite's message."""


def store_error(name: str, error: Exception) -> StoreError:
    """Return the error for a failure of SQLite in the store of that name, with what to do about it."""
    text = str(error)
    advice = next(
        (advice for part, advice in _ADVICE.items() if part in text), "Check the file and its folder."
    )
    return StoreError(f"{name}: {text.rstrip('.')}. {advice}")
