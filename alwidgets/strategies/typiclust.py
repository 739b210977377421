"""Typical items of uncovered clusters, for the first labels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.strategies._arrays import ArrayT, like
from alwidgets.strategies._blocks import Rows, labelled_rows, no_rows, squared
from alwidgets.strategies._threads import one_thread
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.neighbours import smallest

#: Candidates that are clustered: a larger pool is represented by a random sample.
SAMPLE = 50_000
#: Members of a cluster that densities are measured against.
MEMBERS = 2048
#: Rows that are copied at once.
ROWS = 1024
#: Numbers of one distance block.
BLOCK = 1 << 20
CLUSTERS, LEAST, NEIGHBOURS = 500, 5, 20

Indices = NDArray[np.int64]


def typiclust(embedding: ArrayT, labelled: ArrayT | None, n: int, seed: int = 0) -> ArrayT:
    """The most typical items of the clusters with the fewest labels.

    k-means with min(l + n, 500) clusters over candidates and labelled items. The clusters of more
    than 5 items take turns, those with the fewest labels first, then the largest; in its turn each
    gives its most typical candidate that was not picked yet, the one with the largest
    1 / (mean distance to its K = min(20, size) nearest in the cluster). The small clusters follow
    when all others are used up.

    Of more than 50,000 candidates a random 50,000 are looked at, and the neighbours of a cluster
    of more than 2,048 items are looked for among a random 2,048 of them.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
        What is labelled already.
    n : int
        How many; all m if there are fewer.
    seed : int

    Returns
    -------
    (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.

    References
    ----------
    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets", ICML 2022.
    """
    pool = Rows(embedding, "embedding")
    pool.check()
    m = len(pool)
    n = max(0, min(n, m))
    if n == 0:
        return like(no_rows(pool), embedding)
    rng = np.random.default_rng(seed)
    # Shuffled, so that the first of equals is a fair draw.
    rows = rng.permutation(m)[: max(SAMPLE, 2 * n)]
    known = labelled_rows(labelled, pool)
    # Filled in place: two copies of the sample are never held.
    h = torch.empty(len(rows) + len(known), pool.width, dtype=pool.dtype, device=pool.device)
    for start in range(0, len(rows), ROWS):
        part = torch.from_numpy(rows[start : start + ROWS]).to(pool.device)
        h[start : start + len(part)] = pool[part]
    h[len(rows) :] = known
    clusters = min(len(known) + n, CLUSTERS, len(h))
    owner = kmeans(h, clusters, seed, own=True)[1].cpu().numpy()
    picked = from_clusters(h, owner, len(rows), n, rng)
    return like(torch.from_numpy(rows[picked]).to(pool.device), embedding)


@one_thread()
def from_clusters(
    h: torch.Tensor, owner: Indices, candidates: int, n: int, rng: np.random.Generator
) -> Indices:
    """The picks from given clusters.

    Parameters
    ----------
    h : (r, d) tensor
        Candidates, then labelled items.
    owner : (r,) int64
        The cluster of each.
    candidates : int
        How many of them are candidates.
    n : int
        At most that many.
    rng : numpy.random.Generator
        Of the samples of large clusters.

    Returns
    -------
    (n,) int64
        Rows of ``h`` in the order picked.
    """
    size = np.bincount(owner)
    free = np.bincount(owner[:candidates], minlength=len(size))
    held = size - free
    order = np.lexsort((-size, held))
    by_owner = np.argsort(owner, kind="stable")
    ends = np.cumsum(size)
    picked: list[int] = []
    for turns in (order[size[order] > LEAST], order[size[order] <= LEAST]):
        left = free[turns].copy()
        ranked: dict[int, Indices] = {}
        for turn in range(int(left.max(initial=0))):
            for cluster in turns[left > turn]:
                if len(picked) == n:
                    return np.array(picked, dtype=np.int64)
                if cluster not in ranked:
                    members = by_owner[ends[cluster] - size[cluster] : ends[cluster]]
                    typical = np.argsort(_mean_gap(h, members, rng), kind="stable")
                    members = members[typical]
                    ranked[cluster] = members[members < candidates]
                picked.append(int(ranked[cluster][turn]))
    return np.array(picked, dtype=np.int64)


def _mean_gap(h: torch.Tensor, members: Indices, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean distance of each member to its nearest others; of one without others, 0."""
    if len(members) == 1:
        return np.zeros(1)
    points = h[torch.from_numpy(members).to(h.device)]
    # Squared distances by products lose precision far from the origin.
    points -= points.mean(dim=0)
    others = np.arange(len(members))
    if len(members) > MEMBERS:
        others = np.sort(rng.choice(len(members), MEMBERS, replace=False))
    to = points[torch.from_numpy(others).to(h.device)]
    own = np.full(len(members), -1)
    own[others] = np.arange(len(others))
    k = min(NEIGHBOURS, len(others) - 1)
    means = []
    step = max(1, BLOCK // len(others))
    for start in range(0, len(members), step):
        gaps = squared(points[start : start + step], to)
        # Nobody is their own neighbour.
        at = own[start : start + step]
        inside = np.flatnonzero(at >= 0)
        gaps[torch.from_numpy(inside), torch.from_numpy(at[inside])] = torch.inf
        means.append(smallest(gaps, k).sqrt_().mean(dim=1))
    return torch.cat(means).double().cpu().numpy()
