"""How much the posterior samples disagree about an item. Higher means label sooner."""

from __future__ import annotations

from alwidgets.strategies._arrays import ArrayT, checked, like
from alwidgets.strategies.uncertainty import nats


def bald(posterior: ArrayT) -> ArrayT:
    """Mutual information between the label and the model, in nats.

    The entropy of the mean prediction less the mean entropy of the predictions: high where each
    posterior sample is sure and they contradict one another.

    Parameters
    ----------
    posterior : (K, n, C) array or tensor
        Class probabilities of K posterior samples.

    Returns
    -------
    (n,) array or tensor, at least 0

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.

    References
    ----------
    Houlsby et al., "Bayesian active learning for classification and preference learning", 2011.
    """
    p = checked(posterior, 3)
    # Rounding can leave a difference of equal entropies just below zero.
    return like((nats(p.mean(dim=0)) - nats(p).mean(dim=0)).clamp(min=0.0), posterior)
