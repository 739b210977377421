"""Batches by the gradients that the predicted labels would cause."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import ROWS, clipped, generator, probabilities
from alwidgets.strategies._blocks import Rows, answer, no_rows, no_scores, norms
from alwidgets.strategies.clustering import plus_plus
from alwidgets.tensors import ArrayT
from alwidgets.threads import one_thread


@overload
def badge(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def badge(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def badge(
    proba: ArrayT,
    embedding: ArrayT,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Uncertain items that differ: k-means++ draws among gradients of the last layer.

    The gradient of an item is g = (p - onehot(argmax p)) ⊗ h, of C·d numbers. First comes the item
    with the longest one, then items drawn with probability ∝ squared distance to the nearest
    chosen. Gradients are never formed, as their products factor:
    g·g' = ((p - onehot)·(p' - onehot')) (h·h').

    Parameters
    ----------
    proba : (m, C) array or tensor
        Class probabilities of the candidates.
    embedding : (m, d) array or tensor
        What the last layer sees of them.
    n : int
        How many; all m if there are fewer.
    seed : int
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of the candidates in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the squared distance of the gradient of each to the nearest chosen
        when it was picked, of the first its squared length. 0 where only copies were left.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row; for probabilities that
        are none, such as logits, and for two inputs of different length.

    References
    ----------
    Ash, Zhang, Krishnamurthy, Langford & Agarwal, "Deep batch active learning by diverse, uncertain
    gradient lower bounds", ICLR 2020.
    """
    p, h = Rows(proba, "probabilities"), Rows(embedding, "embedding")
    if len(h) != len(p):
        raise StrategyError(f"{len(p)} rows of probabilities but {len(h)} of the embedding.")
    probabilities(p.values[:ROWS], 2, finite=False)
    n, rng = clipped(n, len(p)), generator(seed)
    with one_thread():
        picked, scores = _drawn(p, h, n, rng) if n else (no_rows(p), no_scores(h))
    return answer(picked, scores.to(p.device), proba, return_scores)


def _drawn(p: Rows, h: Rows, n: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    device = h.device
    # Squared lengths of the two factors.
    doubt = torch.cat([norms(_residual(part)) for _, part in p.blocks()]).to(device, h.dtype)
    extent = torch.cat([norms(part) for _, part in h.blocks()])
    length = doubt * extent
    rounding = 8 * torch.finfo(h.dtype).eps

    def between(rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        a, b = _residual(p[rows.to(p.device)]), _residual(p[others.to(p.device)])
        a, b = a.to(device, torch.float64), b.to(device, torch.float64)
        g, k = h[rows].double(), h[others].double()
        sizes = norms(a) * norms(g), norms(b) * norms(k)
        gap = sizes[0][:, None] + sizes[1] - 2 * (a @ b.T) * (g @ k.T)
        return gap.clamp_(min=0.0)

    def refresh(others: torch.Tensor, bound: torch.Tensor) -> torch.Tensor:
        to_p = _residual(p[others.to(p.device)]).to(p.dtype).T
        to_h = h[others].T
        bound = bound.clone()
        for where, part in h.blocks(len(others)):
            # What rounding may have lost is put back: this must stay an upper bound.
            cross = (_residual(p.values[where].to(p.dtype)) @ to_p).to(device, h.dtype)
            gap = length[others] - 2.0 * cross * (part @ to_h)
            least, at = gap.min(dim=1)
            slack = rounding * (length[where] + length[others[at]])
            least = least + length[where]
            least = torch.where(least > slack, least + slack, 0.0)
            bound[where] = torch.minimum(bound[where], least)
        return bound

    ties = torch.nonzero(length == length.max())[:, 0]
    first = int(ties[int(rng.integers(len(ties)))])
    # Two gradients are at most as far apart as they are long together.
    bound = (length.sqrt() + length[first].sqrt()).square()
    picked, gaps = plus_plus(bound, between, refresh, [first], n, rng)
    gaps[0] = float(length[first])
    return torch.from_numpy(picked).to(p.device), torch.from_numpy(gaps).to(device, h.dtype)


def _residual(p: torch.Tensor) -> torch.Tensor:
    """Probabilities less the predicted label: p - onehot(argmax p)."""
    top = p.argmax(dim=1, keepdim=True)
    return p.scatter_add(1, top, torch.full_like(top, -1, dtype=p.dtype))
