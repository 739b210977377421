"""Rare classes: an audit that is drawn by strata of the score, and what it says of the pool."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.intervals import wilson
from alwidgets.evaluation.risk import NOTHING, Estimate, unknown

#: Draws from every stratum at least: also where nothing is expected, for that may be wrong.
LEAST = 10
#: A rate that nobody is surer of than this.
SURE = 0.01
#: Of a draw of either kind, what a stratum has in the variance before any: with less, intervals
#: covered too little where a stratum shows no loss; with more they are wider than they need to be.
UNSEEN = 0.1


def strata(scores: ArrayLike, n: int = 4) -> NDArray[np.int64]:
    """Cut a pool into strata by a score between 0 and 1, such as the probability of a rare class.

    The cuts part the sum of sqrt(p (1 - p)) evenly, so that the best allocation draws as many from
    each (the equal aggregate rule of Särndal, Swensson & Wretman, "Model assisted survey sampling",
    1992): where a class is rare, the lowest stratum is by far the largest.

    Parameters
    ----------
    scores : (N,) array
    n : int
        Strata, at most; fewer where many scores are equal.

    Returns
    -------
    (N,) int64 array
        0 is the lowest.

    Raises
    ------
    EvaluationError
        For scores outside [0, 1], naming the row, and where there is none.
    """
    p = _rates(scores, "Score", "row")
    if not len(p):
        raise EvaluationError("There is no score: a pool without items has no strata.")
    if n < 1:
        raise EvaluationError(f"A pool is cut into at least one stratum, not {n}.")
    values, at, counts = np.unique(p, return_inverse=True, return_counts=True)
    share = np.cumsum(counts * _spread(values))
    # What is equal stays together; a stratum ends with the value that fills it.
    before = np.r_[0.0, share[:-1]] / share[-1]
    cut = np.minimum((n * before + 1e-9).astype(np.int64), n - 1)
    found: NDArray[np.int64] = np.unique(cut, return_inverse=True)[1][at]
    return found


def allocate(
    draws: int, sizes: ArrayLike, rates: ArrayLike, least: int = LEAST
) -> NDArray[np.int64]:
    """Share out audit draws over strata, the lowest too.

    Every stratum gets `least`, or half of an even share where that is less; the rest goes by
    N_h sqrt(p_h (1 - p_h)) (Neyman, JRSS 1934), as far as there are items.

    Parameters
    ----------
    draws : int
    sizes : (H,) int array
        Items N_h of each stratum.
    rates : (H,) array
        What share of each is expected to be lost, or of the class: a guess is enough.
    least : int

    Returns
    -------
    (H,) int64 array
        Draws from each; they add up to `draws`, or to all items where there are fewer.

    Raises
    ------
    EvaluationError
        For sizes and rates that do not match, sizes below 1, and fewer than two draws a stratum.
    """
    room = np.asarray(sizes)
    expected = _rates(rates, "Rate", "stratum")
    if room.ndim != 1 or room.shape != expected.shape or room.dtype.kind not in "iu":
        raise EvaluationError(
            f"sizes {room.shape} and rates {expected.shape} do not match: give a whole number of "
            "items and a rate for every stratum."
        )
    if not len(room) or room.min() < 1:
        raise EvaluationError("Every stratum needs an item: leave empty ones out.")
    draws = min(draws, int(room.sum()))
    if draws < np.minimum(room, 2).sum():
        raise EvaluationError(
            f"{draws} draws are too few for {len(room)} strata: two of each are needed for an "
            "interval. Draw more, or cut fewer strata."
        )
    floor = np.minimum(room, max(2, min(least, draws // (2 * len(room)))))
    given: NDArray[np.int64] = np.minimum(floor, room).astype(np.int64)
    weight = room * _spread(expected)
    while (left := draws - int(given.sum())) > 0:
        open_ = np.flatnonzero(given < room)
        part = left * weight[open_] / weight[open_].sum()
        more = np.minimum(np.floor(part).astype(np.int64), room[open_] - given[open_])
        if not more.any():
            # Fewer are left than strata, or almost: to those that are owed most.
            more[np.argsort(-part, kind="stable")[:left]] = 1
        given[open_] += more
    return given


def stratified(
    losses: ArrayLike, strata: ArrayLike, sizes: ArrayLike, *, confidence: float = 0.95
) -> Estimate:
    """The mean loss over a pool from uniform draws within strata: the sum of (N_h / N) R_h.

    The interval is Wilson's at the effective sample size R (1 - R) / V. In V every stratum has a
    tenth of a draw more of either kind, so that one without a loss still has its say: its share of
    the pool may be large.

    Parameters
    ----------
    losses : (M,) array
        Of the drawn items, in [0, 1].
    strata : (M,) int array
        The stratum of each, 0..H-1.
    sizes : (H,) int array
        Items N_h of each stratum, drawn or not.
    confidence : float

    Returns
    -------
    Estimate
        NaN, and why in words, while a stratum has no draw.

    Raises
    ------
    EvaluationError
        For arrays that do not match, losses outside [0, 1], and more draws than items.

    Examples
    --------
    >>> found = stratified([0, 0, 0, 1, 0], [0, 0, 0, 1, 1], sizes=[90, 10])
    >>> round(found.value, 3)
    0.05
    """
    values, at, room = _rates(losses, "Loss", "draw"), np.asarray(strata), np.asarray(sizes)
    if at.shape != values.shape or (len(at) and at.dtype.kind not in "iu"):
        raise EvaluationError(
            f"{values.shape} losses and {at.shape} strata do not match: give the number of its "
            "stratum for every draw."
        )
    if not 0 < confidence < 1:
        raise EvaluationError(f"confidence must lie between 0 and 1, not {confidence}.")
    outside = np.flatnonzero((at < 0) | (at >= len(room)))
    if len(outside):
        row = int(outside[0])
        raise EvaluationError(f"Draw {row} is of stratum {at[row]}: there are 0..{len(room) - 1}.")
    at = at.astype(np.int64)
    n = np.bincount(at, minlength=len(room))
    if (n > room).any():
        h = int(np.flatnonzero(n > room)[0])
        raise EvaluationError(f"{n[h]} draws from the {room[h]} items of stratum {h}: drawn twice?")
    if not len(values):
        return unknown(NOTHING)
    share = room / room.sum()
    if (n[room > 0] == 0).any():
        h = int(np.flatnonzero((n == 0) & (room > 0))[0])
        return unknown(f"nothing was drawn from stratum {h}, {share[h]:.1%} of the pool", len(at))
    share, room, n = share[room > 0], room[room > 0], n[room > 0]
    risk = np.bincount(at, weights=values)[np.unique(at)] / n
    value = float(share @ risk)
    # What is drawn whole is known: the more of a stratum was drawn, the less it adds.
    add = share**2 * (1 - n / room) / n
    smooth = (n * risk + UNSEEN) / (n + 2 * UNSEEN)
    if not add.any():
        return Estimate(value, value, value, len(at), float(len(at)), "every item is labelled")
    n_eff = 1 / float(add.sum())
    if 0 < value < 1:
        n_eff = value * (1 - value) / float(add @ (smooth * (1 - smooth)))
    low, high = (x.item() for x in wilson(value, n_eff, confidence))
    words = f"{len(n)} strata, Wilson at the effective sample size"
    return Estimate(value, low, high, len(at), n_eff, words)


def _rates(given: ArrayLike, what: str, where: str) -> NDArray[np.float64]:
    values = np.asarray(given, dtype=np.float64)
    if values.ndim != 1:
        raise EvaluationError(f"{what}s must be one row of numbers, not of shape {values.shape}.")
    bad = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(bad):
        raise EvaluationError(
            f"{what} {values[bad[0]]} of {where} {bad[0]} does not lie in [0, 1]."
        )
    return values


def _spread(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of what happens at these rates; of none nobody is quite sure."""
    kept = np.clip(p, SURE, 1 - SURE)
    spread: NDArray[np.float64] = np.sqrt(kept * (1 - kept))
    return spread
