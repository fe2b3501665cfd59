"""Graphs within chains of LangChain's, and chains as nodes: what is found in them, and how they are drawn."""

from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class Box(TypedDict, total=False):
    width: int
    count: int


def weigh(box):
    return {"count": box["width"] + interrupt("how many more?")}


def counting(**options):
    builder = (
        StateGraph(Box).add_node("measure", lambda box: {"width": box["width"] + 1}).add_node("weigh", weigh)
    )
    builder.add_edge(START, "measure").add_edge("measure", "weigh").add_edge("weigh", END)
    return builder.compile(name="counting", **options)


def chains(inner):
    def call(box):
        return inner.invoke({"width": box["width"]})

    return {
        "lambda": RunnableLambda(call),
        "first": inner | (lambda box: {"count": box["count"] * 10}),
        "last": RunnablePassthrough() | inner,
        "within": RunnablePassthrough() | RunnableLambda(call) | (lambda box: box),
        "bound": RunnableLambda(call).with_config(tags=["bound"]),
    }


def around(chain, **options):
    builder = StateGraph(Box).add_node("pack", chain).add_node("ship", lambda box: {"width": 0})
    return builder.add_edge(START, "pack").add_edge("pack", "ship").compile(**options)


def program_drawn(record):
    for name, chain in chains(counting()).items():
        graph = around(chain)
        record(name, graph.get_graph(xray=True).draw_mermaid())
        record(f"{name} calls", [path for path, _ in graph.get_subgraphs()])


def program_asked(record):
    for options in ({}, {"checkpointer": True}):
        for name, chain in chains(counting(**options)).items():
            graph = around(chain, checkpointer=InMemorySaver())
            record(f"{name} asks", graph.invoke({"width": 1}, CONFIG))
            (task,) = graph.get_state(CONFIG, subgraphs=True).tasks
            record(f"{name} inside", None if task.state is None else (task.state.values, task.state.next))
            record(f"{name} ends", list(graph.stream(Command(resume=5), CONFIG, subgraphs=True)))


def program_views(record):
    inner = counting()
    named = RunnableLambda(lambda box: box, name="named")
    for name, chain in {
        "after": named | inner,
        "before": inner | named,
        "between": named | inner | named,
        "assigned": RunnablePassthrough.assign(found=inner),
        "lambda": RunnableLambda(lambda box: inner.invoke(box)),
        "retried": inner.with_retry(),
    }.items():
        record(name, chain.get_graph().draw_mermaid())


def program_trimmed(record):
    view = counting().get_graph()
    trims = (
        view.trim_first_node,
        view.trim_last_node,
        view.trim_last_node,
        view.trim_first_node,
        view.trim_last_node,
    )
    for trim in trims:
        trim()
        record(trim.__name__, (list(view.nodes), [tuple(edge) for edge in view.edges], view.draw_mermaid()))
    loop = StateGraph(Box).add_node("turn", lambda box: box).add_edge(START, "turn")
    loop.add_conditional_edges("turn", lambda box: END, ["turn", END])
    view = loop.compile().get_graph()
    view.trim_first_node()
    view.trim_last_node()
    record("loop", (list(view.nodes), [tuple(edge) for edge in view.edges]))
    node, edge = view.nodes["turn"], view.edges[0]
    record("copied", (node.copy(id="i").id, node.copy(name="n").name, node.copy() == node))
    record("copied edge", tuple(edge.copy(source="s", target="t")))
