"""Strategies made of strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from alwidgets import strategies as st
from alwidgets.errors import StrategyError
from alwidgets.strategies import Context
from tests.unit.test_strategies import FREE, LABELLED, LEARNER, N, X, ask, check

PROBA = LEARNER.predict_proba(X)


def scores(strategy: st.Strategy, **given: Any) -> np.ndarray[Any, Any]:
    """The scores of all candidates, by pool row."""
    made = ask(strategy, n=len(FREE), **given)
    found = np.full(N, np.nan)
    found[made.indices] = made.scores
    return found[FREE]


def test_weighted_is_the_product_of_powers() -> None:
    made = st.weighted(margin=1, entropy=0.5)
    expected = st.margin(PROBA) * st.entropy(PROBA) ** 0.5
    np.testing.assert_allclose(scores(made), expected[FREE], rtol=1e-3, atol=1e-4)
    assert made.name == "margin * entropy^0.5"
    assert made.needs == ("probabilities",)
    check_alone(made)


def test_weighted_with_functions_of_ones_own() -> None:
    def second_half(context: Context) -> torch.Tensor:
        return torch.from_numpy(context.indices >= N // 2).float()

    made = st.weighted((second_half, 1), (st.margin, 1))
    found = scores(made)
    assert (found[FREE < N // 2] == 0).all()
    assert (found[FREE >= N // 2] > 0).any()
    assert made.name == "second_half * margin"
    # A negative power turns a score round.
    least = scores(st.weighted(margin=-1))
    plain = scores(st.get("margin"))
    assert least.argmax() == plain.argmin()


def test_seals_looks_near_the_labels_only() -> None:
    made = st.seals(st.margin, k=3)
    near = st.seal_candidates(X, LABELLED[:4], 3, FREE)
    found = ask(made, labelled=LABELLED[:4], labels=np.array([0, 1, 2, 0]), n=4)
    assert set(found.indices.tolist()) <= set(near.tolist())
    assert len(near) <= 12
    assert found.strategy == "seals(margin)"
    # Nothing is labelled, or too few are near: then all of them.
    nothing = np.empty(0, np.int64)
    check_alone(made, labelled=nothing, labels=nothing)
    picks = ask(st.seals("badge", k=5), n=4)
    assert set(picks.indices.tolist()) <= set(st.seal_candidates(X, LABELLED, 5, FREE).tolist())


def test_per_cost_divides_by_what_a_label_costs() -> None:
    costs = 1.0 + np.arange(N) % 5
    plain = scores(st.get("bald"))
    np.testing.assert_allclose(scores(st.per_cost("bald", costs)), plain / costs[FREE], rtol=1e-3)
    np.testing.assert_allclose(scores(st.per_cost("bald", costs, kappa=0)), plain, rtol=1e-6)
    learned = st.per_cost(st.bald)
    assert "cost" in learned.needs
    np.testing.assert_allclose(scores(learned, costs=costs), plain / costs[FREE], rtol=1e-3)
    np.testing.assert_allclose(scores(learned), plain, rtol=1e-6)
    by_size = st.per_cost("bald", lambda c: 1 + c.features.norm(dim=1))
    np.testing.assert_allclose(
        scores(by_size), plain / (1 + np.linalg.norm(X[FREE], axis=1)), rtol=1e-3
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: st.weighted(), "needs a score"),
        (lambda: st.weighted(margins=1), "Unknown strategy 'margins'"),
        (lambda: st.weighted(badge=1), "badge picks whole batches"),
        (lambda: st.per_cost("k_center"), "k_center picks whole batches"),
        (lambda: st.seals("margin", k=0), "k must be at least 1"),
        (lambda: st.seals("auto"), "auto chooses among strategies"),
        (lambda: ask(st.per_cost("bald", np.ones(10))), "one for each item of the pool"),
        (lambda: ask(st.per_cost("bald", np.zeros(N))), "cost of pool row 30 is not a positive"),
        (
            lambda: ask(st.weighted((lambda c: -torch.ones(len(c.indices)), 1), margin=1)),
            "at least 0",
        ),
    ],
)
def test_what_cannot_be_made(make: Any, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        make()


def check_alone(made: st.Strategy, **given: Any) -> None:
    """What the contract asks of a strategy, without its being registered."""
    st.register(made)
    try:
        check(ask(made, **given), FREE, 8)
    finally:
        st.registry._strategies.pop(made.name)


def test_selected_makes_a_batch_of_scores_in_another_way() -> None:
    best = ask(st.selected(st.margin, "top"))
    expected = FREE[np.argsort(-st.margin(PROBA)[FREE], kind="stable")[:8]]
    assert set(best.indices.tolist()) == set(expected.tolist())
    uniform = ask(st.selected("margin", "sampled", floor=1.0), n=3)
    np.testing.assert_allclose(np.exp(uniform.log_q), [1 / (len(FREE) - i) for i in range(3)])
    spread = ask(st.selected("entropy", "diverse", beta=2))
    assert len(set(spread.indices.tolist()) & set(FREE.tolist())) == 8
    assert st.selected("entropy", "diverse", beta=2).name == "entropy, diverse"
    for given, words in (
        ({"strategy": "badge", "selection": "top"}, "badge picks whole batches"),
        ({"strategy": "margin", "selection": "best"}, "selection must be"),
        ({"strategy": "margin", "selection": "sampled", "beta": np.nan}, "beta must be a finite"),
    ):
        with pytest.raises(StrategyError, match=words):
            st.selected(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: st.weighted(margin="x"), "power of 'margin' must be a finite number"),
        (lambda: st.weighted(margin=np.nan), "power of 'margin' must be a finite number"),
        (lambda: st.weighted(st.margin), "takes pairs"),
        (lambda: st.per_cost("margin", kappa=np.nan), "kappa must be a finite number"),
        (lambda: st.per_cost("falcun"), "falcun picks whole batches"),
    ],
)
def test_what_cannot_be_combined_is_named(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        make()


def bad_where_labelled(bad: float, name: str) -> Callable[[Context], Any]:
    """Ones, and something else for what is labelled."""

    def score(context: Context) -> Any:
        return np.where(np.isin(context.indices, LABELLED), bad, 1.0)

    score.__name__ = name
    return score


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.0, 0.0])
def test_what_cannot_be_picked_counts_for_nothing(bad: float) -> None:
    ones = bad_where_labelled(bad, "ones")
    for power in (1, 0.5, -1):
        np.testing.assert_allclose(scores(st.weighted((ones, power))), 1.0)
    np.testing.assert_allclose(scores(st.per_cost(ones, np.ones(N))), 1.0)
    for costs in (ones, ones(Context(torch.zeros(N, 1), np.arange(N), None))):  # type: ignore[arg-type]
        np.testing.assert_allclose(scores(st.per_cost(bad_where_labelled(1, "one"), costs)), 1.0)


def test_negative_scores_are_not_divided_by_costs() -> None:
    def below(context: Context) -> Any:
        return np.where(context.indices == 55, -2.0, 1.0)

    costs = np.full(N, 3.0)
    with pytest.raises(StrategyError, match="below scores pool row 55 with -2: a score by cost"):
        ask(st.per_cost(below, costs))
    with pytest.raises(StrategyError, match="below scores pool row 55 with -2: a product needs"):
        ask(st.weighted((below, 1)))


@pytest.mark.parametrize(
    "shape",
    [
        lambda c: torch.ones(len(c.indices), 1),
        lambda c: np.ones((len(c.indices), 1)),
        lambda c: 3.0,
        lambda c: [3.0],
        lambda c: np.array(["a"] * len(c.indices)),
    ],
)
def test_parts_give_one_number_for_each(shape: Callable[[Context], Any]) -> None:
    shape.__name__ = "mine"
    for made in (st.weighted((shape, 1), margin=1), st.per_cost(shape, np.ones(N))):
        with pytest.raises(StrategyError, match=r"'mine' returned .*return one number for each"):
            ask(made)
    with pytest.raises(StrategyError, match=r"costs of 'margin' returned .*one number for each"):
        ask(st.per_cost("margin", shape))


def test_seals_of_seals_keeps_both() -> None:
    few = {"labelled": LABELLED[:4], "labels": np.array([0, 1, 2, 0])}
    inner = st.seal_candidates(X, LABELLED[:4], 2, FREE)
    found = ask(st.seals(st.seals(st.margin, 2), 40), n=4, **few)
    assert set(found.indices.tolist()) <= set(inner.tolist())


@pytest.mark.parametrize("costs", ["x", 3.0, np.ones((N, 1)), ["a"] * N])
def test_costs_are_looked_at_when_given(costs: Any) -> None:
    with pytest.raises(StrategyError, match="costs"):
        st.per_cost("margin", costs)
    assert st.per_cost("margin", [1.0] * N)  # type: ignore[arg-type]


@pytest.mark.parametrize("power", [-0.5, -1, -2, -4])
def test_a_score_of_zero_can_be_turned_round(power: float) -> None:
    def first(context: Context) -> Any:
        return (context.indices != 50) * (1.0 + context.indices)

    def tens(context: Context) -> torch.Tensor:
        return torch.full((len(context.indices),), 10.0)

    both = st.selected(st.weighted((first, power), (first, power), (tens, 2)), "top")
    for made in (st.selected(st.weighted((first, power), (tens, 2)), "top"), both):
        assert ask(made, n=1).indices.tolist() == [50]
