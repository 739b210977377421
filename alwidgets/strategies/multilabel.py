"""What to ask where an item may have several labels. Higher means label sooner.

Each label has a probability of its own; a row of them need not sum to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, independent
from alwidgets.strategies.uncertainty import p_log_p, rows_at_once
from alwidgets.tensors import Array, ArrayT, like
from alwidgets.threads import one_thread

#: Log-odds closer to 0 than this are like these: their inverse stays finite.
NARROW = 1e-6


def mean_binary_entropy(proba: ArrayT) -> ArrayT:
    """Mean over the labels of the entropy of each, in nats.

    Parameters
    ----------
    proba : (n, C) array or tensor
        Of each label, in [0, 1].

    Returns
    -------
    (n,) array or tensor in [0, ln 2]

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no probability, such as logits, naming the row.

    References
    ----------
    Esuli & Sebastiani, "Active learning strategies for multi-label text classification", ECIR 2009:
    the mean over the labels of a doubt, here an entropy.
    """
    return _by_rows(proba, lambda p: _entropy(p).mean(dim=1))


def max_binary_entropy(proba: ArrayT) -> ArrayT:
    """Entropy of the label in most doubt, in nats.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, ln 2]

    References
    ----------
    Esuli & Sebastiani, "Active learning strategies for multi-label text classification", ECIR 2009:
    the largest doubt about a label, here an entropy.
    """
    return _by_rows(proba, lambda p: _entropy(p).amax(dim=1))


def binary_minimum(proba: ArrayT) -> ArrayT:
    """One minus twice the distance from 1/2 of the probability that is nearest to it.

    Brinker takes the smallest distance of a label's support vector machine; of probabilities the
    order is the same.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1]

    References
    ----------
    Brinker, "On active learning in multi-label classification", From Data and Information Analysis
    to Knowledge Engineering, Springer 2006.
    """
    return _by_rows(proba, lambda p: 1 - 2 * (p - 0.5).abs().amin(dim=1))


def mean_score(proba: ArrayT) -> ArrayT:
    """Mean probability: the share of the labels that the item is expected to have.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1]

    References
    ----------
    Esuli & Sebastiani, "Active learning strategies for multi-label text classification", ECIR 2009:
    "AS", for rare labels whose positive examples say more than the others.
    """
    return _by_rows(proba, lambda p: p.mean(dim=1))


def max_score(proba: ArrayT) -> ArrayT:
    """Largest probability of a label.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor in [0, 1]

    References
    ----------
    Esuli & Sebastiani, "Active learning strategies for multi-label text classification", ECIR 2009:
    "MS".
    """
    return _by_rows(proba, lambda p: p.amax(dim=1))


def max_loss_reduction(proba: ArrayT, counts: Array | None = None) -> ArrayT:
    """Expected wrong labels of the prediction with as many labels as are expected: MMC.

    The sum over the labels of (1 - y f) / 2, where f is 2 p - 1 and y is 1 for the likeliest
    labels, as many as the item is expected to have, and -1 for the others.

    Parameters
    ----------
    proba : (n, C) array or tensor
    counts : (n,) int array or tensor, optional
        Labels that each item is expected to have, 0 to C. Yang et al. predict it by a logistic
        regression; by default it is the sum of the probabilities, rounded, for these are
        calibrated.

    Returns
    -------
    (n,) array or tensor in [0, C]

    Raises
    ------
    StrategyError
        For counts that are not (n,), or not 0 to C.

    References
    ----------
    Yang, Sun, Wang & Chen, "Effective multi-label active learning for text classification",
    KDD 2009: maximum loss reduction with maximal confidence.
    """
    given = None
    if counts is not None:
        given = as_tensor(counts, "counts")
        C = proba.shape[-1]
        if given.shape != proba.shape[:1] or not bool(((given >= 0) & (given <= C)).all()):
            raise StrategyError(f"counts must be one number for each item, from 0 to {C}.")

    def score(p: torch.Tensor, start: int) -> torch.Tensor:
        total = p.sum(dim=1)
        # Half a label is rounded up: what a sum is short of one depends on its order.
        m = (total + 1e-6).round() if given is None else given[start : start + len(p)].to(p)
        ranked = p.sort(dim=1, descending=True).values
        taken = torch.arange(p.shape[1], device=p.device) < m[:, None]
        return (total + m - 2 * (ranked * taken).sum(dim=1)).clamp_(min=0)

    return _by_rows(proba, score, placed=True)


def max_margin_uncertainty(proba: ArrayT) -> ArrayT:
    """One over the gap between the log-odds of labels predicted and not.

    The gap is from the least certain of the predicted labels to the least certain of the others;
    where all labels are on one side, from the least certain to nought.

    Parameters
    ----------
    proba : (n, C) array or tensor

    Returns
    -------
    (n,) array or tensor, above 0

    References
    ----------
    Li & Guo, "Active learning with multi-label SVM classification", IJCAI 2013; log-odds in place
    of the values of support vector machines.
    """

    def score(p: torch.Tensor) -> torch.Tensor:
        odds = torch.logit(p, eps=torch.finfo(p.dtype).eps)
        yes = torch.where(p >= 0.5, odds, torch.inf).amin(dim=1)
        no = torch.where(p < 0.5, -odds, torch.inf).amin(dim=1)
        gap = torch.where(yes.isinf(), 0, yes) + torch.where(no.isinf(), 0, no)
        return 1 / gap.clamp(min=NARROW)

    return _by_rows(proba, score)


def cardinality_inconsistency(proba: ArrayT, cardinality: float) -> ArrayT:
    """How far the number of predicted labels is from the mean of what is labelled.

    Parameters
    ----------
    proba : (n, C) array or tensor
        Labels of at least 1/2 are predicted.
    cardinality : float
        Labels that a labelled item has on average.

    Returns
    -------
    (n,) array or tensor, at least 0

    References
    ----------
    Li & Guo, "Active learning with multi-label SVM classification", IJCAI 2013.
    """
    if not math.isfinite(cardinality) or cardinality < 0:
        raise StrategyError(f"cardinality must be a number of at least 0, not {cardinality}.")
    return _by_rows(proba, lambda p: ((p >= 0.5).sum(dim=1) - cardinality).abs().to(p))


def margin_cardinality(proba: ArrayT, cardinality: float, beta: float = 0.5) -> ArrayT:
    """Gap and number of labels together.

    :func:`max_margin_uncertainty` to the power of `beta` times
    :func:`cardinality_inconsistency` to that of 1 - `beta`. Li & Guo choose `beta` anew for every
    batch by the error that is expected; here it is fixed.

    Parameters
    ----------
    proba : (n, C) array or tensor
    cardinality : float
    beta : float
        0 to 1.

    Returns
    -------
    (n,) array or tensor, at least 0

    References
    ----------
    Li & Guo, "Active learning with multi-label SVM classification", IJCAI 2013.
    """
    if not 0 <= beta <= 1:
        raise StrategyError(f"beta must lie between 0 and 1, not {beta}.")
    gap: Any = max_margin_uncertainty(proba)
    count: Any = cardinality_inconsistency(proba, cardinality)
    result: ArrayT = gap**beta * count ** (1 - beta)
    return result


@one_thread()
def multilabel_bald(posterior: ArrayT) -> ArrayT:
    """Sum over the labels of the information that each has about the model, in nats.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor
        Probability of each label under each posterior sample.

    Returns
    -------
    (n,) array or tensor in [0, C ln 2]

    Raises
    ------
    StrategyError
        For no sample, NaN or infinity, and for what is no probability, naming the row.

    References
    ----------
    Houlsby et al., "Bayesian active learning for classification and preference learning", 2011, of
    each label; labels are independent given the model.
    """
    p = independent(posterior, 3)
    if not p.shape[0]:
        raise StrategyError("The posterior holds no sample: give (K, n, C) with K at least 1.")
    result = p.new_empty(p.shape[1])
    step = rows_at_once(p, p.shape[2])
    for start in range(0, len(result), step):
        part = p[:, start : start + step]
        own = torch.zeros_like(part[0])
        mean = torch.zeros_like(part[0])
        for sample in part:
            own += _entropy(sample)
            mean += sample
        gained = _entropy(mean.div_(len(p))).sub_(own.div_(len(p)))
        result[start : start + step] = gained.clamp_(min=0).sum(dim=1)
    return like(result, posterior)


def _entropy(p: torch.Tensor) -> torch.Tensor:
    """Entropy of each probability by itself, in nats."""
    p = p.clamp(0.0, 1.0)
    return p_log_p(p).add_(p_log_p(1 - p)).neg_()


@one_thread()
def _by_rows(proba: ArrayT, score: Callable[..., torch.Tensor], *, placed: bool = False) -> ArrayT:
    """(n,) scores of (n, C) in blocks of rows; `placed` ones are told where a block begins."""
    p = independent(proba, 2)
    result = p.new_empty(len(p))
    step = rows_at_once(p, p.shape[1])
    for start in range(0, len(p), step):
        part = p[start : start + step]
        result[start : start + step] = score(part, start) if placed else score(part)
    return like(result, proba)
