"""Key press to next card, and to the frame that shows it, in JupyterLab in Chromium."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cells import COUNTS, SLEEP, Contestant, cells, contestants
from harness import Lab
from page import Notebook
from table import Row

DOCUMENT_MS, PAINT_RATIO = 10.0, 1.3
#: Presses in a row, before it is the turn of the next.
BLOCK = 40
#: Seconds after scrolling to somebody: editors that came into view blink their cursors for a while,
#: and a press waits for the frames of that.
SETTLED = 2.0
#: Seconds from a painted card to the next press: quicker than anybody labels.
PAUSE = 0.1
#: Seconds from a press until the page is asked whether the card came: the question is work for its
#: thread, and whoever is still at it by then would be slower for being asked.
UNASKED = 0.03
#: Seconds to wait for a card.
PATIENCE = 10.0
#: Seconds a press over which the number of presses is cut.
SLOW, FEW = 1.0, 40

#: Notes for one element, press by press, when the next card was in the document and when the frame
#: that shows it was through the page's thread. `presented` is when the browser says the frame of
#: the press was on screen, in steps of 8 ms; only what answers in the page has its card in it.
CLOCK = """
window.clock?.stop();
const [selector, nth] = value.selector.split("|");
const target = document.querySelectorAll(selector)[Number(nth ?? 0)];
const seen = () => target.dataset.itemId
  ?? target.textContent + (target.querySelector("img")?.src ?? "");
const clock = window.clock = {done: [], presented: {}, waiting: null, target};
let before = seen(), begin = null;
const press = (event) => { begin ??= event.timeStamp; };
const watcher = new MutationObserver(() => {
  if (begin === null) return;
  const now = seen();
  if (now === before || now === "") return;
  const from = begin, changed = performance.now() - from, channel = new MessageChannel();
  before = now;
  begin = null;
  channel.port1.onmessage = () => {
    clock.done.push([from, changed, performance.now() - from]);
    clock.waiting?.();
  };
  requestAnimationFrame(() => channel.port2.postMessage(null));
});
const frames = new PerformanceObserver((list) => {
  for (const { name, startTime, duration } of list.getEntries())
    if (name === "keydown") clock.presented[startTime] = duration;
});
frames.observe({type: "event", durationThreshold: 16});
window.addEventListener(value.event, press, true);
watcher.observe(target, {subtree: true, childList: true, characterData: true, attributes: true,
  attributeFilter: ["data-item-id", "src"]});
