"""METHODS of honest evaluation: unbiased, with intervals that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import accuracy, difference, lure, weights
from alwidgets.evaluation.drawn import figures
from alwidgets.evaluation.intervals import anytime
from alwidgets.strategies import sample
from alwidgets.strategies.registry import SHARP
from tests.bench.estimates import (
    FLOOR,
    KINDS,
    LOWEST,
    RATES,
    SHARP_KINDS,
    cells,
    draw,
    draw_sharply,
    peeked,
    pools,
)


def test_check_value() -> None:
    """N=200, M=40: the truth is .150, LURE finds it, the plain mean says more than twice that."""
    rng = np.random.default_rng(0)
    S, N, M = 2000, 200, 40
    losses = np.zeros((S, N))
    losses[:, :30] = 1.0
    # Errors get 3.3 times the probability of the rest: the odds that make the plain mean .326.
    items, q = draw((1.0 + 2.3 * losses).astype(np.float32), M, rng)
    found = np.take_along_axis(losses, items, axis=1)
    estimates = np.array([lure(found[i], q[i], N).value for i in range(S)])
    assert estimates.mean() == pytest.approx(0.150, abs=0.002)
    assert found.mean() == pytest.approx(0.326, abs=0.015)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("N", "rates"), [(200, RATES), (2_000, (0.02, 0.1, 0.4)), (20_000, (0.02,))]
)
def test_unbiased_and_covered(kind: str, N: int, rates: tuple[float, ...]) -> None:
    """Part of the grid that `tests/bench/estimates.py` prints."""
    found = [cell for rate in rates for cell in cells(kind, N, rate)]
    assert {cell.M for cell in found} >= {30, 60, 100}
    missed = [str(cell) for cell in found if not cell.met]
    assert not missed
    # A plain normal interval is not good enough: so the bar is one that can be missed.
    assert min(cell.normal for cell in found) < LOWEST


def test_where_nothing_but_errors_was_thought_safe_the_floor_must_be_told() -> None:
    (blind,) = (cell for cell in cells("opposed", 2_000, 0.05, n=500) if cell.M == 100)
    told = [cell for cell in cells("opposed", 2_000, 0.05, n=500, floor=FLOOR) if cell.M == 100]
    assert blind.held < 0.8
    assert told[0].met


@pytest.mark.parametrize("kind", SHARP_KINDS)
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_what_the_strategies_draw_is_covered(kind: str, rate: float) -> None:
    """Of a sharp draw most tells of the top alone: errors in the bulk are mostly not seen."""
    found = cells(kind, 600, rate, n=500)
    assert {cell.M for cell in found} == {30, 60, 100, 300}
    assert [str(cell) for cell in found if not cell.met] == []
    # The variance of what was drawn does not see them either.
    assert min(cell.normal for cell in found) < 0.85


@pytest.mark.parametrize("rate", [0.8, 0.9])
def test_so_are_models_that_are_mostly_wrong(rate: float) -> None:
    found = cells("sharp and blind", 600, rate, n=400)
    assert min(cell.held for cell in found) >= LOWEST


def test_the_far_end_rests_on_what_was_drawn_of_the_bulk() -> None:
    rng = np.random.default_rng(0)
    losses, scores = pools("sharp", 0.05, 600, 40, rng)
    items, q = draw_sharply(scores, 40, rng)
    found = np.take_along_axis(losses, items, axis=1).astype(float)
    estimates = [lure(found[row], q[row], 600) for row in range(40)]
    # Some six of forty draws are uniform ones: nothing says as much as hundreds of labels.
    assert max(e.n_eff for e in estimates) < 40
    assert 3 < np.median([e.n_eff for e in estimates]) < 15
    # A batch in which no uniform draw came up stands for a small part of the pool.
    few_likely = np.where(np.arange(500) < 50, 1.0, 0.3)
    _, log_q = sample(few_likely, 20, beta=SHARP, floor=0.0, seed=0)
    top = lure(np.zeros(20), np.exp(log_q), 500)
    assert np.mean(weights(np.exp(log_q), 500)) < 0.3
    assert top.high > 0.5


def test_an_interval_is_turned_with_its_losses() -> None:
    rng = np.random.default_rng(1)
    losses, scores = pools("sharp and blind", 0.8, 600, 20, rng)
    items, q = draw_sharply(scores, 60, rng)
    for row in range(20):
        wrong = losses[row][items[row]].astype(float)
        one, other = lure(wrong, q[row], 600), lure(1 - wrong, q[row], 600)
        # But for the value, which each of them holds: the two need not add up to 1.
        low = max(0.0, 1 - other.high)
        assert one.low == pytest.approx(low) or min(one.low, low) == pytest.approx(
            min(one.value, 1 - other.value)
        )


def test_many_pools_at_once_are_the_same() -> None:
    rng = np.random.default_rng(3)
    losses, scores = pools("good", 0.1, 300, 20, rng)
    items, q = draw(scores, 40, rng)
    found = np.take_along_axis(losses, items, axis=1).astype(float)
    risk, low, high, n_eff, is_fallback = figures(found, q, 300)
    for row in range(20):
        alone = lure(found[row], q[row], 300)
        given = (min(risk[row], 1.0), low[row], high[row], n_eff[row])
        assert given == pytest.approx((alone.value, alone.low, alone.high, alone.n_eff))
        assert is_fallback[row] == ("Kish" in alone.method)


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
        ([1.0, 2.0], [0.1, 0.1], 10, "divide losses by the largest"),
        ([], [[0.1]], 10, "do not match"),
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


@pytest.mark.parametrize("kind", ["uniform", "good", "adversarial"])
def test_a_difference_covers_whatever_chose_the_items(kind: str) -> None:
    rng = np.random.default_rng(1)
    N, M, runs = 1_000, 60, 500
    losses, scores = pools(kind, 0.15, N, runs, rng)
    others = np.where(rng.random((runs, N)) < 0.7, losses, rng.random((runs, N)) < 0.15)
    items, q = draw(scores, M, rng)
    held = []
    for run in range(runs):
        first, second = losses[run].astype(float), others[run].astype(float)
        found = difference(first[items[run]], second[items[run]], q[run], N)
        held.append(found.low <= first.mean() - second.mean() <= found.high)
    assert 0.92 <= np.mean(held) <= 0.995


def test_of_no_errors_the_floor_says_how_many_there_may_be() -> None:
    q = 0.9 / (1_000 - np.arange(50))
    blind, told = lure(np.zeros(50), q, 1_000), lure(np.zeros(50), q, 1_000, floor=0.2)
    assert (blind.value, told.value) == (0.0, 0.0)
    assert told.n_eff == pytest.approx(10)
    assert told.high > blind.high
    assert "the least" in told.method
    with pytest.raises(EvaluationError, match=r"Draw 0 has probability 0\.0009, below floor=1\.0"):
        lure(np.zeros(50), q, 1_000, floor=1.0)
    with pytest.raises(EvaluationError, match="floor must lie"):
        lure(np.zeros(50), q, 1_000, floor=0.0)


# ------------------------------------------------------------------ slices


def test_a_slice_of_uniform_draws_is_the_mean_of_its_own() -> None:
    rng = np.random.default_rng(0)
    losses, within = rng.random(60) < 0.3, rng.random(60) < 0.4
    q = 1 / (10_000 - np.arange(60))
    found = lure(losses, q, 10_000, within=within)
    assert found.value == pytest.approx(losses[within].mean())
    assert found.n == within.sum()
    # As if these had been drawn alone, but for what a pool of any size makes of so few.
    alone = lure(losses[within], q[: found.n], 10_000)
    assert found.n_eff == pytest.approx(alone.n_eff, rel=0.1)


@pytest.mark.parametrize("kind", ["uniform", "good", "adversarial"])
def test_the_interval_of_a_slice_covers(kind: str) -> None:
    rng = np.random.default_rng(2)
    N, M, runs = 1_000, 100, 500
    losses, scores = pools(kind, 0.2, N, runs, rng)
    inside = rng.random((runs, N)) < 0.4
    items, q = draw(scores, M, rng)
    held, gaps = [], []
    for run in range(runs):
        truth = losses[run][inside[run]].mean()
        mine = items[run]
        found = lure(losses[run][mine], q[run], N, within=inside[run][mine])
        held.append(found.low <= truth <= found.high)
        gaps.append(found.value - truth)
    assert 0.91 <= np.mean(held) <= 0.985
    assert abs(np.mean(gaps)) < 0.01


def test_a_slice_that_nothing_was_drawn_of() -> None:
    q = 1 / (100 - np.arange(3))
    found = lure([0, 1, 0], q, 100, within=np.zeros(3, dtype=bool))
    assert not found.known
    assert str(found) == "not known: none of the 3 audit labels is of it"
    with pytest.raises(EvaluationError, match="mask of 3 booleans"):
        lure([0, 1, 0], q, 100, within=[0, 1])
    with pytest.raises(EvaluationError, match="whole pool"):
        lure([0, 1, 0], q, 100, within=np.ones(3, dtype=bool), method="anytime")


# ------------------------------------------------------------------ a band for any number of looks


def test_the_band_holds_at_every_look_and_wilsons_interval_does_not() -> None:
    found = [peeked(seed) for seed in range(60)]
    assert np.mean([run["band held at every look"] for run in found]) >= 0.95
    assert np.mean([run["wilson held at every look"] for run in found]) < 0.9
    # What that costs: not more than this.
    width = np.mean([run["band width"] for run in found])
    assert width < 2.5 * np.mean([run["wilson width"] for run in found])


def test_the_band_holds_whatever_chose_the_items() -> None:
    for kind in ("good", "adversarial", "opposed"):
        held = [peeked(seed, kind)["band held at every look"] for seed in range(25)]
        assert np.mean(held) >= 0.92


def test_the_band_is_what_no_bet_makes_untenable() -> None:
    """Against the definition: wealth on a grid of risks, with the same stakes."""
    losses = np.array([0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0] * 6, dtype=float)
    N, M = 500, len(losses)
    q = 1 / (N - np.arange(M))
    low, high = anytime(losses, q, N, 0.95)
    kept = []
    for risk in np.linspace(0.001, 0.999, 999):
        rich = False
        for loss, rate in ((losses, risk), (1 - losses, 1 - risk)):
            seen, total, squares, wealth = 0.0, 0.5, 0.25, 1.0
            for m in range(1, M + 1):
                stake = math.sqrt(2 * math.log(40) / (squares / m * m * math.log(m + 1)))
                a = loss[m - 1] / (N * q[m - 1]) + seen / N
                wealth *= 1 + min(stake, 0.5 / rate) * (a - rate)
                rich = rich or wealth >= 40
                seen += loss[m - 1]
                total += a
                squares += (a - total / (m + 1)) ** 2
        if not rich:
            kept.append(risk)
    assert low == pytest.approx(min(kept), abs=0.002)
    assert high == pytest.approx(max(kept), abs=0.002)


def test_the_band_by_its_name() -> None:
    q = 1 / (200 - np.arange(40))
    losses = np.arange(40) % 8 == 0
    usual, band = lure(losses, q, 200), lure(losses, q, 200, method="anytime")
    assert band.value == usual.value
    assert band.low < usual.low < usual.high < band.high
    assert "any number" in band.method
    gap = difference(losses, np.zeros(40), q, 200, method="anytime")
    assert gap.low < difference(losses, np.zeros(40), q, 200).low < gap.value < gap.high
    with pytest.raises(EvaluationError, match="no method 'normal'"):
        lure(losses, q, 200, method="normal")  # type: ignore[arg-type]
    known = np.isin(np.arange(99), (10, 30, 50, 70)).astype(float)
    nearly_all = anytime(known, 1 / (100 - np.arange(99)), 100, 0.95)
    assert nearly_all == (pytest.approx(0.04), pytest.approx(0.05))


def test_an_estimate_in_words() -> None:
    q = 1 / (200 - np.arange(4))
    assert str(lure([1, 0, 0, 0], q, 200)) == "25.0 % (3.8 to 73.9 %, 4 labels)"
    assert str(lure([], [], 200)) == "not known: no audit labels yet"
