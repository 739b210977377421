"""The other learners with several labels for an item."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from torch import nn

import alwidgets as al
from alwidgets.errors import LearnerError
from alwidgets.learners import Learner
from alwidgets.learners.module import TorchLearner
from alwidgets.learners.sklearn import SklearnLearner

X, Y = make_multilabel_classification(300, n_features=12, n_classes=4, random_state=0)
X = (X / X.std(axis=0)).astype(np.float32)
ESTIMATORS = [
    LogisticRegression(max_iter=1000),
    OneVsRestClassifier(LogisticRegression(max_iter=1000)),
    KNeighborsClassifier(),
    LinearSVC(),
    Perceptron(),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_label_by_label(estimator: ClassifierMixin, tmp_path: Path) -> None:
    learner = SklearnLearner(estimator, members=3).fit(X[:120], Y[:120], classes=4)
    assert isinstance(learner, Learner)
    proba, samples = learner.predict_proba(X), learner.posterior(X)
    assert proba.shape == (300, 4)
    assert samples.shape == (3, 300, 4)
    assert proba.dtype == samples.dtype == np.float32
    for label in range(4):
        alone = SklearnLearner(estimator, members=3).fit(X[:120], Y[:120, label], classes=2)
        np.testing.assert_array_equal(proba[:, label], alone.predict_proba(X)[:, 1])
        np.testing.assert_array_equal(samples[:, :, label], alone.posterior(X)[:, :, 1])
    said = learner.predict(X)
    np.testing.assert_array_equal(said, proba >= 0.5)
    assert learner.classes_.tolist() == [0, 1, 2, 3]
    assert (learner.n_classes_, learner.n_features_in_) == (4, 12)
    assert learner.temperature_ > 0
    assert learner.predict(torch.from_numpy(X[:5])).tolist() == said[:5].tolist()
    learner.save(tmp_path / "model")
    again = SklearnLearner(estimator).load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    np.testing.assert_array_equal(again.posterior(X), samples)
    # And back to one class for an item.
    np.testing.assert_allclose(learner.fit(X, Y[:, 0]).predict_proba(X).sum(1), 1, atol=1e-6)


def test_the_same_as_scikit_learns_own() -> None:
    ours = SklearnLearner(LogisticRegression(max_iter=1000)).fit(X[:120], Y[:120])
    theirs = OneVsRestClassifier(LogisticRegression(max_iter=1000)).fit(X[:120], Y[:120])
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-3)
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y), abs=0.02)


def test_labels_that_no_item_has_or_all() -> None:
    marks = Y[:60].copy()
    marks[:, 1], marks[:, 2] = 0, 1
    learner = SklearnLearner(LogisticRegression(), members=2).fit(X[:60], marks)
    for proba in (learner.predict_proba(X), *learner.posterior(X)):
        assert (proba[:, 1] == 0).all()
        assert (proba[:, 2] == 1).all()
        assert np.isfinite(proba).all()


@pytest.mark.parametrize("make", [lambda: SklearnLearner(LogisticRegression()), lambda: module()])
def test_bad_tables_are_named(make: Callable[[], Any]) -> None:
    learner = make().fit(X[:60], Y[:60])
    before = learner.predict_proba(X)
    for y, says in (
        (Y[:60] + 1, "0 and 1 only"),
        (Y[:59], "inconsistent numbers|60 rows of features"),
        (Y[:60, :3], "4 labels"),
    ):
        with pytest.raises(LearnerError, match=says):
            learner.fit(X[:60], y, classes=4)
    np.testing.assert_array_equal(learner.predict_proba(X), before)


def module(**options: Any) -> TorchLearner:
    def net(labels: int) -> nn.Module:
        return nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, labels))

    return TorchLearner(net, samples=4, max_epochs=60, lr=0.02, device="cpu", **options)


@pytest.mark.parametrize("n", [40, 240])
def test_modules_learn_by_binary_cross_entropy(n: int, tmp_path: Path) -> None:
    learner = module().fit(X[:n], Y[:n], classes=4)
    assert (learner.n_held_out_ > 0) == (n == 240)
    proba, samples = learner.predict_proba(X), learner.posterior(X)
    assert proba.shape == (300, 4)
    assert samples.shape == (4, 300, 4)
    assert samples.std(axis=0).max() > 1e-3
    said = learner.predict(X)
    np.testing.assert_array_equal(said, proba >= 0.5)
    assert set(said.sum(axis=1).tolist()) - {1}  # not one class for each
    usual = np.maximum(Y[n:].mean(0), 1 - Y[n:].mean(0)).mean()
    assert (said[n:] == Y[n:]).mean() > usual
    with torch.no_grad():
        logits = learner.module_(torch.from_numpy(X))
    np.testing.assert_allclose(proba, expit(logits.numpy() / learner.temperature_), atol=1e-5)
    learner.save(tmp_path / "model")
    again = module().load(tmp_path / "model")
    for method in ("predict_proba", "posterior", "predict"):
        np.testing.assert_allclose(
            getattr(again, method)(X), getattr(learner, method)(X), atol=1e-6
        )
    # A fit from there, and one on labels of the other kind.
    assert learner.fit(X[: n + 9], Y[: n + 9]).predict_proba(X).shape == (300, 4)
    codes = Y[:n, 0] + 2 * Y[:n, 1]
    one = learner.fit(X[:n], codes, classes=4).predict_proba(X)
    np.testing.assert_allclose(one.sum(axis=1), 1, atol=1e-5)
    with pytest.raises(LearnerError, match="class_weight='balanced' does not go"):
        module(class_weight="balanced").fit(X[:n], Y[:n])


def test_a_session_with_a_classifier_of_scikit_learn(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]

    def open_session() -> al.Session:
        return al.Session(
            al.Pool.from_arrays(X, ids=range(300)),
            al.MultiLabel(names),
            tmp_path / "labels.db",
            learner=LogisticRegression(max_iter=1000),
            strategy="multilabel_bald",
            batch_size=20,
            executor=al.InlineExecutor(),
        )

    def truth(row: int) -> list[str]:
        marks: NDArray[np.int64] = Y[row]
        return [name for name, mark in zip(names, marks, strict=True) if mark]

    session = open_session()
    for _ in range(60):
        item = session.next()[0]
        session.record(item.id, truth(item.index))
    assert session.version == 3
    said = session.predict_proba(X)
    assert ((said >= 0.5) == Y).mean() > 0.7
    session.close()
    again = open_session()
    np.testing.assert_array_equal(again.predict_proba(X), said)
    again.close()
