"""The state of a graph is changed by hand while a graph that it calls asks: what becomes of the answer?"""

import operator
from itertools import product
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    x: Annotated[int, lambda left, right: right]


def plain(name):
    return lambda state: {"log": [name]}


def asks(name, questions=1):
    return lambda state: {"log": [name] + [interrupt(f"{name}{n}?") for n in range(questions)]}


def chain(checkpointer=None, **nodes):
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(before, name)
        before = name
    return builder.compile(checkpointer=checkpointer)


def called(graph):
    return lambda state: {"log": ["called", *graph.invoke({"log": []})["log"]]}


HOW = {"as node": lambda graph: graph, "called": called}


def outcome(result):
    return result.get("log"), sorted(str(question.value) for question in result.get("__interrupt__", ()))


def told(record, label, graph, updates, answers, ids=False):
    """Run to the question, change the state, answer; record what each answer led to, and the history."""
    config = {"configurable": {"thread_id": label}}
    open_ids = [question.id for question in graph.invoke({"log": []}, config).get("__interrupt__", ())]
    for update, as_node in updates:
        graph.update_state(config, update, as_node=as_node)
    record(f"{label} after the change", graph.get_state(config).interrupts)
    for answer in [dict.fromkeys(open_ids, "by id")] if ids else answers:
        record(f"{label} {'by id' if ids else answer}", outcome(graph.invoke(Command(resume=answer), config)))
    record(f"{label} history", [(s.values, s.next, s.metadata) for s in graph.get_state_history(config)])


def one_level(saver, how, checkpointer, questions=1):
    inner = chain(checkpointer, c0=plain("c0"), c1=asks("c1", questions))
    return chain(saver, a=plain("a"), p=HOW[how](inner), z=plain("z"))


def two_levels(saver, how, checkpointer, questions=1):
    lowest = chain(None, g0=plain("g0"), g1=asks("g1", questions))
    middle = chain(checkpointer, m0=plain("m0"), m=HOW[how](lowest))
    return chain(saver, a=plain("a"), p=HOW[how](middle), z=plain("z"))


def program_update_a_caller(record, saver):
    """Whatever the update is, a plain answer reaches the question of before."""
    updates = {
        "another key": [({"x": 1}, None)],
        "a key that the child reads": [({"log": ["u"]}, None)],
        "nothing": [(None, None)],
        "twice": [({"x": 1}, None), ({"x": 2}, None)],
        "as the node before": [({"x": 1}, "a")],
    }
    for how, checkpointer, (label, update) in product(HOW, (None, True, False), updates.items()):
        told(record, f"{how} {checkpointer} {label}", one_level(saver, how, checkpointer), update, ["yes"])


def program_update_the_caller_of_a_caller(record, saver):
    for how, checkpointer in product(HOW, (None, True, False)):
        told(
            record, f"{how} {checkpointer}", two_levels(saver, how, checkpointer), [({"x": 1}, None)], ["yes"]
        )


def program_two_questions_below_a_change(record, saver):
    for build, how, checkpointer in product((one_level, two_levels), HOW, (None, True)):
        label = f"{build.__name__} {how} {checkpointer}"
        told(record, label, build(saver, how, checkpointer, 2), [({"x": 1}, None)], ["first", "second"])


def program_second_question_of_a_stateful_child(record, saver):
    """The child stands where it stood: it has the first answer, and the second is for what is open."""
    for how in HOW:
        graph, config = one_level(saver, how, True, 2), {"configurable": {"thread_id": how}}
        graph.invoke({"log": []}, config)
        graph.invoke(Command(resume="first"), config)
        graph.update_state(config, {"x": 1})
        record(how, outcome(graph.invoke(Command(resume="second"), config)))


def program_ids_of_a_stateful_child_outlast_a_change(record, saver):
    for build, how in product((one_level, two_levels), HOW):
        graph = build(saver, how, True)
        told(record, f"{build.__name__} {how}", graph, [({"x": 1}, None)], [], ids=True)
    side_by_side = StateGraph(State)
    for name in ("c1", "c2"):
        side_by_side.add_node(name, asks(name)).add_edge(START, name)
    graph = chain(saver, a=plain("a"), p=side_by_side.compile(checkpointer=True))
    told(record, "side by side", graph, [({"x": 1}, None)], [], ids=True)


def program_update_as_the_calling_node(record, saver):
    for how, checkpointer in product(HOW, (None, True)):
        graph, config = (
            one_level(saver, how, checkpointer),
            {"configurable": {"thread_id": f"{how} {checkpointer}"}},
        )
        graph.invoke({"log": []}, config)
        graph.update_state(config, {"log": ["by hand"]}, as_node="p")
        record(f"{how} {checkpointer}", outcome(graph.invoke(None, config)))


