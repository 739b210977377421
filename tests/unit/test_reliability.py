"""Calibration: the error against a plain count, against chance, and the temperature."""

from __future__ import annotations

import numpy as np
import pytest

import alwidgets as al
from alwidgets.evaluation import reliability, temperature
from alwidgets.evaluation.reliability import BINS, FEWEST, IN_BIN

N = 50_000


def uniform(m: int, n: int = N) -> np.ndarray:
    return 1.0 / (n - np.arange(m))


def test_the_error_is_the_mean_gap_over_bins_of_equal_size() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.3, 1.0, 200)
    right = rng.random(200) < sure**2
    found = reliability(sure, right, uniform(200), N)
    gaps = []
    order = np.argsort(sure)
    for part, shown in zip(np.array_split(order, BINS), found.bins, strict=True):
        gaps.append(abs(sure[part].mean() - right[part].mean()))
        assert shown.confidence == pytest.approx(sure[part].mean())
        assert shown.accuracy.value == pytest.approx(right[part].mean())
        assert shown.accuracy.low < shown.accuracy.value < shown.accuracy.high
        assert (shown.low, shown.high, shown.accuracy.n) == (
            sure[part].min(),
            sure[part].max(),
            len(part),
        )
    assert found.ece == pytest.approx(np.mean(gaps))
    assert found.excess.value == pytest.approx(sure.mean() - right.mean())
    assert found.excess.low > 0
    assert found.is_off


def test_weights_undo_how_labels_were_drawn() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.3, 1.0, 100)
    right = rng.random(100) < sure
    q = rng.uniform(0.5, 2.0, 100) / N
    found = reliability(sure, right, q, N)
    v = al.evaluation.weights(q, N)
    gaps = 0.0
    for part in found.bins:
        of = (sure >= part.low) & (sure <= part.high)
        gaps += v[of].sum() * abs(np.average(sure[of] - right[of], weights=v[of]))
    assert found.ece == pytest.approx(gaps / v.sum())


def test_a_model_that_is_calibrated_is_seldom_called_off() -> None:
    """150 audits of 120 labels, with seeds: its error is what is said to be chance."""
    rng = np.random.default_rng(2)
    runs, found = 150, []
    for _ in range(runs):
        sure = rng.uniform(0.4, 1.0, 120)
        found.append(reliability(sure, rng.random(120) < sure, uniform(120), N))
    ece = np.array([each.ece for each in found])
    assert np.mean([each.by_chance for each in found]) == pytest.approx(ece.mean(), rel=0.05)
    assert 0.02 < np.mean([each.is_off for each in found]) < 0.09
    # The plain error never says 0; without what chance adds it often does.
    unbiased = np.array([each.unbiased for each in found])
    assert ece.min() > 0.04
    assert np.median(unbiased) < 0.4 * np.median(ece)
    assert np.mean(unbiased == 0) > 0.3


def test_without_chance_a_real_gap_is_left() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(100):
        sure = rng.uniform(0.6, 1.0, 150)
        found.append(reliability(sure, rng.random(150) < sure - 0.2, uniform(150), N))
    assert np.sqrt(np.mean([each.unbiased**2 for each in found])) == pytest.approx(0.2, abs=0.01)
    assert np.mean([each.ece for each in found]) > 0.2


def test_equal_confidences_stay_together() -> None:
    sure = np.array([0.9] * 30 + [0.6] * 15)
    right = np.array([True] * 27 + [False] * 3 + [True] * 9 + [False] * 6)
    found = reliability(sure, right, uniform(45), N)
    assert [part.confidence for part in found.bins] == pytest.approx([0.6, 0.9])
    assert [part.accuracy.n for part in found.bins] == [15, 30]
    assert found.ece == pytest.approx(0.0, abs=1e-9)
    one = reliability(np.full(40, 0.5), np.arange(40) % 2 == 0, uniform(40), N)
    assert len(one.bins) == 1


def test_too_few_labels_are_said_to_be_so() -> None:
    few = reliability([0.9] * 7, [True] * 7, uniform(7), N)
    assert few.bins == ()
    assert np.isnan(few.ece)
    assert few.why_not == f"there are 7 audit labels, and {FEWEST} are the fewest that tell"
    assert not few.is_off
    none = reliability([], [], [], N)
    assert none.why_not == "no audit labels yet"
    assert not none.excess.known
    assert len(reliability(np.linspace(0.5, 1, 20), [True] * 20, uniform(20), N).bins) == 2
    assert 2 * IN_BIN == FEWEST


def test_the_temperature_of_logits_that_are_too_large_is_found() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(600, 3)) * 1.5
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (rng.random((600, 1)) > honest.cumsum(axis=1)).sum(axis=1)
    sharp = honest**2 / (honest**2).sum(axis=1, keepdims=True)
    found = temperature(truth, sharp, uniform(600), N)
    assert found.low < 2 < found.high
    assert found.low > 1
    assert found.value == pytest.approx(2, rel=0.15)
    same = temperature(truth, honest, uniform(600), N)
    assert same.low < 1 < same.high


def test_the_temperature_of_several_labels() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(400, 4)) * 1.5
    has = (rng.random((400, 4)) < 1 / (1 + np.exp(-logits))).astype(int)
    sharp = 1 / (1 + np.exp(-2 * logits))
    assert temperature(has, sharp, uniform(400), N).value == pytest.approx(2, rel=0.15)


def test_no_temperature_is_made_up() -> None:
    sure = np.tile([0.9, 0.1], (30, 1))
    assert not temperature(np.zeros(30, dtype=int), sure, uniform(30), N).known
    assert not temperature(np.zeros(5, dtype=int), sure[:5], uniform(5), N).known


def test_bad_input_is_named() -> None:
    with pytest.raises(al.AlwidgetsError, match="does not lie in"):
        reliability([1.2, 0.5], [True, False], uniform(2), N)
    with pytest.raises(al.AlwidgetsError, match="bin"):
        reliability([0.5], [True], uniform(1), N, bins=0)
    with pytest.raises(al.AlwidgetsError, match="match"):
        temperature([0, 1], [[0.5, 0.5]], uniform(2), N)
