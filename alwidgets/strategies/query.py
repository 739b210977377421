"""Ask a strategy for the next batch: one pass over the pool in chunks, then a pick."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import FewerItemsWarning, StrategyError
from alwidgets.strategies import auto, selection
from alwidgets.strategies._arrays import Array, as_tensor, bad_row
from alwidgets.strategies.context import Context, Known
from alwidgets.strategies.registry import AUTO, Strategy, get

#: Candidates that a strategy which looks at the whole batch at once gets to see.
PICK_LIMIT = 20_000
#: Candidates that it sees for each item to pick, at least.
CHOICE = 3
#: Items of the sample that stands for the pool.
REFERENCE = 2_000
#: Rows of the pool that are scored at once.
CHUNK = 65_536

#: Gets each chunk of the pool: the first row and the context.
Observer = Callable[[int, Context], None]


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


@dataclass(frozen=True)
class _Pool:
    """The pool as a strategy sees it: rows to choose from, and how to get at them."""

    features: Array
    rows: NDArray[np.int64]
    known: Known
    costs: NDArray[np.float64] | None
    device: torch.device
    chunk: int
    observe: Observer | None

    def context(self, part: slice | NDArray[np.int64]) -> Context:
        rows = np.arange(part.start, part.stop) if isinstance(part, slice) else part
        features = gather(self.features, part, self.device)
        return Context(features, rows, self.known, self.costs)

    def scored(self, strategy: Strategy) -> torch.Tensor:
        """(m,) float32 scores of the candidates, on the device."""
        if 2 * len(self.rows) < len(self.features):
            # Few candidates: only they are scored.
            self.show()
            parts = (self.rows[at : at + self.chunk] for at in range(0, len(self.rows), self.chunk))
            return torch.cat([_scores(strategy, self.context(part)) for part in parts])
        # Many: whole stretches of the pool are read without being copied together first.
        found = torch.empty(len(self.features), dtype=_precision(strategy), device=self.device)
        for context in self.walk():
            found[context.indices[0] : context.indices[-1] + 1] = _scores(strategy, context)
        return found[torch.from_numpy(self.rows).to(self.device)]

    def show(self) -> None:
        """Let the observer see the whole pool, where nothing is scored on the way."""
        if self.observe is not None:
            for _ in self.walk():
                pass

    def walk(self) -> Iterator[Context]:
        """Every chunk of the pool, seen by the observer first."""
        for start in range(0, len(self.features), self.chunk):
            context = self.context(slice(start, min(start + self.chunk, len(self.features))))
            if self.observe is not None:
                self.observe(start, context)
            yield context


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
        Rows that are scored at once.
    costs : (N,) array, optional
        Of a label for each item, in any unit, for ``per_cost``.
    observe : callable, optional
        Gets the first row and the context of every chunk of the whole pool, labelled items too:
        what it asks the model is not asked again.
    losing : str, optional
        Evidence that active selection is worse than random, in words, for ``auto``.

    Returns
    -------
    Selection
        With fewer than ``n`` items, and a `FewerItemsWarning`, where fewer are left.

    Raises
    ------
    StrategyError
        For an unknown name, for NaN or infinity in the features, and where a strategy gives
        scores or rows that cannot be used.
    """
    rows, known_rows = _rows(candidates), _rows(labelled)
    if (rows[1:] < rows[:-1]).any():
        rows = np.sort(rows)
    codes = _rows(labels)
    if len(codes) != len(known_rows):
        raise StrategyError(f"{len(known_rows)} labelled items but {len(codes)} labels.")
    if learner is not None:
        device = learner.device
    else:
        device = features.device if isinstance(features, torch.Tensor) else torch.device("cpu")
    known = Known(
        learner,
        n_classes,
        gather(features, known_rows, device),
        codes,
        lambda: gather(features, _some(rows, seed), device),
        seed,
    )
    chosen, reason = _resolve(strategy, known, losing)
    if n > len(rows):
        warnings.warn(
            f"{n} items were asked for and {len(rows)} are left.", FewerItemsWarning, stacklevel=2
        )
    n = max(0, min(n, len(rows)))
    if chosen.restrict is not None and n:
        near = chosen.restrict(features, known_rows, rows)
        # Too few near the labels, none in the beginning: then all of them.
        rows = near if len(near) >= n else rows
    pool = _Pool(features, rows, known, costs, device, max(1, chunk), observe)
    if n == 0 or chosen.score is None:
        pool.show()
        scores = torch.full((len(rows),), math.nan, device=device)
    else:
        scores = pool.scored(chosen)
        if _precision(chosen) == torch.float32:
            scores = _even(scores)
    if n == 0:
        none = np.empty(0)
        return Selection(rows[:0], none, none, none.astype(bool), chosen.name, reason)
    best, log_q = _choose(chosen, pool, scores, n)
    by_lot = np.full(len(best), chosen.name == "random")
    if get(strategy).name == AUTO and not by_lot.all() and learner is not None:
        best, log_q, by_lot = auto.explore(best, log_q, len(rows), len(codes), seed)
    values = host(scores)[best].astype(np.float64)
    return Selection(rows[best], values, log_q, by_lot, chosen.name, reason)


