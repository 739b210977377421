"""The query strategies by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies.context import Context
from alwidgets.tensors import Array

Score: TypeAlias = Callable[[Context], Array]
Pick: TypeAlias = Callable[[Context, int], Array | tuple[Array, Array]]
#: Features of the pool, rows labelled, rows to choose from, device -> which of these to look at.
Restrict: TypeAlias = Callable[
    [Array, NDArray[np.int64], NDArray[np.int64], torch.device], NDArray[np.int64]
]
Serves: TypeAlias = Literal["single-label", "multi-label", "both"]
Need: TypeAlias = Literal["probabilities", "posterior", "embedding", "labels", "model", "cost"]

MODEL: tuple[Need, ...] = ("probabilities", "posterior", "model")
#: The default strategy: it has no functions of its own but hands over to others.
AUTO = "auto"
#: Power of the scores that rank well but differ little: a sampled batch stays near the top.
SHARP = 8.0


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
        Context, n -> rows of the context in the order picked, or these and their scores. Sees at
        most 20,000 candidates: a
        random sample of a larger pool or, if there is a ``score`` too, its best half and random
        others.
    needs : tuple of {"probabilities", "posterior", "embedding", "labels", "model", "cost"}
        What it looks at. Without a model, a strategy that needs one, or whose functions ask the
        context for it, gives way to ``representative``.
    paper : str
        Where it comes from.
    when : str
        When to choose it.
    selection : {"sampled", "top", "diverse"}
        How scores become a batch. Sampled and diverse scores must not be negative.
    beta : float
        Power of the scores when sampled: 0 is uniform, large is close to the top.
    floor : float
        Share of sampled picks that is drawn uniformly.
    function : callable or None
        The public function it stands for: ``weighted``, ``seals`` and ``per_cost`` know it by it.
    restrict : callable or None
        Which candidates to look at, where not at all of them.
    candidates : int or None
        What ``pick`` sees at most, where 20,000 are too many or too few; but three for each item
        to pick.
    serves : {"single-label", "multi-label", "both"}
        Whether it is for items of one class each, for those with several labels, or for both.
    """

    name: str
    score: Score | None = None
    pick: Pick | None = None
    needs: tuple[Need, ...] = ("model",)
    paper: str = ""
    when: str = ""
    selection: Literal["sampled", "top", "diverse"] = "sampled"
    beta: float = 1.0
    floor: float = 0.15
    function: Callable[..., Any] | None = None
    restrict: Restrict | None = None
    candidates: int | None = None
    serves: Serves = "both"

    def __post_init__(self) -> None:
        if not self.name or (self.name != AUTO and not (self.score or self.pick)):
            raise StrategyError("A strategy needs a name and a score or a pick function.")
        if self.selection not in ("sampled", "top", "diverse"):
            raise StrategyError(
                f"selection must be 'sampled', 'top' or 'diverse', not {self.selection!r}."
            )
        if self.serves not in ("single-label", "multi-label", "both"):
            raise StrategyError(
                f"serves must be 'single-label', 'multi-label' or 'both', not {self.serves!r}."
            )
        if not 0 <= self.beta < math.inf:
            raise StrategyError(f"beta must be a finite number of at least 0, not {self.beta}.")
        if not 0 <= self.floor <= 1:
            raise StrategyError(f"floor must be a share between 0 and 1, not {self.floor}.")

    @property
    def needs_model(self) -> bool:
        """Whether it can do nothing before the first fit."""
        return any(need in MODEL for need in self.needs)

    def suits(self, multilabel: bool) -> bool:
        """Whether it is for items with several labels, or else with one class each."""
        return self.serves in ("both", "multi-label" if multilabel else "single-label")


_strategies: dict[str, Strategy] = {}


def register(strategy: Strategy) -> Strategy:
    """Make a strategy known by its name; a known name is replaced. Returns the strategy."""
    _strategies[strategy.name] = strategy
    return strategy


def names(*, multilabel: bool | None = None) -> list[str]:
    """The names of all known strategies; with `multilabel` of those that suit such tasks."""
    return [
        name
        for name, strategy in _strategies.items()
        if multilabel is None or strategy.suits(multilabel)
    ]


def suited(strategy: str | Strategy | Callable[..., Any], multilabel: bool) -> Strategy:
    """The strategy of that name or function, as :func:`get` gives it, if it suits the task.

    Raises
    ------
    StrategyError
        If it is for the other kind of tasks, or unknown.
    """
    found = get(strategy)
    if not found.suits(multilabel):
        of, other = "several labels", "one class"
        if not multilabel:
            of, other = other, of
        raise StrategyError(
            f"Strategy {found.name!r} is for items with {other}, this task gives them {of}: choose "
            f"one of {', '.join(names(multilabel=multilabel))}."
        )
    return found


def get(strategy: str | Strategy | Callable[..., Any]) -> Strategy:
    """The strategy of that name or function, or one made from ``f(context) -> scores``.

    Of the functions, those of this package stand for the strategy they belong to: ``margin`` is
    ``"margin"``. The scores of your own are used as they are: the highest are labelled first.

    Raises
    ------
    StrategyError
        For an unknown name.
    """
    if isinstance(strategy, Strategy):
        return strategy
    if callable(strategy):
        for known in _strategies.values():
            if known.function is strategy:
                return known
        if inspect.isclass(strategy):
            raise StrategyError(f"The strategy is the class {strategy.__name__}: give an object.")
        name = getattr(strategy, "__name__", type(strategy).__name__)
        about = inspect.isroutine(strategy) and inspect.getdoc(strategy)
        return Strategy(
            name,
            score=strategy,
            needs=(),
            when=about.splitlines()[0] if about else "a function of your own",
            selection="top",
        )
    try:
        return _strategies[strategy]
    except (KeyError, TypeError):
        raise StrategyError(
            f"Unknown strategy {strategy!r}: choose one of {', '.join(_strategies)}, "
            "or give a function of the context that returns scores."
        ) from None


def table() -> pd.DataFrame:
    """The known strategies: when to use them and for what, what they need, how they select."""
    rows = [
        {
            "strategy": s.name,
            "when": s.when,
            "serves": s.serves,
            "needs": ", ".join(s.needs) or "nothing",
            "selection": "picks" if s.pick else s.selection,
            "paper": s.paper,
        }
        for s in _strategies.values()
    ]
    return pd.DataFrame(rows).set_index("strategy")
