"""Run by the tests in other processes: a graph whose node has an effect, on a store.

An effect is a line in a file. `die before` and `die after` are killed right before or after it, within `once()`;
`hold` says that it has begun and waits for a line on stdin; `run` just runs. Whoever meets an error prints it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from stores import opened

from nbhitl import once
from nbhitl.errors import EffectInDoubt

from .graphs import CONFIG, Engine, State


def graph_in(saver: Any, effects: Path, how: str = "run") -> Any:
    def send(to: str) -> str:
        if how == "die before":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "hold":
            print("holding", flush=True)
            sys.stdin.readline()
        with effects.open("a") as file:
            file.write(f"mail to {to}\n")
        if how == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"sent to {to}"

    def mail(state: State) -> State:
        return {"got": once("mail", send, "ann")}

    def then(state: State) -> State:
        if how == "die later":
            os.kill(os.getpid(), signal.SIGKILL)
        return {"got": [state["got"], once("mail", send, "bob")]}

    return Engine("nbhitl").graph(mail, then, saver=saver)


def main(how: str, store: str, effects: str) -> None:
    with opened(store) as saver:
        try:
            print(graph_in(saver, Path(effects), how).invoke({}, CONFIG)["got"], flush=True)
        except EffectInDoubt as error:
            print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
