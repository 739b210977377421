"""Measure what people feel: `make bench` prints a table and writes artifacts/bench.json.

Times depend on the machine, so each stands beside something to compare it with, measured in the
same run, and the bars are ratios of the two. Every part runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table import Row

ROOT = Path(__file__).parents[2]
OUT = ROOT / "artifacts" / "bench.json"
PARTS = ("imports", "rounds", "memory", "selecting", "comparing", "efficiency", "estimates")
#: Only where they are asked for: one needs a device, the others an hour.
ASKED = ("device", "coverage", "saved", "stopping")


def part(name: str, asked: argparse.Namespace) -> Iterator[Row]:
    """The rows of one part; only what it needs is imported."""
    if name == "device":
        from scale import device

        yield from device(asked.device, asked.n or 10_000_000)
    elif name == "imports":
        from imports import imports

        yield from imports()
    elif name == "rounds":
        from rounds import rounds

        yield from rounds((100_000, 1_000_000) if asked.full else (100_000,))
    elif name == "memory":
        from scale import memory

        yield from memory(asked.n or (10_000_000 if asked.full else 1_000_000))
    elif name == "selecting":
        yield from _selecting(asked)
    elif name == "comparing":
        from comparing import comparing

        yield from comparing(asked.seeds)
    elif name == "efficiency":
        yield from _efficiency(asked)
    elif name == "estimates":
        yield from _estimates()
    elif name == "coverage":
        yield from _coverage(asked)
    elif name == "saved":
        yield from _saved(asked)
    elif name == "stopping":
        from stopping import DATASETS, stopping

        os.environ["OMP_NUM_THREADS"] = "1"
        yield from stopping(asked.datasets or DATASETS, jobs=asked.jobs)


def _selecting(asked: argparse.Namespace) -> Iterator[Row]:
    from selecting import CHEAP, OURS, SIZES, selecting

    names = tuple(asked.strategies or OURS)
    limits = {"limit": asked.limit, "gigabytes": asked.memory}
    if asked.n or asked.full:
        yield from selecting((asked.n,) if asked.n else SIZES, names, **limits)
        return
    yield from selecting(SIZES[:-1], names, **limits)
    # At a million: what has a bar there, each beside the peers only where these are cheap, too.
    yield from selecting(SIZES[-1:], tuple(n for n in names if n in CHEAP[:4]), **limits)
    rest = ("k_center", "badge", "typiclust", "contrastive", "falcun", "density")
    yield from selecting(SIZES[-1:], tuple(n for n in names if n in rest), alone=True, **limits)


def _efficiency(asked: argparse.Namespace) -> Iterator[Row]:
    from data import DATASETS
    from efficiency import DEFAULT, ELSEWHERE, TARGETS, auto_bars, campaign, summary, table

    os.environ["OMP_NUM_THREADS"] = "1"
    found = summary(
        campaign(
            asked.strategies or DEFAULT,
            datasets=asked.datasets or (DATASETS if asked.full else ("digits", "trec")),
            seeds=asked.seeds,
            labels=None if asked.full else ELSEWHERE,
            jobs=asked.jobs,
        )
    )
    print(table(found))
    for row in found:
        group = f"efficiency, {row['dataset']}"
        if "error" in row:
            yield Row(group, row["arm"], None, note=row["error"])
            continue
        to = ", ".join(f"{share:.0%} {row[f'labels to {share:.0%}']:.0f}" for share in TARGETS)
        note = f"± {row['interval']:.4f}, vs margin {row['gain']:+.4f} p {row['p']:.3f}; to {to}"
        yield Row(group, row["arm"], row["area"], "", note)
    for bar in auto_bars(found):
        group = f"efficiency, {bar['dataset']}"
        yield Row(
            group,
            "auto, against margin",
            bar["gain over margin"],
            note=f"p {bar['p']:.3f}",
            bar="not worse",
            met=bool(bar["not worse than margin"]),
        )
        yield Row(
            group,
            f"auto, behind {bar['best']}",
            bar["behind the best"],
            bar="0.002",
            met=bool(bar["within 0.002"]),
        )
        if bar["at most"] is not None:
            to, most = bar["labels to 95%"], bar["at most"]
            yield Row(group, "auto, labels to 95 %", to, bar=f"{most}", met=to <= most)


def _estimates() -> Iterator[Row]:
    from estimates import HIGHEST, LOWEST, SHARP_KINDS, SURE, grid

    for kind, cells in grid():
        group, held = f"estimates, {kind} q", [cell.held for cell in cells]
        bias = max(abs(cell.bias) for cell in cells)
        note = f"{len(cells)} cells; a plain normal interval {min(c.normal for c in cells):.3f}"
        yield Row(group, "bias, in standard errors", bias, bar=f"{SURE:g}", met=bias < SURE)
        lowest, highest = min(held), max(held)
        yield Row(group, "held least", lowest, "", note, f"{LOWEST}", lowest >= LOWEST)
        if kind in SHARP_KINDS:
            yield Row(group, "held most", highest)
        else:
            yield Row(group, "held most", highest, bar=f"{HIGHEST}", met=highest <= HIGHEST)


def _coverage(asked: argparse.Namespace) -> Iterator[Row]:
    from covering import BAR, DATASETS, campaign, covered, table

    rows = campaign(tuple(asked.datasets or DATASETS), asked.seeds)
    print(table(rows))
    for name in dict.fromkeys(row["dataset"] for row in rows):
        held = covered([row for row in rows if row["dataset"] == name])
        yield Row(
            "live curve", f"{name}, rounds that hold the truth", held, bar=f"{BAR}", met=held >= BAR
        )


def _saved(asked: argparse.Namespace) -> Iterator[Row]:
    from saved import AUDIT, BAR, DATASETS, LABELS, campaign, held, table

    rows = campaign(tuple(asked.datasets or DATASETS), asked.seeds, LABELS, AUDIT)
    print(table(rows))
    for name in dict.fromkeys(row["dataset"] for row in rows):
        share = held([row for row in rows if row["dataset"] == name])
        words = f"{name}, sessions whose interval holds the truth"
        yield Row("labels saved", words, share, bar=f"{BAR}", met=share >= BAR)


def alone(name: str, rest: list[str]) -> tuple[list[dict[str, Any]], int]:
    """Run one part in a process of its own; what it found, and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = [sys.executable, str(Path(__file__).parent), name, "--rows", str(file), *rest]
        code = subprocess.run(command).returncode
        found: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
        return found, code


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="make bench", description=__doc__)
    made.add_argument("parts", nargs="*", metavar="PART", help=", ".join((*PARTS, *ASKED)))
    made.add_argument("--device", default=os.environ.get("DEVICE", ""), help="cuda: part device")
    made.add_argument("--full", action="store_true", help="every size and data set: hours")
    made.add_argument("--n", type=int, help="this many items, where a part has a size")
    made.add_argument("--limit", type=float, default=60, help="seconds for a peer")
    made.add_argument("--memory", type=float, default=8, help="GB for a contestant")
    made.add_argument("--strategies", nargs="+", help="only these")
    made.add_argument("--datasets", nargs="+", help="for efficiency, coverage, saved, stopping")
    made.add_argument("--seeds", type=int, default=10, help="for all that have seeds")
    made.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="for efficiency and stopping"
    )
    made.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    return made


