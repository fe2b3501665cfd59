"""`get_graph()` of our graphs beside LangGraph's, and LangGraph's graphs in our drawings."""

from __future__ import annotations

import sys
from typing import Literal, TypedDict

import pytest
from langgraph.graph import StateGraph
from langgraph.types import Command

from nbhitl.constants import END, START
from nbhitl.draw import GraphView, diagram_of, langgraph_diagram, to_text
from nbhitl.draw.langgraph_graph import langgraph_topology

from .graphs import fan, orders, outer, react


class State(TypedDict, total=False):
    x: int


def passive(state: State) -> State:
    return {"x": 1}


def declared(state: State) -> Command[Literal["tools", "__end__"]]:
    return Command(goto="tools")


def undeclared(state: State):
    return Command(goto="last" if state["x"] else "tools")


def choose(state: State) -> Literal["again", "done"]:
    return "done"


def fixture_graph(**kwargs):
    inner = StateGraph(State)
    inner.add_node("p", passive)
    inner.add_node("q", passive)
    inner.add_edge(START, "p")
    inner.add_edge("p", "q")
    inner.add_edge("q", END)
    graph = StateGraph(State)
    graph.add_node("agent", declared)
    graph.add_node("tools", passive, metadata={"team": "x"})
    graph.add_node("left", passive)
    graph.add_node("right", passive)
    graph.add_node("join", passive, defer=True)
    graph.add_node("sub", inner.compile())
    graph.add_node("last", passive)
    graph.add_edge(START, "agent")
    graph.add_edge("tools", "left")
    graph.add_edge("tools", "right")
    graph.add_edge(["left", "right"], "join")
    graph.add_edge("join", "sub")
    graph.add_conditional_edges("sub", choose, {"again": "agent", "done": "last"})
    graph.add_edge("last", END)
    return graph.compile(**kwargs)


@pytest.mark.parametrize("xray", [False, True])
def test_nodes_and_edges_are_those_that_langgraph_reports(xray):
    graph = fixture_graph(interrupt_before=["tools"], interrupt_after=["last"])
    theirs = graph.get_graph(xray=xray)
    ours = GraphView(langgraph_topology(graph), xray=xray)
    assert {(e.source, e.target, e.data, e.conditional) for e in ours.edges} == {
        (e.source, e.target, e.data, e.conditional) for e in theirs.edges
    }
    assert set(ours.nodes) == set(theirs.nodes)
    if not xray:
        assert [tuple(e) for e in ours.edges] == [tuple(e) for e in theirs.edges]
        assert list(ours.nodes) == list(theirs.nodes)
        assert {k: n.metadata for k, n in ours.nodes.items()} == {
            k: n.metadata for k, n in theirs.nodes.items()
        }


def test_a_langgraph_graph_is_drawn_with_the_edges_that_langgraph_misses():
    graph = StateGraph(State)
    for name, action in {"ask": undeclared, "tools": passive, "last": passive}.items():
        graph.add_node(name, action)
    graph.add_edge(START, "ask")
    graph.add_edge("tools", "ask")
    graph.add_edge("last", END)
    compiled = graph.compile()
    assert ("ask", END) in {(e.source, e.target) for e in compiled.get_graph().edges}  # the wrong picture
    assert to_text(langgraph_diagram(compiled)) == (
        "START ─▸ ask\n         ├┄▸ last ─▸ END\n         └┄▸ tools ─▸ ask ↺"
    )


def test_a_langgraph_subgraph_is_opened():
    diagram = langgraph_diagram(fixture_graph(), xray=True)
    assert [c.key for c in diagram.clusters] == ["sub"]
    assert {n.key for n in diagram.nodes if n.cluster == "sub"} == {"sub:p", "sub:q"}


def test_a_graph_known_only_by_get_graph_is_drawn_from_that():
    class Remote:
        def get_graph(self, *, xray=False):
            return fixture_graph(interrupt_before=["tools"]).get_graph(xray=xray)

    diagram = langgraph_diagram(Remote(), xray=True)
    assert diagram.name == "Remote"
    assert [(c.key, c.label) for c in diagram.clusters] == [("sub", "sub")]
    assert next(n for n in diagram.nodes if n.key == "tools").notes == ("pauses before",)
    assert ("sub:p", "sub:q") in {(e.source, e.target) for e in diagram.edges}


def test_something_else_is_refused():
    with pytest.raises(TypeError, match=r"get_graph\(\) is needed to draw it; this is a int"):
        langgraph_diagram(3)


def test_a_view_draws_itself():
    view = GraphView(react())
    assert view.draw_ascii().startswith("START -> agent\n")
    assert repr(view) == to_text(diagram_of(react()))
    assert view.draw_mermaid().startswith("---\nconfig:")
    assert "classDef" not in view.draw_mermaid(with_styles=False)
    assert view.draw_svg().startswith("<svg")
    assert set(view._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}
    assert set(view.diagram._repr_mimebundle_()) == {"text/plain", "image/svg+xml"}


def test_print_ascii_prints(capsys):
    GraphView(react()).print_ascii()
    assert capsys.readouterr().out == GraphView(react()).draw_ascii() + "\n"


def test_curve_styles_of_langchain_are_understood():
    from langchain_core.runnables.graph import CurveStyle

    assert "curve: basis" in GraphView(react()).draw_mermaid(curve_style=CurveStyle.BASIS)
    with pytest.raises(ValueError, match="name of a curve"):
        GraphView(react()).draw_mermaid(curve_style="x\nbad: y")


def test_the_open_end_is_no_edge_of_the_view():
    view = GraphView(fan())
    assert "write:?" not in view.nodes
    assert all("?" not in edge.target for edge in view.edges)


def test_plain_data():
    data = GraphView(react()).to_json()
    assert data["nodes"][2]["id"] == data["nodes"][2]["data"]["name"] == "tools"
    assert data["nodes"][2]["metadata"] == {"__interrupt": "before"}
    assert data["nodes"][-1] == {"id": END}
    assert data == GraphView(react()).to_json(with_schemas=True)
    assert data["edges"][0] == {"source": START, "target": "agent"}
    assert {"source": "agent", "target": "tools", "conditional": True} in data["edges"]
    labelled = {"source": "triage", "target": "deep", "data": "long", "conditional": True}
    assert labelled in GraphView(outer()).to_json()["edges"]


@pytest.mark.parametrize("method", ["draw_png", "draw_mermaid_png"])
def test_png_without_dot_says_what_to_do_and_never_calls_out(method, monkeypatch, tmp_path):
    import socket

    def refused(*args, **kwargs):
        raise AssertionError("the network was called")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(RuntimeError, match=rf"{method}\(\) can't make a PNG here.*draw_svg\(\)"):
        getattr(GraphView(orders()), method)()


def test_png_by_the_dot_program(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nprint(sys.argv[1], len(sys.stdin.read()) > 100, end='')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    view = GraphView(react())
    assert view.draw_png() == view.draw_mermaid_png() == b"-Tpng True"
    for method in (view.draw_png, view.draw_mermaid_png):
        method(output_file_path=tmp_path / "x.png")
        assert (tmp_path / "x.png").read_bytes() == b"-Tpng True"
        (tmp_path / "x.png").unlink()
