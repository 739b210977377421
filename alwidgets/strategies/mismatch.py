"""Items that the model and the nearest label disagree on."""

from __future__ import annotations

import numpy as np
import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import Array, ArrayT, as_tensor, checked, like
from alwidgets.strategies._blocks import check_rows
from alwidgets.strategies._threads import one_thread
from alwidgets.strategies.neighbours import BLOCK, farthest_first, nearest


@one_thread()
def mismatch_first_farthest(
    proba: ArrayT,
    embedding: ArrayT,
    labelled_embedding: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
) -> ArrayT:
    """Items predicted otherwise than the nearest labelled item is, the farthest of them first.

    Again and again the mismatched item that is farthest from all that is labelled or picked; when
    there are none left, the others in the same way.

    Parameters
    ----------
    proba : (m, C) array or tensor
        Of the candidates; the prediction is the largest.
    embedding : (m, d) array or tensor
    labelled_embedding : (l, d) array or tensor, or None
        Without any, every item counts as mismatched and the first pick is drawn at random.
    labels : (l,) integers
        Class codes of the labelled items, columns of ``proba``.
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the ties.

    Returns
    -------
    (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order picked.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row, and for shapes that do not belong together.

    References
    ----------
    Zhao, Heittola & Virtanen, "Active learning for sound event detection", IEEE/ACM TASLP 2020.
    """
    p = checked(proba, 2)
    if embedding.ndim != 2 or len(embedding) != len(p):
        raise StrategyError(
            f"{len(p)} probabilities but an embedding of shape {tuple(embedding.shape)}."
        )
    # In half precision, rows are converted when they are looked at.
    check_rows(embedding, "embedding")
    h = as_tensor(embedding).to(p.device)
    m = len(p)
    known = h[:0].float()
    if labelled_embedding is not None:
        known = checked(labelled_embedding, 2, "labelled embedding").to(h.device)
    codes = as_tensor(labels).to(h.device)
    if len(codes) != len(known):
        raise StrategyError(f"{len(known)} labelled items but {len(codes)} labels.")
    if len(known) and known.shape[1] != h.shape[1]:
        raise StrategyError(
            f"{h.shape[1]} features for the candidates, {known.shape[1]} for the labelled items."
        )
    n = max(0, min(n, m))
    # Shuffled, so that equals have equal chances.
    order = torch.from_numpy(np.random.default_rng(seed).permutation(m)).to(h.device)
    if len(known):
        gap, row = nearest(h, known)
        differs = p.argmax(dim=1) != codes[row]
    else:
        gap = torch.full((m,), torch.inf, dtype=known.dtype, device=h.device)
        differs = torch.ones(m, dtype=torch.bool, device=h.device)
    first, others = order[differs[order]], order[~differs[order]]
    picked = farthest_first(h, gap[first], n, first)
    if len(picked) < n:
        left = gap[others]
        if len(picked):
            at = h[picked].to(known)
            size = max(1, BLOCK // max(1, h.shape[1]))
            now: list[torch.Tensor] = [nearest(h[part], at)[0] for part in others.split(size)]
            left = torch.minimum(left, torch.cat([left[:0], *now]))
        rest = farthest_first(h, left, n - len(picked), others)
        picked = torch.cat([picked, rest])
    return like(picked, proba)
