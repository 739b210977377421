"""Edge cases: scores by which an item is out of the ordinary. Higher means look sooner.

How far an item is from those that are most like it is in `outliers`; how much a committee
disagrees about one is in `alwidgets.strategies.disagreement`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError
from .linear import check_features

#: Numbers worked on at a time.
CELLS = 1 << 20
#: Share of the mean variance that is added to every variance, so that constant features do not
#: divide by nought.
RIDGE = 1e-6


def mahalanobis(
    features: NDArray[Any],
    rows: NDArray[np.int64],
    predicted: NDArray[np.integer[Any]],
    labelled: NDArray[np.int64],
    codes: NDArray[np.integer[Any]],
) -> NDArray[np.float32]:
    """Distance of items to the mean of the class that is predicted for them.

    In units of the standard deviation, after Lee et al., "A simple unified framework for
    detecting out-of-distribution samples and adversarial attacks" (NeurIPS 2018): the classes have
    a mean each and share a covariance. Few labels do not determine one, so it is shrunk towards a
    multiple of the identity as Ledoit & Wolf (Journal of Multivariate Analysis 2004) do. Of a
    class without a label, the mean is that of all labelled items.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers; read in chunks.
    rows : ndarray of int64, shape (m,)
        Which items to score.
    predicted : ndarray of int, shape (m,)
        Class codes that are predicted for them.
    labelled : ndarray of int64, shape (l,)
        Rows that have a label.
    codes : ndarray of int, shape (l,)
        Their class codes.

    Returns
    -------
    ndarray of float32, shape (m,)

    Raises
    ------
    ProjectionError
        If `features` is not a table, or no item is labelled.
    """
    from sklearn.covariance import ledoit_wolf

    check_features(features)
    if not len(labelled):
        raise ProjectionError("No item is labelled, so no class has a mean: label some items.")
    d = features.shape[1]
    X = features[labelled].astype(np.float64)
    known, place = np.unique(codes, return_inverse=True)
    means = np.zeros((len(known) + 1, d))
    np.add.at(means, place, X)
    means[:-1] /= np.bincount(place)[:, None]
    means[-1] = X.mean(axis=0)
    within = X - means[place]
    variance = float(np.square(within).sum()) / X.size
    if variance > 0:
        # Of unit variance: no unit of the features is too small to square.
        covariance, _ = ledoit_wolf(within / np.sqrt(variance), assume_centered=True)
        covariance = np.atleast_2d(covariance) + RIDGE * np.eye(d)
    else:  # one label a class, or copies: nothing tells the directions apart
        variance, covariance = 1.0, np.eye(d)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T / np.sqrt(variance)
    at = np.minimum(np.searchsorted(known, predicted), len(known) - 1)
    at = np.where(known[at] == predicted, at, len(known))
    found = np.empty(len(rows), dtype=np.float32)
    step = max(1, CELLS // d)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        away = (features[rows[part]] - means[at[part]]) @ whiten
        found[part] = np.sqrt(np.einsum("ij,ij->i", away, away))
    return found


def energy(logits: NDArray[Any], temperature: float = 1.0) -> NDArray[np.float32]:
    """Free energy -T logsumexp(f / T): high where no class has a large logit.

    Liu et al., "Energy-based out-of-distribution detection" (NeurIPS 2020).

    Parameters
    ----------
    logits : ndarray, shape (n, C)
    temperature : float, optional

    Returns
    -------
    ndarray of float32, shape (n,)

    Raises
    ------
    ValueError
        If `temperature` is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, it is {temperature}.")
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    most = scaled.max(axis=1)
    total = most + np.log(np.exp(scaled - most[:, None]).sum(axis=1))
    found: NDArray[np.float32] = (-temperature * total).astype(np.float32)
    return found


def flipped(
    before: NDArray[np.integer[Any]],
    after: NDArray[np.integer[Any]],
    sure_before: NDArray[np.floating[Any]],
    sure_after: NDArray[np.floating[Any]],
) -> NDArray[np.float32]:
    """How sure two models are of different predictions: the product of their probabilities.

    Parameters
    ----------
    before, after : ndarray of int, shape (n,)
        Codes of what each predicts.
    sure_before, sure_after : ndarray of float, shape (n,)
        The probability that each gives to its own prediction.

    Returns
    -------
    ndarray of float32, shape (n,)
        0 where both predict the same.
    """
    return np.where(before != after, sure_before * sure_after, 0).astype(np.float32)


def sureness(proba: NDArray[Any], multilabel: bool) -> NDArray[np.float32]:
    """The probability that a model gives to its own predictions.

    Parameters
    ----------
    proba : ndarray, shape (n, C)
    multilabel : bool
        Whether an item may have several labels, which are independent given the model.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    found = np.maximum(proba, 1 - proba).prod(axis=1) if multilabel else proba.max(axis=1)
    return np.asarray(found, dtype=np.float32)


def unlabelled_clusters(
    owner: NDArray[np.integer[Any]],
    distance: NDArray[np.floating[Any]],
    labelled: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Items of the clusters in which nothing is labelled, the clusters taking turns.

    The most typical item of each, that nearest to the centre, the largest cluster first; then the
    second of each, and so on.

    Parameters
    ----------
    owner : ndarray of int, shape (n,)
        Cluster of each item, from 0 on.
    distance : ndarray of float, shape (n,)
        To the centre of its cluster.
    labelled : ndarray of bool, shape (n,)

    Returns
    -------
    rows : ndarray of int64, shape (m,)
        In order.
    sizes : ndarray of int64, shape (m,)
        Items in the cluster of each.
    turns : ndarray of int64, shape (m,)
        How many of its cluster come before.
    """
    sizes = np.bincount(owner)
    without = np.bincount(owner, weights=labelled) == 0
    rows = np.flatnonzero(without[owner])
    rows = rows[np.lexsort((distance[rows], owner[rows]))]
    of = owner[rows]
    first = np.searchsorted(of, of)
    turns = np.arange(len(rows)) - first
    order = np.lexsort((of, -sizes[of], turns))
    return rows[order], sizes[of[order]], turns[order]


def highest(scores: NDArray[np.floating[Any]], n: int) -> NDArray[np.int64]:
    """Places of the n highest scores, the highest first; of equals the first come first."""
    n = min(n, len(scores))
    if n == 0:
        return np.empty(0, dtype=np.int64)
    # Not all of ten million are sorted for the sake of a hundred.
    last = np.partition(scores, len(scores) - n)[len(scores) - n]
    among = np.flatnonzero(scores >= last)
    return among[np.argsort(-scores[among], kind="stable")][:n].astype(np.int64)
