"""A thread runs, pauses, shows its question as text, and goes on."""

from __future__ import annotations

import threading
import time

import pytest

from nbhitl.errors import (
    AlreadyAnswered,
    InvalidAnswer,
    NotAnswered,
    QuestionChanged,
    QuestionOpen,
    ReviewError,
    StaleQuestion,
)
from nbhitl.review.ask import ask
from nbhitl.thread import GraphThread


def asking(lib, payload, effects=None):
    def node(state):
        answer = lib.interrupt(payload)
        if effects is not None:
            effects.append(answer)
        return {"log": [answer]}

    return node


def test_runs_to_the_question_and_on(lib, build, capsys):
    thread = GraphThread(build(review=asking(lib, {"question": "Which?", "options": ["a", "b"]})), "t")
    thread.run({"log": ["in"]})
    assert "Which?" in capsys.readouterr().out
    assert thread.session.state == "paused"
    with pytest.raises(NotAnswered, match=r"waits for an answer at 'review' \(q1\)"):
        thread.result
    thread.option("b")
    assert thread.result == {"log": ["in", "b"]}
    assert thread.questions == []
    assert "finished" in capsys.readouterr().out


def test_verbs_need_exactly_one_open_question(lib, build):
    thread = GraphThread(build(review=asking(lib, "free?")), "t")
    with pytest.raises(ReviewError, match="No question is open"):
        thread.approve()
    thread.run({"log": []})
    thread.respond("hello")
    assert thread.result["log"] == ["hello"]
    with pytest.raises(ReviewError, match="No question is open on thread 't': it is finished"):
        thread.respond("again")


def test_a_question_of_a_renamed_node_is_told_and_can_still_be_answered(lib, build):
    graph = build(review=asking(lib, "free?"))
    GraphThread(graph, "t").run({"log": []})
    renamed = build(reviewed=asking(lib, "free?"))
    renamed.checkpointer = graph.checkpointer
    renamed = GraphThread(renamed, "t")
    with pytest.raises(ReviewError, match=r"No question is open .* renamed or removed since"):
        renamed.question
    with pytest.raises(NotAnswered, match="to a node that this graph does not have"):
        renamed.result
    again = GraphThread(graph, "t")
    again.respond("yes")
    assert again.result == {"log": ["yes"]}


@pytest.mark.parametrize("value", [None, {}, [], "", 0, False, {"a": {"b": [1, None]}}, {"1" * 32: "x"}])
def test_every_json_value_is_an_answer(lib, build, value):
    thread = GraphThread(build(review=asking(lib, {"anything": 1})), "t")
    thread.run({"log": []})
    thread.answer(value)
    assert thread.result["log"] == [value]
    assert type(thread.result["log"][0]) is type(value)


def test_no_approve_is_guessed(lib, build):
    thread = GraphThread(build(review=asking(lib, {"anything": 1})), "t")
    thread.run({"log": []})
    assert thread.question.allowed == ("respond",)
    with pytest.raises(InvalidAnswer, match="replies="):
        thread.approve()
    assert thread.question.state == "open"


def test_replies_name_the_values(lib, build):
    effects = []
    replies = {"review": {"approve": "yes", "reject": lambda reason: ["no", reason], "later": None}}
    graph = build(review=asking(lib, {"anything": 1}, effects))
    for number, verb in enumerate((("approve",), ("reject", "too much"), ("option", "later"))):
        thread = GraphThread(graph, f"t{number}", replies=replies)
        thread.run({"log": []})
        getattr(thread, verb[0])(*verb[1:])
    assert effects == ["yes", ["no", "too much"], None]


def test_unknown_names_are_refused(lib, build):
    graph = build(review=asking(lib, 1))
    with pytest.raises(ValueError, match="Did you mean 'review'"):
        GraphThread(graph, "t", replies={"reviews": {}})
    with pytest.raises(ValueError, match="no node 'x'"):
        GraphThread(graph, "t", interrupt_before=["x"])


