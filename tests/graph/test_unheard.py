"""What LangGraph passes over without a word is done as there, and a warning says so."""

import operator
import warnings
from contextlib import contextmanager
from typing import Annotated, TypedDict

import langgraph.graph
import langgraph.warnings
import pytest
from langgraph.checkpoint.memory import InMemorySaver as TheirSaver

import nbhitl.graph
import nbhitl.warnings
from nbhitl.cache.memory import InMemoryCache
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.store.memory import InMemoryStore

ENGINES = {"ours": (nbhitl.graph, InMemorySaver), "theirs": (langgraph.graph, TheirSaver)}
CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    x: Annotated[list, operator.add]


def graph(engine="ours", *, saves=True, **options):
    graphs, saver = ENGINES[engine]
    builder = graphs.StateGraph(State).add_node("a", lambda state: {"x": [1]}).add_edge(graphs.START, "a")
    return builder.compile(checkpointer=saver() if saves else None, **options)


@contextmanager
def heard():
    """The texts of the warnings."""
    texts = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
    texts += [
        str(one.message) for one in caught if issubclass(one.category, (UserWarning, DeprecationWarning))
    ]


MODES = [
    (
        "update",
        "stream_mode='update': there is no such mode.* Did you mean 'updates'\\? Modes are checkpoints, custom",
    ),
    (["values", "update"], "stream_mode='update': there is no such mode"),
    ("", "stream_mode='': there is no such mode"),
    (["values", 3], "stream_mode=3: there is no such mode"),
]


@pytest.mark.parametrize(("mode", "text"), MODES, ids=repr)
async def test_stream_modes(mode, text):
    ways = [
        lambda g: list(g.stream({"x": [0]}, CONFIG, stream_mode=mode)),
        lambda g: g.invoke({"x": [0]}, CONFIG, stream_mode=mode),
    ]
    for way in ways:
        with pytest.warns(UserWarning, match=text):
            ours = way(graph())
        assert ours == way(graph("theirs"))
    with pytest.warns(UserWarning, match=text):
        ours = [chunk async for chunk in graph().astream({"x": [0]}, CONFIG, stream_mode=mode)]
    assert ours == [chunk async for chunk in graph("theirs").astream({"x": [0]}, CONFIG, stream_mode=mode)]


def test_a_warning_stands_at_the_programs_own_line():
    for way in (
        lambda g: g.invoke({"x": [0]}, CONFIG, stream_mode="update"),
        lambda g: list(g.stream({"x": [0]}, CONFIG, stream_mode="update")),
        lambda g: g.invoke({"x": [0]}, CONFIG, durability="snyc"),
        lambda g: g.invoke({"x": [0]}, CONFIG, interupt_before=["a"]),
        lambda g: g.invoke({"x": [0]}, CONFIG, checkpoint_during=True),
    ):
        with pytest.warns((UserWarning, DeprecationWarning)) as caught:
            way(graph())
        assert [one.filename for one in caught] == [__file__]


def test_print_modes():
    with pytest.warns(UserWarning, match="print_mode='value': there is no such mode.* Did you mean 'values'"):
        assert graph().invoke({"x": [0]}, CONFIG, print_mode="value") == {"x": [0, 1]}


@pytest.mark.parametrize("durability", ["Sync", "", 3])
def test_durability(durability):
    found = {}
    for engine in ENGINES:
        made = graph(engine)
        with heard() as texts:
            made.invoke({"x": [0]}, CONFIG, durability=durability)
        found[engine] = len(list(made.get_state_history(CONFIG)))
    assert found["ours"] == found["theirs"] == 3
    made = graph()
    with heard() as texts:
        made.invoke({"x": [0]}, CONFIG, durability=durability)
    assert len(texts) == 1
    assert f"durability={durability!r}: there is no such durability" in texts[0]
    assert "It can be sync, async, exit." in texts[0]


def test_a_durability_without_a_checkpointer():
    with heard() as ours:
        graph(saves=False).invoke({"x": [0]}, durability="exit")
    with heard() as theirs:
        graph("theirs", saves=False).invoke({"x": [0]}, durability="exit")
    assert ours == theirs == ["`durability` has no effect when no checkpointer is present."]


def test_a_version():
    with pytest.warns(UserWarning, match="version='v3': there is no such version.* Versions are v1, v2"):
        assert graph().invoke({"x": [0]}, CONFIG, version="v3") == {"x": [0, 1]}


