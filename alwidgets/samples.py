"""Labels that test a model: those of the audit, and those of a batch that it picked itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .evaluation import risk
from .evaluation.risk import Estimate


@dataclass(frozen=True)
class AuditSample:
    """Audit labels in the order in which they were drawn.

    Attributes
    ----------
    items : ndarray of int64, shape (m,)
        Positions in the pool.
    codes : ndarray of int64, shape (m,)
    q : ndarray of float64, shape (m,)
        Probability of each draw among what remained.
    population : int
        Items that the first draw could have been.
    skipped : int
        Audit cards that were passed over: a reason for doubt, if they were the hard ones.
    """

    items: NDArray[np.int64]
    codes: NDArray[np.int64]
    q: NDArray[np.float64]
    population: int
    skipped: int = 0

    def none(self) -> AuditSample:
        """Return the same sample before anything was drawn."""
        return replace(self.first(0), skipped=0)

    def first(self, n: int) -> AuditSample:
        """Return the sample of the first n labels."""
        return replace(self, items=self.items[:n], codes=self.codes[:n], q=self.q[:n])

    def accuracy(self, predicted: NDArray[Any]) -> Estimate:
        """Estimate the accuracy on the pool from predicted codes, shape (m,)."""
        return risk.accuracy(predicted == self.codes, self.q, self.population)


@dataclass(frozen=True)
class Picked:
    """A batch in the order in which it was picked, and what the model that picked it says of it.

    Attributes
    ----------
    version : int
        Of the model.
    strategy : str
    items, said : ndarray of int64, shape (m,)
        Positions in the pool, and codes.
    q : ndarray of float64, shape (m,)
        Probability of each draw among what remained; NaN where it is not known.
    n_candidates : int
        Before the first draw.
    """

    version: int
    strategy: str
    items: NDArray[np.int64]
    said: NDArray[np.int64]
    q: NDArray[np.float64]
    n_candidates: int