def test_a_graph_without_checkpointer_or_not_compiled(lib):
    builder = lib.StateGraph(dict).add_node("n", lambda s: s).add_edge(lib.START, "n")
    with pytest.raises(ValueError, match="no checkpointer"):
        GraphThread(builder.compile(), "t")
    with pytest.raises(TypeError, match=r"\.compile\(checkpointer"):
        GraphThread(builder, "t")


# -- running again ---------------------------------------------------------------------------------


def test_the_same_input_shows_the_same_card(lib, build, capsys):
    started = []

    def node(state):
        started.append(1)
        return {"log": [lib.interrupt("ok?")]}

    graph = build(review=node)
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    card = thread.question
    thread.run({"log": ["in"]})
    assert thread.question is card
    assert len(started) == 1
    GraphThread(graph, "t").run({"log": ["in"]})
    assert len(started) == 1
    assert capsys.readouterr().out.count("ok?") == 3


def test_another_input_is_refused_and_restart_starts_over(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": ["in"]})
    with pytest.raises(QuestionOpen, match=r"node 'review' \(q1\)"):
        thread.run({"log": ["other"]})
    thread.run({"log": ["other"]}, restart=True)
    thread.respond("yes")
    assert thread.result["log"] == ["other", "yes"]


def test_a_new_session_knows_the_input_from_the_history(lib, build):
    graph = build(review=asking(lib, "ok?"))
    graph.invoke({"log": ["in"]}, {"configurable": {"thread_id": "t"}})
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    assert [card.label for card in thread.questions] == ["q1"]
    with pytest.raises(QuestionOpen):
        thread.run({"log": ["else"]})


def test_a_finished_thread_takes_new_input(lib, build):
    thread = GraphThread(build(review=lambda s: {"log": ["ran"]}), "t")
    thread.run({"log": ["1"]})
    thread.run({"log": ["2"]})
    assert thread.result["log"] == ["1", "ran", "2", "ran"]


def test_resume_commands_are_refused(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": []})
    with pytest.raises(ReviewError, match=r"thread\.approve\(\)"):
        thread.run(lib.Command(resume="yes"))


def test_reattaching_finds_the_question(lib, build):
    graph = build(review=asking(lib, "ok?"))
    GraphThread(graph, "t").run({"log": []})
    again = GraphThread(graph, "t")
    assert again.question.text == "ok?"
    again.respond("yes")
    assert again.result == {"log": ["yes"]}


# -- several questions -----------------------------------------------------------------------------


def test_questions_of_one_node_come_one_after_the_other(lib, build):
    def node(state):
        return {"log": [lib.interrupt("first"), lib.interrupt("second")]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    thread.respond(1)
    assert (thread.question.text, thread.question.label) == ("second", "q2")
    thread.respond(2)
    assert thread.result["log"] == [1, 2]
    assert [card.state for card in thread.session.cards] == ["decided", "decided"]


def test_parallel_questions_in_any_order(lib):
    from .conftest import State

    def node(name):
        return lambda state: {"log": [lib.interrupt(name)]}

    builder = lib.StateGraph(State)
    for name in ("a", "b"):
        builder.add_node(name, node(name)).add_edge(lib.START, name)
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    a, b = thread.questions
    with pytest.raises(ReviewError, match="2 questions are open"):
        thread.question
    b.respond("B")
    assert [card.text for card in thread.questions] == ["a"]
    a.respond("A")
    assert thread.result["log"] == ["A", "B"]


def test_a_question_in_a_subgraph(lib, build):
    from .conftest import State

    child = lib.StateGraph(State).add_node("inner", asking(lib, "inner?")).add_edge(lib.START, "inner")
    thread = GraphThread(build(child=child.compile()), "t", replies={"child/inner": {"approve": "yes"}})
    thread.run({"log": []})
    assert thread.question.node == "child/inner"
    thread.approve()
    assert thread.result["log"] == ["yes"]


# -- once ------------------------------------------------------------------------------------------


def test_thirty_two_threads_have_one_effect(lib, build):
    effects = []

    def slow(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        time.sleep(0.05)
        effects.append(answer)
        return {"log": [answer]}

    graph = build(review=slow)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    other = GraphThread(graph, "t").question
    errors: list[BaseException] = []
    barrier = threading.Barrier(32)

    def press(number):
        barrier.wait()
        try:
            (card if number % 2 else other).option("go")
        except ReviewError as error:
            errors.append(error)

    pressed = [threading.Thread(target=press, args=(n,)) for n in range(32)]
    for one in pressed:
        one.start()
    for one in pressed:
        one.join(30)
    assert effects == ["go"]
    assert thread.result["log"] == ["go"]
    # The cards of one session agree; of the two sessions one is told that the other was first.
    assert all(isinstance(error, (AlreadyAnswered, ReviewError)) for error in errors)


def test_a_click_and_a_call_at_once(lib, build):
    effects = []
    thread = GraphThread(build(review=asking(lib, {"question": "go?", "options": ["go"]}, effects)), "t")
    thread.run({"log": []})
    card = thread.question
    card.option("go", wait=False)
    card.option("go")
    assert effects == ["go"]
    assert thread.session.state == "finished"


def test_another_answer_is_told_who_won(lib, build):
    thread = GraphThread(
        build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]})), "t", by="ada"
    )
    thread.run({"log": []})
    card = thread.question
    card.option("go")
    with pytest.raises(AlreadyAnswered, match="by ada at 20") as caught:
        card.option("stop")
    assert caught.value.by == "ada"


