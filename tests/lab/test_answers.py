"""Answers that are made before they are saved, labels and texts, and what is said beside them."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from page import Notebook
from test_look import THEMES, audit

MOODS = """
import numpy as np
import alwidgets as al

rng = np.random.default_rng(0)
mood = rng.integers(0, 3, size=600)
features = np.eye(3)[mood].repeat(2, axis=1) + 0.1 * rng.normal(size=(600, 6))
texts = [f"Post {i} is of mood {m}." for i, m in enumerate(mood)]
ids = [f"p{i}" for i in range(600)]
pool = al.Pool.from_arrays(features.astype("float32"), content=texts, ids=ids)
session = al.Session(pool, al.MultiLabel(["joy", "love", "envy"]), store="moods.db", audit=0)
session.cards()
"""
TRAIN = """
marks = {0: ["joy"], 1: ["love"], 2: ["joy", "envy"]}
for item in session.next(60):
    session.record(item.id, marks[int(mood[item.index])])
session.retrain()
"""
LINES = """
import alwidgets as al

GUIDE = "# How to correct\\n\\nMend the *spelling*, see [more](https://example.org/)."
GUIDE += "\\n\\nAnd so on." * 30
pool = al.Pool.from_texts([f"Teh line {i}." for i in range(40)], ids=[f"l{i}" for i in range(40)])
session = al.Session(pool, al.Correction(), store="lines.db", audit=0, guidelines=GUIDE)
session.cards()
"""

MANY = """
import alwidgets as al

pool = al.Pool.from_texts([f"Message {i} of many." for i in range(40)])
task = al.Classification([f"class {c}" for c in "abcdefghijkl"])
session = al.Session(pool, task, store="many.db", audit=0, guidelines="# How\\n\\nWith a finger.")
view = session.cards()
view.layout.width = "320px"
view
"""

ANSWERS = "list(session.labels().sort_values('answered_at').answer)"


def state(notebook: Notebook) -> dict[str, object]:
    """What a key that reaches the notebook could have changed."""
    return {
        "cells": notebook.cells(),
        "runs": notebook.js("return cells.map((c) => c.model.executionCount ?? null)"),
        "kernel": notebook.pid,
        "dialogs": notebook.page.locator(".jp-Dialog, .lm-CommandPalette:visible").count(),
    }


def focus_on(notebook: Notebook) -> str:
    """The class of what has the keyboard; of the notebook's own parts "notebook"."""
    found = notebook.page.evaluate(
        "(() => { const now = document.activeElement;"
        " return now.closest('[data-view]') ? now.className : now.closest('.jp-Notebook')"
        " ? 'notebook' : now.tagName })()"
    )
    return str(found)


def look(notebook: Notebook, name: str) -> list[str]:
    """Take a picture in each theme; return what axe complains of."""
    complaints = []
    for theme, full_name in THEMES.items():
        notebook.theme(full_name)
        notebook.page.wait_for_timeout(300)
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png", notebook.cards.root)
        complaints += [f"{theme}, {line}" for line in audit(notebook, "cards")]
    notebook.theme(THEMES["light"])
    return complaints


