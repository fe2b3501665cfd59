"""The first notebook as a reader meets it: copied by `nbhitl lab`, "Run All", and a click at each card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat

from nbhitl.lab import copy_notebooks, shipped_notebooks

if TYPE_CHECKING:
    from .lab import Lab, Shots

NAME = "01_approve_a_delete"
EDITED = "DELETE FROM penguins WHERE body_mass_g IS NULL"


def cells_with(notebook: Any, text: str) -> list[int]:
    return [number for number, cell in enumerate(notebook.cells) if text in cell.source]


def output_below(lab: Lab, number: int, text: str) -> None:
    """Wait until the output of a cell says this."""
    lab.cell(number).get_by_text(text).first.wait_for(timeout=20_000)


def test_run_all_waits_for_each_click_and_goes_on(lab: Lab, shots: Shots) -> None:
    copy_notebooks(shipped_notebooks(), lab.folder)
    notebook = nbformat.read(lab.folder / f"{NAME}.ipynb", as_version=4)
    approved, edited, rejected = cells_with(notebook, ".run(task)")
    (forked,) = cells_with(notebook, ".fork(")
    lab.show(NAME)
    lab.start_all()

    card = lab.cell(approved).locator(".nbh-card")
    card.wait_for(timeout=30_000)
    assert card.get_by_text("Run this statement?").is_visible()
    assert card.locator("td", has_text="Torgersen").count() == 5
    card.scroll_into_view_if_needed()
    shots.take(lab.page, "lesson-1-asks")
    shots.take(lab.cell(approved), "lesson-1-card")
    lab.press(card, "approve")
    output_below(lab, approved + 2, "deleted 11 rows")

    card = lab.cell(edited).locator(".nbh-card")
    lab.press(card, "edit")
    card.locator("textarea").first.fill(EDITED)
    assert card.locator(".nbh-preview ins").count() > 0, "the difference is shown before it is approved"
    shots.take(lab.cell(edited), "lesson-1-edits")
    lab.press(card, "approve")
    output_below(lab, edited + 1, "deleted 2 rows")

    card = lab.cell(rejected).locator(".nbh-card")
    lab.press(card, "reject")
    card.locator("[data-k=why]").fill("they were weighed")
    lab.press(card, "reject")
    output_below(lab, rejected + 1, "kept every row")

    card = lab.cell(forked).locator(".nbh-card")
    card.wait_for()
    shots.take(lab.cell(forked), "lesson-1-fork")
    lab.press(card, "approve")
    lab.until_all_ran()
    output_below(lab, forked + 3, "rejected: they were weighed")

    cells = lab.save(NAME)["cells"]
    errors = [o for cell in cells for o in cell.get("outputs", []) if o["output_type"] == "error"]
    assert errors == []
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert None not in counts, "a cell did not run"
