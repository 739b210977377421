"""Smooth rising curves through noisy points, and where they reach a height."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Points of a curve that are kept apart; of more, neighbours are taken together.
MOST = 60
#: Share of the points that a local line is fitted to, and how many at least.
SPAN, NEAREST = 0.7, 5
#: Heights that differ by less are one: rounding tells them apart.
SAME = 1e-10


def smoother(labels: Floats) -> Floats:
    """The matrix (k, k) that makes points at (k,) labels smooth.

    Local lines over the inverse root of the labels, in which learning curves are nearly straight,
    with tricube weights (Cleveland, "Robust locally weighted regression and smoothing
    scatterplots", JASA 1979). A rising curve alone is too high at its end: its last point is the
    luckiest.
    """
    k, x = len(labels), -1 / np.sqrt(labels)
    nearest = min(k, max(NEAREST, math.ceil(SPAN * k)))
    found = np.empty((k, k))
    for row in range(k):
        away = x - x[row]
        reach = np.sort(np.abs(away))[nearest - 1] * (1 + 1e-4) + 1e-9
        weight = np.clip(1 - (np.abs(away) / reach) ** 3, 0.0, 1.0) ** 3
        line = np.stack([weight, weight * away])
        # Where all of them are at one place there is no slope.
        found[row] = (np.linalg.pinv(line @ np.stack([np.ones(k), away], axis=1)) @ line)[0]
    return found


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


def crossings(
    labels: Floats, curves: Floats, heights: Floats, finest: float = SAME
) -> tuple[Floats, Floats]:
    """Where rising curves reach a height each.

    Points of one height count as one in their middle, and a curve is straight between them (centred
    isotonic regression: Oron & Flournoy, Statistics in Biopharmaceutical Research 2017).

    Parameters
    ----------
    labels : (k,) array
    curves : (b, k) array
        Both rising.
    heights : (b,) array
    finest : float
        A curve that rises by no more than this, from its first point to its last, is flat.

    Returns
    -------
    low, high : (b,) arrays
        The same number of labels, or the ends of where it may be: 0 and that of the first point,
        also of a curve that is as high all along, or that of the last and infinity.
    """
    k, at = len(labels), np.arange(len(labels))
    begins = np.diff(curves, axis=1, prepend=-np.inf) > SAME
    ends = np.concatenate([begins[:, 1:], np.ones_like(begins[:, :1])], axis=1)
    first = np.maximum.accumulate(np.where(begins, at, 0), axis=1)
    last = np.minimum.accumulate(np.where(ends, at, k - 1)[:, ::-1], axis=1)[:, ::-1]
    sums = np.concatenate([[0.0], np.cumsum(labels)])
    middles = (sums[last + 1] - sums[first]) / (last - first + 1)

    above = np.count_nonzero(curves <= heights[:, None] + SAME, axis=1)
    sides = np.clip(above - 1, 0, k - 1)[:, None], np.clip(above, 0, k - 1)[:, None]
    (below, before), (over, after) = (
        (np.take_along_axis(curves, side, 1)[:, 0], np.take_along_axis(middles, side, 1)[:, 0])
        for side in sides
    )
    rise = np.where(over - below > SAME, over - below, np.inf)
    reached = before + (after - before) * np.clip((heights - below) / rise, 0.0, 1.0)
    # Of a curve that never rises the middle says nothing: its first point is as high as any.
    is_flat = (curves[:, -1] - curves[:, 0] <= finest) & (curves[:, 0] + finest >= heights)
    too_low, too_high = (above == 0) | is_flat, heights > curves[:, -1] + SAME
    low = np.where(too_low, 0.0, np.where(too_high, labels[-1], reached))
    high = np.where(too_low, labels[0], np.where(too_high, np.inf, reached))
    return low, high


def thinned(labels: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """At most 60 points of (k,) labels and (k, M) rows: neighbours by their mean."""
    if len(labels) <= MOST:
        return labels, rows
    starts = np.linspace(0, len(labels), MOST, endpoint=False).astype(np.int64)
    sizes = np.diff(starts, append=len(labels))
    return np.add.reduceat(labels, starts) / sizes, np.add.reduceat(rows, starts) / sizes[:, None]
