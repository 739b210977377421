"""Whether more labels are worth it, said after every round.

What each model says of a fixed set of items without labels is kept for the next ones to be
compared with. The audit's labels take no part in that: they forecast what is to be gained, which
is shown and decides nothing.
"""

from __future__ import annotations

import base64
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audit import NONE_KEPT
from .errors import AlwidgetsError
from .evaluation.extrapolation import Forecast, forecast
from .evaluation.stopping import (
    Advice,
    classification_change,
    overall_uncertainty,
    predicted_change_of_f,
    stabilizing_predictions,
)
from .ledger import NOTHING, Ledger
from .pool import Pool
from .rounds import Round
from .schema import RoundRecord
from .store import LabelStore
from .tasks import Task

log = logging.getLogger(__name__)

#: Items at most that the models are compared on.
STOP_SET = 2_000
#: New training labels below which two models are as good as one: they would agree anyway.
STEP = 10
#: Stricter than the paper, whose 0.99 over 3 rounds lost two points in simulations on digits, SMS
#: spam, TREC, AG News and MR with the default learner, 20 labels a round.
KAPPA, ROUNDS = 0.995, 5
#: Labels that the forecast looks ahead.
AHEAD = 100
USED_UP = "every item has a label, or was skipped"


@dataclass(frozen=True)
class Reading:
    """What a model said of the stop set.

    Attributes
    ----------
    version : int
        Of the model.
    n_train : int
        Labels that it was trained on.
    labels : int
        That there were, those of the audit included.
    uncertainty : float
        Mean entropy as a share of its maximum.
    said : ndarray of int64, shape (k,)
        Codes of its answers; -1 for items that are not in the pool any more.
    """

    version: int
    n_train: int
    labels: int
    uncertainty: float
    said: NDArray[np.int64]


@dataclass(frozen=True)
class StopSign:
    """Whether to go on labelling. It advises, and stops nothing.

    Attributes
    ----------
    stop : bool
        Whether new labels hardly change the model any more.
    reason : str
        Why, in words.
    criteria : tuple of Advice
        What each criterion says; the first is the one that decides. None where no model is trained.
    forecast : Forecast or None
        What the next 100 labels should bring, or as many as can still be given, from the audit's
        estimates. It decides nothing.
    no_forecast : str
        Why there is none, in words.
    used_up : bool
        Whether nothing is left to label.
    """

    stop: bool
    reason: str
    criteria: tuple[Advice, ...]
    forecast: Forecast | None = None
    no_forecast: str = ""
    used_up: bool = False

    def with_left(self, items: int) -> StopSign:
        """The same where only so many items can still be labelled."""
        if not items:
            return replace(
                self, stop=True, reason=USED_UP, forecast=None, no_forecast=USED_UP, used_up=True
            )
        ahead = self.forecast and self.forecast.over(items)
        return self if ahead is self.forecast else replace(self, forecast=ahead)

    def __str__(self) -> str:
        return f"{'Enough' if self.stop else 'Go on'}: {self.reason}"


