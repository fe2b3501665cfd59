"""What importing nbhitl loads, and that the engine runs where the optional packages are missing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

HEAVY = ("langchain_core", "langgraph", "pandas", "numpy", "ipywidgets", "anywidget", "IPython", "pydantic",
         "graphviz", "wasmtime", "jupyterlab", "psycopg")  # fmt: skip

LIGHT_MODULES = ["nbhitl", "nbhitl.types", "nbhitl.errors", "nbhitl.graph", "nbhitl.graph.message",
                 "nbhitl.checkpoint.memory", "nbhitl.checkpoint.sqlite", "nbhitl.prebuilt", "nbhitl.review",
                 "nbhitl.cli"]  # fmt: skip

# What only some programs use, and what loads much itself: nothing that every graph needs may bring it along.
SPARED = (
    "asyncio", "concurrent.futures", "decimal", "difflib", "hashlib", "importlib.metadata", "json", "logging", "pathlib",
    "pprint", "random", "socket", "sqlite3", "ssl", "subprocess", "sysconfig", "typing_extensions", "nbhitl._messages",
    "nbhitl.draw", "nbhitl.engine.adrive", "nbhitl.engine.foreign", "nbhitl.engine.traces", "nbhitl.engine.workers",
    "nbhitl.graph._place", "nbhitl.review", "nbhitl.store",
)  # fmt: skip
NO_SAVER = (
    "ormsgpack",
    "uuid",
    "nbhitl.checkpoint.base",
    "nbhitl.checkpoint.serde",
    "nbhitl.checkpoint.steps",
)

# Modules loaded, the standard library's included: each costs about 0.2 ms. Raise a bound for what every program needs.
LOADED = {
    "nbhitl": (10, (*SPARED, *NO_SAVER, "dataclasses", "typing")),
    "nbhitl.types": (60, (*SPARED, *NO_SAVER)),
    "nbhitl.graph": (136, (*SPARED, *NO_SAVER)),
    "nbhitl.checkpoint.memory": (119, SPARED),
}

IMPORTED = """
import sys
from typing import TypedDict
{saver_import}
from nbhitl.graph import START, StateGraph

before = set(sys.modules)

class State(TypedDict):
    n: int

builder = StateGraph(State)
builder.add_node("one", lambda state: {{"n": state["n"] + 1}})
builder.add_node("two", lambda state, config: {{"n": state["n"] + 1}})
builder.add_edge(START, "one")
builder.add_edge("one", "two")
graph = builder.compile(checkpointer={saver})
config = {{"configurable": {{"thread_id": "1"}}}}
assert graph.invoke({{"n": 1}}, config) == {{"n": 3}}
assert list(graph.stream({{"n": 2}}, config)) == [{{"one": {{"n": 3}}}}, {{"two": {{"n": 4}}}}]
print(*sorted(set(sys.modules) - before))
"""

PROGRAM = """
import asyncio
import sys
from typing import TypedDict
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

class State(TypedDict):
    n: int

def chain(node, **options):
    return StateGraph(State).add_node("ask", node).add_edge(START, "ask").compile(**options)

child = chain(lambda state: {"n": state["n"] + interrupt("how many?")})
graph = chain(child, checkpointer=InMemorySaver())
config = {"configurable": {"thread_id": "1"}}
assert graph.invoke({"n": 1}, config)["__interrupt__"][0].value == "how many?"
assert graph.invoke(Command(resume=2), config) == {"n": 3}
later = {"configurable": {"thread_id": "2"}}
assert asyncio.run(graph.ainvoke({"n": 1}, later))["__interrupt__"][0].value == "how many?"
assert asyncio.run(graph.ainvoke(Command(resume=2), later)) == {"n": 3}
print(*{m.partition(".")[0] for m in sys.modules} & HEAVY, "done")
"""

AGENT = """
import asyncio
from nbhitl.graph import START, MessagesState, StateGraph
from nbhitl.prebuilt import ToolNode, tools_condition

def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b

def model(state):
    if len(state["messages"]) > 1:
        return {"messages": [("ai", "It is " + state["messages"][-1].content)]}
    call = {"name": "add", "args": {"a": 1, "b": 2}, "id": "1"}
    return {"messages": [{"role": "assistant", "content": "", "tool_calls": [call]}]}

builder = StateGraph(MessagesState).add_node(model).add_node("tools", ToolNode([add])).add_edge(START, "model")
builder.add_conditional_edges("model", tools_condition)
agent = builder.add_edge("tools", "model").compile()
for found in (agent.invoke({"messages": "1 + 2?"}), asyncio.run(agent.ainvoke({"messages": "1 + 2?"}))):
    print(found["messages"][-1].content)
"""

BLOCK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked by a test", name=name)
        return None

sys.meta_path.insert(0, Blocker())
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_is_light(module):
    loaded = run(f"import {module}, sys; print(*sorted({{m.split('.')[0] for m in sys.modules}}))").split()
    assert sorted(set(loaded) & set(HEAVY)) == []


@pytest.mark.parametrize("module", LOADED)
def test_an_import_loads_what_every_program_needs(module):
    before = set(run("import sys; print(*sys.modules)").split())
    loaded = set(run(f"import {module}, sys; print(*sys.modules)").split()) - before
    bound, spared = LOADED[module]
    assert sorted(loaded & set(spared)) == []
    assert len(loaded) <= bound, f"{len(loaded)} modules: {' '.join(sorted(loaded))}"


@pytest.mark.parametrize(
    ("saver", "saver_import"),
    [("None", ""), ("InMemorySaver()", "from nbhitl.checkpoint.memory import InMemorySaver")],
)
def test_a_first_run_loads_nothing_that_an_import_left_out(saver, saver_import):
    assert run(IMPORTED.format(saver=saver, saver_import=saver_import)).split() == []


@pytest.mark.parametrize("missing", ["", BLOCK.format(blocked=set(HEAVY))], ids=["installed", "missing"])
def test_a_graph_in_a_graph_needs_none_of_the_optional_packages(missing):
    assert run(missing + f"HEAVY = {set(HEAVY)!r}" + PROGRAM) == "done\n"


def test_an_agent_with_tools_runs_where_langchain_is_missing():
    assert run(BLOCK.format(blocked={"langchain_core"}) + AGENT) == "It is 3\nIt is 3\n"


def public_modules() -> list[str]:
    package = Path(import_module("nbhitl").__file__).parent
    names = []
    for path in sorted(package.rglob("*.py")):
        parts = ["nbhitl", *path.relative_to(package).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        if not any(part.startswith("_") for part in parts[1:]):
            names.append(".".join(parts))
    return [name for name in names if name != "nbhitl.func"]  # refuses: see test_names.py


@pytest.mark.parametrize("name", public_modules())
def test_what_a_module_says_it_exports_is_there(name):
    if name.startswith("nbhitl.checkpoint.postgres"):
        pytest.importorskip("psycopg")
    module = import_module(name)
    exported = getattr(module, "__all__", [])
    assert len(exported) == len(set(exported))
    assert [n for n in exported if not hasattr(module, n)] == []


def test_the_front_door_lists_what_it_offers():
    import nbhitl

    assert sorted(nbhitl.__all__) == sorted(n for n in dir(nbhitl) if not n.startswith("_"))


def test_an_unknown_name_is_an_attribute_error():
    import nbhitl

    with pytest.raises(AttributeError, match="no attribute 'graf'"):
        _ = nbhitl.graf
