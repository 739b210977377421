"""k-means and its start, on the device of the points."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.strategies._blocks import norms, squared
from alwidgets.strategies.neighbours import BLOCK, lowest, nearest
from alwidgets.threads import one_thread

#: Rows that the centres are fitted to, at least; and rows for each centre, at least.
FIT_ROWS, FIT_ROWS_EACH = 20_000, 40
#: Multiplications from which a product is worth more than one thread: some 20 ms of one.
WORTH_SHARING = 1 << 30
#: Proposals that are looked at together.
PROPOSALS = 256
#: Rejected proposals, and one for each 64 rows, that cost about as much as measuring all rows.
PATIENCE = 256

Indices = NDArray[np.int64]


def plus_plus(
    bound: torch.Tensor,
    between: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    refresh: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    chosen: list[int],
    n: int,
    rng: np.random.Generator,
) -> tuple[Indices, NDArray[np.float64]]:
    """Rows drawn one after the other with probability ∝ squared distance to the nearest chosen.

    The distances only fall, so an old one bounds what it is now: a row is proposed in proportion
    to its bound and kept with probability distance / bound, which is the same draw as with every
    distance up to date (rejection sampling). All rows are measured again, against all new choices
    in one matrix product, only when as much work has gone into rejected proposals.

    Parameters
    ----------
    bound : (m,) tensor
        At least the squared distance of each row to the nearest of ``chosen``.
    between : callable
        Rows (r,), rows (c,) -> (r, c) squared distances.
    refresh : callable
        Rows (c,), bound (m,) -> new bound, squared distances to these rows included; 0 for what
        is as near as rounding can tell.
    chosen : list of int
        Where to start: at least one row.
    n : int
        How many rows in all, at most m.
    rng : numpy.random.Generator

    Returns
    -------
    rows : (n,) int64
        ``chosen`` and what was drawn, distinct. Where only copies of chosen rows are left: random
        ones of them.
    gaps : (n,) float64
        The squared distance of each to the nearest before it when it was drawn; NaN for those of
        ``chosen``, 0 for copies.

    References
    ----------
    Arthur & Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
    """
    m, device = len(bound), bound.device
    chosen = list(chosen)
    gaps = [np.nan] * len(chosen)
    patience = PATIENCE + m // 64
    measured = wasted = 0
    bound = _without(bound, chosen)
    cumulative = torch.cumsum(bound.double(), dim=0)
    while len(chosen) < n:
        total = float(cumulative[-1])
        if not total > 0:
            break
        if wasted > patience:
            # Nothing was kept since the last look at all rows: what is left is rounding.
            if measured == len(chosen):
                break
            bound = refresh(torch.tensor(chosen[measured:], device=device), bound)
            bound = _without(bound, chosen)
            cumulative = torch.cumsum(bound.double(), dim=0)
            measured, wasted = len(chosen), 0
            continue
        lots = torch.from_numpy(rng.random(PROPOSALS) * total).to(device)
        rows = torch.searchsorted(cumulative, lots, right=True).clamp_(max=m - 1)
        others = torch.cat([torch.tensor(chosen, device=device), rows])
        away = between(rows, others).double().cpu().numpy()
        gap, mutual = away[:, : len(chosen)].min(axis=1), away[:, len(chosen) :]
        host = rows.cpu().numpy()
        gap[np.isin(host, chosen)] = 0.0
        hurdle = rng.random(PROPOSALS) * bound[rows].double().cpu().numpy()
        at, before = 0, len(chosen)
        while len(chosen) < n:
            over = np.flatnonzero(hurdle[at:] < gap[at:])
            if not len(over):
                break
            at += int(over[0])
            chosen.append(int(host[at]))
            gaps.append(float(gap[at]))
            gap = np.minimum(gap, mutual[:, at])
            gap[host == host[at]] = 0.0
            at += 1
        wasted += PROPOSALS - (len(chosen) - before)
    if len(chosen) < n:
        left = np.setdiff1d(np.arange(m), chosen)
        chosen.extend(rng.choice(left, n - len(chosen), replace=False).tolist())
        gaps.extend([0.0] * (n - len(gaps)))
    return np.array(chosen[:n], dtype=np.int64), np.array(gaps[:n])


def _without(bound: torch.Tensor, chosen: list[int]) -> torch.Tensor:
    bound = bound.clone()
    bound[torch.tensor(chosen, device=bound.device)] = 0.0
    return bound


def kmeans(
    X: torch.Tensor, k: int, seed: int, *, iterations: int = 25, own: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Lloyd's algorithm from a k-means++ start.

    The centres are fitted to at most 20,000 random rows, or 40 for each centre if that is more;
    every row then belongs to the nearest.

    Parameters
    ----------
    X : (n, d) tensor
    k : int
        At most n.
    seed : int
    iterations : int
        At most; fewer if nothing changes any more.
    own : bool
        ``X`` is the caller's own copy: it may be moved to its mean, which saves another one.

    Returns
    -------
    centres : (k, d) tensor
        Duplicates may leave centres without a row: they own nothing then.
    owners : (n,) int64 tensor
    """
    rng = np.random.default_rng(seed)
    limit = max(FIT_ROWS, FIT_ROWS_EACH * k)
    fit = X
    if len(X) > limit:
        fit = X[torch.from_numpy(rng.permutation(len(X))[:limit]).to(X.device)]
    # Squared distances by products lose precision far from the origin.
    offset = fit.mean(dim=0)
    fit = fit.sub_(offset) if own or fit is not X else fit - offset
    moved = own and fit is X
    centres = fit[torch.from_numpy(_start(fit, k, rng)).to(X.device)]
    owner = torch.zeros(len(fit), dtype=torch.int64, device=X.device)
    settled = False
    for step in range(iterations):
        previous = owner
        owner = _owners(fit, centres)
        settled = step > 0 and torch.equal(owner, previous)
        if settled:
            break
        with one_thread():
            counts = torch.bincount(owner, minlength=k).to(X.dtype)
            sums = torch.zeros_like(centres).index_add_(0, owner, fit)
            filled = counts > 0
            centres = torch.where(filled[:, None], sums / counts.clamp(min=1)[:, None], centres)
    if len(fit) < len(X) or not settled:
        parts = (part if moved else part - offset for part in X.split(FIT_ROWS))
        owner = torch.cat([_owners(part, centres) for part in parts])
    return centres + offset, owner