clock.stop = () => {
  window.removeEventListener(value.event, press, true);
  watcher.disconnect();
  frames.disconnect();
};
clock.until = (number, ms) => new Promise((found) => {
  const look = () => { if (clock.done.length >= number) { clearTimeout(late); found(true); } };
  const late = setTimeout(() => found(false), ms);
  clock.waiting = look;
  look();
});
target.scrollIntoView({block: "center"});
if (value.event === "keydown") target.focus({preventScroll: true});
"""


@dataclass
class Times:
    """What was measured of one contestant in one condition, in milliseconds."""

    document: list[float] = field(default_factory=list)
    paint: list[float] = field(default_factory=list)
    presented: list[float] = field(default_factory=list)
    #: Presses after which no card came: with the kernel stopped, the last one there was.
    last: int = 0

    def __len__(self) -> int:
        return len(self.document)


def quantiles(times: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    low, high = np.quantile(times, (0.5, 0.95))
    return round(float(low), 1), round(float(high), 1)


def spread(times: list[float], base: list[float]) -> tuple[float, float]:
    """90 % of the ratios of two 95th percentiles that presses drawn anew from these would give.

    That percentile rests on the slowest tenth of 200 presses, and those on where between two frames
    of the display they fell: it is not as certain as it looks.
    """
    rng = np.random.default_rng(0)
    ours, theirs = (
        np.quantile(rng.choice(found, (2000, len(found))), 0.95, axis=1) for found in (times, base)
    )
    low, high = np.quantile(ours / theirs, (0.05, 0.95))
    return float(low), float(high)


class Bench:
    """A notebook with everybody in it, and the keys and clicks of somebody who labels."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.stopped = False
        #: Labels in the outbox of each view when the kernel went on.
        self.waiting: list[int] = []
        self._rng = np.random.default_rng(0)

    def block(self, who: Contestant, number: int, times: Times) -> int:
        """Press so many times, or until there is no card; return how often."""
        notebook = self.notebook
        event = "click" if who.button else "keydown"
        notebook.js(CLOCK, {"selector": who.selector, "event": event})
        time.sleep(SETTLED)
        done = 0
        while done < number and self._has_card(who):
            self._press(who, done)
            time.sleep(UNASKED)
            patience = 1.0 if self.stopped and who.ours else PATIENCE
            if not notebook.js("return clock.until(...value)", [done + 1, patience * 1000]):
                times.last += 1
                break
            done += 1
            time.sleep(PAUSE * self._rng.uniform(0.6, 1.4) - UNASKED)
        time.sleep(0.2)  # frames are told of late
        found, presented = notebook.js(
            "clock.stop(); return [clock.done, Object.entries(clock.presented)]"
        )
        at = {float(start): duration for start, duration in presented}
        for start, changed, painted in found:
            times.document.append(changed)
            times.paint.append(painted)
            if event == "keydown":
                times.presented.append(at.get(start, 16.0))
        return done

    def _has_card(self, who: Contestant) -> bool:
        """Whether there is a card to answer; one that is on its way is waited for.

        All are asked, though only our cards may run out: the question is work for the browser, and
        under load a press that comes right after it is slower.
        """
        end = time.monotonic() + (0 if self.stopped else PATIENCE)
        while not self.notebook.js("return !!clock.target.dataset.itemId") and who.ours:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _press(self, who: Contestant, number: int) -> None:
        page = self.notebook.page
        if who.button:
            page.locator(who.button).first.click()
        else:
            page.keyboard.press("12"[number % 2])

    def race(
        self,
        field: list[Contestant],
        presses: int,
        around: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
        *,
        block: int = BLOCK,
        peers: int | None = None,
    ) -> dict[str, Times]:
        """Everybody in turns, so that what disturbs the machine disturbs all of them."""
        found = {who.name: Times() for who in field}
        own = (COUNTS.name, *(who.name for who in field if who.ours))
        wanted = {name: presses if name in own else peers or presses for name in found}
        while any(len(found[name]) < wanted[name] for name in found):
            before = sum(map(len, found.values()))
            with around():
                for who in field:
                    times = found[who.name]
                    self.block(who, min(block, wanted[who.name] - len(times)), times)
                    if len(times) >= 5 and np.median(times.paint) > SLOW * 1000:
                        wanted[who.name] = min(presses, FEW)
            if sum(map(len, found.values())) == before:
                break  # nobody has a card any more
        return found

    # ------------------------------------------------------------------ conditions

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """Both learners fit, all the time."""
        notebook = self.notebook
        notebook.execute("train(True)")
        notebook.wait_value("text_session.training and image_session.training")
        try:
            yield
            assert notebook.value("text_session.training and image_session.training")
        finally:
            notebook.execute("train(False)")
            notebook.wait_value("not (text_session.training or image_session.training)")

    @contextlib.contextmanager
    def sleeping(self) -> Iterator[None]:
        """A cell runs `time.sleep(30)`."""
        notebook = self.notebook
        notebook.run_cell(len(notebook.cells()) - 1, wait=False)
        notebook.until("return kernel.status === 'busy'")
        yield
        if notebook.js("return window.ran"):
            raise RuntimeError("The cell ended before the presses did: press fewer at a time.")
        notebook.wait_ran()

    @contextlib.contextmanager
    def kernel_stopped(self) -> Iterator[None]:
        """The kernel's process is stopped, and goes on after."""
        notebook = self.notebook
        self.filled()
        pid = notebook.pid
        os.kill(pid, signal.SIGSTOP)
        self.stopped = True
        try:
            yield
        finally:
            self.stopped = False
            self.waiting = notebook.js(UNSAVED)
            os.kill(pid, signal.SIGCONT)
        notebook.until(f"return (() => {{ {UNSAVED} }})().every((n) => n === 0)", seconds=120)
        self.filled()

    def filled(self) -> None:
        """Wait until every label is saved and the cards are told of it."""
        self.notebook.until(f"return (() => {{ {UNSAVED} }})().every((n) => n === 0)")
        time.sleep(1)

    def stored(self) -> list[int]:
        """Labels in the two databases."""
        return self.notebook.value("[len(text_session.labels()), len(image_session.labels())]")


