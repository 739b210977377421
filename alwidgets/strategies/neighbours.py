"""Nearest neighbours in blocks of bounded size. Nothing here is quadratic in memory."""

from __future__ import annotations

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._blocks import Rows, norms
from alwidgets.threads import one_thread

#: Numbers of the largest block of distances: 2 MB in single precision.
BLOCK = 1 << 19
#: Columns of one product where only the least of each row is kept.
COLUMNS = 1024
#: Rows of the short list that the farthest are picked from.
SHORT = 1024


def nearest_gap(X: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """Squared distance of each row of a block to the nearest of ``to``."""
    least = torch.full((len(X),), torch.inf, dtype=X.dtype, device=X.device)
    for part in to.split(COLUMNS):
        found = torch.addmm(norms(part), X, part.T, alpha=-2.0).amin(dim=1)
        torch.minimum(least, found, out=least)
    return least.add_(norms(X)).clamp_(min=0.0)


def nearest(X: torch.Tensor, to: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared distance to, and row of, the nearest of ``to``; in blocks of bounded size.

    Rows of ``X`` in half precision are converted block by block.
    """
    # Made at once: small results that outlive large temporaries would scatter the memory.
    gaps = to.new_empty(len(X))
    rows = torch.empty(len(X), dtype=torch.int64, device=to.device)
    lengths = norms(to)
    step = max(1, BLOCK // max(1, *to.shape))
    for start in range(0, len(X), step):
        part = X[start : start + step].to(to)
        least, at = lowest(torch.addmm(lengths, part, to.T, alpha=-2.0))
        end = start + len(part)
        gaps[start:end] = least.add_(norms(part)).clamp_(min=0.0)
        rows[start:end] = at
    return gaps, rows


def nearest_mask(X: torch.Tensor, to: torch.Tensor, k: int) -> torch.Tensor:
    """Which are the ``k`` nearest of ``to`` for each row of a block: exact.

    Parameters
    ----------
    X : (n, d) tensor
    to : (m, d) tensor
        Near the origin, as distances are small differences of large numbers far from it.
    k : int
        At least 1.

    Returns
    -------
    (n, m) bool tensor
        min(k, m) true in each row; of equals any.
    """
    gaps = torch.addmm(norms(to), X, to.T, alpha=-2.0)
    if k >= len(to):
        return torch.ones_like(gaps, dtype=torch.bool)
    last = smallest(gaps.clone(), k).amax(dim=1, keepdim=True)
    near = gaps <= last
    # As near as the last is another one.
    tied = torch.nonzero(near.sum(dim=1) > k)[:, 0]
    if len(tied):
        columns = gaps[tied].topk(k, dim=1, largest=False).indices
        near[tied] = torch.zeros_like(near[tied]).scatter_(1, columns, True)
    return near


def lowest(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The least of each row, and its column: the first of equals."""
    if values.device.type != "cpu":
        least = values.min(dim=1)
        return least.values, least.indices
    # Three times as fast as torch.
    at = torch.from_numpy(values.numpy().argmin(axis=1))
    return values.gather(1, at[:, None])[:, 0], at


def smallest(values: torch.Tensor, k: int) -> torch.Tensor:
    """(n, k) the least of each row, in any order; ``values`` are in another order then."""
    if values.device.type != "cpu" or k >= values.shape[1]:
        return values.topk(k, dim=1, largest=False, sorted=False).values
    # Ten times as fast as torch.
    values.numpy().partition(k - 1, axis=1)
    return values[:, :k].contiguous()


@one_thread()
def farthest_first(
    h: Rows, gap: torch.Tensor, n: int, among: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Again and again the row farthest from what is given and from those before it.

    Gaps only shrink, so a gap not brought up to date is an upper bound: a short list of the rows
    with the largest is enough until its largest falls below the bound of all others.

    Parameters
    ----------
    h : Rows
        (m, d); only those of the short list are converted.
    gap : (c,) tensor
        Squared distances of the rows ``among`` to what is given; infinite where nothing is.
    n : int
        How many; all c if there are fewer.
    among : (c,) int64 tensor
        Rows of ``h`` to pick from, distinct; shuffled, equals have equal chances.

    Returns
    -------
    picked : (min(n, c),) int64 tensor
        Rows of ``h`` in the order picked.
    gaps : (min(n, c),) tensor
        The squared distance of each to what was given and picked before it.

    Raises
    ------
    StrategyError
        Where a squared distance is NaN: rows that were not checked.
    """
    n = max(0, min(n, len(among)))
    chosen = torch.empty(n, dtype=torch.int64, device=h.device)
    gaps = gap.new_empty(n)
    gap = gap.clone()
    done, size = 0, SHORT
    while done < n:
        best = gap.topk(min(size, len(gap)))
        rows = among[best.indices]
        bound = best.values[-1] if len(rows) < len(gap) else gap.new_tensor(-torch.inf)
        short, own = h[rows].to(gap), best.values
        if done:
            own = torch.minimum(own, nearest(short, h[chosen[:done]].to(gap))[0])
        squares = norms(short)
        before = done
        while done < n:
            at = own.argmax()
            if not bool(own[at] >= bound):
                break
            chosen[done], gaps[done] = rows[at], own[at]
            done += 1
            # What rounding leaves below 0 is a duplicate.
            away = torch.addmv(squares, short, short[at], alpha=-2.0) + squares[at]
            own = torch.minimum(own, away.clamp_(min=0.0))
            own[at] = -torch.inf
        if done == before and len(rows) == len(gap):
            raise StrategyError("A squared distance is NaN: scale the features down.")
        gap[best.indices] = own
        # A list that gave nothing was too short: the last pick was near to all of it.
        size = SHORT if done > before else 2 * size
    return chosen, gaps
