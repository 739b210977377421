"""On a GPU every strategy says what it says on the processor, and its answers stay there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from alwidgets import strategies
from alwidgets.learners import HeadEnsemble

pytestmark = pytest.mark.gpu

M, L, D, C, K, N = 600, 30, 16, 4, 8, 25


class Made:
    """Double precision: a sum in another order then changes no draw."""

    def __init__(self, device: torch.device | str, dtype: torch.dtype = torch.float64) -> None:
        rng = np.random.default_rng(0)
        centres = 2 * rng.standard_normal((C, D))
        group = rng.integers(C, size=M + L)
        X = centres[group] + rng.standard_normal((M + L, D))
        logits = X @ (centres.T + 0.5 * rng.standard_normal((K, D, C))) / 4
        P = np.exp(logits - logits.max(axis=2, keepdims=True))
        P /= P.sum(axis=2, keepdims=True)

        def there(values: Any) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device, dtype)

        self.embedding, self.labelled = there(X[:M]), there(X[M:])
        self.posterior, self.target_posterior = there(P[:, :M]), there(P[:, :50])
        self.proba, self.labelled_proba = there(P.mean(0)[:M]), there(P.mean(0)[M:])
        self.labels = torch.from_numpy(group[M:]).to(device)
        self.uncertainty = strategies.entropy(self.proba)


SCORES: dict[str, tuple[str, ...]] = {
    "least_confident": ("proba",),
    "margin": ("proba",),
    "entropy": ("proba",),
    "expected_gradient_length": ("proba", "embedding"),
    "bald": ("posterior",),
    "vote_entropy": ("posterior",),
    "consensus_entropy": ("posterior",),
    "max_disagreement": ("posterior",),
    "variation_ratio": ("posterior",),
    "epig": ("posterior", "target_posterior"),
    "density": ("embedding", "labelled"),
    "contrastive": ("proba", "embedding", "labelled_proba", "labelled"),
}
PICKS: dict[str, tuple[str, ...]] = {
    "k_center": ("embedding", "labelled"),
    "representative": ("embedding", "labelled"),
    "typiclust": ("embedding", "labelled"),
    "prob_cover": ("embedding", "labelled"),
    "max_herding": ("embedding", "labelled"),
    "uncertainty_herding": ("embedding", "uncertainty", "labelled"),
    "badge": ("proba", "embedding"),
    "falcun": ("proba",),
    "cluster_margin": ("proba", "embedding"),
    "galaxy": ("proba", "labelled_proba", "labels"),
    "mismatch_first_farthest": ("proba", "embedding", "labelled", "labels"),
    "batch_bald": ("posterior",),
    "diverse": ("uncertainty", "embedding"),
    "top": ("uncertainty",),
}


def ask(name: str, needs: tuple[str, ...], made: Made, **more: Any) -> torch.Tensor:
    found = getattr(strategies, name)(*(getattr(made, need) for need in needs), **more)
    assert isinstance(found, torch.Tensor)
    assert found.device.type == made.embedding.device.type
    return found.cpu()


@pytest.mark.parametrize("name", SCORES)
def test_scores(name: str, device: torch.device) -> None:
    here = ask(name, SCORES[name], Made("cpu"))
    there = ask(name, SCORES[name], Made(device))
    torch.testing.assert_close(there, here, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", SCORES)
def test_scores_of_half_precision(name: str, device: torch.device) -> None:
    here = ask(name, SCORES[name], Made("cpu", torch.float16))
    there = ask(name, SCORES[name], Made(device, torch.float16))
    torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", PICKS)
def test_picks(name: str, device: torch.device) -> None:
    more: dict[str, Any] = {"n": N if name != "batch_bald" else 5, "seed": 3}
    if name == "prob_cover":
        more["classes"] = C
    here = ask(name, PICKS[name], Made("cpu"), **more)
    there = ask(name, PICKS[name], Made(device), **more)
    assert there.dtype == torch.int64
    assert there.tolist() == here.tolist()


def test_sample(device: torch.device) -> None:
    rows, log_q = strategies.sample(Made("cpu").uncertainty, N, seed=1)
    there, log_there = strategies.sample(Made(device).uncertainty, N, seed=1)
    assert there.device.type == log_there.device.type == device.type
    assert there.cpu().tolist() == rows.tolist()
    torch.testing.assert_close(log_there.cpu(), log_q, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("on_device", [True, False])
@pytest.mark.parametrize("name", [name for name in strategies.names() if name != "auto"])
def test_select(name: str, on_device: bool, device: torch.device) -> None:
    """Features may lie on the device, or come to it a chunk at a time."""
    made = Made("cpu", torch.float32)
    features = torch.cat([made.embedding, made.labelled])
    codes = made.labels.numpy()
    learner = HeadEnsemble(device=device).fit(features[M:], codes, classes=C)
    given: Any = features.to(device) if on_device else features.numpy()
    found = [
        strategies.select(
            name,
            learner=learner,
            features=given,
            candidates=np.arange(M),
            labelled=np.arange(M, M + L),
            labels=codes,
            n_classes=C,
            n=N,
            seed=0,
        ).indices
        for _ in range(2)
    ]
    assert found[0].tolist() == found[1].tolist()
    assert len(np.unique(found[0])) == N
    assert found[0].max() < M
