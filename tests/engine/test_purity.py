"""Code that decides reads no clock, random source or thread, and stays small enough to be read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nbhitl

PACKAGE = Path(nbhitl.__file__).parent
PURE = (
    "plan", "apply", "loop", "begin", "progress", "snapshot", "update", "events", "questions", "read",
    "writes", "tasks", "head", "keys",
)  # fmt: skip
IMPURE = {
    "time",
    "datetime",
    "uuid",
    "random",
    "secrets",
    "threading",
    "asyncio",
    "concurrent",
    "logging",
    "os",
}

# The aim is 400 and 40; these are where a reader gives up.
LONGEST_FILE, LONGEST_FUNCTION = 500, 60
# LangGraph's public methods, each with its many keywords twice, sync and async.
LONG_FILES = {"graph/_compiled.py": 600}

FILES = sorted(path for folder in ("engine", "channels", "graph") for path in (PACKAGE / folder).glob("*.py"))


def imported(source: str) -> set[str]:
    """The packages that a module imports at run time, wherever in it."""
    tree = ast.parse(source)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("module", PURE)
def test_deciding_is_handed_time_and_ids(module):
    assert imported((PACKAGE / "engine" / f"{module}.py").read_text("utf-8")) & IMPURE == set()


def test_an_impure_import_would_be_noticed():
    assert imported("def f():\n    from time import sleep") & IMPURE == {"time"}
    assert imported("if TYPE_CHECKING:\n    import time") == set()


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= LONG_FILES.get(name(path), LONGEST_FILE)


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code from the first statement after the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", FILES, ids=name)
def test_functions_are_short(path):
    tree = ast.parse(path.read_text("utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert {f.name: body_length(f) for f in functions if body_length(f) > LONGEST_FUNCTION} == {}
