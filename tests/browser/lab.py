"""What the browser tests do in JupyterLab: open a notebook, run its cells, switch themes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def write_settings(folder: Path) -> None:
    """Keep JupyterLab's news away: its pop-up would cover the cell."""
    for name, values in SETTINGS.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"

# What is shown is saved, for JupyterLab would ask whether to, and its kernel ends with it.
OPEN_INSTEAD = """
async (path) => {
  const {commands, shell} = window.jupyterapp;
  const shown = shell.currentWidget;
  await shown.context.save();
  await shown.sessionContext.shutdown();
  shown.dispose();
  await commands.execute("docmanager:open", {path});
}
"""

ALL_RAN = """
() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .filter((cell) => cell.cell_type === "code")
  .every((cell) => cell.execution_count !== null && cell.executionState !== "running")
"""

ASK_KERNEL = """
async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  const found = {text: "", error: null};
  future.onIOPub = ({header, content}) => {
    if (header.msg_type === "stream") found.text += content.text;
    if (header.msg_type === "error") found.error = `${content.ename}: ${content.evalue}`;
  };
  await future.done;
  return found;
}
"""


class Lab:
    """One JupyterLab tab."""

    def __init__(self, url: str, folder: Path, page: Any) -> None:
        self.url = url
        self.folder = folder
        self.page = page

    def open(self, name: str, *cells: str) -> None:
        """Write a notebook of these code cells, and open it alone in the tab."""
        import nbformat

        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.folder / f"{name}.ipynb")
        self.show(name)

    def show(self, name: str) -> None:
        """Open a notebook that is there, alone in the tab, and wait until its kernel is idle."""
        if self.page.url.startswith(self.url):
            self.page.evaluate(OPEN_INSTEAD, f"{name}.ipynb")
        else:
            self.page.goto(f"{self.url}/doc/tree/{name}.ipynb?reset")
        self.page.wait_for_function(IDLE, timeout=30_000)

    def command(self, name: str, **args: Any) -> None:
        """Run a command of JupyterLab's, and wait for it."""
        self.page.evaluate("([n, a]) => window.jupyterapp.commands.execute(n, a)", [name, args])

    def run_all(self) -> None:
        """Run all cells, and wait until they have."""
        self.command("notebook:run-all-cells")
        if errors := self.page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts():
            raise AssertionError("A cell failed:\n" + "\n".join(errors))

    def start_all(self) -> None:
        """Run all cells, and come back at once."""
        self.page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def until_all_ran(self) -> None:
        """Wait until every code cell has run to its end."""
        self.page.wait_for_function(ALL_RAN, timeout=30_000)

    def ask_kernel(self, expression: str) -> str:
        """Evaluate an expression in the notebook's kernel, without a cell; return its `str()`."""
        found = self.page.evaluate(ASK_KERNEL, f"print({expression})")
        if found["error"]:
            raise AssertionError(f"{expression}: {found['error']}")
        return str(found["text"]).strip()

    def cell(self, number: int) -> Any:
        """The output area of a cell, counted from 0."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-Cell-outputArea")

    def count_cells(self) -> int:
        """How many cells the notebook has."""
        return int(self.page.locator(".jp-Notebook .jp-Cell").count())

    def until_armed(self, card: Any) -> None:
        """Wait until a card takes clicks: just after it has moved it takes none."""
        card.locator("xpath=ancestor::*[contains(@class, 'nbh-cards') and not(@data-guard)]").wait_for()

    def press(self, card: Any, name: str) -> None:
        """Click a button of a card."""
        self.until_armed(card)
        card.locator(f"[data-k={name}]").click()

    def reload(self) -> None:
        """Reload the page; the kernel lives on."""
        self.page.reload()
        self.page.wait_for_function(IDLE, timeout=30_000)

    def dark(self, on: bool = True) -> None:
        """Switch JupyterLab's theme."""
        self.command("apputils:change-theme", theme="JupyterLab Dark" if on else "JupyterLab Light")
        self.page.wait_for_function(f"() => document.body.dataset.jpThemeLight === '{str(not on).lower()}'")

    def outputs(self) -> Any:
        """A locator for the outputs of all cells."""
        return self.page.locator(".jp-OutputArea-output")

    def save(self, name: str) -> dict[str, Any]:
        """Save the notebook; return what is in the file."""
        self.command("docmanager:save")
        loaded: dict[str, Any] = json.loads((self.folder / f"{name}.ipynb").read_text())
        return loaded


class Shots:
    """Screenshots, if a folder was named for them."""

    def __init__(self, folder: str | None) -> None:
        self.folder = Path(folder) if folder else None

    def take(self, target: Any, name: str) -> None:
        """Save what `target` (a page or a locator) looks like now."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            target.screenshot(path=str(self.folder / f"{name}.png"))
