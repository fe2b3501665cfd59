"""Run by the tests in other processes: `ask`, `answer` or `go on` on a thread in a store.

Every effect is a line in a file. With `die` the process is killed right after the effect, before anything of it
is saved; the lease of its claim is over at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

from stores import opened
from typing_extensions import TypedDict

from nbhitl.checkpoint import leases
from nbhitl.errors import AlreadyAnswered, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

CLICKS = 32
CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], lambda old, new: old + new]


def graph_in(saver: Any, effects: Path, *, die: bool = False) -> Any:
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


def race(store: str, effects: Path, name: str) -> None:
    """Answer from many threads at once; print for each how it went."""
    gate, told = threading.Barrier(CLICKS + 1), []

    def click(graph: Any, who: str) -> None:
        config = {"configurable": {"thread_id": "t", "__nbhitl_by": who}}
        gate.wait()
        try:
            graph.invoke(Command(resume=who), config)
            told.append(f"{who} won")
        except (AlreadyAnswered, UnknownInterruptError) as error:
            told.append(f"{who} {type(error).__name__} {getattr(error, 'by', None)}")

    with opened(store) as saver:
        graph = graph_in(saver, effects)
        threads = [threading.Thread(target=click, args=(graph, f"{name}-{n}")) for n in range(CLICKS)]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        sys.stdin.readline()
        gate.wait()
        for thread in threads:
            thread.join()
    print(*told, sep="\n", flush=True)


def main(what: str, store: str, effects: str, answer: str = "") -> None:
    if what == "die":
        leases.LEASE = 0.0
    if what == "race":
        race(store, Path(effects), answer)
        return
    with opened(store) as saver:
        graph = graph_in(saver, Path(effects), die=what == "die")
        given: Any = {"log": ["asked"]} if what == "ask" else Command(resume=answer)
        print("ready", flush=True)
        print(graph.invoke(given, CONFIG), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
