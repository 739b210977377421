"""Uncertainty and coverage at once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import Array, checked

#: Candidates and reference items of one batch: bounds the kernel at 2,000 x 2,000.
BOUND = 2000
#: Elements of one block of the gain of every candidate.
BLOCK = 1 << 22


def uncertainty_herding(
    embedding: Array,
    uncertainty: Array,
    n: int,
    seed: int = 0,
    labelled: Array | None = None,
) -> NDArray[np.int64]:
    """Greedy cover of the uncertain part of the pool.

    Again and again the candidate j with the largest gain, the sum over items i of
    u_i * max(0, k(i, j) - max_l k(i, l)), l over what is labelled or chosen: an item is worth as
    much as the doubt about the items near it that nothing near has settled. k is Gaussian, half as
    wide as the median distance from a labelled item to the next, so it narrows as labels come in.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    uncertainty : (m,) array or tensor
        At least 0.
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the sample, where m is larger than 2,000: half of the candidates looked at are then the
        most uncertain ones and half random, and the items to cover are a random 2,000.
    labelled : (l, d) array or tensor, optional

    Returns
    -------
    (min(n, m),) int64
        Rows of ``embedding`` in the order picked.

    References
    ----------
    Bae, Oh & Sutherland, "Uncertainty herding: one active learning method for all label budgets",
    ICLR 2025.
    """
    h = checked(embedding, 2, "embedding")
    u = checked(_column(uncertainty), 2, "uncertainty")[:, 0].to(h)
    m = len(h)
    if len(u) != m:
        raise StrategyError(f"{m} candidates but {len(u)} uncertainties.")
    n = max(0, min(n, m))
    if n == 0:
        return np.empty(0, np.int64)
    rng = np.random.default_rng(seed)
    # Shuffled, so that argmax breaks ties fairly.
    reference = torch.from_numpy(rng.permutation(m)[:BOUND]).to(h.device)
    candidates = reference
    if m > BOUND or n > BOUND:
        bound = max(BOUND, 2 * n)
        doubtful = u.topk(min(m, bound // 2)).indices
        random = torch.from_numpy(rng.permutation(m)[: bound // 2]).to(h.device)
        candidates = torch.unique(torch.cat([doubtful, random]))
        if len(candidates) < n:
            candidates = torch.from_numpy(rng.permutation(m)).to(h.device)
    at, to_cover = h[candidates], h[reference]
    known = h[:0] if labelled is None else checked(labelled, 2, "labelled embedding").to(h)
    width = _width(known if len(known) > 1 else to_cover[:100])
    kernel = torch.exp(-_squared(to_cover, at) / (2 * width))
    covered = torch.zeros_like(kernel[:, 0])
    for part in known.split(BOUND):
        near = torch.exp(-_squared(to_cover, part) / (2 * width)).amax(dim=1)
        covered = torch.maximum(covered, near)
    doubt = u[reference]
    free = torch.ones(len(at), dtype=torch.bool, device=h.device)
    chosen: list[int] = []
    columns = max(1, BLOCK // len(to_cover))
    for _ in range(n):
        gain = torch.cat(
            [
                doubt @ (part - covered[:, None]).clamp_(min=0)
                for part in kernel.split(columns, dim=1)
            ]
        )
        row = int(torch.where(free, gain, gain.new_tensor(-1.0)).argmax())
        chosen.append(row)
        free[row] = False
        covered = torch.maximum(covered, kernel[:, row])
    return candidates.cpu().numpy()[np.array(chosen, dtype=np.int64)]


def _column(values: Array) -> Array:
    """(m, 1), so that a bad value is named by its row."""
    return values.reshape(-1, 1)


def _squared(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    squares = torch.addmm(b.square().sum(dim=1), a, b.T, alpha=-2.0)
    return (squares + a.square().sum(dim=1)[:, None]).clamp_(min=0.0)


def _width(points: torch.Tensor) -> float:
    """Square of half the median distance to the nearest different point; of up to 2,000 points."""
    squares = _squared(points[:BOUND], points[:BOUND])
    # Duplicates say nothing about how far apart items are; nor does rounding.
    least = 1e-6 * float(squares.max())
    squares = torch.where(squares > least, squares, torch.inf)
    nearest = squares.amin(dim=1) if len(squares) else squares.flatten()
    nearest = nearest[torch.isfinite(nearest)]
    return 0.25 * float(nearest.median()) if len(nearest) else 1.0