UNSAVED = """
return [...document.querySelectorAll("[data-view=cards]")].map((e) => Number(e.dataset.unsaved));
"""


def presses(folder: Path, chromium: str, number: int, peers: int, others: bool) -> Iterator[Row]:
    """All conditions; `others` says whether ipyannotations is there."""
    kinds = ("text", "image")
    with (
        Lab(folder, chromium) as lab,
        lab.open(cells(others=others), name="bench") as notebook,
    ):
        notebook.run_all()
        notebook.cards.wait_card()
        notebook.command("notebook:insert-cell-below")
        notebook.js("cells.at(-1).model.sharedModel.setSource(value)", SLEEP)
        bench = Bench(notebook)
        ours = [
            (kind, who) for kind in kinds for who in contestants(kind, peers=False, others=False)
        ]
        for _, who in ours:
            bench.block(who, 12, Times())
        bench.filled()

        def group(condition: str, kind: str) -> str:
            return f"{condition}, {kind}"

        for condition, around in (("idle", contextlib.nullcontext), ("training", bench.training)):
            for kind in kinds:
                field = [COUNTS, *contestants(kind, peers=True, others=others)]
                with around():
                    found = bench.race(field, number, peers=peers)
                yield from rows(group(condition, kind), found)
                bench.filled()
        for kind, who in ours:
            found = bench.race([COUNTS, who], number, bench.sleeping, block=50)
            yield from rows(group("a cell sleeps", kind), found)
            bench.filled()
        for kind, who in ours:
            yield from stopped(bench, group("kernel stopped", kind), who, number, kinds.index(kind))


def stopped(bench: Bench, group: str, who: Contestant, number: int, which: int) -> Iterator[Row]:
    """Presses with the kernel stopped, as many in a row as there are cards for."""
    before, waited, longest = bench.stored()[which], 0, 0
    found = {COUNTS.name: Times(), who.name: Times()}
    while len(found[who.name]) < number:
        rest = number - len(found[who.name])
        with bench.kernel_stopped():
            done = 0
            while done < rest:
                part = bench.block(who, min(BLOCK, rest - done), found[who.name])
                bench.block(COUNTS, part, found[COUNTS.name])
                done += part
                if part < BLOCK:
                    break
        longest = max(longest, bench.waiting[which])
        waited += bench.waiting[which]
        if done == 0:
            break
    stored = bench.stored()[which] - before
    pressed = len(found[who.name]) + found[who.name].last
    yield from rows(group, found)
    yield Row(
        group,
        "labels made in one stop",
        longest,
        note="cards that the page had",
        bar=f">= {number}",
        met=longest >= number,
    )
    yield Row(
        group,
        "labels in the outbox",
        waited,
        note=f"of {pressed}, over all stops",
        bar=f"{pressed}",
        met=waited == pressed,
    )
    yield Row(
        group,
        "stored when it goes on",
        stored,
        note=f"of {pressed}",
        bar=f"{pressed}",
        met=stored == pressed,
    )


def rows(group: str, found: dict[str, Times]) -> Iterator[Row]:
    """Median and p95 of everybody; bars on ours, against the counter."""
    base = found[COUNTS.name]
    for name, times in found.items():
        ours = name == "alwidgets"
        if not len(times):
            yield Row(group, name, None, note="no press brought a card")
            continue
        note = f"{len(times)} presses"
        median, high = quantiles(times.document)
        yield Row(
            group,
            f"{name}: document p95",
            high,
            "ms",
            f"p50 {median}, {note}",
            f"<= {DOCUMENT_MS:g}" if ours else "",
            high <= DOCUMENT_MS if ours else None,
        )
        for what, of, theirs in (
            ("paint", times.paint, base.paint),
            ("presented", times.presented, base.presented),
        ):
            if not of or (what == "presented" and name not in (COUNTS.name, "alwidgets")):
                continue
            median, high = quantiles(of)
            low, limit = quantiles(theirs)
            against = f"; x{median / low:.2f}, x{high / limit:.2f} the counter"
            held = ours and what == "paint"
            if held:
                against += " ({:.2f} to {:.2f})".format(*spread(of, theirs))
            yield Row(
                group,
                f"{name}: {what} p95",
                high,
                "ms",
                f"p50 {median}{against if name != COUNTS.name else ''}",
                f"x{PAINT_RATIO}" if held else "",
                high <= PAINT_RATIO * limit if held else None,
            )
