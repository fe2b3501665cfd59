"""What libraries of agents do with graphs: tools called by hand, channels among other marks, generic middleware."""

import operator
from dataclasses import dataclass
from typing import Annotated, Generic, NotRequired, TypedDict

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import CachePolicy, Checkpointer, Command, Interrupt
from langgraph.typing import ContextT, InputT, OutputT, StateT
from typing_extensions import TypeVar

CONFIG = {"configurable": {"thread_id": "1"}}


class Notes(TypedDict):
    notes: Annotated[list, operator.add]


def call(name, args, id="c1"):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def program_a_tool_called_by_hand_returns_its_command(record, saver):
    @tool
    def hand_over(to: str, tool_call_id: Annotated[str, InjectedToolCallId]):
        """Hand over."""
        note = ToolMessage(f"over to {to}", tool_call_id=tool_call_id, id="t1")
        return Command(goto=to, update={"messages": [note]})

    @tool
    def both(tool_call_id: Annotated[str, InjectedToolCallId]):
        """Say something, and go."""
        return [Command(goto="sales"), ToolMessage("said", tool_call_id=tool_call_id, id="t2")]

    def carry_out(state):
        return [hand_over.invoke(one) for one in state["messages"][-1].tool_calls]

    record("by itself", hand_over.invoke(call("hand_over", {"to": "sales"})))
    record("several", both.invoke(call("both", {})))
    builder = StateGraph(MessagesState)
    builder.add_node("carry_out", carry_out)
    builder.add_node("sales", lambda state: {"messages": [AIMessage("sold", id="a2")]})
    graph = builder.add_edge(START, "carry_out").compile(checkpointer=saver)
    asked = AIMessage("", id="a1", tool_calls=[call("hand_over", {"to": "sales"})])
    record.chunks("run", graph.stream({"messages": [HumanMessage("hi", id="h"), asked]}, CONFIG))


