"""The hub: a pool, a task, a store, a learner and a strategy, and what happens between them."""

from __future__ import annotations

import atexit
import copy
import logging
import sys
import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .arguments import check_arguments, login_name
from .audit import Audit
from .database import parse_location
from .displays import Displayed
from .errors import (
    AlwidgetsError,
    AnswerError,
    LearnerError,
    StoreError,
    UnknownItemError,
)
from .evaluation.risk import Estimate
from .items import Item, QueueReport
from .learners import HeadEnsemble, Learner
from .ledger import Ledger
from .loop import READY, Loop
from .modelfile import ModelFile
from .pool import Pool
from .rounds import Round
from .schema import Draw, Event, Kind, RoundRecord, Switch, now
from .signals import Listener, Signals
from .store import LabelStore
from .strategies import get as get_strategy
from .tasks import Answer, Task
from .trainer import Executor

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

SIGNALS = (
    "labelled",
    "round",
    "switch",
    "training",
    "progress",
    "queue",
    "error",
    "notice",
    "closed",
)

_by_path: weakref.WeakValueDictionary[Path, Session] = weakref.WeakValueDictionary()
_all: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # A thread that is in the middle of a fit when the interpreter goes away takes it down.
    for session in list(_all):
        session.close("The process is ending.")


class Session(Displayed):
    """Labelling with active learning.

    Parameters
    ----------
    pool : Pool
    task : Task
    store : path, database URL or None
        Where labels are kept: a path is an SQLite file, made if it is not there. None keeps them
        in memory only. Opening a store again resumes: labels, queue and model.
    learner : Learner, optional
        A `HeadEnsemble` by default.
    strategy : str or callable
        A name out of ``alwidgets.strategies.names()``, or ``f(context) -> scores``.
    batch_size : int
        New labels after which the learner retrains.
    audit : float
        Share of the pool that is kept from training, and of the cards that come from it, to
        estimate accuracy from.
    seed : int
    annotator : str, optional
        Who labels; the login name by default.
    executor : Executor, optional
        Where the retraining runs; a background thread by default.

    Raises
    ------
    StoreInUseError
        If another session has the store open. In a notebook, the same cell run again replaces
        the earlier session instead.
    StoreError
        If the store cannot be used, or belongs to another task or pool.
    StrategyError
        If there is no such strategy.

    Examples
    --------
    >>> import alwidgets as al
    >>> pool = al.Pool.from_texts(["win a prize", "see you at six", "claim your prize"])
    >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
    >>> item = session.next()[0]
    >>> event = session.record(item.id, "spam" if "prize" in item.content.text else "ham")
    >>> len(session.labels())
    1
    """

    def __init__(
        self,
        pool: Pool,
        task: Task,
        store: str | PathLike[str] | None = None,
        *,
        learner: Learner | None = None,
        strategy: str | Callable[..., Any] = "auto",
        batch_size: int = 20,
        audit: float = 0.15,
        seed: int = 0,
        annotator: str | None = None,
        executor: Executor | None = None,
    ) -> None:
        check_arguments(pool, task, batch_size, audit, seed)
        get_strategy(strategy)
        self.pool = pool
        self.task = copy.copy(task)  # classes added here are not added elsewhere
        self.strategy = strategy
        self.batch_size = batch_size
        self.annotator = annotator or login_name()
        self._lock = threading.RLock()
        self._signals = Signals(*SIGNALS)
        self._closed: str | None = None
        self.store = _open_store(store)
        try:
            given = {"seed": seed, "audit": audit}
            settings = self.store.bind(self.task, pool, given)
            if settings != given:
                log.warning("%s was made with %s; these stay, not %s", self.store, settings, given)
            self.seed: int = settings["seed"]
            reserved = Audit(pool.ids, settings["audit"], self.seed)
            self._ledger = Ledger(pool, self.task, self.store, reserved)
            learner = copy.deepcopy(learner) if learner else HeadEnsemble(seed=self.seed)
            self._loop = Loop(
                pool=pool,
                task=self.task,
                ledger=self._ledger,
                learner=learner,
                strategy=strategy,
                batch_size=batch_size,
                seed=self.seed,
                model_file=ModelFile(self.store.path, learner, pool),
                signals=self._signals,
                lock=self._lock,
                executor=executor,
            )
        except BaseException:
            self.store.close()
            raise
        if self.store.path is not None:
            _by_path[self.store.path] = self
        _all.add(self)
        self._loop.run()

    # ------------------------------------------------------------------ labelling

    def next(self, n: int = 1, *, wait: bool = True) -> list[Item]:
        """Return the items to label next; the same ones until they are answered.

        Parameters
        ----------
        n : int
            At most so many.
        wait : bool
            Wait for a retraining that is due, so that a script sees the newest choice. False
            returns what is ready now.

        Returns
        -------
        list of Item
            Empty when nothing is left.
        """
        self._check_open()
        n = max(n, 0)
        if wait:
            self._loop.run_if_wanted(n)
            self._loop.wait()
        with self._lock:
            self._ledger.draw_audits(n)
            draws = self._ledger.queue.upcoming()[:n]
            if wait and not draws and self.error is not None:
                raise self.error
            return [self._item(draw) for draw in draws]

    def prepare(self, n: int) -> None:
        """See to it, in the background, that n items are ready; ``queue`` tells when they are."""
        self._loop.run_if_wanted(n)

    def record(
        self,
        item_id: str,
        answer: Answer = None,
        *,
        kind: Kind = "answer",
        target: str | None = None,
        event_id: str | None = None,
        draw_id: str | None = None,
        shown_at: str | None = None,
        answered_at: str | None = None,
        annotator: str | None = None,
    ) -> Event:
        """Keep an answer; it is on disk when this returns.

        Parameters
        ----------
        item_id : str
        answer : answer of the task
        kind : {"answer", "skip", "flag", "retract"}
        target : str, optional
            Of a retract: the event to take back.
        event_id : str, optional
            Distinct; the same one again changes nothing.
        draw_id : str, optional
            By default the draw by which the item waits.
        shown_at, answered_at : str, optional
            ISO 8601; `answered_at` is now by default.
        annotator : str, optional

        Returns
        -------
        Event

        Raises
        ------
        UnknownItemError, AnswerError
            If the item is not in the pool, or the answer is not one of the task's.
        StoreError
            If it could not be written; then nothing has changed.
        """
        event = Event(
            event_id=event_id or uuid.uuid4().hex,
            item_id=item_id,
            kind=kind,
            answer=answer,
            target=target,
            draw_id=draw_id,
            annotator=annotator or self.annotator,
            shown_at=shown_at,
            answered_at=answered_at or now(),
        )
        fresh = self.commit([event])
        return fresh[0] if fresh else event

    def skip(self, item_id: str) -> Event:
        """Pass over an item; it does not come again by itself."""
        return self.record(item_id, kind="skip")

    def flag(self, item_id: str) -> Event:
        """Mark an item for a second look. `retract` the event to take the mark back."""
        return self.record(item_id, kind="flag")

    def undo(self) -> Event | None:
        """Take back the last event that stands; its card comes again, first.

        Returns
        -------
        Event or None
            What was taken back.
        """
        last = self._ledger.labels.last
        if last is not None:
            self.retract(last.event_id)
        return last

    def retract(self, event_id: str) -> Event:
        """Take one event back.

        Raises
        ------
        AnswerError
            If no such event stands.
        """
        # The lock is not held here: listeners are told of it, and they have locks of theirs.
        target = self._ledger.labels.get(event_id)
        if target is None:
            raise AnswerError(f"There is no event {event_id!r} to take back.")
        return self.record(target.item_id, kind="retract", target=event_id)

    def validate(self, event: Event) -> Event:
        """Return the event as it will be stored, or raise what is wrong with it.

        Raises
        ------
        UnknownItemError, AnswerError
        """
        with self._lock:
            return self._ledger.validate(event)

    def commit(self, events: Iterable[Event]) -> list[Event]:
        """Validate events and store them all in one transaction.

        Returns
        -------
        list of Event
            Those that are new.
        """
        with self._lock:
            self._check_open()
            fresh = self.store.append([self._ledger.validate(event) for event in events])
            for event in fresh:
                self._ledger.apply(event)
        for event in fresh:
            self._signals.emit("labelled", event)
        if fresh:
            self._loop.run_if_wanted(READY)
        return fresh

    def queue(self, ids: Sequence[str]) -> QueueReport:
        """Put items of your choice before the others.

        Parameters
        ----------
        ids : sequence of str

        Raises
        ------
        UnknownItemError
            If one of them is not in the pool; then none is queued.
        """
        if isinstance(ids, str):
            raise UnknownItemError(f"queue takes a list of ids, not a text: queue([{ids!r}]).")
        with self._lock:
            self._check_open()
            positions = {item_id: self.pool.index(item_id) for item_id in ids}
            fresh = [i for i in positions if i not in self._ledger.labels.answers]
            self._ledger.choose(fresh, self.version)
            kept = sum(self._ledger.audit.reserved[positions[i]] for i in fresh)
        self._signals.emit("queue")
        return QueueReport(len(fresh), len(positions) - len(fresh), int(kept))

    def add_class(self, name: str) -> None:
        """Add a class to the task; labels stay as they are."""
        add = getattr(self.task, "add", None)
        if add is None:
            raise AnswerError(f"{self.task!r} has no classes to add to.")
        with self._lock:
            self._check_open()
            add(name)
            self.store.update_task(self.task)
        self._signals.emit("notice", f"Class {name!r} added.")

    # ------------------------------------------------------------------ the model

    def retrain(self, wait: bool = True) -> Round | None:
        """Retrain now.

        Parameters
        ----------
        wait : bool
            Until it has ended; then an error of the learner or strategy is raised here.

        Returns
        -------
        Round or None
            The newest round; None before the first.
        """
        self._check_open()
        self._loop.retrain()
        if wait:
            self._loop.wait()
            if self.error is not None:
                raise self.error
        return self.current

    @property
    def error(self) -> Exception | None:
        """What the newest round failed with, or None; labels are safe whatever it is."""
        return self._loop.error

    @property
    def current(self) -> Round | None:
        """The newest round, or None before the first."""
        return self._loop.current

    @property
    def version(self) -> int:
        """Version of the model; 0 before there is one."""
        return self._ledger.version

    @property
    def training(self) -> bool:
        """Whether a retraining is under way."""
        return self._loop.busy

    @property
    def fit_progress(self) -> float | None:
        """How far the fit under way has come, 0 to 1; None where the learner does not tell."""
        progress = self._loop.progress
        return progress.fraction if progress is not None else None

    def cancel(self) -> None:
        """End a long fit under way; the model before it stays, and labels are safe.

        Learners that fit in a moment do not look; those of torch modules do.
        """
        self._check_open()
        self._loop.cancel()

    @property
    def rounds(self) -> list[RoundRecord]:
        """Every retraining so far, over all runs of this session."""
        return list(self._ledger.rounds)

    @property
    def switches(self) -> list[Switch]:
        """Which strategy picked from when on, and why, over all runs of this session."""
        return list(self._ledger.switches)

    def predict_proba(self, new: Any) -> NDArray[np.float32]:
        """Class probabilities.

        Parameters
        ----------
        new : features (n, d), or contents as the pool was made of

        Returns
        -------
        ndarray of float32, shape (n, C)

        Raises
        ------
        LearnerError
            If there is no model yet.
        """
        if not self._loop.is_fitted:
            raise LearnerError(
                "The model is being fitted again; call retrain() to wait for it."
                if self.version
                else "There is no model yet: label items of at least two classes, then retrain()."
            )
        return self._loop.learner.predict_proba(self.pool.encode(new))

    def predict(self, new: Any) -> NDArray[np.object_]:
        """Answers of the model, an array of n class names; `new` as in `predict_proba`."""
        codes = self.predict_proba(new).argmax(axis=1)
        return np.array([self.task.decode(int(c)) for c in codes], dtype=object)

    def estimate(self, metric: str = "accuracy") -> Estimate:
        """Estimate how good the model is on items that it was not trained on.

        From the audit labels: a random sample of the pool that no model has seen.

        Parameters
        ----------
        metric : {"accuracy"}

        Returns
        -------
        Estimate
            With a 95 % interval; of NaN between 0 and 1 while there are no audit labels.
        """
        if metric != "accuracy":
            raise AlwidgetsError(f"There is no metric {metric!r}; use 'accuracy'.")
        with self._lock:
            sample, learner = self._ledger.audit_sample(), self._loop.learner
            if not self._loop.is_fitted:
                sample = sample.none()
        if not len(sample.items):
            return sample.accuracy(sample.codes)
        proba = learner.predict_proba(self.pool.features[sample.items])
        return sample.accuracy(proba.argmax(axis=1))

    # ------------------------------------------------------------------ looking

    def labels(self) -> pd.DataFrame:
        """The labels that stand.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``: ``answer``, ``annotator``, ``answered_at``, ``shown_at``,
            ``stream`` (train, audit or chosen), ``use`` (train, audit, or held: kept for the
            audit and not drawn yet), ``strategy``, ``score``, ``q``, ``model_version``,
            ``flagged``.
        """
        with self._lock:
            return self._ledger.to_frame()

    def label_codes(self) -> NDArray[np.int32]:
        """Class code of every item of the pool, shape (n,); -1 where there is no answer."""
        with self._lock:
            return self._ledger.label_codes()

    def upcoming(self) -> list[str]:
        """Ids on the next cards, in order."""
        with self._lock:
            return [draw.item_id for draw in self._ledger.queue.upcoming()[:READY]]

    def item(self, item_id: str) -> Item | None:
        """The card of an item that waits, or None."""
        with self._lock:
            draw = self._ledger.queue.draw_of(item_id)
            return self._item(draw) if draw is not None else None

    def progress(self) -> dict[str, int]:
        """Counts: ``labelled``, ``audit`` (of them), ``skipped``, ``flagged``, ``total``."""
        with self._lock:
            return self._ledger.progress()

    @property
    def exhausted(self) -> bool:
        """Whether every item was answered or skipped."""
        return self._ledger.n_done >= len(self.pool)

    def event(self, event_id: str) -> Event | None:
        """The event with this id, whether or not it was taken back."""
        with self._lock:
            return self._ledger.labels.find(event_id)

    def flag_of(self, item_id: str) -> Event | None:
        """The event that flagged an item, or None if it is not flagged."""
        return self._ledger.labels.flag_of(item_id)

    @property
    def reserved(self) -> NDArray[np.bool_]:
        """Which items are kept for the audit, shape (n,): nobody is told what the model thinks."""
        return self._ledger.audit.reserved

    def suggestion(self, index: int) -> tuple[Answer, float] | None:
        """What the model says of an item, and its probability.

        None without a model, and on items that are kept for the audit: it would sway the answer.
        """
        current = self.current
        if current is None or current.predictions is None or current.confidence is None:
            return None
        if self.reserved[index]:
            return None
        answer = self.task.decode(int(current.predictions[index]))
        return answer, float(current.confidence[index])

    @property
    def name(self) -> str:
        """Name for people: that of the store's file."""
        return self.store.path.stem if self.store.path else self.store.name or "Labelling"

    def on(self, event: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` when something happens.

        Parameters
        ----------
        event : str
            ``labelled`` (Event), ``round`` (Round), ``switch`` (Switch: another strategy picks),
            ``training`` (bool), ``progress`` (Progress of a fit), ``queue`` (), ``error``
            (Exception), ``notice`` (str) or ``closed`` (str). The call comes from the thread where
            it happens.
        listener : callable

        Returns
        -------
        callable
            Ends it.
        """
        return self._signals.on(event, listener)

    def close(self, reason: str = "It was closed.") -> None:
        """End the session and let go of its store. Closing twice is fine."""
        with self._lock:
            if self._closed is not None:
                return
            self._closed = reason
        self._loop.close()
        self.store.close()
        self._signals.emit("closed", reason)

    def __repr__(self) -> str:
        done = self.progress()
        return f"Session({self.name!r}, {done['labelled']:,} of {done['total']:,} labelled)"

    def _item(self, draw: Draw) -> Item:
        index = self.pool.index(draw.item_id)
        answer, confidence = self.suggestion(index) or (None, None)
        return Item(
            id=draw.item_id,
            index=index,
            content=self.pool.contents[index],
            metadata=self.pool.metadata_of(index),
            draw_id=draw.draw_id,
            stream=draw.stream,
            strategy=draw.strategy,
            score=draw.score,
            model_version=draw.model_version,
            suggestion=answer,
            confidence=confidence,
        )

    def _check_open(self) -> None:
        if self._closed is not None:
            raise StoreError(f"This session is closed. {self._closed} Make a new one to go on.")


def _open_store(location: str | PathLike[str] | None) -> LabelStore:
    """Open a store; in a notebook, the session that has it open gives way.

    A cell that makes a session is run again and again, so there the newer session replaces the
    older one. In a script two sessions on one store are a mistake.
    """
    path = parse_location(location)[1]
    older = _by_path.get(path) if path is not None else None
    if older is not None and not hasattr(sys.modules["__main__"], "__file__"):
        older.close("A newer session has opened its store.")
    return LabelStore(location)
