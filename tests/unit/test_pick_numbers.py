"""How many to pick, and the seed: whole numbers of at least 0; more than there are is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from alwidgets import strategies as st
from alwidgets.errors import FewerItemsWarning, StrategyError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(9, 2))
P = RNG.dirichlet(np.ones(3), 9)
POSTERIOR = RNG.dirichlet(np.ones(3), (4, 9))
SCORES = np.array([3.0, 1.0, 2.0, 5.0])
CODES = np.array([0, 1])
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "badge": lambda n, seed: st.badge(P, X, n, seed),
    "batch_bald": lambda n, seed: st.batch_bald(POSTERIOR, n, seed),
    "cluster_margin": lambda n, seed: st.cluster_margin(P, X, n, seed),
    "diverse": lambda n, seed: st.diverse(SCORES, np.ones((4, 2)), n, seed=seed),
    "falcun": lambda n, seed: st.falcun(P, n, seed),
    "galaxy": lambda n, seed: st.galaxy(P, None, CODES[:0], n, seed),
    "k_center": lambda n, seed: st.k_center(X, None, n, seed),
    "max_herding": lambda n, seed: st.max_herding(X, None, n, seed),
    "mismatch": lambda n, seed: st.mismatch_first_farthest(P, X, X[:2], CODES, n, seed),
    "prob_cover": lambda n, seed: st.prob_cover(X, None, n, seed, classes=2),
    "representative": lambda n, seed: st.representative(X, None, n, seed),
    "sample": lambda n, seed: st.sample(SCORES, n, seed=seed)[0],
    "top": lambda n, seed: st.top(SCORES, n, seed=seed),
    "typiclust": lambda n, seed: st.typiclust(X, None, n, seed),
    "uncertainty_herding": lambda n, seed: st.uncertainty_herding(X, np.ones(9), X[:2], n, seed),
}


@pytest.mark.parametrize("bad", [-1, 2.5, "3", None, float("nan")])
@pytest.mark.parametrize("name", CALLS)
def test_bad_numbers(name: str, bad: Any) -> None:
    with pytest.raises(StrategyError, match="n must be a whole number of at least 0"):
        CALLS[name](bad, 0)
    with pytest.raises(StrategyError, match="seed must be a whole number of at least 0"):
        CALLS[name](2, bad)


@pytest.mark.parametrize("name", CALLS)
def test_whole_numbers_of_numpy(name: str) -> None:
    assert len(CALLS[name](np.int64(2), np.uint32(3))) == 2


@pytest.mark.parametrize("name", CALLS)
def test_more_than_there_are_gives_what_is_left_and_says_so(name: str) -> None:
    with pytest.warns(FewerItemsWarning, match="100 items were asked for and . are left") as told:
        found = CALLS[name](100, 0)
    left = 4 if name in ("diverse", "sample", "top") else 9
    assert len(found) == left
    assert len(set(np.asarray(found).tolist())) == left
    # Once, at the line that asked.
    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(CALLS[name](left, 0)) == left
