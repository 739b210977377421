"""Labelling goes on while the kernel is busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from conftest import Open
from page import Notebook
from samples import TEXTS

pytestmark = pytest.mark.alone

BUSY = """
import time

begin = time.monotonic()
time.sleep(6)
ended = time.monotonic()
"""

#: A learner that takes its time, with the processor at work as in a real fit.
SLOW = TEXTS.replace('store="texts.db")', 'store="texts.db", learner=Slow(), batch_size=10)')
SLOW = f"""
import time
import torch
import alwidgets as al

class Slow(al.HeadEnsemble):
    def fit(self, X, y, *, classes=None):
        begin = time.monotonic()
        while time.monotonic() - begin < 4:
            torch.randn(300, 300) @ torch.randn(300, 300)
        return super().fit(X, y, classes=classes)
{SLOW}"""

#: Milliseconds from each key press to the next card in the document.
CLOCK = """
window.delays = [];
let pressed = null;
window.addEventListener("keydown", () => { pressed = performance.now(); }, true);
new MutationObserver(() => {
  if (pressed !== null) window.delays.push(performance.now() - pressed);
  pressed = null;
}).observe(document.querySelector("[data-view=cards]"), {attributeFilter: ["data-item-id"]});
"""


def label(notebook: Notebook, number: int, every: float) -> list[float]:
    """Press keys; return the milliseconds each took to bring the next card."""
    notebook.js(CLOCK)
    notebook.cards.focus()
    for n in range(number):
        before = notebook.cards.item
        assert before, f"there was no card for press {n + 1}"
        notebook.cards.press("12"[n % 2])
        time.sleep(every)
        assert notebook.cards.item != before, f"press {n + 1} brought no new card"
    return sorted(notebook.js("return window.delays"))


def test_labels_while_a_cell_runs(opened: Open, report: Callable[[str], None]) -> None:
    notebook = opened([TEXTS, "session.cards()", BUSY])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.cards.wait_card()
    notebook.wait_idle()
    begin = time.monotonic()
    notebook.run_cell(2, wait=False)
    notebook.until("return kernel.status === 'busy'")
    delays = label(notebook, 12, 0.1)
    pressed = time.monotonic() - begin
    notebook.cards.wait_saved(seconds=30)
    saved = time.monotonic() - begin
    notebook.wait_ran()
    ended = notebook.value("ended - begin")
    report(
        f"12 labels while a cell sleeps {ended:.1f} s: next card after {delays[6]:.1f} ms, at most "
        f"{delays[-1]:.1f} ms; the last key after {pressed:.1f} s, all acknowledged after "
        f"{saved:.1f} s, {'during' if saved < ended else 'after'} the cell"
    )
    assert len(delays) == 12
    assert delays[-1] < 100
    assert saved < ended, "labels must be saved while the cell runs"
    assert notebook.value("len(session.labels())") == 12


def test_labels_while_the_learner_retrains(opened: Open, report: Callable[[str], None]) -> None:
    notebook = opened([SLOW, "session.cards()"])
    notebook.run_all()
    notebook.cards.wait_card()
    label(notebook, 12, 0.05)
    notebook.cards.wait_saved()
    # The page may know of the training before or after the kernel is asked.
    notebook.wait_value("session.training")
    assert notebook.cards.round == 0
    delays = label(notebook, 12, 0.05)
    notebook.cards.wait_saved(seconds=3)
    assert notebook.value("session.training"), "labels must not wait for the retraining"
    assert notebook.value("len(session.labels())") == 24
    notebook.cards.wait_round(1, seconds=30)
    report(
        f"12 labels while the learner retrains: next card after {delays[6]:.1f} ms, at most "
        f"{delays[-1]:.1f} ms; all acknowledged before it ended"
    )
    assert delays[-1] < 100
    assert notebook.errors == []
