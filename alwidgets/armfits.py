"""A model for each arm, fitted in the background for the curve alone.

After a round was published, each arm's learner is fitted from scratch on the labels of its arm and
asked about the audit's items. What it says is kept, over restarts, so that all models are compared
on the audit labels that there are now.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arms import ARMS, ASKED, NOT_COMPARED, Arm, Arms, Both, Said
from .errors import AlwidgetsError
from .evaluation.rivals import Verdict
from .evaluation.saved import Saved
from .learners import Learner
from .learners.progress import Cancelled
from .learners.targets import decided
from .ledger import Ledger
from .readings import audit_sample
from .rounds import MIN_CLASSES, watched
from .sharing import Sharing
from .signals import Signals
from .store import LabelStore
from .tasks import Task
from .tasks.base import codes_of_today
from .threads import few_threads
from .trainer import YIELDS, BackgroundExecutor, Executor, InlineExecutor, Trainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Wanted:
    """What to fit, on what, and whom to ask what."""

    version: int
    features: NDArray[Any]
    labels: dict[Arm, tuple[NDArray[np.int64], NDArray[np.int64]]]
    asked: NDArray[np.int64]
    n_classes: int


class ArmFits:
    """Fits a model for each arm in the background, and keeps what it says.

    One at a time; where rounds come faster than it can, it passes some over and goes on with the
    newest.

    Parameters
    ----------
    task : Task
    ledger : Ledger
    sharing : Sharing
    store : LabelStore
    fresh : Learner
        An unfitted one of the session's kind; copies of it are fitted.
    features : callable
        Returns those of the pool.
    signals : Signals
        Emits ``arms``.
    lock : RLock
        Of the session.
    executor : Executor or None
        The session's; only one that works at once is shared, else there is a thread for it.
    """

    def __init__(
        self,
        task: Task,
        ledger: Ledger,
        sharing: Sharing,
        store: LabelStore,
        fresh: Learner,
        features: Callable[[], NDArray[Any]],
        signals: Signals,
        lock: threading.RLock,
        executor: Executor | None,
    ) -> None:
        self._task, self._ledger, self._sharing = task, ledger, sharing
        self._store, self._fresh, self._features = store, fresh, features
        self._signals, self._lock = signals, lock
        self._said: list[Said] = []
        #: The classes that their codes are of.
        self._known = task.to_json()
        #: Round after which fits were last tried: one that failed is not tried again.
        self._tried = 0
        try:
            self._read()
        except Exception:
            # The curve begins anew; nobody is kept from labelling.
            log.warning("what the arms' models said could not be read", exc_info=True)
            self._said = []
        sharing.had(one.n for one in self._said)
        self._found: tuple[Any, Arms] | None = None
        self._verdict: Verdict | None = None
        #: The rounds go before it.
        inline = isinstance(executor, InlineExecutor)
        last = executor if inline else BackgroundExecutor(2 * YIELDS)
        self._trainer = Trainer(self._snapshot, self._work, self._publish, self._fail, last)

    @property
    def is_on(self) -> bool:
        """Whether cards are shared out between two arms."""
        return self._sharing.is_on

    def request(self) -> None:
        """Fit both arms after the newest round, if that was not done."""
        if self.is_on:
            self._trainer.request()

    def wait(self) -> None:
        """Wait for the fits under way."""
        self._trainer.wait()

    def cancel(self) -> None:
        """End the fits under way; the next round has its own."""
        self._trainer.cancel()

    def close(self) -> None:
        """Fit no more, and wait for the fit under way."""
        self._trainer.close()

    # ------------------------------------------------------------------ reading

    def arms(self) -> Arms:
        """Both arms, by the audit labels that there are now."""
        with self._lock:
            both = self._both()
            # An audit card that is skipped lets those after it count, and changes no answer.
            audited = len(both.sample.items)
            waits = self.is_on and self._sharing.is_catching_up()
            key = self._ledger.revision, len(self._said), audited, waits, self._task.to_json()
        if self._found is None or self._found[0] != key:
            self._found = key, replace(both.summary(), catching_up=waits)
        return self._found[1]

    def verdict(self) -> Verdict | None:
        """Whether active selection is worth it; None while there is too little to say."""
        if not self.is_on:
            return None
        with self._lock:
            self._verdict = self._both().verdict(self._verdict)
            return self._verdict

    def saved(self, target: float | None = None) -> Saved:
        """How many labels active selection saved on the way to an accuracy.

        Raises
        ------
        EvaluationError
            For a target that is no accuracy.
        """
        with self._lock:
            both = self._both()
        return both.saved(target)

    def _both(self) -> Both:
        """What there is to compare; the caller holds the lock."""
        if (known := self._task.to_json()) != self._known:
            self._said = [
                replace(one, codes=codes_of_today(self._task, one.codes)) for one in self._said
            ]
            self._known = known
        sample = audit_sample(self._ledger, min((one.n for one in self._said), default=None))
        why_not = None if self._sharing.begun else NOT_COMPARED
        return Both(self._said, sample, self._ledger.audit, why_not)

    # ------------------------------------------------------------------ fitting

    def _snapshot(self) -> _Wanted | None:
        with self._lock:
            ledger, version = self._ledger, self._ledger.version
            if not self._sharing.is_on or version <= self._tried:
                return None
            if self._sharing.is_catching_up():
                return None  # its labels are no uniform sample now: the next rounds have models
            self._tried = version
            labels = {
                arm: (items, ledger.standing[items].astype(np.int64))
                for arm, items in zip(ARMS, self._sharing.arms(), strict=True)
            }
            return _Wanted(
                version,
                self._features(),
                labels,
                ledger.audit.order[:ASKED],
                len(self._task.classes),
            )

    def _work(self, wanted: _Wanted) -> list[Said]:
        n = len(wanted.features)
        found: list[Said] = []
        with few_threads(wanted.features.size):
            asked = wanted.features[wanted.asked]
            for arm, (items, codes) in wanted.labels.items():
                if len(np.unique(codes)) >= MIN_CLASSES:
                    proba = self._fitted(wanted, items, codes).predict_proba(asked)
                    said = self._task.codes(decided(proba, self._task.multilabel))
                    found.append(Said(arm, wanted.version, len(items), n, said))
        return found

    def _fitted(
        self, wanted: _Wanted, items: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> Learner:
        """A learner that knows these labels and no others."""
        learner = watched(self._fresh, None, self._trainer.stop)
        targets = self._task.targets(codes)
        return learner.fit(wanted.features[items], targets, classes=wanted.n_classes)

    def _publish(self, found: list[Said]) -> None:
        if not found:
            return
        with self._lock:
            # Classes may have been merged meanwhile.
            found = [replace(one, codes=codes_of_today(self._task, one.codes)) for one in found]
            self._said = [*self._said, *found]
            row = self._kept(found)
        try:
            self._store.keep_arms(found[0].version, row)
        except AlwidgetsError:
            log.warning("what the arms' models say could not be kept", exc_info=True)
        self._signals.emit("arms")

    def _fail(self, error: Exception) -> None:
        # The curve lacks a point, and nothing else.
        if not isinstance(error, Cancelled):
            log.warning("the arms could not be fitted", exc_info=error)

    # ------------------------------------------------------------------ in the store

    def _kept(self, found: list[Said]) -> dict[str, Any]:
        """For the store: by answers, since the codes of sets of labels are made anew."""
        codes, places = np.unique(np.concatenate([one.codes for one in found]), return_inverse=True)
        parts = np.split(places.astype("<i4"), np.cumsum([len(one.codes) for one in found])[:-1])
        first = found[0]
        return {
            "version": first.version,
            "n": first.n,
            "key": self._key(first.n, len(first.codes)),
            "answers": [self._task.decode(int(code)) for code in codes],
            "arms": [
                {
                    "arm": one.arm,
                    "n_labels": one.n_labels,
                    "said": base64.b64encode(zlib.compress(part.tobytes())).decode(),
                }
                for one, part in zip(found, parts, strict=True)
            ],
        }

    def _read(self) -> None:
        """Read what earlier runs kept, so far as it is of the same items."""
        keys: dict[tuple[int, int], str] = {}
        for row in self._store.arms():
            # A class may have another name by now, or be part of another one.
            answers = [self._task.encode(self._task.validate(answer)) for answer in row["answers"]]
            codes = np.array(answers, dtype=np.int64)
            self._tried = max(self._tried, row["version"])
            for one in row["arms"]:
                said = np.frombuffer(zlib.decompress(base64.b64decode(one["said"])), dtype="<i4")
                at = row["n"], len(said)
                if at not in keys:
                    keys[at] = self._key(*at)
                if keys[at] == row["key"]:
                    version, n_labels = row["version"], one["n_labels"]
                    self._said.append(Said(one["arm"], version, n_labels, row["n"], codes[said]))

    def _key(self, n: int, asked: int) -> str:
        """Hash of the ids of the items that a model was asked about, in their order."""
        order = self._ledger.audit.first(n)[:asked]
        digest = hashlib.blake2b(digest_size=16)
        for item_id in self._ledger.pool.ids.take(order):
            digest.update(item_id.encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()
