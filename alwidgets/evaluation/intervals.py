"""Intervals for a mean of losses in [0, 1] that were drawn one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

#: Of the inverse of what is bet on: METHODS of a bet that can lose no more than half a stake.
MOST_STAKED = 0.5
#: Halvings of the unit interval: to 1e-9.
HALVINGS = 30


def wilson(
    rate: ArrayLike, n: ArrayLike, confidence: float, beyond: ArrayLike | None = None
) -> tuple[Any, Any]:
    """Wilson's score interval (1927) for a rate seen in ``n`` trials; ``n`` may be fractional.

    An end lies as far from the rate p as chance goes were it the truth: the upper one where
    d^2 = z^2 (p (1 - p) + d (1 - 2 p) - d^2) / n. Its first part is the chance of the errors that
    were seen, the rest that of the further ones which this end supposes.

    Parameters
    ----------
    rate, n : array
    confidence : float
    beyond : array, optional
        Trials that tell of errors which were not seen, where these are fewer than n: the rest is
        then divided by them. The lower end supposes no further errors, and stays.
    """
    p, trials = np.asarray(rate, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = float(ndtri(0.5 + confidence / 2))
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(p * (1 - p) / trials + (z / (2 * trials)) ** 2)
    low, high = np.maximum(0.0, centre - half), np.minimum(1.0, centre + half)
    if beyond is None:
        return low, high
    few = np.asarray(beyond, dtype=np.float64)
    slope = z * z * (1 - 2 * p) / few
    square = 1 + z * z / few
    up = (slope + np.sqrt(slope**2 + 4 * square * z * z * p * (1 - p) / trials)) / (2 * square)
    return low, np.where(few < trials, np.minimum(1.0, p + up), high)


def anytime(
    losses: NDArray[np.float64], q: NDArray[np.float64], N: int, confidence: float
) -> tuple[float, float]:
    """A band that holds at every number of draws at once: one may look after each, and stop.

    Bets against every value of the risk from either side; what no bet has ever made rich remains.
    The wealth of a bet against R is prod(1 + l_m (a_m - R)) with a_m as for the variance of LURE,
    whose mean given the draws before is the risk, and stakes 0 <= l_m <= 1 / (2 R) that depend on
    these draws alone.

    Parameters
    ----------
    losses, q : (M,) arrays
        As for `risk.lure`.
    N : int
    confidence : float

    Returns
    -------
    low, high : float

    References
    ----------
    Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 2024.
    """
    low = _lowest(unbiased(losses, q, N), confidence)
    high = 1 - _lowest(unbiased(1 - losses, q, N), confidence)
    # What was drawn is known: no more of it can be wrong, and no more right.
    least, most = float(losses.sum()) / N, 1 - float((1 - losses).sum()) / N
    low, high = max(low, least), min(high, most)
    # With a probability of 1 - confidence the two may cross.
    return min(low, high), max(low, high)


def unbiased(losses: NDArray[np.float64], q: NDArray[np.float64], N: int) -> NDArray[np.float64]:
    """The estimate of the risk that each draw makes by itself, a (..., M), given those before."""
    before = np.cumsum(losses, axis=-1) - losses
    return losses / (N * q) + before / N


def _lowest(a: NDArray[np.float64], confidence: float) -> float:
    """The smallest mean in [0, 1] that the draws do not make untenable."""
    m, enough = np.arange(1, len(a) + 1), np.log(2 / (1 - confidence))
    # Their plug-in stakes: mean and variance of the draws before, and of half a draw of 1/2.
    mean = (0.5 + np.cumsum(a)) / (m + 1)
    spread = (0.25 + np.cumsum(np.square(a - mean))) / (m + 1)
    spread = np.r_[0.25, spread[:-1]]
    stakes = np.sqrt(2 * enough / (spread * m * np.log(m + 1)))

    def untenable(risk: float) -> bool:
        staked = np.minimum(stakes, MOST_STAKED / max(risk, 1e-12))
        return bool(np.log1p(staked * (a - risk)).cumsum().max() >= enough)

    low, high = 0.0, 1.0
    if not untenable(low):
        return low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if untenable(middle) else (low, middle)
    return low
