"""Made-up pools of any size: clustered features, and what an ensemble says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURES, CLASSES, SAMPLES, TARGETS, LABELLED = 384, 10, 20, 200, 100
CLUSTERS = 50
#: Rows made at once.
BLOCK = 20_000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Inputs:
    """``n`` candidates, then the labelled items: one array of each kind holds both.

    Only numpy computed them, so that a fork may use any library.
    """

    n: int
    all_embedding: Floats  # (n + l, d), rows of unit length
    all_posterior: Floats  # (K, n + l, C)
    all_proba: Floats  # (n + l, C)
    labels: NDArray[np.int64]  # (l,)

    @property
    def embedding(self) -> Floats:
        return self.all_embedding[: self.n]

    @property
    def proba(self) -> Floats:
        return self.all_proba[: self.n]

    @property
    def posterior(self) -> Floats:
        return self.all_posterior[:, : self.n]

    @property
    def target_posterior(self) -> Floats:
        return self.all_posterior[:, :: max(1, self.n // TARGETS)][:, :TARGETS]

    @property
    def labelled_embedding(self) -> Floats:
        return self.all_embedding[self.n :]

    @property
    def labelled_proba(self) -> Floats:
        return self.all_proba[self.n :]


def make(n: int, labelled: int = LABELLED, seed: int = 0) -> Inputs:
    """A pool of ``n`` candidates and some labelled items of the same kind."""
    rng = np.random.default_rng(seed)
    rows = n + labelled
    centres = rng.standard_normal((CLUSTERS, FEATURES), dtype=np.float32)
    head = rng.standard_normal((FEATURES, CLASSES), dtype=np.float32) * 2
    heads = head + rng.standard_normal((SAMPLES, FEATURES, CLASSES), dtype=np.float32)
    flat = np.ascontiguousarray(heads.transpose(1, 0, 2).reshape(FEATURES, -1))
    X = np.empty((rows, FEATURES), np.float32)
    P = np.empty((SAMPLES, rows, CLASSES), np.float32)
    proba = np.empty((rows, CLASSES), np.float32)
    for start in range(0, rows, BLOCK):
        part = slice(start, min(start + BLOCK, rows))
        size = part.stop - start
        x = rng.standard_normal((size, FEATURES), dtype=np.float32)
        x += centres[rng.integers(CLUSTERS, size=size)]
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        X[part] = x
        z = (x @ flat).reshape(size, SAMPLES, CLASSES)
        z -= z.max(axis=2, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=2, keepdims=True)
        P[:, part] = z.transpose(1, 0, 2)
        proba[part] = z.mean(axis=1)
    labels = (X[n:] @ head).argmax(axis=1).astype(np.int64)
    return Inputs(n, X, P, proba, labels)


def first(given: Inputs, rows: int) -> Inputs:
    """The first candidates, which are as random as any, and all that is labelled."""
    kept = np.r_[:rows, given.n : len(given.all_proba)]
    return Inputs(
        rows,
        given.all_embedding[kept],
        given.all_posterior[:, kept],
        given.all_proba[kept],
        given.labels,
    )
