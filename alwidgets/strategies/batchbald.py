"""The batch whose labels together tell most about the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

import numpy as np
import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import clipped, generator, probabilities
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.disagreement import bald
from alwidgets.strategies.uncertainty import p_log_p, rows_at_once
from alwidgets.tensors import ArrayT, like
from alwidgets.threads import one_thread

#: Nats below which one more label says nothing: rounding is not far below.
NOTHING = 1e-5
#: Groups of outcomes that alike beliefs are merged into, for a quick bound, and what it may lack.
GROUPS, ROUNDING = 64, 1e-6
#: Candidates that are scored before the first look at whether the rest can still win.
FIRST = 64


@dataclass(frozen=True)
class _Joint:
    """Ways to label what is chosen so far.

    Attributes
    ----------
    mass : (S,) tensor
        Probability of each, summing to 1.
    belief : (S, K) tensor
        Probability of each posterior sample once they have been seen, rows summing to 1.
    """

    mass: torch.Tensor
    belief: torch.Tensor

    def entropy(self, p: torch.Tensor) -> torch.Tensor:
        """Expected entropy of the next label of some items, (K, r, C) -> (r,)."""
        classes = p.shape[2]
        # Never 0, so that no logarithm needs a look; far below what adds to anything.
        safe = p.reshape(len(p), -1).clamp(min=1e-30)
        next_label = self.belief.to(p) @ safe
        terms = next_label.log().mul_(next_label)
        return (self.mass.to(p) @ terms).view(-1, classes).sum(dim=1).neg_()

    def gain(self, p: torch.Tensor) -> torch.Tensor:
        """What the next label of some items tells about the model, (K, r, C) -> (r,)."""
        return self.entropy(p) + p_log_p(p).sum(dim=2).mean(dim=0)

    def merged(self) -> _Joint | None:
        """With outcomes of alike beliefs taken as one; ``None`` where that saves little.

        Entropy is concave: with less known, every gain is at least as large.
        """
        if len(self.mass) < 4 * GROUPS:
            return None
        owner = kmeans(self.belief.float(), GROUPS, 0, iterations=5)[1]
        mass = self.mass.new_zeros(GROUPS).index_add_(0, owner, self.mass)
        belief = self.belief.new_zeros(GROUPS, self.belief.shape[1])
        belief.index_add_(0, owner, self.belief * self.mass[:, None])
        filled = mass > 0
        return _Joint(mass[filled], belief[filled] / mass[filled][:, None])

    def extended(self, p: torch.Tensor, samples: int, rng: np.random.Generator) -> _Joint:
        """With one more item, (K, C); at most ``samples`` ways to label them all."""
        p = p.double()
        mass = (self.mass[:, None] * (self.belief @ p)).reshape(-1)
        rows = torch.nonzero(mass > 0)[:, 0]
        kept = mass[rows]
        if len(rows) > samples:
            drawn, kept = _thinned(kept, samples, float(rng.random()))
            rows = rows[drawn]
        classes = p.shape[1]
        belief = self.belief[rows // classes] * p.T[rows % classes]
        return _Joint(kept / kept.sum(), belief / belief.sum(dim=1, keepdim=True))


@overload
def batch_bald(
    posterior: ArrayT,
    n: int,
    seed: int = 0,
    *,
    samples: int = 1_000,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def batch_bald(
    posterior: ArrayT,
    n: int,
    seed: int = 0,
    *,
    samples: int = 1_000,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


@one_thread()
def batch_bald(
    posterior: ArrayT,
    n: int,
    seed: int = 0,
    *,
    samples: int = 1_000,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Greedily the items whose labels, seen together, tell most about the model.

    Each pick maximises I(y; model | labels of the picks before), so two items that say the same
    are not both asked for. The joint distribution of the labels is exact while it has at most
    ``samples`` outcomes; after that, that many are drawn without bias and with the likeliest ones
    certain. What an item adds only falls as others are chosen, so most are never scored again;
    once outcomes are drawn this holds up to the error of the draw.

    All of it together cannot exceed ln K nats for K posterior samples. A batch that has exhausted
    this, often after few items, is filled by BALD.

    Parameters
    ----------
    posterior : (K, n_items, C) array or tensor
        Class probabilities of K posterior samples.
    n : int
        How many; all items if there are fewer.
    seed : int
        Of the ties and of the outcomes drawn.
    samples : int
        Joint outcomes looked at: more is more exact, in proportionally more time.
    return_scores : bool

    Returns
    -------
    indices : (min(n, n_items),) int64 array or tensor
        Distinct rows, in the order picked.
    scores : (min(n, n_items),) array or tensor
        With ``return_scores``: what the label of each adds to those before it, in nats, as exact
        as the joint distribution; together, the information in the batch. NaN for what BALD fills
        up.

    Raises
    ------
    StrategyError
        For NaN or infinity and for what is no distribution, such as logits, naming the row, and
        for a ``samples`` below 1.

    References
    ----------
    Kirsch, van Amersfoort & Gal, "BatchBALD: efficient and diverse batch acquisition for deep
    Bayesian active learning", NeurIPS 2019. The draw is the optimal resampling of Fearnhead &
    Clifford, "On-line inference for hidden Markov models via particle filters", JRSS-B 2003.
    """
    p = probabilities(posterior, 3)
    if samples < 1:
        raise StrategyError(f"samples must be at least 1, not {samples}.")
    K, m = p.shape[:2]
    n = clipped(n, m)
    rng = generator(seed)
    gains = p.new_full((n,), torch.nan)
    if n == 0 or K == 0:
        if n:
            raise StrategyError("The posterior holds no sample: give (K, n, C) with K at least 1.")
        nothing = like(torch.empty(0, dtype=torch.int64, device=p.device), posterior)
        return (nothing, like(gains, posterior)) if return_scores else nothing
    first = bald(p)
    # Of equal items the one that comes first in this order is picked.
    place = torch.from_numpy(rng.permutation(m)).to(p.device)
    bound = first.clone()
    known = torch.ones(m, dtype=torch.bool, device=p.device)
    joint = _Joint(
        torch.ones(1, dtype=torch.float64, device=p.device),
        torch.full((1, K), 1.0 / K, dtype=torch.float64, device=p.device),
    )
    chosen: list[int] = []
    while len(chosen) < n:
        if chosen:
            known.zero_()
            joint = joint.extended(p[:, chosen[-1]], samples, rng)
        row = _best(p, joint, bound, known, place)
        if float(bound[row]) < NOTHING:
            break
        gains[len(chosen)] = bound[row]
        chosen.append(row)
        bound[row] = -torch.inf
    first[chosen] = -torch.inf
    rest = torch.argsort(place)
    rest = rest[torch.sort(first[rest], descending=True, stable=True).indices][: n - len(chosen)]
    picks = torch.cat([torch.tensor(chosen, dtype=torch.int64, device=p.device), rest])
    found = like(picks, posterior)
    return (found, like(gains, posterior)) if return_scores else found


