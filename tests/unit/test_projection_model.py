"""What a model makes of the items: the rows that its own space is laid out from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from alwidgets.errors import ProjectionError
from alwidgets.learners import HeadEnsemble, SklearnLearner, TorchLearner
from alwidgets.projection import modelspace
from alwidgets.projection.modelspace import Stopped, model_rows

Array = np.ndarray[Any, Any]


class Fake:
    """A learner of so many classes whose embedding is what the test says."""

    def __init__(self, classes: int, embed: Any = None) -> None:
        self.classes, self._embed = classes, embed or (lambda X: 3 * X + 1)
        self.asked: list[int] = []

    def predict_proba(self, X: Array) -> Array:
        self.asked.append(len(X))
        logits = X[:, : self.classes].astype(np.float64)
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)

    def posterior(self, X: Array) -> Array:
        return np.stack([self.predict_proba(X * k) for k in (1, 2, 3)])

    def embed(self, X: Array) -> Array:
        return self._embed(X)


def rows(n: int = 40, d: int = 6) -> Array:
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def test_what_the_model_has_learnt_is_its_embedding() -> None:
    found = model_rows(Fake(3, lambda X: X[:, :4] ** 2), rows())
    assert found == pytest.approx(rows()[:, :4] ** 2)
    assert found.dtype == np.float32
    # As wide as the features, and still another thing.
    turned = model_rows(Fake(3, lambda X: X[:, ::-1] * [1, 2, 3, 4, 5, 6]), rows())
    assert turned == pytest.approx(rows()[:, ::-1] * [1, 2, 3, 4, 5, 6])


def test_a_model_that_sees_the_features_is_shown_by_its_log_odds() -> None:
    X = rows()
    found = model_rows(Fake(4), X)
    assert found == pytest.approx(X[:, :4] - X[:, :4].mean(axis=1, keepdims=True), abs=1e-4)


def test_two_classes_are_the_log_odds_of_each_sample_of_the_posterior() -> None:
    X = rows()
    odds = X[:, 1] - X[:, 0]
    assert model_rows(Fake(2), X) == pytest.approx(odds[:, None] * [1, 2, 3], abs=1e-3)


def test_labels_that_do_not_exclude_each_other_have_log_odds_of_their_own() -> None:
    p = Fake(3).predict_proba(rows())
    found = model_rows(Fake(3), rows(), multilabel=True)
    assert found == pytest.approx(np.log(p / (1 - p)), abs=1e-3)


def test_certainty_is_finite() -> None:
    X = rows() * 1_000
    for classes in (2, 3):
        found = model_rows(Fake(classes), X)
        assert np.isfinite(found).all()


def test_it_is_read_in_chunks_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model_rows(Fake(3), rows())
    monkeypatch.setattr(modelspace, "CELLS", 6 * 7)
    learner = Fake(3)
    assert np.array_equal(model_rows(learner, rows()), whole)
    assert max(learner.asked) == 7
    times = iter([False, False, True])
    with pytest.raises(Stopped):
        model_rows(Fake(3), rows(), should_stop=lambda: next(times))


def test_no_number_names_the_row() -> None:
    def embed(X: Array) -> Array:
        return np.where(X > 2.5, np.nan, X)[:, :3]

    X = np.clip(rows(), -2, 2)
    X[17, 1] = 3
    with pytest.raises(ProjectionError, match="row 17"):
        model_rows(Fake(3, embed), X)


@pytest.mark.parametrize(
    ("learner", "width"),
    [
        (HeadEnsemble(members=3), 10),
        (HeadEnsemble(members=2, hidden=16, max_iter=20), 16),
        (SklearnLearner(LogisticRegression(max_iter=20, tol=1)), 10),
    ],
    ids=["linear", "hidden", "scikit-learn"],
)
def test_our_learners(learner: Any, width: int) -> None:
    X, y = load_digits(return_X_y=True)
    X = X[:200].astype(np.float32)
    found = model_rows(learner.fit(X[:100], y[:100]), X)
    assert found.shape == (200, width)
    # Items of a class lie together.
    centres = np.stack([found[y[:200] == c].mean(axis=0) for c in range(10)])
    own = np.linalg.norm(found[:, None] - centres, axis=2).argmin(axis=1)
    assert (own == y[:200]).mean() > 0.7


def test_a_module_is_shown_by_its_penultimate_layer() -> None:
    from torch import nn

    X, y = load_digits(return_X_y=True)
    X = X[:120].astype(np.float32) / 16
    net = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
    learner = TorchLearner(net, max_epochs=2).fit(X, y[:120])
    found = model_rows(learner, X)
    assert found == pytest.approx(learner.embed(X))
    assert found.shape == (120, 12)


def test_two_classes_of_a_real_learner() -> None:
    X, y = load_digits(return_X_y=True)
    X, y = X[:150].astype(np.float32), (y[:150] > 4) * 1
    found = model_rows(HeadEnsemble(members=5).fit(X[:80], y[:80]), X)
    assert found.shape == (150, 5)
    assert ((found.mean(axis=1) > 0) == y).mean() > 0.8
