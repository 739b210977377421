"""The ensemble of heads: right, calibrated, steady, and forgiving about what has no label yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from alwidgets.errors import LearnerError
from alwidgets.learners import HeadEnsemble, Learner, heads_fit, outoffold
from alwidgets.learners.likelihood import Categorical
from alwidgets.learners.loss import HeadLoss, curvature_of, logits, solve
from alwidgets.learners.outoffold import FOLDS, Folds, bootstrap, fold_of, folds_needed
from alwidgets.learners.targets import class_weights


@dataclass(frozen=True)
class Data:
    X: NDArray[np.float32]
    y: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def digits() -> Data:
    """Scikit-learn's digits: raw pixels 0..16, a pool of 1297 and a test split of 500."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    pool, test = order[:1297], order[1297:]
    X = X.astype(np.float32)
    return Data(X[pool], y[pool].astype(np.int64), X[test], y[test].astype(np.int64))


@pytest.fixture(scope="module")
def small() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    data = digits()
    return data.X[:150].astype(np.float32), data.y[:150]


def untempered(learner: HeadEnsemble, X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities as they would be with temperature 1."""
    sharp = learner.predict_proba(X).astype(np.float64) ** learner.temperature_
    result: NDArray[np.float64] = sharp / sharp.sum(axis=1, keepdims=True)
    return result


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
    np.testing.assert_allclose(posterior.sum(2), 1, atol=1e-5)
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
    l2 = torch.tensor([0.1, 1.0, 0.01]).double()
    shapes = [(3, 10, 7)] if hidden is None else [(3, hidden, 7), (3, 10, hidden + 1)]
    problem = HeadLoss(Z, Categorical(codes), weights, l2, shapes)
    problem.rows = 17
    size = sum(a * b for _, a, b in shapes)
    flat = torch.randn(3, size, generator=torch.Generator().manual_seed(0)).double() * 0.3
    torch.testing.assert_close(problem.pack(problem.unpack(flat)), flat)
    _, grad = problem(flat)
    for at in range(0, size, max(1, size // 15)):
        step = torch.zeros(3, size).double()
        step[:, at] = 1e-5
        slope = (problem(flat + step)[0] - problem(flat - step)[0]) / 2e-5
        torch.testing.assert_close(grad[:, at], slope, rtol=1e-4, atol=1e-6)


def test_curvature() -> None:
    """The diagonal of the Hessian against autograd."""
    generator = torch.Generator().manual_seed(0)
    Z = torch.randn(12, 4, generator=generator).double()
    codes = torch.arange(12) % 3
    weights = torch.rand(12, generator=generator).double()
    head = torch.randn(1, 3, 4, generator=generator).double()

    def loss(flat: torch.Tensor) -> torch.Tensor:
        out = logits(Z, (flat.view(1, 3, 4),))[0].T
        each = torch.nn.functional.cross_entropy(out, codes, reduction="none")
        return (each * weights).sum()

    hessian = torch.autograd.functional.hessian(loss, head.flatten())
    found = curvature_of(Z, head, weights[None])
    torch.testing.assert_close(found.flatten(), hessian.diagonal())


@pytest.mark.parametrize("l2", [0.05, 1.0])
def test_same_optimum_as_logistic_regression(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], l2: float
) -> None:
    """The centre is ridge logistic regression on the scaled features."""
    X, y = small
    learner = HeadEnsemble(l2=l2, tol=1e-7, max_iter=500, patience=5).fit(X, y)
    Z = learner.embed(X)
    np.testing.assert_allclose(np.square(Z).sum(1).mean(), 1.0, rtol=1e-4)
    Z1 = np.concatenate([Z, np.ones((len(Z), 1), np.float32)], 1)
    peer = LogisticRegression(C=1 / l2, fit_intercept=False, tol=1e-8, max_iter=5000)
    peer.fit(Z1, y)
    np.testing.assert_allclose(untempered(learner, X), peer.predict_proba(Z1), atol=2e-3)


def test_members_are_weighted_logistic_regressions(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    X, y = small
    learner = HeadEnsemble(members=2, l2=0.5, seed=3).fit(X, y)
    Z = learner.embed(X)
    Z1 = np.concatenate([Z, np.ones((len(Z), 1), np.float32)], 1)
    for weights, found in zip(bootstrap(len(y), 2, 3), learner.posterior(X), strict=True):
        peer = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-8, max_iter=5000)
        peer.fit(Z1, y, sample_weight=weights.numpy())
        sharp = found.astype(np.float64) ** learner.temperature_
        np.testing.assert_allclose(
            sharp / sharp.sum(1, keepdims=True), peer.predict_proba(Z1), atol=0.02
        )


def test_heads_in_turns_are_the_same_heads(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many classes need more memory than there is for all heads at a time."""
    X, y = small
    expected = HeadEnsemble(l2=1.0, tol=1e-6).fit(X, y).posterior(X)
    monkeypatch.setattr("alwidgets.learners.loss.MEMORY_ELEMENTS", 50_000)
    monkeypatch.setattr("alwidgets.learners.loss.CHUNK_ELEMENTS", 1_000)
    monkeypatch.setattr("alwidgets.learners.frame.CHUNK_ELEMENTS", 1_000)
    found = HeadEnsemble(l2=1.0, tol=1e-6).fit(X, y).posterior(X)
    np.testing.assert_allclose(found, expected, atol=0.03)


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
    codes = torch.tensor([0, 1, 1, 0, 2, 1, 0, 2, 1, 1])
    few, many = bootstrap(6, 3, seed=4), bootstrap(10, 3, seed=4)
    ratio = few / many[:, :6]
    torch.testing.assert_close(ratio, ratio[:, :1].expand(-1, 6))
    torch.testing.assert_close(many.mean(dim=1), torch.ones(3))
    assert fold_of(codes)[:6].tolist() == fold_of(codes[:6]).tolist()


def test_penalty_and_temperature_are_chosen_anew_in_time(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = small
    judged: list[int] = []
    judge = Folds.judge

    def counted(folds: Folds, heads: Any) -> tuple[float, float]:
        judged.append(len(folds.y))
        return judge(folds, heads)

    monkeypatch.setattr(Folds, "judge", counted)
    learner = HeadEnsemble()
    for n in (100, 105, 118, 121, 130):
        learner.fit(X[:n], y[:n], classes=10)
    assert set(judged) == {100, 121}
    learner.fit(X[:130], y[:130], classes=11)
    learner.set_params(class_weight="balanced").fit(X[:131], y[:131], classes=11)
    learner.set_params(l2=0.3).fit(X[:132], y[:132], classes=11)
    assert set(judged) == {100, 121, 130, 131, 132}
    assert learner.l2_ == 0.3


@pytest.mark.parametrize("several", [False, True])
def test_penalty_and_temperature_are_chosen_anew_for_other_labels(
    several: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(220, 20)).astype(np.float32)
    truth = X[:, :3] @ rng.normal(size=(3, 3)) > 0 if several else (X[:, 0] > 0)
    truth = truth.astype(np.int64)
    wrong = np.where(rng.random(truth.shape) < 0.3, 1 - truth, truth)
    shuffled = rng.permutation(200)
    options = {"classes": 3 if several else 2}

    def chosen(learner: HeadEnsemble) -> tuple[float, float]:
        return learner.l2_, learner.temperature_

    learner = HeadEnsemble().fit(X[:200], wrong[:200], **options)
    first = chosen(learner)
    # The same rows in another order, with three more, are the same labels.
    learner.fit(X[:203][shuffled], wrong[:203][shuffled], **options)
    assert chosen(learner) == first
    learner.save(tmp_path / "heads.safetensors")
    reopened = HeadEnsemble().load(tmp_path / "heads.safetensors")
    reopened.fit(X[:200], wrong[:200], **options)
    assert chosen(reopened) == first
    fresh = HeadEnsemble().fit(X[:200], truth[:200], **options)
    for corrected in (learner, reopened):
        corrected.fit(X[:200], truth[:200], **options)
        assert np.abs(corrected.predict_proba(X) - fresh.predict_proba(X)).mean() < 0.03
    fewer = HeadEnsemble().fit(X[:40], truth[:40], **options).fit(X[:10], truth[:10], **options)
    alone = HeadEnsemble().fit(X[:10], truth[:10], **options)
    np.testing.assert_allclose(fewer.predict_proba(X), alone.predict_proba(X), rtol=0, atol=0.1)


@pytest.mark.parametrize("l2", ["auto", 0.05])
def test_warm_start_is_the_same_fit_with_fewer_steps(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], l2: Any
) -> None:
    X, y = small
    learner = HeadEnsemble(l2=l2, tol=1e-6, max_iter=300).fit(X[:140], y[:140], classes=10)
    chosen = learner.l2_
    warm = learner.fit(X, y, classes=10)
    assert warm.l2_ == chosen
    cold = HeadEnsemble(l2=chosen, tol=1e-6, max_iter=300).fit(X, y, classes=10)
    assert 0.8 < warm.temperature_ / cold.temperature_ < 1.25
    np.testing.assert_allclose(untempered(warm, X), untempered(cold, X), atol=0.01)
    again = warm.fit(X, y, classes=10).n_iter_
    assert again < cold.n_iter_ / 2


def test_warm_start_with_many_more_labels() -> None:
    data = digits()
    learner = HeadEnsemble().fit(data.X[:60], data.y[:60], classes=10)
    for n in (120, 130, 500, 505):
        learner.fit(data.X[:n], data.y[:n], classes=10)
        cold = HeadEnsemble().fit(data.X[:n], data.y[:n], classes=10)
        ours, theirs = (np.mean(x.predict(data.X_test) == data.y_test) for x in (learner, cold))
        assert abs(ours - theirs) < 0.015
        assert 0.2 < learner.l2_ / cold.l2_ < 5


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
    np.testing.assert_array_equal(again.predict_proba(X), learner.predict_proba(X))
    assert (again.l2_, again.temperature_) == (learner.l2_, learner.temperature_)
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
        HeadEnsemble().fit(X, np.array([0, 1, -1, 1]), classes=2)
    with pytest.raises(LearnerError, match="4 rows"):
        HeadEnsemble().fit(X, y[:3])
    with pytest.raises(LearnerError, match="integer"):
        HeadEnsemble().fit(X, y.astype(float), classes=2)
    with pytest.raises(LearnerError, match="Unknown label type"):
        HeadEnsemble().fit(X, y + 0.5)
    with pytest.raises(LearnerError, match="at least one"):
        HeadEnsemble().fit(X[:0], y[:0])
    with pytest.raises(LearnerError, match="expecting 2 features"):
        HeadEnsemble().fit(X, y).embed(np.ones((1, 3)))
    with pytest.raises(LearnerError, match="numbers"):
        HeadEnsemble().fit(np.array([["a"]]), y[:1])
    with pytest.raises(LearnerError, match="shape"):
        HeadEnsemble().fit(np.ones(4), y)
    for params in ({"l2": 0.0}, {"l2": "best"}, {"members": 0}, {"hidden": 0}):
        with pytest.raises(LearnerError, match=next(iter(params))):
            HeadEnsemble().set_params(**params).fit(X, y)
    for weights in ({2: 1.0}, "heavy", [1.0], [1.0, -1.0], {0: np.nan}):
        with pytest.raises(LearnerError, match=r"class_weight|Class weights"):
            HeadEnsemble(class_weight=weights).fit(X, y)
    with pytest.raises(ValueError, match="'lr'"):
        HeadEnsemble().set_params(lr=1)
    with pytest.raises(LearnerError, match="dense"):
        HeadEnsemble().fit(csr_array(X), y)


def test_params_round_trip() -> None:
    learner = HeadEnsemble(members=3, device="cpu", seed=5)
    assert HeadEnsemble(**learner.get_params()).get_params() == learner.get_params()
    assert "members=3" in repr(learner)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize("hidden", [None, 8])
def test_scikit_learn_conventions(hidden: int | None) -> None:
    # One check asks for the experimental array API of scikit-learn and is skipped without it.
    # A warm start of a hidden layer ends elsewhere than a cold one: its objective is not convex.
    warm = hidden is None
    check_estimator(HeadEnsemble(members=4, hidden=hidden, device="cpu", warm_start=warm))


def test_labels_of_any_kind(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], tmp_path: Path
) -> None:
    X, y = small
    names = np.array([f"number {code}" for code in range(10)])
    learner = HeadEnsemble().fit(X, names[y])
    assert learner.classes_.tolist() == names.tolist()
    expected = HeadEnsemble().fit(X, y)
    assert learner.predict(X).tolist() == names[expected.predict(X)].tolist()
    assert learner.predict(torch.from_numpy(X)).tolist() == learner.predict(X).tolist()
    assert learner.score(X, names[y]) > 0.95
    learner.save(tmp_path / "heads")
    again = HeadEnsemble().load(tmp_path / "heads")
    assert again.predict(X).tolist() == learner.predict(X).tolist()
    assert HeadEnsemble().fit(X, y - 3).classes_.tolist() == list(range(-3, 7))
    assert set(HeadEnsemble().fit(X, y > 4).predict(X).tolist()) == {True, False}
    with pytest.warns(DataConversionWarning):
        HeadEnsemble().fit(X, y[:, None])


