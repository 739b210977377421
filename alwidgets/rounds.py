"""One round: fit on a snapshot of the labels, look at the pool, pick the next batch, estimate."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import strategies
from .evaluation import risk
from .evaluation.risk import Estimate
from .learners.base import Learner
from .schema import RoundRecord, now
from .strategies.uncertainty import entropy
from .threads import few_threads

CHUNK_ROWS = 65_536
MIN_CLASSES = 2


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
        return replace(self, items=self.items[:0], codes=self.codes[:0], q=self.q[:0], skipped=0)

    def accuracy(self, predicted: NDArray[Any]) -> Estimate:
        """Estimate the accuracy on the pool from predicted codes, shape (m,)."""
        return risk.accuracy(predicted == self.codes, self.q, self.population)


@dataclass(frozen=True)
class Snapshot:
    """What a round works on; nobody changes it afterwards.

    Attributes
    ----------
    revision : int
        Of the labels.
    features : ndarray, shape (n, d)
    labelled, codes : ndarray of int64, shape (l,)
        Training labels: positions in the pool and class codes.
    candidates : ndarray of int64, shape (m,)
        Positions that may be picked.
    n_classes : int
    audit : AuditSample
    learner : Learner
        The one published last, or an unfitted one.
    version : int
        Of the model published last; 0 if there is none.
    is_fitted : bool
        Whether `learner` is that model: after a restart it may have to be fitted first.
    fit : bool
        Whether to fit, or only to pick with the model as it is.
    strategy : str or callable
    n : int
        How many to pick.
    seed : int
    """

    revision: int
    features: NDArray[Any]
    labelled: NDArray[np.int64]
    codes: NDArray[np.int64]
    candidates: NDArray[np.int64]
    n_classes: int
    audit: AuditSample
    learner: Learner
    version: int
    is_fitted: bool
    fit: bool
    strategy: str | Callable[..., Any]
    n: int
    seed: int


@dataclass(frozen=True)
class Round:
    """What a round came to.

    Attributes
    ----------
    version : int
        Of the model; 0 while there is none (labels of two classes are needed).
    revision : int
        Of the labels it saw.
    fitted : bool
        Whether this round made the model, or only picked with it.
    learner : Learner
    predictions : ndarray of int32, shape (n,), or None
        Class codes of the whole pool, None while there is no model.
    confidence : ndarray of float32, shape (n,), or None
        Probability of the predicted class.
    uncertainty : ndarray of float32, shape (n,), or None
        Entropy as a share of its maximum, 0 to 1.
    selection : strategies.Selection
        The next batch.
    n_train, n_audit, n_skipped : int
        Labels trained on and estimated from, and audit cards that were skipped.
    n_candidates : int
        Items that the batch was picked from.
    accuracy : Estimate
        From the audit labels.
    seconds : float
    at : str
        Time, ISO 8601, UTC.
    """

    version: int
    revision: int
    fitted: bool
    learner: Learner
    predictions: NDArray[np.int32] | None
    confidence: NDArray[np.float32] | None
    uncertainty: NDArray[np.float32] | None
    selection: strategies.Selection
    n_train: int
    n_audit: int
    n_skipped: int
    n_candidates: int
    accuracy: Estimate
    seconds: float
    at: str

    @property
    def strategy(self) -> str:
        """The strategy that picked the next batch."""
        return self.selection.strategy

    def record(self) -> RoundRecord:
        """Return what the store keeps of this round."""
        known = self.accuracy.n > 0
        return RoundRecord(
            version=self.version,
            strategy=self.strategy,
            n_train=self.n_train,
            n_audit=self.n_audit,
            accuracy=self.accuracy.value if known else None,
            low=self.accuracy.low if known else None,
            high=self.accuracy.high if known else None,
            seconds=self.seconds,
            at=self.at,
            revision=self.revision,
        )


def run_round(snapshot: Snapshot) -> Round:
    """Fit if asked to and possible, predict the pool in chunks, pick, and estimate.

    Fits a copy of the learner: the one published last keeps answering meanwhile.
    """
    with few_threads(snapshot.features.size):
        return _run(snapshot)


def _run(snapshot: Snapshot) -> Round:
    start = time.perf_counter()
    learner, version = snapshot.learner, snapshot.version
    fit = snapshot.fit and len(np.unique(snapshot.codes)) >= MIN_CLASSES
    if fit:
        learner = copy.deepcopy(learner)
        learner.fit(
            snapshot.features[snapshot.labelled], snapshot.codes, classes=snapshot.n_classes
        )
        version += 1
    has_model = fit or snapshot.is_fitted
    audit = snapshot.audit if has_model else snapshot.audit.none()
    predictions, confidence, uncertainty = None, None, None
    predicted = audit.codes
    if has_model:
        predictions, confidence, uncertainty = _predict(learner, snapshot.features)
        predicted = predictions[audit.items].astype(np.int64)
    selection = strategies.select(
        snapshot.strategy,
        learner=learner if has_model else None,
        features=snapshot.features,
        candidates=snapshot.candidates,
        labelled=snapshot.labelled,
        labels=snapshot.codes,
        n_classes=snapshot.n_classes,
        n=snapshot.n,
        seed=snapshot.seed,
    )
    return Round(
        version=version,
        revision=snapshot.revision,
        fitted=fit,
        learner=learner,
        predictions=predictions,
        confidence=confidence,
        uncertainty=uncertainty,
        selection=selection,
        n_train=len(snapshot.labelled),
        n_audit=len(audit.items),
        n_skipped=audit.skipped,
        n_candidates=len(snapshot.candidates),
        accuracy=audit.accuracy(predicted),
        seconds=time.perf_counter() - start,
        at=now(),
    )


def _predict(
    learner: Learner, features: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    n = len(features)
    predictions = np.empty(n, dtype=np.int32)
    confidence = np.empty(n, dtype=np.float32)
    uncertainty = np.empty(n, dtype=np.float32)
    for start in range(0, n, CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        proba = learner.predict_proba(features[part])
        predictions[part] = proba.argmax(axis=1)
        confidence[part] = proba.max(axis=1)
        uncertainty[part] = np.clip(entropy(proba) / np.log(proba.shape[1]), 0.0, 1.0)
    return predictions, confidence, uncertainty
