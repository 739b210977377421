"""Scores against independent implementations of the same definitions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import modAL.disagreement
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from modAL.uncertainty import classifier_margin
from numpy.typing import NDArray
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy
from skactiveml.pool import batch_bald, uncertainty_scores
from sklearn.linear_model import LogisticRegression

from alwidgets.errors import StrategyError
from alwidgets.strategies import disagreement, uncertainty
from alwidgets.strategies.disagreement import (
    bald,
    consensus_entropy,
    epig,
    max_disagreement,
    variation_ratio,
    vote_entropy,
)
from alwidgets.strategies.expected import expected_error_reduction, expected_gradient_length
from alwidgets.strategies.uncertainty import entropy, least_confident, margin

Floats = NDArray[np.float64]
UNCERTAINTY = (least_confident, margin, entropy)
COMMITTEE = (bald, consensus_entropy, max_disagreement, vote_entropy, variation_ratio)


class Fixed:
    """A classifier for modAL that always answers the same probabilities."""

    def __init__(self, proba: Floats) -> None:
        self.proba = proba

    def predict_proba(self, X: Floats) -> Floats:
        return self.proba


@pytest.fixture(params=[2, 3, 10, 24, 25, 60])
def proba(request: pytest.FixtureRequest) -> Floats:
    rng = np.random.default_rng(request.param)
    p = rng.dirichlet(np.full(request.param, 0.4), size=200)
    p[0] = np.eye(request.param)[0]
    p[1] = 1 / request.param
    p[2] = np.eye(request.param)[-2:].mean(0)
    return np.asarray(p)


def committee(K: int, n: int, C: int, seed: int = 0) -> Floats:
    """(K, n, C), with a sure item, a unanimous one and one that splits the committee."""
    p = np.random.default_rng(seed).dirichlet(np.full(C, 0.5), size=(K, n))
    p[:, 0] = np.eye(C)[0]
    p[:, 1] = p[0, 1]
    p[:, 2] = np.eye(C)[np.arange(K) % C]
    return np.asarray(p)


def test_uncertainty(proba: Floats) -> None:
    np.testing.assert_allclose(
        least_confident(proba), uncertainty_scores(proba, method="least_confident"), atol=1e-12
    )
    np.testing.assert_allclose(
        entropy(proba), uncertainty_scores(proba, method="entropy"), atol=1e-12
    )
    peer = classifier_margin(Fixed(proba), np.zeros((len(proba), 1)))
    np.testing.assert_allclose(margin(proba), 1 - peer, atol=1e-12)


@pytest.mark.parametrize("C", [2, 10, 40])
def test_uncertainty_in_single_precision(C: int) -> None:
    """More rows than fit one block, and the same to the last bit wherever the pool is cut."""
    p = np.random.default_rng(0).dirichlet(np.ones(C), size=1_200_000 // C).astype(np.float32)
    for score in UNCERTAINTY:
        whole = score(p)
        np.testing.assert_allclose(whole, score(p.astype(np.float64)), atol=2e-6)
        cut = [0, 7, 1_000, 1_001, 5_003, len(p)]
        parts = [score(p[a:b]) for a, b in itertools.pairwise(cut)]
        np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_known_values() -> None:
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(least_confident(p), [0.3, 0.0])
    np.testing.assert_allclose(margin(p), [0.5, 0.0])
    np.testing.assert_allclose(entropy(p), [0.8018185525, 0.0])
    sure = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    for score in (bald, consensus_entropy, max_disagreement, vote_entropy):
        np.testing.assert_allclose(score(sure), [np.log(2)])
    np.testing.assert_allclose(variation_ratio(sure), [0.5])
    np.testing.assert_allclose(epig(sure, sure), [np.log(2)])
    for score in (bald, max_disagreement, vote_entropy, variation_ratio):
        np.testing.assert_allclose(score(np.repeat(p[None], 5, 0)), [0, 0], atol=1e-12)
    np.testing.assert_allclose(margin(np.ones((3, 1))), 0.0)


def test_bald() -> None:
    posterior = np.random.default_rng(0).dirichlet(np.ones(4), size=(16, 50))
    # The peer clips its argument in place.
    scores = batch_bald(posterior.copy(), 1)
    np.testing.assert_allclose(bald(posterior), scores[0], atol=1e-7)


def test_committee_from_the_definitions() -> None:
    p = committee(7, 60, 4)
    mean = p.mean(0)
    np.testing.assert_allclose(consensus_entropy(p), scipy_entropy(mean, axis=1), atol=1e-12)
    mean_entropy = scipy_entropy(p, axis=2).mean(0)
    np.testing.assert_allclose(bald(p), scipy_entropy(mean, axis=1) - mean_entropy, atol=1e-12)
    divergence = rel_entr(p, mean).sum(2).max(0)
    np.testing.assert_allclose(max_disagreement(p), divergence, atol=1e-12)
    share = np.array([np.bincount(votes, minlength=4) / 7 for votes in p.argmax(2).T])
    np.testing.assert_allclose(vote_entropy(p), scipy_entropy(share, axis=1), atol=1e-12)
    np.testing.assert_allclose(variation_ratio(p), 1 - share.max(1), atol=1e-12)


class Members(list[Floats]):
    """A committee for modAL whose members always answer the same probabilities, (n, C) each."""

    @property
    def classes_(self) -> NDArray[np.int64]:
        return np.arange(self[0].shape[1])

    def vote(self, X: Floats) -> NDArray[np.int64]:
        return np.stack([p.argmax(1) for p in self], axis=1)

    def vote_proba(self, X: Floats) -> Floats:
        return np.stack(self, axis=1)

    def predict_proba(self, X: Floats) -> Floats:
        return np.asarray(np.mean(self, axis=0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_who_cannot_decide_votes_for_the_first(dtype: Any) -> None:
    p = np.random.default_rng(0).dirichlet([1, 1, 1], size=(5, 40)).astype(dtype)
    p[2, 7:20] = 1 / 3
    p[4, 9] = [0.0, 0.5, 0.5]
    share = np.array([np.bincount(votes, minlength=3) / 5 for votes in p.argmax(2).T])
    np.testing.assert_allclose(variation_ratio(p), 1 - share.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(vote_entropy(p), scipy_entropy(share, axis=1), atol=1e-6)


def test_committee_against_modal() -> None:
    p = committee(5, 40, 3)
    X = np.zeros((40, 1))
    for ours, peer in (
        (max_disagreement, modAL.disagreement.KL_max_disagreement),
        (vote_entropy, modAL.disagreement.vote_entropy),
        (consensus_entropy, modAL.disagreement.consensus_entropy),
    ):
        np.testing.assert_allclose(ours(p), peer(Members(p), X), atol=1e-12)


@pytest.mark.parametrize("score", COMMITTEE)
def test_committee_in_blocks(score: Callable[[Floats], Floats]) -> None:
    p = committee(20, 4_000, 10).astype(np.float32)
    whole = score(p)
    np.testing.assert_allclose(whole, score(p.astype(np.float64)), atol=3e-6)
    parts = [score(p[:, a:b]) for a, b in ((0, 5), (5, 700), (700, 4_000))]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def mutual_information(p: Floats, target: Floats) -> Floats:
    """EPIG from the definition, item by item and target by target."""
    scores = np.zeros(p.shape[1])
    for i in range(p.shape[1]):
        for j in range(target.shape[1]):
            joint = np.einsum("kc,kd->cd", p[:, i], target[:, j]) / len(p)
            product = np.outer(p[:, i].mean(0), target[:, j].mean(0))
            scores[i] += rel_entr(joint, product).sum() / target.shape[1]
    return scores


@pytest.mark.parametrize(("C", "block"), [(2, None), (3, 64), (5, 7)])
def test_epig(C: int, block: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if block:
        monkeypatch.setattr(uncertainty, "PRODUCT", block)
    p, target = committee(6, 15, C, seed=1), committee(6, 8, C, seed=2)
    ours = epig(p, target)
    np.testing.assert_allclose(ours, mutual_information(p, target), atol=1e-12)
    single = epig(p.astype(np.float32), target.astype(np.float32))
    np.testing.assert_allclose(single, ours, atol=1e-6)


def test_epig_bounds() -> None:
    p, target = committee(6, 20, 3, seed=3), committee(6, 9, 3, seed=4)
    of_targets = consensus_entropy(target).mean()
    assert np.all(epig(p, target) <= np.minimum(consensus_entropy(p), of_targets) + 1e-12)
    # It cannot tell more about the targets than about the model.
    assert np.all(epig(p, target) <= bald(p) + 1e-12)
    alike = np.repeat(p[:1], 6, axis=0).astype(np.float32)
    np.testing.assert_allclose(epig(alike, target.astype(np.float32)), 0.0, atol=1e-6)


def test_epig_of_a_hundred_classes_is_exact() -> None:
    p = np.random.default_rng(0).dirichlet(np.full(100, 0.5), size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(epig(p, p[:, :2]), mutual_information(p, p[:, :2]), atol=1e-4)


@pytest.mark.parametrize(
    ("K", "sharpness", "kept"), [(4, 0.01, 0.98), (4, 0.05, 0.7), (16, 0.01, 0.8), (120, 0.01, 0.4)]
)
def test_epig_of_many_classes(K: int, sharpness: float, kept: float) -> None:
    """Putting classes together can only lose information, and leaves the order as it is."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(1000, sharpness), size=(K, 4))
    # The samples agree ever more.
    for item, share in enumerate([0.0, 0.2, 0.4, 0.7]):
        p[:, item] = share * p[:1, item] + (1 - share) * p[:, item]
    ours, exact = epig(p, p[:, :2]), mutual_information(p, p[:, :2])
    assert (ours <= exact + 1e-12).all()
    assert (ours > kept * exact).all()
    assert ours.argsort().tolist() == exact.argsort().tolist() == [3, 2, 1, 0]
    single = epig(p.astype(np.float32), p[:, :2].astype(np.float32))
    np.testing.assert_allclose(single, ours, atol=1e-4)


