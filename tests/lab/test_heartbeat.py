"""Retraining and UMAP never make the kernel miss a beat of 100 ms.

A ticker on the kernel's main loop notes the time every 10 ms. A process beside it does the same,
and what it feels, too, is the machine's doing and not the kernel's. It also notes for how long each
of the kernel's threads was ready to go on and had no processor, be it the one that ticks or one
that holds the interpreter; and for how long each processor was taken from this machine, where it is
a virtual one. The kernel does not look that up itself: to read some thirty small files is to give
up the interpreter a hundred times, and to wait for it again each time.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path

import pytest
from conftest import Open
from harness import INSTALLED
from page import wait_for
from samples import DIGITS

#: A gap this long in the kernel is a missed beat; a gap of the other length in the control
#: meanwhile explains it.
MISS = 0.100
FELT = 0.050

TICKER = """
import asyncio, time

ticks = []

async def tick():
    while True:
        ticks.append(time.monotonic())
        await asyncio.sleep(0.01)
"""

#: Beats the same, with the seconds that each thread of the process in its argument has waited for a
#: processor, and each processor was taken away.
CONTROL = """
import asyncio, json, os, sys, time
from contextlib import suppress

tasks = f"/proc/{sys.argv[1]}/task"
ticks = []

def waits():
    found = {}
    with suppress(OSError), open("/proc/stat") as file:
        for name, *times in map(str.split, file):
            if name.startswith("cpu") and name != "cpu":
                found[name] = int(times[7]) / os.sysconf("SC_CLK_TCK")
    for thread in os.listdir(tasks) if os.path.exists(tasks) else ():
        with suppress(OSError, IndexError):
            with open(f"{tasks}/{thread}/schedstat") as file:
                found[thread] = int(file.read().split()[1]) / 1e9
    return found

async def tick():
    while True:
        ticks.append((time.monotonic(), waits()))
        await asyncio.sleep(0.01)

async def main():
    task = asyncio.create_task(tick())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    task.cancel()

print("ready", flush=True)
asyncio.run(main())
print(json.dumps(ticks))
"""

#: A layout that was kept would be there without a UMAP.
NO_LAYOUT = """
import os

os.environ["ALWIDGETS_CACHE"] = os.path.abspath("cache")
"""

#: Someone labels: an answer every 50 ms on a thread, and a retraining after every 10.
LABEL = """
import threading

rounds = []
session.on("round", rounds.append)

def label():
    for _ in range(100):
        item = session.next(wait=False)[0]
        session.record(item.id, int(digits.target[item.index]))
        time.sleep(0.05)
    while session.training:
        time.sleep(0.01)

worker = threading.Thread(target=label)
worker.start()
"""

#: What must not happen: someone keeps the interpreter. It is kept asleep, for a busy thread on a
#: crowded machine waits for a processor itself, and now and then, so that one of them is sure to
#: be seen.
STALL = """
import ctypes

def hold():
    for _ in range(5):
        ctypes.PyDLL(None).usleep(700_000)
        time.sleep(0.3)

