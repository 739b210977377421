"""The columns of a long log, kept: never anything else than what the store says."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alwidgets import checkpoint
from alwidgets.audit import Audit
from alwidgets.labels import COLUMNS
from alwidgets.ledger import Ledger
from alwidgets.pool import Pool
from alwidgets.schema import Draw, Event
from alwidgets.store import LabelStore
from tests.unit.test_replay import IDS, POOL, STEPS, TASK, check, do, state


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
        a, b = (ledger.labels.column(name) for ledger in (one, other))
        if name == "strategy":  # the session itself looks for names, which may give them codes
            a, b = (
                np.array([*ledger.labels.strategies.names, ""])[ledger.labels.column(name)]
                for ledger in (one, other)
            )
        np.testing.assert_array_equal(a, b, err_msg=name)
    np.testing.assert_array_equal(one.standing, other.standing)
    assert one.labels.answers.names == other.labels.answers.names
    assert [d.item_id for d in one.queue.upcoming()] == [d.item_id for d in other.queue.upcoming()]
    assert one.remarks() == other.remarks()
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
    assert ledger.remarks()


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS, st.integers(0, 40), st.integers(0, 40))
def test_wherever_it_ends_the_state_is_the_same(
    tmp_path: Path, steps: list[tuple[str, Any]], kept: int, kept_again: int
) -> None:
    """By a session that closes in the middle, and by one that only reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "WORTH_KEEPING", 1)
        store = LabelStore(tmp_path / f"{uuid.uuid4().hex}.db")
        audit = Audit(IDS, 0.3, seed=0)
        ledger = Ledger(POOL, TASK, store, audit)
        for n, (what, how) in enumerate(steps):
            do(ledger, store, n, what, how)
            if n == kept:
                ledger.close()
            elif n == kept_again:
                ledger = Ledger(POOL, TASK, store, audit)
        from_file = Ledger(POOL, TASK, store, audit)
        ledger._checkpoint.path.unlink(missing_ok=True)
        from_store = Ledger(POOL, TASK, store, audit)
        check(from_file)
        assert state(from_file) == state(from_store) == state(ledger)
        same(from_file, from_store)
        np.testing.assert_array_equal(from_file.audit_drawn, from_store.audit_drawn)
        assert from_file._train_version == from_store._train_version == ledger._train_version
        assert from_file._n_audit_draws == from_store._n_audit_draws
        store.close()


def test_events_before_and_after_it_may_come_in_any_order(store: LabelStore) -> None:
    """What takes back an event may be in the file, and the event itself come later."""
    ledger = opened(store)

    def tell(*events: Event) -> None:
        for event in store.append([ledger.validate(e) for e in events]):
            ledger.apply(event)

    tell(*(Event(f"e{k}", IDS[k], "answer", "a") for k in range(6)))
    tell(Event("r6", IDS[6], "retract", target="e6"), Event("r7", IDS[7], "retract", target="e7"))
    tell(Event("e6", IDS[6], "answer", "a"), Event("r5", IDS[5], "retract", target="e5"))
    ledger.close()
    assert ledger._checkpoint.path.exists()
    tell(Event("e7", IDS[7], "answer", "b"), Event("r4", IDS[4], "retract", target="e4"))
    tell(Event("rr", IDS[5], "retract", target="r5"), Event("e8", IDS[8], "answer", "b"))
    from_file = opened(store)
    assert from_file._checkpoint._kept == 10
    same(from_file, ledger)
    assert from_file.labels.early == ledger.labels.early == {}
    done = [n for n in range(len(IDS)) if from_file.labels.is_done(n)]
    assert done == [0, 1, 2, 3, 8]


def test_a_batch_that_came_later_takes_the_place_of_the_one_in_the_file(store: LabelStore) -> None:
    ledger = opened(store)
    free = [i for i, kept in zip(IDS, ledger.audit.reserved, strict=True) if not kept]

    def pick(items: list[str], version: int, *, instead: bool) -> None:
        draws = [Draw(i, "train", "s", version, None, None, 1) for i in items]
        ledger.pick(draws, instead=instead)

    pick(free[:4], 1, instead=True)
    for event in store.append([Event(f"e{n}", free[10], "flag") for n in range(6)]):
        ledger.apply(event)
    ledger.close()
    pick(free[4:5], 1, instead=False)
    same(opened(store), ledger)
    assert [d.item_id for d in opened(store).queue.upcoming()] == free[:5]
    pick(free[5:7], 2, instead=True)
    same(opened(store), ledger)
    assert [d.item_id for d in opened(store).queue.upcoming()] == free[5:7]


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
