"""What a model says of a pool, as the views show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from . import strategies
from .learners.progress import StopSignal, Watch
from .learners.targets import decided
from .strategies.multilabel import mean_binary_entropy
from .strategies.uncertainty import entropy


class Beliefs:
    """What a model says of every item of a pool, noted chunk by chunk as it is asked.

    Parameters
    ----------
    n : int
        Items of the pool.
    should_stop : Event, callable or None
        Looked at with every chunk.
    codes_of : callable
        `Task.codes`, of the task.

    Attributes
    ----------
    predictions : ndarray of int32, shape (n,)
    confidence : ndarray of float32, shape (n,)
        Probability of the predicted answer.
    uncertainty : ndarray of float32, shape (n,)
        Entropy as a share of its maximum, 0 to 1.
    """

    def __init__(
        self,
        n: int,
        should_stop: StopSignal | None = None,
        codes_of: Callable[[NDArray[Any]], NDArray[np.int64]] = lambda targets: targets,
    ) -> None:
        self._codes_of = codes_of
        self._watch = Watch(n, "scoring", None, should_stop)
        self.predictions = np.empty(n, dtype=np.int32)
        self.confidence = np.empty(n, dtype=np.float32)
        self.uncertainty = np.empty(n, dtype=np.float32)

    def see(self, start: int, context: strategies.Context) -> None:
        """Note what the model says of the chunk that begins at row `start`.

        Raises
        ------
        Cancelled
            If the round should stop.
        """
        self._watch.check()
        proba = context.proba
        part = slice(start, start + len(proba))
        if context.multilabel:
            answers = decided(proba, several=True)
            # Labels are independent given the model.
            confidence = torch.maximum(proba, 1 - proba).prod(dim=1)
            share = mean_binary_entropy(proba) / np.log(2)
        else:
            confidence, answers = proba.max(dim=1)
            share = entropy(proba) / np.log(proba.shape[1])
        self.predictions[part] = self._codes_of(answers.cpu().numpy())
        self.confidence[part] = confidence.cpu().numpy()
        self.uncertainty[part] = share.clamp(0.0, 1.0).cpu().numpy()
