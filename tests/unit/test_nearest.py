"""Nearest neighbours in feature space, more like this, and the lasso guard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import alwidgets as al
from alwidgets.errors import AlwidgetsError, ProjectionError, UnknownItemError
from alwidgets.projection import guard as guarding
from alwidgets.projection import neighbours as nearest
from alwidgets.projection.guard import guard
from alwidgets.projection.neighbours import ExactNeighbours


def brute(X: NDArray[Any], V: NDArray[Any], k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """By the definition, in double precision."""
    away = np.linalg.norm(V.astype(float)[:, None] - X.astype(float)[None], axis=2)
    order = np.argsort(away, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(away, order, axis=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize(("n", "d", "m", "k"), [(700, 8, 40, 15), (9, 3, 9, 20), (500, 1, 3, 1)])
def test_as_by_the_definition(dtype: Any, n: int, d: int, m: int, k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d)).astype(dtype)
    V = rng.standard_normal((m, d)).astype(np.float32)
    positions, distances = ExactNeighbours(X).search(V, k)
    expected, away = brute(X, V, k)
    assert positions.dtype == np.int64
    assert distances.dtype == np.float32
    assert positions.shape == (m, min(k, n))
    np.testing.assert_allclose(distances, away, rtol=1e-5)
    if dtype is np.float32:  # of half precision some are equally far
        np.testing.assert_array_equal(positions, expected)


def test_many_blocks_of_a_mapped_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "BLOCK", 64)
    monkeypatch.setattr(nearest, "CELLS", 256)
    monkeypatch.setattr(nearest, "TOGETHER", 7)
    X = np.random.default_rng(1).standard_normal((1000, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    positions, _ = ExactNeighbours(mapped).search(X[:30], 5)
    np.testing.assert_array_equal(positions, brute(X, X[:30], 5)[0])


def test_far_from_the_origin_no_digit_is_lost() -> None:
    X = (1000 + np.random.default_rng(2).standard_normal((400, 12))).astype(np.float32)
    positions, distances = ExactNeighbours(X).search(X[:50], 6)
    expected, away = brute(X, X[:50], 6)
    np.testing.assert_array_equal(positions, expected)
    np.testing.assert_allclose(distances, away, rtol=1e-5)


def test_of_copies_the_first_come_first() -> None:
    X = np.ones((20, 4), dtype=np.float32)
    positions, distances = ExactNeighbours(X).search(X[:1], 20)
    np.testing.assert_array_equal(positions[0], np.arange(20))
    assert not distances.any()


def test_bad_input_is_named() -> None:
    with pytest.raises(ProjectionError, match="shape"):
        ExactNeighbours(np.zeros((0, 3), dtype=np.float32))
    found = ExactNeighbours(np.eye(3, dtype=np.float32))
    with pytest.raises(ProjectionError, match=r"\(m, 3\)"):
        found.search(np.zeros((1, 2)), 1)
    with pytest.raises(ProjectionError, match=r"Row 1 .* NaN"):
        found.search(np.array([[0, 0, 0], [0, np.nan, 0]]), 1)
    with pytest.raises(ValueError, match="at least 1"):
        found.search(np.zeros((1, 3)), 0)


def test_more_like_this() -> None:
    X = np.random.default_rng(3).standard_normal((60, 5)).astype(np.float32)
    names = [f"item {i}" for i in range(60)]
    session = al.Session(al.Pool.from_arrays(X, ids=names), al.Classification(["a", "b"]))
    found = session.similar("item 7", n=4)
    expected, away = brute(X, X[7:8], 5)
    assert list(found.index) == [names[i] for i in expected[0, 1:]]
    assert found.index.name == "item_id"
    np.testing.assert_allclose(found["distance"], away[0, 1:], rtol=1e-5)
    assert len(session.similar("item 7", n=500)) == 59
    with pytest.raises(UnknownItemError, match="item 99"):
        session.similar("item 99")
    with pytest.raises(AlwidgetsError, match="at least 1"):
        session.similar("item 7", n=0)
    session.close()


# ---------------------------------------------------------------------- the lasso guard


def touching(
    seed: int, n: int = 400, d: int = 40
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Two clusters apart in many dimensions, whose layouts run into one another at the border."""
    rng = np.random.default_rng(seed)
    of = np.repeat([0, 1], n)
    X = rng.standard_normal((2 * n, d)).astype(np.float32)
    X[:, 0] += 12 * of
    layout = rng.standard_normal((2 * n, 2))
    layout[:, 0] += np.where(of, 1.5, -1.5)
    return X, layout, of


@pytest.mark.parametrize("seed", range(5))
def test_a_lasso_over_two_touching_clusters(seed: int) -> None:
    X, layout, of = touching(seed)
    selected = np.flatnonzero(layout[:, 0] < 0)
    doubtful, missing = guard(X, selected)
    wrong_in = selected[of[selected] == 1]
    wrong_out = np.setdiff1d(np.flatnonzero(of == 0), selected)
    assert len(wrong_in) >= 10
    assert len(wrong_out) >= 10
    flagged = np.isin(wrong_in, doubtful).sum() + np.isin(wrong_out, missing).sum()
    assert flagged >= 0.8 * (len(wrong_in) + len(wrong_out))
    # And nobody is flagged who was on the right side.
    assert np.isin(doubtful, wrong_in).mean() >= 0.95
    assert np.isin(missing, wrong_out).mean() >= 0.95


def test_a_selection_of_whole_clusters_is_left_alone() -> None:
    X, _, of = touching(0)
    doubtful, missing = guard(ExactNeighbours(X), np.flatnonzero(of == 1))
    assert not len(doubtful)
    assert not len(missing)


def test_shares_as_by_the_definition() -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((120, 2)).astype(np.float32)
    selected = np.flatnonzero((X[:, 0] > 0) ^ (rng.random(120) < 0.15))
    near = brute(X, X, 16)[0][:, 1:]
    share = np.isin(near, selected).mean(axis=1)
    inside = np.isin(np.arange(120), selected)
    doubtful, missing = guard(X, selected)
    np.testing.assert_array_equal(doubtful, np.flatnonzero(inside & (share < 0.3)))
    expected = np.flatnonzero(~inside & (share > 0.7))
    # Outsiders are looked at where a member has them for a neighbour.
    named = np.unique(near[inside])
    np.testing.assert_array_equal(missing, np.intersect1d(expected, named))
    assert len(doubtful)
    assert len(missing)


def test_the_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Counting(ExactNeighbours):
        def search(self, V: NDArray[Any], k: int) -> nearest.Found:
            asked.append(len(V))
            return super().search(V, k)

    monkeypatch.setattr(guarding, "MOST", 60)
    X, layout, of = touching(0)
    doubtful, _ = guard(Counting(X), np.flatnonzero(layout[:, 0] < 0))
    assert len(asked) == 2
    assert max(asked) <= 60
    assert (of[doubtful] == 1).all()


def test_the_guard_at_the_edges() -> None:
    X = np.zeros((30, 3), dtype=np.float32)
    nothing, all_ = np.empty(0, dtype=np.int64), np.arange(30)
    for selected in (nothing, all_):
        assert [len(found) for found in guard(X, selected)] == [0, 0]
    assert [len(found) for found in guard(X[:1], all_[:1])] == [0, 0]
    with pytest.raises(ProjectionError, match="position 30"):
        guard(X, np.array([3, 30]))
    with pytest.raises(ValueError, match="at least 1"):
        guard(X, all_, k=0)
