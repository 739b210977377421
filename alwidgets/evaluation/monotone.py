"""Rising curves through noisy points, and where they reach a height."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Points of a curve that are kept apart; of more, neighbours are taken together.
MOST = 60
#: Heights that differ by less are one: rounding tells them apart.
SAME = 1e-10


@dataclass(frozen=True)
class Crossing:
    """Where a curve reaches a height.

    Attributes
    ----------
    low, high : float
        The same, or the ends of where it may be: before the first point, or after the last.
    """

    low: float
    high: float

    @property
    def is_before(self) -> bool:
        """Whether the first point is above it already."""
        return self.low == 0 < self.high

    @property
    def is_beyond(self) -> bool:
        """Whether no point has got there."""
        return math.isinf(self.high)


def isotonic(values: Floats) -> Floats:
    """The rising rows that are nearest to some, (..., k), in squares.

    By the formula of Barlow, Bartholomew, Bremner & Brunk, "Statistical inference under order
    restrictions", 1972: at each point the highest, over all beginnings up to it, of the lowest mean
    over all ends from it. All rows at once, where pooling neighbours goes one by one.
    """
    k = values.shape[-1]
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    first, last = np.arange(k)[:, None], np.arange(k)
    length = last - first + 1
    means = (sums[..., None, 1:] - sums[..., :-1, None]) / np.maximum(length, 1)
    means = np.where(length > 0, means, np.inf)
    lowest = np.minimum.accumulate(means[..., ::-1], axis=-1)[..., ::-1]
    found: Floats = np.where(length > 0, lowest, -np.inf).max(axis=-2)
    return found


def crossing(labels: Floats, curve: Floats, height: float) -> Crossing:
    """Where a rising curve reaches a height.

    Points of one height count as one in their middle, and the curve is straight between them
    (centred isotonic regression: Oron & Flournoy, Statistics in Biopharmaceutical Research 2017).

    Parameters
    ----------
    labels, curve : (k,) arrays
        Both rising.
    height : float
    """
    starts = np.flatnonzero(np.diff(curve, prepend=-np.inf) > SAME)
    if height < curve[0] - SAME:
        return Crossing(0.0, float(labels[0]))
    if height > curve[-1] + SAME:
        return Crossing(float(labels[-1]), math.inf)
    middles = np.add.reduceat(labels, starts) / np.diff(starts, append=len(labels))
    at = float(np.interp(height, curve[starts], middles))
    return Crossing(at, at)


def thinned(labels: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """At most 60 points of (k,) labels and (k, M) rows: neighbours by their mean."""
    if len(labels) <= MOST:
        return labels, rows
    starts = np.linspace(0, len(labels), MOST, endpoint=False).astype(np.int64)
    sizes = np.diff(starts, append=len(labels))
    return np.add.reduceat(labels, starts) / sizes, np.add.reduceat(rows, starts) / sizes[:, None]
