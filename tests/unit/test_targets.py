"""When a curve comes to a target."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.extrapolation import forecast
from alwidgets.evaluation.targets import Reached, crossing, percent_of, reached, reached_by

LABELS = np.arange(1, 13) * 20.0
#: A power that rises to 0.9.
VALUES = 0.9 - 1.5 * (LABELS + 30) ** -0.5
FORECAST = forecast(LABELS, VALUES, n=np.full(len(LABELS), 5_000))


def test_the_first_that_is_there() -> None:
    assert reached([0.7, np.nan, 0.9, 0.95], 0.9) == 2
    assert reached([0.7, np.nan], 0.9) is None
    assert reached([], 0.1) is None


def test_one_estimate_that_is_there_by_chance_has_not_come_there() -> None:
    low = [0.4, 0.5, 0.6, 0.7]
    assert reached_by([0.95, 0.8, 0.85, 0.88], low, 0.9) is None
    assert reached_by([0.95, 0.8, 0.91, 0.93], low, 0.9) == Reached(2, is_sure=False, holds=True)
    # A whole interval is there: so it was, whatever the next estimate says.
    assert reached_by([0.8, 0.95, 0.89], [0.7, 0.9, 0.8], 0.9) == Reached(
        1, is_sure=True, holds=False
    )
    assert reached_by([0.95, 0.96], [0.6, 0.9], 0.9) == Reached(1, is_sure=True, holds=True)
    assert reached_by([], [], 0.9) is None


@given(st.floats(0.0, 1.0))
def test_a_target_is_not_rounded_up(target: float) -> None:
    assert float(percent_of(target).removesuffix(" %")) <= 100 * target + 1e-6


def test_a_round_target_is_said_as_it_was_given() -> None:
    for hundredths in range(10_001):
        assert percent_of(hundredths / 10_000) == f"{hundredths / 100:g} %"


@given(st.floats(0.8, 0.84))
def test_a_crossing_is_where_the_curve_is_there_for_the_first_time(target: float) -> None:
    found = crossing(FORECAST, target, 4_000)
    assert found.labels is not None
    at = np.arange(int(FORECAST.end), 4_001)
    value, low, high = FORECAST.band(at)
    # Looked at in at most 2,000 places.
    for line, place in ((value, found.labels), (high, found.soonest)):
        assert place is not None
        exact = at[reached(line, target)]
        assert exact <= place <= exact + 2
    where = reached(low, target)
    assert (found.latest is None) == (where is None)
    assert found.soonest is not None
    assert found.soonest <= found.labels
    assert found.latest is None or found.labels <= found.latest


def test_a_large_pool_is_looked_at_as_closely() -> None:
    few, many = (crossing(FORECAST, 0.84, most).labels for most in (4_000, 10_000_000))
    assert few is not None
    assert many is not None
    assert abs(many - few) <= 0.02 * (few - int(FORECAST.end)) + 1


def test_nothing_is_beyond_the_pool() -> None:
    beyond = crossing(FORECAST, 0.99, 4_000)
    assert beyond.labels is None
    assert crossing(FORECAST, 0.5, 4_000).labels == FORECAST.end
    # A pool that is smaller than the labels that there are, as where items were taken out.
    assert crossing(FORECAST, 0.99, 10).labels is None


def test_a_target_is_a_share() -> None:
    for wrong in (95, -0.1, np.nan):
        with pytest.raises(AlwidgetsError, match="must be a share"):
            crossing(FORECAST, wrong, 100)
