"""What notebooks print, hand-offs between agents, stores, callbacks, threads, odd nodes."""

import functools
import operator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}


class Item(BaseModel):
    name: str


class Basket(BaseModel):
    model_config = ConfigDict(extra="ignore")
    items: list[Item] = Field(default_factory=list)
    total: float = Field(default=0, ge=0)
    owner: str | None = None
    notes: Annotated[list[str], operator.add] = []

    @field_validator("owner")
    @classmethod
    def tidy(cls, value):
        return value.strip() if value else value


def program_what_is_printed(record, saver):
    builder = StateGraph(State).add_node("work", lambda state: {"path": ["work"], "n": 1})
    builder.add_node("ask", lambda state: {"path": [interrupt({"really?": True})]})
    graph = builder.add_edge(START, "work").add_edge("work", "ask").compile(checkpointer=saver)
    record("result", str(graph.invoke({"path": []}, CONFIG)))
    state = graph.get_state(CONFIG)
    record("values", str(state.values))
    record("next", str(state.next))
    record("tasks", str(state.tasks))
    record("interrupts", str(state.interrupts))
    for chunk in graph.stream(Command(resume="yes"), CONFIG):
        record("chunk", str(chunk))
    record("the end", str(graph.get_state(CONFIG).tasks))


def program_tuples_unpack(record, saver):
    graph = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]}).add_edge(START, "ask")
    graph = graph.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    values, following, config, metadata, created, parent, tasks, interrupts = graph.get_state(CONFIG)
    record("snapshot", (values, following, len(tasks), len(interrupts)))
    identity, name, path, error, asked, state, result = tasks[0]
    record("task", (name, path, error, len(asked), state, result))
    record("replace", graph.get_state(CONFIG)._replace(values={"x": 1}).values)
    record("compared", graph.get_state(CONFIG) == graph.get_state(CONFIG))


def program_handoff_between_agents(record, any_saver):
    class Team(MessagesState):
        active: str

    @tool
    def transfer_to_bob(state: Annotated[dict, InjectedState], call: Annotated[str, InjectedToolCallId]):
        """Ask Bob."""
        done = ToolMessage("transferred", name="transfer_to_bob", tool_call_id=call, id="t1")
        return Command(
            goto="bob", graph=Command.PARENT, update={"messages": [*state["messages"], done], "active": "bob"}
        )

    def alice(state):
        calls = [{"name": "transfer_to_bob", "args": {}, "id": "c1", "type": "tool_call"}]
        return {"messages": [AIMessage("", id="a1", tool_calls=calls)]}

    inner = StateGraph(Team).add_node("alice", alice).add_node("tools", ToolNode([transfer_to_bob]))
    inner = (
        inner.add_edge(START, "alice")
        .add_conditional_edges("alice", tools_condition)
        .add_edge("tools", "alice")
    )
    outer = StateGraph(Team).add_node("alice", inner.compile(), destinations=("bob",))
    outer.add_node("bob", lambda state: {"messages": [AIMessage("bob here", id="b1")]})
    graph = outer.add_edge(START, "alice").compile(checkpointer=any_saver)
    result = graph.invoke({"messages": [HumanMessage("hi", id="h1")]}, CONFIG)
    record("messages", [(message.type, message.content) for message in result["messages"]])
    record("active", result["active"])


