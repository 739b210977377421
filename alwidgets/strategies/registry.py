"""The query strategies by name, and the one function that asks them for a batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies import auto, selection
from alwidgets.strategies._arrays import Array
from alwidgets.strategies.context import Context

#: Candidates that a strategy which looks at the whole batch at once gets to see.
PICK_LIMIT = 20_000


Score: TypeAlias = Callable[[Context], Array]
Pick: TypeAlias = Callable[[Context, int], Array]


@dataclass(frozen=True)
class Strategy:
    """A way to choose what to label next.

    It has a ``score``, a ``pick`` or both; only ``auto``, which hands over to others, has neither.

    Attributes
    ----------
    name : str
    score : callable or None
        Context -> (n,) scores, higher means label sooner. Sees the pool in chunks.
    pick : callable or None
        Context, n -> rows of the context in the order picked. Sees at most 20,000 candidates: a
        random sample of a larger pool or, if there is a ``score`` too, its best half and random
        others.
    needs_model : bool
    paper : str
        Where it comes from.
    when : str
        When to choose it.
    selection : {"sampled", "top"}
        How scores become a batch. Sampled scores must not be negative.
    beta : float
        Power of the scores when sampled: 0 is uniform, large is close to the top.
    """

    name: str
    score: Score | None = None
    pick: Pick | None = None
    needs_model: bool = True
    paper: str = ""
    when: str = ""
    selection: Literal["sampled", "top"] = "sampled"
    beta: float = 1.0


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
    strategy : str
        The strategy that chose, e.g. ``"margin"`` under ``"auto"``.
    reason : str
        Why that one, in words.
    """

    indices: NDArray[np.int64]
    scores: NDArray[np.float64]
    log_q: NDArray[np.float64]
    strategy: str
    reason: str


_strategies: dict[str, Strategy] = {}


def register(strategy: Strategy) -> Strategy:
    """Make a strategy known by its name; a known name is replaced. Returns the strategy."""
    if not strategy.name or (strategy.name != auto.NAME and not (strategy.score or strategy.pick)):
        raise StrategyError("A strategy needs a name and a score or a pick function.")
    if strategy.selection not in ("sampled", "top"):
        raise StrategyError(f"selection must be 'sampled' or 'top', not {strategy.selection!r}.")
    _strategies[strategy.name] = strategy
    return strategy


def names() -> list[str]:
    """The names of all known strategies."""
    return list(_strategies)


def get(strategy: str | Strategy | Score) -> Strategy:
    """The strategy of that name, or one made from ``f(context) -> scores``.

    A function's scores are used as they are: the highest are labelled first.

    Raises
    ------
    StrategyError
        For an unknown name.
    """
    if isinstance(strategy, Strategy):
        return strategy
    if callable(strategy):
        name = getattr(strategy, "__name__", type(strategy).__name__)
        return Strategy(name, score=strategy, when="your own", selection="top")
    try:
        return _strategies[strategy]
    except (KeyError, TypeError):
        raise StrategyError(
            f"Unknown strategy {strategy!r}: choose one of {', '.join(_strategies)}, "
            "or give a function of the context that returns scores."
        ) from None


def table() -> pd.DataFrame:
    """The known strategies: name, when to use it, whether it needs a model, paper."""
    rows = [
        {
            "strategy": s.name,
            "when": s.when,
            "needs a model": s.needs_model,
            "selection": s.selection,
            "paper": s.paper,
        }
        for s in _strategies.values()
    ]
    return pd.DataFrame(rows).set_index("strategy")


