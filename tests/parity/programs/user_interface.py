"""Messages for a user interface, beside the chat messages."""

from typing import Annotated, Sequence

from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.ui import AnyUIMessage, delete_ui_message, push_ui_message, ui_message_reducer


class State(MessagesState):
    ui: Annotated[Sequence[AnyUIMessage], ui_message_reducer]


def shows(state):
    answer = AIMessage("sunny", id="m")
    push_ui_message("weather", {"city": "Bern"}, id="w", message=answer)
    push_ui_message("weather", {"sky": "clear"}, id="w", merge=True, metadata={"by": "node"})
    push_ui_message("toast", {"text": "hi"}, id="t", state_key=None)
    push_ui_message("map", {}, id="p", message={"id": "given"})
    return {"messages": [answer]}


def program_components(record):
    builder = (
        StateGraph(State).add_node(shows).add_node("hides", lambda state: delete_ui_message("p") and None)
    )
    graph = builder.add_edge(START, "shows").add_edge("shows", "hides").compile()
    config = {"tags": ["t"]}
    record(
        "chunks", list(graph.stream({"messages": []}, config, stream_mode=["custom", "updates", "values"]))
    )


def component(id, **props):
    return {"type": "ui", "id": id, "name": "n", "props": props, "metadata": {}}


def program_merging_components(record):
    one, two = component("1", a=1), component("2")
    record("replaced", ui_message_reducer([one], [component("1", b=2)]))
    record("merged", ui_message_reducer([one], [{**component("1", b=2), "metadata": {"merge": True}}]))
    gone = {"type": "remove-ui", "id": "1"}
    record("removed", ui_message_reducer([one, two], [gone, component("3")]))
    record("removed and put back", ui_message_reducer([one], [gone, component("1", z=1)]))
    record("single ones", ui_message_reducer(one, two))
    record.error("unknown", lambda: ui_message_reducer([], [gone]), "that doesn't exist ('1')")
    record.error("outside of a graph", lambda: push_ui_message("x", {}))


def program_components_in_a_schema(record):
    builder = StateGraph(State).add_node(shows).add_edge(START, "shows")
    described = builder.compile().get_output_jsonschema()["$defs"]
    for name in ("UIMessage", "RemoveUIMessage"):
        record(name, {key: value for key, value in described[name].items() if key != "description"})
