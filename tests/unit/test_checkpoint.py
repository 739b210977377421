"""The columns of a long log, kept: never anything else than what the store says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alwidgets import checkpoint
from alwidgets.audit import Audit
from alwidgets.labels import COLUMNS
from alwidgets.ledger import Ledger
from alwidgets.pool import Pool
from alwidgets.schema import Event
from alwidgets.store import LabelStore
from alwidgets.tasks import Classification

IDS = [f"i{k}" for k in range(40)]
POOL = Pool.from_texts(IDS, ids=IDS)
TASK = Classification(["a", "b"])


@pytest.fixture(autouse=True)
def _kept_early(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkpoint, "WORTH_KEEPING", 5)
    monkeypatch.setenv("ALWIDGETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    store = LabelStore(tmp_path / "labels.db")
    yield store
    store.close()


def opened(store: LabelStore, pool: Pool = POOL) -> Ledger:
    return Ledger(pool, TASK, store, Audit(pool.ids, 0.3, seed=0))


def answer(ledger: Ledger, store: LabelStore, n: int) -> None:
    """n more cards, every third of them taken back or skipped."""
    start = ledger.labels.n_events
    for k in range(start, start + n):
        ledger.draw_audits(2)
        waiting = ledger.queue.upcoming()
        item = waiting[0].item_id if waiting else IDS[k % len(IDS)]
        events = [Event(f"e{k}", item, "skip" if k % 3 else "answer", None if k % 3 else "b")]
        if k % 5 == 0:
            events.append(Event(f"r{k}", item, "retract", target=f"e{k}"))
        if k % 4 == 0:
            events.append(Event(f"c{k}", item, "comment", comment=f"remark {k}"))
        for event in store.append([ledger.validate(e) for e in events]):
            ledger.apply(event)


def same(one: Ledger, other: Ledger) -> None:
    for name in COLUMNS:
        a, b = one.labels.column(name), other.labels.column(name)
        np.testing.assert_array_equal(a, b, err_msg=name)
    np.testing.assert_array_equal(one.standing, other.standing)
    assert one.labels.answers.names == other.labels.answers.names
    assert [d.item_id for d in one.queue.upcoming()] == [d.item_id for d in other.queue.upcoming()]
    assert one.remarks() == other.remarks() != {}
    assert (one.revision, one.n_candidates) == (other.revision, other.n_candidates)


def test_what_is_kept_and_what_came_later_is_what_the_store_says(store: LabelStore) -> None:
    ledger = opened(store)
    answer(ledger, store, 12)
    ledger.close()
    kept = ledger._checkpoint.path
    assert kept.exists()
    answer(ledger, store, 3)  # of which the file knows nothing
    from_file = opened(store)
    kept.unlink()
    from_store = opened(store)
    same(from_file, from_store)
    same(from_file, ledger)


def test_few_events_are_not_kept(store: LabelStore) -> None:
    ledger = opened(store)
    answer(ledger, store, 2)
    ledger.close()
    assert not ledger._checkpoint.path.exists()


@pytest.mark.parametrize("harm", ["cut", "empty", "other"])
def test_a_damaged_file_is_passed_over(
    store: LabelStore, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = opened(store)
    answer(ledger, store, 12)
    ledger.close()
    file = ledger._checkpoint.path
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "empty": b"", "other": b"PK\x03\x04?"}[harm])
    same(opened(store), ledger)
    assert "read anew" in caplog.text


def test_positions_of_another_order_are_not_used(store: LabelStore) -> None:
    ledger = opened(store)
    answer(ledger, store, 12)
    ledger.close()
    turned = Pool.from_texts(IDS[::-1], ids=IDS[::-1])
    again = opened(store, turned)
    assert again.standing.tolist() == ledger.standing[::-1].tolist()


def test_a_file_of_another_log_is_not_used(store: LabelStore, tmp_path: Path) -> None:
    """As where a store was put back from a copy, and went on otherwise."""
    ledger = opened(store)
    answer(ledger, store, 12)
    ledger.close()
    other = LabelStore(tmp_path / "other.db")
    elsewhere = opened(other)
    ledger._checkpoint.path.rename(elsewhere._checkpoint.path)
    again = opened(other)
    assert again.labels.n_events == 0
    other.close()


def test_a_full_disk_costs_nothing_but_time(
    store: LabelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("no folder can be made here")
    ledger = opened(store)
    answer(ledger, store, 12)
    ledger.close()
    assert "could not be written" in caplog.text
    same(opened(store), ledger)
