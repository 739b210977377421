"""Heads that learn several labels at once: each an independent sigmoid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression

from alwidgets.errors import LearnerError
from alwidgets.learners import HeadEnsemble
from alwidgets.learners.calibration import best_temperature
from alwidgets.learners.likelihood import Bernoulli
from alwidgets.learners.loss import Ending, HeadLoss, curvature_of, logits
from alwidgets.learners.outoffold import Folds, fold_of

Floats = NDArray[np.float32]
Marks = NDArray[np.int64]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data() -> tuple[Floats, Marks]:
    X, Y = make_multilabel_classification(
        600, n_features=20, n_classes=6, n_labels=2, random_state=1, allow_unlabeled=True
    )
    return (X + np.random.default_rng(0).normal(size=X.shape)).astype(np.float32), Y


def log_loss(proba: NDArray[Any], Y: Marks) -> float:
    p = np.clip(proba, 1e-7, 1 - 1e-7)
    return float(-(Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum(axis=1).mean())


def usual(Y: Marks) -> NDArray[np.float64]:
    """Log-odds of the frequencies, with half an item more on either side."""
    return np.asarray(np.log((Y.sum(0) + 0.5) / (len(Y) - Y.sum(0) + 0.5)))


@pytest.mark.parametrize("hidden", [None, 5])
def test_gradient(data: tuple[Floats, Marks], hidden: int | None) -> None:
    """Analytic gradients against central differences in double precision."""
    X, Y = data[0][:40], data[1][:40]
    Z = torch.from_numpy(np.c_[X[:, :6], np.ones(40)]).double() / 10
    y = Bernoulli.of(Y.astype(np.float32), CPU)
    weights = torch.rand(3, 40, generator=torch.Generator().manual_seed(1)).double()
    shapes = [(3, 6, 7)] if hidden is None else [(3, hidden, 7), (3, 6, hidden + 1)]
    problem = HeadLoss(Z, y, weights, torch.tensor([0.1, 1.0, 0.01]).double(), shapes)
    problem.rows = 17
    size = sum(a * b for _, a, b in shapes)
    flat = torch.randn(3, size, generator=torch.Generator().manual_seed(0)).double() * 0.3
    _, grad = problem(flat)
    for at in range(0, size, max(1, size // 15)):
        step = torch.zeros(3, size).double()
        step[:, at] = 1e-5
        slope = (problem(flat + step)[0] - problem(flat - step)[0]) / 2e-5
        torch.testing.assert_close(grad[:, at], slope, rtol=1e-4, atol=1e-6)


def test_curvature(data: tuple[Floats, Marks]) -> None:
    """The diagonal of the Hessian against autograd, and what a fit begins with."""
    generator = torch.Generator().manual_seed(0)
    Z = torch.randn(12, 4, generator=generator).double()
    y = Bernoulli.of(data[1][:12, :3].astype(np.float32), CPU)
    weights = torch.rand(12, generator=generator).double()

    def loss(flat: torch.Tensor) -> torch.Tensor:
        return (y.nll(logits(Z, (flat.view(1, 3, 4),)))[0] * weights).sum()

    head = torch.randn(1, 3, 4, generator=generator).double()
    hessian = torch.autograd.functional.hessian(loss, head.flatten())
    found = curvature_of(Z, head, weights[None], y.offset)
    torch.testing.assert_close(found.flatten(), hessian.diagonal())
    start = curvature_of(Z, torch.zeros_like(head), None, y.offset)
    begins = (y.variance(3) * Z.square().sum(dim=0))[None]
    torch.testing.assert_close(begins, start, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("l2", [0.05, 3.0])
def test_same_optimum_as_a_logistic_regression_of_each_label(
    data: tuple[Floats, Marks], l2: float
) -> None:
    """The centre is a ridge around the label's frequency, on the scaled features."""
    from scipy.optimize import minimize

    X, Y = data[0][:150], data[1][:150]
    learner = HeadEnsemble(l2=l2, tol=1e-7, max_iter=500, patience=5, device="cpu").fit(X, Y)
    Z = np.c_[learner.embed(X), np.ones(150)].astype(np.float64)
    for label, offset in enumerate(usual(Y)):
        marks = Y[:, label]

        def objective(
            w: NDArray[np.float64], marks: Marks = marks, offset: float = offset
        ) -> tuple[float, NDArray[np.float64]]:
            odds = offset + Z @ w
            value = np.logaddexp(0, odds).sum() - odds @ marks + l2 / 2 * w @ w
            return float(value), Z.T @ (expit(odds) - marks) + l2 * w

        best = minimize(objective, np.zeros(Z.shape[1]), jac=True, options={"gtol": 1e-8})
        expected = expit(offset + Z @ best.x / learner.temperature_)
        np.testing.assert_allclose(learner.predict_proba(X)[:, label], expected, atol=2e-3)


