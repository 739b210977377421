"""What all strategies that pick by the embedding have in common; core-set by brute force."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from alwidgets.errors import StrategyError
from alwidgets.strategies import diversity
from alwidgets.strategies.badge import badge
from alwidgets.strategies.clustering import FIT_ROWS, kmeans
from alwidgets.strategies.coverage import prob_cover
from alwidgets.strategies.diversity import k_center, representative
from alwidgets.strategies.herding import max_herding, uncertainty_herding
from alwidgets.strategies.typiclust import typiclust

Floats = NDArray[np.float64]


def doubt(X: Any) -> Any:
    """Probabilities that depend on the rows only."""
    logits = torch.as_tensor(np.asarray(X), dtype=torch.float32)[:, :2].nan_to_num()
    p = torch.softmax(logits.clamp(-3, 3), dim=1)
    return p if isinstance(X, torch.Tensor) else p.numpy()


PICKS: dict[str, Callable[[Any, Any, int, int], Any]] = {
    "k_center": k_center,
    "representative": representative,
    "typiclust": typiclust,
    "max_herding": max_herding,
    "uncertainty_herding": lambda X, known, n, seed: uncertainty_herding(
        X,
        1 - doubt(X).max(1) if isinstance(X, np.ndarray) else 1 - doubt(X).amax(1),
        known,
        n,
        seed,
    ),
    "prob_cover": lambda X, known, n, seed: prob_cover(X, known, n, seed, classes=3),
    "badge": lambda X, known, n, seed: badge(doubt(X), X, n, seed),
}
every = pytest.mark.parametrize("name", list(PICKS))


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@every
@settings(max_examples=25, deadline=None)
@given(
    m=st.integers(0, 40),
    copies=st.integers(1, 40),
    labelled=st.integers(0, 5),
    n=st.integers(0, 50),
    scale=st.sampled_from([0.0, 1e-3, 1.0, 1e4]),
    seed=st.integers(0, 1000),
    kind=st.sampled_from([np.float16, np.float32, np.float64]),
)
def test_distinct_rows_whatever_is_given(
    name: str, m: int, copies: int, labelled: int, n: int, scale: float, seed: int, kind: Any
) -> None:
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(m, 4))[rng.integers(0, min(copies, max(m, 1)), m)] * scale).astype(kind)
    known = (rng.normal(size=(labelled, 4)) * scale).astype(kind)
    before = X.copy()
    picks = PICKS[name](X, known, n, seed)
    assert isinstance(picks, np.ndarray)
    assert picks.dtype == np.int64
    assert len(set(picks.tolist())) == len(picks) == min(n, m)
    assert all(0 <= row < m for row in picks)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(picks, PICKS[name](X, known, n, seed))
    made = PICKS[name](torch.from_numpy(X), torch.from_numpy(known), n, seed)
    assert isinstance(made, torch.Tensor)
    np.testing.assert_array_equal(picks, made.numpy())


@every
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_bad_rows_are_named(name: str, bad: float, kind: Any) -> None:
    # More than one block.
    X = np.random.default_rng(0).normal(size=(9000, 300)).astype(kind)
    X[8500, 2] = bad
    with pytest.raises(StrategyError, match="embedding, first in row 8500"):
        PICKS[name](X, None, 3, 0)


@every
def test_labelled_items_are_checked(name: str) -> None:
    if name == "badge":
        return
    X = np.random.default_rng(0).normal(size=(20, 3))
    known = X[:6].copy()
    known[4, 1] = np.nan
    with pytest.raises(StrategyError, match="labelled embedding, first in row 4"):
        PICKS[name](X, known, 3, 0)
    with pytest.raises(StrategyError, match="3 columns but labelled items 2"):
        PICKS[name](X, X[:6, :2], 3, 0)
    with pytest.raises(StrategyError, match="axes"):
        PICKS[name](X[..., None], None, 3, 0)


@every
@pytest.mark.parametrize("value", [1e19, 1e25, 3e38])
def test_rows_too_large_to_square_are_named(name: str, value: float) -> None:
    X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    X[7, 2] = value
    for seed in range(3):
        with pytest.raises(StrategyError, match="Row 7 of the embedding is too large to square"):
            PICKS[name](X, X[:3], 5, seed)
    if name != "badge":
        with pytest.raises(StrategyError, match="Row 7 of the labelled embedding is too large"):
            PICKS[name](X[8:], X[:8], 5, 0)
    # In double precision it is nothing special.
    assert len(PICKS[name](X.astype(np.float64), None, 5, 0)) == 5


@every
@pytest.mark.parametrize("labelled", [0, 3])
def test_picks_do_not_depend_on_the_scale(name: str, labelled: int) -> None:
    X = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    # A power of two, so that the digits stay the same: some 1e17.
    large = X * np.float32(2**57)
    known = slice(0, labelled)
    one = PICKS[name](X, X[known], 20, 0)
    if name in ("badge", "uncertainty_herding"):
        # Their probabilities are made from the rows.
        assert len(set(PICKS[name](large, large[known], 20, 0).tolist())) == 20
    else:
        np.testing.assert_array_equal(PICKS[name](large, large[known], 20, 0), one)


SCORED: dict[str, Callable[..., Any]] = {
    "k_center": k_center,
    "representative": representative,
    "typiclust": typiclust,
    "prob_cover": partial(prob_cover, classes=3),
    "badge": lambda X, known, n, **more: badge(doubt(X), X, n, **more),
}


@pytest.mark.parametrize("name", list(SCORED))
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 12, 60])
def test_scores_come_with_the_same_picks(name: str, kind: Any, n: int) -> None:
    X = np.random.default_rng(0).normal(size=(50, 4))[np.arange(60) % 50].astype(kind)
    picks = SCORED[name](X, None, n)
    again, scores = SCORED[name](X, None, n, return_scores=True)
    np.testing.assert_array_equal(again, picks)
    assert isinstance(scores, np.ndarray)
    assert scores.dtype == (np.float64 if kind == np.float64 else np.float32)
    assert scores.shape == (n,)
    tensors, more = SCORED[name](torch.from_numpy(X), None, n, return_scores=True)
    assert isinstance(more, torch.Tensor)
    np.testing.assert_array_equal(tensors, picks)
    np.testing.assert_array_equal(more, scores)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
@pytest.mark.parametrize("name", list(SCORED))
def test_lists_and_data_frames(name: str, make: Any) -> None:
    X = np.random.default_rng(0).normal(size=(50, 4))
    if name == "badge":
        p = doubt(X)
        picks = badge(make(p.tolist()), make(X.tolist()), 9)
        np.testing.assert_array_equal(picks, badge(p.astype(np.float64), X, 9))
        return
    picks = SCORED[name](make(X[5:].tolist()), make(X[:5].tolist()), 9)
    np.testing.assert_array_equal(picks, SCORED[name](X[5:], X[:5], 9))


@every
def test_equal_items_are_a_fair_draw(name: str) -> None:
    X = np.zeros((30, 3))
    assert len({int(PICKS[name](X, X[:2], 1, seed)[0]) for seed in range(20)}) > 6


def farthest_first(X: Floats, known: Floats, n: int, first: int | None) -> list[int]:
    gap = np.full(len(X), np.inf)
    for row in known:
        gap = np.minimum(gap, np.square(X - row).sum(1))
    picked: list[int] = []
    for _ in range(n):
        row = first if first is not None and not picked else int(gap.argmax())
        picked.append(row)
        gap = np.minimum(gap, np.square(X - X[row]).sum(1))
        gap[picked] = -1
    return picked


@pytest.mark.parametrize("sizes", [None, (16, 4, 8, 4, 3), (64, 32, 64, 64, 64), (2, 1, 1, 1, 1)])
@pytest.mark.parametrize("labelled", [0, 1, 40])
@pytest.mark.parametrize("groups", [1, 12])
def test_k_center_is_greedy(
    sizes: tuple[int, ...] | None, labelled: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows are kept up to date."""
    if sizes:
        for name, size in zip(("FRONT", "KEPT", "LATE", "ADDED", "FIRST"), sizes, strict=True):
            monkeypatch.setattr(diversity, name, size)
    rng = np.random.default_rng(labelled)
    X = rng.normal(size=(groups, 6))[rng.integers(0, groups, 800)] * 5 + 100
    X += rng.normal(size=X.shape)
    known, free = X[:labelled], X[labelled:]
    picks = k_center(free, known, 80, 0).tolist()
    assert picks == farthest_first(free, known, 80, None if labelled else picks[0])


