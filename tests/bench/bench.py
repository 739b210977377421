"""Measure what people feel: `make bench` prints a table and writes artifacts/bench.json.

Times depend on the machine, so each stands beside something to compare it with, measured in the
same run: a bare key counter and a widget that asks the kernel for each card, scikit-learn's
logistic regression with margin sampling, and one fit of it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("lab", "unit", "")]

PRESSES = 200
#: Milliseconds between two keys: faster than anybody labels.
PACE = 120
SEEDS = 5
OUT = ROOT / "artifacts" / "bench.json"

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


@dataclass(frozen=True)
class Row:
    """One figure: what it is of, its value, and how much it varies."""

    group: str
    name: str
    value: float
    unit: str
    note: str = ""


def rounded(milliseconds: list[float], quantile: float) -> float:
    return round(float(np.quantile(milliseconds, quantile)), 1)


def keys() -> Iterator[Row]:
    """Key press to next card."""
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


def imports() -> Iterator[Row]:
    """`import alwidgets` in a fresh process, and Python's own start beside it."""

    def seconds(code: str) -> float:
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - begin)
        return min(times)

    bare = seconds("pass")
    yield Row("import", "import alwidgets", round(seconds("import alwidgets") - bare, 3), "s")
    first = "import alwidgets; alwidgets.Session"
    yield Row("import", "alwidgets.Session", round(seconds(first) - bare, 3), "s", "with torch")
    yield Row("import", "python -c pass", round(bare, 3), "s", "taken off the two above")


def logistic(data: Any, seed: int, labels: int = 150, batch: int = 10) -> dict[int, float]:
    """Logistic regression with margin sampling: what one would write by hand."""
    from sklearn.linear_model import LogisticRegression

    dice = np.random.default_rng(seed)
    free = np.ones(len(data.X), dtype=bool)
    chosen = dice.permutation(len(data.X))[:batch]
    known: list[int] = []
    curve = {}
    while len(known) < labels:
        known += chosen.tolist()
        free[chosen] = False
        model = LogisticRegression(max_iter=2000).fit(data.X[known] / 16, data.y[known])
        curve[len(known)] = float(model.score(data.X_test / 16, data.y_test))
        rest = np.flatnonzero(free)
        best = np.sort(model.predict_proba(data.X[rest] / 16), axis=1)
        chosen = rest[np.argsort(best[:, -1] - best[:, -2])[:batch]]
    return curve


def efficiency() -> Iterator[Row]:
    """Accuracy on 500 untouched digits after 50, 100 and 150 labels."""
    from simulate import digits, run

    runs: dict[str, Callable[[int], dict[int, float]]] = {
        "alwidgets, auto": lambda seed: run(digits(seed), "auto", seed=seed),
        "alwidgets, random": lambda seed: run(digits(seed), "random", seed=seed),
        "logistic regression, margin": lambda seed: logistic(digits(seed), seed),
    }
    for name, play in runs.items():
        curves = [play(seed) for seed in range(SEEDS)]
        for labels in (50, 100, 150):
            found = [curve[labels] for curve in curves]
            spread = f"{min(found):.3f} to {max(found):.3f}, {SEEDS} seeds"
            if name.startswith("alwidgets"):
                spread += ", 15 % of the labels kept for the audit"
            yield Row(
                f"accuracy, {labels} labels", name, round(statistics.mean(found), 4), "", spread
            )


def rounds() -> Iterator[Row]:
    """One retraining at 150 labels, beside one fit on the same rows."""
    from sklearn.linear_model import LogisticRegression

    import alwidgets as al

    pool, truth = al.datasets.digits()
    session = al.Session(pool, al.Classification(range(10)), executor=al.InlineExecutor())
    for _ in range(150):
        item = session.next()[0]
        session.record(item.id, str(truth[item.index]))
    known = np.flatnonzero(session.label_codes() >= 0)
    X, y = pool.features[known], session.label_codes()[known]
    whole, fits = [], []
    for _ in range(7):
        result = session.retrain()
        assert result is not None
        whole.append(result.seconds)
        begin = time.perf_counter()
        LogisticRegression(max_iter=2000).fit(X, y)
        fits.append(time.perf_counter() - begin)
    session.close()
    note = "fit, predict the pool, estimate and pick; median of 7"
    yield Row("a round at 150 labels", "alwidgets", round(statistics.median(whole), 3), "s", note)
    note = f"fit alone, {len(y)} rows; median of 7"
    yield Row(
        "a round at 150 labels",
        "LogisticRegression.fit",
        round(statistics.median(fits), 3),
        "s",
        note,
    )


def machine() -> dict[str, Any]:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cores": os.cpu_count(), "python": platform.python_version(), "load at start": load}


def main() -> None:
    parts = {part.__name__: part for part in (keys, imports, efficiency, rounds)}
    wanted = sys.argv[1:] or list(parts)
    about, rows = machine(), []
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    for name in wanted:
        for row in parts[name]():
            rows.append(row)
            print(
                f"{row.group:<24} {row.name:<30} {row.value:>8} {row.unit:<3} {row.note}",
                flush=True,
            )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"machine": about, "rows": [asdict(row) for row in rows]}, indent=1))
    print(f"written to {OUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
