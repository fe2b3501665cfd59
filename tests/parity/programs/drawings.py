"""What `get_graph()` lists, and its Mermaid text."""

import operator
from typing import Annotated, Literal

from langchain_core.runnables.graph import CurveStyle, NodeStyles
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def step(state):
    return {"log": []}


def either(state) -> Literal["b", "__end__"]:
    return "b"


def sends_on(state) -> Command[Literal["c", "a"]]:
    return Command(goto="c")


def search(query: str) -> str:
    """Search."""
    return query


def builder(*names):
    built = StateGraph(State)
    for name in names:
        built.add_node(name, step)
    return built.add_edge(START, names[0])


def graphs():
    yield "literal", builder("a", "b").add_conditional_edges("a", either).add_edge("b", END)
    yield "unknown", builder("a", "b", "c").add_conditional_edges("a", step).add_edge("b", "c")
    yield "map", builder("a", "b").add_conditional_edges("a", step, {"yes": "b", "no": END, True: "a"})
    yield (
        "map beside an edge",
        builder("a", "b").add_edge("a", "b").add_conditional_edges("a", step, {"q": "b"}),
    )
    yield "start", StateGraph(State).add_node("a", step).add_conditional_edges(START, step, ["a", END])
    yield "command", StateGraph(State).add_node("a", sends_on).add_node("c", step).add_edge(START, "a")
    yield (
        "destinations",
        builder("a", "c").add_node("b", step, destinations={"c": "label"}).add_edge("a", "b"),
    )
    yield "join", builder("a", "b", "c").add_edge(START, "b").add_edge(["a", "b"], "c").add_edge("c", END)
    yield "loop", builder("a", "b").add_edge("a", "b").add_edge("b", "a").add_edge("b", END)
    yield "end beside another", builder("a", "b").add_edge("a", "b").add_edge("a", END).add_edge("b", END)
    yield (
        "order",
        builder("d", "c", "b").add_edge("d", "b").add_edge("d", "c").add_edge("c", END).add_edge("b", END),
    )
    yield "names", builder("my node", "ü-x.y", "end").add_edge("my node", "ü-x.y").add_edge("ü-x.y", "end")
    noted = builder("a").add_node("late", step, defer=True, metadata={"team": "x", "n": 1})
    yield "metadata", noted.add_edge("a", "late")
    tools = StateGraph(MessagesState).add_node("agent", step).add_node("tools", ToolNode([search]))
    tools.add_edge(START, "agent").add_conditional_edges("agent", tools_condition).add_edge("tools", "agent")
    yield "tools", tools
    for between in ("plain", "conditional"):
        for length in (2, 3):
            yield f"{between} circle of {length}", circle(between, length)
    swarm = StateGraph(State).add_conditional_edges(START, step, ["one", "two"])
    yield (
        "two that hand over",
        swarm.add_node("one", step, destinations=("two",)).add_node("two", step, destinations=("one",)),
    )


def circle(between, length):
    names = [f"n{number}" for number in range(length)]
    built = builder(*names)
    for name, following in zip(names, [*names[1:], names[0]]):
        if between == "plain":
            built.add_edge(name, following)
        else:
            built.add_conditional_edges(name, step, [following])
    return built


def program_nodes_edges_and_mermaid(record):
    for name, built in graphs():
        shown = built.compile().get_graph()
        record(name, [(node.id, node.name, node.metadata) for node in shown.nodes.values()])
        record("edges", [tuple(edge) for edge in shown.edges])
        record("mermaid", shown.draw_mermaid())


def program_breakpoints_of_tool_nodes(record):
    for options in ({}, {"defer": True, "metadata": {"team": "x"}}):
        built = (
            StateGraph(MessagesState)
            .add_node("tools", ToolNode([search]), **options)
            .add_edge(START, "tools")
        )
        for pauses in (
            {"interrupt_before": ["tools"]},
            {"interrupt_after": ["tools"], "interrupt_before": ["tools"]},
        ):
            shown = built.compile(**pauses).get_graph()
            record("metadata", list(shown.nodes["tools"].metadata.items()))
            record("mermaid", shown.draw_mermaid())


def program_subgraphs_opened(record):
    inner = builder("x", "y").add_edge("x", "y").compile()
    branching = builder("p", "q").add_conditional_edges("p", step, {"on": "q", "off": END}).compile()
    middle = builder("m").add_node("inner", inner).add_edge("m", "inner").compile()
    looping = (
        builder("ask", "answer").add_edge("ask", "answer").add_conditional_edges("answer", step, ["ask", END])
    )
    outer = builder("a").add_node("middle", middle).add_node("branching", branching)
    outer.add_node("looping", looping.compile())
    outer.add_edge("a", "middle").add_edge("middle", "branching").add_edge("branching", "looping")
    for xray in (False, 1, True):
        shown = outer.compile().get_graph(xray=xray)
        record(f"xray={xray}", list(shown.nodes))
        record("edges", [tuple(edge) for edge in shown.edges])
        record("mermaid", shown.draw_mermaid())


