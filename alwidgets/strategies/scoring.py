"""The score that a strategy gives every item of a pool, to be looked at rather than picked from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies.chunks import Chunks, gather, host, scores_of
from alwidgets.strategies.context import Known
from alwidgets.strategies.registry import AUTO, Strategy, get, names, suited
from alwidgets.tensors import Array

#: Rows that are scored at once: little enough that whoever waits for the interpreter gets it.
ROWS = 8_192
#: Items of the sample that stands for the pool.
REFERENCE = 2_000


def scoring(multilabel: bool) -> list[str]:
    """The names of the strategies whose score alone decides, for such tasks.

    The others weigh items against each other, so that no item has a number of its own.
    """
    return [
        name for name in names(multilabel=multilabel) if _scores_alone(suited(name, multilabel))
    ]


def own_score(strategy: str | Strategy | Callable[..., Any], multilabel: bool) -> str | None:
    """The name of a strategy that is no known one, if its score alone decides; else None."""
    chosen = suited(strategy, multilabel)
    if not _scores_alone(chosen):
        return None
    is_known = chosen.name in names() and get(chosen.name) is chosen
    return None if is_known else chosen.name


def _scores_alone(strategy: Strategy) -> bool:
    return strategy.score is not None and strategy.pick is None and strategy.name != "random"


def _why_no_score(strategy: Strategy) -> str:
    if strategy.name == "random":
        return "draws by lot"
    if strategy.name == AUTO:
        return "hands over to other strategies"
    return "weighs items against each other"


def pool_scores(
    strategy: str | Strategy | Callable[..., Any],
    *,
    learner: Any,
    features: Array,
    labelled: NDArray[np.int64],
    labels: NDArray[np.int64],
    n_classes: int,
    multilabel: bool = False,
    seed: int = 0,
    costs: NDArray[np.float64] | None = None,
    between: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """Score every item of a pool that has no label.

    Parameters
    ----------
    strategy : str, Strategy or callable
        One whose score alone decides: see `scoring`.
    learner : Learner or None
    features : (N, d) array or tensor
    labelled : (l,) int64 array
    labels : (l,) or (l, C) int array
    n_classes : int
    multilabel : bool
    seed : int
        Of the random sample that stands for the pool.
    costs : (N,) array, optional
    between : callable, optional
        Called between two parts of the pool; what it raises ends it.

    Returns
    -------
    ndarray of float64, shape (N,)
        NaN for what is labelled.

    Raises
    ------
    StrategyError
        If the strategy has no such score, or gives scores that cannot be used.
    NoModelError
        If it needs a model and there is none.
    """
    chosen = suited(strategy, multilabel)
    if not _scores_alone(chosen):
        raise StrategyError(
            f"Strategy {chosen.name!r} {_why_no_score(chosen)}, so no item has a score of its own: "
            f"choose one of {', '.join(scoring(multilabel))}."
        )
    n = len(features)
    if learner is not None:
        device = learner.device
    else:
        device = features.device if isinstance(features, torch.Tensor) else torch.device("cpu")
    free = np.ones(n, dtype=bool)
    free[labelled] = False
    rows = np.flatnonzero(free)

    def sample() -> torch.Tensor:
        rng = np.random.default_rng(seed)
        some = rng.choice(rows, min(REFERENCE, len(rows)), replace=False, shuffle=True)
        return gather(features, some, device)

    known = Known(learner, n_classes, gather(features, labelled, device), labels, sample, seed)
    if chosen.needs_model:
        known.model()
    pool = Chunks(features, rows, labelled, known, costs, device, ROWS, None)
    found = np.full(n, np.nan)
    for start in range(0, len(rows), ROWS):
        between()
        part = rows[start : start + ROWS]
        found[part] = host(scores_of(chosen, pool.context(part)))
    return found
