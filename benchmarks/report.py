"""Measurements as Markdown tables. Pure: numbers in, text out."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.workloads import IMPORT_TARGET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.imports import Import
    from benchmarks.measure import Measured
    from benchmarks.workloads import Workload

TITLES = {"nbhitl": "nbhitl", "langgraph": "LangGraph", "burr": "Burr", "plain": "plain Python"}

_JUDGED = ("against LangGraph", "target", "reached")


def time_table(
    rows: Sequence[tuple[Workload, Mapping[str, Measured]]], contestants: Sequence[str], judged: bool = True
) -> str:
    """Return one row a workload; below it, where it matters, the size of the file, and how much longer the
    last laps of a run took. `judged` adds how many times faster nbhitl is than LangGraph, and shall be.

    >>> time_table([], ["nbhitl", "plain"]).splitlines()[0]
    '| workload | unit | nbhitl | plain Python |'
    """
    judge = judged and {"nbhitl", "langgraph"} <= set(contestants)
    titles = ["workload", "unit", *(TITLES[name] for name in contestants), *(_JUDGED if judge else ())]
    lines = [_line(titles), _line(["---", "---", *["---:"] * (len(titles) - 2)])]
    for workload, measured in rows:
        scale = (1e6 if workload.unit.startswith("µs") else 1e3) / workload.count
        times = {name: found.median * scale for name, found in measured.items()}
        lines.append(_row(workload.name, workload.unit, times, contestants, judge, workload.target))
        if workload.smaller is not None:
            sizes = {name: (found.file_bytes or 0) / 1e3 for name, found in measured.items()}
            lines.append(_row("its file", "kB", sizes, contestants, judge, workload.smaller))
        if workload.growth is not None:
            slower = {
                name: statistics.median(found.growth) for name, found in measured.items() if found.growth
            }
            cells = _cells(slower, contestants)
            if judge:
                reached = slower["nbhitl"] <= workload.growth
                cells += ["", f"<= {workload.growth:g}", _word(reached)]
            lines.append(_line(["its last turns / first turns", "ratio", *cells]))
    return "\n".join(lines)


def import_table(imports: Sequence[Import]) -> str:
    """Return one row an import."""
    lines = [
        _line(["import", "ms", "MB", "modules", "packages dragged in", *_JUDGED]),
        _line(["---", "---:", "---:", "---:", "---", "---:", "---:", "---:"]),
    ]
    slow = next((found for found in imports if found.module.startswith("langgraph")), None)
    for found in imports:
        packages = [name for name in found.packages if name != found.module.split(".")[0]]
        told = ", ".join(packages[:6]) + (f" and {len(packages) - 6} more" if len(packages) > 6 else "")
        cells = [f"`{found.module}`", number(found.milliseconds), number(found.megabytes), str(found.modules)]
        judged = ["", "", ""]
        if slow is not None and found.module.startswith("nbhitl"):
            judged = _judged(slow.milliseconds / found.milliseconds, IMPORT_TARGET)
        lines.append(_line([*cells, told or "none", *judged]))
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with two or three digits that matter.

    >>> number(0.1234), number(3.14159), number(1234.5), number(0.00123)
    ('0.12', '3.1', '1,234', '0.0012')
    """
    if value < 0.1:
        return f"{value:.2g}"
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _row(
    name: str, unit: str, values: Mapping[str, float], contestants: Sequence[str], judge: bool, target: float
) -> str:
    cells = _cells(values, contestants)
    if judge:
        cells += _judged(values["langgraph"] / values["nbhitl"], target)
    return _line([name, unit, *cells])


def _cells(values: Mapping[str, float], contestants: Sequence[str]) -> list[str]:
    return [number(values[name]) if name in values else "" for name in contestants]


def _judged(ratio: float, target: float) -> list[str]:
    """The ratio, what it shall be, and whether it is: the table must not say 9.96 is 10."""
    return [f"{ratio:.1f}x", f">= {target:g}x", _word(ratio >= target)]


def _word(reached: bool) -> str:
    return "yes" if reached else "no"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
