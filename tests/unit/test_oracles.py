"""Scores against independent implementations of the same definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from modAL.uncertainty import classifier_margin
from numpy.typing import NDArray
from skactiveml.pool import batch_bald, k_greedy_center, uncertainty_scores

from alwidgets.strategies.disagreement import bald
from alwidgets.strategies.diversity import k_center, kmeans, representative
from alwidgets.strategies.hybrid import uncertainty_herding
from alwidgets.strategies.uncertainty import entropy, least_confident, margin

Floats = NDArray[np.float64]


class Fixed:
    """A classifier for modAL that always answers the same probabilities."""

    def __init__(self, proba: Floats) -> None:
        self.proba = proba

    def predict_proba(self, X: Floats) -> Floats:
        return self.proba


@pytest.fixture(params=[2, 3, 10])
def proba(request: pytest.FixtureRequest) -> Floats:
    rng = np.random.default_rng(request.param)
    p = rng.dirichlet(np.full(request.param, 0.4), size=200)
    p[0] = np.eye(request.param)[0]
    p[1] = 1 / request.param
    return np.asarray(p)


def test_uncertainty(proba: Floats) -> None:
    np.testing.assert_allclose(
        least_confident(proba), uncertainty_scores(proba, method="least_confident"), atol=1e-12
    )
    np.testing.assert_allclose(
        entropy(proba), uncertainty_scores(proba, method="entropy"), atol=1e-7
    )
    peer = classifier_margin(Fixed(proba), np.zeros((len(proba), 1)))
    np.testing.assert_allclose(margin(proba), 1 - peer, atol=1e-12)


def test_bald() -> None:
    posterior = np.random.default_rng(0).dirichlet(np.ones(4), size=(16, 50))
    ours = bald(posterior)
    # The peer clips its argument in place.
    scores = batch_bald(posterior.copy(), 1)
    np.testing.assert_allclose(ours, scores[0], atol=1e-7)


@pytest.mark.parametrize("labelled", [1, 7])
def test_k_center(labelled: int) -> None:
    X = np.random.default_rng(labelled).normal(size=(80, 5))
    known = np.zeros(len(X), dtype=bool)
    known[:labelled] = True
    free = np.flatnonzero(~known)
    ours = free[k_center(X[free], X[known], 10)]
    peer, _ = k_greedy_center(X, np.where(known, 0.0, np.nan), batch_size=10, random_state=0)
    np.testing.assert_array_equal(ours, peer)


def test_known_values() -> None:
    p = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(least_confident(p), [0.3, 0.0])
    np.testing.assert_allclose(margin(p), [0.5, 0.0])
    np.testing.assert_allclose(entropy(p), [0.8018185525, 0.0])
    sure = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    np.testing.assert_allclose(bald(sure), [np.log(2)])
    np.testing.assert_allclose(bald(np.repeat(p[None], 5, 0)), [0, 0], atol=1e-12)
    np.testing.assert_allclose(margin(np.ones((3, 1))), 0.0)


def test_tensors_stay_tensors() -> None:
    p = torch.tensor([[0.6, 0.4]])
    for score in (least_confident, margin, entropy):
        assert isinstance(score(p), torch.Tensor)
        half = score(p.numpy().astype(np.float16))
        np.testing.assert_allclose(half, score(p).numpy(), atol=1e-3)


def test_herding_by_brute_force() -> None:
    """The greedy cover on 40 items, straight from the definition."""
    rng = np.random.default_rng(3)
    X, u = rng.normal(size=(40, 3)), rng.random(40)
    known = rng.normal(size=(6, 3))
    gaps = np.linalg.norm(known[:, None] - known[None], axis=2)
    # torch's median is the lower of the two in the middle.
    width = 0.5 * np.sort(np.where(gaps > 0, gaps, np.inf).min(1))[2]

    def k(a: Floats, b: Floats) -> Floats:
        return np.exp(-np.square(np.linalg.norm(a[:, None] - b[None], axis=2)) / (2 * width**2))

    expected: list[int] = []
    for _ in range(8):
        settled = k(X, np.concatenate([known, X[expected]])).max(1)
        gain = (u[:, None] * np.maximum(0, k(X, X) - settled[:, None])).sum(0)
        gain[expected] = -1
        expected.append(int(gain.argmax()))
    assert uncertainty_herding(X, u, 8, 0, known).tolist() == expected


def test_herding_goes_where_the_doubt_is() -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 0.3, (50, 2)), rng.normal(5, 0.3, (50, 2))])
    known = np.array([[0.0, 0.0], [0.5, 0.5], [5.0, 5.0], [5.5, 5.5]])
    picks = uncertainty_herding(X, np.r_[np.zeros(50), np.ones(50)], 10, 0, known)
    assert np.all(picks >= 50)


def test_representative_covers_every_group() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(6, 4)) * 20
    X = np.concatenate([c + rng.normal(size=(30, 4)) for c in centres])
    groups = np.repeat(np.arange(6), 30)
    picks = representative(X, 6, seed=0)
    assert set(groups[picks]) == set(range(6))
    # What is labelled is not asked for again.
    more = representative(X, 3, seed=0, labelled=X[groups < 3][::10])
    assert set(groups[more]) <= {3, 4, 5}


def test_kmeans_finds_the_groups() -> None:
    rng = np.random.default_rng(0)
    X = torch.from_numpy(np.concatenate([rng.normal(c, 0.1, (20, 2)) for c in (0, 5, 10)]))
    centres, owner = kmeans(X, 3, seed=0)
    assert len(set(owner[:20].tolist())) == 1
    np.testing.assert_allclose(np.sort(centres[:, 0].numpy()), [0, 5, 10], atol=0.2)
