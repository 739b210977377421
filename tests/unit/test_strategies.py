"""One contract that every strategy passes, those made of others too; what the registry refuses."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alwidgets.errors import FewerItemsWarning, StrategyError
from alwidgets.learners import HeadEnsemble
from alwidgets.strategies import (
    AUTO,
    Context,
    Selection,
    Strategy,
    get,
    margin,
    names,
    per_cost,
    query,
    register,
    registry,
    seals,
    select,
    selected,
    table,
    weighted,
)
from tests.unit.simulate import digits, run

N, D, C = 120, 6, 3
RNG = np.random.default_rng(0)
Y = RNG.integers(0, C, N)
X = (RNG.normal(size=(N, D)) + 2 * np.eye(D)[Y]).astype(np.float32)
LABELLED, FREE, NOTHING = np.arange(30), np.arange(30, N), np.empty(0, np.int64)
LEARNER = HeadEnsemble(members=4, device="cpu").fit(X[LABELLED], Y[LABELLED], classes=C)
#: The same with several labels for an item: one more of them for every third.
MARKS = np.eye(C, dtype=np.int64)[Y]
MARKS[::3, 2] = 1
MARKS[1::7] = 0
SEVERAL = HeadEnsemble(members=4, device="cpu").fit(X[LABELLED], MARKS[LABELLED], classes=C)
SCORERS = [name for name in names() if get(name).score and not get(name).pick]
DEVICES = ["cpu"] + [d for d in ("cuda", "mps") if getattr(torch, d).is_available()]


def truth_of(strategy: Any) -> NDArray[np.int64]:
    """The labels that a strategy is asked about: of several for an item, if it is for these."""
    return MARKS if get(strategy).serves == "multi-label" else Y


def ask(strategy: Any, **given: Any) -> Selection:
    truth = truth_of(strategy)
    arguments: dict[str, Any] = {
        "learner": LEARNER if truth is Y else SEVERAL,
        "features": X,
        "candidates": FREE,
        "labelled": LABELLED,
        "labels": truth[LABELLED],
        "n_classes": C,
        "n": 8,
        "seed": 3,
    }
    return select(strategy, **(arguments | given))


def check(made: Selection, candidates: NDArray[np.int64], n: int) -> None:
    assert made.indices.dtype == np.int64
    assert len(made.indices) == len(made.scores) == len(made.log_q) == min(n, len(candidates))
    assert len(made.at_random) == len(made.indices)
    assert len(set(made.indices.tolist())) == len(made.indices)
    assert set(made.indices.tolist()) <= set(candidates.tolist())
    assert np.all((made.log_q <= 0) | np.isnan(made.log_q))
    assert np.isfinite(made.log_q[made.at_random]).all()
    assert made.strategy in {*KNOWN, *names()}
    assert made.reason


def rightmost(context: Context) -> torch.Tensor:
    """Largest first feature first."""
    return context.features[:, 0]


#: What people make themselves, of the others or of a function.
MADE = [
    weighted(margin=1, density=0.5),
    seals(margin, k=20),
    seals("k_center", k=20),
    per_cost("bald"),
    selected(margin, "diverse"),
    selected("entropy", "top"),
    rightmost,
]
KNOWN = {strategy.name: strategy for strategy in map(get, [*names(), *MADE])}
every = pytest.mark.parametrize(
    "name", [*names(), *(pytest.param(made, id=get(made).name) for made in MADE)]
)


@every
def test_the_same_batch_for_the_same_seed(name: Any) -> None:
    made = ask(name)
    check(made, FREE, 8)
    np.testing.assert_array_equal(made.indices, ask(name).indices)
    # The order in which the candidates are named says nothing.
    np.testing.assert_array_equal(made.indices, ask(name, candidates=FREE[::-1].copy()).indices)
    others = [ask(name, seed=s).indices.tolist() for s in range(9)]
    fixed = KNOWN[made.strategy].pick or KNOWN[made.strategy].selection == "top"
    assert fixed or any(other != made.indices.tolist() for other in others)


@every
@pytest.mark.parametrize("device", DEVICES)
def test_arrays_and_tensors_of_any_device(name: Any, device: str) -> None:
    learner = HeadEnsemble(members=4, device=device)
    learner.fit(X[LABELLED], truth_of(name)[LABELLED], classes=C)
    made = ask(name)
    tensors = ask(name, learner=learner, features=torch.from_numpy(X).to(device))
    np.testing.assert_array_equal(made.indices, tensors.indices)


@every
def test_before_the_first_labels(name: Any) -> None:
    truth = truth_of(name)
    first = ask(name, learner=None, labelled=NOTHING, labels=truth[:0], candidates=np.arange(N))
    check(first, np.arange(N), 8)
    # One label, one class, and a model whose labels were taken back.
    check(ask(name, labelled=LABELLED[:1], labels=truth[:1]), FREE, 8)
    check(ask(name, labels=np.zeros_like(truth[LABELLED])), FREE, 8)
    check(ask(name, labelled=NOTHING, labels=truth[:0]), FREE, 8)


@every
def test_a_class_that_is_newer_than_the_model(name: Any) -> None:
    if truth_of(name) is MARKS:
        marks = np.pad(MARKS[LABELLED], ((0, 0), (0, 1)))
        marks[:3, C] = 1
        check(ask(name, labels=marks, n_classes=C + 1), FREE, 8)
        return
    labels = Y[LABELLED].copy()
    labels[:3] = C
    check(ask(name, labels=labels, n_classes=C + 1), FREE, 8)


@every
def test_when_the_pool_runs_out(name: Any) -> None:
    check(ask(name, candidates=np.array([77]), n=1), np.array([77]), 1)
    check(ask(name, n=0), FREE, 0)
    check(ask(name, n=len(FREE)), FREE, len(FREE))
    with pytest.warns(FewerItemsWarning, match="8 items were asked for and 1 are left"):
        check(ask(name, candidates=np.array([77])), np.array([77]), 8)
    with pytest.warns(FewerItemsWarning):
        everything = ask(name, n=500)
    assert set(everything.indices.tolist()) == set(FREE.tolist())
    # All the others are labelled, and nothing is left.
    with pytest.warns(FewerItemsWarning):
        check(
            ask(name, candidates=NOTHING, labelled=np.arange(N), labels=truth_of(name)), NOTHING, 8
        )


@every
def test_duplicates_ties_and_half_precision(name: Any) -> None:
    copies = np.repeat(X[:20], 6, axis=0)
    check(ask(name, features=copies), FREE, 8)
    check(ask(name, features=np.zeros_like(X)), FREE, 8)
    check(ask(name, features=X.astype(np.float16)), FREE, 8)
    # Equal items: no corner of the pool is preferred.
    flat = np.zeros_like(X)
    first = {int(ask(name, features=flat, seed=s, n=1).indices[0]) for s in range(12)}
    assert len(first) > 4


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_features_are_named(name: Any, bad: float) -> None:
    broken = X.copy()
    broken[71, 2] = bad
    with pytest.raises(StrategyError, match="row 71"):
        ask(name, features=broken)


@every
def test_chunks_do_not_matter(name: Any) -> None:
    whole = ask(name)
    for chunk in (1, 7, N):
        made = ask(name, chunk=chunk)
        np.testing.assert_array_equal(made.indices, whole.indices)
        np.testing.assert_allclose(made.log_q, whole.log_q, atol=1e-3)


@every
def test_a_thousand_classes(name: Any) -> None:
    codes = np.arange(30) * 33
    if truth_of(name) is MARKS:
        codes = np.eye(1000, dtype=np.int64)[codes]
    learner = HeadEnsemble(members=2, device="cpu", max_iter=3)
    learner.fit(X[LABELLED], codes, classes=1000)
    few = np.arange(30, 40)  # one of them refits the model for each
    made = ask(name, learner=learner, labels=codes, n_classes=1000, candidates=few, n=3)
    check(made, few, 3)


@every
def test_pools_beyond_the_pick_limit(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "PICK_LIMIT", 20)
    check(ask(name), FREE, 8)
    check(ask(name, n=40), FREE, 40)


@every
def test_few_candidates_of_a_large_pool(name: Any) -> None:
    few = np.arange(30, N, 7)
    check(ask(name, candidates=few), few, 8)


@pytest.mark.parametrize("name", [name for name in names() if get(name).serves == "both"])
def test_what_serves_both_picks_from_items_with_several_labels(name: str) -> None:
    several: dict[str, Any] = {"learner": SEVERAL, "labels": MARKS[LABELLED]}
    made = ask(name, **several)
    check(made, FREE, 8)
    assert made.strategy == name or name == AUTO
    check(ask(name, learner=None, labelled=NOTHING, labels=MARKS[:0]), FREE, 8)
    check(ask(name, learner=SEVERAL, labels=np.zeros_like(MARKS[LABELLED])), FREE, 8)
    for chunk in (7, N):
        np.testing.assert_array_equal(ask(name, chunk=chunk, **several).indices, made.indices)


def test_a_strategy_for_the_other_kind_of_labels_is_refused_by_name() -> None:
    with pytest.raises(StrategyError, match=r"'margin' is for items with one class.*mean_binary"):
        ask("margin", learner=SEVERAL, labels=MARKS[LABELLED])
    with pytest.raises(StrategyError, match=r"'mean_score' is for items with several.* margin"):
        ask("mean_score", learner=LEARNER, labels=Y[LABELLED])
    with pytest.raises(StrategyError, match="0 and 1 only"):
        ask("mean_score", labels=MARKS[LABELLED] * 2)
    with pytest.raises(StrategyError, match="serves must be"):
        Strategy("odd", score=lambda c: c.proba[:, 0], serves="all")  # type: ignore[arg-type]
    assert set(names(multilabel=True)) | set(names(multilabel=False)) == set(names())
    assert "margin" not in names(multilabel=True)
    assert "mean_score" not in names(multilabel=False)
    assert table().loc["margin", "serves"] == "single-label"
    # Made of others, it is for what all of these are for.
    assert weighted(mean_score=1, density=0.5).serves == "multi-label"
    assert weighted(density=1).serves == "both"
    assert selected("margin", "top").serves == "single-label"
    with pytest.raises(StrategyError, match="cannot be weighted together"):
        weighted(mean_score=1, margin=1)


def test_an_observer_sees_the_whole_pool_once() -> None:
    for strategy, candidates in (("margin", FREE), ("margin", FREE[:9]), ("k_center", FREE)):
        seen: list[NDArray[np.int64]] = []

        def see(start: int, context: Context, seen: list[NDArray[np.int64]] = seen) -> None:
            assert context.indices[0] == start
            assert len(context.proba) == len(context.indices)
            seen.append(context.indices)

        watched = ask(strategy, candidates=candidates, observe=see, chunk=50)
        np.testing.assert_array_equal(np.concatenate(seen), np.arange(N))
        alone = ask(strategy, candidates=candidates, chunk=50)
        np.testing.assert_array_equal(watched.indices, alone.indices)


def test_public_functions_stand_for_their_strategies() -> None:
    assert get(margin) is get("margin")
    functions = [get(name).function for name in names() if name not in (AUTO, "random")]
    assert all(functions)
    assert len(set(functions)) == len(functions)
    np.testing.assert_array_equal(ask(margin).indices, ask("margin").indices)


def test_diverse_selection() -> None:
    spread = ask(dataclasses.replace(get("margin"), selection="diverse"))
    check(spread, FREE, 8)
    # Of many copies of the hardest items, no two are taken while there are others.
    hardest = ask(dataclasses.replace(get("margin"), selection="top"), n=12).indices
    copies = np.concatenate([X, X[np.repeat(hardest, 4)]])
    rows = np.r_[FREE, np.arange(N, len(copies))]
    made = ask(
        dataclasses.replace(get("margin"), selection="diverse"), features=copies, candidates=rows
    )
    assert len(np.unique(copies[made.indices], axis=0)) == 8


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


def test_without_a_model_yet() -> None:
    made = ask("margin", learner=None)
    assert made.strategy == "representative"
    assert "margin" in made.reason
    # What a function asks for shows when it is called.
    eager = ask(lambda c: c.proba[:, 0], learner=None)
    assert eager.strategy == "representative"
    assert "typical items first" in eager.reason

    def left_to_right(context: Context) -> torch.Tensor:
        """Smallest first feature first.

        It needs no model.
        """
        return -context.features[:, 0]

    made = ask(left_to_right, learner=None)
    assert (made.strategy, made.reason) == ("left_to_right", "Smallest first feature first.")
    np.testing.assert_array_equal(made.indices, 30 + np.argsort(X[30:, 0])[:8])

    def broken(context: Context) -> torch.Tensor:
        raise StrategyError("mine")

    # An error of one's own is not taken for that.
    with pytest.raises(StrategyError, match="mine"):
        ask(broken, learner=None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "needs a name"),
        ({"score": None}, "a score or a pick function"),
        ({"selection": "best"}, "selection must be"),
        ({"beta": -1.0}, "beta must be"),
        ({"beta": np.inf}, "beta must be a finite"),
        ({"floor": 1.5}, "floor must be a share"),
    ],
)
def test_a_strategy_that_cannot_work_is_refused(given: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {"name": "mine", "score": lambda c: c.features[:, 0]}
    with pytest.raises(StrategyError, match=words):
        Strategy(**(usual | given))


def test_candidates_are_taken_once_and_never_with_a_label() -> None:
    with pytest.warns(FewerItemsWarning):
        made = ask("margin", candidates=[40, 40, 39, LABELLED[0]], n=4)
    assert sorted(made.indices.tolist()) == [39, 40]
    for name, rows in (("candidates", [N]), ("candidates", [-1]), ("labelled", [N + 3] * 30)):
        with pytest.raises(StrategyError, match=f"no row {rows[0]} in a pool of {N} items"):
            ask("margin", **{name: np.array(rows)})
    with pytest.raises(StrategyError, match="must be integers"):
        ask("margin", candidates=[1.5])


def test_a_pick_may_give_its_scores() -> None:
    mine = Strategy("mine", pick=lambda c, n: (np.arange(n), np.arange(n) / 2), needs=())
    assert ask(mine).scores.tolist() == [i / 2 for i in range(8)]
    uneven = Strategy("uneven", pick=lambda c, n: (np.arange(n), np.zeros(3)), needs=())
    with pytest.raises(StrategyError, match="one for each"):
        ask(uneven)


def test_scores_too_small_for_their_last_bits() -> None:
    made = ask(Strategy("faint", score=lambda c: c.indices * 1e-41, needs=(), selection="sampled"))
    assert len(made.indices) == 8


def test_a_function_is_a_strategy() -> None:
    def lowest_first(context: Context) -> torch.Tensor:
        return -context.features[:, 0]

    made = ask(lowest_first)
    assert made.strategy == "lowest_first"
    np.testing.assert_array_equal(made.indices, 30 + np.argsort(X[30:, 0])[:8])


def test_scores_of_ones_own_are_used_as_they_are() -> None:
    # Too close together for single precision.
    made = ask(lambda c: 1.7e9 + c.indices.astype(float))
    assert made.indices.tolist() == list(range(N - 1, N - 9, -1))


def test_a_learner_that_gives_no_number_is_named_with_the_pools_row() -> None:
    class Broken(HeadEnsemble):
        def predict_proba(self, X: Any) -> Any:
            proba = super().predict_proba(X)
            return torch.where((X == X71).all(dim=1)[:, None], torch.nan, proba)

    X71 = torch.from_numpy(X[71])
    broken = Broken(members=2, device="cpu").fit(X[LABELLED], Y[LABELLED], classes=C)
    for name in ("margin", "badge", "uncertainty_herding"):
        with pytest.raises(StrategyError, match="pool row 71 in its probabilities"):
            ask(name, learner=broken, chunk=50)


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
        assert context.labelled_proba.shape == (30, C)
        assert context.reference_proba.shape == (len(FREE), C)
        assert context.target_posterior.shape == (4, len(FREE), C)
        assert context.reference_embedding is seen[0].reference_embedding
        assert context.cost.tolist() == [1.0] * n
        return torch.rand(n, generator=context.rng).numpy()

    ask(look, chunk=40)
    assert [len(context.features) for context in seen] == [40, 40, 40]
    np.testing.assert_array_equal(np.concatenate([c.indices for c in seen]), np.arange(N))


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
        ask("random", labels=np.zeros(3, dtype=np.int64))


def test_digits_bar() -> None:
    """150 labels, 15 % of them random ones that never train: the default reaches 94 %."""
    data = digits()
    reached = [run(data, "auto", seed=seed)[150] for seed in range(5)]
    assert np.mean(reached) >= 0.94, reached


@pytest.mark.parametrize("chunk", [7, 65_536])
def test_what_cannot_be_picked_may_have_any_score(chunk: int) -> None:
    def far(context: Context) -> torch.Tensor:
        return torch.log(torch.cdist(context.features, context.labelled_features).amin(1))

    gap = np.linalg.norm(X[:, None] - X[LABELLED], axis=2).min(axis=1)
    made = ask(far, chunk=chunk)
    assert set(made.indices.tolist()) == set(FREE[np.argsort(-gap[FREE])[:8]].tolist())
    # Labelled, or kept for the audit.
    open_rows = FREE[5:]
    for bad in (np.nan, np.inf, -np.inf, -1.0):
        mine = Strategy("mine", score=lambda c, b=bad: np.where(c.indices < FREE[5], b, 1.0))
        check_rows = ask(mine, candidates=open_rows, chunk=chunk).indices
        assert np.isin(check_rows, open_rows).all()
        with pytest.raises(StrategyError, match=f"pool row {FREE[4]} with {bad}"):
            ask(mine, candidates=FREE[4:], chunk=chunk)
