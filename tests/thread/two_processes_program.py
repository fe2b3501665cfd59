"""What test_two_processes.py starts: `ask KIND STORE EFFECTS` or `answer KIND STORE EFFECTS ANSWER BY`.

KIND is `interrupt` or `breakpoint`; before it may stand whose engine and whose saver: `langgraph:langgraph:interrupt`.
"""

import operator
import os
import sys
import time
from importlib import import_module
from typing import Annotated, TypedDict

from nbhitl.errors import ReviewError
from nbhitl.thread import GraphThread

what, kind, store, effects, *rest = sys.argv[1:]
engine, saver_of, kind = kind.split(":") if ":" in kind else ("nbhitl", "nbhitl", kind)
START, StateGraph = (getattr(import_module(f"{engine}.graph"), name) for name in ("START", "StateGraph"))
interrupt = import_module(f"{engine}.types").interrupt
SqliteSaver = import_module(f"{saver_of}.checkpoint.sqlite").SqliteSaver


class State(TypedDict):
    log: Annotated[list, operator.add]


def review(state):
    answer = (
        "go" if kind == "breakpoint" else interrupt({"question": "go?", "options": ["go", "stop", "die"]})
    )
    time.sleep(0.3)
    with open(effects, "a") as file:
        file.write(f"{answer}\n")
    if answer == "die" or rest[-1:] == ["die"]:
        os._exit(9)
    return {"log": [answer]}


with SqliteSaver.from_conn_string(store) as saver:
    builder = StateGraph(State).add_node("review", review).add_edge(START, "review")
    graph = builder.compile(checkpointer=saver, interrupt_before=["review"] if kind == "breakpoint" else [])
    if what == "ask":
        GraphThread(graph, "t").run({"log": []})
    else:
        answer, by = rest
        card = GraphThread(graph, "t", by=by).question
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            if kind == "breakpoint":
                card.approve()
            else:
                card.option(answer)
        except ReviewError as error:
            print(type(error).__name__, error)
        else:
            print("answered")