def test_warm_start_follows_the_labels(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    """Classes that come in between move the columns, not what was learnt."""
    X, y = small
    some = y % 2 == 1
    learner = HeadEnsemble(l2=0.1, tol=1e-6, max_iter=300).fit(X[some], y[some])
    learner.fit(X, y)
    cold = HeadEnsemble(l2=0.1, tol=1e-6, max_iter=300).fit(X, y)
    np.testing.assert_allclose(learner.predict_proba(X), cold.predict_proba(X), atol=0.01)
    learner.fit(X[some], y[some])
    assert learner.classes_.tolist() == [1, 3, 5, 7, 9]


def test_clone_and_search(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    X, y = small
    learner = HeadEnsemble(members=2, seed=5, device="cpu").fit(X, y)
    assert repr(clone(learner)) == repr(learner)
    with pytest.raises(NotFittedError):
        clone(learner).predict(X)
    search = GridSearchCV(learner, {"l2": [0.01, 30.0]}, cv=2).fit(X, y)
    assert search.best_params_ == {"l2": 0.01}


def test_penalty_fits_the_noise() -> None:
    """Clean data ask for a weak penalty, noisy ones for a strong one; it helps."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 40))
    truth = rng.integers(0, 3, 4300)
    clean = centres[truth] + 0.3 * rng.normal(size=(4300, 40))
    noisy = centres[truth] + 2.5 * rng.normal(size=(4300, 40))
    weak = HeadEnsemble().fit(clean[:300], truth[:300])
    strong = HeadEnsemble().fit(noisy[:300], truth[:300])
    assert weak.l2_ < 0.3 < 1 < strong.l2_
    fixed = HeadEnsemble(l2=0.05).fit(noisy[:300], truth[:300])

    def loss(learner: HeadEnsemble) -> float:
        proba = learner.predict_proba(noisy[300:])
        return float(-np.log(proba[np.arange(4000), truth[300:]]).mean())

    assert loss(strong) < loss(fixed) - 0.01
    assert strong.score(noisy[300:], truth[300:]) > fixed.score(noisy[300:], truth[300:])


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10])
def test_few_labels_move_the_penalty_little(
    small: tuple[NDArray[np.float32], NDArray[np.int64]], n: int
) -> None:
    for seed in range(5):
        rows = np.random.default_rng(seed).choice(150, n, replace=False)
        learner = HeadEnsemble().fit(small[0][rows], small[1][rows], classes=10)
        assert 0.005 <= learner.l2_ <= 1.0
        assert 0.05 < learner.temperature_ < 20
    one = HeadEnsemble().fit(small[0][:n], np.zeros(n, int), classes=2)
    assert one.l2_ == pytest.approx(outoffold.USUAL)


def test_search_finds_the_least_loss(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    """Against every strength of the grid, each fitted from nothing."""
    X, y = small
    X = X + 4 * np.random.default_rng(0).normal(size=X.shape).astype(np.float32)
    chosen = HeadEnsemble().fit(X, y)
    Z = torch.from_numpy(np.concatenate([chosen.embed(X), np.ones((150, 1), np.float32)], 1))
    codes = torch.from_numpy(y)
    folds = Folds(Z, Categorical(codes), torch.ones(150), heads_fit.Ending(300, 1e-6, 3))
    grid = outoffold.USUAL * outoffold.STEP ** np.arange(-2, 6)
    start = (torch.zeros(1, 10, 65),)
    found = [folds.judge(heads)[1] for heads in folds.fit(grid.tolist(), start, None)]
    prior = 0.5 * (np.log(grid / outoffold.USUAL) / outoffold.SPREAD) ** 2
    best = grid[np.argmin(np.array(found) + prior)]
    assert abs(np.log(chosen.l2_ / best)) < 0.6 * np.log(outoffold.STEP)


def test_out_of_fold_rows_were_not_seen(
    small: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    codes = torch.from_numpy(small[1])
    folds = Folds(
        torch.ones(150, 1), Categorical(codes), torch.ones(150), heads_fit.Ending(1, 1.0, 1)
    )
    assert not folds.weights[folds.fold, folds.rows].any()
    assert len(folds.rows) == 150
    lonely = codes.clone()
    lonely[7] = 11
    folds = Folds(
        torch.ones(150, 1), Categorical(lonely), torch.ones(150), heads_fit.Ending(1, 1.0, 1)
    )
    assert sorted(folds.rows.tolist()) == [row for row in range(150) if row != 7]
    assert [folds_needed(n) for n in (1, 200, 1000, 1300, 5000, 10**6)] == [5, 5, 5, 4, 1, 1]
    assert folds.used == FOLDS


def test_class_weights(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    codes, labels = np.array([0, 0, 0, 2]), np.array(["a", "b", "c"])
    balanced = class_weights("balanced", codes, labels)[codes]
    np.testing.assert_allclose(balanced, [4 / 6, 4 / 6, 4 / 6, 2.0], rtol=1e-6)
    assert class_weights({"a": 3.0}, codes, labels)[codes].tolist() == [3, 3, 3, 1]
    assert class_weights(np.array([1.0, 2.0, 5.0]), codes, labels)[codes].tolist() == [1, 1, 1, 5]
    X, y = small
    some = np.concatenate([np.flatnonzero(y == 3), np.flatnonzero(y == 8)[:2]])
    rest = np.isin(y, [3, 8])
    plain = HeadEnsemble().fit(X[some], y[some])
    even = HeadEnsemble(class_weight="balanced").fit(X[some], y[some])
    assert even.predict_proba(X[rest])[:, 1].mean() > plain.predict_proba(X[rest])[:, 1].mean()
    Z1 = np.concatenate([even.embed(X), np.ones((150, 1), np.float32)], 1)
    exact = HeadEnsemble(l2=0.1, tol=1e-7, max_iter=500, class_weight={3: 0.5, 8: 4.0})
    exact.fit(X[some], y[some])
    peer = LogisticRegression(C=10, fit_intercept=False, tol=1e-8, class_weight={3: 0.5, 8: 8.0})
    # With two classes, a softmax has two sets of weights: each takes half of the way.
    peer.set_params(C=20, class_weight={3: 0.5, 8: 4.0}, max_iter=5000).fit(Z1[some], y[some])
    np.testing.assert_allclose(untempered(exact, X), peer.predict_proba(Z1), atol=0.01)


def test_far_from_the_origin(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    """Weights are scaled instead of the pool; that must not cost digits."""
    X, y = small
    expected = HeadEnsemble().fit(X, y).predict_proba(X)
    for shift in (100.0, 1e4):
        moved = HeadEnsemble().fit(X + np.float32(shift), y).predict_proba(X + np.float32(shift))
        np.testing.assert_allclose(moved, expected, atol=0.02)


def test_the_pool_is_left_alone(small: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    X, y = small
    mine = np.ascontiguousarray(X).copy()
    learner = HeadEnsemble().fit(mine, y)
    learner.predict_proba(mine), learner.posterior(mine), learner.embed(mine)
    np.testing.assert_array_equal(mine, X)


def test_a_thousand_classes_fit_into_memory() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 64)).astype(np.float32)
    learner = HeadEnsemble(members=4, max_iter=3).fit(X, rng.integers(0, 1000, 300), classes=1000)
    assert learner.posterior(X[:3]).shape == (4, 3, 1000)


def test_solve_without_curvature_starts_from_nothing() -> None:
    Z = torch.cat([torch.randn(30, 3, generator=torch.Generator().manual_seed(0)),
                   torch.ones(30, 1)], 1)  # fmt: skip
    codes = (Z[:, 0] > 0).long()
    ending = heads_fit.Ending(200, 1e-7, 3)
    start = (torch.zeros(1, 2, 4),)
    one, _ = solve(Z, Categorical(codes), torch.ones(1, 30), torch.tensor([0.1]), start, ending)
    known = curvature_of(Z, one[0])
    two, steps = solve(
        Z, Categorical(codes), torch.ones(1, 30), torch.tensor([0.1]), one, ending, known
    )
    torch.testing.assert_close(one[0], two[0], atol=0.02, rtol=0.02)
    assert steps < 10
