"""What runs come to: areas, labels to a target, tests against random."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, t, wilcoxon

from alwidgets.evaluation.comparing.plan import BASELINE, Arm, Plan
from alwidgets.evaluation.comparing.run import Run

#: Seeds that a comparison should have.
SEEDS = 10
#: A corrected p value below this is a difference.
LEVEL = 0.05
#: A pool that is used up to this share has little left to choose from.
USED_UP = 0.5


@dataclass(frozen=True)
class Mean:
    """The mean of some seeds and its 95 % interval, by Student's t.

    Of what cannot lie outside of `least` to 1 the interval does not, either.
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64], least: float = 0.0) -> Mean:
        """The mean of one value a seed; of one seed alone there is no interval, it is NaN."""
        found = np.asarray(values, dtype=np.float64)
        if not len(found):
            return cls(math.nan, math.nan, math.nan)
        mean = float(found.mean())
        if len(found) < 2:
            return cls(mean, math.nan, math.nan)
        half = float(t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / math.sqrt(len(found)))
        return cls(mean, max(least, mean - half), min(1.0, mean + half))


def area(counts: Sequence[int], figures: Sequence[float]) -> float:
    """The area under a curve by trapezoids, as a mean of the metric over the labels."""
    x, y = np.asarray(counts, dtype=np.float64), np.asarray(figures)
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)) / (x[-1] - x[0]))


def labels_to(counts: Sequence[int], figures: Sequence[float], target: float) -> float:
    """The labels at the first point that reaches the target; infinite where none does."""
    reached = np.flatnonzero(np.asarray(figures) >= target)
    return float(counts[reached[0]]) if len(reached) else math.inf


