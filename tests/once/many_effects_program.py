"""Run by the slow test in other processes: a node with many effects, each a line in a file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from stores import opened

from nbhitl import once

from .graphs import Engine, State

COUNT = 30


def main(store: str, effects: str, thread: str) -> None:
    config: Any = {"configurable": {"thread_id": thread}}

    def effect(number: int) -> int:
        with Path(effects).open("a") as file:
            file.write(f"{number}\n")
        time.sleep(0.001)
        return number

    def node(state: State) -> State:
        return {"got": [once(f"effect-{n}", effect, n) for n in range(COUNT)]}

    with opened(store) as saver:
        graph = Engine("nbhitl").graph(node, saver=saver)
        print("ready", flush=True)
        graph.invoke(None if graph.get_state(config).next else {}, config)


if __name__ == "__main__":
    main(*sys.argv[1:])
