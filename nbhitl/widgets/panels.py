"""The two widgets: the cards of a thread, and its graph. Thin: state goes down, messages come up, as data.

Each is one anywidget, so it runs wherever those do (JupyterLab, Notebook 7, VS Code, Voila, Colab), from
files of this package and without the network.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

if TYPE_CHECKING:
    from collections.abc import Callable

CARDS_SCRIPT = ("dom", "theme", "blocks", "form", "card", "panels", "actions", "batch", "cards")
GRAPH_SCRIPT = ("graph",)


@cache
def script(names: tuple[str, ...]) -> str:
    """The parts of a script as one module: a widget's module is loaded alone and can't import others."""
    folder = files("nbhitl.widgets") / "static"
    return "\n".join((folder / f"{name}.js").read_text("utf-8") for name in names)


@cache
def style() -> str:
    """The style sheet of both widgets."""
    return (files("nbhitl.widgets") / "static" / "card.css").read_text("utf-8")


class _Panel(anywidget.AnyWidget):
    """A widget that stands beside a static record of itself, for wherever no kernel is."""

    def __init__(self, record: Callable[[], dict[str, str]], **traits: Any) -> None:
        self._record = record
        super().__init__(**traits)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live view, and the record as text/plain and text/html or image/svg+xml."""
        made = super()._repr_mimebundle_(**options)
        bundle, metadata = made if isinstance(made, tuple) else (made, {})
        return {**(bundle or {}), **self._record()}, metadata


class CardsPanel(_Panel):
    """The cards. `on_message(message)` is called for each message of the view."""

    _esm = script(CARDS_SCRIPT)
    _css = style()

    cards: traitlets.List[Any] = traitlets.List().tag(sync=True)
    summary = traitlets.Unicode("").tag(sync=True)
    run = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        record: Callable[[], dict[str, str]],
        on_message: Callable[[dict[str, Any]], None],
        **traits: Any,
    ) -> None:
        super().__init__(record, **traits)
        self._on_message = on_message
        self.on_msg(self._heard)

    def _heard(self, _widget: Any, message: Any, _buffers: Any) -> None:
        if isinstance(message, dict):
            self._on_message(message)


class GraphPanel(_Panel):
    """The graph. `svg` is drawn once; `states`, `{data-node: {"status", "text"}}`, changes as it runs."""

    _esm = script(GRAPH_SCRIPT)
    _css = style()

    svg = traitlets.Unicode("").tag(sync=True)
    states = traitlets.Dict().tag(sync=True)
