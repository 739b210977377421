"""One contract that every registered strategy passes, and what the registry refuses."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.learners import HeadEnsemble
from alwidgets.strategies import (
    Context,
    Selection,
    Strategy,
    get,
    names,
    register,
    registry,
    select,
    table,
)
from tests.unit.simulate import digits, run

N, D, C = 120, 6, 3
RNG = np.random.default_rng(0)
Y = RNG.integers(0, C, N)
X = (RNG.normal(size=(N, D)) + 2 * np.eye(D)[Y]).astype(np.float32)
LABELLED = np.arange(30)
LEARNER = HeadEnsemble(members=4, device="cpu").fit(X[LABELLED], Y[LABELLED], classes=C)
SCORERS = [name for name in names() if get(name).score and not get(name).pick]


def ask(strategy: Any, **given: Any) -> Selection:
    arguments: dict[str, Any] = {
        "learner": LEARNER,
        "features": X,
        "candidates": np.arange(30, N),
        "labelled": LABELLED,
        "labels": Y[LABELLED],
        "n_classes": C,
        "n": 8,
        "seed": 3,
    }
    return select(strategy, **(arguments | given))


def check(made: Selection, candidates: NDArray[np.int64], n: int) -> None:
    assert made.indices.dtype == np.int64
    assert len(made.indices) == len(made.scores) == len(made.log_q) == min(n, len(candidates))
    assert len(set(made.indices.tolist())) == len(made.indices)
    assert set(made.indices.tolist()) <= set(candidates.tolist())
    assert np.all((made.log_q <= 0) | np.isnan(made.log_q))
    assert made.strategy in names()
    assert made.reason


@pytest.mark.parametrize("name", names())
def test_contract(name: str) -> None:
    candidates = np.arange(30, N)
    made = ask(name)
    check(made, candidates, 8)
    # The same seed gives the same batch; torch and numpy pools give the same batch.
    np.testing.assert_array_equal(made.indices, ask(name).indices)
    np.testing.assert_array_equal(made.indices, ask(name, features=torch.from_numpy(X)).indices)
    assert any(ask(name, seed=s).indices.tolist() != made.indices.tolist() for s in range(9)) or (
        get(made.strategy).selection == "top"
    )
    # Nothing labelled, no model: the first batch.
    nothing = np.empty(0, np.int64)
    first = ask(name, learner=None, labelled=nothing, labels=nothing, candidates=np.arange(N))
    check(first, np.arange(N), 8)
    # One label, and one class.
    check(ask(name, labelled=LABELLED[:1], labels=Y[:1]), candidates, 8)
    # One left, none left, and fewer left than asked for.
    check(ask(name, candidates=np.array([77])), np.array([77]), 8)
    check(ask(name, candidates=nothing), nothing, 8)
    check(ask(name, n=0), candidates, 0)
    check(ask(name, n=500), candidates, 500)
    assert set(ask(name, n=500).indices.tolist()) == set(candidates.tolist())


@pytest.mark.parametrize("name", names())
def test_duplicates_ties_and_half_precision(name: str) -> None:
    copies = np.repeat(X[:20], 6, axis=0)
    check(ask(name, features=copies), np.arange(30, N), 8)
    check(ask(name, features=np.zeros_like(X)), np.arange(30, N), 8)
    check(ask(name, features=X.astype(np.float16)), np.arange(30, N), 8)
    # Equal items: no corner of the pool is preferred.
    flat = np.zeros_like(X)
    first = {int(ask(name, features=flat, seed=s, n=1).indices[0]) for s in range(12)}
    assert len(first) > 4


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_features_are_named(name: str, bad: float) -> None:
    broken = X.copy()
    broken[71, 2] = bad
    with pytest.raises(StrategyError, match="row 71"):
        ask(name, features=broken)


@pytest.mark.parametrize("name", SCORERS)
def test_chunks_do_not_matter(name: str) -> None:
    whole = ask(name)
    for chunk in (1, 7, N):
        made = ask(name, chunk=chunk)
        np.testing.assert_array_equal(made.indices, whole.indices)
        np.testing.assert_allclose(made.log_q, whole.log_q, atol=1e-3)


@pytest.mark.parametrize("name", names())
def test_pools_beyond_the_pick_limit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "PICK_LIMIT", 20)
    check(ask(name), np.arange(30, N), 8)
    check(ask(name, n=40), np.arange(30, N), 40)


def test_sampled_batches_know_their_probability() -> None:
    made = ask("random", n=90)
    np.testing.assert_allclose(np.exp(made.log_q), 1 / np.arange(90, 0, -1))
    assert np.isfinite(ask("margin").log_q).all()
    assert np.isnan(ask("k_center").log_q).all()


def test_uncertain_items_first() -> None:
    made = ask(dataclasses.replace(get("margin"), selection="top"))
    proba = np.sort(LEARNER.predict_proba(X[30:]), 1)
    unsure = 30 + np.argsort(proba[:, -1] - proba[:, -2])[:8]
    assert set(made.indices) == set(unsure)
    assert np.all(np.diff(made.scores) <= 0)


def test_auto_says_what_it_does() -> None:
    nothing = np.empty(0, np.int64)
    first = ask("auto", learner=None, labelled=nothing, labels=nothing)
    assert first.strategy == "representative"
    assert "typical" in first.reason
    later = ask("auto")
    assert later.strategy == "uncertainty_herding"
    assert np.isfinite(later.scores).all()
    one_class = ask("auto", labels=np.zeros(30, np.int64))
    assert one_class.strategy == "representative"
    assert "second class" in one_class.reason


def test_without_a_model_yet() -> None:
    made = ask("margin", learner=None)
    assert made.strategy == "representative"
    assert "margin" in made.reason
    with pytest.raises(StrategyError, match="fitted learner"):
        ask(Strategy("eager", score=lambda c: c.proba[:, 0], needs_model=False), learner=None)


def test_a_function_is_a_strategy() -> None:
    def lowest_first(context: Context) -> torch.Tensor:
        return -context.features[:, 0]

    made = ask(lowest_first)
    assert made.strategy == "lowest_first"
    np.testing.assert_array_equal(made.indices, 30 + np.argsort(X[30:, 0])[:8])


def test_the_context_has_what_strategies_need() -> None:
    seen: list[Context] = []

    def look(context: Context) -> NDArray[np.float64]:
        seen.append(context)
        n = len(context.features)
        assert context.proba.shape == (n, C)
        assert context.posterior.shape == (4, n, C)
        assert context.embedding.shape == (n, D)
        assert context.labelled_embedding.shape == context.labelled_features.shape == (30, D)
        assert context.proba is context.proba
        assert (context.n_labelled, context.n_classes) == (30, C)
        return torch.rand(n, generator=context.rng).numpy()

    ask(look, chunk=40)
    assert [len(context.features) for context in seen] == [40, 40, 10]
    np.testing.assert_array_equal(np.concatenate([c.indices for c in seen]), np.arange(30, N))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda c: np.zeros(3), "return one number for each"),
        (lambda c: np.array(["a"] * len(c.indices)), "return one number for each"),
        (lambda c: np.where(c.indices == 55, np.nan, 1.0), "pool row 55"),
    ],
)
def test_bad_scores(score: Any, message: str) -> None:
    score.__name__ = "mine"
    with pytest.raises(StrategyError, match=message) as caught:
        ask(score)
    assert "'mine'" in str(caught.value)


@pytest.mark.parametrize("rows", [[0, 0], [-1], [999], [0.5], list(range(9))])
def test_bad_picks(rows: list[Any]) -> None:
    with pytest.raises(StrategyError, match="'mine'"):
        ask(Strategy("mine", pick=lambda c, n: np.array(rows)))


def test_negative_scores_cannot_be_sampled() -> None:
    with pytest.raises(StrategyError, match="not negative"):
        ask(Strategy("mine", score=lambda c: -torch.ones(len(c.features))))


def test_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_strategies", dict(registry._strategies))
    with pytest.raises(StrategyError, match=r"Unknown strategy 'margine'.*margin"):
        get("margine")
    mine = register(Strategy("mine", score=lambda c: c.proba[:, 0], when="never"))
    assert get("mine") is mine
    assert ask("mine").strategy == "mine"
    assert table().loc["mine", "when"] == "never"
    assert set(table().index) == set(names())
    assert all(table()["paper"].drop("mine"))
    with pytest.raises(StrategyError, match="score or a pick"):
        register(Strategy("empty"))
    with pytest.raises(StrategyError, match="sampled"):
        register(Strategy("odd", score=lambda c: c.proba[:, 0], selection="best"))  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match="3 labels"):
        ask("random", labels=np.zeros(3))


def test_digits_bar() -> None:
    """150 labels, 15 % of them random ones that never train: the default reaches 94 %."""
    data = digits()
    reached = [run(data, "auto", seed=seed)[150] for seed in range(5)]
    assert np.mean(reached) >= 0.94, reached