@pytest.mark.parametrize("labelled", [0, 1, 100])
def test_k_center_scores_are_distances(labelled: int) -> None:
    X = np.random.default_rng(0).normal(size=(900, 5)) + 20
    free, known = X[labelled:], X[:labelled]
    picks, scores = k_center(free, known, 50, 0, return_scores=True)
    before = [np.concatenate([known, free[picks[:place]]]) for place in range(50)]
    truth = [
        cdist(free[row : row + 1], at).min() if len(at) else np.nan
        for row, at in zip(picks, before, strict=True)
    ]
    np.testing.assert_allclose(scores, truth, rtol=1e-9)
    assert np.isnan(scores[0]) == (labelled == 0)


def test_k_center_in_single_precision_far_from_the_origin() -> None:
    X = (np.random.default_rng(0).normal(size=(2000, 8)) + 300).astype(np.float32)
    picks = k_center(X[1:], X[:1], 60, 0).tolist()
    assert picks == farthest_first(X[1:].astype(np.float64), X[:1].astype(np.float64), 60, None)


def test_representative_covers_every_group() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(6, 4)) * 20
    X = np.concatenate([c + rng.normal(size=(30, 4)) for c in centres])
    groups = np.repeat(np.arange(6), 30)
    picks = representative(X, None, 6, 0)
    assert set(groups[picks]) == set(range(6))
    # What is labelled is not asked for again.
    more = representative(X, X[groups < 3][::10], 3, 0)
    assert set(groups[more]) <= {3, 4, 5}


