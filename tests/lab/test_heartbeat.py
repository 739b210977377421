"""Retraining and UMAP never make the kernel miss a beat of 100 ms.

A ticker on the kernel's main loop notes the time every 10 ms. Beside it runs the same ticker in a
bare process: what that one feels, too, is the machine and not the kernel.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import Open
from samples import DIGITS

#: A gap this long in the kernel is a missed beat, unless the control had a long one meanwhile.
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

CONTROL = f"""
import json, sys
{TICKER}
async def main():
    task = asyncio.create_task(tick())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    task.cancel()

print("ready", flush=True)
asyncio.run(main())
print(json.dumps(ticks))
"""

#: Someone labels: an answer every 40 ms on a thread, and a retraining after every 10.
LABEL = """
import threading

rounds = []
session.on("round", rounds.append)

def label():
    for _ in range(200):
        item = session.next(wait=False)[0]
        session.record(item.id, int(digits.target[item.index]))
        time.sleep(0.04)

worker = threading.Thread(target=label)
worker.start()
"""

Gap = tuple[float, float]


def gaps(ticks: list[float], begin: float, end: float) -> list[Gap]:
    inside = [t for t in ticks if begin <= t <= end]
    return list(zip(inside, inside[1:], strict=False))


def describe(found: list[Gap]) -> str:
    lengths = sorted(b - a for a, b in found)
    p99 = lengths[int(len(lengths) * 0.99)]
    return f"worst gap {lengths[-1] * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, {len(found)} beats"


def misses(kernel: list[Gap], control: list[Gap]) -> list[Gap]:
    felt = [(a, b) for a, b in control if b - a > FELT]
    return [(a, b) for a, b in kernel if b - a > MISS and not any(c < b and d > a for c, d in felt)]


def test_misses() -> None:
    kernel = [(0.0, 0.05), (0.05, 0.25), (0.25, 0.3), (0.3, 0.5)]
    assert misses(kernel, [(0.0, 0.5)]) == []
    assert misses(kernel, [(0.31, 0.37)]) == [(0.05, 0.25)]


def test_heartbeat(opened: Open, report: Callable[[str], None], tmp_path: Path) -> None:
    source = DIGITS.replace('"digits.db")', '"digits.db", batch_size=10)')
    notebook = opened([source, "session", TICKER])
    notebook.run_cell(0)
    notebook.run_cell(2)
    control = subprocess.Popen(
        [sys.executable, "-c", CONTROL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    try:
        assert control.stdout is not None
        assert control.stdout.readline() == "ready\n"
        notebook.execute("ticker = asyncio.get_running_loop().create_task(tick())")
        # Making the views is a cell of the user's and may take what it takes.
        notebook.run_cell(1)
        notebook.cards.wait_card()
        begin = notebook.value("time.monotonic()")
        notebook.execute(LABEL)
        notebook.until(
            "return document.querySelector('[data-view=projector]').dataset.layout === 'umap'",
            seconds=120,
        )
        notebook.wait_value("worker.is_alive() or session.training", lambda on: not on)
        end = notebook.value("time.monotonic()")
        notebook.execute("ticker.cancel()")
        ticks = notebook.value("ticks")
        out, _ = control.communicate("", timeout=30)
    finally:
        control.kill()
        control.wait()
    kernel, bare = gaps(ticks, begin, end), gaps(json.loads(out), begin, end)
    missed = misses(kernel, bare)
    trained = notebook.value("sum(r.fitted for r in rounds)")
    report(
        f"heartbeat over {end - begin:.0f} s with {trained} retrainings and a UMAP: kernel "
        f"{describe(kernel)}; control {describe(bare)}; missed {len(missed)}"
    )
    assert trained >= 3
    assert len(kernel) > 300
    assert missed == [], f"the kernel stood still, s: {[round(b - a, 3) for a, b in missed]}"
