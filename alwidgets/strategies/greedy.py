"""Greedy choice where what a row adds only falls as others are chosen."""

from __future__ import annotations

from collections.abc import Callable

import torch

#: Gains that are brought up to date at once.
STALE = 32


def lazy_greedy(
    gain: torch.Tensor,
    again: Callable[[torch.Tensor], torch.Tensor],
    take: Callable[[int], None],
    n: int,
    least: float = -torch.inf,
) -> tuple[list[int], list[float]]:
    """The row of the largest gain, again and again; the first of equals.

    An old gain bounds what it is now, so only the highest are computed again (Minoux, "Accelerated
    greedy algorithms for maximizing submodular set functions", 1978).

    Parameters
    ----------
    gain : (m,) float tensor
        Of each row, before any is chosen; changed.
    again : callable
        Rows -> their gains now.
    take : callable
        Is told of each row that is chosen.
    n : int
        At most m.
    least : float
        Once no gain is above it, no more are chosen.

    Returns
    -------
    chosen, gains : lists
        Rows in the order chosen, and what each added.
    """
    taken = torch.zeros(len(gain), dtype=torch.bool, device=gain.device)
    fresh = ~taken
    chosen: list[int] = []
    gains: list[float] = []
    while len(chosen) < n:
        best = _first_best(gain)
        while not bool(fresh[best]):
            highest = torch.where(fresh, -torch.inf, gain).topk(min(STALE, len(gain))).indices
            highest = highest[~fresh[highest]]
            gain[highest] = again(highest)
            fresh[highest] = True
            best = _first_best(gain)
        found = float(gain[best])
        if not found > least:
            break
        chosen.append(best)
        gains.append(found)
        take(best)
        gain[best] = -torch.inf
        taken[best] = True
        fresh = taken.clone()
    return chosen, gains


def _first_best(gain: torch.Tensor) -> int:
    return int(torch.nonzero(gain == gain.max())[0, 0])
