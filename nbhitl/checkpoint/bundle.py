"""A thread as a JSON document that another person can open: on another kind of saver, on another machine.

A bundle holds everything about one thread: checkpoints of all namespaces, pending writes, questions with their
claims (the decision log), and the journal of `once()`. Values are data, as in a store: reading a bundle makes
nothing of them, runs nothing and imports nothing. A hash tells damage; it is no signature.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from errno import ENOENT
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, TypeAlias

from nbhitl.checkpoint._bundle_rows import ThreadRows, damaged_bundle, entries, recoded, rows_of, under_name
from nbhitl.checkpoint._filters import name_of
from nbhitl.checkpoint._typed import writes_plainly
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.errors import BundleError, StoreError

if TYPE_CHECKING:
    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = [
    "aexport_thread",
    "aimport_thread",
    "export_thread",
    "import_thread",
    "read_bundle",
    "write_bundle",
]

Bundle: TypeAlias = dict[str, Any]
"""A bundle, as JSON values."""

FORMAT = "nbhitl thread"
VERSION = 2
"""2: what was edited in a list stands by itself; 1 has the list whole."""


def export_thread(saver: StepSaver, thread_id: str) -> Bundle:
    """Return everything about a thread as JSON values; `write_bundle` makes a file of them.

    Raises:
        StoreError: there is no such thread, or it is damaged.
        TypeError: `saver` is none of nbhitl's, or a config in the place of a name.
    """
    own, name = _own(saver, "export_thread"), name_of(thread_id, "export_thread")
    rows = _read(own, name)
    with own._naming():
        lists = entries(rows)
    document: Bundle = {
        "format": FORMAT,
        "version": VERSION,
        "thread_id": name,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **lists,
    }
    return {**document, "sha256": _hash(document)}


async def aexport_thread(saver: StepSaver, thread_id: str) -> Bundle:
    """Do as `export_thread`, where the saver's async methods work."""
    return await _own(saver, "aexport_thread")._run(export_thread, saver, thread_id)


def import_thread(
    saver: StepSaver,
    bundle: Mapping[str, Any] | str | os.PathLike[str],
    *,
    thread_id: str | None = None,
    replace: bool = False,
) -> str:
    """Put an exported thread into a saver, as it was: open questions are open, decisions are known.

    Args:
        saver: one of nbhitl's, of whatever kind.
        bundle: what `export_thread` returned, or the path of a file with it.
        thread_id: the thread's name here; by default the one that it had.
        replace: whether a thread of that name may be deleted first.

    Returns:
        The thread's name.

    Raises:
        BundleError: the bundle is damaged or of a newer nbhitl, or there is a thread of that name. Nothing was
            changed.
        TypeError: `saver` is none of nbhitl's.
    """
    own = _own(saver, "import_thread")
    document = bundle if isinstance(bundle, Mapping) else read_bundle(bundle)
    _check_head(document)
    name = document["thread_id"] if thread_id is None else str(thread_id)
    rows = under_name(rows_of(document, name), document["thread_id"], name)
    if not _is_plain(own.serde):
        rows = recoded(rows, Serde(), own._codec)
    with own._rows.atomic(name, rewriting=True):
        if own._exists(name):
            if not replace:
                raise BundleError(
                    f"there is a thread {name!r} here already. Give the imported one another name "
                    "(thread_id=...), or let it take the place of that one (replace=True)."
                )
            own._rows.delete_thread(name)
        _write(own, rows)
    own._forget(name)
    return name


async def aimport_thread(
    saver: StepSaver,
    bundle: Mapping[str, Any] | str | os.PathLike[str],
    *,
    thread_id: str | None = None,
    replace: bool = False,
) -> str:
    """Do as `import_thread`, where the saver's async methods work."""
    own = _own(saver, "aimport_thread")
    return await own._run(import_thread, saver, bundle, thread_id=thread_id, replace=replace)


