"""Where the items lie for the model: what the map of its own space is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError

#: Numbers that the learner is given, and gives, at a time.
CELLS = 1 << 20
#: Rows on which it is seen whether the embedding is only the features again.
LOOKED_AT = 256
#: Probabilities nearer to 0 or 1 count as this near.
EDGE = 1e-7

Rows = NDArray[np.float32]


class Embedder(Protocol):
    """What is asked of a learner."""

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        """(n, C) class probabilities."""
        ...

    def posterior(self, X: NDArray[Any]) -> NDArray[Any]:
        """(K, n, C) class probabilities of the posterior samples."""
        ...

    def embed(self, X: NDArray[Any]) -> NDArray[Any]:
        """(n, h) what the last layer sees."""
        ...


class Stopped(Exception):
    """Reading was given up."""


def model_rows(
    learner: Embedder,
    features: NDArray[Any],
    *,
    multilabel: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Rows:
    """What a model makes of every item.

    What its last layer sees, where the model has learnt that. Linear heads and most classifiers
    see the features as they are, which no retraining changes: then the log-odds of the classes,
    centred (the centred log-ratio of Aitchison, JRSS B 1982). Those of two classes lie on a line;
    so they are of each sample of the posterior, which spreads what the model is unsure of.

    Read in chunks, on few cores.

    Parameters
    ----------
    learner : Learner
        A fitted one.
    features : ndarray, shape (n, d) or (n, ...)
    multilabel : bool, optional
        Whether the classes do not exclude each other.
    should_stop : callable, optional
        Asked with every chunk.

    Returns
    -------
    ndarray of float32, shape (n, h)

    Raises
    ------
    ProjectionError
        If the model gives no number for an item; it names the first.
    Stopped
        If `should_stop` said so.
    """
    from ..threads import few_threads  # loads torch, which the process of the layouts has not

    if not len(features):
        raise ProjectionError("There are no items to lay out.")
    with few_threads(features.size):
        read = _reader(learner, features[:LOOKED_AT], multilabel)
        width = read(features[:1]).shape[1]
        found = np.empty((len(features), width), dtype=np.float32)
        step = max(1, CELLS // max(width, int(np.prod(features.shape[1:]))))
        for start in range(0, len(features), step):
            if should_stop():
                raise Stopped
            part = read(features[start : start + step])
            bad = ~np.isfinite(part).all(axis=1)
            if bad.any():
                raise ProjectionError(
                    f"The model gives NaN or infinity for row {start + int(np.argmax(bad))} of "
                    "the features, so its space cannot be laid out. Repair that item or retrain."
                )
            found[start : start + len(part)] = part
    return found


def _reader(
    learner: Embedder, some: NDArray[Any], multilabel: bool
) -> Callable[[NDArray[Any]], Rows]:
    embedding = np.asarray(learner.embed(some))
    if not _same_but_scaled(embedding, some):
        return lambda rows: np.asarray(learner.embed(rows), dtype=np.float32)
    if multilabel:
        return lambda rows: _log_odds(learner.predict_proba(rows))
    if np.shape(learner.predict_proba(some[:1]))[1] == 2:
        return lambda rows: _difference_of_logs(learner.posterior(rows))
    return lambda rows: _centred_logs(learner.predict_proba(rows))


def _same_but_scaled(embedding: NDArray[Any], features: NDArray[Any]) -> bool:
    """Whether an embedding is the features again, shifted and in another unit."""
    flat = features.reshape(len(features), -1).astype(np.float64)
    if embedding.shape != flat.shape:
        return False
    a, b = embedding - embedding.mean(axis=0), flat - flat.mean(axis=0)
    square = float((b * b).sum())
    factor = float((a * b).sum()) / square if square > 0 else 0.0
    return bool(np.linalg.norm(a - factor * b) <= 1e-3 * np.linalg.norm(a))


def _log_odds(proba: NDArray[Any]) -> Rows:
    p = np.clip(np.asarray(proba, dtype=np.float64), EDGE, 1 - EDGE)
    p[~np.isfinite(proba)] = np.nan
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float32)


def _difference_of_logs(samples: NDArray[Any]) -> Rows:
    """Log-odds of the second of two classes, of each sample: (K, n, 2) to (n, K)."""
    # Of both, not of one and its rest: near 1 single precision has no digits left for that.
    logs = np.log(np.maximum(np.asarray(samples, dtype=np.float64), EDGE))
    return np.asarray((logs[:, :, 1] - logs[:, :, 0]).T, dtype=np.float32)


def _centred_logs(proba: NDArray[Any]) -> Rows:
    logs = np.log(np.maximum(np.asarray(proba, dtype=np.float64), EDGE))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True), dtype=np.float32)
