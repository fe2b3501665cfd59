"""`nbhitl lab`: put the notebooks into a folder of the reader's own, and open JupyterLab on the first one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FOLDER",
    "Copied",
    "copy_notebooks",
    "lab_command",
    "lab_environment",
    "open_lab",
    "shipped_notebooks",
    "trust",
]

FOLDER = "nbhitl-notebooks"
"""The folder made in the current one; a name of its own, so that the reader sees what came from here."""


class Copied(NamedTuple):
    """What became of one notebook: `copied`, or kept because there was one: the `same`, or `changed`."""

    path: Path
    outcome: Literal["copied", "same", "changed"]


def shipped_notebooks() -> list[Path]:
    """Return the notebooks in the order of their numbers: those in the wheel, or a checkout's own.

    Raises:
        FileNotFoundError: this installation has none.
    """
    package = Path(__file__).parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if found := sorted(folder.glob("[0-9]*.ipynb")):
            return found
    raise FileNotFoundError(
        f"This installation of nbhitl has no notebooks (looked in {package / '_notebooks'}). "
        "Install it again: pip install --force-reinstall nbhitl"
    )


def copy_notebooks(notebooks: Sequence[Path], folder: Path) -> list[Copied]:
    """Copy the notebooks into `folder`, which is made if needed. A file that is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: list[Copied] = []
    for notebook in notebooks:
        target = folder / notebook.name
        if target.exists():
            same = target.read_bytes() == notebook.read_bytes()
            outcomes.append(Copied(target, "same" if same else "changed"))
        else:
            shutil.copyfile(notebook, target)
            outcomes.append(Copied(target, "copied"))
    return outcomes


def lab_command(notebook: Path, *, browser: bool, port: int | None, rest: Sequence[str]) -> list[str]:
    """Return the command line that opens JupyterLab on `notebook`. `rest` goes to JupyterLab as it is."""
    # Not the file as an argument: then the address that is printed, which is what a reader without a browser
    # on this machine uses, would not lead to the notebook.
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
    ]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command.append(f"--port={port}")
    # In a container the reader often is root, and JupyterLab would refuse to start without being told.
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in rest:
        command.append("--allow-root")
    return [*command, *rest]


def lab_environment() -> dict[str, str]:
    """Return the environment of JupyterLab: this one, and defaults that keep its pop-up about news away.

    They come with the package and stand behind the reader's own settings, which stay where they are.
    """
    folders = [str(Path(__file__).parent / "_lab_config"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, folders))}


def trust(notebooks: Sequence[Path]) -> None:
    """Sign notebooks as `jupyter trust` does, so that JupyterLab shows their saved outputs as they are."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    try:
        for path in notebooks:
            notary.sign(nbformat.read(path, as_version=4))
    finally:
        notary.store.close()


def open_lab(
    *, folder: Path, browser: bool, port: int | None, rest: Sequence[str], dry_run: bool = False
) -> int:
    """Copy the notebooks, say what was done, and run JupyterLab until it ends. Returns its exit code.

    2 if JupyterLab is not installed, or the notebooks cannot be copied; the reason is printed.
    """
    try:
        outcomes = copy_notebooks(shipped_notebooks(), folder)
    except OSError as error:
        print(f"The notebooks cannot be copied into {folder}: {error}", file=sys.stderr)
        return 2
    for path, outcome in outcomes:
        print(_told(path, outcome), flush=True)
    if not _jupyterlab_installed():
        print('JupyterLab is not installed. Install it with: pip install "nbhitl[lab]"', file=sys.stderr)
        return 2
    trust([path for path, outcome in outcomes if outcome != "changed"])
    command = lab_command(outcomes[0].path, browser=browser, port=port, rest=rest)
    print(f"Starting  {' '.join(command)}", flush=True)
    if dry_run:
        return 0
    try:
        return subprocess.run(command, check=False, env=lab_environment()).returncode
    except KeyboardInterrupt:
        return 130


def _jupyterlab_installed() -> bool:
    return find_spec("jupyterlab") is not None


def _told(path: Path, outcome: str) -> str:
    return {
        "copied": f"Copied    {path}",
        "same": f"Kept      {path} (there already)",
        "changed": f"Kept      {path} (there already, and changed: delete it to get the original again)",
    }[outcome]
