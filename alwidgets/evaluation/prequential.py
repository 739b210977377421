"""What training labels say: each batch is a test of the model that chose it, before it trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.risk import Estimate, Method, complement, lure, unknown


@dataclass(frozen=True)
class Batch:
    """Items that were drawn one after the other by one model, and how it did on them.

    Attributes
    ----------
    losses : (M,) array
        Of the model that drew them, in [0, 1], in the order drawn; it had trained on none of them.
    q : (M,) array
        Probability of each draw among what remained.
    remaining : int
        Candidates before the first draw.
    """

    losses: ArrayLike
    q: ArrayLike
    remaining: int


def prequential(
    batches: Sequence[Batch], *, confidence: float = 0.95, method: Method = "wilson"
) -> list[Estimate]:
    """The accuracy of each batch's model on the pool that remained when it was drawn.

    "Prequential" is predictive and sequential: each label is predicted before it is learnt from
    (Dawid, "Statistical theory: the prequential approach", JRSS-A 1984). It costs no audit label.
    But it speaks of the remaining pool, not of the whole: as what is hard is labelled away, what
    remains is easier, and the figures of later rounds rise for that reason alone. They do not
    take the place of the audit.

    A sharp strategy tells little of what it passes over. Of a batch of 40 as the built-in ones draw
    it, six or so are from the bulk of the pool, and the interval is as wide as six draws make it.

    Parameters
    ----------
    batches : sequence of Batch
    confidence, method
        As for `lure`.

    Returns
    -------
    list of Estimate
        One for each batch; NaN, and why in words, for one that was not sampled: `q` is not known
        of a deterministic pick.

    Raises
    ------
    EvaluationError
        As `lure`.

    Examples
    --------
    >>> found = prequential([Batch([0, 1, 0, 0], [0.01, 0.02, 0.005, 0.02], 100)])
    >>> found[0].method
    'accuracy on the remaining pool (100 items): LURE, Wilson at the effective sample size'
    """
    return [_estimate(batch, confidence, method) for batch in batches]


def _estimate(batch: Batch, confidence: float, method: Method) -> Estimate:
    q = np.asarray(batch.q, dtype=np.float64)
    if batch.remaining < len(q):
        raise EvaluationError(
            f"{len(q)} draws from {batch.remaining} remaining items: `remaining` counts them "
            "before the first draw."
        )
    if not len(q):
        return unknown("no card of the batch has a label yet")
    if np.isnan(q).any():
        why = "the batch was picked, not sampled: nothing is known of what remained"
        return unknown(why, len(q))
    found = complement(lure(batch.losses, q, batch.remaining, confidence=confidence, method=method))
    words = f"accuracy on the remaining pool ({batch.remaining:,} items): {found.method}"
    return Estimate(found.value, found.low, found.high, found.n, found.n_eff, words)
