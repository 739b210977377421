"""Nearest neighbours in blocks of bounded size. Nothing here is quadratic in memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import Array, as_tensor

#: Elements of the largest distance block.
BLOCK = 1 << 23
#: Rows of the short list that the farthest are picked from.
SHORT = 1024


def nearest(X: torch.Tensor, to: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared distance to, and row of, the nearest of ``to``; in blocks of bounded size.

    Rows of ``X`` in half precision are converted block by block.
    """
    # Made at once: small results that outlive large temporaries would scatter the memory.
    gaps = to.new_empty(len(X))
    rows = torch.empty(len(X), dtype=torch.int64, device=to.device)
    squares = to.square().sum(dim=1)
    step = max(1, BLOCK // max(1, *to.shape))
    for start in range(0, len(X), step):
        part = X[start : start + step].to(to)
        found = torch.addmm(squares, part, to.T, alpha=-2.0).min(dim=1)
        end = start + len(part)
        gaps[start:end] = (found.values + part.square().sum(dim=1)).clamp_(min=0.0)
        rows[start:end] = found.indices
    return gaps, rows


def knn(X: torch.Tensor, to: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Squared distances to, and rows of, the ``k`` nearest of ``to``: exact, nearest first.

    Parameters
    ----------
    X : (n, d) tensor
        Rows in half precision are converted block by block.
    to : (m, d) tensor
        Of the same device. Memory beyond the result is bounded for any n, and linear in m.
    k : int
        At least 0; all of ``to`` where there are fewer.

    Returns
    -------
    gaps : (n, min(k, m)) tensor
        Squared Euclidean distances, at least 0.
    rows : (n, min(k, m)) int64 tensor
        Rows of ``to``.

    Raises
    ------
    StrategyError
        For different numbers of columns.
    """
    if X.shape[1] != to.shape[1]:
        raise StrategyError(
            f"Items of {X.shape[1]} and of {to.shape[1]} features have no distance."
        )
    to = to if to.dtype in (torch.float32, torch.float64) else to.float()
    k = max(0, min(k, len(to)))
    gaps = to.new_empty(len(X), k)
    rows = torch.empty(len(X), k, dtype=torch.int64, device=to.device)
    if k == 0 or not len(X):
        return gaps, rows
    # A distance is a small difference of large numbers where all items are far from the origin.
    centre = to.mean(dim=0)
    to = to - centre
    squares = to.square().sum(dim=1)
    # A row of the block is a row of distances and a row of features.
    step = max(1, BLOCK // max(to.shape))
    for start in range(0, len(X), step):
        part = X[start : start + step].to(to) - centre
        found = torch.addmm(squares, part, to.T, alpha=-2.0).topk(k, dim=1, largest=False)
        end = start + len(part)
        gaps[start:end] = (found.values + part.square().sum(dim=1)[:, None]).clamp_(min=0.0)
        rows[start:end] = found.indices
    return gaps, rows


def farthest_first(h: torch.Tensor, gap: torch.Tensor, n: int, among: torch.Tensor) -> torch.Tensor:
    """Again and again the row farthest from what is given and from those before it.

    Gaps only shrink, so a gap not brought up to date is an upper bound: a short list of the rows
    with the largest is enough until its largest falls below the bound of all others.

    Parameters
    ----------
    h : (m, d) tensor
        May be half precision: only the rows of the short list are converted.
    gap : (c,) tensor
        Squared distances of the rows ``among`` to what is given; infinite where nothing is.
    n : int
        How many; all c if there are fewer.
    among : (c,) int64 tensor
        Rows of ``h`` to pick from, distinct; shuffled, equals have equal chances.

    Returns
    -------
    (min(n, c),) int64 tensor
        Rows of ``h`` in the order picked.
    """
    n = max(0, min(n, len(among)))
    chosen = torch.empty(n, dtype=torch.int64, device=h.device)
    gap = gap.clone()
    done, size = 0, SHORT
    while done < n:
        best = gap.topk(min(size, len(gap)))
        rows = among[best.indices]
        bound = best.values[-1] if len(rows) < len(gap) else gap.new_tensor(-torch.inf)
        short, own = h[rows].to(gap), best.values
        if done:
            own = torch.minimum(own, nearest(short, h[chosen[:done]].to(gap))[0])
        squares = short.square().sum(dim=1)
        before = done
        while done < n:
            at = own.argmax()
            if not bool(own[at] >= bound):
                break
            chosen[done] = rows[at]
            done += 1
            # What rounding leaves below 0 is a duplicate.
            away = torch.addmv(squares, short, short[at], alpha=-2.0) + squares[at]
            own = torch.minimum(own, away.clamp_(min=0.0))
            own[at] = -torch.inf
        gap[best.indices] = own
        # A list that gave nothing was too short: the last pick was near to all of it.
        size = SHORT if done > before else 2 * size
    return chosen


def blocks(
    values: Array, size: int, what: str, numbers: Array | None = None
) -> Iterator[tuple[int, torch.Tensor]]:
    """The rows of a matrix in order, with the number of the first: finite, at least float32.

    So half precision and files mapped into memory are never converted or read as a whole.

    Parameters
    ----------
    values : (n, d) array or tensor
    size : int
        Rows of a block.
    what : str
        Names the matrix in errors.
    numbers : (n,) integers, optional
        What its rows are called in errors.

    Raises
    ------
    StrategyError
        For another number of axes, and for NaN or infinity, naming the first row.
    """
    if values.ndim != 2:
        raise StrategyError(f"Expected {what} with 2 axes, got shape {tuple(values.shape)}.")
    for start in range(0, len(values), size):
        part = as_tensor(values[start : start + size])
        if part.dtype not in (torch.float32, torch.float64):
            part = part.float()
        # A sum is finite only where every term is; it may overflow all the same.
        if not bool(torch.isfinite(part.sum())):
            finite = torch.isfinite(part).all(dim=1)
            if not bool(finite.all()):
                row = start + int((~finite).nonzero()[0, 0])
                row = row if numbers is None else int(numbers[row])
                raise StrategyError(f"NaN or infinity in the {what}, first in row {row}.")
        yield start, part