def _best(
    p: torch.Tensor,
    joint: _Joint,
    bound: torch.Tensor,
    known: torch.Tensor,
    place: torch.Tensor,
) -> int:
    """The item that adds most; ``bound`` is lowered to the gain of each item that was scored."""
    size, quick = FIRST, True
    while True:
        open_bound = torch.where(known, -torch.inf, bound)
        best = torch.where(known, bound, -torch.inf).amax()
        rows = torch.topk(open_bound, min(size, len(bound))).indices
        rows = rows[open_bound[rows] > best]
        if not len(rows):
            break
        _lower(bound, rows, p, joint)
        known[rows] = True
        size *= 2
        if quick:
            # The first say how much there is to gain: few of the others can, even by a quick look.
            quick = False
            least = torch.where(known, bound, -torch.inf).amax()
            rows = torch.nonzero(~known & (bound > least))[:, 0]
            merged = joint.merged() if len(rows) > FIRST else None
            if merged is not None:
                _lower(bound, rows, p, merged, ROUNDING)
    at = torch.nonzero(known & (bound >= best))[:, 0]
    return int(at[place[at].argmin()])


def _lower(
    bound: torch.Tensor, rows: torch.Tensor, p: torch.Tensor, joint: _Joint, more: float = 0.0
) -> None:
    """Bound these rows by their gain and ``more``."""
    step = max(1, rows_at_once(p, len(joint.mass), product=True) // p.shape[2])
    for part in rows.split(step):
        bound[part] = torch.minimum(bound[part], joint.gain(p[:, part]).add_(more))


def _thinned(mass: torch.Tensor, n: int, start: float) -> tuple[torch.Tensor, torch.Tensor]:
    """``n`` of more weights, and what they weigh then: the expectation of each is what it was.

    Those above a threshold are kept as they are; of the others, as many are drawn as their sum
    holds thresholds, and weigh as much as the threshold.
    """
    ordered, order = torch.sort(mass, descending=True)
    # With the k largest kept, the threshold is the rest shared by the other n - k draws.
    rest = ordered.flip(0).cumsum(0).flip(0)[:n]
    threshold = rest / torch.arange(n, 0, -1, dtype=mass.dtype, device=mass.device)
    large = int((ordered[:n] > threshold).int().cumprod(0).sum())
    large = min(large, n - 1)
    level = threshold[large]
    steps = torch.cumsum(ordered[large:], 0)
    wanted = n - large
    at = (torch.arange(wanted, dtype=mass.dtype, device=mass.device) + start) * (steps[-1] / wanted)
    drawn = large + torch.searchsorted(steps, at, right=True).clamp_(max=len(steps) - 1)
    kept = torch.cat([torch.arange(large, device=mass.device), drawn])
    weight = torch.cat([ordered[:large], level.expand(wanted)])
    return order[kept], weight
