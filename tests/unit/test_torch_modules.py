"""TorchLearner takes modules of every make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import alwidgets as al
from alwidgets.errors import LearnerError
from alwidgets.learners import AsImages, module_training
from alwidgets.learners.module import TorchLearner
from tests.unit.networks import D, blobs, mlp, still

X, Y = blobs(24)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_training, "MIN_STEPS", 1)


class Named(nn.Module):
    """Calls its layers by the names of their arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(D, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.last(input=torch.relu(self.first(input=x)))
        return logits


class WithLogits(nn.Module):
    """Returns its logits in an object; in training with another head's, as torchvision's do."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.other, self.drop = nn.Linear(D, 3), nn.Linear(D, 3), nn.Dropout(0.2)

    def forward(self, x: torch.Tensor) -> Any:
        logits = self.head(self.drop(x))
        return SimpleNamespace(logits=logits, other=self.other(x)) if self.training else logits


class Tied(nn.Module):
    """One weight in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(D, 3, bias=False), nn.Linear(D, 3, bias=False)
        self.last.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.last(x)
        return logits


class Returns(nn.Module):
    """Returns its logits in something else."""

    def __init__(self, wrap: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.head, self.wrap = nn.Linear(D, 3), wrap

    def forward(self, x: torch.Tensor) -> Any:
        return self.wrap(self.head(x))


class Fails(nn.Module):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.head, self.error = nn.Linear(D, 3), error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    "module",
    [
        nn.Linear(D, 3),
        nn.Linear(D, 10),
        nn.Sequential(nn.Linear(D, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
        nn.Sequential(nn.Linear(D, 8), nn.LayerNorm(8), nn.Dropout(0.2), nn.Linear(8, 3)),
        nn.Sequential(nn.Linear(D, 8), nn.ReLU(), nn.Linear(8, 5)).double(),
        nn.Sequential(nn.Linear(D, 8), nn.ReLU(), nn.Linear(8, 3)).half(),
        nn.Sequential(nn.Linear(D, 3), nn.LogSoftmax(dim=1)),
        nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(10)),
        Named(),
        WithLogits(),
        Tied(),
    ],
    ids=lambda module: type(module).__name__,
)
def test_a_module_of_any_make(module: nn.Module, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    learner = TorchLearner(module, max_epochs=2, device="cpu").fit(X, Y)
    assert torch.equal(torch.get_rng_state(), state)  # lazy layers draw too
    proba = learner.predict_proba(X)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-5)
    assert len(learner.embed(X)) == len(X)
    path = tmp_path / "model.safetensors"
    learner.save(path)
    again = TorchLearner(module, device="cpu").load(path)
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    # The same module gives the same fit, and one more class is no hindrance.
    one_more = TorchLearner(module, max_epochs=2, device="cpu").fit(X, Y)
    np.testing.assert_array_equal(one_more.predict_proba(X), proba)
    assert one_more.fit(X, Y, classes=4).predict_proba(X).shape == (len(X), 4)


def test_a_parametrised_last_layer_is_found_again(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(D, 8), nn.ReLU(), weight_norm(nn.Linear(8, 3)))
    learner = TorchLearner(module, max_epochs=2, device="cpu").fit(X, Y)
    learner.save(tmp_path / "model")
    again = TorchLearner(module, device="cpu").load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(X), learner.predict_proba(X))


def test_embeddings_of_layers_called_by_name() -> None:
    learner = still(Named()).fit(X, Y)
    with torch.no_grad():
        expected = torch.relu(learner.module_.first(torch.from_numpy(X)))
    np.testing.assert_allclose(learner.embed(X), expected.numpy(), atol=1e-6)


def test_logits_in_an_object_are_sampled_too() -> None:
    samples = still(WithLogits(), samples=4).fit(X, Y).posterior(X)
    assert samples.shape == (4, len(X), 3)
    assert samples.std(axis=0).max() > 0


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (Returns(lambda logits: (logits, None)), "returned tuple. Wrap it"),
        (Returns(lambda logits: {"scores": logits}), "returned dict. Wrap it"),
        (Returns(lambda logits: SimpleNamespace(logits=None)), "returned NoneType"),
        (Returns(lambda logits: logits.softmax(dim=1)), "take off the softmax"),
        (Fails(KeyError("input_ids")), r"rows of shape \(6,\): KeyError: 'input_ids'"),
        (Fails(AssertionError("seven")), "AssertionError: seven"),
        (nn.Sequential(nn.Linear(D, 9), nn.LayerNorm(9)), "gives 9 logits, there are 3 classes"),
        (lambda: nn.Linear(D, 3), "must take the number of classes"),
        (nn.Linear, "must take the number of classes"),
    ],
)
def test_what_a_module_does_wrong_is_named(module: Any, says: str) -> None:
    with pytest.raises(LearnerError, match=says):
        still(module).fit(X, Y)


def test_a_network_on_images_takes_the_rows_of_a_pool() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    pixels[::2, :, :, 0] //= 4  # every other image has hardly any red
    pool = al.Pool.from_images(pixels)
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)
    flat = TorchLearner(nn.Sequential(*layers), device="cpu")
    with pytest.raises(LearnerError, match=r"rows of pixels.*AsImages\(height, width, channels\)"):
        flat.fit(pool.features, np.arange(40) % 2)
    shaped = AsImages(6, 5, 3)
    images = shaped(torch.from_numpy(pool.features)).numpy()
    same = (images * pool.encoder.scale_ + pool.encoder.mean_).transpose(0, 2, 3, 1)  # type: ignore[union-attr]
    ratio = same.std() / pixels.std()
    np.testing.assert_allclose(same, pixels * ratio, atol=1e-3)
    session = al.Session(
        pool,
        al.Classification(["dim", "red"]),
        learner=nn.Sequential(shaped, *layers),
        audit=0,
        executor=al.InlineExecutor(),
    )
    for item in session.next(10):
        session.record(item.id, ["dim", "red"][item.index % 2])
    assert session.retrain() is not None
    assert session.version > 0
    session.close()
    with pytest.raises(LearnerError, match=r"6 x 5 pixels with 1 channels are rows of 30 numbers"):
        AsImages(6, 5)(torch.zeros(2, 90))


def test_batches_of_one_cannot_be_normalised() -> None:
    module = nn.Sequential(nn.BatchNorm1d(D), nn.Linear(D, 3))
    with pytest.raises(LearnerError, match="batch_size must be at least 2"):
        still(module, batch_size=1).fit(X, Y)


def test_a_full_gpu_is_told_from_a_broken_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module_training.MixedPrecision, "step", full)
    with pytest.raises(LearnerError, match="lower batch_size"):
        still(mlp).fit(X, Y)


def test_classes_that_weigh_nothing_are_left_out() -> None:
    # In most of these small batches there is no item of a class that weighs something.
    params = {"max_epochs": 5, "lr": 0.01, "batch_size": 2, "validation": 0, "device": "cpu"}
    learner = TorchLearner(mlp, class_weight=[0.0, 0.0, 1.0], **params).fit(X, Y)
    alone = TorchLearner(mlp, **params).fit(X[Y == 2], Y[Y == 2])
    np.testing.assert_allclose(learner.predict_proba(X), alone.predict_proba(X), atol=1e-6)
    by_code = TorchLearner(mlp, class_weight={0: 0.0, 1: 0.0}, **params).fit(X, Y)
    np.testing.assert_array_equal(by_code.predict_proba(X), learner.predict_proba(X))