def select(
    strategy: str | Strategy | Score,
    *,
    learner: Any,
    features: Array,
    candidates: Array,
    labelled: Array,
    labels: Array,
    n_classes: int,
    n: int,
    seed: int,
    chunk: int = 65_536,
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
        Rows of the pool to choose from.
    labelled : (l,) int array
        Rows of the pool that are labelled.
    labels : (l,) int array
        Their class codes.
    n_classes, n, seed : int
    chunk : int
        Candidates that are scored at once.

    Returns
    -------
    Selection
        With fewer than ``n`` items where fewer are left.

    Raises
    ------
    StrategyError
        For an unknown name, for NaN or infinity in the features, and where a strategy gives
        scores or rows that cannot be used.
    """
    rows, known = _rows(candidates), _rows(labelled)
    codes = _rows(labels)
    if len(codes) != len(known):
        raise StrategyError(f"{len(known)} labelled items but {len(codes)} labels.")
    chosen, reason = get(strategy), ""
    if chosen.name == auto.NAME:
        name, reason = auto.choose(len(known), codes, n_classes, has_model=learner is not None)
        chosen = get(name)
    elif chosen.needs_model and learner is None:
        reason = f"{chosen.name} needs a model and there is none yet: typical items first"
        chosen = get("representative")
    reason = reason or chosen.when
    device = torch.device("cpu") if learner is None else learner.device
    known_features = _gather(features, known, device)

    def context(part: NDArray[np.int64]) -> Context:
        return Context(
            features=_gather(features, part, device),
            indices=part,
            learner=learner,
            n_classes=n_classes,
            labelled_features=known_features,
            labelled=codes,
            seed=seed,
        )

    n = max(0, min(n, len(rows)))
    if n == 0:
        return Selection(rows[:0], np.empty(0), np.empty(0), chosen.name, reason)
    scores = np.full(len(rows), math.nan)
    if chosen.score is not None:
        step = max(1, chunk)
        parts = [rows[start : start + step] for start in range(0, len(rows), step)]
        scores = np.concatenate([_scored(chosen, context(part)) for part in parts])
        scores = _even(scores)
    if chosen.pick is not None:
        seen = _shortlist(scores, max(PICK_LIMIT, n), seed)
        best = seen[_picked(chosen, context(rows[seen]), n)]
        log_q = np.full(len(best), math.nan)
    elif chosen.selection == "sampled":
        best, log_q = selection.sample(scores, n, beta=chosen.beta, seed=seed)
    else:
        best = selection.top(scores, n, seed=seed)
        log_q = np.full(len(best), math.nan)
    return Selection(rows[best], scores[best], log_q, chosen.name, reason)


def _even(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores without their last bits, in which equal items differ from chunk to chunk."""
    highest = float(np.abs(scores).max())
    step = 2.0 ** (math.frexp(highest)[1] - 18) if highest > 0 else 1.0
    rounded: NDArray[np.float64] = np.round(scores / step) * step
    return rounded


def _shortlist(scores: NDArray[np.float64], limit: int, seed: int) -> NDArray[np.int64]:
    """Up to ``limit`` candidates: all, or random ones, or the best half and random others."""
    order = np.random.default_rng(seed).permutation(len(scores))
    if len(scores) <= limit:
        return np.arange(len(scores))
    if np.isnan(scores[0]):
        return np.sort(order[:limit])
    best = selection.top(scores, limit // 2, seed=seed)
    others = order[~np.isin(order, best)][: limit - len(best)]
    return np.sort(np.concatenate([best, others]))


def _rows(values: Array) -> NDArray[np.int64]:
    array = values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return np.asarray(array).astype(np.int64).reshape(-1)


def _gather(features: Array, rows: NDArray[np.int64], device: torch.device) -> torch.Tensor:
    """(m, d) float32 features of some rows of the pool, all finite."""
    if isinstance(features, torch.Tensor):
        part = features[torch.from_numpy(rows).to(features.device)].to(device, torch.float32)
    else:
        part = torch.from_numpy(np.asarray(features[rows], dtype=np.float32)).to(device)
    finite = torch.isfinite(part).all(dim=1)
    if not bool(finite.all()):
        row = int(rows[int(torch.nonzero(~finite)[0, 0])])
        raise StrategyError(
            f"The features of pool row {row} hold NaN or infinity: encode it again."
        )
    return part


def _host(values: Any) -> NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _scored(strategy: Strategy, context: Context) -> NDArray[np.float64]:
    assert strategy.score is not None
    values = _host(strategy.score(context))
    if values.shape != context.indices.shape or values.dtype.kind not in "fiub":
        raise StrategyError(
            f"Strategy {strategy.name!r} returned {values.dtype} of shape {values.shape} for "
            f"{len(context.indices)} candidates: return one number for each."
        )
    values = values.astype(np.float64)
    bad = ~np.isfinite(values)
    if strategy.selection == "sampled":
        bad |= values < 0
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise StrategyError(
            f"Strategy {strategy.name!r} scored pool row {context.indices[at]} with {values[at]}: "
            "scores must be finite, and not negative when sampled."
        )
    return values


def _picked(strategy: Strategy, context: Context, n: int) -> NDArray[np.int64]:
    assert strategy.pick is not None
    found = _host(strategy.pick(context, n))
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise StrategyError(f"Strategy {strategy.name!r} must return row numbers, not {found!r}.")
    found = found.astype(np.int64)
    outside = (found < 0) | (found >= len(context.indices))
    if outside.any() or len(np.unique(found)) != len(found) or len(found) > n:
        raise StrategyError(
            f"Strategy {strategy.name!r} must pick at most {n} different rows of "
            f"0..{len(context.indices) - 1}, it gave {found.tolist()[:20]}."
        )
    return found
