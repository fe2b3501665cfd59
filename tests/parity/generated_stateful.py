"""Random courses of threads whose graphs call children with a state of their own (`checkpointer=True`).

Which state such a child has after a fork is where LangGraph differs (D25), and that one that had ended is not run again
(D12). `Reader` tells from what LangGraph stored whether one of these has happened: from there on nothing is compared.
"""

from __future__ import annotations

import operator
import random
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

CONFIG: Any = {"configurable": {"thread_id": "1"}}
SHAPES = ("node", "quiet", "called", "below", "node below", "in another", "beside", "two", "loop")
WHERE = ("a", "b", "c", None, None, "__start__")
ACTS = {
    "input": 3, "go on": 3, "answer": 8, "update": 3, "run again": 4, "fork": 3, "fork and run": 3, "command": 1,
    "goto": 1, "answer there": 3,
}  # fmt: skip
"""What can be done to a thread, and how often it is."""

Act = tuple[str, int, str, str | None]
"""What is done, to which checkpoint of the history, with which value, as which node."""


class State(TypedDict):
    log: Annotated[list, operator.add]


class Own(State):
    memory: Annotated[list, operator.add]


def course(seed: int, length: int = 6) -> tuple[str, list[Act]]:
    """Return a shape, and what is done to a thread of such a graph, after its first input."""
    drawn = random.Random(seed)
    shape = drawn.choice(SHAPES)
    kinds = drawn.choices([*ACTS], [*ACTS.values()], k=length)
    acts = [(kind, drawn.randrange(8), str(drawn.randrange(9)), drawn.choice(WHERE)) for kind in kinds]
    return shape, [("input", 0, "i", None), *acts]


def build(shape: str, engine: str) -> Any:
    """Compile a graph in which `b` is, or calls, a child with a state of its own."""
    parts = _Parts(engine)
    builder = parts.graph.StateGraph(State).add_node("a", noting("a")).add_node("c", noting("c"))
    builder.add_node("b", parts.calling(shape)).add_edge(parts.graph.START, "a")
    builder.add_edge("a", "b").add_edge("b", "c")
    if shape == "loop":
        builder.add_conditional_edges(
            "c", lambda state: "b" if len(state["log"]) < 9 else "__end__", ["b", "__end__"]
        )
    if shape == "beside":
        builder.add_node("p", lambda state: {"log": [parts.interrupt("p")]}).add_edge("a", "p")
    if shape == "two":
        builder.add_node("b2", parts.child("second")).add_edge("c", "b2")
    saver = import_module(f"{engine}.checkpoint.memory").InMemorySaver()
    return builder.compile(checkpointer=saver)


def noting(what: str) -> Callable[[Any], Any]:
    return lambda state: {"log": [what]}


def called(graph: Any) -> Callable[[Any], Any]:
    return lambda state: {"log": graph.invoke({"log": []})["log"][-1:]}


class _Parts:
    def __init__(self, engine: str) -> None:
        self.graph = import_module(f"{engine}.graph")
        self.interrupt = import_module(f"{engine}.types").interrupt

    def child(self, name: str = "k", *, asks: bool = True) -> Any:
        builder = self.graph.StateGraph(Own)
        builder.add_node("x", lambda state: {"memory": [f"x{len(state['memory'])}"]})
        builder.add_node("y", lambda state: {"memory": [self.interrupt(name) if asks else "y"]})
        builder.add_node("e", lambda state: {"log": [f"{name}: {state['memory']}"]})
        builder.add_edge(self.graph.START, "x").add_edge("x", "y").add_edge("y", "e")
        return builder.compile(checkpointer=True)

    def between(self, node: Any, checkpointer: Any = None) -> Any:
        builder = self.graph.StateGraph(State).add_node("m", node).add_edge(self.graph.START, "m")
        return builder.compile(checkpointer=checkpointer)

    def calling(self, shape: str) -> Any:
        if shape == "called":
            return called(self.child())
        if shape == "below":
            return called(self.between(called(self.child())))
        if shape == "node below":
            return self.between(called(self.child()))
        if shape == "in another":
            return self.between(called(self.child()), checkpointer=True)
        return self.child(asks=shape != "quiet")


def do(graph: Any, engine: str, act: Act) -> Any:
    """Act on the thread; return what the caller gets, or the name of the error."""
    kind, number, value, node = act
    command = import_module(f"{engine}.types").Command
    now = graph.get_state(CONFIG)
    history = [*graph.get_state_history(CONFIG)]
    then = history[number % len(history)] if history else now
    given: Any = None
    config = CONFIG
    if kind == "input":
        given = {"log": [value]}
    elif kind == "answer":
        given = command(resume={asked.id: value for asked in now.interrupts[: 1 + number % 2]})
    elif kind == "answer there":
        given, config = command(resume={asked.id: value for asked in then.interrupts}), then.config
    elif kind == "goto":
        given = command(goto="c" if number % 2 else "a")
    elif kind == "command":
        given = command(update={"log": [value]})
    elif kind == "run again":
        config = then.config
    skipped = {
        "go on": bool(now.interrupts),  # after an answer, D4
        "answer": not now.interrupts,
        "answer there": not then.interrupts,
        "goto": bool(now.next),
    }
    if skipped.get(kind):
        return None
    try:
        if kind in ("update", "fork", "fork and run"):
            from_ = CONFIG if kind == "update" else then.config
            config = graph.update_state(from_, {"log": [value]}, as_node=node)
            if kind != "fork and run":
                return None
        result = graph.invoke(given, config)
    except Exception as error:
        return type(error).__name__
    return result["log"], sorted(asked.value for asked in result.get("__interrupt__", ()))


