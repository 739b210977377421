"""What the next labels are worth: in points, in minutes and in money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.extrapolation import Forecast
from alwidgets.evaluation.given import is_number

#: Newest answers that the pace is measured on, and the fewest that tell it.
RECENT, FEWEST = 100, 5
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Money:
    """What labels bring less what they cost, in the currency of both.

    Attributes
    ----------
    value, low, high : float
        The forecast, and the ends of its interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Worth:
    """What the next labels are worth.

    Attributes
    ----------
    labels : int
        How many.
    gain, low, high : float
        By how much accuracy is expected to rise, as a share, and the interval of that.
    seconds : float or None
        To give so many labels; None where no pace is known.
    net : Money or None
        Gain in money less the cost of the labels; None where no prices are given.
    """

    labels: int
    gain: float
    low: float
    high: float
    seconds: float | None = None
    net: Money | None = None

    def __str__(self) -> str:
        points = f"{_points(self.gain)} points ({_bounds(self.low, self.high)})"
        labels = "label" if self.labels == 1 else f"{self.labels:,} labels"
        parts = [f"the next {labels}: {points}"]
        if self.seconds is not None:
            parts.append(f"{_time(self.seconds)} at your pace")
        if self.net is not None:
            verb = "earns" if self.net.value >= 0 else "loses"
            ends = f"{self.net.low:,.0f} to {self.net.high:,.0f}".replace("-", MINUS)
            parts.append(f"{verb} {abs(self.net.value):,.0f} ({ends})")
        return ", ".join(parts)


def pace(seconds: ArrayLike) -> float | None:
    """Seconds a label takes, from those that the answers took, the newest last.

    The mean over the newest 100, none counted as more than four times their median: somebody who
    went for a coffee did not label. None where fewer than 5 were timed.

    Examples
    --------
    >>> pace([2, 3, 2, 3, 600])
    4.4
    """
    took = np.asarray(seconds, dtype=np.float64)
    took = took[np.isfinite(took) & (took > 0)][-RECENT:]
    if len(took) < FEWEST:
        return None
    return float(np.minimum(took, 4 * np.median(took)).mean())


def worth(
    forecast: Forecast,
    *,
    seconds_per_label: float | None = None,
    volume: float | None = None,
    cost_of_error: float | None = None,
    cost_of_label: float | None = None,
) -> Worth:
    """What the labels of a forecast are worth.

    In money that is volume x cost of an error x gain in accuracy - labels x cost of a label.

    Parameters
    ----------
    forecast : Forecast
    seconds_per_label : float, optional
        As `pace` measures it.
    volume : float, optional
        Items that the model will decide about.
    cost_of_error, cost_of_label : float, optional
        In one currency. All three or none.

    Raises
    ------
    AlwidgetsError
        If some of the prices are missing, or one is no number or below zero.
    """
    seconds = None
    if seconds_per_label is not None:
        seconds = forecast.ahead * _amount("seconds_per_label", seconds_per_label)
    prices = {"volume": volume, "cost_of_error": cost_of_error, "cost_of_label": cost_of_label}
    given = {name: _amount(name, at) for name, at in prices.items() if at is not None}
    net = None
    if given:
        if missing := sorted(prices.keys() - given.keys()):
            raise AlwidgetsError(f"To count in money, give {' and '.join(missing)} as well.")
        per_point = given["volume"] * given["cost_of_error"]
        cost = forecast.ahead * given["cost_of_label"]
        ends = (forecast.gain, forecast.low, forecast.high)
        net = Money(*(per_point * gain - cost for gain in ends))
    return Worth(forecast.ahead, forecast.gain, forecast.low, forecast.high, seconds, net)


def _amount(name: str, value: float) -> float:
    if not (is_number(value) and value >= 0):
        raise AlwidgetsError(f"{name}={value!r} must be a number, at least 0.")
    return float(value)


def _points(share: float) -> str:
    """A share in points, signed, as +0.6."""
    return f"{100 * share:+.1f}".replace("-0.0", "+0.0").replace("-", MINUS)


def _bounds(low: float, high: float) -> str:
    """Both ends in points, as 0.1 to 1.2."""
    ends = (f"{100 * share:.1f}".replace("-0.0", "0.0") for share in (low, high))
    return " to ".join(ends).replace("-", MINUS)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{round(seconds / 3600)} hours"
