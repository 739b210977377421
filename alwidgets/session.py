"""The hub: a pool, a task, a store, a learner and a strategy, and how they come together.

What a session can do stands in modules of their own: `labelling` (cards and answers), `reviewing`
(what was done), `gathering` (many items at once), `selection` (what all views have selected),
`exploring` (edge cases, items that are alike), `growing` (new items in the pool), `deciding`
(whether to go on), `diagnosing` (where the model is wrong), `classes` (their changes), `modelling`
(the model), `lookback` (the round that the views show), `displays` (the views).
How it runs: `ledger` (the state) and `loop` (the rounds).
"""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import exchange, readings
from .advising import Adviser
from .anchoring import Suggested
from .arguments import check_arguments, check_strategy, login_name
from .armfits import ArmFits
from .audit import Audit
from .classes import Classes
from .deciding import Deciding
from .diagnosing import Diagnosing
from .displays import Displayed
from .exploring import Exploring
from .growing import Growing
from .guidelines import read_guidelines
from .history import History
from .ingest import progress_bar
from .learners import Learner
from .learners.wrapping import as_learner
from .ledger import Ledger
from .lookback import LookingBack
from .loop import Loop
from .modelfile import ModelFile
from .opening import open_store, remember
from .pool import Pool
from .reviewing import Reviewing
from .selection import Selecting, Selection, Slices
from .sharing import Compare, Sharing, check_compare
from .signals import Listener, Signals
from .strategies import suited
from .tasks import Task
from .trainer import Executor

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

SIGNALS = (
    "labelled",
    "round",
    "switch",
    "advice",
    "arms",
    "training",
    "progress",
    "queue",
    "error",
    "notice",
    "together",
    "selection",
    "slices",
    "round shown",
    "grown",
    "closed",
)


