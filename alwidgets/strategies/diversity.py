"""Items that cover the pool. Nothing here is quadratic in the number of items."""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np
import torch

from alwidgets.strategies._arrays import clipped, generator
from alwidgets.strategies._blocks import Rows, answer, labelled_rows, no_rows, no_scores, norms
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.neighbours import nearest_gap
from alwidgets.tensors import ArrayT
from alwidgets.threads import one_thread

#: Rows that k-means looks at: more change the centroids little.
SAMPLE = 20_000
#: Labelled rows that every candidate is held against; the others only where they can matter.
FIRST = 64
#: Rows at the front that are kept up to date, and those kept when it is full.
FRONT, KEPT = 2048, 1024
#: Older rows that are brought up to date at once, and those of them that come to the front.
LATE, ADDED = 2048, 512


@overload
def k_center(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def k_center(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def k_center(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Greedy core-set: again and again the item farthest from everything chosen or labelled.

    Exact, yet few distances are computed. Those to the nearest chosen item only fall, so an old
    one bounds what it is now: only rows whose old distance exceeds the largest up-to-date one are
    measured again, against all new choices in one matrix product.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
        What is labelled already. Without any, the first pick is drawn at random.
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the first pick and of the ties.
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the distance of each to the nearest labelled or picked item when it
        was picked. NaN for a first pick at random.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row.

    References
    ----------
    Sener & Savarese, "Active learning for convolutional neural networks: a core-set approach",
    ICLR 2018. Minoux, "Accelerated greedy algorithms for maximizing submodular set functions",
    1978, for the old bounds.
    """
    h = Rows(embedding, "embedding")
    m = len(h)
    n, rng = clipped(n, m), generator(seed)
    if n == 0:
        return answer(no_rows(h), no_scores(h), embedding, return_scores)
    # From here on, rows go by their place in a random order: the first of equals is a fair draw.
    order = torch.from_numpy(rng.permutation(m)).to(h.device)
    # Squared distances by products lose precision far from the origin.
    h.offset = h[order[:1000]].mean(dim=0)
    chosen: list[int] = []
    gaps: list[float] = []
    known = labelled_rows(labelled, h)
    if len(known):
        known = known[torch.from_numpy(rng.permutation(len(known))).to(h.device)]
    else:
        chosen.append(0)
        gaps.append(math.nan)
        known = h[order[:1]]
    gap = torch.empty(m, dtype=h.dtype, device=h.device)
    with one_thread():
        for where, part in h.blocks(min(FIRST, len(known))):
            gap[where] = nearest_gap(part, known[:FIRST])
        front = _Front(h, order, gap[order], known, n)
        for place in chosen:
            front.gap[place] = -1.0
        while len(chosen) < n:
            place, away = front.take()
            chosen.append(place)
            gaps.append(away)
    picks = order[torch.tensor(chosen, device=h.device)]
    scores = torch.tensor(gaps, dtype=h.dtype, device=h.device).sqrt_()
    return answer(picks, scores, embedding, return_scores)


class _Front:
    """The rows that are farthest from all centres, up to date; old bounds for the others."""

    def __init__(
        self, h: Rows, order: torch.Tensor, gap: torch.Tensor, known: torch.Tensor, n: int
    ) -> None:
        self.h, self.order = h, order
        #: Of each row, a bound on its squared distance to the nearest centre; -1 if at the front.
        self.gap = gap
        self.n_known = len(known)
        #: Centres that this bound takes into account.
        self.seen = torch.full((len(gap),), min(FIRST, len(known)), device=h.device)
        self.centres = torch.cat([known, known.new_empty(n, h.width)])
        self.count = len(known)
        size = min(FRONT, len(gap))
        self.points = known.new_empty(size, h.width)
        self.squares = known.new_empty(size)
        self.places = torch.empty(size, dtype=torch.int64, device=h.device)
        #: -1 for what was taken.
        self.gaps = known.new_empty(size)
        self.used = 0

    def take(self) -> tuple[int, float]:
        """The place of the farthest row, which becomes a centre, and its squared distance."""
        while True:
            best = float(self.gaps[: self.used].max()) if self.used else -1.0
            if float(self.gap.max()) <= best:
                break
            self._add(torch.nonzero(self.gap > best)[:, 0])
        used = slice(0, self.used)
        ties = torch.nonzero(self.gaps[used] == best)[:, 0]
        row = int(ties[self.places[ties].argmin()])
        self.centres[self.count] = centre = self.points[row]
        self.count += 1
        away = torch.mv(self.points[used], centre).mul_(-2.0)
        away.add_(self.squares[used]).add_(self.squares[row]).clamp_(min=0.0)
        # What was taken has -1 and keeps it.
        torch.minimum(self.gaps[used], away, out=self.gaps[used])
        self.gaps[row] = -1.0
        return int(self.places[row]), best

    def _add(self, late: torch.Tensor) -> None:
        """Bring these rows up to date, the highest bounds first; the farthest come to the front."""
        if len(late) > LATE:
            late = late[self.gap[late].topk(LATE).indices]
        gap = self.gap[late]
        points = self.h[self.order[late]]
        # Rows that were never held against all that is labelled have far more to catch up with.
        new = self.seen[late] < self.n_known
        mixed = bool(new.any()) and not bool(new.all())
        groups = [torch.nonzero(part)[:, 0] for part in (new, ~new)] if mixed else [slice(None)]
        for group in groups:
            since = int(self.seen[late[group]].min())
            if since < self.count:
                away = nearest_gap(points[group], self.centres[since : self.count])
                gap[group] = torch.minimum(gap[group], away)
        self.gap[late], self.seen[late] = gap, self.count
        best = gap.topk(min(ADDED, len(gap))).indices
        if self.used + len(best) > len(self.gaps):
            self._shrink()
            best = best[: len(self.gaps) - self.used]
        new_rows = slice(self.used, self.used + len(best))
        self.points[new_rows] = points[best]
        self.squares[new_rows] = norms(points[best])
        self.places[new_rows] = late[best]
        self.gaps[new_rows] = gap[best]
        self.gap[late[best]] = -1.0
        self.used += len(best)

    def _shrink(self) -> None:
        """Send the nearest rows of the front back to the others."""
        used = slice(0, self.used)
        keep = self.gaps[used].topk(min(KEPT, self.used // 2)).indices
        self.gap[self.places[used]] = self.gaps[used]
        self.seen[self.places[used]] = self.count
        size = len(keep)
        for held in (self.points, self.squares, self.places, self.gaps):
            held[:size] = held[keep]
        self.gap[self.places[:size]] = -1.0
        self.used = size


@overload
def representative(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def representative(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def representative(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Typical items of as many different regions as possible, for a cold start.

    k-means with one cluster for each item that is or will be labelled; the clusters without a
    label, largest first, each give the item nearest to their centroid. The largest pools are
    clustered on a random sample of 20,000 rows.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
        What is labelled already.
    n : int
        How many; all m if there are fewer.
    seed : int
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked, distinct.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: how typical each is of its cluster, 1 / (distance to the centroid);
        infinite at the centroid, NaN for an item alone in its cluster. Between clusters it decides
        nothing.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row.

    References
    ----------
    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets" (TypiClust), ICML 2022; nearness to the centroid stands in for their density.
    """
    pool = Rows(embedding, "embedding")
    pool.check()
    m = len(pool)
    n, rng = clipped(n, m), generator(seed)
    if n == 0:
        return answer(no_rows(pool), no_scores(pool), embedding, return_scores)
    rows = rng.permutation(m)[: max(SAMPLE, n)]
    h = pool[torch.from_numpy(rows).to(pool.device)]
    known = labelled_rows(labelled, pool)
    everything = torch.cat([h, known])
    clusters = min(len(known) + n, 500, len(everything))
    centres, owner = kmeans(everything, max(clusters, min(n, len(h))), seed, own=True)
    gaps = norms(h - centres[owner[: len(h)]]).cpu().numpy()
    owners = owner.cpu().numpy()
    own = owners[: len(h)]
    size = np.bincount(own, minlength=len(centres))
    held = np.bincount(owners[len(h) :], minlength=len(centres))
    # Cycle over the clusters: fewest labels first, then the largest; each gives its next item.
    by_gap = np.lexsort((gaps, own))
    starts = np.r_[0, np.cumsum(size)[:-1]]
    turn = np.empty(len(h), dtype=np.int64)
    turn[by_gap] = np.arange(len(h)) - np.repeat(starts, size)
    best = np.lexsort((-size[own], turn + held[own]))[:n]
    alone = (size + held)[own[best]] == 1
    with np.errstate(divide="ignore"):
        typical = np.where(alone, np.nan, 1.0 / np.sqrt(gaps[best]))
    picks = torch.from_numpy(rows[best]).to(pool.device)
    scores = torch.from_numpy(typical).to(pool.device, pool.dtype)
    return answer(picks, scores, embedding, return_scores)
