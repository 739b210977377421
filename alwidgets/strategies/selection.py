"""From scores to a batch."""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np
import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, checked, clipped, generator, given, not_finite
from alwidgets.strategies._blocks import norms
from alwidgets.tensors import Array, ArrayT, bad_row, like
from alwidgets.threads import one_thread

#: Of the largest score: nothing weighs less, so every item can be drawn by either route.
LEAST = 1e-6
#: Neighbouring scores of which the largest is looked at first.
GROUP = 64
#: Of the largest squared distance: nearer than this is the same place, but for rounding.
SAME = 1e-6


@one_thread()
def sample(
    scores: ArrayT, n: int, beta: float = 1.0, floor: float = 0.15, seed: int = 0
) -> tuple[ArrayT, ArrayT]:
    """Draw ``n`` items one after the other, without replacement, and say with what probability.

    Draw m takes item i of those that remain with probability
    ``(1 - floor) * s_i**beta / sum(s**beta) + floor / remaining``. The power route is a Gumbel
    top-k on ``log s + g / beta`` (Kirsch et al., "Stochastic batch acquisition", TMLR 2023): an
    exponential race, whose order among what remains does not change when the uniform route takes
    an item out of it.

    Parameters
    ----------
    scores : (m,) array or tensor
        At least 0, higher means sooner. Scores below one millionth of the largest count as that.
    n : int
        How many; what is left if there are fewer.
    beta : float
        0 is uniform; large is close to the best ``n``.
    floor : float
        Share of uniform draws, in [0, 1].
    seed : int

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``scores`` in the order drawn.
    log_q : (min(n, m),) float64 array or tensor
        Natural logarithm of the probability of each draw among what remained.

    Raises
    ------
    StrategyError
        For negative or non-finite scores, naming the row, and for a ``floor`` or ``beta`` out of
        range.
    """
    values = _not_negative(scores)
    if not 0 <= floor <= 1 or not 0 <= beta < math.inf:
        raise StrategyError(
            f"floor must lie in [0, 1] and beta be finite and >= 0, not {floor}, {beta}."
        )
    m = len(values)
    n = clipped(n, m)
    rng = generator(seed)
    if n == 0:
        nothing = torch.empty(0, dtype=torch.float64, device=values.device)
        return like(nothing.long(), scores), like(nothing, scores)
    highest = float(values.amax())
    log_weight = torch.zeros(m, dtype=torch.float64, device=values.device)
    if highest > 0 and beta > 0:
        log_weight.copy_(values).div_(highest).clamp_(min=LEAST).log_().mul_(beta)

    finish = torch.from_numpy(rng.standard_exponential(m)).to(values.device)
    keys = torch.sub(log_weight, finish.log_(), out=finish)
    rows = _contenders(keys, n)
    race = (keys.topk(n).indices if rows is None else rows[keys[rows].topk(n).indices]).tolist()
    del keys, finish
    lots = rng.choice(m, n, replace=False).tolist()
    by_lot = (rng.random(n) < floor).tolist()
    taken: set[int] = set()
    order: list[int] = []
    heads = [0, 0]
    for route in by_lot:
        queue = lots if route else race
        while queue[heads[route]] in taken:
            heads[route] += 1
        taken.add(queue[heads[route]])
        order.append(queue[heads[route]])

    # What the weights of the remaining items add up to before each draw, from the back: no
    # subtraction, so a dominant first item costs no precision.
    chosen = torch.tensor(order, dtype=torch.int64, device=values.device)
    own = log_weight[chosen].cpu().numpy()
    log_weight[chosen] = -torch.inf
    outside = _log_sum(log_weight) if n < m else -np.inf
    log_total = np.logaddexp.accumulate(np.r_[outside, own[::-1]])[1:][::-1]
    remaining = m - np.arange(n)
    with np.errstate(divide="ignore"):
        by_power = np.log1p(-floor) + own - log_total
        uniform = np.log(floor) - np.log(remaining)
    # The last of all is certain; the sum of its two routes may round just above 1.
    log_q = torch.from_numpy(np.minimum(np.logaddexp(by_power, uniform), 0.0))
    return like(chosen, scores), like(log_q.to(values.device), scores)


@one_thread()
def top(scores: ArrayT, n: int, *, seed: int = 0) -> ArrayT:
    """The rows of the ``n`` highest scores, best first; ties are broken by the seed.

    Parameters
    ----------
    scores : (m,) array or tensor
    n : int
        How many; all m if there are fewer.
    seed : int

    Returns
    -------
    (min(n, m),) int64 array or tensor

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.
    """
    values = _checked(scores)
    return like(_top(values, clipped(n, len(values)), generator(seed)), scores)


