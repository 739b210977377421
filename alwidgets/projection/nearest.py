"""The graph that a layout is made from: each item's nearest ones, itself first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Up to so many items every one is compared with every other, as umap-learn does it: exact, and as
#: quick as NN-descent.
EXACT = 4_096
#: Distances held at a time.
CELLS = 1 << 22

Indices = NDArray[np.int32]
Distances = NDArray[np.float32]


def nearest(
    features: NDArray[np.float32], k: int, seed: int, *, exact: int = EXACT
) -> tuple[Indices, Distances]:
    """Each item and its nearest others, by Euclidean distance.

    Beyond 4,096 items by NN-descent (Dong, Moses & Li, WWW 2011), as umap-learn does it.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        Finite numbers.
    k : int
        How many, with the item itself; at most n.
    seed : int
        Of NN-descent.
    exact : int, optional
        Up to this many items every one is compared with every other.

    Returns
    -------
    indices : ndarray of int32, shape (n, k)
        The item itself first, then from near to far.
    distances : ndarray of float32, shape (n, k)
    """
    if len(features) > exact:
        return _by_descent(features, k, seed)
    n = len(features)
    rows = features - features.mean(axis=0)
    squares = np.einsum("ij,ij->i", rows, rows)
    indices = np.empty((n, k), dtype=np.int32)
    distances = np.empty((n, k), dtype=np.float32)
    step = max(1, CELLS // n)
    for start in range(0, n, step):
        own = np.arange(start, min(n, start + step))
        # |a - b|² less |a|², which is the same for a whole row and changes no order.
        order = squares - 2 * (rows[own] @ rows.T)
        order[np.arange(len(own)), own] = -np.inf
        near = np.argpartition(order, k - 1, axis=1)[:, :k]
        # The expanded square loses digits where items lie close together.
        exactly = np.stack([np.linalg.norm(rows[own] - rows[j], axis=1) for j in near.T], axis=1)
        exactly[near == own[:, None]] = -1
        sorting = np.argsort(exactly, axis=1, kind="stable")
        indices[own] = np.take_along_axis(near, sorting, axis=1)
        distances[own] = np.maximum(np.take_along_axis(exactly, sorting, axis=1), 0)
    return indices, distances


def _by_descent(features: NDArray[np.float32], k: int, seed: int) -> tuple[Indices, Distances]:
    from umap.umap_ import nearest_neighbors

    found = nearest_neighbors(
        features,
        k,
        metric="euclidean",
        metric_kwds={},
        angular=False,
        random_state=np.random.RandomState(seed),
        low_memory=True,
        n_jobs=1,
    )
    indices, distances = np.asarray(found[0], np.int32), np.asarray(found[1], np.float32)
    # Of items that are alike any may come first.
    own = np.arange(len(features), dtype=np.int32)
    wrong = np.flatnonzero(indices[:, 0] != own)
    for row in wrong:
        place = np.flatnonzero(indices[row] == row)
        last = int(place[0]) if len(place) else k - 1
        indices[row, 1 : last + 1] = indices[row, :last]
        distances[row, 1 : last + 1] = distances[row, :last]
        indices[row, 0], distances[row, 0] = row, 0
    return indices, distances
