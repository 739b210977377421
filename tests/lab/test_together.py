"""Items labelled together, and earlier cards answered again, in a notebook."""

from __future__ import annotations

from typing import Any

from conftest import SCREENSHOTS, Open
from page import Notebook
from playwright.sync_api import Locator
from samples import DIGITS, TEXTS
from test_look import THEMES, audit

WIN = "session.label_together(search='win', title='Found win').left_out"
SEEN = 700  # ms: the grid takes no Enter before


def grid(notebook: Notebook) -> Locator:
    """The grid, once it is there and was seen."""
    found = notebook.cards.root.locator(".alw-together")
    found.wait_for()
    notebook.page.wait_for_timeout(SEEN)
    return found


def labels(notebook: Notebook) -> dict[str, Any]:
    """Answers that stand, by item."""
    found = notebook.value("session.labels().answer.to_dict()")
    assert isinstance(found, dict)
    return found


def look(notebook: Notebook, name: str) -> list[str]:
    """Take pictures of the cards, light and dark; return what axe complains of."""
    complaints: list[str] = []
    for theme, full in THEMES.items():
        notebook.theme(full)
        complaints += audit(notebook, "cards")
        notebook.screenshot(SCREENSHOTS / f"{name}-{theme}.png", notebook.cards.root)
    notebook.theme(THEMES["light"])
    return complaints


def test_texts_are_labelled_together_and_taken_back_in_one_step(opened: Open) -> None:
    notebook = opened([TEXTS, "session.cards()"], size=(900, 900))
    notebook.run_all()
    cards, cells = notebook.cards, notebook.cells()
    first = cards.wait_card()
    cards.focus()
    cards.press("t")
    notebook.page.keyboard.type("says hello")
    notebook.screenshot(SCREENSHOTS / "together-search.png", cards.root)
    cards.press("Enter")
    shown = grid(notebook)
    # A random sample to begin with. No model yet: the answer for the rest is asked for.
    assert shown.locator(".alw-item").count() == 20
    cards.press("Enter")
    assert shown.locator(".alw-item").count() == 20
    cards.press("1")
    assert look(notebook, "together-sample") == []
    notebook.cards.root.locator(".alw-items [tabindex='0']").focus()
    cards.press("Enter")
    assert shown.locator(".alw-item").count() == 500
    assert cards.unsaved == 0
    notebook.page.wait_for_timeout(SEEN)
    for key in ("ArrowDown", "ArrowDown", "Shift+ArrowDown", "2", "ArrowDown", "x", "ArrowUp"):
        cards.press(key)
    promise = shown.locator(".alw-promise").inner_text()
    assert promise == "Enter labels 497 as ham, 2 otherwise, 1 left out"
    assert look(notebook, "together-texts") == []
    notebook.cards.root.locator(".alw-items [tabindex='0']").focus()
    cards.press("Enter")
    cards.wait_saved()
    given = labels(notebook)
    assert len(given) == 499
    assert sorted(given.values()).count("spam") == 2
    bulks = notebook.value("[e.bulk for e in session.store.events() if e.kind == 'answer']")
    assert len(bulks) == 499
    assert len(set(bulks)) == 1
    assert cards.item == first
    # One step back, and forth, from the page; and back from Python.
    cards.press("Backspace")
    cards.wait_saved()
    assert labels(notebook) == {}
    assert grid(notebook).locator(".alw-promise").inner_text() == promise
    cards.press("Control+y")
    cards.wait_saved()
    assert labels(notebook) == given
    notebook.execute("session.undo()")
    assert labels(notebook) == {}
    assert grid(notebook).locator(".alw-promise").inner_text() == promise
    # No key of all these went to the notebook.
    assert notebook.cells() == cells
    assert notebook.errors == []


def test_images_are_labelled_together(opened: Open) -> None:
    notebook = opened([DIGITS, "session.cards()"], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    notebook.execute("session.label_together(pool.ids[:40], title='The first forty')")
    shown = grid(notebook)
    images = shown.locator("img")
    assert images.count() == 40
    notebook.until("return [...root.querySelectorAll('.alw-thumb')].every(i => i.naturalWidth)")
    columns = notebook.js(
        "const tops = [...root.querySelectorAll('.alw-item')].map(i => i.offsetTop);"
        "return tops.filter(t => t === tops[0]).length"
    )
    assert columns > 2
    cards.press("3")
    cards.press("ArrowDown")
    cards.press("ArrowDown")
    cards.press("7")
    assert shown.locator(".alw-item").nth(columns).get_attribute("data-state") == "own"
    shown.locator("[data-out]").nth(1).click()
    assert look(notebook, "together-images") == []
    shown.locator(".alw-accept").click()
    cards.wait_saved()
    ids = notebook.value("list(pool.ids[:40])")
    expected = dict.fromkeys(ids, "3") | {ids[columns]: "7"}
    del expected[ids[1]]
    assert {item: str(answer) for item, answer in labels(notebook).items()} == expected
    assert notebook.errors == []


def test_an_earlier_card_is_answered_again(opened: Open) -> None:
    notebook = opened([TEXTS, "session.cards()"], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    seen = []
    for key in ("1", "2", "Space", "1"):
        seen.append(cards.wait_card())  # those kept for the audit come before the picked ones
        cards.press(key)
    cards.wait_saved()
    waits = cards.wait_card()
    notebook.run_cell(1)  # another page, which has no memory of them
    cards.wait_card()
    cards.focus()
    cards.press("b")
    rows = cards.root.locator(".alw-earlier-row")
    rows.nth(3).wait_for()
    assert rows.count() == 4
    assert look(notebook, "earlier") == []
    rows.first.focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        cards.press(key)
    notebook.until("return root.dataset.itemId === value", seen[1])
    assert cards.root.locator(".alw-former").inner_text().startswith("spam")
    notebook.screenshot(SCREENSHOTS / "earlier-shown.png", cards.root)
    cards.press("1")
    cards.wait_saved()
    assert cards.item == waits
    assert labels(notebook) == {seen[0]: "ham", seen[1]: "ham", seen[3]: "ham"}
    cards.press("Backspace")
    cards.wait_saved()
    assert labels(notebook)[seen[1]] == "spam"
    assert notebook.errors == []


def test_narrow(opened: Open) -> None:
    """At 320 pixels nothing sticks out, and what is pressed by a finger is large enough."""
    notebook = opened([TEXTS, "view = session.cards()\nview"], size=(1000, 1000))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    notebook.execute("view.layout.width = '320px'")
    notebook.until("return root.getBoundingClientRect().width <= 320")
    cards.focus()
    cards.press("1")
    cards.press("b")
    cards.root.locator(".alw-earlier-row").first.wait_for()
    wide = "return root.scrollWidth - root.clientWidth"
    assert notebook.js(wide) <= 0
    complaints = look(notebook, "narrow-earlier")
    cards.root.locator(".alw-earlier-row").first.focus()
    cards.press("Escape")
    notebook.execute(WIN)
    grid(notebook)
    assert notebook.js(wide) <= 0
    complaints += look(notebook, "narrow-together")
    assert complaints == []
    assert notebook.errors == []
