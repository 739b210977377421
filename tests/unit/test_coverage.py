"""Cover by balls against the full graph."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from alwidgets.errors import StrategyError
from alwidgets.strategies import greedy
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.coverage import prob_cover, pure_radius

module = import_module("alwidgets.strategies.coverage")
Floats = NDArray[np.float64]


@pytest.fixture
def X() -> Floats:
    return np.random.default_rng(0).normal(size=(300, 3)) + 50


@pytest.mark.parametrize("stale", [1, 32])
@pytest.mark.parametrize("labelled", [0, 5])
def test_each_pick_covers_most(
    X: Floats, stale: int, labelled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greedy, "STALE", stale)
    monkeypatch.setattr(module, "BLOCK", 64)
    free, known = X[labelled:], X[:labelled]
    edge = cdist(free, free) < 0.7
    covered = (cdist(known, free) < 0.7).any(0)
    picks, scores = prob_cover(free, known, 120, 1, classes=4, delta=0.7, return_scores=True)
    np.testing.assert_array_equal(picks, prob_cover(free, known, 120, 1, classes=4, delta=0.7))
    left = []
    for pick, score in zip(picks, scores, strict=True):
        count = (edge & ~covered).sum(1)
        assert count[pick] == count.max() == score
        covered |= edge[pick]
        left.append((~covered).sum())
    # The last picks were made with everything covered: they are distinct all the same.
    assert left[-1] == 0
    assert left[60] > 0
    assert len(set(picks)) == 120


def test_the_radius_is_the_largest_that_is_pure_enough(X: Floats) -> None:
    h = torch.from_numpy(X)
    owner = kmeans(h, 4, 0)[1].numpy()
    away = cdist(X, X)

    def purity(delta: float) -> float:
        pure = [len(set(owner[away[i] < delta])) == 1 for i in range(len(X))]
        return float(np.mean(pure))

    delta = pure_radius(h, 4, 0)
    # In squares and back, a distance changes its last bit.
    assert purity(delta * (1 - 1e-9)) >= 0.95
    assert purity(delta * (1 + 1e-9)) < 0.95
    assert np.isinf(pure_radius(h, 1, 0))


def test_groups_are_covered_one_by_one() -> None:
    rng = np.random.default_rng(1)
    sizes = [60, 50, 40]
    X = np.concatenate(
        [rng.normal(c, 0.1, (s, 2)) for c, s in zip((0, 10, 20), sizes, strict=True)]
    )
    groups = np.repeat(np.arange(3), sizes)
    assert groups[prob_cover(X, None, 3, classes=3)].tolist() == [0, 1, 2]
    assert groups[prob_cover(X, X[:1], 2, classes=3)].tolist() == [1, 2]


def test_large_pools_are_sampled(X: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 50)
    for n in (10, 100, 300):
        picks, scores = prob_cover(X, None, n, classes=3, return_scores=True)
        assert len(set(picks)) == n
        # Of the sample.
        assert scores.sum() == 50 or n == 10
        assert (np.diff(scores) <= 0).all()


def test_bad_arguments(X: Floats) -> None:
    with pytest.raises(StrategyError, match="number above 0"):
        prob_cover(X, None, 3, classes=3, delta=0.0)
    with pytest.raises(StrategyError, match="at least 1"):
        prob_cover(X, None, 3, classes=0)
