"""FAISS behind the neighbours: how often it finds the true ones, and when it is used."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import alwidgets as al
from alwidgets import exploring
from alwidgets.errors import AlwidgetsError, ProjectionError
from alwidgets.projection import approximate
from alwidgets.projection.approximate import FaissNeighbours
from alwidgets.projection.neighbours import ExactNeighbours, by_distance

pytest.importorskip("faiss", reason="faiss-cpu is not installed: pip install 'alwidgets[faiss]'")


def clusters(n: int, d: int, seed: int = 0) -> NDArray[np.float32]:
    """As embeddings lie: in clusters, on fewer directions than there are columns."""
    rng = np.random.default_rng(seed)
    inner = max(2, d // 4)
    centres, mix = rng.standard_normal((50, inner)), rng.standard_normal((inner, d))
    rows = centres[rng.integers(0, 50, n)] + 0.5 * rng.standard_normal((n, inner))
    return (rows @ mix + 0.05 * rng.standard_normal((n, d))).astype(np.float32)


@pytest.mark.parametrize(
    ("n", "d", "dtype"),
    [(12_000, 16, np.float32), (12_000, 14, np.float16), (3_000, 7, np.float32)],
)
def test_nearly_all_of_the_true_neighbours_are_found(n: int, d: int, dtype: Any) -> None:
    X, k = clusters(n, d).astype(dtype), 20
    V = X[:: n // 200].astype(np.float32)
    exact, _ = ExactNeighbours(X).search(V, k)
    positions, distances = FaissNeighbours(X).search(V, k)
    assert positions.dtype == np.int64
    assert distances.dtype == np.float32
    found = [len(np.intersect1d(a, b)) / k for a, b in zip(positions, exact, strict=True)]
    assert np.mean(found) > 0.95
    # An item is its own nearest, distances are the true ones and ascend.
    np.testing.assert_array_equal(positions[:, 0], np.arange(0, n, n // 200))
    expected = np.linalg.norm(X[positions].astype(float) - V[:, None].astype(float), axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-4)
    assert (np.diff(distances, axis=1) >= 0).all()
    assert all(len(set(row)) == k for row in positions.tolist())


def test_of_few_rows_all_are_found() -> None:
    for n in (1, 3, 100):
        X = clusters(n, 5)
        positions, _ = FaissNeighbours(X).search(X, 200)
        exact, _ = ExactNeighbours(X).search(X, 200)
        np.testing.assert_array_equal(positions, exact)


def test_more_than_the_cells_that_are_looked_into_hold_is_found_all_the_same() -> None:
    X = clusters(11_000, 6)
    found: Any = FaissNeighbours(X)
    found._index.nprobe = 1
    positions, _ = found.search(X[:5], 1_500)
    np.testing.assert_array_equal(positions, ExactNeighbours(X).search(X[:5], 1_500)[0])


def test_what_stands_twice_on_the_short_list_counts_once() -> None:
    X = np.arange(4, dtype=np.float32)[:, None]
    short = np.array([[3, 1, 3, 1, 0]])
    positions, distances = by_distance(X, X[:1], short, 3)
    assert positions.tolist() == [[0, 1, 3]]
    assert distances.tolist() == [[0, 1, 3]]


def test_bad_input_is_named() -> None:
    found = FaissNeighbours(clusters(11_000, 4))
    with pytest.raises(ProjectionError, match="shape"):
        found.search(np.zeros((1, 3), np.float32), 1)
    with pytest.raises(ProjectionError, match="NaN"):
        found.search(np.full((1, 4), np.nan, np.float32), 1)
    with pytest.raises(ValueError, match="at least 1"):
        found.search(np.zeros((1, 4), np.float32), 0)


def test_a_session_uses_it_when_asked_and_in_very_large_pools(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n = 11_000
    X = clusters(n, 8)
    pool = al.Pool.from_arrays(X, ids=range(n))
    session = al.Session(pool, al.Classification(["a", "b"]), executor=al.InlineExecutor())
    with pytest.raises(AlwidgetsError, match="other features"):
        session.neighbours = FaissNeighbours(X[:10])
    session.neighbours = FaissNeighbours(pool.features)
    assert isinstance(session.neighbours, FaissNeighbours)
    assert session.similar("7", n=3).index.tolist() == [
        str(i) for i in ExactNeighbours(X).search(X[7:8], 4)[0][0][1:]
    ]
    # What joins is not in it; the index is built anew in the background.
    monkeypatch.setattr(exploring, "WORTH_PREPARING", 1)
    monkeypatch.setattr(approximate, "MANY", 1)
    pool.extend(X[:1] + 9, ids=["new"])
    assert isinstance(session.neighbours, ExactNeighbours)
    session.prepare_neighbours()
    for thread in threading.enumerate():
        if thread.name == "alwidgets-neighbours":
            thread.join()
    assert isinstance(session.neighbours, FaissNeighbours)
    assert session.similar("new", n=n).index.nunique() == n
    session.close()
