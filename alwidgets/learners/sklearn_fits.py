"""Fits of a scikit-learn classifier: on all labels, without a fold, on a bootstrap sample."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import clone

from alwidgets.errors import LearnerError
from alwidgets.learners.calibration import dealt, temperature_of
from alwidgets.learners.progress import Watch

FOLDS = 5
#: A probability of nought has no logarithm; this one stands in for it.
TINY = 1e-6


@dataclass(eq=False)
class Fitted:
    """What a fit found. Replaced as a whole, so a prediction never sees half of a fit."""

    X: NDArray[Any]  # (n, d)
    codes: NDArray[np.int64]  # (n,) into `labels`
    labels: NDArray[Any]  # (C,)
    names: NDArray[Any] | None  # of the features
    n_members: int
    seed: int
    template: Any  # never fitted
    fitted: Any | None = None  # None where all labels are of one class
    temperature: float = 1.0
    #: Fitted when they are first asked for. Two threads that ask at once both fit the same ones.
    members: tuple[Any, ...] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # nobody changes it any more

    @property
    def seen(self) -> NDArray[np.int64]:
        """Codes of the classes that have labels, ascending, (S,)."""
        return np.unique(self.codes)


@dataclass(eq=False)
class Several:
    """What a fit found for several labels: for each of them whether an item has it."""

    columns: tuple[Fitted, ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @property
    def X(self) -> NDArray[Any]:
        """(n, d), the same for all labels."""
        return self.columns[0].X

    @property
    def codes(self) -> NDArray[np.int64]:
        """(n, C) of 0 and 1."""
        return np.stack([column.codes for column in self.columns], axis=1)

    @property
    def labels(self) -> NDArray[Any]:
        """Numbers of the columns, (C,)."""
        return np.arange(len(self.columns))

    @property
    def names(self) -> NDArray[Any] | None:
        """Of the features."""
        return self.columns[0].names

    @property
    def temperature(self) -> float:
        """Geometric mean of those of the labels."""
        return float(np.exp(np.mean(np.log([column.temperature for column in self.columns]))))

    @property
    def n_members(self) -> int:
        """Posterior samples."""
        return self.columns[0].n_members

    @property
    def seed(self) -> int:
        """Of all fits."""
        return self.columns[0].seed

    @property
    def template(self) -> Any:
        """Never fitted."""
        return self.columns[0].template


def fit_one(
    template: Any,
    seed: int,
    X: NDArray[Any],
    codes: NDArray[np.int64],
    weights: NDArray[np.float64] | None = None,
) -> Any:
    """A fitted clone. It knows the classes as 0..S-1: some estimators take no others.

    Raises
    ------
    LearnerError
        If it refuses the rows, too few of a class for its own cross-validation, say.
    """
    estimator = clone(template)
    unset = [
        name
        for name, value in estimator.get_params().items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    ]
    estimator.set_params(**dict.fromkeys(unset, seed), **_fewer_neighbours(estimator, len(X)))
    dense = np.unique(codes, return_inverse=True)[1]
    more = {} if weights is None else {"sample_weight": weights}
    try:
        return estimator.fit(X, dense, **more)
    except ValueError as error:
        raise LearnerError(
            f"{template!r} cannot be fitted on {len(X)} labels of {dense.max() + 1} classes "
            f"({error}): label more items, or give it parameters that suit so few."
        ) from error


def _fewer_neighbours(estimator: Any, n: int) -> dict[str, int]:
    """Parameters that ask for more neighbours than there are rows, and what they are to be.

    Labels come one by one: who wants five neighbours is best served by three while there are no
    more, and not by an error.
    """
    return {
        name: n
        for name, value in estimator.get_params().items()
        if (name == "n_neighbors" or name.endswith("__n_neighbors"))
        and isinstance(value, Integral)
        and int(value) > n
    }


def kind_of(estimator: Any) -> Literal["proba", "decision", "votes"]:
    """What a fitted classifier's probabilities come from."""
    if hasattr(estimator, "predict_proba"):
        return "proba"
    return "decision" if hasattr(estimator, "decision_function") else "votes"


