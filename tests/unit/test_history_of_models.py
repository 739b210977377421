"""What every model said of the pool, kept as changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alwidgets as al
from alwidgets.audit import Audit
from alwidgets.errors import StoreError
from alwidgets.history import History
from alwidgets.ingest.ids import given_ids
from alwidgets.store import LabelStore

TASK = al.Classification(["ham", "spam", "news"])


class Pools:
    """A pool that grows, and what is kept of it."""

    def __init__(self, store: LabelStore, names: list[str]) -> None:
        self.store = store
        self.ids = given_ids(names)
        self.audit = Audit(self.ids, 0.2, 0)
        self.history = self.opened()

    def opened(self, task: al.Task = TASK) -> History:
        return History(task, self.store, self.ids, self.audit)

    def grow(self, more: list[str]) -> None:
        self.ids = given_ids([*self.ids, *more])
        self.audit = self.audit.grown(self.ids)

    def add(self, version: int, said: Any) -> None:
        given = np.array(said, dtype=np.int32)
        self.history.add(self.history.prepare(version, given, self.audit))
        self.history.save()


def named(n: int, start: int = 0) -> list[str]:
    return [f"item {k}" for k in range(start, start + n)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    with closing(LabelStore(tmp_path / "labels.db")) as store:
        yield store


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_course_is_told_as_it_was(data: st.DataObject) -> None:
    with closing(LabelStore()) as store:
        pools = Pools(store, named(data.draw(st.integers(1, 12))))
        course: dict[int, list[int]] = {}
        for version in range(1, data.draw(st.integers(1, 8)) + 1):
            if data.draw(st.booleans()):
                pools.grow(named(data.draw(st.integers(1, 5)), len(pools.ids)))
            if data.draw(st.booleans()):
                pools.history = pools.opened()
            n = len(pools.ids)
            course[version] = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
            pools.add(version, course[version])
        asked = data.draw(st.lists(st.integers(0, len(pools.ids) - 1), max_size=6, unique=True))
        for history in (pools.history, pools.opened()):
            assert history.sizes == {version: len(said) for version, said in course.items()}
            for version, said in course.items():
                found = history.of(version)
                assert found is not None
                assert found.tolist() == said
            some = dict(history.of_items(np.array(asked, dtype=np.int64)))
            assert {v: codes.tolist() for v, codes in some.items()} == {
                v: [said[k] if k < len(said) else -1 for k in asked] for v, said in course.items()
            }
            assert history.of(99) is None


def test_a_pool_that_grew_between_two_runs_is_known(store: LabelStore) -> None:
    pools = Pools(store, named(6))
    pools.add(1, [0, 1, 2, 0, 1, 2])
    longer = Pools(store, named(9))
    assert longer.history.of(1).tolist() == [0, 1, 2, 0, 1, 2]  # type: ignore[union-attr]
    longer.add(2, [0, 1, 2, 0, 1, 2, 1, 1, 1])
    assert longer.opened().of(2).tolist()[6:] == [1, 1, 1]  # type: ignore[union-attr]


def test_positions_in_another_order_are_never_mistaken(store: LabelStore) -> None:
    pools = Pools(store, named(6))
    pools.add(1, [0, 1, 2, 0, 1, 2])
    turned = Pools(store, named(6)[::-1])
    assert turned.history.sizes == {}
    assert turned.history.of(1) is None
    turned.add(2, [2, 2, 2, 0, 0, 0])
    # A new beginning: what came before it is not mixed in.
    for history in (turned.history, turned.opened()):
        assert history.sizes == {2: 6}
        assert history.of(2).tolist() == [2, 2, 2, 0, 0, 0]  # type: ignore[union-attr]


def test_a_class_that_was_renamed_or_merged_is_the_one_of_today(store: LabelStore) -> None:
    pools = Pools(store, named(4))
    pools.add(1, [0, 1, 2, 2])
    task = al.Classification(["ham", "spam", "news"])
    task.rename("spam", "eggs")
    task.merge("news", "ham")
    codes = pools.opened(task).of(1)
    assert codes is not None
    assert [task.decode(int(code)) for code in codes] == ["ham", "eggs", "ham", "ham"]


def test_a_class_that_is_merged_meanwhile_is_so_at_once(store: LabelStore) -> None:
    task = al.Classification(["ham", "spam", "news"])
    pools = Pools(store, named(4))
    pools.history = pools.opened(task)
    pools.add(1, [0, 1, 2, 2])
    task.merge("news", "ham")
    for history in (pools.history, pools.opened(task)):
        assert history.of(1).tolist() == [0, 1, 0, 0]  # type: ignore[union-attr]
        assert dict(history.of_items(np.array([2, 1])))[1].tolist() == [0, 1]


def test_what_is_damaged_keeps_nobody_from_labelling(
    store: LabelStore, caplog: pytest.LogCaptureFixture
) -> None:
    pools = Pools(store, named(4))
    pools.add(1, [0, 1, 2, 2])
    damaged = store.predictions()[0] | {"version": 2, "items": b"not zlib"}
    store.append_predictions(damaged)
    pools.history = pools.opened()
    assert pools.history.of(1) is None
    assert "could not be read" in caplog.text
    pools.add(3, [2, 2, 1, 0])
    assert pools.opened().of(3).tolist() == [2, 2, 1, 0]  # type: ignore[union-attr]


def test_a_row_that_was_written_and_not_acknowledged_is_there_once(store: LabelStore) -> None:
    pools = Pools(store, named(3))
    pools.add(1, [0, 1, 2])
    store.append_predictions(store.predictions()[0])
    pools.add(2, [0, 1, 1])
    assert [row["version"] for row in store.predictions()] == [1, 2]


def test_sets_of_labels_are_kept_by_what_they_are(store: LabelStore) -> None:
    first = al.MultiLabel(["a", "b", "c"])
    pools = Pools(store, named(3))
    pools.history = pools.opened(first)
    answers = [["c", "a"], [], ["b"]]
    pools.add(1, [first.encode(answer) for answer in answers])
    second = al.MultiLabel(["a", "b", "c"])
    second.encode(["a", "b", "c"])  # other sets come first in another run
    codes = pools.opened(second).of(1)
    assert codes is not None
    assert [sorted(second.decode(int(code))) for code in codes] == [["a", "c"], [], ["b"]]


def test_what_the_disk_refused_is_written_with_the_next_round() -> None:
    class Refusing(LabelStore):
        full = True

        def append_predictions(self, row: dict[str, Any]) -> None:
            if self.full:
                raise StoreError("The disk is full.")
            super().append_predictions(row)

    with closing(Refusing()) as store:
        pools = Pools(store, named(3))
        with pytest.raises(StoreError, match="full"):
            pools.add(1, [0, 0, 1])
        assert store.predictions() == []
        store.full = False
        pools.add(2, [0, 2, 1])
        kept = pools.opened()
        assert {v: kept.of(v).tolist() for v in kept.sizes} == {  # type: ignore[union-attr]
            1: [0, 0, 1],
            2: [0, 2, 1],
        }


def test_the_changes_take_little_room(store: LabelStore) -> None:
    rng = np.random.default_rng(0)
    pools = Pools(store, named(50_000))
    said = rng.integers(0, 3, 50_000)
    pools.add(1, said)
    for version in (2, 3, 4):
        said = said.copy()
        said[rng.choice(50_000, 500, replace=False)] = 0
        pools.add(version, said)
    whole, *later = (len(row["items"]) + len(row["said"]) for row in store.predictions())
    assert whole < 2 * 50_000
    assert max(later) < 3 * 500


def test_a_session_tells_what_each_model_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    features = (rng.normal(size=(60, 4)) + 1.5 * truth[:, None]).astype(np.float32)

    def opened() -> al.Session:
        pool = al.Pool.from_arrays(features, ids=range(60))
        options: dict[str, Any] = {"batch_size": 6, "executor": al.InlineExecutor()}
        return al.Session(pool, al.Classification(["no", "yes"]), tmp_path / "labels.db", **options)

    with closing(opened()) as session:
        with pytest.raises(al.AlwidgetsError, match="no round 0: there is none yet"):
            session.predictions()
        said = {}
        for _ in range(30):
            item = session.next()[0]
            session.record(item.id, ["no", "yes"][truth[item.index]])
            if session.current is not None and session.version:
                said[session.version] = session.current.predictions
        assert len(said) >= 3
    with closing(opened()) as again:
        for version, codes in said.items():
            np.testing.assert_array_equal(again.predictions(version), codes)
        np.testing.assert_array_equal(again.predictions(), said[max(said)])
        with pytest.raises(al.AlwidgetsError, match=f"no round 99: there are 1 to {max(said)}"):
            again.predictions(99)
