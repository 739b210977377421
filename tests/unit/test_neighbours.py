"""Nearest neighbours against the definition, in blocks of every size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from alwidgets.errors import StrategyError
from alwidgets.strategies import neighbours
from alwidgets.strategies.neighbours import blocks, farthest_first, knn, nearest


@pytest.fixture(params=[neighbours.BLOCK, 1000, 1])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(neighbours, "BLOCK", request.param)
    return int(request.param)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_knn_is_exact(k: int, offset: float) -> None:
    rng = np.random.default_rng(k)
    X = rng.normal(size=(90, 7)).astype(np.float32) + np.float32(offset)
    to = rng.normal(size=(40, 7)).astype(np.float32) + np.float32(offset)
    truth = cdist(X.astype(np.float64), to.astype(np.float64), "sqeuclidean")
    gaps, rows = knn(torch.from_numpy(X), torch.from_numpy(to), k)
    order = np.argsort(truth, axis=1)[:, :k]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(gaps, np.take_along_axis(truth, order, axis=1), atol=2e-4)
    assert rows.dtype == torch.int64


@pytest.mark.usefixtures("block")
def test_the_nearest_is_the_first_of_k() -> None:
    rng = np.random.default_rng(0)
    X, to = torch.from_numpy(rng.normal(size=(50, 3))), torch.from_numpy(rng.normal(size=(20, 3)))
    gaps, rows = knn(X, to, 3)
    one = nearest(X, to)
    torch.testing.assert_close(gaps[:, 0], one[0])
    assert torch.equal(rows[:, 0], one[1])


def test_knn_at_the_edges() -> None:
    X, to = torch.ones(4, 3), torch.arange(6.0).reshape(2, 3)
    assert knn(X, to, 5)[1].shape == (4, 2)
    assert knn(X, to, 0)[0].shape == (4, 0)
    assert knn(X[:0], to, 2)[1].shape == (0, 2)
    assert knn(X, to[:0], 2)[1].shape == (4, 0)
    assert bool((knn(to, to, 1)[0] >= 0).all())
    with pytest.raises(StrategyError, match="3 and of 2 features"):
        knn(X, to[:, :2], 1)


def test_half_precision_is_converted() -> None:
    X = torch.from_numpy(np.random.default_rng(1).normal(size=(60, 5))).half()
    gaps, rows = knn(X, X[:30], 4)
    full = knn(X.float(), X[:30].float(), 4)
    assert gaps.dtype == torch.float32
    assert torch.equal(rows, full[1])
    assert torch.equal(nearest(X, X[:30].float())[1], nearest(X.float(), X[:30].float())[1])


def slow_farthest(X: np.ndarray, gap: np.ndarray, n: int) -> list[int]:
    """From the definition."""
    picked: list[int] = []
    for _ in range(n):
        picked.append(int(np.argmax(gap)))
        gap = np.minimum(gap, ((X - X[picked[-1]]) ** 2).sum(axis=1))
        gap[picked] = -1
    return picked


@pytest.mark.parametrize("short", [1, 3, 16, 1024])
@pytest.mark.parametrize("given_first", [True, False])
def test_farthest_first(short: int, given_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "SHORT", short)
    rng = np.random.default_rng(short)
    X = rng.normal(size=(70, 4))
    gap = ((X - 5) ** 2).sum(axis=1) if given_first else np.full(70, np.inf)
    among = torch.from_numpy(rng.permutation(70))
    found = farthest_first(torch.from_numpy(X), torch.from_numpy(gap)[among], 70, among).tolist()
    if not given_first:
        # Any row may come first; what follows is determined.
        gap = ((X - X[found[0]]) ** 2).sum(axis=1)
        gap[found[0]] = -1
        assert found[1:60] == slow_farthest(X, gap, 59)
    else:
        assert found[:60] == slow_farthest(X, gap, 60)
    assert sorted(found) == list(range(70))


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 40), n=st.integers(0, 50), kinds=st.integers(1, 3), short=st.integers(1, 9))
def test_farthest_first_with_duplicates(m: int, n: int, kinds: int, short: int) -> None:
    h = torch.arange(m).remainder(kinds).float()[:, None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "SHORT", short)
        rows = farthest_first(h, torch.full((m,), torch.inf), n, torch.arange(m))
    assert len(rows) == min(n, m) == len(rows.unique())
    assert len(h[rows[:kinds]].unique()) == min(n, m, kinds)


def test_blocks_name_the_bad_row() -> None:
    X = np.zeros((10, 2), np.float16)
    assert [start for start, _ in blocks(X, 4, "things")] == [0, 4, 8]
    assert next(blocks(X, 4, "things"))[1].dtype == torch.float32
    X[7, 1] = np.nan
    with pytest.raises(StrategyError, match="in the things, first in row 7"):
        list(blocks(X, 4, "things"))
    with pytest.raises(StrategyError, match="2 axes"):
        list(blocks(X[:, 0], 4, "things"))
