"""SklearnLearner: what it promises beyond the contract of every learner."""

from __future__ import annotations

import copy
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from alwidgets.errors import LearnerError
from alwidgets.learners.calibration import dealt, temperature_of
from alwidgets.learners.progress import Cancelled, Progress
from alwidgets.learners.sklearn import SklearnLearner
from alwidgets.learners.sklearn_fits import FOLDS, resample


class Nearest(ClassifierMixin, BaseEstimator):
    """The class of the nearest labelled row; says so and nothing more."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> Nearest:
        self.rows_, self.codes_, self.classes_ = X, y, np.unique(y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        distances = ((X[:, None] - self.rows_[None]) ** 2).sum(axis=2)
        return self.codes_[distances.argmin(axis=1)]


class Scaled(RidgeClassifier):
    """A classifier whose scores are some times as large."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        return self.factor * super().decision_function(X)


def blobs(n: int, classes: int = 3, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % classes
    return (1.5 * rng.standard_normal((classes, 4)))[y] + spread * rng.standard_normal((n, 4)), y


@parametrize_with_checks(
    [SklearnLearner(LogisticRegression()), SklearnLearner(SVC(), members=2)],
)
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), RandomForestClassifier(5, random_state=0), KNeighborsClassifier(3)],
)
def test_probabilities_are_the_estimators_own(estimator: Any) -> None:
    X, y = blobs(40)
    learner = SklearnLearner(estimator).fit(X, y)
    expected = clone(estimator).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(learner.predict_proba(X), expected, atol=1e-6)
    assert learner.temperature_ == 1.0
    assert not hasattr(estimator, "classes_")


def test_members_are_the_bayesian_bootstrap() -> None:
    X, y = blobs(40)
    samples = SklearnLearner(LogisticRegression(), members=5, seed=3).fit(X, y).posterior(X)
    weights = np.random.default_rng(3).standard_exponential((40, 5))
    for k in range(5):
        member = LogisticRegression().fit(X, y, sample_weight=weights[:, k])
        np.testing.assert_allclose(samples[k], member.predict_proba(X), atol=1e-5)


def test_resampling_keeps_every_class() -> None:
    codes = np.array([0] * 50 + [1] + [2])
    drawn = [resample(codes, np.random.default_rng(seed)) for seed in range(200)]
    for rows in drawn:
        assert set(codes[rows]) == {0, 1, 2}
        assert 52 <= len(rows) <= 54
    distinct = np.mean([len(np.unique(rows)) / 52 for rows in drawn])
    assert distinct == pytest.approx(1 - np.exp(-1), abs=0.03)


def test_pipelines_are_resampled() -> None:
    X, y = blobs(40, spread=2.0)
    learner = SklearnLearner(make_pipeline(StandardScaler(), LogisticRegression()), members=4)
    samples = learner.fit(X, y).posterior(X)
    assert samples.shape == (4, 40, 3)
    assert samples.std(axis=0).max() > 0.01


def test_copies_are_fitted_once_and_only_when_asked_for() -> None:
    fits: list[int] = []

    class Counted(LogisticRegression):
        def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: Any = None) -> Counted:
            fits.append(len(X))
            return super().fit(X, y, sample_weight)

    X, y = blobs(30)
    learner = SklearnLearner(Counted(), members=4).fit(X, y)
    learner.predict_proba(X)
    assert len(fits) == 1
    one, two = learner.posterior(X), copy.deepcopy(learner).posterior(X)
    np.testing.assert_array_equal(one, two)
    assert len(fits) == 5


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", [SVC(), LinearSVC(), SGDClassifier(random_state=0)])
def test_scores_become_probabilities(estimator: Any, classes: int) -> None:
    X, y = blobs(200, classes, spread=2.0)
    learner = SklearnLearner(estimator).fit(X, y)
    # The definition, step by step.
    folds = dealt(y, FOLDS)
    scores = np.zeros((200, classes))
    for fold in range(FOLDS):
        fitted = clone(estimator)
        if "random_state" in fitted.get_params():
            fitted.set_params(random_state=0)
        found = fitted.fit(X[folds != fold], y[folds != fold]).decision_function(X[folds == fold])
        scores[folds == fold] = found if classes > 2 else np.stack([0 * found, found], axis=1)

    unit = scores.std()  # of scores, which may be of any size

    def loss(log: float) -> float:
        logp = log_softmax(scores / unit / np.exp(log), axis=1)
        return -float(logp[np.arange(200), y].sum()) + 0.5 * log**2

    best = minimize_scalar(loss, bounds=(-4, 4), method="bounded").x
    assert np.log(learner.temperature_ / unit) == pytest.approx(best, abs=0.03)
    proba = learner.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-6)
    plain = clone(estimator).set_params(**({"random_state": 0}))
    assert (proba.argmax(1) == plain.fit(X, y).predict(X)).mean() > 0.99


