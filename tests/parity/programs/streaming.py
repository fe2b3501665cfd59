"""Stream modes, alone and together."""

import operator
from typing import Annotated

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.config import get_config, get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, StreamWriter, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list[str], operator.add]
    n: int


MODES = ["values", "updates", "custom", "tasks", "checkpoints", "debug", "messages"]


def two_steps(saver=None, **compile_options):
    def one(state):
        get_stream_writer()({"from": "one"})
        return {"path": ["one"], "n": 1}

    def two(state):
        return {"path": ["two"]}

    return (
        StateGraph(State)
        .add_node(one)
        .add_node(two)
        .add_edge(START, "one")
        .add_edge("one", "two")
        .add_edge("two", END)
        .compile(checkpointer=saver, **compile_options)
    )


def program_each_mode(record, any_saver):
    graph = two_steps(any_saver)
    for mode in MODES:
        record.separate_run()
        record.chunks(
            mode, graph.stream({"path": ["in"]}, {"configurable": {"thread_id": mode}}, stream_mode=mode)
        )


def program_default_modes(record):
    graph = two_steps()
    record("stream", list(graph.stream({"path": []})))
    record("invoke", graph.invoke({"path": []}))
    record("invoke updates", graph.invoke({"path": []}, stream_mode="updates"))
    record("invoke tasks", len(graph.invoke({"path": []}, stream_mode="tasks")))
    record("invoke list", graph.invoke({"path": []}, stream_mode=["updates", "custom"]))
    record("invoke list with values", graph.invoke({"path": []}, stream_mode=["values", "custom"]))


def program_list_of_modes(record, any_saver):
    graph = two_steps(any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record.chunks("all", graph.stream({"path": ["in"]}, config, stream_mode=MODES))
    if any_saver is None:
        record.separate_run()
    record.chunks("second run", graph.stream({"path": ["more"]}, config, stream_mode=MODES))
    record.chunks(
        "one in a list",
        graph.stream({"path": []}, {"configurable": {"thread_id": "2"}}, stream_mode=["updates"]),
    )


def program_modes_in_a_tuple(record):
    graph = two_steps()
    for subgraphs in (False, True):
        chunks = graph.stream({"path": []}, stream_mode=("values", "updates"), subgraphs=subgraphs)
        record.chunks(f"subgraphs={subgraphs}", chunks)


def program_unknown_mode(record):
    record.chunks("unknown", two_steps().stream({"path": []}, stream_mode="nope"))


def program_writer_parameter(record):
    def by_annotation(state, writer: StreamWriter):
        writer("annotated")

    def by_name(state, writer):
        writer({"named": True})
        writer(2)

    graph = (
        StateGraph(State).add_sequence([by_annotation, by_name]).add_edge(START, "by_annotation").compile()
    )
    record.chunks("custom", graph.stream({"path": []}, stream_mode="custom"))
    record.chunks("updates", graph.stream({"path": []}, stream_mode="updates"))
    record("invoke", graph.invoke({"path": ["x"]}))


def program_custom_chunks_come_at_once(record):
    events = []

    def node(state):
        writer = get_stream_writer()
        for number in range(3):
            events.append(f"write {number}")
            writer(number)
        return {"n": 1}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    for chunk in graph.stream({"path": []}, stream_mode=["custom", "updates"]):
        events.append(chunk)
    record("events", sorted(map(str, events)))
    record("last", events[-1])


def program_interrupt_in_every_mode(record, saver):
    def ask(state):
        get_stream_writer()("before")
        return {"path": [interrupt("name?")], "n": 2}

    graph = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)
    for mode in MODES:
        config = {"configurable": {"thread_id": mode}}
        record.chunks(f"{mode}: pause", graph.stream({"path": ["in"]}, config, stream_mode=mode))
        record.chunks(f"{mode}: again", graph.stream(None, config, stream_mode=mode))
        record.chunks(f"{mode}: resume", graph.stream(Command(resume="ann"), config, stream_mode=mode))
    config = {"configurable": {"thread_id": "all"}}
    record.chunks("all: pause", graph.stream({"path": ["in"]}, config, stream_mode=MODES))
    record.chunks("all: resume", graph.stream(Command(resume="ann"), config, stream_mode=MODES))


def program_static_breakpoint_in_every_mode(record, saver):
    graph = two_steps(saver, interrupt_before=["two"])
    config = {"configurable": {"thread_id": "all"}}
    record.chunks("pause", graph.stream({"path": ["in"]}, config, stream_mode=MODES))
    record.chunks("go on", graph.stream(None, config, stream_mode=MODES))
    after = two_steps(saver, interrupt_after=["one"])
    config = {"configurable": {"thread_id": "after"}}
    record.chunks("after: pause", after.stream({"path": ["in"]}, config, stream_mode=MODES))
    record.chunks("after: go on", after.stream(None, config, stream_mode=MODES))


def program_parallel_updates(record, any_saver):
    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"path": ["a"]}).add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"], "n": 0})
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c")
    graph = builder.compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    chunks = list(graph.stream({"path": []}, config, stream_mode="updates"))
    record.bag("first step, one chunk for each task", chunks[:2])
    record("last step", chunks[2:])
    record(
        "values", list(graph.stream({"path": []}, {"configurable": {"thread_id": "2"}}, stream_mode="values"))
    )


def program_error_ends_a_stream(record, saver):
    def fail(state):
        raise ValueError("broken")

    graph = StateGraph(State).add_node("ok", lambda state: {"path": ["ok"]}).add_node(fail)
    graph = graph.add_edge(START, "ok").add_edge("ok", "fail").compile(checkpointer=saver)
    for mode in ("values", "updates", "tasks", "debug"):
        record.chunks(
            mode, graph.stream({"path": []}, {"configurable": {"thread_id": mode}}, stream_mode=mode)
        )