def program_parent_command_with_sends(record, any_saver):
    def leave(state):
        sends = [Send("worker", {"n": number}) for number in (3, 1)]
        return Command(graph=Command.PARENT, goto=sends, update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    builder = StateGraph(State).add_node("child", inner)
    builder.add_node("worker", lambda state: {"path": [f"worker {state['n']}"]})
    graph = builder.add_edge(START, "child").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": []}, CONFIG))


def program_interrupt_in_a_conditional_edge(record, saver):
    builder = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    builder.add_edge(START, "a").add_conditional_edges("a", lambda state: interrupt("where to?"), ["b", END])
    graph = builder.compile(checkpointer=saver)
    record("asked", graph.invoke({"path": []}, CONFIG)["__interrupt__"])
    record("next", graph.get_state(CONFIG).next)
    record("answer", graph.invoke(Command(resume="b"), CONFIG))


def program_store(record, any_saver):
    def write(state, *, store: BaseStore):
        store.put(("people", "ann"), "food", {"likes": "soup"})
        store.put(("people", "ann"), "drink", {"likes": "tea"})
        store.put(("people", "bob"), "food", {"likes": "pie"})

    def read(state, runtime: Runtime):
        found = runtime.store.search(("people", "ann"))
        item = runtime.store.get(("people", "bob"), "food")
        missing = runtime.store.get(("people", "bob"), "drink")
        return {"path": [sorted(entry.key for entry in found), item.value, missing]}

    graph = (
        StateGraph(State).add_node(write).add_node(read).add_edge(START, "write").add_edge("write", "read")
    )
    store = InMemoryStore()
    graph = graph.compile(checkpointer=any_saver, store=store)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("from outside", store.get(("people", "ann"), "drink").value)
    record("namespaces", sorted(store.list_namespaces()))
    record("filtered", [item.key for item in store.search(("people",), filter={"likes": "pie"})])
    store.delete(("people", "ann"), "drink")
    record("deleted", store.get(("people", "ann"), "drink"))


def program_callbacks(record):
    class Recorder(BaseCallbackHandler):
        def __init__(self):
            self.seen = []

        def on_chain_start(self, serialized, inputs, **kwargs):
            self.seen.append(("start", kwargs.get("name")))

        def on_chain_end(self, outputs, **kwargs):
            self.seen.append(("end", outputs))

        def on_chain_error(self, error, **kwargs):
            self.seen.append(("error", type(error).__name__))

    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_edge(START, "a")
        .compile(name="mine")
    )
    handler = Recorder()
    record("result", graph.invoke({"path": []}, {"callbacks": [handler]}))
    record("graph starts first", handler.seen[0])
    record("graph ends last", handler.seen[-1])
    record("the node is told", ("start", "a") in handler.seen)

    def fail(state):
        raise ValueError("no")

    handler = Recorder()
    failing = StateGraph(State).add_node(fail).add_edge(START, "fail").compile()
    record.error("fails", lambda: failing.invoke({"path": []}, {"callbacks": [handler]}), "no")
    record("errors", [entry for entry in handler.seen if entry[0] == "error"])


def program_many_threads(record, saver):
    def node(state):
        return {"path": [f"answer for {state['n']}: {interrupt({'n': state['n']})}"]}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile(checkpointer=saver)

    def one(number):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": [], "n": number}, config)
        return graph.invoke(Command(resume=number * 10), config)

    with ThreadPoolExecutor(4) as pool:
        record("results", list(pool.map(one, range(8))))


def program_many_sends(record, saver):
    builder = StateGraph(State).add_node("w", lambda state: {"path": [state["n"]]})
    builder.add_conditional_edges(START, lambda state: [Send("w", {"n": number}) for number in range(60)])
    graph = builder.compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("next", len(list(graph.get_state_history(CONFIG))[1].next))


def program_odd_nodes(record):
    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @logged
    def wrapped(state):
        return {"path": ["wrapped"]}

    def with_default(state, suffix="!"):
        return {"path": [f"default{suffix}"]}

    class Agent:
        def __init__(self, name):
            self.name = name

        def __call__(self, state, config):
            return {"path": [f"{self.name} {config['configurable']['user']}"]}

    def with_keywords(state, **options):
        return {"path": [f"keywords {sorted(options)}"]}

    builder = StateGraph(State)
    builder.add_sequence([wrapped, with_default, ("agent", Agent("ann")), with_keywords]).add_edge(
        START, "wrapped"
    )
    record("result", builder.compile().invoke({"path": []}, {"configurable": {"user": "u1"}}))


