"""The command `nbhitl`: `nbhitl lab` opens the notebooks, `nbhitl demo` runs the first one's graph here."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from nbhitl.lab import FOLDER, open_lab

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return an exit code."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if args.command != "lab" and rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if args.command == "lab":
        return open_lab(
            folder=args.folder, browser=args.browser, port=args.port, rest=rest, dry_run=args.dry_run
        )
    from nbhitl.demo import run_demo

    try:
        return run_demo(args.answers)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nbhitl", description="Agent graphs that stop and ask a person, inside a Jupyter notebook."
    )
    parser.add_argument("--version", action="version", version=f"nbhitl {version('nbhitl')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="lab | demo")
    lab = commands.add_parser(
        "lab",
        help="copy the notebooks into this folder and open JupyterLab on the first one",
        description="Copy the notebooks into this folder, keep what is there, and open JupyterLab.",
        epilog="Any other argument goes to JupyterLab as it is, for example --ip=0.0.0.0.",
    )
    lab.add_argument(
        "--folder", type=Path, default=Path(FOLDER), help=f"where the notebooks go (default: {FOLDER})"
    )
    lab.add_argument("--port", type=int, help="the port of JupyterLab's server")
    lab.add_argument("--no-browser", dest="browser", action="store_false", help="do not open a browser")
    lab.add_argument(
        "--dry-run", action="store_true", help="copy the notebooks and say what would be started"
    )
    demo = commands.add_parser(
        "demo",
        help="run the first notebook's graph in this terminal",
        description="Run the first notebook's graph here: it stops before rows are deleted and asks.",
    )
    demo.add_argument(
        "--answers",
        action="append",
        metavar="ANSWER",
        help="answer without a terminal: approve, edit:NEW STATEMENT or reject:REASON; one a question",
    )
    return parser