def gather(features: Array, part: slice | NDArray[np.int64], device: torch.device) -> torch.Tensor:
    """(m, d) float32 features of some rows of the pool, all finite; shared where they can be.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row.
    """
    if isinstance(features, torch.Tensor):
        at = part if isinstance(part, slice) else torch.from_numpy(part).to(features.device)
        found = features[at].to(device, torch.float32)
    else:
        # Of a read-only file there is a copy: strategies of one's own may write into what they get.
        rows = np.require(features[part], dtype=np.float32, requirements="W")
        found = as_tensor(rows).to(device)
    bad = bad_row(found)
    if bad is not None:
        row = part.start + bad if isinstance(part, slice) else int(part[bad])
        raise StrategyError(
            f"The features of pool row {row} hold NaN or infinity: encode it again."
        )
    return found


def host(values: Any) -> NDArray[Any]:
    """The values as a numpy array."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _resolve(
    strategy: str | Strategy | Callable[..., Any], known: Known, losing: str | None
) -> tuple[Strategy, str]:
    """The strategy that chooses, and why."""
    chosen = get(strategy)
    if chosen.name == AUTO:
        name, reason = auto.choose(known, losing)
        return get(name), reason
    if chosen.needs_model and known.learner is None:
        reason = f"{chosen.name} needs a model and there is none yet: typical items first"
        return get("representative"), reason
    return chosen, chosen.when


def _choose(
    strategy: Strategy, pool: _Pool, scores: torch.Tensor, n: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions among the candidates, and the log-probabilities of their draws."""
    seed = pool.known.seed
    if strategy.pick is not None:
        # A choice takes more than what is chosen.
        limit = max(strategy.candidates or PICK_LIMIT, CHOICE * n)
        seen = _shortlist(scores, limit, seed, scored=strategy.score is not None)
        return _certain(seen[_picked(strategy, pool.context(pool.rows[seen]), n)])
    if strategy.selection == "sampled":
        drawn, log_q = selection.sample(scores, n, beta=strategy.beta, seed=seed)
        return host(drawn), host(log_q).astype(np.float64)
    if strategy.selection == "top":
        return _certain(host(selection.top(scores, n, seed=seed)))
    seen = host(selection.top(scores, max(PICK_LIMIT, n), seed=seed))
    embedding = pool.context(pool.rows[seen]).embedding
    weights = scores[torch.from_numpy(seen).to(scores.device)]
    return _certain(seen[host(selection.diverse(weights, embedding, n, seed=seed))])


def _certain(best: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Picks that were not drawn: nobody knows their probability."""
    return best, np.full(len(best), math.nan)


def _some(rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """A random sample of rows, in random order: any beginning of it is one, too."""
    rng = np.random.default_rng(seed)
    size = min(REFERENCE, len(rows))
    return rng.choice(rows, size, replace=False, shuffle=True)


def _precision(strategy: Strategy) -> torch.dtype:
    """Of the scores: your own are used as they are."""
    own = strategy.function is None and strategy.selection == "top"
    return torch.float64 if own else torch.float32


def _even(scores: torch.Tensor) -> torch.Tensor:
    """Scores without their last bits, in which equal items differ from chunk to chunk."""
    highest = float(scores.abs().max())
    if highest == 0:
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


def _rows(values: Array) -> NDArray[np.int64]:
    return host(values).astype(np.int64, copy=False).reshape(-1)


def _scores(strategy: Strategy, context: Context) -> torch.Tensor:
    assert strategy.score is not None
    found = strategy.score(context)
    given = found if isinstance(found, torch.Tensor) else np.asarray(found)
    numbers = isinstance(given, torch.Tensor) or given.dtype.kind in "fiub"
    if not numbers or given.shape != (len(context.indices),):
        raise StrategyError(
            f"Strategy {strategy.name!r} returned {given.dtype} of shape {tuple(given.shape)} "
            f"for {len(context.indices)} items: return one number for each."
        )
    values = as_tensor(given).to(context.features.device, _precision(strategy))
    negative = strategy.selection != "top"
    # The extremes tell of NaN and infinity, too.
    low, high = torch.aminmax(values) if len(values) else (values.sum(), values.sum())
    if not (math.isfinite(float(low)) and math.isfinite(float(high))) or (negative and low < 0):
        bad = ~torch.isfinite(values) | ((values < 0) & negative)
        at = int(torch.nonzero(bad)[0, 0])
        raise StrategyError(
            f"Strategy {strategy.name!r} scored pool row {context.indices[at]} with "
            f"{float(values[at])}: scores must be finite, and not negative unless the selection "
            "is 'top'."
        )
    return values


def _picked(strategy: Strategy, context: Context, n: int) -> NDArray[np.int64]:
    assert strategy.pick is not None
    found = host(strategy.pick(context, n))
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
