"""More of what there is already: contents, columns and features behind those of a pool."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..content import Content
from ..errors import PoolError
from .lazy import ImageFiles, Lazy

#: Room that is left behind features when they are copied, as a share: a copy of all of them is
#: not made each time that a few join.
ROOM = 8


class Chain(Lazy):
    """Contents behind one another, of which some are made when they are asked for.

    Parameters
    ----------
    parts : sequence of sequences of Content
    rows : ndarray of int64, optional
        Which of them, and in which order; all by default.
    """

    def __init__(
        self, parts: Sequence[Sequence[Content]], rows: NDArray[np.int64] | None = None
    ) -> None:
        self.parts, self._rows = list(parts), rows
        self._starts = [0, *accumulate(len(part) for part in parts)]

    def __len__(self) -> int:
        return self._starts[-1] if self._rows is None else len(self._rows)

    def take(self, positions: NDArray[np.int64]) -> Chain:
        """Those at some positions, not made yet."""
        return Chain(self.parts, positions if self._rows is None else self._rows[positions])

    def with_more(self, more: Sequence[Content]) -> Chain:
        """These and more behind them."""
        return Chain([*self.parts, more] if self._rows is None else [self, more])

    def _at(self, index: int) -> Content:
        row = index if self._rows is None else int(self._rows[index])
        part = bisect_right(self._starts, row) - 1
        return self.parts[part][row - self._starts[part]]


def joined(contents: Sequence[Content], more: Sequence[Content]) -> Sequence[Content]:
    """Contents and more behind them; what is lazy stays so."""
    if isinstance(contents, ImageFiles) and isinstance(more, ImageFiles):
        paths, names = contents.paths + more.paths, contents.names + more.names
        return ImageFiles(paths, names, checked=True)
    if isinstance(contents, Chain):
        return contents.with_more(more)
    if isinstance(contents, Lazy) or isinstance(more, Lazy):
        return Chain([contents, more])
    return [*contents, *more]


def check_columns(columns: dict[str, Sequence[Any]], more: dict[str, Sequence[Any]]) -> None:
    """Raise `PoolError` unless new items have the columns of metadata that there are."""
    for name in columns:
        if name not in more:
            raise PoolError(
                f"The new items have no metadata {name!r}, which the pool has: give a value for "
                f"each, None where there is none, metadata={{{name!r}: […]}}."
            )
    for name in more:
        if name not in columns:
            known = ", ".join(map(repr, list(columns)[:10])) or "none"
            raise PoolError(
                f"The pool has no metadata {name!r}; it has {known}. Leave it out, or make the "
                "pool anew with it."
            )


def appended(
    features: NDArray[Any], more: NDArray[Any], room: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features with more rows behind them.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Stays as it is: whoever works on it can go on.
    more : ndarray, shape (m, d)
    room : ndarray, shape (r, d), or None
        What `features` are the first rows of, where the others are free.

    Returns
    -------
    features : ndarray, shape (n + m, d)
    room : ndarray
        What these are the first rows of.
    """
    n, total = len(features), len(features) + len(more)
    if room is None or len(room) < total:
        room = np.empty((total + total // ROOM, features.shape[1]), dtype=features.dtype)
        room[:n] = features
    room[n:total] = more
    return room[:total], room
