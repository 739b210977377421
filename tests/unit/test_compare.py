"""Random against active: paired runs, the same whatever goes on beside them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import alwidgets as al
from alwidgets.errors import AlwidgetsError, ComparisonError, StrategyError
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


def test_arms_of_a_seed_begin_alike_and_random_is_among_them() -> None:
    found = compared(["margin", "k_center"], seeds=3)
    assert set(found.plan.strategies) == {"random", "margin", "k_center"}
    assert found.state == "done"
    for seed in range(3):
        runs = [found.runs[Arm("LogisticRegression", s, seed)] for s in found.plan.strategies]
        assert len({run.rows[:10] for run in runs}) == 1
        assert len({run.figures[0] for run in runs}) == 1
        assert all(len(set(run.rows)) == 40 for run in runs)
        assert len({run.rows for run in runs}) == 3
    assert found.plan.counts == [10, 20, 30, 40]


def test_a_run_does_not_depend_on_what_is_beside_it() -> None:
    strategies = ["margin", "badge", "bald", "random"]
    everything = results(compared(strategies, seeds=3))
    alone = results(compared(["badge"], seeds=[1]))
    some = results(compared(["bald", "margin"], seeds=[2, 0]))
    for arm, run in {**alone, **some}.items():
        assert run == everything[arm], arm


@pytest.mark.parametrize("share", [0.25, None])
def test_heads_too_do_not_depend_on_what_is_beside_them(share: float | None) -> None:
    test = share or (X[400:], Y[400:])
    options = {"learners": al.HeadEnsemble(members=4), "budget": 30, "test": test}
    everything = results(compared(["margin", "vote_entropy"], **options))
    alone = results(compared(["vote_entropy"], **options | {"seeds": [1]}))
    for arm, run in alone.items():
        assert run == everything[arm], arm


def test_learners_of_any_kind_go_one_after_the_other() -> None:
    nearest = KNeighborsClassifier(3)
    found = compared(["margin"], learners={"knn": nearest, "lr": LogisticRegression()}, budget=20)
    assert found.table().index.get_level_values("learner").unique().tolist() == ["knn", "lr"]
    again = compared(["margin"], learners={"knn": nearest}, budget=20)
    for arm, run in results(again).items():
        assert run == results(found)[arm]


def test_the_table() -> None:
    found = compared(
        ["margin"], seeds=3, successors=("linear_svm", "nearest_neighbours"), seconds=9.0
    )
    table = found.table().loc["LogisticRegression"]
    runs = found.runs
    for strategy in ("random", "margin"):
        curves = np.array([runs[Arm("LogisticRegression", strategy, s)].figures for s in range(3)])
        areas = np.array([np.trapezoid(curve, found.plan.counts) / 30 for curve in curves])
        row = table.loc[strategy]
        assert row["area"] == pytest.approx(areas.mean())
        # 4.303 is the 97.5 % point of Student's t with two degrees of freedom.
        half = 4.30265 * areas.std(ddof=1) / np.sqrt(3)
        assert row["area high"] - row["area"] == pytest.approx(half, rel=1e-4)
        assert row["end"] == pytest.approx(curves[:, -1].mean())
        assert row["hours"] == pytest.approx(row["labels to target"] * 9 / 3600)
        assert row["share of pool"] == pytest.approx(40 / 375)
        assert 0 <= row["linear_svm, end"] <= 1
    assert table.loc["random", "verdict"] == "baseline"
    notes = "\n".join(found.notes())
    assert "Pool of 375 items" in notes
    assert "uses up 11% of the pool" in notes
    assert "3 seeds are few" in notes


def test_the_table_does_not_depend_on_which_run_was_over_first() -> None:
    found = compared(["margin", "entropy"], seeds=10, budget=20)
    table, notes, curves = found.table(), found.notes(), found.curves()
    arms = list(found.runs)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(arms))
        found.runs = {arms[at]: found.runs[arms[at]] for at in order}
        assert found.table().equals(table)
        assert found.notes() == notes
        assert found.curves().equals(curves)


def test_a_strategy_that_loses_is_said_to() -> None:
    def sure(context: Any) -> torch.Tensor:
        """What the model is most certain of: nothing is learnt from it."""
        return context.proba.max(dim=1).values

    found = compared({"sure": sure}, seeds=10, budget=80, initial=20)
    assert found.table().loc[("LogisticRegression", "sure"), "verdict"] == "loses"
    assert any("Worse than random here: sure." in note for note in found.notes())


# --- what a strategy may not do -------------------------------------------------------------------


def reads_behind_the_pool(context: Any) -> Any:
    context.features[len(context.features)]
    return torch.zeros(len(context.features))


def labels_a_test_item(context: Any, n: int) -> Any:
    return np.arange(len(context.indices), len(context.indices) + n)


def picks_one_twice(context: Any, n: int) -> Any:
    return np.zeros(n, dtype=np.int64)


def picks_too_few(context: Any, n: int) -> Any:
    return np.arange(n - 1)


def writes_into_the_pool(context: Any) -> Any:
    context.features.zero_()
    return torch.zeros(len(context.features))


def writes_behind_torch(context: Any) -> Any:
    context.features.numpy()[0, 0] = 3.0
    return torch.zeros(len(context.features))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (reads_behind_the_pool, "IndexError"),
        (al.strategies.Strategy("labels_a_test_item", pick=labels_a_test_item), "different rows"),
        (al.strategies.Strategy("picks_one_twice", pick=picks_one_twice), "different rows"),
        (al.strategies.Strategy("picks_too_few", pick=picks_too_few), "picked 9 items"),
        (writes_into_the_pool, "wrote into the pool"),
        (writes_behind_torch, "wrote into the pool"),
        (al.strategies.Strategy("scores", score=writes_behind_torch), "wrote into the pool"),
        (al.strategies.weighted((writes_behind_torch, 1.0), margin=1), "wrote into the pool"),
    ],
)
def test_a_strategy_that_reaches_too_far_fails_loudly(bad: Any, words: str) -> None:
    name = bad.name if isinstance(bad, al.strategies.Strategy) else bad.__name__
    with pytest.raises(StrategyError, match=f"(?s){re.escape(name)}.*{words}"):
        compared([bad])


def test_a_strategy_sees_the_training_pool_and_its_labels_alone() -> None:
    seen: list[tuple[Any, ...]] = []

    def looks(context: Any) -> Any:
        seen.append((context.features.clone(), context.indices, context.labels.copy()))
        return torch.zeros(len(context.features))

    test = X[400:] + 100
    al.compare(pool(), Y, {"looks": looks}, **(QUICK | {"seeds": 1, "test": (test, Y[400:])}))
    for features, indices, labels in seen:
        # Whatever memory the features lie in holds the pool and nothing else.
        held = features.untyped_storage().nbytes() // 4
        assert held <= X.size
        assert float(features.max()) <= 1.0
        assert indices.max() < len(X)
        assert len(labels) in (10, 20, 30)


def test_what_a_strategy_remembers_is_of_one_run() -> None:
    class Counts:
        def __init__(self) -> None:
            self.calls = 0

        def __call__(self, context: Any) -> Any:
            self.calls += 1
            assert self.calls <= 3, "another run's rounds are counted, too"
            return torch.arange(len(context.features)).float()

    compared({"counts": Counts()}, seeds=3)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"budget": 400}, ComparisonError, "budget=400 is above the pool: it has 375 items"),
        ({"initial": 40}, ComparisonError, "uses up the budget"),
        ({"batch": 0}, ComparisonError, "batch=0"),
        ({"seeds": []}, ComparisonError, "at least one"),
        ({"seeds": [1, 1]}, ComparisonError, "one twice"),
        ({"strategies": 5}, ComparisonError, "strategies=5"),
        ({"strategies": ["margni"]}, StrategyError, "Unknown strategy 'margni'"),
        ({"strategies": ["max_score"]}, StrategyError, "several labels"),
        ({"strategies": ["random"]}, ComparisonError, "nothing to compare with random"),
        ({"strategies": ["margin", al.strategies.margin]}, StrategyError, "two strategies called"),
        ({"truth": Y[:-1]}, ComparisonError, "499 classes and the pool 500"),
        ({"truth": [*map(float, Y[:-1]), float("nan")]}, ComparisonError, "row 499"),
        ({"truth": [None, *Y[1:]]}, ComparisonError, "row 0"),
        ({"truth": [*Y[:-1], pd.NA]}, ComparisonError, "no class in row 499, <NA>"),
        ({"truth": [*Y[:-1], pd.NaT]}, ComparisonError, "no class in row 499, NaT"),
        ({"truth": [*Y[:-1], {3}]}, ComparisonError, "one class an item"),
        ({"truth": np.zeros(500, int)}, ComparisonError, "one class only, '0'"),
        ({"truth": np.eye(10)[Y]}, ComparisonError, "one class an item"),
        ({"truth": {"a": 1}}, ComparisonError, "says nothing of item"),
        ({"pool": X}, ComparisonError, "needs a Pool, not ndarray"),
        ({"test": 1.5}, ComparisonError, "no share"),
        ({"test": 0.9999}, ComparisonError, "test=0.9999 leaves next to nothing of 500 items"),
        (
            {"test": (X[400:], [f"digit {y}" for y in Y[400:]])},
            ComparisonError,
            "none of the test's classes: it has '0', '1', '2', …, the test 'digit",
        ),
        ({"test": (X[:5], Y[:4])}, ComparisonError, "5 items and its truth 4"),
        ({"metric": ["accuracy"]}, ComparisonError, "none of accuracy"),
        ({"metric": "kappa"}, ComparisonError, "none of accuracy"),
        ({"target": 90}, ComparisonError, r"in \(0, 1\]"),
        ({"seconds": 0}, ComparisonError, "seconds=0"),
        ({"successors": ["forest"]}, ComparisonError, "Unknown successor 'forest'"),
        ({"learners": {}}, ComparisonError, "no learner"),
        ({"learners": 3}, AlwidgetsError, "no learner"),
        ({"workers": -1}, ComparisonError, "workers=-1"),
        ({"workers": True}, ComparisonError, "workers=True"),
        ({"seeds": True}, ComparisonError, "seeds=True"),
        ({"seeds": 2.5}, ComparisonError, "seeds=2.5"),
        ({"device": "gpu"}, ComparisonError, "no device"),
    ],
)
def test_bad_input_is_said_in_words(
    change: dict[str, Any], error: type[Exception], words: str
) -> None:
    options = QUICK | change
    given = options.pop("pool", None)
    truth = options.pop("truth", Y)
    strategies = options.pop("strategies", ["margin"])
    with pytest.raises(error, match=words):
        al.compare(pool() if given is None else given, truth, strategies, **options)


def test_a_target_that_is_met_or_out_of_reach_is_said_to_be() -> None:
    easy = compared(["margin"], target=0.1)
    assert any("is met by the 10 labels" in note for note in easy.notes())
    hard = compared(["margin"], target=1.0)
    assert any("No run reaches the target" in note for note in hard.notes())
    assert np.isinf(hard.table()["labels to target"]).all()


def test_numbers_of_numpy_are_numbers() -> None:
    found = compared(["margin"], seeds=np.int64(2), workers=np.int64(0), batch=np.int32(10))
    assert results(found) == results(compared(["margin"]))


# --- files ----------------------------------------------------------------------------------------


def test_a_comparison_from_its_file(tmp_path: Path) -> None:
    found = compared(["margin"], successors=("linear_svm",))
    found.to_json(tmp_path / "all.json")
    read = al.Comparison.from_json(tmp_path / "all.json")
    assert read.table().equals(found.table())
    assert read.notes() == found.notes()
    assert read.curves().equals(found.curves())
    again = read.rerun(pool(), Y, workers=0, device="cpu")
    assert results(again) == results(found)
    with pytest.raises(ComparisonError, match="data are others"):
        read.rerun(pool(), np.roll(Y, 1), workers=0)
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.raises(ComparisonError, match="no file of a comparison"):
        al.Comparison.from_json(tmp_path / "other.json")
    with pytest.raises(ComparisonError, match="cannot be read"):
        al.Comparison.from_json(tmp_path / "none.json")


def test_strategies_of_ones_own_are_given_again(tmp_path: Path) -> None:
    def first(context: Any) -> Any:
        return -torch.arange(len(context.features)).float()

    found = compared({"first": first})
    found.to_json(tmp_path / "own.json")
    read = al.Comparison.from_json(tmp_path / "own.json")
    with pytest.raises(ComparisonError, match="'first' is of your own"):
        read.rerun(pool(), Y, workers=0)
    again = read.rerun(pool(), Y, strategies={"first": first}, workers=0, device="cpu")
    assert results(again) == results(found)


def test_what_is_kept_is_not_played_again(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    found = compared(["margin"], out=out)
    lines = out.read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + 4
    # As a kill in the middle of a write leaves it.
    out.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    half = compared(["margin"], out=out)
    assert results(half) == results(found)
    assert half.table().equals(found.table())
    assert len(out.read_bytes().splitlines()) == 1 + 4
    assert al.Comparison.from_json(out).table().equals(found.table())
    with pytest.raises(ComparisonError, match="its budget is 40, not 30"):
        compared(["margin"], out=out, budget=30)
    with pytest.raises(ComparisonError, match="its fingerprint"):
        al.compare(pool(), np.roll(Y, 1), ["margin"], **(QUICK | {"out": out}))
    # As files were written before it was noted what is drawn and what the pool lacks.
    head = json.loads(lines[0])
    for later in ("drawn", "unknown"):
        del head["about"]["material"][later]
    out.write_bytes(json.dumps(head).encode() + b"\n" + b"".join(lines[1:3]))
    assert results(compared(["margin"], out=out)) == results(found)
    assert al.Comparison.from_json(out).notes() == found.notes()
    out.write_text("something else\n")
    with pytest.raises(ComparisonError, match="no file of a comparison"):
        compared(["margin"], out=out)
    assert out.read_text() == "something else\n"


# --- the command line -----------------------------------------------------------------------------


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from alwidgets.cli import main

    data = tmp_path / "data.csv"
    pd.DataFrame(X[:200]).assign(digit=Y[:200]).to_csv(data, index=False)
    command = ["compare", str(data), "--label", "digit", "--strategies", "random", "margin"]
    sizes = ["--seeds=2", "--batch=10", "--budget=30", "--initial=10"]
    sizes += ["--learner=logistic", "--workers=0"]
    files = ["--out", f"{tmp_path}/runs.json", "--json", f"{tmp_path}/all.json"]
    table = ["--table", f"{tmp_path}/table.csv", "--successors", "nearest_neighbours"]
    assert main([*command, *sizes, *files, *table]) == 0
    said = capsys.readouterr().out
    assert "margin" in said
    assert "Pool of 150 items" in said
    read = al.Comparison.from_json(tmp_path / "all.json")
    assert read.table().equals(al.Comparison.from_json(tmp_path / "runs.json").table())
    assert len(pd.read_csv(tmp_path / "table.csv")) == 2
    assert json.loads((tmp_path / "all.json").read_text())["about"]["plan"]["seeds"] == [0, 1]
    assert main(["compare", str(data), "--label", "digt", "--strategies", "margin"]) == 1
    assert "has no column 'digt'" in capsys.readouterr().err
