"""When a learning curve comes to a target: in the rounds there are, or by its forecast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.extrapolation import Forecast

#: Of a hundredth of a percent: a target that was given so.
WHOLE = 1e-6
#: Numbers of labels that a forecast is looked at for, at most.
LOOKS = 2_000


@dataclass(frozen=True)
class Crossing:
    """How many labels a target takes by a forecast; None: more than there can be.

    Attributes
    ----------
    labels : int or None
        Where the forecast comes to it.
    soonest, latest : int or None
        Where the upper and the lower end of its interval do.
    """

    labels: int | None
    soonest: int | None
    latest: int | None


def reached(values: ArrayLike, target: float) -> int | None:
    """Place of the first value that is at least the target; None where none is.

    Examples
    --------
    >>> reached([0.7, float("nan"), 0.9, 0.88], 0.85)
    2
    """
    found = np.flatnonzero(np.asarray(values, dtype=np.float64) >= target)
    return int(found[0]) if len(found) else None


@dataclass(frozen=True)
class Reached:
    """Where a curve of estimates came to a target.

    Attributes
    ----------
    place : int
        The first of the points that are there and stay there; where one is surely there, the first
        that is.
    is_sure : bool
        Whether its whole interval lies there.
    holds : bool
        Whether the newest point is there.
    """

    place: int
    is_sure: bool
    holds: bool


def reached_by(values: ArrayLike, lows: ArrayLike, target: float) -> Reached | None:
    """Where estimates came to a target; None where they have not.

    A single estimate that is there by chance has not come there: those that follow must be there
    too, or its interval must lie there as a whole.

    Parameters
    ----------
    values, lows : (k,) arrays
        The estimates, and the lower ends of their intervals; none of them is NaN.
    target : float

    Examples
    --------
    >>> reached_by([0.9, 0.7, 0.88, 0.91], [0.6, 0.5, 0.7, 0.8], 0.85)
    Reached(place=2, is_sure=False, holds=True)
    >>> reached_by([0.9, 0.7], [0.6, 0.5], 0.85) is None
    True
    """
    there = np.asarray(values, dtype=np.float64) >= target
    holds = bool(len(there) and there[-1])
    sure = reached(lows, target)
    if sure is not None:
        return Reached(sure, is_sure=True, holds=holds)
    if not holds:
        return None
    below = np.flatnonzero(~there)
    return Reached(int(below[-1]) + 1 if len(below) else 0, is_sure=False, holds=True)


def percent_of(target: float) -> str:
    """A target in percent, and never as one that is higher: ``90 %`` is not said of 0.896.

    Examples
    --------
    >>> percent_of(0.9), percent_of(0.9999), percent_of(0.89634)
    ('90 %', '99.99 %', '89.6 %')
    """
    hundredths = round(10_000 * target)
    if abs(10_000 * target - hundredths) < WHOLE:
        return f"{hundredths / 100:g} %"
    return f"{math.floor(1_000 * target) / 10:g} %"


def crossing(forecast: Forecast, target: float, most: int) -> Crossing:
    """After how many labels a forecast comes to a target.

    Parameters
    ----------
    forecast : Forecast
    target : float
    most : int
        Labels that there can be: the size of the pool.

    Raises
    ------
    AlwidgetsError
        If the target is no share.
    """
    if not 0 <= target <= 1:
        raise AlwidgetsError(f"target={target!r} must be a share between 0 and 1.")
    begin = int(forecast.end)
    # Close together at first: what is near matters to the label, what is far to a hundredth.
    beyond = np.geomspace(1, max(begin, most) - begin + 1, LOOKS) - 1
    at = np.unique(begin + beyond.round().astype(np.int64))
    value, low, high = forecast.band(at)
    return Crossing(*(_first(at, line, target) for line in (value, high, low)))


def _first(at: NDArray[np.int64], line: NDArray[np.float64], target: float) -> int | None:
    place = reached(line, target)
    return None if place is None else int(at[place])
