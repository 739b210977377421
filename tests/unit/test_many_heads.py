"""Linear heads of many runs at once: as their learners fit them, and each as if it were alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from alwidgets.learners import HeadEnsemble, SklearnLearner
from alwidgets.learners.many import Head, ManyHeads, recipe_of

X, Y = load_digits(return_X_y=True)
FEATURES = torch.from_numpy((X / 16).astype(np.float32))
CODES = torch.from_numpy(Y.astype(np.int64))


def axes() -> tuple[torch.Tensor, torch.Tensor]:
    mean = FEATURES.mean(dim=0)
    return mean, torch.linalg.eigh((FEATURES - mean).T @ (FEATURES - mean))[1]


def rows_of(seed: int, n: int = 120) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).permutation(len(FEATURES))[:n])


def fitted(learner: Any, seeds: list[int], ends: tuple[int, ...] = (60,)) -> list[Head]:
    """The heads of some runs, which get their labels in several rounds."""
    recipe = recipe_of(learner)
    assert recipe is not None
    many = ManyHeads(recipe, seeds, 10, *axes())
    begin, heads = 0, []
    for end in ends:
        new = [rows_of(seed)[begin:end] for seed in seeds]
        many.add([FEATURES[rows] for rows in new], [CODES[rows] for rows in new])
        heads = many.fit()
        begin = end
    return heads


@pytest.mark.parametrize("C", [0.1, 1.0, 30.0])
def test_logistic_regression_comes_to_what_scikit_learn_finds(C: float) -> None:
    for seed, head in zip(
        (0, 1), fitted(LogisticRegression(C=C, tol=1e-7), [0, 1], (7, 60)), strict=True
    ):
        rows = rows_of(seed)[:60]
        peer = LogisticRegression(C=C, tol=1e-8, max_iter=10_000)
        peer.fit(FEATURES[rows].double().numpy(), CODES[rows].numpy())
        theirs = np.zeros((len(X), 10))
        theirs[:, peer.classes_] = peer.predict_proba(FEATURES.double().numpy())
        ours = head.predict_proba(FEATURES).numpy()
        # In single precision, and where little is penalised the loss is flat near its least.
        assert np.abs(ours - theirs).max() < 0.01 * max(1, C / 10)
        assert np.mean(ours.argmax(1) == theirs.argmax(1)) > 0.995


def test_a_class_without_a_label_has_no_probability() -> None:
    rows = torch.nonzero(CODES < 3)[:30, 0]
    recipe = recipe_of(LogisticRegression())
    assert recipe is not None
    many = ManyHeads(recipe, [0], 10, *axes())
    many.add([FEATURES[rows]], [CODES[rows]])
    proba = many.fit()[0].predict_proba(FEATURES)
    assert float(proba[:, 3:].max()) == 0.0
    torch.testing.assert_close(proba.sum(dim=1), torch.ones(len(FEATURES)))


def test_one_class_alone_is_certain() -> None:
    rows = torch.nonzero(CODES == 4)[:5, 0]
    for learner in (LogisticRegression(), HeadEnsemble()):
        recipe = recipe_of(learner)
        assert recipe is not None
        many = ManyHeads(recipe, [0], 10, *axes())
        many.add([FEATURES[rows]], [CODES[rows]])
        assert bool((many.fit()[0].predict_proba(FEATURES).argmax(dim=1) == 4).all())


@pytest.mark.parametrize("l2", ["auto", 0.3])
def test_heads_come_to_what_the_ensemble_finds(l2: Any) -> None:
    learner = HeadEnsemble(device="cpu", l2=l2, tol=1e-5)
    head = fitted(learner, [0, 1])[0]
    rows = rows_of(0)[:60]
    peer = HeadEnsemble(device="cpu", l2=l2, tol=1e-5).fit(FEATURES[rows], CODES[rows], classes=10)
    many = head._many
    assert many.strengths[0] == pytest.approx(peer.l2_, rel=0.2)
    assert many.temperatures[0] == pytest.approx(peer.temperature_, rel=0.05)
    theirs = peer.predict_proba(FEATURES)
    assert float((head.predict_proba(FEATURES) - theirs).abs().max()) < 0.05
    torch.testing.assert_close(head.embed(FEATURES), peer.embed(FEATURES), atol=1e-4, rtol=1e-4)
    # Members have the same bootstrap weights, so they spread in the same way.
    ours, others = head.posterior(FEATURES), peer.posterior(FEATURES)
    assert ours.shape == others.shape
    spread, peers = ours.std(dim=0).mean(), others.std(dim=0).mean()
    assert float(spread / peers) == pytest.approx(1.0, abs=0.1)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in the processes that play: more of them share out sums by their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("learner", [LogisticRegression(), HeadEnsemble(device="cpu", members=4)])
def test_a_run_is_the_same_to_the_last_bit_whoever_is_beside_it(learner: Any) -> None:
    ends = (10, 30, 47)
    together = fitted(learner, [0, 1, 2, 3, 4], ends)
    together[0]._many.prepare([1, 3, 4])
    for few in ([3], [1, 3], [3, 0, 4]):
        apart = fitted(learner, few, ends)
        for seed, head in zip(few, apart, strict=True):
            same = together[seed]
            assert torch.equal(head.weight, same.weight), few
            assert torch.equal(head.bias, same.bias), few
            assert torch.equal(head.posterior(FEATURES[:50]), same.posterior(FEATURES[:50])), few


def test_what_is_fitted_together_and_what_is_not() -> None:
    for learner in (
        HeadEnsemble(),
        HeadEnsemble(l2=1.0, members=3),
        LogisticRegression(C=3.0, max_iter=1000),
        SklearnLearner(LogisticRegression()),
    ):
        assert recipe_of(learner) is not None, learner
    for learner in (
        HeadEnsemble(hidden=8),
        HeadEnsemble(class_weight="balanced"),
        LogisticRegression(solver="liblinear"),
        LogisticRegression(fit_intercept=False),
        LogisticRegression(class_weight="balanced"),
        SklearnLearner(LogisticRegression(), calibrate=True),
        SVC(),
    ):
        assert recipe_of(learner) is None, learner