def test_epig_loses_nothing_among_classes_that_say_the_same() -> None:
    """Two samples that no class has in common: any label tells which one it is."""
    p = np.zeros((2, 1, 1000))
    p[0, :, :500] = p[1, :, 500:] = 1 / 500
    np.testing.assert_allclose(epig(p, p), [np.log(2)])


def test_expected_gradient_length_by_autograd() -> None:
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    proba = torch.softmax(h @ weight.T, dim=1).detach()
    expected = torch.zeros(12, dtype=torch.float64)
    for i in range(12):
        for c in range(4):
            loss = torch.nn.functional.cross_entropy((h[i] @ weight.T)[None], torch.tensor([c]))
            (gradient,) = torch.autograd.grad(loss, weight)
            expected[i] += proba[i, c] * gradient.norm()
    np.testing.assert_allclose(expected_gradient_length(proba, h), expected, rtol=1e-12)


def test_expected_gradient_length_of_sure_items() -> None:
    """What a sure prediction leaves is small, and right in single precision too."""
    doubt = 10.0 ** -np.arange(1, 7)
    p = np.stack([1 - doubt, doubt / 2, doubt / 2], axis=1).astype(np.float32)
    exact = np.zeros(6)
    for c in range(3):
        residual = np.linalg.norm(p.astype(np.float64) - np.eye(3)[c], axis=1)
        exact += p[:, c].astype(np.float64) * residual
    h = np.full((6, 4), 0.5, dtype=np.float16)
    np.testing.assert_allclose(expected_gradient_length(p, h), exact, rtol=1e-4)
    sure = np.array([[1.0, 0.0]])
    assert expected_gradient_length(sure, np.ones((1, 3))).tolist() == [0.0]


