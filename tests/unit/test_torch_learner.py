"""TorchLearner: what it promises beyond the contract of every learner."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from alwidgets.errors import LearnerError
from alwidgets.learners import module_training
from alwidgets.learners.module import TorchLearner
from tests.unit.networks import D, blobs, mlp, still


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_training, "MIN_STEPS", 1)


# The last layer


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_last_layer_is_resized_and_keeps_its_rows(classes: int) -> None:
    net = mlp(3)
    given = copy.deepcopy(net.state_dict())
    X, y = blobs(12, classes=2)
    learner = still(net).fit(X, y, classes=classes)
    assert learner.module_[3].out_features == classes
    kept = min(3, classes)
    assert torch.allclose(learner.module_[3].weight[:kept], given["3.weight"][:kept], atol=1e-6)
    assert torch.allclose(learner.module_[3].bias[:kept], given["3.bias"][:kept], atol=1e-6)
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, given[name])


@pytest.mark.parametrize("source", [mlp, mlp(2)])
def test_a_new_class_keeps_what_was_learned(source: object) -> None:
    X, y = blobs(12)
    learner = still(source).fit(X, y, classes=3)
    old = learner.module_
    learner.fit(X, y, classes=5)
    assert torch.allclose(learner.module_[3].weight[:3], old[3].weight, atol=1e-6)
    assert torch.allclose(learner.module_[0].weight, old[0].weight, atol=1e-6)
    assert learner.n_classes_ == 5


def pooled(classes: int) -> nn.Module:
    """Without a linear layer."""
    return nn.Sequential(
        nn.Unflatten(1, (1, D)), nn.Conv1d(1, classes, 3), nn.AdaptiveAvgPool1d(1), nn.Flatten()
    )


def test_a_module_without_linear_layer() -> None:
    X, y = blobs(12)
    with pytest.raises(LearnerError, match="factory"):
        still(pooled(2)).fit(X, y)
    learner = still(pooled).fit(X, y)
    assert learner.predict_proba(X).shape == (12, 3)
    # The one layer with weights is given the rows themselves.
    np.testing.assert_array_equal(learner.embed(X), X)
    named = still(pooled, embed_layer="2").fit(X, y)
    assert named.embed(X).shape == (12, 3 * (D - 2))


class Scores(nn.Module):
    """A last layer of one's own."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, classes) / width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight


def convolutions(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, D)),
        nn.Conv1d(1, 5, 3),
        nn.BatchNorm1d(5),
        nn.Tanh(),
        nn.Conv1d(5, classes, 1),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
    )


def own_layer(classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, D)), nn.Conv1d(1, 2, 3), nn.Tanh(), nn.Flatten(), Scores(8, classes)
    )


def test_the_embedding_of_a_module_without_linear_layer(tmp_path: Path) -> None:
    X, y = blobs(12)
    learner = still(convolutions).fit(X, y)
    # By the definition of the network: its logits are linear in the means of the channels.
    embedded = learner.embed(X)
    assert embedded.shape == (12, 5)
    layer = learner.module_[4]  # type: ignore[index]
    with torch.no_grad():
        logits = torch.from_numpy(embedded) @ layer.weight[:, :, 0].T + layer.bias
        expected = learner.module_(torch.from_numpy(X))
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    learner.save(tmp_path / "model")
    again = still(convolutions).load(tmp_path / "model")
    np.testing.assert_array_equal(again.embed(X), embedded)
    assert again.embed(X[:0]).shape == (0, 5)
    learner = still(own_layer).fit(X, y)
    with torch.no_grad():
        inputs = learner.module_[:4](torch.from_numpy(X))  # type: ignore[index]
    np.testing.assert_allclose(learner.embed(X), inputs, atol=1e-6)


