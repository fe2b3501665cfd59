"""Whatever nodes, labels, graphs and badges are called, a drawing shows it and does nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from nbhitl.constants import END, START
from nbhitl.draw import (
    Diagram,
    DiagramCluster,
    DiagramEdge,
    DiagramNode,
    mimebundle,
    require_svg,
    to_dot,
    to_mermaid,
    to_mini_svg,
    to_text,
    with_status,
)
from nbhitl.draw.labels import MAX_LABEL
from nbhitl.draw.layout import render

from .hostile import HOSTILE

ELEMENTS = {"svg", "style", "g", "rect", "circle", "path", "text"}
ATTRIBUTES = {
    "class", "role", "aria-label", "viewBox", "width", "height", "style", "x", "y", "rx", "r", "d", "fill",
    "stroke", "stroke-width", "text-anchor", "transform", "display",
    "data-node", "data-kind", "data-status", "data-lines",
}  # fmt: skip


def everywhere(text: str) -> Diagram:
    """A diagram with the text in every place that takes one."""
    nodes = (
        DiagramNode(START, START, "start"),
        DiagramNode(text, text),
        DiagramNode("sub" + text, text, "subgraph"),
        DiagramNode("in" + text, text, cluster=text),
        DiagramNode(END, END, "end"),
    )
    edges = (
        DiagramEdge(START, text),
        DiagramEdge(text, "sub" + text, text, "conditional"),
        DiagramEdge("sub" + text, "in" + text, text, "join"),
        DiagramEdge("in" + text, END, text, "inferred"),
    )
    diagram = Diagram(text, nodes, edges, (DiagramCluster(text, text),))
    return with_status(diagram, {text: "paused"}, badges={text: [text, text]})


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("draw", [require_svg, to_mini_svg])
def test_svg_holds_nothing_but_shapes_and_text(text, draw):
    svg = draw(everywhere(text))
    root = ET.fromstring(svg)
    for element in root.iter():
        name = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
        assert name in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES
        values = [value for key, value in element.attrib.items() if key not in {"aria-label", "transform"}]
        assert not any("(" in value for value in values)
        assert name == "text" or not len(element) or name in {"svg", "g"}
    assert svg.count("<style>") == 1
    assert "<!" not in svg
    assert "<?" not in svg
    assert "url(" not in svg[svg.index("<style>") : svg.index("</style>")]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_dot_has_the_nodes_and_edges_of_the_diagram_and_no_links(text):
    diagram = everywhere(text)
    source = to_dot(diagram)
    # Graphviz itself says what it has understood.
    understood = render(source, "dot").decode()
    assert len(re.findall(r"^\t+n\d+ -> n\d+\t", understood, re.M)) == len(diagram.edges)
    assert set(re.findall(r"^\t+(n\d+)\t", understood, re.M)) == {f"n{i}" for i in range(5)}
    attributes = set(re.findall(r"^\t+(?:\w+\t)?\[?(\w+)=", _unquoted(understood), re.M))
    assert not {"URL", "href", "tooltip", "target", "image", "shapefile"} & attributes
    assert "=<" not in _unquoted(source)  # no HTML-like label


def _unquoted(dot: str) -> str:
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', dot, flags=re.S)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_graphviz_shows_a_label_as_it_is(text):
    svg = render(to_dot(Diagram("g", (DiagramNode("a", text),), ())), "svg").decode()
    shown = [
        "".join(element.itertext()) for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert len(shown) <= 1
    if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_LABEL and text.strip():
        assert shown == [text]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_mermaid_labels_cannot_end_early(text):
    source = to_mermaid(everywhere(text))
    body = source.split("---\n", 2)[2]
    bare = re.sub(r'"[^"\n]*"', '""', body)
    line = re.compile(
        r"\tgraph|graph TD;|"
        r"\t+[A-Za-z_]\w*(\(\[?(\w+|\"\")\]?\)|\[\[\"\"\]\])(:::\w+)?|"
        r"\tsubgraph c\d+_\[\"\"\]|\tend|"
        r"\t\w+ (-->|-\.->)(\|\"\"\|)? \w+;|"
        r"\t(classDef|style|linkStyle) \w+ [\w:#,\- ]+"
    )
    for each in bare.rstrip("\n").split("\n"):
        assert line.fullmatch(each), each
    quoted = "".join(re.findall(r'"([^"\n]*)"', body)).replace("<br/>", "")
    assert not set(quoted) & set("<>&`[]{}|\\'\x00\x1b")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("ascii", [False, True])
def test_text_has_no_control_characters_and_stays_short(text, ascii):
    shown = to_text(everywhere(text), ascii=ascii)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert len(shown) < 2_000
    assert shown.encode()
    if ascii:
        assert shown.isascii()


def test_every_part_of_a_bundle_can_be_stored():
    for text in HOSTILE:
        for content in mimebundle(everywhere(text)).values():
            content.encode()
