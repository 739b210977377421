"""Mismatch-first farthest traversal against a slow version written from its definition."""

from __future__ import annotations

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
from alwidgets.strategies.mismatch import mismatch_first_farthest

Floats = NDArray[np.float64]


def case(m: int, labelled: int, seed: int = 0) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(m + labelled, 5))
    return rng.dirichlet(np.ones(3), size=m), h[:m], h[m:], rng.integers(0, 3, labelled)


def by_definition(
    p: Floats, h: Floats, known: Floats, labels: NDArray[np.int64], n: int
) -> tuple[list[int], list[float]]:
    distance = cdist(h, known)
    differs = p.argmax(axis=1) != labels[distance.argmin(axis=1)]
    gap = distance.min(axis=1)
    picked: list[int] = []
    scores: list[float] = []
    while len(picked) < min(n, len(h)):
        for group in (differs, ~differs):
            free = [row for row in np.flatnonzero(group) if row not in picked]
            if free:
                picked.append(max(free, key=lambda row: gap[row]))
                scores.append(float(gap[picked[-1]]))
                gap = np.minimum(gap, cdist(h, h[picked[-1:]])[:, 0])
                break
    return [int(row) for row in picked], scores


@pytest.mark.parametrize("labelled", [1, 20])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_as_defined(labelled: int, dtype: type) -> None:
    p, h, known, labels = case(80, labelled)
    given = p.astype(dtype), h.astype(dtype), known.astype(dtype), labels, 80
    truth, distances = by_definition(p, h, known, labels, 80)
    np.testing.assert_array_equal(mismatch_first_farthest(*given), truth)
    ours, scores = mismatch_first_farthest(*given, return_scores=True)
    np.testing.assert_array_equal(ours, truth)
    np.testing.assert_allclose(scores, distances, rtol=1e-4)


@pytest.mark.parametrize("labelled", [1, 20])
@pytest.mark.parametrize("offset", [1000, 3000])
def test_in_single_precision_far_from_the_origin(offset: int, labelled: int) -> None:
    rng = np.random.default_rng(offset)
    X = (rng.normal(size=(400, 4)) + offset).astype(np.float32)
    h, known = X[labelled:], X[:labelled]
    p, labels = rng.dirichlet(np.ones(3), size=len(h)), rng.integers(0, 3, labelled)
    truth, distances = by_definition(p, h.astype(float), known.astype(float), labels, 200)
    ours, scores = mismatch_first_farthest(p, h, known, labels, 200, return_scores=True)
    np.testing.assert_array_equal(ours, truth)
    np.testing.assert_allclose(scores, distances, rtol=1e-4)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
def test_lists_and_data_frames(make: Any) -> None:
    p, h, known, labels = case(40, 5)
    ours = mismatch_first_farthest(
        make(p.tolist()), make(h.tolist()), make(known.tolist()), labels.tolist(), 9
    )
    np.testing.assert_array_equal(ours, mismatch_first_farthest(p, h, known, labels, 9))


def test_no_labels_at_all() -> None:
    p, h, _, _ = case(60, 0)
    for nothing in (None, h[:0]):
        rows, scores = mismatch_first_farthest(
            p, h, nothing, np.empty(0, np.int64), 20, return_scores=True
        )
        # At first there is nothing to be far from.
        np.testing.assert_array_equal(np.isnan(scores), np.arange(20) == 0)
        assert len(set(rows.tolist())) == 20
        # Farthest from the first: the second is determined.
        assert rows[1] == cdist(h, h[rows[:1]])[:, 0].argmax()
    firsts = {
        int(mismatch_first_farthest(p, h, None, np.empty(0, np.int64), 1, seed=s)[0])
        for s in range(10)
    }
    assert len(firsts) > 3


def test_ties_kinds_and_half_precision() -> None:
    p, h, known, labels = case(60, 10)
    whole = mismatch_first_farthest(p, h, known, labels, 30)
    tensor = mismatch_first_farthest(
        torch.from_numpy(p),
        torch.from_numpy(h),
        torch.from_numpy(known),
        torch.from_numpy(labels),
        30,
    )
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(tensor, whole)
    half = mismatch_first_farthest(p, h.astype(np.float16), known.astype(np.float16), labels, 60)
    assert sorted(half.tolist()) == list(range(60))
    same = np.zeros((60, 5))
    picks = [mismatch_first_farthest(p, same, known, labels, 5, seed=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(picks[0], picks[1])
    assert (picks[0] != picks[2]).any()


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(max_examples=40, deadline=None)
@given(
    m=st.integers(0, 30), n=st.integers(0, 40), labelled=st.integers(0, 4), kinds=st.integers(1, 3)
)
def test_as_many_as_there_are(m: int, n: int, labelled: int, kinds: int) -> None:
    p, h, known, labels = case(m, labelled)
    h = np.repeat(h[:kinds], m, axis=0)[:m]
    rows = mismatch_first_farthest(p, h, known, labels, n)
    assert rows.dtype == np.int64
    assert len(set(rows.tolist())) == len(rows) == min(m, n)


def test_errors() -> None:
    p, h, known, labels = case(10, 4)
    with pytest.raises(StrategyError, match="4 labelled items but 3 labels"):
        mismatch_first_farthest(p, h, known, labels[1:], 2)
    with pytest.raises(StrategyError, match="10 probabilities but"):
        mismatch_first_farthest(p, h[1:], known, labels, 2)
    with pytest.raises(StrategyError, match="5 columns but labelled items 2"):
        mismatch_first_farthest(p, h, known[:, :2], labels, 2)
    h[7] = np.nan
    with pytest.raises(StrategyError, match="embedding, first in row 7"):
        mismatch_first_farthest(p, h, known, labels, 2)
