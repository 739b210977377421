"""Measure the cards: `make bench-cards` prints a table and writes artifacts/bench-cards.json.

In a real JupyterLab in Chromium, with the peers in the same page and run. Times depend on the
machine and what else it does, so presses go in turns and the bars on them are ratios.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OUT = ROOT / "artifacts" / "bench-cards.json"
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "tests/lab"), str(ROOT)]

import harness  # noqa: E402
from table import Row  # noqa: E402

from tests.browser import find  # noqa: E402

PARTS = ("presses", "pages", "stores")
#: What the tests draw WebGL with. With these the whole page goes through a graphics card made of
#: software, which takes some 50 ms a frame: far from any machine that somebody labels on.
WEBGL = ("--use-angle=", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


def part(name: str, asked: argparse.Namespace, folder: Path) -> Iterator[Row]:
    """The rows of one part."""
    if name == "presses":
        from presses import presses

        others = importlib.util.find_spec("ipyannotations") is not None
        if not others:
            yield Row(
                "peers", "ipyannotations", None, note="not installed: pip install ipyannotations"
            )
        yield from presses(folder, find(), asked.presses, asked.peers, others)
    elif name == "pages":
        from pages import pages

        yield from pages(folder, find(), asked.cards)
    else:
        from stores import stores

        yield from stores(folder, asked.events)


def main() -> None:
    asked = parser().parse_args()
    if unknown := sorted(set(asked.parts) - set(PARTS)):
        raise SystemExit(f"error: no part {', '.join(unknown)}: there are {', '.join(PARTS)}.")
    if not asked.webgl:
        harness.CHROMIUM_ARGS = [a for a in harness.CHROMIUM_ARGS if not a.startswith(WEBGL)]
    found: list[Row] = []
    OUT.parent.mkdir(exist_ok=True)
    for name in asked.parts or PARTS:
        begin, load = time.perf_counter(), os.getloadavg()[0]
        rows: list[Row] = []
        with tempfile.TemporaryDirectory() as folder:
            for row in part(name, asked, Path(folder) / name):
                rows.append(row)
                print(row, flush=True)
        seconds, after = round(time.perf_counter() - begin), os.getloadavg()[0]
        print(f"{name}: {seconds} s, load {load:.1f} before, {after:.1f} after\n", flush=True)
        # What is not run again keeps its figures.
        kept = json.loads(OUT.read_text()) if OUT.is_file() else {}
        kept[name] = {
            "cores": os.cpu_count(),
            "load": [load, after],
            "seconds": seconds,
            "rows": [row.json() for row in rows],
        }
        OUT.write_text(json.dumps(kept, indent=1))
        found += rows
    bars = [row for row in found if row.bar]
    print(f"{sum(row.met is True for row in bars)} of {len(bars)} bars met; not met:")
    for row in bars:
        if not row.met:
            print(f"  {row.group}: {row.name} {row.value:.4g} {row.unit} (bar: {row.bar})")
    print(f"written to {OUT.relative_to(ROOT)}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="make bench-cards", description=__doc__)
    made.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    made.add_argument("--presses", type=int, default=200, help="of each, in each condition")
    made.add_argument("--peers", type=int, help="of each peer, where that is to be fewer")
    made.add_argument("--webgl", action="store_true", help="with the graphics of tests/lab")
    made.add_argument("--cards", type=int, default=5000, help="for the memory of the page")
    made.add_argument("--events", type=int, default=1_000_000, help="of the large store")
    return made


if __name__ == "__main__":
    main()