class Crossed(nn.Module):
    """The layer that is made first runs last."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.last, self.first = nn.Linear(8, classes), nn.Linear(D, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.first(x)))


def test_embedding() -> None:
    X, y = blobs(20)
    learner = still(Crossed, batch_size=1).fit(X, y)
    with torch.no_grad():
        expected = torch.tanh(learner.module_.first(torch.from_numpy(X)))
    np.testing.assert_allclose(learner.embed(X), expected, atol=1e-6)
    assert learner.embed(X[:0]).shape == (0, 8)
    named = still(Crossed, embed_layer="first").fit(X, y)
    np.testing.assert_allclose(named.embed(X), X, atol=1e-6)
    with pytest.raises(LearnerError, match="it has last, first"):
        still(Crossed, embed_layer="middle").fit(X, y)


# What goes in


def test_images_as_they_are() -> None:
    digits = load_digits()
    X = (digits.images[:150, None] / 16).astype(np.float32)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Dropout2d(0.1), nn.Flatten(), nn.Linear(288, 10)
    )
    learner = TorchLearner(net, max_epochs=15, lr=5e-3, samples=3, device="cpu")
    learner.fit(X, digits.target[:150])
    assert learner.predict_proba(X).shape == (150, 10)
    assert learner.posterior(X).shape == (3, 150, 10)
    assert learner.embed(X).shape == (150, 288)
    assert (learner.predict(X) == digits.target[:150]).mean() > 0.9
    bad = X.copy()
    bad[140, 0, 3, 3] = np.nan
    learner.set_params(batch_size=4)
    with pytest.raises(LearnerError, match="row 140"):
        learner.predict_proba(bad)
    with pytest.raises(LearnerError, match=r"\(1, 8, 8\)"):
        learner.predict_proba(X[:, 0])


def test_tokens_stay_whole() -> None:
    class Bag(nn.Module):
        def __init__(self, classes: int) -> None:
            super().__init__()
            self.words, self.last = nn.Embedding(20, 8), nn.Linear(8, classes)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.words(x).mean(dim=1))

    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    X = rng.integers(0, 10, (40, 7)) + 10 * y[:, None]
    learner = TorchLearner(Bag, max_epochs=40, lr=0.02, device="cpu").fit(X, y)
    assert (learner.predict(X) == y).all()
    assert (learner.predict(torch.from_numpy(X[:, :5])).numpy() == y).all()


def test_pixels_of_whole_numbers_become_floats() -> None:
    X, y = blobs(12)
    whole = np.round(X * 10).astype(np.int16)
    one = still(mlp).fit(whole, y).predict_proba(whole)
    two = still(mlp).fit(whole.astype(np.float32), y).predict_proba(whole.astype(np.float32))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("module", "params", "message"),
    [
        (nn.Sequential(nn.Linear(9, 3)), {}, r"cannot take rows of shape \(6,\)"),
        (nn.Sequential(nn.Linear(D, 3), nn.Unflatten(1, (3, 1))), {}, "logits"),
        (nn.Linear(D, 3).requires_grad_(False), {}, "unfreeze"),
        (mlp, {"lr": 1e30, "max_epochs": 50}, "lower lr"),
        (lambda classes: "net", {}, "factory must return"),
        ("net", {}, "module must be"),
        (mlp, {"samples": 0}, "samples"),
        (mlp, {"validation": 0.9}, "validation"),
        (mlp, {"shrink": 2.0}, "shrink"),
        (mlp, {"lr": 0.0}, "lr"),
        (mlp, {"perturb": -1.0}, "perturb"),
    ],
)
def test_bad_modules_and_parameters(
    module: object, params: dict[str, object], message: str
) -> None:
    with pytest.raises(LearnerError, match=message):
        still(module, **params).fit(*blobs(12))


def test_text_is_no_input() -> None:
    with pytest.raises(LearnerError, match="encode"):
        still(mlp).fit(np.array([["a"] * D] * 2), np.array([0, 1]))


# Files


def test_tied_weights_and_other_modules(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(D, D), nn.Linear(D, D)
            self.second.weight = self.first.weight
            self.last = nn.Linear(D, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.tanh(self.second(torch.tanh(self.first(x)))))

    X, y = blobs(12)
    learner = TorchLearner(Tied(), max_epochs=3, device="cpu").fit(X, y)
    learner.save(tmp_path / "model")
    found = TorchLearner(Tied(), device="cpu").load(tmp_path / "model")
    np.testing.assert_array_equal(found.predict_proba(X), learner.predict_proba(X))
    assert found.module_.first.weight is found.module_.second.weight
    for other in (mlp, nn.Linear(D, 3), nn.Sequential(nn.Flatten())):
        with pytest.raises(LearnerError, match="same module"):
            TorchLearner(other, device="cpu").load(tmp_path / "model")


def test_a_resized_module_is_found_again(tmp_path: Path) -> None:
    X, y = blobs(12)
    learner = still(mlp(2)).fit(X, y, classes=7)
    learner.save(tmp_path / "model")
    found = still(mlp(2)).load(tmp_path / "model")
    np.testing.assert_array_equal(found.predict_proba(X), learner.predict_proba(X))
    assert found.n_classes_ == 7


def test_digits() -> None:
    digits = load_digits()
    X = ((digits.data - digits.data.mean()) / digits.data.std()).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(X))
    test, train = order[:500], order[500:800]

    def net(classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, classes)
        )

    learner = TorchLearner(net, max_epochs=60, device="cpu").fit(X[train], digits.target[train])
    proba = learner.predict_proba(X[test])
    assert (proba.argmax(1) == digits.target[test]).mean() >= 0.9
    loss = -np.log(proba[np.arange(500), digits.target[test]]).mean()
    assert loss < 0.4
