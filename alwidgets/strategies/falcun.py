"""Uncertainty and diversity among the probabilities themselves."""

from __future__ import annotations

from typing import Literal, overload

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import clipped, generator, probabilities
from alwidgets.strategies.uncertainty import margin
from alwidgets.tensors import ArrayT, like

#: Numbers in a block. On a CPU it stays in the cache and on one thread: many short steps that wait
#: for other threads are slow where cores are busy.
CPU_BLOCK = 1 << 15
GPU_BLOCK = 1 << 25


@overload
def falcun(
    proba: ArrayT,
    n: int,
    seed: int = 0,
    gamma: float = 10.0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def falcun(
    proba: ArrayT, n: int, seed: int = 0, gamma: float = 10.0, *, return_scores: Literal[True]
) -> tuple[ArrayT, ArrayT]: ...


def falcun(
    proba: ArrayT, n: int, seed: int = 0, gamma: float = 10.0, *, return_scores: bool = False
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Draw items by uncertainty plus distance to what has been drawn, both of the probabilities.

    Each draw takes an item with probability proportional to ``(u + d)**gamma``: u is the margin
    uncertainty, d the L1 distance of the probabilities to the nearest item drawn so far, at most u,
    scaled to [0, 1] after each draw.

    Parameters
    ----------
    proba : (m, C) array or tensor
    n : int
        How many; all m if there are fewer.
    seed : int
    gamma : float
        At least 0: 0 draws at random, a large value takes the highest.
    return_scores : bool

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order drawn.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: ``u + d`` of each when it was drawn, in [0, 2].

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row, and
        for a negative ``gamma``.

    References
    ----------
    Gilhuber, Beer, Ma & Seidl, "FALCUN: a simple and efficient deep active learning strategy",
    ECML PKDD 2024.
    """
    p = probabilities(proba, 2)
    if not 0 <= gamma < float("inf"):
        raise StrategyError(f"gamma must be at least 0 and finite, not {gamma}.")
    n = clipped(n, len(p))
    rng = generator(seed)
    chosen: list[int] = []
    scores = p.new_empty(n)
    relevance = Relevance(p, gamma)
    for draw in range(n):
        row = relevance.draw(float(rng.random()), float(rng.random()))
        chosen.append(row)
        scores[draw] = relevance.uncertainty[row] + relevance.distance[row]
        relevance.take(row)
    picks = like(torch.tensor(chosen, dtype=torch.int64, device=p.device), proba)
    return (picks, like(scores, proba)) if return_scores else picks


class Relevance:
    """What each item has a chance of, given the items taken.

    Parameters
    ----------
    p : (m, C) tensor
    gamma : float
    """

    def __init__(self, p: torch.Tensor, gamma: float) -> None:
        self.gamma = gamma
        elements = CPU_BLOCK if p.device.type == "cpu" else GPU_BLOCK
        self.size = elements
        self.size_of_p = max(1024, elements // max(1, p.shape[1]))
        self.uncertainty = margin(p).clamp(min=0.0)
        self.distance = self.uncertainty.clone()
        # A class is a row: sums over the classes then run along the items.
        self.p = p.T.contiguous()
        self.free = torch.ones(len(p), dtype=p.dtype, device=p.device)

    def weights(self) -> torch.Tensor:
        """(m,) not negative, 0 for what has been taken; somewhere positive while any is left."""
        weights = torch.empty_like(self.free)
        parts, free = weights.split(self.size), self.free.split(self.size)
        highest = self.free.new_tensor(0.0)
        both = zip(self.uncertainty.split(self.size), self.distance.split(self.size), strict=True)
        for part, left, (u, d) in zip(parts, free, both, strict=True):
            highest = torch.maximum(highest, torch.add(u, d, out=part).mul_(left).max())
        if not bool(highest > 0):
            return self.free.clone()
        for part, left in zip(parts, free, strict=True):
            # The scale changes no probability, but keeps the power from overflowing.
            part.div_(highest).pow_(self.gamma).mul_(left)
        return weights

    def draw(self, block: float, within: float) -> int:
        """An item, given two uniform numbers in [0, 1)."""
        parts = self.weights().split(self.size)
        # First the block, then the item in it: no running sum over all items.
        at = _draw(torch.stack([part.sum(dtype=torch.float64) for part in parts]), block)
        return at * self.size + _draw(parts[at].double(), within)

    def take(self, row: int) -> None:
        """Leave ``row`` out, and what is near it the less likely."""
        self.free[row] = 0.0
        here = self.p[:, row, None].clone()
        # The item itself comes to distance 0, so that is the least there is.
        highest = self.free.new_tensor(0.0)
        sizes = self.size_of_p
        for part, distance in zip(self.p.split(sizes, 1), self.distance.split(sizes), strict=True):
            torch.minimum(distance, (part - here).abs_().sum(dim=0), out=distance)
            highest = torch.maximum(highest, distance.max())
        if bool(highest > 0):
            for distance in self.distance.split(self.size):
                distance.div_(highest)


def _draw(weights: torch.Tensor, uniform: float) -> int:
    """A row with probability proportional to its weight; never one of weight 0."""
    total = weights.cumsum(dim=0)
    found = int(torch.searchsorted(total, total[-1:] * uniform, right=True))
    if found < len(total):
        return found
    # Rounding: the last row that weighs anything.
    return int(weights.nonzero()[-1, 0])
