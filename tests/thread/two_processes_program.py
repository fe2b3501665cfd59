"""What test_two_processes.py starts: `ask KIND STORE EFFECTS` or `answer KIND STORE EFFECTS ANSWER BY`.

KIND is `interrupt` or `breakpoint`.
"""

import operator
import os
import sys
import time
from typing import Annotated, TypedDict

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import ReviewError
from nbhitl.graph import START, StateGraph
from nbhitl.thread import GraphThread
from nbhitl.types import interrupt

what, kind, store, effects, *rest = sys.argv[1:]


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
    builder = StateGraph(State).add_node(review).add_edge(START, "review")
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
