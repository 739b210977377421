"""One round: fit on a snapshot of the labels, look at the pool, pick the next batch, estimate."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import strategies
from .beliefs import Beliefs
from .evaluation import rivals
from .evaluation.risk import Estimate
from .evaluation.rivals import Verdict
from .learners.base import Learner
from .learners.progress import Cancelled, ProgressListener, Reporting, StopSignal
from .picking import pick
from .samples import AuditSample, Picked
from .schema import Draw, RoundRecord, now
from .sharing import Shares
from .tasks import Task
from .threads import few_threads

log = logging.getLogger(__name__)

MIN_CLASSES = 2


@dataclass(frozen=True)
class Snapshot:
    """What a round works on; nobody changes it afterwards.

    Attributes
    ----------
    revision : int
        Of the labels.
    features : ndarray, shape (n, d)
    labelled, codes : ndarray of int64, shape (l,)
        Training labels: positions in the pool and codes, in the order given.
    at_random, active : ndarray of bool, shape (l,)
        Which of them were drawn uniformly, and which a strategy picked.
    candidates : ndarray of bool, shape (n,)
        Which items may be picked.
    task : Task
        What the codes stand for.
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
    fresh : Learner
        An unfitted one of the same kind.
    verdict : Verdict or None
        Whether active selection is worth it, as last seen.
    losing : str or None
        Evidence against active selection from before a restart; a verdict replaces it.
    costs : callable or None
        Returns the expected seconds to label each item, (n,), for strategies that ask.
    n : int
        How many to pick.
    shares : Shares or None
        What the batch is shared out by between two arms.
    seed : int
    on_progress : callable or None
        Told how far a fit has come, by a learner that tells.
    should_stop : Event or None
        Ends the round early: between two chunks of the pool, and in a fit with a learner that
        looks.
    """

    revision: int
    features: NDArray[Any]
    labelled: NDArray[np.int64]
    codes: NDArray[np.int64]
    at_random: NDArray[np.bool_]
    active: NDArray[np.bool_]
    candidates: NDArray[np.bool_]
    task: Task
    n_classes: int
    audit: AuditSample
    learner: Learner
    version: int
    is_fitted: bool
    fit: bool
    strategy: str | Callable[..., Any]
    fresh: Learner
    verdict: Verdict | None
    losing: str | None
    costs: Callable[[], NDArray[np.float64]] | None
    n: int
    shares: Shares | None
    seed: int
    on_progress: ProgressListener | None = None
    should_stop: StopSignal | None = None


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
        Codes of the answers for the whole pool, None while there is no model; -1, with no
        confidence and no uncertainty (NaN), for items that joined since.
    confidence : ndarray of float32, shape (n,), or None
        Probability of the predicted answer: of several labels, that each of them is right.
    uncertainty : ndarray of float32, shape (n,), or None
        Entropy as a share of its maximum, 0 to 1; of several labels the mean.
    selection : strategies.Selection
        The next batch.
    verdict : Verdict or None
        Whether active selection is worth it.
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
    verdict: Verdict | None
    n_train: int
    n_audit: int
    n_skipped: int
    n_candidates: int
    accuracy: Estimate
    seconds: float
    at: str

    def __repr__(self) -> str:
        # Its arrays are as long as the pool.
        model = f"model {self.version}" if self.version else "no model yet"
        return (
            f"Round({model}, {self.n_train:,} labels, accuracy {self.accuracy}, "
            f"{len(self.selection.indices):,} picked by {self.strategy}, {self.seconds:.1f} s)"
        )

    @property
    def strategy(self) -> str:
        """The strategy that picked the next batch."""
        return self.selection.strategy

    @property
    def picked(self) -> Picked | None:
        """The next batch as a test of the model; None where there is no model, or no batch."""
        items = self.selection.indices
        if self.predictions is None or not len(items):
            return None
        said = self.predictions[items].astype(np.int64)
        q = np.exp(self.selection.log_q)
        return Picked(self.version, self.strategy, items, said, q, self.n_candidates)

    def grown(self, n: int) -> Round:
        """The same round in a pool of n items, of some of which it knows nothing."""
        if self.predictions is None or len(self.predictions) >= n:
            return self
        assert self.confidence is not None
        assert self.uncertainty is not None
        more = n - len(self.predictions)
        unknown = np.full(more, np.nan, dtype=np.float32)
        return replace(
            self,
            predictions=np.concatenate([self.predictions, np.full(more, -1, dtype=np.int32)]),
            confidence=np.concatenate([self.confidence, unknown]),
            uncertainty=np.concatenate([self.uncertainty, unknown]),
        )

    def draws(self, ids: Sequence[str]) -> list[Draw]:
        """The next batch as draws from a pool of these items."""
        picks = self.selection
        return [
            Draw(
                item_id=ids[index],
                stream="train",
                strategy="random" if by_lot else picks.strategy,
                model_version=self.version,
                score=_finite(score),
                q=_finite(np.exp(log_q)),
                remaining=self.n_candidates - order,
            )
            for order, (index, score, log_q, by_lot) in enumerate(
                zip(picks.indices, picks.scores, picks.log_q, picks.at_random, strict=True)
            )
        ]

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


def watched(
    learner: Learner, on_progress: ProgressListener | None, should_stop: StopSignal | None
) -> Learner:
    """A copy to fit, which tells how far it is and can be stopped."""
    fresh = copy.deepcopy(learner)
    _watch(fresh, on_progress, should_stop)
    return fresh


def unwatched(learner: Learner) -> Learner:
    """The learner, to be published: nobody's questions to it are part of a round."""
    _watch(learner, None, None)
    return learner


