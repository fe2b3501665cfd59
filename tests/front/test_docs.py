"""What the pages say is so: the README's program runs, files that are named exist, differences have tests."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from nbhitl.errors import NotAnswered

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
DIFFERENCES = (ROOT / "docs" / "differences.md").read_text("utf-8")
PROGRAM, SCRIPTED, STORE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def example():
    """The names of the README's program after it has run."""
    names = {}
    exec(compile(PROGRAM, "README.md", "exec"), names)
    return names


def test_the_readme_program_is_twenty_lines():
    assert len(PROGRAM.strip().splitlines()) <= 20


def test_the_readme_program_asks_and_goes_on(example, capsys):
    thread = example["thread"]
    with pytest.raises(NotAnswered):
        _ = thread.result
    thread.edit(text="Dear all, it is up again.")
    assert thread.result == {"mail": "sent: Dear all, it is up again."}
    thread.fork("cp2")
    thread.reject("not now")
    assert thread.result == {"mail": "kept, because not now"}
    assert thread.history()["branch"].tolist() == [1, 1, 1, 2, 2]


def test_the_readme_script_answers(example):
    from nbhitl import GraphThread

    thread = GraphThread(example["thread"].graph, "mail-2")
    exec(SCRIPTED.replace(", unattended=True", ""), {**example, "thread": thread})
    assert thread.result == {"mail": "sent: Dear all, the server is down."}


def test_the_readme_lines_on_the_store_run(tmp_path, monkeypatch):
    from nbhitl import GraphThread
    from nbhitl.checkpoint.sqlite import SqliteSaver
    from nbhitl.graph import START, StateGraph
    from nbhitl.types import interrupt

    monkeypatch.chdir(tmp_path)
    config = {"configurable": {"thread_id": "orders-1"}}
    with SqliteSaver.from_conn_string("orders.db") as saver:
        builder = StateGraph(dict).add_node("pay", lambda state: {"paid": interrupt("pay?")})
        graph = builder.add_edge(START, "pay").compile(checkpointer=saver)
        graph.invoke({"sum": 3}, config)
        names = {**locals(), "timedelta": timedelta, "GraphThread": GraphThread}
        for line in STORE.strip().splitlines():
            exec(line, names)
        assert [thread.thread_id for thread in saver.threads()] == [
            "orders-1",
            "orders-1-again",
            "orders-1-try",
        ]
        assert [question.node for question in saver.pending(thread_prefix="orders-")] == ["pay"] * 3
    assert (tmp_path / "orders-1.json").exists()


@pytest.mark.parametrize("link", re.findall(r"\]\(((?!https?:)[^)#]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("page", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/differences.md"])
def test_files_that_are_named_exist(page):
    text = (ROOT / page).read_text("utf-8")
    named = set(re.findall(r"(?:[a-z_]+/)+[a-z_]+\.(?:py|md|ipynb)", text))
    missing = [name for name in named if not ((ROOT / name).exists() or (ROOT / "nbhitl" / name).exists())]
    assert missing == []


def test_drop_in_modules_exist():
    from importlib import import_module

    table = README[README.index("| instead of |") : README.index("What is nbhitl's own")]
    named = re.findall(r"`(nbhitl)?((?:\.\w+)+)`", table.replace("langgraph", ""))
    modules = {f"nbhitl{rest}" for _, rest in named}
    assert len(modules) > 10
    for module in modules:
        import_module(module)


def test_differences_are_numbered_one_by_one():
    numbers = re.findall(r"^\| \*\*(D\d+)\*\*", DIFFERENCES, flags=re.MULTILINE)
    assert numbers == [f"D{n}" for n in range(1, len(numbers) + 1)]


def test_dependencies_are_those_of_the_architecture_page():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in project["dependencies"]}
    table = ARCHITECTURE[ARCHITECTURE.index("## Dependencies") :]
    listed = {
        name
        for row in re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE)
        for name in row.split(", ")
        if name not in ("package", "---")
    }
    assert listed == names
