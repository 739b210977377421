"""Some runs played out side by side, round by round."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.evaluation.comparing.learning import Apart, Learning, Together
from alwidgets.evaluation.comparing.material import Material, Split
from alwidgets.evaluation.comparing.metrics import METRICS
from alwidgets.evaluation.comparing.plan import Arm, Plan, fresh
from alwidgets.evaluation.comparing.successors import said_by
from alwidgets.learners.many import recipe_of
from alwidgets.strategies.query import select
from alwidgets.strategies.registry import Strategy, get

Rows: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """One more point of a curve.

    Attributes
    ----------
    arm : Arm
    labels : int
    figure : float
        Of the metric, on the test split.
    """

    arm: Arm
    labels: int
    figure: float


@dataclass(frozen=True)
class Run:
    """A run that is over.

    Attributes
    ----------
    arm : Arm
    figures : tuple of float
        Of the metric at each of `Plan.counts`.
    rows : tuple of int
        Of the training pool, in the order in which they were labelled.
    successors : dict of str to float
        The metric of each successor in the end.
    chosen : dict of str to int
        Strategies that chose, with the number of labels at their first batch.
    seconds : float
        That its share of the computing took; no part of any result.
    """

    arm: Arm
    figures: tuple[float, ...]
    rows: tuple[int, ...]
    successors: dict[str, float]
    chosen: dict[str, int]
    seconds: float


#: Gets what is new: points of curves, and runs that are over.
Report: TypeAlias = Callable[[Point | Run], None]


def play(
    plan: Plan,
    material: Material,
    arms: Sequence[Arm],
    report: Report,
    *,
    device: torch.device,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Play runs of one learner side by side.

    What comes of a run depends on its arm alone, to the last bit: not on the runs beside it.

    Parameters
    ----------
    plan : Plan
    material : Material
    arms : sequence of Arm
        All of one learner.
    report : callable
    device : torch.device
    check : callable, optional
        Called before every fit and every choice; what it raises ends them.

    Raises
    ------
    StrategyError
        If a strategy breaks off, writes into the pool or picks what is none of its candidates;
        the message names it.
    """
    _Lot(plan, material, arms, report, device, check).play()


