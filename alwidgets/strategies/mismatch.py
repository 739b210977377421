"""Items that the model and the nearest label disagree on."""

from __future__ import annotations

from typing import Literal, overload

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, clipped, generator, probabilities
from alwidgets.strategies._blocks import Rows, answer, labelled_rows
from alwidgets.strategies.neighbours import BLOCK, farthest_first, nearest
from alwidgets.tensors import Array, ArrayT
from alwidgets.threads import one_thread


@overload
def mismatch_first_farthest(
    proba: ArrayT,
    embedding: ArrayT,
    labelled_embedding: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def mismatch_first_farthest(
    proba: ArrayT,
    embedding: ArrayT,
    labelled_embedding: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


@one_thread()
def mismatch_first_farthest(
    proba: ArrayT,
    embedding: ArrayT,
    labelled_embedding: Array | None,
    labels: Array,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
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
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``proba`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the distance of each to the nearest labelled or picked item when it
        was picked. They start again where the mismatched items end. NaN for a first pick at random.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row; for probabilities that
        are none, such as logits, and for shapes that do not belong together.

    References
    ----------
    Zhao, Heittola & Virtanen, "Active learning for sound event detection", IEEE/ACM TASLP 2020.
    """
    p = probabilities(proba, 2)
    # In half precision, rows are converted when they are looked at.
    h = Rows(as_tensor(embedding, "embedding").to(p.device), "embedding")
    if len(h) != len(p):
        raise StrategyError(f"{len(p)} probabilities but {len(h)} rows of embedding.")
    m = len(p)
    n, rng = clipped(n, m), generator(seed)
    # Shuffled, so that equals have equal chances.
    order = torch.from_numpy(rng.permutation(m)).to(h.device)
    # Squared distances by products lose precision far from the origin.
    h.offset = h[order[:1000]].mean(dim=0) if m else None
    known = labelled_rows(labelled_embedding, h)
    codes = as_tensor(labels, "labels").to(h.device)
    if len(codes) != len(known):
        raise StrategyError(f"{len(known)} labelled items but {len(codes)} labels.")
    gap = torch.full((m,), torch.inf, dtype=h.dtype, device=h.device)
    differs = torch.ones(m, dtype=torch.bool, device=h.device)
    if len(known):
        row = torch.empty(m, dtype=torch.int64, device=h.device)
        for where, part in h.blocks():
            gap[where], row[where] = nearest(part, known)
        differs = p.argmax(dim=1) != codes[row]
    else:
        h.check()
    first, others = order[differs[order]], order[~differs[order]]
    picked, gaps = farthest_first(h, gap[first], n, first)
    if len(picked) < n:
        left = gap[others]
        if len(picked):
            at = h[picked]
            size = max(1, BLOCK // max(1, h.width))
            now: list[torch.Tensor] = [nearest(h[part], at)[0] for part in others.split(size)]
            left = torch.minimum(left, torch.cat([left[:0], *now]))
        rest, more = farthest_first(h, left, n - len(picked), others)
        picked, gaps = torch.cat([picked, rest]), torch.cat([gaps, more])
    # Nothing is known yet: no distance.
    scores = torch.where(gaps.isinf(), torch.nan, gaps).sqrt_()
    return answer(picked, scores, proba, return_scores)
