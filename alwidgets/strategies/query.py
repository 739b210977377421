"""Ask a strategy for the next batch: one pass over the pool in chunks, then a pick."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import FewerItemsWarning, NoModelError, StrategyError
from alwidgets.strategies import auto, selection
from alwidgets.strategies.chunks import CHUNK, Chunks, Observer, gather, host, precision
from alwidgets.strategies.context import Context, Known
from alwidgets.strategies.registry import AUTO, Strategy, get, suited
from alwidgets.tensors import Array

#: Candidates that a strategy which looks at the whole batch at once gets to see.
PICK_LIMIT = 20_000
#: Candidates that it sees for each item to pick, at least.
CHOICE = 3
#: Items of the sample that stands for the pool.
REFERENCE = 2_000
#: Below this the last bits of single precision are no longer numbers.
FAINT = 1e-30


@dataclass(frozen=True)
class Selection:
    """A batch.

    Attributes
    ----------
    indices : (m,) int64
        Rows of the pool, in the order picked.
    scores : (m,) float64
        NaN where the strategy gives none.
    log_q : (m,) float64
        Log-probability of each draw among what remained; NaN for deterministic picks.
    at_random : (m,) bool
        Which of them were drawn uniformly among what remained.
    strategy : str
        The strategy that chose the others, e.g. ``"margin"`` under ``"auto"``.
    reason : str
        Why that one, in words.
    """

    indices: NDArray[np.int64]
    scores: NDArray[np.float64]
    log_q: NDArray[np.float64]
    at_random: NDArray[np.bool_]
    strategy: str
    reason: str


def select(
    strategy: str | Strategy | Callable[..., Any],
    *,
    learner: Any,
    features: Array,
    candidates: Array,
    labelled: Array,
    labels: Array,
    n_classes: int,
    n: int,
    seed: int,
    chunk: int = CHUNK,
    costs: NDArray[np.float64] | None = None,
    observe: Observer | None = None,
    losing: str | None = None,
    lots: bool = True,
    finite: bool = False,
) -> Selection:
    """Choose up to ``n`` candidates to label next.

    Parameters
    ----------
    strategy : str, Strategy or callable
    learner : Learner or None
        Without one, a strategy that needs a model falls back on ``representative``.
    features : (N, d) array or tensor
        Of the whole pool; may be memory-mapped. Read in chunks.
    candidates : (m,) int array
        Rows of the pool to choose from; those that are labelled are left out.
    labelled : (l,) int array
        Rows of the pool that are labelled.
    labels : (l,) or (l, C) int array
        Their class codes; where items may have several labels 0 and 1 for each of them.
    n_classes, n, seed : int
    chunk : int
        Rows that are scored at once.
    costs : (N,) array, optional
        Of a label for each item, in any unit, for ``per_cost``.
    observe : callable, optional
        Gets the first row and the context of every chunk of the whole pool, labelled items too:
        what it asks the model is not asked again.
    losing : str, optional
        Evidence that active selection is worse than random, in words, for ``auto``.
    lots : bool
        Whether ``auto`` puts a few uniform draws among its picks.
    finite : bool
        Whether the features are known to hold no NaN or infinity: then nobody looks again.

    Returns
    -------
    Selection
        With fewer than ``n`` items, and a `FewerItemsWarning`, where fewer are left.

    Raises
    ------
    StrategyError
        For an unknown name, for a strategy of the other kind of labels, for rows that the pool
        does not have, for NaN or infinity in the features, and where a strategy gives scores or
        rows that cannot be used.
    """
    known_rows, codes = _rows(labelled, len(features)), _labels(labels)
    rows = _open(_rows(candidates, len(features)), known_rows)
    if len(codes) != len(known_rows):
        raise StrategyError(f"{len(known_rows)} labelled items but {len(codes)} labels.")
    if learner is not None:
        device = learner.device
    else:
        device = features.device if isinstance(features, torch.Tensor) else torch.device("cpu")
    known = Known(
        learner,
        n_classes,
        gather(features, known_rows, device, finite=finite),
        codes,
        lambda: gather(features, _some(rows, seed), device, finite=finite),
        seed,
    )
    chosen, reason = _resolve(strategy, known, losing)
    if n > len(rows):
        warnings.warn(
            f"{n} items were asked for and {len(rows)} are left.", FewerItemsWarning, stacklevel=2
        )
    n = max(0, min(n, len(rows)))
    pool = Chunks(features, rows, known_rows, known, costs, device, max(1, chunk), observe, finite)
    try:
        found = _chosen(chosen, reason, pool, n)
    except NoModelError:
        if learner is not None:
            raise
        chosen, reason = _instead(chosen)
        found = _chosen(chosen, reason, pool, n)
    is_auto = lots and get(strategy).name == AUTO
    if is_auto and chosen.name != "random" and learner is not None and n:
        return _with_lots(found, rows, len(codes), seed)
    return found


def _chosen(strategy: Strategy, reason: str, pool: Chunks, n: int) -> Selection:
    """The batch that a strategy makes of the pool."""
    if strategy.restrict is not None and n:
        near = strategy.restrict(pool.features, pool.labelled, pool.rows, pool.device)
        # Too few near the labels, none in the beginning: then all of them.
        pool = replace(pool, rows=near if len(near) >= n else pool.rows)
    rows = pool.rows
    if n == 0 or strategy.score is None:
        pool.show()
        scores = torch.full((len(rows),), math.nan, device=pool.device)
    else:
        scores = pool.scored(strategy)
        if precision(strategy) == torch.float32:
            scores = _even(scores)
    if n == 0:
        none = np.empty(0)
        return Selection(rows[:0], none, none, none.astype(bool), strategy.name, reason)
    best, values, log_q = _choose(strategy, pool, scores, n)
    at_random = np.full(len(best), strategy.name == "random")
    return Selection(rows[best], values, log_q, at_random, strategy.name, reason)


def _with_lots(found: Selection, rows: NDArray[np.int64], labels: int, seed: int) -> Selection:
    """The batch with a few uniform draws in it; these have no score."""
    best = np.searchsorted(rows, found.indices)
    kept, log_q, at_random = auto.explore(best, found.log_q, len(rows), labels, seed)
    place = {row: i for i, row in enumerate(best.tolist())}
    scores = [
        math.nan if lot else float(found.scores[place[row]])
        for row, lot in zip(kept.tolist(), at_random.tolist(), strict=True)
    ]
    return replace(
        found,
        indices=rows[kept],
        scores=np.array(scores),
        log_q=log_q,
        at_random=at_random,
    )


def _resolve(
    strategy: str | Strategy | Callable[..., Any], known: Known, losing: str | None
) -> tuple[Strategy, str]:
    """The strategy that chooses, and why."""
    chosen = suited(strategy, known.multilabel)
    if chosen.name == AUTO:
        name, reason = auto.choose(known, losing)
        return get(name), reason
    if chosen.needs_model and known.learner is None:
        return _instead(chosen)
    return chosen, chosen.when


def _instead(strategy: Strategy) -> tuple[Strategy, str]:
    """What chooses while there is no model, and why."""
    reason = f"{strategy.name} needs a model and there is none yet: typical items first"
    return get("representative"), reason


#: Positions among the candidates, their scores, and the log-probabilities of their draws.
_Choice: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


def _choose(strategy: Strategy, pool: Chunks, scores: torch.Tensor, n: int) -> _Choice:
    seed = pool.known.seed
    if strategy.pick is not None:
        # A choice takes more than what is chosen.
        limit = max(strategy.candidates or PICK_LIMIT, CHOICE * n)
        seen = _shortlist(scores, limit, seed, scored=strategy.score is not None)
        picked, own = _picked(strategy, pool.context(pool.rows[seen]), n)
        return _certain(seen[picked], scores, own)
    if strategy.selection == "sampled":
        drawn, log_q = selection.sample(
            scores, n, beta=strategy.beta, floor=strategy.floor, seed=seed
        )
        best, values, _ = _certain(host(drawn), scores)
        return best, values, host(log_q).astype(np.float64)
    if strategy.selection == "top":
        return _certain(host(selection.top(scores, n, seed=seed)), scores)
    seen = host(selection.top(scores, min(max(PICK_LIMIT, n), len(scores)), seed=seed))
    embedding = pool.context(pool.rows[seen]).embedding
    weights = scores[torch.from_numpy(seen).to(scores.device)]
    return _certain(seen[host(selection.diverse(weights, embedding, n, seed=seed))], scores)


def _certain(
    best: NDArray[np.int64], scores: torch.Tensor, own: NDArray[np.float64] | None = None
) -> _Choice:
    """Picks that were not drawn: nobody knows their probability."""
    values = host(scores)[best].astype(np.float64) if own is None else own
    return best, values, np.full(len(best), math.nan)


def _some(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A random sample of rows, in random order: any beginning of it is one, too."""
    rng = np.random.default_rng(seed)
    size = min(REFERENCE, len(rows))
    return rng.choice(rows, size, replace=False, shuffle=True)


