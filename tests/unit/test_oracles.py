"""Picks against independent implementations of the same definitions."""

from __future__ import annotations

import numpy as np
import pytest
from skactiveml.pool import k_greedy_center

from alwidgets.strategies.diversity import k_center


@pytest.mark.parametrize("labelled", [1, 7])
@pytest.mark.parametrize(("m", "n"), [(80, 10), (1000, 60)])
def test_k_center(labelled: int, m: int, n: int) -> None:
    X = np.random.default_rng(labelled).normal(size=(m, 5))
    known = np.zeros(len(X), dtype=bool)
    known[:labelled] = True
    free = np.flatnonzero(~known)
    ours = free[k_center(X[free], X[known], n)]
    peer, _ = k_greedy_center(X, np.where(known, 0.0, np.nan), batch_size=n, random_state=0)
    np.testing.assert_array_equal(ours, peer)
