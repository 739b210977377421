"""Batches as tests of the model that drew them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import Batch, prequential
from alwidgets.strategies import sample


def test_unbiased_for_what_remains_and_not_for_the_whole() -> None:
    """Hard items are drawn first: what remains becomes easier, and the figures say so."""
    N, size, runs, rounds = 300, 30, 150, 4
    gaps: list[list[float]] = []
    values = []
    for run in range(runs):
        rng = np.random.default_rng(run)
        losses = (rng.random(N) < 0.3).astype(float)
        doubt = np.where(losses > 0, 1.0, 0.2) * rng.uniform(0.5, 1.5, N)
        left = np.arange(N)
        batches, truth = [], []
        for number in range(rounds):
            rows, log_q = sample(doubt[left], size, seed=1_000 * run + number)
            batches.append(Batch(losses[left[rows]], np.exp(log_q), len(left)))
            truth.append(1 - losses[left].mean())
            left = np.delete(left, rows)
        found = prequential(batches)
        gaps.append([e.value - t for e, t in zip(found, truth, strict=True)])
        values.append([e.value for e in found])
    gap = np.array(gaps)
    assert (np.abs(gap.mean(axis=0)) < 3 * gap.std(axis=0) / math.sqrt(runs)).all()
    # The very same model, and 10 points better in the last round than in the first.
    means = np.array(values).mean(axis=0)
    assert means[-1] - means[0] > 0.1


def test_it_says_what_it_speaks_of() -> None:
    (found,) = prequential([Batch([0, 0, 1], 1 / (200 - np.arange(3)), 200)])
    assert found.method.startswith("accuracy on the remaining pool (200 items): LURE")
    assert found.value == pytest.approx(2 / 3)


def test_a_batch_that_was_picked_says_nothing() -> None:
    (found,) = prequential([Batch([0, 1], [np.nan, 0.1], 50)])
    assert not found.known
    assert found.method == "the batch was picked, not sampled: nothing is known of what remained"
    (none,) = prequential([Batch([], [], 50)])
    assert not none.known
    assert none.method == "no card of the batch has a label yet"
    assert prequential([]) == []


def test_more_draws_than_remained() -> None:
    with pytest.raises(EvaluationError, match="before the first draw"):
        prequential([Batch([0, 1], [0.5, 1.0], 1)])
