"""The loop: from labels to a model, from the model to the next cards, in the background."""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import readings
from .advising import Adviser, StopSign
from .armfits import ArmFits
from .content import Text
from .errors import AlwidgetsError
from .evaluation.costs import seconds_per_card
from .history import History
from .ingest import FeatureRows
from .learners import Learner
from .learners.progress import Cancelled, Progress
from .ledger import Ledger
from .modelfile import ModelFile
from .pool import Pool
from .rounds import MIN_CLASSES, Round, Snapshot, run_round, unwatched, watched
from .samples import Picked
from .sharing import Order, Sharing
from .signals import Signals
from .strategies import get as get_strategy
from .tasks import Task
from .threads import few_threads, warm_up
from .trainer import Executor, Trainer

log = logging.getLogger(__name__)


class Loop:
    """Keeps the model up to the labels and the queue up to the model.

    Parameters
    ----------
    pool : Pool
    task : Task
    ledger : Ledger
    learner : Learner
    strategy : str or callable
    batch_size : int
        New labels after which the learner retrains.
    seed : int
    model_file : ModelFile
    adviser : Adviser
    history : History
    sharing : Sharing
    arms : ArmFits
    signals : Signals
        Emits ``training``, ``progress``, ``round``, ``queue``, ``switch``, ``advice``, ``notice``
        and ``error``.
    lock : RLock
        Of the session; held briefly and never across a fit.
    executor : Executor or None

    Attributes
    ----------
    learner : Learner
        The one published last; nobody changes it any more.
    model_file : ModelFile
    history : History
    sharing : Sharing
    arms : ArmFits
    current : Round or None
        The newest.
    former : Round or None
        The newest of the model before that, since the session was opened.
    error : Exception or None
        What the newest round failed with.
    progress : Progress or None
        How far the fit under way has come, where the learner tells.
    sign : StopSign
        Whether more labels are worth it, as of the newest round.
    """

    def __init__(
        self,
        pool: Pool,
        task: Task,
        ledger: Ledger,
        learner: Learner,
        strategy: str | Callable[..., Any],
        batch_size: int,
        ready: int,
        seed: int,
        model_file: ModelFile,
        adviser: Adviser,
        history: History,
        sharing: Sharing,
        arms: ArmFits,
        signals: Signals,
        lock: threading.RLock,
        executor: Executor | None,
    ) -> None:
        self._pool = pool
        self._task = task
        self._ledger = ledger
        self._strategy = strategy
        self._batch_size = batch_size
        self._ready = ready
        self._seed = seed
        self.model_file = model_file
        self._adviser = adviser
        self._signals = signals
        self._lock = lock
        self._features: NDArray[Any] = pool.features
        warm_up()
        self._losing = readings.said_by_audit(ledger)
        self._closed = False
        self._wanted = 0
        self._failed_revision = 0
        self._fresh = copy.deepcopy(learner)
        self.learner = learner
        self.current: Round | None = None
        self.former: Round | None = None
        self.error: Exception | None = None
        self.progress: Progress | None = None
        self.history = history
        self.sharing = sharing
        self.arms = arms
        #: What each round picked, and what its model said of that.
        self.picked: list[Picked] = []
        self._sign: StopSign = adviser.sign()
        self._advised = False
        # Whether what waits is to be picked anew, and whether the round under way does that.
        self._repick, self._repicking = sharing.has_changed, False
        #: Whether `learner` is the model of the newest round.
        self.is_fitted = False
        # Whether the model that a session left behind is still to be read: the worker does that,
        # for a learner may take its time over it.
        self._unread = ledger.version > 0
        #: Whether a model is being fitted, or made ready again after a restart.
        self.training = self._unread
        self._asked = False
        #: Whether items have joined that the newest round knows nothing of.
        self._has_grown = False
        self._trainer = Trainer(self._snapshot, run_round, self._publish, self._fail, executor)

    @property
    def sign(self) -> StopSign:
        """Whether to go on labelling, as of the newest round and of what is left to label."""
        with self._lock:
            return self._sign.with_left(readings.left(self._ledger))

    @property
    def busy(self) -> bool:
        """Whether a round is under way."""
        return self._trainer.busy

    def run(self) -> None:
        """Start a round if there is something to do."""
        self._trainer.request()

    def run_if_wanted(self, cards: int) -> None:
        """Start a round if a batch of labels is full, or fewer than so many cards are ready."""
        with self._lock:
            self._wanted = max(self._wanted, cards)
            wanted = self.is_due() or self._is_short(cards)
        if wanted:
            self._trainer.request()

    def retrain(self) -> None:
        """Start a round that fits, whether or not a batch is full."""
        with self._lock:
            self._asked = True
        self._trainer.request()

    def wait(self) -> None:
        """Wait for the rounds under way."""
        self._trainer.wait()

    def wait_for_model(self) -> None:
        """After a restart, wait for the model to be read, while that is under way."""
        if self._unread:
            self._trainer.wait(until=lambda: not self._unread)

    def cancel(self) -> None:
        """End the round under way, where it can be ended; the model before it stays."""
        self._trainer.cancel()
        self.arms.cancel()

    def close(self) -> None:
        """Start no more rounds, and wait for the one under way; it is not published."""
        with self._lock:
            self._closed = True
        self._trainer.close()
        self.arms.close()
        self._save_history()

    def grow(self, model_file: ModelFile, order: Order) -> None:
        """Take in the items that joined the pool; the caller holds the lock.

        A round under way goes on with those that it began with.
        """
        self._features, self.model_file = self._pool.features, model_file
        self.sharing.follow(order)
        self.__dict__.pop("_lengths", None)
        self._has_grown = True
        n = len(self._features)
        self.current = self.current and self.current.grown(n)
        self.former = self.former and self.former.grown(n)

    def until_fit(self) -> int:
        """How many more labels fill a batch; 0 where one is full, as while it is fitted."""
        # After a failure, a whole batch more before the next try.
        seen = max(self._ledger.fitted_revision, self._failed_revision)
        return max(0, self._batch_size - (self._ledger.revision - seen))

    def is_due(self) -> bool:
        """Whether enough labels are new to fit again."""
        return self.until_fit() == 0 and self._ledger.n_classes_seen >= MIN_CLASSES

    def _is_short(self, cards: int) -> bool:
        """Whether fewer cards than that are ready, and there are more to be picked."""
        queue = self._ledger.queue
        if queue.n_waiting >= cards:
            return False
        return self._ledger.n_candidates > queue.n_train

    def _read_model(self) -> None:
        """Make the model of the newest round ready again, as it was before a restart."""
        self._tell_training(True)
        learner = watched(self._fresh, self._on_progress, self._trainer.stop)
        with few_threads(self._features.size):
            found = self.model_file.load(learner, self._ledger.version)
        self.history.load()
        with self._lock:
            if found:
                self.learner, self.is_fitted = unwatched(learner), True
            # Without its file the model is fitted anew, whether or not a batch is full.
            self._asked = self._asked or not found
            self.progress = None
            self._unread = False
        self._trainer.look_again()
        self._tell_training(False)

    def _snapshot(self) -> Snapshot | None:
        if self._unread and not self._closed:
            self._read_model()
        with self._lock:
            fit = (self._asked and self._ledger.n_classes_seen >= MIN_CLASSES) or self.is_due()
            wanted = max(self._ready, self._wanted)
            short = self._is_short(wanted)
            again = self._repick
            due = fit or short or again or self._has_grown
            if self._closed or (self.current is not None and not due):
                return None
            self._asked, self._wanted, self._has_grown = False, 0, False
            self._repick, self._repicking = False, again
            labelled, codes, at_random, active = readings.training_set(self._ledger)
            free = self._ledger.candidates()
            # What waits stays, where nothing new is known; more is put behind it.
            waiting = [] if fit or again else self._ledger.queue.upcoming()
            for draw in waiting:
                free[self._ledger.index(draw.item_id)] = False
            n = max(2 * self._batch_size, 2 * self._ready, wanted) if fit or short or again else 0
            judged = self.current.verdict if self.current is not None else None
            snapshot = Snapshot(
                revision=self._ledger.revision,
                features=self._features,
                labelled=labelled,
                codes=codes,
                at_random=at_random,
                active=active,
                candidates=free,
                task=self._task,
                n_classes=len(self._task.classes),
                audit=readings.audit_sample(self._ledger),
                learner=self.learner,
                version=self._ledger.version,
                is_fitted=self.is_fitted,
                fit=fit,
                strategy=self._strategy,
                fresh=self._fresh,
                costs=self._costs(),
                losing=self._losing,
                verdict=self.arms.verdict() or judged,
                n=n,
                shares=self.sharing.shares(free, n, waiting),
                seed=self._seed + self._ledger.revision,
                on_progress=self._on_progress,
                should_stop=self._trainer.stop,
            )
        if fit:
            self._tell_training(True)
        return snapshot

    def _costs(self) -> Callable[[], NDArray[np.float64]] | None:
        """What tells the expected seconds a card, if the strategy asks."""
        if "cost" not in get_strategy(self._strategy).needs:
            return None
        positions, seconds = readings.timed(self._ledger)
        n = len(self._features)
        # The contents are read by the round, not here under the lock.
        return lambda: seconds_per_card(positions, seconds, self._lengths[:n])

    @cached_property
    def _lengths(self) -> NDArray[np.int64]:
        """Characters of every text; 0 of what is no text to read."""
        contents = self._pool.contents
        if isinstance(contents, FeatureRows) or not isinstance(contents[0], Text):
            return np.zeros(len(contents), dtype=np.int64)
        lengths = (len(c.text) if isinstance(c, Text) else 0 for c in contents)
        return np.fromiter(lengths, dtype=np.int64, count=len(contents))

    def _tell_training(self, training: bool) -> None:
        # Not whether the trainer is busy: it still is when it tells of the end, and also with
        # rounds that only pick.
        self.training = training
        self._signals.emit("training", training)

    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress
        self._signals.emit("progress", progress)

    def _publish(self, result: Round) -> None:
        said = None
        if result.fitted and not self._closed:
            assert result.predictions is not None
            # Before the lock: of a large pool it takes a moment.
            said = self.history.prepare(result.version, result.predictions, self._ledger.audit)
        with self._lock:
            if self._closed:
                return
            instead = result.fitted or self._repicking
            self._ledger.pick(result.draws(self._pool.ids), instead=instead)
            switch = None
            if len(result.selection.indices):
                picks = result.selection
                switch = self._ledger.follow(picks.strategy, picks.reason, result.version)
            if (picked := result.picked) is not None:
                self.picked.append(picked)
            if result.fitted:
                self._ledger.add_round(result.record())
                assert said is not None
                self.history.add(said)
                self._adviser.note(result)
                self.is_fitted = True
            self.learner = result.learner
            result = result.grown(len(self._features))
            if self.current is not None and self.current.version != result.version:
                self.former = self.current
            self.current = result
            self.error = None
            self.progress = None
            unsaved = self.model_file.version != result.version and self.is_fitted
        if result.fitted or unsaved:
            self._save(result)
        if result.fitted:
            self._save_history()
            self._tell_training(False)
        self._signals.emit("round", result)
        if switch is not None:
            self._signals.emit("switch", switch)
        self._signals.emit("queue")
        if result.fitted or not self._advised:
            self._advise()
        self.arms.request()

    def _advise(self) -> None:
        """Say whether more labels are worth it; the next cards are there by now."""
        with self._lock:
            rounds = list(self._ledger.rounds)
        try:
            with few_threads(0):
                self._sign = self._adviser.sign(rounds)
        except Exception:
            # Advice is no reason to lose a round.
            log.warning("nothing could be said of whether to stop", exc_info=True)
            return
        self._advised = True
        self._signals.emit("advice", self.sign)

    def change_strategy(self, strategy: str | Callable[..., Any]) -> None:
        """Pick by another strategy from the next batch on, which is picked now."""
        with self._lock:
            self._strategy = strategy
            self._repick = True
        self._trainer.request()

    def _save(self, result: Round) -> None:
        try:
            self.model_file.save(result.learner, result.version)
        except (AlwidgetsError, OSError) as error:
            log.warning("the model could not be saved", exc_info=error)
            self._signals.emit(
                "notice",
                f"The model could not be saved ({error}); after a restart it is fitted anew. "
                "Labels are safe.",
            )

    def _save_history(self) -> None:
        try:
            self.history.save()
        except AlwidgetsError:
            # It is written with the next round; labels and model are safe.
            log.warning("what the model says could not be kept", exc_info=True)

    def why_no_model(self) -> str:
        """Why nothing can be predicted, and what to do about it, in words."""
        if not self._task.classes:
            return f"No model is trained for {self._task!r}: its answers are of no class."
        if not self._ledger.version:
            return "There is no model yet: label items of at least two classes, then retrain()."
        if self.busy:
            return "The model is being made ready again; call retrain() to wait for it."
        if self._unread:
            return "Reading the model was stopped; retrain() makes it ready again."
        return "The model could not be made ready again, or that was stopped; retrain() fits it."

    def _after_stop(self) -> str:
        """What was stopped, and what there is instead, in words."""
        version = self._ledger.version
        if self.is_fitted:
            return f"Training was stopped; model {version} stays."
        if not version:
            return "Training was stopped; there is no model yet."
        doing = "Reading the model" if self._unread else "Training"
        return f"{doing} was stopped; it comes back with the next training."

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._failed_revision = self._ledger.revision
            self.progress = None
            cancelled = isinstance(error, Cancelled)
            self.error = None if cancelled else error
            if cancelled and not self.is_fitted and self._ledger.version > 0:
                # A model that a session left behind is fitted anew with the next request.
                self._asked = self._asked or not self._unread
            if cancelled and self._closed:
                return
        if cancelled:
            self._tell_training(False)
            self._signals.emit("notice", self._after_stop())
            return
        log.error("the round failed, labels are safe", exc_info=error)
        self._tell_training(False)
        self._signals.emit("error", error)
