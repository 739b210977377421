"""What draws say of the pool that they were drawn from, each with a probability of its own."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alwidgets.evaluation.intervals import unbiased, wilson

Floats: TypeAlias = NDArray[np.float64]

#: Weights that differ by less are the same: what single precision leaves of uniform draws.
ROUNDING = 1e-5


def figures(
    losses: Floats, q: Floats, N: int, confidence: float = 0.95, floor: float | None = None
) -> tuple[Any, Any, Any, Any, Any]:
    """What `risk.lure` says of many pools at once, unchecked.

    The variance of LURE tells of errors like those that were drawn. A sharp strategy draws most
    items hardly ever: the few of them that it draws weigh much, mostly none of these is an error,
    and the variance is next to nothing. So the further errors, which the upper end of the interval
    supposes, are taken to lie where the pool's items lie; of these the draws say no more than as
    many uniform ones as their weights allow, Kish's (sum v)^2 / sum v^2, here of the weights that
    draws have for what is left of the pool. Their mean is known, and what a row of them lacks of it
    counts as one draw more, of a part of the pool that nothing drawn stands for. Where most of the
    pool are errors, what is rare is that there is none: the interval is that of 1 - losses, turned.
    Uniform draws have Wilson's interval.

    Parameters
    ----------
    losses, q : (..., M) arrays
        A row for each pool.
    N, confidence, floor
        As for `risk.lure`.

    Returns
    -------
    risk, low, high : (...) arrays
    n_eff : (...) array
        What the end of the interval that reaches farther rests on.
    is_fallback : (...) bool array
        Where the effective sample size is not defined.

    References
    ----------
    Farquhar, Gal & Rainforth, "On statistical bias in active learning", ICLR 2021; Wilson,
    "Probable inference, the law of succession, and statistical inference", JASA 1927; Kish,
    "Survey sampling", 1965.
    """
    v = levelled(q, N)
    risk = np.mean(v * losses, axis=-1)
    is_uniform = is_even(v)
    turned = ~is_uniform & ((v * losses).sum(axis=-1) > v.sum(axis=-1) / 2)
    rare = np.where(turned[..., None], 1 - losses, losses)
    low, high, n_eff, is_fallback = _ends(rare, v, q, N, confidence, floor, is_uniform)
    low, high = np.where(turned, 1 - high, low), np.where(turned, 1 - low, high)
    within = np.clip(risk, 0.0, 1.0)
    return risk, np.minimum(low, within), np.maximum(high, within), n_eff, is_fallback


def levelled(q: Floats, N: int) -> Floats:
    """The weights v that undo the choice, as `risk.weights` has them, (..., M)."""
    M = q.shape[-1]
    if M == N:
        return np.ones_like(q)
    m = np.arange(1, M + 1)
    v: Floats = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) * q) - 1)
    return v


def variance_of(losses: Floats, q: Floats, N: int, risk: Any) -> Any:
    """Of the mean of the losses, which may be any numbers, (...) of (..., M) draws."""
    M = losses.shape[-1]
    if not 1 < M < N:
        return np.zeros(losses.shape[:-1])
    m = np.arange(1, M + 1)
    c = N * (N - M) / ((N - m) * (N - m + 1))
    spread = np.square(unbiased(losses, q, N) - np.asarray(risk)[..., None])
    return M / (M - 1) * np.sum(np.square(c / M) * spread, axis=-1)


def is_even(v: Floats) -> Any:
    """Whether every draw stands for as many items, (...) of weights (..., M)."""
    return (np.abs(v - 1) < ROUNDING).all(axis=-1)


def _ends(
    losses: Floats,
    v: Floats,
    q: Floats,
    N: int,
    confidence: float,
    floor: float | None,
    is_uniform: Any,
) -> tuple[Any, Any, Any, Any]:
    """The interval of a risk of at most a half, what it rests on, and where that is not defined."""
    risk = np.mean(v * losses, axis=-1)
    variance = variance_of(losses, q, N, risk)
    of_pool = _told_of_pool(v, N)
    least = np.minimum(v.sum(axis=-1) ** 2 / np.square(v).sum(axis=-1), of_pool)
    if floor is not None:
        least = np.full_like(of_pool, v.shape[-1] * floor)
    defined = (variance > 0) & (risk > 0) & (risk < 1)
    n_eff = np.where(defined, risk * (1 - risk) / np.where(defined, variance, 1.0), least)
    beyond = np.where(is_uniform, n_eff, np.minimum(n_eff, of_pool))
    low, high = wilson(np.clip(risk, 0.0, 1.0), n_eff, confidence, beyond)
    return low, high, beyond, ~defined


def _told_of_pool(v: Floats, N: int) -> Any:
    """As many uniform draws would tell as much of the pool, (...) of weights (..., M)."""
    M = v.shape[-1]
    if M == N:
        return np.full(v.shape[:-1], float(M))
    # Of what is drawn there is nothing to guess: so much of each draw is for what is left. Of
    # uniform draws it is `left`, and they tell as much as M of them do.
    left = (N - M) / (N - np.arange(1, M + 1))
    w = v - 1 + left
    total, even, squares = w.sum(axis=-1), left.sum(), np.square(w).sum(axis=-1)
    lacking = np.maximum(0.0, even - total)
    with_lacking = np.maximum(total, even) ** 2 / (squares + np.square(lacking))
    return (M / even) ** 2 * np.minimum(total**2 / squares, with_lacking)