class _Lot:
    def __init__(
        self,
        plan: Plan,
        material: Material,
        arms: Sequence[Arm],
        report: Report,
        device: torch.device,
        check: Callable[[], None],
    ) -> None:
        self.plan, self.arms, self.report, self.check = plan, list(arms), report, check
        splits: dict[int, Split] = {}
        for arm in self.arms:
            if arm.seed not in splits:
                same = material.test_features is not None and splits
                splits[arm.seed] = (
                    next(iter(splits.values())) if same else _on(material.split(arm.seed), device)
                )
        self.splits = [splits[arm.seed] for arm in self.arms]
        self.learning = _learning(plan, material, self.arms, device)
        self.classes = len(material.classes)
        self.strategies = [_own(plan.strategies[arm.strategy]) for arm in self.arms]
        kinds = [get(strategy) for strategy in self.strategies]
        self.asks_pool = [k.score is not None and "probabilities" in k.needs for k in kinds]
        self.asks_samples = ["posterior" in k.needs for k in kinds]
        self.draws = [np.random.default_rng([arm.seed, 2]) for arm in self.arms]
        n = material.n_pool
        self.labelled: list[Rows] = [
            np.random.default_rng([arm.seed, 1]).permutation(n)[: plan.initial] for arm in self.arms
        ]
        self.free = [np.ones(n, dtype=bool) for _ in self.arms]
        for free, rows in zip(self.free, self.labelled, strict=True):
            free[rows] = False
        self.figures: list[list[float]] = [[] for _ in self.arms]
        self.chosen: list[dict[str, int]] = [{} for _ in self.arms]
        self.prints = {id(split): _print(split.features) for split in self.splits}

    def play(self) -> None:
        """All rounds, then what the successors make of the labels."""
        begin = time.perf_counter()
        new = self.plan.initial
        for at, labels in enumerate(self.plan.counts):
            self.check()
            models = self.learning.fit(self.splits, self.labelled, new)
            self._measure(labels)
            self.check()
            if labels < self.plan.budget:
                new = self.plan.counts[at + 1] - labels
                self._pick(models, new)
        each = (time.perf_counter() - begin) / len(self.arms)
        for run, arm in enumerate(self.arms):
            self.check()
            started = time.perf_counter()
            successors = self._succeeded(run)
            self.report(
                Run(
                    arm,
                    tuple(self.figures[run]),
                    tuple(self.labelled[run].tolist()),
                    successors,
                    self.chosen[run],
                    each + time.perf_counter() - started,
                )
            )

    def _measure(self, labels: int) -> None:
        metric = METRICS[self.plan.metric]
        said = self.learning.said(self.splits)
        for run, arm in enumerate(self.arms):
            figure = metric(self.splits[run].test_codes, said[run])
            self.figures[run].append(figure)
            self.report(Point(arm, labels, figure))

    def _pick(self, models: Sequence[Any], n: int) -> None:
        pools = {run: split for run, split in enumerate(self.splits) if self.asks_pool[run]}
        samples = [run for run, asks in enumerate(self.asks_samples) if asks]
        self.learning.prepare(pools, samples)
        for run, model in enumerate(models):
            rows = self._asked(run, model, n)
            self.labelled[run] = np.concatenate([self.labelled[run], rows])
            self.free[run][rows] = False

    def _asked(self, run: int, model: Any, n: int) -> Rows:
        """What a strategy picks; it sees the training pool and the labels so far."""
        split, known = self.splits[run], self.labelled[run]
        arm, name = self.arms[run], self.arms[run].strategy
        at = f"seed {arm.seed}, at {len(known):,} labels"
        try:
            found = select(
                self.strategies[run],
                learner=model,
                features=split.features,
                candidates=np.flatnonzero(self.free[run]),
                labelled=known,
                labels=split.codes[known],
                n_classes=self.classes,
                n=n,
                seed=int(self.draws[run].integers(2**31)),
                finite=True,  # as every pool is
            )
        except Exception as error:  # whatever it raises, of anyone's making
            said = f"{error}" if isinstance(error, StrategyError) else repr(error)
            raise StrategyError(f"Strategy {name!r} broke off ({at}): {said}") from error
        rows = found.indices
        if _print(split.features, quick=True) != self.prints[id(split)][:1] or (
            callable(self.strategies[run]) and _print(split.features) != self.prints[id(split)]
        ):
            raise StrategyError(
                f"Strategy {name!r} wrote into the pool ({at}), which every arm shares: let it "
                "work on a copy, context.features.clone()."
            )
        if len(rows) != n or len(np.unique(rows)) != n or not self.free[run][rows].all():
            raise StrategyError(
                f"Strategy {name!r} picked {len(rows)} items ({at}); {n} different candidates were "
                "asked for."
            )
        self.chosen[run].setdefault(found.strategy, len(known))
        return rows

    def _succeeded(self, run: int) -> dict[str, float]:
        split, known = self.splits[run], self.labelled[run]
        metric, found = METRICS[self.plan.metric], {}
        for name, successor in self.plan.successors.items():
            said = said_by(
                fresh(successor, self.arms[run].seed),
                split.features[torch.from_numpy(known)].cpu().numpy(),
                split.codes[known],
                split.test_features.cpu().numpy(),
            )
            found[name] = metric(split.test_codes, said)
        return found


def _learning(
    plan: Plan, material: Material, arms: Sequence[Arm], device: torch.device
) -> Learning:
    learner = plan.learners[arms[0].learner]
    seeds, classes = [arm.seed for arm in arms], len(material.classes)
    recipe = recipe_of(learner)
    if recipe is None:
        return Apart(learner, seeds, classes)
    return Together(recipe, seeds, classes, material.axes, device)


def _on(split: Split, device: torch.device) -> Split:
    if device.type == "cpu":
        return split
    return Split(
        split.features.to(device), split.codes, split.test_features.to(device), split.test_codes
    )


def _own(strategy: Any) -> Any:
    """A strategy of a run's own: what it remembers must not pass from one run to another."""
    if isinstance(strategy, (str, Strategy)):
        return strategy
    return copy.deepcopy(strategy)


def _print(features: torch.Tensor, *, quick: bool = False) -> tuple[int, ...]:
    """What changes when somebody writes into the pool."""
    version = int(features._version)
    # Through numpy a write is not counted; bits as whole numbers, whose sum wraps around.
    return (version,) if quick else (version, int(features.view(torch.int32).long().sum()))
