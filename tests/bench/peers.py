"""What other libraries have for each strategy, called as directly as each allows.

Where a library has a function that takes probabilities, that one is called; else its query class is
given a classifier that knows the probabilities already. Preparing their layout is not measured.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import numpy as np
from inputs import CLASSES, SAMPLES, Inputs

#: Prepares for inputs and a number of picks; what it returns is measured.
Contestant = Callable[[Inputs, int], Callable[[], Any]]

#: Name to import, name to install.
LIBRARIES = {
    "modAL": ("modAL", "modAL-python"),
    "scikit-activeml": ("skactiveml", "scikit-activeml"),
    "small-text": ("small_text", "small-text"),
    "baal": ("baal.active.heuristics", "baal"),
    "batchbald-redux": ("batchbald_redux.batchbald", "batchbald-redux"),
}


def absent() -> dict[str, str]:
    """Libraries that cannot be used here, and why."""
    why = {}
    for name, (module, package) in LIBRARIES.items():
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            why[name] = "not installed"
            continue
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever it does is its own
            why[name] = f"cannot be imported: {type(error).__name__}: {error}"[:120]
    return why


def versions() -> dict[str, str]:
    """Of what is installed."""
    found = {}
    for name, (_, package) in LIBRARIES.items():
        try:
            found[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _first(scores: Any, n: int) -> Any:
    return np.argpartition(-scores, n)[:n]


# --- modAL ----------------------------------------------------------------------------------------


class _Classifier:
    """What modAL asks of a classifier."""

    on_transformed = False

    def __init__(self, given: Inputs) -> None:
        self.X_training = given.labelled_embedding
        self._proba = given.proba

    def predict_proba(self, X: Any) -> Any:
        return self._proba


class _Committee:
    """What modAL asks of a committee; its means and votes are its own, as ours are."""

    def __init__(self, given: Inputs) -> None:
        self.classes_ = np.arange(CLASSES)
        self._posterior = np.ascontiguousarray(given.posterior.transpose(1, 0, 2))

    def __len__(self) -> int:
        return SAMPLES

    def __iter__(self) -> Any:
        return iter(range(SAMPLES))

    def predict_proba(self, X: Any) -> Any:
        return self._posterior.mean(axis=1)

    def vote_proba(self, X: Any) -> Any:
        return self._posterior

    def vote(self, X: Any) -> Any:
        return self._posterior.argmax(axis=2)


def _modal(module: str, function: str) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        query = getattr(importlib.import_module(f"modAL.{module}"), function)
        asked = _Committee(given) if module == "disagreement" else _Classifier(given)
        X = given.embedding
        return lambda: query(asked, X, n_instances=n)

    return make


def _modal_density(given: Inputs, n: int) -> Callable[[], Any]:
    from modAL.density import information_density

    X = given.embedding
    return lambda: _first(information_density(X, "cosine"), n)


# --- scikit-activeml ------------------------------------------------------------------------------


def _uncertainty(method: str) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        from skactiveml.pool import uncertainty_scores

        proba = given.proba
        return lambda: _first(uncertainty_scores(proba, method=method), n)

    return make


def _votes(name: str) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        from skactiveml import pool

        P = np.ascontiguousarray(given.posterior)
        if name == "vote_entropy":
            classes = np.arange(CLASSES)
            return lambda: _first(pool.vote_entropy(P.argmax(axis=2).T, classes), n)
        from skactiveml.pool._query_by_committee import variation_ratios

        return lambda: _first(variation_ratios(P.argmax(axis=2).T), n)

    return make


def _batch_bald(batch: int | None) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        from skactiveml.pool import batch_bald

        P = np.ascontiguousarray(given.posterior)
        # Of a batch of one it returns the utilities of all: those of BALD.
        if batch == 1:
            return lambda: _first(np.asarray(batch_bald(P, 1))[0], n)
        return lambda: batch_bald(P, n, random_state=0)

    return make


def _skactiveml(strategy: str, *, model: bool = False, **options: Any) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        from skactiveml import pool
        from skactiveml.base import SkactivemlClassifier

        proba, rest = given.all_proba, given.n

        class Known(SkactivemlClassifier):  # type: ignore[misc]
            def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
                return self

            def predict_proba(self, X: Any) -> Any:
                if len(X) == len(proba):
                    return proba
                return proba[:rest] if len(X) == rest else proba[rest:]

        y = np.full(len(proba), np.nan)
        y[rest:] = given.labels
        arguments: dict[str, Any] = {"X": given.all_embedding, "y": y, "batch_size": n}
        if model:
            known = Known(classes=list(range(CLASSES)))
            known.classes_ = np.arange(CLASSES)
            arguments |= {"clf": known, "fit_clf": False}
        made = getattr(pool, strategy)(random_state=0, **options)
        return lambda: made.query(**arguments)

    return make


# --- small-text -----------------------------------------------------------------------------------


class _Texts:
    """Rows of the pool: what small-text passes to its classifier."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: Any) -> _Texts:
        return _Texts(self.rows[part])


