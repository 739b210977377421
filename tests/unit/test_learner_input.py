"""Parameters, devices and files of learners: what is wrong is named, with a remedy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from alwidgets.devices import resolve_device
from alwidgets.errors import LearnerError
from alwidgets.learners import HeadEnsemble
from alwidgets.learners.module import TorchLearner
from alwidgets.learners.sklearn import SklearnLearner

X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
Y = np.arange(12) % 3

MAKERS: dict[str, Callable[..., Any]] = {
    "heads": lambda **params: HeadEnsemble(**{"device": "cpu", "members": 2} | params),
    "sklearn": lambda **params: SklearnLearner(LogisticRegression(), **params),
    "module": lambda **params: TorchLearner(
        nn.Linear(4, 3), **{"device": "cpu", "max_epochs": 1} | params
    ),
}


@pytest.fixture(params=list(MAKERS))
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return MAKERS[request.param]


@pytest.mark.parametrize("classes", ["3", 2.5, 0, -1])
def test_a_number_of_classes_that_is_none(make: Callable[..., Any], classes: Any) -> None:
    with pytest.raises(LearnerError, match="classes must be at least 1"):
        make().fit(X, Y, classes=classes)


def test_codes_that_are_none_say_how_to_make_some(make: Callable[..., Any]) -> None:
    with pytest.raises(LearnerError, match="return_inverse"):
        make().fit(X, Y.astype(float), classes=3)


@pytest.mark.parametrize("seed", [None, -1, 0.5, "0", True])
def test_a_seed_that_is_none(make: Callable[..., Any], seed: Any) -> None:
    with pytest.raises(LearnerError, match="seed must be at least 0"):
        make(seed=seed).fit(X, Y)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("heads", "members"),
        ("heads", "hidden"),
        ("heads", "max_iter"),
        ("heads", "patience"),
        ("sklearn", "members"),
        ("module", "samples"),
        ("module", "batch_size"),
        ("module", "max_epochs"),
        ("module", "patience"),
    ],
)
@pytest.mark.parametrize("value", [0, 2.5, "3"])
def test_a_count_that_is_none(kind: str, name: str, value: Any) -> None:
    with pytest.raises(LearnerError, match=f"{name} must be at least 1, a whole number"):
        MAKERS[kind](**{name: value}).fit(X, Y)


@pytest.mark.parametrize("name", ["lr", "weight_decay", "validation", "shrink", "perturb"])
def test_a_number_that_is_none(name: str) -> None:
    with pytest.raises(LearnerError, match=f"{name} must be a number"):
        MAKERS["module"](**{name: "0.1"}).fit(X, Y)


def test_counts_may_be_those_of_numpy(make: Callable[..., Any]) -> None:
    assert make(seed=np.int64(3)).fit(X, Y, classes=np.int32(3)).n_classes_ == 3


@pytest.mark.parametrize("l2", [float("inf"), float("nan"), 1e39, -1.0, 0, "strong", None])
def test_a_penalty_that_is_none(l2: Any) -> None:
    with pytest.raises(LearnerError, match="l2 must be positive and finite"):
        MAKERS["heads"](l2=l2).fit(X, Y)


@pytest.mark.parametrize("weights", [{0: 1e39}, [1, 1e39, 1], [1e-60] * 3, {1: float("nan")}])
@pytest.mark.parametrize("kind", ["heads", "module"])
def test_weights_that_single_precision_cannot_hold(kind: str, weights: Any) -> None:
    with pytest.raises(LearnerError, match="finite in single precision"):
        MAKERS[kind](class_weight=weights).fit(X, Y, classes=3)


@pytest.mark.parametrize("dtype", [">i8", ">i2", ">u4", ">f4", ">f8"])
@pytest.mark.parametrize("kind", ["heads", "sklearn"])
def test_labels_of_a_foreign_byte_order(kind: str, dtype: str) -> None:
    learner = MAKERS[kind]().fit(X, Y.astype(dtype))
    found = learner.predict(torch.from_numpy(X))
    assert isinstance(found, torch.Tensor)
    np.testing.assert_array_equal(found, learner.predict(X))
    assert learner.fit(X, Y.astype(">U3")).predict(X).tolist() == [
        str(c) for c in MAKERS[kind]().fit(X, Y).predict(X)
    ]


def test_codes_of_a_foreign_byte_order(make: Callable[..., Any]) -> None:
    learner = make()
    foreign = copy.deepcopy(learner).fit(X, Y.astype(">i8"), classes=3)
    np.testing.assert_array_equal(
        foreign.predict_proba(X), learner.fit(X, Y, classes=3).predict_proba(X)
    )


def test_nothing_to_fit_on_says_what_to_do(make: Callable[..., Any]) -> None:
    with pytest.raises(LearnerError, match="label at least one"):
        make().fit(X[:0], Y[:0])


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("nope", "is no device"),
        (3.5, "is no device"),
        ("cuda", "no such GPU"),
        ("mps", "GPU"),
        ("ipu", "GPU"),
    ],
)
def test_a_device_that_is_not_there(
    device: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(LearnerError, match=says):
        resolve_device(device, LearnerError)
    for kind in ("heads", "module"):
        with pytest.raises(LearnerError, match=says):
            MAKERS[kind](device=device).fit(X, Y)


def test_a_model_for_a_device_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    HeadEnsemble(device="cpu").fit(X, Y).save(tmp_path / "model")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(LearnerError, match=r"^device='cuda'"):  # the file is as it should be
        HeadEnsemble(device="cuda").load(tmp_path / "model")


def test_a_gpu_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("cuda:0", LearnerError) == torch.device("cuda:0")
    with pytest.raises(LearnerError, match="cuda:1"):
        resolve_device("cuda:1", LearnerError)


def test_a_place_that_cannot_be_written_to(make: Callable[..., Any], tmp_path: Path) -> None:
    learner = make().fit(X, Y)
    for place in (tmp_path / "no" / "model.safetensors", tmp_path):
        with pytest.raises(LearnerError, match="cannot be written"):
            learner.save(place)


def test_features_too_large_to_be_squared() -> None:
    with pytest.raises(LearnerError, match="divide them"):
        HeadEnsemble(device="cpu").fit(1e30 * X, Y)