def _owners(X: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """The nearest centre of each row; its own length does not matter for that."""
    owner = torch.empty(len(X), dtype=torch.int64, device=X.device)
    lengths = norms(centres)
    to = centres.T * -2.0
    # The product alone may be worth the threads: then in few steps.
    shared = X.numel() * len(centres) >= WORTH_SHARING
    step = max(1, (4 * BLOCK if shared else BLOCK) // len(centres))
    for part, out in zip(X.split(step), owner.split(step), strict=True):
        with nullcontext() if shared else one_thread():
            gaps = part @ to
        with one_thread():
            out.copy_(lowest(gaps.add_(lengths))[1])
    return owner


@one_thread()
def _start(X: torch.Tensor, k: int, rng: np.random.Generator) -> Indices:
    """Rows of ``X`` to start from, by k-means++."""
    length = norms(X)
    rounding = 8 * torch.finfo(X.dtype).eps

    def between(rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        return squared(X[rows], X[others])

    def refresh(others: torch.Tensor, bound: torch.Tensor) -> torch.Tensor:
        gap, at = nearest(X, X[others])
        gap = torch.where(gap > rounding * (length + length[others[at]]), gap, 0.0)
        return torch.minimum(bound, gap)

    first = torch.tensor([int(rng.integers(len(X)))], device=X.device)
    bound = refresh(first, torch.full_like(length, torch.inf))
    return plus_plus(bound, between, refresh, first.tolist(), k, rng)[0]
