"""Labels beside what a model says of the same items, and what that comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .evaluation import metrics
from .evaluation.confusion import NOT_DRAWN, Confusion, confusion
from .evaluation.metrics import Metric
from .evaluation.reliability import Reliability, Temperature, reliability, temperature
from .evaluation.risk import Estimate, unknown

#: Labels to look at: those of the audit, or those that the model was trained on.
Of = Literal["audit", "train"]
#: A probability is never less: its logarithm is taken.
TINY = 1e-12


@dataclass(frozen=True)
class Judged:
    """Labels beside what a model says of the same items.

    Attributes
    ----------
    of : {"audit", "train"}
    version : int
        Of the model.
    names : tuple of str
        The classes that can be given.
    items : (m,) int64 array
        Positions in the pool.
    truth, said : (m,) int64 arrays, or (m, C) arrays of 0 and 1
        Places of the classes, or a column for each of several labels.
    proba : (m, C) float64 array
    q : (m,) float64 array or None
        As of an audit sample; None of training labels, which were not drawn at random.
    population : int
    skipped : int
        Audit cards that were passed over: a reason for doubt, if they were the hard ones.
    """

    of: Of
    version: int
    names: Sequence[str]
    items: NDArray[np.int64]
    truth: NDArray[Any]
    said: NDArray[Any]
    proba: NDArray[np.float64]
    q: NDArray[np.float64] | None
    population: int
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.items)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the model is right about each, of several labels about all of them, (m,)."""
        same: NDArray[np.bool_] = np.asarray(self.truth == self.said)
        return same if same.ndim == 1 else np.asarray(same.all(axis=1))

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of what the model says of each, (m,)."""
        return self._probability(self.said)

    @property
    def probability(self) -> NDArray[np.float64]:
        """Probability of what each is labelled, (m,)."""
        return self._probability(self.truth)

    @property
    def loss(self) -> NDArray[np.float64]:
        """Of the label of each, in nats, (m,)."""
        found: NDArray[np.float64] = -np.log(np.maximum(self.probability, TINY))
        return found

    def confusion(self) -> Confusion:
        """What is taken for what; of labels that were not drawn at random counts only."""
        return confusion(self.truth, self.said, self.q, self.population, names=self.names)

    def estimate(self, metric: Metric, of: int | None = None) -> Estimate:
        """A metric of all classes or of one.

        Of labels that were not drawn at random it is their own, without an interval.
        """
        drawn = self.q is not None
        # Otherwise as if they were the whole pool, which they are not.
        q = self.q if self.q is not None else 1.0 / np.arange(len(self), 0, -1)
        population = self.population if drawn else max(len(self), 1)
        found = metrics.estimate(
            metric, self.truth, self.said, q, population, of=of, names=self.names
        )
        if drawn:
            return found
        if not found.known:
            return unknown(found.method.replace("audit", "training"), found.n)
        return Estimate(found.value, math.nan, math.nan, found.n, math.nan, NOT_DRAWN)

    def reliability(self) -> Reliability:
        """Whether the model is right as often as it says; of audit labels."""
        assert self.q is not None, NOT_DRAWN
        return reliability(self.confidence, self.right, self.q, self.population)

    def temperature(self) -> Temperature:
        """By what the logits would have to be divided to be honest; of audit labels."""
        assert self.q is not None, NOT_DRAWN
        return temperature(self.truth, self.proba, self.q, self.population)

    def _probability(self, answers: NDArray[Any]) -> NDArray[np.float64]:
        if answers.ndim == 1:
            of: NDArray[np.float64] = self.proba[np.arange(len(answers)), answers]
            return of
        found: NDArray[np.float64] = np.where(answers > 0, self.proba, 1 - self.proba).prod(axis=1)
        return found
