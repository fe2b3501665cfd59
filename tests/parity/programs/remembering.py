"""What a graph with a state of its own remembers, where its caller is run again, forked, changed, or given a new input."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]


class Own(TypedDict):
    memory: Annotated[list, operator.add]
    log: Annotated[list, operator.add]


def remembers():
    builder = StateGraph(Own).add_node("x", lambda state: {"memory": [f"x{len(state['memory'])}"]})
    builder.add_node("y", lambda state: {"memory": [f"y{interrupt('y')}"]})
    builder.add_node("e", lambda state: {"log": ["remembers " + "+".join(state["memory"])]})
    return builder.add_edge(START, "x").add_edge("x", "y").add_edge("y", "e").compile(checkpointer=True)


def called(graph):
    return lambda state: {"log": graph.invoke({"log": []})["log"][-1:]}


def between(graph, how):
    """A graph without a state of its own that calls it."""
    builder = StateGraph(State).add_node("m", how(graph))
    return builder.add_edge(START, "m").compile()


SHAPES = {
    "as a node": remembers,
    "called": lambda: called(remembers()),
    "called below": lambda: called(between(remembers(), called)),
    "node below a node": lambda: between(remembers(), called),
}


def graph_of(saver, shape):
    saver.delete_thread("1")
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("b", SHAPES[shape]())
    builder.add_node("z", lambda state: {"log": ["z"]})
    return builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "z").compile(checkpointer=saver)


def outcome(result):
    return result["log"], [asked.value for asked in result.get("__interrupt__", ())]


def goes_on(record, label, graph, config):
    results = [graph.invoke(None, config)]
    if "__interrupt__" in results[-1]:
        results.append(graph.invoke(Command(resume="!"), CONFIG))
    results.append(graph.invoke({"log": ["n"]}, CONFIG))
    record(label, [outcome(result) for result in results])


def one_turn(graph):
    graph.invoke({"log": ["i"]}, CONFIG)
    graph.invoke(Command(resume="1"), CONFIG)


def two_turns(graph):
    one_turn(graph)
    graph.invoke({"log": ["j"]}, CONFIG)
    graph.invoke(Command(resume="2"), CONFIG)


def one_dropped(graph):
    graph.invoke({"log": ["i"]}, CONFIG)
    graph.invoke({"log": ["j"]}, CONFIG)
    graph.invoke(Command(resume="2"), CONFIG)


def one_changed(graph):
    graph.invoke({"log": ["i"]}, CONFIG)
    graph.update_state(CONFIG, {"log": ["u"]}, as_node=START)
    graph.invoke(None, CONFIG)
    graph.invoke(Command(resume="2"), CONFIG)


def program_changed_where_it_paused(record, saver):
    for shape in SHAPES:
        for as_node in (START, "a") if shape == "as a node" else (START,):
            for named in (False, True):
                graph = graph_of(saver, shape)
                one_turn(graph)
                graph.invoke({"log": ["j"]}, CONFIG)
                config = graph.update_state(CONFIG, {"log": ["u"]}, as_node=as_node)
                goes_on(record, f"{shape}, as {as_node}, named: {named}", graph, config if named else CONFIG)


def program_run_again_at_each_checkpoint(record, saver):
    for shape, befores in (
        ("as a node", (two_turns, one_dropped)),
        ("called below", (one_dropped, one_changed)),
    ):
        for before in befores:
            graph = graph_of(saver, shape)
            before(graph)
            count = len([*graph.get_state_history(CONFIG)])
            for at in range(count)[1::2]:
                graph = graph_of(saver, shape)
                before(graph)
                one = [*graph.get_state_history(CONFIG)][at]
                if one.next in ((), ("z",)):
                    continue  # nothing of the child's runs there: D25 is about what comes after
                goes_on(record, f"{shape}, {before.__name__}, {at}", graph, one.config)


def program_forked_before_it_ran(record, saver):
    for shape, before in (("as a node", two_turns), ("called", one_dropped), ("called below", one_changed)):
        for as_node in (START, None):
            for turn in (0, 1):
                graph = graph_of(saver, shape)
                before(graph)
                then = [one for one in graph.get_state_history(CONFIG) if one.next == ("b",)]
                if turn < len(then):
                    config = graph.update_state(then[turn].config, {"log": ["u"]}, as_node=as_node)
                    goes_on(record, f"{shape}, {before.__name__}, as {as_node}, {turn}", graph, config)


def program_below_one_that_keeps_nothing(record, saver):
    """Between the graph that has a saver, and the one that keeps its state there, is one that keeps none."""
    builder = StateGraph(Own).add_node("x", lambda state: {"memory": [f"x{len(state['memory'])}"]})
    builder.add_node("e", lambda state: {"log": ["remembers " + "+".join(state["memory"])]})
    lowest = builder.add_edge(START, "x").add_edge("x", "e").compile(checkpointer=True)
    child = StateGraph(State).add_node("m", called(lowest)).add_edge(START, "m").compile(checkpointer=False)
    for name, node in {"as a node": child, "called": called(child)}.items():
        saver.delete_thread("1")
        graph = StateGraph(State).add_node("b", node).add_edge(START, "b").compile(checkpointer=saver)
        for turn in range(3):
            record(f"{name}, {turn}", graph.invoke({"log": ["n"]}, CONFIG)["log"][-1])
        record(name, sorted({kept.config["configurable"]["checkpoint_ns"] for kept in saver.list(CONFIG)}))
        then = [one.config for one in graph.get_state_history(CONFIG) if one.next == ("b",)]
        record(f"{name}, run again", graph.invoke(None, then[1])["log"][-1])


def program_run_again_after_a_fork_that_began_before_the_child(record, saver):
    """The fork starts the child with nothing; what a new input had dropped before that is found all the same."""
    for before in (one_dropped, one_changed):
        graph = graph_of(saver, "as a node")
        before(graph)
        (second, *_) = then = [one for one in graph.get_state_history(CONFIG) if one.next == ("b",)]
        goes_on(record, f"{before.__name__}, forked", graph, then[-1].config)
        goes_on(record, f"{before.__name__}, run again", graph, second.config)


def program_changed_in_the_place_of_the_child(record, saver):
    """An update stands in for the child that had paused; when it is called again it remembers."""
    builder = StateGraph(State).add_node("b", called(remembers())).add_node("c", lambda state: {"log": ["c"]})
    builder.add_edge(START, "b").add_edge("b", "c")
    builder.add_conditional_edges(
        "c", lambda state: "b" if len(state["log"]) < 6 else "__end__", ["b", "__end__"]
    )
    graph = builder.compile(checkpointer=saver)
    for thread in "12":
        config = {"configurable": {"thread_id": thread}}
        graph.invoke({"log": ["i"]}, config)
        if thread == "2":
            graph.invoke(Command(resume="one"), config)
        graph.update_state(config, {"log": ["by hand"]}, as_node="b")
        record(f"{thread}: again", outcome(graph.invoke(None, config)))
        record(f"{thread}: answered", outcome(graph.invoke(Command(resume="yes"), config)))


async def program_run_again_async(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("b", remembers())
    graph = builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)
    for given in ({"log": ["i"]}, {"log": ["j"]}, Command(resume="2")):
        await graph.ainvoke(given, CONFIG)
    then = [one async for one in graph.aget_state_history(CONFIG) if one.next == ("b",)]
    for number in (1, 0):
        record(f"{number}", outcome(await graph.ainvoke(None, then[number].config)))
        record(f"{number} answered", outcome(await graph.ainvoke(Command(resume="!"), CONFIG)))


def program_a_new_input_where_it_asks_and_only_ends_are_saved(record, saver):
    for shape in SHAPES:
        for first, second in (("exit", "exit"), ("exit", "async"), ("async", "exit")):
            graph = graph_of(saver, shape)
            for turn, durability in enumerate((first, second, first)):
                graph.invoke({"log": [turn]}, CONFIG, durability=durability)
            record(f"{shape}, {first}, {second}", graph.get_state(CONFIG, subgraphs=True).values)
            asked = graph.get_state(CONFIG).interrupts
            answers = {question.id: "yes" for question in asked}
            record("answered", graph.invoke(Command(resume=answers), CONFIG, durability=second))
            graph.invoke({"log": ["again"]}, CONFIG, durability=first)
            record("again", graph.invoke(Command(resume="no"), CONFIG, durability=first))
            graph.update_state(CONFIG, {"log": ["by hand"]})
            graph.invoke({"log": ["more"]}, CONFIG, durability=first)
            record("more", graph.invoke(Command(resume="no"), CONFIG, durability=second))
