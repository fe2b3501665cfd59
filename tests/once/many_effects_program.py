"""Run by the slow test in other processes: a node with many effects, or as many nodes with one each; an effect is a
line in a file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stores import opened

from nbhitl import once

from .graphs import Engine, State

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 30


def main(store: str, effects: str, thread: str, shape: str) -> None:
    config: Any = {"configurable": {"thread_id": thread}}

    def effect(number: int) -> int:
        with Path(effects).open("a") as file:
            file.write(f"{number}\n")
        time.sleep(0.001)
        return number

    def node(state: State) -> State:
        return {"got": [once(f"effect-{n}", effect, n) for n in range(COUNT)]}

    def step(number: int) -> Callable[[State], State]:
        def node(state: State) -> State:
            return {"got": [*state.get("got", []), once(f"effect-{number}", effect, number)]}

        node.__name__ = f"node-{number}"
        return node

    nodes = [node] if shape == "node" else [step(number) for number in range(COUNT)]
    with opened(store) as saver:
        graph = Engine("nbhitl").graph(*nodes, saver=saver)
        print("ready", flush=True)
        left = graph.invoke(None if graph.get_state(config).next else {}, config)
        assert left == {"got": list(range(COUNT))}


if __name__ == "__main__":
    main(*sys.argv[1:])