async def test_a_misspelt_keyword():
    text = r"interupt_before=\['a'\] is ignored: a run has no such keyword. Did you mean 'interrupt_before'\?"
    for run in (
        lambda: graph().invoke({"x": [0]}, CONFIG, interupt_before=["a"]),
        lambda: list(graph().stream({"x": [0]}, CONFIG, interupt_before=["a"])),
    ):
        with pytest.warns(UserWarning, match=text):
            run()
    with pytest.warns(UserWarning, match=text):
        await graph().ainvoke({"x": [0]}, CONFIG, interupt_before=["a"])
    with pytest.warns(UserWarning, match=text):
        assert [chunk async for chunk in graph().astream({"x": [0]}, CONFIG, interupt_before=["a"])]


@pytest.mark.parametrize("saves", [True, False])
def test_checkpoint_during_is_an_older_word_for_durability(saves):
    found = {}
    for engine, names in (("ours", nbhitl.warnings), ("theirs", langgraph.warnings)):
        made = graph(engine)
        with pytest.warns(names.LangGraphDeprecatedSinceV10) as caught:
            made.invoke({"x": [0]}, CONFIG, checkpoint_during=saves)
        found[engine] = str(caught[0].message), len(list(made.get_state_history(CONFIG)))
        with heard(), pytest.raises(ValueError, match="Cannot use both `checkpoint_during` and `durability`"):
            made.invoke({"x": [0]}, CONFIG, checkpoint_during=saves, durability="sync")
    assert found["ours"] == found["theirs"]


@pytest.mark.parametrize("old", ["retry", "input"])
def test_older_words_of_add_node_are_warned_of_as_there(old):
    said = []
    for graphs, names in ((nbhitl.graph, nbhitl.warnings), (langgraph.graph, langgraph.warnings)):
        builder = graphs.StateGraph(State)
        with pytest.warns(names.LangGraphDeprecatedSinceV05) as caught:
            builder.add_node("a", lambda state: None, **{old: None if old == "retry" else State})
        said.append(str(caught[0].message))
    assert said[0] == said[1]


def test_an_older_word_of_the_graph_is_warned_of_as_there():
    said = []
    for graphs, names in ((nbhitl.graph, nbhitl.warnings), (langgraph.graph, langgraph.warnings)):
        with pytest.warns(names.LangGraphDeprecatedSinceV10) as caught:
            graphs.StateGraph(State, config_schema=State)
        said.append(str(caught[0].message))
    assert said[0] == said[1]


@pytest.mark.parametrize("given", ["file.db", {}, 3, object()], ids=["path", "dict", "number", "object"])
def test_a_store_or_a_cache_that_is_none(given):
    with pytest.warns(UserWarning, match=r"compile\(store=.*it lacks batch and abatch.*InMemoryStore\(\)"):
        assert graph(store=given).invoke({"x": [0]}, CONFIG) == {"x": [0, 1]}
    if not isinstance(given, dict):
        with pytest.warns(UserWarning, match=r"compile\(cache=.*it lacks get and set.*InMemoryCache\(\)"):
            graph(cache=given)


def test_nothing_is_said_of_what_is_right():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = graph(store=InMemoryStore(), cache=InMemoryCache())
        for durability in ("sync", "async", "exit", None):
            made.invoke({"x": [0]}, CONFIG, durability=durability, version="v2")
        list(made.stream({"x": [0]}, CONFIG, stream_mode=["values", "debug", "custom", "messages", "tasks"]))


@pytest.mark.parametrize("given", [{"xs": [0]}, {"xs": [0], "y": 1}], ids=str)
async def test_an_input_without_a_known_key(given):
    """It runs with nothing, on both; so does the empty input, of which nobody warns."""
    for way in (lambda g: g.invoke(given, CONFIG), lambda g: list(g.stream(given, CONFIG))[-1]["a"]):
        with heard() as texts:
            ours = way(graph())
        assert ours == way(graph("theirs")) == {"x": [1]}
        assert len(texts) == 1
        assert "has no key that the graph takes" in texts[0]
        assert "the graph takes x" in texts[0]
    with heard() as texts:
        assert await graph().ainvoke({"x": [0], "y": 1}, CONFIG) == {"x": [0, 1]}
        assert graph().invoke({}, CONFIG) == {"x": [1]}
    assert texts == []
