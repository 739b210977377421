"""The look around: items that are like another, and edge cases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from .errors import AlwidgetsError, LearnerError
from .learners import Learner
from .learners.targets import decided
from .modelling import Modelling
from .projection import approximate, edges
from .projection.linear import chunks
from .projection.neighbours import ExactNeighbours, NeighborProvider
from .projection.outliers import knn_outlier
from .readings import label_codes, training_set
from .strategies.clustering import kmeans
from .strategies.disagreement import bald
from .strategies.multilabel import multilabel_bald
from .strategies.neighbours import nearest
from .threads import few_threads

if TYPE_CHECKING:
    import pandas as pd

By = Literal["knn", "mahalanobis", "energy", "disagreement", "flipped", "unlabelled_cluster"]
#: Items that the model is asked about at a time.
ASKED = 4_096
#: Labelled items, the newest, that the means of the classes are taken of.
MOST_LABELLED = 20_000
#: Clusters: the square root of half the items, at most so many.
MOST_CLUSTERS = 500
#: Items that the clusters are found on, and for each cluster, at least.
CLUSTERED, CLUSTERED_EACH = 20_000, 40
#: Items from which the first question for neighbours would have to wait.
WORTH_PREPARING = 50_000
#: While a fit is under way.
SECONDS_BETWEEN_LOOKS = 0.5

#: Positions in order of rank, their scores, and why, in words.
Ranking = tuple[NDArray[np.int64], NDArray[Any], list[str]]


class Exploring(Modelling):
    """The exploring of a session's pool."""

    _neighbours: NeighborProvider | None = None
    #: The ids of the pool whose neighbours are prepared: others when it has grown.
    _preparing_of: object = None

    @property
    def neighbours(self) -> NeighborProvider:
        """Finds the nearest items in the space of the features.

        By comparing with every item. Beyond 3,000,000 items an index is built in the background
        once the map is open, where FAISS is installed (``alwidgets[faiss]``), and answers from
        then on. To have one in a smaller pool, set it:
        ``session.neighbours = FaissNeighbours(pool.features)``, of
        `alwidgets.projection.approximate`.
        """
        features = self.pool.features
        with self._lock:
            if self._neighbours is None or self._neighbours.features is not features:
                self._neighbours = ExactNeighbours(features)
            return self._neighbours

    @neighbours.setter
    def neighbours(self, provider: NeighborProvider) -> None:
        if provider.features is not self.pool.features:
            raise AlwidgetsError(
                "These are the neighbours of other features: make them of this session's, "
                "session.pool.features."
            )
        with self._lock:
            self._neighbours = provider

    def prepare_neighbours(self) -> None:
        """Prepare `neighbours` for the first question; in a large pool in the background.

        What a small one takes is not worth a thread.
        """
        if len(self.pool) < WORTH_PREPARING or self._preparing_of is self.pool.ids:
            return
        self._preparing_of = self.pool.ids
        threading.Thread(target=self._prepare, name="alwidgets-neighbours", daemon=True).start()

    def _prepare(self) -> None:
        # A fit goes first: both would take turns on the same cores.
        while self._loop.busy and self._closed is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        if self._closed is not None:
            return
        self.neighbours.prepare()
        features = self.pool.features
        is_exact = isinstance(self.neighbours, ExactNeighbours)
        if is_exact and len(features) >= approximate.MANY and approximate.is_installed():
            built = approximate.FaissNeighbours(features, self.seed)
            if self._closed is None and self.pool.features is features:
                self.neighbours = built

    def similar(self, item_id: str, n: int = 20) -> pd.DataFrame:
        """More like this: the items nearest to one in the space of the features.

        Parameters
        ----------
        item_id : str
        n : int, optional
            How many; all others where there are fewer.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``, the nearest first: ``distance``, Euclidean. Without the item.

        Raises
        ------
        UnknownItemError
            If the item is not in the pool.
        AlwidgetsError
            If `n` is below 1.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_arrays([[0.0], [1.0], [5.0]], ids=["a", "b", "c"])
        >>> session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
        >>> session.similar("a", n=1).index[0]
        'b'
        """
        _check_number(n)
        at = self.pool.index(item_id)
        positions, distances = self.neighbours.search(self.pool.features[at : at + 1], n + 1)
        others = positions[0] != at
        return self._table(positions[0][others][:n], distance=distances[0][others][:n])

    def edge_cases(self, n: int = 20, by: By = "knn") -> pd.DataFrame:
        """Items that are out of the ordinary, the most unusual first; labelled ones too.

        Parameters
        ----------
        n : int, optional
            At most so many.
        by : str, optional
            ``knn``: far from the items most like it (`projection.knn_outlier`).
            ``mahalanobis``: unlike the labelled items of the class predicted for it.
            ``energy``: the model's logits are low for every class (those of a torch module, of a
            `HeadEnsemble`, or the ``decision_function`` of a classifier of scikit-learn).
            ``disagreement``: the members of the model's committee contradict one another (BALD; of
            several labels, the sum over them).
            ``flipped``: the last retraining changed the prediction, by how sure both models were;
            after a restart, until the next retraining, by how sure the newer one is.
            ``unlabelled_cluster``: of a cluster without any label. Each has its turn, the largest
            first, with its most typical item, then with its second, and so on.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``item_id``: ``score`` and ``why``, in words. What asks the model leaves out
            the items that are kept for the audit: nobody is to know what it thinks of them.

        Raises
        ------
        AlwidgetsError
            If `n` is below 1, there is no such `by`, or two models to compare are not there yet.
        LearnerError
            If there is no model yet, or it has not what is asked for: of a learner that gives
            probabilities only there is no energy, for these leave out how large the logits are.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_arrays([[0.0], [0.1], [0.2], [9.0]], ids=["a", "b", "c", "d"])
        >>> session = al.Session(pool, al.Classification(["x", "y"]), audit=0)
        >>> session.edge_cases(1).index[0]
        'd'
        """
        _check_number(n)
        ways: dict[str, Callable[[int], Ranking]] = {
            "knn": self._by_knn,
            "mahalanobis": self._by_mahalanobis,
            "energy": self._by_energy,
            "disagreement": self._by_disagreement,
            "flipped": self._by_flipped,
            "unlabelled_cluster": self._by_unlabelled_cluster,
        }
        if by not in ways:
            raise AlwidgetsError(f"There are no edge cases by {by!r}; use one of {get_args(By)}.")
        with few_threads(self.pool.features.size):
            positions, scores, why = ways[by](n)
        return self._table(positions, score=scores, why=why)

    def _table(self, positions: NDArray[np.int64], **columns: Any) -> pd.DataFrame:
        import pandas as pd

        ids = [self.pool.ids[int(at)] for at in positions]
        return pd.DataFrame(columns, index=pd.Index(ids, name="item_id", dtype=object))

    def _model(self) -> tuple[Learner, NDArray[np.int64]]:
        """The model, and the positions at which one may be told what it thinks."""
        self._loop.wait_for_model()
        with self._lock:
            if not self._loop.is_fitted:
                raise LearnerError(self._loop.why_no_model())
            return self._loop.learner, np.flatnonzero(~self.reserved)

    def _asked(self, rows: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
        """Features to ask the model about, a bounded number at a time."""
        for start in range(0, len(rows), ASKED):
            yield self.pool.features[rows[start : start + ASKED]]

    def _by_knn(self, n: int) -> Ranking:
        scores = knn_outlier(self.pool.features, seed=self.seed)
        positions = edges.highest(scores, n)
        below = np.searchsorted(np.sort(scores), scores[positions]) / len(scores)
        why = [
            f"Farther from the items most like it than {_share(share)} of the items are."
            for share in below
        ]
        return positions, scores[positions], why

    def _by_mahalanobis(self, n: int) -> Ranking:
        learner, rows = self._model()
        with self._lock:
            labelled, codes, _, _ = training_set(self._ledger)
        parts = [
            self.task.codes(decided(learner.predict_proba(part), self.task.multilabel))
            for part in self._asked(rows)
        ]
        if not parts:
            return rows, np.empty(0, dtype=np.float32), []
        predicted = np.concatenate(parts)
        recent = slice(-MOST_LABELLED, None)
        scores = edges.mahalanobis(
            self.pool.features, rows, predicted, labelled[recent], codes[recent]
        )
        at, usual = edges.highest(scores, n), float(np.median(scores))
        why = [
            f"Unlike the labelled items of {self._named(predicted[i])}, which is predicted: "
            f"{scores[i]:.3g} standard deviations from their mean; half of the items are within "
            f"{usual:.3g}."
            for i in at
        ]
        return rows[at], scores[at], why

    def _by_energy(self, n: int) -> Ranking:
        learner, rows = self._model()
        if self.task.multilabel:
            raise LearnerError(
                "The energy is defined for one class an item, and this task has several labels: "
                "use by='disagreement' or by='mahalanobis'."
            )
        logits: Callable[[Any], Any] | None = getattr(learner, "logits", None)
        if logits is None:
            raise LearnerError(
                f"{type(learner).__name__} has no logits, and probabilities leave out how large "
                "these are, so there is no energy: use by='disagreement' or by='mahalanobis', or "
                "a HeadEnsemble as the learner."
            )
        scores = _joined(edges.energy(np.asarray(logits(part))) for part in self._asked(rows))
        at = edges.highest(scores, n)
        usual = float(np.median(scores)) if len(scores) else 0.0
        why = [
            f"No class has a large logit: its energy is {scores[i]:.3g}, the median {usual:.3g}."
            for i in at
        ]
        return rows[at], scores[at], why

    def _by_disagreement(self, n: int) -> Ranking:
        learner, rows = self._model()
        score = multilabel_bald if self.task.multilabel else bald
        found: list[NDArray[Any]] = []
        for part in self._asked(rows):
            posterior = np.asarray(learner.posterior(part))
            if len(posterior) < 2:
                raise LearnerError(
                    f"{type(learner).__name__} has a committee of one, which cannot disagree: give "
                    "it more members."
                )
            found.append(np.asarray(score(posterior)))
        scores = _joined(found)
        at = edges.highest(scores, n)
        why = [
            f"The members of the committee contradict one another: {scores[i]:.2f} nats."
            for i in at
        ]
        return rows[at], scores[at], why

    def _by_flipped(self, n: int) -> Ranking:
        learner, rows = self._model()
        with self._lock:
            after, before = self._loop.current, self._loop.former
            version = self.version
        if (
            before is None
            or after is None
            or before.predictions is None
            or before.confidence is None
            or after.predictions is None
            or after.confidence is None
        ):
            return self._by_kept_predictions(n, learner, version, rows)
        was, now = before.predictions, after.predictions
        rows = rows[(was[rows] >= 0) & (now[rows] >= 0)]  # what joined since cannot have changed
        scores = edges.flipped(
            was[rows], now[rows], before.confidence[rows], after.confidence[rows]
        )
        at = rows[edges.highest(scores, min(n, int(np.count_nonzero(scores))))]
        why = [
            f"Was {self._named(was[i])} ({_share(before.confidence[i])} sure), is now "
            f"{self._named(now[i])} ({_share(after.confidence[i])} sure)."
            for i in at
        ]
        return at, scores[np.searchsorted(rows, at)], why

    def _by_kept_predictions(
        self, n: int, learner: Learner, version: int, rows: NDArray[np.int64]
    ) -> Ranking:
        """After a restart: how sure the model before was is not kept, only what it said."""
        was, now = (self._loop.history.of(model) for model in (version - 1, version))
        if was is None or now is None:
            only = "Only one model has been trained" if version < 2 else "Only the newest was kept"
            raise AlwidgetsError(
                f"{only}, so no prediction can have changed: label more, until the next one is "
                "there."
            )
        rows = rows[rows < len(was)]
        rows = rows[(was[rows] >= 0) & (was[rows] != now[rows])]
        scores = _joined(
            edges.sureness(np.asarray(learner.predict_proba(part)), self.task.multilabel)
            for part in self._asked(rows)
        )
        at = edges.highest(scores, n)
        why = [
            f"Was {self._named(was[rows[i]])}, is now {self._named(now[rows[i]])} "
            f"({_share(scores[i])} sure)."
            for i in at
        ]
        return rows[at], scores[at], why

    def _by_unlabelled_cluster(self, n: int) -> Ranking:
        features = self.pool.features  # the labels are those of the same items, or of more
        with self._lock:
            labelled = label_codes(self._ledger)[: len(features)] >= 0
        owner, distance = _clusters(features, self.seed)
        rows, sizes, turns = edges.unlabelled_clusters(owner, distance, labelled)
        why = [
            f"{'The most typical' if turn == 0 else f'Number {turn + 1} by typicality'} of a "
            f"cluster of {size:,} items without any label."
            for size, turn in zip(sizes[:n], turns[:n], strict=True)
        ]
        return rows[:n], sizes[:n].astype(np.float32), why

    def _named(self, code: int) -> str:
        return repr(self.task.decode(int(code)))


def _clusters(features: NDArray[Any], seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The k-means cluster of each item, and its distance to the centre."""
    n = len(features)
    k = min(n, MOST_CLUSTERS, max(2, round((n / 2) ** 0.5)))
    some = np.arange(n)
    most = max(CLUSTERED, CLUSTERED_EACH * k)
    if n > most:
        some = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    sample = features[some].astype(np.float32)
    mean = sample.mean(axis=0)
    centres, _ = kmeans(torch.from_numpy(sample - mean), k, seed, own=True)
    found = [nearest(torch.from_numpy(part - mean), centres) for part in chunks(features)]
    owner = torch.cat([at for _, at in found]).numpy()
    return owner, torch.cat([gap for gap, _ in found]).sqrt().numpy()


def _joined(parts: Any) -> NDArray[np.float32]:
    found = list(parts)
    return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def _share(share: float) -> str:
    # Rounded down: what is not all is not said to be 100 %.
    return f"{np.floor(1000 * float(share) + 1e-6) / 10:.1f} %"


def _check_number(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise AlwidgetsError(f"n must be a whole number, at least 1; it is {n!r}.")
