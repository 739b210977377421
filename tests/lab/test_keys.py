"""Keys on the cards are the cards' own: none of them reaches the notebook."""

from __future__ import annotations

import time

import pytest
from conftest import Open
from page import Notebook
from samples import TEXTS

#: JupyterLab's keys for a selected cell: cut, insert, undo, restart, delete, headings, run, save.
PRESSES = ["x", "a", "b", "z", "0", "0", "d", "d", "1", "2", "3", "m", "y", "c", "v", "l"]
PRESSES += ["Enter", "Shift+Enter", "Alt+Enter", "Control+Enter", "Control+s", "Control+z"]
PRESSES += [
    "Control+Shift+c",
    "ArrowDown",
    "ArrowUp",
    "k",
    "j",
    "Space",
    "Backspace",
    "Control+y",
    "f",
    "p",
    "p",
    "?",
    "?",
]

MANY = """
many = al.Session(pool, al.Classification([f"class {c}" for c in "abcdefghijkl"]), store=None)
many.cards()
"""
PLAIN = """
from IPython.display import HTML
HTML('<div tabindex="0" id="plain">A part of the page that looks after no keys.</div>')
"""


@pytest.fixture(scope="module")
def notebook(opened_once: Open) -> Notebook:
    notebook = opened_once([TEXTS, "session.cards()", MANY, PLAIN])
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.save()
    return notebook


def state(notebook: Notebook) -> dict[str, object]:
    """Everything about the notebook that one of its keys could have changed."""
    return {
        "cells": notebook.cells(),
        "runs": notebook.js("return cells.map((c) => c.model.executionCount ?? null)"),
        "kernel": notebook.pid,
        "dialogs": notebook.page.locator(".jp-Dialog, .lm-CommandPalette:visible").count(),
        "file": notebook.path.stat().st_mtime_ns,
    }


def select_cell(notebook: Notebook, number: int) -> None:
    """Select a cell in command mode, as a click beside its output does."""
    notebook.js("panel.content.activeCellIndex = value; panel.content.mode = 'command'", number)


def test_keys_stay_on_the_cards(notebook: Notebook) -> None:
    page = notebook.page
    second = page.locator("[data-view=cards]").nth(1)
    targets = {
        "root": (1, notebook.cards.root),
        "class button": (1, notebook.cards.root.get_by_role("button", name="spam")),
        "skip": (1, notebook.cards.root.get_by_role("button", name="Skip")),
        "root with a filter": (2, second),
        "filter": (2, second.get_by_role("textbox")),
    }
    before = state(notebook)
    for name, (cell, target) in targets.items():
        for press in PRESSES:
            select_cell(notebook, cell)
            # The card that is shown may have no use for a key; the keyboard stays where it is.
            target.focus()
            page.keyboard.press(press)
            inside = "document.activeElement.closest('[data-view=cards]') !== null"
            assert page.evaluate(inside), f"{press} on the {name} lost the keyboard"
        time.sleep(0.3)  # what a key started would end in this time
        assert state(notebook) == before, f"a key on the {name} reached the notebook"
    assert notebook.value("len(session.labels())") > 0

    # The same keys where nobody holds them back: this test would notice.
    select_cell(notebook, 3)
    page.locator("#plain").focus()
    page.keyboard.press("b")
    assert len(notebook.cells()) == len(before["cells"]) + 1


def test_escape_gives_the_keyboard_back(notebook: Notebook) -> None:
    notebook.load()  # whatever the keys of the other test have opened is closed
    notebook.cards.wait_card()
    page = notebook.page
    select_cell(notebook, 1)
    notebook.cards.root.click(position={"x": 5, "y": 5})
    assert page.evaluate("document.activeElement.dataset.view") == "cards"
    held = "document.activeElement.dataset.lmSuppressShortcuts"
    assert page.evaluate(held) == "true"
    item = notebook.cards.item
    page.keyboard.press("1")
    assert notebook.cards.item != item
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('.jp-Notebook') !== null")
    assert page.evaluate("document.activeElement.closest('[data-view]') === null")
    number = len(notebook.cells())
    page.keyboard.press("b")
    assert len(notebook.cells()) == number + 1