def test_expected_gradient_length_refuses() -> None:
    p = np.full((3, 2), 0.5)
    with pytest.raises(StrategyError, match=r"shape \(3, d\)"):
        expected_gradient_length(p, np.ones((2, 4)))
    h = np.ones((3, 4))
    h[1, 2] = np.nan
    with pytest.raises(StrategyError, match="embedding, first in row 1"):
        expected_gradient_length(p, h)
    with pytest.raises(StrategyError, match="too large"):
        expected_gradient_length(p, np.full((3, 4), 1e200))


@pytest.mark.parametrize("loss", ["log", "zero_one"])
def test_expected_error_reduction_by_brute_force(loss: str) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = (X[:, 0] + 0.5 * X[:, 1] > 0).astype(int) + (X[:, 1] > 0.8)
    known = np.r_[[np.flatnonzero(y == c)[0] for c in range(3)], 20, 25]
    free = np.setdiff1d(np.arange(30), known)
    proba = LogisticRegression().fit(X[known], y[known]).predict_proba(X[free])

    def refit(row: int, code: int) -> Floats:
        model = LogisticRegression()
        model.fit(X[np.r_[known, free[row]]], np.r_[y[known], code])
        return np.asarray(model.predict_proba(X[free]))

    expected = np.zeros(len(free))
    for i in range(len(free)):
        for c in range(3):
            after = refit(i, c)
            if loss == "log":
                left = scipy_entropy(after, axis=1).mean()
            else:
                left = np.mean(1 - after.max(1))
            expected[i] -= proba[i, c] * left
    ours = expected_error_reduction(proba, refit, loss=loss)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, expected, atol=1e-12)