def program_closing_a_stream_early(record, saver):
    graph = two_steps(saver)
    config = {"configurable": {"thread_id": "1"}}
    stream = graph.stream({"path": ["in"]}, config, stream_mode="updates")
    record("first", next(stream))
    stream.close()
    state = graph.get_state(config)
    record("saved", (state.values, state.next))
    record("goes on", graph.invoke(None, config))


def program_messages_returned_by_nodes(record):
    def bot(state):
        return {"messages": [AIMessage("hello", id="a1")]}

    def copy(state):
        return {"messages": [AIMessage("again", id="a2"), AIMessage("hello", id="a1")]}

    graph = StateGraph(MessagesState).add_sequence([bot, copy]).add_edge(START, "bot").compile()
    chunks = list(graph.stream({"messages": [HumanMessage("hi", id="h1")]}, stream_mode="messages"))
    record("messages", [message for message, _ in chunks])
    wanted = ("langgraph_step", "langgraph_node", "langgraph_triggers", "langgraph_path", "ls_integration")
    record("metadata", [{key: metadata.get(key) for key in wanted} for _, metadata in chunks])


def program_messages_of_a_model(record):
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    model = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))

    def call(state):
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node(call).add_edge(START, "call").compile()
    chunks = list(graph.stream({"messages": [HumanMessage("hi")]}, stream_mode="messages"))
    record("tokens", [message.content for message, _ in chunks])
    record("types", [type(message).__name__ for message, _ in chunks])
    record("nodes", [metadata["langgraph_node"] for _, metadata in chunks])
    record("one id", len({message.id for message, _ in chunks}))


def program_where_models_below_are(record, saver):
    """`checkpoint_ns` in the metadata is where the first caller's task is, whatever the graphs below keep."""
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel

    def call(state):
        model = GenericFakeChatModel(messages=iter([AIMessage("hi")]))
        record("in the node", {**get_config()["metadata"]})
        return {"messages": [model.invoke(state["messages"])]}

    def graph_with(node, saver=None):
        return StateGraph(MessagesState).add_node("m", node).add_edge(START, "m").compile(checkpointer=saver)

    for keeps in (None, True, False):
        child = graph_with(call, keeps)
        called = graph_with(lambda state, child=child: child.invoke(state), keeps)
        for how, node in {"node": child, "nested": graph_with(child, keeps), "called": called}.items():
            saver.delete_thread("1")
            config = {"configurable": {"thread_id": "1"}}
            stream = graph_with(node, saver).stream(
                {"messages": [HumanMessage("x", id="h")]}, config, stream_mode="messages", subgraphs=True
            )
            for ns, (_, metadata) in stream:
                shown = {key: value for key, value in metadata.items() if "ns" in key}
                record(f"{keeps}, {how}", (ns, shown))


def program_output_keys(record):
    graph = two_steps()
    record("invoke, one key", graph.invoke({"path": []}, output_keys="n"))
    record("invoke, list", graph.invoke({"path": []}, output_keys=["n"]))
    record.chunks("values", graph.stream({"path": []}, stream_mode="values", output_keys=["n"]))
    record.chunks("updates", graph.stream({"path": []}, stream_mode="updates", output_keys=["n"]))
    record.chunks("one key", graph.stream({"path": []}, stream_mode="values", output_keys="n"))


def program_writer_outside_of_a_graph(record):
    record.error("writer", lambda: get_stream_writer(), "")
    record.error("config", lambda: get_config(), "")


def program_empty_stream(record, saver):
    graph = two_steps(saver)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"path": []}, config)
    for mode in ("values", "updates", "debug", "tasks"):
        record.chunks(mode, graph.stream(None, config, stream_mode=mode))
    record("invoke", graph.invoke(None, config))


def program_parts_in_annotations(record):
    from langgraph.types import StreamPart, UpdatesStreamPart, ValuesStreamPart

    def text(part: StreamPart[dict, dict]) -> str:
        return f"{part['type']} {part['data']}"

    record(
        "fields",
        [sorted(part.__annotations__) for part in (UpdatesStreamPart, ValuesStreamPart[dict].__origin__)],
    )
    graph = two_steps()
    chunks = graph.stream({"path": []}, stream_mode=["values", "updates"], version="v2")
    record("chunks", [text(chunk) for chunk in chunks])


def program_metadata_of_tasks(record, any_saver):
    def noted(name, **metadata):
        return StateGraph(State).add_node(name, lambda state: {"path": [name]}, metadata=metadata or None)

    inner = noted("deep", sub=1).add_edge(START, "deep").compile().with_config(metadata={"of": "inner"})
    builder = noted("a", team="x", langgraph_step=7).add_node("plain", lambda state: {"path": ["plain"]})
    builder.add_node("child", inner, metadata={"outer": 2}).add_edge(START, "a").add_edge("a", "plain")
    graph = builder.add_edge("plain", "child").compile(checkpointer=any_saver)
    for config in (
        {},
        {"metadata": {"user": "ann", "langgraph_own": 1}, "tags": ["t"]},
    ):
        config["configurable"] = {"thread_id": str(len(config)), "account": "b"}
        for mode in ("tasks", "debug"):
            record.separate_run()
            for namespace, chunk in graph.stream({"path": []}, config, stream_mode=mode, subgraphs=True):
                task = chunk.get("payload", chunk)
                if "input" in task:
                    record(mode, (len(namespace), task["name"], task.get("metadata")))
