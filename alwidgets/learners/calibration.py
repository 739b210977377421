"""One temperature that makes confidence honest."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

#: Natural logarithms of the temperatures that are tried.
LOGS = torch.linspace(-4.0, 4.0, 161, dtype=torch.float64)


def temperature_of(logits: torch.Tensor, codes: torch.Tensor) -> float:
    """The temperature that minimises the log loss of logits of rows that were held out.

    Temperature scaling (Guo, Pleiss, Sun & Weinberger, ICML 2017), with a standard normal prior on
    its logarithm, which keeps it near 1 while labels are few.

    Parameters
    ----------
    logits : (n, C) float tensor
    codes : (n,) int64 tensor

    Returns
    -------
    float
        By which logits are to be divided; 1 for fewer than two rows.
    """
    if len(codes) < 2:
        return 1.0
    held_out, target = logits.detach().cpu().double(), codes.cpu()
    losses = [
        torch.nn.functional.cross_entropy(held_out / log.exp(), target, reduction="sum")
        + 0.5 * log.square()
        for log in LOGS
    ]
    return float(LOGS[int(torch.stack(losses).argmin())].exp())


def dealt(codes: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """The part, 0..parts-1, of each item, dealt round within each class; (n,) int64.

    An item's part depends on the labels before it only: labels to come move nothing.
    """
    part = np.empty(len(codes), dtype=np.int64)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        part[own] = (np.arange(len(own)) + code) % parts
    return part
