"""How TorchLearner trains: chance, the warm start, batches, stopping."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional as F

from alwidgets.errors import LearnerError, NoPosteriorError
from alwidgets.learners import module_training
from alwidgets.learners.calibration import temperature_of
from alwidgets.learners.module import TorchLearner
from alwidgets.learners.module_random import draw_from, dropping_twin_of
from alwidgets.learners.module_training import (
    MIN_HELD_OUT,
    EvenBatches,
    shrink_and_perturb,
    split,
)
from alwidgets.learners.progress import Cancelled, Progress
from alwidgets.learners.targets import class_weights
from tests.unit.networks import D, blobs, mlp, still


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_training, "MIN_STEPS", 1)


# Chance


def test_posterior_drops_the_same_for_every_row() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(D, D, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.eye(D))
    learner = still(net, samples=8, batch_size=1, weight_decay=0.0)
    X = np.abs(blobs(40)[0]) + 1.0
    learner.fit(X, np.arange(40) % D)
    logits = np.log(learner.posterior(X))
    # A dropped unit's logit is 0, and all others are twice the input, up to a constant a row.
    lowest = logits - logits.min(axis=2, keepdims=True)
    dropped = lowest < 1e-4
    assert (dropped == dropped[:, :1]).all()
    assert len({mask.tobytes() for mask in dropped[:, 0]}) > 3
    for k in range(8):
        if dropped[k, 0].any():
            np.testing.assert_allclose(lowest[k], 2 * X * ~dropped[k], atol=1e-3)


def test_posterior_leaves_the_published_module_alone() -> None:
    class Watching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(
                nn.Linear(D, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 3)
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append((id(self), self.training, self.net[1].training, self.net[2].training))
            return self.net(x)

    seen: list[tuple[int, bool, bool, bool]] = []
    X, y = blobs(40)
    learner = TorchLearner(Watching(), samples=3, max_epochs=2, device="cpu").fit(X, y)
    before = copy.deepcopy(learner.module_.state_dict())
    seen.clear()
    learner.posterior(X)
    learner.embed(X)
    learner.predict_proba(X)
    own = [flags for name, *flags in seen if name == id(learner.module_)]
    assert own == [[False, False, False]]
    twins = [tuple(flags) for name, *flags in seen if name != id(learner.module_)]
    assert set(twins) == {(False, False, True), (False, False, False)}
    for name, tensor in learner.module_.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not any(m._forward_pre_hooks for m in learner.module_.modules())
    assert not any("forward" in vars(m) for m in learner.module_.modules())


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (nn.Dropout(0.4), (500, 40), None),
        (nn.Dropout1d(0.4), (300, 50, 4), (2,)),
        (nn.Dropout2d(0.4), (300, 50, 4, 4), (2, 3)),
        (nn.Dropout3d(0.4), (200, 50, 2, 2, 2), (2, 3, 4)),
    ],
)
def test_dropout_from_a_generator_is_dropout(
    layer: nn.Module, shape: tuple[int, ...], axes: tuple[int, ...] | None
) -> None:
    draw_from(layer, torch.Generator().manual_seed(0))
    x = torch.rand(shape) + 1.0
    y = layer.train()(x)
    kept = y != 0
    assert torch.allclose(y[kept], x[kept] / 0.6)
    assert float(kept.float().mean()) == pytest.approx(0.6, abs=0.02)
    if axes is not None:
        share = kept.float().mean(dim=axes)
        assert ((share == 0) | (share == 1)).all()
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("layer", [nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)])
def test_alpha_dropout_keeps_mean_and_variance(layer: nn.Module) -> None:
    draw_from(layer, torch.Generator().manual_seed(0))
    x = torch.randn(2000, 100, generator=torch.Generator().manual_seed(1))
    y = layer.train()(x)
    assert float(y.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(y.std()) == pytest.approx(1.0, abs=0.02)
    # Torch's own values for what is dropped and what is kept.
    torch.manual_seed(0)
    own = F.alpha_dropout(torch.zeros(1000), 0.3, training=True).unique()
    ours = nn.AlphaDropout(0.3)
    draw_from(ours, torch.Generator().manual_seed(0))
    assert torch.allclose(ours(torch.zeros(1000)).unique(), own, atol=1e-5)


def test_all_and_nothing_dropped() -> None:
    x = torch.ones(4, 3)
    for p, expected in ((0.0, 1.0), (1.0, 0.0)):
        layer = nn.Dropout(p)
        draw_from(layer, torch.Generator())
        assert (layer(x) == expected).all()


def test_transformers_drop_too() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True)
    net = nn.Sequential(layer, nn.Flatten(), nn.Linear(32, 2)).eval()
    generator = torch.Generator().manual_seed(0)
    twin = dropping_twin_of(net, generator)
    x = torch.randn(3, 4, 8)
    with torch.no_grad():
        assert not torch.allclose(twin(x), twin(x))
        assert torch.equal(net(x), net(x))


def test_no_dropout_no_posterior() -> None:
    X, y = blobs(12)
    learner = still(nn.Linear(D, 3)).fit(X, y)
    with pytest.raises(NoPosteriorError, match=r"nn\.Dropout"):
        learner.posterior(X)


class Functional(nn.Module):
    """Draws from the global generator."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(D, 32), nn.Linear(32, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(F.dropout(F.relu(self.first(x)), 0.5, self.training))


