"""The least sure items, spread over clusters."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, checked, clipped, generator, given
from alwidgets.strategies._blocks import answer, check_rows
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.uncertainty import margin
from alwidgets.tensors import ArrayT

#: Candidates looked at for each item asked for, as in the paper; a cluster has as many on average.
FACTOR = 10
#: Candidates that are clustered bottom up, which costs their square; more are given to k-means.
BOUND = 2000


@overload
def cluster_margin(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def cluster_margin(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def cluster_margin(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Of the ``10 n`` smallest margins, one from each cluster in turn, smallest cluster first.

    The candidates are cut into ``n`` clusters by average linkage, or by k-means where there are
    more than 2,000; within a cluster the order is random.

    Parameters
    ----------
    proba : (m, C) array or tensor
    embedding : (m, d) array or tensor
    n : int
        How many; all m if there are fewer.
    seed : int
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the :func:`~alwidgets.strategies.margin` of each, 1 - (p1 - p2). It
        says who is looked at; the clusters decide on the order.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row; for probabilities that
        are none, such as logits, and for different lengths.

    References
    ----------
    Citovsky et al., "Batch active learning at scale", NeurIPS 2021; there, the whole pool is
    clustered once.
    """
    doubt = margin(as_tensor(proba, "probabilities"))
    features = given(embedding, "embedding")
    if features.ndim != 2 or len(features) != len(doubt):
        raise StrategyError(
            f"{len(doubt)} probabilities but an embedding of shape {tuple(features.shape)}."
        )
    m = len(doubt)
    n, rng = clipped(n, m), generator(seed)
    if n == 0:
        nothing = torch.empty(0, dtype=torch.int64, device=doubt.device)
        return answer(nothing, doubt[:0], proba, return_scores)
    # Shuffled, so that the seed says which of equal margins are in, and who is first in a cluster.
    order = torch.from_numpy(rng.permutation(m)).to(doubt.device)
    best = doubt[order].topk(min(m, FACTOR * n)).indices.sort().values
    rows = order[best]
    # Converted as a whole are only these.
    check_rows(features, "embedding")
    at = rows.to(features.device) if isinstance(features, torch.Tensor) else rows.cpu().numpy()
    h = checked(features[at], 2, "embedding")
    owner = _clusters(h, n, seed)
    size = np.bincount(owner)
    # The place of each candidate within its cluster is the round in which it comes.
    by_owner = np.argsort(owner, kind="stable")
    turn = np.empty(len(owner), dtype=np.int64)
    turn[by_owner] = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    picked = np.lexsort((owner, size[owner], turn))[:n]
    rows = rows[torch.from_numpy(picked).to(rows.device)]
    return answer(rows, doubt[rows], proba, return_scores)


def _clusters(h: torch.Tensor, n: int, seed: int) -> NDArray[np.int64]:
    if len(h) <= n:
        return np.arange(len(h))
    if len(h) > BOUND:
        return kmeans(h, n, seed)[1].cpu().numpy()
    merges = linkage(h.double().cpu().numpy(), method="average")
    return fcluster(merges, n, criterion="maxclust").astype(np.int64)
