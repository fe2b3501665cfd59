"""How the notebooks are written and saved. That they run, and give these outputs, is tested by nbval."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 12
MOST_CELLS = 60
PLACES = re.compile(r"/(?:root|home|tmp|work|usr|Users)/|site-packages|0x[0-9a-f]{6,}")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_a_first_notebook():
    assert NOTEBOOKS[0].name == "01_approve_a_delete.ipynb"


def test_cells_are_short_and_explained(notebook):
    assert len(notebook.cells) <= MOST_CELLS
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert [c.source for c in code_cells(notebook) if len(c.source.splitlines()) > LONGEST_CELL] == []
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)
    assert "cccc" not in kinds, "four code cells in a row, without a word"


def test_it_is_saved_as_it_ran(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)


def test_no_error_is_shown(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", output
            assert output.get("name") != "stderr", output


def test_nothing_of_the_machine_that_saved_it(notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    text = nbformat.writes(notebook)
    assert PLACES.search(text) is None
    assert "widget-view" not in text


def test_no_langgraph_is_needed(notebook):
    for cell in code_cells(notebook):
        imports = [n for n in ast.walk(parse(cell)) if isinstance(n, (ast.Import, ast.ImportFrom))]
        assert "langgraph" not in " ".join(ast.unparse(n) for n in imports)


def parse(cell):
    return compile(cell.source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def is_definition(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def test_the_demo_is_the_graph_of_the_first_notebook():
    first = nbformat.read(NOTEBOOKS[0], as_version=4)
    shown = [node for c in first.cells if "demo" in c.metadata.get("tags", []) for node in parse(c).body]
    module = ast.parse((ROOT / "nbhitl" / "demo.py").read_text())
    defined = {node.name: node for node in module.body if is_definition(node)}

    definitions = [node for node in shown if is_definition(node)]
    assert [node.name for node in definitions] == [
        "State",
        "propose",
        "touched",
        "review",
        "run_sql",
        "keep_rows",
    ]
    for node in definitions:
        assert ast.unparse(node) == ast.unparse(defined[node.name])

    building = [ast.unparse(node) for node in shown if not is_definition(node)]
    docstring, *body = defined["build_graph"].body
    assert isinstance(docstring.value, ast.Constant)
    in_demo = [ast.unparse(node).replace("return ", "graph = ", 1) for node in body]
    assert building == [*in_demo, "graph"]


def test_the_goal_is_the_same_too():
    from nbhitl.demo import GOAL

    assert f'"goal": "{GOAL}"' in "".join(
        c.source for c in code_cells(nbformat.read(NOTEBOOKS[0], as_version=4))
    )
