"""What goes wrong while somebody labels: every label is kept, once, and the person is told."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import Open
from page import Notebook, wait_for
from samples import TEXTS, answers

CELLS = [TEXTS, "session.cards()"]
KEYS = {"1": "ham", "2": "spam"}
PRESSES = 12

#: Notes every press that brings another card, at once: the timers of a tab in the background wait.
WATCH = """
window.pressed = [];
let before = "";
window.addEventListener("keydown", () => { before = root.dataset.itemId; }, true);
root.addEventListener("keydown", (event) => {
  if (!before || !"12".includes(event.key) || root.dataset.itemId === before) return;
  window.pressed.push([before, event.key]);
});
"""

#: Fills the storage of the page until not one more character goes in.
FULL = """
for (let size = 1 << 20; size >= 1; size = size > 1 ? size >> 1 : 0) {
  try { for (let n = 0; ; n++) localStorage.setItem(`ballast-${size}-${n}`, "x".repeat(size)); }
  catch (error) { if (error.name !== "QuotaExceededError") throw error; }
}
"""

#: As where the person has told the browser to keep nothing.
FORBIDDEN = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
});
"""


def labelling(opened: Open, cells: list[str] | None = None, *, before: str = "") -> Notebook:
    """A notebook with a card on screen, saved, and the keyboard on the card."""
    notebook = opened(cells or CELLS)
    if before:
        notebook.js(before)
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.save()
    ready(notebook)
    return notebook


def ready(notebook: Notebook) -> None:
    notebook.cards.wait_card()
    notebook.js(WATCH)
    notebook.cards.focus()


def press(notebook: Notebook, number: int) -> None:
    for n in range(number):
        notebook.cards.wait_card()  # those kept for the audit come before the picked ones
        notebook.cards.press("12"[n % 2])
        time.sleep(0.02)


def pressed(notebook: Notebook, number: int) -> list[tuple[str, str]]:
    """Items and answers of the presses, once so many have brought another card."""
    notebook.until("return window.pressed.length >= value", number)
    return [(item, KEYS[key]) for item, key in notebook.js("return window.pressed")]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The kernel stands still, as when it is busy with something that lets nothing else run."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def check(database: Path, expected: list[tuple[str, str]]) -> None:
    rows = answers(database)
    assert Counter((item, answer) for _, item, answer in rows) == Counter(expected)
    assert len({event for event, _, _ in rows}) == len(rows)


def notice(notebook: Notebook, words: str) -> str:
    """Wait for a notice with these words; return all that it says."""
    found = notebook.cards.root.locator(".alw-notice", has_text=words)
    found.first.wait_for(timeout=30_000)
    assert found.count() == 1
    return found.inner_text()


@pytest.mark.parametrize("how", ["closed", "reloaded"])
def test_a_tab_that_goes_with_a_full_outbox(opened: Open, how: str) -> None:
    notebook = labelling(opened)
    with stopped(notebook.pid):
        press(notebook, PRESSES)
        made = pressed(notebook, PRESSES)
        assert notebook.cards.unsaved == len(made) == PRESSES
        made.append((notebook.cards.item, "ham"))
        notebook.cards.press("1")  # and the tab goes before the next frame is drawn
        if how == "closed":
            notebook.page.close()
        assert answers(notebook.folder / "texts.db") == []
    if how == "closed":
        notebook.turn()
    notebook.load()
    ready(notebook)
    notebook.cards.wait_saved()
    assert notebook.cards.item not in dict(made), "what was answered is asked again"
    press(notebook, 3)
    made += pressed(notebook, 3)
    notebook.cards.wait_saved()
    assert len(made) == PRESSES + 4
    check(notebook.folder / "texts.db", made)
    assert notebook.value("len(session.labels())") == PRESSES + 4


