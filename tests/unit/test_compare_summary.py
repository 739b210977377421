"""What runs come to: no figure outside of what it can be, no test where nothing was tested."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alwidgets.evaluation.comparing import summary
from alwidgets.evaluation.comparing.plan import Arm, Plan
from alwidgets.evaluation.comparing.run import Run

PLAN = Plan(
    strategies={"random": "random", "a": "margin", "b": "entropy"},
    learners={"m": None},
    successors={},
    seeds=(0, 1),
    batch=10,
    budget=30,
    initial=10,
    metric="accuracy",
    target=0.9,
    seconds=None,
)
ABOUT = {"pool": 100, "test": 50, "duplicates": 0, "leaked": 0}


def table(curves: dict[str, list[tuple[float, ...]]]) -> Any:
    """The table of curves by strategy, a seed each."""
    runs = {}
    for strategy, mine in curves.items():
        for seed, figures in enumerate(mine):
            arm = Arm("m", strategy, seed)
            runs[arm] = Run(arm, figures, tuple(range(30)), {}, {}, 0.0)
    return summary.table(plan(max(map(len, curves.values()))), runs, 100).loc["m"]


def plan(seeds: int) -> Plan:
    return replace(PLAN, seeds=tuple(range(seeds)))


def test_intervals_stay_within_what_a_figure_can_be() -> None:
    low, high = (0.1, 0.1, 0.1), (0.9, 1.0, 1.0)
    found = table({"random": [low, high], "a": [high, low], "b": [high, high]})
    for name, least in (("area", 0), ("end", 0), ("gain", -1)):
        for end in (" low", " high"):
            some = found[f"{name}{end}"].dropna()
            assert len(some)
            assert some.between(least, 1).all(), (name, end)
    assert found.loc["a", "gain low"] == -1
    assert found.loc["a", "gain high"] == 1


def test_one_seed_tests_nothing_and_counts_for_nothing() -> None:
    flat = (0.5, 0.6, 0.7)
    rising = [(0.5, 0.6 + k / 100, 0.8) for k in range(6)]
    found = table({"random": [flat] * 6, "a": [flat], "b": rising})
    assert math.isnan(found.loc["a", "p"])
    assert found.loc["a", "verdict"] == ""
    # All six on one side: 2 / 2 ** 6, and of one test no correction.
    assert found.loc["b", "p"] == pytest.approx(0.03125)
    assert found.loc["b", "verdict"] == "wins"
    assert math.isnan(summary.paired([0.3]))
    assert summary.paired([0.0, 0.0]) == 1


def test_what_too_few_seeds_cannot_tell_is_not_told() -> None:
    flat = (0.5, 0.6, 0.7)
    better = [(0.5, 0.7 + k / 100, 0.9) for k in range(5)]
    found = table({"random": [flat] * 5, "a": better, "b": better})
    assert (found.loc[["a", "b"], "verdict"] == "not told apart").all()
    for seeds, least in ((2, "1:"), (5, "0.12:"), (6, "0.062:")):
        said = "\n".join(summary.notes(plan(seeds), {}, ABOUT))
        assert f"With {seeds} seeds p cannot be below {least}" in said
    assert not any("p cannot" in note for note in summary.notes(plan(7), {}, ABOUT))
    assert not any("p cannot" in note for note in summary.notes(plan(1), {}, ABOUT))


def test_labels_by_which_half_of_the_seeds_are_there() -> None:
    soon, late, never = (0.95, 0.95, 0.95), (0.5, 0.8, 0.95), (0.5, 0.6, 0.7)
    found = table(
        {
            "random": [soon, late, never, never],
            "a": [soon, never, never, never],
            "b": [late, late, never, soon],
        }
    )
    assert found.loc["random", "labels to target"] == 30
    assert found.loc["random", "reached"] == 2
    assert math.isinf(found.loc["a", "labels to target"])
    assert found.loc["b", "labels to target"] == 30
    assert found["labels to target low"].isna().all()


def test_the_interval_of_the_median_holds_it_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(0)
    for n in (6, 10, 17):
        spreads = [summary.median(rng.exponential(size=n).tolist()) for _ in range(4000)]
        held = np.mean([one.low <= math.log(2) <= one.high for one in spreads])
        assert 0.94 < held < 0.99
    assert math.isnan(summary.median([1, 2, 3, 4, 5]).low)
    six = summary.median([20, 40, 40, 60, math.inf, math.inf])
    assert (six.value, six.low, six.high) == (40, 20, math.inf)
