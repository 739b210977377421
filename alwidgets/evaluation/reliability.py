"""Calibration: whether a model is right as often as it says, from audit labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.drawn import Floats
from alwidgets.evaluation.given import truths
from alwidgets.evaluation.risk import NOTHING, Estimate, difference, mean_score, weights

#: Bins of a reliability diagram at most, and labels in each at least.
BINS, IN_BIN = 10, 10
#: Labels below which nothing is said.
FEWEST = 2 * IN_BIN
#: Labels that a calibrated model is played with, to see what chance does.
REPLICATES = 1_000
#: Logarithms of the temperature that are tried, and by how much the log likelihood may be worse
#: within a 95 % interval: half the quantile of chi squared with one degree of freedom.
LOGS, DROP = np.linspace(-3, 3, 241), 1.9207
#: A probability is never less: its logarithm is taken.
TINY = 1e-12


@dataclass(frozen=True)
class Bin:
    """Items of which the model is about equally sure.

    Attributes
    ----------
    low, high : float
        The lowest and the highest confidence in it.
    confidence : float
        The mean.
    accuracy : Estimate
        How often the model is right there.
    """

    low: float
    high: float
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True)
class Reliability:
    """Whether a model is right as often as it says.

    Attributes
    ----------
    bins : tuple of Bin
        By confidence, the lowest first; empty where there are too few labels.
    excess : Estimate
        Mean confidence less accuracy, in [-1, 1]: above 0 the model is too sure.
    ece : float
        Expected calibration error: the mean gap between confidence and accuracy over the bins. It
        is never 0 by chance, and the fewer labels the larger.
    by_chance, at_most : float
        The mean of what `ece` would be for a model whose confidence is right, from as many labels,
        and what it would exceed once in 20 times.
    unbiased : float
        The root of the mean squared gap, without what chance adds to it; 0 where chance explains
        all of it.
    n : int
        Labels that it rests on.
    why_not : str or None
        Why nothing can be said.
    """

    bins: tuple[Bin, ...]
    excess: Estimate
    ece: float
    by_chance: float
    at_most: float
    unbiased: float
    n: int
    why_not: str | None = None

    @property
    def is_off(self) -> bool:
        """Whether the error is larger than chance makes it in a model that is calibrated."""
        return self.ece > self.at_most


@dataclass(frozen=True)
class Temperature:
    """By what logits would have to be divided; above 1 the model is too sure.

    Attributes
    ----------
    value, low, high : float
        The best, and its 95 % interval; NaN where nothing can be said.
    """

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return bool(np.isfinite(self.value))


def reliability(
    confidence: ArrayLike,
    correct: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    bins: int = BINS,
    seed: int = 0,
) -> Reliability:
    """A reliability diagram over a pool of N items, and the calibration error.

    Bins hold equally many labels, at least ten, so that each says something; equal confidences
    stay together. Accuracies have the weights of LURE, and Wilson's interval.

    The plain ECE (Naeini, Cooper & Hauskrecht, AAAI 2015) is biased upwards. Beside it stand what
    a calibrated model would show by chance, by consistency resampling (Bröcker & Smith, "Increasing
    the reliability of reliability diagrams", Weather and Forecasting 2007), and the debiased
    estimate (Kumar, Liang & Ma, "Verified uncertainty calibration", NeurIPS 2019), which takes off
    a bin's variance, y (1 - y) / (n - 1), from its squared gap.

    Parameters
    ----------
    confidence : (M,) array
        Of the predicted answer, in [0, 1], in the order drawn.
    correct : (M,) bool array
    q, N
        As for `lure`.
    bins : int
        At most.
    seed : int
        Of the resampling.

    Raises
    ------
    EvaluationError
        As `lure`, for confidences outside [0, 1], and for what is neither true nor false.
    """
    sure, right = np.asarray(confidence, dtype=np.float64), truths(correct, "correct")
    if bins < 1:
        raise EvaluationError(f"A diagram has at least one bin, not {bins}.")
    # Checks both, too.
    excess = difference(sure, right.astype(np.float64), q, N)
    M = len(sure)
    if M < FEWEST:
        nothing = float("nan")
        are = "is" if M == 1 else "are"
        why = f"there {are} {M} audit label{'s' * (M != 1)}, and {FEWEST} are the fewest that tell"
        why = why if M else NOTHING
        return Reliability((), excess, nothing, nothing, nothing, nothing, M, why)
    v = weights(q, N)
    owner = _bins(sure, min(bins, M // IN_BIN))
    found = []
    for b in range(owner.max() + 1):
        of = owner == b
        mean = float(np.average(sure[of], weights=v[of]))
        accuracy = mean_score(right, q, N, within=of)
        found.append(Bin(float(sure[of].min()), float(sure[of].max()), mean, accuracy))
    rng = np.random.default_rng(seed)
    played = rng.random((REPLICATES, M)) < sure
    chance = _ece(owner, v, sure, played)
    return Reliability(
        bins=tuple(found),
        excess=excess,
        ece=float(_ece(owner, v, sure, right[None])[0]),
        by_chance=float(chance.mean()),
        at_most=float(np.quantile(chance, 0.95)),
        unbiased=_unbiased(owner, v, sure, right, 1 - M / N),
        n=M,
    )


def temperature(truth: ArrayLike, proba: ArrayLike, q: ArrayLike, N: int) -> Temperature:
    """The temperature that would make probabilities honest (Guo, Pleiss, Sun & Weinberger, 2017).

    Nothing is changed by it: the audit only tells. The interval is that of the profile likelihood,
    as if the labels were drawn uniformly.

    Parameters
    ----------
    truth : (M,) int array, or (M, C) array of 0 and 1
        Class codes, or a column for each of several labels; in the order drawn.
    proba : (M, C) array
        Probabilities of the classes, or of each label by itself.
    q, N
        As for `lure`.

    Returns
    -------
    Temperature
        NaN for fewer than 20 labels, and where the best is beyond 0.05 and 20: as when the model
        is right about every one of them.

    Raises
    ------
    EvaluationError
        For arrays that do not match, codes that are none, probabilities outside [0, 1], and as
        `lure`.
    """
    is_so, p = np.asarray(truth), np.asarray(proba, dtype=np.float64)
    v = weights(q, N)
    if p.ndim != 2 or len(p) != len(v) or is_so.shape not in (p.shape, p.shape[:1]):
        raise EvaluationError(
            f"truth, proba and q of shapes {is_so.shape}, {p.shape} and {v.shape} do not match."
        )
    _check(is_so, p)
    if len(v) < FEWEST:
        return Temperature(*[float("nan")] * 3)
    if is_so.ndim == 2:
        # Each label is a choice between having it and not.
        p, is_so = p.reshape(-1), is_so.reshape(-1)
        v = np.repeat(v, len(p) // len(v))
        p = np.stack([1 - p, p], axis=1)
    logits = np.log(np.clip(p, TINY, 1.0))
    at = np.arange(len(p))
    loss = np.array([v @ _nll(logits / np.exp(log), is_so, at) for log in LOGS])
    best = int(loss.argmin())
    if best in (0, len(LOGS) - 1):
        return Temperature(*[float("nan")] * 3)
    inside = np.flatnonzero(loss <= loss[best] + DROP)
    return Temperature(*(float(np.exp(LOGS[k])) for k in (best, inside[0], inside[-1])))


def _check(is_so: NDArray[Any], p: Floats) -> None:
    """Raise what is wrong with codes, or marks of several labels, or with probabilities."""
    classes = p.shape[1] if is_so.ndim == 1 else 2
    is_code = np.zeros(is_so.shape, dtype=bool)
    if is_so.dtype.kind in "iub":
        is_code = (is_so >= 0) & (is_so < classes)
    if not is_code.all():
        row = np.argwhere(~is_code)[0]
        raise EvaluationError(
            f"truth is {is_so[tuple(row)]!r} in row {row[0]}: it must be a whole number in "
            f"0..{classes - 1}, the place of a column of proba."
            if is_so.ndim == 1
            else f"truth is {is_so[tuple(row)]!r} in row {row[0]}: it must be 0 or 1."
        )
    # Of float32 a sum may come out a little above 1.
    outside = ~((p >= 0) & (p <= 1 + 1e-6))
    if outside.any():
        row = np.argwhere(outside)[0]
        raise EvaluationError(
            f"proba is {p[tuple(row)]} in row {row[0]}: probabilities lie in [0, 1]."
        )


def _nll(logits: Floats, codes: NDArray[np.int64], at: NDArray[np.int64]) -> Floats:
    top = logits.max(axis=1)
    total: Floats = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top
    return total - logits[at, codes]


def _bins(sure: Floats, n: int) -> NDArray[np.int64]:
    """The bin of each, 0..: with as many in each as may be, and what is equal together."""
    _, at, counts = np.unique(sure, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    cut = (n * (before + counts / 2) / len(sure)).astype(np.int64)
    found: NDArray[np.int64] = np.unique(cut, return_inverse=True)[1][at]
    return found


def _ece(owner: NDArray[np.int64], v: Floats, sure: Floats, right: NDArray[np.bool_]) -> Floats:
    """Of each row of what is right, (K, M): the mean gap over the bins, (K,)."""
    one = np.zeros((len(v), owner.max() + 1))
    one[np.arange(len(v)), owner] = v
    gaps: Floats = np.abs((sure - right) @ one)
    error: Floats = gaps.sum(axis=1) / v.sum()
    return error


def _unbiased(
    owner: NDArray[np.int64], v: Floats, sure: Floats, right: NDArray[np.bool_], left: float
) -> float:
    """The root of the mean squared gap, less what is expected of chance."""
    total = 0.0
    for b in range(owner.max() + 1):
        of = owner == b
        share, rate = v[of].sum() / v.sum(), np.average(right[of], weights=v[of])
        gap = np.average(sure[of], weights=v[of]) - rate
        n_eff = v[of].sum() ** 2 / np.square(v[of]).sum()
        chance = rate * (1 - rate) / max(n_eff - 1, 1) * left
        total += share * (gap**2 - chance)
    return float(np.sqrt(max(total, 0.0)))
