"""What a session says of how good its model is, from the audit and from its own batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from .audit import NONE_KEPT
from .errors import AlwidgetsError
from .evaluation import metrics
from .evaluation.metrics import AVERAGES, METRICS, Average, Metric
from .evaluation.prequential import Batch, prequential
from .evaluation.risk import METHODS, NOTHING, Estimate, Method, difference, unknown
from .hub import Hub
from .learners.targets import decided
from .readings import audit_sample, check_round
from .samples import AuditSample
from .schema import RoundRecord
from .slicing import parts_of
from .tasks import Task
from .tasks.base import codes_of_today

if TYPE_CHECKING:
    import pandas as pd

#: Of a round of which a store keeps its accuracy alone.
NOT_KEPT = "what this model said of these items was not kept"


class Estimating(Hub):
    """The estimates of a session."""

    @overload
    def estimate(
        self,
        metric: Metric = "accuracy",
        *,
        by: None = None,
        average: Average | None = None,
        method: Method = "wilson",
    ) -> Estimate: ...

    @overload
    def estimate(
        self,
        metric: Metric = "accuracy",
        *,
        by: str,
        average: Average | None = None,
        method: Method = "wilson",
    ) -> pd.DataFrame: ...

    def estimate(
        self,
        metric: Metric = "accuracy",
        *,
        by: str | None = None,
        average: Average | None = None,
        method: Method = "wilson",
    ) -> Estimate | pd.DataFrame:
        """Estimate how good the model is on items that it was not trained on.

        From the audit labels: a random sample of the pool that no model has seen. They speak of
        items such as those of the pool, not of those that happen to be left unlabelled.

        Parameters
        ----------
        metric : {"accuracy", "error", "precision", "recall", "f1"}
            Where an item may have several labels, an answer is right if every one of them is.
        by : str, optional
            ``"class"``, the name of a slice in `session.slices`, or of a column of the metadata:
            a row for each class, or part.
        average : {"macro", "micro", "samples"}, optional
            Of precision, recall and F1: the mean over classes, by default; of the counts of all
            together; or, by default of several labels, the mean over items, 1 where an item has
            no label and none is predicted.
        method : {"wilson", "anytime"}
            Of accuracy, error and means over items: an interval for one look, or a band that holds
            however often it is looked at while labels of the audit come in.

        Returns
        -------
        Estimate, or pandas.DataFrame with `by`
            With a 95 % interval. NaN where nothing can be said: ``method`` then says why. The
            frame has the columns ``value``, ``low``, ``high``, ``n``, ``n_eff`` and ``method``.

        Raises
        ------
        AlwidgetsError
            If there is no such metric, average, slice or column.

        Examples
        --------
        >>> session.estimate("recall", by="class").loc["spam", "low"]  # doctest: +SKIP
        0.71
        """
        _check(metric, average, method)
        sample, said, why_not = self._audited()
        look = _Look(self.task, sample, said, metric, average, method)

        def figure(of: int | None = None, within: NDArray[np.bool_] | None = None) -> Estimate:
            return look.figure(of, within) if why_not is None else unknown(why_not)

        if by is None:
            return figure()
        if by == "class":
            return _table("class", look.names, map(figure, range(len(look.names))))
        parts = parts_of(by, sample.items, self.pool.ids, self.store.slices(), self.pool.metadata)
        return _table(by, list(parts), (figure(within=part.inside) for part in parts.values()))

    def estimate_rounds(
        self,
        metric: Metric = "accuracy",
        *,
        of: str | None = None,
        average: Average | None = None,
        method: Method = "wilson",
        hindsight: bool = False,
    ) -> list[Estimate]:
        """What the audit says of the model of each of `rounds`: a learning curve.

        Parameters
        ----------
        metric, average, method
            As of `estimate`.
        of : str, optional
            The figure of this class alone.
        hindsight : bool
            From all audit labels that there are now, the same for every round, so that rounds can
            be compared; by default from those that there were then, as it was shown.

        Returns
        -------
        list of Estimate
            One for each of `rounds`, of the pool as it was then where items have joined since.
            Where a store of an earlier version of this package kept the accuracy alone, or the
            pool is in another order now, the accuracy as it was shown.
        """
        _check(metric, average, method)
        sizes = self._loop.history.sizes
        with self._lock:
            rounds = list(self._ledger.rounds)
            samples = {n: audit_sample(self._ledger, n) for n in {None, *sizes.values()}}
        if not self._ledger.audit.reserved.any():
            return [unknown(NONE_KEPT)] * len(rounds)
        items = np.unique(np.concatenate([sample.items for sample in samples.values()]))
        said = dict(self._loop.history.of_items(items))
        found = []
        for record in rounds:
            sample = samples[sizes.get(record.version)]
            then = sample if hindsight else sample.first(record.n_audit)
            codes = said.get(record.version)
            if codes is not None:
                of_these = codes[np.searchsorted(items, then.items)].astype(np.int64)
                look = _Look(self.task, then, of_these, metric, average, method)
                found.append(look.figure(None if of is None else look.place(of)))
            elif (metric, of, method, hindsight) == ("accuracy", None, "wilson", False):
                found.append(as_shown(record))
            else:
                found.append(unknown(NOT_KEPT))
        return found

    def audit_answers(self, most: int | None = None) -> NDArray[np.int64]:
        """Codes of the audit's answers as they stand now, in the order in which they were drawn.

        Parameters
        ----------
        most : int, optional
            Of the first so many alone.

        Returns
        -------
        ndarray of int64, shape (n,)
            Places in the task's answers; of several labels, codes of sets.
        """
        with self._lock:
            return audit_sample(self._ledger).codes[:most]

    def compare_rounds(self, version: int, other: int, *, method: Method = "wilson") -> Estimate:
        """By how much one round's model is more accurate than another's, on the same audit items.

        Parameters
        ----------
        version, other : int
            Of two models.
        method : {"wilson", "anytime"}
            As of `estimate`.

        Returns
        -------
        Estimate
            Between -1 and 1: above 0 where `version` is better. NaN, and why in words, where
            nothing can be said.

        Raises
        ------
        AlwidgetsError
            If there is no such round.
        """
        history = self._loop.history
        # Of the items that there were for both.
        sizes = [n for v, n in history.sizes.items() if v in (version, other)]
        with self._lock:
            for asked in (version, other):
                check_round(self._ledger, asked)
            sample = audit_sample(self._ledger, min(sizes, default=None))
        if not self._ledger.audit.reserved.any():
            return unknown(NONE_KEPT, low=-1.0)
        said = dict(history.of_items(sample.items))
        if not {version, other} <= said.keys():
            return unknown(NOT_KEPT, low=-1.0)
        wrong, others = (said[v] != sample.codes for v in (version, other))
        return difference(others, wrong, sample.q, sample.population, method=method)

    def prequential(self) -> pd.DataFrame:
        """How the models of this run did on the batches that they drew, before training on them.

        Of the remaining pool, not of the whole: it is easier from round to round, for what is hard
        is labelled first. Only batches that were sampled say something; answers may have been
        swayed by the suggestions that were shown with them. See `evaluation.prequential`.

        Returns
        -------
        pandas.DataFrame
            A row a batch, indexed by the ``version`` of the model: ``value``, ``low``, ``high``,
            ``n``, ``n_eff`` and ``method``, of the accuracy. Each batch counts up to the first
            card without a label. NaN where nothing can be said: ``method`` then says why.
        """
        with self._lock:
            picked, standing = list(self._loop.picked), self._ledger.standing.copy()
        batches = []
        for batch in picked:
            codes = standing[batch.items]
            open_ = np.flatnonzero(codes < 0)
            n = int(open_[0]) if len(open_) else len(codes)
            wrong = codes_of_today(self.task, batch.said[:n]) != codes[:n]
            batches.append(Batch(wrong, batch.q[:n], batch.n_candidates))
        return _table("version", [batch.version for batch in picked], prequential(batches))

    def _audited(self) -> tuple[AuditSample, NDArray[np.int64], str | None]:
        """The audit labels, what the newest model says of them, and why nothing can be said."""
        self._loop.wait_for_model()
        with self._lock:
            sample, learner = audit_sample(self._ledger), self._loop.learner
            why_not = None if self._loop.is_fitted else self._loop.why_no_model()
        if why_not is not None:
            return sample, np.empty(0, dtype=np.int64), why_not
        if not len(sample.items):
            return sample, sample.codes, NOTHING if self._ledger.audit.reserved.any() else NONE_KEPT
        proba = learner.predict_proba(self.pool.features[sample.items])
        return sample, self.task.codes(decided(proba, self.task.multilabel)), None


@dataclass(frozen=True)
class _Look:
    """Audit labels beside what a model says, and the metric that is asked for."""

    task: Task
    sample: AuditSample
    said: NDArray[np.int64]
    metric: Metric
    average: Average | None
    method: Method

    @property
    def names(self) -> list[str]:
        """The classes that can be given."""
        return self.task.asked()["classes"]

    def place(self, name: str) -> int:
        """Place of a class among them."""
        if name not in self.names:
            raise AlwidgetsError(f"There is no class {name!r}; there is {', '.join(self.names)}.")
        return self.names.index(name)

    def figure(self, of: int | None = None, within: NDArray[np.bool_] | None = None) -> Estimate:
        """The metric of all, of one class, or of some of the labels."""
        return metrics.estimate(
            self.metric,
            classes_of(self.task, self.sample.codes),
            classes_of(self.task, self.said),
            self.sample.q,
            self.sample.population,
            average=self.average,
            of=of,
            names=self.names,
            within=within,
            method=self.method,
        )


def classes_of(task: Task, codes: NDArray[np.int64]) -> NDArray[Any]:
    """Places among the classes that there are now, (m,), or marks of several labels, (m, C)."""
    if task.multilabel:
        return task.targets(codes)
    kinds, at = np.unique(codes, return_inverse=True)
    places = {code: place for place, code in enumerate(task.asked()["codes"])}
    # A model from before classes were merged still says the old ones.
    now = [places[task.encode(task.decode(int(kind)))] for kind in kinds]
    return np.array(now, dtype=np.int64)[at]


def as_shown(record: RoundRecord) -> Estimate:
    """The accuracy of a round as the store keeps it; of its effective size it keeps nothing."""
    if record.accuracy is None or record.low is None or record.high is None:
        return unknown(NOTHING)
    found = record.accuracy, record.low, record.high
    return Estimate(*found, record.n_audit, math.nan, "as it was shown then")


def _check(metric: str, average: str | None, method: str) -> None:
    """Raise what is wrong with a wish before anything is made ready for it."""
    wishes = (
        ("metric", metric, METRICS),
        ("average", average, AVERAGES),
        ("method", method, METHODS),
    )
    for what, given, known in wishes:
        if given not in known and not (what == "average" and given is None):
            raise AlwidgetsError(
                f"There is no {what} {given!r}; use one of {', '.join(map(repr, known))}."
            )


def _table(by: str, names: Sequence[Any], found: Iterable[Estimate]) -> pd.DataFrame:
    import pandas as pd

    rows = [(e.value, e.low, e.high, e.n, e.n_eff, e.method) for e in found]
    index = pd.Index(names, name=by)
    return pd.DataFrame(rows, index, ["value", "low", "high", "n", "n_eff", "method"])
