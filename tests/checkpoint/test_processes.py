"""One store, several processes and threads: one answer wins, nothing is lost, nobody is turned away."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent

import pytest
from stores import opened

from nbhitl.checkpoint.records import CheckpointKey

from .building import Run, at

HERE = Path(__file__).parent


def start(code: str, *args: str) -> subprocess.Popen[str]:
    """Run code in another Python, with this folder's modules at hand."""
    setting = f"import sys; sys.path.insert(0, {str(HERE.parent)!r})\n"
    return subprocess.Popen(
        [sys.executable, "-c", setting + dedent(code), *args],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def asked(path: str, thread: str = "t") -> Run:
    with opened(path) as saver:
        run = Run(saver, thread)
        run.step({"n": 0})
        run.pause("q1")
    return run


RACER = """
    import sys, threading
    from checkpoint.building import Run
    from stores import opened
    from nbhitl.errors import AlreadyAnswered

    path, thread, head, name = sys.argv[1:]
    gate, told, lock = threading.Barrier(33), [], threading.Lock()

    def answer(number):
        run.head = head
        request = run.request({"q1": f"{name}-{number}"}, by=f"{name}-{number}", owner=name)
        gate.wait()
        try:
            saver.claim(request)
            result = "won"
        except AlreadyAnswered as error:
            result = error.by
        with lock:
            told.append((f"{name}-{number}", result))

    with opened(path) as saver:
        run = Run(saver, thread)
        threads = [threading.Thread(target=answer, args=(n,)) for n in range(32)]
        for thread in threads: thread.start()
        print("ready", flush=True)
        sys.stdin.readline()
        gate.wait()
        for thread in threads: thread.join()
        print(";".join(f"{who}={result}" for who, result in told), flush=True)
"""


def race(path: str, thread: str = "t") -> None:
    head = asked(path, thread).head
    racers = [start(RACER, path, thread, head or "", name) for name in ("left", "right")]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = dict(pair.split("=") for racer in racers for pair in racer.communicate()[0].strip().split(";"))
    winners = [who for who, result in told.items() if result == "won"]
    assert len(told) == 64
    assert len(winners) == 1
    assert {result for who, result in told.items() if who != winners[0]} == {winners[0]}
    with opened(path) as saver:
        (claim,) = saver.claims(thread)
        assert (claim.answer, claim.by) == (winners[0], winners[0])


def test_of_64_answers_from_two_processes_one_wins(address):
    race(address)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_races_have_one_winner_each(address):
    for number in range(20):
        race(address, f"t{number}")


WRITER = """
    import sys
    from checkpoint.building import Run
    from stores import opened

    path, thread = sys.argv[1:]
    with opened(path) as saver:
        run = Run(saver, thread)
        sys.stdin.readline()
        run.step({"n": 0, "items": []})
        for n in range(200):
            run.step({"n": n}, appended={"items": [n]})
            if n % 20 == 0:
                run.pause(f"q{n}")
                saver.claim(run.request({f"q{n}": n}))
    print("done")
"""


def test_processes_write_at_once(address):
    writers = [start(WRITER, address, thread) for thread in ("a", "b", "c")]
    outputs = [writer.communicate("go\n")[0] for writer in writers]
    assert outputs == ["done\n"] * 3
    with opened(address) as saver:
        for thread in "abc":
            assert saver.load(CheckpointKey(thread, "")).values["items"] == list(range(200))
            assert {claim.state for claim in saver.claims(thread)} == {"applied"}


VICTIM = """
    import sys
    from checkpoint.building import Run, at
    from stores import opened

    with opened(sys.argv[1]) as saver:
        run = Run(saver, sys.argv[2])
        run.step({"n": 0, "items": []})
        n = 0
        while True:
            run.step({"n": n}, appended={"items": [n]})
            print("step", run.head, n, flush=True)
            if n % 3 == 0:
                run.pause(f"q{n}")
                print("asked", f"q{n}", flush=True)
                saver.claim(run.request({f"q{n}": n}))
                print("claimed", f"q{n}", flush=True)
            n += 1
"""


def kill_at_random(path: str, thread: str, source: random.Random) -> None:
    """Kill a process in the middle of its work; what it said was saved must be there."""
    victim = start(VICTIM, path, thread)
    said = [victim.stdout.readline().split() for _ in range(source.randint(1, 60))]
    time.sleep(source.random() * 0.003)
    os.kill(victim.pid, signal.SIGKILL)
    said += [line.split() for line in victim.communicate()[0].splitlines() if line]
    with opened(path) as saver:
        steps = {words[1]: int(words[2]) for words in said if words[0] == "step" and len(words) == 3}
        stored = {found.checkpoint_id: found.values for found in saver.history(thread, "")}
        for checkpoint_id, n in steps.items():
            assert stored[checkpoint_id] == {"n": n, "items": list(range(n + 1))}
        states = {claim.interrupt_id: claim for claim in saver.claims(thread)}
        for words in said:
            if words[0] == "asked" and len(words) == 2:
                assert states[words[1]].state in ("open", "delivered", "applied")
            if words[0] == "claimed" and len(words) == 2:
                assert states[words[1]].state in ("delivered", "applied")
        last = max(states.values(), key=lambda claim: int(claim.interrupt_id[1:]), default=None)
        newest = saver.load(CheckpointKey(thread, ""))
        if last is not None and last.checkpoint_id == newest.checkpoint_id:
            assert last.state in ("open", "delivered")
        if isinstance(saver.conn, sqlite3.Connection):
            assert saver.conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_process_loses_nothing_that_was_saved(address):
    source = random.Random(1)
    for number in range(4):
        kill_at_random(address, f"t{number}", source)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_killed_processes_lose_nothing_that_was_saved(address):
    source = random.Random(2)
    for number in range(200):
        kill_at_random(address, f"t{number}", source)


def test_threads_of_one_process_share_a_saver(address):
    with opened(address) as saver:
        runs = [Run(saver, f"t{number}") for number in range(6)]

        def work(run: Run) -> None:
            run.step({"n": 0, "items": []})
            for n in range(40):
                run.step({}, appended={"items": [n]})
                assert len(saver.load(run.key()).values["items"]) == n + 1

        workers = [threading.Thread(target=work, args=(run,)) for run in runs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [saver.load(run.key()).values["items"] for run in runs] == [list(range(40))] * 6


def test_another_process_sees_a_claim_in_doubt(address):
    run = asked(address)
    code = """
        import sys
        from checkpoint.building import Run
        from stores import opened
        with opened(sys.argv[1]) as saver:
            run = Run(saver)
            run.head = sys.argv[2]
            saver.claim(run.request({"q1": "yes"}))
            import os; os._exit(1)
    """
    start(code, address, run.head or "").communicate()
    with opened(address) as saver:
        from nbhitl.checkpoint.claims import is_in_doubt

        (claim,) = saver.claims("t")
        assert (claim.state, is_in_doubt(claim, at(30)), is_in_doubt(claim, at(32))) == (
            "delivered",
            False,
            True,
        )
