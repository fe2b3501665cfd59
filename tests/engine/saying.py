"""Models that say what they are told, in graphs of both engines."""

from typing import Annotated, Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from typing_extensions import TypedDict

from .engines import LANGGRAPH, OURS, without_ids


def model(*texts: str, **options: Any) -> GenericFakeChatModel:
    replies = (AIMessage(text, id=f"{n}-{text}") for n, text in enumerate(texts))
    return GenericFakeChatModel(messages=replies, **options)


def state_of(e):
    class State(TypedDict):
        messages: Annotated[list, e.add_messages]
        other: Any

    return State


def chain(e, *nodes, saver=None, schema=None, **first):
    builder = e.StateGraph(schema or state_of(e))
    previous = e.START
    for n, node in enumerate(nodes):
        builder.add_node(node.__name__, node, **(first if n == 0 else {}))
        builder.add_edge(previous, node.__name__)
        previous = node.__name__
    return builder.compile(checkpointer=saver)


def on_both(program):
    """Run a program on both engines, compare what it saw, and return that."""
    theirs, ours = without_ids(program(LANGGRAPH)), without_ids(program(OURS))
    assert ours == theirs
    assert ours
    return ours


def contents(chunks):
    return [message.content for message, _ in chunks]
