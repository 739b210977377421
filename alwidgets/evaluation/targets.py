"""When a learning curve comes to a target: in the rounds there are, or by its forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.extrapolation import Forecast

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
