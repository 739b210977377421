"""FALCUN against scikit-activeml: the probabilities of every draw, and the draws themselves."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chisquare
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Falcun

from alwidgets.errors import StrategyError
from alwidgets.strategies.falcun import Relevance, falcun
from alwidgets.strategies.uncertainty import margin

# The package has a function of this name.
module = import_module("alwidgets.strategies.falcun")

Floats = NDArray[np.float64]


class Fixed(SkactivemlClassifier):
    """Answers with its own table: X holds row numbers."""

    def __init__(self, table: Floats) -> None:
        super().__init__(classes=list(range(table.shape[1])))
        self.table = table

    def fit(self, X: Floats, y: Floats, sample_weight: Floats | None = None) -> Fixed:
        return self

    def predict_proba(self, X: Floats) -> Floats:
        return self.table[np.asarray(X)[:, 0].astype(int)]


def proba(m: int, classes: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).dirichlet(np.full(classes, 0.5), size=m)


@pytest.mark.parametrize("gamma", [0.0, 1.0, 10.0])
@pytest.mark.parametrize("block", [module.CPU_BLOCK, 7])
def test_as_scikit_activeml(gamma: float, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_BLOCK", block)
    p = proba(60, 4)
    peer = Falcun(gamma=gamma, random_state=0)
    X, y = np.arange(60.0)[:, None], np.full(60, np.nan)
    rows, truth = peer.query(X, y, Fixed(p), fit_clf=False, batch_size=20, return_utilities=True)
    relevance = Relevance(torch.from_numpy(p), gamma)
    for row, expected in zip(rows, truth, strict=True):
        weights = relevance.weights()
        # The peer marks what has been drawn as missing.
        np.testing.assert_allclose(
            weights / weights.sum(), np.nan_to_num(expected), rtol=1e-9, atol=1e-15
        )
        relevance.take(int(row))


@pytest.mark.parametrize("block", [module.CPU_BLOCK, 2])
def test_draws_follow_the_probabilities(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CPU_BLOCK", block)
    p = proba(6, 3)
    u = margin(p)
    drawn = [falcun(p, 1, seed=seed, gamma=2.0)[0] for seed in range(2000)]
    expected = u**2 / (u**2).sum() * 2000
    assert chisquare(np.bincount(drawn, minlength=6), expected).pvalue > 1e-3


def test_a_large_gamma_takes_the_highest() -> None:
    p = proba(300, 3)
    assert falcun(p, 1, gamma=1e5)[0] == margin(p).argmax()
    # Two kinds of equally unsure items: one of each.
    p = np.array([[0.5, 0.5, 0.0]] * 10 + [[0.0, 0.5, 0.5]] * 10)
    rows = falcun(p, 2, gamma=1e3)
    assert len({row // 10 for row in rows.tolist()}) == 2


def test_float32_and_tensors() -> None:
    p = proba(500, 10)
    tensor = falcun(torch.from_numpy(p), 30, seed=3)
    assert isinstance(tensor, torch.Tensor)
    np.testing.assert_array_equal(tensor, falcun(p, 30, seed=3))
    assert (falcun(p, 30, seed=3) != falcun(p, 30, seed=4)).any()
    assert len(set(falcun(p.astype(np.float16), 30).tolist())) == 30


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(max_examples=50, deadline=None)
@given(
    m=st.integers(0, 30),
    n=st.integers(0, 40),
    kind=st.sampled_from(["certain", "equal", "random", "one class"]),
    gamma=st.sampled_from([0.0, 10.0, 1000.0]),
)
def test_as_many_as_there_are(m: int, n: int, kind: str, gamma: float) -> None:
    p = {
        "certain": np.eye(2)[np.zeros(m, int)],
        "equal": np.full((m, 3), 1 / 3),
        "random": proba(m, 3),
        "one class": np.ones((m, 1)),
    }[kind].astype(np.float32)
    rows = falcun(p, n, gamma=gamma)
    assert rows.dtype == np.int64
    assert len(set(rows.tolist())) == len(rows) == min(m, n)


def test_a_thousand_classes() -> None:
    assert len(set(falcun(proba(400, 1000).astype(np.float32), 20).tolist())) == 20


def test_errors() -> None:
    p = proba(10, 2)
    with pytest.raises(StrategyError, match="gamma"):
        falcun(p, 2, gamma=-1)
    p[4, 1] = np.nan
    with pytest.raises(StrategyError, match="row 4"):
        falcun(p, 2)


def test_scores_are_what_it_was_drawn_by() -> None:
    p = proba(60, 4)
    rows, scores = falcun(p, 20, seed=2, return_scores=True)
    np.testing.assert_array_equal(rows, falcun(p, 20, seed=2))
    # From the definition.
    u = 1 - np.diff(np.sort(p, axis=1)[:, -2:], axis=1)[:, 0]
    d = u.copy()
    for row, score in zip(rows, scores, strict=True):
        assert score == pytest.approx(u[row] + d[row])
        d = np.minimum(d, np.abs(p - p[row]).sum(axis=1))
        d /= d.max()
    picks, scores = falcun(torch.from_numpy(p), 3, return_scores=True)
    assert isinstance(scores, torch.Tensor)
    assert scores.shape == picks.shape == (3,)
    assert falcun(p, 0, return_scores=True)[1].shape == (0,)


def test_logits_are_no_probabilities() -> None:
    with pytest.raises(StrategyError, match="Row 1 of the probabilities is no probability"):
        falcun(np.array([[0.5, 0.5], [2.0, -1.0]]), 1)
