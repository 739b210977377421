"""Only the neighbours of what is labelled: candidates for pools too large to look at."""

from __future__ import annotations

import operator

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, given, shaped
from alwidgets.strategies._blocks import blocks, check_sizes
from alwidgets.tensors import Array
from alwidgets.threads import one_thread


class Neighbourhood:
    """The ``k`` nearest items of each of some items, from a pool that comes in chunks.

    Exact, and the same however the pool is cut. Memory is that of the result, of one chunk and of
    a block of distances.

    Parameters
    ----------
    of : (l, d) array or tensor
        The items whose neighbours are wanted.
    k : int
        At least 1.
    """

    def __init__(self, of: Array, k: int) -> None:
        k = neighbours(k)
        items = shaped(of, 2, "features of the labelled items")
        check_sizes(items, "features of the labelled items")
        self.k = k
        # A distance is a small difference of large numbers where all is far from the origin.
        self._centre = items.mean(dim=0) if len(items) else items.new_zeros(items.shape[1])
        self._of = items - self._centre
        self._gaps = items.new_empty(len(items), 0)
        self._rows = torch.empty(len(items), 0, dtype=torch.int64, device=items.device)

    @one_thread()
    def update(self, chunk: Array, rows: Array) -> None:
        """Look at some more of the pool.

        Parameters
        ----------
        chunk : (n, d) array or tensor
            Features; brought to where the items are.
        rows : (n,) int64
            Their numbers, each seen once.

        Raises
        ------
        StrategyError
            For NaN, infinity and what is too large to square, naming the row, and for shapes that
            do not match.
        """
        chunk = as_tensor(chunk, "features")
        if chunk.ndim != 2 or chunk.shape[1] != self._of.shape[1] or len(chunk) != len(rows):
            raise StrategyError(
                f"A chunk of shape {tuple(chunk.shape)} with {len(rows)} row numbers: expected "
                f"(n, {self._of.shape[1]}) and n."
            )
        if not len(self._of):
            return
        numbers = as_tensor(rows).to(self._of.device)
        # Narrow numbers travel faster: widened and checked where they are used.
        chunk = chunk.to(self._of.device)
        for where, part in blocks(chunk, "features", columns=len(self._of), numbers=numbers):
            part = part.to(self._of) - self._centre
            # Ranking all of a block is slow: a few rows first say how near is near.
            some = 0 if self._gaps.shape[1] == self.k else 4 * self.k
            for piece in (slice(None, some), slice(some, None)):
                if len(part[piece]):
                    self._merge(part[piece], numbers[where][piece])

    def _merge(self, part: torch.Tensor, numbers: torch.Tensor) -> None:
        # Distances up to a constant for each of the l items; that is enough to rank by.
        gaps = torch.addmm(part.square().sum(dim=1), self._of, part.T, alpha=-2.0)
        known = self._gaps.shape[1]
        if known == self.k:
            # Few are nearer than what is known already: rank these alone, flush left in a table.
            item, column = (gaps < self._gaps[:, -1:]).nonzero(as_tuple=True)
            count = torch.bincount(item, minlength=len(gaps))
            place = torch.arange(len(item), device=item.device) - (count.cumsum(0) - count)[item]
            width = int(count.max())
            nearer = gaps.new_full((len(gaps), width), torch.inf)
            nearer[item, place] = gaps[item, column]
            rows = numbers.new_zeros(len(gaps), width)
            rows[item, place] = numbers[column]
        else:
            best = gaps.topk(min(self.k, gaps.shape[1]), dim=1, largest=False)
            nearer, rows = best.values, numbers[best.indices]
        gaps = torch.cat([self._gaps, nearer], dim=1)
        rows = torch.cat([self._rows, rows], dim=1)
        kept = gaps.topk(min(self.k, gaps.shape[1]), dim=1, largest=False)
        self._gaps, self._rows = kept.values, rows.gather(1, kept.indices)

    def result(self) -> NDArray[np.int64]:
        """The numbers of all the neighbours, sorted, each once."""
        return np.asarray(torch.unique(self._rows).cpu().numpy())


def seal_candidates(
    features: Array,
    labelled: NDArray[np.int64],
    k: int = 100,
    candidates: NDArray[np.int64] | None = None,
    block: int = 65_536,
    *,
    device: torch.device | str | None = None,
) -> NDArray[np.int64]:
    """The ``k`` nearest candidates of each labelled item, all together.

    One pass over the pool, which may be half precision and mapped from a file: a block at a time
    is in memory.

    Parameters
    ----------
    features : (N, d) array or tensor
        Of the pool.
    labelled : (l,) integers
        Rows of ``features``.
    k : int
        Neighbours of each.
    candidates : (m,) integers, optional
        Rows to choose from; by default all that are not labelled.
    block : int
        Rows read at a time.
    device : torch.device or str, optional
        Where to compute: a block at a time is brought there. By default where the features are.

    Returns
    -------
    (at most l * k,) int64
        Rows of ``features``, sorted. Empty where nothing is labelled.

    Raises
    ------
    StrategyError
        For a row that is not in the pool, and for NaN, infinity and what is too large to square,
        naming the row.

    References
    ----------
    Coleman et al., "Similarity search for efficient active learning and search of rare concepts"
    (SEALS), AAAI 2022.
    """
    features = given(features, "features")
    if features.ndim != 2:
        raise StrategyError(f"Expected features with 2 axes, got shape {tuple(features.shape)}.")
    if block < 1:
        raise StrategyError(f"block must be at least 1, not {block}.")
    known = _rows(labelled, len(features), "labelled")
    rows = None if candidates is None else np.unique(_rows(candidates, len(features), "candidate"))
    of = as_tensor(features[known])
    of = of if device is None else of.to(device)
    for _ in blocks(of, "features", numbers=known):
        pass
    near = Neighbourhood(of, k)
    if not len(known):
        return np.empty(0, np.int64)
    total = len(features) if rows is None else len(rows)
    for start in range(0, total, block):
        if rows is None:
            part = np.setdiff1d(np.arange(start, min(start + block, total)), known)
        else:
            part = rows[start : start + block]
        if not len(part):
            continue
        whole = part[-1] - part[0] + 1 == len(part)
        chunk = features[part[0] : part[-1] + 1] if whole else features[part]
        near.update(chunk, part)
    return near.result()


def neighbours(k: int) -> int:
    """``k``, the number of neighbours of each item.

    Raises
    ------
    StrategyError
        If it is not whole or not at least 1.
    """
    try:
        found = 0 if isinstance(k, bool) else operator.index(k)
    except TypeError:
        found = 0
    if found < 1:
        raise StrategyError(f"k must be at least 1 and a whole number, not {k!r}.")
    return found


def _rows(rows: NDArray[np.int64], n: int, what: str) -> NDArray[np.int64]:
    found = np.asarray(rows, dtype=np.int64).reshape(-1)
    outside = (found < 0) | (found >= n)
    if outside.any():
        raise StrategyError(
            f"The {what} row {int(found[outside][0])} is not in the pool of {n} items."
        )
    return found
