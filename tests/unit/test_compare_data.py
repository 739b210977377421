"""The data that a comparison is made on: classes by their names, tests that the pool has seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import alwidgets as al
from alwidgets.evaluation.comparing.plan import Arm

X, Y = load_digits(return_X_y=True)
X = (X[:500] / 16).astype(np.float32)
Y = Y[:500]
QUICK: dict[str, Any] = {
    "seeds": 2,
    "batch": 10,
    "budget": 40,
    "initial": 10,
    "learners": LogisticRegression(),
    "successors": (),
    "workers": 0,
    "device": "cpu",
}


def pool() -> al.Pool:
    return al.Pool.from_arrays(X)


def compared(strategies: Any, **options: Any) -> al.Comparison:
    return al.compare(pool(), Y, strategies, **(QUICK | options))


def results(comparison: al.Comparison) -> dict[Arm, tuple[Any, ...]]:
    return {arm: (run.figures, run.rows, run.successors) for arm, run in comparison.runs.items()}


def test_truth_by_id_by_row_and_with_duplicates() -> None:
    twice = np.concatenate([X, X[:7]])
    labels = np.concatenate([Y, Y[:7]])
    collapsed = al.Pool.from_arrays(twice)
    found = al.compare(collapsed, labels, ["margin"], **QUICK)
    assert found.about["material"]["duplicates"] == 7
    by_id = dict(zip(collapsed.ids, Y, strict=True))
    assert results(al.compare(collapsed, by_id, ["margin"], **QUICK)) == results(found)
    assert results(compared(["margin"])) == results(found)


def test_equal_numbers_are_one_class_however_they_are_written() -> None:
    test = (X[400:], Y[400:])
    same = al.compare(pool(), Y, ["margin"], **(QUICK | {"test": test}))
    floats = al.compare(pool(), Y.astype(float), ["margin"], **(QUICK | {"test": test}))
    assert results(floats) == results(same)
    assert floats.about["material"]["classes"] == [f"{y}.0" for y in range(10)]
    mixed = [int(y) if row % 2 else float(y) for row, y in enumerate(Y)]
    assert results(al.compare(pool(), mixed, ["margin"], **(QUICK | {"test": test}))) == results(
        same
    )


def test_classes_of_the_test_that_the_pool_lacks_are_named() -> None:
    few = Y < 8
    items, test = al.Pool.from_arrays(X[few]), (X[400:], Y[400:])
    found = al.compare(items, Y[few], ["margin"], **(QUICK | {"test": test}))
    notes = "\n".join(found.notes())
    for lacks in (8, 9):
        count = int((Y[400:] == lacks).sum())
        assert f"The pool has no '{lacks}', the class of {count} of the test's items" in notes
    assert not any("The pool has no" in note for note in compared(["margin"]).notes())


def test_items_of_a_drawn_test_that_are_in_the_pool_too_are_said() -> None:
    thrice = al.Pool.from_arrays(np.repeat(X[:100], 3, axis=0), ids=range(300))
    found = al.compare(thrice, np.repeat(Y[:100], 3), ["margin"], **QUICK)
    # Of three equal rows one at least is in the pool of nearly every draw.
    counts = []
    for seed in range(2):
        order = np.random.default_rng([seed, 0]).permutation(300) // 3
        counts.append(np.isin(order[:75], order[75:]).sum())
    assert 60 < np.mean(counts) < 75
    said = f"About {round(np.mean(counts))} items of each test are in the pool, too"
    assert any(said in note for note in found.notes())
    # Those that the pool has collapsed are seen by nobody twice.
    once = al.Pool.from_arrays(np.repeat(X[:100], 3, axis=0))
    assert len(once) == 100
    alone = al.compare(once, np.repeat(Y[:100], 3), ["margin"], **QUICK)
    assert not any("in the pool, too" in note for note in alone.notes())
    assert any("200 duplicates" in note for note in alone.notes())


def test_the_command_line_takes_equal_numbers_for_one_class(tmp_path: Path) -> None:
    from alwidgets.cli import main

    for name, rows, kind in (("data", slice(0, 200), float), ("test", slice(200, 300), int)):
        frame = pd.DataFrame(X[rows]).assign(digit=Y[rows].astype(kind))
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    command = ["compare", f"{tmp_path}/data.csv", "--label", "digit", "--strategies", "margin"]
    sizes = ["--seeds=1", "--batch=20", "--budget=60", "--learner=logistic", "--workers=0"]
    files = ["--test", f"{tmp_path}/test.csv", "--table", f"{tmp_path}/table.csv"]
    assert main([*command, *sizes, *files, "--successors"]) == 0
    assert (pd.read_csv(tmp_path / "table.csv")["end"] > 0.5).all()
