"""Edge cases: how far an item is from those that are most like it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .linear import check_features, chunks

#: Up to this many items, every item is compared with every other.
EXACT = 50_000
#: Beyond, with a random subset of this many.
REFERENCE = 10_000
#: Distances held at a time.
CELLS = 1 << 23


def knn_outlier(
    features: NDArray[Any], k: int = 10, *, seed: int = 0, exact: int = EXACT
) -> NDArray[np.float32]:
    """Mean distance to the k nearest other items, scaled to [0, 1].

    The score of Angiulli & Pizzuti (PKDD 2002), without the sum's factor k. Distances are
    Euclidean. Beyond 50,000 items the neighbours come from a random subset of 10,000: the scores
    then follow the density of the pool on a coarser scale. Memory never grows with n².

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers; memory-mapped arrays are read in chunks.
    k : int, optional
        How many neighbours; fewer where there are fewer items.
    seed : int, optional
        Of the random subset.
    exact : int, optional
        Up to this many items every item is compared with every other.

    Returns
    -------
    ndarray of float32, shape (n,)
        0 for the most usual item, 1 for the most unusual one; zeros where all are alike.

    Raises
    ------
    ProjectionError
        If `features` is not a table.
    ValueError
        If `k` is not positive.
    """
    check_features(features)
    if k < 1:
        raise ValueError(f"k must be at least 1, it is {k}.")
    n = len(features)
    if n == 1:
        return np.zeros(1, dtype=np.float32)
    if n <= exact:
        members = np.arange(n)
    else:
        size = min(REFERENCE, exact)
        members = np.sort(np.random.default_rng(seed).choice(n, size, replace=False))
    reference = np.ascontiguousarray(features[members], dtype=np.float32)
    mean = reference.mean(axis=0)
    reference -= mean
    squares = np.einsum("ij,ij->i", reference, reference)
    k = min(k, len(members) - 1)
    scores = np.empty(n, dtype=np.float32)
    start = 0
    for chunk in chunks(features, max(1, CELLS // len(members))):
        rows = np.arange(start, start + len(chunk))
        scores[rows] = _mean_distance(chunk - mean, reference, squares, members, rows, k)
        start += len(chunk)
    low, high = float(scores.min()), float(scores.max())
    if high <= low:
        return np.zeros(n, dtype=np.float32)
    return (scores - np.float32(low)) / np.float32(high - low)


def _mean_distance(
    chunk: NDArray[np.float32],
    reference: NDArray[np.float32],
    squares: NDArray[np.float32],
    members: NDArray[np.intp],
    rows: NDArray[np.intp],
    k: int,
) -> NDArray[np.float32]:
    # |a - b|² less |a|², which is the same for a whole row and changes no order.
    order = squares - 2 * (chunk @ reference.T)
    # An item is not its own neighbour.
    place = np.searchsorted(members, rows)
    own = np.flatnonzero(members[np.minimum(place, len(members) - 1)] == rows)
    order[own, place[own]] = np.inf
    nearest = np.argpartition(order, k - 1, axis=1)[:, :k]
    # The expanded square loses digits where items lie close together: the distances of the chosen
    # ones are taken from their differences.
    total = np.zeros(len(chunk), dtype=np.float32)
    for j in range(k):
        difference = chunk - reference[nearest[:, j]]
        total += np.sqrt(np.einsum("ij,ij->i", difference, difference))
    return total / np.float32(k)
