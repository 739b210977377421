"""Learners on a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from alwidgets.learners import HeadEnsemble
from alwidgets.learners.module import TorchLearner
from alwidgets.learners.module_training import MixedPrecision
from alwidgets.strategies import mean_binary_entropy, multilabel_bald

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


class Net(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(F.dropout(x, 0.1, self.training))


def blobs(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    X = (2.0 * rng.standard_normal((3, 8)))[y] + rng.standard_normal((n, 8))
    return X.astype(np.float32), y


@pytest.mark.parametrize("amp", [True, False])
def test_fit_and_ask(amp: bool) -> None:
    X, y = blobs(300)
    learner = TorchLearner(Net, amp=amp, samples=4, max_epochs=30, lr=3e-3).fit(X, y)
    assert learner.device.type == "cuda"
    assert next(learner.module_.parameters()).is_cuda
    proba = learner.predict_proba(X)
    assert proba.dtype == np.float32
    assert (proba.argmax(1) == y).mean() > 0.9
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)
    given = torch.from_numpy(X).cuda()
    for result in (learner.predict_proba(given), learner.posterior(given), learner.embed(given)):
        assert result.is_cuda
        assert result.dtype == torch.float32
    np.testing.assert_allclose(learner.predict_proba(given).cpu(), proba, atol=1e-5)
    learner.fit(given, torch.from_numpy(y).cuda())


def test_float16_scales_its_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 0))
    precision = MixedPrecision(torch.device("cuda"), wanted=True)
    with precision.cast():
        assert (torch.ones(2, 2, device="cuda") @ torch.ones(2, 2, device="cuda")).dtype == (
            torch.float16
        )
    X, y = blobs(300)
    learner = TorchLearner(Net, max_epochs=30, lr=3e-3).fit(X, y)
    assert (learner.predict(X) == y).mean() > 0.9


def test_posterior_is_that_of_the_processor(tmp_path: Path) -> None:
    X, y = blobs(100)
    learner = TorchLearner(Net, samples=6, max_epochs=10).fit(X, y)
    learner.save(tmp_path / "model")
    found = TorchLearner(Net, samples=6, device="cpu").load(tmp_path / "model")
    np.testing.assert_allclose(found.posterior(X), learner.posterior(X), atol=1e-3)
    np.testing.assert_allclose(found.predict_proba(X), learner.predict_proba(X), atol=1e-3)


def test_global_state_stays_as_it_was() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    X, y = blobs(100)
    one = TorchLearner(Net, max_epochs=3).fit(X, y).predict_proba(X)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(torch.cuda.get_rng_state(), before[1])
    torch.manual_seed(2)
    two = TorchLearner(Net, max_epochs=3).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(one, two, atol=1e-3)


def test_several_labels_are_those_of_the_processor(tmp_path: Path) -> None:
    X, y = blobs(200)
    marks = np.eye(3, dtype=np.int64)[y]
    marks[::4, 2] = 1
    learner = HeadEnsemble(members=4).fit(X, marks)
    assert learner.device.type == "cuda"
    found = HeadEnsemble(members=4, device="cpu").fit(X, marks)
    np.testing.assert_allclose(learner.predict_proba(X), found.predict_proba(X), atol=5e-3)
    given = torch.from_numpy(X).cuda()
    proba, samples = learner.predict_proba(given), learner.posterior(given)
    assert proba.is_cuda
    for score in (mean_binary_entropy(proba), multilabel_bald(samples)):
        assert score.is_cuda
    learner.save(tmp_path / "model")
    found.load(tmp_path / "model")
    np.testing.assert_allclose(found.predict_proba(X), proba.cpu(), atol=1e-4)
    learner.fit(given, torch.from_numpy(marks).cuda())
    module = TorchLearner(Net, max_epochs=20, lr=3e-3).fit(X, marks)
    assert ((module.predict_proba(X) >= 0.5) == marks).mean() > 0.8
