"""From scores to a batch, by `sample`, `top` or `diverse`: the logged probabilities are true."""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alwidgets.errors import FewerItemsWarning, StrategyError
from alwidgets.strategies.selection import LEAST, diverse, sample, top

SCORES = np.array([0.5, 0.1, 0.9, 0.0])


def chances(taken: list[int], beta: float, floor: float, scores: np.ndarray = SCORES) -> np.ndarray:
    """Probability of each item at the next draw, straight from the definition."""
    weight = np.maximum(scores / scores.max(), LEAST) ** beta
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
    runs = 4_000
    counts: dict[tuple[int, int], int] = {}
    for seed in range(runs):
        chosen, _ = sample(SCORES, 2, beta=beta, floor=floor, seed=seed)
        pair = (int(chosen[0]), int(chosen[1]))
        counts[pair] = counts.get(pair, 0) + 1
    for first, second in itertools.permutations(range(4), 2):
        p = chances([], beta, floor)[first] * chances([first], beta, floor)[second]
        error = np.sqrt(p * (1 - p) / runs)
        assert abs(counts.get((first, second), 0) / runs - p) < 4.5 * error + 1e-4


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    st.floats(0, 12),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_q_sums_to_one_over_what_remains(
    values: list[float], beta: float, floor: float, seed: int
) -> None:
    scores = np.array(values)
    scores = scores if scores.max() > 0 else np.ones(len(scores))
    chosen, log_q = sample(scores, 20, beta=beta, floor=floor, seed=seed)
    assert len(set(chosen.tolist())) == min(20, len(scores))
    for m in range(len(chosen)):
        q = chances(list(chosen[:m]), beta, floor, scores)
        assert q.sum() == pytest.approx(1.0)
        assert np.exp(log_q[m]) == pytest.approx(q[chosen[m]], rel=1e-9)


def test_many_items_are_drawn_as_often_as_logged() -> None:
    """Through the short cut for large pools: the share drawn from each class of scores."""
    scores = np.repeat([0.2, 0.5, 1.0], 1_000).astype(np.float32)
    first = np.zeros(3)
    runs = 2_000
    for seed in range(runs):
        chosen, _ = sample(scores, 3, beta=2.0, floor=0.15, seed=seed)
        first[chosen[1] // 1_000] += 1
    p = 0.85 * np.array([0.04, 0.25, 1.0]) / 1.29 + 0.05
    assert np.all(np.abs(first / runs - p) < 4.5 * np.sqrt(p * (1 - p) / runs) + 1e-3)


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


@pytest.mark.parametrize("order", ["random", "ascending", "descending", "in steps"])
@pytest.mark.parametrize("n", [1, 50, 700, 199_990])
def test_top_of_many(order: str, n: int) -> None:
    scores = np.random.default_rng(1).random(200_003).astype(np.float32)
    if order == "ascending":
        scores.sort()
    elif order == "descending":
        scores = np.sort(scores)[::-1]
    elif order == "in steps":
        scores = np.round(scores, 3)
    picks = top(scores, n, seed=3)
    assert len(np.unique(picks)) == n
    np.testing.assert_array_equal(scores[picks], np.sort(scores)[::-1][:n])


def test_ties_at_the_bar_are_drawn_fairly() -> None:
    scores = np.zeros(1_000)
    scores[[3, 900]] = 2.0
    level = np.arange(100, 700, 100)
    scores[level] = 1.0
    counts = np.zeros(1_000)
    for seed in range(1_200):
        picks = top(scores, 4, seed=seed)
        assert set(picks[:2].tolist()) == {3, 900}
        counts[picks] += 1
    assert counts.sum() == 4 * 1_200
    assert counts[level].sum() == 2 * 1_200
    # Six candidates for two places: 400 each, standard deviation 16.3.
    assert np.abs(counts[level] - 400).max() < 75


def test_whole_numbers_keep_their_order() -> None:
    scores = np.array([2**40, 2**40 + 1, 2**40 - 1])
    assert top(scores, 3).tolist() == [1, 0, 2]


def test_tensors_stay_tensors() -> None:
    scores = torch.rand(300, generator=torch.Generator().manual_seed(0))
    h = torch.rand(300, 4, generator=torch.Generator().manual_seed(1))
    before = scores.clone()
    chosen, log_q = sample(scores, 9, beta=3.0, seed=1)
    same, same_q = sample(scores.numpy(), 9, beta=3.0, seed=1)
    assert isinstance(chosen, torch.Tensor)
    assert isinstance(log_q, torch.Tensor)
    np.testing.assert_array_equal(chosen.numpy(), same)
    np.testing.assert_array_equal(log_q.numpy(), same_q)
    for picks, others in (
        (top(scores, 9), top(scores.numpy(), 9)),
        (diverse(scores, h, 9), diverse(scores.numpy(), h.numpy(), 9)),
    ):
        assert isinstance(picks, torch.Tensor)
        assert picks.dtype == torch.int64
        np.testing.assert_array_equal(picks.numpy(), others)
    assert torch.equal(scores, before)


def test_diverse_follows_its_definition() -> None:
    """Frequencies of ordered pairs: score, then score times squared distance."""
    scores = np.array([1.0, 3.0, 2.0, 4.0, 0.0])
    h = np.array([[0.0, 0], [1, 0], [0, 2], [3, 1], [9, 9]])
    gaps = np.square(h[:, None] - h[None]).sum(2)
    runs = 2_000
    counts = np.zeros((5, 5))
    for seed in range(runs):
        a, b = diverse(scores, h, 2, seed=seed)
        counts[a, b] += 1
    first = scores / scores.sum()
    second = scores * gaps
    p = first[:, None] * second / second.sum(1, keepdims=True)
    assert np.all(np.abs(counts / runs - p) < 4.5 * np.sqrt(p * (1 - p) / runs) + 1e-4)


def test_diverse_visits_every_group() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 8)) * 1_000 + 5_000
    groups = np.repeat(np.arange(6), 50)
    h = (centres[groups] + rng.normal(size=(300, 8))).astype(np.float32)
    picks = diverse(np.ones(300), h, 6, seed=1)
    assert set(groups[picks]) == set(range(6))