def program_subgraphs_without_checkpoints_stay_closed(record):
    inner = builder("x").compile(checkpointer=False)
    outer = builder("a").add_node("inner", inner).add_edge("a", "inner").compile()
    record("mermaid", outer.get_graph(xray=True).draw_mermaid())
    record("listed", list(outer.get_subgraphs(recurse=True)))


def program_options_of_mermaid(record):
    gated = (
        builder("a", "b")
        .add_edge("a", "b")
        .add_conditional_edges("b", step, {"one two three": "a", "x": END})
    )
    shown = gated.compile(interrupt_before=["a"], interrupt_after=["b"]).get_graph()
    record("gates", shown.draw_mermaid())
    record("plain", shown.draw_mermaid(with_styles=False))
    colors = NodeStyles(first="fill:#ffdfba", last="fill:#baffc9", default="fill:#fad7de")
    record(
        "styles", shown.draw_mermaid(curve_style=CurveStyle.BASIS, node_colors=colors, wrap_label_n_words=2)
    )
    record("header", shown.draw_mermaid(frontmatter_config={"config": {"theme": "neutral"}}))
    record("first and last", (shown.first_node().id, shown.last_node().id))


def program_error_handlers(record):
    def handled(*names):
        built = StateGraph(State)
        for name in names:
            built.add_node(name, step, error_handler=step, metadata={"of": name})
        return built.add_edge(START, names[0])

    own = handled("a", "b").add_edge("a", "b")
    shared = builder("a", "b").add_edge("a", "b")
    shared.set_node_defaults(error_handler=sends_on)
    both = handled("a").add_node("b", step).add_edge("a", "b")
    both.set_node_defaults(error_handler=step)
    closed = builder("p").add_node("own", own.compile()).add_node("plain", builder("x", "y").compile())
    closed.add_node("open", builder("o").compile()).add_edge("p", "own").add_edge("own", "plain")
    closed.add_edge("plain", "open")
    for name, built in (("own", own), ("shared", shared), ("both", both), ("in subgraphs", closed)):
        compiled = built.compile()
        record("nodes", list(compiled.nodes))
        for xray in (False, True):
            shown = compiled.get_graph(xray=xray)
            record(name, [(node.id, node.name, node.metadata) for node in shown.nodes.values()])
            record("edges", [tuple(edge) for edge in shown.edges])
            record("mermaid", shown.draw_mermaid())


def program_breakpoints_everywhere(record):
    shown = builder("a", "b").add_edge("a", "b").compile(interrupt_before="*", interrupt_after=["a", "b"])
    record("metadata", [node.metadata for node in shown.get_graph().nodes.values()])
    record("mermaid", shown.get_graph().draw_mermaid())


def program_deferred_nodes(record):
    def deferring(*names, deferred="q"):
        built = StateGraph(State)
        for name in names:
            built.add_node(name, step, defer=name in deferred)
        return built.add_edge(START, names[0])

    late = deferring("a", "b", "c", "d", "q").add_edge("a", "b").add_edge("a", "c").add_edge("c", "d")
    late.add_edge(["b", "c"], "q")
    ended = deferring("a", "b", "q").add_edge("a", "b").add_edge("a", "q").add_edge("b", END)
    several = (
        deferring("a", "b", "q", "r", deferred="qr").add_edge("a", "b").add_edge("a", "r").add_edge("b", "q")
    )
    chosen = deferring("a", "b", "c", "q").add_edge("a", "b").add_edge("b", "q")
    chosen.add_conditional_edges("a", either, ["b", "c", END])
    for name, built in (("late", late), ("ended", ended), ("several", several), ("chosen", chosen)):
        shown = built.compile().get_graph()
        record(name, [tuple(edge) for edge in shown.edges])
        record("mermaid", shown.draw_mermaid())


def program_several_ways_to_one_node(record):
    labels = builder("a", "b").add_edge("a", "b").add_conditional_edges("a", either, {"q": "b", "b": "b"})
    more = builder("a", "b").add_conditional_edges("a", either, {"z": "b", "y": "b"})
    joined = builder("a", "b", "c").add_edge("a", "b").add_edge(["a", "b"], "c")
    joined.add_conditional_edges("a", either, {"b": "c"})
    twice = builder("a", "b").add_conditional_edges("a", either, {"y": "b", "b": END})
    twice.add_conditional_edges("a", lambda state: True, {True: "b", False: END})
    named = (("labels", labels), ("more", more), ("joined", joined), ("two branches", twice))
    for name, built in named:
        shown = built.compile().get_graph()
        record(name, [tuple(edge) for edge in shown.edges])
        record("mermaid", shown.draw_mermaid())


def program_plain_data(record):
    child = builder("one").compile(name="kid")
    built = builder("a").add_node("child", child).add_node("tools", ToolNode([search])).add_edge("a", "child")
    record("plain", built.add_edge("child", "tools").compile().get_graph().to_json())


def program_plain_data_of_a_subgraph_that_may_end_early(record):
    child = builder("one", "two").add_conditional_edges("one", either, {"b": "two", "q": END}).compile()
    graph = builder("a").add_node("child", child).add_edge("a", "child").compile()
    record("nodes", [(node["id"], sorted(node)) for node in graph.get_graph(xray=True).to_json()["nodes"]])