def test_another_session_is_told_who_won(lib, build):
    graph = build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]}))
    first, second = GraphThread(graph, "t", by="ada"), GraphThread(graph, "t", by="ben")
    first.run({"log": []})
    card = second.question
    first.option("go")
    with pytest.raises(AlreadyAnswered, match="answered by ada"):
        card.option("stop")
    assert card.state == "stale"
    second.refresh()
    assert second.result["log"] == ["go"]


def test_a_changed_question_is_stale_and_nothing_runs(lib, build):
    effects = []

    def pay(state):
        answer = lib.interrupt({"question": "pay?", "options": ["yes", "no"], "amount": state["amount"]})
        effects.append((answer, state["amount"]))
        return {"log": [answer]}

    graph = build(plan=lambda s: {"log": ["planned"]}, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": [], "amount": 10})
    card = thread.question
    graph.update_state(thread.config, {"amount": 1_000_000}, as_node="plan")
    with pytest.raises(StaleQuestion):
        card.option("yes")
    assert effects == []
    assert card.state == "stale"
    card.ask_again()
    assert thread.question.details == {"amount": 1_000_000}
    assert effects == []
    thread.option("no")
    assert effects == [("no", 1_000_000)]


# -- failures --------------------------------------------------------------------------------------


def test_a_node_that_fails_after_the_answer_can_be_retried(lib, build):
    broken = [True]

    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if broken[0]:
            raise ValueError("no such table")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="no such table"):
        card.option("go")
    assert (card.state, card.error) == ("failed", "ValueError: no such table")
    assert thread.questions == []
    with pytest.raises(NotAnswered, match="no such table"):
        thread.result
    broken[0] = False
    card.retry()
    assert card.state == "decided"
    assert thread.result["log"] == ["go"]


def test_a_failed_question_can_be_answered_anew(lib, build):
    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if answer == "go":
            raise ValueError("boom")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="boom"):
        card.option("go")
    card.ask_again()
    assert thread.question is not card
    assert thread.question.label == "q2"
    thread.option("stop")
    assert thread.result["log"] == ["stop"]
    assert card.state == "stale"
    with pytest.raises(ReviewError):
        card.retry()


def test_a_node_that_fails_later(lib, build):
    broken = [True]

    def later(state):
        if broken[0]:
            raise ValueError("later")
        return {"log": ["later"]}

    thread = GraphThread(build(review=asking(lib, "ok?"), later=later), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="later"):
        thread.respond("yes")
    broken[0] = False
    thread.run()
    assert thread.result["log"] == ["yes", "later"]
    assert card.decision.value == "yes"