class Session(
    Reviewing,
    Selecting,
    Exploring,
    Growing,
    Classes,
    Deciding,
    Diagnosing,
    LookingBack,
    Displayed,
):
    """Labelling with active learning.

    Parameters
    ----------
    pool : Pool
    task : Task
    store : path, database URL or None
        Where labels are kept: a path is an SQLite file, made if it is not there. None keeps them
        in memory only. Opening a store again resumes: labels, queue and model.
    learner : Learner, scikit-learn classifier or torch module, optional
        A `HeadEnsemble` by default. A classifier of scikit-learn becomes a `SklearnLearner`, a
        torch module a `TorchLearner`.
    strategy : str or callable
        A name out of ``alwidgets.strategies.names()``, or ``f(context) -> scores``.
    batch_size : int
        New labels after which the learner retrains.
    ready : int
        Cards that are chosen ahead and wait in the browser; so many can be answered while the
        kernel is stopped. The more, the older the model may be that chose the last of them.
    audit : float
        Share of the pool that is kept from training, and of the cards that come from it, to
        estimate accuracy from.
    seed : int
    annotator : str, optional
        Who labels; the login name by default.
    guidelines : str or path, optional
        How to label, in Markdown, beside the cards: a text, or the path of a file with it.
    hide_suggestions : float
        Share of the training cards, drawn at random, on which the model's suggestion is hidden, so
        that `anchoring` can say whether it sways the answers.
    compare : {"random", "off"} or None
        ``"random"`` shares out the training cards, half to the strategy and half to random ones,
        so that `arms` and `labels_saved` can say what active selection brings; ``"off"`` ends
        that. None goes on as the store was left. Labels given before serve both arms alike.
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
        If there is no such strategy, or it is for the other kind of tasks.
    LearnerError
        If the learner is none, and cannot be made one.

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
        learner: Learner | Any | None = None,
        strategy: str | Callable[..., Any] = "auto",
        batch_size: int = 20,
        ready: int = 20,
        audit: float = 0.15,
        seed: int = 0,
        annotator: str | None = None,
        guidelines: str | PathLike[str] | None = None,
        hide_suggestions: float = 0.0,
        compare: Compare | None = None,
        executor: Executor | None = None,
    ) -> None:
        check_arguments(pool, task, batch_size, ready, audit, seed)
        # What is stored goes through JSON, which knows no numbers of numpy.
        batch_size, ready, seed = int(batch_size), int(ready), int(seed)
        audit = audit if task.classes else 0.0  # there is no model to estimate
        chosen = suited(strategy, task.multilabel)
        check_strategy(chosen, task)
        check_compare(compare, chosen.name, audit, task)
        as_learner(learner, seed)
        self.pool = pool
        self.task = copy.copy(task)  # classes added here are not added elsewhere
        self._strategy = strategy
        self.batch_size = batch_size
        self.ready = ready
        self.annotator = annotator or login_name()
        self.guidelines = read_guidelines(guidelines)
        self._suggested = Suggested(hide_suggestions)
        self._lock = threading.RLock()
        self._signals = Signals(*SIGNALS)
        self.selection, self.slices = Selection(self), Slices(self)
        self._closed = None
        self.store = open_store(store)
        pool.still.acquire()
        try:
            given = {"seed": seed, "audit": float(audit)}
            settings = self.store.bind(self.task, pool, given)
            if settings != given:
                log.warning("%s was made with %s; these stay, not %s", self.store, settings, given)
            self.seed = settings["seed"]
            with progress_bar("Setting the audit apart") as progress:
                reserved = Audit(pool.ids, settings["audit"], self.seed, progress)
            self._ledger = Ledger(pool, self.task, self.store, reserved)
            check_compare(compare, chosen.name, reserved.share, self.task)
            sharing = Sharing(self._ledger, self.store, compare)
            adviser = Adviser(pool, self.task, self._ledger, self.store, self.seed)
            learner = copy.deepcopy(as_learner(learner, self.seed))
            arms = ArmFits(
                task=self.task,
                ledger=self._ledger,
                sharing=sharing,
                store=self.store,
                fresh=learner,
                features=lambda: pool.features,
                signals=self._signals,
                lock=self._lock,
                executor=executor,
            )
            self._loop = Loop(
                pool=pool,
                task=self.task,
                ledger=self._ledger,
                learner=learner,
                strategy=strategy,
                batch_size=batch_size,
                ready=ready,
                seed=self.seed,
                model_file=ModelFile(self.store.path, learner, pool),
                adviser=adviser,
                history=History(self.task, self.store, pool.ids, reserved),
                sharing=sharing,
                arms=arms,
                signals=self._signals,
                lock=self._lock,
                executor=executor,
            )
            pool.follow(self)
        except BaseException:
            self.store.close()
            raise
        finally:
            pool.still.release()
        remember(self, store)
        self._loop.run()

    # ------------------------------------------------------------------ looking

    def labels(self) -> pd.DataFrame:
        """The labels that stand.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``: ``answer``, ``annotator``, ``answered_at``, ``shown_at``,
            ``stream`` (train, audit or chosen), ``use`` (train, audit, or held: kept for the
            audit and not drawn yet), ``strategy``, ``score``, ``q``, ``model_version``,
            ``flagged``, ``comment`` and ``bulk``: the bulk answer that it is part of.
        """
        with self._lock:
            return readings.to_frame(self._ledger)

    def join(self, df: Any, *, id: str | None = None) -> Any:
        """A frame with the labels beside the rows that they are of.

        Parameters
        ----------
        df : pandas.DataFrame, polars.DataFrame or pyarrow.Table
            The one that the pool was made of, or any with ids.
        id : str, optional
            Column of item ids; ``item_id`` where there is one.

        Returns
        -------
        frame of the same kind
            With ``item_id`` and the columns of `labels`, empty where there is no label. A column
            that has the name of one of them keeps it: theirs ends in ``_label``. The columns that
            an earlier join added, of another session too, are replaced.

        Raises
        ------
        PoolError
            If the rows are others than the pool's, and there are no ids.
        """
        return exchange.join(df, self.pool, self.labels(), id)

    def label_codes(self) -> NDArray[np.int32]:
        """Code of the answer of every item of the pool, shape (n,); -1 where there is none."""
        with self._lock:
            return readings.label_codes(self._ledger)

    def label_streams(self) -> tuple[NDArray[np.int32], list[str]]:
        """How every item came to its answer.

        Returns
        -------
        codes : ndarray of int32, shape (n,)
            Places in `names`; -1 where there is no answer.
        names : list of str
            train, audit, chosen, imported.
        """
        with self._lock:
            return readings.label_streams(self._ledger)

    def label_annotators(self) -> tuple[NDArray[np.int32], list[str]]:
        """Who gave every item its answer: codes and names, as of `label_streams`."""
        with self._lock:
            return readings.label_annotators(self._ledger)

    def progress(self) -> dict[str, int]:
        """Counts: ``labelled``, ``audit`` (estimated from), ``skipped``, ``flagged``, ``total``."""
        with self._lock:
            return readings.progress(self._ledger)

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
            ``advice`` (StopSign: whether to go on), ``arms`` (: there are new points of `arms`),
            ``training`` (bool), ``progress`` (Progress of a fit), ``queue`` (), ``error``
            (Exception), ``notice`` (str), ``together`` (Gathered: to be labelled in one go),
            ``selection`` (Selection, and who selected, or None), ``slices`` (), ``round shown``
            (int, or None: the views look back at a round), ``grown`` (int: so many items joined
            the pool) or ``closed`` (str). The call comes from the thread where it happens.
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
        self.pool.unfollow(self)
        self._loop.close()
        with self._lock:
            self._ledger.close()
        self.store.close()
        self._signals.emit("closed", reason)

    def __repr__(self) -> str:
        done = self.progress()
        return f"Session({self.name!r}, {done['labelled']:,} of {done['total']:,} labelled)"
