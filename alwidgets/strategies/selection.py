"""From scores to a batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import StrategyError

#: Of the largest score: nothing weighs less, so every item can be drawn by either route.
LEAST = 1e-6


def sample(
    scores: ArrayLike, n: int, *, beta: float = 1.0, floor: float = 0.15, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw ``n`` items one after the other, without replacement, and say with what probability.

    Draw m takes item i of those that remain with probability
    ``(1 - floor) * s_i**beta / sum(s**beta) + floor / remaining``. The power route is a Gumbel
    top-k on ``log s + g / beta`` (Kirsch et al., "Stochastic batch acquisition", TMLR 2023): an
    exponential race, whose order among what remains does not change when the uniform route takes
    an item out of it.

    Parameters
    ----------
    scores : (m,) array
        At least 0, higher means sooner. Scores below one millionth of the largest count as that.
    n : int
        How many; what is left if there are fewer.
    beta : float
        0 is uniform; large is close to the best ``n``.
    floor : float
        Share of uniform draws, in [0, 1].
    seed : int

    Returns
    -------
    indices : (min(n, m),) int64
        Rows of ``scores`` in the order drawn.
    log_q : (min(n, m),) float64
        Natural logarithm of the probability of each draw among what remained.

    Raises
    ------
    StrategyError
        For negative or non-finite scores, naming the row.
    """
    values = _checked(scores)
    if len(values) and values.min() < 0:
        row = int(np.flatnonzero(values < 0)[0])
        raise StrategyError(
            f"Score {values[row]:g} of row {row} is negative: sampling needs scores of at least 0; "
            "use selection='top' otherwise."
        )
    if not 0 <= floor <= 1 or beta < 0:
        raise StrategyError(f"floor must lie in [0, 1] and beta be >= 0, not {floor}, {beta}.")
    m = len(values)
    n = max(0, min(n, m))
    if n == 0:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    rng = np.random.default_rng(seed)
    highest = values.max()
    scaled = np.maximum(values / highest, LEAST) if highest > 0 else np.ones(m)
    log_weight = beta * np.log(scaled)

    race = _first(-(log_weight + rng.gumbel(size=m)), n)
    lots = _first(rng.random(m), n)
    by_lot = rng.random(n) < floor
    taken = np.zeros(m, dtype=bool)
    chosen = np.empty(n, np.int64)
    heads = [0, 0]
    for draw in range(n):
        route = int(by_lot[draw])
        order = lots if route else race
        while taken[order[heads[route]]]:
            heads[route] += 1
        chosen[draw] = order[heads[route]]
        taken[chosen[draw]] = True

    # What the weights of the remaining items add up to before each draw, from the back: no
    # subtraction, so a dominant first item costs no precision.
    outside = np.logaddexp.reduce(log_weight[~taken]) if n < m else -np.inf
    from_back = np.logaddexp.accumulate(np.r_[outside, log_weight[chosen][::-1]])
    log_total = from_back[1:][::-1]
    remaining = m - np.arange(n)
    with np.errstate(divide="ignore"):
        by_power = np.log1p(-floor) + log_weight[chosen] - log_total
        uniform = np.log(floor) - np.log(remaining)
    # The last of all is certain; the sum of its two routes may round just above 1.
    return chosen, np.minimum(np.logaddexp(by_power, uniform), 0.0)


def top(scores: ArrayLike, n: int, *, seed: int) -> NDArray[np.int64]:
    """The rows of the ``n`` highest scores, best first; ties are broken by the seed.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.
    """
    values = _checked(scores)
    n = max(0, min(n, len(values)))
    if n == 0:
        return np.empty(0, np.int64)
    ties = np.random.default_rng(seed).random(len(values))
    # Only rows that can be among the best are sorted.
    bar = np.partition(values, len(values) - n)[len(values) - n]
    rows = np.flatnonzero(values >= bar)
    best = rows[np.lexsort((ties[rows], -values[rows]))][:n]
    return best.astype(np.int64)


def _first(keys: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Rows of the ``n`` smallest keys, in order."""
    rows = np.argpartition(keys, n - 1)[:n] if n < len(keys) else np.arange(len(keys))
    return rows[np.argsort(keys[rows], kind="stable")].astype(np.int64)


def _checked(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise StrategyError(f"Scores must have shape (m,), not {values.shape}.")
    finite = np.isfinite(values)
    if not finite.all():
        raise StrategyError(f"Score of row {int(np.flatnonzero(~finite)[0])} is NaN or infinite.")
    return values
