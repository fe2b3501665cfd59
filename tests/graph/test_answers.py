"""An answer reaches the question that it was given to, once, whatever its value."""

from __future__ import annotations

import inspect

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import (
    AlreadyAnswered,
    AnswerInDoubt,
    UnknownInterruptError,
    UnknownNodeError,
    UnsupportedValue,
    is_invalid_resume,
)
from nbhitl.graph import END, START, StateGraph
from nbhitl.types import Command, RetryPolicy, Send, interrupt

from .asking import CONFIG, State, asking, graph_of, ids, questions, waiting

VALUES = [None, False, 0, 0.0, "", [], {}, True, 1, "yes", [None], {"approve": None}, {"": {}}, "0" * 32]
A_WRONG_ID = "a" * 32


@pytest.mark.parametrize("answer", VALUES, ids=repr)
def test_every_json_value_is_an_answer(run, saver, answer):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {})
    result = run.invoke(graph, Command(resume=answer))["log"]
    assert result == [answer]
    assert type(result[0]) is type(answer)


@pytest.mark.parametrize("answer", VALUES, ids=repr)
def test_every_json_value_is_an_answer_by_id(run, answer):
    graph = graph_of(asking("q"))
    (question,) = run.invoke(graph, {})["__interrupt__"]
    assert run.invoke(graph, Command(resume={question.id: answer})) == {"log": [answer]}


def test_an_answer_with_an_update_may_be_none_by_id(run):
    graph = graph_of(asking("q"))
    (question,) = run.invoke(graph, {})["__interrupt__"]
    assert run.invoke(graph, Command(resume={question.id: None}, update={"log": ["extra"]})) == {
        "log": ["extra", None]
    }


@pytest.mark.parametrize("key", [1, "approve", "A" * 32, "a" * 31])
def test_a_dict_that_names_no_question_is_an_answer(run, key):
    graph = graph_of(asking("q"))
    run.invoke(graph, {})
    assert run.invoke(graph, Command(resume={key: 2})) == {"log": [{key: 2}]}


# -- several questions -----------------------------------------------------------------------------
def three(saver=None):
    return graph_of(*(asking(f"{name}?", name=name) for name in "abc"), saver=saver, parallel=True)


def test_all_answers_at_once(run, saver):
    graph = three(saver)
    asked = {question.value: question.id for question in run.invoke(graph, {})["__interrupt__"]}
    answers = {asked["c?"]: None, asked["a?"]: "A", asked["b?"]: {}}
    assert run.invoke(graph, Command(resume=answers)) == {"log": ["A", {}, None]}
    assert waiting(saver) == []


def test_one_answer_after_another(run, saver):
    graph = three(saver)
    asked = {question.value: question.id for question in run.invoke(graph, {})["__interrupt__"]}
    left = run.invoke(graph, Command(resume={asked["b?"]: False}))
    assert [(q.value, q.id) for q in left["__interrupt__"]] == [("a?", asked["a?"]), ("c?", asked["c?"])]
    assert left["log"] == [False]
    assert questions(graph) == waiting(saver) == ["a?", "c?"]
    run.invoke(graph, Command(resume={asked["c?"]: 0}))
    assert questions(graph) == ["a?"]
    assert run.invoke(graph, Command(resume="last")) == {"log": ["last", False, 0]}


def test_one_answer_for_several_questions_is_refused_and_nothing_lost(run, saver):
    graph = three(saver)
    run.invoke(graph, {})
    with pytest.raises(RuntimeError, match="you must specify the interrupt id"):
        run.invoke(graph, Command(resume="yes"))
    assert questions(graph) == waiting(saver) == ["a?", "b?", "c?"]


def test_a_map_with_one_wrong_id_answers_nothing_if_resumes_are_strict(run, saver):
    graph = three(saver)
    run.invoke(graph, {})
    answers = Command(resume={ids(graph)[0]: "A", A_WRONG_ID: "?"})
    with pytest.raises(UnknownInterruptError) as caught:
        run.invoke(
            graph, answers, {"configurable": {**CONFIG["configurable"], "__pregel_strict_resume": True}}
        )
    assert caught.value.interrupt_ids == (A_WRONG_ID,)
    assert questions(graph) == waiting(saver) == ["a?", "b?", "c?"]
    assert run.invoke(graph, answers)["log"] == ["A"]
    assert questions(graph) == waiting(saver) == ["b?", "c?"]


def test_answers_in_one_node_keep_their_places(run, saver):
    graph = graph_of(asking("first", "second", "third"), saver=saver)
    run.invoke(graph, {})
    for answer in (None, {}):
        assert len(questions(graph)) == 1
        run.invoke(graph, Command(resume=answer))
    assert questions(graph) == ["third"]
    assert run.invoke(graph, Command(resume=3)) == {"log": [None, {}, 3]}


