"""Items that cover the pool. Nothing here is quadratic in the number of items."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.strategies._arrays import Array, checked

#: Rows that k-means looks at: more change the centroids little.
SAMPLE = 20_000
#: Elements of the largest distance block.
BLOCK = 1 << 23


def k_center(embedding: Array, labelled: Array | None, n: int, seed: int = 0) -> NDArray[np.int64]:
    """Greedy core-set: again and again the item farthest from everything chosen or labelled.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
        What is labelled already. Without any, the first pick is drawn at random.
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the first pick and of the ties.

    Returns
    -------
    (min(n, m),) int64
        Rows of ``embedding`` in the order picked.

    References
    ----------
    Sener & Savarese, "Active learning for convolutional neural networks: a core-set approach",
    ICLR 2018.
    """
    h = checked(embedding, 2, "embedding")
    m = len(h)
    n = max(0, min(n, m))
    order = torch.from_numpy(np.random.default_rng(seed).permutation(m)).to(h.device)
    # argmax takes the first of equals: shuffled rows make that a fair draw.
    h = h[order]
    gap = torch.full((m,), torch.inf, dtype=h.dtype, device=h.device)
    if labelled is not None and len(labelled):
        known = checked(labelled, 2, "labelled embedding").to(h)
        gap = _nearest(h, known)[0]
    chosen: list[int] = []
    for _ in range(n):
        row = int(gap.argmax())
        chosen.append(row)
        gap = torch.minimum(gap, (h - h[row]).square().sum(dim=1))
        gap[chosen] = -1.0
    return order.cpu().numpy()[np.array(chosen, dtype=np.int64)]


def representative(
    embedding: Array, n: int, seed: int = 0, labelled: Array | None = None
) -> NDArray[np.int64]:
    """Typical items of as many different regions as possible, for a cold start.

    k-means with one cluster for each item that is or will be labelled; the clusters without a
    label, largest first, each give the item nearest to their centroid. The largest pools are
    clustered on a random sample of 20,000 rows.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    n : int
        How many; all m if there are fewer.
    seed : int
    labelled : (l, d) array or tensor, optional
        What is labelled already.

    Returns
    -------
    (min(n, m),) int64
        Rows of ``embedding`` in the order picked, distinct.

    References
    ----------
    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets" (TypiClust), ICML 2022; nearness to the centroid stands in for their density.
    """
    h = checked(embedding, 2, "embedding")
    m = len(h)
    n = max(0, min(n, m))
    if n == 0:
        return np.empty(0, np.int64)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(m)[: max(SAMPLE, n)]
    h = h[torch.from_numpy(rows).to(h.device)]
    known = h[:0] if labelled is None else checked(labelled, 2, "labelled embedding").to(h)
    everything = torch.cat([h, known])
    clusters = min(len(known) + n, 500, len(everything))
    centres, owner = kmeans(everything, max(clusters, min(n, len(h))), seed)
    gaps = (everything - centres[owner]).square().sum(dim=1).cpu().numpy()
    owners = owner.cpu().numpy()
    own = owners[: len(h)]
    size = np.bincount(own, minlength=len(centres))
    held = np.bincount(owners[len(h) :], minlength=len(centres))
    # Cycle over the clusters: fewest labels first, then the largest; each gives its next item.
    by_gap = np.lexsort((gaps[: len(h)], own))
    starts = np.r_[0, np.cumsum(size)[:-1]]
    turn = np.empty(len(h), dtype=np.int64)
    turn[by_gap] = np.arange(len(h)) - np.repeat(starts, size)
    best = np.lexsort((-size[own], turn + held[own]))[:n]
    return rows[best].astype(np.int64)


def kmeans(
    X: torch.Tensor, k: int, seed: int, *, iterations: int = 25
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lloyd's algorithm from a k-means++ start; ``k`` centres (k, d) and owners (n,).

    Duplicates may leave centres without an item: they own nothing then.
    """
    generator = np.random.default_rng(seed)
    centres = X[:1].repeat(k, 1)
    gap = torch.ones(len(X), dtype=X.dtype, device=X.device)
    for i in range(k):
        total = torch.cumsum(gap.double(), dim=0)
        target = float(generator.random()) * float(total[-1])
        row = min(int(torch.searchsorted(total, target)), len(X) - 1)
        centres[i] = X[row]
        away = (X - X[row]).square().sum(dim=1)
        gap = away if i == 0 else torch.minimum(gap, away)
    owner = torch.zeros(len(X), dtype=torch.int64, device=X.device)
    for step in range(iterations):
        previous = owner
        owner = _nearest(X, centres)[1]
        if step and bool((owner == previous).all()):
            break
        counts = torch.bincount(owner, minlength=k).to(X.dtype)
        sums = torch.zeros_like(centres).index_add_(0, owner, X)
        filled = counts > 0
        centres = torch.where(filled[:, None], sums / counts.clamp(min=1)[:, None], centres)
    return centres, owner


def _nearest(X: torch.Tensor, to: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared distance to, and row of, the nearest of ``to``; in blocks of bounded size."""
    gaps, rows = [], []
    squares = to.square().sum(dim=1)
    for part in X.split(max(1, BLOCK // max(1, len(to)))):
        found = torch.addmm(squares, part, to.T, alpha=-2.0).min(dim=1)
        gaps.append((found.values + part.square().sum(dim=1)).clamp(min=0.0))
        rows.append(found.indices)
    return torch.cat(gaps), torch.cat(rows)