def program_a_channel_counts_wherever_it_stands(record, saver):
    class Private:
        pass

    class State(TypedDict):
        path: Annotated[list, operator.add]
        here: NotRequired[Annotated[int, UntrackedValue, Private]]
        jump: NotRequired[Annotated[str | None, EphemeralValue, Private]]
        seen: Annotated[list, Topic(str), "what passed by"]
        last: Annotated[list, "a note", operator.add]

    def first(state):
        return {"path": ["first"], "here": 1, "jump": "b", "seen": ["x"], "last": [1]}

    def second(state):
        return {
            "path": [f"here={state.get('here')} jump={state.get('jump')} seen={state['seen']}"],
            "last": [2],
        }

    builder = StateGraph(State).add_node("first", first).add_node("second", second)
    graph = builder.add_edge(START, "first").add_edge("first", "second").compile(checkpointer=saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("again", graph.invoke({"path": ["again"]}, CONFIG))
    record("states", [state.values for state in graph.get_state_history(CONFIG)])


def program_classes_generic_in_state_and_context(record):
    AnswerT = TypeVar("AnswerT", default=str)

    class Middleware(Generic[StateT, ContextT, AnswerT]):
        pass

    class Runner(Generic[StateT, ContextT, InputT, OutputT]):
        pass

    record("two given", Middleware[dict, int].__args__)
    record("one given", [getattr(arg, "__name__", arg) for arg in Runner[dict].__args__])
    record("defaults", [ContextT.__default__, InputT.__default__.__name__, OutputT.__default__.__name__])


def program_names_in_annotations(record):
    # Read when the function is defined: there is no `from __future__ import annotations` here.
    def build(
        saver: Checkpointer | None = None, policy: CachePolicy[str] | None = None
    ) -> Interrupt[int] | None:
        return None

    record("a saver is one", isinstance(InMemorySaver(), Checkpointer))
    record("so is True", isinstance(True, Checkpointer))
    record("a text is none", isinstance("memory", Checkpointer))


def program_a_builder_tells_its_schemas(record):
    class Asked(TypedDict):
        question: str

    class Given(TypedDict):
        answer: str

    class Whole(Asked, Given):
        notes: Annotated[list, operator.add]
        left: RemainingSteps

    builder = StateGraph(Whole, input_schema=Asked, output_schema=Given)
    found = {
        schema.__name__: {key: type(kept).__name__ for key, kept in keys.items()}
        for schema, keys in builder.schemas.items()
    }
    record(
        "keys",
        {name: {key: found[name][key] for key in keys if key != "left"} for name, keys in found.items()},
    )
    record("managed", "left" in builder.schemas[Whole])
    record("has a key", "answer" in builder.schemas[builder.state_schema])
    refused = (
        "Invalid managed channels detected in Whole: left. Managed channels are not permitted in Input/Output"
    )
    record.error("as input", lambda: StateGraph(Asked, input_schema=Whole), refused)
    record.error("as output", lambda: StateGraph(Asked, output_schema=Whole), refused)


def program_names_from_where_programs_import_them(record):
    from langchain_core.messages import BaseMessage as Base
    from langgraph.checkpoint.base import RunnableConfig as one
    from langgraph.graph.message import BaseMessage, RemoveMessage
    from langgraph.graph.state import RunnableConfig as two
    from langgraph.types import RunnableConfig as three
    from langgraph.utils.config import get_config, get_store

    def node(state, config: three):
        same = get_config()["configurable"]["thread_id"] == config["configurable"]["thread_id"]
        return {"messages": [AIMessage(f"{same} {get_store()}", id="a")]}

    record("configs", {one.__name__, two.__name__, three.__name__})
    record("messages", (BaseMessage is Base, RemoveMessage(id="x").type))
    graph = StateGraph(MessagesState).add_node("node", node).add_edge(START, "node").compile()
    record("run", graph.invoke({"messages": []}, CONFIG))


async def program_a_function_and_its_async_twin(record, saver):
    from langgraph.utils.runnable import RunnableCallable

    def plain(state, config, *, mark="-"):
        return {"messages": [AIMessage(f"plain {mark} {config['configurable']['thread_id']}", id="p")]}

    async def twin(state, config, *, mark="-"):
        return {"messages": [AIMessage(f"twin {mark} {config['configurable']['thread_id']}", id="t")]}

    def more(state, runtime, store, writer):
        writer("more")
        return {"messages": [AIMessage(f"{runtime.store} {store}", id="m")]}

    both = RunnableCallable(plain, twin, name="both", mark="m")
    builder = StateGraph(MessagesState).add_node(both).add_node("plain", RunnableCallable(plain, trace=False))
    builder.add_node("more", RunnableCallable(more)).add_edge("plain", "more")
    builder.add_node("twin", RunnableCallable(None, twin)).add_edge(START, "both").add_edge("both", "plain")
    graph = builder.compile()
    record("nodes", list(builder.nodes))
    record.chunks("sync", graph.stream({"messages": []}, CONFIG))
    builder.add_edge("more", "twin")
    asynchronous = builder.compile(checkpointer=saver).astream(
        {"messages": []}, CONFIG, stream_mode=["updates", "custom"]
    )
    await record.achunks("async", asynchronous)
    record.error(
        "sync only",
        lambda: builder.compile().invoke({"messages": []}, CONFIG),
        "No synchronous function provided to",
    )
    record.error("nothing", lambda: RunnableCallable(None), "At least one of func or afunc must be provided.")


def program_an_empty_context_is_none(record):
    class Fields(TypedDict, total=False):
        user: str

    @dataclass
    class Data:
        user: str = "nobody"

    for schema in None, Fields, Data:
        builder = StateGraph(Notes, context_schema=schema)
        builder.add_node("a", lambda state, runtime: {"notes": [repr(runtime.context)]})
        graph = builder.add_edge(START, "a").compile()
        above = StateGraph(Notes).add_node(
            "b", lambda state, graph=graph: graph.invoke({"notes": []}, context={})
        )
        above = above.add_edge(START, "b").compile()
        for given in ({}, None, {"user": "me"}):
            record(
                repr(given),
                [one.split(".")[-1] for one in graph.invoke({"notes": []}, context=given)["notes"]],
            )
        record("below", above.invoke({"notes": []}, context={"user": "above"})["notes"] != [])
