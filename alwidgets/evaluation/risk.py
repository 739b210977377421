"""Unbiased estimates from labels that were not drawn uniformly."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.drawn import Floats, figures, is_even, levelled, variance_of
from alwidgets.evaluation.given import is_whole, truths
from alwidgets.evaluation.intervals import anytime, wilson

#: How an interval is made: for one look at it, or for one after every draw.
Method: TypeAlias = Literal["wilson", "anytime"]
METHODS: tuple[Method, ...] = get_args(Method)

NOTHING = "no audit labels yet"


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
        The value is NaN where nothing can be said; `method` then says why.
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

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        if not self.known:
            return f"not known: {self.method}"
        value, low, high = (f"{100 * x:.1f}" for x in (self.value, self.low, self.high))
        return f"{value} % ({low} to {high} %, {self.n:,} label{'s' * (self.n != 1)})"


def unknown(why: str, n: int = 0, low: float = 0.0) -> Estimate:
    """An estimate of nothing, and why, in words."""
    return Estimate(math.nan, low, 1.0, n, 0.0, why)


def weights(q: ArrayLike, N: int) -> Floats:
    """The weights v (M,) that undo the choice of what was labelled.

    v_m = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) q_m) - 1), and 1 once the pool is used up.

    Raises
    ------
    EvaluationError
        For a probability outside (0, 1], naming the draw, and for more draws than items.
    """
    return levelled(_probabilities(q, N), N)


def lure(
    losses: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    confidence: float = 0.95,
    floor: float | None = None,
    within: ArrayLike | None = None,
    method: Method = "wilson",
) -> Estimate:
    """The mean loss over a pool of N items from M that were drawn without replacement.

    Levelled unbiased risk estimator (Farquhar, Gal & Rainforth, "On statistical bias in active
    learning", ICLR 2021). The interval is Wilson's at the effective sample size
    R (1 - R) / V; where that is not defined, because every loss is the same or the variance is
    0, at Kish's (sum v)^2 / sum v^2 ("Survey sampling", 1965).

    Where not every item was as likely to be drawn, V tells of errors like those that were drawn
    alone, and few draws stand for the many items that were hardly ever drawn. The end towards more
    errors then goes as far as the draws tell of the pool, Kish's size, if that is less; see
    `evaluation.drawn.figures`. Of uniform draws the interval is Wilson's.

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
    floor : float, optional
        Share of the draws that was uniform, in (0, 1]: no item was less likely than this part of
        an even chance. Where no error was drawn, the interval then reaches as far as errors that
        were the least likely to be drawn may; without it, as far as errors do that were as likely
        as what was drawn, too short where what chose the items was wrong about all of them.
    within : (M,) bool array, optional
        Which draws count: the mean loss is that of a slice of the pool, a ratio of two estimates.
    method : {"wilson", "anytime"}
        ``anytime`` is a band that may be looked at after every draw, and stopped by; it is wider.

    Returns
    -------
    Estimate
        The value can lie slightly outside [0, 1] by chance; it is clipped, and so is the interval.
        NaN between 0 and 1 without draws.

    Raises
    ------
    EvaluationError
        For lengths that differ, NaN, losses outside [0, 1], and impossible probabilities.

    Examples
    --------
    >>> print(lure([1, 0, 0, 0], [1 / 200, 1 / 199, 1 / 198, 1 / 197], N=200))
    25.0 % (3.8 to 73.9 %, 4 labels)
    """
    values, probabilities = _checked(losses, q, N, confidence, floor, method)
    M = len(values)
    if M == 0:
        return unknown(NOTHING)
    if within is not None:
        if method == "anytime":
            raise EvaluationError("The anytime band is for a whole pool: use method='wilson'.")
        return _slice(values, probabilities, N, checked_mask(within, M), confidence)
    risk, low, high, n_eff, is_kish = (
        x.item() for x in figures(values, probabilities, N, confidence, floor)
    )
    risk = min(max(risk, 0.0), 1.0)
    if M == N:
        return Estimate(risk, risk, risk, M, float(M), "every item is labelled")
    at = "the effective" if not is_kish else "Kish's" if floor is None else "the least"
    words = f"LURE, Wilson at {at} sample size"
    if method == "anytime":
        low, high = anytime(values, probabilities, N, confidence)
        low, high, words = min(low, risk), max(high, risk), "LURE, band for any number of draws"
    return Estimate(risk, low, high, M, n_eff, words)


def accuracy(correct: ArrayLike, q: ArrayLike, N: int, **options: Any) -> Estimate:
    """Accuracy over a pool of N items from M audited ones: one minus the risk of an error.

    Parameters
    ----------
    correct : (M,) bool array
        Whether the model was right on each audited item, in the order drawn.
    q, N, **options
        As for :func:`lure`.

    Examples
    --------
    >>> accuracy([True] * 9 + [False], [1 / (100 - m) for m in range(10)], 100).value
    0.9
    """
    return mean_score(truths(correct, "correct"), q, N, **options)


def mean_score(scores: ArrayLike, q: ArrayLike, N: int, **options: Any) -> Estimate:
    """The mean over a pool of a score that is 1 at best: one minus the risk of what is lacking.

    Parameters
    ----------
    scores : (M,) array
        Of each audited item, in [0, 1], in the order drawn.
    q, N, **options
        As for :func:`lure`.
    """
    return complement(lure(1 - np.asarray(scores, dtype=np.float64), q, N, **options))


def complement(risk: Estimate) -> Estimate:
    """One minus an estimate."""
    if not risk.known:
        return risk
    # Rounded to what the arithmetic carries, so that 1 - 0.1 reads 0.9.
    return replace(
        risk,
        value=round(1 - risk.value, 12),
        low=round(1 - risk.high, 12),
        high=round(1 - risk.low, 12),
    )


def difference(
    losses: ArrayLike,
    others: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    confidence: float = 0.95,
    method: Method = "wilson",
) -> Estimate:
    """By how much the risk of one model exceeds that of another, from the same drawn items.

    Parameters
    ----------
    losses, others : (M,) arrays
        Losses in [0, 1] of both models on the drawn items, in the order drawn.
    q, N, confidence, method
        As for :func:`lure`.

    Returns
    -------
    Estimate
        Of mean loss less mean of the others, in [-1, 1], with Student's interval. The variance
        is that of two more pairs that disagree, one each way (Agresti & Min, "Simple improved
        confidence intervals for comparing matched proportions", Statistics in Medicine 2005).

    Raises
    ------
    EvaluationError
        As :func:`lure`.
    """
    # Each side is checked as a loss of its own.
    first, second = (lure(x, q, N, confidence=confidence, method=method) for x in (losses, others))
    if first.n == 0:
        return unknown(NOTHING, low=-1.0)
    gaps = np.asarray(losses, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    M = len(gaps)
    value = float(np.mean(weights(q, N) * gaps))
    if M == N:
        return Estimate(value, value, value, M, float(M), "every item is labelled")
    variance = variance_of(gaps, _probabilities(q, N), N, value) + 2 / M**2 * (N - M) / N
    half = float(stdtrit(max(M - 1, 1), 0.5 + confidence / 2)) * math.sqrt(variance)
    low, high, words = max(-1.0, value - half), min(1.0, value + half), "paired LURE, Student"
    if method == "anytime":
        low, high = (2 * x - 1 for x in anytime((gaps + 1) / 2, np.asarray(q), N, confidence))
        low, high, words = min(low, value), max(high, value), "paired LURE, band for any number"
    return Estimate(value, low, high, M, min(first.n_eff, second.n_eff), words)


def _slice(
    losses: Floats, q: Floats, N: int, within: NDArray[np.bool_], confidence: float
) -> Estimate:
    """The mean loss of a slice; its variance is that of the draws' shares in the ratio."""
    M, n = len(losses), int(within.sum())
    if n == 0:
        return unknown(f"none of the {M:,} audit labels is of it")
    v = levelled(q, N) * within
    risk = float(v @ losses / v.sum())
    if M == N:
        return Estimate(risk, risk, risk, n, float(n), "every item is labelled")
    share = v.sum() / M
    variance = float(variance_of(within * (losses - risk) / share, q, N, 0.0))
    kish = float(v.sum() ** 2 / np.square(v).sum())
    n_eff, words = kish, "Kish's"
    if variance > 0 and 0 < risk < 1:
        n_eff, words = risk * (1 - risk) / variance, "the effective"
    # As `figures` does: errors that were not seen lie where the slice's items lie.
    is_uniform = bool(is_even(levelled(q, N)))
    beyond = n_eff if is_uniform else min(n_eff, kish)
    turned = not is_uniform and risk > 0.5
    low, high = (x.item() for x in wilson(1 - risk if turned else risk, n_eff, confidence, beyond))
    if turned:
        low, high = 1 - high, 1 - low
    return Estimate(risk, low, high, n, beyond, f"ratio of LURE, Wilson at {words} sample size")


def checked_mask(within: ArrayLike, n: int) -> NDArray[np.bool_]:
    """A mask of n draws.

    Raises
    ------
    EvaluationError
        If it is none.
    """
    mask = np.asarray(within)
    if mask.shape != (n,) or mask.dtype != bool:
        raise EvaluationError(
            f"within must be a mask of {n} booleans, one for every draw, not {mask.dtype} of "
            f"shape {mask.shape}."
        )
    return mask


def _checked(
    losses: ArrayLike,
    q: ArrayLike,
    N: int,
    confidence: float,
    floor: float | None,
    method: str,
) -> tuple[Floats, Floats]:
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 1 or values.shape != np.shape(q):
        raise EvaluationError(
            f"Losses of shape {values.shape} and probabilities of shape {np.shape(q)} do not "
            "match: give one of each for every draw."
        )
    if not 0 < confidence < 1:
        raise EvaluationError(f"confidence must lie between 0 and 1, not {confidence}: 0.95, say.")
    if method not in METHODS:
        raise EvaluationError(f"There is no method {method!r}; use one of {METHODS}.")
    bad = ~((values >= 0) & (values <= 1))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise EvaluationError(
            f"Loss {values[row]} of draw {row} does not lie in [0, 1]: divide losses by the "
            "largest there can be, and leave out draws without one from both arrays."
        )
    probabilities = _probabilities(q, N)
    if floor is not None:
        if not 0 < floor <= 1:
            raise EvaluationError(f"floor must lie in (0, 1], not {floor}; None where not known.")
        below = probabilities < (1 - 1e-9) * floor / (N - np.arange(len(values)))
        if below.any():
            row = int(np.flatnonzero(below)[0])
            raise EvaluationError(
                f"Draw {row} has probability {probabilities[row]:.3g}, below floor={floor} of an "
                f"even chance among {N - row:,} items: give a lower floor, or None."
            )
    return values, probabilities


def _probabilities(q: ArrayLike, N: int) -> Floats:
    if not is_whole(N) or N < 0:
        raise EvaluationError(f"N={N!r} must be a whole number: the items of the pool.")
    probabilities = np.asarray(q, dtype=np.float64)
    if probabilities.ndim != 1:
        raise EvaluationError(
            f"q must be one row of probabilities, not of shape {probabilities.shape}."
        )
    bad = ~((probabilities > 0) & (probabilities <= 1 + 1e-9))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise EvaluationError(
            f"Draw {row} has probability {probabilities[row]}: it must lie in (0, 1]. "
            "Deterministic picks have none and cannot be used for an estimate."
        )
    if len(probabilities) > N:
        raise EvaluationError(
            f"{len(probabilities)} draws from a pool of {N}: drawn twice? N is the size of the "
            "pool before the first draw."
        )
    return probabilities