def test_diverse_looks_at_the_best_only() -> None:
    scores = np.r_[np.ones(50), np.full(50, 0.9)]
    h = np.random.default_rng(0).normal(size=(100, 3))
    h[50:] *= 100
    assert np.all(diverse(scores, h, 10, limit=50) < 50)
    # What is not looked at is not read either; never fewer candidates than asked for.
    h[99] = np.nan
    assert len(diverse(scores, h, 10, limit=50)) == 10
    with pytest.raises(StrategyError, match="embedding, first in row 99"):
        diverse(scores, h, 100, limit=50)


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30), st.integers(0, 40), st.integers(1, 4))
def test_diverse_is_distinct_and_complete(seed: int, m: int, n: int, places: int) -> None:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=(places, 3))[rng.integers(places, size=m)].astype(np.float16)
    scores = rng.integers(0, 3, size=m)
    picks = diverse(scores, h, n, seed=seed, limit=10)
    assert picks.dtype == np.int64
    assert len(set(picks.tolist())) == len(picks) == min(n, m)
    # Every place that scores has been visited before one is visited twice.
    there = {tuple(h[row]) for row in np.flatnonzero(scores)}
    if m <= 10:
        assert len({tuple(h[row]) for row in picks}) >= min(n, len(there))


@pytest.mark.parametrize("n", [0, 3, 4, 99])
def test_asking_for_more_gives_what_is_left(n: int) -> None:
    with _told(n, 4):
        chosen, log_q = sample(SCORES, n, seed=0)
    assert len(chosen) == len(log_q) == min(n, 4)
    assert len(set(chosen.tolist())) == len(chosen)
    with _told(n, 4):
        assert len(top(SCORES, n, seed=0)) == min(n, 4)
    with _told(n, 0):
        assert len(sample(np.empty(0), n, seed=0)[0]) == 0


def _told(n: int, left: int) -> AbstractContextManager[Any]:
    """That fewer are left, where they are; else there must be no warning."""
    said = f"{n} items were asked for and {left} are left"
    return pytest.warns(FewerItemsWarning, match=said) if n > left else nullcontext()


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
    with pytest.raises(StrategyError, match="row 2"):
        diverse(np.array([0.1, 0.2, -0.1]), np.ones((3, 2)), 1)
    with pytest.raises(StrategyError, match=r"shape \(4, d\)"):
        diverse(SCORES, np.ones((3, 2)), 1)

    with pytest.raises(StrategyError, match="beta be finite"):
        sample(SCORES, 1, beta=float("inf"))
    with pytest.raises(StrategyError, match="scores must be an array of real numbers"):
        top(["a", "b"], 1)
    with pytest.raises(StrategyError, match="embedding must be an array of real numbers"):
        diverse(SCORES, np.array([["a"]] * 4), 1)


def test_scores_of_diverse() -> None:
    rng = np.random.default_rng(0)
    h, scores = rng.normal(size=(30, 3)), rng.random(30)
    picks, own = diverse(scores, h, 9, return_scores=True)
    np.testing.assert_array_equal(picks, diverse(scores, h, 9))
    np.testing.assert_array_equal(own, scores[picks])
    tensors = diverse(torch.from_numpy(scores), h, 9, return_scores=True)
    assert all(isinstance(given, torch.Tensor) for given in tensors)
    assert [len(given) for given in diverse(scores, h, 0, return_scores=True)] == [0, 0]


def test_lists_and_tables() -> None:
    rng = np.random.default_rng(0)
    h, scores = rng.normal(size=(30, 3)), rng.random(30)
    picks = diverse(scores, h, 9)
    np.testing.assert_array_equal(diverse(scores.tolist(), h.tolist(), 9), picks)
    np.testing.assert_array_equal(diverse(pd.Series(scores), pd.DataFrame(h), 9), picks)
