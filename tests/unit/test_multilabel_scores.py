"""Scores of items with several labels against independent implementations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import modAL.multilabel
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import entropy

import alwidgets as al
from alwidgets.errors import StrategyError
from alwidgets.strategies import bald

Floats = NDArray[np.float64]
OF = al.strategies
PLAIN: list[Callable[[Any], Any]] = [
    OF.mean_binary_entropy,
    OF.max_binary_entropy,
    OF.binary_minimum,
    OF.mean_score,
    OF.max_score,
    OF.max_loss_reduction,
    OF.max_margin_uncertainty,
    lambda p: OF.cardinality_inconsistency(p, 1.3),
    lambda p: OF.margin_cardinality(p, 1.3),
]


@pytest.fixture(params=[2, 6, 40])
def proba(request: pytest.FixtureRequest) -> Floats:
    rng = np.random.default_rng(request.param)
    p = rng.beta(0.5, 1.5, size=(200, request.param))
    p[0], p[1], p[2] = 0.5, 0.0, 1.0
    return np.asarray(p)


class Relevance:
    """A multi-label classifier for modAL that always answers the same."""

    def __init__(self, proba: Floats) -> None:
        self.proba = proba
        self.estimator = self
        self.estimators_ = [_Machine(column) for column in logit(proba).T]

    def predict_proba(self, X: Floats) -> Floats:
        return self.proba

    def predict(self, X: Floats) -> NDArray[np.int64]:
        return (self.proba >= 0.5).astype(np.int64)


class _Machine:
    def __init__(self, values: Floats) -> None:
        self.values = values

    def decision_function(self, X: Floats) -> Floats:
        return self.values


def test_entropies(proba: Floats) -> None:
    each = entropy(np.stack([proba, 1 - proba]), axis=0)
    np.testing.assert_allclose(OF.mean_binary_entropy(proba), each.mean(1), atol=1e-9)
    np.testing.assert_allclose(OF.max_binary_entropy(proba), each.max(1), atol=1e-9)


def test_the_same_order_as_modal(proba: Floats) -> None:
    p = np.clip(proba[3:], 1e-9, 1 - 1e-9)
    theirs, n = Relevance(p), 20

    def best(found: Any) -> set[int]:
        return set(np.asarray(found[0] if isinstance(found, tuple) else found).tolist())

    def ours(scores: Floats) -> set[int]:
        return set(np.argsort(-scores)[:n].tolist())

    assert ours(OF.mean_score(p)) == best(modAL.multilabel.avg_confidence(theirs, p, n))
    nearest = modAL.multilabel.SVM_binary_minimum(theirs, p)
    assert OF.binary_minimum(p).argmax() == nearest
    # Theirs is of the labels predicted: the same where there is one.
    some = p[(p >= 0.5).any(1)]
    found = modAL.multilabel.max_score(Relevance(some), some, 5, random_tie_break=False)
    assert set(np.argsort(-OF.max_score(some))[:5].tolist()) == best(found)


def test_max_loss_reduction_by_its_definition(proba: Floats) -> None:
    def by_hand(p: Floats, m: int) -> float:
        y = -np.ones(len(p))
        y[np.argsort(-p)[:m]] = 1
        return float(((1 - y * (2 * p - 1)) / 2).sum())

    counts = np.arange(len(proba)) % (proba.shape[1] + 1)
    expected = [by_hand(p, m) for p, m in zip(proba, counts, strict=True)]
    np.testing.assert_allclose(OF.max_loss_reduction(proba, counts), expected, atol=1e-9)
    expected = [by_hand(p, round(p.sum())) for p in proba]
    np.testing.assert_allclose(OF.max_loss_reduction(proba), expected, atol=1e-9)
    for bad in (counts[:-1], counts - 1, counts + proba.shape[1]):
        with pytest.raises(StrategyError, match="counts"):
            OF.max_loss_reduction(proba, bad)


def test_margin_and_cardinality_by_their_definition(proba: Floats) -> None:
    p = np.clip(proba[3:], 1e-6, 1 - 1e-6)
    for row, found, off in zip(
        p, OF.max_margin_uncertainty(p), OF.cardinality_inconsistency(p, 1.3), strict=True
    ):
        odds = logit(row)
        yes, no = odds[odds >= 0], odds[odds < 0]
        gap = (yes.min() if len(yes) else 0) - (no.max() if len(no) else 0)
        assert found == pytest.approx(1 / gap, rel=1e-6)
        assert off == pytest.approx(abs(len(yes) - 1.3))
    both = OF.margin_cardinality(p, 1.3, beta=0.25)
    gaps, counts = OF.max_margin_uncertainty(p), OF.cardinality_inconsistency(p, 1.3)
    np.testing.assert_allclose(both, gaps**0.25 * counts**0.75)
    # On the border, or beyond what log-odds can hold, it stays a number.
    assert np.isfinite(OF.max_margin_uncertainty(proba)).all()
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(StrategyError, match="cardinality"):
            OF.cardinality_inconsistency(p, wrong)
    with pytest.raises(StrategyError, match="beta"):
        OF.margin_cardinality(p, 1.0, beta=2)


def test_bald_is_that_of_each_label_as_two_classes() -> None:
    p = np.random.default_rng(0).beta(0.5, 0.5, size=(5, 300, 7))
    each = [bald(np.stack([1 - p[:, :, c], p[:, :, c]], axis=2)) for c in range(7)]
    np.testing.assert_allclose(OF.multilabel_bald(p), np.sum(each, axis=0), atol=1e-9)
    np.testing.assert_allclose(OF.multilabel_bald(np.repeat(p[:1], 3, 0)), 0, atol=1e-9)
    # Of all labels together: independent given the sample, not given the mean.
    few = p[:2, :40, :3]
    joint = np.zeros(40)
    for marks in itertools.product((0, 1), repeat=3):
        chance = np.where(marks, few, 1 - few).prod(axis=2)
        mean = chance.mean(axis=0)
        joint += (chance * np.log(chance / mean)).mean(axis=0)
    assert (OF.multilabel_bald(few) >= joint - 1e-9).all()


@pytest.mark.parametrize("score", PLAIN)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 9))
@example(47378022, 16, 9)
@settings(max_examples=25, deadline=None)
def test_whatever_the_probabilities(
    score: Callable[[Any], Any], seed: int, n: int, labels: int
) -> None:
    rng = np.random.default_rng(seed)
    p = rng.choice([0.0, 1e-30, 0.2, 0.5, 0.5 + 1e-9, 1.0], size=(n, labels))
    found = score(p)
    assert found.shape == (n,)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    # A row counts for itself, and the order of the labels does not matter.
    alone = np.concatenate([score(p[row : row + 1]) for row in range(n)])
    np.testing.assert_allclose(alone, found, rtol=1e-9)
    np.testing.assert_allclose(score(p[:, rng.permutation(labels)]), found, rtol=1e-9)


@pytest.mark.parametrize("score", PLAIN)
def test_arrays_and_tensors(score: Callable[[Any], Any], proba: Floats) -> None:
    found = score(proba)
    assert isinstance(found, np.ndarray)
    tensor = score(torch.from_numpy(proba))
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_allclose(tensor, found)
    assert score(proba.astype(np.float16)).dtype == np.float32
    assert score(proba[:0]).shape == (0,)
    before = proba.copy()
    score(proba)
    np.testing.assert_array_equal(proba, before)
    many = np.tile(proba, (300, 1))
    np.testing.assert_allclose(score(many), np.tile(found, 300))


@pytest.mark.parametrize("score", PLAIN)
@pytest.mark.parametrize(
    ("bad", "says"), [(np.nan, "row 7"), (-3.0, "Row 7.*sigmoid"), (1.2, "Row 7.*sigmoid")]
)
def test_what_is_no_probability_is_named(
    score: Callable[[Any], Any], bad: float, says: str, proba: Floats
) -> None:
    proba[7, 1] = bad
    with pytest.raises(StrategyError, match=says):
        score(proba)
    with pytest.raises(StrategyError, match=r"Row 7|row 7"):
        OF.multilabel_bald(np.stack([proba, proba]))
    with pytest.raises(StrategyError, match="no column"):
        score(np.empty((3, 0)))
    with pytest.raises(StrategyError, match="no sample"):
        OF.multilabel_bald(np.empty((0, 3, 2)))
