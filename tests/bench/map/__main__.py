"""Measure the map: `make bench-map` prints a table and writes artifacts/bench-map.json.

In a real JupyterLab in Chromium with WebGL in software, each widget in a notebook and a kernel of
its own, one after the other in the same run. Times depend on the machine and what else it does:
the bars are held against the peers beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OUT = ROOT / "artifacts" / "bench-map.json"
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "tests/lab"), str(ROOT)]

import harness  # noqa: E402
from table import Row, count  # noqa: E402

from tests.browser import find  # noqa: E402

#: WebGPU without a graphics card, for the peer that draws with it.
WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
#: Seconds a lasso over a million points may take to the ids in the kernel.
LASSO_S = 0.3
MOST_KB = 20
#: How many times as many frames as each peer are to be drawn while a million points move.
FRAMES_RATIO = 5


def measured(asked: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """All rows: for each number of points everybody, then ours held against them."""
    from contestants import CONTESTANTS
    from watching import Figures, watch

    chosen = [c for c in CONTESTANTS if c.name in ("alwidgets", *asked.peers)]
    with harness.Lab(folder, find()) as lab:
        for n in asked.points:
            group = f"{count(n)} points"
            found: dict[str, Figures] = {}
            for who in chosen:
                if not who.is_there:
                    yield Row(group, who.name, None, note=f"not installed: pip install {who.name}")
                    continue
                figures = found[who.name] = watch(lab, who, n, asked.seconds)
                yield from plain(group, who.name, figures)
                for what in figures.problems:
                    yield Row(group, f"{who.name}: not measured", None, note=what)
            yield from bars(group, n, found)


def plain(group: str, name: str, figures: object) -> Iterator[Row]:
    """What was measured of one widget."""
    from watching import NAMES

    for what, (words, unit) in NAMES.items():
        value, note = getattr(figures, what)
        if value is not None:
            yield Row(group, f"{name}: {words}", value, unit, note)


def bars(group: str, n: int, found: dict[str, object]) -> Iterator[Row]:
    """Ours against the peers of the same run."""
    from watching import NAMES

    ours = found.pop("alwidgets", None)
    if ours is None:
        return

    def value(of: object, what: str) -> float | None:
        return getattr(of, what)[0]

    def peers(what: str) -> list[float]:
        return [v for v in (value(peer, what) for peer in found.values()) if v is not None]

    first, firsts = value(ours, "first"), peers("first")
    if first is not None and firsts:
        limit = min(firsts)
        yield Row(group, "bar: first frame", first, "s", "", f"<= {limit:.2f} s", first <= limit)
    frames, theirs = value(ours, "frames"), peers("frames")
    if n >= 1_000_000 and frames is not None and theirs:
        least = FRAMES_RATIO * max(theirs)
        yield Row(group, "bar: frames/s", frames, "/s", "", f">= {least:.1f}", frames >= least)
    lasso = value(ours, "lasso")
    if lasso is not None:
        yield Row(group, "bar: lasso", lasso, "s", "", f"< {LASSO_S} s", lasso < LASSO_S)
    for what in ("saved", "points"):
        grown = value(ours, what)
        if grown is not None:
            words = NAMES[what][0]
            yield Row(group, f"bar: {words}", grown, "KB", "", f"< {MOST_KB} KB", grown < MOST_KB)
    wire = value(ours, "wire")
    if wire is not None:
        yield Row(group, "bar: recolour", wire, "B", "a point", "<= 1 B", wire <= 1.01)
    repaints = value(ours, "repaints")
    if repaints is not None:
        yield Row(group, "bar: recolour", repaints, "", "repaints", "1", repaints == 1)


def main() -> None:
    asked = parser().parse_args()
    harness.CHROMIUM_ARGS = [*harness.CHROMIUM_ARGS, *WEBGPU]
    OUT.parent.mkdir(exist_ok=True)
    begin, load = time.perf_counter(), os.getloadavg()[0]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for row in measured(asked, Path(folder) / "lab"):
            rows.append(row)
            print(row, flush=True)
    OUT.write_text(
        json.dumps(
            {
                "cores": os.cpu_count(),
                "load": [load, os.getloadavg()[0]],
                "seconds": round(time.perf_counter() - begin),
                "rows": [row.json() for row in rows],
            },
            indent=1,
        )
    )
    held = [row for row in rows if row.bar]
    print(f"{sum(row.met is True for row in held)} of {len(held)} bars met; not met:")
    for row in held:
        if not row.met:
            print(f"  {row.group}: {row.name} {row.value:.4g} {row.unit} (bar: {row.bar})")
    print(f"written to {OUT.relative_to(ROOT)}")


def parser() -> argparse.ArgumentParser:
    names = ("jupyter-scatter", "plotly", "embedding-atlas")
    made = argparse.ArgumentParser(prog="make bench-map", description=__doc__)
    made.add_argument("peers", nargs="*", metavar="PEER", default=names, help=", ".join(names))
    made.add_argument("--points", nargs="+", type=int, default=[100_000, 1_000_000])
    made.add_argument("--seconds", type=float, default=5, help="to move the view for")
    return made


if __name__ == "__main__":
    main()
