"""Small networks, and data to train them on."""

from __future__ import annotations

import numpy as np
from torch import nn

from alwidgets.learners.module import TorchLearner

D = 6


def mlp(classes: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(D, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, classes))


def blobs(n: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % classes
    centres = 2.0 * rng.standard_normal((classes, D))
    return (centres[y] + rng.standard_normal((n, D))).astype(np.float32), y


def still(module: object, **params: object) -> TorchLearner:
    """A learner that goes through all the motions and learns nothing."""
    settings = {"lr": 1e-12, "max_epochs": 1, "shrink": 1.0, "perturb": 0.0, "device": "cpu"}
    return TorchLearner(module, **(settings | params))
