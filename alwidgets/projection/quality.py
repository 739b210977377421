"""How far a layout can be trusted, and how far its points moved: figures for the map's corner."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .linear import check_features

#: Items that are compared with each other, at most.
SAMPLE = 5_000
#: Distances held at a time.
CELLS = 1 << 22
#: Neighbours that count as true ones.
K = 15


class Quality(NamedTuple):
    """What is kept of the neighbourhoods, as shares of the worst case, 0 to 1; 1 is all of them.

    Attributes
    ----------
    trustworthiness : float
        Lower where neighbours on the map are none in the features.
    continuity : float
        Lower where neighbours in the features are torn apart on the map.
    sampled : int
        Items that were compared.
    """

    trustworthiness: float
    continuity: float
    sampled: int


class Moved(NamedTuple):
    """How far points moved between two layouts, as shares of the width of the first."""

    mean: float
    median: float


def quality(
    features: NDArray[Any],
    coords: NDArray[Any],
    k: int = K,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Quality | None:
    """Trustworthiness and continuity of a layout (Venna & Kaski, ICANN 2001).

    Of more than 5,000 items a random sample is measured, as if there were no others. Distances
    are Euclidean and taken in blocks of rows.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers.
    coords : ndarray, shape (n, 2)
    k : int, optional
        How many neighbours; fewer where half of the items are fewer.
    sample : int, optional
        Items at most.
    seed : int, optional
        Of the sample.

    Returns
    -------
    Quality or None
        None for fewer than 4 items, which have no neighbourhoods.

    Raises
    ------
    ProjectionError
        If `features` is not a table.
    """
    check_features(features)
    n = len(features)
    rows = np.arange(n)
    if n > sample:
        rows = np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
    m = len(rows)
    k = min(k, (m - 1) // 2)
    if m < 4 or k < 1:
        return None
    high, low = _centred(features[rows]), _centred(coords[rows])
    intruders = missing = 0
    for start in range(0, m, max(1, CELLS // m)):
        own = np.arange(start, min(m, start + max(1, CELLS // m)))
        true, shown = _distances(high, own), _distances(low, own)
        intruders += _excess_ranks(true, shown, k)
        missing += _excess_ranks(shown, true, k)
    worst = m * k * (2 * m - 3 * k - 1) / 2
    return Quality(1 - intruders / worst, 1 - missing / worst, m)


def _centred(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Float32 around zero, in a unit that keeps the squares in its range."""
    centred = rows.astype(np.float32)
    centred -= centred.mean(axis=0)
    centred /= np.float32(np.abs(centred).max()) or np.float32(1)
    return centred


def _distances(rows: NDArray[np.float32], own: NDArray[np.intp]) -> NDArray[np.float32]:
    """Squared distances of some rows to all, less what is the same for a row; own is infinite."""
    squares = np.einsum("ij,ij->i", rows, rows)
    found: NDArray[np.float32] = squares - 2 * (rows[own] @ rows.T)
    found[np.arange(len(own)), own] = np.inf
    return found


def _excess_ranks(here: NDArray[np.float32], there: NDArray[np.float32], k: int) -> int:
    """By how much the ranks here exceed k, over the k nearest items there."""
    near = np.argpartition(there, k - 1, axis=1)[:, :k]
    distances = np.take_along_axis(here, near, axis=1)
    ordered = np.sort(here, axis=1)
    ranks = np.stack([np.searchsorted(o, d) for o, d in zip(ordered, distances, strict=True)]) + 1
    return int(np.maximum(ranks - k, 0).sum())


def local_trust(neighbours: NDArray[np.integer[Any]], coords: NDArray[Any]) -> NDArray[np.float32]:
    """Share of each item's true neighbours that are among as many nearest ones on the map.

    Parameters
    ----------
    neighbours : ndarray of int, shape (n, k)
        The nearest other items in the features, fewer than n.
    coords : ndarray, shape (n, 2)

    Returns
    -------
    ndarray of float32, shape (n,)
        0 to 1.
    """
    from scipy.spatial import cKDTree

    n, k = neighbours.shape
    tree = cKDTree(coords)
    shares = np.empty(n, dtype=np.float32)
    step = max(1, CELLS // max(1, k * (k + 1)))
    for start in range(0, n, step):
        rows = np.arange(start, min(n, start + step))
        near = np.asarray(tree.query(coords[rows], k + 1)[1])
        # Where many lie on one point an item need not be the first of its own neighbours.
        others = near != rows[:, None]
        others[others.all(axis=1), -1] = False
        near = near[others].reshape(len(rows), k)
        kept = (neighbours[rows][:, :, None] == near[:, None, :]).any(axis=2)
        shares[rows] = kept.mean(axis=1)
    return shares


def displacement(before: NDArray[Any], after: NDArray[Any]) -> Moved:
    """How far points moved, as a share of the width of the layout before (its longer side).

    Parameters
    ----------
    before, after : ndarray, shape (n, 2)

    Returns
    -------
    Moved
        Zeros where the layout before has no extent.
    """
    width = float(np.ptp(before, axis=0).max()) if len(before) else 0.0
    if width == 0:
        return Moved(0.0, 0.0)
    step = np.hypot(*(np.asarray(after, dtype=np.float32) - before).T)
    return Moved(float(step.mean()) / width, float(np.median(step)) / width)
