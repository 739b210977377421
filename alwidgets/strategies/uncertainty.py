"""How unsure the model is of an item. Higher means label sooner."""

from __future__ import annotations

import torch

from alwidgets.strategies._arrays import ArrayT, checked, like


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
        For NaN or infinity, naming the row.

    References
    ----------
    Lewis & Catlett, "Heterogeneous uncertainty sampling for supervised learning", ICML 1994.
    """
    p = checked(proba, 2)
    return like(1.0 - p.amax(dim=1), proba)


def margin(proba: ArrayT) -> ArrayT:
    """One minus the gap between the two largest probabilities, (n,) in [0, 1].

    With a single class there is nothing to confuse it with: the second probability is 0.

    References
    ----------
    Scheffer, Decomain & Wrobel, "Active hidden Markov models for information extraction",
    IDA 2001.
    """
    p = checked(proba, 2)
    if p.shape[1] < 2:
        return like(1.0 - p[:, 0], proba)
    best = p.topk(2, dim=1).values
    return like(1.0 - (best[:, 0] - best[:, 1]), proba)


def entropy(proba: ArrayT) -> ArrayT:
    """Shannon entropy in nats, (n,) in [0, ln C].

    References
    ----------
    Shannon, "A mathematical theory of communication", 1948.
    """
    return like(nats(checked(proba, 2)), proba)


def nats(p: torch.Tensor) -> torch.Tensor:
    """Entropy over the last axis, with 0 ln 0 = 0."""
    terms: torch.Tensor = torch.special.xlogy(p, p)
    return -terms.sum(dim=-1)
