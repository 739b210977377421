"""What a query strategy may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import NoModelError, StrategyError
from alwidgets.tensors import bad_row

#: Items of the pool whose labels :func:`~alwidgets.strategies.epig` wants to know.
TARGETS = 200


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


class Known:
    """What is the same for every chunk of the pool: the model, the labels and a random sample.

    Parameters
    ----------
    learner : Learner or None
    n_classes : int
    labelled_features : (l, d) float32 tensor
    labels : (l,) int64 array
        Class codes; (l, C) of 0 and 1 where an item may have several labels.
    sample : callable
        Returns the features (r, d) of a random sample of the candidates, when asked.
    seed : int
    """

    def __init__(
        self,
        learner: Predictor | None,
        n_classes: int,
        labelled_features: torch.Tensor,
        labels: NDArray[np.int64],
        sample: Callable[[], torch.Tensor],
        seed: int,
    ) -> None:
        self.learner = learner
        self.n_classes = n_classes
        self.labelled_features = labelled_features
        self.labels = labels
        self.seed = seed
        self._sample = sample

    @property
    def multilabel(self) -> bool:
        """Whether an item may have several labels."""
        return self.labels.ndim == 2

    def model(self) -> Predictor:
        """The learner, or an error that says what to do where there is none yet."""
        if self.learner is None:
            raise NoModelError("This strategy needs a fitted learner: label a few items first.")
        return self.learner

    def proba(self, features: torch.Tensor) -> torch.Tensor:
        """(n, C) class probabilities."""
        return self._all_classes(self.model().predict_proba(features))

    def posterior(self, features: torch.Tensor) -> torch.Tensor:
        """(K, n, C) class probabilities of the posterior samples."""
        return self._all_classes(self.model().posterior(features))

    def _all_classes(self, p: torch.Tensor) -> torch.Tensor:
        """Probability 0 for the classes that were added since the model was fitted."""
        return torch.nn.functional.pad(p, (0, max(0, self.n_classes - p.shape[-1])))

    def embed(self, features: torch.Tensor) -> torch.Tensor:
        """(n, h) what the last layer sees; the features themselves before the first fit."""
        if self.learner is None or not len(features):
            return features
        return self.learner.embed(features)

    @cached_property
    def labelled_embedding(self) -> torch.Tensor:
        """(l, h) embedding of the labelled items."""
        return self.embed(self.labelled_features)

    @cached_property
    def labelled_proba(self) -> torch.Tensor:
        """(l, C) class probabilities of the labelled items."""
        if not len(self.labels):
            return self.labelled_features.new_empty(0, self.n_classes)
        return self.proba(self.labelled_features)

    @cached_property
    def reference_features(self) -> torch.Tensor:
        """(r, d) features of the sample."""
        return self._sample()

    @cached_property
    def reference_embedding(self) -> torch.Tensor:
        """(r, h) its embedding."""
        return self.embed(self.reference_features)

    @cached_property
    def reference_proba(self) -> torch.Tensor:
        """(r, C) its class probabilities."""
        return self.proba(self.reference_features)

    @cached_property
    def target_posterior(self) -> torch.Tensor:
        """(K, t, C) posterior of its first items."""
        return self.posterior(self.reference_features[:TARGETS])


@dataclass(frozen=True)
class Context:
    """What a strategy may look at: a part of the pool, the labels so far and the model.

    Attributes
    ----------
    features : (n, d) float32 tensor
        Of the items to score or to pick from. Labelled ones may be among those to score: what
        they score counts for nothing.
    indices : (n,) int64 array
        Their rows in the pool.
    known : Known
        What is the same for every chunk; its parts are attributes here, too.
    costs : (N,) array or None
        Of a label for each item of the pool, in any unit.
    candidates : (n,) bool array or None
        Which of the items can be picked; all of them where there is none.
    """

    features: torch.Tensor
    indices: NDArray[np.int64]
    known: Known
    costs: NDArray[np.float64] | None = None
    candidates: NDArray[np.bool_] | None = None

    @property
    def learner(self) -> Predictor | None:
        """``None`` before the first fit."""
        return self.known.learner

    @property
    def n_classes(self) -> int:
        """How many classes the task has."""
        return self.known.n_classes

    @property
    def multilabel(self) -> bool:
        """Whether an item may have several labels: `labels` and probabilities are of each then."""
        return self.known.multilabel

    @property
    def seed(self) -> int:
        """Different for each batch."""
        return self.known.seed

    @property
    def labels(self) -> NDArray[np.int64]:
        """(l,) class codes of the labelled items, or (l, C) of 0 and 1."""
        return self.known.labels

    @property
    def n_labelled(self) -> int:
        """Number of labelled items."""
        return len(self.known.labels)

    @cached_property
    def proba(self) -> torch.Tensor:
        """(n, C) class probabilities."""
        return self._finite(self.known.proba(self.features), "probabilities")

    @cached_property
    def posterior(self) -> torch.Tensor:
        """(K, n, C) class probabilities of the posterior samples."""
        return self._finite(self.known.posterior(self.features), "posterior")

    @cached_property
    def embedding(self) -> torch.Tensor:
        """(n, h) what the last layer sees; the features themselves before the first fit."""
        return self._finite(self.known.embed(self.features), "embedding")

    def _finite(self, values: torch.Tensor, what: str) -> torch.Tensor:
        """What the learner says, or an error that names the pool's row where that is no number."""
        bad = bad_row(values)
        if bad is not None:
            raise StrategyError(
                f"The learner gives NaN or infinity for pool row {int(self.indices[bad])} in its "
                f"{what}."
            )
        return values

    @property
    def labelled_features(self) -> torch.Tensor:
        """(l, d) features of the labelled items."""
        return self.known.labelled_features

    @property
    def labelled_embedding(self) -> torch.Tensor:
        """(l, h) embedding of the labelled items."""
        return self.known.labelled_embedding

    @property
    def labelled_proba(self) -> torch.Tensor:
        """(l, C) class probabilities of the labelled items."""
        return self.known.labelled_proba

    @property
    def reference_features(self) -> torch.Tensor:
        """(r, d) features of a random sample of all candidates, the same for every chunk."""
        return self.known.reference_features

    @property
    def reference_embedding(self) -> torch.Tensor:
        """(r, h) embedding of that sample."""
        return self.known.reference_embedding

    @property
    def reference_proba(self) -> torch.Tensor:
        """(r, C) class probabilities of that sample."""
        return self.known.reference_proba

    @property
    def target_posterior(self) -> torch.Tensor:
        """(K, t, C) posterior of its first items, 200 at most."""
        return self.known.target_posterior

    @property
    def cost(self) -> torch.Tensor:
        """(n,) cost of a label for each item; ones where nothing is known of it."""
        if self.costs is None:
            return torch.ones(len(self.features), device=self.features.device)
        return torch.from_numpy(self.costs[self.indices]).to(self.features)

    @cached_property
    def rng(self) -> torch.Generator:
        """A generator seeded for this batch, on the CPU."""
        return torch.Generator().manual_seed(self.seed)