def machine() -> dict[str, Any]:
    from peers import versions

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "load at start": load,
        **versions(),
    }


def main() -> None:
    asked = parser().parse_args()
    names = asked.parts or (["device"] if asked.device not in ("", "cpu") else list(PARTS))
    unknown = sorted(set(names) - {*PARTS, *ASKED})
    if unknown:
        known = ", ".join((*PARTS, *ASKED))
        raise SystemExit(f"error: no part {', '.join(unknown)}: there are {known}.")
    if asked.rows is not None:
        rows = []
        for row in part(names[0], asked):
            rows.append(row.json())
            print(row, flush=True)
            # After each: a part that breaks off leaves what it has found.
            asked.rows.write_text(json.dumps(rows))
        return
    about: dict[str, Any] = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    rest = [word for word in sys.argv[1:] if word not in names]
    if asked.device and "--device" not in rest:
        rest += ["--device", asked.device]
    found: list[dict[str, Any]] = []
    # What is not run again keeps its figures, with the machine they come from.
    kept: dict[str, Any] = json.loads(OUT.read_text()) if OUT.is_file() else {}
    kept = kept.get("parts", {})
    failed: list[str] = []
    OUT.parent.mkdir(exist_ok=True)
    for name in names:
        begin = time.perf_counter()
        rows, code = alone(name, rest)
        if code:
            failed.append(f"{name} (exit code {code})")
        seconds = round(time.perf_counter() - begin)
        print(f"{name}: {seconds} s\n", flush=True)
        found += rows
        kept[name] = {"machine": about, "seconds": seconds, "finished": not code, "rows": rows}
        OUT.write_text(json.dumps({"parts": kept}, indent=1))
    bars = [row for row in found if "bar" in row]
    unmet = [row for row in bars if row.get("met") is False]
    met = sum(row.get("met") is True for row in bars)
    print(f"{met} of {len(bars)} bars met, {len(unmet)} not:")
    for row in unmet:
        value = f" {row['value']:.3g}" if "value" in row else ""
        print(f"  {row['group']}: {row['name']}{value} (bar: {row['bar']})")
    print(f"written to {OUT.relative_to(ROOT)}")
    if failed:
        raise SystemExit(f"error: not finished: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
