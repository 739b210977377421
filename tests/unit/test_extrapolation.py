"""Learning curves drawn on, and what the next labels are worth."""

from __future__ import annotations

import numpy as np
import pytest

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.curvefit import LAST, SHAPES, fit
from alwidgets.evaluation.extrapolation import Forecast, beyond
from alwidgets.stopping import Worth, forecast, pace, worth

LABELS = np.arange(20.0, 820.0, 20.0)


def curve(kind: str, labels: np.ndarray) -> np.ndarray:
    x = labels / 100
    return {
        "pow4": 0.92 - 0.45 * (x + 0.6) ** -0.8,
        "mmf4": (0.3 * 1.2 + 0.9 * x**1.1) / (1.2 + x**1.1),
        "wbl4": 0.88 - 0.5 * np.exp(-0.7 * x**0.8),
        LAST: np.full(len(x), 0.8),
    }[kind]


@pytest.mark.parametrize("kind", [*SHAPES, LAST])
def test_a_fit_recovers_a_curve_of_its_kind(kind: str) -> None:
    found = fit(kind, LABELS, curve(kind, LABELS), np.ones(len(LABELS)))
    further = np.array([10.0, 900.0, 1_600.0])
    assert found(further) == pytest.approx(curve(kind, further), abs=2e-4)
    assert found.top <= 1


def test_a_fit_believes_what_weighs_more() -> None:
    values, weights = curve("pow4", LABELS), np.ones(len(LABELS))
    values[5], weights[5] = 0.1, 1e-9
    found = fit("pow4", LABELS, values, weights)
    assert found(np.array([900.0])) == pytest.approx(curve("pow4", np.array([900.0])), abs=1e-3)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_forecast_finds_the_gain_of_a_smooth_curve(kind: str) -> None:
    found = forecast(LABELS, curve(kind, LABELS))
    now, then = curve(kind, np.array([800.0, 900.0]))
    assert found.gain == pytest.approx(then - now, abs=0.002)
    assert found.low <= then - now <= found.high
    assert found.backtest < found.backtest_last
    assert found.weights[LAST] < 0.1
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.at(LABELS) == pytest.approx(curve(kind, LABELS), abs=0.05)
    assert "better than supposing" in str(found)


def test_an_audit_without_an_error_yet_is_not_certain_of_anything() -> None:
    labels, n = np.arange(20, 180, 20), np.arange(3, 27, 3)
    found = forecast(labels, np.ones(8), n=n)
    assert found.gain == pytest.approx(0, abs=1e-3)
    # 24 of 24 were right: a rate of 25 / 26, give or take 3.9 points.
    assert found.high - found.gain == pytest.approx(1.2816 * 0.0393, rel=0.01)
    known = forecast(labels, np.ones(8), n=n, changed=0.04)
    assert 0 < known.gain < 0.01 < known.high - known.low < 0.04


def test_a_curve_that_is_flat_is_expected_to_stay() -> None:
    found = forecast(LABELS, curve(LAST, LABELS))
    assert found.gain == pytest.approx(0, abs=1e-6)
    assert found.low <= 0 <= found.high
    assert "no better than supposing" in str(found)


def test_the_order_of_the_points_does_not_matter_and_it_is_the_same_each_time() -> None:
    noisy = curve("pow4", LABELS) + np.random.default_rng(1).normal(0, 0.02, len(LABELS))
    order = np.random.default_rng(0).permutation(len(LABELS))
    assert forecast(LABELS, noisy) == forecast(LABELS[order], noisy[order])


def test_what_changed_narrows_a_noisy_forecast() -> None:
    noisy = curve("pow4", LABELS) + np.random.default_rng(1).normal(0, 0.04, len(LABELS))
    alone = forecast(LABELS, noisy, n=np.full(len(LABELS), 80))
    known = forecast(LABELS, noisy, n=np.full(len(LABELS), 80), changed=0.02)
    assert known.high - known.low < (alone.high - alone.low) / 2
    assert -0.01 < known.gain < 0.01
    more = forecast(LABELS, noisy, n=np.full(len(LABELS), 80), changed=0.1)
    assert more.high - more.low > known.high - known.low
    wider = forecast(LABELS, noisy, changed=0.02, confidence=0.95)
    assert wider.high - wider.low > known.high - known.low


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([20, 40], [0.5, 0.6]), "at least 6 points, there are 2"),
        (([20], [0.5]), "there is 1"),
        ((LABELS, np.r_[0.5, np.nan, np.full(38, 0.6)]), "Point 1 has value nan"),
        ((LABELS, np.full(40, 1.2)), "Point 0 has value 1.2: it must be a share"),
        ((-LABELS, np.full(40, 0.5)), "Point 0 has labels -20.0"),
        ((np.full(8, 20), np.full(8, 0.5)), "All points are at 20 labels"),
        ((LABELS, [0.5]), "do not match"),
    ],
)
def test_points_that_say_nothing_are_named(arguments, words: str) -> None:
    with pytest.raises(AlwidgetsError, match=words):
        forecast(*arguments)


