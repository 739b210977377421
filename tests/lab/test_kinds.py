"""Other answers than classes on the cards: their keys, what is stored, and how they look."""

from __future__ import annotations

from conftest import SCREENSHOTS, Open
from page import Notebook
from samples import TEXTS

BINARY = """
binary = al.Session(pool, al.Binary("spam"), store="binary.db")
view = binary.cards()
view
"""
RATING = """
rating = al.Session(pool, al.Rating(0, 10), store="rating.db")
rating.cards()
"""


def answered(notebook: Notebook, session: str) -> list[object]:
    """Answers that the kernel has, in their order."""
    found = notebook.value(f"list({session}.labels().sort_values('answered_at').answer)")
    assert isinstance(found, list)
    return found


def test_yes_or_no_with_redo_and_a_pause(opened: Open) -> None:
    notebook = opened([TEXTS, BINARY], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    for key in ("y", "n", "y", "Backspace", "Control+y"):
        cards.press(key)
    cards.wait_saved()
    assert answered(notebook, "binary") == [True, False, True]
    item = cards.wait_card()
    cards.press("p")
    notebook.screenshot(SCREENSHOTS / "cards-paused.png", cards.root)
    cards.press("y")
    assert cards.item == item
    cards.press("p")
    cards.press("?")
    notebook.screenshot(SCREENSHOTS / "cards-binary-keys.png", cards.root)
    cards.press("?")
    cards.press("n")
    cards.wait_saved()
    assert answered(notebook, "binary") == [True, False, True, False]
    assert notebook.errors == []


def test_a_rating_of_eleven_steps(opened: Open) -> None:
    notebook = opened([TEXTS, RATING], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    cards.press("0")
    cards.press("7")
    cards.root.locator(".alw-class", has_text="10").click()
    cards.wait_saved()
    assert answered(notebook, "rating") == [0, 7, 10]
    notebook.screenshot(SCREENSHOTS / "cards-rating.png", cards.root)
    assert notebook.errors == []


def test_classes_are_changed_on_the_cards(opened: Open) -> None:
    notebook = opened([TEXTS, "session.cards()"], size=(900, 900))
    notebook.run_all()
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    cards.press("1")
    cards.press("e")
    page = notebook.page
    page.keyboard.type("eggs")
    page.keyboard.press("Enter")
    cards.root.locator(".alw-class", has_text="eggs").wait_for()
    notebook.screenshot(SCREENSHOTS / "cards-classes.png", cards.root)
    page.get_by_label("Class to rename").select_option("ham")
    page.get_by_label("Its new name").fill("news")
    page.keyboard.press("Enter")
    cards.root.locator(".alw-class", has_text="news").wait_for()
    page.get_by_label("Class to merge").select_option("eggs")
    page.get_by_label("Class that it becomes part of").select_option("spam")
    page.get_by_role("button", name="Merge").click()
    cards.root.locator(".alw-class", has_text="eggs").wait_for(state="detached")
    page.keyboard.press("Escape")
    cards.press("2")
    cards.wait_saved()
    assert answered(notebook, "session") == ["news", "spam"]
    assert notebook.errors == []


def test_why_a_card_is_there(opened: Open) -> None:
    notebook = opened([TEXTS, "session.cards()"], size=(900, 900))
    notebook.run_all()
    notebook.execute(
        "for item in session.next(30):\n"
        "    session.record(item.id, 'spam' if 'win' in item.content.text else 'ham')\n"
        "session.retrain().version"
    )
    cards = notebook.cards
    cards.wait_card()
    cards.focus()
    cards.look()
    while cards.root.locator(".alw-badge").is_visible():
        cards.press("Space")
    cards.press("w")
    cards.root.locator(".alw-alike li").nth(2).wait_for()
    notebook.screenshot(SCREENSHOTS / "cards-why.png", cards.root)
    cards.press("Escape")
    assert cards.root.locator(".alw-reasons").is_hidden()
    assert notebook.errors == []
