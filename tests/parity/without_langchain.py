"""Run every program that names no LangChain on nbhitl, twice: as installed, and where LangChain is missing.

Prints, as JSON, what each program saw. The module is a program of its own: what is loaded stays loaded.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

PACKAGES = ("langchain_core", "langgraph", "langsmith")


class Missing:
    """Finds no module of LangChain's."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"{name} is left out by a test", name=name)


if __name__ == "__main__":
    if sys.argv[1:] == ["missing"]:
        sys.meta_path.insert(0, Missing())
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from parity.compare import cases, observations
    from parity.swap import NBHITL

    warnings.simplefilter("ignore")
    plain = [case for case in cases() if "langchain" not in case.path.read_text()]
    json.dump({str(case): observations(case, NBHITL) for case in plain}, sys.stdout)
