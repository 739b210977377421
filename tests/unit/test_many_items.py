"""A session on many items: what it does for a card does not grow with the pool."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.audit import Audit
from alwidgets.ingest.ids import GivenIds
from alwidgets.ledger import Ledger
from alwidgets.store import LabelStore

N = 20_000
CARDS = 45


@pytest.fixture(scope="module")
def pool() -> al.Pool:
    X = np.random.default_rng(0).normal(size=(N, 2)).astype(np.float32)
    return al.Pool.from_arrays(X, ids=range(N))


class Looks:
    """How often ids were made, one by one, and whether all were gone through."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.single = self.all = 0
        single, all_ids = GivenIds._at, GivenIds.__iter__

        def at(ids: GivenIds, row: int) -> str:
            self.single += 1
            return single(ids, row)

        def through(ids: GivenIds) -> Iterator[str]:
            self.all += len(ids) == N
            return all_ids(ids)

        patch.setattr(GivenIds, "_at", at)
        patch.setattr(GivenIds, "__iter__", through)


def test_no_card_and_no_round_goes_through_all_ids(
    pool: al.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session: Any = None

    def open_it() -> al.Session:
        task = al.Classification(["left", "right"])
        return al.Session(pool, task, tmp_path / "labels.db", executor=al.InlineExecutor())

    session = open_it()
    looks = Looks(monkeypatch)
    for _ in range(CARDS):
        item = session.next()[0]
        session.record(item.id, "left" if pool.features[item.index, 0] < 0 else "right")
        session.progress()
    assert session.version >= 1
    session.label_codes()
    session.labels()
    session.estimate()
    session.close()
    assert looks.all == 0
    assert looks.single < 20 * CARDS

    looks.single = 0
    again = open_it()
    again.next()
    # Once for the audit: whether an item belongs to it depends on its id.
    assert looks.all == 1
    assert looks.single < 20 * CARDS
    again.close()


def test_its_state_is_a_few_arrays(pool: al.Pool) -> None:
    store, task = LabelStore(), al.Classification(["left", "right"])
    tracemalloc.start()
    ledger = Ledger(pool, task, store, Audit(pool.ids, 0.15, seed=0))
    ledger.draw_audits(20)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / N < 20  # bytes an item
    store.close()
