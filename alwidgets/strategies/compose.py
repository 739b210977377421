"""Strategies made of strategies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, given
from alwidgets.strategies.chunks import of_candidates, one_each
from alwidgets.strategies.context import Context
from alwidgets.strategies.registry import Restrict, Score, Serves, Strategy, get
from alwidgets.strategies.seals import neighbours, seal_candidates
from alwidgets.tensors import Array

#: Of negative powers of scores: the rest of what single precision holds is for the other factors.
HIGHEST = 2.0**100

#: What stands for a strategy: its name, its public function, or your own ``f(context) -> scores``.
Part: TypeAlias = str | Strategy | Callable[..., Any]


def weighted(*parts: tuple[Part, float], **powers: float) -> Strategy:
    """The product of several scores, each to a power: ``weighted(margin=1, density=0.5)``.

    A product needs no common scale: doubling one of the scores changes no order. A power of 0
    leaves a score out of account, a negative one turns it round.

    Parameters
    ----------
    *parts : (strategy, power)
        For functions of your own: ``weighted((mine, 1), margin=0.5)``.
    **powers : float
        By the names of strategies that score.

    Returns
    -------
    Strategy

    Raises
    ------
    StrategyError
        If a part is unknown or only picks, or there is none.

    References
    ----------
    After the information density of Settles & Craven, "An analysis of active learning strategies
    for sequence labeling tasks", EMNLP 2008.
    """
    for pair in parts:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise StrategyError(
                f"weighted takes pairs and powers by name, weighted((mine, 1), margin=0.5), not "
                f"{pair!r}."
            )
    scored = [
        (_scoring(part), _number(power, f"The power of {part!r}"))
        for part, power in (*parts, *powers.items())
    ]
    if not scored:
        raise StrategyError("weighted needs a score or more: weighted(margin=1, density=0.5).")
    # Nothing counts as less than this where a score is turned round, so that a score of 0 does not
    # become infinite: all the negative powers of it together stay within single precision.
    turned = sum(min(power, 0.0) for _, power in scored)
    tiny = float(torch.finfo(torch.float32).tiny)
    least = max(tiny, HIGHEST ** (1 / turned)) if turned < 0 else tiny

    def score(context: Context) -> torch.Tensor:
        product = torch.ones(len(context.indices), device=context.features.device)
        for part, power in scored:
            values = _tensor(part, context, "a product")
            if power < 0:
                values = values.clamp(min=least)
            product = product * values**power
        return product

    return Strategy(
        name=" * ".join(_power(part.name, power) for part, power in scored),
        score=score,
        needs=tuple(dict.fromkeys(need for part, _ in scored for need in part.needs)),
        when="several reasons at once",
        selection="sampled",
        beta=max(part.beta for part, _ in scored),
        restrict=_all_of([part.restrict for part, _ in scored if part.restrict is not None]),
        serves=_served([part for part, _ in scored]),
    )


def seals(strategy: Part, k: int = 100) -> Strategy:
    """The same strategy, looking only at the neighbours of what is labelled.

    For pools of ten million items and more: after one pass over the features, the model is asked
    about at most ``k`` items for each label.

    Parameters
    ----------
    strategy : str, Strategy or callable
    k : int
        Neighbours of each labelled item.

    Raises
    ------
    StrategyError
        For a ``k`` that is not whole or not at least 1, and for ``auto``.

    References
    ----------
    Coleman et al., "Similarity search for efficient active learning and search of rare concepts",
    AAAI 2022.
    """
    k = neighbours(k)
    inner = get(strategy)
    if not (inner.score or inner.pick):
        raise StrategyError(f"{inner.name} chooses among strategies itself: give one that scores.")

    def restrict(
        features: Array,
        labelled: NDArray[np.int64],
        candidates: NDArray[np.int64],
        device: torch.device,
    ) -> NDArray[np.int64]:
        return seal_candidates(features, labelled, k, candidates, device=device)

    return replace(
        inner,
        name=f"seals({inner.name})",
        when=f"{inner.when}; very large pools",
        function=None,
        restrict=_all_of([one for one in (inner.restrict, restrict) if one is not None]),
    )


def per_cost(
    strategy: Part, costs: Array | Callable[[Context], Array] | None = None, kappa: float = 1.0
) -> Strategy:
    """Scores by the cost of a label: ``s / cost**power``.

    Parameters
    ----------
    strategy : str, Strategy or callable
        One that scores, at least 0: of negative scores the dearest would come out best.
    costs : (N,) array or callable, optional
        Cost of a label for each item of the pool, positive, in any unit; or ``f(context)`` -> (n,).
        By default what the session has learned from the seconds that cards took.
    kappa : float
        0 leaves cost out of account.

    Raises
    ------
    StrategyError
        If the strategy does not score or has negative scores, for costs that are no array of one
        axis or not positive, and for a kappa that is not finite.

    References
    ----------
    Settles, Craven & Friedland, "Active learning with real annotation costs", NIPS 2008 workshop.
    """
    inner, power = _scoring(strategy), _number(kappa, "kappa")
    listed = None if costs is None or callable(costs) else given(costs, "costs")
    if listed is not None and listed.ndim != 1:
        raise StrategyError(
            f"The costs are of shape {tuple(listed.shape)}: give one for each item of the pool."
        )

    def score(context: Context) -> torch.Tensor:
        if callable(costs):
            found = one_each(costs(context), context, f"The costs of {inner.name!r}")
            cost = found.to(context.features.device)
        elif listed is None:
            cost = context.cost
        else:
            if len(listed) <= int(context.indices.max()):
                raise StrategyError(
                    f"There are {len(listed):,} costs and more items: give one for each item of "
                    "the pool."
                )
            cost = as_tensor(listed)[torch.from_numpy(context.indices)].to(context.features.device)
        wrong = of_candidates(context, ~((cost > 0) & torch.isfinite(cost)))
        if bool(wrong.any()):
            row = int(context.indices[int(torch.nonzero(wrong)[0, 0])])
            raise StrategyError(f"The cost of pool row {row} is not a positive number.")
        return _tensor(inner, context, "a score by cost") / cost**power

    return replace(
        inner,
        name=f"{inner.name} per cost",
        score=score,
        pick=None,
        needs=(*inner.needs, "cost") if costs is None else inner.needs,
        when=f"{inner.when}; labels that differ in cost",
        function=None,
    )


def selected(
    strategy: Part,
    selection: Literal["sampled", "top", "diverse"],
    *,
    beta: float | None = None,
    floor: float | None = None,
) -> Strategy:
    """The same scores, made into a batch in another way: ``selected(margin, "diverse")``.

    Parameters
    ----------
    strategy : str, Strategy or callable
        One that scores.
    selection : {"sampled", "top", "diverse"}
        Draws with known probability, see :func:`~alwidgets.strategies.sample`; the highest scores;
        or high scores far from each other, see :func:`~alwidgets.strategies.diverse`.
    beta : float, optional
        Power of the scores when sampled: 0 is uniform, large is close to the top.
    floor : float, optional
        Share of sampled picks that is drawn uniformly.

    Raises
    ------
    StrategyError
        If the strategy does not score, and for a selection, beta or floor that is none.
    """
    inner = _scoring(strategy)
    return replace(
        inner,
        name=f"{inner.name}, {selection}",
        selection=selection,
        beta=inner.beta if beta is None else _number(beta, "beta"),
        floor=inner.floor if floor is None else _number(floor, "floor"),
        function=None,
    )


def _served(parts: list[Strategy]) -> Serves:
    """What all of these are for."""
    found = {part.serves for part in parts} - {"both"}
    if len(found) > 1:
        one, other = (next(p.name for p in parts if p.serves == kind) for kind in sorted(found))
        raise StrategyError(
            f"{one} is for items with several labels and {other} for those with one class: "
            "they cannot be weighted together."
        )
    return found.pop() if found else "both"


def _all_of(restricts: list[Restrict]) -> Restrict | None:
    """What all of these leave."""
    if not restricts:
        return None

    def restrict(
        features: Array,
        labelled: NDArray[np.int64],
        candidates: NDArray[np.int64],
        device: torch.device,
    ) -> NDArray[np.int64]:
        for one in restricts:
            candidates = one(features, labelled, candidates, device)
        return candidates

    return restrict


def _scoring(part: Part) -> Strategy:
    strategy = get(part)
    if strategy.score is None or strategy.pick is not None:
        raise StrategyError(
            f"{strategy.name} picks whole batches and has no score of its own: give one that "
            "scores, such as margin, entropy, bald or density."
        )
    return strategy


def _number(value: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise StrategyError(f"{what} must be a finite number, not {value!r}.")
    return float(value)


def _tensor(strategy: Strategy, context: Context, use: str) -> torch.Tensor:
    """The scores of a part, for a use in which those of candidates must not be negative."""
    score: Score | None = strategy.score
    assert score is not None
    found = one_each(score(context), context, f"Strategy {strategy.name!r}")
    values = found.to(context.features.device, torch.float32)
    negative = of_candidates(context, values < 0)
    if bool(negative.any()):
        at = int(torch.nonzero(negative)[0, 0])
        raise StrategyError(
            f"{strategy.name} scores pool row {context.indices[at]} with {float(values[at]):g}: "
            f"{use} needs scores of at least 0."
        )
    return values


def _power(name: str, power: float) -> str:
    return name if power == 1 else f"{name}^{power:g}"
