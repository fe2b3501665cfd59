"""Odd corners that programs written for LangGraph do use: inputs, settings, printing, files of programs."""

import operator
from typing import Annotated, Any, Dict, List, Optional, TypedDict, Union

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.constants import Send as OldSend
from langgraph.graph import END, START, MessageGraph, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.pregel import Pregel
from langgraph.pregel.types import RetryPolicy as OldPolicy
from langgraph.types import RetryPolicy, Send

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def program_message_inputs(record):
    graph = (
        StateGraph(MessagesState)
        .add_node("n", lambda state: {"messages": "from the node"})
        .add_edge(START, "n")
        .compile()
    )
    for given in (
        "text",
        ("user", "pair"),
        {"role": "user", "content": "dict"},
        [{"role": "assistant", "content": "list"}],
        HumanMessage("one"),
    ):
        result = graph.invoke({"messages": given})
        record(str(type(given).__name__), [(message.type, message.content) for message in result["messages"]])


def program_nodes_can_be_called_alone(record):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a", *state["path"]]})
        .add_edge(START, "a")
        .compile()
    )
    record("node alone", graph.nodes["a"].invoke({"path": ["given"]}))


def program_drawing_methods(record):
    builder = StateGraph(State).add_node("a", lambda state: None).add_node("b", lambda state: None)
    graph = (
        builder.add_edge(START, "a")
        .add_conditional_edges("a", lambda state: "b", ["b", END])
        .add_edge("b", END)
        .compile()
    )
    drawn = graph.get_graph()
    record("nodes", list(drawn.nodes))
    record("edges", sorted((edge.source, edge.target, edge.conditional) for edge in drawn.edges))
    text = drawn.draw_mermaid()
    record("mermaid is text", isinstance(text, str) and "a" in text and "graph" in text)


def program_optional_and_union_fields(record, saver):
    class Loose(TypedDict, total=False):
        name: Optional[str]
        value: Union[int, str, None]
        rows: List[Dict[str, Any]]

    def node(state: Loose) -> Loose:
        return {"value": "text" if state.get("value") is None else None, "rows": [{"a": 1}, {"b": None}]}

    graph = StateGraph(Loose).add_node(node).add_edge(START, "node").compile(checkpointer=saver)
    record("1", graph.invoke({"name": None}, CONFIG))
    record("2", graph.invoke({"name": "x"}, CONFIG))


def program_config_in_conditional_edges(record):
    def route(state, config: RunnableConfig):
        return config["configurable"]["target"]

    builder = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    builder.add_edge(START, "a").add_conditional_edges("a", route, ["b", END])
    graph = builder.compile()
    record("b", graph.invoke({"path": []}, {"configurable": {"target": "b"}}))
    record("end", graph.invoke({"path": []}, {"configurable": {"target": END}}))


def program_deprecated_keywords(record):
    class Input(TypedDict):
        path: list

    for options in ({"input": Input}, {"output": Input}, {"config_schema": Input}):
        try:
            graph = (
                StateGraph(State, **options)
                .add_node("a", lambda state: {"path": ["a"]})
                .add_edge(START, "a")
                .compile()
            )
            record(str(sorted(options)), graph.invoke({"path": []}))
        except TypeError:
            record(str(sorted(options)), "refused")


def program_invoke_with_debug(record, capture=None):
    import contextlib
    import io

    graph = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_edge(START, "a").compile()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        record("result", graph.invoke({"path": []}, debug=True))
    record("prints something", bool(out.getvalue()))


def program_print_mode(record):
    import contextlib
    import io

    graph = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_edge(START, "a").compile()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        record("result", graph.invoke({"path": []}, print_mode="updates"))
    record("prints", "a" in out.getvalue())


def program_graphs_inside_graphs_are_opened(record):
    """get_graph(xray=): graphs that are nodes, and graphs that functions call, to any depth."""

    def chain(*names, **nodes):
        builder = StateGraph(State)
        for name in names:
            builder.add_node(name, nodes.get(name, lambda state: None))
        for first, then in zip((START, *names), names):
            builder.add_edge(first, then)
        return builder

    inner = chain("i1", "i2").compile()
    middle = chain("m1", "deep", deep=inner).compile()

    def calls(state):
        return middle.invoke(state)

    builder = chain("a", "sub", "calls", sub=middle, calls=calls).add_node("z", lambda state: None)
    graph = builder.add_conditional_edges("calls", lambda state: "z", ["z", "a"]).add_edge("z", END).compile()
    for xray in (False, 0, 1, 2, 3, True):
        view = graph.get_graph(xray=xray)
        record(
            f"{xray} nodes", [(key, node.id, node.name, node.metadata) for key, node in view.nodes.items()]
        )
        record(f"{xray} edges", [tuple(edge) for edge in view.edges])
        record(f"{xray} json", [sorted(node) for node in view.to_json()["nodes"]])
        record(f"{xray} json edges", view.to_json()["edges"])
        record(f"{xray} ends", (view.first_node().id, view.last_node().id))
    drawn = graph.get_graph().draw_mermaid(
        frontmatter_config={"config": {"theme": "neutral"}}, wrap_label_n_words=3
    )
    record("drawn", [word in drawn for word in ("theme: neutral", "graph TD", "i1", "m1", "calls")])


