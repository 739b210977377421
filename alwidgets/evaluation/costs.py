"""What a label costs: seconds a card, learned from those that were answered."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Timed answers below which every item counts as equally dear.
ENOUGH = 20
#: Prior of the slope, in answers: a few odd cards do not bend the line.
RIDGE = 5.0


def seconds_per_card(
    rows: ArrayLike, seconds: ArrayLike, lengths: ArrayLike
) -> NDArray[np.float64]:
    """Expected seconds to label each item of a pool.

    A line through the logarithms of seconds and length, so that twice the length costs a constant
    factor more. Pauses do not count: what took longer than 99 % of the answers is cut there.

    Parameters
    ----------
    rows : (l,) int array
        Items that were answered while the clock ran.
    seconds : (l,) array
        How long each took; those that are not positive and finite are left out.
    lengths : (N,) array
        Of each item's content, in any unit.

    Returns
    -------
    (N,) float64 array
        The median of the seconds for every item, while fewer than 20 answers were timed; ones
        without any.

    References
    ----------
    Settles, Craven & Friedland, "Active learning with real annotation costs", NIPS 2008 workshop.
    """
    size = np.log1p(np.asarray(lengths, dtype=np.float64))
    at, took = np.asarray(rows, dtype=np.int64), np.asarray(seconds, dtype=np.float64)
    usable = np.isfinite(took) & (took > 0)
    at, took = at[usable], took[usable]
    if len(took) == 0:
        return np.ones(len(size))
    if len(took) < ENOUGH:
        return np.full(len(size), float(np.median(took)))
    took = np.log(np.minimum(took, np.quantile(took, 0.99)))
    x = size[at] - size[at].mean()
    slope = float(x @ (took - took.mean())) / (float(x @ x) + RIDGE)
    expected: NDArray[np.float64] = np.exp(took.mean() + slope * (size - size[at].mean()))
    return expected
