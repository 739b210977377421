"""Layouts of the map: what they cost beside umap-learn's own fit, and how quietly they follow.

``python tests/bench/layouts.py [times] [rounds] [stalls] --help``.

``times``: a first layout and one that goes on after a retraining, both by the worker process with
everything that belongs to them, beside ``umap.UMAP(...).fit`` of the same rows in a process of its
own, each after it was compiled. ``rounds``: ten retrainings on real data; how far points move, and
trustworthiness beside a fresh fit of the same rows. ``stalls``: the longest time for which the
main thread of the kernel stands still meanwhile.
"""

from __future__ import annotations

import argparse
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from data import load, score, there
from numpy.typing import NDArray
from table import Row, count

from alwidgets.learners import HeadEnsemble, Learner, TorchLearner
from alwidgets.projection import LayoutWorker
from alwidgets.projection.arranging import arrange
from alwidgets.projection.jobs import Figures
from alwidgets.projection.modelspace import model_rows
from alwidgets.projection.quality import quality
from alwidgets.projection.space import MIN_DIST

Table = NDArray[np.float32]

#: Bars: a first layout and a refresh as shares of umap-learn's fit; displacement a round as a share
#: of the map's width; loss of trustworthiness against a fresh fit; milliseconds without an answer.
FIRST, REFRESH, MOVED, LOSS, STALL = 1.2, 0.25, 0.02, 0.02, 100
WIDTH = 64
PATIENCE = 3_600.0

PEER = """
import sys, time
import numpy as np
import umap

for line in sys.stdin:
    rows = np.load(line.strip())
    start = time.perf_counter()
    umap.UMAP(min_dist={min_dist}, random_state=0, n_jobs=1).fit(rows)
    print(time.perf_counter() - start, flush=True)
"""