def _even(scores: torch.Tensor) -> torch.Tensor:
    """Scores without their last bits, in which equal items differ from chunk to chunk."""
    highest = float(scores.abs().max())
    if highest < FAINT:
        return scores
    step = 2.0 ** (math.frexp(highest)[1] - 18)
    return scores.div_(step).round_().mul_(step)


def _shortlist(scores: torch.Tensor, limit: int, seed: int, *, scored: bool) -> NDArray[np.int64]:
    """Up to ``limit`` candidates: all, or random ones, or the best half and random others."""
    m = len(scores)
    if m <= limit:
        return np.arange(m)
    rng = np.random.default_rng(seed)
    if not scored:
        return np.sort(rng.choice(m, limit, replace=False))
    best = host(selection.top(scores, limit // 2, seed=seed))
    free = np.ones(m, dtype=bool)
    free[best] = False
    others = rng.choice(np.flatnonzero(free), limit - len(best), replace=False)
    return np.sort(np.concatenate([best, others]))


def _rows(values: Array, n: int) -> NDArray[np.int64]:
    """Rows of a pool of n items."""
    rows = _codes(values)
    if len(rows) and not 0 <= rows.min() <= rows.max() < n:
        wrong = rows[(rows < 0) | (rows >= n)][0]
        raise StrategyError(f"There is no row {wrong} in a pool of {n:,} items.")
    return rows


def _labels(values: Array) -> NDArray[np.int64]:
    """Class codes (l,), or 0 and 1 for each label (l, C)."""
    given = host(values)
    if given.ndim != 2:
        return _codes(given)
    if not np.isin(given, (0, 1)).all():
        raise StrategyError("A table of labels must hold 0 and 1 only, a column for each label.")
    return given.astype(np.int64)


def _codes(values: Array) -> NDArray[np.int64]:
    given = host(values).reshape(-1)
    if len(given) and given.dtype.kind not in "iu":
        raise StrategyError(f"Rows and class codes must be integers, not {given.dtype}.")
    return given.astype(np.int64, copy=False)


def _open(rows: NDArray[np.int64], labelled: NDArray[np.int64]) -> NDArray[np.int64]:
    """The candidates in order, each once, and none that has a label."""
    if (rows[1:] <= rows[:-1]).any():
        rows = np.unique(rows)
    at = np.searchsorted(rows, labelled)
    inside = at < len(rows)
    at = at[inside]
    taken = at[rows[at] == labelled[inside]]
    return np.delete(rows, taken) if len(taken) else rows


def _picked(
    strategy: Strategy, context: Context, n: int
) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Rows of the context, and their scores where the strategy gives these, too."""
    assert strategy.pick is not None
    given = strategy.pick(context, n)
    own = None
    if isinstance(given, tuple):
        given, values = given
        own = host(values).astype(np.float64)
    found = host(given)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise StrategyError(f"Strategy {strategy.name!r} must return row numbers, not {found!r}.")
    if own is not None and own.shape != found.shape:
        raise StrategyError(
            f"Strategy {strategy.name!r} picked {len(found)} rows and gave scores of shape "
            f"{own.shape}: give one for each."
        )
    found = found.astype(np.int64)
    outside = (found < 0) | (found >= len(context.indices))
    if outside.any() or len(np.unique(found)) != len(found) or len(found) > n:
        raise StrategyError(
            f"Strategy {strategy.name!r} must pick at most {n} different rows of "
            f"0..{len(context.indices) - 1}, it gave {found.tolist()[:20]}."
        )
    return found, own