def program_names_of_older_programs(record):
    builder = MessageGraph()
    builder.add_node("answer", lambda messages: AIMessage(f"heard {messages[-1].content}", id="a"))
    builder.set_entry_point("answer")
    builder.set_finish_point("answer")
    graph = builder.compile()
    record("message graph", graph.invoke([HumanMessage("hi", id="h")]))
    record("is a Pregel", isinstance(graph, Pregel))
    record("the same", (OldSend is Send, OldPolicy is RetryPolicy))


def program_types_of_graphs_in_annotations(record):
    def build() -> CompiledStateGraph[State, None, State, State]:
        builder: StateGraph[State] = StateGraph[State](State)
        return builder.add_node("n", lambda state: {"path": ["n"]}).add_edge(START, "n").compile()

    record("works", build().invoke({"path": []}))


def program_serializer_by_name(record):
    saver = InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True))
    graph = StateGraph(State).add_node("n", lambda state: {"path": [{"a": 1}]}).add_edge(START, "n")
    graph.compile(checkpointer=saver).invoke({"path": []}, CONFIG)
    record("kept", graph.compile(checkpointer=saver).get_state(CONFIG).values)


def program_streams_as_set(record):
    """What a compiled graph's `stream_mode` says holds where the call says nothing."""
    graph = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_edge(START, "a").compile()
    for mode in ("values", "updates", ["values", "updates"]):
        graph.stream_mode = mode
        record(f"{mode}", list(graph.stream({"path": []})))
        record(f"{mode} called", graph.invoke({"path": []}))
        record(
            f"{mode} asked otherwise", [kind for kind, _ in graph.stream({"path": []}, stream_mode=["debug"])]
        )


async def program_file_of_its_own(record):
    """The connection of a saver that opened its file itself has methods to await."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
        await saver.conn.execute("PRAGMA busy_timeout=5000")
        await saver.conn.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        await saver.conn.executemany("INSERT INTO notes (text) VALUES (?)", [("a",), ("b",), ("c",)])
        await saver.conn.commit()
        graph = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}).add_edge(START, "a")
        record("ran", await graph.compile(checkpointer=saver).ainvoke({"path": []}, CONFIG))
        cursor = await saver.conn.execute("SELECT text FROM notes WHERE id > ?", (1,))
        record("columns", [column[0] for column in cursor.description])
        record("one", await cursor.fetchone())
        record("rest", (await cursor.fetchall(), await cursor.fetchone()))
        async with saver.lock, saver.conn.execute("SELECT * FROM notes") as cursor:
            record("some", await cursor.fetchmany(2))
            record("each", [row async for row in cursor])
        record("all", [tuple(row) for row in await saver.conn.execute_fetchall("SELECT * FROM notes")])
        async with saver.conn.execute("DELETE FROM notes WHERE id = 1") as cursor:
            record("deleted", cursor.rowcount)
        await saver.conn.executescript(
            "INSERT INTO notes (text) VALUES ('d'); DELETE FROM notes WHERE id = 2;"
        )
        cursor = await saver.conn.execute("INSERT INTO notes (text) VALUES ('e')")
        record("last row", cursor.lastrowid)
        async with saver.lock, saver.conn.cursor() as cursor:
            record("unused", (cursor.rowcount, cursor.description, await cursor.fetchone()))
            await cursor.execute("SELECT text FROM notes WHERE id > ?", (3,))
            record("of the cursor", (await cursor.fetchall(), cursor.description[0][0]))
            await cursor.executemany("INSERT INTO notes (text) VALUES (?)", [("f",), ("g",)])
            record("two more", (cursor.rowcount, await cursor.fetchall()))
            await cursor.executescript(
                "DELETE FROM notes WHERE text = 'f'; DELETE FROM notes WHERE text = 'g';"
            )
        cursor = await saver.conn.cursor()
        record("of one awaited", await (await cursor.execute("SELECT count(*) FROM notes")).fetchone())
        await cursor.close()
        await saver.conn.commit()
        record("in a transaction", saver.conn.in_transaction)
        await saver.conn.execute("BEGIN")
        await saver.conn.execute("DELETE FROM notes")
        await saver.conn.rollback()
        async with saver.conn.execute("SELECT count(*) FROM notes") as cursor:
            record("count", await cursor.fetchone())
        record("kept", (await saver.aget_tuple(CONFIG)).metadata)
