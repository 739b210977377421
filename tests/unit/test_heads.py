"""The ensemble of heads: right, calibrated, steady, and forgiving about what has no label yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from alwidgets.errors import LearnerError
from alwidgets.learners import HeadEnsemble, Learner
from alwidgets.learners.lbfgs import minimise
from alwidgets.learners.loss import FOLDS, HeadLoss, fold_of
from tests.unit.simulate import digits


@pytest.fixture(scope="module")
def small() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    data = digits()
    return data.X[:150].astype(np.float32), data.y[:150]


def test_is_a_learner() -> None:
    assert isinstance(HeadEnsemble(), Learner)


def test_shapes_and_dtypes(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    X, y = small
    learner = HeadEnsemble(members=4).fit(X, y)
    proba, posterior = learner.predict_proba(X[:7]), learner.posterior(X[:7])
    assert proba.shape == (7, 10)
    assert posterior.shape == (4, 7, 10)
    assert proba.dtype == posterior.dtype == learner.embed(X).dtype == np.float32
    np.testing.assert_allclose(proba.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(posterior.mean(0), proba, atol=1e-6)
    assert learner.embed(X[:7]).shape == (7, 64)
    assert learner.predict_proba(X[:0]).shape == (0, 10)
    tensor = learner.predict_proba(torch.from_numpy(X[:7]))
    assert isinstance(tensor, torch.Tensor)
    assert tensor.device.type == learner.device.type
    np.testing.assert_allclose(tensor.cpu().numpy(), proba, atol=1e-6)


@pytest.mark.parametrize(("hidden", "n"), [(None, 150), (None, 40), (5, 30)])
def test_gradient(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], hidden: int | None, n: int
) -> None:
    """Analytic gradients against central differences in double precision."""
    X = torch.from_numpy(small[0][:n]).double() / 16
    Z = torch.cat([X[:, :6], torch.ones(n, 1).double()], 1)
    codes = torch.from_numpy(small[1][:n])
    weights = torch.rand(3, n).double()
    problem = HeadLoss(Z, codes, weights, 10, hidden, 0.1, Z[:, :6].square().sum(0))
    problem.rows = 17
    size = sum(a * b for _, a, b in problem.shapes)
    flat = torch.randn(3, size, generator=torch.Generator().manual_seed(0)).double() * 0.3
    _, grad = problem(flat)
    for at in range(0, size, max(1, size // 15)):
        step = torch.zeros(3, size).double()
        step[:, at] = 1e-5
        slope = (problem(flat + step)[0] - problem(flat - step)[0]) / 2e-5
        torch.testing.assert_close(grad[:, at], slope, rtol=1e-4, atol=1e-6)


def test_lbfgs_solves_each_problem_by_itself() -> None:
    scales = torch.tensor([[1.0, 100.0], [3.0, 0.1]])
    goals = torch.tensor([[1.0, -2.0], [5.0, 4.0]])

    def bowl(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 1 + (scales * (x - goals) ** 2).sum(1), 2 * scales * (x - goals)

    found, steps = minimise(bowl, torch.zeros(2, 2), max_iter=60, tol=1e-7)
    torch.testing.assert_close(found, goals, atol=1e-2, rtol=1e-2)
    assert steps < 40


def test_same_optimum_as_logistic_regression(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    """One unweighted head is ridge logistic regression on the scaled features."""
    X, y = small
    learner = HeadEnsemble(members=1, tol=1e-7, max_iter=500).fit(X, y)
    # The fold-heads of one fold are unweighted; compare through data where all are in.
    learner._item_weights = (  # type: ignore[method-assign]
        lambda codes, classes: torch.ones(1 + FOLDS, len(codes))
    )
    learner.fit(X, y)
    Z = learner.embed(X)
    Z1 = np.concatenate([Z, np.ones((len(Z), 1), np.float32)], 1)
    peer = LogisticRegression(C=1 / learner.l2, fit_intercept=False, tol=1e-8, max_iter=5000)
    peer.fit(Z1, y)
    state = learner._fitted()
    sharp = learner.predict_proba(X) ** state.temperature
    np.testing.assert_allclose(
        sharp / sharp.sum(1, keepdims=True), peer.predict_proba(Z1), atol=5e-3
    )


def test_no_worse_than_logistic_regression() -> None:
    data = digits()
    ours, peers = [], []
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(len(data.X))[:100]
        X, y = data.X[rows], data.y[rows]
        ours.append(np.mean(HeadEnsemble().fit(X, y).predict(data.X_test) == data.y_test))
        peer = LogisticRegression(max_iter=1000).fit(X / 16, y)
        peers.append(peer.score(data.X_test / 16, data.y_test))
    assert np.mean(ours) > np.mean(peers)


def test_classes_without_a_label_yet(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    X, y = small
    seen = np.isin(y, [2, 5, 7])
    learner = HeadEnsemble().fit(X[seen], y[seen], classes=10)
    proba = learner.predict_proba(X)
    assert proba.shape == (150, 10)
    assert set(proba.argmax(1)) <= {2, 5, 7}
    assert np.all(proba > 0)


@pytest.mark.parametrize("n", [1, 2, 30])
@pytest.mark.parametrize("hidden", [None, 8])
def test_a_single_class(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], n: int, hidden: int | None
) -> None:
    learner = HeadEnsemble(hidden=hidden).fit(small[0][:n], np.full(n, 1), classes=3)
    proba = learner.predict_proba(small[0])
    assert set(proba.argmax(1)) == {1}
    assert proba.max() < 1


def test_equal_rows_and_constant_features() -> None:
    learner = HeadEnsemble().fit(np.ones((6, 3)), np.array([0, 1, 0, 1, 0, 0]))
    proba = learner.predict_proba(np.ones((1, 3)))
    assert 0.5 < proba[0, 0] < 0.9
    assert np.isfinite(HeadEnsemble().fit(np.zeros((1, 3)), np.array([0])).embed(np.eye(3))).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_scale_of_the_features_does_not_matter(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], scale: float
) -> None:
    X, y = small
    ours = HeadEnsemble(tol=1e-6).fit(X * scale + 5 * scale, y).predict_proba(X * scale + 5 * scale)
    np.testing.assert_allclose(ours, HeadEnsemble(tol=1e-6).fit(X, y).predict_proba(X), atol=0.02)


def test_deterministic_and_seeded(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    X, y = small
    first = HeadEnsemble(seed=1).fit(X, y).posterior(X)
    np.testing.assert_array_equal(first, HeadEnsemble(seed=1).fit(X, y).posterior(X))
    assert np.abs(first - HeadEnsemble(seed=2).fit(X, y).posterior(X)).max() > 1e-3


def test_weights_do_not_change_as_labels_arrive() -> None:
    learner = HeadEnsemble(members=3, seed=4)
    codes = torch.tensor([0, 1, 1, 0, 2, 1, 0, 2, 1, 1])
    few, many = learner._item_weights(codes[:6], 3), learner._item_weights(codes, 3)
    ratio = few[:3] / many[:3, :6]
    torch.testing.assert_close(ratio, ratio[:, :1].expand(-1, 6))
    torch.testing.assert_close(few[3:], many[3:, :6])
    assert fold_of(codes)[:6].tolist() == fold_of(codes[:6]).tolist()


def test_warm_start_is_the_same_fit_with_fewer_steps(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    X, y = small
    learner = HeadEnsemble(tol=1e-6, max_iter=300).fit(X[:140], y[:140], classes=9 + 1)
    warm = learner.fit(X, y, classes=10)
    cold = HeadEnsemble(tol=1e-6, max_iter=300).fit(X, y, classes=10)
    np.testing.assert_allclose(warm.predict_proba(X), cold.predict_proba(X), atol=0.01)
    again = warm.fit(X, y, classes=10).n_iter_
    assert again < cold.n_iter_ / 2


@pytest.mark.parametrize("hidden", [None, 8])
def test_classes_can_grow(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], hidden: int | None
) -> None:
    X, y = small
    learner = HeadEnsemble(hidden=hidden).fit(X[y < 3], y[y < 3])
    assert learner.n_classes_ == 3
    learner.fit(X, y)
    assert learner.n_classes_ == 10
    assert np.mean(learner.predict(X) == y) > 0.95


def test_temperature_softens_noisy_labels() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 60))
    truth = (X[:, 0] > 0).astype(int)
    noisy = np.where(rng.random(200) < 0.3, 1 - truth, truth)
    unsure = HeadEnsemble(l2=0.001).fit(X, noisy)
    assert unsure.temperature_ > 1.5
    new = rng.normal(size=(2000, 60))
    answer = np.where(rng.random(2000) < 0.3, 0, 1) == (new[:, 0] > 0)
    proba = unsure.predict_proba(new)
    confidence = proba.max(1).mean()
    assert abs(confidence - np.mean(proba.argmax(1) == answer)) < 0.1


def test_hidden_layer_learns_what_a_line_cannot() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(300, 2)).astype(np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    line, curve = HeadEnsemble().fit(X, y), HeadEnsemble(hidden=16, l2=0.01).fit(X, y)
    assert np.mean(line.predict(X) == y) < 0.75
    assert np.mean(curve.predict(X) == y) > 0.95
    assert curve.embed(X).shape == (300, 16)


@pytest.mark.parametrize("hidden", [None, 8])
def test_save_and_load(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], tmp_path: Path, hidden: int | None
) -> None:
    X, y = small
    learner = HeadEnsemble(members=3, hidden=hidden).fit(X, y)
    learner.save(tmp_path / "heads.safetensors")
    again = HeadEnsemble().load(tmp_path / "heads.safetensors")
    np.testing.assert_array_equal(again.posterior(X), learner.posterior(X))
    again.fit(X, y)
    (tmp_path / "broken").write_bytes(b"nothing of the kind")
    for name in ("broken", "missing"):
        with pytest.raises(LearnerError, match=name):
            HeadEnsemble().load(tmp_path / name)


def test_float16_and_memory_maps(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], tmp_path: Path
) -> None:
    X, y = small
    np.save(tmp_path / "x.npy", X.astype(np.float16))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_allclose(
        HeadEnsemble().fit(mapped, y).predict_proba(mapped),
        HeadEnsemble().fit(X, y).predict_proba(X),
        atol=1e-4,
    )


def test_errors_name_the_row_and_the_remedy() -> None:
    X, y = np.ones((4, 2)), np.array([0, 1, 0, 1])
    bad = X.copy()
    bad[2, 1] = np.nan
    with pytest.raises(LearnerError, match="row 2"):
        HeadEnsemble().fit(bad, y)
    with pytest.raises(LearnerError, match="row 2"):
        HeadEnsemble().fit(X, y).predict_proba(bad)
    with pytest.raises(LearnerError, match="call fit"):
        HeadEnsemble().predict_proba(X)
    with pytest.raises(LearnerError, match=r"0\.\.1"):
        HeadEnsemble().fit(X, np.array([0, 1, 2, 1]), classes=2)
    with pytest.raises(LearnerError, match=r"0\.\.1"):
        HeadEnsemble().fit(X, np.array([0, 1, -1, 1]))
    with pytest.raises(LearnerError, match="4 rows"):
        HeadEnsemble().fit(X, y[:3])
    with pytest.raises(LearnerError, match="integer"):
        HeadEnsemble().fit(X, y.astype(float))
    with pytest.raises(LearnerError, match="at least one"):
        HeadEnsemble().fit(X[:0], y[:0])
    with pytest.raises(LearnerError, match="2 features"):
        HeadEnsemble().fit(X, y).embed(np.ones((1, 3)))
    with pytest.raises(LearnerError, match="numbers"):
        HeadEnsemble().fit(np.array([["a"]]), y[:1])
    with pytest.raises(LearnerError, match="shape"):
        HeadEnsemble().fit(np.ones(4), y)
    for params in ({"l2": 0.0}, {"members": 0}, {"hidden": 0}):
        with pytest.raises(LearnerError, match=next(iter(params))):
            HeadEnsemble().set_params(**params).fit(X, y)
    with pytest.raises(LearnerError, match="no parameter 'lr'"):
        HeadEnsemble().set_params(lr=1)


def test_params_round_trip() -> None:
    learner = HeadEnsemble(members=3, device="cpu", seed=5)
    assert HeadEnsemble(**learner.get_params()).get_params() == learner.get_params()
    assert "members=3" in repr(learner)
