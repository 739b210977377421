"""New items on a layout that stands: what umap-learn calls `transform`.

Only the process of `LayoutWorker` places by UMAP; PCA's layout is a plain projection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .linear import ROWS

#: Passes over the edges of the new items: as many as umap-learn makes, a third of what it makes
#: from nothing.
EPOCHS = 100
#: Distances held at a time.
CELLS = 1 << 22

Coords = NDArray[np.float32]


def project(features: NDArray[Any], coords: Coords, new: NDArray[Any]) -> Coords:
    """Where PCA's layout has room for new items: the same projection.

    Its directions are read off the layout itself, which may have been turned and scaled since:
    coordinates are a linear function of the features, found by least squares.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Of the items that were laid out.
    coords : ndarray of float32, shape (n, 2)
        By `pca`.
    new : ndarray, shape (m, d)

    Returns
    -------
    ndarray of float32, shape (m, 2)
        Beyond [-1, 1] for what is farther out than all others.
    """
    some = np.unique(np.linspace(0, len(features) - 1, min(len(features), ROWS)).astype(np.int64))
    rows = features[some].astype(np.float64)
    mean, middle = rows.mean(axis=0), coords[some].mean(axis=0)
    directions = np.linalg.lstsq(rows - mean, coords[some] - middle, rcond=1e-6)[0]
    return np.asarray((new - mean) @ directions + middle, dtype=np.float32)


def place(
    features: NDArray[np.float32],
    coords: Coords,
    span: float,
    seed: int,
    n_neighbors: int,
    min_dist: float,
    bar: dict[str, Any],
) -> Coords:
    """Place new items on a UMAP layout; those that are there stay where they are.

    As `umap.UMAP.transform` does (McInnes, Healy & Melville 2018): each new item begins at the
    mean of its nearest neighbours among the others, weighted by how strong the edges to them are,
    and the layout is optimised for these edges alone, moving the new end only.

    Parameters
    ----------
    features : ndarray of float32, shape (n + m, d)
        Of all items, the new ones last.
    coords : ndarray of float32, shape (n, 2)
    span : float
        How many of UMAP's units a unit of `coords` is.
    seed : int
    n_neighbors, min_dist
        As in umap-learn.
    bar : dict
        What UMAP gives to its progress bar.

    Returns
    -------
    ndarray of float32, shape (n + m, 2)
        The first n rows are `coords`.
    """
    from scipy.sparse import csr_matrix
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import (
        compute_membership_strengths,
        find_ab_params,
        init_graph_transform,
        make_epochs_per_sample,
        smooth_knn_dist,
    )

    n, m = len(coords), len(features) - len(coords)
    k = max(1, min(n_neighbors, n))
    indices, distances = nearest_of(features[:n], features[n:], k)
    # Its neighbours are others, not itself first: the nearest one counts in full (rho).
    sigmas, rhos = smooth_knn_dist(distances, float(k), local_connectivity=0.0)
    rows, columns, strengths, _ = compute_membership_strengths(
        indices, distances, sigmas, rhos, bipartite=True
    )
    graph = csr_matrix((strengths, (rows, columns)), shape=(m, n))
    graph.eliminate_zeros()
    there = coords * np.float32(span)
    placed = np.asarray(init_graph_transform(graph, there), dtype=np.float32)
    edges = graph.tocoo()
    seen = edges.data >= edges.data.max() / EPOCHS
    random = np.random.RandomState(seed)
    a, b = find_ab_params(1.0, min_dist)
    placed = optimize_layout_euclidean(
        np.ascontiguousarray(placed),
        np.ascontiguousarray(there),
        edges.row[seen],
        edges.col[seen],
        EPOCHS,
        n,
        make_epochs_per_sample(edges.data[seen], EPOCHS),
        a,
        b,
        random.randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64),
        initial_alpha=0.25,
        move_other=False,
        tqdm_kwds=bar,
    )
    if not np.isfinite(placed).all():
        raise ValueError("UMAP gave coordinates that are not finite")
    return np.concatenate([coords, placed / np.float32(span)])


def nearest_of(
    table: NDArray[np.float32], new: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k rows of a table nearest to each of others, and how far they are, from near to far.

    Returns
    -------
    indices : ndarray of int32, shape (m, k)
    distances : ndarray of float32, shape (m, k)
    """
    mean = table.mean(axis=0)
    rows = table - mean
    squares = np.einsum("ij,ij->i", rows, rows)
    indices = np.empty((len(new), k), dtype=np.int32)
    distances = np.empty((len(new), k), dtype=np.float32)
    step = max(1, CELLS // len(table))
    for start in range(0, len(new), step):
        part = new[start : start + step] - mean
        # |a - b|² less |a|², which is the same for a whole row and changes no order.
        near = np.argpartition(squares - 2 * (part @ rows.T), k - 1, axis=1)[:, :k]
        # The expanded square loses digits where items lie close together.
        exactly = np.stack([np.linalg.norm(part - rows[j], axis=1) for j in near.T], axis=1)
        order = np.argsort(exactly, axis=1, kind="stable")
        indices[start : start + len(part)] = np.take_along_axis(near, order, axis=1)
        distances[start : start + len(part)] = np.take_along_axis(exactly, order, axis=1)
    return indices, distances
