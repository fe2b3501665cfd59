"""`python -m benchmarks.read_back ENGINE SIZE FILE`: print, as JSON, what a store file holds of `grow`."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import graphs
from benchmarks.engines import load_engine

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_back(name: str, size: int, path: Path) -> int:
    """Return the length of the log of the thread `t1`."""
    if name == "plain":
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute("SELECT changed FROM steps WHERE thread = 't1' ORDER BY step").fetchall()
        return sum(len(json.loads(changed)["log"]) for (changed,) in rows)
    engine = load_engine(name)
    with engine.saver("sqlite", path) as saver:
        graph = graphs.grow_graph(engine, saver, size)
        return len(graph.get_state({"configurable": {"thread_id": "t1"}}).values["log"])


def main(argv: Sequence[str]) -> None:
    """Print the length as JSON."""
    name, size, path = argv
    print(json.dumps(read_back(name, int(size), Path(path))))


if __name__ == "__main__":
    main(sys.argv[1:])
