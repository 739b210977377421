"""The penalty that is chosen where the labels were picked because they are hard."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.learners import HeadEnsemble
from alwidgets.learners.likelihood import Categorical
from alwidgets.learners.loss import Ending
from alwidgets.learners.outoffold import DOUBT, Folds


def noisy(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """6,000 rows of two classes that a line tells apart three times in four."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(6000, 100)) * np.arange(1, 101) ** -0.7
    margin = X @ rng.normal(size=100)
    chance = 1 / (1 + np.exp(-1.5 * margin / margin.std()))
    return X.astype(np.float32), (rng.random(6000) < chance).astype(np.int64)


def learned(seed: int, by_margin: bool) -> float:
    """Accuracy after 300 labels, picked ten at a time from the first half of the rows."""
    X, y = noisy(seed)
    rng = np.random.default_rng([seed, 1])
    labelled = rng.permutation(3000)[:20].tolist()
    learner = HeadEnsemble()
    while True:
        learner.fit(X[labelled], y[labelled], classes=2)
        if len(labelled) == 300:
            return float((learner.predict(X[3000:]) == y[3000:]).mean())
        free = np.setdiff1d(np.arange(3000), labelled)
        if by_margin:
            order = np.argsort(np.abs(learner.predict_proba(X[free])[:, 0] - 0.5))
        else:
            order = rng.permutation(len(free))
        labelled += free[order[:10]].tolist()


def test_hard_labels_teach_as_much_as_random_ones() -> None:
    by_margin, at_random = (
        np.mean([learned(seed, way) for seed in range(4)]) for way in (True, False)
    )
    assert by_margin > at_random - 0.01


def test_a_temperature_excuses_timid_heads_and_not_those_too_sure() -> None:
    X, y = (part[:500] for part in noisy(0))
    Z = torch.cat([torch.from_numpy(X), torch.ones(500, 1)], dim=1)
    labels = Categorical(torch.from_numpy(y))
    folds = Folds(Z, labels, torch.ones(500), Ending(100, 1e-5, 1))
    start = (torch.zeros(1, 2, Z.shape[1]),)
    (heads,) = folds.fit([3.0], start, None)
    temperature, _ = folds.judge(heads)
    calibrated = (heads[0] / temperature,)
    assert math.isclose(folds.judge(calibrated)[0], 1.0, abs_tol=0.05)
    loss = folds.judge(calibrated)[1]

    def scaled(by: float) -> tuple[float, float]:
        return folds.judge((by * calibrated[0],))

    timid, little, sure = scaled(0.2), scaled(1.1), scaled(5.0)
    # The temperature itself is the one that calibrates, whatever the heads are worth.
    for by, (found, _) in ((0.2, timid), (1.1, little), (5.0, sure)):
        assert math.isclose(found, by, rel_tol=0.1)
    assert abs(timid[1] - loss) < 0.5
    assert abs(little[1] - loss) < 0.5  # 500 rows leave that open: exp(4 / sqrt(500)) is 1.2
    assert math.exp(DOUBT / math.sqrt(500)) < 1.2
    assert sure[1] > loss + 20