def test_two_tabs_on_one_session(opened: Open) -> None:
    one = labelling(opened)
    two = one.beside()
    ready(two)
    # One after the other: what is answered on one page goes from the other. They may begin with
    # different cards: one that was there before the strategy's first pick keeps the card it has.
    for n in range(PRESSES):
        here, there = (one, two) if n % 2 else (two, one)
        before = here.cards.item
        here.cards.press("12"[n % 2])
        there.until("return root.dataset.itemId !== value", before)
        there.cards.look()
    in_turn = pressed(one, PRESSES // 2) + pressed(two, PRESSES // 2)
    assert len({item for item, _ in in_turn}) == len(in_turn) == PRESSES
    one.cards.wait_saved()
    two.cards.wait_saved()
    check(one.folder / "texts.db", in_turn)
    # What one takes back is on both.
    item = one.cards.item
    one.cards.press("1")
    two.until("return root.dataset.itemId !== value", item)
    one.cards.press("Backspace")
    for tab in (one, two):
        tab.until("return root.dataset.itemId === value", item)
    two.cards.look()
    # Both at once: the same card may be answered twice, and every press is an event.
    with stopped(one.pid):
        press(one, 5)
        press(two, 5)
    for tab in (one, two):
        tab.cards.wait_saved()
    everything = pressed(one, PRESSES // 2 + 6) + pressed(two, PRESSES // 2 + 5)
    rows = answers(one.folder / "texts.db")
    undone = 1  # its answer is in the log
    assert len(rows) == len({event for event, _, _ in rows}) == PRESSES + undone + 10
    assert Counter((item, answer) for _, item, answer in rows) == Counter(everything)
    newest = {item: answer for _, item, answer in rows}
    assert one.value("session.labels().answer.to_dict()") == newest
    # JupyterLab says so where the other tab's widget manager has closed a comm of its own.
    errors = [e for e in one.errors + two.errors if "Comm not found for comm id" not in e]
    assert errors == []


@pytest.mark.parametrize("storage", [FULL, FORBIDDEN], ids=["full", "forbidden"])
def test_a_browser_that_keeps_nothing(opened: Open, storage: str) -> None:
    notebook = labelling(opened, before=storage)
    with stopped(notebook.pid):
        press(notebook, PRESSES)
        said = notice(notebook, "keeps no copy")
        assert "storage is full or forbidden" in said
        assert "Leave this page open until every label is saved" in said
        assert notebook.cards.unsaved == PRESSES
        assert notebook.cards.item, "labelling goes on"
    notebook.cards.wait_saved()
    notebook.until("return !root.querySelector('.alw-notice')")
    made = pressed(notebook, PRESSES)
    assert len(made) == PRESSES
    check(notebook.folder / "texts.db", made)
    assert notebook.errors == []


#: No file of the kernel may grow beyond this size.
LIMIT = """
import os, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
size = max(os.path.getsize(p) for p in ("texts.db", "texts.db-wal") if os.path.exists(p))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
"""
LIFT = "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)"


@contextmanager
def full(notebook: Notebook) -> Iterator[None]:
    notebook.execute(LIMIT)
    yield
    notebook.execute(LIFT)


@contextmanager
def locked(notebook: Notebook) -> Iterator[None]:
    with closing(sqlite3.connect(notebook.folder / "texts.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(full, "the disk has room"), (locked, "database is locked")],
    ids=["full disk", "locked"],
)
def test_a_store_that_cannot_be_written(
    opened: Open, trouble: Callable[[Notebook], Iterator[None]], words: str
) -> None:
    impatient = f"from alwidgets import database\ndatabase.BUSY_SECONDS = 0.2\n{TEXTS}"
    notebook = labelling(opened, [impatient, "session.cards()"])
    press(notebook, 2)
    notebook.cards.wait_saved()
    with trouble(notebook):
        press(notebook, PRESSES)
        said = notice(notebook, words)
        assert "texts.db could not be written" in said
        assert "no other program has it" in said
        assert "Labels wait on this page until they can be saved." in said
        assert notebook.cards.unsaved > 0
    notebook.cards.wait_saved()
    made = pressed(notebook, PRESSES + 2)
    assert len(made) == PRESSES + 2
    check(notebook.folder / "texts.db", made)
    wait_for(lambda: notebook.value("len(session.labels())"), lambda n: n == PRESSES + 2)
    assert notebook.errors == []
