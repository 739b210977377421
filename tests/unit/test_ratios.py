"""Precision, recall and F1 from drawn items: against scikit-learn, and against simulated pools."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import Estimate, by_class, estimate, f1, precision, recall, weights
from tests.bench.estimates import classes, draw, pools

RNG = np.random.default_rng(0)
N, M, C = 500, 80, 4
TRUTH = RNG.integers(0, C, M)
SAID = np.where(RNG.random(M) < 0.7, TRUTH, RNG.integers(0, C, M))
#: Any: what matters is that not all items weigh the same.
Q = RNG.uniform(0.6, 1.8, M) / (N - np.arange(M))
NAMES = ["ham", "spam", "news", "other"]

Ratio = Callable[..., Estimate]
ORACLES = [(precision, precision_score), (recall, recall_score), (f1, f1_score)]


@pytest.mark.parametrize(("ours", "oracle"), ORACLES)
@pytest.mark.parametrize("average", ["macro", "micro"])
def test_figures_are_those_of_scikit_learn_with_the_weights(
    ours: Ratio, oracle: Callable[..., float], average: str
) -> None:
    found = ours(TRUTH, SAID, Q, N, average=average)
    expected = oracle(TRUTH, SAID, average=average, sample_weight=weights(Q, N))
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    assert found.n == M
    for code in range(C):
        mine = ours(TRUTH, SAID, Q, N, of=code)
        its = oracle(TRUTH, SAID, labels=[code], average=None, sample_weight=weights(Q, N))
        assert mine.value == pytest.approx(its[0])


@pytest.mark.parametrize(("ours", "oracle"), ORACLES)
@pytest.mark.parametrize("average", ["macro", "micro", "samples"])
def test_of_several_labels(ours: Ratio, oracle: Callable[..., float], average: Any) -> None:
    rng = np.random.default_rng(1)
    has = (rng.random((M, C)) < 0.4).astype(int)
    said = np.where(rng.random((M, C)) < 0.8, has, 1 - has)
    # Where nothing is said and nothing is so, the item is right; scikit-learn asks what to make
    # of either, so the two cases that it cannot tell apart are left out.
    has[has.sum(axis=1) == 0, 0] = said[said.sum(axis=1) == 0, 0] = 1
    metric: Any = ours.__name__
    found = estimate(metric, has, said, Q, N, average=average)
    expected = oracle(has, said, average=average, sample_weight=weights(Q, N))
    # A mean over items is LURE itself: it is divided by the number of draws, not by their weight.
    mass = weights(Q, N).mean() if average == "samples" else 1.0
    lacking = mass * (1 - expected) if average == "samples" else 1 - expected
    assert found.value == pytest.approx(1 - lacking)


def test_an_item_with_no_label_and_none_predicted_is_right() -> None:
    has = np.array([[0, 0], [0, 0], [1, 0], [1, 1]])
    said = np.array([[0, 0], [1, 0], [0, 0], [1, 0]])
    q = 1 / np.arange(4, 0, -1)
    for metric, expected in (("precision", 0.5), ("recall", 0.375), ("f1", 5 / 12)):
        assert estimate(metric, has, said, q, 4).value == pytest.approx(expected)  # type: ignore[arg-type]


def test_a_slice_is_as_if_the_others_were_not_there() -> None:
    within = np.arange(M) % 3 == 0
    for ours, oracle in ORACLES:
        found = ours(TRUTH, SAID, Q, N, within=within)
        its = weights(Q, N)[within]
        expected = oracle(TRUTH[within], SAID[within], average="macro", sample_weight=its)
        assert found.value == pytest.approx(expected)
        assert found.n == within.sum()


def test_intervals_cover() -> None:
    """Of six classes, one with 1.5 % of the items; the bench prints more of them."""
    rows = [classes(seed, M=100) for seed in range(50)]
    for name in ("precision, usual class", "recall, usual class", "f1, macro", "f1, micro"):
        assert np.mean([row[name] for row in rows]) >= 0.88
    rare = [row[name] for row in rows for name in row if "rare" in name]
    assert len(rare) > 80
    assert 0.9 <= np.mean(rare) < 1


def test_intervals_cover_whatever_chose_the_items() -> None:
    for kind in ("good", "adversarial"):
        rng = np.random.default_rng(4)
        wrong, scores = pools(kind, 0.2, 1_000, 80, rng)
        items, q = draw(scores, 100, rng)
        held = []
        for run in range(80):
            truth = rng.integers(0, 2, 1_000)
            said = np.where(wrong[run], 1 - truth, truth)
            mine = items[run]
            found = recall(truth[mine], said[mine], q[run], 1_000, of=1)
            held.append(found.low <= (said[truth == 1] == 1).mean() <= found.high)
        assert 0.89 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("metric", [precision, recall, f1])
def test_a_perfect_class_is_not_certain(metric: Ratio) -> None:
    truth = np.array([1] * 6 + [0] * 30)
    found = metric(truth, truth, 1 / (N - np.arange(36)), N, of=1)
    assert (found.value, found.high) == (1.0, 1.0)
    # Jeffreys' interval of 6 of 6 begins at .67; F1 is that much surer of what it counts twice.
    expected = 0.67 if metric is not f1 else 2 * 0.67 / 1.67
    assert found.low == pytest.approx(expected, abs=0.04)
    none = metric(truth, 1 - truth, 1 / (N - np.arange(36)), N, of=1)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high < 0.4


def test_everything_labelled_is_exact() -> None:
    q = 1 / np.arange(M, 0, -1)
    found = f1(TRUTH, SAID, q, M)
    assert found.value == pytest.approx(f1_score(TRUTH, SAID, average="macro"))
    assert found.low == found.value == found.high


def test_the_same_seed_is_the_same_interval() -> None:
    one, again, other = (f1(TRUTH, SAID, Q, N, seed=seed) for seed in (0, 0, 1))
    assert one == again
    assert one.value == other.value
    assert one.low != other.low


def test_what_is_not_known_is_said_in_words() -> None:
    truth, said = np.array([0, 0, 1, 0]), np.array([0, 0, 0, 0])
    q = 1 / (N - np.arange(4))
    found = {m: by_class(m, truth, said, q, N, names=NAMES) for m in ("precision", "recall", "f1")}
    assert found["recall"]["spam"].value == found["f1"]["spam"].value == 0.0
    never_said = found["precision"]["spam"]
    assert math.isnan(never_said.value)
    assert (never_said.low, never_said.high, never_said.n) == (0.0, 1.0, 4)
    assert never_said.method == "the model says 'spam' of none of the 4 audit labels"
    assert found["recall"]["news"].method == "none of the 4 audit labels is 'news'"
    assert "says so of none" in found["f1"]["news"].method
    assert f1([], [], [], N).method == "no audit labels yet"
    one_class = f1(said, said, q, N, names=NAMES)
    assert not one_class.known
    assert one_class.method == "all audit labels and predictions are of one class so far"
    assert "nothing is known of 2 more" in f1(truth, said, q, N, names=NAMES).method
    nothing = f1(np.zeros((4, 2), int), np.zeros((4, 2), int), q, N)
    assert nothing.method == "no class is in a label or a prediction"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: f1([0, 1], [0], [0.1, 0.1], 10), "do not match"),
        (lambda: f1([0.5], [1.0], [0.1], 10), "whole class codes"),
        (lambda: f1([0, -1], [0, 0], [0.1, 0.1], 10), "code -1 in row 1"),
        (lambda: f1([0, 4], [0, 0], [0.1, 0.1], 10, names=NAMES), "code 4 in row 1"),
        (lambda: f1([[2, 0]], [[0, 1]], [0.1], 10), "0 and 1 only"),
        (lambda: f1([0], [0], [0.1], 10, of=7), "no class 7"),
        (lambda: f1([0], [0], [0.1], 10, average="weighted"), "no average"),
        (lambda: f1([0], [0], [0.1], 10, confidence=2), "between 0 and 1"),
        (lambda: f1([0], [0], [2.0], 10), "Draw 0"),
        (lambda: f1([0], [0], [0.1], 10, within=[1]), "mask of 1"),
        (lambda: estimate("f1", [0], [0], [0.1], 10, method="anytime"), "is a ratio"),
        (lambda: estimate("f1", [0], [0], [0.1], 10, average="samples"), "several labels"),
        (lambda: estimate("f1", [0], [0], [0.1], 10, average="all"), "no average"),  # type: ignore[arg-type]
        (lambda: estimate("beauty", [0], [0], [0.1], 10), "no metric 'beauty'"),  # type: ignore[arg-type]
        (lambda: estimate("error", [0, 1], [0], [0.1], 10), "do not match"),
    ],
)
def test_impossible_input(given: Callable[[], Estimate], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        given()


def test_accuracy_and_error_by_name() -> None:
    good, bad = (estimate(m, TRUTH, SAID, Q, N) for m in ("accuracy", "error"))  # type: ignore[arg-type]
    assert good.value == pytest.approx(1 - bad.value)
    assert bad.value == pytest.approx(np.mean(weights(Q, N) * (TRUTH != SAID)))
    # The accuracy on the items of a class is its recall.
    of = estimate("accuracy", TRUTH, SAID, Q, N, of=2)
    assert of.value == pytest.approx(recall(TRUTH, SAID, Q, N, of=2).value)
    within = TRUTH > 0
    part = estimate("error", TRUTH, SAID, Q, N, within=within)
    v = weights(Q, N)[within]
    assert part.value == pytest.approx(np.average((TRUTH != SAID)[within], weights=v))
