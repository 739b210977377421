"""How typical an item is of the pool."""

from __future__ import annotations

import math

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, checked, given, wide
from alwidgets.strategies._blocks import blocks
from alwidgets.tensors import ArrayT, like
from alwidgets.threads import one_thread


@one_thread()
def density(embedding: ArrayT, reference: ArrayT) -> ArrayT:
    """Mean similarity to the pool: high amid many items, low for outliers.

    The similarity of two items is ``(1 + cos) / 2``. Its mean over all of ``reference`` is that
    with the mean direction of the reference, so the cost is that of one product, however large the
    reference: give it the whole pool, or a random sample of some thousand items.

    Parameters
    ----------
    embedding : (n, d) array or tensor
        The candidates. A row of zeros has cosine 0 with everything.
    reference : (r, d) array or tensor
        An item that is also a candidate counts like any other, as in the paper.

    Returns
    -------
    (n,) array or tensor in [0, 1]

    Raises
    ------
    StrategyError
        For NaN or infinity and for a row too large to square, naming it, for an empty reference,
        and for different numbers of columns.

    References
    ----------
    Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008; their cosine is raised to [0, 1] here, so that a product with it keeps its order.
    """
    same = reference is embedding
    # Lists and data frames, too; files mapped into memory are not read yet.
    candidates, pool = given(embedding, "embedding"), given(reference, "reference")
    if candidates.ndim != 2 or pool.ndim != 2:
        raise StrategyError(
            "Density needs an embedding and a reference of two axes, got shapes "
            f"{tuple(candidates.shape)} and {tuple(pool.shape)}."
        )
    if not len(pool):
        raise StrategyError("Density needs a reference of at least one item: pass a random sample.")
    if candidates.shape[1] != pool.shape[1]:
        raise StrategyError(
            f"{candidates.shape[1]} features for the candidates, {pool.shape[1]} for the reference."
        )
    # In double precision, so that the mean does not depend on the blocks.
    device = as_tensor(pool[:1]).device
    total = torch.zeros(pool.shape[1], dtype=torch.float64, device=device)
    lengths = []
    for where, part in blocks(pool, "reference"):
        lengths.append(_length(part, where.start, "reference"))
        total += part.T @ (1.0 / lengths[-1])
    mean = total / len(pool)
    # A pool that is its own reference is checked and measured once.
    known = torch.cat(lengths) if same else None
    scores = wide(as_tensor(candidates[:0])).new_empty(len(candidates))
    for where, part in blocks(candidates, "embedding", check=known is None):
        length = _length(part, where.start, "embedding") if known is None else known[where]
        cosine = (part @ mean.to(part)).div_(length)
        torch.add(cosine, 1.0, out=scores[where]).div_(2.0).clamp_(0.0, 1.0)
    return like(scores, embedding)


def density_weighted(uncertainty: ArrayT, density: ArrayT, beta: float = 1.0) -> ArrayT:
    """Information density: ``uncertainty * density**beta``.

    Parameters
    ----------
    uncertainty : (n,) array or tensor
        At least 0, higher means less sure.
    density : (n,) array or tensor
        At least 0, such as from :func:`density`.
    beta : float
        At least 0; 0 leaves the uncertainty as it is.

    Returns
    -------
    (n,) array or tensor

    Raises
    ------
    StrategyError
        For NaN, infinity or a negative value, naming the row, and for different lengths.

    References
    ----------
    Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008.
    """
    if not beta >= 0:
        raise StrategyError(f"beta must be at least 0, not {beta}.")
    u = checked(uncertainty, 1, "uncertainty")
    weight = checked(density, 1, "density").to(u)
    if len(u) != len(weight):
        raise StrategyError(f"{len(u)} uncertainties but {len(weight)} densities.")
    for values, what in ((u, "uncertainty"), (weight, "density")):
        if bool((values < 0).any()):
            row = int((values < 0).nonzero()[0, 0])
            raise StrategyError(f"The {what} of row {row} is negative: a product needs at least 0.")
    return like(u * weight**beta, uncertainty)


def _length(part: torch.Tensor, first: int, what: str) -> torch.Tensor:
    """Of the rows; 1 for a row of zeros, and none so small that dividing by it overflows."""
    length = torch.linalg.vector_norm(part, dim=1)
    if len(length) and not math.isfinite(length.amax()):
        row = first + int(length.argmax())
        raise StrategyError(
            f"Row {row} of the {what} is too large to square: scale the features down."
        )
    return torch.where(length > torch.finfo(part.dtype).tiny, length, 1.0)
