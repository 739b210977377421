"""What a session does with its model: retrain, stop, predict, suggest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .attribution import MOST_TRIED, Mark, driving_words
from .content import Text
from .errors import AlwidgetsError, LearnerError, UnknownItemError
from .estimating import Estimating
from .items import Neighbour, Why
from .learners.targets import decided
from .readings import training_set
from .rounds import Round
from .schema import RoundRecord, Switch
from .strategies import pool_scores
from .tasks import Answer
from .threads import few_threads

#: Labelled items, the newest, that one is compared with to find those that are like it.
MOST_COMPARED = 20_000


class Modelling(Estimating):
    """The model of a session."""

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
        """Whether a retraining is under way, or after a restart the model is made ready again."""
        return self._loop.training

    @property
    def fit_progress(self) -> float | None:
        """How far the fit under way has come, 0 to 1; None where the learner does not tell."""
        progress = self._loop.progress
        return progress.fraction if progress is not None else None

    @property
    def until_fit(self) -> int:
        """How many more labels fill a batch, so that a fit begins; 0 while one is fitted."""
        with self._lock:
            return self._loop.until_fit()

    def cancel(self) -> None:
        """End a long round under way; the model before it stays, and labels are safe.

        It ends where the next part of the pool would be scored, or in the middle of a fit if the
        learner looks: those that fit in a moment do not, those of torch modules do.
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

    def predictions(self, version: int | None = None) -> NDArray[np.int32]:
        """What the model of a round said of every item, over all runs of this session.

        Parameters
        ----------
        version : int, optional
            Of the model; the newest one by default.

        Returns
        -------
        ndarray of int32, shape (n,)
            Codes of the answers: ``task.decode`` has their names. -1 for items that joined later.

        Raises
        ------
        AlwidgetsError
            If there is no such round, or what its model said was not kept.
        """
        versions = [record.version for record in self._ledger.rounds]
        asked = version if version is not None else self.version
        if asked not in versions:
            there = f"there are 1 to {len(versions)}" if versions else "there is none yet"
            raise AlwidgetsError(f"There is no round {asked!r}: {there}.")
        said = self._loop.history.of(asked)
        if said is None:
            raise AlwidgetsError(
                f"What model {asked} said was not kept: its round is from an earlier version of "
                "alwidgets, or the pool is in another order now."
            )
        more = len(self.pool) - len(said)
        return np.append(said, np.full(more, -1, dtype=np.int32))

    def predict_proba(self, new: Any) -> NDArray[np.float32]:
        """Class probabilities, of each label by itself where an item may have several.

        After a restart, as soon as the model is ready again.

        Parameters
        ----------
        new : features (n, d), or contents as the pool was made of

        Returns
        -------
        ndarray of float32, shape (n, C)

        Raises
        ------
        LearnerError
            If there is no model yet, or making it ready again after a restart was stopped.
        """
        self._loop.wait_for_model()
        if not self._loop.is_fitted:
            raise LearnerError(self._loop.why_no_model())
        return self._loop.learner.predict_proba(self.pool.encode(new))

    def predict(self, new: Any) -> NDArray[np.object_]:
        """Answers of the model, an array of n; `new` as in `predict_proba`.

        Where an item may have several labels, a list of those with a probability of at least 1/2.
        """
        proba = self.predict_proba(new)
        answers = np.empty(len(proba), dtype=object)
        for row, code in enumerate(self.task.codes(decided(proba, self.task.multilabel))):
            answers[row] = self.task.decode(int(code))
        return answers

    def scores(
        self,
        strategy: str | Callable[..., Any],
        *,
        between: Callable[[], None] = lambda: None,
    ) -> NDArray[np.float64]:
        """Score every item that has no label, as a strategy does to choose what comes next.

        Parameters
        ----------
        strategy : str or callable
            One whose score alone decides, as ``margin``; or ``f(context) -> scores``.
        between : callable, optional
            Called between two parts of the pool; what it raises ends it.

        Returns
        -------
        ndarray of float64, shape (n,)
            By the newest model; higher is asked sooner. NaN for what is labelled.

        Raises
        ------
        StrategyError
            If the strategy weighs items against each other, or is for other tasks, or there is
            no such strategy.
        NoModelError
            If it needs a model and there is none yet.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_texts(["win a prize", "see you at six", "your prize waits"])
        >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
        >>> session.scores("density").shape
        (3,)
        """
        with self._lock:
            labelled, codes, _, _ = training_set(self._ledger)
            audited = np.flatnonzero(self._ledger.standing >= 0)
            learner = self._loop.learner if self._loop.is_fitted else None
            seed = self.seed + self._ledger.revision
        features = self.pool.features
        with few_threads(features.size):
            found = pool_scores(
                strategy,
                learner=learner,
                features=features,
                labelled=labelled,
                labels=self.task.targets(codes),
                n_classes=len(self.task.classes),
                multilabel=self.task.multilabel,
                seed=seed,
                between=between,
            )
        found[audited] = np.nan
        return found

    @property
    def reserved(self) -> NDArray[np.bool_]:
        """Which items are kept for the audit, shape (n,): nobody is told what the model thinks."""
        return self._ledger.audit.reserved

    def why(self, item_id: str, *, draw_id: str | None = None, k: int = 3) -> Why:
        """Why an item is on a card, and the labelled items that are most like it.

        Parameters
        ----------
        item_id : str
            One that waits to be labelled.
        draw_id : str, optional
            The draw that put it on a card: then it need not wait any more. By default the one by
            which it waits.
        k : int
            How many labelled items at most.

        Raises
        ------
        UnknownItemError
            If the item does not wait.
        """
        with self._lock:
            # The draw of the card itself: it may wait by a newer one, that shows more.
            draw = None if draw_id is None else self.store.draw(draw_id)
            if draw is None or draw.item_id != item_id:
                draw = self._ledger.queue.draw_of(item_id)
            if draw is None:
                raise UnknownItemError(f"Item {item_id!r} is not among those that wait.")
            rank, index = self._ledger.rank(draw), self._ledger.index(item_id)
            labelled, codes, _, _ = training_set(self._ledger)
        alike: list[Neighbour] = []
        # What is known of others would sway the answer where the suggestion must not.
        shown = not (self.reserved[index] or self._suggested.hides(draw))
        if self.task.classes and shown:
            recent = slice(-MOST_COMPARED, None)
            alike = self._most_like(index, labelled[recent], codes[recent], k)
        return Why(draw.strategy, draw.score, rank, alike, shown)

    def driving_words(self, item_id: str) -> list[Mark]:
        """The words that drive what the model suggests of a text.

        Asks the model once more for every word, without it: a moment for TF-IDF, about a second
        for a sentence encoder.

        Parameters
        ----------
        item_id : str

        Returns
        -------
        list of (start, end, weight)
            As in `attribution.driving_words`, for the ``marks`` of a `Text`. Empty without a
            model, for what is no text, where the pool cannot encode texts, and on items that are
            kept for the audit.

        Raises
        ------
        UnknownItemError
        """
        index = self.pool.index(item_id)
        with self._lock:
            suggestion, learner = self.suggestion(index), self._loop.learner
        content = self.pool.contents[index]
        if suggestion is None or self.pool.encoder is None or not isinstance(content, Text):
            return []
        code = self.task.encode(suggestion[0])

        def belief(texts: list[str]) -> NDArray[Any]:
            proba = learner.predict_proba(self.pool.encode(texts))
            if not self.task.multilabel:
                return proba[:, code]
            has = self.task.targets(np.array([code]))[0] == 1
            share: NDArray[Any] = np.where(has, proba, 1 - proba).prod(axis=1)
            return share

        with few_threads(self.pool.features.shape[1] * MOST_TRIED):
            return driving_words(content.text, belief)

    def _most_like(
        self, index: int, labelled: NDArray[np.int64], codes: NDArray[np.int64], k: int
    ) -> list[Neighbour]:
        rows = self.pool.features[labelled].astype(np.float32)
        item = self.pool.features[index].astype(np.float32)
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(item)
        cosine = rows @ item / np.where(lengths > 0, lengths, 1.0)
        return [
            Neighbour(
                id=self.pool.ids[labelled[place]],
                answer=self.task.decode(int(codes[place])),
                similarity=float(min(cosine[place], 1.0)),
                content=self.pool.contents[labelled[place]],
            )
            for place in np.argsort(-cosine, kind="stable")[:k]
        ]

    def suggestion(self, index: int) -> tuple[Answer, float] | None:
        """What the model says of an item, and its probability.

        None without a model, and on items that are kept for the audit: it would sway the answer.
        """
        current = self.current
        if current is None or current.predictions is None or current.confidence is None:
            return None
        # What has joined is asked about with the next round.
        if self.reserved[index] or current.predictions[index] < 0:
            return None
        answer = self.task.decode(int(current.predictions[index]))
        return answer, float(current.confidence[index])
