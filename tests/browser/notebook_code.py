"""What the cells of the test notebooks hold: a graph that asks before it deletes, on either engine."""

from __future__ import annotations

ASK = """
import sqlite3
from typing import TypedDict
from {engine}.checkpoint.memory import InMemorySaver
from {engine}.graph import END, START, StateGraph
from nbhitl.review.ask import ask
from nbhitl.thread import GraphThread

def database():
    db = sqlite3.connect(":memory:", check_same_thread=False)
    db.execute("CREATE TABLE penguins (id INTEGER, species TEXT, island TEXT, body_mass_g INTEGER)")
    db.executemany("INSERT INTO penguins VALUES (?, ?, ?, ?)",
        [(1, "Adelie", "Torgersen", 3750), (3, "Adelie", "Torgersen", None), (271, "Gentoo", "Biscoe", None)])
    return db

databases = {{}}
ran = []

class State(TypedDict):
    name: str
    statement: str
    said: str

def propose(state: State):
    return {{"statement": state.get("statement") or "DELETE FROM penguins WHERE body_mass_g IS NULL"}}

def delete_rows(state: State):
    db = databases.setdefault(state["name"], database())
    where = state["statement"].partition("WHERE")[2] or "1"
    rows = db.execute("SELECT * FROM penguins WHERE " + where).fetchall()
    decision = ask("Run this statement?", action="run_sql",
        args={{"statement": state["statement"], "database": "penguins.db"}},
        table={{"title": "rows that it would touch", "columns": ["id", "species", "island", "body_mass_g"],
               "rows": [list(row) for row in rows]}},
        reasons=["too many rows", "wrong table"])
    if decision.rejected:
        return {{"said": "not run: " + (decision.reason or "no reason")}}
    ran.append(decision.args["statement"])
    db.execute(decision.args["statement"])
    return {{"said": "ran"}}

def report(state: State):
    return {{}}

builder = StateGraph(State)
for node in (propose, delete_rows, report):
    builder.add_node(node)
builder.add_edge(START, "propose")
builder.add_edge("propose", "delete_rows")
builder.add_edge("delete_rows", "report")
builder.add_edge("report", END)
graph = builder.compile(checkpointer=InMemorySaver())
"""

RUN = """
{name} = GraphThread(graph, "{name}", by="ada")
{name}.run({{"name": "{name}", "statement": ""}})
"""
