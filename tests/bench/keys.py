"""Key press to next card in a real browser, beside the fastest and the usual way to do it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from table import Row

TESTS = Path(__file__).parents[1]

PRESSES = 200
#: Milliseconds between two keys: faster than anybody labels.
PACE = 120

COUNTER = '''
import anywidget
import traitlets

class Counter(anywidget.AnyWidget):
    """Counts keys in the page, and does nothing else: as fast as it gets."""

    _esm = """
    export default { render({ el }) {
      let n = 0;
      el.tabIndex = 0; el.id = "counter"; el.dataset.lmSuppressShortcuts = "true";
      el.addEventListener("keydown", (e) => {
        e.stopPropagation();
        el.dataset.item = el.textContent = ++n;
      });
    } }"""

Counter()
'''

ASKER = '''
class Asker(anywidget.AnyWidget):
    """Asks the kernel for each next card, as most labelling widgets do."""

    _esm = """
    export default { render({ model, el }) {
      el.tabIndex = 0; el.id = "asker"; el.dataset.lmSuppressShortcuts = "true";
      el.addEventListener("keydown", (e) => { e.stopPropagation(); model.send({ key: e.key }); });
      model.on("msg:custom", (m) => { el.dataset.item = el.textContent = m.item; });
    } }"""

    def __init__(self):
        super().__init__()
        self.n = 0
        self.on_msg(self._answer)

    def _answer(self, _, content, buffers):
        self.n += 1
        self.send({"item": f"item {self.n}"})

Asker()
'''

DIGITS = """
import alwidgets as al

pool, truth = al.datasets.digits()
"""
CARDS = """
session = al.Session(pool, al.Classification(range(10)), store="{name}.db", batch_size={batch})
session.cards()
"""

#: Notes, for the element `root`, from key press to the change and to the frame that shows it.
CLOCK = """
window.clock?.stop();
const {selector, attribute} = value;
const target = document.querySelectorAll(selector)[value.number ?? 0];
const clock = window.clock = {changed: [], painted: []};
let pressed = null;
const press = (event) => { pressed = event.timeStamp; };
const watcher = new MutationObserver(() => {
  if (pressed === null) return;
  const begin = pressed, channel = new MessageChannel();
  pressed = null;
  clock.changed.push(performance.now() - begin);
  channel.port1.onmessage = () => clock.painted.push(performance.now() - begin);
  requestAnimationFrame(() => channel.port2.postMessage(null));
});
window.addEventListener("keydown", press, true);
watcher.observe(target, {attributeFilter: [attribute]});
clock.stop = () => { window.removeEventListener("keydown", press, true); watcher.disconnect(); };
target.focus();
"""


def rounded(milliseconds: list[float], quantile: float) -> float:
    return round(float(np.quantile(milliseconds, quantile)), 1)


def keys() -> Iterator[Row]:
    """Key press to next card."""
    sys.path[:0] = [str(TESTS / "lab"), str(TESTS)]
    from browser import find
    from harness import Lab

    contestants = {
        "cards": ("[data-view=cards]", 0, "data-item-id"),
        "cards, retraining every 20": ("[data-view=cards]", 1, "data-item-id"),
        "widget that asks the kernel": ("#asker", 0, "data-item"),
        "bare key counter": ("#counter", 0, "data-item"),
    }
    cells = [
        DIGITS,
        CARDS.format(name="idle", batch=100_000),
        CARDS.format(name="training", batch=20),
        COUNTER,
        ASKER,
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        Lab(Path(folder) / "lab", find()) as lab,
        lab.open(cells, name="bench") as notebook,
    ):
        notebook.run_all()
        notebook.cards.wait_card()
        notebook.page.wait_for_timeout(2_000)
        for name, (selector, number, attribute) in contestants.items():
            what = {"selector": selector, "number": number, "attribute": attribute}
            notebook.js(CLOCK, what)
            for n in range(PRESSES):
                notebook.page.keyboard.press(str(n % 10))
                notebook.page.wait_for_timeout(PACE)
            notebook.page.wait_for_timeout(500)
            changed, painted = notebook.js("return [window.clock.changed, window.clock.painted]")
            if len(changed) < 0.95 * PRESSES:
                raise RuntimeError(f"{name}: only {len(changed)} of {PRESSES} keys did something.")
            for step, times in (("document", changed), ("paint", painted)):
                yield Row(
                    f"key to {step}",
                    name,
                    rounded(times, 0.5),
                    "ms",
                    f"p95 {rounded(times, 0.95)}, {len(times)} presses",
                )