stall = threading.Thread(target=hold)
stall.start()
"""


#: When, and the seconds that each thread has waited and each processor was away until then.
Beat = tuple[float, dict[str, float]]


@dataclass(frozen=True)
class Gap:
    """From one beat to the next, in seconds; `waited` of it for a processor."""

    begin: float
    end: float
    waited: float = 0.0

    @property
    def length(self) -> float:
        return self.end - self.begin

    def overlaps(self, other: Gap) -> bool:
        return self.begin < other.end and other.begin < self.end


def gaps(times: list[float], begin: float, end: float) -> list[Gap]:
    return [Gap(a, b) for a, b in itertools.pairwise(times) if begin <= a and b <= end]


def waiting(gap: Gap, control: list[Beat]) -> Gap:
    """With the longest wait of a thread, and of a processor, that the control saw meanwhile."""
    first = max(0, bisect(control, gap.begin, key=itemgetter(0)) - 1)
    last = min(len(control) - 1, bisect(control, gap.end, key=itemgetter(0)))
    before, after = control[first][1], control[last][1]
    added = {name: seconds - before.get(name, 0) for name, seconds in after.items()}
    taken = max((s for name, s in added.items() if name.startswith("cpu")), default=0.0)
    waited = max((s for name, s in added.items() if not name.startswith("cpu")), default=0.0)
    return replace(gap, waited=waited + taken)


def describe(found: list[Gap]) -> str:
    lengths = sorted(gap.length for gap in found)
    p99 = lengths[int(len(lengths) * 0.99)]
    return f"worst gap {lengths[-1] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, {len(found)} beats"


def misses(kernel: list[Gap], control: list[Gap]) -> list[Gap]:
    felt = [gap for gap in control if gap.length > FELT]
    return [
        gap
        for gap in kernel
        if gap.length - gap.waited > MISS and not any(gap.overlaps(other) for other in felt)
    ]


def test_misses() -> None:
    control: list[Beat] = [
        (0.0, {"7": 1.0}),
        (0.1, {"7": 1.01, "cpu0": 0.0}),
        (0.26, {"7": 1.02, "8": 0.0, "cpu0": 0.0}),
        (0.49, {"7": 1.03, "8": 0.1, "cpu0": 0.02}),
        (0.6, {"7": 1.04, "8": 0.1, "cpu0": 0.02}),
    ]
    found = gaps([0.0, 0.05, 0.25, 0.3, 0.5], 0, 1)
    kernel = [waiting(gap, control) for gap in found]
    assert [round(gap.waited, 3) for gap in kernel] == [0.01, 0.02, 0.12, 0.12]
    assert misses(kernel, []) == [kernel[1]]
    assert misses(found, []) == [found[1], found[3]]
    assert misses(kernel, [Gap(0, 0.5)]) == []
    assert misses(kernel, [Gap(0.31, 0.37)]) == [kernel[1]]


@pytest.mark.alone
def test_heartbeat(opened: Open, report: Callable[[str], None], tmp_path: Path) -> None:
    source = NO_LAYOUT + DIGITS.replace('"digits.db")', '"digits.db", batch_size=10)')
    # All objects count here, those of what was imported, too.
    notebook = opened([source, "session", TICKER], kernel=INSTALLED)
    notebook.run_cell(0)
    notebook.run_cell(2)
    process = subprocess.Popen(
        [sys.executable, "-c", CONTROL, str(notebook.value("__import__('os').getpid()"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        notebook.execute("ticker = asyncio.get_running_loop().create_task(tick())")
        # Making the views is a cell of the user's and may take what it takes.
        notebook.run_cell(1)
        notebook.cards.wait_card()
        # Half a million objects of what was imported: to look through all of them takes Python
        # more than 100 ms, whoever's turn it is.
        notebook.execute("import gc; gc.collect()")
        begin = notebook.value("time.monotonic()")
        notebook.execute(LABEL)
        notebook.until(
            "return document.querySelector('[data-view=projector]').dataset.layout === 'umap'",
            seconds=240,  # its process yields to all others
        )
        # The kernel is asked rarely: each question is work on its main loop, too.
        wait_for(lambda: not notebook.value("worker.is_alive()"), every=2, what="the labels")
        end = notebook.value("time.monotonic()")
        notebook.execute(STALL)
        wait_for(lambda: not notebook.value("stall.is_alive()"), every=2, what="the stalls")
        notebook.page.wait_for_timeout(100)
        notebook.execute("ticker.cancel()")
        ticks = notebook.value("ticks")
        out, _ = process.communicate("", timeout=30)
    finally:
        process.kill()
        process.wait()
    control: list[Beat] = [(at, waits) for at, waits in json.loads(out)]
    bare = gaps([at for at, _ in control], begin, end)
    kernel = [waiting(gap, control) for gap in gaps(ticks, begin, end)]
    missed = misses(kernel, bare)
    trained = notebook.value("sum(r.fitted for r in rounds)")
    over = [gap for gap in kernel if gap.length > MISS]
    report(
        f"heartbeat over {end - begin:.0f} s with {trained} retrainings and a UMAP: kernel "
        f"{describe(kernel)}; control {describe(bare)}; {len(over)} gaps over 100 ms, "
        f"{sum(gap.waited for gap in over):.2f} of their {sum(gap.length for gap in over):.2f} s "
        f"spent waiting for a processor; missed {len(missed)}"
    )
    assert misses(gaps(ticks, end, float("inf")), []), "this test does not see a kernel that stalls"
    assert trained >= 3
    assert len(kernel) > 300
    assert missed == [], "the kernel stood still"
