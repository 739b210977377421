"""Slices ranked by how surely they are worse: against published intervals, and against chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

import alwidgets as al
from alwidgets.evaluation import Estimate, lure, rank_slices
from alwidgets.evaluation.gaps import FEWEST, _exceeds, _newcombe, _p


def uniform(m: int, n: int) -> np.ndarray:
    return 1.0 / (n - np.arange(m))


def rate(hits: int, n: int) -> Estimate:
    return Estimate(hits / n, 0.0, 1.0, n, float(n), "")


@pytest.mark.parametrize(
    ("part", "rest", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_the_interval_is_the_published_one(
    part: tuple[int, int], rest: tuple[int, int], low: float, high: float
) -> None:
    found = _newcombe(rate(*part), rate(*rest), 0.95)
    assert found == pytest.approx((low, high), abs=6e-5)


def test_a_bad_slice_comes_first_and_is_called_worse() -> None:
    rng = np.random.default_rng(0)
    m, n = 200, 4_000
    bad, good = np.arange(m) % 5 == 0, np.arange(m) % 7 == 1
    wrong = rng.random(m) < np.where(bad, 0.5, 0.1)
    wrong[good] = False
    found = rank_slices(
        wrong, uniform(m, n), n, {"good": good, "bad": bad, "rare": np.arange(m) < 3}
    )
    assert [gap.name for gap in found] == ["bad", "good", "rare"]
    worst, best, rare = found
    assert worst.is_worse
    assert not best.is_worse
    assert best.difference.value < 0
    assert worst.risk == lure(wrong, uniform(m, n), n, within=bad)
    assert worst.difference.value == pytest.approx(worst.risk.value - worst.rest.value)
    assert worst.difference.low < worst.difference.value < worst.difference.high
    # Of a few labels nothing is made up.
    assert not rare.difference.known
    assert f"only 3 audit labels are of it: {FEWEST}" in rare.difference.method
    assert (rare.p, rare.adjusted, rare.is_worse) == (1.0, 1.0, False)


@pytest.mark.parametrize("counts", [(5, 8, 24, 142), (3, 12, 9, 60), (0, 9, 20, 80), (9, 9, 5, 40)])
def test_p_is_that_of_the_exact_test(counts: tuple[int, int, int, int]) -> None:
    x, n, y, m = counts
    for way, found in (
        ("greater", _exceeds(rate(x, n), rate(y, m))),
        ("less", _exceeds(rate(y, m), rate(x, n))),
    ):
        oracle = fisher_exact([[x, n - x], [y, m - y]], alternative=way).pvalue
        assert found == pytest.approx(oracle, rel=0.01, abs=1e-6)
    assert _p(rate(x, n), rate(y, m)) == _p(rate(y, m), rate(x, n))


def test_many_slices_without_a_difference_are_seldom_called_worse() -> None:
    """50 audits with 25 overlapping slices each, all as good as the rest; with seeds."""
    rng = np.random.default_rng(2)
    m, n, runs = 120, 3_000, 50
    named = alone = 0
    for _ in range(runs):
        wrong = rng.random(m) < 0.2
        slices = {k: rng.random(m) < rng.uniform(0.05, 0.4) for k in range(25)}
        found = rank_slices(wrong, uniform(m, n), n, slices)
        named += any(gap.is_worse for gap in found)
        alone += any(gap.difference.low > 0 for gap in found)
    assert named / runs <= 0.05
    # One by one, as a person looks at them, chance would be taken for a finding again and again.
    assert alone / runs > 0.25


def test_holm_goes_down_the_list() -> None:
    m, n = 60, 600
    wrong = np.arange(m) % 4 == 0
    slices = {k: np.arange(m) // 10 == k for k in range(6)}
    found = rank_slices(wrong, uniform(m, n), n, slices)
    by_p = sorted(found, key=lambda gap: gap.p)
    expected, worst = [], 0.0
    for rank, gap in enumerate(by_p):
        worst = max(worst, min(1.0, (len(by_p) - rank) * gap.p))
        expected.append(worst)
    assert [gap.adjusted for gap in by_p] == pytest.approx(expected)


def test_where_nothing_is_left_to_chance() -> None:
    wrong = np.arange(20) < 6
    inside = np.arange(20) < 10
    (gap,) = rank_slices(wrong, uniform(20, 20), 20, {"it": inside})
    assert gap.difference.value == gap.difference.low == gap.difference.high == pytest.approx(0.6)
    assert gap.is_worse
    (whole,) = rank_slices(wrong, uniform(20, 90), 90, {"all": np.ones(20, dtype=bool)})
    assert "none of the audit labels is not of it" in whole.difference.method
    assert rank_slices([], [], 90, {"none": np.zeros(0, dtype=bool)})[0].risk.n == 0


def test_bad_input_is_named() -> None:
    with pytest.raises(al.AlwidgetsError, match="within must be a mask"):
        rank_slices([0, 1], uniform(2, 10), 10, {"it": np.array([1, 0])})
    with pytest.raises(al.AlwidgetsError, match="confidence"):
        rank_slices([0, 1], uniform(2, 10), 10, {}, confidence=95)
