"""Load a program written for LangGraph as it is, or with its imports swapped to nbhitl."""

from __future__ import annotations

import ast
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LANGGRAPH = "langgraph"
NBHITL = "nbhitl"
ENGINES = (LANGGRAPH, NBHITL)

_code: dict[tuple[Path, str], object] = {}


class _SwapImports(ast.NodeTransformer):
    """Rewrite `langgraph` to another package wherever it is imported, and nowhere else."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.bare = False

    def _swapped(self, module: str | None) -> str | None:
        if module is None or module.partition(".")[0] != LANGGRAPH:
            return module
        return self.package + module[len(LANGGRAPH) :]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        node.module = self._swapped(node.module)
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for alias in node.names:
            swapped = self._swapped(alias.name)
            self.bare = self.bare or (alias.asname is None and swapped != alias.name)
            alias.name = swapped or alias.name
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if self.bare and node.id == LANGGRAPH:
            node.id = self.package
        return node


def swap_imports(source: str, package: str, filename: str = "<program>") -> ast.Module:
    """Return the program's syntax tree with `langgraph` replaced by `package` in its imports."""
    tree = ast.parse(source, filename)
    return tree if package == LANGGRAPH else ast.fix_missing_locations(_SwapImports(package).visit(tree))


def load(path: Path, engine: str) -> ModuleType:
    """Execute the program at `path` for `engine` and return it as a fresh module.

    It stays in `sys.modules`, because schemas look up their annotations there and stores their types.
    """
    key = (path, engine)
    if key not in _code:
        _code[key] = compile(
            swap_imports(path.read_text(), engine, str(path)), str(path), "exec", dont_inherit=True
        )
    module = ModuleType(f"parity_{engine}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(_code[key], module.__dict__)  # type: ignore[call-overload]
    return module
