"""What the cards leave behind: in the notebook's file, the page's memory and its listeners."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from cells import COUNTER
from harness import Lab
from page import Notebook
from table import Row

MOST_KB, MOST_MB = 20, 20
#: Cards after which the page's memory is taken as the start.
FIRST = 100
#: Runs of a cell whose output is cleared each time.
TIMES = 5
LABELS = 1_000

LARGE = """
import numpy as np
import alwidgets as al

N, rng = 100_000, np.random.default_rng(0)
features = rng.normal(size=(N, 16)).astype("float32")
texts = [f"Message {i} says what it says, and that takes a line or two of text." for i in range(N)]
pool = al.Pool.from_arrays(features, content=texts, ids=[f"i{i}" for i in range(N)])
task = al.Classification(["ham", "spam"])
session = al.Session(pool, task, store="large.db")
"""
LABEL = f"""
for n in range({LABELS}):
    item = session.next()[0]
    session.record(item.id, task.classes[n % 2])
"""
IMAGES = """
import numpy as np, pandas as pd, pathlib
from PIL import Image
import alwidgets as al

N, rng = {cards} * 2, np.random.default_rng(0)
pathlib.Path("images").mkdir(exist_ok=True)
files = [f"images/{{i}}.jpg" for i in range(N)]
for file in files:
    small = rng.integers(0, 255, size=(12, 16, 3)).astype("uint8")
    Image.fromarray(small).resize((320, 240)).save(file, quality=85)
features = rng.normal(size=(N, 16)).astype("float32")
frame = pd.DataFrame({{"image": files, "id": [f"i{{i}}" for i in range(N)]}})
pool = al.Pool.from_frame(frame, image="image", id="id", features=features)
"""
SESSION = """
task = al.Classification(["ham", "spam"])
session = al.Session(pool, task, store="images.db", batch_size=100_000)
session.cards()
"""

#: Labels in the page as fast as cards come, each drawn: nobody presses five thousand keys.
HURRY = """
const wanted = value;
for (let done = 0, tries = 0; done < wanted && tries < 200 * wanted; tries++) {
  const item = root.dataset.itemId;
  if (item) {
    root.dispatchEvent(new KeyboardEvent("keydown", {key: "12"[done % 2], bubbles: true}));
    done++;
  }
  await new Promise((go) => requestAnimationFrame(go));
}
"""


#: Sends the kernel a message a key and hears one back, as the cards do: so much JupyterLab takes.
SENDER = '''
import anywidget


class Sender(anywidget.AnyWidget):
    _esm = """
    export default { render({ model, el }) {
      const box = document.createElement("div");
      let n = 0;
      box.tabIndex = 0; box.dataset.peer = "sender"; box.dataset.lmSuppressShortcuts = "true";
      box.addEventListener("keydown", (e) => {
        e.stopPropagation();
        box.textContent = ++n;
        model.send({ n });
      });
      model.on("msg:custom", (message) => { box.dataset.heard = message.n; });
      el.append(box);
    } }"""

    def __init__(self):
        super().__init__()
        self.on_msg(lambda _, content, buffers: self.send(content))

Sender()
'''
SEND = """
const box = document.querySelector("[data-peer=sender]");
for (let n = 0; n < value; n++) {
  box.dispatchEvent(new KeyboardEvent("keydown", {key: "1", bubbles: true}));
  await new Promise((go) => requestAnimationFrame(go));
}
"""


@dataclass(frozen=True)
class State:
    """What a page holds after the garbage is collected and decoded images are given back."""

    heap_mb: float
    process_mb: float
    nodes: int
    listeners: int


class Page:
    """The open notebook's page, seen by the browser's own counters."""

    def __init__(self, notebook: Notebook, lab: Lab) -> None:
        self._notebook = notebook
        self._devtools = notebook.page.context.new_cdp_session(notebook.page)
        self._devtools.send("Performance.enable")
        assert lab._browser is not None
        self._browser = lab._browser.new_browser_cdp_session()

    def state(self) -> State:
        # The browser keeps decoded images until somebody else needs the memory.
        self._devtools.send("Memory.simulatePressureNotification", {"level": "critical"})
        for _ in range(3):
            self._devtools.send("HeapProfiler.collectGarbage")
            time.sleep(0.3)
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        at = {metric["name"]: metric["value"] for metric in found}
        return State(
            at["JSHeapUsedSize"] / 2**20,
            self._process_mb(),
            int(at["Nodes"]),
            int(at["JSEventListeners"]),
        )

    def _process_mb(self) -> float:
        """Memory of the page's process that it shares with none."""
        processes = self._browser.send("SystemInfo.getProcessInfo")["processInfo"]
        used = [
            psutil.Process(p["id"]).memory_full_info().uss
            for p in processes
            if p["type"] == "renderer"
        ]
        return max(used) / 2**20


