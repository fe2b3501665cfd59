"""Run a program on an engine, and say how two accounts differ."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import warnings
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .describe import error_name
from .record import Record
from .swap import LANGGRAPH, NBHITL, load, swap_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
_SAVERS = {"saver": ("memory", "sqlite"), "any_saver": ("none", "memory", "sqlite")}
_WAITING = re.compile(r"\bsleep\((?!0\))|timeout\b|wait_for\(")
_TRIES = 3
SAVERS_DIFFER = {"histories-filters_of_what_was_put-sqlite"}
"""Where LangGraph itself tells something else with SQLite than in memory; a slow test finds them."""


@dataclass(frozen=True)
class Case:
    """A function of a program file, and the kind of saver it is given (None: it takes none)."""

    path: Path
    function: str
    saver: str | None

    @property
    def waits(self) -> bool:
        """Whether the file's programs wait for time: where the machine stands still, either engine tells another."""
        return bool(_WAITING.search(self.path.read_text()))

    def __str__(self) -> str:
        return f"{self.path.stem}-{self.function.removeprefix('program_')}" + (
            f"-{self.saver}" * bool(self.saver)
        )


def cases() -> list[Case]:
    """Return the cases of every program, read from the source without running it."""
    return [case for path in sorted((HERE / "programs").glob("*.py")) for case in _cases_of(path)]


def _cases_of(path: Path) -> Iterator[Case]:
    for item in swap_imports(path.read_text(), LANGGRAPH).body:
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) or not item.name.startswith(
            "program_"
        ):
            continue
        takes = [argument.arg for argument in item.args.args]
        kinds = next((_SAVERS[name] for name in takes if name in _SAVERS), (None,))
        yield from (Case(path, item.name, kind) for kind in kinds)


def observations(case: Case, engine: str, savers_of: str | None = None) -> list[tuple[str, str]]:
    """Run the case on `engine` and return what it recorded, with the error that ended it if one did.

    `savers_of` names the package whose savers are used, if it is not the engine's own.
    """
    record = Record()
    with warnings.catch_warnings():
        # Programs use what is deprecated, and what has no effect; LangGraph warns of what nobody here can change.
        for category in (Warning,) if engine == LANGGRAPH else (DeprecationWarning, UserWarning):
            warnings.simplefilter("ignore", category)
        try:
            _run(load(case.path, engine), case, savers_of or engine, record)
        except Exception as error:
            if engine == LANGGRAPH:
                raise
            record(f"program ended by {error_name(error)}", str(error))
    return record.entries


def _run(module: Any, case: Case, savers_of: str, record: Record) -> None:
    function: Callable[..., Any] = getattr(module, case.function)
    if inspect.iscoroutinefunction(function):
        asyncio.run(_run_async(function, case, savers_of, record))
        return
    with ExitStack() as stack:
        arguments = () if case.saver is None else (_open(case.saver, savers_of, stack),)
        function(record, *arguments)


async def _run_async(function: Callable[..., Any], case: Case, savers_of: str, record: Record) -> None:
    async with AsyncExitStack() as stack:
        if case.saver is None:
            await function(record)
        elif "host=" in case.saver:
            module = import_module(f"{savers_of}.checkpoint.postgres.aio")
            saver = await stack.enter_async_context(module.AsyncPostgresSaver.from_conn_string(case.saver))
            await function(record, saver)
        elif case.saver == "sqlite":
            module = import_module(f"{savers_of}.checkpoint.sqlite.aio")
            saver = await stack.enter_async_context(module.AsyncSqliteSaver.from_conn_string(":memory:"))
            await function(record, saver)
        else:
            await function(record, _open(case.saver, savers_of, stack))


@contextmanager
def opened(kind: str, savers_of: str) -> Iterator[Any]:
    """Open a saver of a package: "none", "memory", "sqlite" or PostgreSQL's address, "host=..."."""
    with ExitStack() as stack:
        yield _open(kind, savers_of, stack)


def _open(kind: str, savers_of: str, stack: ExitStack | AsyncExitStack) -> Any:
    if kind == "none":
        return None
    if kind == "memory":
        return import_module(f"{savers_of}.checkpoint.memory").InMemorySaver()
    if "host=" in kind:
        module = import_module(f"{savers_of}.checkpoint.postgres")
        return stack.enter_context(module.PostgresSaver.from_conn_string(kind))
    module = import_module(f"{savers_of}.checkpoint.sqlite")
    return stack.enter_context(module.SqliteSaver.from_conn_string(":memory:"))


def difference(expected: list[tuple[str, str]], actual: list[tuple[str, str]], context: int = 4) -> str:
    """Return a diff of the two accounts (`-` LangGraph, `+` nbhitl), empty if they are equal."""
    if expected == actual:
        return ""
    diff = unified_diff(_lines(expected), _lines(actual), LANGGRAPH, NBHITL, n=context, lineterm="")
    return "\n".join(diff)


def _lines(entries: list[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for label, value in entries:
        lines.append(f"# {label}")
        lines.extend(f"    {line}" for line in value.splitlines())
    return lines


def account(entries: list[tuple[str, str]]) -> str:
    """Return what was recorded as readable text."""
    return "\n".join(_lines(entries))


def compare(case: Case, savers_of: str = NBHITL) -> str:
    """Run the case on both engines and return how they differ, empty if they do not.

    `savers_of` says whose savers nbhitl is given: its own, or those written for LangGraph. Where programs wait
    for time, a difference is one if it is there each of three times.
    """
    for _ in range(_TRIES if case.waits else 1):
        found = difference(_expected(case), observations(case, NBHITL, savers_of))
        if not found:
            break
        told_by_langgraph.cache_clear()
    return found


def expected_with(case: Case) -> Case:
    """The case whose account by LangGraph this one is held against: its own savers tell the same, but for a few."""
    same = case.saver == "sqlite" and str(case) not in SAVERS_DIFFER
    return replace(case, saver="memory") if same else case


def _expected(case: Case) -> list[tuple[str, str]]:
    return told_by_langgraph(expected_with(case))


@cache
def told_by_langgraph(case: Case) -> list[tuple[str, str]]:
    """What LangGraph does: run once for all that is compared with it."""
    return observations(case, LANGGRAPH)
