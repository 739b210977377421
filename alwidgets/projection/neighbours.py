"""Which items are most like a row of features: nearest neighbours in the space of the features."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import ProjectionError
from ..tensors import shared
from ..threads import few_threads
from .linear import check_features

#: Numbers of a block of rows in float32: 1 MB, which stays in the cache.
BLOCK = 1 << 18
#: Distances held at a time.
CELLS = 1 << 22
#: Rows that are looked for together.
TOGETHER = 512
#: More than are asked for are measured from their differences: the quick distances, by which these
#: are found, are rounded.
SPARE = 32

Found = tuple[NDArray[np.int64], NDArray[np.float32]]


class NeighborProvider(Protocol):
    """Finds the rows of a table that are nearest to others."""

    @property
    def features(self) -> NDArray[Any]:
        """The table that is searched, shape (n, d)."""
        ...

    def prepare(self) -> None:
        """Do now what the first search would otherwise have to wait for."""
        ...

    def search(self, V: NDArray[Any], k: int) -> Found:
        """Find the k nearest rows of the table for each row of `V`.

        Parameters
        ----------
        V : ndarray, shape (m, d)
        k : int
            All n where the table has fewer.

        Returns
        -------
        positions : ndarray of int64, shape (m, min(k, n))
            The nearest first.
        distances : ndarray of float32, shape (m, min(k, n))
            Euclidean.
        """
        ...


class ExactNeighbours:
    """Nearest rows by comparing with every row, in matrix products of bounded size.

    A row that is in the table is its own nearest neighbour. The rows with the smallest distances
    by the expanded square |a|² - 2ab + |b|², some more than asked for, are measured again from
    their differences, which loses no digits where rows lie close together. Of equals the first
    come first.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers. float16 and memory-mapped arrays are read block by block, never as a whole;
        the lengths of the rows are kept after `prepare` or the first search: 4 bytes each.

    Raises
    ------
    ProjectionError
        If `features` is not a table with rows and columns.
    """

    def __init__(self, features: NDArray[Any]) -> None:
        check_features(features)
        self._features = features
        self._known: tuple[torch.Tensor, torch.Tensor] | None = None
        self._measuring = threading.Lock()

    @property
    def features(self) -> NDArray[Any]:
        """The table that is searched, shape (n, d)."""
        return self._features

    def prepare(self) -> None:
        """Measure the lengths of the rows, once."""
        with few_threads(self._features.size):
            self._lengths()

    def search(self, V: NDArray[Any], k: int) -> Found:
        """Find the k nearest rows of the table for each row of `V`: see `NeighborProvider`.

        Raises
        ------
        ProjectionError
            If `V` has not the table's number of columns, or holds NaN or infinity.
        ValueError
            If `k` is not positive.
        """
        n, d = self._features.shape
        rows = checked_rows(V, d, k)
        k = min(k, n)
        positions = np.empty((len(rows), k), dtype=np.int64)
        distances = np.empty((len(rows), k), dtype=np.float32)
        with few_threads(self._features.size):
            centre, squares = self._lengths()
            for start in range(0, len(rows), TOGETHER):
                part = slice(start, start + TOGETHER)
                short = self._short_list(rows[part], centre, squares, min(n, 2 * k + SPARE))
                positions[part], distances[part] = by_distance(self._features, rows[part], short, k)
        return positions, distances

    def _blocks(self, rows: int) -> Iterator[tuple[slice, torch.Tensor]]:
        """Rows in float32, each block in the place of the one before it: memory that is warm."""
        n, d = self._features.shape
        place = torch.empty(min(rows, n), d)
        for start in range(0, n, rows):
            part = slice(start, min(start + rows, n))
            # Torch widens half precision several times as fast as numpy.
            block = place[: part.stop - start]
            yield part, block.copy_(shared(np.ascontiguousarray(self._features[part])))

    def _lengths(self) -> tuple[torch.Tensor, torch.Tensor]:
        """What `_measure` returns; who comes while it is measured waits for that."""
        with self._measuring:
            self._known = self._known or self._measure()
            return self._known

    def _measure(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The middle of the table, (d,), and the squared distance of each row to it, (n,)."""
        n, d = self._features.shape
        some = np.arange(0, n, max(1, n // 4096))
        centre = torch.from_numpy(self._features[some].astype(np.float32)).mean(dim=0)
        squares = torch.empty(n)
        for part, block in self._blocks(max(1, BLOCK // d)):
            away = block.sub_(centre)
            torch.sum(away.mul_(away), dim=1, out=squares[part])
        return centre, squares

    def _short_list(
        self, rows: NDArray[np.float32], centre: torch.Tensor, squares: torch.Tensor, size: int
    ) -> NDArray[np.int64]:
        """(m, size) positions with the smallest distances, as the expanded square has them."""
        # Around the middle, what is subtracted is small. (x - c)(v - c) differs from x (v - c) by
        # the same number for every x, which changes no order: the blocks need not be moved.
        away = torch.from_numpy(rows) - centre
        m, d = away.shape
        best = np.full((m, size), np.inf, dtype=np.float32)
        found = np.zeros((m, size), dtype=np.int64)
        worst = best.max(axis=1)
        for part, block in self._blocks(max(1, min(max(BLOCK // d, 4 * size), CELLS // m))):
            order = torch.addmm(squares[part], away, block.T, alpha=-2.0).numpy()
            better = order.min(axis=1) < worst
            if not better.any():
                continue
            both = np.concatenate([best[better], order[better]], axis=1)
            keep = np.argpartition(both, size - 1, axis=1)[:, :size]
            best[better] = np.take_along_axis(both, keep, axis=1)
            before = np.take_along_axis(found[better], np.minimum(keep, size - 1), axis=1)
            found[better] = np.where(keep < size, before, part.start + keep - size)
            worst = best.max(axis=1)
        return found


def checked_rows(V: NDArray[Any], d: int, k: int) -> NDArray[np.float32]:
    """Rows to find k neighbours of, (m, d), in float32.

    Raises
    ------
    ProjectionError
        If they are of another width, or hold NaN or infinity.
    ValueError
        If `k` is not positive.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, it is {k}.")
    V = np.asarray(V)
    if V.ndim != 2 or V.shape[1] != d:
        raise ProjectionError(
            f"The rows to find neighbours of must have the shape (m, {d}), as the features "
            f"have; theirs is {V.shape}."
        )
    rows = np.ascontiguousarray(V, dtype=np.float32)
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise ProjectionError(
            f"Row {int(np.argmax(bad))} of those to find neighbours of holds NaN or infinity: "
            "repair or remove it."
        )
    return rows


def by_distance(
    features: NDArray[Any], rows: NDArray[np.float32], short: NDArray[np.int64], k: int
) -> Found:
    """The k nearest of a short list for each row, measured from their differences.

    Parameters
    ----------
    features : ndarray, shape (n, d)
    rows : ndarray of float32, shape (m, d)
    short : ndarray of int64, shape (m, s)
        Positions in `features`; one that stands there again counts once.
    k : int
        At most so many as there are different ones.
    """
    exact = np.empty(short.shape, dtype=np.float32)
    for row, near, out in zip(rows, short, exact, strict=True):
        away = features[near].astype(np.float32) - row
        out[:] = np.sqrt(np.einsum("ij,ij->i", away, away))
    order = np.lexsort((short, exact), axis=1)
    ranked = np.take_along_axis(short, order, axis=1)
    again = np.zeros(short.shape, dtype=bool)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    if again.any():  # these go behind the others
        order = np.take_along_axis(order, np.argsort(again, axis=1, kind="stable"), axis=1)
    order = order[:, :k]
    return np.take_along_axis(short, order, axis=1), np.take_along_axis(exact, order, axis=1)