def test_settings_out_of_range_are_named() -> None:
    values = curve("pow4", LABELS)
    for name, value in {"ahead": 0, "confidence": 1.0, "changed": 1.5, "n": np.zeros(40)}.items():
        with pytest.raises(AlwidgetsError, match=name):
            forecast(LABELS, values, **{name: value})


def made(gain: float = 0.006, low: float = 0.001, high: float = 0.012) -> Forecast:
    return Forecast(100, gain, low, high, 0.8, 0.01, 0.02, {LAST: 1.0}, ())


def test_worth_in_words() -> None:
    found = worth(made(), seconds_per_label=8.4)
    assert str(found) == ("the next 100 labels: +0.6 points (0.1 to 1.2), 14 minutes at your pace")
    assert str(worth(made(0.0, -0.002, 0.00001))) == (
        "the next 100 labels: +0.0 points (\N{MINUS SIGN}0.2 to 0.0)"
    )
    assert "50 seconds" in str(worth(made(), seconds_per_label=0.5))
    assert "3 hours" in str(worth(made(), seconds_per_label=100))


def test_a_curve_is_drawn_on_with_a_band() -> None:
    x, rng = LABELS[:15], np.random.default_rng(0)
    values = curve("pow4", x) + 0.005 * rng.normal(size=len(x))
    found = beyond(x, values, np.full(len(x), 400), 600.0)
    assert [point.labels for point in found] == [300, 375, 450, 525, 600]
    for point in found:
        assert 0 <= point.low < point.value < point.high <= 1
        assert point.low <= curve("pow4", np.array([point.labels]))[0] <= point.high
    # What few audit labels say is less sure.
    few = beyond(x, values, np.full(len(x), 40), 600.0)
    assert few[0].high - few[0].low > 1.5 * (found[0].high - found[0].low)
    with pytest.raises(AlwidgetsError, match="more labels than there are, 300"):
        beyond(x, values, np.full(len(x), 400), 300.0)
    with pytest.raises(AlwidgetsError, match="at least 6 points"):
        beyond(x[:5], values[:5], np.full(5, 400), 600.0)


def test_a_forecast_of_fewer_labels_is_what_the_band_says_of_them() -> None:
    labels = np.arange(1, 9) * 20.0
    found = forecast(labels, 0.9 - 0.5 * np.exp(-labels / 60), n=[200] * 8)
    few = found.over(30)
    assert few.ahead == 30
    begin, then = found.band([160, 190])[0]
    assert few.gain == pytest.approx(then - begin)
    assert few.high - few.low < found.high - found.low
    for whole, part in zip(found.band([165, 190]), few.band([165, 190]), strict=True):
        np.testing.assert_allclose(part, whole)
    assert found.over(100) == found


def test_worth_in_money() -> None:
    prices = {"volume": 100_000, "cost_of_error": 2.0, "cost_of_label": 0.3}
    found = worth(made(), **prices)
    assert isinstance(found, Worth)
    assert found.net is not None
    # volume x cost of an error x gain - labels x cost of a label
    assert found.net.value == pytest.approx(100_000 * 2 * 0.006 - 30)
    assert (found.net.low, found.net.high) == pytest.approx((200 - 30, 2_400 - 30))
    assert "earns 1,170 (170 to 2,370)" in str(found)
    assert "loses" in str(worth(made(), **prices | {"volume": 100}))


def test_prices_that_cannot_be_are_named() -> None:
    with pytest.raises(AlwidgetsError, match="give cost_of_error and cost_of_label"):
        worth(made(), volume=10)
    with pytest.raises(AlwidgetsError, match="volume=nan"):
        worth(made(), volume=float("nan"), cost_of_error=1, cost_of_label=1)
    with pytest.raises(AlwidgetsError, match="seconds_per_label=-1"):
        worth(made(), seconds_per_label=-1)


def test_the_pace_is_that_of_the_newest_answers_without_breaks() -> None:
    assert pace([3.0] * 4) is None
    assert pace([3.0] * 5) == 3.0
    assert pace([60.0] * 50 + [3.0] * 100) == 3.0
    assert pace([2, 3, 2, 3, 600]) == pytest.approx(4.4)
    assert pace([3.0] * 5 + [np.nan, -1.0, 0.0]) == 3.0
