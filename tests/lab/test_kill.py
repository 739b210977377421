"""The kernel is killed again and again while someone labels: nothing is lost, nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from conftest import Open
from page import Notebook, wait_for
from playwright.sync_api import TimeoutError as TookTooLong
from samples import TEXTS, answers

KILLS = 20
KEYS = {"1": "ham", "2": "spam"}

#: Notes every press after which the card is another one, and every event the page keeps.
WATCH = """
window.pressed = []; window.kept = [];
window.addEventListener("keydown", (event) => {
  const root = event.target.closest?.("[data-view=cards]");
  const item = root?.dataset.itemId;
  if (!item) return;
  setTimeout(() => { if (root.dataset.itemId !== item) window.pressed.push([item, event.key]); });
}, true);
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, text) {
  if (key.startsWith("alwidgets/")) window.kept.push(JSON.parse(text).event.event_id);
  return setItem.call(this, key, text);
};
"""


def label_until(notebook: Notebook, end: Callable[[], bool], dice: random.Random) -> None:
    while not end():
        notebook.cards.press(dice.choice("12"))
        time.sleep(0.01)


def await_restarted(notebook: Notebook) -> None:
    """Wait for the new kernel.

    JupyterLab now and then misses that it is there, where the connection broke just then. A person
    picks "Reconnect to Kernel" in the menu.
    """
    idle = "return kernel?.status === 'idle'"
    try:
        notebook.until(idle, seconds=30)
    except TookTooLong:
        notebook.command("kernelmenu:reconnect-to-kernel")
        notebook.until(idle)


@pytest.mark.timeout(1_200)
def test_kill(opened: Open, report: Callable[[str], None]) -> None:
    dice = random.Random(20)
    notebook = opened([TEXTS, "view = session.cards()\nview"])
    notebook.js(WATCH)
    database = notebook.folder / "texts.db"
    in_outbox: list[int] = []
    begin = time.monotonic()

    for _ in range(KILLS):
        notebook.run_all()
        notebook.cards.wait_card()
        notebook.cards.focus()
        pid = notebook.pid
        dead = threading.Event()

        def kill(pid: int = pid, dead: threading.Event = dead) -> None:
            os.kill(pid, signal.SIGKILL)
            dead.set()

        threading.Timer(dice.uniform(0.05, 1.2), kill).start()
        label_until(notebook, dead.is_set, dice)
        # The page does not know yet, and neither does the person.
        later = time.monotonic() + dice.uniform(0.1, 0.8)
        label_until(notebook, lambda later=later: time.monotonic() > later, dice)

        stored = {event for event, _, _ in answers(database)}
        in_outbox.append(len(set(notebook.js("return window.kept")) - stored))
        wait_for(notebook.dismiss_dialogs, what="the dialog about the dead kernel")
        notebook.until("return document.querySelector('.jp-Dialog') === null")
        await_restarted(notebook)

    notebook.run_all()
    notebook.cards.wait_saved()
    seconds = time.monotonic() - begin

    pressed = [(item, KEYS[key]) for item, key in notebook.js("return window.pressed")]
    kept = notebook.js("return window.kept")
    rows = answers(database)
    report(
        f"{KILLS} kills, {len(pressed)} labels, {sum(in_outbox)} of them only in the outbox when "
        f"the kernel died ({in_outbox}); stored {len(rows)}; {seconds:.0f} s"
    )
    assert len(pressed) > KILLS
    assert sum(in_outbox) > 0, "no kill came while labels were under way"
    twice = [item for item, n in Counter(item for item, _ in pressed).items() if n > 1]
    assert twice == [], "these cards came again after they were answered"
    assert Counter((item, answer) for _, item, answer in rows) == Counter(pressed)
    assert sorted(event for event, _, _ in rows) == sorted(set(kept))
    assert notebook.value("len(session.labels())") == len(pressed)
    left = "return Object.keys(localStorage).filter((key) => key.startsWith('alwidgets/'))"
    assert notebook.js(left) == []