def test_a_module_that_draws_globally() -> None:
    X, y = blobs(40)
    found = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        before = torch.get_rng_state()
        learner = TorchLearner(Functional, max_epochs=3, device="cpu").fit(X, y)
        assert torch.equal(torch.get_rng_state(), before)
        found.append(learner.predict_proba(X))
    np.testing.assert_array_equal(*found)


# The warm start


def test_shrink_towards_nought_is_ash_and_adams() -> None:
    module, old = nn.Linear(4, 3), nn.Linear(4, 3)
    with torch.no_grad():
        for p in module.parameters():
            p.zero_()
    shrink_and_perturb(module, old.state_dict(), 0.4, 0.1, seed=0)
    assert torch.allclose(module.weight, 0.4 * old.weight)
    assert torch.allclose(module.bias, 0.4 * old.bias)


def test_shrink_towards_the_given_weights() -> None:
    start, old = nn.Linear(300, 200), nn.Linear(300, 200)
    module = copy.deepcopy(start)
    shrink_and_perturb(module, old.state_dict(), 0.4, 0.0, seed=0)
    expected = start.weight + 0.4 * (old.weight - start.weight)
    assert torch.allclose(module.weight, expected, atol=1e-6)
    noisy = copy.deepcopy(start)
    shrink_and_perturb(noisy, old.state_dict(), 0.4, 0.5, seed=0)
    noise = (noisy.weight - expected).detach()
    spread = float(start.weight.detach().square().mean().sqrt())
    assert float(noise.std()) == pytest.approx(0.5 * spread, rel=0.02)
    assert abs(float(noise.mean())) < 0.01 * spread


def test_frozen_parts_and_buffers_are_taken_over() -> None:
    module, old = (nn.Sequential(nn.Linear(D, 4), nn.BatchNorm1d(4)) for _ in range(2))
    module[0].weight.requires_grad_(False)
    old[1](torch.randn(9, 4))
    shrink_and_perturb(module, old.state_dict(), 0.1, 1.0, seed=0)
    assert torch.equal(module[0].weight, old[0].weight)
    assert torch.equal(module[1].running_mean, old[1].running_mean)
    assert int(module[1].num_batches_tracked) == 1


def test_warm_and_cold_start() -> None:
    X, y = blobs(30)
    learner = TorchLearner(mlp, max_epochs=60, lr=0.02, device="cpu").fit(X, y)
    before = learner.predict_proba(X)
    quiet = {"lr": 1e-12, "max_epochs": 1, "shrink": 1.0, "perturb": 0.0}
    warm = copy.deepcopy(learner).set_params(**quiet).fit(X, y)
    np.testing.assert_allclose(warm.predict_proba(X), before, atol=1e-5)
    cold = copy.deepcopy(learner).set_params(**quiet, warm_start=False).fit(X, y)
    assert np.abs(cold.predict_proba(X) - before).max() > 0.1


# Training


def test_split_deals_items_for_good() -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(0, 4), min_size=1, max_size=400), st.integers(0, 400))
    def check(codes: list[int], cut: int) -> None:
        whole = split(np.array(codes), 0.15)
        part = split(np.array(codes[:cut], dtype=np.int64), 0.15)
        if whole.any():
            assert whole.sum() >= MIN_HELD_OUT
            assert set(np.array(codes)[~whole]) == set(codes)
        if part.any():
            np.testing.assert_array_equal(part, whole[:cut])

    check()


def test_share_held_out() -> None:
    codes = np.random.default_rng(0).integers(0, 5, 1000)
    assert split(codes, 0.15).mean() == pytest.approx(0.14, abs=0.02)
    assert not split(codes, 0.0).any()
    assert not split(codes[:60], 0.15).any()
    assert not split(np.arange(1000), 0.15).any()


def test_batches_are_even() -> None:
    for n, size in ((1, 32), (33, 32), (64, 32), (100, 32), (5, 1)):
        batches = list(EvenBatches(n, size, torch.Generator().manual_seed(0)))
        assert sorted(row for batch in batches for row in batch) == list(range(n))
        lengths = {len(batch) for batch in batches}
        assert max(lengths) <= size
        assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("n", [1, 2, 33])