class _Texter:
    """What small-text asks of a classifier."""

    def __init__(self, given: Inputs, *, posterior: bool) -> None:
        self._given = given
        if posterior:
            self._posterior = np.ascontiguousarray(given.all_posterior.transpose(1, 0, 2))

    def predict_proba(self, texts: _Texts, dropout_sampling: int = 1) -> Any:
        if dropout_sampling > 1:
            return self._posterior
        return self._given.all_proba[texts.rows]

    def embed(self, texts: _Texts, return_proba: bool = False, pbar: Any = None) -> Any:
        embedding = self._given.all_embedding[texts.rows]
        return (embedding, self._given.all_proba[texts.rows]) if return_proba else embedding


def _small_text(
    strategy: str, *, module: str = "small_text.query_strategies", **options: Any
) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        made = getattr(importlib.import_module(module), strategy)(**options)
        texts = _Texts(np.arange(len(given.all_proba)))
        known = _Texter(given, posterior=strategy == "BALD")
        free, labelled = texts.rows[: given.n], texts.rows[given.n :]
        return lambda: made.query(known, texts, free, labelled, given.labels, n=n)

    return make


# --- baal and batchbald-redux ---------------------------------------------------------------------


def _baal(heuristic: str, *, samples: bool = False, **options: Any) -> Contestant:
    def make(given: Inputs, n: int) -> Callable[[], Any]:
        heuristics = importlib.import_module("baal.active.heuristics.heuristics")
        made = getattr(heuristics, heuristic)(**options)
        values = given.proba
        if samples:
            values = np.ascontiguousarray(given.posterior.transpose(1, 2, 0))
        if heuristic == "EPIG":
            targets = np.ascontiguousarray(given.target_posterior.transpose(1, 2, 0))
            return lambda: made.get_ranks(values, targets)[0][:n]
        return lambda: made.get_ranks(values)[0][:n]

    return make


def _baal_batch_bald(given: Inputs, n: int) -> Callable[[], Any]:
    return _baal("BatchBALD", samples=True, num_samples=n)(given, n)


def _redux(given: Inputs, n: int) -> Callable[[], Any]:
    import torch
    from batchbald_redux.batchbald import get_batchbald_batch

    logs = torch.from_numpy(np.log(given.posterior.transpose(1, 0, 2)))
    return lambda: get_batchbald_batch(logs, n, 10_000, dtype=torch.double)


PEERS: dict[str, dict[str, Contestant]] = {
    "least_confident": {
        "modAL": _modal("uncertainty", "uncertainty_sampling"),
        "scikit-activeml": _uncertainty("least_confident"),
        "small-text": _small_text("LeastConfidence"),
        "baal": _baal("Certainty"),
    },
    "margin": {
        "modAL": _modal("uncertainty", "margin_sampling"),
        "scikit-activeml": _uncertainty("margin_sampling"),
        "small-text": _small_text("BreakingTies"),
        "baal": _baal("Margin"),
    },
    "entropy": {
        "modAL": _modal("uncertainty", "entropy_sampling"),
        "scikit-activeml": _uncertainty("entropy"),
        "small-text": _small_text("PredictionEntropy"),
        "baal": _baal("Entropy"),
    },
    "bald": {
        "scikit-activeml": _batch_bald(1),
        "small-text": _small_text("BALD", dropout_samples=SAMPLES),
        "baal": _baal("BALD", samples=True),
    },
    "vote_entropy": {
        "modAL": _modal("disagreement", "vote_entropy_sampling"),
        "scikit-activeml": _votes("vote_entropy"),
    },
    "consensus_entropy": {"modAL": _modal("disagreement", "consensus_entropy_sampling")},
    "max_disagreement": {"modAL": _modal("disagreement", "max_disagreement_sampling")},
    "variation_ratio": {"scikit-activeml": _votes("variation_ratio")},
    "epig": {"baal": _baal("EPIG", samples=True)},
    "expected_gradient_length": {},
    "density": {"modAL": _modal_density},
    "contrastive": {
        "scikit-activeml": _skactiveml(
            "ContrastiveAL", model=True, nearest_neighbors_dict={"n_neighbors": 10}
        ),
        "small-text": _small_text("ContrastiveActiveLearning", k=10, pbar=None),
    },
    "k_center": {
        "scikit-activeml": _skactiveml("CoreSet"),
        "small-text": _small_text("GreedyCoreset"),
    },
    "badge": {
        "scikit-activeml": _skactiveml("Badge", model=True),
        "small-text": _small_text(
            "BADGE", module="small_text.integrations.pytorch.query_strategies", num_classes=CLASSES
        ),
    },
    "typiclust": {"scikit-activeml": _skactiveml("TypiClust")},
    "prob_cover": {"scikit-activeml": _skactiveml("ProbCover", n_classes=CLASSES)},
    "max_herding": {"scikit-activeml": _skactiveml("MaxHerding")},
    "falcun": {"scikit-activeml": _skactiveml("Falcun", model=True)},
    "diverse": {"modAL": _modal("batch", "uncertainty_batch_sampling")},
    "batch_bald": {
        "scikit-activeml": _batch_bald(None),
        "baal": _baal_batch_bald,
        "batchbald-redux": _redux,
    },
}

#: What they pick is not the strategy of that name: shown, but no measure.
WRONG: dict[str, dict[str, str]] = {
    "batch_bald": {"scikit-activeml": "repeats rows", "baal": "drops the best row"},
}
