"""Greedy cover against brute force."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies import greedy
from alwidgets.strategies.herding import max_herding, uncertainty_herding
from alwidgets.strategies.selection import sample

module = import_module("alwidgets.strategies.herding")
Floats = NDArray[np.float64]


def check(picks: NDArray[np.int64], X: Floats, u: Floats, known: Floats) -> None:
    """Each pick has the largest gain; by symmetry two items can have the same."""
    gaps = np.linalg.norm(known[:, None] - known[None], axis=2)
    # torch's median is the lower of the two in the middle.
    width = 0.5 * np.sort(np.where(gaps > 0, gaps, np.inf).min(1))[(len(known) - 1) // 2]

    def k(a: Floats, b: Floats) -> Floats:
        return np.exp(-np.square(np.linalg.norm(a[:, None] - b[None], axis=2)) / (2 * width**2))

    for draw, pick in enumerate(picks):
        settled = k(X, np.concatenate([known, X[picks[:draw]]])).max(1)
        gain = (u[:, None] * np.maximum(0, k(X, X) - settled[:, None])).sum(0)
        gain[picks[:draw]] = -1
        np.testing.assert_allclose(gain[pick], gain.max(), rtol=1e-6)


@pytest.mark.parametrize("stale", [1, 4, 32])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_by_brute_force(stale: int, offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greedy, "STALE", stale)
    rng = np.random.default_rng(3)
    X, u, known = rng.normal(size=(40, 3)) + offset, rng.random(40), rng.normal(size=(6, 3))
    known = known + offset
    check(uncertainty_herding(X, u, known, 12, 0), X, u, known)
    check(max_herding(X, known, 12, 0), X, np.ones(40), known)


def test_goes_where_the_doubt_is() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 0.3, (50, 2)), rng.normal(5, 0.3, (50, 2))])
    known = np.array([[0.0, 0.0], [0.5, 0.5], [5.0, 5.0], [5.5, 5.5]])
    picks = uncertainty_herding(X, np.r_[np.zeros(50), np.ones(50)], known, 10, 0)
    assert np.all(picks >= 50)


def test_groups_without_a_label_first() -> None:
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.normal(c, 0.1, (40, 2)) for c in (0, 5, 10, 15)])
    # Half as wide as these two are apart.
    known = np.array([[0.0, 0.0], [5.0, 5.0]])
    assert set(max_herding(X, known, 2, 0) // 40) == {2, 3}


def test_pools_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND", 60)
    rng = np.random.default_rng(2)
    X, u = rng.normal(size=(500, 3)), rng.random(500)
    # The most uncertain are looked at.
    u[123] = 1000.0
    X[123] = 20.0
    for seed in range(5):
        assert 123 in uncertainty_herding(X, u, X[:5] + 1, 60, seed)
    for n in (10, 100, 500):
        assert len(set(max_herding(X, None, n, 0))) == n
        assert len(set(uncertainty_herding(X, u, None, n, 0))) == n


def test_bad_uncertainties() -> None:
    X = np.random.default_rng(0).normal(size=(5, 2))
    with pytest.raises(StrategyError, match="5 candidates but 4"):
        uncertainty_herding(X, np.ones(4), None, 2)
    with pytest.raises(StrategyError, match="row 3 is negative"):
        uncertainty_herding(X, np.array([1, 1, 1, -1.0, 1]), None, 2)
    with pytest.raises(StrategyError, match="uncertainty, first in row 2"):
        uncertainty_herding(X, np.array([1, 1, np.nan, 1.0, 1]), None, 2)


def test_a_shortlist_is_drawn_by_how_hard_its_items_are() -> None:
    rng = np.random.default_rng(2)
    X, u = rng.normal(size=(60, 3)), rng.permutation(60) / 60
    known = rng.normal(size=(5, 3))
    picked = np.zeros(60)
    for seed in range(200):
        picks = uncertainty_herding(X, u, known, 4, seed, shortlist=10)
        drawn, _ = sample(u, 10, beta=4.0, floor=0.0, seed=seed)
        assert set(picks) <= set(drawn)
        picked[picks] += 1
    hard = u > 0.5
    assert picked[hard].sum() > 5 * picked[~hard].sum()
    # But an easy item has its chance, and among the drawn ones it is the cover that counts.
    assert picked[~hard].sum() > 0
    assert (picked[np.argsort(-u)[:4]] < 200).all()
    assert len(set(uncertainty_herding(X, u, known, 12, 0, shortlist=10))) == 12
    with pytest.raises(StrategyError, match="shortlist must be at least 1"):
        uncertainty_herding(X, u, known, 4, 0, shortlist=0)


def cover(X: Floats, u: Floats, known: Floats, width: float) -> float:
    """Mean similarity, weighted by the doubt, to the nearest of ``known``."""
    squares = np.square(X[:, None] - known[None]).sum(2)
    return float((u * np.exp(-squares / (2 * width**2)).max(1)).mean())


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_scores_add_up_to_the_cover(dtype: Any) -> None:
    rng = np.random.default_rng(4)
    X, known = rng.normal(size=(50, 3)).astype(dtype), rng.normal(size=(6, 3)).astype(dtype)
    u = rng.random(50)
    gaps = np.linalg.norm(known[:, None].astype(float) - known[None], axis=2)
    width = 0.5 * np.sort(np.where(gaps > 0, gaps, np.inf).min(1))[2]
    for doubt, (picks, gains) in (
        (u, uncertainty_herding(X, u, known, 12, 3, return_scores=True)),
        (np.ones(50), max_herding(X, known, 12, 3, return_scores=True)),
    ):
        values = [
            cover(X.astype(float), doubt, np.concatenate([known, X[picks[:draw]]]), width)
            for draw in range(13)
        ]
        np.testing.assert_allclose(gains, np.diff(values), atol=1e-5)
        assert (np.diff(gains) <= 1e-6).all()
    plain = uncertainty_herding(X, u, known, 12, 3)
    np.testing.assert_array_equal(
        plain, uncertainty_herding(X, u, known, 12, 3, return_scores=True)[0]
    )


def test_no_scores_for_what_fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND", 20)
    X = np.random.default_rng(0).normal(size=(60, 2))
    _, gains = max_herding(X, None, 30, return_scores=True)
    assert np.isfinite(gains[:20]).all()
    assert np.isnan(gains[20:]).all()
    picks, gains = max_herding(torch.from_numpy(X), None, 4, return_scores=True)
    assert isinstance(picks, torch.Tensor)
    assert isinstance(gains, torch.Tensor)
    picks, gains = max_herding(X, None, 0, return_scores=True)
    assert len(picks) == len(gains) == 0


ITEMS = np.random.default_rng(0).normal(size=(9, 2))