def test_expected_error_reduction_leaves_out_what_is_unlikely() -> None:
    asked: list[tuple[int, int]] = []

    def refit(row: int, code: int) -> Floats:
        asked.append((row, code))
        return np.array([[0.9, 0.1]] if code else [[0.5, 0.5]])

    p = np.array([[0.0, 1.0], [0.001, 0.999], [0.4, 0.6]])
    scores = expected_error_reduction(p, refit, loss="zero_one", least=0.01)
    assert asked == [(0, 1), (1, 1), (2, 0), (2, 1)]
    np.testing.assert_allclose(scores, [-0.1, -0.1, -(0.4 * 0.5 + 0.6 * 0.1)])
    with pytest.raises(StrategyError, match="loss"):
        expected_error_reduction(p, refit, loss="hinge")  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match="least"):
        expected_error_reduction(p, refit, least=1.0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(2, 30), st.floats(0.02, 5))
def test_scores_keep_their_bounds(seed: int, K: int, C: int, sharpness: float) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(C, sharpness), size=(K, 6)).astype(np.float32)
    p[:, 5] = p[0, 5]
    near = 1e-5
    for score in (entropy, consensus_entropy):
        found = score(p[0] if score is entropy else p)
        assert np.all((found >= -near) & (found <= np.log(C) + near))
    for score in (least_confident, margin):
        assert np.all((score(p[0]) >= -near) & (score(p[0]) <= 1 + near))
    for score in (bald, vote_entropy):
        assert np.all((score(p) >= -near) & (score(p) <= np.log(min(K, C)) + near))
    assert np.all(bald(p) <= max_disagreement(p) + near)
    # Neither the order of the classes nor that of the members matters.
    other = p[rng.permutation(K)][:, :, rng.permutation(C)]
    for score in COMMITTEE:
        assert np.all(score(p) >= -near)
        if score not in (vote_entropy, variation_ratio):
            np.testing.assert_allclose(score(p), score(other), atol=near)


def test_tensors_stay_tensors() -> None:
    p = torch.tensor([[0.6, 0.4]])
    for score in UNCERTAINTY:
        assert isinstance(score(p), torch.Tensor)
        half = score(p.numpy().astype(np.float16))
        np.testing.assert_allclose(half, score(p).numpy(), atol=1e-3)
    for score in COMMITTEE:
        assert isinstance(score(p[None]), torch.Tensor)
        assert isinstance(score(p[None].numpy()), np.ndarray)
    assert isinstance(epig(p[None], p[None].numpy()), torch.Tensor)
    assert isinstance(expected_gradient_length(p, p.numpy()), torch.Tensor)
    assert isinstance(expected_error_reduction(p, lambda row, code: p), torch.Tensor)


def test_the_input_is_left_alone() -> None:
    p = committee(4, 6, 3)
    before = p.copy()
    for score in UNCERTAINTY:
        score(p[0])
    for score in COMMITTEE:
        score(p)
    epig(p, p)
    expected_gradient_length(p[0], p[1])
    np.testing.assert_array_equal(p, before)


def test_no_items() -> None:
    for score in UNCERTAINTY:
        assert score(np.empty((0, 3))).shape == (0,)
    for score in COMMITTEE:
        assert score(np.empty((4, 0, 3))).shape == (0,)
    assert epig(np.empty((4, 0, 3)), np.full((4, 1, 3), 1 / 3)).shape == (0,)
    assert expected_gradient_length(np.empty((0, 3)), np.empty((0, 2))).shape == (0,)


def test_bad_input_is_named() -> None:
    p = committee(4, 6, 3)
    p[2, 4, 1] = np.nan
    for score in UNCERTAINTY:
        with pytest.raises(StrategyError, match="row 4"):
            score(p[2])
    for score in COMMITTEE:
        with pytest.raises(StrategyError, match="row 4"):
            score(p)
    good = committee(4, 6, 3)
    with pytest.raises(StrategyError, match="target probabilities, first in row 4"):
        epig(good, p)
    with pytest.raises(StrategyError, match="targets must have shape"):
        epig(good, good[:2])
    with pytest.raises(StrategyError, match="targets must have shape"):
        epig(good, good[:, :0])
    with pytest.raises(StrategyError, match="holds no sample"):
        disagreement.bald(np.empty((0, 5, 3)))