def _scores(estimator: Any, X: NDArray[Any]) -> NDArray[np.float64]:
    """(n, S) scores whose softmax are probabilities."""
    if kind_of(estimator) == "proba":
        return np.log(np.clip(np.asarray(estimator.predict_proba(X), dtype=np.float64), TINY, 1.0))
    scores = np.asarray(estimator.decision_function(X), dtype=np.float64)
    return np.stack([np.zeros_like(scores), scores], axis=1) if scores.ndim == 1 else scores


def logits(estimator: Any | None, X: NDArray[Any], state: Fitted) -> NDArray[np.float64]:
    """(n, C) by ``decision_function``; minus infinity for classes without a label.

    Of two classes there is one score, the difference of their logits: each has a half of it.

    Raises
    ------
    LearnerError
        If the classifier has no such scores.
    """
    if estimator is None or not hasattr(estimator, "decision_function"):
        raise LearnerError(
            f"{state.template!r} has no decision_function, only probabilities or votes, which "
            "leave out how large its logits are: there is no energy. Use by='disagreement' or "
            "by='mahalanobis', or a learner with logits: HeadEnsemble, TorchLearner, or a linear "
            "classifier of scikit-learn."
        )
    scores = np.asarray(estimator.decision_function(X), dtype=np.float64)
    result = np.full((len(X), len(state.labels)), -np.inf)
    result[:, state.seen] = np.stack([-scores, scores], 1) / 2 if scores.ndim == 1 else scores
    return result


def probabilities(estimator: Any | None, X: NDArray[Any], state: Fitted) -> NDArray[np.float64]:
    """(n, C); classes without a label have 0."""
    seen = state.seen
    result = np.zeros((len(X), len(state.labels)))
    if len(X) == 0:
        return result
    if estimator is None:
        result[:, seen] = 1.0
    elif kind_of(estimator) == "votes":
        result[np.arange(len(X)), seen[estimator.predict(X)]] = 1.0
    elif kind_of(estimator) == "proba" and state.temperature == 1.0:
        result[:, seen] = estimator.predict_proba(X)
    else:
        result[:, seen] = softmax(_scores(estimator, X) / state.temperature, axis=1)
    return result


def out_of_fold(state: Fitted, watch: Watch) -> float:
    """The temperature of scores of rows that were left out."""
    if kind_of(state.fitted) == "votes":
        return 1.0
    column = np.searchsorted(state.seen, state.codes)
    folds = dealt(state.codes, FOLDS)
    scores, codes = [], []
    for fold in range(FOLDS):
        watch.check()
        train = folds != fold
        known = np.unique(column[train])
        # A class that is new to this fold's classifier says nothing about confidence.
        rows = ~train & np.isin(column, known)
        if len(known) > 1 and rows.any():
            part = np.full((int(rows.sum()), len(state.seen)), -np.inf)
            fitted = fit_one(state.template, state.seed, state.X[train], column[train])
            part[:, known] = _scores(fitted, state.X[rows])
            scores.append(part)
            codes.append(column[rows])
        watch.step()
    if not scores:
        return 1.0
    held_out = np.concatenate(scores)
    # Probabilities have a unit; scores may be of any size, and a temperature near 1 is expected
    # of scores of about 1 only.
    unit = 1.0
    if kind_of(state.fitted) == "decision":
        unit = float(held_out[np.isfinite(held_out)].std()) or 1.0
    rest = torch.from_numpy(held_out / unit)
    return unit * temperature_of(rest, torch.from_numpy(np.concatenate(codes)))


def resample(codes: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """As many rows as there are, with replacement, and one of each class that was missed."""
    rows = generator.integers(len(codes), size=len(codes))
    missed = np.setdiff1d(codes, codes[rows])
    more = [generator.choice(np.flatnonzero(codes == code)) for code in missed]
    return np.concatenate([rows, np.array(more, dtype=np.int64)])
