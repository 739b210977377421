"""Unbiased estimates from labels that were not drawn uniformly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

from alwidgets.errors import StrategyError


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
    n : int
        Labels it rests on.
    n_eff : float
        Uniformly drawn labels that would say as much.
    method : str
        How the interval was made, in words.
    """

    value: float
    low: float
    high: float
    n: int
    n_eff: float
    method: str


def weights(q: ArrayLike, N: int) -> NDArray[np.float64]:
    """The weights v (M,) that undo the choice of what was labelled.

    v_m = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) q_m) - 1), and 1 once the pool is used up.

    Raises
    ------
    StrategyError
        For a probability outside (0, 1], naming the draw, and for more draws than items.
    """
    probabilities = _probabilities(q, N)
    M = len(probabilities)
    if M == N:
        return np.ones(M)
    m = np.arange(1, M + 1)
    return 1 + (N - M) / (N - m) * (1 / ((N - m + 1) * probabilities) - 1)


def lure(losses: ArrayLike, q: ArrayLike, N: int, *, confidence: float = 0.95) -> Estimate:
    """The mean loss over a pool of N items from M that were drawn without replacement.

    Levelled unbiased risk estimator (Farquhar, Gal & Rainforth, "On statistical bias in active
    learning", ICLR 2021). The interval is Wilson's at the effective sample size
    R (1 - R) / V; where that is not defined, because every loss is the same or the variance is
    0, at Kish's (sum v)^2 / sum v^2.

    Parameters
    ----------
    losses : (M,) array
        Of the drawn items, in the order drawn; in [0, 1].
    q : (M,) array
        Probability of each draw among the items that remained when it was made.
    N : int
        Size of the pool drawn from.
    confidence : float
        Of the interval.

    Returns
    -------
    Estimate
        The value can lie slightly outside [0, 1] by chance; it is clipped, and so is the interval.

    Raises
    ------
    StrategyError
        For lengths that differ, NaN, losses outside [0, 1], and impossible probabilities.
    """
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 1 or values.shape != np.shape(q):
        raise StrategyError(f"{values.shape} losses and {np.shape(q)} probabilities do not match.")
    if not 0 < confidence < 1:
        raise StrategyError(f"confidence must lie between 0 and 1, not {confidence}.")
    M = len(values)
    if M == 0:
        return Estimate(math.nan, 0.0, 1.0, 0, 0.0, "no audit labels yet")
    bad = ~((values >= 0) & (values <= 1))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise StrategyError(f"Loss {values[row]} of draw {row} does not lie in [0, 1].")
    v = weights(q, N)
    risk = float(np.mean(v * values))
    if M == N:
        return Estimate(risk, risk, risk, M, float(M), "every item is labelled")
    kish = float(v.sum() ** 2 / np.square(v).sum())
    n_eff, method = kish, "LURE, Wilson at Kish's sample size"
    variance = _variance(values, _probabilities(q, N), N, risk)
    if variance > 0 and 0 < risk < 1:
        n_eff, method = risk * (1 - risk) / variance, "LURE, Wilson at the effective sample size"
    risk = min(max(risk, 0.0), 1.0)
    low, high = wilson(risk, n_eff, confidence)
    return Estimate(risk, low, high, M, n_eff, method)


def accuracy(correct: ArrayLike, q: ArrayLike, N: int, *, confidence: float = 0.95) -> Estimate:
    """Accuracy over a pool of N items from M audited ones: one minus the risk of an error.

    Parameters
    ----------
    correct : (M,) bool array
        Whether the model was right on each audited item, in the order drawn.
    q, N, confidence
        As for :func:`lure`.

    Examples
    --------
    >>> accuracy([True] * 9 + [False], [1 / (100 - m) for m in range(10)], 100).value
    0.9
    """
    return mean_score(np.asarray(correct, dtype=bool), q, N, confidence=confidence)


def mean_score(scores: ArrayLike, q: ArrayLike, N: int, *, confidence: float = 0.95) -> Estimate:
    """The mean over a pool of a score that is 1 at best: one minus the risk of what is lacking.

    Parameters
    ----------
    scores : (M,) array
        Of each audited item, in [0, 1], in the order drawn.
    q, N, confidence
        As for :func:`lure`.
    """
    risk = lure(1 - np.asarray(scores, dtype=np.float64), q, N, confidence=confidence)
    if risk.n == 0:
        return risk
    # Rounded to what the arithmetic carries, so that 1 - 0.1 reads 0.9.
    return replace(
        risk,
        value=round(1 - risk.value, 12),
        low=round(1 - risk.high, 12),
        high=round(1 - risk.low, 12),
    )


def difference(
    losses: ArrayLike, others: ArrayLike, q: ArrayLike, N: int, *, confidence: float = 0.95
) -> Estimate:
    """By how much the risk of one model exceeds that of another, from the same drawn items.

    Parameters
    ----------
    losses, others : (M,) arrays
        Losses in [0, 1] of both models on the drawn items, in the order drawn.
    q, N, confidence
        As for :func:`lure`.

    Returns
    -------
    Estimate
        Of mean loss less mean of the others, in [-1, 1], with Student's interval. The variance
        is that of two more pairs that disagree, one each way (Agresti & Min, "Simple improved
        confidence intervals for comparing matched proportions", Statistics in Medicine 2005).

    Raises
    ------
    StrategyError
        As :func:`lure`.
    """
    # Each side is checked as a loss of its own.
    first, second = lure(losses, q, N), lure(others, q, N)
    if first.n == 0:
        return Estimate(math.nan, -1.0, 1.0, 0, 0.0, "no audit labels yet")
    gaps = np.asarray(losses, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    M = len(gaps)
    value = float(np.mean(weights(q, N) * gaps))
    if M == N:
        return Estimate(value, value, value, M, float(M), "every item is labelled")
    variance = _variance(gaps, _probabilities(q, N), N, value) + 2 / M**2 * (N - M) / N
    half = float(t.ppf(0.5 + confidence / 2, max(M - 1, 1))) * math.sqrt(variance)
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, M, min(first.n_eff, second.n_eff), "paired LURE, Student")


def _probabilities(q: ArrayLike, N: int) -> NDArray[np.float64]:
    probabilities = np.asarray(q, dtype=np.float64)
    bad = ~((probabilities > 0) & (probabilities <= 1 + 1e-9))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise StrategyError(
            f"Draw {row} has probability {probabilities[row]}: it must lie in (0, 1]. "
            "Deterministic picks have none and cannot be used for an estimate."
        )
    if len(probabilities) > N:
        raise StrategyError(f"{len(probabilities)} draws from a pool of {N}: drawn twice?")
    return probabilities


def _variance(losses: NDArray[np.float64], q: NDArray[np.float64], N: int, risk: float) -> float:
    M = len(losses)
    if M < 2:
        return 0.0
    m = np.arange(1, M + 1)
    before = np.r_[0.0, np.cumsum(losses)[:-1]]
    a = losses / (N * q) + before / N
    c = N * (N - M) / ((N - m) * (N - m + 1))
    return float(M / (M - 1) * np.sum(np.square(c / M) * np.square(a - risk)))


def wilson(rate: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval (1927) for a rate seen in ``n`` trials; ``n`` may be fractional."""
    z = float(norm.ppf(0.5 + confidence / 2))
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
