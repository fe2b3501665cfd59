"""Run by the tests in other processes: `ask`, `answer` or `go on` on a thread in a SQLite file.

Every effect is a line in a file. With `die` the process is killed right after the effect, before anything of it
is saved; the lease of its claim is over at once.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

from typing_extensions import TypedDict

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.engine import leases
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], lambda old, new: old + new]


def graph_in(saver: SqliteSaver, effects: Path, *, die: bool = False) -> Any:
    def pay(state: State) -> State:
        answer = interrupt({"pay": 10})
        with effects.open("a") as file:
            file.write(f"paid {answer}\n")
        if die:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"log": [f"paid {answer}"]}

    builder = StateGraph(State)
    builder.add_node("pay", pay)
    builder.add_edge(START, "pay")
    return builder.compile(checkpointer=saver)


def main(what: str, store: str, effects: str, answer: str = "") -> None:
    if what == "die":
        leases.LEASE = 0.0
    with SqliteSaver.from_conn_string(store) as saver:
        graph = graph_in(saver, Path(effects), die=what == "die")
        given: Any = {"log": ["asked"]} if what == "ask" else Command(resume=answer)
        print("ready", flush=True)
        if what == "race":
            sys.stdin.readline()
        print(graph.invoke(given, CONFIG), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
