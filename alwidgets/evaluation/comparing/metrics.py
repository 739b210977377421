"""Figures of a model on the test split."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def accuracy(truth: Codes, said: Codes) -> float:
    """The share that is right."""
    return float(np.mean(truth == said))


def balanced_accuracy(truth: Codes, said: Codes) -> float:
    """The mean over the classes of the share of their items that is found."""
    return float(np.mean([np.mean(said[truth == code] == code) for code in np.unique(truth)]))


def macro_f1(truth: Codes, said: Codes) -> float:
    """The mean of the F1 of the classes that occur in the truth or are said."""
    figures = []
    for code in np.union1d(truth, said):
        right = np.sum((truth == code) & (said == code))
        figures.append(2 * right / (np.sum(truth == code) + np.sum(said == code)))
    return float(np.mean(figures))


METRICS: dict[str, Callable[[Codes, Codes], float]] = {
    "accuracy": accuracy,
    "balanced accuracy": balanced_accuracy,
    "macro F1": macro_f1,
}