def test_an_error_in_a_click_is_on_the_card(lib, build):
    def node(state):
        lib.interrupt({"question": "go?", "options": ["go"]})
        raise ValueError("<script>boom</script>")

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    card.option("go", wait=False)
    assert card.wait_settled(10)
    assert card.state == "failed"
    assert "<script>boom</script>" in card.error


def test_a_bad_answer_leaves_the_question_open(lib, build):
    thread = GraphThread(build(review=asking(lib, {"question": "go?", "options": ["go"]})), "t")
    thread.run({"log": []})
    thread.question.option("fly", wait=False)
    assert "'fly' is not an option" in thread.question.error
    with pytest.raises(InvalidAnswer):
        thread.option("fly")
    thread.option("go")
    assert thread.result["log"] == ["go"]


def test_the_cards_count_how_often_a_node_started(lib, build):
    def node(state):
        return {"log": [lib.interrupt("1"), lib.interrupt("2")]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    assert thread.question.runs == 1
    thread.respond("a")
    assert thread.question.runs == 2


# -- ask() -----------------------------------------------------------------------------------------


def test_ask_returns_a_decision(lib, build):
    seen = []

    def node(state):
        decision = ask(
            "Delete?",
            action="run_sql",
            args={"sql": "DELETE", "limit": 5},
            table=[{"id": 1}, {"id": 2}],
            details={"database": "x.db"},
            reasons=["too many"],
        )
        seen.append(decision)
        return {"log": [decision.kind]}

    graph = build(review=node)
    for number, decide in enumerate(
        (
            lambda t: t.approve(),
            lambda t: t.edit(limit=3),
            lambda t: t.edit({"sql": "SELECT", "limit": 1}),
            lambda t: t.reject("too many"),
        )
    ):
        thread = GraphThread(graph, f"t{number}")
        thread.run({"log": []})
        assert thread.question.tables[0].rows == ((1,), (2,))
        decide(thread)
    assert [d.args for d in seen] == [
        {"sql": "DELETE", "limit": 5},
        {"sql": "DELETE", "limit": 3},
        {"sql": "SELECT", "limit": 1},
        None,
    ]
    assert [d.approved for d in seen] == [True, True, True, False]
    assert seen[3].rejected
    assert seen[3].reason == "too many"


def test_an_answer_that_ask_does_not_take_is_asked_again(lib, build):
    def node(state):
        return {"log": [ask("Delete?").kind]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    thread.answer("yes please")
    assert "'yes please' is none that ask() takes" in thread.question.problem
    thread.approve()
    assert thread.result["log"] == ["approve"]


def test_ask_outside_of_a_node():
    with pytest.raises(RuntimeError, match="needs a running node"):
        ask("Delete?")


# -- background ------------------------------------------------------------------------------------


def test_start_runs_in_the_background_and_stops(lib, build):
    gate = threading.Event()

    def slow(state):
        gate.wait(10)
        return {"log": ["slow"]}

    thread = GraphThread(build(slow=slow, after=lambda s: {"log": ["after"]}), "t")
    thread.start({"log": []})
    with pytest.raises(ReviewError, match="running already"):
        thread.run({"log": []})
    with pytest.raises(NotAnswered, match="still running"):
        thread.result
    while thread.session.progress is None or thread.session.progress.node != "slow":
        time.sleep(0.01)
    thread.stop()
    gate.set()
    assert thread.wait(10)
    assert thread.session.state == "stopped"
    with pytest.raises(NotAnswered, match="was stopped before its end"):
        thread.result
    thread.run()
    assert thread.result["log"] == ["slow", "after"]


def test_start_reports_what_went_wrong(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": []})
    thread.start({"log": ["other"]})
    thread.wait(10)
    assert "another input" in thread.session.error


# -- answers that were taken up --------------------------------------------------------------------


def test_the_graph_may_refuse_an_answer_and_the_question_stays_open(lib, build):
    from pydantic import BaseModel, field_validator

    class Count(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def even(cls, n: int) -> int:
            if n % 2:
                raise ValueError("must be even")
            return n

    def node(state):
        return {"log": [lib.interrupt("How many?", response_schema=Count).n]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(InvalidAnswer, match="must be even"):
        card.answer({"n": 3})
    assert card.state == "open"
    assert "must be even" in card.error
    card.answer({"n": 4})
    assert thread.result["log"] == [4]


def test_a_failed_answer_is_not_open_in_another_session(lib, build):
    broken = [True]

    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if broken[0]:
            raise ValueError("boom")
        return {"log": [answer]}

    graph = build(review=node)
    first = GraphThread(graph, "t")
    first.run({"log": []})
    with pytest.raises(ValueError, match="boom"):
        first.option("go")
    second = GraphThread(graph, "t")
    assert second.questions == []
    assert second.session.state == "failed"
    assert "boom" in second.session.error
    broken[0] = False
    second.run()
    assert second.result["log"] == ["go"]


@pytest.mark.parametrize("earlier", [False, True])
def test_the_stop_button_during_an_answer(lib, build, earlier):
    stopping = [True]

    def node(state):
        first = lib.interrupt("first") if earlier else None
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if stopping[0]:
            raise KeyboardInterrupt
        return {"log": [first, answer]}

    graph = build(review=node)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    if earlier:
        thread.respond("1")
    card = thread.question
    with pytest.raises(KeyboardInterrupt):
        card.option("go")
    assert card.state == "failed"
    again = GraphThread(graph, "t")
    assert again.questions == []
    assert "KeyboardInterrupt" in again.session.error
    stopping[0] = False
    card.retry()
    assert thread.result["log"] == ["1" if earlier else None, "go"]


def test_an_answer_of_a_killed_kernel_is_in_doubt(lib, build):
    if lib.name != "langgraph":
        pytest.skip("nbhitl's own claims are tested with the stores")
    graph = build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]}))
    GraphThread(graph, "t").run({"log": []})
    snapshot = graph.get_state({"configurable": {"thread_id": "t"}})
    # What the kernel had saved of the answer when it was killed.
    graph.checkpointer.put_writes(snapshot.config, [("__resume__", ["go"])], snapshot.tasks[0].id)
    thread = GraphThread(graph, "t")
    assert thread.questions == []
    assert "in doubt" in thread.session.error
    with pytest.raises(NotAnswered, match="in doubt"):
        thread.result
    thread.fork("cp2")
    thread.option("stop")
    assert thread.result["log"] == ["stop"]


def test_a_question_that_changes_between_runs_is_not_answered(build):
    from .engines import library

    runs = []

    def node(state):
        runs.append(1)
        return {"log": [library("nbhitl").interrupt({"question": f"{len(runs)}?", "options": ["go"]})]}

    lib = library("nbhitl")
    builder = lib.StateGraph(dict).add_node("review", node).add_edge(lib.START, "review")
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(QuestionChanged):
        card.option("go")
    assert card.state == "failed"
    card.ask_again()
    assert thread.question.text == "3?"


def test_an_answer_that_the_store_can_not_hold_leaves_the_question_open(build):
    from .engines import library

    lib = library("nbhitl")
    builder = lib.StateGraph(dict).add_node("review", asking(lib, "ok?")).add_edge(lib.START, "review")
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(TypeError):
        card.answer(object())
    assert card.state == "open"
    card.answer("yes")
    assert thread.result == {"log": ["yes"]}


def test_a_double_click_on_ask_again_forks_once(lib, build):
    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        time.sleep(0.05)
        if answer == "go":
            raise ValueError("boom")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="boom"):
        card.option("go")
    with thread.session.courier.flows.shared.running:
        card.ask_again(wait=False)
        with pytest.raises(ReviewError, match="being asked anew already"):
            card.ask_again(wait=False)
    deadline = time.monotonic() + 10
    while card.state != "stale" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [c.label for c in thread.questions] == ["q2"]
    assert sum(s.metadata["source"] == "fork" for s in thread.graph.get_state_history(thread.config)) == 1
