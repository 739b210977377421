"""Search over a million short texts: our index beside a plain LIKE scan, and who waits meanwhile.

Run it with ``python tests/bench/map/searching.py [N]``; it prints a line a query.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np

from alwidgets.columnar import ColumnarPool
from alwidgets.content import Text
from alwidgets.filters import meeting
from alwidgets.terms import Terms, parse
from alwidgets.textindex import TextIndex

QUERIES = (
    "prize",  # a word of middling frequency
    "w0",  # the most frequent word of all
    "w",  # the beginning of every word
    "w1 w2",
    '"w0 w1"',
    "w12 w77 w3",
    "nowhere",
    "w54321",
)


class Texts(Sequence[Text]):
    """Short texts whose words are as frequent as those of a language are (Zipf)."""

    def __init__(self, n: int, words: int = 60_000, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        lengths = rng.integers(5, 16, n)
        self._ends = np.concatenate([[0], np.cumsum(lengths)])
        drawn = np.exp(rng.random(int(self._ends[-1])) * np.log(words)).astype(int) - 1
        names = [f"w{i}" for i in range(words)]
        names[200] = "prize"
        self.lines = [
            " ".join(names[word] for word in drawn[start:end])
            for start, end in zip(self._ends[:-1], self._ends[1:], strict=True)
        ]

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, index: int) -> Text: ...
    @overload
    def __getitem__(self, index: slice) -> list[Text]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [Text(line) for line in self.lines[index]]
        return Text(self.lines[index])


class Heart(threading.Thread):
    """A thread that wants to wake up every 5 ms, as the kernel does, and notes how late it was."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.late: list[float] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            before = time.perf_counter()
            time.sleep(0.005)
            self.late.append(time.perf_counter() - before - 0.005)


def lateness(action: Callable[[], Any]) -> np.ndarray[Any, Any]:
    """How late another thread wakes, in ms, while an action runs."""
    heart = Heart()
    heart.start()
    action()
    heart.stopped.set()
    heart.join()
    return 1000 * np.array(heart.late)


def best(action: Callable[[], Any], times: int) -> tuple[float, Any]:
    """The least time that an action took, in ms, and what it returned."""
    seconds, result = [], None
    for _ in range(times):
        begin = time.perf_counter()
        result = action()
        seconds.append(time.perf_counter() - begin)
    return 1000 * min(seconds), result


def main(n: int) -> None:
    """Build, ask, compare."""
    texts = Texts(n)
    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE TABLE texts (words TEXT)")
    plain.executemany("INSERT INTO texts VALUES (?)", ((line,) for line in texts.lines))
    with tempfile.TemporaryDirectory() as folder:
        idle = lateness(lambda: time.sleep(3))
        index = TextIndex(texts, folder=Path(folder), run=lambda work: work())
        begin = time.perf_counter()
        busy = lateness(index.start)
        seconds = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        print(f"{n:,} texts: built in {seconds:.1f} s, {size:.0f} MB")
        for name, late in (("idle", idle), ("building", busy)):
            print(
                f"a thread that wakes every 5 ms was late, {name}: median "
                f"{np.median(late):.1f} ms, 99 % {np.quantile(late, 0.99):.1f} ms, most "
                f"{late.max():.0f} ms"
            )
        again, _ = best(lambda: TextIndex(texts, folder=Path(folder), run=lambda w: w()).start(), 1)
        print(f"opened again in {again / 1000:.1f} s")
        print(f"{'query':<14}{'found':>10}{'first, ms':>11}{'best of 5, ms':>15}{'LIKE, ms':>10}")
        for query in QUERIES:
            terms = parse(query)
            first, found = best(lambda terms=terms: index.search(terms, 500), 1)
            ours, _ = best(lambda terms=terms: index.search(terms, 500), 5)
            wanted = [f"%{' '.join(phrase.words)}%" for phrase in terms.phrases]
            where = " AND ".join("words LIKE ?" for _ in wanted)
            sql = f"SELECT count(*) FROM texts WHERE {where}"
            like, _ = best(lambda sql=sql, wanted=wanted: plain.execute(sql, wanted).fetchone(), 1)
            print(f"{query:<14}{found.total:>10,}{first:>11.1f}{ours:>15.1f}{like:>10.0f}")
        many, found = best(lambda: index.search(parse("w0"), 100_000), 5)
        print(f"{len(found.positions):,} positions of w0, as the map asks for them: {many:.1f} ms")
        lengths = {"length": [len(line) for line in texts.lines]}
        arrays = ColumnarPool()
        first, _ = best(lambda: arrays.of("length", lengths["length"]), 1)
        print(f"the lengths as an array, once: {first:.0f} ms")
        for query in ("w0 length>80", "w12 w77 length>80"):
            terms = parse(query, lengths)

            def filtered(terms: Terms = terms) -> np.ndarray[Any, Any]:
                matches = index.search(terms)
                assert matches is not None
                return meeting(lengths, terms.conditions[0], matches.positions, arrays)

            with_filter, positions = best(filtered, 3)
            print(f"{query}: {len(positions):,} items in {with_filter:.1f} ms")
        index.close()
    plain.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