def test_labels_are_marked_and_saved(opened: Open) -> None:
    notebook = opened([MOODS], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    first = cards.wait_card()
    before = state(notebook)
    cards.focus()
    for key in ("3", "1", "2", "2", "Enter", "Enter"):
        cards.press(key)
    cards.wait_saved()
    assert notebook.value(ANSWERS) == [["joy", "envy"], []]
    cards.press("Backspace")
    cards.press("Backspace")
    assert cards.item == first
    marked = cards.root.locator(".alw-class[aria-pressed=true]")
    assert marked.evaluate_all("all => all.map(b => b.title)") == ["joy", "envy"]
    cards.root.get_by_role("button", name="envy").first.click()
    cards.root.get_by_role("button", name="Save").click()
    cards.wait_saved()
    assert notebook.value(ANSWERS) == [["joy"]]
    for key in ("x", "d", "d", "0", "0", "m", "a", "Shift+Enter", "Control+Enter", "l"):
        cards.press(key)
    assert state(notebook) == before

    notebook.execute(TRAIN)
    cards.wait_round(1)
    cards.look()  # the one on the screen was labelled, and another took its place
    cards.focus()
    cards.press("Space")  # that one may be older than the model
    cards.root.locator(".alw-chip:visible").wait_for()
    assert marked.evaluate_all("all => all.map(b => b.title)") != []
    assert look(notebook, "cards-labels") == []
    cards.focus()
    cards.press("Escape")
    assert focus_on(notebook) == "notebook"
    assert notebook.errors == []


def test_texts_are_written_and_remarked_on(opened: Open) -> None:
    notebook = opened([LINES], size=(900, 1000))
    notebook.run_all()
    cards, page = notebook.cards, notebook.page
    first = cards.wait_card()
    before = state(notebook)
    box = cards.root.locator("textarea")
    start = box.input_value()
    assert start.startswith("Teh line")
    cards.focus()
    cards.press("Enter")
    assert focus_on(notebook) == "alw-textbox"
    cards.press("Home")
    for _ in "Teh":
        cards.press("Delete")
    page.keyboard.type("The")
    cards.press("Enter")
    cards.wait_saved()
    mended = start.replace("Teh", "The")
    assert notebook.value(ANSWERS) == [mended]

    # Letters are the box's in the box and the cards' on the cards; others lead back to the box.
    page.keyboard.type(" dd x00")
    assert focus_on(notebook) == "alw-textbox"
    cards.press("Escape")
    cards.press("f")
    cards.press("Backspace")
    assert cards.item == first
    assert box.input_value() == mended
    page.keyboard.type("!")
    assert box.input_value() == f"{mended}!"
    cards.press("Control+a")
    page.keyboard.insert_text("שלום")
    assert box.evaluate("box => getComputedStyle(box).direction") == "rtl"
    cards.press("Enter")
    cards.wait_saved()
    assert notebook.value(ANSWERS) == ["שלום"]
    assert box.input_value().endswith(" dd x00")  # not saved, and not lost
    assert look(notebook, "cards-text") == []

    cards.focus()
    cards.press("c")
    page.keyboard.type("Is this a name?")
    cards.press("Enter")
    cards.wait_saved()
    assert notebook.value(f"session.comment_of({cards.item!r})") == "Is this a name?"
    cards.press("c")
    assert look(notebook, "cards-comment") == []
    cards.root.locator(".alw-comment-input").focus()
    cards.press("Escape")

    cards.press("g")
    assert focus_on(notebook) == "alw-guide-text"
    cards.press("End")
    scrolled = "document.querySelector('.alw-guide-text').scrollTop"
    assert page.evaluate(scrolled) > 100
    assert look(notebook, "cards-guidelines") == []
    link = cards.root.get_by_role("link", name="more")
    assert link.get_attribute("rel") == "noopener noreferrer"
    page.locator(".alw-guide-text").focus()
    cards.press("Escape")
    assert focus_on(notebook).startswith("alw-root")
    assert state(notebook) == before
    cards.press("Escape")
    assert focus_on(notebook) == "notebook"
    assert notebook.errors == []
    assert notebook.outside == []


def test_a_finger_is_enough(opened: Open) -> None:
    """At 320 pixels everything is reached by taps, and no target is smaller than 40 pixels."""
    notebook = opened([MANY], size=(480, 1300))
    notebook.run_all()
    cards, page = notebook.cards, notebook.page
    first = cards.wait_card()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 1})
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")

    def tap(selector: str) -> None:
        place = cards.root.locator(selector).first
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box is not None, f"{selector} is not to be seen"
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(150)
        small = cards.root.locator("button:visible, input:visible, select:visible").evaluate_all(
            "all => all.map(e => [e.className, e.getBoundingClientRect()])"
            ".filter(([, r]) => r.width < 40 || r.height < 40).map(([name]) => name)"
        )
        assert small == [], f"after {selector}"
        assert cards.root.evaluate("root => root.scrollWidth - root.clientWidth") <= 0, selector

    def seen(panel: str) -> bool:
        return cards.root.locator(f".alw-{panel}:visible").count() > 0

    uneven = cards.root.evaluate(
        "root => root.querySelector('.alw-even').getBoundingClientRect().bottom - 1"
        " - root.querySelector('.alw-suggestion').getBoundingClientRect().bottom"
    )
    assert abs(uneven) < 0.1
    tap(".alw-flag")
    tap(".alw-class:nth-child(2)")
    assert cards.item != first
    tap(".alw-undo")
    assert cards.item == first
    tap(".alw-redo")
    tap(".alw-skip")
    third = cards.item
    tap(".alw-comment")
    page.keyboard.insert_text("odd")
    tap(".alw-comment-line button")
    assert cards.root.locator(".alw-remark-text").inner_text() == "odd"
    tap(".alw-guide")
    assert seen("guidelines")
    notebook.screenshot(SCREENSHOTS / "cards-touch.png", cards.root)
    tap(".alw-guide-head button")
    assert not seen("guidelines")
    tap(".alw-pausing")
    assert seen("pause")
    tap(".alw-go")
    for panel, button in (("help", "help-button"), ("reasons", "why"), ("editor", "edit")):
        tap(f".alw-{button}")
        assert seen(panel)
        tap(f".alw-{button}")
        assert not seen(panel)
    assert cards.item == third
    cards.wait_saved()
    assert notebook.value(ANSWERS) == ["class b"]
    assert notebook.errors == []
