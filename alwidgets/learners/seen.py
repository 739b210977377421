"""Which labelled rows something was found by, so that one can tell when they are others."""

from __future__ import annotations

import torch

from alwidgets.learners.likelihood import Likelihood

#: Numbers worked on at once.
BLOCK = 1 << 20
#: Share of the rows that may have another label, or be gone, without making the others others.
CHANGED = 0.02


def fingerprints(rows: torch.Tensor, y: Likelihood) -> torch.Tensor:
    """(n,) int64 numbers on the CPU, the same wherever a row and its label are.

    Parameters
    ----------
    rows : (n, d) float32 tensor
    y : Likelihood
    """
    factors = _factors(rows.shape[1], rows.device)
    step = max(1, BLOCK // max(1, rows.shape[1]))
    # Whole numbers, whose sums wrap around: the same whichever rows are beside it.
    parts = [
        (part.contiguous().view(torch.int32).long() * factors).sum(dim=1)
        for part in rows.split(step)
    ]
    label = y.names() * _factors(2, rows.device)[1]
    return (torch.cat(parts) + label).cpu()


def still(before: torch.Tensor, now: torch.Tensor) -> bool:
    """Whether nearly all rows of ``before`` are among those of ``now``, with their labels."""
    return float(torch.isin(before, now).double().mean()) >= 1 - CHANGED


def _factors(count: int, device: torch.device) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    drawn = torch.randint(-(2**62), 2**62, (count,), generator=draw)
    return (2 * drawn + 1).to(device)
