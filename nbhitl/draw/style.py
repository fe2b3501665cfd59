"""How the SVG looks: one style sheet for light and dark, and the marks that tell states apart by shape."""

from __future__ import annotations

from typing import Final

MARKS: Final = {
    "done": "M-4.5 .3L-1.3 3.5L4.7-3.9",
    "running": "M-3.3-4.8V4.8L4.7 0Z",
    "paused": "M-4-4.6H-1V4.6H-4ZM1-4.6H4V4.6H1Z",
    "failed": "M-3.8-3.8L3.8 3.8M3.8-3.8L-3.8 3.8",
    "next": "M-4.8 0H4.2M.6-3.6L4.2 0L.6 3.6",
}
"""Paths around (0, 0), about 10 pixels wide: a tick, a play sign, two bars, a cross, an arrow."""

# fill, line and text of each state. Dark text on light fills, so that they hold on any background.
_STATES = {
    "done": ("#e2f3e7", "#2f7d4f", "#14301f"),
    "running": ("#dfecff", "#1f63c4", "#0d2547"),
    "paused": ("#fff0cf", "#a86400", "#3d2600"),
    "failed": ("#fde3e3", "#c22f2f", "#4a0f0f"),
    "next": ("#ffffff", "#1f63c4", "#0d2547"),
}

# `&` stands for the picture: every rule is scoped to it, so that one in a page styles nothing else.
_BASE = """
&{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-size:13px}
& .nb-box{fill:var(--jp-layout-color2,#f3f5f9);stroke:#8590a2;stroke-width:1.2}
& .nb-sides{fill:none;stroke:#8590a2}
& .nb-name{fill:var(--jp-ui-font-color1,#1b2430)}
& .nb-state{fill:var(--jp-ui-font-color1,#1b2430);fill-opacity:.8;font-size:10.5px}
& [data-kind=start] .nb-name,& [data-kind=end] .nb-name,
& [data-kind=unknown] .nb-name{font-size:10.5px;letter-spacing:.04em}
& [data-kind=end] .nb-box{stroke-width:2.4}
& [data-kind=unknown] .nb-box{stroke-dasharray:2 2.5}
& .nb-edge path{stroke:#7b8696;stroke-width:1.3}
& .nb-edge[data-kind=conditional] path:first-child{stroke-dasharray:5 3.5}
& .nb-edge[data-kind=inferred] path:first-child{stroke-dasharray:1.5 3}
& .nb-edge path:nth-child(2){stroke:none;fill:#7b8696}
& .nb-edge path:nth-child(3){stroke-width:2}
& .nb-label rect{fill:var(--jp-layout-color1,#f3f5f9)}
& .nb-label text{fill:var(--jp-ui-font-color2,#4a5565);font-size:10.5px}
& .nb-cluster rect{fill:#8590a2;fill-opacity:.07;stroke:#a9b2c0}
& .nb-cluster text{fill:var(--jp-ui-font-color2,#717c8c);font-size:11px;font-weight:600}
& .nb-mark path{display:none;fill:none;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
& .nb-inner{display:none}
& [data-status=""][data-lines="1"] .nb-mark~.nb-name{transform:translate(-9px,7px)}
& [data-status=""][data-lines="2"] .nb-mark~.nb-name{transform:translate(-9px,0)}
& [data-status=paused] .nb-inner{display:inline;stroke:#a86400;stroke-width:1}
& [data-status=paused] .nb-box,& [data-status=running] .nb-box,
& [data-status=failed] .nb-box{stroke-width:2.2}
& [data-status=next] .nb-box{stroke-dasharray:5 3}
& .nb-mark .nb-running,& .nb-mark .nb-paused{stroke:none}
"""


def _state_rules() -> str:
    rules = []
    for status, (fill, line, text) in _STATES.items():
        node = f"& [data-status={status}]"
        filled = f"fill:{line}" if status in ("running", "paused") else f"stroke:{line}"
        rules.append(f"{node} .nb-box{{fill:{fill};stroke:{line}}}")
        rules.append(f"{node} .nb-name,{node} .nb-state{{fill:{text};fill-opacity:1}}")
        rules.append(f"{node} .nb-mark .nb-{status}{{display:inline;{filled}}}")
    return "\n".join(rules)


STYLE: Final = (_BASE.strip() + "\n" + _state_rules()).replace("\n", "").replace("&", ".nbhitl-graph")
"""The style sheet that each picture carries."""