def test_shapes_and_kinds(data: tuple[Floats, Marks]) -> None:
    X, Y = data
    learner = HeadEnsemble(members=4, device="cpu").fit(X[:100], Y[:100], classes=6)
    proba, posterior = learner.predict_proba(X[:9]), learner.posterior(X[:9])
    assert proba.shape == (9, 6)
    assert posterior.shape == (4, 9, 6)
    assert proba.dtype == posterior.dtype == np.float32
    assert posterior.std(axis=0).max() > 1e-3
    for result in (proba, posterior):
        assert ((result > 0) & (result < 1)).all()
    assert not np.allclose(proba.sum(axis=1), 1, atol=0.1)
    said = learner.predict(X[:9])
    np.testing.assert_array_equal(said, proba >= 0.5)
    assert said.dtype == np.int64
    assert learner.classes_.tolist() == list(range(6))
    given = torch.from_numpy(X[:9])
    np.testing.assert_allclose(learner.predict_proba(given), proba, atol=1e-6)
    assert learner.predict(given).tolist() == said.tolist()
    assert learner.predict_proba(X[:0]).shape == (0, 6)
    tensors = HeadEnsemble(members=4, device="cpu")
    tensors.fit(torch.from_numpy(X[:100]), torch.from_numpy(Y[:100]))
    np.testing.assert_allclose(tensors.predict_proba(X[:9]), proba, atol=1e-6)
    # As scikit-learn counts it: every label of an item right.
    assert learner.score(X[:100], Y[:100]) == (learner.predict(X[:100]) == Y[:100]).all(1).mean()


@pytest.mark.parametrize("hidden", [None, 8])
def test_learns_better_than_logistic_regressions(
    data: tuple[Floats, Marks], hidden: int | None
) -> None:
    X, Y = data
    learner = HeadEnsemble(hidden=hidden, device="cpu").fit(X[:200], Y[:200])
    ours = log_loss(learner.predict_proba(X[200:]), Y[200:])
    scaled = (X - X[:200].mean(0)) / X[:200].std(0)
    theirs = np.stack(
        [
            LogisticRegression(max_iter=1000)
            .fit(scaled[:200], Y[:200, label])
            .predict_proba(scaled[200:])[:, 1]
            for label in range(6)
        ],
        axis=1,
    )
    frequencies = log_loss(np.tile(Y[:200].mean(0), (400, 1)), Y[200:])
    slack = 1.02 if hidden is None else 1.05
    assert ours < slack * log_loss(theirs, Y[200:]) < frequencies


