from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nbhitl.data import load_penguins, penguins_database

if TYPE_CHECKING:
    from pathlib import Path


def fetch(path: Path, statement: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(statement).fetchall()


def test_the_data_set_is_whole():
    penguins = load_penguins()
    assert len(penguins) == 344
    assert [p["id"] for p in penguins] == list(range(1, 345))
    assert {p["species"] for p in penguins} == {"Adelie", "Chinstrap", "Gentoo"}
    assert sum(p["sex"] is None for p in penguins) == 11
    assert sum(p["body_mass_g"] is None for p in penguins) == 2


def test_numbers_are_numbers():
    first = load_penguins()[0]
    assert (first["bill_length_mm"], first["body_mass_g"], first["year"]) == (39.1, 3750, 2007)
    assert isinstance(first["body_mass_g"], int)


def test_the_database_holds_the_rows(tmp_path):
    path = penguins_database(tmp_path / "penguins.db")
    assert fetch(path, "SELECT count(*), sum(sex IS NULL), sum(body_mass_g IS NULL) FROM penguins") == [
        (344, 11, 2)
    ]
    assert fetch(path, "SELECT typeof(body_mass_g), typeof(bill_depth_mm) FROM penguins WHERE id = 1") == [
        ("integer", "real")
    ]


def test_making_it_again_restores_the_table_and_leaves_others_alone(tmp_path):
    path = penguins_database(tmp_path / "penguins.db")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM penguins")
        db.execute("CREATE TABLE mine (note TEXT)")
        db.execute("INSERT INTO mine VALUES ('keep me')")
    penguins_database(path)
    assert fetch(path, "SELECT count(*) FROM penguins") == [(344,)]
    assert fetch(path, "SELECT note FROM mine") == [("keep me",)]


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("These are my notes, and they are no SQLite database. " * 5)
    with pytest.raises(sqlite3.DatabaseError):
        penguins_database(notes)
    assert notes.read_text().startswith("These are my notes")
