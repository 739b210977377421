"""What the notebooks of the tests begin with."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

#: Texts with features of their own: nothing to encode, so that a restart is quick.
TEXTS = """
import numpy as np
import alwidgets as al

rng = np.random.default_rng(0)
side = rng.integers(0, 2, size=3000)
features = rng.normal(size=(3000, 8)).astype("float32") + 1.5 * side[:, None]
texts = [f"Message {i} says {'win' if s else 'hello'}." for i, s in enumerate(side)]
pool = al.Pool.from_arrays(features, content=texts, ids=[f"m{i}" for i in range(3000)])
session = al.Session(pool, al.Classification(["ham", "spam"]), store="texts.db")
"""

DIGITS = """
from sklearn.datasets import load_digits
import alwidgets as al

digits = load_digits()
pool = al.Pool.from_images(digits.images)
session = al.Session(pool, al.Classification(range(10)), store="digits.db")
"""

#: Digits in memory, rounds at once, and a person who takes seven seconds a label.
PACED = (
    DIGITS.replace('store="digits.db"', "audit=0.3, executor=al.InlineExecutor()")
    + """
from datetime import datetime, timedelta

begin = datetime(2026, 1, 1)

def label(n):
    for _ in range(n):
        item = session.next()[0]
        session.record(
            item.id,
            int(digits.target[item.index]),
            shown_at=begin.isoformat(),
            answered_at=(begin + timedelta(seconds=7)).isoformat(),
        )
"""
)

#: True classes of the items, whatever the order of the pool.
TRUTH = "{i: str(digits.target[pool.index(i)]) for i in pool.ids}"


def answers(database: Path) -> list[tuple[str, str, str]]:
    """Read event id, item id and answer of every stored answer, straight from the file."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as file:
        rows = file.execute(
            "SELECT event_id, item_id, json_extract(answer, '$') FROM events"
            " WHERE kind = 'answer' ORDER BY seq"
        )
        return [(event, item, answer) for event, item, answer in rows]
