"""Precision, recall and F1 over a pool, from labels that were drawn: ratios, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.drawn import Floats
from alwidgets.evaluation.risk import NOTHING, Estimate, checked_mask, unknown, weights

Ratio: TypeAlias = Literal["precision", "recall", "f1"]
Average: TypeAlias = Literal["macro", "micro"]
RATIOS: tuple[Ratio, ...] = get_args(Ratio)

#: Replicates of a bootstrap.
REPLICATES = 1_000
#: What a replicate has of right and of wrong items before it has seen one (Jeffreys): without it
#: the interval of a class of which every label is right would be a point.
PRIOR = 0.5
NOWHERE = "no class is in a label or a prediction"
ONE_CLASS = "all audit labels and predictions are of one class so far"
EXACT = "every item is labelled"
BOOTSTRAP = "Bayesian bootstrap with the weights of LURE"


def precision(truth: ArrayLike, predicted: ArrayLike, q: ArrayLike, N: int, **o: Any) -> Estimate:
    """How much of what the model says is so: parameters and interval as of :func:`f1`."""
    return _ratio("precision", truth, predicted, q, N, **o)


def recall(truth: ArrayLike, predicted: ArrayLike, q: ArrayLike, N: int, **o: Any) -> Estimate:
    """How much of what is so the model says: parameters and interval as of :func:`f1`."""
    return _ratio("recall", truth, predicted, q, N, **o)


def f1(truth: ArrayLike, predicted: ArrayLike, q: ArrayLike, N: int, **o: Any) -> Estimate:
    """The harmonic mean of precision and recall over a pool of N items, from M drawn ones.

    A ratio of weighted counts, with the weights of LURE: consistent, not unbiased. The interval
    is that of a Bayesian bootstrap (Rubin, "The Bayesian bootstrap", Annals of Statistics 1981),
    in which every class begins with half an item that is right and half a one that is wrong.

    Parameters
    ----------
    truth, predicted : (M,) int arrays, or (M, C) arrays of 0 and 1
        Class codes, or a column for each of several labels; in the order drawn.
    q, N
        As for :func:`lure`.
    of : int, optional
        Code of the class that is meant; by default all of them.
    average : {"macro", "micro"}
        Of all classes: the mean of each one's figure, or the figure of their counts together,
        which where items have one class is the accuracy.
    within : (M,) bool array, optional
        Only these: a slice.
    names : sequence of str, optional
        Of the classes, by code.
    confidence : float
    seed : int
        Of the bootstrap.

    Returns
    -------
    Estimate
        NaN, and why in words, where the figure is not defined. A mean over classes leaves out
        those that are in no label and no prediction, and says so.

    Raises
    ------
    EvaluationError
        For arrays that do not match, codes that are none, and impossible probabilities.

    Examples
    --------
    >>> truth, said = [0, 0, 0, 1, 1], [0, 0, 0, 1, 0]
    >>> q = [1 / (100 - m) for m in range(5)]
    >>> round(recall(truth, said, q, 100, of=1).value, 3)
    0.5
    """
    return _ratio("f1", truth, predicted, q, N, **o)


def _ratio(
    metric: Ratio,
    truth: ArrayLike,
    predicted: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    of: int | None = None,
    average: Average = "macro",
    **o: Any,
) -> Estimate:
    if average not in get_args(Average):
        raise EvaluationError(f"There is no average {average!r}; use one of {get_args(Average)}.")
    drawn = _Drawn.of(truth, predicted, q, N, **o)
    if of is not None:
        return drawn.one(metric, of)
    return drawn.macro(metric) if average == "macro" else drawn.micro(metric)


@dataclass(frozen=True)
class _Drawn:
    """Items that were drawn, what is so of them and what the model says."""

    has: NDArray[np.bool_]  # (M, C)
    said: NDArray[np.bool_]
    v: Floats  # (M,), 1 on average over all that were drawn
    left: float  # share of the pool that was not drawn
    names: Sequence[str] | None
    confidence: float
    seed: int

    @classmethod
    def of(
        cls,
        truth: ArrayLike,
        predicted: ArrayLike,
        q: ArrayLike,
        N: int,
        *,
        within: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> _Drawn:
        v = weights(q, N)
        given = [np.asarray(x) for x in (truth, predicted)]
        if given[0].shape != given[1].shape or len(given[0]) != len(v):
            shapes = f"{given[0].shape}, {given[1].shape} and {v.shape}"
            raise EvaluationError(
                f"truth, predicted and q of shapes {shapes} do not match: give a row of each for "
                "every draw."
            )
        if not 0 < confidence < 1:
            raise EvaluationError(f"confidence must lie between 0 and 1, not {confidence}.")
        n_classes = len(names) if names is not None else None
        has, said = (
            _marks(x, n_classes, what)
            for x, what in zip(given, ("truth", "predicted"), strict=True)
        )
        width = max(has.shape[1], said.shape[1])
        has, said = (np.pad(x, ((0, 0), (0, width - x.shape[1]))) for x in (has, said))
        v = v / v.mean() if len(v) else v
        left = 1 - len(v) / N
        if within is not None:
            chosen = checked_mask(within, len(v))
            has, said, v = has[chosen], said[chosen], v[chosen]
        return cls(has, said, v, left, names, confidence, seed)

    def one(self, metric: Ratio, code: int) -> Estimate:
        """Of a class."""
        if len(self.v) and not 0 <= code < self.has.shape[1]:
            raise EvaluationError(f"There is no class {code} among 0..{self.has.shape[1] - 1}.")
        if why := self._why_not(metric, code):
            return unknown(why, len(self.v))
        n = int(self._looked_at(metric)[:, code].sum())
        return self._estimate(metric, self._cells([code]), PRIOR, n, "")

    def macro(self, metric: Ratio) -> Estimate:
        """The mean over the classes of which there is something to say."""
        there = np.flatnonzero(self._looked_at(metric).any(axis=0))
        if not len(there):
            return unknown(NOWHERE if len(self.v) else NOTHING, len(self.v))
        n_classes = self.has.shape[1]
        if len(there) == 1 < n_classes:
            return unknown(ONE_CLASS, len(self.v))
        words = f", mean of {len(there)} classes"
        if missing := n_classes - len(there):
            words += f"; nothing is known of {missing} more"
        # In the mean of many classes it would add up to a shift that is large beside the spread.
        prior = PRIOR * min(1.0, (2 / len(there)) ** 0.5)
        return self._estimate(metric, self._cells(there), prior, len(self.v), words)

    def micro(self, metric: Ratio) -> Estimate:
        """Of the counts of all classes together."""
        if not self._looked_at(metric).any():
            return unknown(NOWHERE if len(self.v) else NOTHING, len(self.v))
        cells = [cell.sum(axis=1, keepdims=True) for cell in self._cells(slice(None))]
        return self._estimate(metric, cells, PRIOR, len(self.v), ", of all classes together")

    def _why_not(self, metric: Ratio, code: int) -> str | None:
        """Why a metric of a class is not known, in words."""
        name = repr(self.names[code]) if self.names else f"class {code}"
        n = len(self.v)
        if not n:
            return NOTHING
        if self._looked_at(metric)[:, code].any():
            return None
        among = f"the {n} audit label{'s' * (n != 1)}"
        if metric == "recall":
            return f"none of {among} is {name}"
        if metric == "precision":
            return f"the model says {name} of none of {among}"
        return f"none of {among} is {name}, and the model says so of none"

    def _looked_at(self, metric: Ratio) -> NDArray[np.bool_]:
        """Which items a metric of each class is made of, (M, C)."""
        if metric == "precision":
            return self.said
        return self.has if metric == "recall" else self.has | self.said

    def _cells(self, columns: Any) -> list[Floats]:
        """Which items are right, wrongly said, and wrongly not said of each class, (M, c)."""
        has, said = self.has[:, columns], self.said[:, columns]
        return [x.astype(np.float64) for x in (has & said, said & ~has, has & ~said)]

    def _estimate(
        self, metric: Ratio, cells: list[Floats], prior: float, n: int, words: str
    ) -> Estimate:
        """The mean of a metric over the columns of the cells, and its interval."""
        value = float(_of(metric, *(self.v @ cell for cell in cells)).mean())
        if self.left == 0:
            return Estimate(value, value, value, n, float(n), EXACT + words)
        rng = np.random.default_rng(self.seed)
        # What is in no cell counts for nothing: of one class out of many these are most items.
        counted = np.any([cell.any(axis=1) for cell in cells], axis=0)
        v = self.v[counted]
        # The variance of what was drawn from a pool is less by the share of it that was.
        drawn = rng.gamma(1 / self.left, self.left, (REPLICATES, len(v))) * v
        counts = [
            drawn @ cell[counted] + _prior(metric, place, prior, (REPLICATES, cell.shape[1]), rng)
            for place, cell in enumerate(cells)
        ]
        found = _of(metric, *counts).mean(axis=1)
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(found, (tail, 1 - tail)).tolist()
        # Nothing contradicts a perfect figure, or one of nought.
        low = 0.0 if value == 0 else min(low, value)
        high = 1.0 if value == 1 else max(high, value)
        middle = float(found.mean())
        n_eff = min(middle * (1 - middle) / float(found.var()), float(n))
        return Estimate(value, low, high, n, n_eff, BOOTSTRAP + words)


def _of(metric: Ratio, right: Any, said_only: Any, has_only: Any) -> Any:
    """The figure of counts."""
    if metric == "precision":
        return right / (right + said_only)
    if metric == "recall":
        return right / (right + has_only)
    return 2 * right / (2 * right + said_only + has_only)


def _prior(
    metric: Ratio, cell: int, prior: float, shape: tuple[int, ...], rng: np.random.Generator
) -> Any:
    """What a replicate has in a cell (right, said only, has only) before any item."""
    share = {"precision": (1.0, 1.0, 0.0), "recall": (1.0, 0.0, 1.0), "f1": (1.0, 0.5, 0.5)}
    part = prior * share[metric][cell]
    return rng.gamma(part, 1.0, shape) if part else 0.0


def _marks(given: NDArray[Any], n_classes: int | None, what: str) -> NDArray[np.bool_]:
    """Which classes each item has, (M, C)."""
    if given.ndim == 2:
        if not np.isin(given, (0, 1)).all():
            raise EvaluationError(f"{what} must hold 0 and 1 only, a column for each label.")
        return given.astype(bool)
    if len(given) and (given.ndim != 1 or given.dtype.kind not in "iu"):
        raise EvaluationError(
            f"{what} must be whole class codes, or a table of 0 and 1, not {given.dtype} of shape "
            f"{given.shape}: np.unique(labels, return_inverse=True)[1] makes codes of any labels."
        )
    width = n_classes if n_classes is not None else int(given.max(initial=-1)) + 1
    bad = np.flatnonzero((given < 0) | (given >= width))
    if len(bad):
        raise EvaluationError(
            f"{what} has code {given[bad[0]]} in row {bad[0]}: codes lie in 0..{width - 1}."
        )
    return cast("NDArray[np.bool_]", given.reshape(-1, 1) == np.arange(width))
