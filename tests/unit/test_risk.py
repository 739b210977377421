"""METHODS of honest evaluation: unbiased, with intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import accuracy, lure
from alwidgets.evaluation.risk import difference, weights

Floats = NDArray[np.float64]


def draw(scores: Floats, M: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], Floats]:
    """M draws without replacement from each row of scores (S, N): items and q, by definition."""
    left = scores.astype(float).copy()
    rows = np.arange(len(left))
    items, q = np.empty((len(left), M), np.int64), np.empty((len(left), M))
    for m in range(M):
        p = left / left.sum(axis=1, keepdims=True)
        u = rng.random((len(left), 1))
        items[:, m] = np.minimum((np.cumsum(p, axis=1) < u).sum(axis=1), left.shape[1] - 1)
        q[:, m] = p[rows, items[:, m]]
        left[rows, items[:, m]] = 0.0
    return items, q


def test_check_value() -> None:
    """N=200, M=40: the truth is .150, LURE finds it, the plain mean says more than twice that."""
    rng = np.random.default_rng(0)
    S, N, M = 2000, 200, 40
    losses = np.zeros((S, N))
    losses[:, :30] = 1.0
    # Errors get 3.3 times the probability of the rest: the odds that make the plain mean .326.
    items, q = draw(1.0 + 2.3 * losses, M, rng)
    found = np.take_along_axis(losses, items, axis=1)
    estimates = np.array([lure(found[i], q[i], N).value for i in range(S)])
    assert estimates.mean() == pytest.approx(0.150, abs=0.002)
    assert found.mean() == pytest.approx(0.326, abs=0.015)


@pytest.mark.parametrize("kind", ["uniform", "good", "adversarial"])
def test_unbiased_and_covered(kind: str) -> None:
    rng = np.random.default_rng(7)
    S, N, M = 2000, 120, 40
    losses = (rng.random((S, N)) < 0.2).astype(float)
    hint = np.where(losses > 0, 1.0, 0.3) * rng.uniform(0.5, 1.5, size=(S, N))
    if kind == "uniform":
        scores = np.ones((S, N))
    elif kind == "good":
        scores = 0.8 * hint / hint.sum(axis=1, keepdims=True) + 0.2 / N
    else:
        wrong = 1.3 - np.clip(hint, 0.05, 1.2)
        scores = 0.8 * wrong / wrong.sum(axis=1, keepdims=True) + 0.2 / N
    items, q = draw(scores, M, rng)
    found = np.take_along_axis(losses, items, axis=1)
    truth = losses.mean(axis=1)
    made = [lure(found[i], q[i], N) for i in range(S)]
    # The value is clipped to [0, 1]: bias is judged on the weighted mean itself.
    raw = np.array([np.mean(weights(q[i], N) * found[i]) for i in range(S)])
    gap = raw - truth
    assert abs(gap.mean()) < 3 * gap.std() / math.sqrt(S)
    covered = np.mean([e.low <= t <= e.high for e, t in zip(made, truth, strict=True)])
    assert covered >= 0.90


def test_uniform_draws_weigh_one() -> None:
    q = 1 / (50 - np.arange(20))
    np.testing.assert_allclose(weights(q, 50), 1.0)
    losses = np.array([1.0, 0.0] * 10)
    estimate = lure(losses, q, 50)
    assert estimate.value == pytest.approx(0.5)
    assert estimate.low < 0.5 < estimate.high


def test_wilson_by_hand_at_the_effective_size() -> None:
    losses = np.array([1.0] + [0.0] * 9)
    q = 1 / (1000 - np.arange(10))
    estimate = lure(losses, q, 1000)
    m = np.arange(1, 11)
    a = losses / (1000 * q) + np.r_[0, np.cumsum(losses)[:-1]] / 1000
    c = 1000 * 990 / ((1000 - m) * (1001 - m))
    variance = 10 / 9 * np.sum((c / 10) ** 2 * (a - estimate.value) ** 2)
    n = 0.1 * 0.9 / variance
    assert estimate.n_eff == pytest.approx(n)
    z = 1.959963984540054
    middle = (0.1 + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(0.09 / n + z**2 / (4 * n**2))
    assert (estimate.low, estimate.high) == pytest.approx((middle - half, middle + half))


@pytest.mark.parametrize("loss", [0.0, 1.0])
def test_equal_losses_fall_back_to_kish(loss: float) -> None:
    q = 1 / (200 - np.arange(30))
    estimate = lure(np.full(30, loss), q, 200)
    assert estimate.value == loss
    assert estimate.n_eff == pytest.approx(30)
    assert "Kish" in estimate.method
    assert estimate.high - estimate.low > 0.05


def test_one_draw_has_a_wide_interval() -> None:
    estimate = lure([1.0], [1 / 100], 100)
    assert estimate.value == 1.0
    assert estimate.low < 0.3


def test_everything_labelled_is_exact() -> None:
    losses = np.array([1.0, 0.0, 0.0, 0.0])
    estimate = lure(losses, [0.7, 0.5, 0.9, 1.0], 4)
    assert (estimate.value, estimate.low, estimate.high) == (0.25, 0.25, 0.25)


def test_no_labels() -> None:
    estimate = accuracy([], [], 100)
    assert math.isnan(estimate.value)
    assert (estimate.low, estimate.high, estimate.n) == (0.0, 1.0, 0)
    assert estimate.method == "no audit labels yet"


def test_accuracy_mirrors_the_risk() -> None:
    correct = np.array([True, True, False, True, True])
    q = 1 / (60 - np.arange(5))
    risk, good = lure(~correct, q, 60), accuracy(correct, q, 60)
    assert good.value == pytest.approx(1 - risk.value)
    assert (good.low, good.high) == pytest.approx((1 - risk.high, 1 - risk.low))


@pytest.mark.parametrize(
    ("losses", "q", "N", "message"),
    [
        ([1.0, 0.0], [0.1], 10, "do not match"),
        ([1.0, 2.0], [0.1, 0.1], 10, "draw 1"),
        ([float("nan")], [0.1], 10, "draw 0"),
        ([1.0], [0.0], 10, "Draw 0"),
        ([1.0], [float("nan")], 10, "Deterministic"),
        ([1.0, 1.0], [0.5, 0.5], 1, "drawn twice"),
    ],
)
def test_impossible_input(losses: list[float], q: list[float], N: int, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        lure(losses, q, N)


def test_confidence_widens() -> None:
    q = 1 / (100 - np.arange(4))
    narrow = lure([1, 0, 0, 1], q, 100, confidence=0.5)
    wide = lure([1, 0, 0, 1], q, 100, confidence=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    with pytest.raises(EvaluationError, match="confidence"):
        lure([1, 0], q[:2], 100, confidence=1.0)


@pytest.mark.parametrize(("better", "worse"), [(0.05, 0.05), (0.1, 0.2), (0.3, 0.4)])
def test_a_difference_is_unbiased_and_its_interval_covers(better: float, worse: float) -> None:
    rng = np.random.default_rng(0)
    N, M, runs = 400, 40, 1000
    first = (rng.random(N) < better).astype(float)
    # Two models of one task fail on the same items more often than by chance.
    second = np.where(rng.random(N) < 0.5, first, rng.random(N) < 2 * worse - better).astype(float)
    truth = first.mean() - second.mean()
    found = []
    for _ in range(runs):
        items = rng.permutation(N)[:M]
        found.append(difference(first[items], second[items], 1 / (N - np.arange(M)), N))
    values = np.array([e.value for e in found])
    assert abs(values.mean() - truth) < 3 * values.std() / math.sqrt(runs)
    covered = np.mean([e.low <= truth <= e.high for e in found])
    assert covered >= 0.93
    # And it is no wider than that takes.
    assert np.mean([e.high - e.low for e in found]) < 2 * 3.5 * values.std()


def test_a_difference_of_nothing_and_of_everything() -> None:
    nothing = difference([], [], [], 10)
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (-1.0, 1.0)
    q = 1 / np.arange(4, 0, -1)
    everything = difference([1, 0, 1, 0], [0, 0, 1, 0], q, 4)
    assert (everything.value, everything.low, everything.high) == (0.25, 0.25, 0.25)
    with pytest.raises(EvaluationError, match=r"Loss 2.0 of draw 0"):
        difference([2.0, 0.0], [0.0, 0.0], q[:2], 4)