def seen(graph: Any) -> Any:
    """What `get_state` tells of the thread, called graphs included."""
    return _seen(graph.get_state(CONFIG, subgraphs=True))


def _seen(state: Any) -> Any:
    about = state.metadata or {}
    tasks = [
        (
            task.name,
            task.error,
            [asked.value for asked in task.interrupts],
            task.result,
            _seen(task.state) if hasattr(task.state, "tasks") else bool(task.state),
        )
        for task in state.tasks
    ]
    return state.values, state.next, about.get("source"), about.get("step"), tasks


def history(graph: Any) -> list[Any]:
    return [
        (state.values, state.next, state.metadata["step"], [(task.name, task.result) for task in state.tasks])
        for state in graph.get_state_history(CONFIG)
    ]


class Reader:
    """Tells, from a thread that LangGraph stored, what children went on from."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._known: set[Any] = set()
        self._read()

    def _read(self) -> None:
        self._all = {_place(stored.config): stored for stored in self._graph.checkpointer.list(CONFIG)}
        self._top = {id: stored for (ns, id), stored in self._all.items() if not ns}

    def answers_elsewhere(self, act: Act) -> bool:
        """Whether an answer names a checkpoint after which a child was somewhere else."""
        kind, number, _, _ = act
        states = [*self._graph.get_state_history(CONFIG)]
        if kind != "answer there" or not states or not states[number % len(states)].interrupts:
            return False
        here = states[number % len(states)].config["configurable"]["checkpoint_id"]
        self._read()
        newest = {ns: stored for (ns, id), stored in sorted(self._all.items()) if ns and id > here}
        return any(_made_at(stored) != here for stored in newest.values())

    def answered_there(self, act: Act) -> bool:
        """Whether a checkpoint is named to run again which is a branch already, and where an answer was given."""
        kind, number, _, _ = act
        states = [*self._graph.get_state_history(CONFIG)]
        if kind != "run again" or not states:
            return False
        then = self._graph.checkpointer.get_tuple(states[number % len(states)].config)
        given = any(channel == "__resume__" for _, channel, _ in then.pending_writes)
        return given and then.metadata["source"] in ("update", "fork")

    def answers_the_written(self, act: Act) -> bool:
        """Whether an answer names a checkpoint where a task that asked was written for by hand: D29."""
        kind, number, _, _ = act
        states = [*self._graph.get_state_history(CONFIG)]
        if kind != "answer there" or not states:
            return False
        return any(task.interrupts and task.result for task in states[number % len(states)].tasks)

    def differs(self) -> bool:
        """Whether a child has gone on, since this was asked before, from what is not of its branch, or was not run."""
        self._read()
        new = [stored for (ns, id), stored in self._all.items() if ns and (ns, id) not in self._known]
        bases = [(self._all.get(_parent(stored)), _made_at(stored)) for stored in new]
        foreign = any(base is not None and not self._belongs(base, at) for base, at in bases)
        old = self._took_old_output()
        self._known |= {*self._all}
        return foreign or old or self._shows_foreign()

    def _belongs(self, child: Any, at: str) -> bool:
        """Whether what a child was belongs to the branch that leads to its caller's checkpoint `at`."""
        made_at = _made_at(child)
        if made_at == at:
            return True
        way = [at]
        while way[-1] in self._top and way[-1] != made_at:
            way.append(_parent(self._top[way[-1]])[1])
        if way[-1] != made_at:
            return False
        after, source = way[-2], self._top[way[-2]].metadata["source"]
        if _place(child.config)[1] > after or source == "fork":
            return False
        # Was the task over, on another branch, when somebody changed the state, or gave an input?
        return source == "loop" or not any(
            _parent(stored)[1] == made_at and stored.metadata["source"] == "loop" and id < after
            for id, stored in self._top.items()
        )

    def _took_old_output(self) -> bool:
        ran = {(_made_at(stored), ns.split("|")[0].split(":")[0]) for (ns, _), stored in self._all.items()}
        ended = {
            (state.config["configurable"]["checkpoint_id"], task.name)
            for state in self._graph.get_state_history(CONFIG)
            for task in state.tasks
            if task.name in ("b", "b2") and task.result is not None
        }
        new = ended - self._known
        self._known |= ended
        return not new <= ran

    def _shows_foreign(self) -> bool:
        head = self._graph.get_state(CONFIG, subgraphs=True)
        at = head.config["configurable"].get("checkpoint_id")
        return any(not self._belongs(child, at) for child in self._shown(head.tasks))

    def _shown(self, tasks: Sequence[Any]) -> Iterable[Any]:
        for task in tasks:
            if hasattr(task.state, "tasks"):
                child = self._all.get(_place(task.state.config))
                if child is not None:
                    yield child
                yield from self._shown(task.state.tasks)


def _place(config: Any) -> tuple[str, str]:
    place = config["configurable"]
    return place.get("checkpoint_ns", ""), place.get("checkpoint_id", "")


def _parent(stored: Any) -> tuple[str, str]:
    return _place(stored.parent_config) if stored.parent_config else ("", "")


def _made_at(stored: Any) -> str:
    """The checkpoint of the outermost graph whose task has made this one."""
    found: str = (stored.metadata.get("parents") or {}).get("", "")
    return found
