"""What test_two_processes.py starts: `ask STORE EFFECTS` or `answer STORE EFFECTS ANSWER BY`."""

import operator
import sys
import time
from typing import Annotated, TypedDict

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import ReviewError
from nbhitl.graph import START, StateGraph
from nbhitl.thread import GraphThread
from nbhitl.types import interrupt

what, store, effects, *rest = sys.argv[1:]


class State(TypedDict):
    log: Annotated[list, operator.add]


def review(state):
    answer = interrupt({"question": "go?", "options": ["go", "stop"]})
    time.sleep(0.3)
    with open(effects, "a") as file:
        file.write(f"{answer}\n")
    return {"log": [answer]}


with SqliteSaver.from_conn_string(store) as saver:
    graph = StateGraph(State).add_node(review).add_edge(START, "review").compile(checkpointer=saver)
    if what == "ask":
        GraphThread(graph, "t").run({"log": []})
    else:
        answer, by = rest
        card = GraphThread(graph, "t", by=by).question
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            card.option(answer)
        except ReviewError as error:
            print(type(error).__name__, error)
        else:
            print("answered")