def pages(folder: Path, chromium: str, cards: int) -> Iterator[Row]:
    """The notebook's growth, the page's memory over so many cards, and its listeners."""
    with Lab(folder, chromium) as lab:
        yield from growth(lab)
        yield from memory(lab, cards)


def growth(lab: Lab) -> Iterator[Row]:
    """How much larger the file gets by a session's cards, as saved by default and with state."""
    group = "notebook of 100k texts"
    with lab.open([LARGE, "session.cards()"], name="growth") as notebook:
        empty = notebook.save()
        notebook.run_all()
        notebook.cards.wait_card()
        notebook.execute(LABEL)
        notebook.js(HURRY, 20)
        notebook.cards.wait_saved()
        saved = notebook.save()
        notebook.load()
        notebook.cards.wait_card()
        again = notebook.save()
        labels = notebook.value("len(session.labels())")
        for name, size in (("saved", saved), ("opened again, saved", again)):
            yield grown(group, f"file growth, {name}", size - empty, f"{labels} labels")
        notebook.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
        notebook.js("panel.context.model.dirty = true")
        size = notebook.save()
        yield grown(
            group, "file growth, widget state too", size - empty, "an option, off by default"
        )


def grown(group: str, name: str, by: int, note: str) -> Row:
    return Row(group, name, by / 1024, "KB", note, f"< {MOST_KB} KB", by < MOST_KB * 1024)


def memory(lab: Lab, cards: int) -> Iterator[Row]:
    """The page's memory after the first and after all cards, and what is left when cleared."""
    group = "page"
    code = [IMAGES.format(cards=cards), SESSION, COUNTER, SENDER]
    with lab.open(code, name="memory") as notebook:
        page = Page(notebook, lab)
        notebook.run_all()
        notebook.cards.wait_card()
        first = labelled(notebook, page, FIRST)
        last = labelled(notebook, page, cards - FIRST)
        more = last.heap_mb - first.heap_mb
        note = f"{first.heap_mb:.1f} MB after {FIRST} image cards, {last.heap_mb:.1f} after {cards}"
        yield Row(group, "heap grows by", more, "MB", note, f"<= {MOST_MB}", more <= MOST_MB)
        more = last.process_mb - first.process_mb
        yield Row(group, "process grows by", more, "MB", f"{first.process_mb:.0f} MB before")
        notebook.js(SEND, FIRST)
        first_sent = page.state()
        notebook.js(SEND, cards - FIRST)
        notebook.until(
            "const {textContent: sent, dataset} = document.querySelector('[data-peer=sender]');"
            "return sent === dataset.heard",
            seconds=120,
        )
        bare_mb = page.state().process_mb - first_sent.process_mb
        note = "a widget that sends a message a key: what JupyterLab takes for it"
        yield Row(group, "process grows by, bare sender", bare_mb, "MB", note)
        yield Row(group, "nodes more", last.nodes - first.nodes, note=f"{first.nodes} before")
        more = last.listeners - first.listeners
        yield Row(group, "listeners more", more, note=f"{first.listeners} before")
        bare, _ = left(notebook, page, 2, "[data-peer=counter]")
        ours, note = left(notebook, page, 1, "[data-view=cards]")
        yield Row(group, "listeners left, a bare anywidget", bare, note="what JupyterLab keeps")
        met = ours <= bare
        yield Row(group, "listeners left, the cards", ours, "", note, "as the bare one", met)


def left(notebook: Notebook, page: Page, cell: int, selector: str) -> tuple[float, str]:
    """Listeners that stay each time a cell is run and its output cleared, and what they were."""
    cleared(notebook, cell, selector)
    before = page.state()
    for _ in range(TIMES):
        notebook.run_cell(cell)
        notebook.until("return document.querySelector(value) !== null", selector)
        time.sleep(1)
        full = page.state()
        cleared(notebook, cell, selector)
    after = page.state()
    note = f"a time; {before.listeners} before, {full.listeners} with it, {after.listeners} after"
    return (after.listeners - before.listeners) / TIMES, f"{note} {TIMES} times"


def labelled(notebook: Notebook, page: Page, cards: int) -> State:
    notebook.js(HURRY, cards)
    notebook.cards.wait_saved()
    return page.state()


def cleared(notebook: Notebook, cell: int, selector: str) -> None:
    notebook.js("panel.content.activeCellIndex = value", cell)
    notebook.command("notebook:clear-cell-output")
    notebook.until("return document.querySelector(value) === null", selector)
