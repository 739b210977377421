"""The lasso guard: who was drawn onto the wrong side of a line by the map's distortion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError
from .neighbours import ExactNeighbours, NeighborProvider

#: Below this share of its neighbours in the selection, a member is doubtful.
DOUBTFUL = 0.3
#: Above this share, an outsider is missing.
MISSING = 0.7
#: Multiplications that may be spent: some ten seconds of one core.
WORK = 2e11
#: Most members, and most outsiders, that are looked at.
MOST = 5_000
#: Fewest, however large the pool is.
FEWEST = 50


def most_looked_at(n: int, d: int) -> int:
    """How many members of a selection, and how many outsiders, are looked at in a pool (n, d)."""
    # Half of the work for the members, half for the outsiders.
    return int(min(MOST, max(FEWEST, WORK / (4 * n * d))))


def guard(
    neighbours: NeighborProvider | NDArray[Any],
    positions: NDArray[np.integer[Any]],
    k: int = 15,
    *,
    seed: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Members of a selection that hardly belong there, and outsiders that do.

    A map in two dimensions cannot keep all neighbours together, so a lasso on it takes some items
    and leaves others by mistake. In the space of the features, a member with less than 30 % of its
    k nearest neighbours in the selection is doubtful, an outsider with more than 70 % is missing.

    The work is bounded: at most 5,000 members are looked at, fewer in pools where that would take
    more than some ten seconds of a core (about 130 of a million items with 384 features, at least
    50), and a random sample where there are more. Outsiders are looked at where they are among the
    neighbours of a member that was looked at, those that are so most often first, and no more of
    them.

    Parameters
    ----------
    neighbours : NeighborProvider or ndarray, shape (n, d)
        Finds neighbours among the features; or the features, to be searched exactly.
    positions : ndarray of int, shape (m,)
        The selection: rows of the features.
    k : int, optional
        How many neighbours; fewer where there are fewer items.
    seed : int, optional
        Of the sample.

    Returns
    -------
    doubtful, missing : ndarray of int64
        Rows of the features, ascending.

    Raises
    ------
    ProjectionError
        If a position is not a row of the features.
    ValueError
        If `k` is not positive.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, it is {k}.")
    provider = ExactNeighbours(neighbours) if isinstance(neighbours, np.ndarray) else neighbours
    n, d = provider.features.shape
    members = np.unique(np.asarray(positions, dtype=np.int64))
    if len(members) and not 0 <= members[0] <= members[-1] < n:
        wrong = members[0] if members[0] < 0 else members[-1]
        raise ProjectionError(f"There is no item at position {wrong}; there are {n:,}.")
    inside = np.zeros(n, dtype=bool)
    inside[members] = True
    none = np.empty(0, dtype=np.int64)
    if not len(members) or n == 1:
        return none, none
    most = most_looked_at(n, d)
    if len(members) > most:
        rng = np.random.default_rng(seed)
        members = np.sort(rng.choice(members, most, replace=False))
    near = _others(provider, members, k)
    doubtful = members[inside[near].mean(axis=1) < DOUBTFUL]
    named, times = np.unique(near[~inside[near]], return_counts=True)
    outsiders = np.sort(named[np.argsort(-times, kind="stable")[:most]])
    if not len(outsiders):
        return doubtful, none
    share = inside[_others(provider, outsiders, k)].mean(axis=1)
    return doubtful, outsiders[share > MISSING]


def _others(provider: NeighborProvider, rows: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """(m, k) nearest rows without the row itself; k is less where there are fewer others."""
    found, _ = provider.search(provider.features[rows], k + 1)
    # Where copies come before it, it may not be among them: then the last is one too many.
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True
    others: NDArray[np.int64] = found[~own].reshape(len(rows), -1)
    return others
