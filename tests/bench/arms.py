"""The arms of the label-efficiency runs by name: ours, pairs of ours, and the peers' own.

``margin`` is a strategy of alwidgets; ``typiclust>margin`` is the first for 50 labels and the
second after that; ``modAL:margin`` and ``skactiveml:TypiClust`` are the peers'.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from labelling import Arm, Round, Rows, ours, then

MODAL = ("margin", "entropy", "uncertainty")
SKACTIVEML = (
    "UncertaintySampling",
    "TypiClust",
    "Badge",
    "Falcun",
    "ContrastiveAL",
    "CoreSet",
    "ProbCover",
    "MaxHerding",
    "Clue",
)


def arm(name: str) -> Arm:
    """The arm of that name."""
    if ">" in name:
        early, late = name.split(">")
        return then(arm(early), arm(late))
    peer, _, strategy = name.partition(":")
    if not strategy:
        return ours(name)
    known: dict[str, Callable[[str], Arm]] = {"modAL": modal, "skactiveml": skactiveml}
    if peer not in known:
        raise ValueError(f"No peer {peer!r}: modAL:… or skactiveml:….")
    return known[peer](strategy)


def modal(strategy: str) -> Arm:
    """One of modAL's uncertainty strategies, asked about our learner."""
    from modAL import uncertainty

    query = getattr(uncertainty, f"{strategy}_sampling")

    def pick(now: Round) -> Rows:
        rest = now.features[now.candidates]
        found = query(_Fitted(now.learner), rest, n_instances=now.n, random_tie_break=True)
        rows = found[0] if isinstance(found, tuple) else found
        return now.candidates[np.asarray(rows, dtype=np.int64)]

    return pick


class _Fitted:
    """Our learner as modAL asks for it."""

    def __init__(self, learner: Any) -> None:
        self.predict_proba = learner.predict_proba


def skactiveml(strategy: str) -> Arm:
    """One of scikit-activeml's strategies, asked about our learner."""

    def pick(now: Round) -> Rows:
        query, arguments = skactiveml_query(strategy, now)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = query(
                X=now.features,
                y=_partly(now),
                candidates=now.candidates,
                batch_size=now.n,
                **arguments,
            )
        return np.asarray(rows, dtype=np.int64)

    return pick


def skactiveml_query(strategy: str, now: Round) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Its ``query`` and what it wants beside the data."""
    from skactiveml import pool

    kinds: dict[str, dict[str, Any]] = {
        "UncertaintySampling": {"method": "margin_sampling"},
        "ContrastiveAL": {"nearest_neighbors_dict": {"n_neighbors": 10}},
        "ProbCover": {"n_classes": now.n_classes},
    }
    made = getattr(pool, strategy)(random_state=now.seed % 2**31, **kinds.get(strategy, {}))
    geometric = ("TypiClust", "CoreSet", "ProbCover", "MaxHerding")
    if strategy in geometric:
        return made.query, {}
    return made.query, {"clf": fitted_classifier(now), "fit_clf": False}


def fitted_classifier(now: Round) -> Any:
    """Our learner as scikit-activeml asks for it."""
    from skactiveml.base import SkactivemlClassifier

    class Fitted(SkactivemlClassifier):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> Any:
            return now.learner.predict_proba(np.asarray(X, dtype=np.float32)).astype(np.float64)

    made = Fitted(classes=list(range(now.n_classes)))
    made.classes_ = np.arange(now.n_classes)
    return made


def _partly(now: Round) -> Any:
    y = np.full(len(now.features), np.nan)
    y[now.labelled] = now.labels
    return y