@overload
def diverse(
    scores: ArrayT,
    embedding: Array,
    n: int,
    *,
    seed: int = 0,
    limit: int = 20_000,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def diverse(
    scores: ArrayT,
    embedding: Array,
    n: int,
    *,
    seed: int = 0,
    limit: int = 20_000,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


@one_thread()
def diverse(
    scores: ArrayT,
    embedding: Array,
    n: int,
    *,
    seed: int = 0,
    limit: int = 20_000,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Items with high scores in different places: k-means++ weighted by the score.

    Among the ``limit`` best, the first is drawn with probability proportional to its score and
    each next one to its score times the squared distance to the nearest drawn before. Where
    everything left lies on something drawn, the scores alone decide, and then chance.

    Parameters
    ----------
    scores : (m,) array or tensor
        At least 0.
    embedding : (m, d) array or tensor
        Only the rows of the candidates are read.
    n : int
        How many; all m if there are fewer.
    seed : int
    limit : int
        Candidates; never fewer than ``n``.
    return_scores : bool

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Distinct rows in the order drawn.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: their own, whatever the distance.

    Raises
    ------
    StrategyError
        For negative or non-finite scores and for NaN or infinity in the embedding, naming the
        row, and where the two differ in length.

    References
    ----------
    Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007, with the
    weights of Zhdanov, "Diverse mini-batch active learning", 2019.
    """
    values = _not_negative(scores)
    whole = given(embedding, "embedding")
    if whole.ndim != 2 or len(whole) != len(values):
        raise StrategyError(
            f"Expected an embedding of shape ({len(values)}, d), got {tuple(whole.shape)}: one row "
            "for each score."
        )
    rng = generator(seed)
    n = clipped(n, len(values))
    if n == 0:
        nothing = like(torch.empty(0, dtype=torch.int64, device=values.device), scores)
        return (nothing, like(values[:0], scores)) if return_scores else nothing
    rows = _top(values, max(n, limit), rng)
    h = _rows_of(whole, rows).to(values.device)
    weight = values[rows].double()
    weight /= weight.amax().clamp(min=torch.finfo(torch.float64).tiny)
    h -= h.mean(dim=0)
    squares = norms(h)
    least = SAME * float(squares.amax())
    free = torch.ones_like(weight)
    gap = torch.ones_like(weight)
    chosen: list[int] = []
    for draw in range(n):
        at = _drawn([free * weight * gap, free * weight, free], float(rng.random()))
        chosen.append(at)
        free[at] = 0.0
        away = torch.addmv(squares + squares[at], h, h[at], alpha=-2.0).double()
        away = torch.where(away > least, away, 0.0)
        gap = away if draw == 0 else torch.minimum(gap, away)
    picks = rows[torch.tensor(chosen, device=rows.device)]
    return (
        (like(picks, scores), like(values[picks], scores)) if return_scores else like(picks, scores)
    )


def _drawn(weights: list[torch.Tensor], share: float) -> int:
    """A row drawn by the first of the weights that are not all 0; ``share`` lies in [0, 1)."""
    for weight in weights:
        total = torch.cumsum(weight, 0)
        if float(total[-1]) > 0:
            at = int(torch.searchsorted(total, share * total[-1], right=True))
            # Rounding may carry the target to the very end.
            return at if at < len(weight) else int(weight.argmax())
    raise StrategyError("There is nothing left to draw.")


def _log_sum(logs: torch.Tensor) -> float:
    """Logarithm of the sum of the exponentials, which take the place of ``logs``."""
    highest = float(logs.amax())
    return highest + math.log(float(logs.sub_(highest).exp_().sum()))


def _top(values: torch.Tensor, n: int, rng: np.random.Generator) -> torch.Tensor:
    """Rows of the ``n`` highest, best first, ties in random order."""
    n = max(0, min(n, len(values)))
    if n == 0:
        return torch.empty(0, dtype=torch.int64, device=values.device)
    rows = _contenders(values, n)
    # The few that are left are quickest in numpy.
    theirs = (values if rows is None else values[rows]).cpu().numpy()
    bar = np.partition(theirs, len(theirs) - n)[len(theirs) - n]
    above, level = np.flatnonzero(theirs > bar), np.flatnonzero(theirs == bar)
    lots = rng.choice(len(level), n - len(above), replace=False)
    best = np.concatenate([above, level[lots]])[rng.permutation(n)]
    best = best[np.argsort(-theirs[best], kind="stable")]
    found = torch.from_numpy(best).to(values.device)
    return found if rows is None else rows[found]


def _contenders(values: torch.Tensor, n: int) -> torch.Tensor | None:
    """Rows, ascending, among which all are that reach the n-th highest value; ``None`` for all."""
    groups = len(values) // GROUP
    if groups < 4 * n:
        return None
    # Each of the n best groups holds a value this high, so the bar cannot be lower.
    peaks = values[: groups * GROUP].reshape(groups, GROUP).amax(dim=1)
    return torch.nonzero(values >= peaks.topk(n).values[-1])[:, 0]


def _rows_of(embedding: Array, rows: torch.Tensor) -> torch.Tensor:
    """A finite single-precision copy of some rows."""
    if isinstance(embedding, torch.Tensor):
        part = embedding.detach()[rows.to(embedding.device)].float()
    else:
        part = as_tensor(np.asarray(embedding[rows.cpu().numpy()])).float()
    if bad_row(part) is not None:
        finite = torch.isfinite(part).all(dim=1).to(rows.device)
        raise not_finite("embedding", int(rows[~finite].min()))
    return part


def _checked(scores: Array) -> torch.Tensor:
    tensor = as_tensor(scores, "scores")
    # Whole numbers would lose their last digits in single precision.
    whole = not tensor.is_floating_point()
    return checked(tensor.double() if whole else tensor, 1, "scores")


def _not_negative(scores: Array) -> torch.Tensor:
    values = _checked(scores)
    if len(values) and float(values.amin()) < 0:
        row = int(torch.nonzero(values < 0)[0, 0])
        raise StrategyError(
            f"Score {float(values[row]):g} of row {row} is negative: sampling needs scores of at "
            "least 0; use selection='top' otherwise."
        )
    return values