def test_every_send_asks_its_own_question(run, saver):
    """Answered in any order, the answers stay with the arguments."""
    builder = StateGraph(State)
    builder.add_node("split", lambda state: Command(goto=[Send("pay", f"bill {n}") for n in range(4)]))
    builder.add_node("pay", lambda bill: {"log": [(bill, interrupt(f"pay {bill}?"))]})
    graph = builder.add_edge(START, "split").compile(checkpointer=saver)
    asked = {question.value: question.id for question in run.invoke(graph, {})["__interrupt__"]}
    assert list(asked) == [f"pay bill {n}?" for n in range(4)]
    for n in (2, 0):
        run.invoke(graph, Command(resume={asked[f"pay bill {n}?"]: n}))
    result = run.invoke(graph, Command(resume={asked[f"pay bill {n}?"]: n for n in (3, 1)}))
    assert result == {"log": [(f"bill {n}", n) for n in range(4)]}


def test_the_first_path_function_may_ask_a_reader_of_the_stream(saver):
    builder = StateGraph(State).add_node("go", lambda state: {"log": ["went"]})
    graph = builder.add_conditional_edges(START, lambda state: interrupt("where to?")).compile(saver)
    (chunk,) = graph.stream({"log": []}, CONFIG, stream_mode="updates")
    assert [question.value for question in chunk["__interrupt__"]] == ["where to?"]
    assert graph.invoke(Command(resume="go"), CONFIG) == {"log": ["went"]}


def test_a_path_function_may_ask(run, saver):
    builder = StateGraph(State)
    builder.add_node("work", lambda state: {"log": ["worked"]})
    builder.add_node("send", lambda state: {"log": ["sent"]})
    builder.add_edge(START, "work")
    builder.add_conditional_edges(
        "work", lambda state: interrupt(f"{state['log']}: send?"), {True: "send", False: END}
    )
    graph = builder.compile(checkpointer=saver)
    assert [q.value for q in run.invoke(graph, {})["__interrupt__"]] == ["['worked']: send?"]
    assert graph.get_state(CONFIG).values == {"log": []}
    assert run.invoke(graph, Command(resume=False)) == {"log": ["worked"]}


def test_a_retry_gets_the_answers_that_were_given(run, saver):
    tries = []

    def ask(state: State) -> State:
        answers = [interrupt("first?"), interrupt("second?")]
        tries.append(answers)
        if len(tries) < 3:
            raise ConnectionError
        return {"log": answers}

    builder = StateGraph(State)
    builder.add_node("ask", ask, retry_policy=RetryPolicy(initial_interval=0.0, jitter=False))
    graph = builder.add_edge(START, "ask").compile(checkpointer=saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume=None))
    assert run.invoke(graph, Command(resume=0)) == {"log": [None, 0]}
    assert tries == [[None, 0]] * 3


def test_after_a_failure_going_on_applies_the_answer_again(run, saver):
    tries = []

    def ask(state: State) -> State:
        tries.append(interrupt("q"))
        if len(tries) == 1:
            raise ConnectionError("once")
        return {"log": tries[-1:]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {})
    with pytest.raises(ConnectionError):
        run.invoke(graph, Command(resume="yes"))
    with pytest.raises(AlreadyAnswered):
        run.invoke(graph, Command(resume="no"))
    assert run.invoke(graph, None) == {"log": ["yes"]}
    assert tries == ["yes", "yes"]
    assert [claim.state for claim in saver.claims("t")] == ["applied"]


class Unheard:
    """A class that no store knows."""


def test_a_result_that_cannot_be_saved_leaves_the_answer_in_doubt(run, saver):
    # The node has run, so its effect may have happened, and nothing records it: that is not retried unasked.
    tries = []

    def ask(state: State) -> State:
        interrupt("q")
        tries.append("effect")
        return {"log": [Unheard()]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {})
    with pytest.raises(UnsupportedValue):
        run.invoke(graph, Command(resume="yes"))
    with pytest.raises(AnswerInDoubt):
        run.invoke(graph, None)
    assert tries == ["effect"]


def test_an_answer_that_does_not_fit_leaves_the_question_open(run, saver):
    from pydantic import ValidationError

    def ask(state: State) -> State:
        return {"log": [interrupt("how many?", response_schema=int)]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {})
    for _ in range(2):
        with pytest.raises(ValidationError) as caught:
            run.invoke(graph, Command(resume="three"))
        assert is_invalid_resume(caught.value)
        assert questions(graph) == waiting(saver) == ["how many?"]
    assert run.invoke(graph, Command(resume=3)) == {"log": [3]}


# -- an answer is delivered once -------------------------------------------------------------------
@pytest.mark.parametrize("again", ["yes", "no"])
def test_a_second_click_after_the_end_runs_nothing(run, saver, again):
    graph = graph_of(asking("delete?"), saver=saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume="yes"))
    before = list(graph.get_state_history(CONFIG))
    with pytest.raises(UnknownInterruptError, match="finished, or was answered already"):
        run.invoke(graph, Command(resume=again))
    assert list(graph.get_state_history(CONFIG)) == before