async def program_async_callable_objects(record):
    class Agent:
        async def __call__(self, state):
            return {"path": ["async object"]}

    class WithMethod:
        async def step(self, state):
            return {"path": ["async method"]}

    async def takes(prefix, state):
        return {"path": [prefix]}

    builder = StateGraph(State).add_node("object", Agent()).add_node("method", WithMethod().step)
    builder.add_node("partial", functools.partial(takes, "async partial"))
    graph = (
        builder.add_edge(START, "object").add_edge("object", "method").add_edge("method", "partial").compile()
    )
    record("result", await graph.ainvoke({"path": []}))


def program_pydantic_details(record, saver):
    seen = []

    def fill(state: Basket):
        seen.append(state)
        return {"items": [*state.items, {"name": "pear"}], "total": 2, "notes": ["filled"]}

    def look(state: Basket):
        seen.append(state)
        return {"owner": " bob "}

    graph = StateGraph(Basket).add_sequence([fill, look]).add_edge(START, "fill").compile(checkpointer=saver)
    record("result", graph.invoke({"items": [{"name": "fig"}], "owner": " ann ", "unknown": 1}, CONFIG))
    record("seen", seen)
    record("state", graph.get_state(CONFIG).values)
    record.error("refused", lambda: graph.invoke({"total": -1}, CONFIG), "greater than or equal to 0")


def program_saver_get_and_list(record, saver):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    graph.invoke({"path": ["in"]}, CONFIG)
    graph.invoke({"path": ["in"]}, {"configurable": {"thread_id": "2"}})
    record("get", saver.get(CONFIG)["channel_values"]["path"])
    record("limited", [found.metadata["step"] for found in saver.list(CONFIG, limit=2)])
    record("filtered", [found.metadata["step"] for found in saver.list(CONFIG, filter={"source": "input"})])
    record("all threads", len(list(saver.list(None))))
    newest = next(iter(saver.list(CONFIG)))
    record("before", [found.metadata["step"] for found in saver.list(CONFIG, before=newest.config)])


def program_command_goto_end_and_edges(record, any_saver):
    def choose(state):
        return Command(goto=END if state["n"] else "b", update={"path": ["choose"]})

    builder = StateGraph(State).add_node(choose).add_node("b", lambda state: {"path": ["b"]})
    builder.add_node("c", lambda state: {"path": ["c"]})
    graph = builder.add_edge(START, "choose").add_edge("b", "c").compile(checkpointer=any_saver)
    for n in (0, 1):
        record(str(n), graph.invoke({"path": [], "n": n}, {"configurable": {"thread_id": str(n)}}))


def program_drawn_nodes_and_edges(record):
    inner = StateGraph(State).add_node("x", lambda state: None).add_edge(START, "x").compile()
    builder = StateGraph(State)
    for name in ("a", "b", "c", "d"):
        builder.add_node(name, lambda state: None)
    builder.add_node("child", inner)
    builder.add_node("router", lambda state: Command(goto="d"), destinations=("c", "d"))
    builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "router")
    builder.add_conditional_edges("c", lambda state: "child", {"go": "child", "stop": END})
    builder.add_edge("d", "child")
    drawn = builder.compile().get_graph()
    record("nodes", sorted(drawn.nodes))
    record("edges", sorted((edge.source, edge.target, edge.conditional, edge.data) for edge in drawn.edges))


def program_nested_state_values(record, saver):
    class Deep(TypedDict):
        tree: dict[str, Any]
        rows: list[dict]

    def grow(state):
        tree = {**state["tree"], "more": {"deep": [1, {"x": (None, True)}]}}
        return {"tree": tree, "rows": [*state["rows"], {"id": 2, "tags": {"a", "b"}}]}

    graph = StateGraph(Deep).add_node(grow).add_edge(START, "grow").compile(checkpointer=saver)
    record("live", graph.invoke({"tree": {1: "int", "None": None}, "rows": [{"id": 1}]}, CONFIG))
    record("rows", graph.get_state(CONFIG).values["rows"])
    record("keys", list(graph.get_state(CONFIG).values["tree"]))
