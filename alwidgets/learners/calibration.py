"""One temperature that makes confidence honest."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.learners.likelihood import Categorical, Likelihood
from alwidgets.learners.loss import CHUNK_ELEMENTS

#: Steps in which the logarithm of the temperature is searched, first from -3 to 3, then between
#: the neighbours of the best.
STEPS = 25


def best_temperature(
    logits: torch.Tensor,
    y: Likelihood,
    weights: torch.Tensor,
    check: Callable[[], None] = lambda: None,
) -> tuple[float, float]:
    """The temperature that minimises the log loss of rows that were held out, and that loss.

    Temperature scaling (Guo, Pleiss, Sun & Weinberger, ICML 2017). A standard normal prior on its
    logarithm keeps it near 1 while labels are few; the loss returned is without it.

    Parameters
    ----------
    logits : (C, n) float tensor
    y : Likelihood
        Of the labels.
    weights : (n,) float tensor
        Of each row in the loss.
    check : callable, optional
        Called between two parts of the search; what it raises ends it.

    Returns
    -------
    temperature : float
        By which logits are to be divided; 1 for fewer than two rows.
    loss : float
        In nats, summed over the rows; 0 for fewer than two rows.
    """
    if len(y) < 2:
        return 1.0, 0.0
    centre, width, best = 0.0, 3.0, 0.0
    for _ in range(2):
        logs = torch.linspace(centre - width, centre + width, STEPS, dtype=logits.dtype)
        losses = _losses(logits, y, weights, logs.to(logits.device), check)
        at = int(losses.argmin())
        centre, width = float(logs[at]), width / 12
        best = float(losses[at]) - 0.5 * centre**2
    return math.exp(centre), best


def temperature_of(logits: torch.Tensor, codes: torch.Tensor) -> float:
    """The best temperature of logits (n, C) of rows that were held out, all of one weight."""
    held_out = logits.detach().cpu().double().T
    weights = torch.ones(len(codes), dtype=torch.float64)
    return best_temperature(held_out, Categorical(codes.cpu()), weights)[0]


def _losses(
    logits: torch.Tensor,
    y: Likelihood,
    weights: torch.Tensor,
    logs: torch.Tensor,
    check: Callable[[], None],
) -> torch.Tensor:
    """Penalised loss (T,) at each logarithm of a temperature."""
    found = []
    for some in logs.split(max(1, CHUNK_ELEMENTS // max(logits.numel(), 1))):
        check()
        cold = logits[None] / some.exp()[:, None, None]
        loss = (y.nll(cold) * weights).sum(dim=1)
        found.append(loss + 0.5 * some.square())
    return torch.cat(found)


def dealt(codes: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """The part, 0..parts-1, of each item, dealt round within each class; (n,) int64.

    An item's part depends on the labels before it only: labels to come move nothing.
    """
    part = np.empty(len(codes), dtype=np.int64)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        part[own] = (np.arange(len(own)) + code) % parts
    return part
