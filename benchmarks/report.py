"""Measurements as Markdown tables. Pure: numbers in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.imports import Import
    from benchmarks.measure import Measured
    from benchmarks.workloads import Workload

TITLES = {"nbhitl": "nbhitl", "langgraph": "LangGraph", "burr": "Burr", "plain": "plain Python"}


def time_table(rows: Sequence[tuple[Workload, Mapping[str, Measured]]], contestants: Sequence[str]) -> str:
    """Return one row a workload, with how many times faster nbhitl is than LangGraph.

    >>> time_table([], ["nbhitl", "plain"]).splitlines()[0]
    '| workload | unit | nbhitl | plain Python |'
    """
    compare = {"nbhitl", "langgraph"} <= set(contestants)
    titles = [
        "workload",
        "unit",
        *(TITLES[name] for name in contestants),
        *(["against LangGraph"] if compare else []),
    ]
    lines = [_line(titles), _line(["---", "---", *["---:"] * (len(titles) - 2)])]
    for workload, measured in rows:
        cells = [workload.name, workload.unit]
        cells += [
            number(measured[name].per(workload.count)) if name in measured else "" for name in contestants
        ]
        if compare:
            cells.append(_faster({name: found.per(workload.count) for name, found in measured.items()}))
        lines.append(_line(cells))
        if workload.keeps_file:
            sizes = [measured[name].file_bytes if name in measured else None for name in contestants]
            cells = ["its file", "kB", *(number(size / 1e3) if size else "" for size in sizes)]
            if compare:
                cells.append(_faster({name: found.file_bytes or 0 for name, found in measured.items()}))
            lines.append(_line(cells))
    return "\n".join(lines)


def import_table(imports: Sequence[Import]) -> str:
    """Return one row an import."""
    lines = [
        _line(["import", "ms", "MB", "modules", "packages dragged in"]),
        _line(["---", "---:", "---:", "---:", "---"]),
    ]
    for found in imports:
        packages = [name for name in found.packages if name != found.module.split(".")[0]]
        told = ", ".join(packages[:6]) + (f" and {len(packages) - 6} more" if len(packages) > 6 else "")
        lines.append(
            _line(
                [
                    f"`{found.module}`",
                    number(found.milliseconds),
                    number(found.megabytes),
                    str(found.modules),
                    told or "none",
                ]
            )
        )
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number with two or three digits that matter.

    >>> number(0.1234), number(3.14159), number(1234.5)
    ('0.12', '3.1', '1,234')
    """
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _faster(values: Mapping[str, float]) -> str:
    if not {"nbhitl", "langgraph"} <= set(values):
        return ""
    return f"{values['langgraph'] / values['nbhitl']:.1f}x"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
