"""A label store: how fast labels are committed, and what one with a million of them costs."""

from __future__ import annotations

import gc
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import astuple, fields
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from table import Row, count

import alwidgets as al
from alwidgets.checkpoint import Checkpoint
from alwidgets.ledger import Ledger
from alwidgets.schema import Draw, Event, now
from alwidgets.store import LabelStore

APPENDS, LEAST = 1_000, 200
REPLAY_S, LABELS_S, OPEN_S = 10.0, 1.0, 3.0
WIDTH, CLASSES = 16, 10
#: Of the events: answers, skips, flags; the rest take the answer before back.
KINDS = (("answer", 0.95), ("skip", 0.97), ("flag", 0.98))
EVENT_COLUMNS = tuple(f.name for f in fields(Event))
DRAW_COLUMNS = tuple(f.name for f in fields(Draw))


class Never:
    """An executor that runs nothing: no round disturbs what is measured."""

    def submit(self, job: Callable[[], None]) -> None:
        pass

    def join(self) -> None:
        pass


def stores(folder: Path, events: int) -> Iterator[Row]:
    """Appending, and a store of so many events."""
    folder.mkdir(parents=True)
    yield appending(folder)
    yield from large(folder, events)
    gc.collect()  # a session that is there at the end is closed, and that waits for its round


def appending(folder: Path) -> Row:
    """One label at a time, each on disk before the next."""
    store = LabelStore(folder / "append.db")
    made = [
        Event(uuid.uuid4().hex, f"i{n}", "answer", "spam", shown_at=now(), answered_at=now())
        for n in range(APPENDS)
    ]
    begin = time.perf_counter()
    for event in made:
        store.append([event])
    rate = APPENDS / (time.perf_counter() - begin)
    store.close()
    return Row(
        "store",
        "events committed one at a time",
        rate,
        "/s",
        f"{APPENDS} events, SQLite file, full synchronous",
        f">= {LEAST}",
        rate >= LEAST,
    )


def large(folder: Path, events: int) -> Iterator[Row]:
    """A store of many events, on a pool of as many rows."""
    group, path, features = f"store of {count(events)}", folder / "large.db", folder / "rows.npy"
    np.save(features, np.random.default_rng(0).normal(size=(events, WIDTH)).astype("float32"))
    pool = al.Pool.from_arrays(features)
    task = al.Classification([f"class {k}" for k in range(CLASSES)])

    def opened() -> Any:
        return al.Session(pool, task, path, executor=Never())

    session = opened()
    audit = session._ledger.audit
    session.store.close()  # to close the session would wait for a round
    _, seconds = timed(lambda: fill(path, pool.ids, audit.reserved, events))
    yield Row(group, "written by plain SQL", seconds, "s", f"{path.stat().st_size >> 20} MB")

    yield Row(group, "a loop of Python, 10 million steps", bare(), "s", "for comparison")
    store = LabelStore(path)
    checkpoint = Checkpoint(store, audit.key).path
    checkpoint.unlink(missing_ok=True)
    ledger, seconds = timed(lambda: Ledger(pool, task, store, audit))
    note = f"{ledger.labels.n_answers:,} labels stand"
    yield bar(group, "replay", seconds, REPLAY_S, note)
    store.close()

    checkpoint.unlink()
    session, seconds = timed(opened)
    yield Row(group, "open a session, no checkpoint", seconds, "s", "as on another machine")
    session.store.close()
    note = "pool and its ids are there; no round runs"
    times = []
    for _ in range(3):
        session, seconds = timed(opened)
        times.append(seconds)
        session.store.close()
    yield bar(group, "open a session", median(times), OPEN_S, f"median of 3; {note}")
    session = opened()
    frame, seconds = timed(session.labels)
    yield bar(group, "session.labels()", seconds, LABELS_S, f"{len(frame):,} rows")
    _, seconds = timed(session.labels)
    yield Row(group, "session.labels() again", seconds, "s")
    _, seconds = timed(lambda: session.record(pool.ids[0], task.classes[0]))
    yield Row(group, "record one more", seconds * 1000, "ms")
    session.store.close()  # to close the session would wait for a round


def bare() -> float:
    """Seconds of a loop that does nothing: what the machine has left for this process."""
    begin, total = time.perf_counter(), 0
    for n in range(10_000_000):
        total += n
    return time.perf_counter() - begin


def bar(group: str, name: str, seconds: float, most: float, note: str) -> Row:
    return Row(group, name, seconds, "s", note, f"< {most:g} s", seconds < most)


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = run()
    return found, time.perf_counter() - begin


def fill(path: Path, ids: Any, reserved: Any, events: int) -> None:
    """Write so many events, each with its draw, as a session would have: one a second."""
    order = np.random.default_rng(1).permutation(events).tolist()
    # Tuples in the order of the columns, and JSON as the store has it.
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA synchronous=OFF")
        rows = list(log(ids, reserved, order))
        insert(file, "draws", DRAW_COLUMNS, (astuple(draw) for _, draw in rows if draw))
        columns = (*EVENT_COLUMNS[:-1], "stored_at")
        stored = ((*astuple(e)[:-1], e.answered_at) for e, _ in rows)
        insert(file, "events", columns, stored)
        file.commit()
        assert file.execute("SELECT count(*) FROM events").fetchone()[0] == events


def insert(file: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: Any) -> None:
    names, marks = ", ".join(f'"{c}"' for c in columns), ", ".join("?" * len(columns))
    file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)


def log(ids: Any, reserved: Any, order: list[int]) -> Iterator[tuple[Event, Draw | None]]:
    """Events in order, and the draw of each that answers one."""
    rng, last = random.Random(0), None
    start = np.datetime64("2024-01-01T00:00:00.000000")
    times = np.datetime_as_string(
        start + np.arange(len(order) + 1) * np.timedelta64(1, "s")
    ).tolist()
    held = reserved.tolist()
    for n, at in enumerate(order):
        item, chance = ids[at], rng.random()
        kind = next((name for name, most in KINDS if chance < most), "retract")
        shown, answered = f"{times[n]}+00:00", f"{times[n + 1]}+00:00"
        event_id = f"{n:032x}"
        if kind == "retract" and last is not None:
            yield (
                Event(event_id, last[0], "retract", None, last[1], last[2], "ann", None, answered),
                None,
            )
            last = None
            continue
        stream = "audit" if held[at] else "train"
        strategy = "random" if held[at] else "margin"
        draw_id = f"d{n:031x}"
        draw = Draw(
            item, stream, strategy, 0, rng.random(), 1e-6, len(order) - n, draw_id, shown, n
        )
        answer = f'"class {rng.randrange(CLASSES)}"' if kind == "answer" else None
        if kind == "retract":
            kind = "skip"
        yield Event(event_id, item, kind, answer, None, draw_id, "ann", shown, answered), draw
        last = (item, event_id, draw_id) if kind == "answer" else last