def test_representative_scores_are_nearness_to_the_centroid() -> None:
    rng = np.random.default_rng(1)
    X = np.concatenate([c + rng.normal(size=(30, 4)) for c in rng.normal(size=(6, 4)) * 20])
    # One is alone, far from all.
    X = np.concatenate([X, np.full((1, 4), 500.0)])
    picks, scores = representative(X, None, 7, 0, return_scores=True)
    rows = np.random.default_rng(0).permutation(len(X))
    centres, owner = kmeans(torch.from_numpy(X[rows]), 7, 0)
    place = np.argsort(rows)[picks]
    away = np.linalg.norm(X[picks] - centres[owner[place]].numpy(), axis=1)
    away[np.bincount(owner, minlength=7)[owner[place]] == 1] = np.nan
    np.testing.assert_allclose(1 / scores, away, rtol=1e-6)
    assert np.isnan(scores[picks == 180]).tolist() == [True]


def test_kmeans_finds_the_groups() -> None:
    rng = np.random.default_rng(0)
    X = torch.from_numpy(np.concatenate([rng.normal(c, 0.1, (20, 2)) for c in (0, 5, 10)]))
    centres, owner = kmeans(X, 3, seed=0)
    assert len(set(owner[:20].tolist())) == 1
    np.testing.assert_allclose(np.sort(centres[:, 0].numpy()), [0, 5, 10], atol=0.2)


def test_kmeans_is_as_good_as_a_peer() -> None:
    from sklearn.cluster import KMeans

    generator = torch.Generator().manual_seed(0)
    X = torch.randn(40, 16, generator=generator)[torch.arange(3000) % 40] * 2
    X = X + torch.randn(X.shape, generator=generator)
    peer = KMeans(60, n_init=1, random_state=0).fit(X.numpy()).inertia_
    for seed in range(3):
        centres, owner = kmeans(X, 60, seed)
        assert float((X - centres[owner]).square().sum()) < 1.05 * peer
        # Everyone belongs to the nearest.
        np.testing.assert_array_equal(owner, torch.cdist(X, centres).argmin(dim=1))


def test_kmeans_on_a_sample_gives_every_row_an_owner() -> None:
    X = torch.randn(FIT_ROWS + 5000, 2, generator=torch.Generator().manual_seed(0))
    centres, owner = kmeans(X, 5, seed=1)
    assert len(owner) == len(X)
    assert (torch.cdist(X, centres).argmin(dim=1) == owner).float().mean() > 0.9999


@pytest.mark.parametrize("k", [1, 3, 8])
def test_kmeans_of_copies(k: int) -> None:
    X = torch.zeros(8, 2)
    X[:3] = 7.0
    centres, owner = kmeans(X, k, seed=0)
    np.testing.assert_allclose(centres[owner] if k > 1 else X, X)
    assert centres.shape == (k, 2)
