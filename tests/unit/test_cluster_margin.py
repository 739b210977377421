"""Cluster-Margin: which candidates, and in which order of clusters."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alwidgets.errors import StrategyError
from alwidgets.strategies.cluster_margin import cluster_margin
from alwidgets.strategies.uncertainty import margin

# The package has a function of this name.
module = import_module("alwidgets.strategies.cluster_margin")


def blobs(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Far apart; which blob each row belongs to."""
    rng = np.random.default_rng(seed)
    blob = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return np.eye(len(sizes))[blob] * 100 + rng.normal(size=(len(blob), len(sizes))), blob


def unsure(m: int, seed: int = 0) -> np.ndarray:
    p = np.random.default_rng(seed).uniform(0, 1, size=m)
    return np.stack([p, 1 - p], axis=1)


@pytest.mark.parametrize("bound", [module.BOUND, 0], ids=["average linkage", "k-means"])
def test_smallest_cluster_first_then_round_robin(
    bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BOUND", bound)
    h, blob = blobs([30, 2, 5, 13])
    picked = cluster_margin(np.full((50, 2), 0.5), h, 5)
    # Five clusters of four blobs: one blob is cut in two.
    assert set(blob[picked]) == {0, 1, 2, 3}
    assert blob[picked[0]] in (1, 0)
    h, blob = blobs([20, 5, 15])
    np.testing.assert_array_equal(blob[cluster_margin(np.full((40, 2), 0.5), h, 3)], [1, 2, 0])


def test_only_the_least_sure_are_looked_at() -> None:
    p = unsure(1000)
    h = np.random.default_rng(1).normal(size=(1000, 4))
    picked = cluster_margin(p, h, 20)
    assert set(picked) <= set(np.argsort(-margin(p))[:200])
    assert len(set(picked)) == 20


def test_scores_are_margins() -> None:
    p, h = unsure(500), np.random.default_rng(2).normal(size=(500, 3))
    picks, scores = cluster_margin(p, h, 20, return_scores=True)
    np.testing.assert_array_equal(picks, cluster_margin(p, h, 20))
    np.testing.assert_allclose(scores, 1 - np.abs(p[picks, 0] - p[picks, 1]), rtol=1e-12)


@pytest.mark.parametrize("bound", [module.BOUND, 0], ids=["average linkage", "k-means"])
@pytest.mark.parametrize("offset", [1000, 3000])
def test_far_from_the_origin(offset: int, bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BOUND", bound)
    h = (np.random.default_rng(0).normal(size=(600, 4)) + offset).astype(np.float32)
    p = unsure(600)
    precise = cluster_margin(p, h.astype(np.float64) - offset, 30)
    np.testing.assert_array_equal(cluster_margin(p, h, 30), precise)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
def test_lists_and_data_frames(make: Any) -> None:
    p, h = unsure(80), np.random.default_rng(2).normal(size=(80, 3))
    picks, scores = cluster_margin(make(p.tolist()), make(h.tolist()), 9, return_scores=True)
    np.testing.assert_array_equal(picks, cluster_margin(p, h, 9))
    assert isinstance(scores, np.ndarray)


def test_more_diverse_than_the_least_sure_alone() -> None:
    h, blob = blobs([300, 300, 300, 100])
    p = unsure(1000)
    # The least sure are all of one blob.
    p[blob == 0] = 0.5 + (p[blob == 0] - 0.5) * 0.01
    p[blob != 0] = 0.5 + (p[blob != 0] - 0.5) * 0.02
    assert len(set(blob[cluster_margin(p, h, 50)])) == 4


@pytest.mark.parametrize("tensor", [False, True])
def test_seeds_ties_and_kinds(tensor: bool) -> None:
    p, h = np.full((400, 3), 1 / 3), np.zeros((400, 2))
    given_ = (torch.from_numpy(p), torch.from_numpy(h).half()) if tensor else (p, h)
    first, again, other = (cluster_margin(*given_, 10, seed=seed) for seed in (0, 0, 1))
    assert isinstance(first, torch.Tensor) == tensor
    np.testing.assert_array_equal(first, again)
    assert set(np.asarray(first).tolist()) != set(np.asarray(other).tolist())


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(max_examples=40, deadline=None)
@given(m=st.integers(0, 60), n=st.integers(0, 70), kinds=st.integers(1, 4))
def test_as_many_as_there_are(m: int, n: int, kinds: int) -> None:
    picked = cluster_margin(unsure(m), np.arange(m)[:, None] % kinds * 1.0, n)
    assert picked.dtype == np.int64
    assert len(set(picked.tolist())) == len(picked) == min(m, n)


def test_errors() -> None:
    p, h = unsure(8), np.zeros((8, 3))
    h[5, 0] = np.inf
    with pytest.raises(StrategyError, match="embedding, first in row 5"):
        cluster_margin(p, h, 2)
    h[5, 0] = 1e160
    with pytest.raises(StrategyError, match="Row 5 of the embedding is too large to square"):
        cluster_margin(p, h, 2)
    with pytest.raises(StrategyError, match="8 probabilities but"):
        cluster_margin(p, h[1:], 2)
    p[3] = np.nan
    with pytest.raises(StrategyError, match="row 3"):
        cluster_margin(p, np.zeros((8, 3)), 2)