def median(values: Sequence[float]) -> Mean:
    """What half of the seeds are at or below, with the 95 % interval that order alone gives.

    Infinite where fewer than half are finite. Below six seeds no interval is that sure: it is NaN.
    """
    found = np.sort(np.asarray(values, dtype=np.float64))
    n = len(found)
    if not n:
        return Mean(math.nan, math.nan, math.nan)
    middle = float(found[(n - 1) // 2])
    # So many at either end may be left out: the median is beyond them once in forty times.
    out = int(binom.ppf(0.025, n, 0.5)) - 1
    if out < 0:
        return Mean(middle, math.nan, math.nan)
    return Mean(middle, float(found[out]), float(found[n - 1 - out]))


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """P values corrected for so many tests; NaN, where nothing was tested, stays and counts not.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 1979.
    """
    values = np.asarray(p, dtype=np.float64)
    corrected = np.full(len(values), math.nan)
    # Those without a number come last.
    order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
    factors = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1)
    return corrected


def paired(gains: Sequence[float] | NDArray[np.float64]) -> float:
    """P value of Wilcoxon's signed-rank test of differences; 1 where all are nought.

    Of fewer than two it is NaN: there is nothing to test.
    """
    found = np.asarray(gains, dtype=np.float64)
    if len(found) < 2:
        return math.nan
    if not found.any():
        return 1.0
    with warnings.catch_warnings():
        # Of ties it says that the p value is approximate.
        warnings.simplefilter("ignore")
        return float(wilcoxon(found).pvalue)


def target_of(plan: Plan, runs: Mapping[Arm, Run], learner: str) -> float:
    """The target; where none was given, what random reaches in the end, on average."""
    if plan.target is not None:
        return plan.target
    # In the order of the seeds, not in that in which runs were over: sums round differently.
    ends = [run.figures[-1] for run in _by_seed(plan, runs, learner, BASELINE).values()]
    return float(np.mean(ends)) if ends else math.nan


def table(plan: Plan, runs: Mapping[Arm, Run], pool: int) -> pd.DataFrame:
    """A row for each learner and strategy, in the order of the areas.

    Columns: ``area`` under the curve (the mean of the metric over the labels) with its interval,
    ``end`` the metric with the whole budget; ``gain`` of area over random by paired seeds with its
    interval, ``p`` by Wilcoxon's signed-rank test and Holm's correction among all rows, and
    ``verdict``; ``labels to target`` by which half of the seeds are there (infinite where most
    never are) with its interval, of six seeds and more, ``reached`` how many get there; ``hours``
    these take, where it is known what a label does;
    ``share of pool`` that the budget uses up; a column for each successor; ``seeds``.

    Parameters
    ----------
    plan : Plan
    runs : mapping of Arm to Run
        That are over.
    pool : int
        Items of the training pool.
    """
    rows: list[dict[str, Any]] = []
    for learner in plan.learners:
        target = target_of(plan, runs, learner)
        base = _by_seed(plan, runs, learner, BASELINE)
        for strategy in plan.strategies:
            mine = _by_seed(plan, runs, learner, strategy)
            rows.append(_row(plan, learner, strategy, mine, base, target, pool))
    tested = [row for row in rows if row["strategy"] != BASELINE]
    for row, p in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p"] = float(p)
        if math.isfinite(p):
            better = "wins" if row["gain"] > 0 else "loses"
            row["verdict"] = better if p < LEVEL else "not told apart"
    found = pd.DataFrame(rows)
    order = found.groupby("learner", sort=False)["area"].rank(ascending=False, method="first")
    place = found["learner"].map({name: at for at, name in enumerate(plan.learners)})
    found = found.iloc[np.lexsort([order.fillna(np.inf).to_numpy(), place.to_numpy()])]
    return found.set_index(["learner", "strategy"])


def _by_seed(plan: Plan, runs: Mapping[Arm, Run], learner: str, strategy: str) -> dict[int, Run]:
    arms = (Arm(learner, strategy, seed) for seed in plan.seeds)
    return {arm.seed: runs[arm] for arm in arms if arm in runs}


def _row(
    plan: Plan,
    learner: str,
    strategy: str,
    mine: dict[int, Run],
    base: dict[int, Run],
    target: float,
    pool: int,
) -> dict[str, Any]:
    counts = plan.counts
    areas = {seed: area(counts, run.figures) for seed, run in mine.items()}
    whole = Mean.of(list(areas.values()))
    end = Mean.of([run.figures[-1] for run in mine.values()])
    gains = [areas[seed] - area(counts, base[seed].figures) for seed in mine if seed in base]
    is_base = strategy == BASELINE
    gain = Mean.of([] if is_base else gains, least=-1.0)
    to = [labels_to(counts, run.figures, target) for run in mine.values()]
    reached = sum(math.isfinite(labels) for labels in to)
    labels = median(to)
    row: dict[str, Any] = {
        "learner": learner,
        "strategy": strategy,
        "area": whole.value,
        "area low": whole.low,
        "area high": whole.high,
        "end": end.value,
        "end low": end.low,
        "end high": end.high,
        "gain": gain.value,
        "gain low": gain.low,
        "gain high": gain.high,
        "p": math.nan if is_base else paired(gains),
        "verdict": "baseline" if is_base else "",
        "target": target,
        "labels to target": labels.value,
        "labels to target low": labels.low,
        "labels to target high": labels.high,
        "reached": reached,
    }
    if plan.seconds is not None:
        row["hours"] = labels.value * plan.seconds / 3600
    for name in plan.successors:
        row[f"{name}, end"] = Mean.of([run.successors[name] for run in mine.values()]).value
    return row | {"share of pool": plan.budget / pool, "seeds": len(mine)}


def notes(plan: Plan, runs: Mapping[Arm, Run], about: Mapping[str, Any]) -> list[str]:
    """What a careful reader should know of a comparison, in words."""
    pool, share = about["pool"], plan.budget / about["pool"]
    said = [
        f"Pool of {pool:,} items, test split of {about['test']:,}; the budget of {plan.budget:,} "
        f"labels uses up {share:.0%} of the pool; {about['duplicates']:,} duplicates."
    ]
    if share > USED_UP:
        said.append(
            "Most of the pool is used up: every strategy ends with nearly the same labels, which "
            "makes differences look smaller than a larger pool would."
        )
    said += _of_the_test(about)
    said += _of_seeds(plan)
    for learner in plan.learners:
        said += _of_target(plan, runs, learner)
    missing = len(plan.arms) - len(runs)
    if missing:
        said.append(f"{missing} of {len(plan.arms)} runs are not over: the figures are without.")
    lost = [
        f"{strategy} ({learner})" if len(plan.learners) > 1 else strategy
        for learner, strategy, verdict in _verdicts(table(plan, runs, pool))
        if verdict == "loses"
    ]
    if lost:
        said.append(f"Worse than random here: {', '.join(lost)}.")
    return said


def _of_the_test(about: Mapping[str, Any]) -> list[str]:
    said = []
    if leaked := about["leaked"]:
        who = f"About {leaked:,} items of each test" if about.get("drawn") else f"{leaked:,} items"
        of = "" if about.get("drawn") else " of the test"
        said.append(f"{who}{of} are in the pool, too: figures are too high.")
    for name, count in about.get("unknown", {}).items():
        said.append(
            f"The pool has no {name!r}, the class of {count:,} of the test's items: nobody can "
            "learn it."
        )
    return said


def _of_seeds(plan: Plan) -> list[str]:
    seeds, tests = len(plan.seeds), len(plan.learners) * (len(plan.strategies) - 1)
    said = []
    if seeds < SEEDS:
        are = "seed is" if seeds == 1 else "seeds are"
        said.append(f"{seeds} {are} few: give seeds={SEEDS} or more.")
    # All seeds on one side: twice one of the 2 ** seeds ways to lie.
    least = tests * 2 / 2**seeds
    if seeds >= 2 and least >= LEVEL:
        said.append(
            f"With {seeds} seeds p cannot be below {min(least, 1):.2g}: whatever comes out, "
            "strategies are not told apart from random."
        )
    return said


def _verdicts(found: pd.DataFrame) -> list[tuple[str, str, str]]:
    rows = found["verdict"].reset_index()
    return list(rows.itertuples(index=False, name=None))


def _of_target(plan: Plan, runs: Mapping[Arm, Run], learner: str) -> list[str]:
    mine = [run for arm, run in runs.items() if arm.learner == learner]
    target = target_of(plan, runs, learner)
    if not mine or math.isnan(target):
        return []
    if all(run.figures[0] >= target for run in mine):
        return [
            f"The target of {target:.3f} is met by the {plan.initial} labels of the beginning: "
            "labels to target say nothing. Give a higher target."
        ]
    if not any(max(run.figures) >= target for run in mine):
        return [f"No run reaches the target of {target:.3f}: give a larger budget."]
    return []
