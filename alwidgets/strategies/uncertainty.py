"""How unsure the model is of an item. Higher means label sooner."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.strategies._arrays import probabilities
from alwidgets.tensors import ArrayT, like
from alwidgets.threads import one_thread

#: Elements of one step on a CPU: they stay in the cache, and torch hands no fewer than 32,768 to
#: its threads, whose waiting for one another on a busy machine costs far more than they save.
SERIAL = (1 << 15) - 1
#: Elements that stay in the cache where several passes go over them.
CACHED = 1 << 17
#: The same where most of the time goes into a matrix product, which is worth the threads.
PRODUCT = 1 << 19
#: The same on an accelerator, where each step costs a launch.
LAUNCHED = 1 << 23
#: Classes up to which passes over the columns are fastest.
FEW = 24


@one_thread()
def least_confident(proba: ArrayT) -> ArrayT:
    """One minus the largest probability.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1 - 1/C]

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row.

    References
    ----------
    Lewis & Catlett, "Heterogeneous uncertainty sampling for supervised learning", ICML 1994.
    """
    p = probabilities(proba, 2)
    best = p.new_empty(len(p))
    few = p.device.type == "cpu" and 2 <= p.shape[1] <= FEW
    # No thread of torch's is in it, so that its rows may be more.
    step = CACHED // p.shape[1] if few else rows_at_once(p, p.shape[1])
    for part, out in zip(p.split(step), best.split(step), strict=True):
        if few:
            _highest(part.numpy(), out.numpy())
        else:
            torch.amax(part, dim=1, out=out)
    return like(_complement(best), proba)


@one_thread()
def margin(proba: ArrayT) -> ArrayT:
    """One minus the gap between the two largest probabilities.

    With a single class there is nothing to confuse it with: the second probability is 0.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1]

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row.

    References
    ----------
    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction",
    IDA 2001.
    """
    p = probabilities(proba, 2)
    if p.shape[1] < 2:
        return like(_complement(p[:, 0].clone()), proba)
    gap = p.new_empty(len(p))
    step = rows_at_once(p, 4 if p.shape[1] <= FEW else p.shape[1])
    for part, out in zip(p.split(step), gap.split(step), strict=True):
        best, second = _best_two(part)
        torch.sub(best, second, out=out)
    return like(_complement(gap), proba)


@one_thread()
def entropy(proba: ArrayT) -> ArrayT:
    """Shannon entropy in nats.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln C]

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row.

    References
    ----------
    Shannon, "A mathematical theory of communication", 1948.
    """
    p = probabilities(proba, 2)
    total = p.new_empty(len(p))
    step = rows_at_once(p, p.shape[1])
    for part, out in zip(p.split(step), total.split(step), strict=True):
        torch.sum(p_log_p(part), dim=1, out=out)
    return like(total.neg_().clamp_(min=0.0), proba)


def nats(p: torch.Tensor) -> torch.Tensor:
    """Entropy over the last axis, with 0 ln 0 = 0."""
    return p_log_p(p).sum(dim=-1).neg_().clamp_(min=0.0)


def p_log_p(p: torch.Tensor) -> torch.Tensor:
    """Each element times its logarithm, with 0 ln 0 = 0; one new tensor."""
    # A third of the time of xlogy: the zero is multiplied by a finite logarithm.
    logs = p.clamp(min=torch.finfo(p.dtype).tiny)
    if p.device.type == "cpu" and p.numel() <= SERIAL:
        # torch's logarithm uses its threads from 2,048 elements on, too few to be worth it.
        shared = logs.numpy()
        np.log(shared, out=shared)
    else:
        logs.log_()
    return logs.mul_(p)


def rows_at_once(on: torch.Tensor, per_row: int, *, product: bool = False) -> int:
    """How many rows of ``per_row`` elements to work on at once where ``on`` lies."""
    elements = PRODUCT if product else SERIAL
    return max(1, (elements if on.device.type == "cpu" else LAUNCHED) // max(1, per_row))


def few_columns(p: torch.Tensor) -> NDArray[Any] | None:
    """(C, n) copy of rows on the CPU with few classes, otherwise ``None``.

    With few columns an operation over all rows is faster than one within each of them.
    """
    if p.device.type != "cpu" or p.shape[1] > FEW:
        return None
    return np.ascontiguousarray(p.numpy().T)


def _complement(p: torch.Tensor) -> torch.Tensor:
    """1 - p, in its place; not below 0 where rounding has carried a probability above 1."""
    return p.neg_().add_(1.0).clamp_(min=0.0)


def _highest(p: NDArray[Any], out: NDArray[Any]) -> None:
    """The largest of each row of two or more, by passes over the columns."""
    np.maximum(p[:, 0], p[:, 1], out=out)
    for column in range(2, p.shape[1]):
        np.maximum(out, p[:, column], out=out)


def _best_two(p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest and the second largest of each row of two or more, (n,) each."""
    columns = few_columns(p)
    if columns is None and p.shape[1] > FEW:
        best, column = p.max(dim=1, keepdim=True)
        return best[:, 0], p.scatter(1, column, -torch.inf).amax(dim=1)
    if columns is None:
        two = p.topk(2, dim=1).values
        return two[:, 0], two[:, 1]
    best = np.maximum(columns[0], columns[1])
    second = np.minimum(columns[0], columns[1])
    lower = np.empty_like(best)
    for column in columns[2:]:
        np.minimum(best, column, out=lower)
        np.maximum(second, lower, out=second)
        np.maximum(best, column, out=best)
    return torch.from_numpy(best), torch.from_numpy(second)
