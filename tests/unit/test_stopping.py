"""When to stop: criteria against their definitions, and advice in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, f1_score

import alwidgets as al
from alwidgets.errors import AlwidgetsError
from alwidgets.stopping import (
    change_of_f,
    classification_change,
    kappa,
    overall_uncertainty,
    predicted_change_of_f,
    stabilizing_predictions,
)

RNG = np.random.default_rng(0)


def agreeing(share: float, n: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Two balanced models of two classes that agree on this share of n items."""
    one = np.repeat([0, 1], n // 2)
    other, odd = one.copy(), round((1 - share) * n / 2)
    other[:odd], other[n // 2 : n // 2 + odd] = 1, 0
    return one, other


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_kappa_is_that_of_scikit_learn(classes: int) -> None:
    for _ in range(20):
        one = RNG.integers(classes, size=50)
        other = np.where(RNG.random(50) < 0.7, one, RNG.integers(classes, size=50))
        assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
    # Codes are names: any will do.
    assert kappa(10 * one + 3, 10 * other + 3) == pytest.approx(kappa(one, other))


def test_kappa_says_nothing_where_everything_is_of_one_class() -> None:
    assert math.isnan(kappa([1, 1, 1], [1, 1, 1]))
    assert math.isnan(kappa([], []))
    assert kappa([0, 0, 0, 0], [0, 0, 0, 1]) == 0


def test_the_change_of_f_is_the_f1_of_one_model_by_the_other() -> None:
    for classes in (2, 4):
        one = RNG.integers(classes, size=60)
        other = np.where(RNG.random(60) < 0.8, one, RNG.integers(classes, size=60))
        average = "binary" if classes == 2 else "macro"
        expected = 1 - f1_score(one, other, average=average)
        assert change_of_f(one, other) == pytest.approx(expected)
    several = RNG.integers(2, size=(2, 40, 5))
    expected = 1 - f1_score(several[0], several[1], average="macro")
    assert change_of_f(several[0], several[1]) == pytest.approx(expected)
    assert math.isnan(change_of_f([0, 0], [0, 0]))


def test_stable_predictions_stop_it_and_only_after_enough_rounds() -> None:
    one, other = agreeing(0.996, 1000)
    assert kappa(one, other) == pytest.approx(0.992)
    assert not stabilizing_predictions([one, other, one]).stop
    advice = stabilizing_predictions([one, other, one, other])
    assert advice.stop
    assert advice.value == pytest.approx(0.992)
    assert "agree with each other (kappa 0.992, 0.99 is enough)" in str(advice)
    stricter = stabilizing_predictions([one, other] * 3, threshold=0.995, rounds=5)
    assert not stricter.stop
    assert "do not agree enough" in stricter.reason


def test_a_constant_kappa_of_0_6_never_stops_it() -> None:
    one, other = agreeing(0.8)
    assert kappa(one, other) == pytest.approx(0.6)
    for n in range(1, 60):
        assert not stabilizing_predictions([one, other] * n).stop


def test_only_the_newest_rounds_count() -> None:
    one, other = agreeing(0.5)
    assert stabilizing_predictions([one, other, one] + [other] * 4).stop
    assert not stabilizing_predictions([other] * 4 + [one]).stop


def test_one_class_so_far_is_no_reason_to_stop() -> None:
    same = [np.zeros(50, dtype=int)] * 6
    for criterion in (stabilizing_predictions, classification_change, predicted_change_of_f):
        advice = criterion(same)
        assert not advice.stop
        assert math.isnan(advice.value)
        assert "one class: agreement says nothing" in advice.reason
        assert "no items" in criterion([np.empty(0, dtype=int)] * 6).reason


def test_classification_change_wants_nothing_to_change() -> None:
    one, other = agreeing(0.98)
    assert classification_change([other, one, one, one]).stop
    advice = classification_change([one, one, other])
    assert not advice.stop
    assert advice.value == pytest.approx(0.02)
    assert classification_change([one, other, one], threshold=0.02).stop


def test_overall_uncertainty_looks_at_the_newest_model() -> None:
    assert overall_uncertainty([0.5, 0.04]).stop
    advice = overall_uncertainty([0.01, 0.3])
    assert (advice.stop, advice.value) == (False, 0.3)
    assert "one model is asked, there is none yet" in overall_uncertainty([]).reason


def test_predicted_change_of_f() -> None:
    one, other = agreeing(0.996, 1000)
    assert predicted_change_of_f([one, other] * 2).stop
    one, other = agreeing(0.9)
    advice = predicted_change_of_f([one, other] * 2)
    assert not advice.stop
    assert advice.value == pytest.approx(change_of_f(one, other))


def test_names_of_classes_are_as_good_as_codes() -> None:
    rng = np.random.default_rng(0)
    names = np.array(["ham", "spam", "news"])
    models = [rng.integers(0, 3, 50) for _ in range(4)]
    for as_they_come in (names.__getitem__, lambda codes: names[codes].astype(object)):
        said = [as_they_come(codes) for codes in models]
        assert kappa(said[0], said[1]) == pytest.approx(kappa(models[0], models[1]))
        assert stabilizing_predictions(said) == stabilizing_predictions(models)
        assert classification_change(said).value == classification_change(models).value


def test_too_few_rounds_are_said_in_words() -> None:
    assert "4 models are compared, there is none yet" in stabilizing_predictions([]).reason
    assert "there is 1 so far" in classification_change([[0, 1]]).reason
    assert "there are 2 so far" in predicted_change_of_f([[0, 1]] * 2).reason


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: kappa([0, 1], [0, 1, 1]), "asked about the same items"),
        (lambda: stabilizing_predictions([[0.5, 1.0]]), "Prediction 0 of model 0 is 0.5"),
        (lambda: kappa([0, 1], [0, np.nan]), "Prediction 1 of model 1 is nan"),
        (lambda: kappa(["a"], [1]), "model 0 are of type <U1: give class codes, or the names"),
        (lambda: stabilizing_predictions([np.zeros((3, 2))]), "proba.argmax"),
        (lambda: stabilizing_predictions([], threshold=1.5), "threshold=1.5 must lie"),
        (
            lambda: classification_change([], rounds=0),
            "rounds=0 must be a whole number, at least 1",
        ),
        (lambda: overall_uncertainty([0.1, np.nan]), "uncertainty of round 1 is nan"),
    ],
)
def test_what_is_wrong_is_named(wrong, words: str) -> None:
    with pytest.raises(AlwidgetsError, match=words.replace("(", r"\(")):
        wrong()


def test_the_namespace_is_complete() -> None:
    assert all(hasattr(al.stopping, name) for name in al.stopping.__all__)
    assert "stopping" in dir(al)
