"""Items that the model sees otherwise than their labelled neighbours."""

from __future__ import annotations

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import ROWS, as_tensor, given, probabilities, shaped
from alwidgets.strategies._blocks import block, blocks, check_sizes
from alwidgets.strategies.neighbours import nearest_mask
from alwidgets.strategies.uncertainty import nats
from alwidgets.tensors import ArrayT, like
from alwidgets.threads import one_thread

#: Nothing is less probable than this: the divergence stays finite.
LEAST = 1e-7


@one_thread()
def contrastive(
    proba: ArrayT,
    embedding: ArrayT,
    labelled_proba: ArrayT,
    labelled_embedding: ArrayT,
    neighbours: int = 10,
) -> ArrayT:
    """Mean KL divergence from the probabilities of the nearest labelled items, in nats.

    High where the model contradicts what it says of the labelled items nearest to a candidate.

    Parameters
    ----------
    proba : (n, C) array or tensor
        Of the candidates. Probabilities below 1e-7 count as that.
    embedding : (n, d) array or tensor
    labelled_proba : (l, C) array or tensor
    labelled_embedding : (l, d) array or tensor
    neighbours : int
        All l labelled items where there are fewer.

    Returns
    -------
    (n,) array or tensor, at least 0
        Mean over the neighbours of ``sum p_neighbour ln(p_neighbour / p_candidate)``. Zeros, all
        alike, as long as nothing is labelled.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row; for probabilities that
        are none, such as logits, and for shapes that do not belong together.

    References
    ----------
    Margatina, Vernikos, Barrault & Aletras, "Active learning by acquiring contrastive examples",
    EMNLP 2021.
    """
    if neighbours < 1:
        raise StrategyError(f"neighbours must be at least 1, not {neighbours}.")
    p, h = given(proba, "probabilities"), given(embedding, "embedding")
    # Of the candidates, all rows are looked at later, some at a time.
    probabilities(as_tensor(p[:ROWS]), 2, finite=False)
    known = _floored(probabilities(labelled_proba, 2, "labelled probabilities"))
    at = shaped(labelled_embedding, 2, "labelled embedding").to(known.device)
    check_sizes(at, "labelled embedding")
    for first, second, what in ((p, h, "candidates"), (known, at, "labelled items")):
        if len(first) != len(second):
            raise StrategyError(
                f"{len(first)} probabilities but {len(second)} rows of embedding of the {what}."
            )
    if p.shape[1] != known.shape[1]:
        raise StrategyError(
            f"{p.shape[1]} classes for the candidates, {known.shape[1]} for the labelled items."
        )
    if h.ndim == 2 and h.shape[1] != at.shape[1]:
        raise StrategyError(
            f"Items of {h.shape[1]} and of {at.shape[1]} features have no distance."
        )
    scores = known.new_zeros(len(p))
    # KL(p || q) = sum p ln p - sum p ln q is linear in what belongs to the neighbour: the means of
    # its two parts are enough, (n, C + 1) numbers instead of (n, k, C).
    facts = torch.cat([known, -nats(known)[:, None]], dim=1)
    facts /= min(neighbours, max(1, len(known)))
    centre = at.mean(dim=0) if len(at) else at.new_zeros(at.shape[1])
    at = at - centre
    for where, part in blocks(h, "embedding", columns=max(known.shape)):
        says = block(p, where, "probabilities")
        if not len(known):
            continue
        near = nearest_mask(part.to(at) - centre, at, neighbours)
        mean = near.to(facts) @ facts
        cross = (mean[:, :-1] * _floored(says.to(known)).log()).sum(dim=1)
        scores[where] = (mean[:, -1] - cross).clamp_(min=0.0)
    return like(scores, proba)


def _floored(p: torch.Tensor) -> torch.Tensor:
    """Rows without a zero, of sum 1."""
    p = p.clamp(min=LEAST)
    return p / p.sum(dim=1, keepdim=True)