def test_batch_normalisation_never_meets_one_row(n: int) -> None:
    X, y = blobs(n)
    net = nn.Sequential(nn.Linear(D, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    learner = TorchLearner(net, max_epochs=2, device="cpu").fit(X, y, classes=3)
    assert np.isfinite(learner.predict_proba(X)).all()


def test_stops_early_and_keeps_the_best() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, D)).astype(np.float32)
    y = rng.integers(0, 3, 300)  # nothing to be learned but by heart
    params = {"max_epochs": 80, "lr": 0.03, "device": "cpu"}
    learner = TorchLearner(mlp, patience=3, **params).fit(X, y)
    assert learner.n_iter_ < 60
    assert learner.n_held_out_ >= MIN_HELD_OUT
    held = split(y, 0.15)
    loss = -np.log(learner.predict_proba(X)[held, y[held]]).mean()
    assert loss < 1.15  # that of guessing is 1.10
    # Trained to the end, on all labels, it is sure of itself.
    sure = TorchLearner(mlp, validation=0.0, **params).fit(X, y)
    assert sure.n_iter_ == 80
    assert sure.n_held_out_ == 0
    assert sure.predict_proba(X).max(axis=1).mean() > learner.predict_proba(X).max(axis=1).mean()


def test_temperature_minimises_the_log_loss() -> None:
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4000, 3))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = (rng.random((4000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    for stretch in (0.25, 1.0, 5.0):
        found = temperature_of(torch.from_numpy(stretch * logits), torch.from_numpy(codes))
        assert found == pytest.approx(stretch, rel=0.1)
    assert temperature_of(torch.zeros(1, 3), torch.zeros(1, dtype=torch.int64)) == 1.0


def test_class_weights() -> None:
    codes = np.array([0] * 8 + [1] * 2 + [3])
    labels = np.arange(5)
    found = class_weights("balanced", codes, labels)
    seen = np.array([0, 1, 3])
    np.testing.assert_allclose(
        found[seen], compute_class_weight("balanced", classes=seen, y=codes), rtol=1e-6
    )
    assert found[2] == found[4] == 1
    np.testing.assert_array_equal(class_weights(None, codes, labels), np.ones(5))
    np.testing.assert_array_equal(class_weights([1, 2, 3, 4, 5], codes, labels), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(class_weights({3: 2.0}, codes, labels), [1, 1, 1, 2, 1])
    nan = float("nan")
    for wrong in ("even", [1, 2], [1, 2, 3, 4, -5], [1, 2, 3, 4, nan], [0, 0, 1, 0, 1], ["a"] * 5):
        with pytest.raises(LearnerError, match="class_weight"):
            class_weights(wrong, codes, labels)
    X, y = blobs(40, classes=2)
    y[:30] = 0
    params = {"max_epochs": 30, "lr": 0.01, "device": "cpu"}
    plain = TorchLearner(mlp, **params).fit(X, y)
    heavy = TorchLearner(mlp, class_weight=[1.0, 20.0], **params).fit(X, y)
    assert heavy.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean()


@pytest.mark.parametrize("kind", ["event", "callable"])
def test_stopping_leaves_the_last_fit(kind: str) -> None:
    X, y = blobs(40)
    learner = TorchLearner(mlp, max_epochs=20, device="cpu").fit(X, y)
    before = learner.predict_proba(X)
    event = threading.Event()
    learner.should_stop = event if kind == "event" else event.is_set
    learner.on_progress = lambda progress: event.set()
    with pytest.raises(Cancelled):
        learner.fit(X, (y + 1) % 3)
    np.testing.assert_array_equal(learner.predict_proba(X), before)
    learner.should_stop = learner.on_progress = None
    learner.fit(X, (y + 1) % 3)
    assert not np.array_equal(learner.predict_proba(X), before)


def test_stopped_before_it_began() -> None:
    learner = TorchLearner(mlp, device="cpu")
    learner.should_stop = lambda: True
    with pytest.raises(Cancelled):
        learner.fit(*blobs(12))
    with pytest.raises(LearnerError, match="fit"):
        learner.predict_proba(blobs(12)[0])


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alwidgets.learners.progress.INTERVAL", 0.0)
    reports: list[Progress] = []
    learner = TorchLearner(mlp, max_epochs=5, batch_size=16, device="cpu")
    learner.on_progress = reports.append
    learner.fit(*blobs(48))
    assert [report.done for report in reports] == list(range(1, 16))
    assert {(report.total, report.what) for report in reports} == {(15, "training")}
    assert reports[-1].fraction == 1.0
    reports.clear()
    rng = np.random.default_rng(0)
    learner.set_params(max_epochs=50, patience=1, lr=0.1)
    learner.fit(rng.standard_normal((200, D)), rng.integers(0, 3, 200))
    assert learner.n_iter_ < 50
    assert reports[-1].done == reports[-1].total


def test_listeners_belong_to_no_copy() -> None:
    learner = TorchLearner(mlp, device="cpu")
    plain = repr(learner)
    learner.on_progress, learner.should_stop = print, threading.Event()
    other = copy.deepcopy(learner)
    assert other.on_progress is None
    assert other.should_stop is None
    assert clone(learner).on_progress is None
    assert repr(learner) == plain
    assert not {"on_progress", "should_stop"} & set(learner.get_params())