def program_change_above_a_send(record, saver):
    def ask(state):
        return {"log": [state["x"], interrupt(f"{state['x']}?")] if state["x"] == 1 else [state["x"]]}

    for numbers in ([1], [0, 1, 2]):
        builder = StateGraph(State).add_node("a", plain("a")).add_node("f", chain(c=ask)).add_edge(START, "a")
        builder.add_conditional_edges("a", lambda s, n=numbers: [Send("f", {"x": i, "log": []}) for i in n])
        graph = builder.compile(checkpointer=saver)
        told(record, str(numbers), graph, [({"log": ["u"]}, "a")], ["yes"])


def program_change_above_a_second_call(record, saver):
    for checkpointer in (None, True):
        silent, asking = chain(c=plain("silent")), chain(checkpointer, c=asks("c"))
        graph = chain(
            saver,
            a=plain("a"),
            p=lambda state, s=silent, q=asking: {
                "log": [*s.invoke({"log": []})["log"], *q.invoke({"log": []})["log"]]
            },
        )
        told(record, str(checkpointer), graph, [({"x": 1}, None)], ["yes"])


def program_change_below(record, saver):
    """A called graph's state is changed: the answer reaches it, and is there still when it asks again."""
    for build, how, checkpointer in product((one_level, two_levels), HOW, (None, True)):
        config = {"configurable": {"thread_id": f"{build.__name__} {how} {checkpointer}"}}
        graph = build(saver, how, checkpointer, 2)
        graph.invoke({"log": []}, config)
        graph.update_state(graph.get_state(config, subgraphs=True).tasks[0].state.config, {"x": 1})
        results = [graph.invoke(Command(resume="first"), config)]
        (question,) = graph.get_state(config).interrupts
        results.append(graph.invoke(Command(resume={question.id: "second"}), config))
        record(config["configurable"]["thread_id"], [outcome(result) for result in results])


def program_another_question_after_a_change_below(record, saver):
    """What a called graph asks after its state was changed is answered like any question."""
    by_content = chain(a=plain("a"), b=lambda state: {"log": [interrupt(state["log"][-1])]})
    for how in HOW:
        graph, config = chain(saver, p=HOW[how](by_content)), {"configurable": {"thread_id": how}}
        results = [graph.invoke({"log": []}, config)]
        below = graph.get_state(config, subgraphs=True).tasks[0].state.config
        graph.update_state(below, {"log": ["changed"]})
        for answer in ("to what was asked before", "to what is asked now"):
            (question,) = graph.get_state(config).interrupts
            results.append(graph.invoke(Command(resume={question.id: answer}), config))
        record(how, [outcome(result) for result in results])


def program_a_change_before_a_child_that_ended(record, saver):
    """The branch finds what the child had at that checkpoint, without what it did after."""
    for how in HOW:
        graph, config = one_level(saver, how, True), {"configurable": {"thread_id": how}}
        for turn in ("one", "two"):
            graph.invoke({"log": []}, config)
            graph.invoke(Command(resume=turn), config)
        (before, *_) = [s.config for s in graph.get_state_history(config) if s.next == ("p",)]
        branch = graph.update_state(before, {"x": 1})
        record(f"{how} asks", outcome(graph.invoke(None, branch)))
        record(f"{how} answered", outcome(graph.invoke(Command(resume="three"), config)))


def program_what_a_dropped_child_had_is_remembered(record, saver):
    """After a change a child starts anew; one with state of its own goes on from what it had when it paused."""
    for how in HOW:
        inner = chain(True, c0=plain("c0"), c1=asks("c1"))
        graph = chain(saver, a=plain("a"), p=HOW[how](inner), z=plain("z"))
        told(record, f"as START {how}", graph, [({"x": 1}, START)], ["starts anew", "yes"])
        lowest = chain(True, g0=plain("g0"), g1=asks("g1"))
        graph = chain(saver, a=plain("a"), p=HOW[how](chain(None, m0=plain("m0"), m=HOW[how](lowest))))
        told(record, f"two levels {how}", graph, [({"x": 1}, None)], ["yes"])
        record(
            f"{how} again",
            outcome(graph.invoke({"log": []}, {"configurable": {"thread_id": f"two levels {how}"}})),
        )


def program_what_waits_for_all_others_while_something_is_about_to_run(record, saver):
    """A change by hand starts nothing: what was put off until the end can run then, beside what is about to."""
    for name in "abcde":
        for longer in (False, True):
            builder = StateGraph(State)
            for node in "abce":
                builder.add_node(node, lambda state, node=node: {"log": [node]})
            builder.add_node("d", lambda state: {"log": ["d"]}, defer=True)
            builder.add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c").add_edge("a", "d")
            if longer:
                builder.add_edge("b", "e")
            graph = builder.compile(checkpointer=saver, interrupt_before=["c", "e"])
            config = {"configurable": {"thread_id": f"{name}{longer}"}}
            record(f"{name} stopped", graph.invoke({"log": []}, config))
            for _ in range(2):
                try:
                    graph.update_state(config, {"log": ["by hand"]}, as_node=name)
                    record(f"{name} changed", graph.get_state(config))
                except Exception as error:
                    record(f"{name} refused", type(error).__name__)
            for _ in range(2):
                record(f"{name} goes on", (graph.invoke(None, config), graph.get_state(config).next))
