"""A whole session on a pool on disk: opened, labelled on while it trains, opened again."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scale import AnonymousPeak
from table import Row, count

CARDS = 20
#: Seconds between two looks at whether the kernel's thread still answers.
TICK = 0.005
MOST_GB, MOST_STALL = 2.0, 0.1


class Stalls:
    """By how much a thread that wakes every few milliseconds came too late, in seconds.

    It stands for the thread on which a kernel answers, while calls are made from this one.
    """

    def __enter__(self) -> Stalls:
        self.longest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _tick(self) -> None:
        last = time.perf_counter()
        while not self._stop.is_set():
            time.sleep(TICK)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last - TICK)
            last = now


def sessions(path: Path) -> Iterator[Row]:
    """What a session on the features of a file costs, and whether the kernel answers meanwhile.

    The first rows of the figures have the import of everything behind them.
    """
    import alwidgets as al

    small = al.Pool.from_arrays(np.eye(20, 4, dtype=np.float32))
    task = al.Classification([f"class {k}" for k in range(10)])
    warm = al.Session(small, task)
    warm.next()
    warm.close()

    with tempfile.TemporaryDirectory() as folder, AnonymousPeak() as added:
        store = Path(folder) / "labels.db"
        n, width = np.load(path, mmap_mode="r").shape
        group = f"session, {count(n)} x {width}"

        def row(name: str, seconds: float, note: str = "", **more: Any) -> Row:
            return Row(group, name, seconds, "s", note, **more)

        pool, seconds = _timed(lambda: al.Pool.from_arrays(path))
        yield row("make the pool", seconds, "every content hashed, every number checked")
        session, seconds = _timed(lambda: al.Session(pool, task, store, batch_size=CARDS))
        yield row("open a session", seconds, "on a new store", mb=added.mb)
        yield row("the first card", _timed(lambda: _card(session))[1], "after it was opened")
        session.next()

        with Stalls() as stalls:
            calls = _label(session, CARDS + 5)
            calls += _label(session, 3 * CARDS) if session.training else []
            _wait(session)
        assert session.version, session.error
        yield _calls(group, calls)
        yield row(
            "longest stall of another thread",
            stalls.longest,
            "while cards are answered and a round runs",
            bar=f"{MOST_STALL:g} s",
            met=stalls.longest < MOST_STALL,
        )
        begin = time.perf_counter()
        session.retrain(wait=False)
        _wait(session)
        yield row("a round", time.perf_counter() - begin, "fit, score all, pick, estimate")
        session.close()

        again, seconds = _timed(lambda: al.Session(pool, task, store, batch_size=CARDS))
        yield row("open it again", seconds, "on the same pool: labels, queue, model")
        yield row("its first card", _timed(lambda: _card(again))[1])
        yield row("its model", _timed(lambda: again.predict(pool.features[:1]))[1])
        again.close()
    yield Row(
        group,
        "memory at the peak, all of it",
        added.mb / 1024,
        "GB",
        "the pool's ids, the session and its rounds",
        bar=f"{MOST_GB:g} GB",
        met=added.mb < MOST_GB * 1024,
        mb=added.mb,
    )


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = run()
    return found, time.perf_counter() - begin


def _card(session: Any) -> Any:
    """The next card, as soon as there is one."""
    while not (items := session.next(wait=False)):
        time.sleep(TICK)
    return items[0]


def _label(session: Any, cards: int) -> list[float]:
    """Answer cards as a person would, but quicker; what each call took, in seconds."""
    rng, calls = np.random.default_rng(0), []
    for _ in range(cards):
        item = _card(session)
        answer = session.task.classes[rng.integers(len(session.task.classes))]
        calls.append(_timed(lambda: session.next(CARDS, wait=False))[1])
        calls.append(_timed(lambda item=item, answer=answer: session.record(item.id, answer))[1])
        time.sleep(2 * TICK)
    return calls


def _wait(session: Any) -> None:
    while session.training:
        time.sleep(TICK)


def _calls(group: str, calls: list[float]) -> Row:
    worst = max(calls)
    return Row(
        group,
        "worst of next, record",
        worst,
        "s",
        f"median {statistics.median(calls) * 1000:.1f} ms of {len(calls)} calls",
        bar=f"{MOST_STALL:g} s",
        met=worst < MOST_STALL,
    )
