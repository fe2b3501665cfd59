"""A small public data set for lessons, tests and demos: the Palmer penguins.

`penguins.csv` holds 344 penguins measured near Palmer Station, Antarctica, from 2007 to 2009. Where it comes
from and its licence (CC0) are noted in `LICENCE.md` beside it.
"""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

__all__ = ["load_penguins", "penguins_database"]

_CREATE = """
CREATE TABLE penguins (
    id INTEGER PRIMARY KEY,
    species TEXT NOT NULL,
    island TEXT NOT NULL,
    bill_length_mm REAL,
    bill_depth_mm REAL,
    flipper_length_mm INTEGER,
    body_mass_g INTEGER,
    sex TEXT,
    year INTEGER NOT NULL
)
"""

_NUMBERS = {
    "bill_length_mm": float,
    "bill_depth_mm": float,
    "flipper_length_mm": int,
    "body_mass_g": int,
    "year": int,
}


def load_penguins() -> list[dict[str, str | int | float | None]]:
    """Return the 344 penguins as dicts, in the order of the publication; `id` counts from 1.

    Lengths are millimetres, masses grams, and what was not measured is None.
    """
    text = files("nbhitl.data").joinpath("penguins.csv").read_text("utf-8")
    penguins: list[dict[str, str | int | float | None]] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=1):
        penguin: dict[str, str | int | float | None] = {"id": number}
        for column, value in row.items():
            penguin[column] = None if value == "NA" else _NUMBERS.get(column, str)(value)
        penguins.append(penguin)
    return penguins


def penguins_database(path: str | Path = "penguins.db") -> Path:
    """Make the table `penguins` in the SQLite file at `path` and return the path.

    A table of that name is made anew, so a lesson can start over; other tables in the file stay as they are.

    Raises:
        sqlite3.Error: the file is no SQLite database, or cannot be written.
    """
    rows = load_penguins()
    columns = list(rows[0])
    insert = f"INSERT INTO penguins VALUES ({', '.join('?' * len(columns))})"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DROP TABLE IF EXISTS penguins")
        db.execute(_CREATE)
        db.executemany(insert, [tuple(row.values()) for row in rows])
    return Path(path)
