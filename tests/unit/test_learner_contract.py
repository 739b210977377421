"""What every learner promises to the rest of the toolkit."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from torch import nn

from alwidgets.errors import LearnerError
from alwidgets.learners import HeadEnsemble, Learner, module_training
from alwidgets.learners.module import TorchLearner
from alwidgets.learners.sklearn import SklearnLearner

D = 5


def net(classes: int) -> nn.Module:
    return nn.Sequential(nn.Linear(D, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, classes))


MAKERS: dict[str, Callable[[int], Any]] = {
    "heads": lambda seed: HeadEnsemble(seed=seed, device="cpu"),
    "logistic": lambda seed: SklearnLearner(LogisticRegression(), members=4, seed=seed),
    "svc": lambda seed: SklearnLearner(SVC(), members=4, seed=seed),
    "neighbours": lambda seed: SklearnLearner(KNeighborsClassifier(3), members=4, seed=seed),
    "module": lambda seed: TorchLearner(
        net, samples=4, max_epochs=40, lr=0.02, seed=seed, device="cpu"
    ),
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Any]:
    monkeypatch.setattr(module_training, "MIN_STEPS", 1)  # easy data, many fits
    return MAKERS[request.param]


def blobs(n: int, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = 1.5 * np.random.default_rng(99).standard_normal((classes, D))
    y = np.arange(n) % classes
    return (centres[y] + rng.standard_normal((n, D))).astype(np.float32), y


def test_is_a_learner(make: Callable[[int], Any]) -> None:
    learner = make(0)
    assert isinstance(learner, Learner)
    assert learner.device == torch.device("cpu")
    assert learner.fit(*blobs(12)) is learner


def test_unfitted(make: Callable[[int], Any], tmp_path: Path) -> None:
    X, _ = blobs(3)
    for ask in (
        lambda learner: learner.predict_proba(X),
        lambda learner: learner.posterior(X),
        lambda learner: learner.embed(X),
        lambda learner: learner.save(tmp_path / "model"),
    ):
        with pytest.raises(LearnerError, match="fit"):
            ask(make(0))


def test_shapes_and_kinds(make: Callable[[int], Any]) -> None:
    learner = make(0).fit(*blobs(30))
    X, y = blobs(20, seed=1)
    proba, samples, embedding = learner.predict_proba(X), learner.posterior(X), learner.embed(X)
    assert proba.shape == (20, 3)
    assert samples.ndim == 3
    assert samples.shape[1:] == (20, 3)
    assert embedding.shape[0] == 20
    assert embedding.ndim == 2
    for result in (proba, samples, embedding):
        assert isinstance(result, np.ndarray)
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
    for result in (proba, samples):
        assert (result >= 0).all()
        np.testing.assert_allclose(result.sum(axis=-1), 1.0, atol=1e-5)
    assert (proba.argmax(1) == y).mean() >= 0.8
    assert samples.std(axis=0).max() > 1e-3
    given = torch.from_numpy(X)
    for method in ("predict_proba", "posterior", "embed"):
        result = getattr(learner, method)(given)
        assert isinstance(result, torch.Tensor)
        assert result.dtype == torch.float32
        assert result.device == learner.device
        np.testing.assert_allclose(result, getattr(learner, method)(X), atol=1e-6)


def test_tensors_to_fit_on(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    one = make(0).fit(X, y).predict_proba(X)
    other = make(0).fit(torch.from_numpy(X), torch.from_numpy(y)).predict_proba(X)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_half_precision(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    X = X.astype(np.float16)
    half = make(0).fit(X, y)
    whole = make(0).fit(X.astype(np.float32), y)
    for method in ("predict_proba", "posterior", "embed"):
        result = getattr(half, method)(X)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, getattr(whole, method)(X.astype(np.float32)), atol=1e-5)
        assert getattr(half, method)(torch.from_numpy(X)).dtype == torch.float32


def test_other_layouts_of_rows(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    expected = make(0).fit(X, y).predict_proba(X)
    locked = X.copy()
    locked.flags.writeable = False
    wide = np.zeros((30, 2 * D), dtype=np.float32)
    wide[:, ::2] = X
    for rows in (locked, wide[:, ::2], np.asfortranarray(X)):
        np.testing.assert_allclose(make(0).fit(rows, y).predict_proba(rows), expected, atol=2e-3)


def test_no_rows(make: Callable[[int], Any]) -> None:
    learner = make(0).fit(*blobs(30))
    none = np.zeros((0, D), dtype=np.float32)
    width = learner.embed(blobs(1)[0]).shape[1]
    assert learner.predict_proba(none).shape == (0, 3)
    assert learner.posterior(none).shape[1:] == (0, 3)
    assert learner.embed(none).shape == (0, width)


def test_classes_without_labels(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    proba = make(0).fit(X, y, classes=6).predict_proba(X)
    assert proba.shape == (30, 6)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)
    assert (proba.argmax(1) == y).mean() >= 0.8
    assert proba[:, 3:].sum(axis=1).mean() < 0.35


def test_gap_among_the_codes(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    codes = np.array([0, 2, 4])[y]
    learner = make(0).fit(X, codes, classes=5)
    assert (learner.predict_proba(X).argmax(1) == codes).mean() >= 0.8
    assert learner.posterior(X).shape[1:] == (30, 5)


@pytest.mark.parametrize("n", [1, 6])
def test_labels_of_one_class(make: Callable[[int], Any], n: int) -> None:
    X, _ = blobs(n)
    learner = make(0).fit(X, np.full(n, 1), classes=3)
    assert (learner.predict_proba(X).argmax(1) == 1).all()
    assert learner.posterior(X).shape[1:] == (n, 3)


def test_a_label_for_each_class(make: Callable[[int], Any]) -> None:
    X, y = blobs(3)
    proba = make(0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)


def test_fit_again_with_more(make: Callable[[int], Any]) -> None:
    learner = make(0).fit(*blobs(12))
    X, y = blobs(40, classes=4)
    learner.fit(X, y)
    assert learner.predict_proba(X).shape == (40, 4)
    assert (learner.predict_proba(X).argmax(1) == y).mean() >= 0.8
    learner.fit(*blobs(12))
    assert learner.predict_proba(X).shape == (40, 3)


def test_bad_rows_are_named(make: Callable[[int], Any]) -> None:
    X, y = blobs(12)
    learner = make(0).fit(X, y)
    before = learner.predict_proba(X)
    for value in (np.nan, np.inf):
        bad = X.copy()
        bad[7, 2] = value
        for ask in (lambda: learner.fit(bad, y), lambda: learner.predict_proba(bad)):  # noqa: B023
            with pytest.raises(LearnerError, match=r"row 7\b"):
                ask()
        for method in (learner.posterior, learner.embed):
            with pytest.raises(LearnerError, match=r"row 7\b"):
                method(torch.from_numpy(bad))
    np.testing.assert_array_equal(learner.predict_proba(X), before)


def test_other_bad_input(make: Callable[[int], Any]) -> None:
    X, y = blobs(12)
    learner = make(0).fit(X, y)
    before = learner.predict_proba(X)
    calls: list[Callable[[], Any]] = [
        lambda: learner.fit(X, y[:-1]),
        lambda: learner.fit(X[:0], y[:0]),
        lambda: learner.fit(X, y, classes=2),
        lambda: learner.fit(X, y - 1, classes=3),
        lambda: learner.fit(X, y + 0.5, classes=4),
        lambda: learner.fit(X[:, 0], y),
        lambda: learner.predict_proba(X[:, :-1]),
        lambda: learner.embed(X[:, :-1]),
    ]
    for call in calls:
        with pytest.raises(LearnerError):
            call()
    np.testing.assert_array_equal(learner.predict_proba(X), before)


def test_same_seed_same_result(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    one, two, other = (make(seed).fit(X, y) for seed in (1, 1, 2))
    for method in ("predict_proba", "posterior", "embed"):
        np.testing.assert_array_equal(getattr(one, method)(X), getattr(two, method)(X))
    np.testing.assert_array_equal(one.posterior(X), one.posterior(X))
    assert not np.array_equal(one.posterior(X), other.posterior(X))


def test_rows_do_not_depend_on_their_neighbours(make: Callable[[int], Any]) -> None:
    learner = make(0).fit(*blobs(30))
    X, _ = blobs(40, seed=1)
    for method, axis in (("predict_proba", 0), ("posterior", 1), ("embed", 0)):
        ask = getattr(learner, method)
        parts = [ask(X[:1]), ask(X[1:17]), ask(X[17:])]
        np.testing.assert_allclose(np.concatenate(parts, axis=axis), ask(X), atol=1e-5)


def test_nothing_global_changes(make: Callable[[int], Any]) -> None:
    learner, (X, y) = make(0), blobs(30)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()  # noqa: NPY002
    settings = (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled())
    for _ in range(2):
        learner.fit(X, y)
        learner.posterior(X)
        learner.embed(X)
        learner.predict_proba(X)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()  # noqa: NPY002
    assert settings == (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
    )


def test_a_copy_is_fitted_while_the_other_predicts(make: Callable[[int], Any]) -> None:
    X, y = blobs(30)
    published = make(0).fit(X, y)
    expected = published.predict_proba(X), published.embed(X), published.posterior(X)
    over, wrong = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            found = published.predict_proba(X)
            if not np.array_equal(found, expected[0]):
                wrong.append(found)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(3):
            other = copy.deepcopy(published)
            np.testing.assert_array_equal(other.predict_proba(X), expected[0])
            other.fit(X, (y + 1) % 3)
            np.testing.assert_array_equal(published.posterior(X), expected[2])
            np.testing.assert_array_equal(published.embed(X), expected[1])
    finally:
        over.set()
        thread.join()
    assert not wrong
    assert (other.predict_proba(X).argmax(1) == (y + 1) % 3).mean() >= 0.8


def test_save_and_load(make: Callable[[int], Any], tmp_path: Path) -> None:
    X, y = blobs(30)
    learner = make(0).fit(X, y, classes=4)
    learner.save(tmp_path / "model.part")
    found = make(0)
    assert found.load(str(tmp_path / "model.part")) is found
    for method in ("predict_proba", "posterior", "embed"):
        expected = getattr(learner, method)(X)
        np.testing.assert_allclose(getattr(found, method)(X), expected, atol=1e-6)
    found.fit(X, y, classes=4)
    assert found.predict_proba(X).shape == (30, 4)


def test_files_that_hold_no_model(make: Callable[[int], Any], tmp_path: Path) -> None:
    X, y = blobs(30)
    learner = make(0).fit(X, y)
    expected = learner.predict_proba(X)
    (tmp_path / "damaged").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00no header at all")
    learner.save(tmp_path / "whole")
    (tmp_path / "cut").write_bytes((tmp_path / "whole").read_bytes()[:-9])
    for name in ("missing", "damaged", "cut"):
        with pytest.raises(LearnerError, match=name):
            learner.load(tmp_path / name)
    np.testing.assert_array_equal(learner.predict_proba(X), expected)


def test_same_repr_in_every_process(make: Callable[[int], Any]) -> None:
    assert repr(make(0)) == repr(make(0))
    assert " at 0x" not in repr(make(0))
    assert repr(make(0)) != repr(make(1))


def test_parameters_follow_scikit_learn(make: Callable[[int], Any]) -> None:
    learner = make(0)
    params = learner.get_params(deep=False)
    assert params["seed"] == 0
    again = type(learner)(**params)
    assert repr(again) == repr(learner)
    assert learner.set_params(seed=7) is learner
    assert learner.get_params()["seed"] == 7
    with pytest.raises(ValueError, match="nonsense"):
        learner.set_params(nonsense=1)


def test_a_thousand_classes(make: Callable[[int], Any]) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, D)).astype(np.float32)
    y = rng.integers(0, 1000, 60) // 50 * 50  # 20 of them have labels
    learner = make(0)
    if isinstance(learner, TorchLearner):
        learner.set_params(max_epochs=2)
    learner.fit(X, y, classes=1000)
    proba, samples = learner.predict_proba(X), learner.posterior(X)
    assert proba.shape == (60, 1000)
    assert samples.shape[1:] == (60, 1000)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-4)
    np.testing.assert_allclose(samples.sum(axis=2), 1.0, atol=1e-4)
