"""Some runs played out side by side, round by round."""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.evaluation.comparing.learning import Apart, Learning, Together
from alwidgets.evaluation.comparing.material import Material, Split
from alwidgets.evaluation.comparing.metrics import METRICS
from alwidgets.evaluation.comparing.plan import Arm, Plan, comes_along, fresh
from alwidgets.evaluation.comparing.run import Begun, Point, Report, Run
from alwidgets.evaluation.comparing.successors import said_by
from alwidgets.learners.many import recipe_of
from alwidgets.strategies.query import select
from alwidgets.strategies.registry import Strategy, get

Rows: TypeAlias = NDArray[np.int64]


#: Seconds between two times that runs under way are told of, at least; and so many times as long as
#: the telling took.
EVERY, RARELY = 2.0, 50


def play(
    plan: Plan,
    material: Material,
    arms: Sequence[Arm],
    report: Report,
    *,
    device: torch.device,
    check: Callable[[], None] = lambda: None,
    begun: Mapping[Arm, Begun] | None = None,
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
    begun : mapping of Arm to Begun, optional
        Of none of the runs, or of all, after as many rounds each: they go on from there.

    Raises
    ------
    StrategyError
        If a strategy breaks off, writes into the pool or picks what is none of its candidates;
        the message names it.
    """
    _Lot(plan, material, arms, report, device, check, begun or {}).play()


class _Lot:
    def __init__(
        self,
        plan: Plan,
        material: Material,
        arms: Sequence[Arm],
        report: Report,
        device: torch.device,
        check: Callable[[], None],
        begun: Mapping[Arm, Begun],
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
        self.forgets = [_forgets(strategy) for strategy in self.strategies]
        kinds = [get(strategy) for strategy in self.strategies]
        self.trusted = [comes_along(kind) for kind in kinds]
        self.asks_pool = [k.score is not None and "probabilities" in k.needs for k in kinds]
        self.asks_samples = ["posterior" in k.needs for k in kinds]
        self.draws = [np.random.default_rng([arm.seed, 2]) for arm in self.arms]
        n = material.n_pool
        self.labelled: list[Rows] = [
            np.random.default_rng([arm.seed, 1]).permutation(n)[: plan.initial] for arm in self.arms
        ]
        self.figures: list[list[float]] = [[] for _ in self.arms]
        self.chosen: list[dict[str, int]] = [{} for _ in self.arms]
        self.spent = [0.0 for _ in self.arms]
        #: Rounds that are over.
        self.over = 0
        if begun:
            self._take_up([begun[arm] for arm in self.arms])
        self.free = [np.ones(n, dtype=bool) for _ in self.arms]
        for free, rows in zip(self.free, self.labelled, strict=True):
            free[rows] = False
        self.prints = {id(split): _print(split.features) for split in self.splits}
        self.started, self.due = time.perf_counter(), 0.0

    def play(self) -> None:
        """All rounds, then what the successors make of the labels."""
        counts = self.plan.counts
        ends = [0, *counts]
        for at in range(self.over, len(counts)):
            self.check()
            models = self.learning.fit(self.splits, self.labelled, counts[at] - ends[at])
            self._measure(counts[at])
            self.check()
            if at + 1 < len(counts):
                self._pick(models, counts[at + 1] - counts[at])
            self.over = at + 1
            self._tell()
        each = self._each()
        for run, arm in enumerate(self.arms):
            self.check()
            started = time.perf_counter()
            successors = self._succeeded(run)
            figures, rows = tuple(self.figures[run]), tuple(self.labelled[run].tolist())
            seconds = self.spent[run] + each + time.perf_counter() - started
            self.report([Run(arm, figures, rows, successors, self.chosen[run], seconds)])

    def _each(self) -> float:
        """Seconds that a run's share of the rounds has taken."""
        return (time.perf_counter() - self.started) / len(self.arms)

    def _take_up(self, begun: Sequence[Begun]) -> None:
        """Bring every run to where it was."""
        counts, self.over = self.plan.counts, len(begun[0].figures)
        self.labelled = [np.array(one.rows, dtype=np.int64) for one in begun]
        self.figures = [list(one.figures) for one in begun]
        self.chosen = [dict(one.chosen) for one in begun]
        self.spent = [one.seconds for one in begun]
        for draws in self.draws:
            for _ in range(self.over):
                draws.integers(2**31)
        if self.over < len(counts):
            learnt = [one.learnt for one in begun]
            self.learning.take_up(self.splits, self.labelled, counts[: self.over], learnt)

    def _tell(self) -> None:
        """Tell of the runs under way, now and then: from there they can go on."""
        started = time.perf_counter()
        if started < self.due:
            return
        each, begun = self._each(), []
        for run, arm in enumerate(self.arms):
            learnt = self.learning.learnt(run) if self.forgets[run] else None
            if learnt is not None:
                figures, rows = tuple(self.figures[run]), tuple(self.labelled[run].tolist())
                seconds = self.spent[run] + each
                begun.append(Begun(arm, figures, rows, dict(self.chosen[run]), seconds, learnt))
        self.report(begun)
        now = time.perf_counter()
        self.due = now + max(EVERY, RARELY * (now - started))

    def _measure(self, labels: int) -> None:
        metric = METRICS[self.plan.metric]
        said, points = self.learning.said(self.splits), []
        for run, arm in enumerate(self.arms):
            figure = metric(self.splits[run].test_codes, said[run])
            self.figures[run].append(figure)
            points.append(Point(arm, labels, figure))
        self.report(points)

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
            not self.trusted[run] and _print(split.features) != self.prints[id(split)]
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


def _forgets(strategy: Any) -> bool:
    """Whether a strategy remembers nothing from one round to the next; an object of one's own may.

    Functions are shared by all runs, and so have nothing to remember of one of them.
    """
    return isinstance(strategy, (str, Strategy)) or inspect.isfunction(strategy)


def _print(features: torch.Tensor, *, quick: bool = False) -> tuple[int, ...]:
    """What changes when somebody writes into the pool."""
    version = int(features._version)
    # Through numpy a write is not counted; bits as whole numbers, whose sum wraps around.
    return (version,) if quick else (version, int(features.view(torch.int32).long().sum()))