def test_the_size_of_scores_does_not_matter() -> None:
    X, y = blobs(90, spread=2.0)
    small, large = (SklearnLearner(Scaled(factor)).fit(X, y) for factor in (1.0, 1e4))
    np.testing.assert_allclose(small.predict_proba(X), large.predict_proba(X), atol=1e-5)


def test_a_classifier_that_predicts_only_once_it_is_fitted() -> None:
    X, y = blobs(60)
    stack = StackingClassifier([("bayes", GaussianNB())], cv=2)
    assert not hasattr(stack, "predict")
    assert SklearnLearner(stack).fit(X, y).score(X, y) > 0.6


class Duck:
    """A classifier that is nobody's subclass."""

    def __init__(self, label: int = 1) -> None:
        self.label = label

    def get_params(self, deep: bool = True) -> dict[str, int]:
        return {"label": self.label}

    def set_params(self, **params: int) -> Duck:
        vars(self).update(params)
        return self

    def fit(self, X: np.ndarray, y: np.ndarray) -> Duck:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.full(len(X), self.label)


def test_a_classifier_that_only_behaves_like_one() -> None:
    X, y = blobs(12)
    assert SklearnLearner(Duck()).fit(X, y).predict(X).tolist() == [1] * 12


@pytest.mark.parametrize("piped", [False, True])
def test_fewer_labels_than_neighbours(piped: bool) -> None:
    X, y = blobs(30)
    estimator = KNeighborsClassifier(5)
    if piped:
        estimator = make_pipeline(StandardScaler(), estimator)
    few = SklearnLearner(estimator, members=3).fit(X[:3], np.array([0, 1, 1]), classes=3)
    # All three are neighbours, and their shares are what it can say.
    np.testing.assert_allclose(few.predict_proba(X), np.tile([1 / 3, 2 / 3, 0], (30, 1)), atol=1e-6)
    assert np.isfinite(few.posterior(X)).all()
    # The folds have fewer labels still.
    calibrated = SklearnLearner(estimator, calibrate=True).fit(X[:6], y[:6], classes=3)
    assert np.isfinite(calibrated.predict_proba(X)).all()
    # With enough of them it is the classifier as it was given.
    many = SklearnLearner(estimator).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(many, clone(estimator).fit(X, y).predict_proba(X), atol=1e-6)


def test_a_classifier_that_refuses_so_few_labels_says_what_to_do() -> None:
    X, y = blobs(9)
    learner = SklearnLearner(CalibratedClassifierCV(LogisticRegression(), cv=5))
    with pytest.raises(LearnerError, match=r"on 9 labels of 3 classes \(.*\): label more items"):
        learner.fit(X, y)


def test_calibration_helps() -> None:
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.data))
    train, test = order[:300], order[300:900]

    def loss(calibrate: Any) -> float:
        learner = SklearnLearner(SVC(), calibrate=calibrate)
        proba = learner.fit(digits.data[train], digits.target[train]).predict_proba(
            digits.data[test]
        )
        return float(-np.log(proba[np.arange(600), digits.target[test]]).mean())

    assert loss("auto") == loss(True)
    assert loss(True) < 0.8 * loss(False)


def test_calibration_of_probabilities() -> None:
    X, y = blobs(200, spread=3.0)
    forest = RandomForestClassifier(10, max_depth=None, random_state=0)
    sure = SklearnLearner(forest).fit(X, y)
    modest = SklearnLearner(forest, calibrate=True).fit(X, y)
    assert sure.temperature_ == 1.0
    assert modest.temperature_ != 1.0
    assert (sure.predict(X) == modest.predict(X)).all()


def test_a_class_with_one_label_does_not_hinder_calibration() -> None:
    X, y = blobs(40)
    y[0] = 3
    learner = SklearnLearner(SVC()).fit(X, y)
    assert learner.predict_proba(X).shape == (40, 4)
    assert np.isfinite(learner.temperature_)
    few = SklearnLearner(SVC()).fit(X[:3], np.array([0, 1, 2]))
    assert few.temperature_ == 1.0


def test_votes() -> None:
    X, y = blobs(40, spread=2.0)
    learner = SklearnLearner(Nearest(), members=7, calibrate=True).fit(X, y)
    samples = learner.posterior(X)
    assert set(np.unique(samples)) == {0.0, 1.0}
    own = np.eye(3)[y]  # the nearest labelled row of each is itself
    np.testing.assert_allclose(learner.predict_proba(X), (samples.sum(axis=0) + own) / 8, atol=1e-6)


def test_labels_of_any_kind(tmp_path: Path) -> None:
    X, y = blobs(30)
    for labels in (
        np.array(["ham", "spam", "eggs"])[y],
        np.array(["ham", "spam", "eggs"], dtype=object)[y],
        np.array([-5, 2, 70])[y],
        np.array([True, False, True])[y],
    ):
        learner = SklearnLearner(LogisticRegression(), members=2).fit(X, labels)
        assert (learner.classes_ == np.unique(labels)).all()
        assert (learner.predict(X) == labels).mean() > 0.8
        learner.save(tmp_path / "model")
        found = SklearnLearner(LogisticRegression()).load(tmp_path / "model")
        assert found.members == 2
        assert found.classes_.dtype == learner.classes_.dtype
        np.testing.assert_array_equal(found.predict(X), learner.predict(X))
        np.testing.assert_array_equal(found.posterior(X), learner.posterior(X))


