"""Run the notebooks unattended and save their outputs: `python scripts/save_notebooks.py [FILE ...]`.

What differs from run to run or from machine to machine is left out of the files: times, widget state (each
widget has a static record beside it), and the version of the kernel.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"
CELL_TIMEOUT = 60
"""Seconds; nothing in a lesson takes longer than a few."""


def main(paths: list[Path]) -> None:
    """Run and save each notebook; the first error stops everything and saves nothing of that file."""
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT,
            kernel_name="python3",
            allow_stdin=False,
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": str(path.parent)}},
        )
        asyncio.run(client.async_execute())
        tidy(notebook)
        nbformat.validate(notebook)
        nbformat.write(notebook, path)
        print(f"saved {path}")


def tidy(notebook: Any) -> None:
    """Keep what a reader sees, and nothing that only this run knows."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"cell-{number:02d}"
        if cell.cell_type != "code":
            continue
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET, None)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("[0-9]*.ipynb")))