def _watch(
    learner: Learner, on_progress: ProgressListener | None, should_stop: StopSignal | None
) -> None:
    if isinstance(learner, Reporting):
        learner.on_progress, learner.should_stop = on_progress, should_stop


def _run(snapshot: Snapshot) -> Round:
    start = time.perf_counter()
    learner, version = snapshot.learner, snapshot.version
    # Of two different answers with several labels there is a label that one has and one has not.
    fit = snapshot.fit and len(np.unique(snapshot.codes)) >= MIN_CLASSES
    targets = snapshot.task.targets(snapshot.codes)
    if fit:
        learner = watched(learner, snapshot.on_progress, snapshot.should_stop)
        learner.fit(snapshot.features[snapshot.labelled], targets, classes=snapshot.n_classes)
        version += 1
    asked = learner
    if not fit and isinstance(learner, Reporting):
        # A strategy may fit, too, and be stopped; whoever else asks the published one may not.
        asked = copy.copy(learner)
        _watch(asked, snapshot.on_progress, snapshot.should_stop)
    has_model = fit or snapshot.is_fitted
    audit = snapshot.audit if has_model else snapshot.audit.none()
    # Two arms are judged by models of their own.
    judged = not fit or snapshot.shares is not None
    verdict = snapshot.verdict if judged else _judge(snapshot, targets)
    codes_of, stop = snapshot.task.codes, snapshot.should_stop
    beliefs = Beliefs(len(snapshot.features), stop, codes_of) if has_model else None
    candidates = np.flatnonzero(snapshot.candidates)
    selection = pick(
        snapshot.strategy,
        multilabel=snapshot.task.multilabel,
        learner=asked if has_model else None,
        features=snapshot.features,
        candidates=candidates,
        labelled=snapshot.labelled,
        labels=targets,
        n_classes=snapshot.n_classes,
        n=min(snapshot.n, len(candidates)),
        seed=snapshot.seed,
        costs=snapshot.costs() if snapshot.costs is not None else None,
        observe=beliefs.see if beliefs else None,
        losing=verdict.losing if verdict else snapshot.losing,
        lots=snapshot.shares is None,
    )
    if snapshot.shares is not None:
        selection = snapshot.shares.out(selection, len(candidates), snapshot.seed)
    predicted = audit.codes
    if beliefs is not None:
        predicted = beliefs.predictions[audit.items].astype(np.int64)
    return Round(
        version=version,
        revision=snapshot.revision,
        fitted=fit,
        learner=unwatched(learner) if fit else learner,
        predictions=beliefs.predictions if beliefs else None,
        confidence=beliefs.confidence if beliefs else None,
        uncertainty=beliefs.uncertainty if beliefs else None,
        selection=selection,
        verdict=verdict,
        n_train=len(snapshot.labelled),
        n_audit=len(audit.items),
        n_skipped=audit.skipped,
        n_candidates=len(candidates),
        accuracy=audit.accuracy(predicted),
        seconds=time.perf_counter() - start,
        at=now(),
    )


def _judge(snapshot: Snapshot, targets: NDArray[Any]) -> Verdict | None:
    """Whether active labels beat random ones, while active ones are chosen."""
    if strategies.get(snapshot.strategy).name == "random":
        return snapshot.verdict
    audit = snapshot.audit
    try:
        return rivals.judge(
            # How far these are is not how far the round is.
            lambda: watched(snapshot.fresh, None, snapshot.should_stop),
            snapshot.features[snapshot.labelled],
            targets,
            snapshot.at_random,
            snapshot.active,
            snapshot.n_classes,
            snapshot.features[audit.items],
            snapshot.task.targets(audit.codes),
            audit.q,
            audit.population,
            before=snapshot.verdict,
        )
    except Cancelled:
        raise
    except Exception:
        # Few labels of each side may be too few for a learner that is fine with all of them.
        log.warning("active and random labels could not be compared", exc_info=True)
        return snapshot.verdict


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