def test_the_id_of_an_answered_question_opens_no_other(run, saver):
    graph = graph_of(asking("delete drafts?", "delete PRODUCTION?"), saver=saver)
    (first,) = run.invoke(graph, {})["__interrupt__"]
    run.invoke(graph, Command(resume={first.id: "yes"}))
    with pytest.raises(UnknownInterruptError) as caught:
        run.invoke(graph, Command(resume={first.id: "yes"}))
    assert caught.value.interrupt_ids == (first.id,)
    assert questions(graph) == waiting(saver) == ["delete PRODUCTION?"]


def test_going_on_answers_nothing(run, saver):
    graph = graph_of(asking("drafts?", "production?"), saver=saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume="yes"))
    for _ in range(2):
        assert [q.value for q in run.invoke(graph, None)["__interrupt__"]] == ["production?"]


def test_a_fork_of_an_answered_question_asks_anew(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {})
    at_question = graph.get_state(CONFIG).config
    first = ids(graph)
    run.invoke(graph, Command(resume="yes"))
    assert [q.value for q in run.invoke(graph, None, at_question)["__interrupt__"]] == ["q"]
    assert ids(graph) != first
    assert run.invoke(graph, Command(resume="no")) == {"log": ["no"]}


def test_an_update_between_question_and_answer_forgets_no_answer_and_asks_anew(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    (question,) = run.invoke(graph, {})["__interrupt__"]
    graph.update_state(CONFIG, None)
    with pytest.raises(UnknownInterruptError):
        run.invoke(graph, Command(resume={question.id: "yes"}))


def test_a_named_older_checkpoint_is_not_answered_twice(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {})
    config = graph.get_state(CONFIG).config
    run.invoke(graph, Command(resume="yes"))
    with pytest.raises((AlreadyAnswered, UnknownInterruptError)):
        run.invoke(graph, Command(resume="no"), config)
    assert graph.get_state(CONFIG).values == {"log": ["yes"]}


# -- the other promises ----------------------------------------------------------------------------
def test_a_goto_to_no_node_is_an_error_and_the_question_stays_answerable(run):
    def route(state):
        return Command(goto="sned" if interrupt("where?") == "typo" else END)

    graph = graph_of(route, asking("q", name="send"))
    run.invoke(graph, {})
    with pytest.raises(UnknownNodeError, match=r"node 'route' goes on to 'sned'.*Did you mean 'send'?"):
        run.invoke(graph, Command(resume="typo"))
    assert graph.get_state(CONFIG).next == ("route",)


def test_a_goto_given_as_input_to_no_node_is_an_error(run):
    graph = graph_of(asking("q"))
    run.invoke(graph, {})
    for goto in ("aks", Send("aks", 1)):
        with pytest.raises(UnknownNodeError, match=r"the Command given as input .* Did you mean 'ask'?"):
            run.invoke(graph, Command(goto=goto))
    assert questions(graph) == ["q"]


def test_a_task_tells_its_input(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {"log": ["in"]})
    (task,) = graph.get_state(CONFIG).tasks
    assert task.input == {"log": ["in"]}
    assert "input" not in task._fields


def test_a_graph_counts_as_a_langchain_runnable_without_deriving_from_it():
    runnables = pytest.importorskip("langchain_core.runnables")
    graph = graph_of(asking("q"))
    assert isinstance(graph, runnables.Runnable)
    assert runnables.Runnable not in type(graph).__mro__


def test_what_comes_from_langchain_says_so_where_it_is_missing(monkeypatch):
    monkeypatch.setattr("nbhitl._runnable.langchain_module", lambda _: None)
    graph = graph_of(asking("q"))
    with pytest.raises(AttributeError, match=r"Graph\.with_retry comes from LangChain: pip install"):
        graph.with_retry()
    with pytest.raises(AttributeError, match=r"Graph\.__or__ comes from LangChain: pip install"):
        _ = graph | str
    assert not hasattr(graph, "atransform")
    assert "invoke" in dict(inspect.getmembers(graph))


def test_an_answer_at_a_breakpoint_before_sends_means_to_go_on():
    builder = StateGraph(State).add_node("work", lambda item: {"log": [item]})
    builder.add_conditional_edges(START, lambda state: [Send("work", n) for n in range(2)], ["work"])
    graph = builder.compile(checkpointer=InMemorySaver(), interrupt_before=["work"])
    graph.invoke({}, CONFIG)
    assert graph.invoke(Command(resume="go on"), CONFIG) == {"log": [0, 1]}


def test_the_answer_of_a_task_that_failed_is_there_when_another_task_is_answered():
    failing = [True]

    def fails_once(state: State) -> State:
        answer = interrupt("first?")
        if failing and failing.pop():
            raise OSError("no space")
        return {"log": [answer]}

    graph = graph_of(fails_once, asking("second?"), parallel=True)
    asked = {question.value: question.id for question in graph.invoke({}, CONFIG)["__interrupt__"]}
    with pytest.raises(OSError, match="no space"):
        graph.invoke(Command(resume={asked["first?"]: "one"}), CONFIG)
    assert sorted(graph.invoke(Command(resume={asked["second?"]: "two"}), CONFIG)["log"]) == ["one", "two"]
