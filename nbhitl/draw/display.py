"""What Jupyter shows for a diagram: text always, and SVG, or Mermaid where no Graphviz can be had."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from nbhitl.draw.mermaid import to_mermaid
from nbhitl.draw.svg import to_svg
from nbhitl.draw.text import to_text

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram


def mimebundle(diagram: Diagram) -> dict[str, str]:
    """`{MIME type: content}` of a diagram: text/plain, and image/svg+xml or else text/vnd.mermaid.

    Never touches the network. Displaying an equal diagram again costs next to nothing.
    """
    bundle = {"text/plain": to_text(diagram)}
    svg = _svg(diagram)
    if svg is None:
        bundle["text/vnd.mermaid"] = to_mermaid(diagram)
    else:
        bundle["image/svg+xml"] = svg
    return bundle


class _NoRendererError(Exception):
    """Carries "there is no Graphviz" past the cache, which then asks again next time."""


def _svg(diagram: Diagram) -> str | None:
    try:
        return _cached_svg(diagram)
    except _NoRendererError:
        return None


@functools.lru_cache(maxsize=64)
def _cached_svg(diagram: Diagram) -> str:
    svg = to_svg(diagram)
    if svg is None:
        raise _NoRendererError
    return svg
