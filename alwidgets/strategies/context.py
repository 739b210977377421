"""What a query strategy may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError


class Predictor(Protocol):
    """The part of a learner that strategies use."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def predict_proba(self, X: torch.Tensor) -> torch.Tensor:
        """(n, C) class probabilities."""
        ...

    def posterior(self, X: torch.Tensor) -> torch.Tensor:
        """(K, n, C) class probabilities of the posterior samples."""
        ...

    def embed(self, X: torch.Tensor) -> torch.Tensor:
        """(n, h) what the last layer sees."""
        ...


@dataclass(frozen=True)
class Context:
    """What a strategy may look at: some candidates, the labels so far and the model.

    Attributes
    ----------
    features : (n, d) float32 tensor
        Of the candidates.
    indices : (n,) int64 array
        Their rows in the pool.
    learner : Learner or None
        ``None`` before the first fit.
    n_classes : int
    labelled_features : (m, d) float32 tensor
    labelled : (m,) int64 array
        Class codes of the labelled items.
    seed : int
        Different for each batch.
    """

    features: torch.Tensor
    indices: NDArray[np.int64]
    learner: Predictor | None
    n_classes: int
    labelled_features: torch.Tensor
    labelled: NDArray[np.int64]
    seed: int

    @property
    def n_labelled(self) -> int:
        """Number of labelled items."""
        return len(self.labelled)

    @cached_property
    def proba(self) -> torch.Tensor:
        """(n, C) class probabilities."""
        return self._model().predict_proba(self.features)

    @cached_property
    def posterior(self) -> torch.Tensor:
        """(K, n, C) class probabilities of the posterior samples."""
        return self._model().posterior(self.features)

    @cached_property
    def embedding(self) -> torch.Tensor:
        """(n, h) what the last layer sees; the features themselves before the first fit."""
        return self.features if self.learner is None else self.learner.embed(self.features)

    @cached_property
    def labelled_embedding(self) -> torch.Tensor:
        """(m, h) the same of the labelled items."""
        if self.learner is None or not self.n_labelled:
            return self.labelled_features
        return self.learner.embed(self.labelled_features)

    @cached_property
    def rng(self) -> torch.Generator:
        """A generator seeded for this batch, on the CPU."""
        return torch.Generator().manual_seed(self.seed)

    def _model(self) -> Predictor:
        if self.learner is None:
            raise StrategyError("This strategy needs a fitted learner: label a few items first.")
        return self.learner
