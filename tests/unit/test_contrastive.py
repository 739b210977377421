"""Contrastive scores against scikit-activeml and against their own properties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import rel_entr
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import ContrastiveAL
from sklearn.linear_model import LogisticRegression

from alwidgets.errors import StrategyError
from alwidgets.strategies import _blocks
from alwidgets.strategies.contrastive import contrastive

Floats = NDArray[np.float64]


def case(
    n: int, labelled: int, classes: int, seed: int = 0
) -> tuple[Floats, Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(classes, 0.3), size=n + labelled)
    h = rng.normal(size=(n + labelled, 6))
    return p[:n], h[:n], p[n:], h[n:]


@pytest.mark.parametrize("labelled", [4, 60])
def test_as_scikit_activeml(labelled: int) -> None:
    rng = np.random.default_rng(labelled)
    X = rng.normal(size=(300, 5))
    y = np.full(300, np.nan)
    y[:labelled] = np.arange(labelled) % 3
    model = SklearnClassifier(LogisticRegression(C=100.0), classes=[0, 1, 2]).fit(X, y)
    peer = ContrastiveAL(nearest_neighbors_dict={"n_neighbors": 10}, random_state=0)
    _, truth = peer.query(X, y, model, fit_clf=False, return_utilities=True)
    p = model.predict_proba(X)
    ours = contrastive(p[labelled:], X[labelled:], p[:labelled], X[:labelled])
    np.testing.assert_allclose(ours, truth[0, labelled:], rtol=1e-6, atol=1e-9)
    assert (ours > 0).any()


def test_as_defined_in_single_precision() -> None:
    p, h, known, at = (part.astype(np.float32) for part in case(200, 30, 8))
    ours = contrastive(p, h, known, at, neighbours=3)
    near = ((h[:, None] - at[None]) ** 2).sum(axis=2).argsort(axis=1)[:, :3]
    floor = np.maximum(p, 1e-7)
    floor /= floor.sum(axis=1, keepdims=True)
    truth = rel_entr(known[near], floor[:, None]).sum(axis=2).mean(axis=1)
    np.testing.assert_allclose(ours, truth, rtol=1e-4, atol=1e-5)


def test_a_certain_contradiction_is_finite_and_agreement_is_nothing() -> None:
    known, at = np.eye(2), np.array([[0.0], [10.0]])
    p = np.array([[1.0, 0.0], [0.0, 1.0]])
    h = np.zeros((2, 1))
    agrees, contradicts = contrastive(p, h, known, at, neighbours=1)
    assert agrees == pytest.approx(0, abs=1e-9)
    assert contradicts == pytest.approx(-np.log(1e-7), rel=1e-3)


def test_without_labels_all_are_alike() -> None:
    p, h, known, at = case(20, 0, 3)
    np.testing.assert_array_equal(contrastive(p, h, known, at), np.zeros(20))
    assert contrastive(p[:0], h[:0], known, at).shape == (0,)


def test_scores_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    p, h, known, at = case(150, 25, 40)
    whole = contrastive(p, h, known, at)
    cut = np.concatenate(
        [contrastive(p[i : i + 7], h[i : i + 7], known, at) for i in range(0, 150, 7)]
    )
    np.testing.assert_allclose(cut, whole, rtol=1e-9)
    monkeypatch.setattr(_blocks, "BLOCK", 400)
    np.testing.assert_allclose(contrastive(p, h, known, at), whole, rtol=1e-9)


def test_tensors_and_half_precision() -> None:
    p, h, known, at = case(50, 12, 4)
    whole = contrastive(p, h, known, at)
    tensors = contrastive(*(torch.from_numpy(part) for part in (p, h, known, at)))
    assert isinstance(tensors, torch.Tensor)
    np.testing.assert_allclose(tensors, whole, rtol=1e-12)
    half = contrastive(*(part.astype(np.float16) for part in (p, h, known, at)))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, whole, rtol=0.2, atol=0.05)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
def test_lists_and_data_frames(make: Any) -> None:
    parts = case(50, 12, 4)
    scores = contrastive(*(make(part.tolist()) for part in parts))
    assert isinstance(scores, np.ndarray)
    np.testing.assert_array_equal(scores, contrastive(*parts))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e17])
def test_neighbours_do_not_depend_on_the_scale(scale: float) -> None:
    p, h, known, at = (part.astype(np.float32) for part in case(60, 20, 4))
    whole = contrastive(p, h, known, at)
    np.testing.assert_allclose(
        contrastive(p, h * np.float32(scale), known, at * np.float32(scale)), whole, rtol=1e-5
    )


def test_a_thousand_classes() -> None:
    scores = contrastive(*(part.astype(np.float32) for part in case(500, 40, 1000)))
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()


def test_errors() -> None:
    p, h, known, at = case(9, 5, 3)
    bad = h.copy()
    bad[6, 2] = np.nan
    with pytest.raises(StrategyError, match="embedding, first in row 6"):
        contrastive(p, bad, known, at)
    bad = known.copy()
    bad[3] = np.inf
    with pytest.raises(StrategyError, match="labelled probabilities, first in row 3"):
        contrastive(p, h, bad, at)
    with pytest.raises(StrategyError, match="9 probabilities but 8 rows"):
        contrastive(p, h[1:], known, at)
    with pytest.raises(StrategyError, match="5 probabilities but 4 rows"):
        contrastive(p, h, known, at[1:])
    with pytest.raises(StrategyError, match="3 classes for the candidates, 1"):
        contrastive(p, h, np.ones((5, 1)), at)
    with pytest.raises(StrategyError, match="Row 0 of the probabilities is no probability"):
        contrastive(np.log(p), h, known, at)
    large = h.astype(np.float32)
    large[4, 1] = 1e25
    with pytest.raises(StrategyError, match="Row 4 of the embedding is too large to square"):
        contrastive(p, large, known, at)
    with pytest.raises(StrategyError, match="Row 4 of the labelled embedding is too large"):
        contrastive(p, h, known, large[:5])
    with pytest.raises(StrategyError, match="features"):
        contrastive(p, h[:, :2], known, at)
    with pytest.raises(StrategyError, match="neighbours"):
        contrastive(p, h, known, at, neighbours=0)
