"""List the public names of LangGraph's modules that nbhitl's modules of the same names do not have.

    python scripts/missing_names.py [langgraph.store langgraph.types ...]

The functional API and LangGraph's own test kits are left out.
"""

from __future__ import annotations

import inspect
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

LEFT_OUT = ("func", "checkpoint.conformance")


def modules(package: Any) -> list[str]:
    """The public modules of a package, by their names below it; of namespace packages too."""
    found = set()
    for root in package.__path__:
        for file in Path(root).rglob("*.py"):
            parts = list(file.relative_to(root).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts.pop()
            if parts and not any(part.startswith("_") for part in parts):
                found.add(".".join(parts))
    return sorted(name for name in found if not name.startswith(LEFT_OUT))


def public_names(module: Any) -> list[str]:
    """What a module says it exports, else what it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", module.__name__) == module.__name__
        and name != "TYPE_CHECKING"
    ]


def is_there(module: Any, name: str) -> bool:
    """Whether a module has a name; a few say by an ImportError what to use instead."""
    try:
        getattr(module, name)
    except (AttributeError, ImportError):
        return False
    return True


def main(only: list[str]) -> None:
    """Print a line for each module that lacks names."""
    warnings.simplefilter("ignore")
    for below in modules(import_module("langgraph")):
        full = f"langgraph.{below}"
        if only and not full.startswith(tuple(only)):
            continue
        try:
            names = public_names(import_module(full))
        except ImportError as error:
            print(f"{full}: cannot be imported here ({error})")
            continue
        try:
            ours = import_module(f"nbhitl.{below}")
        except ImportError:
            print(f"nbhitl.{below} is not there: {', '.join(sorted(names))}")
            continue
        missing = sorted(name for name in names if not is_there(ours, name))
        if missing:
            print(f"nbhitl.{below} lacks {', '.join(missing)}")


if __name__ == "__main__":
    main(sys.argv[1:])
