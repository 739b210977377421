"""From scores to a batch: the logged probabilities are the true ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from alwidgets.errors import StrategyError
from alwidgets.strategies.selection import LEAST, sample, top

SCORES = np.array([0.5, 0.1, 0.9, 0.0])


def chances(taken: list[int], beta: float, floor: float, scores: np.ndarray = SCORES) -> np.ndarray:
    """Probability of each item at the next draw, straight from the definition."""
    weight = np.maximum(scores, LEAST * scores.max()) ** beta
    left = np.ones(len(scores), dtype=bool)
    left[taken] = False
    q = np.where(left, (1 - floor) * weight / weight[left].sum() + floor / left.sum(), 0.0)
    return np.asarray(q)


@pytest.mark.parametrize(("beta", "floor"), [(1.0, 0.15), (4.0, 0.3), (0.0, 0.0), (2.0, 1.0)])
def test_logged_probability_is_the_definition(beta: float, floor: float) -> None:
    for seed in range(30):
        chosen, log_q = sample(SCORES, 4, beta=beta, floor=floor, seed=seed)
        for m in range(4):
            q = chances(list(chosen[:m]), beta, floor)
            assert q.sum() == pytest.approx(1.0)
            assert np.exp(log_q[m]) == pytest.approx(q[chosen[m]])
        assert log_q[-1] == pytest.approx(0.0)


@pytest.mark.parametrize(("beta", "floor"), [(1.0, 0.15), (3.0, 0.4)])
def test_draws_happen_as_often_as_logged(beta: float, floor: float) -> None:
    """Brute force: the frequency of every ordered pair against the product of its q."""
    runs = 8_000
    counts: dict[tuple[int, int], int] = {}
    for seed in range(runs):
        chosen, _ = sample(SCORES, 2, beta=beta, floor=floor, seed=seed)
        pair = (int(chosen[0]), int(chosen[1]))
        counts[pair] = counts.get(pair, 0) + 1
    for first, second in itertools.permutations(range(4), 2):
        p = chances([], beta, floor)[first] * chances([first], beta, floor)[second]
        error = np.sqrt(p * (1 - p) / runs)
        assert abs(counts.get((first, second), 0) / runs - p) < 4.5 * error + 1e-4


def test_q_sums_to_one_over_what_remains() -> None:
    scores = np.random.default_rng(0).random(50)
    chosen, log_q = sample(scores, 20, beta=2.0, seed=3)
    for m in range(20):
        q = chances(list(chosen[:m]), 2.0, 0.15, scores)
        assert q.sum() == pytest.approx(1.0)
        assert np.exp(log_q[m]) == pytest.approx(q[chosen[m]])


def test_a_dominant_item_costs_no_precision() -> None:
    scores = np.r_[1.0, np.full(99, 1e-5)]
    chosen, log_q = sample(scores, 3, beta=8.0, floor=0.0, seed=0)
    assert chosen[0] == 0
    np.testing.assert_allclose(np.exp(log_q[1:]), [1 / 99, 1 / 98])


def test_all_zero_scores_are_uniform() -> None:
    _, log_q = sample(np.zeros(10), 4, seed=0)
    np.testing.assert_allclose(np.exp(log_q), 1 / np.array([10, 9, 8, 7]))


def test_high_beta_without_floor_is_top() -> None:
    scores = np.arange(1, 30, dtype=float)
    chosen, _ = sample(scores, 5, beta=500.0, floor=0.0, seed=1)
    assert chosen.tolist() == top(scores, 5, seed=1).tolist() == [28, 27, 26, 25, 24]


def test_top_breaks_ties_by_the_seed() -> None:
    scores = np.array([1.0, 2.0, 2.0, 2.0, 0.0])
    picks = {int(top(scores, 1, seed=s)[0]) for s in range(40)}
    assert picks == {1, 2, 3}
    assert top(scores, 2, seed=5).tolist() == top(scores, 2, seed=5).tolist()


def test_large_scale() -> None:
    scores = np.random.default_rng(1).random(200_000)
    chosen, log_q = sample(scores, 50, seed=2)
    assert len(set(chosen.tolist())) == 50
    assert np.isfinite(log_q).all()


@pytest.mark.parametrize("n", [0, 3, 99])
def test_asking_for_more_gives_what_is_left(n: int) -> None:
    chosen, log_q = sample(SCORES, n, seed=0)
    assert len(chosen) == len(log_q) == min(n, 4)
    assert len(set(chosen.tolist())) == len(chosen)
    assert len(top(SCORES, n, seed=0)) == min(n, 4)
    assert len(sample(np.empty(0), n, seed=0)[0]) == 0


def test_bad_input() -> None:
    with pytest.raises(StrategyError, match="row 2"):
        sample([0.1, 0.2, -0.1], 1, seed=0)
    with pytest.raises(StrategyError, match="row 1"):
        sample([0.1, float("nan")], 1, seed=0)
    with pytest.raises(StrategyError, match="row 0"):
        top([float("inf")], 1, seed=0)
    with pytest.raises(StrategyError, match="shape"):
        top(np.zeros((2, 2)), 1, seed=0)
    with pytest.raises(StrategyError, match="floor"):
        sample(SCORES, 1, floor=1.5, seed=0)
