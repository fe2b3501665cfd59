"""From a topology to the nodes and edges that are drawn."""

from __future__ import annotations

import pytest

from nbhitl.constants import END, START
from nbhitl.draw import Diagram, DiagramEdge, diagram_of, with_status
from nbhitl.draw.diagram import FOLD_ABOVE
from nbhitl.engine.spec import BranchSpec
from nbhitl.errors import UnknownNodeError

from .graphs import Compiled, chain, fan, node, orders, outer, react, review, route, topology


def pairs(diagram: Diagram) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in diagram.edges}


def test_a_loop_with_a_breakpoint():
    diagram = diagram_of(react())
    assert [(n.key, n.kind, n.notes) for n in diagram.nodes] == [
        (START, "start", ()),
        ("agent", "node", ()),
        ("tools", "node", ("pauses before",)),
        (END, "end", ()),
    ]
    assert diagram.edges == (
        DiagramEdge(START, "agent"),
        DiagramEdge("agent", "tools", "", "conditional"),
        DiagramEdge("agent", END, "", "conditional"),
        DiagramEdge("tools", "agent"),
    )


def test_undeclared_commands_are_read_and_draw_no_edge_to_the_end():
    diagram = diagram_of(orders())
    assert ("review", END) not in pairs(diagram)
    assert DiagramEdge("review", "delete_rows", "", "inferred") in diagram.edges
    assert DiagramEdge("review", "explain", "", "inferred") in diagram.edges
    assert next(n for n in diagram.nodes if n.key == "review").notes == ("asks",)


def test_a_node_that_leads_nowhere_ends_the_graph():
    diagram = diagram_of(topology("t", [node("a")], [(START, "a")]))
    assert diagram.edges[-1] == DiagramEdge("a", END)


def test_targets_that_cannot_be_read_lead_to_a_question_mark_and_not_everywhere():
    diagram = diagram_of(fan())
    assert DiagramEdge("write", "write:?", "", "inferred") in diagram.edges
    assert [n.label for n in diagram.nodes if n.kind == "unknown"] == ["?"]
    assert sum(edge.source == "write" for edge in diagram.edges) == 2


def test_joins_lead_from_each_source():
    joins = [(e.source, e.target) for e in diagram_of(fan()).edges if e.kind == "join"]
    assert joins == [("search web", "merge"), ("read files", "merge"), ("ask expert", "merge")]


def test_labels_of_branches_are_the_keys_of_the_path_map():
    labels = {(e.target, e.label) for e in diagram_of(outer()).edges if e.source == "triage"}
    assert labels == {("research", "quick"), ("deep", "long")}


def test_declared_destinations_are_kept_and_stop_the_reading():
    first = node("a", review, ends={"b": "again", "c": ""})
    spec = topology("t", [first, node("b"), node("c")], [(START, "a")])
    found = [e for e in diagram_of(spec).edges if e.source == "a"]
    assert found == [DiagramEdge("a", "b", "again", "conditional"), DiagramEdge("a", "c", "", "conditional")]


def test_a_string_that_is_no_node_is_no_route():
    def path(state):
        return "nobody" if state else "a"

    spec = topology(
        "t", [node("a"), node("b")], [(START, "b")], branches={"b": [BranchSpec(path, None, "p")]}
    )
    assert [e.target for e in diagram_of(spec).edges if e.source == "b"] == ["a"]


def test_subgraphs_are_one_node_each_unless_looked_into():
    closed = diagram_of(outer())
    assert [n.key for n in closed.nodes if n.kind == "subgraph"] == ["research", "deep"]
    assert closed.clusters == ()
    assert next(n for n in closed.nodes if n.key == "research").notes == ("asks",)


def test_xray_shows_the_insides_as_clusters():
    opened = diagram_of(outer(), xray=True)
    assert [(c.key, c.label, c.parent) for c in opened.clusters] == [
        ("research", "research", None),
        ("deep", "deep", None),
        ("deep:sub", "sub", "deep"),
    ]
    found = pairs(opened)
    assert ("triage", "research:agent") in found
    assert (f"research:{END}", "answer") in found
    assert ("deep:sub:step_001", "deep:last") in found
    assert ("deep:last", "answer") in found
    keys = {n.key for n in opened.nodes}
    assert all(source in keys and target in keys for source, target in found)


def test_xray_goes_as_deep_as_it_is_told():
    keys = [n.key for n in diagram_of(outer(), xray=1).nodes]
    assert "deep:sub" in keys
    assert "deep:sub:step_000" not in keys


def test_the_insides_of_a_big_graph_stay_folded():
    big = topology("big", [node("a", subgraph=Compiled(chain(FOLD_ABOVE)))], [(START, "a"), ("a", END)])
    diagram = diagram_of(big, xray=True)
    assert [n.key for n in diagram.nodes] == [START, "a", END]
    assert diagram.note == f"subgraphs are folded: {FOLD_ABOVE + 2} nodes are more than 60"


def test_a_command_for_the_graph_around_leads_out_of_the_subgraph():
    def leave(state):
        return Command(goto="other", graph=Command.PARENT)

    from nbhitl.types import Command

    inner = topology("inner", [node("p", leave)], [(START, "p")])
    spec = topology("t", [node("sub", subgraph=Compiled(inner)), node("other")], [(START, "sub")])
    assert DiagramEdge("sub", "other", "", "inferred") in diagram_of(spec).edges
    assert ("sub:p", "other") in pairs(diagram_of(spec, xray=True))


def test_states_are_shown_by_node_name():
    statuses = {"agent": "done", "tools": "paused"}
    diagram = with_status(diagram_of(react()), statuses, badges={"tools": "2 questions"}, runs={"tools": 2})
    tools = next(n for n in diagram.nodes if n.key == "tools")
    assert (tools.status, tools.badges) == ("paused", ("2 questions", "ran 2\u00d7"))
    assert diagram.stateful


def test_a_state_for_an_unknown_node_names_the_nearest():
    with pytest.raises(UnknownNodeError, match="Did you mean 'tools'"):
        with_status(diagram_of(react()), {"toolz": "done"})
    with pytest.raises(UnknownNodeError):
        with_status(diagram_of(react()), {}, badges={"toolz": "1 question"})


def test_an_unknown_state_is_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match=r"'tools' is 'sleeping'; it must be None or one of done, running"):
        with_status(diagram_of(react()), {"tools": "sleeping"})


def test_unused_route_helper_is_open():
    """`route` returns what the state says: nothing in it names a node."""
    spec = topology("t", [node("a")], [], branches={START: [BranchSpec(route, None, "r")]})
    assert [(e.source, e.target) for e in diagram_of(spec).edges] == [(START, f"{START}:?"), ("a", END)]
