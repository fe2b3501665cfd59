"""A person at a real notebook: a real kernel, a real graph, real clicks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .notebook_code import ASK, RUN

if TYPE_CHECKING:
    from .lab import Lab, Shots

SQL = "DELETE FROM penguins WHERE body_mass_g IS NULL"


def said(lab: Lab, code: str) -> Any:
    """The JSON value of an expression, evaluated in the notebook's kernel."""
    return json.loads(lab.ask_kernel(f"__import__('json').dumps({code})"))


@pytest.mark.parametrize("engine", ["langgraph", "nbhitl"])
def test_approve_edit_and_reject_by_clicking(lab: Lab, shots: Shots, engine: str) -> None:
    names = ("approved", "edited", "rejected")
    lab.open(f"clicks_{engine}", ASK.format(engine=engine), *(RUN.format(name=name) for name in names))
    lab.run_all()
    card = {name: lab.cell(i).locator(".nbh-card") for i, name in enumerate(names, 1)}
    card["rejected"].wait_for()
    assert said(lab, "ran") == []

    lab.press(card["rejected"], "reject")
    card["rejected"].get_by_text("wrong table").click()
    lab.press(card["rejected"], "reject")
    lab.cell(3).get_by_text("✖ rejected").wait_for()
    assert said(lab, "[ran, rejected.result['said']]") == [[], "not run: wrong table"]

    lab.press(card["edited"], "edit")
    card["edited"].locator("textarea").first.fill(SQL + " AND species = 'Gentoo'")
    assert card["edited"].locator(".nbh-preview ins").inner_text() == " AND species = 'Gentoo'"
    shots.take(lab.page, f"lab-{engine}-edit-light-1200")
    assert card["edited"].get_by_role("button", name="Approve with 1 change").is_visible()
    lab.press(card["edited"], "approve")
    lab.cell(2).get_by_text("✔ approved with 1 change").wait_for()
    assert said(lab, "ran") == [SQL + " AND species = 'Gentoo'"]

    shots.take(lab.cell(1), f"lab-{engine}-open-light-1200")
    lab.press(card["approved"], "approve")
    lab.cell(1).get_by_text("✔ approved").wait_for()
    assert said(lab, "ran[1:]") == [SQL]
    assert said(lab, "databases['approved'].execute('SELECT count(*) FROM penguins').fetchone()") == [1]
    assert_records_are_saved(lab, f"clicks_{engine}")


def assert_records_are_saved(lab: Lab, name: str) -> None:
    """The saved file shows what was decided to a reader without a kernel, and holds no widget."""
    cells = lab.save(name)["cells"][1:]
    for cell, words in zip(
        cells, ("approved", "approved with 1 change", "rejected: wrong table"), strict=True
    ):
        graph, cards = (output["data"] for output in cell["outputs"])
        assert "delete_rows [done]" in "".join(graph["text/plain"])
        assert "<svg" in "".join(graph["image/svg+xml"])
        assert f"-> {words}" in "".join(cards["text/plain"])
        assert "ada" in "".join(cards["text/html"])
        assert "application/vnd.jupyter.widget-view+json" not in {**graph, **cards}


def test_run_all_waits_for_the_person(lab: Lab) -> None:
    wait = "await late.decided()\nprint('then:', late.result['said'])"
    lab.open("waits", ASK.format(engine="nbhitl"), RUN.format(name="late"), wait)
    lab.start_all()
    card = lab.cell(1).locator(".nbh-card")
    card.wait_for()
    assert lab.cell(2).inner_text() == ""
    lab.press(card, "approve")
    lab.cell(2).get_by_text("then: ran").wait_for()


HOSTILE = """
hostile = GraphThread(graph, "<img src=x onerror=window.pwned=1>")
hostile.run({"name": "hostile", "statement": "<svg onload=window.pwned=1>"})
"""


def test_double_click_hostile_text_reload_and_keys(lab: Lab) -> None:
    runs = [RUN.format(name=name) for name in ("twice", "kept")]
    lab.open("twice", ASK.format(engine="langgraph"), *runs, HOSTILE)
    lab.run_all()
    hostile = lab.cell(3).locator(".nbh-card")
    hostile.get_by_text("<svg onload=window.pwned=1>", exact=True).wait_for()
    lab.press(hostile, "reject")
    hostile.locator("[data-k=why]").fill("<script>window.pwned=1</script>")
    lab.press(hostile, "reject")
    lab.cell(3).get_by_text("<script>window.pwned=1</script>", exact=True).last.wait_for()
    assert lab.page.evaluate("window.pwned") is None
    assert lab.cell(3).locator("img[src=x], script").count() == 0

    card = lab.cell(1).locator(".nbh-card")
    lab.until_armed(card)
    card.locator("[data-k=approve]").dblclick()
    lab.cell(1).get_by_text("✔ approved").wait_for()
    assert said(lab, "ran") == [SQL]

    lab.save("twice")
    lab.reload()
    assert not lab.cell(1).locator(".nbh-card").is_visible(), "decided: a record, and nothing to click"
    card = lab.cell(2).locator(".nbh-card")
    card.wait_for()
    lab.until_armed(card)
    card.focus()
    cells = lab.count_cells()
    lab.page.keyboard.press("x")
    card.locator("[data-k=why]").wait_for()
    lab.page.keyboard.press("Escape")
    lab.until_armed(card)
    lab.page.keyboard.press("a")
    card.get_by_text("approved").wait_for()
    assert lab.count_cells() == cells, "JupyterLab took a key of the card as its own"
    assert said(lab, "ran") == [SQL, SQL]