def clusters(n: int, seed: int = 0) -> Table:
    """Rows of 20 clusters, 64 wide."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=1.5, size=(20, WIDTH))
    return (centres[rng.integers(0, 20, n)] + rng.normal(size=(n, WIDTH))).astype(np.float32)


def retrained(rows: Table, seed: int = 1) -> Table:
    """The same items after a retraining: every row is a little elsewhere."""
    noise = np.random.default_rng(seed).normal(scale=0.3, size=rows.shape)
    return (rows * 1.05 + noise).astype(np.float32)


# ---------------------------------------------------------------------- times


@dataclass
class Timed:
    """A layout and how long it took."""

    coords: Table
    figures: Figures
    seconds: float
    #: With the figures, which come after it.
    measured: float


def lay_out(worker: LayoutWorker, rows: Table, before: Timed | None = None) -> Timed:
    """Ask for a layout and wait for it."""
    answers: queue.Queue[Any] = queue.Queue()
    start = time.perf_counter()
    worker.umap(
        rows,
        seed=0,
        min_dist=MIN_DIST,
        on_progress=lambda *_: None,
        on_done=answers.put,
        on_error=answers.put,
        on_figures=answers.put,
        before=None if before is None else before.coords,
        span=None if before is None else before.figures.span,
    )
    coords, figures, seconds = None, None, 0.0
    while figures is None or figures.local_trust is None:
        answer = answers.get(timeout=PATIENCE)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Figures):
            figures = answer
        else:
            coords, seconds = answer, time.perf_counter() - start
    assert coords is not None
    return Timed(coords, figures, seconds, time.perf_counter() - start)


class Peer:
    """umap-learn by itself."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", PEER.format(min_dist=MIN_DIST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fit(self, rows: Table) -> float:
        """Seconds of a fit."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        np.save(f"{self._folder}/rows.npy", rows)
        print(f"{self._folder}/rows.npy", file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def times(sizes: list[int], repeats: int, folder: str) -> None:
    """Print what layouts cost."""
    worker, peer = LayoutWorker(idle=PATIENCE), Peer(folder)
    for size in (300, 5_000):  # compiled: there is another way for fewer than 4,096 rows
        peer.fit(clusters(size))
        first = lay_out(worker, clusters(size))
        lay_out(worker, retrained(clusters(size)), first)
    for n in sizes:
        rows = clusters(n)
        found: dict[str, list[float]] = {"peer": [], "first": [], "refresh": [], "figures": []}
        for repeat in range(repeats if n < 50_000 else 1):
            found["peer"].append(peer.fit(rows))
            first = lay_out(worker, rows)
            again = lay_out(worker, retrained(rows, repeat), first)
            found["first"].append(first.seconds)
            found["refresh"].append(again.seconds)
            found["figures"].append(again.measured - again.seconds)
        median = {name: float(np.median(values)) for name, values in found.items()}
        group = f"{count(n)} x {WIDTH}"
        print(Row(group, "umap-learn's own fit", median["peer"], "s"))
        for name, bar in (("first", FIRST), ("refresh", REFRESH)):
            share = float(np.median(np.divide(found[name], found["peer"])))
            print(
                Row(
                    group,
                    {"first": "the first layout", "refresh": "after a retraining"}[name],
                    median[name],
                    "s",
                    f"{share:.2f} of the fit",
                    f"<= {bar:g}",
                    share <= bar,
                )
            )
        print(Row(group, "figures, after the layout", median["figures"], "s"), flush=True)
    worker.close()
    peer.close()


# ---------------------------------------------------------------------- rounds


KINDS = ("linear heads", "hidden layer", "torch module")


def learners(width: int) -> dict[str, Learner]:
    """Two whose last layer learns, and linear heads, which are shown by their log-odds."""
    from torch import nn

    def network(classes: int) -> nn.Module:
        return nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, classes))

    return {
        "linear heads": HeadEnsemble(),
        "hidden layer": HeadEnsemble(hidden=64),
        "torch module": TorchLearner(network),
    }


def rounds(name: str, kind: str, pool: int, number: int, batch: int) -> None:
    """Print how far points move over some retrainings, and how far the map can be trusted."""
    data = load(name)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(data.X))[:pool]
    X, y = data.X[chosen], data.y[chosen]
    learner = learners(X.shape[1])[kind]
    before = None
    group = f"{name}, {kind}"
    settled: list[tuple[float, float]] = []
    accuracies: list[float] = []
    for step in range(number + 1):
        labelled = slice(0, 40 + step * batch)
        learner.fit(X[labelled], y[labelled], classes=data.classes)
        rows = model_rows(learner, X)
        fresh = arrange(rows, 0, 15, MIN_DIST, lambda *_: None)
        now = fresh
        if before is not None:
            now = arrange(
                rows,
                0,
                15,
                MIN_DIST,
                lambda *_: None,
                before=before.coords,
                span=before.span,
            )
        found, peer = quality(rows, now.coords), quality(rows, fresh.coords)
        assert found is not None
        assert peer is not None
        loss = peer.trustworthiness - found.trustworthiness
        accuracies.append(score(data, learner.predict_proba(data.X_test)))
        moved = None if now.moved is None else 100 * now.moved.median
        note = (
            f"accuracy {accuracies[-1]:.3f}, trust {found.trustworthiness:.3f} "
            f"(fresh {peer.trustworthiness:.3f}), continuity {found.continuity:.3f} "
            f"(fresh {peer.continuity:.3f}), span {now.span:.1f}"
        )
        print(Row(group, f"moved, {40 + step * batch} labels", moved, "%", note), flush=True)
        if moved is not None:
            settled.append((moved / 100, loss))
        before = now
    # Settled: within a hundredth of where it ends.
    final = accuracies[-1]
    first = next(i for i in range(number + 1) if all(a > final - 0.01 for a in accuracies[i:]))
    first = min(max(first, 1), number)
    moved_most = max(m for m, _ in settled[first - 1 :])
    loss_most = max(loss for _, loss in settled)
    label = f"most moved, from round {first} on"
    print(Row(group, label, 100 * moved_most, "%", "", f"<= {MOVED:.0%}", moved_most <= MOVED))
    print(
        Row(group, "most trust lost", loss_most, "", "", f"<= {LOSS}", loss_most <= LOSS),
        flush=True,
    )


# ---------------------------------------------------------------------- stalls


def stalls(n: int) -> None:
    """Print for how long the main thread stood still during two layouts."""
    worker = LayoutWorker(idle=PATIENCE)
    rows = clusters(n)
    done: list[Timed] = []

    def work() -> None:
        first = lay_out(worker, rows)
        done.extend([first, lay_out(worker, retrained(rows), first)])

    thread = threading.Thread(target=work)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    while thread.is_alive():
        time.sleep(0.002)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    thread.join()
    worker.close()
    group = f"{count(n)} x {WIDTH}"
    note = ", ".join(f"{d.seconds:.1f} s" for d in done)
    milliseconds = 1000 * longest
    print(
        Row(
            group,
            "longest stall of the main thread",
            milliseconds,
            "ms",
            note,
            f"<= {STALL}",
            milliseconds <= STALL,
        ),
        flush=True,
    )


def main() -> None:
    """Run as a script."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["times", "rounds", "stalls"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--large", action="store_true", help="also 70,000 rows")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=3_000, help="of AG News")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=20, help="labels of a retraining")
    parser.add_argument("--learners", nargs="+", default=KINDS)
    options = parser.parse_args()
    if "times" in options.parts:
        sizes = options.sizes + ([70_000] if options.large else [])
        with tempfile.TemporaryDirectory() as folder:
            times(sizes, options.repeats, folder)
    if "rounds" in options.parts:
        for name in ("digits", "agnews"):
            if not there(name):
                print(f"{name} is not on this machine: left out")
                continue
            for kind in options.learners:
                rounds(name, kind, options.rows, options.rounds, options.batch)
    if "stalls" in options.parts:
        stalls(70_000 if options.large else 10_000)


if __name__ == "__main__":
    main()
