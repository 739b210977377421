"""Coverage by balls of one radius."""

from __future__ import annotations

import math
from typing import Literal, overload

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import clipped, generator
from alwidgets.strategies._blocks import Rows, answer, labelled_rows, no_rows, no_scores, squared
from alwidgets.strategies.clustering import kmeans
from alwidgets.strategies.greedy import lazy_greedy
from alwidgets.tensors import ArrayT
from alwidgets.threads import one_thread

#: Candidates that cover and are covered: a larger pool is represented by a random sample.
SAMPLE = 8192
#: Balls by which the purity of a radius is judged.
JUDGED = 2048
#: Rows that are held against the whole sample at once.
BLOCK = 512
PURITY = 0.95


@overload
def prob_cover(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    classes: int,
    delta: float | None = None,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def prob_cover(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    classes: int,
    delta: float | None = None,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def prob_cover(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    classes: int,
    delta: float | None = None,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """The items whose balls of radius ``delta`` cover most of the pool.

    Again and again the candidate with the most uncovered candidates nearer than ``delta``; what
    is labelled covers first. Once everything is covered, random items follow. Of more than 8,192
    candidates a random 8,192 are looked at.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
        What is labelled already.
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the sample, of k-means and of the ties.
    classes : int
        Number of classes, at least 1.
    delta : float, optional
        Radius, in the units of the embedding. By default :func:`pure_radius`.
    return_scores : bool
        Also return what each was picked for.

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: how many candidates, of those looked at, each was the first to
        cover; 0 for the random ones at the end.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row, and for a radius or
        number of classes that is not positive.

    References
    ----------
    Yehuda, Dekel, Hacohen & Weinshall, "Active learning through a covering lens", NeurIPS 2022.
    """
    if classes < 1:
        raise StrategyError(f"classes must be at least 1, not {classes}.")
    if delta is not None and not delta > 0:
        raise StrategyError(f"delta is a distance: give a number above 0, not {delta}.")
    pool = Rows(embedding, "embedding")
    pool.check()
    m = len(pool)
    n, rng = clipped(n, m), generator(seed)
    if n == 0:
        return answer(no_rows(pool), no_scores(pool), embedding, return_scores)
    # Shuffled, so that the first of equals is a fair draw.
    rows = torch.from_numpy(rng.permutation(m)).to(pool.device)
    # Squared distances by products lose precision far from the origin.
    pool.offset = pool[rows[:1000]].mean(dim=0)
    h = pool[rows[:SAMPLE]]
    radius = pure_radius(h, classes, seed) if delta is None else delta
    covered = torch.zeros(len(h), dtype=torch.bool, device=h.device)
    known = labelled_rows(labelled, pool)
    for part in known.split(BLOCK) if len(known) else ():
        covered |= _near(part, h, radius).any(dim=0)
    places, counts = _cover(h, radius, covered, n)
    chosen = torch.tensor(places, dtype=torch.int64, device=h.device)
    left = torch.ones(m, dtype=torch.bool, device=h.device)
    left[chosen] = False
    others = torch.nonzero(left)[: n - len(chosen), 0]
    picked = rows[torch.cat([chosen, others])]
    scores = torch.zeros(n, dtype=pool.dtype, device=pool.device)
    scores[: len(counts)] = torch.tensor(counts)
    return answer(picked, scores, embedding, return_scores)


def pure_radius(h: torch.Tensor, classes: int, seed: int) -> float:
    """The largest radius at which 95 % of the balls hold items of one cluster only.

    Clusters are those of k-means with one for each class. A ball is pure as long as its radius is
    at most the distance from its centre to the nearest item of another cluster, so the answer is a
    quantile of these distances. Judged by at most 2,048 balls.

    Parameters
    ----------
    h : (r, d) tensor
        At least one row, in random order.
    classes : int
    seed : int

    Returns
    -------
    float
        A distance; infinity where there is one cluster only.
    """
    owner = kmeans(h, min(classes, len(h)), seed)[1]
    gaps = []
    for part, own in zip(h[:JUDGED].split(BLOCK), owner[:JUDGED].split(BLOCK), strict=True):
        away = squared(part, h).masked_fill_(own[:, None] == owner, torch.inf)
        gaps.append(away.amin(dim=1))
    gap = torch.cat(gaps).sort().values
    return math.sqrt(float(gap[int((1 - PURITY) * len(gap) + 1e-9)]))


def _near(X: torch.Tensor, to: torch.Tensor, radius: float) -> torch.Tensor:
    return squared(X, to) < radius**2


@one_thread()
def _cover(
    h: torch.Tensor, radius: float, covered: torch.Tensor, n: int
) -> tuple[list[int], list[float]]:
    """Rows by the number of uncovered rows in their ball, until everything is covered; the numbers.

    No graph is held: balls are counted anew.
    """

    def counts(rows: torch.Tensor) -> torch.Tensor:
        return (_near(h[rows], h, radius) & ~covered).sum(dim=1, dtype=torch.float32)

    def take(row: int) -> None:
        nonlocal covered
        covered = covered | _near(h[row : row + 1], h, radius)[0]

    everything = torch.arange(len(h), device=h.device)
    count = torch.cat([counts(part) for part in everything.split(BLOCK)])
    return lazy_greedy(count, counts, take, min(n, len(h)), least=0.0)
