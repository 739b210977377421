"""The learning curve as a person uses it: rounds, targets, metrics, files, by mouse and keys."""

from __future__ import annotations

import csv
import struct
from itertools import combinations
from pathlib import Path

from conftest import SCREENSHOTS, Open
from page import Notebook, wait_for
from playwright.sync_api import Locator
from samples import PACED
from test_look import THEMES, audit

SESSION = PACED + "\nview = session.curves()\n"


def pictures(
    notebook: Notebook, view: Locator, name: str, themes: tuple[str, ...] = ("light",)
) -> list[str]:
    """A picture in each theme; what axe complains of."""
    found = []
    for theme in themes:
        if len(themes) > 1:
            notebook.theme(THEMES[theme])
        notebook.page.wait_for_timeout(500)
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png", view)
        found += audit(notebook, "curves")
    return found


def saved(notebook: Notebook, button: Locator) -> Path:
    """The file that a press on a button saves."""
    with notebook.page.expect_download() as download:
        button.click()
    path = notebook.folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def lie_apart(one: Locator, other: Locator) -> bool:
    """Whether the boxes of two elements have nothing in common."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None
    assert b is not None
    return (
        a["x"] + a["width"] <= b["x"]
        or b["x"] + b["width"] <= a["x"]
        or a["y"] + a["height"] <= b["y"]
        or b["y"] + b["height"] <= a["y"]
    )


def test_the_curve(opened: Open) -> None:
    notebook = opened([SESSION, "view"], size=(1000, 1100))
    notebook.run_all()
    view, page = notebook.view("curves"), notebook.page
    view.locator(".xtitle").wait_for()
    complaints = pictures(notebook, view, "curve-empty")
    notebook.execute("label(160)")
    view.get_by_text("Go on labelling.").wait_for()

    # A click on a point has all views show that round.
    points = view.locator(".scatterlayer .trace:last-child .points path")
    points.nth(4).scroll_into_view_if_needed()

    def rest_on_it() -> int:
        box = points.nth(4).bounding_box()
        assert box is not None
        page.mouse.move(0, 0)
        page.mouse.move(box["x"] + box["width"] / 2 - 4, box["y"] + box["height"] / 2 + 4)
        page.wait_for_timeout(500)
        return view.locator(".hoverlayer .hovertext").count()

    wait_for(rest_on_it, what="the point")  # a click is on what plotly has found
    page.mouse.down()
    page.mouse.up()
    back = view.get_by_role("button", name="Back to the newest")
    back.wait_for()
    shown = notebook.value("session.round_shown")
    assert shown in notebook.value("[r.version for r in session.rounds]")
    assert view.locator(".alw-curves-back").get_by_text(f"Model {shown} · ").is_visible()
    complaints += pictures(notebook, view, "curve-round")
    back.click()
    back.wait_for(state="hidden")
    assert notebook.value("session.round_shown") is None
    fold = view.get_by_role("button", name="Options")
    assert fold.evaluate("b => b === document.activeElement")

    # The same by keyboard, and no key of it reaches the notebook.
    cells = notebook.cells()
    fold.focus()
    page.keyboard.press("Enter")
    rounds = view.get_by_role("combobox", name="Round")
    rounds.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    back.wait_for()
    n = notebook.value("len(session.rounds)")
    assert notebook.wait_value("session.round_shown", lambda v: v == n - 1) == n - 1
    page.keyboard.press("Escape")
    assert fold.evaluate("b => b === document.activeElement")
    page.keyboard.press("Escape")
    back.wait_for(state="hidden")
    # The notebook has the keyboard again: its cell, or itself.
    assert page.evaluate("document.activeElement.matches('.jp-Cell, .jp-Notebook')")
    assert notebook.cells() == cells

    # A target, in words, by its slider.
    fold.click()
    slider = view.get_by_label("Target, in percent")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    view.get_by_text("Target 94 %:").wait_for()
    view.get_by_role("spinbutton", name="Budget").fill("9999")
    page.keyboard.press("Tab")
    view.get_by_text("is above the pool").wait_for()
    # Three letters of a currency, such as EUR, have room.
    assert view.get_by_label("Currency").evaluate("e => e.offsetWidth") >= 44
    complaints += pictures(notebook, view, "curve-tools", ("dark", "light"))
    # What is said in the plot lies apart from each other.
    legend, target, budget = (
        view.locator(".legend"),
        view.locator(".shape-label", has_text="target"),
        view.locator(".shape-label", has_text="budget"),
    )
    for one, other in combinations((legend, target, budget), 2):
        assert lie_apart(one, other)
    for text in (legend, target):
        assert lie_apart(text, view.locator(".shapelayer path").nth(1))  # the line of the budget

    # An interval that may be watched all the time, by keyboard; there is none of F1, in words.
    watched = view.get_by_role("checkbox", name="Watchable")
    watched.focus()
    page.keyboard.press("Space")
    view.get_by_text("95 % interval that may be watched all the time, on items").wait_for()
    view.locator(".legendtext", has_text="95 % interval, may be watched").wait_for()
    complaints += pictures(notebook, view, "curve-watched", ("dark", "light"))
    band = "session.estimate_rounds(method='anytime')[-1]"
    with saved(notebook, view.get_by_role("button", name="Save as CSV")).open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert [float(last["low"]), float(last["high"])] == notebook.value(f"[{band}.low, {band}.high]")
    view.get_by_role("combobox", name="Figure").select_option("f1")
    view.get_by_text("not for F1, macro: this one is of each point alone").wait_for()
    watched.focus()
    page.keyboard.press("Space")
    view.get_by_text("not for F1, macro").wait_for(state="hidden")
    assert notebook.cells() == cells

    # Another metric, in hindsight, against minutes, with a small curve for each class.
    view.get_by_role("combobox", name="Figure").select_option("f1")
    view.get_by_role("checkbox", name="In hindsight").check()
    view.get_by_role("checkbox", name="Each class").check()
    view.get_by_role("combobox", name="Against").select_option("minutes")
    view.get_by_text("F1 of each class").wait_for()
    view.locator(".xtitle", has_text="minutes").wait_for()
    view.get_by_text("Working it out").wait_for(state="hidden")
    assert view.locator(".alw-panel").count() == 10
    value = notebook.value("float(session.estimate_rounds('f1', hindsight=True)[-1].value)")
    view.get_by_text(f"F1, macro {value:.0%}".replace("%", " %")).wait_for()
    complaints += pictures(notebook, view, "curve-classes", ("dark", "light"))

    # What is drawn, as files.
    table = saved(notebook, view.get_by_role("button", name="Save as CSV"))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["version"]) for row in rows] == list(range(1, n + 1))
    assert float(rows[-1]["value"]) == value
    assert abs(float(rows[-1]["minutes"]) - float(rows[-1]["labels"]) * 7 / 60) < 1e-6
    picture = saved(notebook, view.get_by_role("button", name="Save as PNG")).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (1800, 840)
    (SCREENSHOTS / "curve-saved.png").write_bytes(picture)

    # Narrow, nothing sticks out.
    notebook.execute("view.layout.width = '320px'")
    notebook.until(
        "const e = document.querySelector('[data-view=curves]');"
        " return e.clientWidth <= 320 && e.scrollWidth - e.clientWidth <= 1"
    )
    notebook.screenshot(SCREENSHOTS / "curve-narrow.png", view)
    assert complaints == []
    assert notebook.errors == []
    assert notebook.outside == []


def test_what_remains_in_the_pool(opened: Open) -> None:
    sampled = SESSION.replace("audit=0.3", 'audit=0.3, strategy="margin"')
    notebook = opened([sampled, "view"], size=(1000, 1000))
    notebook.run_all()
    view, page = notebook.view("curves"), notebook.page
    view.locator(".xtitle").wait_for()
    notebook.execute("label(240)")
    view.get_by_text("Go on labelling.").wait_for()

    # By keyboard; the line has a place in the legend, and words of its own.
    cells = notebook.cells()
    view.get_by_role("button", name="Options").focus()
    page.keyboard.press("Enter")
    box = view.get_by_role("checkbox", name="Remaining pool")
    box.focus()
    page.keyboard.press("Space")
    said = view.get_by_text("Of what remains in the pool, before each batch is trained on: ")
    said.wait_for()
    view.locator(".legendtext", has_text="remaining pool").wait_for()
    known = notebook.value("len(set(session.prequential().dropna(subset='value').index))")
    assert view.locator(".errorbars .errorbar").count() == known > 4
    complaints = pictures(notebook, view, "curve-remaining", ("dark", "light"))
    with saved(notebook, view.get_by_role("button", name="Save as CSV")).open(newline="") as file:
        assert sum(bool(row["remaining pool"]) for row in csv.DictReader(file)) == known
    view.get_by_role("combobox", name="Figure").select_option("f1")
    view.get_by_text("accuracy and error of all classes together alone").wait_for()
    page.keyboard.press("Escape")
    notebook.execute("view.layout.width = '320px'")
    notebook.until(
        "const e = document.querySelector('[data-view=curves]');"
        " return e.clientWidth <= 320 && e.scrollWidth - e.clientWidth <= 1"
    )
    assert notebook.cells() == cells
    assert complaints == []
    assert notebook.errors == []
    assert notebook.outside == []
