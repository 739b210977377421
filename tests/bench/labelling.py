"""Labelling simulated: an arm picks, the truth answers, the learner is fitted again.

An arm is any function ``f(round) -> rows of the pool``; what it may look at is in `Round`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from data import Data, score
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int64]


@dataclass
class Round:
    """What an arm may look at."""

    features: NDArray[np.float32]
    candidates: Rows
    labelled: Rows
    labels: Rows
    n_classes: int
    n: int
    seed: int
    learner: Any
    number: int
    #: An arm's own notes from round to round.
    memory: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def proba(self) -> NDArray[np.float32]:
        """(m, C) of the candidates."""
        found: NDArray[np.float32] = self.learner.predict_proba(self.features[self.candidates])
        return found


Arm: TypeAlias = Callable[[Round], Rows]


@dataclass(frozen=True)
class Run:
    """One simulation: the metric by the number of labels, and what the arm said it did."""

    labels: list[int]
    metric: list[float]
    pick_seconds: float
    fit_seconds: float
    #: Names of the strategies that chose, each with the number of labels at its first batch.
    chosen: dict[str, int]
    picked: Rows


class Logistic:
    """Scikit-learn's logistic regression as a learner: one posterior sample, features as they are.

    ``penalty`` goes to scikit-learn as C; classes without a label get probability 0.
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C
        self.device = torch.device("cpu")

    def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Logistic:
        from sklearn.linear_model import LogisticRegression

        X, y = np.asarray(X), np.asarray(y)
        self.classes = int(y.max()) + 1 if classes is None else classes
        self.seen = np.unique(y)
        self.model = None
        if len(self.seen) > 1:
            self.model = LogisticRegression(C=self.C, max_iter=2000).fit(X, y)
        return self

    def predict_proba(self, X: Any) -> Any:
        proba = np.zeros((len(X), self.classes), np.float32)
        proba[:, self.seen] = 1 if self.model is None else self.model.predict_proba(np.asarray(X))
        return torch.from_numpy(proba) if isinstance(X, torch.Tensor) else proba

    def posterior(self, X: Any) -> Any:
        return self.predict_proba(X)[None]

    def embed(self, X: Any) -> Any:
        return X


def heads() -> Any:
    """The package's own learner."""
    from alwidgets.learners import HeadEnsemble

    return HeadEnsemble(device="cpu")


LEARNERS: dict[str, Callable[[], Any]] = {"heads": heads, "logistic": Logistic}


def simulate(
    data: Data,
    arm: Arm,
    *,
    seed: int,
    labels: int = 500,
    first: int = 10,
    batch: int = 10,
    learner: str | Callable[[], Any] = "heads",
) -> Run:
    """Label ``first`` random items, the same for every arm, then what the arm picks.

    Every label trains: no share is kept back for an audit, and the metric comes from the test
    split, which the arm never sees.
    """
    rng = np.random.default_rng([seed, 20_260])
    make = LEARNERS[learner] if isinstance(learner, str) else learner
    model = make()
    free = np.ones(len(data.X), dtype=bool)
    labelled = rng.permutation(len(data.X))[:first].astype(np.int64)
    counts, metric, chosen, memory = [], [], {}, {}
    pick_seconds = fit_seconds = 0.0
    while True:
        free[labelled] = False
        begin = time.perf_counter()
        model.fit(data.X[labelled], data.y[labelled], classes=data.classes)
        fit_seconds += time.perf_counter() - begin
        counts.append(len(labelled))
        metric.append(score(data, model.predict_proba(data.X_test)))
        n = min(batch, labels - len(labelled), int(free.sum()))
        if n <= 0:
            break
        now = Round(
            features=data.X,
            candidates=np.flatnonzero(free),
            labelled=labelled,
            labels=data.y[labelled],
            n_classes=data.classes,
            n=n,
            seed=int(rng.integers(2**31)),
            learner=model,
            number=len(counts),
            memory=memory,
        )
        begin = time.perf_counter()
        rows = np.asarray(arm(now), dtype=np.int64)
        pick_seconds += time.perf_counter() - begin
        if len(np.unique(rows)) != n or not free[rows].all():
            raise RuntimeError(f"The arm picked {len(rows)} rows, {n} new ones were asked for.")
        for name in memory.pop("chosen", []):
            chosen.setdefault(name, len(labelled))
        labelled = np.concatenate([labelled, rows])
    return Run(counts, metric, pick_seconds, fit_seconds, chosen, labelled)


def full(data: Data, learner: str | Callable[[], Any] = "heads") -> float:
    """The metric with every label of the pool."""
    make = LEARNERS[learner] if isinstance(learner, str) else learner
    model = make().fit(data.X, data.y, classes=data.classes)
    return score(data, model.predict_proba(data.X_test))


def ours(strategy: Any) -> Arm:
    """The arm that asks ``strategies.select``: a name, a Strategy or ``f(context) -> scores``."""

    def arm(now: Round) -> Rows:
        from alwidgets.strategies import select

        found = select(
            strategy,
            learner=now.learner,
            features=now.features,
            candidates=now.candidates,
            labelled=now.labelled,
            labels=now.labels,
            n_classes=now.n_classes,
            n=now.n,
            seed=now.seed,
        )
        now.memory["chosen"] = [found.strategy]
        return found.indices

    return arm


def then(early: Arm, late: Arm, labels: int = 50) -> Arm:
    """One arm up to a number of labels, another one after that."""
    return lambda now: (early if len(now.labelled) < labels else late)(now)
