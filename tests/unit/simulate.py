"""Active learning on data with known labels: learner and select in a loop, no session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from alwidgets.learners import HeadEnsemble
from alwidgets.strategies import Strategy, select


@dataclass(frozen=True)
class Data:
    """Features and class codes of a pool and of a test split that nothing else sees."""

    X: NDArray[Any]
    y: NDArray[np.int64]
    X_test: NDArray[Any]
    y_test: NDArray[np.int64]

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1


def digits(seed: int = 0) -> Data:
    """Scikit-learn's digits: raw pixels 0..16, a pool of 1297 and a test split of 500."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(X))
    pool, test = order[:1297], order[1297:]
    return Data(X[pool], y[pool].astype(np.int64), X[test], y[test].astype(np.int64))


def run(
    data: Data,
    strategy: str | Strategy | Callable[..., Any],
    *,
    seed: int,
    labels: int = 150,
    batch: int = 10,
    audit_share: float = 0.15,
    make_learner: Callable[[], HeadEnsemble] = HeadEnsemble,
) -> dict[int, float]:
    """Test accuracy by the number of labels given.

    A share of every batch is drawn at random as audit labels: they count, and never train.
    """
    rng = np.random.default_rng(seed)
    reserved = rng.permutation(len(data.X))
    free = np.ones(len(data.X), dtype=bool)
    trained = np.empty(0, np.int64)
    learner: HeadEnsemble | None = None
    given, audited, curve = 0, 0, {}
    while given < labels:
        size = min(batch, labels - given)
        audits = int((given + size) * audit_share) - audited
        audit = [row for row in reserved if free[row]][:audits]
        free[audit] = False
        audited += audits
        chosen = select(
            strategy,
            learner=learner,
            features=data.X,
            candidates=np.flatnonzero(free),
            labelled=trained,
            labels=data.y[trained],
            n_classes=data.classes,
            n=size - audits,
            seed=int(rng.integers(2**31)),
        )
        free[chosen.indices] = False
        trained = np.concatenate([trained, chosen.indices])
        given += size
        learner = learner or make_learner()
        learner.fit(data.X[trained], data.y[trained], classes=data.classes)
        guess = learner.predict_proba(data.X_test).argmax(1)
        curve[given] = float(np.mean(guess == data.y_test))
    return curve
