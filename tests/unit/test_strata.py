"""An audit by strata, for classes that are rare."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import allocate, lure, strata, stratified
from tests.bench.estimates import rare


def test_the_sum_of_the_strata() -> None:
    losses = [0, 0, 0, 1, 1, 0, 1, 1]
    at = [0, 0, 0, 0, 1, 1, 2, 2]
    found = stratified(losses, at, sizes=[700, 200, 100])
    assert found.value == pytest.approx(0.7 / 4 + 0.2 / 2 + 0.1)
    assert found.low < found.value < found.high
    assert found.n == 8
    assert "3 strata" in found.method


def test_one_stratum_is_a_uniform_audit() -> None:
    losses = [1.0, 0.0, 0.0, 0.0] * 20
    found = stratified(losses, [0] * 80, sizes=[400])
    alone = lure(losses, 1 / (400 - np.arange(80)), 400)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=0.002)
    everything = stratified([1, 0, 0, 0], [0, 0, 0, 0], sizes=[4])
    assert (everything.low, everything.high) == (0.25, 0.25)


def test_unbiased_covers_and_says_more_than_a_uniform_audit() -> None:
    """A class of 1 %, 200 draws; the mean of many pools."""
    found = [rare(seed) for seed in range(100)]
    mean = {name: float(np.mean([row[name] for row in found])) for name in found[0]}
    assert 0.92 <= mean["strata held"] <= 1
    assert mean["strata width"] < mean["uniform width"]
    assert mean["strata error"] < 0.8 * mean["uniform error"]


def test_a_stratum_without_a_loss_still_has_its_say() -> None:
    """Nothing was found in 95 % of the pool: that is no proof that there is nothing."""
    found = stratified([0] * 20 + [1] * 10, [0] * 20 + [1] * 10, sizes=[9_500, 500])
    assert found.value == pytest.approx(0.05)
    assert found.low < 0.03
    assert found.high > 0.08


def test_cuts_share_out_the_spread() -> None:
    scores = np.random.default_rng(0).beta(0.2, 8, 20_000)
    at = strata(scores, 4)
    assert set(at) == {0, 1, 2, 3}
    p = np.clip(scores, 0.01, 0.99)
    parts = [np.sqrt(p * (1 - p))[at == h].sum() for h in range(4)]
    assert max(parts) < 1.05 * min(parts)
    edges = [(scores[at == h].min(), scores[at == h].max()) for h in range(4)]
    assert all(low[1] < high[0] for low, high in pairwise(edges))
    assert (at == 0).sum() > 3 * (at == 3).sum()


def test_what_is_equal_is_not_parted() -> None:
    assert set(strata(np.full(10, 0.3))) == {0}
    at = strata(np.r_[np.zeros(50), np.ones(50)], 4)
    assert set(at) == {0, 1}
    assert len(set(at[:50])) == 1


def test_draws_go_where_they_say_most_and_to_the_lowest_too() -> None:
    n = allocate(200, [9_000, 900, 100], [0.0, 0.1, 0.5])
    assert n.sum() == 200
    assert n.min() >= 10
    # By N sqrt(p (1 - p)), what nobody is sure of counts as one in a hundred.
    ideal = np.array([9_000, 900, 100]) * np.sqrt([0.01 * 0.99, 0.1 * 0.9, 0.25])
    np.testing.assert_allclose(n - 10, 170 * ideal / ideal.sum(), atol=2)


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=1, max_size=6),
    st.integers(12, 2_000),
    st.integers(0, 30),
)
def test_draws_add_up_and_fit(pairs: list[tuple[int, float]], draws: int, least: int) -> None:
    sizes, rates = zip(*pairs, strict=True)
    n = allocate(draws, sizes, rates, least)
    assert n.sum() == min(draws, sum(sizes))
    assert (n <= sizes).all()
    assert (n >= np.minimum(sizes, 2)).all()


def test_nothing_is_said_of_a_stratum_that_was_not_looked_at() -> None:
    found = stratified([0, 1], [1, 1], sizes=[900, 100])
    assert not found.known
    assert found.method == "nothing was drawn from stratum 0, 90.0% of the pool"
    assert stratified([], [], sizes=[10]).method == "no audit labels yet"
    empty = stratified([0, 1], [1, 1], sizes=[0, 100])
    assert empty.value == 0.5


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: stratified([0, 1], [0], [5]), "do not match"),
        (lambda: stratified([0, 2], [0, 0], [5]), r"Loss 2\.0 of draw 1"),
        (lambda: stratified([0, 1], [0, 3], [5, 5]), "Draw 1 is of stratum 3"),
        (lambda: stratified([0, 1], [0, 0], [1]), "drawn twice"),
        (lambda: stratified([0, 1], [0, 0], [5], confidence=1), "between 0 and 1"),
        (lambda: strata([0.1, float("nan")]), "Score nan of row 1"),
        (lambda: strata([[0.1]]), "one row"),
        (lambda: strata([0.1], 0), "at least one"),
        (lambda: allocate(10, [5, 0], [0.1, 0.1]), "leave empty ones out"),
        (lambda: allocate(10, [5], [0.1, 0.1]), "do not match"),
        (lambda: allocate(3, [5, 5], [0.1, 0.1]), "too few for 2 strata"),
        (lambda: allocate(3, [5], [1.5]), "Rate 1.5 of stratum 0"),
    ],
)
def test_impossible_input(made: Callable[[], Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        made()