class Adviser:
    """Keeps what the newest models said of the stop set, over restarts, and gives advice.

    The stop set is drawn when a store is first opened: items that have no label then and are not
    of the audit.

    Parameters
    ----------
    pool : Pool
    task : Task
    ledger : Ledger
    store : LabelStore
    seed : int
    """

    def __init__(
        self, pool: Pool, task: Task, ledger: Ledger, store: LabelStore, seed: int
    ) -> None:
        self._task, self._ledger, self._store, self._seed = task, ledger, store, seed
        ids = store.stop_set()
        if ids is None:
            free = np.flatnonzero(~ledger.audit.reserved & (ledger.standing == NOTHING))
            rng = np.random.default_rng([seed, 6])
            some = np.sort(rng.choice(free, min(STOP_SET, len(free)), replace=False))
            ids = list(pool.ids.take(some))
            store.keep_stop_set(ids)
        #: Positions of the stop set in the pool, shape (k,); -1 for those that are gone.
        self.items: NDArray[np.int64] = pool.ids.places(ids).astype(np.int64)
        self._readings = [self._read(kept) for kept in store.readings()]

    def note(self, result: Round) -> None:
        """Keep what the model of a round says of the stop set, if it is another one by now."""
        if result.predictions is None or result.uncertainty is None:
            return
        last = self._readings[-1] if self._readings else None
        if last is not None and abs(result.n_train - last.n_train) < STEP:
            return
        here = self.items >= 0
        said = np.where(here, result.predictions[self.items], NOTHING).astype(np.int64)
        uncertainty = result.uncertainty[self.items[here]]
        mean = float(uncertainty.mean()) if len(uncertainty) else 0.0
        labels = result.n_train + result.n_audit
        self._readings.append(Reading(result.version, result.n_train, labels, mean, said))
        self._forget(labels)
        self._store.keep_readings([self._kept(reading) for reading in self._readings])

    def sign(self, rounds: Sequence[RoundRecord] = ()) -> StopSign:
        """What the criteria say by now, and a forecast from the estimates of all rounds."""
        if not self._task.classes:
            why = f"no model is trained for {self._task!r}: its answers are of no class"
            return StopSign(False, why, (), None, why)
        known = np.logical_and.reduce([reading.said >= 0 for reading in self._readings])
        said = [reading.said[known] for reading in self._readings]
        shown = [self._task.targets(codes) for codes in said] if self._task.multilabel else said
        criteria = (
            stabilizing_predictions(said, threshold=KAPPA, rounds=ROUNDS),
            predicted_change_of_f(shown),
            classification_change(said),
            overall_uncertainty([reading.uncertainty for reading in self._readings]),
        )
        decides = criteria[0]
        if not self._ledger.audit.reserved.any():
            return StopSign(decides.stop, decides.reason, criteria, None, NONE_KEPT)
        try:
            found = ahead_of(rounds, self._changed())
            return StopSign(decides.stop, decides.reason, criteria, found)
        except AlwidgetsError as error:
            return StopSign(decides.stop, decides.reason, criteria, None, str(error))

    def _changed(self) -> float | None:
        """Share of the stop set whose answers changed over the last 100 labels."""
        if len(self._readings) < 2:
            return None
        newest, before = self._readings[-1], self._readings[0]
        for reading in self._readings[1:-1]:
            if newest.labels - reading.labels >= AHEAD:
                before = reading
        known, passed = (newest.said >= 0) & (before.said >= 0), newest.labels - before.labels
        if passed <= 0 or not known.any():
            return None
        share = float(np.mean(newest.said[known] != before.said[known]))
        return min(1.0, share * AHEAD / passed)

    def _forget(self, labels: int) -> None:
        """Let go of readings that neither the criteria nor the forecast asks for."""
        spare = len(self._readings) - (ROUNDS + 1)
        while spare > 0 and labels - self._readings[1].labels >= AHEAD:
            del self._readings[0]
            spare -= 1

    def _kept(self, reading: Reading) -> dict[str, Any]:
        """A reading for the store: by answers, since the codes of sets of labels are made anew."""
        here = reading.said >= 0
        codes, places = np.unique(reading.said[here], return_inverse=True)
        at = np.full(len(reading.said), NOTHING, dtype="<i2")
        at[here] = places
        return {
            "version": reading.version,
            "n_train": reading.n_train,
            "labels": reading.labels,
            "uncertainty": reading.uncertainty,
            "answers": [self._task.decode(int(code)) for code in codes],
            "said": base64.b64encode(zlib.compress(at.tobytes())).decode(),
        }

    def _read(self, kept: dict[str, Any]) -> Reading:
        # A class may have another name by now, or be part of another one.
        codes = [self._task.encode(self._task.validate(answer)) for answer in kept["answers"]]
        at = np.frombuffer(zlib.decompress(base64.b64decode(kept["said"])), dtype="<i2")
        said = np.array([*codes, NOTHING], dtype=np.int64)[at]  # -1 is the last
        numbers = (kept[name] for name in ("version", "n_train", "labels"))
        version, n_train, labels = (int(number) for number in numbers)
        return Reading(version, n_train, labels, float(kept["uncertainty"]), said)


def ahead_of(rounds: Sequence[RoundRecord], changed: float | None = None) -> Forecast:
    """What the next 100 labels should bring, from the estimates of the rounds.

    Raises
    ------
    AlwidgetsError
        If there are too few rounds to say.
    """
    points = [
        (r.n_train + r.n_audit, r.accuracy, r.n_audit) for r in rounds if r.accuracy is not None
    ]
    labels, values, n = zip(*points, strict=True) if points else ((), (), ())
    return forecast(labels, values, n=n, ahead=AHEAD, changed=changed)