def test_probabilities_are_calibrated() -> None:
    """Where labels are noise but one, the chance of each is its frequency."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 30)).astype(np.float32)
    rates = np.array([0.02, 0.2, 0.5, 0.9])
    Y = (rng.random((3000, 4)) < rates).astype(np.int64)
    Y[:, 2] = rng.random(3000) < expit(3 * X[:, 0])
    learner = HeadEnsemble(device="cpu").fit(X[:200], Y[:200])
    proba = learner.predict_proba(X[200:])
    noise = [0, 1, 3]
    np.testing.assert_allclose(proba[:, noise].mean(0), Y[:200, noise].mean(0), atol=0.03)
    assert proba[:, 0].max() < 0.3  # a rare label that nothing tells of is never likely
    # The penalty and the temperature are those of all labels: this one's doubt is overstated.
    sure = np.abs(proba[:, 2] - 0.5) > 0.3
    right = (proba[:, 2] >= 0.5) == Y[200:, 2]
    assert sure.mean() > 0.2
    assert right[sure].mean() > np.maximum(proba, 1 - proba)[sure, 2].mean() - 0.02


def test_labels_that_no_item_has_or_all(data: tuple[Floats, Marks]) -> None:
    X, Y = data[0][:80], data[1][:80].copy()
    Y[:, 1], Y[:, 4] = 0, 1
    for hidden in (None, 6):
        learner = HeadEnsemble(hidden=hidden, device="cpu").fit(X, Y)
        for found in (learner.predict_proba(X), *learner.posterior(X)):
            assert np.isfinite(found).all()
            assert (found[:, 1] > 0).all()
            assert found[:, 1].max() < 0.1
            assert (found[:, 4] < 1).all()
            assert found[:, 4].min() > 0.9
    # Nothing but one answer: the frequencies, without a search for a penalty.
    for row in (np.zeros(6, int), np.ones(6, int), np.eye(6, dtype=int)[2]):
        for n in (1, 12):
            one = HeadEnsemble(device="cpu").fit(X[:n], np.tile(row, (n, 1)))
            np.testing.assert_array_equal(one.predict(X), np.tile(row, (80, 1)))


def test_a_strong_penalty_leaves_each_label_its_frequency(data: tuple[Floats, Marks]) -> None:
    X, Y = data[0][:120], data[1][:120]
    learner = HeadEnsemble(l2=1e9, device="cpu").fit(X, Y)
    np.testing.assert_allclose(
        logit(learner.predict_proba(X[:5])), np.tile(usual(Y), (5, 1)), atol=1e-3
    )


def test_temperature_against_a_search(data: tuple[Floats, Marks]) -> None:
    from scipy.optimize import minimize_scalar

    Y = data[1][:300]
    y = Bernoulli.of(Y.astype(np.float32), CPU)
    odds = 4 * (Y.T - 0.5) + 3 * np.random.default_rng(0).normal(size=(6, 300))

    def loss(log: float) -> float:
        p = expit(usual(Y)[:, None] + odds / np.exp(log)).T
        return 300 * log_loss(p, Y) + 0.5 * log**2

    best = minimize_scalar(loss, bounds=(-3, 3), method="bounded")
    weights = torch.ones(300).double()
    found, least = best_temperature(torch.from_numpy(odds), y, weights)
    assert np.log(found) == pytest.approx(best.x, abs=0.02)
    assert least == pytest.approx(loss(best.x) - 0.5 * best.x**2, rel=1e-3)


def test_folds_are_dealt_by_what_came_before(data: tuple[Floats, Marks]) -> None:
    marks = data[1].astype(np.float32)
    few, many = Bernoulli.of(marks[:50], CPU), Bernoulli.of(marks, CPU)
    assert many.codes[:50].tolist() == few.codes.tolist()
    assert fold_of(many.codes)[:50].tolist() == fold_of(few.codes).tolist()
    for one, other in ((0, 1), (3, 17)):
        same = bool((marks[one] == marks[other]).all())
        assert (few.codes[one] == few.codes[other]) == same
    folds = Folds(torch.ones(50, 1), few, torch.ones(50), Ending(1, 1.0, 1))
    assert sorted(folds.rows.tolist()) == list(range(50))
    assert not folds.weights[folds.fold, folds.rows].any()


def test_warm_starts_and_the_other_kind_of_labels(data: tuple[Floats, Marks]) -> None:
    X, Y = data
    warm = HeadEnsemble(device="cpu")
    for n in (60, 66, 72, 100, 110):
        warm.fit(X[:n], Y[:n])
    cold = HeadEnsemble(device="cpu").fit(X[:110], Y[:110])
    assert log_loss(warm.predict_proba(X[110:]), Y[110:]) < 1.05 * log_loss(
        cold.predict_proba(X[110:]), Y[110:]
    )
    # The same learner on labels of the other kind begins anew.
    codes = Y[:110, 0] + 2 * Y[:110, 1]
    np.testing.assert_allclose(warm.fit(X[:110], codes).predict_proba(X).sum(1), 1, atol=1e-5)
    again = warm.fit(X[:110], Y[:110])
    np.testing.assert_allclose(again.predict_proba(X), cold.predict_proba(X), atol=1e-5)


def test_save_and_load(data: tuple[Floats, Marks], tmp_path: Path) -> None:
    X, Y = data
    learner = HeadEnsemble(device="cpu").fit(X[:80], Y[:80])
    learner.save(tmp_path / "model")
    found = HeadEnsemble(device="cpu").load(tmp_path / "model")
    for method in ("predict_proba", "posterior", "predict"):
        np.testing.assert_array_equal(getattr(found, method)(X), getattr(learner, method)(X))
    found.fit(X[:84], Y[:84])
    assert found.predict_proba(X).shape == (600, 6)


@pytest.mark.parametrize(
    ("y", "classes", "says"),
    [
        (np.full((20, 3), 2), None, "0 and 1 only"),
        (np.full((20, 3), 0.5), None, "0 and 1 only"),
        (np.full((20, 3), "a"), None, "0 and 1 only"),
        (np.full((19, 3), 1), None, "20 rows of features but marks of shape"),
        (np.full((20, 3), 1), 4, "and 4 labels but marks"),
    ],
)
def test_what_cannot_be_fitted_is_named(
    data: tuple[Floats, Marks], y: Any, classes: int | None, says: str
) -> None:
    learner = HeadEnsemble(device="cpu").fit(data[0][:50], data[1][:50])
    before = learner.predict_proba(data[0])
    with pytest.raises(LearnerError, match=says):
        learner.fit(data[0][:20], y, classes=classes)
    np.testing.assert_array_equal(learner.predict_proba(data[0]), before)
    with pytest.raises(LearnerError, match="class_weight='balanced' does not go"):
        HeadEnsemble(class_weight="balanced").fit(data[0][:20], data[1][:20])
    with pytest.raises(LearnerError, match="No labels"):
        learner.fit(data[0][:0], data[1][:0])
