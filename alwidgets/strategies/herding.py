"""Coverage in a soft sense, of all items or of those in doubt."""

from __future__ import annotations

from typing import Literal, overload

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import checked, clipped, generator
from alwidgets.strategies._blocks import Rows, labelled_rows, no_rows, squared
from alwidgets.strategies.greedy import lazy_greedy
from alwidgets.strategies.selection import sample
from alwidgets.tensors import Array, ArrayT, like
from alwidgets.threads import one_thread

#: Candidates and items to cover of one batch: bounds the kernel at 2,000 x 2,000.
BOUND = 2000
#: Elements of one block of the gain of every candidate.
BLOCK = 1 << 19
#: Power of the uncertainty by which a shortlist is drawn.
SHARP = 4.0


@overload
def max_herding(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def max_herding(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def max_herding(
    embedding: ArrayT,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Greedy cover of the pool.

    :func:`uncertainty_herding` with every item as much in doubt as any other: the candidate that
    adds most to the mean similarity of an item to the nearest chosen or labelled one.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    labelled : (l, d) array or tensor, or None
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the sample of 2,000, where m is larger. Picks beyond it are random.
    return_scores : bool

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the gain of each when it was picked, in the mean similarity. NaN
        for random ones.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.

    References
    ----------
    Bae, Ng, Lo, Ghassemi & Sutherland, "Generalized coverage for more robust low-budget active
    learning", ECCV 2024.
    """
    picks, gains = _herd(embedding, None, labelled, n, seed, None)
    return (picks, gains) if return_scores else picks


@overload
def uncertainty_herding(
    embedding: ArrayT,
    uncertainty: Array,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    shortlist: int | None = None,
    return_scores: Literal[False] = False,
) -> ArrayT: ...


@overload
def uncertainty_herding(
    embedding: ArrayT,
    uncertainty: Array,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    shortlist: int | None = None,
    return_scores: Literal[True],
) -> tuple[ArrayT, ArrayT]: ...


def uncertainty_herding(
    embedding: ArrayT,
    uncertainty: Array,
    labelled: ArrayT | None,
    n: int,
    seed: int = 0,
    *,
    shortlist: int | None = None,
    return_scores: bool = False,
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """Greedy cover of the uncertain part of the pool.

    Again and again the candidate j with the largest gain, the mean over items i of
    u_i * max(0, k(i, j) - max_l k(i, l)), l over what is labelled or chosen: an item is worth as
    much as the doubt about the items near it that nothing near has settled. k is Gaussian, half as
    wide as the median distance from a labelled item to the next, so it narrows as labels come in.

    Parameters
    ----------
    embedding : (m, d) array or tensor
        The candidates.
    uncertainty : (m,) array or tensor
        At least 0.
    labelled : (l, d) array or tensor, or None
    n : int
        How many; all m if there are fewer.
    seed : int
        Of the sample, where m is larger than 2,000: half of the candidates looked at are then the
        most uncertain ones and half random, and the items to cover are a random 2,000. Picks
        beyond these candidates are the most uncertain of the others.
    shortlist : int, optional
        Look at so many candidates only, drawn with probability in proportion to the fourth power
        of the uncertainty (Kirsch et al., "Stochastic batch acquisition", TMLR 2023): what is
        picked is then hard itself, not just near what is hard, and not always hard in the one way
        that the model is most mistaken about. 20 for each item to pick serve well.
    return_scores : bool

    Returns
    -------
    indices : (min(n, m),) int64 array or tensor
        Rows of ``embedding`` in the order picked.
    scores : (min(n, m),) array or tensor
        With ``return_scores``: the gain of each when it was picked. NaN for picks beyond the
        candidates looked at.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row, and for uncertainties that are negative or of another
        number.

    References
    ----------
    Bae, Oh & Sutherland, "Uncertainty herding: one active learning method for all label budgets",
    ICLR 2025.
    """
    u = checked(uncertainty, 1, "uncertainty")
    if len(u) != len(embedding):
        raise StrategyError(f"{len(embedding)} candidates but {len(u)} uncertainties.")
    if len(u) and float(u.min()) < 0:
        row = int(u.argmin())
        raise StrategyError(f"Uncertainty {float(u[row]):g} of row {row} is negative.")
    if shortlist is not None and shortlist < 1:
        raise StrategyError(f"shortlist must be at least 1 or None, not {shortlist}.")
    picks, gains = _herd(embedding, u, labelled, n, seed, shortlist)
    return (picks, gains) if return_scores else picks


@one_thread()
def _herd(
    embedding: ArrayT,
    u: torch.Tensor | None,
    labelled: ArrayT | None,
    n: int,
    seed: int,
    shortlist: int | None,
) -> tuple[ArrayT, ArrayT]:
    """Rows in the order picked and the gain of each, NaN for those that only fill up."""
    pool = Rows(embedding, "embedding")
    pool.check()
    device, m = pool.device, len(pool)
    n = clipped(n, m)
    rng = generator(seed)
    gains = torch.full((n,), torch.nan, dtype=pool.dtype, device=device)
    if n == 0:
        return like(no_rows(pool), embedding), like(gains, embedding)
    # Shuffled, so that the first of equals is a fair draw.
    order = torch.from_numpy(rng.permutation(m)).to(device)
    reference = order[:BOUND]
    candidates = reference
    if u is not None and shortlist is not None:
        size = min(m, BOUND, max(n, shortlist))
        candidates = sample(u, size, beta=SHARP, floor=0.0, seed=seed)[0].to(device)
    elif m > BOUND and u is not None:
        doubtful = order[u.to(device)[order].topk(BOUND // 2).indices]
        random = torch.from_numpy(rng.permutation(m)[: BOUND // 2]).to(device)
        candidates = torch.unique(torch.cat([doubtful, random]))
        candidates = candidates[torch.from_numpy(rng.permutation(len(candidates))).to(device)]
    to_cover, at = pool[reference], pool[candidates]
    known = labelled_rows(labelled, pool)
    # Squared distances by products lose precision far from the origin.
    offset = to_cover.mean(dim=0)
    to_cover, at, known = to_cover - offset, at - offset, known - offset
    width = _width(known if len(known) > 1 else to_cover[:100])
    covered = to_cover.new_zeros(len(to_cover))
    for part in known.split(BOUND) if len(known) else ():
        near = torch.exp(-squared(to_cover, part) / (2 * width)).amax(dim=1)
        covered = torch.maximum(covered, near)
    doubt = to_cover.new_ones(len(to_cover)) if u is None else u.to(to_cover)[reference]
    chosen, found = _cover(at, to_cover, width, doubt, covered, min(n, len(at)))
    gains[: len(chosen)] = torch.tensor(found, dtype=gains.dtype) / len(to_cover)
    picks = candidates[torch.tensor(chosen, device=device)]
    if len(picks) < n:
        left = torch.ones(m, dtype=torch.bool, device=device)
        left[picks] = False
        others = order[left[order]]
        if u is not None:
            others = others[u.to(device)[others].argsort(descending=True, stable=True)]
        picks = torch.cat([picks, others[: n - len(picks)]])
    return like(picks, embedding), like(gains, embedding)


def _cover(
    at: torch.Tensor,
    to_cover: torch.Tensor,
    width: float,
    doubt: torch.Tensor,
    covered: torch.Tensor,
    n: int,
) -> tuple[list[int], list[float]]:
    """Rows of ``at`` by greedy gain, and that gain, summed over ``to_cover``."""
    kernel = squared(at, to_cover).div_(-2 * width).exp_()

    def gains(rows: torch.Tensor) -> torch.Tensor:
        return (kernel[rows] - covered).clamp_(min=0) @ doubt

    def take(row: int) -> None:
        nonlocal covered
        covered = torch.maximum(covered, kernel[row])

    everything = torch.arange(len(at), device=at.device)
    gain = torch.cat([gains(part) for part in everything.split(max(1, BLOCK // len(to_cover)))])
    return lazy_greedy(gain, gains, take, n)


def _width(points: torch.Tensor) -> float:
    """Square of half the median distance to the nearest different point; of up to 2,000 points."""
    squares = squared(points[:BOUND], points[:BOUND])
    # Duplicates say nothing about how far apart items are; nor does rounding.
    least = 1e-6 * float(squares.max())
    squares = torch.where(squares > least, squares, torch.inf)
    nearest = squares.amin(dim=1)
    nearest = nearest[torch.isfinite(nearest)]
    return 0.25 * float(nearest.median()) if len(nearest) else 1.0
