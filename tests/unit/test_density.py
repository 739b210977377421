"""Density against its definition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from alwidgets.errors import StrategyError
from alwidgets.strategies import _blocks
from alwidgets.strategies.density import density, density_weighted

Floats = NDArray[np.float64]


@pytest.fixture
def X() -> Floats:
    return np.random.default_rng(0).normal(0.3, 1, size=(120, 6))


@pytest.mark.parametrize("block", [_blocks.BLOCK, 50, 1])
def test_as_defined(X: Floats, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", block)
    truth = (1 + cosine_similarity(X, X[:70])).mean(axis=1) / 2
    np.testing.assert_allclose(density(X, X[:70]), truth, rtol=1e-9)
    single = density(X.astype(np.float32), X[:70].astype(np.float32))
    np.testing.assert_allclose(single, truth, rtol=1e-5)


def test_typical_items_score_higher(X: Floats) -> None:
    crowd = np.random.default_rng(1).normal([5, 0, 0], 0.5, size=(200, 3))
    outlier = np.array([[-5.0, 1.0, 0.0]])
    scores = density(np.concatenate([crowd, outlier]), crowd)
    assert scores[-1] < 0.1 < 0.9 < scores[:-1].min()


def test_a_sample_stands_for_the_pool() -> None:
    X = np.random.default_rng(2).normal(0.2, 1, size=(20_000, 10))
    part = X[np.random.default_rng(3).permutation(len(X))[:2000]]
    assert np.abs(density(X, part) - density(X, X)).max() < 0.03


def test_in_zero_to_one_at_the_extremes() -> None:
    X = np.array([[1e-15, 0], [-1e15, 0], [0, 0], [1, 0]], np.float32)
    np.testing.assert_allclose(density(X, X[3:]), [1, 0, 0.5, 1], atol=1e-6)
    assert density(X[:0], X).shape == (0,)


def test_tensors_and_half_precision(X: Floats) -> None:
    whole = density(X, X)
    tensor = density(torch.from_numpy(X), torch.from_numpy(X))
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(tensor, whole)
    np.testing.assert_allclose(
        density(X.astype(np.float16), X.astype(np.float16)), whole, atol=1e-3
    )
    cut = np.concatenate([density(X[:50], X), density(X[50:], X)])
    np.testing.assert_allclose(cut, whole, rtol=1e-12)


def test_errors(X: Floats) -> None:
    with pytest.raises(StrategyError, match="reference of at least one item"):
        density(X, X[:0])
    with pytest.raises(StrategyError, match="6 features for the candidates, 5"):
        density(X, X[:, :5])
    bad = X.copy()
    bad[4, 1] = np.nan
    with pytest.raises(StrategyError, match="embedding, first in row 4"):
        density(bad, X)
    with pytest.raises(StrategyError, match="reference, first in row 4"):
        density(X, bad)


def test_weighted() -> None:
    u, d = np.array([0.5, 1.0, 0.0]), np.array([0.25, 0.5, 1.0])
    np.testing.assert_allclose(density_weighted(u, d), [0.125, 0.5, 0])
    np.testing.assert_allclose(density_weighted(u, d, beta=0.5), [0.25, np.sqrt(0.5), 0])
    np.testing.assert_array_equal(density_weighted(u, d, beta=0), u)
    tensor = density_weighted(torch.from_numpy(u), torch.from_numpy(d))
    assert isinstance(tensor, torch.Tensor)
    with pytest.raises(StrategyError, match="density of row 1 is negative"):
        density_weighted(u, np.array([1.0, -0.1, 1.0]))
    with pytest.raises(StrategyError, match="uncertainty of row 0 is negative"):
        density_weighted(-u, d)
    with pytest.raises(StrategyError, match="3 uncertainties but 2"):
        density_weighted(u, d[:2])
    with pytest.raises(StrategyError, match="beta"):
        density_weighted(u, d, beta=-1)
    with pytest.raises(StrategyError, match="row 2"):
        density_weighted(np.array([0.1, 0.2, np.nan]), d)


def test_lists_and_tables(X: Floats) -> None:
    truth = density(X, X[:70])
    np.testing.assert_array_equal(density(X.tolist(), X[:70].tolist()), truth)
    np.testing.assert_allclose(density(pd.DataFrame(X), pd.DataFrame(X[:70])), truth, rtol=1e-12)
    with pytest.raises(StrategyError, match="embedding must be an array of real numbers"):
        density([["a", "b"]], X)
    with pytest.raises(StrategyError, match="two axes"):
        density(X[0], X)


@pytest.mark.parametrize("size", [1e25, 3e38])
def test_too_large_to_square(X: Floats, size: float) -> None:
    X32 = X.astype(np.float32)
    large = X32.copy()
    large[7] = size
    with pytest.raises(StrategyError, match="Row 7 of the embedding is too large to square"):
        density(large, X32)
    with pytest.raises(StrategyError, match="Row 7 of the reference is too large to square"):
        density(X32, large)
    with pytest.raises(StrategyError, match="Row 7 of the reference is too large to square"):
        density(large, large)
    # Double precision holds these squares.
    assert np.isfinite(density(large.astype(np.float64), X)).all()