def write_bundle(bundle: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write a bundle to a file, whole or not at all; return the file's path.

    Raises:
        OSError: it cannot be written there.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(ENOENT, "There is no such folder; create it first", str(target.parent))
    text = json.dumps(bundle, ensure_ascii=False, indent=1, allow_nan=False)
    with NamedTemporaryFile(
        "w",
        encoding="utf-8",
        errors="surrogatepass",
        dir=target.parent,
        prefix=f".{target.name}.",
        delete=False,
    ) as file:
        try:
            file.write(text)
            file.close()
            Path(file.name).replace(target)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise
    return target


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Return the bundle in a file; `import_thread` checks it.

    Raises:
        BundleError: the file is no JSON document.
        OSError: it cannot be read.
    """
    try:
        document = json.loads(Path(path).read_bytes(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            f"{os.fspath(path)} is damaged or no bundle: {error}. Export the thread again."
        ) from error
    if not isinstance(document, dict):
        raise BundleError(
            f"{os.fspath(path)} is no bundle: it holds a {type(document).__name__}. Give a file that export() wrote."
        )
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _own(saver: Any, function: str) -> StepSaver:
    if isinstance(saver, StepSaver):
        return saver
    way = (
        "Compile the graph with one of them, for example checkpointer=SqliteSaver(...) of "
        "nbhitl.checkpoint.sqlite. A saver of LangGraph's takes a bundle for a graph that LangGraph has compiled: "
        "GraphThread.from_bundle(that_graph, bundle)."
        if function == "import_thread"
        else "For a graph with another saver use GraphThread(graph, thread_id).export(path)."
    )
    raise TypeError(
        f"{function}() needs one of nbhitl's savers, not a {type(saver).__module__}.{type(saver).__name__}. {way}"
    )


def _read(saver: StepSaver, thread_id: str) -> ThreadRows:
    rows = saver._rows
    with rows.atomic(thread_id, rewriting=True):
        if not saver._exists(thread_id):
            raise StoreError(f"there is no thread {thread_id!r} to export. threads() lists those there are.")
        spaces = [ns for _, ns in rows.namespaces(thread_id)]
        found = ThreadRows(
            [row for ns in spaces for row in reversed([*rows.steps_newest_first(thread_id, ns, None)])],
            [row for ns in spaces for row in rows.writes_of_namespace(thread_id, ns)],
            rows.questions(thread_id),
            rows.once_entries(thread_id),
        )
    return found if _is_plain(saver.serde) else recoded(found, saver._codec, Serde(learn=True))


def _write(saver: StepSaver, rows: ThreadRows) -> None:
    for row in rows.steps:
        saver._rows.insert_step(row)
    saver._rows.add_writes(rows.writes)
    saver._rows.put_questions(rows.questions)
    saver._rows.put_once(rows.once)


def _is_plain(serde: SerializerProtocol) -> bool:
    """Whether values are stored just as nbhitl's own serializer writes them."""
    return writes_plainly(serde) and type(serde).dumps is Serde.dumps and type(serde).loads is Serde.loads


def _check_head(document: Mapping[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise BundleError(
            "this is no bundle of nbhitl's: its 'format' is another. Export the thread with nbhitl."
        )
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise damaged_bundle("it has no version")
    if version > VERSION:
        raise BundleError(
            f"the bundle was written by a newer nbhitl (format version {version}, this nbhitl knows {VERSION}). "
            "Upgrade nbhitl."
        )
    if document.get("sha256") != _hash(document):
        raise BundleError(
            "the bundle is damaged or was changed: its content does not have the hash that it names. "
            "Export the thread again."
        )
    if not isinstance(document.get("thread_id"), str):
        raise damaged_bundle("it names no thread")


def _hash(document: Mapping[str, Any]) -> str:
    """The SHA-256 of all but the hash, as hex digits: of JSON with sorted keys, without spaces, in ASCII."""
    content = {key: value for key, value in document.items() if key != "sha256"}
    try:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise damaged_bundle(error) from error
    return sha256(text.encode("ascii")).hexdigest()
