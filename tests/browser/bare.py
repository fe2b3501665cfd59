"""The cards' own script in an empty page; its model only writes down what is sent. Fast: no kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

THEMES = Path("share/jupyter/lab/themes/@jupyterlab")

PAGE = """<!doctype html><html><head><meta charset="utf-8"><style>%(theme)s</style>
<style>body {margin: 0; padding: 16px; background: var(--jp-layout-color0); height: auto}</style>
<style>%(css)s</style></head>
<body data-jp-theme-light="%(light)s"><div id="root"></div></body></html>"""

MODEL = """
async ([source, state]) => {
  const listeners = {};
  window.sent = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; for (const f of listeners["change:" + name] ?? []) f(); },
    on: (name, f) => { (listeners[name] ??= []).push(f); },
    off: (name, f) => { listeners[name] = (listeners[name] ?? []).filter((g) => g !== f); },
    emit: (name, value) => { for (const f of listeners[name] ?? []) f(value); },
    send: (message) => {
      window.sent.push(message);
      if (message.type === "hello" && !state.gone) setTimeout(() => model.emit("msg:custom", {type: "here"}));
    },
    save_changes: () => {},
  };
  window.model = model;
  window.close_view?.();
  document.getElementById("root").replaceChildren();
  window.made ??= await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  const made = window.made;
  const widget = typeof made.default === "function" ? await made.default() : made.default;
  window.close_view = await widget.render({model, el: document.getElementById("root")});
}
"""


def theme_css(dark: bool) -> str:
    """The variables of JupyterLab's own theme."""
    import sys

    name = "theme-dark-extension" if dark else "theme-light-extension"
    return (Path(sys.prefix) / THEMES / name / "index.css").read_text()


class Bare:
    """A page that shows one widget with a state given as data."""

    def __init__(self, page: Any, source: str, css: str) -> None:
        self.page = page
        self.source = source
        self.css = css

    def show(self, state: dict[str, Any], *, dark: bool = False, width: int = 1200) -> None:
        """Draw the widget with this state, and wait until it takes clicks."""
        self.page.set_viewport_size({"width": width, "height": 900})
        if getattr(self.page, "theme", None) is not dark:
            parts = {"theme": theme_css(dark), "css": self.css, "light": json.dumps(not dark)}
            self.page.set_content(PAGE % parts)
            self.page.theme = dark
        self.page.evaluate(MODEL, [self.source, state])
        self.ready()

    def ready(self) -> None:
        """Let the moment pass in which a card takes no clicks, by the page's clock."""
        self.page.clock.fast_forward(1000)
        self.page.wait_for_selector(".nbh:not([data-guard])")

    def sent(self, kind: str = "decide") -> list[dict[str, Any]]:
        """The messages of one type that the widget has sent."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "(k) => window.sent.filter((m) => m.type === k)", kind
        )
        return found

    def put(self, name: str, value: Any) -> None:
        """Change the model as Python would."""
        self.page.evaluate("([n, v]) => window.model.set(n, v)", [name, value])
