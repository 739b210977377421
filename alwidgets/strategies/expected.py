"""What a label is expected to change. Higher means label sooner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, checked, probabilities
from alwidgets.strategies._blocks import BLOCK
from alwidgets.strategies.uncertainty import p_log_p, rows_at_once
from alwidgets.tensors import Array, ArrayT, like
from alwidgets.threads import one_thread

#: Lengths whose squares single precision holds.
TINY, HUGE = 1e-15, 1e15


def expected_gradient_length(proba: ArrayT, embedding: Array) -> ArrayT:
    """Expected norm of the gradient that an item's label gives the last layer.

    The gradient of the log loss for class c is (p - e_c) h', so its expected norm is
    ``|h| * sum_c p_c |p - e_c|``; the bias is left out. No gradient is ever formed.

    Parameters
    ----------
    proba : (n, C) array or tensor
    embedding : (n, d) array or tensor
        What the last layer sees.

    Returns
    -------
    (n,) array or tensor, at least 0

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row, and
        where the two differ in length.

    References
    ----------
    Settles, Craven & Ray, "Multiple-instance active learning", NeurIPS 2007.
    """
    p = probabilities(proba, 2)
    h = as_tensor(embedding, "embedding")
    if h.ndim != 2 or len(h) != len(p):
        raise StrategyError(
            f"Expected an embedding of shape ({len(p)}, d), got {tuple(h.shape)}: one row for each "
            "row of the probabilities."
        )
    result = _lengths(h).to(p)
    if not bool(torch.isfinite(result.sum())):
        checked(embedding, 2, "embedding")
        raise StrategyError("The norm of an embedding is too large: scale the embedding down.")
    step = rows_at_once(p, p.shape[1])
    with one_thread():
        for part, out in zip(p.split(step), result.split(step), strict=True):
            # Doubles: a sure prediction leaves differences of nearly equal squares.
            q = part.double()
            squares = q.square()
            others = squares.sum(dim=1, keepdim=True) - squares
            residual = others.clamp_(min=0.0).add_((1.0 - q).square_()).sqrt_()
            out.mul_(residual.mul_(q).sum(dim=1))
    return like(result, proba)


def _lengths(h: torch.Tensor) -> torch.Tensor:
    """(n,) length of each row."""
    if h.dtype in (torch.float32, torch.float64):
        # One step for all threads.
        found: torch.Tensor = torch.linalg.vector_norm(h, dim=1)
        low, high = found.aminmax() if len(found) else (1.0, 1.0)
        if float(low) > TINY and float(high) < HUGE:
            return found
    parts = h.split(max(1, BLOCK // max(1, h.shape[1])))
    return torch.cat([torch.linalg.vector_norm(part.double(), dim=1) for part in parts])


def expected_error_reduction(
    proba: ArrayT,
    refit: Callable[[int, int], Array],
    *,
    loss: Literal["log", "zero_one"] = "log",
    least: float = 0.0,
) -> ArrayT:
    """Minus the loss expected on the pool once an item is labelled.

    For each class an item may have, the learner is fitted again with that label and its own doubt
    about a sample of the pool is taken as its loss: the entropy of its predictions, or one minus
    the largest probability. These are averaged with the item's present probabilities.

    Fits up to n * C models: for some tens of candidates, with a learner that fits in milliseconds.

    Parameters
    ----------
    proba : (n, C) array or tensor
        Present probabilities of the candidates.
    refit : callable
        ``refit(row, code)`` gives the (t, C) probabilities of the sample by a learner that has
        been fitted with class ``code`` for that row of ``proba`` as well.
    loss : {"log", "zero_one"}
    least : float
        Classes less likely than this are left out and the rest weighed up: saves fits where there
        are many classes. What has probability 0 is always left out.

    Returns
    -------
    (n,) array or tensor, at most 0
        In nats for the log loss.

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row, for an
        unknown loss, and where ``refit`` gives no such probabilities.

    References
    ----------
    Roy & McCallum, "Toward optimal active learning through sampling estimation of error
    reduction", ICML 2001.
    """
    if loss not in ("log", "zero_one"):
        raise StrategyError(f"loss must be 'log' or 'zero_one', not {loss!r}.")
    p = probabilities(proba, 2)
    if not 0 <= least < 1:
        raise StrategyError(f"least must lie in [0, 1), not {least}.")
    result = torch.zeros(len(p), dtype=p.dtype)
    for row, weights in enumerate(p.double().cpu()):
        # The likeliest class is never left out.
        considered = (weights > 0) & (weights >= min(least, float(weights.max())))
        if not bool(considered.any()):
            raise StrategyError(f"Row {row} of the probabilities holds none above 0.")
        expected = 0.0
        for code in torch.nonzero(considered)[:, 0].tolist():
            after = probabilities(refit(row, code), 2, "probabilities after refitting")
            if not len(after):
                raise StrategyError("refit gave no row: it must predict a sample of the pool.")
            if loss == "log":
                left = float(-p_log_p(after).sum(dim=1).mean())
            else:
                left = 1.0 - float(after.amax(dim=1).mean())
            expected += float(weights[code]) * left
        result[row] = -expected / float(weights[considered].sum())
    return like(result.to(p.device), proba)