def program_text_of_subgraphs_of_one_node(record):
    def single():
        return StateGraph(State).add_node("op", step).add_edge(START, "op").compile()

    built = StateGraph(State).add_node("one", single()).add_node("two", single()).add_node("last", step)
    graph = built.add_edge(START, "one").add_edge("one", "two").add_edge("two", "last").compile()
    drawn = graph.get_graph(xray=1)
    record("styled", drawn.draw_mermaid())
    record("plain", drawn.draw_mermaid(with_styles=False))


def program_nodes_and_edges_added_and_taken_away(record):
    def view():
        built = builder("a", "b").add_edge("a", "b")
        return built.compile().get_graph()

    def tell(label, shown):
        record(label, [(node.name, node.metadata) for node in shown.nodes.values()])
        record(f"{label}, edges", [tuple(edge)[2:] for edge in shown.edges])
        if not label.endswith("with p"):  # whose Mermaid text has ids of its own
            record(f"{label}, mermaid", shown.draw_mermaid())

    shown = view()
    first, _ = shown.add_node(search), shown.add_node(search)
    mine = shown.add_node(search, "mine", metadata={"x": 1})
    record("ids", [len(first.id), first.name, mine.id, mine.name])
    record("edge", tuple(shown.add_edge(shown.nodes["b"], first))[2:])
    record("labelled", tuple(shown.add_edge(first, mine, "label", True))[2:])
    tell("added", shown)
    record.error("twice", lambda: shown.add_node(search, "mine"))
    record.error("source", lambda: shown.add_edge(mine.copy(id="other"), mine))
    record.error("target", lambda: shown.add_edge(mine, mine.copy(id="other")))
    readable = shown.reid()
    record("readable", [(key, node.id, node.name) for key, node in readable.nodes.items()])
    record("readable edges", [tuple(edge) for edge in readable.edges])
    shown.remove_node(first)
    tell("taken away", shown)
    record.error("not there", lambda: shown.remove_node(first))
    for prefix in ("p", ""):
        whole = view()
        ends = whole.extend(shown, prefix=prefix)
        record(f"extended with {prefix}", [end and end.name for end in ends])
        tell(f"extended with {prefix}", whole)
    made = view()
    for key in [*made.nodes]:
        made.remove_node(made.nodes[key])
    made.add_node(search)
    whole = view()
    record("made ids have no prefix", [end and len(end.id) for end in whole.extend(made, prefix="p")])


def nested(*built):
    """Return a graph with one node, which is a graph with one node, and so on."""
    graph = StateGraph(State).add_node("deepest", step).add_edge(START, "deepest").compile()
    for name, more in built:
        outer = StateGraph(State).add_node(name, graph).add_edge(START, name)
        for other in more:
            outer.add_node(other, step).add_edge(name, other)
        graph = outer.compile()
    return graph


def program_graphs_within_graphs(record):
    shapes = {
        "alone at each level": [("inner", ()), ("middle", ()), ("outer", ())],
        "with an edge inside": [("inner", ("after",)), ("middle", ())],
        "with an edge around": [("inner", ()), ("middle", ("later",))],
        "with edges": [("inner", ("after",)), ("middle", ("later",)), ("outer", ())],
    }
    for name, shape in shapes.items():
        for xray in (1, 2, True):
            shown = nested(*shape).get_graph(xray=xray)
            record(f"{name} {xray}", shown.draw_mermaid())
            record(f"{name} {xray} plain", shown.draw_mermaid(with_styles=False))


def program_two_ways_back_to_a_node(record):
    ways = {"again": "a", "once more": "a", "done": END}
    built = builder("a").add_conditional_edges("a", step, ways).compile()
    record("outermost", built.get_graph().draw_mermaid())
    outer = StateGraph(State).add_node("child", built).add_edge(START, "child").compile()
    record("inside", outer.get_graph(xray=True).draw_mermaid())


def one_conditional_edge():
    """Graphs with one edge at START, or one to END, that is not always taken."""
    yield "from START", StateGraph(State).add_node("a", step).add_conditional_edges(START, step, ["a"])
    named = StateGraph(State).add_node("a", step).add_conditional_edges(START, step, {"go": "a"})
    yield "named", named.add_edge("a", END)
    yield "to END", builder("a").add_conditional_edges("a", step, [END])
    yield "back or to END", builder("a", "b").add_edge("a", "b").add_conditional_edges("b", step, ["a", END])
    declared = StateGraph(State).add_node("a", step, destinations={END: "done"}).add_edge(START, "a")
    yield "declared", declared
    yield "either", StateGraph(State).add_node("a", step).add_conditional_edges(START, step, ["a", END])


def program_a_child_with_one_conditional_edge(record):
    for name, built in one_conditional_edge():
        outer = StateGraph(State).add_node("child", built.compile()).add_node("after", step)
        graph = outer.add_edge(START, "child").add_edge("child", "after").compile()
        record(name, graph.get_graph(xray=True).draw_mermaid())
