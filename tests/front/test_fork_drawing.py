from __future__ import annotations

from nbhitl.data import penguins_database
from nbhitl.demo import build_graph
from nbhitl.script import answers, approve, reject
from nbhitl.thread import GraphThread


def test_a_fork_draws_its_own_branch_as_done(tmp_path):
    database = penguins_database(tmp_path / "penguins.db")
    thread = GraphThread(build_graph(), "t")
    with answers([reject("no"), approve()]):
        thread.run({"goal": "", "database": str(database)})
        assert "keep_rows [done]" in repr(thread.draw())
        assert "run_sql [done]" not in repr(thread.draw())
        thread.fork("cp3")
    drawn = repr(thread.draw())
    assert "run_sql [done]" in drawn
    assert "keep_rows [done]" not in drawn
    assert "propose [done]" in drawn
