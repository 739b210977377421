"""More like this in a large pool, beside a bare product: ``python tests/bench/similar.py``.

Half precision, as large pools keep their features. The bare product is read in blocks, too: the
whole in single precision would be twice as large again.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alwidgets.projection.neighbours import ExactNeighbours
from alwidgets.threads import available_cores, few_threads

BLOCK = 4_096
REPEATS = 7
#: The bar, for one query of a million rows with 384 features on two cores.
MOST_MS = 500


def pool(n: int, d: int) -> NDArray[np.float16]:
    rng = np.random.default_rng(0)
    X = np.empty((n, d), dtype=np.float16)
    for start in range(0, n, BLOCK):
        part = X[start : start + BLOCK]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
    return X


def bare(X: NDArray[Any], at: int, k: int) -> NDArray[np.int64]:
    """The nearest by the expanded square, and nothing else."""
    v = X[at].astype(np.float32)
    order = np.empty(len(X), dtype=np.float32)
    for start in range(0, len(X), BLOCK):
        part = X[start : start + BLOCK].astype(np.float32)
        order[start : start + BLOCK] = np.einsum("ij,ij->i", part, part) - 2 * (part @ v)
    near = np.argpartition(order, k)[:k]
    found: NDArray[np.int64] = near[np.argsort(order[near])]
    return found


def times(search: Callable[[int], object], rows: NDArray[np.int64]) -> list[float]:
    """Milliseconds of each search."""
    found = []
    for at in rows:
        start = time.perf_counter()
        search(int(at))
        found.append(1000 * (time.perf_counter() - start))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=384)
    parser.add_argument("--neighbours", type=int, default=21)
    asked = parser.parse_args()
    X, k = pool(asked.rows, asked.features), asked.neighbours
    rows = np.random.default_rng(1).integers(0, len(X), REPEATS)
    with few_threads(X.size):  # what a session has loaded long before
        pass
    (cold,) = times(lambda at: ExactNeighbours(X).search(X[at : at + 1], k), rows[:1])
    ours = ExactNeighbours(X)
    late: list[float] = []
    done = threading.Event()

    def heart() -> None:
        """Wants to wake every 5 ms, as the kernel does, and notes how late it was."""
        while not done.is_set():
            before = time.perf_counter()
            time.sleep(0.005)
            late.append(1000 * (time.perf_counter() - before) - 5)

    listening = threading.Thread(target=heart)
    listening.start()
    begin = time.perf_counter()
    ours.prepare()
    seconds = time.perf_counter() - begin
    done.set()
    listening.join()

    def search(at: int) -> NDArray[np.int64]:
        found: NDArray[np.int64] = ours.search(X[at : at + 1], k)[0][0]
        return found

    (first,) = times(search, rows[:1])
    mine = times(search, rows)
    theirs = times(lambda at: bare(X, at, k), rows[:3])
    same = np.array_equal(search(int(rows[0])), bare(X, int(rows[0]), k))
    print(f"{asked.rows:,} x {asked.features} float16, {available_cores()} cores, k = {k}")
    print(f"ours   median {statistics.median(mine):7.0f} ms, best {min(mine):.0f} ms")
    print(f"       the first {first:.0f} ms; without the preparation {cold:.0f} ms")
    print(
        f"       prepared in {seconds:.1f} s, another thread meanwhile late by at most "
        f"{max(late):.0f} ms, median {statistics.median(late):.1f} ms"
    )
    print(f"numpy  median {statistics.median(theirs):7.0f} ms, best {min(theirs):.0f} ms")
    print(f"the same neighbours: {same}; the bar is {MOST_MS} ms")


if __name__ == "__main__":
    main()
