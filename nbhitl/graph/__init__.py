"""Build graphs: StateGraph, START, END, messages."""

from nbhitl.constants import END, START
from nbhitl.graph.message import MessagesState, add_messages
from nbhitl.graph.state import StateGraph

__all__ = ["END", "START", "MessagesState", "StateGraph", "add_messages"]
