"""Draws among gradients against gradients that are written out."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import chi2

from alwidgets.errors import StrategyError
from alwidgets.strategies import clustering
from alwidgets.strategies.badge import badge

# The package has a function of this name.
module = import_module("alwidgets.strategies.badge")
Floats = NDArray[np.float64]


def gradients(p: Floats, h: Floats) -> Floats:
    """(m, C * d): what the last layer's weights would get if the prediction were the label."""
    label = np.eye(p.shape[1])[p.argmax(1)]
    return np.asarray(((p - label)[:, :, None] * h[:, None, :]).reshape(len(p), -1))


def pairwise(g: Floats) -> Floats:
    return np.asarray(np.square(g[:, None] - g[None]).sum(2))


def given(m: int, classes: int = 3, d: int = 4, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.5), m), rng.normal(size=(m, d))


def test_these_are_the_gradients() -> None:
    """Of the cross-entropy of a linear layer without bias, by torch."""
    p, h = given(5)
    logits, inputs = torch.from_numpy(np.log(p)), torch.from_numpy(h)
    for i in range(5):
        weight = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
        out = logits[i] + weight @ inputs[i]
        torch.nn.functional.cross_entropy(out[None], logits[i].argmax()[None]).backward()
        assert weight.grad is not None
        np.testing.assert_allclose(weight.grad.flatten(), gradients(p, h)[i], atol=1e-12)


@pytest.mark.parametrize(("proposals", "patience"), [(1, 1), (3, 0), (256, 256)])
def test_draws_are_proportional_to_the_squared_distance(
    proposals: int, patience: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly, however many proposals are looked at together and whenever all are measured."""
    monkeypatch.setattr(clustering, "PROPOSALS", proposals)
    monkeypatch.setattr(clustering, "PATIENCE", patience)
    m, times = 5, 700
    p, h = given(m)
    away = pairwise(gradients(p, h))
    first = int(np.square(gradients(p, h)).sum(1).argmax())
    expected = np.zeros((m, m))
    for second in range(m):
        for third in range(m):
            gap = np.minimum(away[first], away[second])
            expected[second, third] = (
                away[first, second] / away[first].sum() * gap[third] / gap.sum()
            )
    seen = np.zeros((m, m))
    for seed in range(times):
        picks = badge(p, h, 3, seed)
        assert picks[0] == first
        seen[picks[1], picks[2]] += 1
    possible = expected > 0
    assert not seen[~possible].any()
    np.testing.assert_allclose(expected.sum(), 1)
    statistic = (np.square(seen - times * expected)[possible] / (times * expected[possible])).sum()
    assert statistic < chi2.ppf(0.999, possible.sum() - 1)


def test_scores_are_squared_distances_of_gradients() -> None:
    p, h = given(40)
    picks, scores = badge(p, h, 30, 1, return_scores=True)
    np.testing.assert_array_equal(picks, badge(p, h, 30, 1))
    g = gradients(p, h)
    away = pairwise(g)
    truth = [away[row, picks[:place]].min() for place, row in enumerate(picks) if place]
    np.testing.assert_allclose(scores[1:], truth, rtol=1e-9)
    np.testing.assert_allclose(scores[0], np.square(g).sum(1).max(), rtol=1e-12)
    # Of copies, nothing is left.
    scores = badge(np.tile(p[:5], (9, 1)), np.tile(h[:5], (9, 1)), 20, 0, return_scores=True)[1]
    assert (scores[:5] > 0).all()
    assert not scores[5:].any()


def test_all_gradients_of_one_batch_differ() -> None:
    p, h = given(7)
    picks = badge(np.tile(p, (30, 1)), np.tile(h, (30, 1)), 7, 0)
    assert set(picks % 7) == set(range(7))
    # Only copies are left after that.
    more = badge(np.tile(p, (30, 1)), np.tile(h, (30, 1)), 50, 0)
    assert set(more[:7] % 7) == set(range(7))
    assert len(set(more)) == 50


def test_every_row_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters, far apart: old bounds are of little use, and each cluster is found all the same."""
    monkeypatch.setattr(clustering, "PROPOSALS", 4)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 8)) * 100
    h = np.repeat(centres, 200, axis=0) + rng.normal(size=(4000, 8))
    p = np.tile([0.6, 0.4], (4000, 1))
    picks = badge(p.astype(np.float32), h.astype(np.float32), 20, 0)
    assert len(set(picks // 200)) >= 18


def test_sure_predictions_have_no_gradient() -> None:
    p, h = np.tile([1.0, 0.0], (40, 1)), np.random.default_rng(0).normal(size=(40, 3))
    assert len(set(badge(p, h, 10, 0))) == 10
    p[7] = [0.5, 0.5]
    assert badge(p, h, 10, 0)[0] == 7
    # Equal items: no corner of the pool is preferred.
    assert len({int(badge(p[:7], h[:7], 1, seed)[0]) for seed in range(20)}) > 4


def test_many_classes() -> None:
    p, h = given(2000, classes=1000, d=64)
    assert len(set(badge(p.astype(np.float32), h.astype(np.float16), 20, 0))) == 20


def test_one_embedding_for_each_row() -> None:
    with pytest.raises(StrategyError, match="5 rows of probabilities but 4"):
        badge(np.full((5, 2), 0.5), np.zeros((4, 3)), 2)