def test_codes_are_what_is_predicted() -> None:
    X, y = blobs(30)
    learner = SklearnLearner(LogisticRegression()).fit(X, y + 4, classes=9)
    assert learner.classes_.tolist() == list(range(9))
    assert (learner.predict(X) == y + 4).mean() > 0.8
    assert learner.predict(torch.from_numpy(X)).dtype == torch.int64
    assert (learner.predict_proba(X)[:, [0, 1, 2, 3, 7, 8]] == 0).all()
    with pytest.raises(LearnerError, match="codes"):
        learner.fit(X, y.astype(str), classes=3)
    with pytest.raises(LearnerError, match=r"0\.\.2"):
        learner.fit(X, y + 4, classes=3)


def test_chance_comes_from_the_seed(tmp_path: Path) -> None:
    X, y = blobs(60, spread=3.0)
    forest = make_pipeline(RandomForestClassifier(3))  # no random_state
    one, two, other = (SklearnLearner(forest, seed=s).fit(X, y) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))
    other.save(tmp_path / "model")
    found = SklearnLearner(forest).load(tmp_path / "model")
    np.testing.assert_array_equal(found.predict_proba(X), other.predict_proba(X))
    assert forest[0].random_state is None


def test_a_file_of_another_estimator(tmp_path: Path) -> None:
    X, y = blobs(12)
    SklearnLearner(LogisticRegression()).fit(X, y).save(tmp_path / "model")
    with pytest.raises(LearnerError, match="same estimator"):
        SklearnLearner(LogisticRegression(C=3.0)).load(tmp_path / "model")


def test_data_frames() -> None:
    X, y = blobs(12)
    frame = pd.DataFrame(X, columns=list("abcd"))
    learner = SklearnLearner(LogisticRegression()).fit(frame, y)
    assert learner.feature_names_in_.tolist() == list("abcd")
    assert learner.n_features_in_ == 4
    assert learner.predict_proba(frame).shape == (12, 3)
    with pytest.raises(LearnerError, match="feature names"):
        learner.predict_proba(frame[list("dcba")])
    assert not hasattr(learner.fit(X, y), "feature_names_in_")


def test_later_changes_of_the_rows_change_nothing() -> None:
    X, y = blobs(30)
    learner = SklearnLearner(LogisticRegression(), members=2)
    expected = copy.deepcopy(learner).fit(X, y).posterior(X)
    given = X.copy()
    learner.fit(given, y)
    given[:] = 0.0
    np.testing.assert_array_equal(learner.posterior(X), expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": LogisticRegression}, "classifier"),
        ({"estimator": "svm"}, "classifier"),
        ({"estimator": SklearnLearner.fit}, "classifier"),
        ({"estimator": StandardScaler()}, "predict"),
        ({"members": 0}, "members"),
        ({"calibrate": "yes"}, "calibrate"),
        ({"estimator": LinearRegression()}, "regressor"),
        ({"estimator": SVC(decision_function_shape="ovo")}, "ovr"),
        ({"estimator": make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo"))}, "ovr"),
    ],
)
def test_bad_parameters(params: dict[str, Any], message: str) -> None:
    learner = SklearnLearner(**({"estimator": LogisticRegression()} | params))
    with pytest.raises(LearnerError, match=message):
        learner.fit(*blobs(12))


def test_unfitted_is_what_scikit_learn_expects() -> None:
    with pytest.raises(NotFittedError):
        SklearnLearner(LogisticRegression()).predict(np.zeros((1, 4)))


def test_progress_and_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alwidgets.learners.progress.INTERVAL", 0.0)
    X, y = blobs(30)
    reports: list[Progress] = []
    learner = SklearnLearner(SVC(), members=3).fit(X, y)
    before = learner.predict_proba(X)
    learner.on_progress = reports.append
    learner.fit(X, y)
    assert [report.done for report in reports] == [1, 2, 3, 4, 5, 6]
    assert reports[-1].fraction == 1.0
    learner.posterior(X)
    assert [report.what for report in reports[6:]] == ["member"] * 3
    stop = learner.should_stop = threading.Event()
    learner.on_progress = lambda progress: stop.set()
    with pytest.raises(Cancelled):
        learner.fit(X, (y + 1) % 3)
    np.testing.assert_array_equal(learner.predict_proba(X), before)
    other = copy.deepcopy(learner)
    assert other.on_progress is None
    assert other.should_stop is None
    assert clone(learner).should_stop is None
    assert repr(other) == repr(learner)


def test_temperature_without_labels_is_one() -> None:
    assert temperature_of(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)) == 1.0
