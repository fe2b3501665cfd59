"""The text drawings, by value: this is what GitHub, a terminal and the notebooks' tests see."""

from __future__ import annotations

import textwrap
import time
from itertools import pairwise

from nbhitl.constants import END, START
from nbhitl.draw import diagram_of, to_mermaid, to_text, with_status
from nbhitl.draw.labels import cells
from nbhitl.engine.spec import BranchSpec

from .graphs import chain, fan, node, orders, outer, react, route, topology


def drawn(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_a_loop():
    assert to_text(diagram_of(react())) == drawn("""
        START ─▸ agent
                 ├┄▸ tools [pauses before] ─▸ agent ↺
                 └┄▸ END
    """)


def test_ascii():
    assert to_text(diagram_of(react()), ascii=True) == drawn("""
        START -> agent
                 |.> tools [pauses before] -> agent (loop)
                 `.> END
    """)


def test_states_and_badges():
    diagram = with_status(
        diagram_of(orders()),
        {"propose": "done", "review": "paused", "delete_rows": "next"},
        badges={"review": "2 questions"},
        runs={"review": 2},
    )
    assert to_text(diagram) == drawn("""
        START ─▸ propose [done] ─▸ review [paused · 2 questions · ran 2\u00d7]
                                   ├┄▸ delete_rows [next] ─▸ report ─▸ END
                                   └┄▸ explain ─▸ END
    """)
    assert "[paused, 2 questions, ran 2x]" in to_text(diagram, ascii=True)


def test_parallel_branches_a_join_and_an_open_end():
    assert to_text(diagram_of(fan())) == drawn("""
        START ─▸ plan
                 ├─▸ search web ─▸ merge [waits for all 3] ─▸ write
                 │                                            ├─▸ END
                 │                                            └┄▸ ?
                 ├─▸ read files ─▸ merge ↑
                 └─▸ ask expert ─▸ merge ↑
    """)


def test_subgraphs_opened():
    assert to_text(diagram_of(outer(), xray=True)) == drawn("""
        START ─▸ triage
                 ├┄ quick ┄▸ research:agent
                 │           ├┄▸ research:tools [pauses before] ─▸ research:agent ↺
                 │           └┄▸ research:END ─▸ answer ─▸ END
                 └┄ long ┄▸ deep:sub:step_000 ─▸ deep:sub:step_001 ─▸ deep:last ─▸ answer ↑
    """)  # fmt: skip


def test_a_long_chain_goes_on_below():
    assert to_text(diagram_of(chain(9)), width=60) == drawn("""
        START ─▸ step_000 ─▸ step_001 ─▸ step_002 ─▸ step_003
          ─▸ step_004 ─▸ step_005 ─▸ step_006 ─▸ step_007
          ─▸ step_008 ─▸ END
    """)


def test_branches_far_out_get_a_place_below():
    names = [f"level_{i}" for i in range(6)]
    edges = [(START, names[0])]
    for a, b in pairwise(names):
        edges += [(a, b), (a, f"{b}_too")]
    spec = topology("deep", [*map(node, names), *(node(f"{n}_too") for n in names[1:])], edges)
    text = to_text(diagram_of(spec), width=60)
    assert text == drawn("""
        START ─▸ level_0
                 ├─▸ level_1
                 │   ├─▸ level_2
                 │   │   ├─▸ level_3
                 │   │   │   ├─▸ level_4
                 │   │   │   │   ├─▸ level_5 ─▸ END
                 │   │   │   │   └─▸ level_5_too ─▸ END
                 │   │   │   └─▸ level_4_too ─▸ END
                 │   │   └─▸ level_3_too ─▸ END
                 │   └─▸ level_2_too ─▸ END
                 └─▸ level_1_too ─▸ END
    """)
    narrow = to_text(diagram_of(spec), width=40)
    assert "─▸ level_5 ↓" in narrow
    assert "\nlevel_5 ─▸ END" in narrow


def test_every_node_has_one_place_and_every_edge_is_shown():
    for spec in (react(), orders(), fan(), outer(), chain(40)):
        diagram = diagram_of(spec, xray=True)
        text = to_text(diagram, width=50)
        arrows = text.count("▸")
        pairs = {(edge.source, edge.target) for edge in diagram.edges}
        assert arrows == len(pairs), text


def test_nodes_that_nothing_leads_to_are_shown_too():
    spec = topology("t", [node("a"), node("lost")], [(START, "a")])
    assert to_text(diagram_of(spec)) == "START ─▸ a ─▸ END\nlost ─▸ END"


def test_several_edges_to_one_node_are_one_arrow():
    ends = {"yes": "b", "maybe": "b", "no": END}
    spec = topology(
        "t", [node("a"), node("b")], [(START, "a")], branches={"a": [BranchSpec(route, ends, "r")]}
    )
    assert to_text(diagram_of(spec)) == drawn("""
        START ─▸ a
                 ├┄ yes / maybe ┄▸ b ─▸ END
                 └┄ no ┄▸ END
    """)


def test_wide_letters_keep_the_rails_in_line():
    spec = topology(
        "t", [node("計画"), node("b"), node("c")], [(START, "計画"), ("計画", "b"), ("計画", "c")]
    )
    lines = to_text(diagram_of(spec)).split("\n")
    assert lines[0] == "START ─▸ 計画"
    assert lines[1].index("├") == cells("START ─▸ ") == 9


def test_a_very_long_chain_and_a_very_deep_tree_are_drawn():
    assert to_text(diagram_of(chain(3000))).count("▸") == 3001
    names = [f"n{i}x" for i in range(800)]
    edges = [(START, names[0])] + [pair for a, b in pairwise(names) for pair in ((a, b), (a, END))]
    text = to_text(diagram_of(topology("t", list(map(node, names)), edges)))
    assert max(map(len, text.split("\n"))) <= 120


def test_a_hundred_nodes_take_well_under_a_frame():
    """The aim is 0.5 ms; the bound leaves room for a busy machine."""
    spec = chain(100)
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        to_text(diagram_of(spec))
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.005


def test_mermaid_text():
    diagram = with_status(diagram_of(react()), {"agent": "done"})
    assert to_mermaid(diagram) == drawn("""
        ---
        config:
          flowchart:
            curve: linear
        ---
        graph TD;
        \t__start__([__start__]):::first
        \tagent("agent<br/>done"):::done
        \ttools("tools<br/>pauses before")
        \t__end__([__end__]):::last
        \t__start__ --> agent;
        \tagent -.-> tools;
        \tagent -.-> __end__;
        \ttools --> agent;
        \tclassDef default fill:#f3f5f9,stroke:#8590a2,color:#1b2430
        \tclassDef first fill:#ffffff,stroke:#8590a2,color:#1b2430
        \tclassDef last fill:#dfe4ec,stroke:#8590a2,color:#1b2430
        \tclassDef done fill:#e2f3e7,stroke:#2f7d4f,color:#14301f
        \tlinkStyle default stroke:#7b8696
    """) + "\n"  # fmt: skip


def test_mermaid_clusters_and_labels():
    text = to_mermaid(diagram_of(outer(), xray=True), styles=False)
    assert '\ttriage -.->|"quick"| n2;\n' in text
    assert text.count("\tsubgraph c") == text.count("\tend\n") == 3
    assert "classDef" not in text
