"""Typical items of uncovered clusters, for the first labels."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.strategies._arrays import clipped, generator
from alwidgets.strategies._blocks import Rows, answer, labelled_rows, no_rows, no_scores, squared
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.neighbours import smallest
from alwidgets.tensors import ArrayT
from alwidgets.threads import one_thread

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


@overload
def typiclust(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def typiclust(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def typiclust(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
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
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: how typical each is of its cluster, as above; infinite amid copies,
        NaN for an item alone in its cluster. Between clusters it decides nothing.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row.

    References
    ----------
    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets", ICML 2022.
    """
    pool = Rows(embedding, "embedding")
    pool.check()
    m = len(pool)
    n, rng = clipped(n, m), generator(seed)
    if n == 0:
        return answer(no_rows(pool), no_scores(pool), embedding, return_scores)
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
    places, typical = from_clusters(h, owner, len(rows), n, rng)
    picked = torch.from_numpy(rows[places]).to(pool.device)
    scores = torch.from_numpy(typical).to(pool.device, pool.dtype)
    return answer(picked, scores, embedding, return_scores)


@one_thread()
def from_clusters(
    h: torch.Tensor, owner: Indices, candidates: int, n: int, rng: np.random.Generator
) -> tuple[Indices, NDArray[np.float64]]:
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
    picked : (n,) int64
        Rows of ``h`` in the order picked.
    typicality : (n,) float64
        Of each; NaN for an item alone in its cluster.
    """
    size = np.bincount(owner)
    free = np.bincount(owner[:candidates], minlength=len(size))
    held = size - free
    order = np.lexsort((-size, held))
    by_owner = np.argsort(owner, kind="stable")
    ends = np.cumsum(size)
    picked: list[int] = []
    typicality: list[float] = []
    for turns in (order[size[order] > LEAST], order[size[order] <= LEAST]):
        left = free[turns].copy()
        ranked: dict[int, tuple[Indices, NDArray[np.float64]]] = {}
        for turn in range(int(left.max(initial=0))):
            for cluster in turns[left > turn]:
                if len(picked) == n:
                    return np.array(picked, dtype=np.int64), np.array(typicality)
                if cluster not in ranked:
                    members = by_owner[ends[cluster] - size[cluster] : ends[cluster]]
                    typical = _typicality(h, members, rng)
                    best = np.argsort(-typical, kind="stable")
                    best = best[members[best] < candidates]
                    ranked[cluster] = members[best], typical[best]
                rows, scores = ranked[cluster]
                picked.append(int(rows[turn]))
                typicality.append(float(scores[turn]))
    return np.array(picked, dtype=np.int64), np.array(typicality)


def _typicality(h: torch.Tensor, members: Indices, rng: np.random.Generator) -> NDArray[np.float64]:
    """1 / (mean distance of each member to its nearest others); of one without others, NaN."""
    if len(members) == 1:
        return np.full(1, np.nan)
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
    return torch.cat(means).double().reciprocal_().cpu().numpy()
