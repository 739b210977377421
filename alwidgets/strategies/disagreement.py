"""How much the posterior samples disagree about an item. Higher means label sooner.

A posterior is (K, n, C): the class probabilities that K posterior samples, or the K members of a
committee, give n items. Every function raises ``StrategyError`` for NaN or infinity in it and for
what is no distribution, such as logits, naming the row, and for another number of axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import not_finite, probabilities
from alwidgets.strategies.uncertainty import nats, p_log_p, rows_at_once
from alwidgets.tensors import Array, ArrayT, bad_row, like
from alwidgets.threads import one_thread

#: Numbers whose votes are counted at once: they stay in the cache.
VOTES = 1 << 18
#: Classes that :func:`epig` tells apart.
APART = 100


def bald(posterior: ArrayT) -> ArrayT:
    """Mutual information between the label and the model, in nats.

    The entropy of the mean prediction less the mean entropy of the predictions: high where each
    posterior sample is sure and they contradict one another.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln min(K, C)]

    References
    ----------
    Houlsby et al., "Bayesian active learning for classification and preference learning", 2011.
    """

    def score(p: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        own = p_log_p(p[0])
        for sample in p[1:]:
            own += p_log_p(sample)
        # Rounding can leave a difference of equal entropies just below zero.
        return own.div_(len(p)).sub_(p_log_p(mean)).sum(dim=1).clamp_(min=0.0)

    return _by_rows(posterior, _mean, score)


def consensus_entropy(posterior: ArrayT) -> ArrayT:
    """Entropy of the mean prediction of a committee, in nats.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln C]

    References
    ----------
    McCallum & Nigam, "Employing EM and pool-based active learning for text classification",
    ICML 1998.
    """
    return _by_rows(posterior, _mean, lambda p, mean: nats(mean))


def max_disagreement(posterior: ArrayT) -> ArrayT:
    """Largest Kullback-Leibler divergence of a member from the mean prediction, in nats.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln K]

    References
    ----------
    McCallum & Nigam, "Employing EM and pool-based active learning for text classification",
    ICML 1998; the largest divergence in place of the mean one, which is BALD.
    """

    def score(p: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        log_mean = mean.clamp_(min=torch.finfo(p.dtype).tiny).log_()
        most = p.new_zeros(p.shape[1])
        for sample in p:
            divergence = p_log_p(sample).sub_(sample * log_mean).sum(dim=1)
            torch.maximum(most, divergence, out=most)
        return most

    return _by_rows(posterior, _mean, score)


def vote_entropy(posterior: ArrayT) -> ArrayT:
    """Entropy of the votes of a committee, in nats; each member votes for its likeliest class.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln min(K, C)]

    References
    ----------
    Dagan & Engelson, "Committee-based sampling for training probabilistic classifiers",
    ICML 1995.
    """
    return _by_rows(posterior, _votes, lambda p, share: nats(share))


def variation_ratio(posterior: ArrayT) -> ArrayT:
    """Share of the votes that are not for the class with most votes.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1 - 1/K]

    References
    ----------
    Freeman, "Elementary applied statistics", 1965.
    """
    return _by_rows(posterior, _votes, lambda p, share: share.amax(dim=1).neg_().add_(1.0))


@one_thread()
def epig(posterior: ArrayT, target_posterior: Array) -> ArrayT:
    """Expected information that an item's label gives about the labels of the targets, in nats.

    The mean over the targets x* of the mutual information of y and y* under the posterior. Unlike
    BALD it asks for nothing that does not bear on the targets. Takes n * t * C**2 steps.

    Of more than 100 classes the likeliest of each item and of each target are told apart, and the
    others put together with those that the same posterior sample holds likelier than the mean
    does: 100 in all. That can only lower the information, by little where few classes hold most of
    the probability. Of 1,000 that all have some, a third to a half is lost with 16 samples, of
    every item alike: the order of the items hardly changes.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor
    target_posterior : (K, t, C) array or tensor
        Of the same K posterior samples, on about 200 items like those the model is for, at random.

    Returns
    -------
    (n,) array or tensor in [0, ln min(K, C)]

    Raises
    ------
    StrategyError
        Where the two do not go together, and without a target.

    References
    ----------
    Bickford Smith et al., "Prediction-oriented Bayesian active learning", AISTATS 2023.
    """
    p = probabilities(posterior, 3)
    target = probabilities(target_posterior, 3, "target probabilities").to(p)
    K, n, C = p.shape
    if target.shape[0] != K or target.shape[2] != C or not target.shape[1] or not K:
        raise StrategyError(
            f"The targets must have shape ({K}, t, {C}) with t at least 1, as the posterior has "
            f"{tuple(p.shape)}: got {tuple(target.shape)}."
        )
    target, C = _apart(target), min(C, APART)
    about, mass = _ratios(target.reshape(K, -1))
    mass /= target.shape[1]
    # Both sides are cut, so that a block has a bounded size with many classes too.
    columns = max(1, min(about.shape[1], rows_at_once(p, min(C, 128), product=True)))
    step = max(1, rows_at_once(p, columns, product=True) // C)
    total = p.new_empty(n)
    for part, out in zip(p.split(step, dim=1), total.split(step), strict=True):
        of_item, weight = _ratios(_apart(part).reshape(K, -1))
        # p(y, y*) / (p(y) p(y*)), whose logarithm is near 0 where there is little to learn:
        # more exact than a difference of entropies.
        information = torch.zeros_like(weight)
        for there, share in zip(about.split(columns, dim=1), mass.split(columns), strict=True):
            information += p_log_p((of_item.T / K) @ there) @ share
        torch.sum((information * weight).view(-1, C), dim=1, out=out)
    return like(total.clamp_(min=0.0), posterior)


@one_thread()
def _by_rows(
    posterior: ArrayT,
    summary: Callable[[torch.Tensor], torch.Tensor],
    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> ArrayT:
    """(n,) scores of (K, n, C) and of its summary, (n, C), in blocks of items."""
    p = probabilities(posterior, 3, finite=False)
    if not p.shape[0]:
        raise StrategyError("The posterior holds no sample: give (K, n, C) with K at least 1.")
    result = p.new_empty(p.shape[1])
    step = rows_at_once(p, p.shape[2])
    for start in range(0, len(result), step):
        part = p[:, start : start + step]
        about = summary(part)
        # What is not finite leaves its mark there, where there is less to look at.
        bad = None if bad_row(about) is None else bad_row(part)
        if bad is not None:
            raise not_finite("probabilities", start + bad)
        result[start : start + step] = score(part, about)
    return like(result, posterior)


def _mean(p: torch.Tensor) -> torch.Tensor:
    """Mean over the posterior samples, added in their order wherever an item lies in a block."""
    if p.device.type == "cpu":
        # One call, and in order: torch's sum goes by the place in the block.
        with np.errstate(invalid="ignore", over="ignore"):
            return torch.from_numpy(np.add.reduce(p.numpy(), axis=0)).div_(len(p))
    total = p[0].clone()
    for sample in p[1:]:
        total += sample
    return total.div_(len(p))


def _votes(p: torch.Tensor) -> torch.Tensor:
    """(n, C) share of the members that vote for each class; NaN where one says no number."""
    if p.device.type != "cpu":
        return _counted(p)
    step = max(1, VOTES // max(1, p.shape[0] * p.shape[2]))
    return torch.cat([_compared(part) for part in p.split(step, dim=1)])


def _compared(p: torch.Tensor) -> torch.Tensor:
    """The same for what fits into the cache, with steps along rows of members and items."""
    by_class = np.ascontiguousarray(p.numpy().transpose(2, 0, 1))
    votes = np.add.reduce(by_class == by_class.max(axis=0), axis=1, dtype=np.float32)
    if votes.sum(dtype=np.float64) != by_class[0].size or not math.isfinite(by_class.sum()):
        # Somebody votes for two.
        return _counted(p)
    return torch.from_numpy(votes.T).to(p.dtype, copy=True).div_(len(p))


def _counted(p: torch.Tensor) -> torch.Tensor:
    share = p.new_zeros(p.shape[1:])
    one = p.new_ones(()).expand(len(share), 1)
    for sample in p:
        share.scatter_add_(1, sample.argmax(dim=1, keepdim=True), one)
    if bad_row(p) is not None:
        share.fill_(torch.nan)
    return share.div_(len(p))


def _ratios(p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(K, m) probabilities over their mean, 0 where that is 0; and the mean, (m,)."""
    mean = p.mean(dim=0)
    return p / mean.clamp(min=torch.finfo(p.dtype).tiny), mean


def _apart(p: torch.Tensor) -> torch.Tensor:
    """(K, n, C) with the less likely classes of each item put together where there are many."""
    K, _, C = p.shape
    if C <= APART:
        return p
    # What the same samples hold for likely says the same about them: such classes belong together.
    groups = min(K, APART - 1)
    kept = APART - groups
    mean = p.mean(dim=0)
    group = kept + p.argmax(dim=0) % groups
    group.scatter_(
        1,
        mean.topk(kept, dim=1).indices,
        torch.arange(kept, device=p.device).expand(len(mean), kept),
    )
    return p.new_zeros(K, len(mean), APART).scatter_add_(2, group.expand(p.shape), p)
