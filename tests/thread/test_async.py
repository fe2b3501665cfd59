"""Async threads: the run, every later answer and every click happen on one event loop."""

from __future__ import annotations

import asyncio
import importlib
import threading

import pytest

from nbhitl.errors import AlreadyAnswered, NotAnswered
from nbhitl.review.ask import ask
from nbhitl.script import answers, option
from nbhitl.thread import GraphThread


def asking(lib, seen):
    async def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        await asyncio.sleep(0.01)
        seen.append((answer, threading.get_ident()))
        return {"log": [answer]}

    return node


async def test_a_call_in_the_cell_is_waited_for_by_decided(lib, build):
    seen = []
    thread = GraphThread(build(review=asking(lib, seen)), "t")
    await thread.arun({"log": []})
    thread.option("go")
    await thread.decided()
    assert thread.result["log"] == ["go"]
    assert seen == [("go", threading.get_ident())]


async def test_a_click_from_another_thread_runs_on_the_loop(lib, build):
    seen = []
    thread = GraphThread(build(review=asking(lib, seen)), "t")
    await thread.arun({"log": []})
    card = thread.question
    threading.Timer(0.05, lambda: card.option("go", wait=False)).start()
    await thread.decided()
    assert thread.result["log"] == ["go"]
    assert seen == [("go", threading.get_ident())]


async def test_a_waiting_call_from_another_thread(lib, build):
    seen = []
    thread = GraphThread(build(review=asking(lib, seen)), "t")
    await thread.arun({"log": []})
    card = thread.question
    await asyncio.to_thread(card.option, "go")
    assert thread.result["log"] == ["go"]
    with pytest.raises(AlreadyAnswered):
        await asyncio.to_thread(card.option, "stop")
    assert len(seen) == 1


async def test_many_clicks_have_one_effect(lib, build):
    seen = []
    thread = GraphThread(build(review=asking(lib, seen)), "t")
    await thread.arun({"log": []})
    card = thread.question
    await asyncio.gather(*(asyncio.to_thread(card.option, "go") for _ in range(16)))
    assert len(seen) == 1


async def test_decided_waits_for_questions_that_follow(lib, build):
    async def node(state):
        return {"log": [lib.interrupt("first"), lib.interrupt("second")]}

    thread = GraphThread(build(review=node), "t")
    await thread.arun({"log": []})

    async def person():
        for text in ("a", "b"):
            while not thread.session.open_cards:
                await asyncio.sleep(0.01)
            thread.respond(text)
            await asyncio.sleep(0.02)

    await asyncio.gather(thread.decided(), person())
    assert thread.result["log"] == ["a", "b"]


async def test_decided_can_be_cancelled(lib, build):
    thread = GraphThread(build(review=asking(lib, [])), "t")
    await thread.arun({"log": []})
    waiting = asyncio.ensure_future(thread.decided())
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert thread.questions


async def test_decided_of_a_sync_thread(lib, build):
    def node(state):
        return {"log": [lib.interrupt({"question": "go?", "options": ["go"]})]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    asyncio.get_running_loop().call_later(0.05, lambda: card.option("go", wait=False))
    await thread.decided()
    assert thread.result["log"] == ["go"]


async def test_decided_waits_for_a_failed_card(lib, build):
    broken = [True]

    async def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go"]})
        if broken[0]:
            raise ValueError("boom")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    await thread.arun({"log": []})
    card = thread.question
    thread.option("go")

    async def person():
        while card.state != "failed":
            await asyncio.sleep(0.01)
        broken[0] = False
        card.retry(wait=False)

    await asyncio.gather(thread.decided(), person())
    assert thread.result["log"] == ["go"]


async def test_answers_by_script(lib, build, capsys):
    thread = GraphThread(build(review=asking(lib, [])), "t")
    with answers([option("go")]):
        await thread.arun({"log": []})
    assert thread.result["log"] == ["go"]
    assert "-> chose go" in capsys.readouterr().out


async def test_running_again_and_forking(lib, build):
    thread = GraphThread(build(review=asking(lib, [])), "t")
    await thread.arun({"log": []})
    card = thread.question
    await thread.arun({"log": []})
    assert thread.question is card
    with pytest.raises(NotAnswered):
        thread.result
    thread.option("stop")
    await thread.decided()
    await thread.afork("cp2")
    thread.option("go")
    await thread.decided()
    assert thread.result["log"] == ["go"]


async def test_an_async_sqlite_saver(lib, tmp_path):
    from .conftest import State

    AsyncSqliteSaver = importlib.import_module(f"{lib.name}.checkpoint.sqlite.aio").AsyncSqliteSaver

    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "t.sqlite")) as saver:
        builder = lib.StateGraph(State).add_node("review", asking(lib, [])).add_edge(lib.START, "review")
        thread = GraphThread(builder.compile(checkpointer=saver), "t")
        await thread.arun({"log": []})
        thread.option("go")
        await thread.decided()
        assert thread.result["log"] == ["go"]
        again = GraphThread(builder.compile(checkpointer=saver), "t")
        await again.arefresh()
        assert again.result["log"] == ["go"]


async def test_ask_in_an_async_node(lib, build):
    async def node(state):
        await asyncio.sleep(0)
        decision = ask("Send?", action="send", args={"to": "ada"})
        return {"log": [decision.kind, decision.args]}

    thread = GraphThread(build(review=node), "t")
    await thread.arun({"log": []})
    thread.edit(to="ben")
    await thread.decided()
    assert thread.result["log"] == ["edit", {"to": "ben"}]
